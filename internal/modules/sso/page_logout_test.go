package sso

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

func TestThePageAfterASignOutSaysWhatBecameOfEachService(t *testing.T) {
	for name, c := range map[string]struct {
		status  int // of the service's answer
		settled answer.LogoutState
		want    []string
		refresh bool
	}{
		"told":                      {http.StatusOK, answer.Told, []string{"sont fermés", "fermé"}, false},
		"reached":                   {http.StatusMethodNotAllowed, answer.Answered, []string{"sont fermés", "prévenu"}, false},
		"out of order for a moment": {http.StatusBadGateway, answer.Waiting, []string{"n’ont pas pu être fermés", "sans réponse", "ordinateur partagé"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			p := newProgram(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.status) })
			h.enter(lina())
			ticket := h.ticketFor(p.URL + "/")
			h.check(p.URL+"/", ticket)
			at := location(t, h.get("/cas/logout")).String()
			again := []string{`hx-get="/sso/signed-out?of=`, `hx-trigger="every 1s"`, `<noscript><meta http-equiv="refresh" content="1;url=/sso/signed-out?of=`}
			for _, want := range append(again, "fermeture…") {
				if page := failure(h.get(at)); !strings.Contains(page, want) {
					t.Errorf("while it is told, the page lacks %s: %s", want, page)
				}
			}
			h.runJobs(func() bool { l := h.logout(ticket); return l.State == c.settled && l.Attempts == 1 })
			w := h.get(at)
			for _, want := range c.want {
				if !strings.Contains(failure(w), want) {
					t.Errorf("the page lacks %q: %s", want, failure(w))
				}
			}
			for _, look := range again {
				if strings.Contains(failure(w), look) {
					t.Error("the page goes on looking")
				}
			}
		})
	}
}

func TestASignOutGoesOnToTheServiceThatAskedWhenTheOthersAreClosed(t *testing.T) {
	h := one(t)
	p := newProgram(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	h.enter(lina())
	h.check(p.URL+"/", h.ticketFor(p.URL+"/"))
	h.check(moodle, h.ticketFor(moodle))
	var answered *url.URL
	done := make(chan struct{})
	go func() {
		defer close(done)
		answered = location(t, h.get("/cas/logout?service="+url.QueryEscape(moodle)))
	}()
	h.runJobs(func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	})
	if answered.String() != moodle {
		t.Errorf("led to %s", answered)
	}
}

func TestASignOutStopsOnThePageWhenSomethingStaysOpen(t *testing.T) {
	h := one(t)
	p := newProgram(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	h.enter(lina())
	ticket := h.ticketFor(p.URL + "/")
	h.check(p.URL+"/", ticket)
	at := location(t, h.get("/cas/logout?service="+url.QueryEscape(moodle))).String()
	h.runJobs(func() bool { return h.logout(ticket).Attempts == 1 })
	w := h.get(at)
	if page := failure(w); w.Code != http.StatusOK || !strings.Contains(page, "sans réponse") || !strings.Contains(page, `href="`+moodle+`"`) || !strings.Contains(page, "Continuer vers Moodle") {
		t.Errorf("%d %s", w.Code, page)
	}
}

func TestThePageAfterASignOutIsNoSignpostForStrangers(t *testing.T) {
	h := one(t)
	h.enter(lina())
	own := location(t, h.get("/cas/logout")).String()
	forged := farewellPath + "?of=" + url.QueryEscape("eyJvbndhcmQiOiJodHRwczovL2V2aWwuZXhhbXBsZS8ifQ.AAAA")
	for name, at := range map[string]string{"nothing": farewellPath, "rubbish": farewellPath + "?of=x.y", "an address of somebody's invention": forged} {
		if to := location(t, h.get(at)); to.String() != "/logout/done" {
			t.Errorf("%s leads to %s", name, to)
		}
	}
	h.clock.Advance(farewellLife + time.Second)
	if to := location(t, h.get(own)); to.String() != "/logout/done" {
		t.Errorf("an old address leads to %s", to)
	}
}

func TestIdentityLeadsToThePageOnlyWhenServicesWereOpen(t *testing.T) {
	h := one(t)
	h.enter(lina())
	if to, err := h.module.Farewell(t.Context(), lina().Session); err != nil || to != "" {
		t.Errorf("%q, %v", to, err)
	}
	h.check(moodle, h.ticketFor(moodle))
	h.get("/cas/logout")
	to, err := h.module.Farewell(t.Context(), lina().Session)
	if err != nil || !strings.Contains(failure(h.get(to)), "Moodle") {
		t.Errorf("%q, %v", to, err)
	}
}

// provider is a SAML service that only browsers reach.
const provider = "http://localhost:9443" // of the same site as the house

// withProvider adds it to the registry, and lets the viewer in so many times.
func (h *house) withProvider(times int) {
	h.t.Helper()
	text, err := saml.WriteMetadata(&saml.Entity{ID: provider, SP: &saml.SPRole{
		Role: saml.Role{Logout: []saml.Endpoint{{Binding: saml.Redirect, Location: provider + "/logout"}}},
		ACS:  []saml.Endpoint{{Binding: saml.POST, Location: provider + "/acs"}},
	}}, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	err = h.module.AddService(h.t.Context(), campustest.Alix(), registry.Service{
		ID: "notes", NameFrench: "Notes", NameEnglish: "Marks", Protocol: registry.SAML, Contact: "notes@valmont.example",
		SAML: registry.SAMLPeer{EntityID: provider, Metadata: string(text), NameID: registry.NameIDPersistent},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	for range times {
		q := &saml.AuthnRequest{ID: saml.NewID(), IssueInstant: h.clock.Now(), Destination: "http://localhost:8080/saml/sso", Issuer: provider}
		address, err := saml.RedirectURL("http://localhost:8080/saml/sso", saml.Request, q.Element(), "", nil)
		if err != nil {
			h.t.Fatal(err)
		}
		to := location(h.t, h.get(strings.TrimPrefix(address, "http://localhost:8080")))
		if w := h.get(to.String()); w.Code != http.StatusOK || !strings.Contains(failure(w), provider+"/acs") {
			h.t.Fatalf("no assertion: %d %s", w.Code, failure(w))
		}
	}
}

var frame = regexp.MustCompile(`<iframe src="([^"]+)"`)

func TestAFrameClosesWhatOnlyTheBrowserCanClose(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.enter(lina())
		h.withProvider(2) // from two tabs, say
		at := location(t, h.get("/cas/logout")).String()
		w := h.get(at)
		page := w.Body.String()
		frames := frame.FindAllStringSubmatch(page, -1)
		if len(frames) != 1 || !strings.Contains(page, `sandbox="allow-forms allow-same-origin allow-scripts"`) || !strings.Contains(page, "fermeture…") {
			t.Fatalf("%d frames: %s", len(frames), failure(w))
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.HasSuffix(policy, "; frame-src 'self' "+provider) || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("the policy is %s", policy)
		}
		_, query, _ := strings.Cut(html.UnescapeString(frames[0][1]), "?")
		in, err := saml.ReadRedirect(query)
		if err != nil {
			t.Fatal(err)
		}
		q, err := saml.ParseLogoutRequest(in.Unverified(), saml.Opener{})
		if err != nil || len(q.SessionIndexes) != 2 {
			t.Fatalf("one message is about both sessions: %+v, %v", q, err)
		}
		// The page looks how far it is, and keeps its frame.
		look := func() *httptest.ResponseRecorder {
			r := httptest.NewRequest(http.MethodGet, at, nil)
			r.Header.Set("HX-Request", "true")
			r.Header.Set("HX-Request-Type", "partial")
			return h.ask(r)
		}
		if part := look(); strings.Contains(part.Body.String(), "<html") || frame.MatchString(part.Body.String()) || !strings.Contains(part.Body.String(), "fermeture…") || !strings.Contains(part.Body.String(), "hx-get") {
			t.Errorf("a look: %s", part.Body)
		}
		h.runJobs(func() bool { // that finds no other way, and changes nothing of this
			all, err := h.module.answers.Logouts(t.Context(), lina().Session)
			return err == nil && len(all) == 2 && all[0].State == answer.Skipped && all[1].State == answer.Skipped
		})
		if part := look(); !strings.Contains(part.Body.String(), "fermeture…") {
			t.Errorf("a look after the job: %s", part.Body)
		}

		said := &saml.LogoutResponse{ID: saml.NewID(), InResponseTo: q.ID, IssueInstant: h.clock.Now(), Destination: "http://localhost:8080/saml/logout", Issuer: provider, Status: saml.Success()}
		back, err := saml.RedirectURL("http://localhost:8080/saml/logout", saml.Answer, said.Element(), in.RelayState, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, strings.TrimPrefix(back, "http://localhost:8080"), nil)
		r.Header.Set("Sec-Fetch-Dest", "iframe")
		if w := h.ask(r); w.Code != http.StatusNoContent {
			t.Errorf("the frame shows %d %s", w.Code, failure(w))
		}
		if part := look().Body.String(); !strings.Contains(part, "prévenu") || strings.Contains(part, "hx-get") {
			t.Errorf("after its answer: %s", part)
		}
	})
}

func TestTheWayOutByTheBrowserIsMadeWhenItIsUsed(t *testing.T) {
	h := one(t)
	p := newProgram(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	h.enter(lina())
	h.check(p.URL+"/", h.ticketFor(p.URL+"/")) // another service, which nobody tells yet
	h.withProvider(1)
	at := location(t, h.get("/cas/logout")).String()
	kept := func() (n int) {
		if err := h.db.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM sso_saml_requests WHERE kind = 'our-sign-out'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 10 {
		h.clock.Advance(time.Second)
		if page := failure(h.get(at + "&look")); kept() > 5 || strings.Contains(page, `href="`+provider) {
			t.Fatalf("%d messages are made: %s", kept(), page)
		}
	}
	h.clock.Advance(time.Minute)
	before := kept()
	if page := failure(h.get(at)); kept() != before+1 || !strings.Contains(page, `href="`+provider+"/logout?SAMLRequest=") {
		t.Errorf("%d messages are made: %s", kept(), page)
	}
}

func TestWhatAFrameCouldNotCloseIsNamedWithItsLink(t *testing.T) {
	h := one(t)
	h.enter(lina())
	h.withProvider(1)
	at := location(t, h.get("/cas/logout")).String()
	if page := h.get(at).Body.String(); !strings.Contains(page, `content="6;url=/sso/signed-out?of=`) {
		t.Errorf("without a script the page does not come again: %s", page)
	}
	h.clock.Advance(byFrames)
	w := h.get(at)
	if page := w.Body.String(); frame.MatchString(page) || strings.Contains(page, "hx-get") || !strings.Contains(page, "Fermer Notes") ||
		!strings.Contains(page, "Seul votre navigateur peut le fermer") || !strings.Contains(page, `href="`+provider+"/logout?SAMLRequest=") {
		t.Errorf("the page: %s", failure(w))
	}
	if policy := w.Header().Get("Content-Security-Policy"); strings.Contains(policy, "frame-src") {
		t.Errorf("the policy is %s", policy)
	}
}

func TestOnlyServicesOfOurOwnSiteAreClosedInFrames(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"https://ent.valmont.fr", "https://moodle.valmont.fr", true},
		{"https://ent.valmont.fr", "https://valmont.fr:8443", true},
		{"https://ent.univ-valmont.ac.uk", "https://moodle.univ-valmont.ac.uk", true},
		{"https://ent.valmont.ac.uk", "https://moodle.other.ac.uk", false},
		{"https://ent.valmont.fr", "https://moodle.example", false},
		{"https://ent.valmont.fr", "http://moodle.valmont.fr", false},
		{"http://localhost:8420", "http://localhost:9090", true},
		{"http://localhost:8420", "http://127.0.0.1:9090", false},
		{"http://127.0.0.1:8420", "http://127.0.0.1:9090", true},
		{"https://192.0.2.1", "https://192.0.3.1", false},
	} {
		if got := sameSite(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %t", c.a, c.b, got)
		}
	}
}
