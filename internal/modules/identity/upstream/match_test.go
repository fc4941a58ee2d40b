package upstream

import (
	"strings"
	"testing"
)

func TestNoLetterPassesForAnother(t *testing.T) {
	for name, c := range map[string]struct{ typed, want string }{
		"capitals":                 {"Lina.MARTIN@Valmont.Example", "lina.martin@valmont.example"},
		"accents":                  {"ÉLODIE", "élodie"},
		"the Kelvin sign for a k":  {"\u212aim", "\u212aim"},
		"the dotted I for an i":    {"adm\u0130n", "adm\u0130n"},
		"a letter of another kind": {"\u0410dmin", "\u0430dmin"}, // Cyrillic
	} {
		if got := fold(c.typed); got != c.want {
			t.Errorf("%s: %q is compared as %q", name, c.typed, got)
		}
	}
}

func TestANamesakeOfAnotherDomainIsNobodyOfOurs(t *testing.T) {
	rule := MatchConfig{Attribute: "userPrincipalName", Field: FieldLogin, DropDomain: true}
	for name, c := range map[string]struct {
		domains     []string
		value, want string
	}{
		"of a domain of the upstream":     {[]string{"univ.example"}, "lmartin@UNIV.example", "lmartin"},
		"of another domain":               {[]string{"univ.example"}, "lmartin@evil.example", ""},
		"of a domain below":               {[]string{"univ.example"}, "lmartin@x.univ.example", ""},
		"without a domain":                {[]string{"univ.example"}, "lmartin", "lmartin"},
		"where no domains are configured": {nil, "lmartin@univ.example", "lmartin"},
	} {
		u := &upstream{Config: Config{Domains: c.domains}}
		if got := u.compared(rule, c.value); got != c.want {
			t.Errorf("%s: %q is compared as %q", name, c.value, got)
		}
	}
}

func TestMembersOfAFederationMatchByWhatIsTheirsToGive(t *testing.T) {
	for name, c := range map[string]struct {
		rule MatchConfig
		many bool
		fits bool
	}{
		"an address":                       {MatchConfig{Attribute: "mail", Field: FieldMail}, true, true},
		"a name with a scope":              {MatchConfig{Attribute: "eduPersonPrincipalName", Field: FieldExternal}, true, true},
		"a name whose scope is left out":   {MatchConfig{Attribute: "eduPersonPrincipalName", Field: FieldLogin, DropDomain: true}, true, false},
		"a login":                          {MatchConfig{Attribute: "uid", Field: FieldLogin}, true, false},
		"a student number":                 {MatchConfig{Attribute: "supannEtuId", Field: FieldStudentNumber}, true, false},
		"a student number of one provider": {MatchConfig{Attribute: "supannEtuId", Field: FieldStudentNumber}, false, true},
	} {
		config := Config{ID: "many", Kind: KindSAML, NameFrench: "x", NameEnglish: "x", Match: []MatchConfig{c.rule}, SAML: SAMLConfig{MetadataURL: "https://federation.example/"}}
		if c.many {
			config.SAML.DiscoveryURL, config.SAML.MetadataCertificate = "https://discovery.example/", "federation.pem"
		}
		problems := config.Check()
		if fits := len(problems) == 0; fits != c.fits || !fits && !strings.Contains(problems[0].Key, "match[0]") {
			t.Errorf("%s: %v", name, problems)
		}
	}
}
