package source_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

type file struct {
	Sources []source.Config `toml:"sources"`
}

const good = `
[[sources]]
id = "univ"
kind = "ldap"
name_fr = "Annuaire"
preset = "supann"
map = { login = "lower(uid)", "group.code" = "cn" }
every = "15m"
[sources.ldap]
urls = ["ldaps://ldap.univ.example"]
base = "ou=people"
bind_dn = "cn=amphi"
bind_password = "x"
[[sources.affiliations]]
attribute = "memberOf"
value = "cn=students*"
kind = "student"
campus = "campus(l)"
[sources.tables.campus]
"Rennes 1" = "rives"
"*" = ""
`

func TestASourceIsReadFromTheConfigurationWithItsTables(t *testing.T) {
	var f file
	if err := config.ReadText("x.toml", []byte(good), nil, &f); err != nil {
		t.Fatal(err)
	}
	c := f.Sources[0]
	if c.Map["group.code"] != "cn" || c.Tables["campus"]["Rennes 1"] != "rives" || c.Affiliations[0].Kind != "student" || c.Name(campus.English) != "Annuaire" ||
		c.BrakeOr10() != 10 || c.PresetOrUsual() != source.PresetSupAnn || c.Pushed() {
		t.Errorf("it is %+v", c)
	}
}

func TestMistakesOfASourceAreToldAtOnceWithTheirKeys(t *testing.T) {
	for _, c := range []struct{ name, change, to, key string }{
		{"an identifier with capitals", `id = "univ"`, `id = "Univ"`, "sources[0].id"},
		{"an unknown kind", `kind = "ldap"`, `kind = "sql"`, "sources[0].kind"},
		{"an unknown preset", `"supann"`, `"novell"`, "sources[0].preset"},
		{"an unknown affiliation", `"student"`, `"alum"`, "sources[0].affiliations[0].kind"},
		{"people in clear", `ldaps://`, `ldap://`, "sources[0].ldap.urls[0]"},
		{"a name without a password", `bind_password = "x"`, ``, "sources[0].ldap.bind_password"},
		{"no base", `base = "ou=people"`, ``, "sources[0].ldap.base"},
		{"read every second", `"15m"`, `"1s"`, "sources[0].every"},
		{"a push that is read", `kind = "ldap"`, `kind = "scim"`, "sources[0].every"},
		{"a key that is not there", `every =`, `evry =`, "sources[0].evry"},
	} {
		var f file
		err := config.ReadText("x.toml", []byte(strings.Replace(good, c.change, c.to, 1)), nil, &f)
		var told *config.Error
		if !errors.As(err, &told) || !slices.ContainsFunc(told.Problems, func(p config.Problem) bool { return p.Key == c.key }) {
			t.Errorf("%s: %v, want %s", c.name, err, c.key)
		}
	}
	if p := source.CheckAll([]source.Config{{ID: "a"}, {ID: "b"}, {ID: "a"}}); len(p) != 1 || p[0].Key != "sources[2].id" {
		t.Errorf("two of one name: %v", p)
	}
}

func TestNamesThatMeanTheSameAreWrittenAlike(t *testing.T) {
	want := source.Name("uid=zoe,ou=people,dc=univ,dc=fr")
	for _, same := range []string{"UID=zoe, OU=people, DC=univ,DC=fr", "uid = Zoe,ou=people,dc=univ,dc=fr", `uid=\7aoe,ou=people,dc=univ,dc=fr`} {
		if got := source.Name(same); got != want {
			t.Errorf("%s: %s, want %s", same, got, want)
		}
	}
	for other, want := range map[string]string{" ZOE ": "zoe", "=,=": "=,=", `cn=a\,b,dc=x`: `cn=a\,b,dc=x`} {
		if got := source.Name(other); got != want {
			t.Errorf("%q: %q, want %q", other, got, want)
		}
	}
}
