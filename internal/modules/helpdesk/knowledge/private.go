package knowledge

import (
	"regexp"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
)

// privates find what may be about somebody: addresses, telephone and other long
// numbers.
var privates = []*regexp.Regexp{
	regexp.MustCompile(`[\p{L}\d._%+-]+@[\p{L}\d.-]+\.\p{L}{2,}`),
	regexp.MustCompile(`\+?\d(?:[\d .-]{6,}\d)`),
}

// mostPrivate is how many are pointed out.
const mostPrivate = 20

// private lists what of a text may be about somebody: what always looks like it, and
// the names that are given.
func private(text string, names ...string) []string {
	var found []string
	add := func(part string) {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(found, part) && len(found) < mostPrivate {
			found = append(found, part)
		}
	}
	for _, pattern := range privates {
		for _, part := range pattern.FindAllString(text, mostPrivate) {
			add(part)
		}
	}
	folded := " " + campus.Fold(text) + " "
	for _, name := range names {
		for _, part := range strings.Fields(name) {
			const shortest = 3 // letters: "de" is no name
			if f := campus.Fold(part); len(f) >= shortest && strings.Contains(folded, " "+f+" ") {
				add(part)
			}
		}
	}
	return found
}
