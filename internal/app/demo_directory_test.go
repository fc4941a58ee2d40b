package app

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/amphi-campus/amphi/internal/app/demo"
	"github.com/amphi-campus/amphi/internal/app/valmont"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
)

func TestTheDemoHasSourcesWorthLookingAt(t *testing.T) {
	u, err := valmont.Load()
	if err != nil {
		t.Fatal(err)
	}
	cfg := demoConfig(u)
	cfg.Server.DataDir = t.TempDir()
	cfg.Directory = demo.Sources(filepath.Join(cfg.Server.DataDir, "sources"), cfg.Directory)
	cfg.Identity.Hash.Memory, cfg.Identity.Hash.Time = 8<<10, 1
	server := httptest.NewServer(nil)
	defer server.Close()
	cfg.Server.BaseURL = server.URL
	h, err := Open(t.Context(), cfg, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.fill(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	runs, _, err := h.directory.Sources().Runs(t.Context(), "", 1, 20)
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]int{}
	var counts register.Counts
	for _, r := range runs {
		states[r.State]++
		if r.State == register.Done {
			counts.Creations += r.Counts.Creations
			counts.Changes += r.Counts.Changes
			counts.Refusals += r.Counts.Refusals
			counts.Departures += r.Counts.Departures
		}
	}
	_, questions, err := h.directory.Sources().Conflicts(t.Context(), "", 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	if states[register.Done] != 4 || states[register.Dry] != 1 || states[register.Held] != 1 || counts.Creations != 5 || counts.Changes == 0 || counts.Refusals == 0 || counts.Departures != 0 || questions != 2 {
		t.Errorf("runs %v, figures %+v, %d questions", states, counts, questions)
	}
}
