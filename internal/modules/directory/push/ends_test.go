package push_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/push"
	"github.com/amphi-campus/amphi/internal/modules/directory/push/pushtest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// notebook is a journal and the notices of those who keep the directory.
type notebook struct {
	events []string
	told   []contract.Notice
	broken error
}

func (n *notebook) Note(_ context.Context, _ db.Tx, r *http.Request, kind string, facts map[string]string) error {
	n.events = append(n.events, fmt.Sprint(strings.TrimPrefix(kind, "identity."), " ", facts["label"], " ", facts["source"], " ", facts["until"], " ", r != nil))
	return n.broken
}

func (n *notebook) Notify(_ context.Context, _ db.Tx, to campus.PersonID, notice contract.Notice) error {
	if to == "keeper" {
		n.told = append(n.told, notice)
	}
	return nil
}

func withNotebook(h *pushtest.House) *notebook {
	n := &notebook{}
	h.Door.Journal, h.Door.Notices, h.Door.Texts = n, n, h.Texts
	h.Door.Keepers = func(context.Context) ([]campus.PersonID, error) { return []campus.PersonID{"keeper"}, nil }
	return n
}

// watch runs the hourly job.
func watch(t *testing.T, h *pushtest.House) {
	t.Helper()
	if err := h.Door.Watch(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestATokenEndsByItselfAndEverybodyIsToldBefore(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House) {
		n := withNotebook(h)
		_, secret, err := h.Door.AddToken(t.Context(), push.Order{Source: pushtest.SCIM, Label: "Entra"})
		if err != nil {
			t.Fatal(err)
		}
		if len(h.Door.Health(t.Context())) != 1 {
			t.Fatal("nobody looks at the tokens")
		}
		healthy := func() *fault.Reason { return h.Door.Health(t.Context())[0].Reason }
		knock := func() pushtest.Answer {
			return h.With(secret).Ask("GET", "/knock/scim", "", "Accept", "application/json")
		}
		at := func(days int) { h.Clock.Set(pushtest.Start.Add(time.Duration(days) * 24 * time.Hour)) }
		at(330)
		if watch(t, h); len(n.told) != 0 || healthy() != nil || knock().Status != 200 {
			t.Errorf("35 days before: told %v, %v", n.told, healthy())
		}
		at(336)
		if watch(t, h); len(n.told) != 1 || !strings.Contains(n.told[0].DetailEnglish, "22 November") || healthy() != nil {
			t.Errorf("29 days before: told %+v, %v", n.told, healthy())
		}
		if watch(t, h); len(n.told) != 1 {
			t.Error("told twice")
		}
		at(360)
		if knock().Status != 200 || healthy() != push.TokenEnds {
			t.Errorf("5 days before, while it is in use, the house is %v", healthy())
		}
		at(365)
		if a := knock(); a.Status != 401 || a.Get("code") != push.TokenEnded.Code() {
			t.Errorf("at its end it is answered with %d %s", a.Status, a.Text)
		}
		watch(t, h)
		watch(t, h)
		if want := []string{"push_token_made Entra entra 2027-11-22 false", "push_token_ended Entra entra 2027-11-22 false"}; !slices.Equal(n.events, want) {
			t.Errorf("the journal says %q", n.events)
		}
		h.Viewer = campus.Viewer{Person: "keeper", Locale: campus.English, Rights: []campus.Right{campus.RightDirectory}}
		if page := h.Stranger().Must(200, "GET", "/directory/tokens", ""); !strings.Contains(page.Text, "ended") || strings.Contains(page.Text, "/revoke") {
			t.Error("the page does not say that it ended")
		}
	})
}

func TestTokensThatAreMadeAndRevokedStandInTheJournal(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House) {
		n := withNotebook(h)
		h.Viewer = campus.Viewer{Person: "keeper", Locale: campus.English, Rights: []campus.Right{campus.RightDirectory}}
		form := func(pairs ...string) (string, string, string) {
			return pagetest.Form(pairs...).Encode(), "Content-Type", "application/x-www-form-urlencoded"
		}
		body, name, value := form("source", pushtest.API, "label", "HR", "days", "30")
		h.Stranger().Must(200, "POST", "/directory/tokens", body, name, value)
		tokens, err := h.Door.Tokens(t.Context())
		if err != nil || len(tokens) != 1 || !tokens[0].EndsAt.Equal(pushtest.Start.Add(30*24*time.Hour)) {
			t.Fatalf("the tokens are %+v, %v", tokens, err)
		}
		body, name, value = form("x", "y")
		h.Stranger().Must(303, "POST", "/directory/tokens/"+tokens[0].ID+"/revoke", body, name, value)
		if want := []string{"push_token_made HR hr 2026-12-22 true", "push_token_revoked HR hr 2026-12-22 true"}; !slices.Equal(n.events, want) {
			t.Errorf("the journal says %q", n.events)
		}
		for _, days := range []int{-1, push.MostDays + 1} {
			if _, _, err := h.Door.AddToken(t.Context(), push.Order{Source: pushtest.API, Label: "x", Days: days}); !errors.Is(err, push.DaysUnfit) {
				t.Errorf("%d days: %v", days, err)
			}
		}
		n.broken = errors.New("the journal is full")
		if _, _, err := h.Door.AddToken(t.Context(), push.Order{Source: pushtest.API, Label: "x"}); err == nil {
			t.Error("a token is made that the journal does not know")
		}
		if tokens, _ := h.Door.Tokens(t.Context()); len(tokens) != 1 {
			t.Errorf("there are %d tokens", len(tokens))
		}
	})
}

func TestThePageSaysWhereATokenWasUsed(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House) {
		h.Program(pushtest.SCIM).Must(200, "GET", "/knock/scim", "")
		tokens, err := h.Door.Tokens(t.Context())
		if err != nil || tokens[0].UsedFrom != "192.0.2.1" {
			t.Fatalf("it was used from %+v, %v", tokens, err)
		}
		h.Viewer = campus.Viewer{Person: "keeper", Locale: campus.English, Rights: []campus.Right{campus.RightDirectory}}
		if page := h.Stranger().Must(200, "GET", "/directory/tokens", ""); !strings.Contains(page.Text, "from 192.0.2.1") {
			t.Error("the page does not say from where")
		}
	})
}
