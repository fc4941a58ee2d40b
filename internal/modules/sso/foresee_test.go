package sso

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/simulator"
)

func TestTheSimulatorAnswersWithTheRulesOfTheGate(t *testing.T) {
	h := one(t)
	ctx := h.context(campus.English)
	good := paper()
	for _, c := range []struct {
		name    string
		change  func(*registry.Service)
		signed  time.Duration // before the visit
		step    string
		outcome contract.Outcome
		code    string
	}{
		{"a closed entry stops", func(s *registry.Service) { s.Disabled = true }, 0, "The entry of the service", contract.Stops, "sso.service_disabled"},
		{"an open entry passes", func(*registry.Service) {}, 0, "The entry of the service", contract.Passes, ""},
		{"another audience stops", func(s *registry.Service) { s.Audience.Kinds = []campus.Kind{campus.Staff} }, 0, "Whom the service is for", contract.Stops, "sso.not_in_audience"},
		{"one's own audience passes", func(s *registry.Service) { s.Audience.Kinds = []campus.Kind{campus.Student} }, 0, "Whom the service is for", contract.Passes, ""},
		{"an old sign-in is made again", func(s *registry.Service) { s.SessionLimit = time.Hour }, 2 * time.Hour, "How old the sign-in may be", contract.Asks, ""},
		{"a young sign-in passes", func(s *registry.Service) { s.SessionLimit = time.Hour }, time.Minute, "How old the sign-in may be", contract.Passes, ""},
		{"a missing attribute stops", func(s *registry.Service) {
			s.Attributes = append(s.Attributes, registry.StudentNumber)
			s.Required = []registry.Attribute{registry.StudentNumber}
		}, 0, "What the service is told", contract.Stops, "sso.attribute_missing"},
		{"attributes that are there pass", func(*registry.Service) {}, 0, "What the service is told", contract.Passes, ""},
		{"a service of somebody else asks for consent", func(*registry.Service) {}, 0, "The person’s consent", contract.Asks, ""},
		{"a service of the house asks for none", func(s *registry.Service) { s.Consent = false }, 0, "The person’s consent", contract.Passes, ""},
		{"a service that wants a factor asks for one", func(s *registry.Service) { s.Factor = registry.FactorFresh }, 0, "factor", contract.Asks, ""},
	} {
		s := good
		c.change(&s)
		v := lina()
		v.SignedInAt = start.Add(-c.signed)
		met, err := h.module.Foresee(ctx, simulator.Case{Viewer: v, Service: &s, At: start})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, condition := range met {
			if strings.Contains(condition.Name+condition.Message, "⟦") {
				t.Errorf("%+v", condition)
			}
			if condition.Name == c.step {
				found = true
				if condition.Outcome != c.outcome || condition.Code != c.code {
					t.Errorf("%s: %+v", c.name, condition)
				}
			}
		}
		if !found {
			t.Errorf("%s: %q is not looked at in %+v", c.name, c.step, met)
		}
	}
}

func TestTheSimulatorsPageAnswersAndWritesNothing(t *testing.T) {
	h := one(t)
	h.enter(campustest.Alix())
	if w := h.get("/sso/simulator"); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "⟦") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	ask := url.Values{"person": {"lmartin"}, "service": {"library"}, "from": {"abroad"}, "country": {"pt"}, "at": {"2026-11-23T22:30"}}
	page := failure(h.get("/sso/simulator?" + ask.Encode()))
	for _, want := range []string{"Lina Martin opens Library", "They get in", "PT", "1. The entry"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q: %s", want, page)
		}
	}
	for field, wrong := range map[string]string{"person": "nobody", "service": "nothing at all", "country": "Portugal", "at": "tomorrow", "signed_in": "-1"} {
		asked := url.Values{}
		for k, v := range ask {
			asked[k] = v
		}
		asked.Set(field, wrong)
		if w := h.get("/sso/simulator?" + asked.Encode()); w.Code != http.StatusUnprocessableEntity || strings.Contains(w.Body.String(), "⟦") {
			t.Errorf("%s=%s: %d", field, wrong, w.Code)
		}
	}
	var told int
	if err := h.db.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM sso_disclosures").Scan(&told); err != nil || told != 0 {
		t.Errorf("the simulator wrote %d disclosures, %v", told, err)
	}
}

func TestSecretsAndCertificatesAreInTheCalendar(t *testing.T) {
	h := one(t)
	s := paper()
	s.SecretEnds = "2026-12-01"
	if err := h.module.AddService(t.Context(), campustest.Alix(), s); err != nil {
		t.Fatal(err)
	}
	h.enter(campustest.Alix())
	if page := failure(h.get("/sso/calendar")); !strings.Contains(page, "Journals") || !strings.Contains(page, "8 days") {
		t.Error(page)
	}
	cards, err := h.module.Cards(h.context(campus.English), campustest.Alix())
	if err != nil || len(cards) != 1 || cards[0].ID != "sso.calendar" {
		t.Errorf("%+v, %v", cards, err)
	}
}
