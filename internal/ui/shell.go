package ui

import (
	"context"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Shell is what the frame around every page shows. The front hall makes one for
// each request and puts it into the context with [WithShell].
type Shell struct {
	// Institution is the name of the university.
	Institution string
	// LogoURL replaces the arcs of Amphi; it must be an address of this house.
	LogoURL string
	// ThemeURL serves [ThemeCSS] of the university's hues; empty for ours.
	ThemeURL string
	// Viewer is who is asking. A stranger gets a frame without navigation.
	Viewer campus.Viewer
	// Nav is the main navigation, in order; groups are separated by a line.
	Nav []NavItem
	// Unread is the number of notifications not yet read.
	Unread int
	// Path is the path and query of the page, for the current entry of the
	// navigation and for coming back after a change of language.
	Path string
	// Flash is the sentence that the page before left; it is shown once.
	Flash string
	// Banners are what many should know now, the most pressing first.
	Banners []Banner
	// Version of the program, in the footer.
	Version string
	// Demo marks a house that holds invented people.
	Demo bool
	// The addresses behind the frame's links; the zero values are the portal's.
	HelpURL, AccessibilityURL string
	// Answer finds the article that explains a reason code; its address is empty where
	// there is none. It may be nil.
	Answer func(ctx context.Context, reason string) Link
}

// NavItem is one entry of the main navigation.
type NavItem struct {
	Label, URL, Icon string
	Count            int
	Group            int  // entries of one group stand together
	Tab              bool // also in the bar at the bottom of a phone
}

type shellKey struct{}

// WithShell puts the frame's facts into the context that pages are rendered
// with.
func WithShell(ctx context.Context, s Shell) context.Context {
	return context.WithValue(ctx, shellKey{}, s)
}

// ShellOf returns the frame's facts; the zero Shell where none were set.
func ShellOf(ctx context.Context) Shell {
	s, _ := ctx.Value(shellKey{}).(Shell)
	if s.HelpURL == "" {
		s.HelpURL = "/portal/help"
	}
	if s.AccessibilityURL == "" {
		s.AccessibilityURL = "/portal/accessibility"
	}
	if s.Path == "" {
		s.Path = "/"
	}
	return s
}

// answer is the article that explains a reason, where there is one.
func (s Shell) answer(ctx context.Context, reason string) Link {
	if s.Answer == nil || reason == "" {
		return Link{}
	}
	return s.Answer(ctx, reason)
}

// announcing puts banners before those of the frame, each once.
func (s Shell) announcing(first []Banner) Shell {
	all := slices.Clone(first)
	for _, b := range s.Banners {
		if !slices.ContainsFunc(first, func(f Banner) bool { return f.ID == b.ID }) {
			all = append(all, b)
		}
	}
	s.Banners = all
	return s
}

// appearance is the value of data-appearance on the html element.
func (s Shell) appearance() string {
	switch a := s.Viewer.Appearance; a {
	case campus.AppearanceLight, campus.AppearanceDark:
		return a
	default:
		return campus.AppearanceSystem
	}
}

// title is what the tab of the browser says. It begins with "Error:" when
// something is to mend, so that it is the first thing a screen reader says.
func (s Shell) title(ctx context.Context, title string, problems web.Problems) string {
	if problems.Any() {
		title = t(ctx, "error_title", "title", title)
	}
	if s.Institution != "" && s.Institution != title {
		title += " · " + s.Institution
	}
	return title
}

// groups returns the navigation cut where the group changes.
func (s Shell) groups() [][]NavItem {
	items := slices.Clone(s.Nav)
	slices.SortStableFunc(items, func(a, b NavItem) int { return a.Group - b.Group })
	var groups [][]NavItem
	for i, item := range items {
		if i == 0 || item.Group != items[i-1].Group {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], item)
	}
	return groups
}

// maxTabs is how many entries fit the bar of a 320 px phone beside "More".
const maxTabs = 4

// tabs are the entries of the bar at the bottom of a phone, in the order of their
// groups.
func (s Shell) tabs() []NavItem {
	tabs := slices.DeleteFunc(slices.Clone(s.Nav), func(n NavItem) bool { return !n.Tab })
	slices.SortStableFunc(tabs, func(a, b NavItem) int { return a.Group - b.Group })
	return tabs[:min(len(tabs), maxTabs)]
}

// current is the value of aria-current for an entry: "page" for the entry that
// leads to this page, "true" for the one whose section it belongs to.
func (s Shell) current(item NavItem) string {
	path, _, _ := strings.Cut(s.Path, "?")
	if path == item.URL {
		return "page"
	}
	if !under(path, item.URL) {
		return ""
	}
	for _, other := range s.Nav { // a longer address that also fits wins
		if len(other.URL) > len(item.URL) && under(path, other.URL) {
			return ""
		}
	}
	return "true"
}

// under reports whether path lies in the section that begins at url.
func under(path, url string) bool {
	return url != "/" && (path == url || strings.HasPrefix(path, strings.TrimSuffix(url, "/")+"/"))
}

// otherLanguages are those that the reader may switch to.
func otherLanguages(current campus.Locale) []campus.Locale {
	return slices.DeleteFunc(slices.Clone(campus.Locales), func(l campus.Locale) bool { return l == current })
}

// languageNames are written in their own language, so that who needs one can
// read it.
var languageNames = map[campus.Locale]string{campus.French: "Français", campus.English: "English"}
