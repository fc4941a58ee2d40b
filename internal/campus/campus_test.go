package campus_test

import (
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
)

func TestAnAudienceAdmitsWhoItNames(t *testing.T) {
	doctoral := campus.Viewer{Person: "d", Affiliations: []campus.Affiliation{
		{Kind: campus.Student, Campus: "rives", Programme: "doc"}, {Kind: campus.Teacher, Campus: "port"},
	}}
	for _, c := range []struct {
		name     string
		audience campus.Audience
		viewer   campus.Viewer
		want     bool
	}{
		{"everybody", campus.Audience{}, campustest.Lina(), true},
		{"students", campus.Audience{Kinds: []campus.Kind{campus.Student}}, campustest.Lina(), true},
		{"students, asked by a teacher", campus.Audience{Kinds: []campus.Kind{campus.Student}}, campustest.Paul(), false},
		{"another campus", campus.Audience{Campuses: []string{"port"}}, campustest.Lina(), false},
		{"students of a programme", campus.Audience{Kinds: []campus.Kind{campus.Student}, Programmes: []string{"info"}}, campustest.Lina(), true},
		{"a right", campus.Audience{Rights: []campus.Right{campus.RightAdmin}}, campustest.Alix(), true},
		{"a right that is missing", campus.Audience{Rights: []campus.Right{campus.RightAdmin}}, campustest.Lina(), false},
		{"a right or a kind", campus.Audience{Kinds: []campus.Kind{campus.Student}, Rights: []campus.Right{campus.RightAdmin}}, campustest.Lina(), true},
		{"student here, teacher there", campus.Audience{Kinds: []campus.Kind{campus.Student}, Campuses: []string{"port"}}, doctoral, false},
		{"teacher there", campus.Audience{Kinds: []campus.Kind{campus.Teacher}, Campuses: []string{"port"}}, doctoral, true},
		{"a stranger and a kind", campus.Audience{Kinds: []campus.Kind{campus.Student}}, campus.Viewer{}, false},
	} {
		if got := c.audience.Admits(c.viewer); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestEachPersonHasOneFace(t *testing.T) {
	want := []campus.Face{campus.FaceStudent, campus.FaceTeacher, campus.FaceStaff, campus.FaceAgent, campus.FaceAdmin, campus.FaceGuest}
	for i, v := range campustest.Everyone() {
		if got := v.Face(); got != want[i] {
			t.Errorf("%s: %s", v.Login, got)
		}
	}
}

func TestFoldingForgivesAccentsCaseAndLigatures(t *testing.T) {
	for in, want := range map[string]string{
		"Œuvre d’Élise": "oeuvre d elise", "  Straße--ÅSA ": "strasse asa", "L'Haÿ-les-Roses": "l hay les roses",
		"ﬁn": "fin", "علي": "علي", "": "", "…": "",
	} {
		if got := campus.Fold(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzFoldingTwiceIsFoldingOnce(f *testing.F) {
	f.Add("Œuvre d’Élise")
	f.Add("\xff İ")
	f.Fuzz(func(t *testing.T, s string) {
		if once := campus.Fold(s); campus.Fold(once) != once {
			t.Errorf("%q: %q, then %q", s, once, campus.Fold(once))
		}
	})
}

func TestANameStaysOnItsLineAndTurnsNoWordAround(t *testing.T) {
	for typed, want := range map[string]string{
		"  Zoé\t\u00a0Quéré\r\nBcc: x ": "Zoé Quéré Bcc: x",
		"a\u202egpj.exe":                "agpj.exe",
		"a\u2066b\u2069":                "ab",
		"a\x00b\x1bc":                   "abc",
		"a\xffb":                        "ab",
		"زينب":                          "زينب",
		" \n ":                          "",
	} {
		if got := campus.OneLine(typed); got != want {
			t.Errorf("%q is kept as %q, want %q", typed, got, want)
		}
	}
}

func TestASlipOfTheHandIsASmallDistance(t *testing.T) {
	for pair, want := range map[[2]string]int{{"login", "login"}: 0, {"lgin", "login"}: 1, {"logni", "login"}: 2, {"", "abc"}: 3, {"kitten", "sitting"}: 3} {
		if got := campus.Distance(pair[0], pair[1]); got != want {
			t.Errorf("%q: %d, want %d", pair, got, want)
		}
	}
}
