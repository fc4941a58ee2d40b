package casserver

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestWithoutAServiceTheDoorLeadsHome(t *testing.T) {
	h := one(t)
	if got := location(t, h.get("/cas/login")).String(); got != "/login?next=%2F" {
		t.Errorf("a stranger was led to %s", got)
	}
	h.enter(lina())
	if got := location(t, h.get("/cas/login?service=")).String(); got != "/" {
		t.Errorf("led to %s", got)
	}
}

func TestNoAddressLeadsElsewhere(t *testing.T) {
	h := one(t)
	h.enter(lina())
	for _, service := range []string{
		"https://moodle.valmont.example@evil.example/", "//evil.example/", `\\evil.example\`, `https:\\evil.example`,
		"https://moodle.valmont.example.evil.com/", "https://evil.com/https://moodle.valmont.example/", "http://moodle.valmont.example/",
		"https://moodle.valmont.example:8443/", `https://moodle.valmont.example\@evil.example/`, "https://moodle.valmont.example%2f@evil.example/",
		"https://moodle.valmont.example%2eevil.example/", "https://moodle.valmont.example\r\nLocation: https://evil.example/", "javascript:alert(1)",
		"https://moodle.valmont.example\t.evil.example/", "https:evil.example", "/\\evil.example", "https://moodle.valmont.example/%0d%0aX:y/../..//evil",
		"https://MOODLE.valmont.example.EVIL.com/", "https://evil.example#https://moodle.valmont.example/", "https://evil.example?https://moodle.valmont.example/",
	} {
		w := h.get(loginURL(service))
		if w.Code < 400 || w.Header().Get("Location") != "" {
			t.Errorf("%q: status %d, Location %q", service, w.Code, w.Header().Get("Location"))
		}
		w = h.get("/cas/logout?service=" + url.QueryEscape(service))
		if w.Header().Get("Location") != "" {
			t.Errorf("sign-out followed %q to %q", service, w.Header().Get("Location"))
		}
		h.enter(lina())
		if _, ok := h.Destination(t.Context(), loginURL(service)); ok {
			t.Errorf("the sign-in page would widen its policy for %q", service)
		}
	}
	for _, service := range []string{"https://MOODLE.valmont.example:443/", "https://moodle.valmont.example/a%2Fb?next=https://evil.example/"} {
		if to := location(t, h.get(loginURL(service))); to.Host != "moodle.valmont.example" {
			t.Errorf("%q led to %s", service, to)
		}
	}
}

func TestTwoServicesAtOnceAreRefused(t *testing.T) {
	h := one(t)
	h.enter(lina())
	w := h.get(loginURL(moodle, "service", library))
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "sso.service_twice") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if answer := h.check(moodle, "ST-x", "service", library); !strings.Contains(answer, "INVALID_REQUEST") {
		t.Error(answer)
	}
}

func TestOnlyAdministratorsReadTheNearestAddress(t *testing.T) {
	h := one(t)
	h.enter(lina())
	if w := h.get(loginURL("https://moodel.valmont.example/")); strings.Contains(said(w), "moodle") {
		t.Error(said(w))
	}
}

func TestATicketInAFormLeavesByAButton(t *testing.T) {
	h := one(t)
	h.enter(lina())
	w := h.get(loginURL(moodle, "method", "POST"))
	page := said(w)
	if w.Code != http.StatusOK || !strings.Contains(page, `action="`+moodle+`"`) || !strings.Contains(page, `name="ticket" value="ST-`) {
		t.Fatalf("%d %s", w.Code, page)
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://moodle.valmont.example") {
		t.Error(csp)
	}
	if script := h.get("/cas/continue.js"); !strings.Contains(script.Header().Get("Content-Type"), "javascript") {
		t.Error(script.Header())
	}
}

func TestAServiceMayPostThePersonHere(t *testing.T) {
	h := one(t)
	h.enter(lina())
	r := httptest.NewRequest(http.MethodPost, "/cas/login", strings.NewReader(url.Values{"service": {moodle}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Origin", "https://moodle.valmont.example")
	if to := location(t, h.ask(r)); to.Query().Get("ticket") == "" {
		t.Error(to)
	}
}

func TestAPersonWhoWantsToBeAskedIsAsked(t *testing.T) {
	h := one(t)
	h.enter(lina())
	w := h.get(loginURL(moodle, "warn", "true"))
	page := said(w)
	if w.Code != http.StatusOK || strings.Contains(page, "ST-") || !strings.Contains(page, `method="get" action="/cas/login"`) || strings.Contains(page, "continue.js") {
		t.Fatalf("%d %s", w.Code, page)
	}
	if to := location(t, h.get(loginURL(moodle))); to.Query().Get("ticket") == "" {
		t.Error("the button does not lead on")
	}
}

func TestASessionThatEndsInAnotherTabGetsNoTicket(t *testing.T) {
	h := one(t)
	h.enter(lina())
	h.endSession(lina().Session) // after this request was let in
	if to := location(t, h.get(loginURL(moodle))); to.Path != "/cas/login" || to.Query().Get("service") != moodle || to.Query().Get("ticket") != "" {
		t.Errorf("led to %s", to)
	}
}
