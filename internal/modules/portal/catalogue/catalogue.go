// Package catalogue is the list of everything that somebody may open, and the
// shelf on which they keep what they open often.
package catalogue

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
)

// Entry is a service as one person sees it.
type Entry struct {
	contract.Service
	Pinned   bool
	Position int64 // among the pins, when the person ordered them
	Uses     int64
	LastUsed time.Time
}

// Group is the services of one category.
type Group struct {
	Name    string
	Entries []Entry
}

// Openable reports whether an address may be opened: a path of ours, or http
// and https elsewhere. A service whose address is something else (javascript:)
// is a mistake of its registration.
func Openable(url string) bool {
	return strings.HasPrefix(url, "/") && !strings.HasPrefix(url, "//") && !strings.Contains(url, `\`) ||
		strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://")
}

// Pins returns the pinned entries: in the order that the person chose, the rest
// by how often they are opened.
func Pins(entries []Entry) []Entry {
	var pins []Entry
	for _, e := range entries {
		if e.Pinned {
			pins = append(pins, e)
		}
	}
	slices.SortStableFunc(pins, func(a, b Entry) int {
		return cmp.Or(
			cmp.Compare(ordered(a.Position), ordered(b.Position)),
			cmp.Compare(b.Uses, a.Uses),
			cmp.Compare(campus.Fold(a.Name), campus.Fold(b.Name)),
		)
	})
	return pins
}

// ordered puts what has no position behind what has one.
func ordered(position int64) int64 {
	if position == 0 {
		return 1 << 62
	}
	return position
}

// Recent returns the entries opened last that are not pinned, newest first.
func Recent(entries []Entry, most int) []Entry {
	var recent []Entry
	for _, e := range entries {
		if !e.Pinned && !e.LastUsed.IsZero() {
			recent = append(recent, e)
		}
	}
	slices.SortStableFunc(recent, func(a, b Entry) int { return b.LastUsed.Compare(a.LastUsed) })
	return recent[:min(most, len(recent))]
}

// Shown returns what the home page offers: pins, then what was opened last,
// then, for somebody new, the beginning of the catalogue.
func Shown(entries []Entry, most int) []Entry {
	shown := Pins(entries)
	if len(shown) < most {
		shown = append(shown, Recent(entries, most-len(shown))...)
	}
	for _, e := range entries {
		if len(shown) >= most {
			break
		}
		if !slices.ContainsFunc(shown, func(s Entry) bool { return s.ID == e.ID }) {
			shown = append(shown, e)
		}
	}
	return shown[:min(most, len(shown))]
}

// Grouped returns the entries by category, both in the order in which rooms
// offered them.
func Grouped(entries []Entry) []Group {
	var groups []Group
	for _, e := range entries {
		i := slices.IndexFunc(groups, func(g Group) bool { return g.Name == e.Category })
		if i < 0 {
			i = len(groups)
			groups = append(groups, Group{Name: e.Category})
		}
		groups[i].Entries = append(groups[i].Entries, e)
	}
	return groups
}

// Match returns the entries that have every word in their name, description,
// category or keywords; those with it in the name first.
func Match(entries []Entry, words string) []Entry {
	wanted := strings.Fields(campus.Fold(words))
	type hit struct {
		Entry
		inName int
	}
	var hits []hit
	for _, e := range entries {
		name := campus.Fold(e.Name)
		text := name + " " + campus.Fold(e.Description+" "+e.Category+" "+strings.Join(e.Keywords, " "))
		h := hit{Entry: e}
		all := len(wanted) > 0
		for _, w := range wanted {
			all = all && strings.Contains(text, w)
			if strings.Contains(name, w) {
				h.inName++
			}
		}
		if all {
			hits = append(hits, h)
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return b.inName - a.inName })
	found := make([]Entry, len(hits))
	for i, h := range hits {
		found[i] = h.Entry
	}
	return found
}

// Moved returns the ids of the pins with one of them moved one place up or
// down; false when it cannot be.
func Moved(pins []Entry, id string, up bool) ([]string, bool) {
	order := make([]string, len(pins))
	for i, p := range pins {
		order[i] = p.ID
	}
	i := slices.Index(order, id)
	j := i + 1
	if up {
		j = i - 1
	}
	if i < 0 || j < 0 || j >= len(order) {
		return nil, false
	}
	order[i], order[j] = order[j], order[i]
	return order, true
}
