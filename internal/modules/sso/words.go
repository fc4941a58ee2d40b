package sso

import (
	"context"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// audienceWords says who a service is for, as a person would.
func audienceWords(ctx context.Context, a campus.Audience) string {
	if a.Everybody() {
		return i18n.T(ctx, "sso.audience.everybody")
	}
	var who []string
	for _, k := range a.Kinds {
		who = append(who, i18n.T(ctx, "sso.kind."+string(k)))
	}
	for _, r := range a.Rights {
		who = append(who, i18n.T(ctx, "sso.right."+string(r)))
	}
	if len(who) == 0 {
		who = append(who, i18n.T(ctx, "sso.audience.members"))
	}
	text := strings.Join(who, ", ")
	if len(a.Campuses) > 0 {
		text += " " + i18n.T(ctx, "sso.audience.campuses", "campuses", strings.Join(a.Campuses, ", "))
	}
	if len(a.Programmes) > 0 {
		text += " " + i18n.T(ctx, "sso.audience.programmes", "programmes", strings.Join(a.Programmes, ", "))
	}
	return text
}

// kindsWords says what a viewer is.
func kindsWords(ctx context.Context, v campus.Viewer) string {
	var kinds []string
	for _, k := range campus.Kinds {
		if v.Is(k) {
			kinds = append(kinds, i18n.T(ctx, "sso.you."+string(k)))
		}
	}
	if len(kinds) == 0 {
		return i18n.T(ctx, "sso.you.nothing")
	}
	return strings.Join(kinds, ", ")
}

// t is a sentence of this room in the reader's language.
func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "sso."+key, pairs...)
}
