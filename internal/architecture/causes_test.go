package architecture

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

// causes is the table of what keeps people from signing in, and where each cause
// is shown.
const causes = "docs/signin.md"

// named is a test as the table names it: package.TestName.
var named = regexp.MustCompile("`([a-z0-9]+)\\.(Test[A-Za-z0-9]+)`")

// declared is how a test begins in its file.
var declared = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(t \*testing\.T\)`)

func TestTheCausesOfAFailedSignInNameTestsThatExist(t *testing.T) {
	exist := map[string]bool{}
	for _, name := range files(t) {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, found := range declared.FindAllStringSubmatch(read(t, name), -1) {
			exist[path.Base(path.Dir(name))+"."+found[1]] = true
		}
	}
	text := read(t, causes)
	promised := named.FindAllStringSubmatch(text, -1)
	if len(promised) < 50 {
		t.Fatalf("%s names only %d tests", causes, len(promised))
	}
	for _, p := range promised {
		if !exist[p[1]+"."+p[2]] {
			t.Errorf("%s names %s.%s, which does not exist", causes, p[1], p[2])
		}
	}
	if strings.Contains(text, "TODO") {
		t.Errorf("%s has places that nobody filled", causes)
	}
}
