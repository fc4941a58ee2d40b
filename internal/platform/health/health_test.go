package health

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

func of(checks ...Check) Source {
	return Source{Name: "room", Ask: func(context.Context) []Check { return checks }}
}

func TestReadinessFollowsTheEssentialChecksOnly(t *testing.T) {
	broken := errors.New("connection refused")
	for _, c := range []struct {
		name   string
		checks []Check
		status int
		word   string
	}{
		{"no checks", nil, 200, "ready"},
		{"all well", []Check{Pass("db", "").Needed(), Pass("mailer.smtp", "")}, 200, "ready"},
		{"the mail server is down", []Check{Pass("db", "").Needed(), Fail("mailer.smtp", broken)}, 200, "impaired"},
		{"the database is down", []Check{Fail("db", broken).Needed(), Fail("mailer.smtp", broken)}, 503, "not ready"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := Handler(New(clock.System(), of(c.checks...)), http.NotFoundHandler())
			w := httptest.NewRecorder()
			server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
			var got struct {
				Status string
				Checks []map[string]any
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if w.Code != c.status || got.Status != c.word || len(got.Checks) != len(c.checks) {
				t.Fatalf("%d %+v", w.Code, got)
			}
			alive := httptest.NewRecorder()
			server.ServeHTTP(alive, httptest.NewRequest(http.MethodGet, "/healthz", nil))
			if alive.Code != http.StatusOK {
				t.Fatalf("not alive: %d", alive.Code)
			}
		})
	}
}

func TestAFailedCheckCarriesItsReasonCode(t *testing.T) {
	if got := Fail("db", fault.TimedOut.From(errors.New("slow"))); got.OK || got.Reason != fault.TimedOut || got.Detail != "slow" {
		t.Errorf("%+v", got)
	}
	if got := Fail("db", errors.New("odd")); got.Reason != fault.Unexpected {
		t.Errorf("%+v", got)
	}
	got := Run(t.Context(), "db", func(context.Context) (string, error) { return "", errors.New("odd") })
	if got.OK || got.Took <= 0 || got.Detail != "odd" {
		t.Errorf("%+v", got)
	}
}

func TestASourceThatHangsOrPanicsDoesNotHideTheOthers(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	doctor := New(clock.System(),
		Source{Name: "hangs", Ask: func(context.Context) []Check { <-release; return nil }},
		Source{Name: "panics", Ask: func(context.Context) []Check { panic("boom") }},
		of(Pass("works", "")))
	doctor.wait = 30 * time.Millisecond
	checks := doctor.Checks(t.Context())
	if len(checks) != 3 {
		t.Fatalf("%+v", checks)
	}
	if checks[0].Reason != CheckTimedOut || !strings.Contains(checks[1].Detail, "boom") || !checks[2].OK {
		t.Fatalf("%+v", checks)
	}
}

func TestAnswersAreSharedForTwoSeconds(t *testing.T) {
	asked := 0
	now := clock.At(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	doctor := New(now, Source{Name: "room", Ask: func(context.Context) []Check { asked++; return nil }})
	gone, leave := context.WithCancel(t.Context())
	leave()
	doctor.Checks(gone)
	doctor.Checks(t.Context())
	now.Advance(2 * time.Second)
	doctor.Checks(t.Context())
	if asked != 2 {
		t.Fatalf("asked %d times", asked)
	}
}
