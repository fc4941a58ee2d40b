package oidcop

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/proof"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/request"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
)

// deviceGrant is the name of the device flow's grant (RFC 8628 §3.4).
const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// metadata is what clients configure themselves by (Discovery §3, RFC 8414 §2).
// It promises what is there and names what is not.
func (p *Provider) metadata(w http.ResponseWriter, _ *http.Request) error {
	scopes := append([]string{registry.ScopeOpenID, registry.ScopeOffline}, registry.Scopes...)
	algorithms := make([]string, len(proof.Algorithms))
	for i, a := range proof.Algorithms {
		algorithms[i] = string(a)
	}
	methods := []registry.Auth{registry.AuthBasic, registry.AuthPost, registry.AuthKey, registry.AuthPublic}
	authenticated := methods[:3]
	document := map[string]any{
		"issuer":                                                   p.BaseURL,
		"authorization_endpoint":                                   p.BaseURL + authorizePath,
		"token_endpoint":                                           p.BaseURL + tokenPath,
		"userinfo_endpoint":                                        p.BaseURL + userInfoPath,
		"jwks_uri":                                                 p.BaseURL + keysPath,
		"end_session_endpoint":                                     p.BaseURL + logoutPath,
		"introspection_endpoint":                                   p.BaseURL + introspectPath,
		"revocation_endpoint":                                      p.BaseURL + revokePath,
		"pushed_authorization_request_endpoint":                    p.BaseURL + pushPath,
		"device_authorization_endpoint":                            p.BaseURL + deviceCodePath,
		"scopes_supported":                                         scopes,
		"claims_supported":                                         supportedClaims(),
		"response_types_supported":                                 registry.ResponseTypes,
		"response_modes_supported":                                 request.Modes,
		"grant_types_supported":                                    []string{"authorization_code", "implicit", "refresh_token", "client_credentials", deviceGrant},
		"subject_types_supported":                                  []registry.Subject{registry.SubjectPublic, registry.SubjectPairwise},
		"id_token_signing_alg_values_supported":                    []string{keys.RS256, keys.ES256},
		"token_endpoint_auth_methods_supported":                    methods,
		"token_endpoint_auth_signing_alg_values_supported":         algorithms,
		"introspection_endpoint_auth_methods_supported":            authenticated,
		"introspection_endpoint_auth_signing_alg_values_supported": algorithms,
		"revocation_endpoint_auth_methods_supported":               methods,
		"revocation_endpoint_auth_signing_alg_values_supported":    algorithms,
		"code_challenge_methods_supported":                         []string{"S256"},
		"dpop_signing_alg_values_supported":                        algorithms,
		"acr_values_supported":                                     acrValues,
		"prompt_values_supported":                                  request.Prompts,
		"display_values_supported":                                 []string{"page"},
		"claim_types_supported":                                    []string{"normal"},
		"ui_locales_supported":                                     []string{"fr", "en"},
		"claims_parameter_supported":                               true,
		"request_parameter_supported":                              false,
		"request_uri_parameter_supported":                          false,
		"require_request_uri_registration":                         false,
		"require_pushed_authorization_requests":                    false,
		"authorization_response_iss_parameter_supported":           true,
		"backchannel_logout_supported":                             true,
		"backchannel_logout_session_supported":                     true,
		"frontchannel_logout_supported":                            false,
		"service_documentation":                                    p.BaseURL + "/portal/help",
	}
	if len(p.config.Invitations) > 0 {
		document["registration_endpoint"] = p.BaseURL + registerPath
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	return writeJSON(w, http.StatusOK, document)
}

// supportedClaims lists every claim that a client may be told.
func supportedClaims() []string {
	claims := []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "email_verified"}
	for _, a := range registry.Attributes {
		if names, ok := a.Names(); ok && !slices.Contains(claims, names.Claim) {
			claims = append(claims, names.Claim)
		}
	}
	return claims
}

// keysKept is how long clients may keep our keys. A new one is published much
// longer than this before it signs.
const keysKept = "public, max-age=900"

// publishKeys gives our public keys (RFC 7517).
func (p *Provider) publishKeys(w http.ResponseWriter, r *http.Request) error {
	published, err := p.Keys.Published(r.Context(), keys.OIDC)
	if err != nil {
		return p.refuseProgram(w, r, err)
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range published {
		set.Keys = append(set.Keys, publicKey(k))
	}
	w.Header().Set("Cache-Control", keysKept)
	return writeJSON(w, http.StatusOK, set)
}

// publicKey is the public half of a key as others read it.
func publicKey(k keys.Key) jose.JSONWebKey {
	j := jose.JSONWebKey{KeyID: k.ID, Algorithm: k.Algorithm, Use: "sig"}
	switch public := k.Signer.Public().(type) {
	case *rsa.PublicKey:
		j.Key = public
	case *ecdsa.PublicKey:
		j.Key = public
	}
	return j
}
