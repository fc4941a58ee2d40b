package mailroom_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// full is a file store without room.
type full struct{ files.Store }

// Put implements files.Store.
func (full) Put(context.Context, io.Reader, files.Meta) (files.Ref, error) {
	return "", errors.New("no space left on device")
}

func TestAMailThatCannotBeKeptIsNotTaken(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		whole := r.mail.Files
		r.mail.Files = full{whole}
		if err := r.hand(guest, written(guest, queue, "Wifi", "?"), queue); err == nil || !strings.Contains(err.Error(), "451") {
			t.Errorf("the mail server was told %v", err)
		}
	})
}

// keptDesk names the folder of a desk that is killed.
const keptDesk = "AMPHI_MAILROOM_FOLDER"

func TestAPowerCutInTheMiddleLosesNoMailAndOpensNoneTwice(t *testing.T) {
	if folder := os.Getenv(keptDesk); folder != "" {
		takeForEver(t, folder)
	}
	folder := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	other := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	other.Env = append(os.Environ(), keptDesk+"="+folder)
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	other.Cancel = func() error { return other.Process.Kill() } // SIGKILL: nothing is finished, nothing is flushed
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	accepted := map[string]bool{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if subject, ok := strings.CutPrefix(lines.Text(), "accepted "); ok {
			if accepted[subject] = true; len(accepted) == 40 {
				stop() // and the lines that were written before it are read
			}
		}
	}
	if err := other.Wait(); err == nil || len(accepted) < 40 {
		t.Fatalf("the other process ended by itself after %d mails: %v", len(accepted), err)
	}
	r := reopen(t, folder)
	if err := r.mail.ReadWaiting(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := r.Tickets.OfMail(t.Context(), guest)
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	for _, one := range list {
		times[one.Subject]++
	}
	for subject := range accepted {
		if times[subject] != 1 {
			t.Errorf("%s was accepted, and is a request %d times", subject, times[subject])
		}
	}
	for subject, n := range times {
		if n > 1 {
			t.Errorf("%s is a request %d times", subject, n)
		}
	}
}

// takeForEver takes and reads mails until it is killed.
func takeForEver(t *testing.T, folder string) {
	r := reopen(t, folder)
	go func() {
		for {
			if err := r.mail.ReadWaiting(context.Background()); err != nil {
				panic(err)
			}
		}
	}()
	for i := range 1 << 20 {
		subject := fmt.Sprint("Question ", i)
		if err := r.hand(guest, written(guest, queue, subject, "?"), queue); err != nil {
			panic(err)
		}
		fmt.Println("accepted " + subject)
	}
}

// reopen opens the desk of a folder, which the process before may have left in the
// middle of something.
func reopen(t *testing.T, folder string) *room {
	t.Helper()
	now := clock.At(tickettest.Start)
	d, err := db.Open(t.Context(), db.Config{DSN: "sqlite:" + filepath.Join(folder, "amphi.db"), Clock: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := d.Migrate(t.Context(), tickettest.Steps()); err != nil {
		t.Fatal(err)
	}
	keys, err := crypt.Open(filepath.Join(folder, "key"))
	if err != nil {
		t.Fatal(err)
	}
	x := &tickettest.Desk{T: t, Clock: now, DB: d, Tickets: &ticket.Tickets{DB: d}, Texts: i18ntest.Load(t, time.UTC, now, (&helpdesk.Module{}).Locales(), web.Locales, ui.Locales, mailer.Locales, files.Locales), Zone: time.UTC}
	x.Queue = ticket.Queue{Team: "accounts", NameFrench: "Comptes"}
	queues, err := x.Tickets.Queues(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range queues {
		if q.Team == "accounts" {
			x.Queue = q
		}
	}
	x.Tickets.Connect(x, x)
	x.Tx(func(tx db.Tx) (err error) {
		x.Queue, err = x.Tickets.KeepQueue(t.Context(), tx, x.Queue)
		return err
	})
	return furnish(t, x, keys, folder, func(c *mailroomConfig) { c.PerDay = 1 << 20 })
}
