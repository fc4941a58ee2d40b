package registry

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
)

func address(t testing.TB, text string) cas.ServiceURL {
	t.Helper()
	a, err := cas.ParseServiceURL(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestTheMostSpecificPatternWins(t *testing.T) {
	x := NewIndex([]Service{
		{ID: "any", Patterns: []string{"https://*.univ.fr"}},
		{ID: "apps", Patterns: []string{"https://apps.univ.fr"}},
		{ID: "wiki", Patterns: []string{"https://apps.univ.fr/wiki"}},
		{ID: "login", Patterns: []string{"https://apps.univ.fr/wiki/login$"}},
		{ID: "here", Patterns: []string{"http://localhost:8080"}},
		{ID: "loopback", Patterns: []string{"loopback"}},
		{ID: "link", Protocol: Link, Patterns: []string{"https://link.univ.fr"}},
		{ID: "apps", Patterns: []string{"https://second.example.org"}},
	})
	for text, want := range map[string]string{
		"https://other.univ.fr/":          "any",
		"https://apps.univ.fr/":           "apps",
		"https://apps.univ.fr/wiki/x":     "wiki",
		"https://apps.univ.fr/wiki/login": "login",
		"http://localhost:8080/x":         "here",
		"http://localhost:8081/x":         "loopback",
		"https://link.univ.fr/":           "any",
		"https://univ.fr/":                "",
		"https://second.example.org/":     "",
	} {
		got := ""
		if s := x.Match(address(t, text)); s != nil {
			got = s.ID
		}
		if got != want {
			t.Errorf("%s belongs to %q, want %q", text, got, want)
		}
	}
}

func TestTheNearestPatternIsASlipAwayNotAnotherServer(t *testing.T) {
	x := NewIndex([]Service{{ID: "m", Patterns: []string{"https://moodle.univ.fr/login"}}, {ID: "l", Patterns: []string{"loopback"}}})
	for text, want := range map[string]string{
		"https://moodel.univ.fr/":          "https://moodle.univ.fr/login",
		"http://moodle.univ.fr/login":      "https://moodle.univ.fr/login",
		"https://moodle.univ.fr:8443/":     "https://moodle.univ.fr/login",
		"https://moodle.univ.fr/elsewhere": "https://moodle.univ.fr/login",
		"https://elsewhere.org/":           "",
		"http://127.0.0.1/":                "",
	} {
		if got := x.Nearest(address(t, text)); got != want {
			t.Errorf("nearest to %s is %q, want %q", text, got, want)
		}
	}
}

func TestMistakesAreNamed(t *testing.T) {
	good := Service{ID: "a", NameFrench: "A", Patterns: []string{"https://a.fr"}}
	if m := good.Check(); len(m) != 0 {
		t.Fatalf("%+v", m)
	}
	for key, spoil := range map[string]func(*Service){
		"identifier":          func(s *Service) { s.ID = "A b" },
		"identifier_reserved": func(s *Service) { s.ID = "new" },
		"required":            func(s *Service) { s.Required = []Attribute{Mail} },
		"factor":              func(s *Service) { s.Factor = "strong" },
		"session_limit":       func(s *Service) { s.SessionLimit = time.Second },
		"date":                func(s *Service) { s.SecretEnds = "tomorrow" },
		"entity_missing":      func(s *Service) { s.Protocol = SAML },
		"client_id":           func(s *Service) { s.Protocol, s.OIDC.RedirectURIs = OIDC, []string{"https://a.fr/cb"} },
		"name_missing":        func(s *Service) { s.NameFrench = "" },
		"patterns_missing":    func(s *Service) { s.Patterns = nil },
		"pattern_wildcard":    func(s *Service) { s.Patterns = []string{"https://*"} },
		"pattern_userinfo":    func(s *Service) { s.Patterns = []string{"https://a@b/"} },
		"home_missing":        func(s *Service) { s.Protocol, s.Patterns = Link, nil },
		"home":                func(s *Service) { s.Home = "javascript:alert(1)" },
		"logo":                func(s *Service) { s.Logo = "https://elsewhere.org/x.png" },
		"icon":                func(s *Service) { s.Icon = "<svg>" },
		"attribute":           func(s *Service) { s.Attributes = []Attribute{"userPassword"} },
		"kind":                func(s *Service) { s.Audience.Kinds = []campus.Kind{"king"} },
		"right":               func(s *Service) { s.Audience.Rights = []campus.Right{"all"} },
		"contact":             func(s *Service) { s.Contact = "A <a@b.fr>" },
		"protocol":            func(s *Service) { s.Protocol = "ldap" },
		"too_long":            func(s *Service) { s.Keywords = make([]string, 51) },
	} {
		s := good
		spoil(&s)
		if m := s.Check(); !slices.ContainsFunc(m, func(m Mistake) bool { return m.Key == key }) {
			t.Errorf("%s: %+v", key, m)
		}
	}
}

func TestSearchReadsNamesAddressesAndKeywords(t *testing.T) {
	x := NewIndex([]Service{
		{ID: "library", NameFrench: "Bibliothèque", Patterns: []string{"https://bu.univ.fr"}, Keywords: []string{"livres"}},
		{ID: "moodle", NameFrench: "Moodle", Patterns: []string{"https://moodle.univ.fr"}},
	})
	for query, want := range map[string]int{"bibliotheque": 1, "LIVRES bu": 1, "univ fr": 2, "xyz": 0, "": 2} {
		if got := len(x.Search(query)); got != want {
			t.Errorf("%q finds %d, want %d", query, got, want)
		}
	}
}

// BenchmarkMatch shows that ten thousand services are not felt.
func BenchmarkMatch(b *testing.B) {
	services := make([]Service, 10_000)
	for i := range services {
		services[i] = Service{ID: fmt.Sprint("s", i), Patterns: []string{fmt.Sprintf("https://s%d.univ.fr/app", i)}}
	}
	x := NewIndex(services)
	a := address(b, "https://s7777.univ.fr/app/login?x=1")
	for b.Loop() {
		if x.Match(a) == nil {
			b.Fatal("not found")
		}
	}
}
