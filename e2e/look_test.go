package e2e

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// Nobody keeps a list of pages: the tests follow every link from each person's
// home, so a new page is looked at from the day that something leads to it.

func TestEveryPageOfAVisitorHolds(t *testing.T) {
	walk(t, "", "/login", "/logout/done", "/portal/help", "/portal/accessibility", "/no-such-page")
}

func TestEveryPageOfAStudentHolds(t *testing.T) { walk(t, "student", "/") }

func TestEveryPageOfATeacherHolds(t *testing.T) { walk(t, "teacher", "/") }

func TestEveryPageOfAStaffMemberHolds(t *testing.T) { walk(t, "staff", "/") }

func TestEveryPageOfAnAgentHolds(t *testing.T) { walk(t, "agent", "/") }

func TestEveryPageOfAnAdministratorHolds(t *testing.T) { walk(t, "admin", "/") }

// seen are the kinds of pages that a walk has looked at; homes differ
// from person to person and are looked at each time.
var seen struct {
	sync.Mutex
	count map[string]int
}

// looked notes that somebody looks at a page, and tells whether that is needed:
// one of each kind is looked at in every way.
func looked(path string) bool {
	seen.Lock()
	defer seen.Unlock()
	if seen.count == nil {
		seen.count = map[string]int{}
	}
	if path == "/" {
		return true
	}
	seen.count[kind(path)]++
	return seen.count[kind(path)] == 1
}

// walk follows every link from these pages on and looks at each page in every
// way that we promise: narrow and wide, light and dark, with and without
// scripts.
func walk(t *testing.T, who string, from ...string) {
	t.Parallel() // with the other walks: a browser that waits leaves a core to them
	h := house.Shared(t)
	var tabs []*browser.Tab
	for _, look := range []browser.Look{browser.Phone, browser.Phone.WithoutScript()} {
		tab := visitor(t, h, look)
		if who != "" {
			tab = signedIn(t, h, look, who)
		}
		tab.Expect(http.StatusNotFound) // one page of the walk is that page
		tabs = append(tabs, tab)
	}
	met := map[string]bool{}
	kinds := map[string]int{}
	for queue := from; len(queue) > 0; queue = queue[1:] {
		path := queue[0]
		if met[path] || leadsOut(path) || kinds[kind(path)] >= 2 {
			continue
		}
		met[path] = true
		kinds[kind(path)]++
		tabs[0].Visit(path)
		if !tabs[0].IsPage() {
			continue
		}
		queue = append(queue, tabs[0].Links()...)
		if looked(path) {
			tabs[1].Visit(path)
			lookAt(t, who, path, tabs)
		}
	}
	if len(met) < len(from) {
		t.Errorf("the walk of %q met only %d pages", who, len(met))
	}
	t.Logf("%d pages met", len(met))
}

// lookAt checks the page that these tabs have open, and says of each flaw in
// which looks it shows. axe looks at it in two ways that have nothing in common:
// which ones goes by the kind of the page, so that the pages together are seen in
// all eight, and the same page always in the same two.
func lookAt(t *testing.T, who, path string, tabs []*browser.Tab) {
	var flaws []string // in the order in which they were met
	shows := map[string][]string{}
	all := browser.Looks()
	one := all[crc32.ChecksumIEEE([]byte(kind(path)))%uint32(len(all))]
	for _, tab := range tabs {
		for _, look := range all {
			closely := thorough || look == one || look == one.Opposite()
			if look.Script != tab.HasScript() || look.Dark && !closely { // in the dark it is as wide
				continue
			}
			tab.Look(look)
			found := tab.Misfits()
			if closely {
				found = append(found, tab.Barriers()...)
			}
			for _, flaw := range append(found, tab.Problems()...) {
				if shows[flaw] == nil {
					flaws = append(flaws, flaw)
				}
				shows[flaw] = append(shows[flaw], look.String())
			}
			if look.Script {
				tab.Picture(pictureName(who, path))
			}
		}
	}
	for _, flaw := range flaws {
		t.Errorf("%s as %s sees it, at %s: %s", path, cmp.Or(who, "a visitor"), strings.Join(shows[flaw], ", "), flaw)
	}
}

// thorough is set by who wants pictures of everything, and has time.
var thorough = os.Getenv("AMPHI_SCREENS") != ""

// axed are the pages of stories that axe has looked at: by their names and the
// widths, whether with scripts.
var axed struct {
	sync.Mutex
	script map[string]bool
}

// seenOtherwise tells whether axe has looked at this page at this width in the
// other way of the story, and notes that it looks now unless it has.
func seenOtherwise(name string, look browser.Look) bool {
	axed.Lock()
	defer axed.Unlock()
	if axed.script == nil {
		axed.script = map[string]bool{}
	}
	key := fmt.Sprint(name, look.Width)
	script, seen := axed.script[key]
	if !seen {
		axed.script[key] = look.Script
	}
	return seen && script != look.Script
}

// shown looks at a page that is new in a story, and keeps its picture. axe sees
// it as the story does, without scripts when the story has such a way, and on the
// other width in the dark.
func shown(tab *browser.Tab, look browser.Look, name string) {
	if thorough || !seenOtherwise(name, look) {
		tab.Check()
	} else {
		tab.Glance()
	}
	tab.Picture(name)
	if !look.Script {
		return
	}
	other := browser.Desk.InTheDark()
	if look.Width == other.Width {
		other = browser.Phone.InTheDark()
	}
	tab.Look(other)
	tab.Check()
	tab.Picture(name)
	tab.Look(look)
}

// leadsOut tells whether following a link would end the session, leave the
// house, change the language or fetch a file.
func leadsOut(path string) bool {
	for _, start := range []string{"/logout", "/cas/", "/assets/", "/language/"} {
		if strings.HasPrefix(path, start) {
			return true
		}
	}
	// A service, or what a notification is about; a file to keep.
	return strings.HasSuffix(path, "/open") || files.MatchString(path)
}

// files are the addresses of files to keep.
var files = regexp.MustCompile(`\.(csv|json|toml|ics|vcf|zip)(\?|$)`)

// things are the pieces of an address that name one thing among many:
// /sso/services/moodle, ?page=2.
var things = regexp.MustCompile(`^(/[^/?]+/[^/?]+)/[^/?]+|^(/why)/[^/?]+|=[^&]*`)

// kind is what pages about different things of one kind have in common.
func kind(path string) string {
	if strings.HasSuffix(path, "/new") {
		return path // a form for a thing that is not there yet
	}
	if guide, _, _ := strings.Cut(path, "?"); strings.HasPrefix(guide, "/helpdesk/ask/") && guide != "/helpdesk/ask/write" {
		return "/helpdesk/ask/" + strings.Repeat("one/", strings.Count(guide, "/")-2) // every answer leads to a page of one of two kinds
	}
	return things.ReplaceAllString(path, "$1$2/one")
}

// pictureName names a page's picture after who sees it and what kind it is.
func pictureName(who, path string) string {
	words := strings.FieldsFunc(cmp.Or(who, "visitor")+kind(path), func(r rune) bool { return strings.ContainsRune("/?=&", r) })
	if len(words) < 2 {
		words = append(words, "home")
	}
	return strings.Join(words, "-")
}
