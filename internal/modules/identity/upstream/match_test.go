package upstream

import (
	"os"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", db.Migrations{Name: "identity", FS: os.DirFS("../migrations")})
}

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

func TestMembersOfAFederationSayWhatPeopleAreInTheirOwnHouse(t *testing.T) {
	for name, c := range map[string]struct {
		create  CreateConfig
		problem string
	}{
		"an affiliation with its scope":  {CreateConfig{Affiliations: []AffiliationConfig{{Attribute: "eduPersonScopedAffiliation", Value: "student@univ.example", Kind: "student"}}}, ""},
		"everybody, on purpose":          {CreateConfig{Affiliations: []AffiliationConfig{{Kind: "guest"}}}, ""},
		"an affiliation without a scope": {CreateConfig{Affiliations: []AffiliationConfig{{Attribute: "eduPersonAffiliation", Value: "student", Kind: "student"}}}, "create.affiliations[0].attribute"},
		"a scope that is left out":       {CreateConfig{Affiliations: []AffiliationConfig{{Attribute: "eduPersonScopedAffiliation", Value: "student", Kind: "student"}}}, "create.affiliations[0].value"},
		"whatever somebody says":         {CreateConfig{Affiliations: []AffiliationConfig{{Attribute: "eduPersonScopedAffiliation", Kind: "student"}}}, "create.affiliations[0].value"},
		"a login that anybody gives":     {CreateConfig{Login: "uid", Affiliations: []AffiliationConfig{{Kind: "guest"}}}, "create.login"},
		"a login of their own house":     {CreateConfig{Login: "eduPersonPrincipalName", Affiliations: []AffiliationConfig{{Kind: "guest"}}}, ""},
	} {
		c.create.Allowed = true
		config := Config{
			ID: "many", Kind: KindSAML, NameFrench: "x", NameEnglish: "x", Create: c.create,
			SAML: SAMLConfig{MetadataURL: "https://federation.example/", DiscoveryURL: "https://discovery.example/", MetadataCertificate: "federation.pem"},
		}
		problems := config.Check()
		if len(problems) > 1 || len(problems) == 1 && problems[0].Key != c.problem || len(problems) == 0 && c.problem != "" {
			t.Errorf("%s: %v", name, problems)
		}
		config.SAML.DiscoveryURL, config.SAML.MetadataCertificate = "", ""
		if problems := config.Check(); len(problems) > 0 {
			t.Errorf("%s, of one provider: %v", name, problems)
		}
	}
}

func TestANewAccountOfAFederationTakesNobodysName(t *testing.T) {
	many := &upstream{Config: Config{Domains: []string{"univ.example"}, SAML: SAMLConfig{DiscoveryURL: "https://discovery.example/"}}}
	one := &upstream{Config: Config{Domains: []string{"univ.example"}}}
	for name, c := range map[string]struct {
		u     *upstream
		a     map[string][]string
		login string
	}{
		"of ours":                      {many, map[string][]string{"eduPersonPrincipalName": {"LMartin@univ.example"}}, "lmartin"},
		"of another house":             {many, map[string][]string{"eduPersonPrincipalName": {"lmartin@other.example"}}, "lmartin.other.example"},
		"without a domain":             {many, map[string][]string{"eduPersonPrincipalName": {"lmartin"}}, ""},
		"as anybody may say":           {many, map[string][]string{"uid": {"lmartin"}}, ""},
		"as the only provider says it": {one, map[string][]string{"uid": {"lmartin"}}, "lmartin"},
	} {
		if got := c.u.newLogin(Answer{Attributes: c.a}); got != c.login {
			t.Errorf("%s: the login is %q", name, got)
		}
	}
	x := &Upstreams{all: []*upstream{many, {Config: Config{Domains: []string{"campus.example"}}}}}
	x.OwnDomain = func(domain string) bool { return domain == "our.example" }
	for name, c := range map[string]struct {
		u    *upstream
		a    map[string][]string
		want string
	}{
		"an address of its own":        {many, map[string][]string{"mail": {"Lina@other.example"}}, "lina@other.example"},
		"an address of nobody we know": {many, map[string][]string{UnscopedMail: {"lina@post.example"}}, "lina@post.example"},
		"an address of our people":     {many, map[string][]string{UnscopedMail: {"dean@our.example"}}, ""},
		"an address of another house":  {many, map[string][]string{UnscopedMail: {"dean@campus.example"}}, ""},
		"what the only provider says":  {one, map[string][]string{"mail": {"dean@our.example"}}, "dean@our.example"},
	} {
		if got := x.newMail(c.u, Answer{Attributes: c.a}); got != c.want {
			t.Errorf("%s: the address is %q", name, got)
		}
	}
}
