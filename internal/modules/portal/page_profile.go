package portal

import (
	"context"
	"net/http"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// profileView is who somebody is, as the institution has it, and what they
// chose.
type profileView struct {
	Viewer       campus.Viewer
	Facts        []ui.Fact
	Affiliations []string
	Rights       []string
	Help         string // mail of who can help
	Language     string
	Appearance   string
	Problems     web.Problems
}

func (m *Module) profilePage(w http.ResponseWriter, r *http.Request) error {
	v := web.Viewer(r)
	view := m.profile(r.Context(), v)
	return web.Render(w, r, http.StatusOK, profileTempl(view))
}

func (m *Module) profile(ctx context.Context, v campus.Viewer) profileView {
	view := profileView{Viewer: v, Help: m.config.Help.Mail, Language: string(i18n.Locale(ctx)), Appearance: v.Appearance}
	if view.Appearance == "" {
		view.Appearance = campus.AppearanceSystem
	}
	view.Facts = []ui.Fact{
		{Label: i18n.T(ctx, "portal.profile.name"), Text: v.DisplayName()},
		{Label: i18n.T(ctx, "portal.profile.login"), Text: v.Login, Code: true},
		{Label: i18n.T(ctx, "portal.profile.mail"), Text: v.Mail},
	}
	l := i18n.Locale(ctx)
	for _, a := range v.Affiliations {
		words := []string{i18n.T(ctx, "portal.kind."+string(a.Kind))}
		if a.Programme != "" {
			words = append(words, place.NameOf(m.Places.Programmes(), a.Programme, l))
		}
		if a.Campus != "" {
			words = append(words, place.NameOf(m.Places.Campuses(), a.Campus, l))
		}
		if a.Unit != "" {
			words = append(words, i18n.T(ctx, "portal.profile.unit", "code", a.Unit))
		}
		view.Affiliations = append(view.Affiliations, join(words))
	}
	for _, right := range v.Rights {
		view.Rights = append(view.Rights, i18n.T(ctx, "portal.right."+string(right)))
	}
	return view
}

// appearances are what people can choose.
var appearances = []string{campus.AppearanceSystem, campus.AppearanceLight, campus.AppearanceDark}

func (m *Module) savePreferences(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	v := web.Viewer(r)
	view := m.profile(r.Context(), v)
	view.Language, view.Appearance = form.Get("language"), form.Get("appearance")
	l, ok := campus.ParseLocale(view.Language)
	if !ok {
		view.Problems.Add("language", "portal.profile.problem.language")
	}
	known := false
	for _, a := range appearances {
		known = known || a == view.Appearance
	}
	if !known {
		view.Problems.Add("appearance", "portal.profile.problem.appearance")
	}
	if view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, profileTempl(view))
	}
	if err := m.People.SetPreferences(r.Context(), v.Person, l, view.Appearance); err != nil {
		return err
	}
	keepLanguage(w, r, l)
	web.Flash(w, r, "portal.profile.saved")
	return web.SeeOther(w, r, "/portal/profile")
}
