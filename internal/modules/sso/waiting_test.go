package sso

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
)

// fakeLedger has one line for Moodle.
type fakeLedger struct {
	line contract.ServiceAccount
	err  error
}

func (f *fakeLedger) AccountIn(_ context.Context, _ campus.PersonID, service string) (contract.ServiceAccount, bool, error) {
	return f.line, service == "moodle", f.err
}

// ledger gives a house a ledger.
func ledger(h *house, state contract.AccountState, ready time.Time) *fakeLedger {
	f := &fakeLedger{line: contract.ServiceAccount{
		Service: "moodle", State: state, Since: start.Add(-time.Hour), Estimate: ready, Decides: "the e-learning office",
		Message: "Your Moodle account is like that.", Next: "Nothing to do.", Code: "provisioning.account_taken",
	}}
	h.module.waiting.Accounts, h.module.waiting.Door = f, fakeDoor{}
	return f
}

func TestWhoseAccountIsBeingMadeIsToldWhenAndGoesOnByThemselves(t *testing.T) {
	h := one(t)
	h.enter(campustest.Lina())
	f := ledger(h, contract.AccountQueued, start.Add(4*time.Minute))
	to := location(t, h.get(loginURL(moodle)))
	if to.Path != "/sso/account" {
		t.Fatalf("led to %s", to)
	}
	w := h.get(to.String())
	for _, words := range []string{"Your Moodle account is not ready yet.", "Your Moodle account is like that.", "Nothing to do.", "the e-learning office", "your password is right", "17:09", heldAt} {
		if !strings.Contains(w.Body.String(), words) {
			t.Errorf("the page lacks %q: %s", words, w.Body)
		}
	}
	if heldLast.Service != "moodle" || heldLast.Reason != "sso.account_queued" || heldLast.Facts["state"] != "queued" || heldLast.Facts["code"] != "provisioning.account_taken" || heldLast.Facts["ready"] == "" {
		t.Errorf("the story of the sign-in is told %+v", heldLast)
	}
	if w.Header().Get("Refresh") != "10" {
		t.Errorf("it looks again after %q", w.Header().Get("Refresh"))
	}
	if strings.Contains(w.Body.String(), "anyway") {
		t.Error("going on now could make a second account, and is offered")
	}
	// And not by an address of one's own making either.
	if back := location(t, h.post("/sso/account", url.Values{"service": {"moodle"}, "back": {to.Query().Get("back")}})); back.Path != "/sso/account" {
		t.Errorf("going on anyway leads to %s", back)
	}
	f.line.State = contract.AccountReady
	on := location(t, h.get(to.String()))
	if on.Path != "/cas/login" {
		t.Fatalf("once it is ready: %s", on)
	}
	if heldLast.Reason != "" || heldLast.Facts["state"] != "ready" {
		t.Errorf("and the story is told %+v", heldLast)
	}
	if ticket := location(t, h.get(on.String())); !strings.HasPrefix(ticket.String(), moodle) || !strings.Contains(ticket.RawQuery, "ticket=") {
		t.Errorf("and then: %s", ticket)
	}
}

func TestWhoseAccountIsBlockedReadsWhyAndMayGoOnAnyway(t *testing.T) {
	for name, state := range map[string]contract.AccountState{"known under another name": contract.AccountBlocked, "being closed": contract.AccountLeaving} {
		h := one(t)
		h.enter(campustest.Lina())
		ledger(h, state, time.Time{})
		to := location(t, h.get(loginURL(moodle)))
		w := h.get(to.String())
		if body := w.Body.String(); !strings.Contains(body, "provisioning.account_taken") || !strings.Contains(body, "Go to Moodle anyway") || w.Header().Get("Refresh") != "" {
			t.Errorf("%s: %s", name, body)
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "https://moodle.valmont.example") {
			t.Errorf("%s: the form may not lead to the service: %s", name, policy)
		}
		back := location(t, h.post("/sso/account", url.Values{"service": {"moodle"}, "back": {to.Query().Get("back")}}))
		if ticket := location(t, h.get(back.String())); !strings.Contains(ticket.RawQuery, "ticket=") {
			t.Errorf("%s: going on leads to %s", name, ticket)
		}
	}
}

func TestNobodyIsHeldBackForNothing(t *testing.T) {
	ready := func(h *house, path string) bool {
		to := location(t, h.get(path))
		return strings.Contains(to.RawQuery, "ticket=")
	}
	for name, prepare := range map[string]func(*house){
		"an account that is ready":          func(h *house) { ledger(h, contract.AccountReady, time.Time{}) },
		"a service that is not for them":    func(h *house) { ledger(h, contract.AccountNotDue, time.Time{}) },
		"a ledger that cannot be read":      func(h *house) { ledger(h, contract.AccountQueued, time.Time{}).err = errors.New("the disk is full") },
		"a house in which nobody keeps one": func(*house) {},
	} {
		h := one(t)
		h.enter(campustest.Lina())
		prepare(h)
		if !ready(h, loginURL(moodle)) {
			t.Errorf("%s holds somebody back", name)
		}
	}
	h := one(t)
	h.enter(campustest.Lina())
	ledger(h, contract.AccountBlocked, time.Time{})
	if !ready(h, loginURL(moodle, "gateway", "true")) {
		t.Error("a passive question is held back")
	}
	if !ready(h, loginURL("https://wiki.valmont.example/")) {
		t.Error("another service is held back")
	}
}

func TestTheWaitingPageIsForThoseWhoAreSignedInAndLeadsNowhereElse(t *testing.T) {
	h := one(t)
	ledger(h, contract.AccountQueued, time.Time{})
	if w := h.get("/sso/account?service=moodle&back=/"); w.Code == http.StatusOK {
		t.Errorf("a stranger: %d", w.Code)
	}
	if w := h.post("/sso/account", url.Values{"service": {"moodle"}}); w.Code != http.StatusUnauthorized && w.Code != http.StatusSeeOther {
		t.Errorf("a stranger who posts: %d", w.Code)
	}
	h.enter(campustest.Lina())
	if w := h.get("/sso/account?service=nothing"); w.Code != http.StatusNotFound {
		t.Errorf("a service that does not exist: %d", w.Code)
	}
	if to := location(t, h.post("/sso/account", url.Values{"service": {"moodle"}, "back": {"https://evil.example/"}})); to.String() != "/" {
		t.Errorf("led to %s", to)
	}
}

func TestAFreshSignInIsStillGoodAfterTheWait(t *testing.T) {
	h := one(t)
	h.enter(campustest.Lina())
	f := ledger(h, contract.AccountQueued, start.Add(time.Minute))
	// Asked to sign in again, and did.
	sent := location(t, h.get(loginURL(moodle, "renew", "true")))
	h.clock.Advance(10 * time.Second)
	h.enter(campustest.Lina())
	to := location(t, h.get(sent.Query().Get("next")))
	if to.Path != "/sso/account" {
		t.Fatalf("led to %s", to)
	}
	f.line.State = contract.AccountReady
	if ticket := location(t, h.get(to.Query().Get("back"))); !strings.Contains(ticket.RawQuery, "ticket=") {
		t.Errorf("asked to sign in once more: %s", ticket)
	}
}
