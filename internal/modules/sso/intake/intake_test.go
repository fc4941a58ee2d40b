package intake

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
)

const metadata = `<?xml version="1.0"?>
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui" entityID="https://wiki.univ.fr/shibboleth">
  <SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <Extensions><mdui:UIInfo><mdui:DisplayName xml:lang="en">University wiki</mdui:DisplayName></mdui:UIInfo></Extensions>
    <AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://wiki.univ.fr/Shibboleth.sso/SAML2/POST" index="1"/>
    <AttributeConsumingService index="1">
      <ServiceName xml:lang="en">Wiki</ServiceName>
      <RequestedAttribute Name="urn:oid:0.9.2342.19200300.100.1.3" FriendlyName="mail" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri" isRequired="true"/>
    </AttributeConsumingService>
  </SPSSODescriptor>
  <ContactPerson contactType="technical"><EmailAddress>mailto:wiki@univ.fr</EmailAddress></ContactPerson>
</EntityDescriptor>`

const client = `{"client_name":"Wiki","client_name#fr":"Le wiki","redirect_uris":["https://wiki.univ.fr/oidc/callback"],"contacts":["wiki@univ.fr"],
 "scope":"openid email campus","grant_types":["authorization_code","refresh_token","implicit","urn:ietf:params:oauth:grant-type:device_code"],"response_types":["code","token"],
 "post_logout_redirect_uris":["https://wiki.univ.fr/"],"token_endpoint_auth_method":"client_secret_post"}`

// one reads a text that holds one service which the registry accepts.
func one(t *testing.T, name, text string) (registry.Service, Found) {
	t.Helper()
	found, err := Read(name, []byte(text), "")
	if err != nil || len(found.Services) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	if m := found.Services[0].Check(); len(m) > 0 {
		t.Errorf("the registry refuses it: %+v", m)
	}
	return found.Services[0], found
}

func TestMetadataBecomesAnEntry(t *testing.T) {
	s, _ := one(t, "wiki.xml", "\uFEFF"+metadata)
	if s.Protocol != registry.SAML || s.SAML.EntityID != "https://wiki.univ.fr/shibboleth" || s.NameEnglish != "University wiki" || s.Contact != "wiki@univ.fr" ||
		!slices.Equal(s.Required, []registry.Attribute{registry.Mail}) || !strings.Contains(s.SAML.Metadata, "SPSSODescriptor") {
		t.Errorf("%+v", s)
	}
}

func TestARegistrationBecomesAnEntryWithASecretOfItsOwn(t *testing.T) {
	s, found := one(t, "wiki.json", client)
	if s.ID != "wiki-univ-fr" || s.NameFrench != "Le wiki" || s.OIDC.ClientID != "wiki-univ-fr" || s.Contact != "wiki@univ.fr" {
		t.Errorf("%+v", s)
	}
	if !slices.Equal(s.OIDC.Grants, []registry.Grant{registry.GrantCode, registry.GrantRefresh, registry.GrantDevice}) || !slices.Equal(s.OIDC.ResponseTypes, []string{"code"}) {
		t.Errorf("what is refused was taken: %v %v", s.OIDC.Grants, s.OIDC.ResponseTypes)
	}
	if secret := found.Secrets[s.ID]; len(secret) < 43 || HashSecret(secret) != s.OIDC.SecretHash {
		t.Errorf("secret %q, hash %q", secret, s.OIDC.SecretHash)
	}
	if !s.Releases(registry.Mail) || !s.Releases(registry.Campus) || s.Releases(registry.DisplayName) {
		t.Errorf("releases %v", s.Attributes)
	}
}

func TestAClientThatMovesHereKeepsItsIdentifierAndSecret(t *testing.T) {
	s, found := one(t, "x.json", `{"client_id":"abc","client_secret":"s3cret","redirect_uris":["https://a.univ.fr/cb"]}`)
	if s.OIDC.ClientID != "abc" || s.OIDC.SecretHash != HashSecret("s3cret") || len(found.Secrets) != 0 {
		t.Errorf("%+v, %v", s.OIDC, found.Secrets)
	}
}

func TestAClientWithoutASecretGetsNone(t *testing.T) {
	s, found := one(t, "x.json", `{"client_name":"App","redirect_uris":["fr.univ.app:/callback"],"token_endpoint_auth_method":"none"}`)
	if s.OIDC.SecretHash != "" || len(found.Secrets) != 0 {
		t.Errorf("%+v", s.OIDC)
	}
}

func TestWhatCannotBeImportedSaysWhatToDo(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "neither SAML metadata",
		"hello":                              "neither SAML metadata",
		"{}":                                 "neither SAML metadata",
		"{\"a\":":                            "registration",
		"<html><p></html>":                   "metadata",
		"[[services]]\nid = \"A b\"":         "line 2",
		"[[services]]\nnome_fr = \"x\"":      "line 2",
		"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>": "metadata",
	} {
		if _, err := Read("the file", []byte(text), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

func TestWhatIsFetchedIsReadAgainFromItsAddress(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metadata" {
			http.NotFound(w, r)
			return
		}
		w.Write([]byte(metadata))
	}))
	defer server.Close()
	found, err := Fetch(t.Context(), server.Client(), server.URL+"/metadata", "", Most)
	if err != nil || found.Services[0].SAML.MetadataURL != server.URL+"/metadata" || found.Services[0].SAML.Metadata != "" {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := Fetch(t.Context(), server.Client(), server.URL+"/nothing", "", Most); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("%v", err)
	}
	if _, err := Fetch(t.Context(), server.Client(), "http://wiki.univ.fr/metadata", "", Most); err == nil || !strings.Contains(err.Error(), "not https") {
		t.Errorf("%v", err)
	}
}

func TestNoRedirectLeadsOutOfTLS(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(metadata)) }))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer secure.Close()
	if _, err := Fetch(t.Context(), secure.Client(), secure.URL, "", Most); err == nil || !strings.Contains(err.Error(), "not https") {
		t.Errorf("%v", err)
	}
}

// federationOf is an aggregate of service providers on these hosts. Its namespaces
// stand at its root, as those of federations do.
func federationOf(hosts ...string) string {
	var b strings.Builder
	b.WriteString(`<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui"><md:EntitiesDescriptor xmlns:x="urn:a&amp;b">`)
	for _, host := range hosts {
		fmt.Fprintf(&b, `<md:EntityDescriptor x:y="1" entityID="https://%[1]s/sp"><md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">`+
			`<md:Extensions><mdui:UIInfo><mdui:DisplayName xml:lang="en">Site %[1]s</mdui:DisplayName></mdui:UIInfo></md:Extensions>`+
			`<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://%[1]s/acs" index="1"/></md:SPSSODescriptor></md:EntityDescriptor>`, host)
	}
	b.WriteString(`<md:EntityDescriptor entityID="https://idp.univ.fr/idp"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.univ.fr/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>`)
	b.WriteString(`</md:EntitiesDescriptor></md:EntitiesDescriptor>`)
	return b.String()
}

func TestOneServiceOfAFederationIsChosen(t *testing.T) {
	text := federationOf("wiki.univ.fr", "blog.univ.fr", "wiki.lab.fr")
	for entity, want := range map[string]string{
		"https://blog.univ.fr/sp": "https://blog.univ.fr/sp", "BLOG": "https://blog.univ.fr/sp", "site wiki.lab": "https://wiki.lab.fr/sp",
	} {
		found, err := Read("the file", []byte(text), entity)
		if err != nil || len(found.Services) != 1 || found.Services[0].SAML.EntityID != want || !found.OneOfMany {
			t.Errorf("%s: %+v, %v", entity, found, err)
			continue
		}
		alone := found.Services[0].SAML.Metadata
		again, err := Read("alone", []byte(alone), "")
		if err != nil || again.Services[0].SAML.EntityID != want || again.Services[0].NameEnglish != found.Services[0].NameEnglish || strings.Count(alone, "EntityDescriptor") != 2 {
			t.Errorf("%s: what was cut out is %s, %v", entity, alone, err)
		}
	}
	for entity, want := range map[string][]string{
		"": {"holds 3 service providers", "https://wiki.univ.fr/sp  Site wiki.univ.fr", "https://blog.univ.fr/sp"}, "wiki": {"2 service providers", "https://wiki.lab.fr/sp"},
		"moodle": {"no service provider moodle, but", "https://blog.univ.fr/sp"}, "https://idp.univ.fr/idp": {"no service provider"},
	} {
		_, err := Read("the file", []byte(text), entity)
		var several *SeveralError
		if !errors.As(err, &several) {
			t.Errorf("%q: %v", entity, err)
			continue
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: no %q in %v", entity, part, err)
			}
		}
	}
	if _, err := Read("the file", []byte(text), "wiki"); strings.Contains(err.Error(), "blog") {
		t.Error(err)
	}
	hosts := make([]string, listed+7)
	for i := range hosts {
		hosts[i] = fmt.Sprintf("s%d.univ.fr", i)
	}
	if _, err := Read("the file", []byte(federationOf(hosts...)), ""); err == nil || !strings.Contains(err.Error(), "and 7 more") {
		t.Error(err)
	}
}

func TestWhatIsTooLargeIsNotFetched(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(metadata)) }))
	defer server.Close()
	if _, err := Fetch(t.Context(), server.Client(), server.URL, "", int64(len(metadata)-1)); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Error(err)
	}
	if _, err := Fetch(t.Context(), server.Client(), server.URL, "", int64(len(metadata))); err != nil {
		t.Error(err)
	}
}

func TestARedirectStaysOnItsHostOrLeadsToAPublicAddress(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(metadata)) }))
	defer inside.Close()
	turns := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/elsewhere":
			http.Redirect(w, r, inside.URL, http.StatusFound)
		case "/mapped":
			http.Redirect(w, r, strings.Replace(inside.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1), http.StatusFound)
		case "/moved":
			http.Redirect(w, r, "/metadata", http.StatusMovedPermanently)
		case "/round":
			turns++
			http.Redirect(w, r, "/round", http.StatusFound)
		default:
			w.Write([]byte(metadata))
		}
	}))
	defer server.Close()
	if _, err := Fetch(t.Context(), server.Client(), server.URL+"/moved", "", Most); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"/elsewhere", "/mapped"} {
		if _, err := Fetch(t.Context(), server.Client(), server.URL+path, "", Most); !errors.Is(err, errInside) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := Fetch(t.Context(), server.Client(), server.URL+"/round", "", Most); err == nil || !strings.Contains(err.Error(), "three redirects") || turns != maxRedirects+1 {
		t.Errorf("%d turns, %v", turns, err)
	}
}
