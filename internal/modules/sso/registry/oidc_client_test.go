package registry

import (
	"strings"
	"testing"
)

func TestAddressesThatMayReceiveAnswers(t *testing.T) {
	cases := []struct {
		name, address string
		public, want  bool
	}{
		{"https", "https://wiki.univ.fr/cb", false, true},
		{"https with parameters", "https://wiki.univ.fr/cb?tenant=1", false, true},
		{"this machine", "http://localhost:8080/cb", false, true},
		{"this machine by number", "http://[::1]:8080/cb", false, true},
		{"an application’s own scheme", "fr.univ.app:/cb", true, true},
		{"an application’s own scheme, of a client with a secret", "fr.univ.app:/cb", false, false},
		{"plain http", "http://wiki.univ.fr/cb", false, false},
		{"a fragment", "https://wiki.univ.fr/cb#x", false, false},
		{"an empty fragment", "https://wiki.univ.fr/cb#", false, false},
		{"a star", "https://*.univ.fr/cb", false, false},
		{"a name before the host", "https://wiki.univ.fr@evil.example/", false, false},
		{"a script", "javascript:alert(1)", true, false},
		{"data", "data:text/html,x", true, false},
		{"no host", "https:///cb", false, false},
		{"a path", "/cb", true, false},
		{"nothing", "", true, false},
		{"a line break", "https://wiki.univ.fr/\ncb", true, false},
		{"without an end", "https://wiki.univ.fr/" + strings.Repeat("a", 2000), false, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := RedirectAllowed(c.address, c.public); got != c.want {
				t.Errorf("%q: %v", c.address, got)
			}
		})
	}
}

func TestMistakesOfAClientAreFound(t *testing.T) {
	good := OIDCClient{ClientID: "wiki", SecretHash: strings.Repeat("0a", 32), RedirectURIs: []string{"https://wiki.univ.fr/cb"}}
	if m := good.check(); len(m) != 0 {
		t.Fatalf("a good one: %v", m)
	}
	for name, c := range map[string]struct {
		change func(*OIDCClient)
		field  string
	}{
		"a client_id with a space":            {func(c *OIDCClient) { c.ClientID = "a b" }, "oidc.client_id"},
		"the secret instead of its hash":      {func(c *OIDCClient) { c.SecretHash = "secret" }, "oidc.secret_hash"},
		"no address":                          {func(c *OIDCClient) { c.RedirectURIs = nil }, "oidc.redirect_uris"},
		"an address over http":                {func(c *OIDCClient) { c.RedirectURIs = []string{"http://wiki.univ.fr/"} }, "oidc.redirect_uris"},
		"a sign-out address over http":        {func(c *OIDCClient) { c.LogoutRedirectURIs = []string{"http://wiki.univ.fr/"} }, "oidc.logout_redirect_uris"},
		"a back channel over http":            {func(c *OIDCClient) { c.BackChannelURI = "http://wiki.univ.fr/" }, "oidc.back_channel_logout_uri"},
		"an unknown grant":                    {func(c *OIDCClient) { c.Grants = []Grant{"password"} }, "oidc.grants"},
		"an access token through the browser": {func(c *OIDCClient) { c.ResponseTypes = []string{"token"} }, "oidc.response_types"},
		"an unknown algorithm":                {func(c *OIDCClient) { c.IDTokenAlgorithm = "none" }, "oidc.id_token_algorithm"},
		"keys that are none":                  {func(c *OIDCClient) { c.JWKS = "{}" }, "oidc.jwks"},
		"a shared secret as a key":            {func(c *OIDCClient) { c.JWKS = `{"keys":[{"kty":"oct","k":"AAAA"}]}` }, "oidc.jwks"},
		"signed assertions without keys":      {func(c *OIDCClient) { c.AuthMethod = AuthKey }, "oidc.jwks"},
		"a public client for itself":          {func(c *OIDCClient) { c.SecretHash, c.Grants = "", []Grant{GrantClient} }, "oidc.grants"},
		"a public resource server":            {func(c *OIDCClient) { c.SecretHash, c.Introspects = "", true }, "oidc.introspects"},
		"pairwise names over two hosts": {func(c *OIDCClient) {
			c.Subject, c.RedirectURIs = SubjectPairwise, []string{"https://a.fr/", "https://b.fr/"}
		}, "oidc.sector"},
		"a method without the secret it needs": {func(c *OIDCClient) { c.SecretHash, c.AuthMethod = "", AuthBasic }, "oidc.secret_hash"},
	} {
		bad := good
		c.change(&bad)
		found := false
		for _, m := range bad.check() {
			found = found || m.Field == c.field
		}
		if !found {
			t.Errorf("%s: %v", name, bad.check())
		}
	}
}
