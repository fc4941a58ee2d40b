package upstream

import (
	"maps"
	"net/url"
	"slices"
)

// leadView is a page that goes on to an upstream by itself.
type leadView struct{ Name, URL string }

// postView is a page whose form goes on to an upstream: by a script, or by its
// button.
type postView struct {
	Name, URL string
	Fields    url.Values
}

func sortedNames(fields map[string][]string) []string { return slices.Sorted(maps.Keys(fields)) }
