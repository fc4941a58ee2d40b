package oidcop

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// clientMetadata is a client as it describes itself (RFC 7591 §2, Dynamic
// Registration §2, and the extensions of the endpoints that we have).
type clientMetadata struct {
	Name              string          `json:"client_name,omitempty"`
	RedirectURIs      []string        `json:"redirect_uris,omitempty"`
	LogoutURIs        []string        `json:"post_logout_redirect_uris,omitempty"`
	BackChannelURI    string          `json:"backchannel_logout_uri,omitempty"`
	AuthMethod        registry.Auth   `json:"token_endpoint_auth_method,omitempty"`
	GrantTypes        []string        `json:"grant_types,omitempty"`
	ResponseTypes     []string        `json:"response_types,omitempty"`
	Scope             string          `json:"scope,omitempty"`
	JWKS              json.RawMessage `json:"jwks,omitempty"`
	JWKSURI           string          `json:"jwks_uri,omitempty"`
	SubjectType       string          `json:"subject_type,omitempty"`
	SectorURI         string          `json:"sector_identifier_uri,omitempty"`
	Algorithm         string          `json:"id_token_signed_response_alg,omitempty"`
	DPoP              bool            `json:"dpop_bound_access_tokens,omitempty"`
	Pushed            bool            `json:"require_pushed_authorization_requests,omitempty"`
	SoftwareStatement string          `json:"software_statement,omitempty"`
}

// registered is the answer to a registration (RFC 7591 §3.2.1, RFC 7592 §3).
type registered struct {
	clientMetadata
	ClientID      string `json:"client_id"`
	ClientSecret  string `json:"client_secret,omitempty"`
	SecretExpires *int64 `json:"client_secret_expires_at,omitempty"`
	IssuedAt      int64  `json:"client_id_issued_at"`
	AccessToken   string `json:"registration_access_token,omitempty"`
	ClientURI     string `json:"registration_client_uri"`
}

// noRegistration says that nobody may register.
func (p *Provider) noRegistration(description string) *refusal {
	e := refuse(invalidToken, RegistrationRefused, "%s", description)
	e.status, e.challenge = http.StatusUnauthorized, `Bearer error="invalid_token"`
	return e
}

// invited finds the invitation that a request holds.
func (p *Provider) invited(r *http.Request) (Invitation, error) {
	secret, _, err := shownToken(r)
	if err != nil {
		return Invitation{}, err
	}
	hash := hashOf(secret)
	for _, one := range p.config.Invitations {
		if subtle.ConstantTimeCompare([]byte(one.TokenHash), []byte(hash)) == 1 {
			return one, nil
		}
	}
	return Invitation{}, p.noRegistration("an initial access token is needed; ask the administrators for one")
}

// invitation is the one under which a client was registered before.
func (p *Provider) invitation(hash string) (Invitation, error) {
	for _, one := range p.config.Invitations {
		if one.TokenHash == hash {
			return one, nil
		}
	}
	return Invitation{}, p.noRegistration("the initial access token of this client is no longer accepted")
}

// register adds a client that describes itself (RFC 7591 §3), within the bounds of
// its invitation. People are asked before it is told anything.
func (p *Provider) register(w http.ResponseWriter, r *http.Request) (any, error) {
	invitation, err := p.invited(r)
	if err != nil {
		return nil, err
	}
	metadata, err := readMetadata(r)
	if err != nil {
		return nil, err
	}
	held, err := p.grants.Registrations(r.Context(), invitation.TokenHash)
	if err != nil {
		return nil, err
	}
	most := invitation.Most
	if most == 0 {
		most = mostByDefault
	}
	if held >= int64(most) {
		return nil, refuse(invalidMetadata, RegistrationRefused, "this initial access token has registered %d clients, which is all it may", held)
	}
	s := registry.Service{ID: "client-" + id.New(), Protocol: registry.OIDC}
	s.OIDC.ClientID = s.ID
	secret, err := describe(&s, metadata, invitation, "")
	if err != nil {
		return nil, err
	}
	token, ctx := "g."+id.Token(secretBytes), r.Context()
	err = p.Registrar.PutService(ctx, s, func(tx db.Tx) error {
		return p.grants.Register(ctx, tx, token, grant.Registration{Client: s.OIDC.ClientID, Service: s.ID, Invited: invitation.TokenHash, Peer: peer(r)})
	})
	if err != nil {
		return nil, err
	}
	answer := p.registeredOf(s, metadata)
	answer.IssuedAt, answer.AccessToken, answer.ClientSecret = p.Clock.Now().Unix(), token, secret
	if secret != "" {
		answer.SecretExpires = new(int64) // zero: never
	}
	return created{answer}, nil
}

// readMetadata reads what a client says of itself.
func readMetadata(r *http.Request) (m clientMetadata, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return m, web.BodyTooLarge.From(err)
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return m, refuse(invalidMetadata, RegistrationRefused, "the body is not the JSON of RFC 7591")
	}
	return m, nil
}

// grantNames are the registry's words for grants in those of the specifications.
var grantNames = map[string]registry.Grant{
	"authorization_code": registry.GrantCode, "refresh_token": registry.GrantRefresh, deviceGrant: registry.GrantDevice,
}

// describe makes an entry of what a client says of itself, and refuses what its
// invitation does not allow. It returns the client's new secret; kept is the hash
// of one that it has.
func describe(s *registry.Service, m clientMetadata, i Invitation, kept string) (secret string, err error) {
	bad := func(code, format string, args ...any) (string, error) {
		return "", refuse(code, RegistrationRefused, format, args...)
	}
	if m.SoftwareStatement != "" || m.SectorURI != "" {
		return bad(invalidMetadata, "software_statement and sector_identifier_uri are not supported")
	}
	if len(m.RedirectURIs) == 0 {
		return bad(invalidRedirect, "redirect_uris is missing")
	}
	for _, address := range slices.Concat(m.RedirectURIs, m.LogoutURIs) {
		if !i.allows(address) {
			return bad(invalidRedirect, "the initial access token does not allow %s", address)
		}
	}
	for _, address := range []string{m.BackChannelURI, m.JWKSURI} {
		if address != "" && !i.allows(address) {
			return bad(invalidMetadata, "the initial access token does not allow %s", address)
		}
	}
	name := strings.TrimSpace(strings.Map(printable, m.Name))
	if name == "" || len(name) > 200 {
		return bad(invalidMetadata, "client_name is missing or too long")
	}
	s.NameFrench, s.NameEnglish, s.Owner, s.Contact = name, name, i.Name, i.Contact
	s.Attributes, s.Consent = i.Attributes, true
	c := &s.OIDC
	c.RedirectURIs, c.LogoutRedirectURIs, c.BackChannelURI = m.RedirectURIs, m.LogoutURIs, m.BackChannelURI
	c.ResponseTypes, c.Scopes, c.JWKS, c.JWKSURI = m.ResponseTypes, nil, string(m.JWKS), m.JWKSURI
	c.IDTokenAlgorithm, c.DPoP, c.Pushed, c.AuthMethod = m.Algorithm, m.DPoP, m.Pushed, m.AuthMethod
	c.Grants, c.SecretHash = nil, ""
	for _, text := range m.GrantTypes {
		g, known := grantNames[text]
		if !known && text != "implicit" {
			return bad(invalidMetadata, "the grant %s cannot be registered so", text)
		}
		if known {
			c.Grants = append(c.Grants, g)
		}
	}
	for _, scope := range strings.Fields(m.Scope) {
		if slices.Contains(registry.Scopes, scope) {
			c.Scopes = append(c.Scopes, scope)
		}
	}
	// A client outside nobody vouches for gets a name of its own for each person.
	c.Subject = registry.SubjectPairwise
	if m.SubjectType == string(registry.SubjectPublic) {
		return bad(invalidMetadata, "clients that register themselves get pairwise subjects")
	}
	if c.AuthMethod == registry.AuthAny {
		c.AuthMethod = registry.AuthBasic // the default of RFC 7591 §2
	}
	if c.AuthMethod == registry.AuthBasic || c.AuthMethod == registry.AuthPost {
		if c.SecretHash = kept; kept == "" {
			secret = id.Token(secretBytes)
			c.SecretHash = hashOf(secret)
		}
	}
	if mistakes := s.Check(); len(mistakes) > 0 {
		return bad(invalidMetadata, "%s %s", mistakes[0].Field, mistakes[0].Text)
	}
	return secret, nil
}

// printable keeps letters that a name may have.
func printable(r rune) rune {
	if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
		return -1
	}
	return r
}

// allows reports whether an address lies on a host of the invitation.
func (i Invitation) allows(address string) bool {
	u, err := url.Parse(address)
	if err != nil || !registry.RedirectAllowed(address, false) {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return slices.ContainsFunc(i.Hosts, func(known string) bool {
		if below, wild := strings.CutPrefix(known, "*"); wild {
			return strings.HasSuffix(host, below) && len(host) > len(below)
		}
		return host == known
	})
}

// registeredOf is a client as it reads itself.
func (p *Provider) registeredOf(s registry.Service, m clientMetadata) registered {
	m.AuthMethod, m.SubjectType, m.Algorithm = s.OIDC.AuthMethod, string(s.OIDC.Subject), s.OIDC.Algorithm()
	if len(m.ResponseTypes) == 0 {
		m.ResponseTypes = []string{registry.ResponseCode}
	}
	if len(m.GrantTypes) == 0 {
		m.GrantTypes = []string{"authorization_code"}
	}
	return registered{clientMetadata: m, ClientID: s.OIDC.ClientID, ClientURI: p.BaseURL + registerPath + "/" + url.PathEscape(s.OIDC.ClientID)}
}

// ownRegistration finds the client that may change itself (RFC 7592 §2).
func (p *Provider) ownRegistration(r *http.Request) (grant.Registration, *registry.Service, error) {
	wrong := p.noRegistration("the registration access token is not this client's")
	secret, _, err := shownToken(r)
	if err != nil {
		return grant.Registration{}, nil, err
	}
	kept, err := p.grants.Registration(r.Context(), r.PathValue("client"))
	if errors.Is(err, grant.Unknown) {
		return kept, nil, wrong
	}
	if err != nil {
		return kept, nil, err
	}
	if subtle.ConstantTimeCompare([]byte(id.Hash(secret)), []byte(kept.Token)) != 1 {
		return kept, nil, wrong
	}
	x, err := p.Gate.Registry(r.Context())
	if err != nil {
		return kept, nil, err
	}
	s := x.Get(kept.Service)
	if s == nil { // an administrator removed it
		return kept, nil, wrong
	}
	return kept, s, nil
}

// metadataOf is an entry in the words of the specification.
func metadataOf(s *registry.Service) clientMetadata {
	c := s.OIDC
	m := clientMetadata{
		Name: s.NameEnglish, RedirectURIs: c.RedirectURIs, LogoutURIs: c.LogoutRedirectURIs, BackChannelURI: c.BackChannelURI, ResponseTypes: c.ResponseTypes,
		JWKSURI: c.JWKSURI, DPoP: c.DPoP, Pushed: c.Pushed, Scope: strings.Join(c.Scopes, " "),
	}
	if c.JWKS != "" {
		m.JWKS = json.RawMessage(c.JWKS)
	}
	for text, g := range grantNames {
		if c.Allows(g) {
			m.GrantTypes = append(m.GrantTypes, text)
		}
	}
	slices.Sort(m.GrantTypes)
	return m
}

// readRegistration lets a client read itself.
func (p *Provider) readRegistration(w http.ResponseWriter, r *http.Request) (any, error) {
	kept, s, err := p.ownRegistration(r)
	if err != nil {
		return nil, err
	}
	answer := p.registeredOf(*s, metadataOf(s))
	answer.IssuedAt = kept.CreatedAt.Time().Unix()
	return answer, nil
}

// nothingMore is for a change of the registry alone.
func nothingMore(db.Tx) error { return nil }

// changeRegistration replaces what a client says of itself, within the bounds of
// the invitation that it came by.
func (p *Provider) changeRegistration(w http.ResponseWriter, r *http.Request) (any, error) {
	kept, s, err := p.ownRegistration(r)
	if err != nil {
		return nil, err
	}
	invitation, err := p.invitation(kept.Invited)
	if err != nil {
		return nil, err
	}
	metadata, err := readMetadata(r)
	if err != nil {
		return nil, err
	}
	changed := *s // what administrators set besides stays
	secret, err := describe(&changed, metadata, invitation, s.OIDC.SecretHash)
	if err != nil {
		return nil, err
	}
	changed.OIDC.ClientID = kept.Client
	// What an administrator took from it, it does not take back.
	changed.Attributes = slices.DeleteFunc(slices.Clone(changed.Attributes), func(a registry.Attribute) bool { return !slices.Contains(s.Attributes, a) })
	ctx := r.Context()
	if err := p.Registrar.PutService(ctx, changed, nothingMore); err != nil {
		return nil, err
	}
	answer := p.registeredOf(changed, metadata)
	answer.IssuedAt, answer.ClientSecret = kept.CreatedAt.Time().Unix(), secret
	return answer, nil
}

// dropRegistration lets a client go (RFC 7592 §2.3). What it may do ends.
func (p *Provider) dropRegistration(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	kept, s, err := p.ownRegistration(r)
	if err != nil {
		return p.refuseProgram(w, r, err)
	}
	ctx := r.Context()
	err = p.Registrar.DropService(ctx, s.ID, func(tx db.Tx) error { return p.grants.Unregister(ctx, tx, kept.Client) })
	if err != nil {
		return p.refuseProgram(w, r, err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
