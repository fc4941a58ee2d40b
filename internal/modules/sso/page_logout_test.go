package sso

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
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
			if w := h.get(at); !strings.Contains(failure(w), "fermeture…") || !strings.HasPrefix(w.Header().Get("Refresh"), "1; url=/sso/signed-out") {
				t.Errorf("while it is told: Refresh %q, %s", w.Header().Get("Refresh"), failure(w))
			}
			h.runJobs(func() bool { l := h.logout(ticket); return l.State == c.settled && l.Attempts == 1 })
			w := h.get(at)
			for _, want := range c.want {
				if !strings.Contains(failure(w), want) {
					t.Errorf("the page lacks %q: %s", want, failure(w))
				}
			}
			if w.Header().Get("Refresh") != "" {
				t.Error("the page goes on looking")
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
