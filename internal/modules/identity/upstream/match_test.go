package upstream

import "testing"

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
