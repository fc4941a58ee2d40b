package trace

import (
	"context"
	"errors"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

var (
	start  = time.Date(2026, 11, 22, 9, 0, 30, 0, time.UTC)
	schema = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "sso", FS: os.DirFS("..")}}

	codeMissing = fault.Declare(fault.NotFound, "test.code_missing")
)

// house is the alcove with the room around it.
type house struct {
	*Trace
	t         *testing.T
	clock     *clock.Manual
	answers   *answer.Store
	server    *web.Server
	viewer    campus.Viewer
	incidents []gate.Incident
}

func each(t *testing.T, test func(t *testing.T, h *house)) {
	now := clock.At(start)
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(start)
		h := &house{t: t, clock: now, answers: answer.New(d)}
		log := slog.New(slog.DiscardHandler)
		h.Trace = New(Deps{DB: d, Clock: now, Log: log, Gate: h, Story: story})
		texts := i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, os.DirFS(".."))
		base, err := url.Parse("https://ent.valmont.example")
		if err != nil {
			t.Fatal(err)
		}
		h.server = web.New(web.Config{
			BaseURL: base, Log: log, Clock: now, Texts: texts, Language: campus.English,
			Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) { return h.viewer, nil },
			ErrorPage:    ui.FailurePage,
		})
		h.Routes(h.server.Router("sso"))
		test(t, h)
	}, schema...)
}

func story(_ context.Context, code string) (campus.PersonID, time.Time, time.Time, error) {
	switch code {
	case "K7F-3Q9":
		return campustest.Lina().Person, start.Add(-time.Minute), start.Add(time.Minute), nil
	case "NOB-ODY":
		return "", start, start, nil
	}
	return "", time.Time{}, time.Time{}, codeMissing
}

func (h *house) Registry(context.Context) (*registry.Index, error) {
	return registry.NewIndex([]registry.Service{
		{ID: "moodle", NameEnglish: "Moodle", Protocol: registry.CAS, Patterns: []string{"https://moodle.valmont.example"}},
		{ID: "wiki", NameEnglish: "Wiki", Protocol: registry.OIDC},
	}), nil
}

func (h *house) Note(_ context.Context, i gate.Incident) { h.incidents = append(h.incidents, i) }

// give issues an answer that lives for a minute; used says that the service comes
// for it.
func (h *house) give(service, who, address string, used bool) {
	h.t.Helper()
	secret := id.Token(20)
	err := h.DB.InTx(h.t.Context(), func(tx db.Tx) error {
		a := answer.Answer{Protocol: registry.CAS, Service: service, Address: address, Session: "s-" + who, Person: campus.PersonID(who), Login: who}
		if who == "lmartin" {
			a.Person = campustest.Lina().Person
		}
		if err := h.answers.Issue(h.t.Context(), tx, secret, a, time.Minute); err != nil || !used {
			return err
		}
		won, err := h.answers.Spend(h.t.Context(), tx, id.Hash(secret), answer.Redeemed, secret, "192.0.2.7")
		if err == nil && !won {
			return errors.New("not spent")
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

const there = "https://moodle.valmont.example/login"

func TestAServiceThatDoesNotComeForItsAnswersIsFoundBeforePeopleCall(t *testing.T) {
	type gift struct {
		who  string
		used bool
	}
	for name, c := range map[string]struct {
		gifts []gift
		loud  bool
		quiet bool
	}{
		"it comes for all":                   {[]gift{{"a", true}, {"b", true}}, false, false},
		"one person closes a tab":            {[]gift{{"a", false}, {"b", true}}, false, true},
		"one person tries again and again":   {[]gift{{"a", false}, {"a", false}, {"a", false}}, false, true},
		"it comes for none":                  {[]gift{{"a", false}, {"b", false}}, true, false},
		"one of its four servers is cut off": {[]gift{{"a", false}, {"b", false}, {"c", true}, {"d", true}, {"e", true}, {"f", true}, {"g", true}, {"h", true}}, true, false},
		"two of many close a tab in a rush":  {[]gift{{"a", false}, {"b", false}, {"c", true}, {"d", true}, {"e", true}, {"f", true}, {"g", true}, {"h", true}, {"i", true}, {"j", true}, {"k", true}}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				for _, g := range c.gifts {
					h.give("moodle", g.who, there+"?"+g.who+id.New(), g.used)
				}
				if err := h.look(t.Context()); err != nil || len(h.incidents) != 0 {
					t.Fatalf("while it still may come: %+v, %v", h.incidents, err)
				}
				h.clock.Advance(90 * time.Second)
				if err := h.look(t.Context()); err != nil {
					t.Fatal(err)
				}
				loud, quiet := 0, 0
				for _, i := range h.incidents {
					if i.Reason != AnswersUnused || i.Service.ID != "moodle" || !strings.HasPrefix(i.Expected, there) {
						t.Errorf("%+v", i)
					}
					if i.Quiet {
						quiet++
					} else {
						loud++
					}
				}
				if loud == 1 != c.loud || quiet == 1 != c.quiet || loud+quiet > 1 {
					t.Errorf("%d told, %d kept", loud, quiet)
				}
				h.incidents = nil
				h.clock.Advance(time.Minute)
				if err := h.look(t.Context()); err != nil || len(h.incidents) != 0 {
					t.Errorf("told again without another one: %+v, %v", h.incidents, err)
				}
			})
		})
	}
}

func TestAServiceThatSendsSeveralPeopleBackIsFound(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, who := range []string{"a", "b"} {
			for range backTurns {
				h.give("moodle", who, there, true)
			}
		}
		for range 2 * backTurns { // one person alone may be at play
			h.give("wiki", "c", "https://wiki.valmont.example/cb", true)
		}
		if err := h.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(h.incidents) != 1 || h.incidents[0].Reason != PeopleReturned || h.incidents[0].Service.ID != "moodle" || h.incidents[0].Quiet {
			t.Errorf("%+v", h.incidents)
		}
	})
}

// get asks for a page and returns it with entities read.
func (h *house) get(path string) (int, string) {
	h.t.Helper()
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, html.UnescapeString(w.Body.String())
}

func helper() campus.Viewer {
	v := campustest.Paul()
	v.Rights, v.Locale = []campus.Right{campus.RightHelpdesk}, campus.English
	return v
}

func TestTheTraceTellsBothEndsOfAWay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.viewer = helper()
		h.give("moodle", "lmartin", there, true)
		h.give("moodle", "pdurand", there+"/vain", false)
		if _, page := h.get("/sso/trace"); !strings.Contains(page, "has not come for it yet") {
			t.Error(page)
		}
		h.clock.Advance(2 * time.Minute)
		for path, c := range map[string]struct{ want, not []string }{
			"/sso/trace":                                     {[]string{"Moodle", "lmartin", "from 192.0.2.7", "pdurand", "never validated the ticket", "in vain"}, nil},
			"/sso/services/wiki/trace":                       {[]string{"Nothing found"}, []string{"lmartin"}},
			"/sso/trace?person=PDurand":                      {[]string{"in vain"}, []string{"192.0.2.7"}},
			"/sso/trace?service=mood":                        {[]string{"lmartin", "pdurand"}, nil},
			"/sso/trace?code=K7F-3Q9":                        {[]string{"lmartin"}, []string{"in vain"}},
			"/sso/trace?service=moodle&page=999999999999":    {nil, []string{"lmartin"}},
			"/sso/trace?service=%00&person=%ff&page=-1":      {nil, nil},
			"/sso/trace?person=" + strings.Repeat("a", 5000): {[]string{"Nothing found"}, nil},
		} {
			status, page := h.get(path)
			if status != http.StatusOK {
				t.Errorf("%s: %d", path, status)
			}
			for _, want := range c.want {
				if !strings.Contains(page, want) {
					t.Errorf("%s lacks %q: %s", path, want, page)
				}
			}
			for _, not := range c.not {
				if strings.Contains(page, not) {
					t.Errorf("%s holds %q", path, not)
				}
			}
		}
		for path, want := range map[string]string{
			"/sso/trace?code=AAA-AAA": "We know no such code", "/sso/trace?code=NOB-ODY": "Nobody was recognised", "/sso/trace?service=nowhere": "No service, or more than one",
		} {
			if status, page := h.get(path); status != http.StatusUnprocessableEntity || !strings.Contains(page, want) {
				t.Errorf("%s: %d %s", path, status, page)
			}
		}
	})
}

func TestWhoItWasIsForTheHelpDeskAlone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.give("moodle", "lmartin", there, true)
		h.viewer = campustest.Alix()
		h.viewer.Locale, h.viewer.Rights = campus.English, []campus.Right{campus.RightAdmin}
		for _, path := range []string{"/sso/trace", "/sso/trace?person=pdurand", "/sso/trace?code=AAA-AAA"} {
			status, page := h.get(path)
			if status != http.StatusOK || strings.Contains(page, "lmartin") || !strings.Contains(page, `href="/sso/services/moodle"`) {
				t.Errorf("%s: %d %s", path, status, page)
			}
		}
		h.give("moodle", "pdurand", there+"/vain", false)
		h.clock.Advance(2 * time.Minute)
		if _, page := h.get("/sso/services/moodle/trace"); !strings.Contains(page, `href="/sso/services/moodle#incidents"`) || !strings.Contains(page, `<a href="/sso/services/moodle">Moodle</a>`) {
			t.Errorf("no way to the service and what went wrong there: %s", page)
		}
		h.viewer = helper()
		if _, page := h.get("/sso/trace"); strings.Contains(page, `href="/sso/services/`) || !strings.Contains(page, `href="/sso/trace?service=moodle"`) {
			t.Errorf("the help desk is sent where it may not go: %s", page)
		}
		h.viewer = campustest.Lina()
		for _, path := range []string{"/sso/trace", "/sso/services/moodle/trace"} {
			if status, _ := h.get(path); status != http.StatusForbidden {
				t.Errorf("a student reads %s: %d", path, status)
			}
		}
	})
}
