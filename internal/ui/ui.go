// Package ui is the look that every room shares: the shell around a page, the
// components inside it, the stylesheet, the scripts and the icons. It knows no
// room; what a page needs to know about the house comes as a [Shell] in the
// context.
//
// Components take plain structs and decide nothing. Texts that a room passes are
// already in the reader's language; the few labels of the components themselves
// stand under "ui." in locales/.
package ui

import (
	"context"
	"embed"
	"strings"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Locales holds the labels of the components, as locales/fr.toml and
// locales/en.toml.
//
//go:embed locales/*.toml
var Locales embed.FS

// Tone says how something stands. A tone is always shown with words or an icon,
// never by colour alone.
type Tone string

// The tones. The empty Tone is neutral.
const (
	Info Tone = "info"
	Good Tone = "good"
	Warn Tone = "warn"
	Bad  Tone = "bad"
)

// icon is the sign that stands for a tone where no other is given.
func (t Tone) icon() string {
	switch t {
	case Good:
		return "check"
	case Warn, Bad:
		return "warning"
	default:
		return "info"
	}
}

// Link is a labelled address.
type Link struct{ Label, URL string }

// classes joins the class names that are not empty.
func classes(names ...string) string {
	kept := names[:0:0]
	for _, n := range names {
		if n != "" {
			kept = append(kept, n)
		}
	}
	return strings.Join(kept, " ")
}

// when returns name if the condition holds, for [classes].
func when(condition bool, name string) string {
	if condition {
		return name
	}
	return ""
}

// t is a label of the components in the reader's language.
func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "ui."+key, pairs...)
}

type problemsKey struct{}

// WithProblems tells the fields below what is to mend in them. [Page] and [Door]
// do it for their content; only a part of a page that is sent alone needs it.
func WithProblems(ctx context.Context, p web.Problems) context.Context {
	return context.WithValue(ctx, problemsKey{}, p)
}

// hasProblems reports whether the page has anything to mend.
func hasProblems(ctx context.Context) bool {
	problems, _ := ctx.Value(problemsKey{}).(web.Problems)
	return problems.Any()
}

// problemOf words what is to mend in a field, or returns "".
func problemOf(ctx context.Context, field string) string {
	problems, _ := ctx.Value(problemsKey{}).(web.Problems)
	if p, ok := problems.Of(field); ok {
		return i18n.T(ctx, p.Key, p.Pairs...)
	}
	return ""
}
