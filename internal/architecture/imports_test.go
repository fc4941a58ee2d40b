package architecture

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// floors are the storeys of the house, from the top down. A package imports
// what lies on its own floor or below it.
var floors = []string{"cmd", "internal/app", "internal/modules", "internal/contract", "internal/ui", "internal/platform", "internal/campus"}

// outside are folders that look at the house from outside: tests of the whole
// and tools of those who build it. They may import anything, and nothing in
// the house imports them, except that tests on every floor say what they need.
var outside = []string{"internal/testenv", "internal/architecture", "e2e", "bench"}

// askingFor is how a test on any floor asks for a real program.
const askingFor = "internal/testenv/need"

func TestImportsOnlyGoDown(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if objection := judge(p.inside(), within(imported)); objection != "" {
				t.Errorf("%s imports %s: %s", p.inside(), within(imported), objection)
			}
		}
	}
}

func TestOnlyTestsImportWhatIsMadeForTests(t *testing.T) {
	for _, p := range packages(t) {
		if madeForTests(p.inside()) || below(p.inside(), []string{"bench", "e2e"}) { // what measures acts people out as tests do
			continue
		}
		for _, imported := range p.Imports {
			if inside := within(imported); madeForTests(inside) {
				t.Errorf("%s imports %s, which is for tests: move what the program needs into the package proper", p.inside(), inside)
			}
		}
	}
}

func TestEveryPackageHasItsFloor(t *testing.T) {
	for _, p := range packages(t) {
		if floor(p.inside()) < 0 && !below(p.inside(), outside) {
			t.Errorf("%s lies on no floor: a new folder belongs below one of %s; a new floor is a decision, write it down in docs/adr and here", p.inside(), strings.Join(floors, ", "))
		}
	}
}

func TestTheRulesOfImports(t *testing.T) {
	cases := []struct {
		name, importer, imported string
		allowed                  bool
	}{
		{"the hall sees every room", "internal/app", "internal/modules/portal", true},
		{"a room uses the contract", "internal/modules/portal", "internal/contract", true},
		{"a room uses its own alcove", "internal/modules/sso", "internal/modules/sso/cas", true},
		{"alcoves of one room know each other", "internal/modules/sso/registry", "internal/modules/sso/cas", true},
		{"tools know each other", "internal/platform/jobs", "internal/platform/db", true},
		{"anybody uses another module", "internal/platform/db", "", true},
		{"a room imports another room", "internal/modules/portal", "internal/modules/identity", false},
		{"a room looks into another room's alcove", "internal/modules/portal", "internal/modules/sso/cas", false},
		{"the hall declares what an alcove's configuration holds", "internal/app", "internal/modules/sso/registry", true},
		{"the demo fills what an alcove keeps", "internal/app/demo", "internal/modules/helpdesk/ticket", true},
		{"what the hall draws looks into an alcove", "internal/app/valmont", "internal/modules/helpdesk/ticket", false},
		{"a command looks into an alcove", "cmd/amphi", "internal/modules/sso/registry", false},
		{"a tool knows a room", "internal/platform/web", "internal/modules/identity", false},
		{"the look knows the contract", "internal/ui", "internal/contract", false},
		{"words do work", "internal/campus", "internal/platform/db", false},
		{"the house imports its tests", "internal/app", "e2e/house", false},
		{"a test asks for a real program", "internal/platform/saml", askingFor, true},
		{"a test starts the environment of the tests itself", "internal/platform/saml", "internal/testenv/child", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if objection := judge(c.importer, c.imported); (objection == "") != c.allowed {
				t.Errorf("allowed should be %v, the objection is %q", c.allowed, objection)
			}
		})
	}
}

// judge says what is wrong with an import and what to do instead; it is empty
// when the import is fine.
func judge(importer, imported string) string {
	if imported == "" || imported == askingFor || below(importer, outside) {
		return ""
	}
	if below(imported, outside) {
		return "the house does not know those who look at it from outside"
	}
	from, to := floor(importer), floor(imported)
	if from < 0 || to < 0 {
		return "" // TestEveryPackageHasItsFloor explains it
	}
	if from > to {
		return fmt.Sprintf("imports only go down (%s): say what you need as a small interface where you need it, and let internal/app/wire.go pass the value in", strings.Join(floors, " → "))
	}
	theirs, alcove := room(imported)
	if theirs == "" || roomOf(importer) == theirs {
		return ""
	}
	if roomOf(importer) != "" {
		return "a room never imports another room: ask for an interface in deps.go, and let internal/app/wire.go pass the other room's value in"
	}
	if alcove != "" && importer != "internal/app" && importer != "internal/app/demo" {
		return fmt.Sprintf("the alcove %s is for the room %s alone: let the room offer what you need", alcove, theirs)
	}
	return ""
}

// floor is the number of the storey that a package lies on, counted from the
// top; -1 is none.
func floor(inside string) int {
	return slices.IndexFunc(floors, func(f string) bool { return below(inside, []string{f}) })
}

// below tells whether a path is one of these folders or lies in one of them.
func below(inside string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return inside == f || strings.HasPrefix(inside, f+"/") })
}

// room names the room that a package belongs to, and the alcove in it.
func room(inside string) (name, alcove string) {
	rest, ok := strings.CutPrefix(inside, "internal/modules/")
	if !ok {
		return "", ""
	}
	name, alcove, _ = strings.Cut(rest, "/")
	return name, alcove
}

// roomOf names the room alone.
func roomOf(inside string) string {
	name, _ := room(inside)
	return name
}

// madeForTests tells whether a package's name says that it serves tests:
// dbtest, campustest.
func madeForTests(inside string) bool {
	return inside == askingFor || inside != "" && !below(inside, outside) && strings.HasSuffix(inside, "test")
}
