// Package gallery shows every component of ui in every state on one page, for
// whoever changes the look: its tests read the page, and look at it in a browser.
package gallery

import (
	"context"
	"fmt"
	"time"

	"github.com/a-h/templ"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// Sight is one page of the gallery; Stranger pages are seen by somebody who has
// not signed in.
type Sight struct {
	Name     string
	Page     templ.Component
	Stranger bool
}

// Sights lists the pages of the gallery.
func Sights() []Sight {
	return []Sight{
		{Name: "components", Page: Components()},
		{Name: "failure", Page: Failure()},
		{Name: "door", Page: SignIn(), Stranger: true},
		{Name: "line", Page: Line(), Stranger: true},
		{Name: "public", Page: ui.FailurePage(web.Failure{
			Title: "Cette page n’existe pas.", Message: "Rien n’habite à cette adresse.", Next: "Revenez à l’accueil.",
			Code: "platform.page_missing", RequestID: "01J9-4F7K",
		}), Stranger: true},
		{Name: "brief", Page: ui.BriefPage(web.Failure{
			Title: "Un instant, s’il vous plaît.", Message: "Trop de demandes viennent de votre réseau en même temps.", Next: "Attendez 3 secondes, puis réessayez.",
			Code: "platform.too_many_requests", RequestID: "01J9-4F7K",
		}), Stranger: true},
	}
}

// Dress prepares a context to render the page in.
func (s Sight) Dress(ctx context.Context, p *i18n.Printer) context.Context {
	shell := Shell()
	if s.Stranger {
		shell.Viewer, shell.Nav = campus.Viewer{}, nil
	}
	return ui.WithShell(i18n.With(ctx, p), shell)
}

// Texts are the sentences that the gallery needs, at a fixed instant.
func Texts() (*i18n.Catalogue, error) {
	return i18n.Load(time.UTC, clock.At(noon.Add(time.Hour)), ui.Locales, web.Locales)
}

// Shell is the frame of a student with a full navigation.
func Shell() ui.Shell {
	return ui.Shell{
		Institution: "Université de Valmont",
		Viewer: campus.Viewer{
			Person: "01900000-0000-7000-8000-000000000001", Login: "lmartin", GivenName: "Lina", FamilyName: "Martin",
			Affiliations: []campus.Affiliation{{Kind: campus.Student, Campus: "rives"}}, Locale: campus.French,
		},
		Nav: []ui.NavItem{
			{Label: "Accueil", URL: "/", Icon: "home", Tab: true},
			{Label: "Emploi du temps", URL: "/studies/timetable", Icon: "calendar", Tab: true},
			{Label: "Unités (UV)", URL: "/studies/units", Icon: "check", Count: 2},
			{Label: "Cours", URL: "/learning", Icon: "book", Tab: true},
			{Label: "Résultats", URL: "/studies/results", Icon: "award"},
			{Label: "Courrier", URL: "/mail", Icon: "mail", Count: 5, Group: 1, Tab: true},
			{Label: "Discussions", URL: "/chat", Icon: "chat", Group: 1},
			{Label: "Fichiers", URL: "/drive", Icon: "folder", Group: 1},
			{Label: "Bibliothèque", URL: "/library", Icon: "library", Group: 1},
			{Label: "VPN", URL: "/vpn", Icon: "shield", Group: 1},
			{Label: "Aide", URL: "/portal/help", Icon: "help", Group: 9},
		},
		Unread: 3, Path: "/", Version: "0.1", Demo: true,
	}
}

// problems are two things to mend in the form of the gallery.
func problems() web.Problems {
	var p web.Problems
	p.Add("login", "ui.example.missing")
	p.Add("mail", "ui.example.taken")
	return p
}

// stages are the way of a student whose course account is not ready yet.
var stages = []ui.Stage{
	{State: ui.StageDone, Icon: "user", Title: "Identifiant reconnu", Detail: "lmartin · étudiante, campus Rives"},
	{State: ui.StageDone, Icon: "key", Title: "Mot de passe et second facteur acceptés", Detail: "il y a 12 secondes, application"},
	{State: ui.StageStop, Icon: "clock", Title: "Compte Moodle en file d’attente", Tag: "prêt vers 2 h 10", Detail: "Inscription reçue aujourd’hui à 16 h 42. Décidé par la scolarité. Rien à faire de votre côté."},
	{State: ui.StageLater, Icon: "book", Title: "Moodle s’ouvrira"},
}

// refused is a way that ends: nobody but the person can mend it.
var refused = []ui.Stage{
	{State: ui.StageDone, Title: "Identifiant reconnu"},
	{State: ui.StageStop, Tone: ui.Bad, Title: "Mot de passe refusé", Tag: "3 essais restants", Detail: "Il a été changé il y a 4 jours."},
	{State: ui.StageLater, Title: "Second facteur"},
}

func sortURL(key string, descending bool) string {
	return fmt.Sprintf("?sort=%s&descending=%t", key, descending)
}

func pageURL(page int) string { return fmt.Sprintf("?page=%d", page) }

// noon is an instant for the examples.
var noon = time.Date(2026, time.November, 22, 11, 0, 0, 0, time.UTC)
