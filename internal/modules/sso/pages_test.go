package sso

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/sso/intake"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

const spMetadata = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://sp.univ.fr/sp"><SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
	`<AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.univ.fr/acs" index="1"/></SPSSODescriptor></EntityDescriptor>`

// entry is a service as the registry has it now.
func (h *house) entry(id string) registry.Service {
	h.t.Helper()
	s, err := h.module.serviceByID(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return *s
}

func TestEachProtocolHasItsOwnForm(t *testing.T) {
	h := one(t)
	h.enter(campustest.Alix())
	choose := h.get("/sso/services/new").Body.String()
	for protocol, field := range map[registry.Protocol]string{
		registry.CAS: `name="patterns"`, registry.SAML: `name="saml.entity_id"`, registry.OIDC: `name="oidc.redirect_uris"`, registry.Link: `name="home"`,
	} {
		if !strings.Contains(choose, "/sso/services/new?protocol="+string(protocol)) {
			t.Errorf("%s cannot be chosen", protocol)
		}
		page := h.get("/sso/services/new?protocol=" + string(protocol)).Body.String()
		if !strings.Contains(page, field) || strings.Contains(page, "⟦") {
			t.Errorf("%s: %s", protocol, page)
		}
		for other, foreign := range map[registry.Protocol]string{registry.CAS: `name="patterns"`, registry.SAML: `name="saml.entity_id"`, registry.OIDC: `name="oidc.redirect_uris"`} {
			if other != protocol && strings.Contains(page, foreign) {
				t.Errorf("the form of %s has fields of %s", protocol, other)
			}
		}
	}
}

func TestAClientGetsItsSecretOnce(t *testing.T) {
	h := one(t)
	h.enter(campustest.Alix())
	form := url.Values{
		"id": {"forge"}, "name_en": {"Forge"}, "protocol": {"oidc"}, "oidc.client_id": {"forge"}, "oidc.redirect_uris": {"https://git.univ.fr/cb\nhttps://git.univ.fr/cb2"},
		"oidc.grants": {"authorization_code", "refresh_token"}, "attributes": {"mail", "displayName"}, "required": {"mail"}, "factor": {"fresh"}, "session_limit": {"8h"},
		"consent": {"on"}, "reason_en": {"To sign."}, "owner": {"IT"}, "secret_ends": {"2027-09-01"}, "single_logout": {"on"},
	}
	w := h.post("/sso/services", form)
	secret := regexp.MustCompile(`data-copy="([A-Za-z0-9_-]{43})"`).FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusOK || secret == nil || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	s := h.entry("forge")
	if s.OIDC.SecretHash != intake.HashSecret(secret[1]) || len(s.OIDC.RedirectURIs) != 2 || len(s.OIDC.Grants) != 2 || s.Factor != registry.FactorFresh ||
		s.SessionLimit != 8*time.Hour || !s.Consent || !slices.Equal(s.Required, []registry.Attribute{registry.Mail}) || s.Owner != "IT" || s.SecretEnds != "2027-09-01" {
		t.Errorf("%+v", s)
	}
	page := failure(h.get("/sso/services/forge"))
	if strings.Contains(page, secret[1]) || !strings.Contains(page, "/.well-known/openid-configuration") || strings.Contains(page, "⟦") {
		t.Error(page)
	}

	// What has its own page stays.
	s.Disabled = true
	if err := h.module.EditService(t.Context(), campustest.Alix(), s); err != nil {
		t.Fatal(err)
	}
	if page := h.get("/sso/services/forge/edit").Body.String(); !strings.Contains(page, `value="8h"`) || strings.Contains(page, "⟦") {
		t.Error(page)
	}
	form.Set("name_en", "The forge")
	if w := h.post("/sso/services/forge", form); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, failure(w))
	}
	if after := h.entry("forge"); after.NameEnglish != "The forge" || !after.Disabled || after.OIDC.SecretHash != s.OIDC.SecretHash {
		t.Errorf("%+v", after.OIDC)
	}

	if w := h.post("/sso/services/forge/secret", url.Values{}); w.Code != http.StatusOK || h.entry("forge").OIDC.SecretHash == s.OIDC.SecretHash {
		t.Errorf("a new secret: %d", w.Code)
	}
	if w := h.post("/sso/services/wiki/secret", url.Values{}); w.Code != http.StatusConflict {
		t.Errorf("a service of the configuration: %d", w.Code)
	}
	form.Set("session_limit", "soon")
	if w := h.post("/sso/services/forge", form); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "8h or 30m") {
		t.Errorf("a limit that is none: %d", w.Code)
	}
}

// formOf reads the fields of the form that posts to an address, as a browser sends
// them back.
func (h *house) formOf(page, action string) url.Values {
	h.t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		h.t.Fatal(err)
	}
	values := url.Values{}
	of := func(n *html.Node, name string) (string, bool) {
		for _, a := range n.Attr {
			if a.Key == name {
				return a.Val, true
			}
		}
		return "", false
	}
	for form := range doc.Descendants() {
		if to, _ := of(form, "action"); form.Data != "form" || to != action {
			continue
		}
		for n := range form.Descendants() {
			name, _ := of(n, "name")
			kind, _ := of(n, "type")
			value, _ := of(n, "value")
			_, checked := of(n, "checked")
			_, disabled := of(n, "disabled")
			switch {
			case name == "" || disabled || kind == "file":
			case n.Data == "textarea" && n.FirstChild != nil:
				values.Add(name, n.FirstChild.Data)
			case n.Data == "select":
				values.Add(name, "")
				for o := range n.Descendants() {
					if _, selected := of(o, "selected"); selected {
						value, _ := of(o, "value")
						values.Set(name, value)
					}
				}
			case n.Data == "input" && (checked || kind != "checkbox" && kind != "radio"):
				values.Add(name, value)
			}
		}
	}
	return values
}

// full are entries with something in every key of their protocol.
func full() []registry.Service {
	common := registry.Service{
		NameFrench: "Un", NameEnglish: "One", DescriptionFrench: "Deux", DescriptionEnglish: "Two", Category: "Three", Icon: "book", Keywords: []string{"four", "five"},
		Home: "https://a.univ.fr/", Contact: "a@univ.fr", Owner: "Six", Attributes: []registry.Attribute{registry.DisplayName, registry.Mail}, Required: []registry.Attribute{registry.Mail},
		Audience: campus.Audience{
			Kinds: []campus.Kind{campus.Staff}, Rights: []campus.Right{campus.RightAdmin}, Campuses: []string{"rives"}, Programmes: []string{"gi"},
		},
		ReasonFrench: "Sept", ReasonEnglish: "Seven", Consent: true, Factor: registry.FactorFresh, SessionLimit: 90 * time.Minute, SecretEnds: "2027-09-01", NoSingleLogout: true,
	}
	cas, saml, oidc := common, common, common
	cas.ID, cas.Protocol, cas.Patterns, cas.CAS.ProxyTo = "full-cas", registry.CAS, []string{"https://a.univ.fr/", "https://b.univ.fr/"}, []string{"moodle", "wiki"}
	saml.ID, saml.Protocol = "full-saml", registry.SAML
	saml.SAML = registry.SAMLPeer{
		EntityID: "https://a.univ.fr/sp", MetadataURL: "https://a.univ.fr/md", Metadata: spMetadata, NameID: registry.NameIDPersistent, NameIDFrom: registry.NameIDImmutable,
		AttributeFormat: registry.AttributeBasic, AttributeNames: []string{"IDPEmail=mail", "mfa=mfa"}, RequestedOnly: true, Sign: registry.SignAssertion, Encrypt: registry.EncryptAlways,
		SignedRequests: true, SPInitiatedOnly: true, LoginURL: "https://a.univ.fr/login", Context: "https://refeds.org/profile/sfa",
	}
	oidc.ID, oidc.Protocol = "full-oidc", registry.OIDC
	oidc.OIDC = registry.OIDCClient{
		ClientID: "full", SecretHash: strings.Repeat("a1", 32), RedirectURIs: []string{"https://a.univ.fr/cb", "https://b.univ.fr/cb"}, LogoutRedirectURIs: []string{"https://a.univ.fr/"},
		BackChannelURI: "https://a.univ.fr/out", Grants: []registry.Grant{registry.GrantCode, registry.GrantRefresh}, ResponseTypes: []string{"code", "code id_token"}, Scopes: []string{"email", "lab.read"},
		AuthMethod: registry.AuthKey, JWKS: `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`, JWKSURI: "https://a.univ.fr/jwks",
		IDTokenAlgorithm: "ES256", Subject: registry.SubjectPairwise, Sector: "apps", PKCE: true, DPoP: true, Pushed: true, ClaimsInIDToken: true, AccessToken: registry.TokenJWT, Introspects: true,
	}
	return []registry.Service{cas, saml, oidc}
}

// empties lists the keys of an entry that hold nothing.
func empties(v reflect.Value, prefix string) []string {
	var list []string
	for _, f := range reflect.VisibleFields(v.Type()) {
		key, value := f.Tag.Get("toml"), v.FieldByIndex(f.Index)
		switch {
		case key == "-":
		case value.Kind() == reflect.Struct:
			list = append(list, empties(value, prefix+key+".")...)
		case value.IsZero():
			list = append(list, prefix+key)
		}
	}
	return list
}

func TestTheFormHoldsEveryKeyOfAFile(t *testing.T) {
	h := one(t)
	h.enter(campustest.Alix())
	elsewhere := []string{"logo", "disabled"} // a picture that is sent, and a button
	for _, s := range full() {
		for _, key := range empties(reflect.ValueOf(s), "") {
			part, _, nested := strings.Cut(key, ".")
			if other := nested && part != string(s.Protocol) || key == "patterns"; !other && !slices.Contains(elsewhere, key) {
				t.Errorf("%s: this test does not try %s", s.ID, key)
			}
		}
		if mistakes := s.Check(); len(mistakes) > 0 {
			t.Fatalf("%s: %+v", s.ID, mistakes)
		}
		if err := h.module.AddService(t.Context(), campustest.Alix(), s); err != nil {
			t.Fatal(err)
		}
		before, address := h.entry(s.ID), "/sso/services/"+s.ID
		page := h.get(address + "/edit").Body.String()
		if s.Protocol != registry.CAS && !strings.Contains(page, `<details class="unfold" open`) {
			t.Errorf("%s: what is set is folded away", s.ID)
		}
		if w := h.post(address, h.formOf(page, address)); w.Code != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", s.ID, w.Code, failure(w))
		}
		if after := h.entry(s.ID); !reflect.DeepEqual(after, before) {
			t.Errorf("%s: the form that is sent back unchanged makes\n%+v of\n%+v", s.ID, after, before)
		}
	}
	w := h.post("/sso/services/full-saml", url.Values{"name_en": {"X"}, "saml.entity_id": {"x"}, "saml.attribute_names": {"mail\nIDPEmail=mail"}, "saml.context": {"a b"}})
	if page := failure(w); w.Code != http.StatusUnprocessableEntity || !strings.Contains(page, "“mail” is not a name") || !strings.Contains(page, "Give a URI") {
		t.Errorf("%d %s", w.Code, page)
	}
	if !strings.Contains(w.Body.String(), `<details class="unfold" open`) {
		t.Error("a mistake is folded away")
	}
	w = h.post("/sso/services/full-oidc", url.Values{"name_en": {"X"}, "oidc.client_id": {"x"}, "oidc.redirect_uris": {"https://x.univ.fr/"}, "oidc.sector": {"a b"}})
	if page := failure(w); w.Code != http.StatusUnprocessableEntity || !strings.Contains(page, "Give a word or a host") {
		t.Errorf("%d %s", w.Code, page)
	}
}

func TestMetadataFillsTheFormInAndNothingIsWritten(t *testing.T) {
	h := one(t)
	h.enter(campustest.Alix())
	page := h.post("/sso/services/import", url.Values{"text": {spMetadata}}).Body.String()
	if !strings.Contains(page, `value="https://sp.univ.fr/sp"`) || !strings.Contains(page, `name="protocol" value="saml"`) || strings.Contains(page, "⟦") {
		t.Error(page)
	}
	x, err := h.module.Registry(t.Context())
	if err != nil || x.Entity("https://sp.univ.fr/sp") != nil {
		t.Errorf("reading wrote the entry, %v", err)
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(spMetadata)) }))
	defer site.Close()
	if page := h.post("/sso/services/import", url.Values{"source": {site.URL}}).Body.String(); !strings.Contains(page, `value="`+site.URL+`"`) {
		t.Error(page)
	}
	for name, form := range map[string]url.Values{
		"nothing": {}, "no metadata": {"text": {"hello"}}, "an address without TLS": {"source": {"http://sp.univ.fr/"}}, "no services": {"text": {"# nothing"}},
	} {
		if w := h.post("/sso/services/import", form); w.Code != http.StatusUnprocessableEntity || strings.Contains(w.Body.String(), "⟦") {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	many := strings.Replace(spMetadata, "<EntityDescriptor ", `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"><EntityDescriptor `, 1) +
		strings.ReplaceAll(spMetadata, "sp.univ.fr", "wiki.univ.fr") + "</EntitiesDescriptor>"
	choose := h.post("/sso/services/import", url.Values{"text": {many}})
	if page := choose.Body.String(); choose.Code != http.StatusUnprocessableEntity || !strings.Contains(page, `type="radio" name="entity" value="https://wiki.univ.fr/sp"`) || strings.Contains(page, "⟦") {
		t.Errorf("%d %s", choose.Code, failure(choose))
	}
	if page := h.post("/sso/services/import", url.Values{"text": {many}, "entity": {"https://wiki.univ.fr/sp"}}).Body.String(); !strings.Contains(page, `name="saml.entity_id" value="https://wiki.univ.fr/sp"`) && !strings.Contains(page, `value="https://wiki.univ.fr/sp"`) || strings.Contains(page, "sp.univ.fr/acs\" index") {
		t.Error(page)
	}
	saml := url.Values{
		"id": {"paper"}, "name_en": {"Journals"}, "protocol": {"saml"}, "saml.entity_id": {"https://sp.univ.fr/sp"}, "saml.metadata": {spMetadata}, "saml.name_id": {"persistent"}, "saml.sign": {"assertion"},
	}
	if w := h.post("/sso/services", saml); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, failure(w))
	}
	if s := h.entry("paper"); s.SAML.NameID != registry.NameIDPersistent || s.SAML.Sign != registry.SignAssertion || s.SAML.Metadata != spMetadata {
		t.Errorf("%+v", s.SAML)
	}
	if page := failure(h.get("/sso/services?q=sp.univ.fr")); !strings.Contains(page, "Journals") || !strings.Contains(page, "SAML 2.0") {
		t.Error(page)
	}
	for _, path := range []string{"/sso/services/paper", "/sso/services/paper/edit"} {
		if w := h.get(path); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "⟦") {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestTheExportIsTheFileThatIsRead(t *testing.T) {
	h := one(t)
	h.enter(campustest.Alix())
	w := h.get("/sso/services.toml")
	services, err := registry.ReadFile("export", w.Body.Bytes())
	if err != nil || len(services) != len(testConfig().Services)+1 { // and the loopback
		t.Errorf("%d services, %v", len(services), err)
	}
	if some, err := registry.ReadFile("export", h.get("/sso/services.toml?q=moodle").Body.Bytes()); err != nil || len(some) != 1 {
		t.Errorf("%+v, %v", some, err)
	}
}

func TestAWalkShowsBothSides(t *testing.T) {
	h := one(t)
	alix := campustest.Alix()
	h.enter(alix)
	begin := func() string {
		w := h.post("/sso/services/moodle/walk", url.Values{})
		if w.Code != http.StatusSeeOther {
			t.Fatalf("%d", w.Code)
		}
		return w.Header().Get("Location")
	}
	see := func(path, want string) {
		t.Helper()
		if page := failure(h.get(path)); !strings.Contains(page, want) || strings.Contains(page, "⟦") {
			t.Errorf("no %q in %s", want, page)
		}
	}
	walk := begin()
	see(walk, "Nothing has happened yet")
	ticket := h.ticketFor(moodle)
	see(walk, "on its way")
	h.clock.Advance(time.Second)
	h.check(moodle, ticket)
	see(walk, "It works")
	see("/sso/services/moodle", "that it took")
	if page := h.get("/sso/services/moodle").Body.String(); !strings.Contains(page, `href="/sso/services/moodle/trace"`) {
		t.Error("the page of a service does not lead to its trace")
	}

	h.clock.Advance(time.Second)
	walk = begin()
	h.check("http://moodle.valmont.example/login/index.php?authCAS=CAS", h.ticketFor(moodle))
	see(walk, "presents our answer wrongly")
	see(walk, "http://moodle.valmont.example/login")

	h.clock.Advance(time.Minute)
	walk = begin()
	h.ticketFor(moodle)
	h.clock.Advance(time.Minute)
	see(walk, "never came for our answer")

	h.clock.Advance(2 * time.Hour)
	if w := h.get(walk); w.Code != http.StatusGone {
		t.Errorf("an old walk: %d", w.Code)
	}
	if w := h.get("/sso/services/moodle/walk/zzzzzzzzzzzz"); w.Code != http.StatusGone {
		t.Errorf("a walk of the future: %d", w.Code)
	}
}

func TestEveryQueryPreparesOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", tables...)
}
