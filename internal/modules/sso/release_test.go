package sso

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
)

// paper is a service of somebody else, which people agree to.
func paper() registry.Service {
	return registry.Service{
		ID: "paper", NameEnglish: "Journals", Patterns: []string{"https://paper.example"}, Protocol: registry.CAS, Consent: true,
		Attributes: []registry.Attribute{registry.Mail, registry.ScopedAffiliation, registry.PairwiseID},
	}
}

func TestAServiceOfSomebodyElseIsToldNothingBeforeThePersonAgrees(t *testing.T) {
	h := one(t)
	if err := h.module.AddService(t.Context(), campustest.Alix(), paper()); err != nil {
		t.Fatal(err)
	}
	h.enter(lina())
	const address = "https://paper.example/"
	ask := location(t, h.get(loginURL(address)))
	if ask.Path != "/sso/consent" || !strings.Contains(ask.Query().Get("told"), "mail") {
		t.Fatalf("leads to %s", ask)
	}
	if to := location(t, h.get(loginURL(address, "gateway", "true"))); to.Host != "paper.example" || to.Query().Has("ticket") {
		t.Errorf("a question in passing is answered with %s", to)
	}
	page := h.get(ask.String()).Body.String()
	if !strings.Contains(page, "lina.martin@valmont.example") || strings.Contains(page, "⟦") {
		t.Error(page)
	}
	back := location(t, h.post("/sso/consent", url.Values{
		"service": {"paper"}, "told": {ask.Query().Get("told")}, "back": {ask.Query().Get("back")}, "answer": {"yes"},
	}))
	to := location(t, h.get(back.String()))
	if !to.Query().Has("ticket") {
		t.Fatalf("after the consent the browser goes to %s", to)
	}
	if answer := h.check(address, to.Query().Get("ticket")); !strings.Contains(answer, "student@localhost") {
		t.Error(answer)
	}
	if page := h.get("/sso/consents").Body.String(); !strings.Contains(page, "Journals") {
		t.Error(page)
	}
}

func TestAServiceThatAsksAnewIsAnsweredByAConsentGivenSince(t *testing.T) {
	h := one(t)
	if err := h.module.AddService(t.Context(), campustest.Alix(), paper()); err != nil {
		t.Fatal(err)
	}
	x, err := h.module.Registry(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.enter(lina())
	agree := func(told, back string) string {
		w := h.post("/sso/consent", url.Values{"service": {"paper"}, "told": {told}, "back": {back}, "answer": {"yes"}})
		return location(t, w).String()
	}
	agree("mail eduPersonScopedAffiliation pairwise-id", "/")
	q := gate.Question{Service: x.Get("paper"), Address: "https://paper.example/", Back: "/cas/login?x=1", Consent: true}
	var question gate.Question
	var outcome error
	h.server.Router("sso").Handle("GET /sso/try", func(w http.ResponseWriter, r *http.Request) error {
		_, outcome = h.module.Enter(w, r, question)
		return nil
	})
	enter := func(q gate.Question) (string, error) {
		question = q
		return h.get("/sso/try").Header().Get("Location"), outcome
	}
	to, err := enter(q)
	ask, parseErr := url.Parse(to)
	if err != gate.Answered || parseErr != nil || ask.Path != "/sso/consent" {
		t.Fatalf("an older consent was enough: %s, %v", to, err)
	}
	back, err := url.Parse(agree(ask.Query().Get("told"), ask.Query().Get("back")))
	if err != nil {
		t.Fatal(err)
	}
	q.Mark = back.Query().Get(gate.MarkParameter)
	if _, err := enter(q); err != nil {
		t.Errorf("after the consent: %v", err)
	}
	q.Mark = ""
	q.Passive = true
	if _, err := enter(q); err != gate.ConsentNeeded {
		t.Errorf("without a page: %v", err)
	}
}

func TestTheDomainIsTheRegisteredPartOfOurAddress(t *testing.T) {
	for address, want := range map[string]string{
		"https://ent.univ.fr": "univ.fr", "https://sso.ent.univ.ac.uk:8443/": "univ.ac.uk", "http://localhost:8080": "localhost", "https://192.0.2.1": "192.0.2.1",
	} {
		if got := domainOf(address); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}
