package registry

import (
	"context"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// AudienceWords says who a service is for, as a person would.
func AudienceWords(ctx context.Context, a campus.Audience) string {
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

// KindsWords says what a viewer is.
func KindsWords(ctx context.Context, v campus.Viewer) string {
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

// AttributeWords lists attributes as people read them.
func AttributeWords(ctx context.Context, attributes []Attribute) string {
	names := make([]string, len(attributes))
	for i, a := range attributes {
		names[i] = i18n.T(ctx, "sso.attribute."+string(a))
	}
	return strings.Join(names, ", ")
}
