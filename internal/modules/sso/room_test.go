package sso

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// These tests are about the room as a whole: the gate, the CAS server, what is
// released and the way out, as a browser and a service meet them together.

func TestAStrangerSignsInFirstAndComesBackToTheService(t *testing.T) {
	h := one(t)
	to := location(t, h.get(loginURL(moodle)))
	if to.Path != "/login" {
		t.Fatalf("sent to %s", to)
	}
	next := to.Query().Get("next")
	d, ok := h.module.Destination(t.Context(), next)
	if !ok || d.Name != "Moodle" || len(d.Origins) != 1 || d.Origins[0] != "https://moodle.valmont.example" {
		t.Fatalf("Destination(%q) = %+v %v", next, d, ok)
	}
	h.enter(lina())
	back := location(t, h.get(next))
	if back.Host != "moodle.valmont.example" || back.Query().Get("authCAS") != "CAS" || !strings.HasPrefix(back.Query().Get("ticket"), "ST-") {
		t.Fatalf("came back to %s", back)
	}
	answer := h.check(moodle, back.Query().Get("ticket"))
	for _, want := range []string{"<cas:user>lmartin</cas:user>", "<cas:isFromNewLogin>true<", "<cas:mail>lina.martin@valmont.example<", "<cas:eduPersonAffiliation>member<"} {
		if !strings.Contains(answer, want) {
			t.Errorf("the answer lacks %s:\n%s", want, answer)
		}
	}
	if strings.Contains(answer, "cas:sn") {
		t.Error("an attribute that is not released was released")
	}
}

func TestASessionOpensFurtherServicesWithoutAPassword(t *testing.T) {
	h := one(t)
	h.enter(lina())
	answer := h.check(library, h.ticketFor(library))
	if !strings.Contains(answer, "<cas:user>lmartin</cas:user>") || !strings.Contains(answer, "<cas:isFromNewLogin>false<") {
		t.Error(answer)
	}
}

func TestSignOutTellsTheServicesAndFollowsOnlyRegisteredOnes(t *testing.T) {
	h := one(t)
	h.enter(lina())
	h.check(moodle, h.ticketFor(moodle))
	w := h.get("/cas/logout?service=" + url.QueryEscape(moodle))
	if got := location(t, w).String(); got != moodle {
		t.Errorf("led to %s", got)
	}
	if len(h.ended) != 1 || h.ended[0] != lina().Session {
		t.Errorf("ended %v", h.ended)
	}
	w = h.get("/cas/logout?service=https://evil.example/")
	if w.Code != http.StatusNotFound || w.Header().Get("Location") != "" {
		t.Errorf("an unregistered address was followed: %d %s", w.Code, w.Header().Get("Location"))
	}
}
