package samlidp

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

func TestASignedInPersonEntersWithASignedAssertion(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q := h.request(nil)
		w := h.browser().follow(h.browser().get(h.redirect(q.Element(), "relay", h.key("sp"))))
		a := h.entered(w, q.ID)
		action, form := posted(t, w)
		if action != spACS || form.Get("RelayState") != "relay" {
			t.Errorf("posted to %s with %q", action, form.Get("RelayState"))
		}
		s := a.Statements[0]
		if s.Context != saml.ContextPasswordProtected || !s.Instant.Equal(h.viewer.SignedInAt) || s.SessionIndex == "" || !s.SessionNotOnOrAfter.Equal(start.Add(12*time.Hour)) {
			t.Errorf("statement %+v", s)
		}
		if mail, _ := a.Attribute("urn:oid:0.9.2342.19200300.100.1.3"); len(mail.Values) != 1 || mail.FriendlyName != "mail" || mail.NameFormat != saml.NameFormatURI {
			t.Errorf("mail %+v", mail)
		}
		if a.Subject.NameID.Format != saml.FormatTransient {
			t.Errorf("name %+v", a.Subject.NameID)
		}
		kept, err := h.Answers.Find(t.Context(), a.ID)
		if err != nil || kept.State != answer.Redeemed || kept.Handle != s.SessionIndex || kept.Service != "moodle" || kept.Session != h.viewer.Session {
			t.Errorf("recorded %+v %v", kept, err)
		}
		if !strings.Contains(w.Header().Get("Content-Security-Policy"), "form-action 'self' https://moodle.valmont.example https:") {
			t.Error(w.Header().Get("Content-Security-Policy"))
		}
	})
}

func TestAPostFromAnotherSiteComesBackForItsCookies(t *testing.T) {
	h := one(t)
	q := h.request(nil)
	el := q.Element()
	if err := saml.Sign(el, *h.key("sp")); err != nil {
		t.Fatal(err)
	}
	form, err := saml.POSTForm(home+ssoPath, saml.Request, el, "")
	if err != nil {
		t.Fatal(err)
	}
	b := h.browser()
	w := b.ask("POST", ssoPath, url.Values{"SAMLRequest": {form.Message}})
	if w.Code != http.StatusSeeOther || len(h.questions) != 0 {
		t.Fatalf("%d, %d questions asked without cookies", w.Code, len(h.questions))
	}
	h.entered(b.follow(w), q.ID)
}

func TestAStrangerSignsInAndEveryTabGetsItsOwnAnswer(t *testing.T) {
	h := one(t)
	b := h.browser()
	b.stranger = true
	first, second := h.request(nil), h.request(func(q *saml.AuthnRequest) { q.ACSURL = spACS + "/second" })
	var next []string
	for _, q := range []*saml.AuthnRequest{first, second} {
		w := b.follow(b.get(h.redirect(q.Element(), "", h.key("sp"))))
		to, err := url.Parse(w.Header().Get("Location"))
		if err != nil || to.Path != "/login" {
			t.Fatalf("led to %s", w.Header().Get("Location"))
		}
		next = append(next, to.Query().Get("next"))
	}
	d, ok := h.Destination(t.Context(), next[0])
	if !ok || d.Name != "Moodle" || d.Service != "moodle" {
		t.Errorf("the sign-in page does not know where it leads: %+v", d)
	}
	b.stranger = false
	h.entered(b.get(next[1]), second.ID)
	h.entered(b.get(next[0]), first.ID)
	// The back button, on the same request and within a while: the answer may have
	// been lost.
	h.entered(b.get(next[0]), first.ID)
}

func TestARequestIsAnsweredToOneSessionAndNotAgainLater(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.services[0].SAML.LoginURL = "https://moodle.valmont.example/login"
		address := h.asked(nil)
		b := h.browser()
		h.opened(b.follow(b.get(address)))
		h.viewer.Session = "session-2" // somebody else replays the address
		w := h.browser().follow(h.browser().get(address))
		if got := w.Header().Get("Location"); got != "https://moodle.valmont.example/login" {
			t.Errorf("a replay for another session led to %s %d", got, w.Code)
		}
		h.viewer.Session = "session-1"
		h.clock.Advance(answerAgain + time.Second)
		w = h.browser().follow(h.browser().get(address))
		if got := w.Header().Get("Location"); got != "https://moodle.valmont.example/login" {
			t.Errorf("a late replay led to %s", got)
		}
	})
}

func TestAnOldRequestStartsAgainSilently(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(s *registry.Service)
		want string
	}{
		"at the service’s own sign-in":           {func(s *registry.Service) { s.SAML.LoginURL = "https://moodle.valmont.example/login" }, "https://moodle.valmont.example/login"},
		"by an answer that nobody asked for":     {func(*registry.Service) {}, "/saml/start/moodle"},
		"at the service’s page in the catalogue": {func(s *registry.Service) { s.SAML.SPInitiatedOnly, s.Home = true, "https://moodle.valmont.example/" }, "https://moodle.valmont.example/"},
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			c.edit(&h.services[0])
			address := h.asked(nil)
			h.clock.Advance(13 * time.Hour)
			w := h.browser().get(address)
			if got := w.Header().Get("Location"); got != c.want {
				t.Errorf("led to %q %d", got, w.Code)
			}
			if len(h.incidents) != 0 {
				t.Errorf("somebody’s bookmark was told to the service: %+v", h.incidents)
			}
		})
	}
}

func TestAClockThatIsBehindIsToldFromABookmark(t *testing.T) {
	h := one(t)
	b := h.browser()
	old := func() string {
		return h.asked(func(q *saml.AuthnRequest) { q.IssueInstant = h.clock.Now().Add(-20 * time.Minute) })
	}
	b.get(old())
	h.clock.Advance(5 * time.Second)
	i := h.stopped(b.get(old()), "sso.saml_clock_behind")
	if i == nil || i.Expected != "2026-11-22T09:00:05.000Z" || i.Received != "2026-11-22T08:40:05.000Z" || i.Age != 20*time.Minute {
		t.Errorf("told %+v", i)
	}
}

func TestAClockThatIsAheadIsToldWithBothValues(t *testing.T) {
	h := one(t)
	w := h.browser().get(h.asked(func(q *saml.AuthnRequest) { q.IssueInstant = start.Add(3 * time.Minute) }))
	i := h.stopped(w, "sso.saml_clock_ahead")
	if i == nil || i.Expected != "2026-11-22T09:00:00.000Z" || i.Received != "2026-11-22T09:03:00.000Z" {
		t.Errorf("told %+v", i)
	}
	within := h.browser().get(h.asked(func(q *saml.AuthnRequest) { q.IssueInstant = start.Add(time.Minute) }))
	if within.Code != http.StatusSeeOther {
		t.Error("a minute is within what is allowed")
	}
}

func TestTheContextIsStatedAsItIs(t *testing.T) {
	mfa := start.Add(-30 * time.Second)
	for name, c := range map[string]struct {
		asked    *saml.RequestedAuthnContext
		factor   time.Time
		noFactor bool
		passive  bool
		class    string // stated
		step     bool   // a second factor is asked for
		status   string // second-level status instead
	}{
		"nothing asked":             {class: saml.ContextPasswordProtected},
		"nothing asked with factor": {factor: mfa, class: saml.ContextPasswordProtected},
		"password":                  {asked: classes(saml.Exact, saml.ContextPasswordProtected), class: saml.ContextPasswordProtected},
		"REFEDS SFA":                {asked: classes("", saml.ContextRefedsSFA), class: saml.ContextRefedsSFA},
		"REFEDS MFA, proved":        {asked: classes("", saml.ContextRefedsMFA), factor: mfa, class: saml.ContextRefedsMFA},
		"REFEDS MFA, not proved":    {asked: classes("", saml.ContextRefedsMFA), step: true},
		"MFA rather than password":  {asked: classes("", saml.ContextRefedsMFA, saml.ContextPasswordProtected), step: true},
		"MFA rather, passive":       {asked: classes("", saml.ContextRefedsMFA, saml.ContextPasswordProtected), passive: true, class: saml.ContextPasswordProtected},
		"MFA, passive":              {asked: classes("", saml.ContextRefedsMFA), passive: true, status: saml.StatusNoPassive},
		"MFA that cannot be":        {asked: classes("", saml.ContextRefedsMFA), noFactor: true, status: saml.StatusNoAuthnContext},
		"Kerberos":                  {asked: classes("", saml.ContextKerberos), status: saml.StatusNoAuthnContext},
		"at least a password":       {asked: classes(saml.Minimum, saml.ContextPasswordProtected), class: saml.ContextPasswordProtected},
		"better than a password":    {asked: classes(saml.Better, saml.ContextPasswordProtected), step: true},
		"better than MFA":           {asked: classes(saml.Better, saml.ContextRefedsMFA), status: saml.StatusNoAuthnContext},
		"at most MFA":               {asked: classes(saml.Maximum, saml.ContextRefedsMFA), class: saml.ContextPasswordProtected},
		"Microsoft’s MFA":           {asked: classes("", saml.ContextMicrosoftMFA), factor: mfa, class: saml.ContextMicrosoftMFA},
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			h.viewer.FactorAt, h.noFactor = c.factor, c.noFactor
			q := h.request(func(q *saml.AuthnRequest) { q.Context, q.IsPassive = c.asked, c.passive })
			b := h.browser()
			w := b.follow(b.get(h.redirect(q.Element(), "", h.key("sp"))))
			switch {
			case c.step:
				if !strings.HasPrefix(w.Header().Get("Location"), "/factor?") {
					t.Errorf("no second factor was asked for: %d %s", w.Code, w.Header().Get("Location"))
				}
			case c.status != "":
				if got := h.status(w); got.Second != c.status {
					t.Errorf("status %+v", got)
				}
			default:
				if got := h.entered(w, q.ID).Statements[0].Context; got != c.class {
					t.Errorf("stated %s", got)
				}
			}
		})
	}
}

func classes(c saml.Comparison, list ...string) *saml.RequestedAuthnContext {
	return &saml.RequestedAuthnContext{Comparison: c, Classes: list}
}

func TestForceAuthnAsksAnewAndPassiveShowsNothing(t *testing.T) {
	h := one(t)
	b := h.browser()
	q := h.request(func(q *saml.AuthnRequest) { q.ForceAuthn = true })
	w := b.follow(b.get(h.redirect(q.Element(), "", h.key("sp"))))
	to, _ := url.Parse(w.Header().Get("Location"))
	if to.Path != "/login" {
		t.Fatalf("an old sign-in did: %d", w.Code)
	}
	back := to.Query().Get("next") + "&asked=signed"
	h.clock.Advance(2 * time.Second)
	h.viewer.SignedInAt = start.Add(time.Second)
	h.entered(b.get(back), q.ID)

	b.stranger = true
	q = h.request(func(q *saml.AuthnRequest) { q.IsPassive = true })
	got := h.status(b.follow(b.get(h.redirect(q.Element(), "", h.key("sp")))))
	if got.Code != saml.StatusResponder || got.Second != saml.StatusNoPassive {
		t.Errorf("status %+v", got)
	}
}

func TestOneEntryOfThePasswordMakesOneForcedAnswer(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		force := func() string {
			q := h.request(func(q *saml.AuthnRequest) { q.ForceAuthn = true })
			return b.get(h.redirect(q.Element(), "", h.key("sp"))).Header().Get("Location") + "&asked=signed"
		}
		if w := b.get(force()); w.Code != http.StatusOK {
			t.Fatalf("%d", w.Code)
		}
		w := b.get(force())
		if !strings.HasPrefix(w.Header().Get("Location"), "/login?") {
			t.Errorf("the same entry was spent twice: %d", w.Code)
		}
	})
}

func TestWhoMayNotEnterGetsAPageAndAPassiveServiceAStatus(t *testing.T) {
	h := one(t)
	h.refuse = ServiceUnknown.With(fault.Args{"entity": "x"}) // any reason of the room
	b := h.browser()
	h.stopped(b.follow(b.get(h.asked(nil))), "sso.saml_service_unknown")
	w := b.follow(b.get(h.asked(func(q *saml.AuthnRequest) { q.IsPassive = true })))
	if got := h.status(w); got.Second != saml.StatusRequestDenied {
		t.Errorf("status %+v", got)
	}
}

func TestAnswersGoToTheIndexTheAddressOrTheDefault(t *testing.T) {
	index := func(n int) *int { return &n }
	for want, edit := range map[string]func(q *saml.AuthnRequest){
		spACS:             nil,
		spACS + "/second": func(q *saml.AuthnRequest) { q.ACSIndex = index(1) },
		spACS + "?":       func(q *saml.AuthnRequest) { q.ACSURL, q.ProtocolBinding = spACS, saml.POST },
	} {
		h := one(t)
		b := h.browser()
		if action, _ := posted(t, b.follow(b.get(h.asked(edit)))); action != strings.TrimSuffix(want, "?") {
			t.Errorf("%s: posted to %s", want, action)
		}
	}
}

func TestAServiceIsStartedFromHereOrAtItsOwnSignIn(t *testing.T) {
	h := one(t)
	b := h.browser()
	w := b.get("/saml/start/moodle?target=" + url.QueryEscape("https://moodle.valmont.example/course/7"))
	a := h.entered(w, "")
	if _, form := posted(t, w); form.Get("RelayState") != "https://moodle.valmont.example/course/7" || a.Subject.Confirmations[0].InResponseTo != "" {
		t.Errorf("relay %q", form.Get("RelayState"))
	}
	h.stopped(b.get("/saml/start/moodle?target=https://evil.example/"), "sso.saml_start_target")
	h.stopped(b.get("/saml/start/nothing"), "sso.saml_start_unknown")
	h.services[0].SAML.SPInitiatedOnly, h.services[0].SAML.LoginURL = true, "https://moodle.valmont.example/login"
	if to := b.get("/saml/start/moodle").Header().Get("Location"); to != "https://moodle.valmont.example/login" {
		t.Errorf("led to %s", to)
	}
}

func TestAPageThatCarriesAnAnswerIsOpenedWhole(t *testing.T) {
	h := one(t)
	w := h.browser().ask("GET", "/saml/start/moodle", nil, "HX-Request", "true")
	if w.Code != http.StatusNoContent || w.Header().Get("HX-Redirect") != "/saml/start/moodle" || len(h.questions) != 0 {
		t.Errorf("%d to %q", w.Code, w.Header().Get("HX-Redirect"))
	}
}

func TestAnAdministratorSeesTheNearestEntityID(t *testing.T) {
	h := one(t)
	near := func(q *saml.AuthnRequest) { q.Issuer = spID + "/" }
	w := h.browser().get(h.asked(near))
	h.stopped(w, "sso.saml_service_unknown")
	if strings.Contains(w.Body.String(), "The nearest") {
		t.Error("a stranger reads the registry")
	}
	h.viewer.Rights = []campus.Right{campus.RightAdmin}
	w = h.browser().get(h.asked(near))
	if !strings.Contains(w.Body.String(), spID+".") {
		t.Error(text(w.Body.String()))
	}
}

func TestASessionThatEndsInAnotherTabGetsNoAssertion(t *testing.T) {
	h := one(t)
	if err := h.DB.InTx(t.Context(), func(tx db.Tx) error { return h.Answers.SessionEnded(t.Context(), tx, h.viewer.Session) }); err != nil {
		t.Fatal(err)
	}
	at := h.browser().get(h.asked(nil)).Header().Get("Location")
	if w := h.browser().get(at); w.Code != http.StatusSeeOther || w.Header().Get("Location") != at {
		t.Errorf("answered %d %s", w.Code, w.Header().Get("Location"))
	}
}
