package saml

import (
	"reflect"
	"testing"
	"time"

	"github.com/beevik/etree"
)

type entityUnderTest struct{ *Entity }

func (e entityUnderTest) withID() *etree.Element {
	el := e.Element()
	el.CreateAttr("ID", "_entity")
	return el
}

func ptr[T any](v T) *T { return &v }

// anEntity is both kinds of party at once, with everything that we write.
func anEntity() entityUnderTest {
	signing, encryption := rsaPair().Public(), readerPair().Public()
	keys := []RoleKey{
		{PublicKey: signing, Use: UseSigning}, {PublicKey: otherPair().Public(), Use: UseSigning},
		{PublicKey: encryption, Use: UseEncryption, Ciphers: []Cipher{AES256GCM, AES128CBC}},
	}
	return entityUnderTest{&Entity{
		ID: ourSP, ValidUntil: noon.Add(24 * time.Hour), CacheDuration: 6 * time.Hour,
		Attributes: []Attribute{
			{Name: CategoryAttribute, NameFormat: NameFormatURI, Values: Texts(CategoryResearch, CategoryCodeOfConduct2)},
			{Name: AssuranceAttribute, NameFormat: NameFormatURI, Values: Texts(AssuranceSirtfi)},
		},
		Registration: &Registration{Authority: "https://federation.renater.fr/", Instant: noon.Add(-time.Hour),
			Policies: []Localized{{"fr", "https://federation.renater.fr/politique"}}},
		IDP: &IDPRole{
			Role: Role{
				ErrorURL: "https://idp.univ.example/why", Keys: keys,
				Logout:        []Endpoint{{Binding: Redirect, Location: "https://idp.univ.example/slo", ResponseLocation: "https://idp.univ.example/slo/answer"}},
				NameIDFormats: []string{FormatPersistent, FormatTransient},
				UI: UI{
					DisplayNames: []Localized{{"fr", "Université"}, {"en", "University"}}, Descriptions: []Localized{{"fr", "Où l’on étudie"}},
					InformationURLs: []Localized{{"fr", "https://univ.example/"}}, PrivacyURLs: []Localized{{"en", "https://univ.example/privacy"}},
					Keywords: []Localized{{"fr", "univ fac"}}, Logos: []Logo{{URL: "https://univ.example/logo.png", Width: 80, Height: 60, Lang: "fr"}, {URL: "https://univ.example/16.png", Width: 16, Height: 16}},
					Domains: []string{"univ.example"}, Networks: []string{"192.0.2.0/24"},
				},
				Scopes: []Scope{{Value: "univ.example"}, {Value: `^.+\.univ\.example$`, Regexp: true}},
			},
			WantRequestsSigned: true,
			SSO:                []Endpoint{{Binding: Redirect, Location: "https://idp.univ.example/sso"}, {Binding: POST, Location: "https://idp.univ.example/sso"}},
			Attributes:         []Attribute{{Name: "urn:oid:0.9.2342.19200300.100.1.3", NameFormat: NameFormatURI, FriendlyName: "mail"}},
		},
		SP: &SPRole{
			Role:           Role{Keys: keys, Logout: []Endpoint{{Binding: SOAP, Location: "https://sp.univ.example/slo"}}},
			RequestsSigned: true, WantAssertionsSigned: true,
			ACS: []Endpoint{
				{Binding: Artifact, Location: ourACS + "/artifact", Index: ptr(1)},
				{Binding: POST, Location: ourACS, Index: ptr(2), Default: ptr(true)},
				{Binding: POST, Location: ourACS + "/other", Index: ptr(3), Default: ptr(false)},
			},
			Services: []AttributeService{{Index: 1, Default: true, Names: []Localized{{"fr", "Bibliothèque"}}, Descriptions: []Localized{{"en", "Library"}},
				Requested: []RequestedAttribute{
					{Attribute: Attribute{Name: "urn:oid:0.9.2342.19200300.100.1.3", NameFormat: NameFormatURI, FriendlyName: "mail"}, Required: true},
					{Attribute: Attribute{Name: "urn:oid:1.3.6.1.4.1.5923.1.1.1.1", NameFormat: NameFormatURI, Values: Texts("member")}},
				}}},
			Discovery: []Endpoint{{Binding: NSDiscovery, Location: "https://sp.univ.example/disco", Index: ptr(1)}},
		},
		Organization: &Organization{Names: []Localized{{"fr", "univ"}}, DisplayNames: []Localized{{"fr", "Université"}}, URLs: []Localized{{"fr", "https://univ.example"}}},
		Contacts: []Contact{
			{Kind: ContactTechnical, Company: "DSI", GivenName: "Sam", SurName: "Martin", Emails: []string{"sam@univ.example"}, Phones: []string{"+33 1"}},
			{Kind: ContactSecurity, GivenName: "CSIRT", Emails: []string{"csirt@univ.example"}},
		},
	}}
}

func TestMetadataIsReadAsItWasWritten(t *testing.T) {
	want := anEntity().Entity
	for _, by := range []*Credential{nil, ptr(rsaPair()), ptr(pairs[P256]())} {
		data, err := WriteMetadata(want, by)
		if err != nil {
			t.Fatal(err)
		}
		trust := Trust{}
		if by != nil {
			trust.Keys = keysOf(*by)
		}
		var got *Entity
		aggregate, err := ReadMetadata(data, trust, func(e *Entity) error { got = e; return nil })
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if aggregate.Entities != 1 || (aggregate.Proof != nil) != (by != nil) || !aggregate.ValidUntil.Equal(want.ValidUntil) {
			t.Errorf("the document: %+v", aggregate)
		}
	}
}

func TestWhatMetadataSaysOfAnEntity(t *testing.T) {
	e := anEntity().Entity
	if !e.Is(CategoryResearch) || e.Is(CategoryAnonymous) || !e.Assured(AssuranceSirtfi) || e.Supports(CategoryResearch) {
		t.Error("categories are mixed up")
	}
	if got := e.Contact(ContactSecurity, ContactTechnical); len(got) != 1 || got[0] != "csirt@univ.example" {
		t.Errorf("contact %v", got)
	}
	if got := e.Contact(ContactSupport, ContactTechnical); len(got) != 1 || got[0] != "sam@univ.example" {
		t.Errorf("contact %v", got)
	}
	if n := len(e.IDP.SigningKeys()); n != 2 {
		t.Errorf("%d keys sign during a roll-over", n)
	}
	if keys := e.SP.EncryptionKeys(); len(keys) != 1 || !keys[0].Certificate.Equal(readerPair().Certificate) {
		t.Errorf("%d keys decrypt", len(keys))
	}
	if got := InLanguage(e.IDP.UI.DisplayNames, "de", "en", "fr"); got != "University" {
		t.Errorf("named %s", got)
	}
	if got := InLanguage(e.IDP.UI.Descriptions, "en"); got != "Où l’on étudie" {
		t.Errorf("described %s", got)
	}
}

func TestAnAnswerGoesToARegisteredAddress(t *testing.T) {
	sp := anEntity().SP
	for _, c := range []struct {
		name string
		q    *AuthnRequest
		want string
	}{
		{"by default, when nobody asked", nil, ourACS},
		{"by default, when the request says nothing", &AuthnRequest{}, ourACS},
		{"by index", &AuthnRequest{ACSIndex: ptr(3)}, ourACS + "/other"},
		{"by address", &AuthnRequest{ACSURL: ourACS + "/other"}, ourACS + "/other"},
		{"by address and binding", &AuthnRequest{ACSURL: ourACS, ProtocolBinding: POST}, ourACS},
		{"by binding", &AuthnRequest{ProtocolBinding: Artifact}, ourACS + "/artifact"},
		{"never to an index that nobody registered", &AuthnRequest{ACSIndex: ptr(9)}, ""},
		{"never to an address that nobody registered", &AuthnRequest{ACSURL: "https://evil.example/"}, ""},
		{"never to an address that only begins like one", &AuthnRequest{ACSURL: ourACS + "x"}, ""},
		{"never by a binding that it does not speak", &AuthnRequest{ACSURL: ourACS, ProtocolBinding: PAOS}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := sp.ACSFor(c.q)
			if e.Location != c.want || (err != nil) != (c.want == "") {
				t.Errorf("got %q, %v", e.Location, err)
			}
		})
	}
}

func TestTheDefaultEndpointIsTheOneOfTheStandard(t *testing.T) {
	first, second := Endpoint{Location: "1"}, Endpoint{Location: "2"}
	no, yes := Endpoint{Location: "no", Default: ptr(false)}, Endpoint{Location: "yes", Default: ptr(true)}
	for _, c := range []struct {
		among []Endpoint
		want  string
	}{
		{[]Endpoint{first, yes}, "yes"}, {[]Endpoint{no, first, second}, "1"}, {[]Endpoint{no, no}, "no"}, {nil, ""},
	} {
		if got, _ := DefaultEndpoint(c.among); got.Location != c.want {
			t.Errorf("of %v: %s", c.among, got.Location)
		}
	}
}

func TestADurationIsRead(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT6H": 6 * time.Hour, "P1D": 24 * time.Hour, "P1DT1H30M": 25*time.Hour + 30*time.Minute, "PT3600.000S": time.Hour, "P0Y0M1DT0H0M0S": 24 * time.Hour,
		"P": -1, "PT": -1, "6H": -1, "-P1D": -1, "P9999Y": -1, "PT1H1": -1,
	} {
		r := &reader{}
		el := etree.NewElement("x")
		el.CreateAttr("d", text)
		if got := r.duration(el, "d"); got != want && (want >= 0 || r.err == nil) {
			t.Errorf("%s is %s, %v", text, got, r.err)
		}
	}
}
