package registry

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
)

func everyProtocol() []Service {
	return []Service{
		{
			ID: "wiki", NameFrench: "Wiki de l’université", NameEnglish: "University wiki", Protocol: CAS, Patterns: []string{"https://wiki.univ.fr/"}, Home: "https://wiki.univ.fr/",
			Audience: campus.Audience{Kinds: []campus.Kind{campus.Staff}, Campuses: []string{"rives"}}, Attributes: []Attribute{DisplayName, Mail}, Required: []Attribute{Mail},
			ReasonFrench: "Pour signer \"vos\" pages.", Owner: "DSI", Contact: "wiki@univ.fr", Factor: FactorFresh, SessionLimit: 8 * time.Hour, SecretEnds: "2027-09-01",
		},
		{ID: "paper", NameFrench: "Revues", Protocol: SAML, Consent: true, SAML: SAMLPeer{EntityID: "https://paper.example/sp", Metadata: "<?xml version=\"1.0\"?>\n<EntityDescriptor a='b'/>\n", Sign: SignAssertion}},
		{ID: "git", NameFrench: "Forge", Protocol: OIDC, Disabled: true, OIDC: OIDCClient{ClientID: "git", SecretHash: strings.Repeat("a1", 32), RedirectURIs: []string{"https://git.univ.fr/cb"}, PKCE: true}},
		{ID: "map", NameEnglish: "Map", Protocol: Link, Home: "/map"},
	}
}

func TestAFileIsReadAsItWasWritten(t *testing.T) {
	var text strings.Builder
	if err := WriteFile(&text, everyProtocol()); err != nil {
		t.Fatal(err)
	}
	again, err := ReadFile("services.toml", []byte(text.String()))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text.String())
	}
	if !reflect.DeepEqual(again, everyProtocol()) {
		t.Errorf("read %+v of\n%s", again, text.String())
	}
}

func TestTheTablesOfTheConfigurationAreReadToo(t *testing.T) {
	services, err := ReadFile("amphi.toml", []byte("[[sso.services]]\nid = 'wiki'\nname_fr = 'Wiki'\npatterns = ['https://wiki.univ.fr/']\n"))
	if err != nil || len(services) != 1 || services[0].Protocol != CAS {
		t.Errorf("%+v, %v", services, err)
	}
}

func TestMistakesInAFileHaveTheirLines(t *testing.T) {
	text := `[[services]]
id = "wiki"
name_fr = "Wiki"
patterns = ["https://wiki.univ.fr/"]
attributes = ["password"]

[[services]]
id = "wiki"
name_fr = "Paper"
protocol = "saml"
colour = "red"

[services.saml]
metadata_url = "ftp://x"
`
	_, err := ReadFile("services.toml", []byte(text))
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	for _, want := range []string{"line 5: services[0].attributes", "line 8: services[1].id", "line 11: services[1].colour", "line 14: services[1].saml.metadata_url", "services[1].saml.entity_id"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told: %v", want, err)
		}
	}
}

func TestAKeyIsSetAsAFileWritesIt(t *testing.T) {
	s := Service{ID: "wiki", SAML: SAMLPeer{AttributeNames: []string{"a=mail", "b=sn", "c=cn"}, NameID: NameIDEmail}}
	for _, given := range [][2]string{
		{"home", "https://wiki.univ.fr/?a=b"}, {"saml.name_id_from", "uid"}, {"saml.attribute_names", "IDPEmail=mail"}, {"oidc.dpop", "true"},
		{"oidc.scopes", "email, profile"}, {"session_limit", "8h"}, {"audience.kinds", "student,staff"},
	} {
		if err := s.Set(given[0], given[1]); err != nil {
			t.Errorf("%s: %v", given[0], err)
		}
	}
	want := Service{
		ID: "wiki", Home: "https://wiki.univ.fr/?a=b", SessionLimit: 8 * time.Hour, Audience: campus.Audience{Kinds: []campus.Kind{campus.Student, campus.Staff}},
		SAML: SAMLPeer{NameIDFrom: "uid", AttributeNames: []string{"IDPEmail=mail"}, NameID: NameIDEmail}, OIDC: OIDCClient{DPoP: true, Scopes: []string{"email", "profile"}},
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("%+v", s)
	}
	for key, says := range map[string]string{"saml.nameid_from": "did you mean", "oidc.dpop": "dpop", "saml": "saml", "": "no such key", "-": "no such key"} {
		if err := s.Set(key, "perhaps"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", key, err)
		}
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("a key that cannot be read left %+v", s)
	}
}
