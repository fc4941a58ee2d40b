package portal

import (
	"context"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/portal/bell"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/ui"
)

// unboosted keeps htmx away from a link whose end is another site: it would
// follow the redirect by itself and be stopped by the browser.
func unboosted(outside bool) templ.Attributes {
	if !outside {
		return nil
	}
	return templ.Attributes{"hx-boost": "false"}
}

// spoken is the language of a text where it is not the page's, for who listens.
func spoken(ctx context.Context, t news.Text) templ.Attributes {
	if l := i18n.Locale(ctx); t.Empty() || t.Language(l) == l {
		return nil
	}
	return templ.Attributes{"lang": string(t.Language(i18n.Locale(ctx)))}
}

// noticeIcon is the sign beside a notification.
func noticeIcon(n bell.Notification) string {
	switch {
	case n.Notice.Icon != "":
		return n.Notice.Icon
	case n.Notice.Tone == "warn" || n.Notice.Tone == "bad":
		return "warning"
	default:
		return "bell"
	}
}

// telephone is the address that a phone dials.
func telephone(number string) string {
	return "tel:" + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' {
			return r
		}
		return -1
	}, number)
}

// stageTone is the colour beside the word of a stage.
func stageTone(s news.Stage) ui.Tone {
	switch s {
	case news.StageOnline:
		return ui.Good
	case news.StageScheduled:
		return ui.Warn
	default:
		return ""
	}
}

func localeOf(r *http.Request) campus.Locale { return i18n.Locale(r.Context()) }

// The ways back from pages below another.
func articleCrumbs(ctx context.Context) []ui.Link {
	if !ui.ShellOf(ctx).Viewer.SignedIn() {
		return nil // the list is for people who have signed in
	}
	return []ui.Link{{Label: i18n.T(ctx, "portal.news.title"), URL: "/portal/news"}}
}

func helpCrumbs(ctx context.Context) []ui.Link {
	return []ui.Link{{Label: i18n.T(ctx, "portal.help.title"), URL: "/portal/help"}}
}

func deskCrumbs(ctx context.Context) []ui.Link {
	return []ui.Link{{Label: i18n.T(ctx, "portal.desk.title"), URL: "/portal/desk"}}
}

func searchTitle(ctx context.Context, v searchView) string {
	if v.Words == "" || v.TooShort {
		return i18n.T(ctx, "portal.search.title")
	}
	return i18n.T(ctx, "portal.search.found", "count", v.Total, "words", v.Words)
}

func appearanceOptions(ctx context.Context) []ui.Option {
	options := make([]ui.Option, len(appearances))
	for i, a := range appearances {
		options[i] = ui.Option{Value: a, Label: i18n.T(ctx, "portal.appearance."+a)}
	}
	return options
}

// deskRows are the articles of the publishers' list.
func deskRows(ctx context.Context, v deskView) [][]ui.Cell {
	rows := make([][]ui.Cell, len(v.Entries))
	for i, e := range v.Entries {
		rows[i] = []ui.Cell{
			ui.LinkCell(titleOf(e.Content, i18n.Locale(ctx), i18n.T(ctx, "portal.desk.untitled")), "/portal/desk/"+e.ID),
			ui.BodyCell(stageTag(e.Stage)),
			ui.TextCell(v.For[e.ID]),
			ui.BodyCell(deskMoment(e)),
			ui.BodyCell(deskSteps(e)),
		}
	}
	return rows
}

// headlineIcon tells a headline of ours from one of another site.
func headlineIcon(outside bool) string {
	if outside {
		return "external"
	}
	return "news"
}
