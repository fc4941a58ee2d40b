package app

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

func TestTheDemoShowsALedgerWithEveryStateInIt(t *testing.T) {
	h, _ := openDemo(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		registry := jobs.NewRegistry()
		h.provisioning.Jobs(registry)
		jobs.NewRunner(h.DB, registry, slog.New(slog.DiscardHandler), jobs.Options{}).Run(ctx)
	}()
	defer func() {
		stop()
		<-ended
	}()
	missing := func() (list []contract.AccountState) {
		all, err := h.provisioning.Standings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []contract.AccountState{contract.AccountNotDue, contract.AccountReady, contract.AccountQueued, contract.AccountBlocked, contract.AccountLeaving} {
			var n int64
			for _, one := range all {
				n += one.Counts[s]
			}
			if n == 0 {
				list = append(list, s)
			}
		}
		return list
	}
	away := func() bool {
		all, err := h.provisioning.Standings(t.Context())
		return err == nil && all[2].LastError != ""
	}
	for deadline := time.Now().Add(time.Minute); len(missing()) > 0 || !away(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nobody is %v; the printers are away: %t", missing(), away())
		}
	}
}
