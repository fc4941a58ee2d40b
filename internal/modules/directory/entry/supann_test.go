package entry

import (
	"strings"
	"testing"
)

func TestCodesOfFunctionsAreSaidInWords(t *testing.T) {
	for _, c := range []struct {
		name, role, french, english string
		known                       bool
	}{
		{"a code of SupAnn", "{SUPANN}D30", "Direction", "Director", true},
		{"as some directories write it", "{supann} r41", "Responsable de diplôme", "In charge of a degree", true},
		{"a body of civil servants", "{NCORPS}301", "Corps des maîtres de conférences", "Associate professor", true},
		{"a body with a letter in its code", "{ncorps} h05", "Corps des chargés de recherche", "Researcher", true},
		{"a body that has no name here", "{NCORPS}9ZZ", "9ZZ", "", true},
		{"no body", "{NCORPS}", "", "", false},
		{"a population", "{SUPANN}RGPF", "RGPF", "", true},
		{"a population of the institution", "{AMU}RGPF", "", "", false},
		{"words", "Référente handicap", "Référente handicap", "", true},
		{"a code that nobody knows", "{SUPANN}Z99", "", "", false},
		{"a code of the institution", "{HARPEGE}522", "", "", false},
		{"a code that was cut off", "{SUPANN}D3", "", "", false},
		{"a code without its brace", "{SUPANN", "", "", false},
		{"nothing", "", "", "", false},
	} {
		f, known := RoleNamed(c.role)
		if f.French != c.french || f.English != c.english || known != c.known {
			t.Errorf("%s: %+v, %v", c.name, f, known)
		}
	}
	for _, vocabulary := range []map[string]Function{roles, corps} {
		for code, f := range vocabulary {
			if f.French == "" || f.English == "" || len(code) != 3 || code != strings.ToUpper(code) {
				t.Errorf("%s is not said in both languages", code)
			}
		}
	}
}
