package registry

import (
	"encoding/json"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// OIDCClient is what OpenID Connect needs to know of a relying party.
type OIDCClient struct {
	ClientID     string   `toml:"client_id" help:"the client's identifier"`
	SecretHash   string   `toml:"secret_hash" help:"SHA-256 of the client's secret in hexadecimal, as amphi service add prints it; empty: a public client"`
	RedirectURIs []string `toml:"redirect_uris" help:"where codes may be sent, compared letter by letter"`
	// LogoutRedirectURIs are called post_logout_redirect_uris by the specification.
	LogoutRedirectURIs []string  `toml:"logout_redirect_uris" help:"where people may be sent after a sign-out that the service began, compared letter by letter"`
	BackChannelURI     string    `toml:"back_channel_logout_uri" help:"where the service is told that a session ended; empty: it is not told"`
	Grants             []Grant   `toml:"grants" help:"authorization_code, refresh_token, client_credentials, device_code; empty: authorization_code"`
	ResponseTypes      []string  `toml:"response_types" help:"code, id_token, code id_token; empty: code, which is the only one to choose for a new service"`
	Scopes             []string  `toml:"scopes" help:"what the service may ask for besides openid; empty: all scopes that release attributes"`
	AuthMethod         Auth      `toml:"auth_method" help:"client_secret_basic, client_secret_post, private_key_jwt or none; empty: what the other fields allow"`
	JWKS               string    `toml:"jwks" help:"the client's public keys (JSON), for private_key_jwt"`
	JWKSURI            string    `toml:"jwks_uri" help:"where the client publishes them instead"`
	IDTokenAlgorithm   string    `toml:"id_token_algorithm" help:"RS256 or ES256; empty: RS256, which every client reads"`
	Subject            Subject   `toml:"subject" help:"public: one identifier of a person for all services; pairwise: another for each sector; empty: public"`
	Sector             string    `toml:"sector" help:"services of one sector know a person by one pairwise identifier; empty: the host of the redirect address"`
	PKCE               bool      `toml:"pkce" help:"refuse requests without PKCE also from a client that has a secret; public clients always need it"`
	DPoP               bool      `toml:"dpop" help:"only give tokens that are bound to a key of the client"`
	Pushed             bool      `toml:"pushed" help:"only take requests that the client pushed to us before (PAR)"`
	ClaimsInIDToken    bool      `toml:"claims_in_id_token" help:"say in the ID token what userinfo says, for clients that do not ask it"`
	AccessToken        TokenForm `toml:"access_token" help:"opaque, or jwt for programs that cannot ask us about a token (RFC 9068); empty: opaque"`
	Introspects        bool      `toml:"introspects" help:"a resource server: may ask about the tokens of every client, not only its own"`
}

// Grant is a way to tokens, in the words of the registry.
type Grant string

// The grants.
const (
	GrantCode    Grant = "authorization_code"
	GrantRefresh Grant = "refresh_token"
	GrantClient  Grant = "client_credentials"
	GrantDevice  Grant = "device_code"
)

// Grants lists them.
var Grants = []Grant{GrantCode, GrantRefresh, GrantClient, GrantDevice}

// Auth is how a client proves who it is (OpenID Connect Core §9).
type Auth string

// The methods.
const (
	AuthAny    Auth = "" // the secret in either place, or the keys that are given
	AuthBasic  Auth = "client_secret_basic"
	AuthPost   Auth = "client_secret_post"
	AuthKey    Auth = "private_key_jwt"
	AuthPublic Auth = "none"
)

// Subject says by what a person is known.
type Subject string

// The types (OpenID Connect Core §8).
const (
	SubjectPublic   Subject = "public"
	SubjectPairwise Subject = "pairwise"
)

// TokenForm is what access tokens look like.
type TokenForm string

// The forms.
const (
	TokenOpaque TokenForm = "opaque"
	TokenJWT    TokenForm = "jwt"
)

// The response types that an entry may hold (OpenID Connect Core §3). No access
// token ever passes through a browser (RFC 9700 §2.1.2).
const (
	ResponseCode        = "code"
	ResponseIDToken     = "id_token"
	ResponseCodeIDToken = "code id_token"
)

// ResponseTypes lists them.
var ResponseTypes = []string{ResponseCode, ResponseIDToken, ResponseCodeIDToken}

// The scopes that release nothing: what makes a request one of OpenID Connect,
// and access that outlives the session.
const (
	ScopeOpenID  = "openid"
	ScopeOffline = "offline_access"
)

// Public reports whether the client has nothing to prove itself by.
func (c OIDCClient) Public() bool {
	return c.AuthMethod == AuthPublic || c.SecretHash == "" && c.JWKS == "" && c.JWKSURI == ""
}

// Authenticates reports whether the client may prove itself by this method.
func (c OIDCClient) Authenticates(by Auth) bool {
	if c.AuthMethod != AuthAny {
		return c.AuthMethod == by
	}
	switch by {
	case AuthBasic, AuthPost:
		return c.SecretHash != ""
	case AuthKey:
		return c.JWKS != "" || c.JWKSURI != ""
	default:
		return c.Public()
	}
}

// Allows reports whether the client may come by this grant.
func (c OIDCClient) Allows(g Grant) bool {
	if len(c.Grants) == 0 {
		return g == GrantCode
	}
	return slices.Contains(c.Grants, g)
}

// Responds reports whether the client may ask for this response type.
func (c OIDCClient) Responds(kind string) bool {
	if len(c.ResponseTypes) == 0 {
		return kind == ResponseCode
	}
	return slices.Contains(c.ResponseTypes, kind)
}

// MayAsk reports whether the client may ask for a scope.
func (c OIDCClient) MayAsk(scope string) bool {
	switch scope {
	case ScopeOpenID:
		return true
	case ScopeOffline:
		return c.Allows(GrantRefresh)
	}
	if len(c.Scopes) == 0 {
		return slices.Contains(Scopes, scope)
	}
	return slices.Contains(c.Scopes, scope)
}

// Redirects reports whether an answer may be sent to this address. Addresses are
// compared letter by letter (RFC 9700 §2.1); of a program on the person's own
// machine, which cannot know its port before, the port is left out (RFC 8252
// §7.3).
func (c OIDCClient) Redirects(address string) bool {
	return slices.Contains(c.RedirectURIs, address) || c.Public() && slices.ContainsFunc(c.RedirectURIs, func(known string) bool {
		a, b := withoutPort(known), withoutPort(address)
		return a != "" && a == b
	})
}

// withoutPort is an address on a loopback interface without its port; "" for
// any other.
func withoutPort(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.User != nil || u.Fragment != "" || strings.HasSuffix(address, "#") {
		return ""
	}
	host := u.Hostname()
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return ""
	}
	return host + " " + u.EscapedPath() + "?" + u.RawQuery
}

// SectorIdentifier is what pairwise identifiers are made for (OpenID Connect Core
// §8.1).
func (c OIDCClient) SectorIdentifier() string {
	if c.Sector != "" {
		return c.Sector
	}
	for _, address := range c.RedirectURIs {
		if u, err := url.Parse(address); err == nil {
			return u.Hostname()
		}
	}
	return c.ClientID
}

// Algorithm is what the client's ID tokens are signed with.
func (c OIDCClient) Algorithm() string {
	if c.IDTokenAlgorithm != "" {
		return c.IDTokenAlgorithm
	}
	return string(jose.RS256)
}

// clientIDForm is what client identifiers are made of (RFC 6749 appendix A.1,
// without what needs quoting somewhere).
var clientIDForm = regexp.MustCompile(`^[A-Za-z0-9._~:/@-]{1,200}$`)

// hashForm is a SHA-256 in hexadecimal.
var hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// limits of an entry.
const (
	maxRedirects = 50
	maxKeys      = 64 << 10
)

// check lists what is wrong with the OpenID Connect part of a service.
func (c OIDCClient) check() []Mistake {
	var m []Mistake
	add := func(field, key, text, value string) { m = append(m, Mistake{"oidc." + field, key, text, value}) }
	if !clientIDForm.MatchString(c.ClientID) {
		add("client_id", "client_id", "must be of letters, digits and ._~:/@-, at most 200", c.ClientID)
	}
	if c.SecretHash != "" && !hashForm.MatchString(c.SecretHash) {
		add("secret_hash", "secret_hash", "is not a SHA-256 in lower-case hexadecimal: give the hash, not the secret", "")
	}
	if len(c.RedirectURIs) == 0 && c.Allows(GrantCode) {
		add("redirect_uris", "redirects_missing", "give at least one address for answers, such as https://wiki.univ.fr/oidc/callback", "")
	}
	for field, list := range map[string][]string{"redirect_uris": c.RedirectURIs, "logout_redirect_uris": c.LogoutRedirectURIs} {
		if len(list) > maxRedirects {
			add(field, "too_long", "are too many", "")
		}
		for _, address := range list {
			if !RedirectAllowed(address, c.Public()) {
				add(field, "redirect", address+" is not an https address without a fragment (http only on localhost; com.example.app:/path only for a public client)", address)
			}
		}
	}
	for field, address := range map[string]string{"back_channel_logout_uri": c.BackChannelURI, "jwks_uri": c.JWKSURI} {
		if address != "" && (!RedirectAllowed(address, false)) {
			add(field, "redirect", "is not an https address without a fragment", address)
		}
	}
	m = append(m, c.checkChoices()...)
	m = append(m, c.checkAuthentication()...)
	slices.SortStableFunc(m, func(a, b Mistake) int { return strings.Compare(a.Field, b.Field) })
	return m
}

// checkChoices looks at the fields that name one of a few values.
func (c OIDCClient) checkChoices() []Mistake {
	var m []Mistake
	choice := func(field, value string, ok bool) {
		if !ok {
			m = append(m, Mistake{"oidc." + field, "choice", "is not one of the values that exist", value})
		}
	}
	for _, g := range c.Grants {
		choice("grants", string(g), slices.Contains(Grants, g))
	}
	for _, r := range c.ResponseTypes {
		choice("response_types", r, slices.Contains(ResponseTypes, r))
	}
	for _, s := range c.Scopes {
		choice("scopes", s, slices.Contains(Scopes, s) || scopeForm.MatchString(s))
	}
	choice("auth_method", string(c.AuthMethod), slices.Contains([]Auth{AuthAny, AuthBasic, AuthPost, AuthKey, AuthPublic}, c.AuthMethod))
	choice("id_token_algorithm", c.IDTokenAlgorithm, slices.Contains([]string{"", "RS256", "ES256"}, c.IDTokenAlgorithm))
	choice("subject", string(c.Subject), slices.Contains([]Subject{"", SubjectPublic, SubjectPairwise}, c.Subject))
	choice("access_token", string(c.AccessToken), slices.Contains([]TokenForm{"", TokenOpaque, TokenJWT}, c.AccessToken))
	if !sectorForm.MatchString(c.Sector) {
		m = append(m, Mistake{"oidc.sector", "sector", "must be a word or a host, such as wiki.univ.fr", c.Sector})
	}
	if c.Subject == SubjectPairwise && c.Sector == "" && severalHosts(c.RedirectURIs) {
		m = append(m, Mistake{"oidc.sector", "sector_missing", "give the sector: the redirect addresses are on several hosts", ""})
	}
	return m
}

// checkAuthentication looks whether the client can prove what it must.
func (c OIDCClient) checkAuthentication() []Mistake {
	var m []Mistake
	add := func(field, key, text string) { m = append(m, Mistake{"oidc." + field, key, text, ""}) }
	switch c.AuthMethod {
	case AuthBasic, AuthPost:
		if c.SecretHash == "" {
			add("secret_hash", "secret_missing", "is needed for this auth_method")
		}
	case AuthKey:
		if c.JWKS == "" && c.JWKSURI == "" {
			add("jwks", "keys_missing", "is needed for private_key_jwt, or jwks_uri is")
		}
	}
	if c.JWKS != "" && len(PublicKeys(c.JWKS)) == 0 {
		add("jwks", "keys", "holds no public key that can be used (a JSON Web Key Set with RSA, EC or Ed25519 keys)")
	}
	if c.Public() && c.Allows(GrantClient) {
		add("grants", "public_alone", "client_credentials needs a client that can prove who it is")
	}
	if c.Public() && c.Introspects {
		add("introspects", "public_alone", "needs a client that can prove who it is")
	}
	return m
}

// sectorForm is what a sector may be called: usually a host.
var sectorForm = regexp.MustCompile(`^[A-Za-z0-9._-]{0,253}$`)

// scopeForm is a scope of the institution's own, for its own resource servers.
var scopeForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._:/-]{0,99}$`)

func severalHosts(addresses []string) bool {
	host := ""
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil {
			continue
		}
		if host != "" && host != u.Hostname() {
			return true
		}
		host = u.Hostname()
	}
	return false
}

// RedirectAllowed reports whether an address may receive answers at all: https;
// http on this machine; and for public clients an application's own scheme, which
// has a dot in it (RFC 8252 §7.1), so that it is neither javascript: nor data:.
func RedirectAllowed(address string, public bool) bool {
	u, err := url.Parse(address)
	if err != nil || len(address) > 2000 || strings.ContainsAny(address, "#\\ \t\r\n*") || u.User != nil {
		return false
	}
	switch {
	case u.Scheme == "https":
		return u.Host != ""
	case u.Scheme == "http":
		ip := net.ParseIP(u.Hostname())
		return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	default:
		return public && strings.Contains(u.Scheme, ".")
	}
}

// PublicKeys reads a JSON Web Key Set and returns the keys that clients may sign
// with: public, asymmetric and valid. Others are left out.
func PublicKeys(text string) []jose.JSONWebKey {
	if len(text) > maxKeys {
		return nil
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal([]byte(text), &set) != nil {
		return nil
	}
	var usable []jose.JSONWebKey
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		// One key of a kind that we do not know must not hide the others.
		if json.Unmarshal(raw, &k) == nil && k.Valid() && k.IsPublic() && k.Use != "enc" {
			usable = append(usable, k)
		}
	}
	return usable
}
