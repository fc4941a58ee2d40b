package entry

import "testing"

func TestCodesOfFunctionsAreSaidInWords(t *testing.T) {
	for _, c := range []struct {
		name, role, french, english string
		known                       bool
	}{
		{"a code of SupAnn", "{SUPANN}D30", "Direction", "Director", true},
		{"as some directories write it", "{supann} r41", "Responsable de diplôme", "In charge of a degree", true},
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
	for code, f := range roles {
		if f.French == "" || f.English == "" || len(code) != 3 {
			t.Errorf("%s is not said in both languages", code)
		}
	}
}
