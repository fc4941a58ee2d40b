package intake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
)

// registration is what a client says about itself (OpenID Connect Dynamic Client
// Registration §2, RFC 7591 §2), and what a server answered when it was registered
// before (§3.2.1): its identifier and secret move with it.
type registration struct {
	ClientID      string          `json:"client_id"`
	ClientSecret  string          `json:"client_secret"`
	Name          string          `json:"client_name"`
	NameFrench    string          `json:"client_name#fr"`
	NameEnglish   string          `json:"client_name#en"`
	URI           string          `json:"client_uri"`
	InitiateURI   string          `json:"initiate_login_uri"`
	Contacts      []string        `json:"contacts"`
	RedirectURIs  []string        `json:"redirect_uris"`
	LogoutURIs    []string        `json:"post_logout_redirect_uris"`
	BackChannel   string          `json:"backchannel_logout_uri"`
	AuthMethod    string          `json:"token_endpoint_auth_method"`
	GrantTypes    []string        `json:"grant_types"`
	ResponseTypes []string        `json:"response_types"`
	Scope         string          `json:"scope"`
	JWKS          json.RawMessage `json:"jwks"`
	JWKSURI       string          `json:"jwks_uri"`
	SubjectType   string          `json:"subject_type"`
	Algorithm     string          `json:"id_token_signed_response_alg"`
	Pushed        bool            `json:"require_pushed_authorization_requests"`
	DPoP          bool            `json:"dpop_bound_access_tokens"`
}

// deviceGrant is what RFC 8628 calls our [registry.GrantDevice].
const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// readRegistration makes an entry of a client's registration. A client that has no
// identifier or no secret yet gets one.
func readRegistration(text []byte) (Found, error) {
	var r registration
	if err := json.Unmarshal(text, &r); err != nil {
		return Found{}, fmt.Errorf("read the registration: %w", err)
	}
	if len(r.RedirectURIs) == 0 && r.ClientID == "" && r.Name == "" {
		return Found{}, ErrUnknown
	}
	home := cmp.Or(r.InitiateURI, r.URI)
	s := registry.Service{
		ID:         identifier(cmp.Or(first(r.RedirectURIs), r.URI, r.Name, r.ClientID)),
		NameFrench: cmp.Or(r.NameFrench, r.Name, r.NameEnglish), NameEnglish: r.NameEnglish, Protocol: registry.OIDC, Home: home,
		Contact: first(r.Contacts), Attributes: scopedAttributes(r.Scope),
		OIDC: registry.OIDCClient{
			ClientID: r.ClientID, RedirectURIs: r.RedirectURIs, LogoutRedirectURIs: r.LogoutURIs, BackChannelURI: r.BackChannel,
			AuthMethod: registry.Auth(r.AuthMethod), ResponseTypes: responses(r.ResponseTypes), JWKSURI: r.JWKSURI, Subject: registry.Subject(r.SubjectType),
			IDTokenAlgorithm: r.Algorithm, Pushed: r.Pushed, DPoP: r.DPoP,
		},
	}
	if s.NameFrench == "" {
		s.NameFrench = s.ID
	}
	if len(r.JWKS) > 0 {
		s.OIDC.JWKS = string(r.JWKS)
	}
	for _, g := range r.GrantTypes {
		if g == deviceGrant {
			g = string(registry.GrantDevice)
		}
		if grant := registry.Grant(g); slices.Contains(registry.Grants, grant) { // "implicit" is refused by RFC 9700
			s.OIDC.Grants = append(s.OIDC.Grants, grant)
		}
	}
	if s.OIDC.ClientID == "" {
		s.OIDC.ClientID = s.ID
	}
	found := Found{Secrets: map[string]string{}}
	switch public := s.OIDC.AuthMethod == registry.AuthPublic || s.OIDC.AuthMethod == registry.AuthKey; {
	case r.ClientSecret != "":
		s.OIDC.SecretHash = HashSecret(r.ClientSecret)
	case !public:
		found.Secrets[s.ID], s.OIDC.SecretHash = NewSecret()
	}
	found.Services = []registry.Service{s}
	return found, nil
}

// scopedAttributes are what the scopes ask for; the usual ones where none is said.
func scopedAttributes(scope string) []registry.Attribute {
	scopes := strings.Fields(cmp.Or(scope, "openid profile email"))
	var list []registry.Attribute
	for _, s := range scopes {
		list = append(list, registry.OfScope(s)...)
	}
	return list
}

// responses leaves out the response types that we never answer with (RFC 9700
// §2.1.2).
func responses(types []string) []string {
	return slices.DeleteFunc(slices.Clone(types), func(t string) bool { return !slices.Contains(registry.ResponseTypes, t) })
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
