package sso

import (
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// program is a service on this machine that remembers what it is told.
type program struct {
	*httptest.Server
	mu      sync.Mutex
	tickets []string
}

func newProgram(t *testing.T, answer http.HandlerFunc) *program {
	p := &program{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var message struct {
			Version string `xml:"Version,attr"`
			Index   string `xml:"SessionIndex"`
		}
		if err := r.ParseForm(); err != nil || xml.Unmarshal([]byte(r.PostForm.Get("logoutRequest")), &message) != nil || message.Version != "2.0" {
			t.Errorf("not a logout request: %v %v", err, r.PostForm)
		}
		p.mu.Lock()
		p.tickets = append(p.tickets, message.Index)
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *program) told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.tickets...)
}

// logout reads what became of the message about a ticket.
func (h *house) logout(ticket string) answer.Logout {
	h.t.Helper()
	found, err := h.module.answers.Find(h.t.Context(), ticket)
	if err != nil {
		h.t.Fatal(err)
	}
	logouts, err := h.module.answers.Logouts(h.t.Context(), found.Session)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, l := range logouts {
		if l.ID == found.ID {
			return l
		}
	}
	h.t.Fatalf("nobody is told about %s", ticket)
	return answer.Logout{}
}

// signOut ends the session as a service that names no address asks for it, and
// returns the page that follows.
func (h *house) signOut() string {
	h.t.Helper()
	return failure(h.get(location(h.t, h.get("/cas/logout")).String()))
}

func TestEveryServiceOfTheSessionIsToldOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		p := newProgram(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
		h.enter(lina())
		first, second := h.ticketFor(p.URL+"/a"), h.ticketFor(p.URL+"/b?x=1")
		h.check(p.URL+"/a", first)
		h.check(p.URL+"/b?x=1", second)
		unused := h.ticketFor(p.URL + "/c")
		if page := h.signOut(); !strings.Contains(page, "Programme de cette machine") || !strings.Contains(page, "fermeture…") {
			t.Error(page)
		}
		h.runJobs(func() bool { return h.logout(first).State == answer.Told && h.logout(second).State == answer.Told })
		told := p.told()
		if len(told) != 2 || !strings.Contains(strings.Join(told, " "), first) || !strings.Contains(strings.Join(told, " "), second) {
			t.Errorf("told %v", told)
		}
		if answer := h.check(p.URL+"/c", unused); !strings.Contains(answer, "session of this ticket has ended") {
			t.Error(answer)
		}
		// A session that ends twice tells nobody again.
		if err := h.db.InTx(t.Context(), func(tx db.Tx) error { return h.module.SessionEnded(t.Context(), tx, lina().Session) }); err != nil {
			t.Fatal(err)
		}
		h.runJobs(func() bool { return true })
		if n := len(p.told()); n != 2 {
			t.Errorf("told %d times", n)
		}
	})
}

func TestARedirectIsAnAnswerAndIsNotFollowed(t *testing.T) {
	h := one(t)
	followed := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	t.Cleanup(elsewhere.Close)
	p := newProgram(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	h.enter(lina())
	ticket := h.ticketFor(p.URL + "/")
	h.check(p.URL+"/", ticket)
	h.get("/cas/logout")
	h.runJobs(func() bool { return h.logout(ticket).State == answer.Answered })
	if row := h.logout(ticket); followed || row.Answer != "307" {
		t.Errorf("followed %v, %+v", followed, row)
	}
}

func TestAServiceThatFailsIsToldAgainAndThenReported(t *testing.T) {
	h := one(t)
	p := newProgram(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	h.enter(lina())
	ticket := h.ticketFor(p.URL + "/")
	h.check(p.URL+"/", ticket)
	h.get("/cas/logout")
	for attempt := int64(1); attempt <= int64(h.module.config.LogoutAttempts); attempt++ {
		h.runJobs(func() bool { return h.logout(ticket).Attempts >= attempt })
		h.clock.Advance(time.Hour)
	}
	if row := h.logout(ticket); row.State != answer.Failed || !strings.Contains(row.Answer, "502") {
		t.Errorf("%+v", row)
	}
	if n := len(p.told()); n != h.module.config.LogoutAttempts {
		t.Errorf("told %d times", n)
	}
	incidents, err := h.module.incidents(t.Context(), LoopbackID, 10)
	if err != nil || len(incidents) != 1 || incidents[0].Reason != "sso.logout_unanswered" {
		t.Errorf("%+v, %v", incidents, err)
	}
	for _, check := range h.module.Health(t.Context()) {
		if check.Name == "sso.single_logout" && check.OK {
			t.Error("the health page does not know")
		}
	}
}

func TestAServiceThatComesBackIsTold(t *testing.T) {
	h := one(t)
	down := true
	p := newProgram(t, func(w http.ResponseWriter, _ *http.Request) {
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	h.enter(lina())
	ticket := h.ticketFor(p.URL + "/")
	h.check(p.URL+"/", ticket)
	h.get("/cas/logout")
	h.runJobs(func() bool { return h.logout(ticket).Attempts == 1 })
	down = false
	h.clock.Advance(time.Hour)
	h.runJobs(func() bool { return h.logout(ticket).State == answer.Told })
}

func TestAServiceThatWantsNoMessageGetsNone(t *testing.T) {
	h := one(t)
	const wiki = "https://wiki.valmont.example/"
	h.enter(lina())
	ticket := h.ticketFor(wiki)
	h.check(wiki, ticket)
	if page := h.signOut(); !strings.Contains(page, "Wiki") || !strings.Contains(page, "reste ouvert") {
		t.Errorf("the page does not say what stays open: %s", page)
	}
	h.runJobs(func() bool { return h.logout(ticket).State == answer.Skipped })
}

func TestSignOutWithoutASessionIsHarmless(t *testing.T) {
	h := one(t)
	if page := h.signOut(); !strings.Contains(page, "Aucun autre service") || len(h.ended) != 0 {
		t.Errorf("ended %v: %s", h.ended, page)
	}
	if to := location(t, h.get("/cas/logout?url="+url.QueryEscape(moodle))); to.String() != moodle {
		t.Errorf("the parameter of CAS 2 leads to %s", to)
	}
}

func TestPruningForgetsWhatIsOldAndKeepsOpenSessions(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.enter(lina())
		kept, unused := h.ticketFor(moodle), h.ticketFor(library)
		h.check(moodle, kept)
		h.check("http://moodle.valmont.example/", h.ticketFor(moodle))
		h.clock.Advance(h.module.config.History + time.Hour)
		if err := h.module.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := h.module.answers.Find(t.Context(), kept); err != nil {
			t.Errorf("the record of an open session: %v", err)
		}
		if _, err := h.module.answers.Find(t.Context(), unused); err == nil {
			t.Error("an unused ticket is still there")
		}
		if incidents, err := h.module.incidents(t.Context(), "moodle", 10); err != nil || len(incidents) != 0 {
			t.Errorf("%+v, %v", incidents, err)
		}
		if err := h.db.InTx(t.Context(), func(tx db.Tx) error { return h.module.SessionEnded(t.Context(), tx, lina().Session) }); err != nil {
			t.Fatal(err)
		}
		if err := h.module.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := h.module.answers.Find(t.Context(), kept); err == nil {
			t.Error("the record of an ended session is still there")
		}
	})
}
