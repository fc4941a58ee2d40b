package walk

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
)

func TestAVisitBeginsWhereTheServiceSaysOrWithUs(t *testing.T) {
	for _, c := range []struct {
		name    string
		service registry.Service
		want    string
	}{
		{"its home", registry.Service{Protocol: registry.CAS, Home: "https://wiki.univ.fr/", Patterns: []string{"https://x.univ.fr"}}, "https://wiki.univ.fr/"},
		{"an address that receives tickets", registry.Service{Protocol: registry.CAS, Patterns: []string{"https://*.univ.fr", "https://wiki.univ.fr/app/*"}}, "/cas/login?service=https%3A%2F%2Fwiki.univ.fr%2Fapp"},
		{"wildcards alone", registry.Service{Protocol: registry.CAS, Patterns: []string{"https://*.univ.fr", "loopback"}}, ""},
		{"our start of SAML", registry.Service{ID: "paper", Protocol: registry.SAML}, "/saml/start/paper"},
		{"its own start of SAML", registry.Service{ID: "paper", Protocol: registry.SAML, SAML: registry.SAMLPeer{LoginURL: "https://sp.univ.fr/Login"}}, "https://sp.univ.fr/Login"},
		{"a client begins itself", registry.Service{Protocol: registry.OIDC}, ""},
	} {
		if got := StartURL(&c.service); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTheAddressesThatCanBeAskedAreWhole(t *testing.T) {
	s := registry.Service{
		Home: "/local", Patterns: []string{"https://wiki.univ.fr/app$", "https://*.univ.fr", "loopback"},
		OIDC: registry.OIDCClient{RedirectURIs: []string{"https://git.univ.fr/cb", "https://git.univ.fr/other", "fr.univ.app:/cb"}},
		SAML: registry.SAMLPeer{MetadataURL: "https://sp.univ.fr/metadata"},
	}
	if got := Addresses(&s); !slices.Equal(got, []string{"https://wiki.univ.fr/app", "https://sp.univ.fr/metadata", "https://git.univ.fr/"}) {
		t.Errorf("%q", got)
	}
}

func TestAnAddressAnswersOrSaysWhyNot(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	if r := reach(t.Context(), plain.Client(), plain.URL); r.Status != "404 Not Found" || r.Problem != "" || !r.CertificateEnds.IsZero() {
		t.Errorf("%+v", r)
	}
	if r := reach(t.Context(), secure.Client(), secure.URL); r.CertificateEnds.IsZero() {
		t.Errorf("%+v", r)
	}
	if r := reach(t.Context(), plain.Client(), secure.URL); !strings.Contains(r.Problem, "certificate is not accepted") {
		t.Errorf("%+v", r)
	}
	plain.Close()
	if r := reach(t.Context(), http.DefaultClient, plain.URL); r.Problem == "" || r.Status != "" {
		t.Errorf("%+v", r)
	}
}

func TestEachProtocolHasItsSettings(t *testing.T) {
	for protocol, wanted := range map[registry.Protocol][]string{
		registry.CAS: {"/cas/p3/serviceValidate"}, registry.SAML: {"/saml/metadata", "/saml/sso", "/saml/logout"}, registry.OIDC: {"/.well-known/openid-configuration"},
	} {
		settings := Settings(&registry.Service{Protocol: protocol}, "https://ent.univ.fr")
		for _, want := range wanted {
			if !slices.ContainsFunc(settings, func(s Setting) bool { return s.Value == "https://ent.univ.fr"+want }) {
				t.Errorf("%s lacks %s: %+v", protocol, want, settings)
			}
		}
	}
	if Settings(&registry.Service{Protocol: registry.Link}, "https://ent.univ.fr") != nil {
		t.Error("a link has settings")
	}
}
