package dossier

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// register knows one student.
type register struct{ contract.Register }

func (register) KnownPeople(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	lina := contract.Known{ID: "p-lina", Subject: contract.Subject{Login: "lmartin", GivenName: "Lina", FamilyName: "Martin",
		Affiliations: []campus.Affiliation{{Kind: campus.Student, Campus: "rives", Programme: "info"}}}}
	if slices.Contains(ids, lina.ID) {
		return map[campus.PersonID]contract.Known{lina.ID: lina}, nil
	}
	return nil, nil
}

// room has cards, or fails.
type room struct {
	cards []contract.Card
	err   error
}

func (r room) About(context.Context, campus.Viewer, campus.PersonID) ([]contract.Card, error) {
	return r.cards, r.err
}

// looks remembers who looked.
type looks []contract.Look

func (l *looks) Looked(_ context.Context, look contract.Look) error {
	*l = append(*l, look)
	return nil
}

func TestAFileOpensForThoseWhoLookAfterThePersonAndThePersonCanReadIt(t *testing.T) {
	now := clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	texts := i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, os.DirFS("."))
	over := func(r campus.Right, programme string) campus.Viewer {
		return campus.Viewer{Person: "p-agent", Session: "s", Mandates: []campus.Mandate{{Right: r, Programme: programme}}}
	}
	everywhere := func(r campus.Right) campus.Viewer {
		return campus.Viewer{Person: "p-agent", Session: "s", Rights: []campus.Right{r}}
	}
	for name, c := range map[string]struct {
		viewer campus.Viewer
		path   string
		want   int
	}{
		"the secretariat":                  {everywhere(campus.RightSecretariat), "/directory/people/p-lina/file", http.StatusOK},
		"a secretary of the programme":     {over(campus.RightSecretariat, "info"), "/directory/people/p-lina/file", http.StatusOK},
		"a secretary of another programme": {over(campus.RightSecretariat, "droit"), "/directory/people/p-lina/file", http.StatusForbidden},
		"the data protection officer":      {everywhere(campus.RightPrivacy), "/directory/people/p-lina/file", http.StatusOK},
		"the help desk, with its own page": {everywhere(campus.RightHelpdesk), "/directory/people/p-lina/file", http.StatusForbidden},
		"the person":                       {campus.Viewer{Person: "p-lina", Session: "s"}, "/directory/people/p-lina/file", http.StatusForbidden},
		"nobody’s file":                    {everywhere(campus.RightAdmin), "/directory/people/p-none/file", http.StatusNotFound},
	} {
		var seen looks
		d := &Dossier{Register: register{}, Looks: &seen, Rooms: func() []contract.Dossier {
			return []contract.Dossier{
				room{cards: []contract.Card{{ID: "late", Title: "Late", Rank: 20, Empty: "nothing yet"}}},
				room{cards: []contract.Card{{ID: "early", Title: "Early", Rows: []contract.CardRow{{Title: "a fact"}}}}},
			}
		}}
		server := pagetest.Serve(t, now, texts, func() campus.Viewer { return c.viewer }, d.Routes)
		resp, body := pagetest.Ask(t, pagetest.Still(), http.MethodGet, server.URL+c.path, nil)
		if resp.StatusCode != c.want {
			t.Errorf("%s: %d instead of %d", name, resp.StatusCode, c.want)
		}
		shown := strings.Contains(body, "a fact") && strings.Index(body, "Early") < strings.Index(body, "Late") && strings.Contains(body, "lmartin")
		if shown != (c.want == http.StatusOK) {
			t.Errorf("%s: the file is shown: %t", name, shown)
		}
		if noted := len(seen) == 1 && seen[0].About == "p-lina" && seen[0].By == "p-agent" && seen[0].As != ""; noted != (c.want == http.StatusOK) {
			t.Errorf("%s: noted %+v", name, seen)
		}
	}
}

func TestARoomThatCannotAnswerIsNotPassedOverInSilence(t *testing.T) {
	now := clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	texts := i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, os.DirFS("."))
	d := &Dossier{Register: register{}, Looks: contract.NoLooks{}, Rooms: func() []contract.Dossier { return []contract.Dossier{room{err: errors.New("down")}} }}
	server := pagetest.Serve(t, now, texts, func() campus.Viewer {
		return campus.Viewer{Person: "p-agent", Session: "s", Rights: []campus.Right{campus.RightAdmin}}
	}, d.Routes)
	if resp, _ := pagetest.Ask(t, pagetest.Still(), http.MethodGet, server.URL+"/directory/people/p-lina/file", nil); resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("the file answers %d", resp.StatusCode)
	}
}
