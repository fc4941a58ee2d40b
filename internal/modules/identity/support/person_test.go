package support

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

func TestSomebodyIsOpenedForAReasonThatTheyCanRead(t *testing.T) {
	h := one(t)
	if _, body, _ := h.do("GET", "/identity/support?q=unal", nil); !strings.Contains(body, "/identity/support/people/p-lina") || !strings.Contains(body, "lina · no. 22104567 · student, info · staff") {
		t.Fatal("the search does not find her, or does not tell her apart")
	}
	status, body, _ := h.do("GET", "/identity/support/people/p-lina", nil)
	if status != http.StatusOK || strings.Contains(body, "Pixel") || strings.Contains(body, "•• 78") || len(h.events) != 0 {
		t.Errorf("before the reason: %d, %d events", status, len(h.events))
	}
	for _, reason := range []string{"", "  ", strings.Repeat("x", maxReason+1)} {
		if status, _, _ := h.do("POST", "/identity/support/people/p-lina", url.Values{"reason": {reason}}); status != http.StatusUnprocessableEntity || len(h.events) != 0 {
			t.Errorf("reason %.5q: %d", reason, status)
		}
	}
	_, _, location := h.do("POST", "/identity/support/people/p-lina", url.Values{"reason": {"calls for a lost phone"}})
	if len(h.events) != 1 || h.events[0].Facts["reason"] != "calls for a lost phone" {
		t.Fatalf("the journal says %+v", h.events)
	}
	if status, body, _ := h.do("GET", location, nil); status != http.StatusOK || !strings.Contains(body, "Authenticator app") || !strings.Contains(body, "what another room knows of p-lina") {
		t.Errorf("after the reason: %d", status)
	}
	other := strings.Replace(location, "p-lina", "p-omar", 1)
	if _, body, _ := h.do("GET", other, nil); strings.Contains(body, "Authenticator app") {
		t.Error("the mark of one person opens another")
	}
}

func TestAnAgentActsOnlyOnWhomTheyHaveOpened(t *testing.T) {
	h := one(t)
	h.lock = &risk.Locked{Until: h.clock.Now().Add(time.Hour)}
	path, body := h.incident(h.failed().Code)
	found := markOf.FindStringSubmatch(body)
	if found == nil {
		t.Fatal("the page has no forms")
	}
	mark := found[1]
	for _, act := range []string{"reset", "unlock", "relay"} {
		for name, form := range map[string]url.Values{
			"without a mark":                {},
			"with a forged mark":            {"opened": {mark + "x"}},
			"with the mark of an incident":  {"opened": {strings.TrimPrefix(path[strings.Index(path, "=")+1:], "")}},
			"with a mark for somebody else": {"opened": {mark}},
		} {
			who := "p-lina"
			if name == "with a mark for somebody else" {
				who = "p-omar"
			}
			if status, _, _ := h.do("POST", "/identity/support/people/"+who+"/"+act, form); status != http.StatusForbidden {
				t.Errorf("%s %s: %d", act, name, status)
			}
		}
	}
	if len(h.acts) != 0 {
		t.Fatalf("something was done: %v", h.acts)
	}
	for _, act := range []string{"reset", "unlock"} {
		status, _, location := h.do("POST", "/identity/support/people/p-lina/"+act, url.Values{"opened": {mark}, "back": {path}})
		if status != http.StatusSeeOther || location != path {
			t.Errorf("%s: %d to %s", act, status, location)
		}
	}
	status, page, _ := h.do("POST", "/identity/support/people/p-lina/relay", url.Values{"opened": {mark}, "back": {"https://evil.example/"}})
	if status != http.StatusOK || !strings.Contains(page, "KRTM-WBZC") || strings.Contains(page, "evil.example") {
		t.Errorf("relay: %d", status)
	}
	if got := fmt.Sprint(h.acts); got != "[reset p-lina by p-bob unlock p-lina by p-bob relay p-lina by p-bob]" {
		t.Errorf("done: %s", got)
	}
	h.clock.Advance(openingLasts)
	if status, _, _ := h.do("POST", "/identity/support/people/p-lina/reset", url.Values{"opened": {mark}}); status != http.StatusForbidden {
		t.Errorf("half an hour later: %d", status)
	}
}

func TestAnAgentSeesNoSecretAndNoReasonOfTheSecretariat(t *testing.T) {
	h := one(t)
	h.state = account.Suspended
	h.standing = lifecycle.Standing{State: account.Suspended, ReasonText: "a disciplinary matter", Office: "the registrar’s office", Until: h.clock.Now().Add(48 * time.Hour)}
	_, body := h.incident(h.failed().Code)
	for _, secret := range []string{"disciplinary", "612345678"} {
		if strings.Contains(body, secret) {
			t.Errorf("%q is on the page", secret)
		}
	}
	if !strings.Contains(body, "the registrar’s office") || strings.Contains(body, "/reset") {
		t.Error("the page does not say who can mend it, or offers what cannot help")
	}
}

func TestAgentsActForSomebodyFromARequest(t *testing.T) {
	h := one(t)
	lina := campus.PersonID("p-lina")
	for name, v := range map[string]campus.Viewer{"a student": {Person: "p-x"}, "an agent of one campus": {Person: "p-x", Mandates: []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "nord"}}}} {
		acts, err := h.Acts(t.Context(), v, lina)
		cards, other := h.Beside(t.Context(), v, lina)
		if err != nil || other != nil || len(acts)+len(cards) != 0 {
			t.Errorf("%s is offered %v and reads %v, %v %v", name, acts, cards, err, other)
		}
	}
	agent := campus.Viewer{Person: "p-sam", Rights: []campus.Right{campus.RightHelpdesk}}
	named := func() (list string) {
		t.Helper()
		acts, err := h.Acts(t.Context(), agent, lina)
		h.must(err)
		for _, a := range acts {
			list += a.ID[len("identity."):] + " "
			if a.URL != "" && !strings.Contains(a.URL, "p-lina") {
				t.Errorf("%s leads to %s", a.ID, a.URL)
			}
		}
		return list
	}
	if got := named(); got != "reset relay recovery " {
		t.Errorf("offered %s", got)
	}
	h.lock = &risk.Locked{Person: lina, Until: h.clock.Now().Add(time.Hour)}
	if got := named(); got != "reset unlock relay recovery " {
		t.Errorf("of somebody locked out: %s", got)
	}
	h.state = account.Suspended
	if got := named(); strings.Contains(got, "reset") {
		t.Errorf("of a suspended account: %s", got)
	}
	h.state = account.Active
	cards, err := h.Beside(t.Context(), agent, lina)
	if err != nil || len(cards) != 3 {
		t.Errorf("cards %+v, %v", cards, err)
	}
}

func TestAnActFromARequestStandsInTheJournal(t *testing.T) {
	h := one(t)
	var done contract.Done
	var failed error
	server := pagetest.Serve(t, h.clock, h.Texts, func() campus.Viewer { return h.viewer }, func(r *web.Router) {
		r.Handle("POST /do/{act}", func(_ http.ResponseWriter, r *http.Request) error {
			done, failed = h.Do(r, "p-lina", r.PathValue("act"), "", "1049 6135")
			return nil
		})
	})
	do := func(act string) {
		t.Helper()
		h.acts, h.events = nil, nil
		pagetest.Ask(t, pagetest.Still(), http.MethodPost, server.URL+"/do/"+act, url.Values{})
	}
	h.viewer = campus.Viewer{Person: "p-x"}
	if do("identity.reset"); failed == nil || len(h.acts)+len(h.events) > 0 {
		t.Errorf("somebody without the right: %v, %v", failed, h.acts)
	}
	h.viewer = campus.Viewer{Person: "p-sam", Rights: []campus.Right{campus.RightHelpdesk}}
	if do("identity.reset"); failed != nil || len(h.acts) != 1 || len(h.events) == 0 || h.events[0].Facts["reason"] != "1049 6135" {
		t.Errorf("reset: %v, %v, %+v", failed, h.acts, h.events)
	}
	if do("identity.relay"); failed != nil || done.Secret != "KRTM-WBZC" || !strings.Contains(done.Spelled, "Kilo") {
		t.Errorf("relay: %v, %+v", failed, done)
	}
	if do("identity.fly"); failed == nil {
		t.Error("an act that there is not was done")
	}
}

func TestAnAgentFindsThoseWhomTheirRightReaches(t *testing.T) {
	h := one(t)
	for name, c := range map[string]struct {
		viewer campus.Viewer
		found  int
	}{
		"an agent": {campus.Viewer{Rights: []campus.Right{campus.RightHelpdesk}}, 1}, "a student": {campus.Viewer{}, 0},
		"an agent of a campus": {campus.Viewer{Mandates: []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "nord"}}}, 1},
	} {
		found, err := h.SeekPeople(t.Context(), c.viewer, "unal", 5)
		if err != nil || len(found) != c.found {
			t.Errorf("%s finds %v, %v", name, found, err)
		}
	}
	if len(h.within) == 0 {
		t.Error("the mandate did not narrow the search")
	}
}
