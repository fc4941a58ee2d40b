package sso

import (
	"context"
	"net/url"
	"reflect"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/ui"
)

// rareFields are those that few services need: the form keeps them folded.
var rareFields = []string{
	"saml.attribute_format", "saml.attribute_names", "saml.context", "saml.sign", "saml.encrypt", "saml.login_url",
	"saml.requested_only", "saml.signed_requests", "saml.sp_initiated_only",
	"oidc.grants", "oidc.response_types", "oidc.scopes", "oidc.jwks", "oidc.jwks_uri", "oidc.subject", "oidc.sector", "oidc.id_token_algorithm",
	"oidc.access_token", "oidc.pkce", "oidc.dpop", "oidc.pushed", "oidc.claims_in_id_token", "oidc.introspects",
}

// rarelySet reports whether an entry has something in one of the rare fields.
func rarelySet(s registry.Service) bool {
	saml, oidc := s.SAML, s.OIDC
	saml.EntityID, saml.MetadataURL, saml.Metadata, saml.NameID, saml.NameIDFrom = "", "", "", "", ""
	oidc.ClientID, oidc.SecretHash, oidc.RedirectURIs, oidc.LogoutRedirectURIs, oidc.BackChannelURI, oidc.AuthMethod = "", "", nil, nil, "", ""
	return s.Protocol == registry.SAML && !reflect.ValueOf(saml).IsZero() || s.Protocol == registry.OIDC && !reflect.ValueOf(oidc).IsZero()
}

// readSAML puts what was typed into the part of SAML.
func readSAML(p *registry.SAMLPeer, values url.Values, text func(string) string) {
	ticked := func(name string) bool { return values.Get(name) != "" }
	p.EntityID, p.MetadataURL, p.Metadata = text("saml.entity_id"), text("saml.metadata_url"), text("saml.metadata")
	p.NameID, p.NameIDFrom = registry.NameIDFormat(text("saml.name_id")), text("saml.name_id_from")
	p.AttributeFormat, p.AttributeNames = registry.AttributeForm(text("saml.attribute_format")), listed(values.Get("saml.attribute_names"), "\n")
	p.Context, p.LoginURL = text("saml.context"), text("saml.login_url")
	p.Sign, p.Encrypt = registry.SignWhat(text("saml.sign")), registry.Encrypting(text("saml.encrypt"))
	p.RequestedOnly, p.SignedRequests, p.SPInitiatedOnly = ticked("saml.requested_only"), ticked("saml.signed_requests"), ticked("saml.sp_initiated_only")
}

// readOIDC puts what was typed into the part of OpenID Connect.
func readOIDC(c *registry.OIDCClient, values url.Values, text func(string) string) {
	ticked := func(name string) bool { return values.Get(name) != "" }
	c.ClientID, c.AuthMethod = text("oidc.client_id"), registry.Auth(text("oidc.auth_method"))
	c.RedirectURIs, c.LogoutRedirectURIs = listed(values.Get("oidc.redirect_uris"), "\n"), listed(values.Get("oidc.logout_redirect_uris"), "\n")
	c.BackChannelURI, c.JWKSURI, c.JWKS = text("oidc.back_channel_logout_uri"), text("oidc.jwks_uri"), text("oidc.jwks")
	c.Grants, c.ResponseTypes = chosen[registry.Grant](values, "oidc.grants"), chosen[string](values, "oidc.response_types")
	c.Scopes = strings.Fields(strings.ReplaceAll(text("oidc.scopes"), ",", " "))
	c.Subject, c.Sector = registry.Subject(text("oidc.subject")), text("oidc.sector")
	c.IDTokenAlgorithm, c.AccessToken = text("oidc.id_token_algorithm"), registry.TokenForm(text("oidc.access_token"))
	c.PKCE, c.DPoP, c.Pushed = ticked("oidc.pkce"), ticked("oidc.dpop"), ticked("oidc.pushed")
	c.ClaimsInIDToken, c.Introspects = ticked("oidc.claims_in_id_token"), ticked("oidc.introspects")
}

// attributeOptions are the attributes in words and by name: the service's own
// documentation speaks of names.
func attributeOptions(ctx context.Context) []ui.Option {
	options := optionsOf(ctx, "attribute.", registry.Attributes)
	for i := range options {
		options[i].Label += " (" + options[i].Value + ")"
	}
	return options
}

// samlChoices are the lists of the form of SAML. The first of each, what an empty
// field means, is the blank line of the list.
type samlChoices struct {
	NameIDs, NameIDFrom, Formats, Signs, Seals []ui.Option
}

func samlChoicesOf(ctx context.Context, p registry.SAMLPeer) samlChoices {
	from := append([]ui.Option{{Value: registry.NameIDImmutable, Label: t(ctx, "name_id_from.immutable")}}, attributeOptions(ctx)...)
	return samlChoices{
		NameIDs: optionsOf(ctx, "name_id.", registry.NameIDFormats[1:]), NameIDFrom: from,
		Formats: optionsOf(ctx, "attribute_format.", []registry.AttributeForm{registry.AttributeBasic}),
		Signs:   optionsOf(ctx, "sign.", []registry.SignWhat{registry.SignAssertion, registry.SignResponse}),
		Seals:   optionsOf(ctx, "encrypt.", []registry.Encrypting{registry.EncryptAlways, registry.EncryptNever}),
	}
}

// oidcChoices are the lists of the form of OpenID Connect.
type oidcChoices struct {
	Auths, Grants, Responses, Subjects, Algorithms, Tokens []ui.Option
	GrantsOn                                               []string
}

func oidcChoicesOf(ctx context.Context, c registry.OIDCClient) oidcChoices {
	responses := make([]ui.Option, len(registry.ResponseTypes))
	for i, kind := range registry.ResponseTypes {
		responses[i] = ui.Option{Value: kind, Label: kind, Help: t(ctx, "response."+strings.ReplaceAll(kind, " ", "_"))}
	}
	return oidcChoices{
		Auths:  optionsOf(ctx, "auth.", []registry.Auth{registry.AuthBasic, registry.AuthPost, registry.AuthKey, registry.AuthPublic}),
		Grants: optionsOf(ctx, "grant.", registry.Grants), GrantsOn: textsOf(c.Grants), Responses: responses,
		Subjects:   optionsOf(ctx, "subject.", []registry.Subject{registry.SubjectPairwise}),
		Algorithms: []ui.Option{{Value: "ES256", Label: "ES256"}},
		Tokens:     optionsOf(ctx, "access_token.", []registry.TokenForm{registry.TokenJWT}),
	}
}
