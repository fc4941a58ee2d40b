package architecture

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// place is something that ties the repository to one machine or one network.
type place struct {
	what    string
	pattern *regexp.Regexp
}

// places are written so that this file does not contain what it looks for.
var places = []place{
	{"a package registry; its clients know where it is", regexp.MustCompile(`\b(proxy|sum)\.` + `golang\.org|\bregistry\.` + `(npmjs\.org|yarnpkg\.com)|\b(deb|security)\.` + `debian\.org|\bpypi\.` + `org|\brepo[0-9]?\.` + `maven\.|\bcrates\.` + `io\b`)},
	{"a folder of somebody's machine; say it relative to the repository", regexp.MustCompile(`(^|[\s"'` + "`" + `=:(])/(` + `home|Users|root|work|mnt|media` + `)/[A-Za-z0-9._-]+`)},
}

func TestNoFileNamesARegistryOrSomebodysMachine(t *testing.T) {
	for _, name := range files(t) {
		if !isText(name) || path.Base(name) == "go.sum" || path.Base(name) == "tools.sum" {
			continue
		}
		number := 0
		for line := range strings.Lines(read(t, name)) {
			number++
			if len(line) > 10_000 {
				continue // a program squeezed into one line is somebody else's work
			}
			for _, p := range places {
				if found := p.pattern.FindString(line); found != "" {
					t.Errorf("%s:%d names %s: that is %s", name, number, strings.TrimSpace(found), p.what)
				}
			}
		}
	}
}

func isText(name string) bool {
	return slices.Contains([]string{"", ".go", ".templ", ".md", ".toml", ".sql", ".css", ".js", ".json", ".html", ".yaml", ".yml", ".xml", ".txt", ".sh", ".mod", ".svg", ".golden"}, path.Ext(name))
}

func TestEveryPackageOpensWithASentenceOnItsJob(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 && p.Doc == "" && !strings.Contains(p.inside()+"/", "/sqlgen/") {
			t.Errorf("%s has no package comment: begin one file with “// Package … ” and one sentence on its job", p.inside())
		}
	}
}

// crowd is how many hand-written files a flat package may have before it asks
// for an alcove.
const crowd = 25

func TestNoPackageIsACrowd(t *testing.T) {
	for _, p := range packages(t) {
		byHand := 0
		for _, name := range p.GoFiles {
			if !generated(p.inside() + "/" + name) {
				byHand++
			}
		}
		if byHand > crowd {
			t.Errorf("%s has %d files: move a mechanism of its own into an alcove, a package inside it that only it imports", p.inside(), byHand)
		}
	}
}

func TestNoPackageHasANameThatSaysNothing(t *testing.T) {
	empty := []string{"common", "util", "utils", "models", "types", "helpers", "helper", "misc", "shared", "base", "lib"}
	for _, p := range packages(t) {
		if last := path.Base(p.inside()); slices.Contains(empty, last) {
			t.Errorf("%s: a package is named for what it gives; put each thing where it is used, or name the one thing that this is about", p.inside())
		}
	}
}

func TestTheTextPatterns(t *testing.T) {
	cases := []struct {
		text  string
		found bool
	}{
		{fmt.Sprintf("see https://%s.golang.org/x", "proxy"), true},
		{fmt.Sprintf("in /%s/zoe/amphi", "home"), true},
		{"the page /portal/home/settings", false},
		{"go install example.org/tool@latest", false},
	}
	for _, c := range cases {
		found := slices.ContainsFunc(places, func(p place) bool { return p.pattern.MatchString(c.text) })
		if found != c.found {
			t.Errorf("%q: found should be %v", c.text, c.found)
		}
	}
}
