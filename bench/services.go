package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// The services that play a part. Nothing listens at their addresses: what they
// are sent is taken out of the redirect or the form.
const (
	casService  = "http://127.0.0.1:9/bench"
	samlService = "bench-saml"
	clientRS256 = "bench-rs256"
	clientES256 = "bench-es256"
	redirectURI = "http://127.0.0.1:9/callback"
)

// clientSecret proves the clients of one run.
var clientSecret = rand.Text()

// declare puts the services into the registry of a server, running or not.
func declare(ctx context.Context, s *server) error {
	hash := sha256.Sum256([]byte(clientSecret))
	var entries strings.Builder
	fmt.Fprintf(&entries, `[[services]]
id = %q
protocol = "saml"
name_en = "Bench"
attributes = ["displayName", "mail", "eduPersonAffiliation"]
[services.saml]
entity_id = "http://127.0.0.1:9/sp"
metadata = """
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="http://127.0.0.1:9/sp">
  <SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="http://127.0.0.1:9/acs" index="0"/>
  </SPSSODescriptor>
</EntityDescriptor>"""
`, samlService)
	for client, algorithm := range map[string]string{clientRS256: "RS256", clientES256: "ES256"} {
		fmt.Fprintf(&entries, `
[[services]]
id = %[1]q
protocol = "oidc"
name_en = "Bench %[2]s"
attributes = ["displayName", "mail"]
[services.oidc]
client_id = %[1]q
secret_hash = %[3]q
redirect_uris = [%[4]q]
id_token_algorithm = %[2]q
`, client, algorithm, hex.EncodeToString(hash[:]), redirectURI)
	}
	return addServices(ctx, s, entries.String())
}

// addServices gives a file of entries to the registry.
func addServices(ctx context.Context, s *server, entries string) error {
	file := filepath.Join(s.data, "bench-services.toml")
	if err := os.WriteFile(file, []byte(entries), 0o600); err != nil {
		return err
	}
	return s.amphi(ctx, "service", "add", "--replace", file)
}

// casAnswer is the part of a validation that says who came.
type casAnswer struct {
	Success *struct {
		User string `xml:"user"`
	} `xml:"authenticationSuccess"`
}

// casSignIn asks for a ticket with an open session and validates it as a service
// would.
func casSignIn(ctx context.Context, v *visitor) error {
	a, err := v.get(ctx, "/cas/login?"+url.Values{"service": {casService}}.Encode())
	if err != nil {
		return err
	}
	back, err := url.Parse(a.location)
	if err != nil || back.Query().Get("ticket") == "" {
		return fmt.Errorf("/cas/login answered %d with no ticket in %q", a.status, a.location)
	}
	service := &visitor{client: v.client, base: v.base} // it has no cookies
	a, err = service.get(ctx, "/cas/serviceValidate?"+url.Values{"service": {casService}, "ticket": {back.Query().Get("ticket")}}.Encode())
	if err := expect(a, err, http.StatusOK, "/cas/serviceValidate"); err != nil {
		return err
	}
	var said casAnswer
	if err := xml.Unmarshal(a.body, &said); err != nil {
		return fmt.Errorf("/cas/serviceValidate: %w", err)
	}
	if said.Success == nil || said.Success.User == "" {
		return fmt.Errorf("/cas/serviceValidate refused a fresh ticket: %.200s", a.body)
	}
	return nil
}

// samlSignIn asks for a signed response with an open session.
func samlSignIn(ctx context.Context, v *visitor) error {
	a, err := v.get(ctx, "/saml/start/"+samlService)
	if err := expect(a, err, http.StatusOK, "/saml/start"); err != nil {
		return err
	}
	if !strings.Contains(string(a.body), `name="SAMLResponse"`) {
		return fmt.Errorf("/saml/start answered without a response: %.200s", a.body)
	}
	return nil
}

// oidcSignIn asks for a code with an open session and redeems it as a client
// would, with PKCE.
func oidcSignIn(ctx context.Context, v *visitor, client string) error {
	verifier := rand.Text() + rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	a, err := v.get(ctx, "/oidc/authorize?"+url.Values{
		"client_id": {client}, "redirect_uri": {redirectURI}, "response_type": {"code"}, "scope": {"openid profile email"},
		"state": {"s"}, "nonce": {rand.Text()}, "code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}.Encode())
	if err != nil {
		return err
	}
	back, err := url.Parse(a.location)
	if err != nil || back.Query().Get("code") == "" {
		return fmt.Errorf("/oidc/authorize answered %d with no code in %q", a.status, a.location)
	}
	service := &visitor{client: v.client, base: v.base}
	a, err = service.post(ctx, "/oidc/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {redirectURI},
		"code_verifier": {verifier}, "client_id": {client}, "client_secret": {clientSecret},
	})
	if err := expect(a, err, http.StatusOK, "/oidc/token"); err != nil {
		return err
	}
	var tokens struct {
		IDToken string `json:"id_token"`
	}
	if err := json.Unmarshal(a.body, &tokens); err != nil || tokens.IDToken == "" {
		return fmt.Errorf("/oidc/token gave no ID token: %.200s", a.body)
	}
	return nil
}
