package sso

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

func TestGatewayAsksNothingOfAStranger(t *testing.T) {
	h := one(t)
	if got := location(t, h.get(loginURL(moodle, "gateway", "true"))).String(); got != moodle {
		t.Errorf("a stranger was led to %s", got)
	}
	h.enter(lina())
	if got := location(t, h.get(loginURL(moodle, "gateway", "true"))); got.Query().Get("ticket") == "" {
		t.Errorf("somebody with a session was led to %s", got)
	}
	h.enter(campustest.Paul())
	if got := location(t, h.get(loginURL(library, "gateway", "true"))).String(); got != library {
		t.Errorf("somebody not admitted was led to %s", got)
	}
}

func TestRenewAsksForThePasswordOncePerTicket(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.enter(lina())
		h.clock.Advance(time.Minute)
		to := location(t, h.get(loginURL(moodle, "renew", "true")))
		if to.Path != "/login" || to.Query().Get("renew") != "1" {
			t.Fatalf("led to %s", to)
		}
		back := to.Query().Get("next")
		if again := location(t, h.get(back)); again.Path != "/login" {
			t.Fatalf("a ticket without a password: %s", again)
		}
		h.clock.Advance(time.Second)
		h.enter(lina())
		ticket := location(t, h.get(back)).Query().Get("ticket")
		if answer := h.check(moodle, ticket, "renew", "true"); !strings.Contains(answer, "<cas:isFromNewLogin>true<") {
			t.Error(answer)
		}
		if again := location(t, h.get(back)); again.Path != "/login" {
			t.Errorf("one password made two fresh tickets: %s", again)
		}
		ordinary := h.ticketFor(moodle)
		if answer := h.check(moodle, ordinary, "renew", "true"); !strings.Contains(answer, `code="INVALID_TICKET"`) {
			t.Errorf("renew accepted a ticket of a session: %s", answer)
		}
	})
}

func TestAMarkOfOneServiceIsNoProofForAnother(t *testing.T) {
	h := one(t)
	mark := mustQuery(t, location(t, h.get(loginURL(moodle))).Query().Get("next")).Get("asked")
	h.clock.Advance(time.Second)
	h.enter(lina())
	for name, forged := range map[string]string{
		"another service": mark, "a changed time": "zzzzzzzzzz" + mark[10:], "rubbish": "1.2", "nothing": "",
	} {
		if to := location(t, h.get(loginURL(library, "renew", "true", "asked", forged))); to.Path != "/login" {
			t.Errorf("%s counted as a password: %s", name, to)
		}
	}
}

func TestAMarkCountsForMinutesAndInItsOwnBrowser(t *testing.T) {
	for name, c := range map[string]struct {
		elsewhere bool
		after     time.Duration
		want      string
	}{
		"at once":                     {false, time.Second, "moodle.valmont.example"},
		"after a long search":         {false, askedFor - time.Second, "moodle.valmont.example"},
		"after too long":              {false, askedFor + time.Second, ""},
		"in a browser that was lured": {true, time.Second, ""},
	} {
		h := one(t)
		next := location(t, h.get(loginURL(moodle, "renew", "true"))).Query().Get("next")
		if c.elsewhere {
			clear(h.cookies)
			h.get(loginURL(library, "renew", "true")) // has a cookie of its own
		}
		h.clock.Advance(c.after)
		h.enter(lina())
		if to := location(t, h.get(next)); to.Host != c.want {
			t.Errorf("%s, a mark leads to %s", name, to)
		}
	}
}

func mustQuery(t *testing.T, local string) url.Values {
	t.Helper()
	u, err := url.Parse(local)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// failure is what a failure page says, with entities read.
func failure(w *httptest.ResponseRecorder) string { return html.UnescapeString(w.Body.String()) }

func TestRefusalsSayWhyAndWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		viewer  campus.Viewer
		service string
		status  int
		want    []string
	}{
		"an unknown service":                      {lina(), "https://evil.example/x", 404, []string{"sso.service_unknown", "evil.example"}},
		"an unknown service, to an administrator": {campustest.Alix(), "https://moodel.valmont.example/", 404, []string{"sso.service_unknown_near", "https://moodle.valmont.example/"}},
		"an unknown service near nothing":         {campustest.Alix(), "https://elsewhere.org/", 404, []string{`"sso.service_unknown"`}},
		"a service for others":                    {campustest.Paul(), library, 403, []string{"sso.not_in_audience", "open to: students", "Paul Durand (teacher)"}},
		"a closed service":                        {lina(), "https://old.valmont.example/", 503, []string{"sso.service_disabled", "Ancien"}},
		"an address that is none":                 {lina(), "nowhere", 400, []string{"sso.service_unreadable"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			h.enter(c.viewer)
			w := h.get(loginURL(c.service))
			if w.Code != c.status {
				t.Errorf("status %d", w.Code)
			}
			for _, want := range c.want {
				if !strings.Contains(failure(w), want) {
					t.Errorf("the page lacks %q: %s", want, failure(w))
				}
			}
		})
	}
}

func TestALoopEndsOnAPageThatNamesTheCause(t *testing.T) {
	for name, c := range map[string]struct {
		after func(h *house, ticket string)
		want  string
	}{
		"the service validates and asks again": {func(h *house, ticket string) { h.check(moodle, ticket) }, `"sso.loop"`},
		"the service never validates":          {func(*house, string) {}, "sso.loop_unchecked"},
		"the service validates for another":    {func(h *house, ticket string) { h.check("http"+strings.TrimPrefix(moodle, "https"), ticket) }, "sso.loop_refused"},
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			h.enter(lina())
			for range h.module.config.LoopTurns - 1 {
				c.after(h, h.ticketFor(moodle))
				h.clock.Advance(time.Second)
			}
			w := h.get(loginURL(moodle))
			if w.Code != http.StatusConflict || !strings.Contains(failure(w), c.want) {
				t.Errorf("%d %s", w.Code, failure(w))
			}
			h.ticketFor(library) // another address is no loop
			h.clock.Advance(time.Minute)
			h.ticketFor(moodle) // and after a minute one may try again
		})
	}
}

func TestAPageThatFetchesInTheBackgroundIsToldToLeave(t *testing.T) {
	h := one(t)
	h.enter(lina())
	r := httptest.NewRequest(http.MethodGet, loginURL(moodle), nil)
	r.Header.Set("HX-Request", "true")
	w := h.ask(r)
	if w.Code != http.StatusNoContent || !strings.HasPrefix(w.Header().Get("HX-Redirect"), moodle) {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// fakeDoor shows where its form would lead.
type fakeDoor struct{}

// heldAt is the incident code of who is held back.
const heldAt = "K7F-3Q9"

func (fakeDoor) HeldBack(_ http.ResponseWriter, _ *http.Request, h contract.HeldBack) (string, error) {
	heldLast = h
	return heldAt, nil
}

// heldLast is what was last told of somebody in front of a service.
var heldLast contract.HeldBack

func (fakeDoor) Leaving(http.ResponseWriter, *http.Request, contract.Departure) (bool, error) {
	return false, nil
}

func (fakeDoor) AsksFactor(service string) bool { return service == "guarded" }

func (fakeDoor) ShowSignIn(w http.ResponseWriter, _ *http.Request, next string, renew bool) error {
	_, err := fmt.Fprintf(w, "%s %v", next, renew)
	return err
}

func TestTheSignInPageIsShownWhereTheServiceSentThePerson(t *testing.T) {
	h := one(t)
	h.module.Door = fakeDoor{}
	w := h.get(loginURL(moodle))
	next, renew, _ := strings.Cut(w.Body.String(), " ")
	if w.Code != http.StatusOK || renew != "false" || mustQuery(t, next).Get("service") != moodle {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h.enter(lina())
	if _, renew, _ := strings.Cut(h.get(loginURL(moodle, "renew", "true")).Body.String(), " "); renew != "true" {
		t.Error("the password is not asked for again")
	}
}

func TestASignInThatIsTooOldForTheServiceIsMadeAgain(t *testing.T) {
	h := one(t)
	h.module.Door = fakeDoor{}
	x, err := h.module.Registry(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	x.Get("moodle").SessionLimit = time.Hour
	h.enter(lina())
	h.clock.Advance(2 * time.Hour)
	next, renew, _ := strings.Cut(h.get(loginURL(moodle)).Body.String(), " ")
	if renew != "true" {
		t.Errorf("somebody signed in is shown a door that sends them back: %s %s", next, renew)
	}
	h.enter(lina())
	if to := location(t, h.get(next)); to.Query().Get("ticket") == "" {
		t.Errorf("led to %s", to)
	}
}

func TestAServiceThatCannotWorkWithoutAnAttributeIsNotEntered(t *testing.T) {
	h := one(t)
	x, err := h.module.Registry(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := x.Get("moodle")
	s.Attributes = append(s.Attributes, registry.StudentNumber)
	s.Required = []registry.Attribute{registry.Mail, registry.StudentNumber}
	h.enter(lina())
	w := h.get(loginURL(moodle))
	if body := w.Body.String(); w.Header().Get("Location") != "" || !strings.Contains(body, "sso.attribute_missing") ||
		!strings.Contains(body, "Student number") || strings.Contains(body, "Mail address") {
		t.Errorf("%d to %q: %.2000s", w.Code, w.Header().Get("Location"), body)
	}
	h.people["supannEtuId"] = []string{"20261234"}
	if to := location(t, h.get(loginURL(moodle))); to.Query().Get("ticket") == "" {
		t.Errorf("the record is complete, and still led to %s", to)
	}
}

// blocked are people whose account may not be used.
type blocked struct {
	fakePeople
	why error
}

func (b blocked) Viewer(context.Context, campus.PersonID) (campus.Viewer, error) {
	return campus.Viewer{}, b.why
}

func TestAServiceWithoutABrowserIsToldWhoMayNotEnter(t *testing.T) {
	h := one(t)
	x, err := h.module.services(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx := h.context(campus.English)
	library, closed := x.Get("library"), x.Get("closed")
	if err := h.module.Admit(ctx, library, campustest.Lina().Person); err != nil {
		t.Errorf("a student: %v", err)
	}
	if err := h.module.Admit(ctx, library, campustest.Paul().Person); !errors.Is(err, NotInAudience) {
		t.Errorf("a teacher: %v", err)
	}
	if err := h.module.Admit(ctx, closed, campustest.Lina().Person); !errors.Is(err, ServiceDisabled) {
		t.Errorf("a closed service: %v", err)
	}
	h.module.People = blocked{why: AdministratorsOnly}
	if err := h.module.Admit(ctx, library, campustest.Lina().Person); !errors.Is(err, AdministratorsOnly) {
		t.Errorf("a suspended account: %v", err)
	}
	h.module.People = blocked{why: errors.New("the database does not answer")}
	if err := h.module.Admit(ctx, library, campustest.Lina().Person); !errors.Is(err, AttributesUnavailable) {
		t.Errorf("a database that does not answer is nobody’s refusal: %v", err)
	}
}

func TestASignInThatWasUsedCountsByItsAge(t *testing.T) {
	for _, protocol := range []registry.Protocol{registry.CAS, registry.SAML} {
		h := one(t)
		at := h.limited(protocol)
		next := location(t, h.get(at)).Query().Get("next")
		h.clock.Advance(time.Second)
		h.enter(lina())
		if w := h.get(next); w.Code == http.StatusSeeOther && location(t, w).Path == "/login" {
			t.Fatalf("%s: the sign-in for the service does not count", protocol)
		}
		if w := h.get(next); w.Code == http.StatusSeeOther && location(t, w).Path == "/login" || w.Body.Len() == 0 && w.Code == http.StatusOK {
			t.Errorf("%s: a reloaded page is answered %d", protocol, w.Code)
		}
		h.clock.Advance(4 * time.Minute) // by now, somebody else may sit there and go back
		if to := location(t, h.get(next)); to.Path != "/login" {
			t.Errorf("%s: an old sign-in leads to %s", protocol, to)
		}
	}
}

// limited declares a service whose sessions may be two minutes old, and gives the
// address at which somebody comes from it.
func (h *house) limited(protocol registry.Protocol) string {
	h.t.Helper()
	s := registry.Service{ID: "limited", NameFrench: "Paie", NameEnglish: "Pay", Protocol: protocol, SessionLimit: 2 * time.Minute}
	at := loginURL("https://pay.valmont.example/")
	if protocol == registry.SAML {
		text, err := saml.WriteMetadata(&saml.Entity{ID: provider, SP: &saml.SPRole{ACS: []saml.Endpoint{{Binding: saml.POST, Location: provider + "/acs"}}}}, nil)
		if err != nil {
			h.t.Fatal(err)
		}
		s.SAML = registry.SAMLPeer{EntityID: provider, Metadata: string(text)}
	} else {
		s.Patterns = []string{"https://pay.valmont.example/"}
	}
	if err := h.module.AddService(h.t.Context(), campustest.Alix(), s); err != nil {
		h.t.Fatal(err)
	}
	if protocol == registry.SAML {
		q := &saml.AuthnRequest{ID: saml.NewID(), IssueInstant: h.clock.Now(), Destination: "http://localhost:8080/saml/sso", Issuer: provider}
		address, err := saml.RedirectURL("http://localhost:8080/saml/sso", saml.Request, q.Element(), "", nil)
		if err != nil {
			h.t.Fatal(err)
		}
		at = location(h.t, h.get(strings.TrimPrefix(address, "http://localhost:8080"))).String()
	}
	return at
}
