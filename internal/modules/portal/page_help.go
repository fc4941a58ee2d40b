package portal

import (
	"context"
	"net/http"
	"slices"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal/help"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// helpView is the public help page.
type helpView struct {
	Words    string
	Articles []help.Article
	Desks    []help.Desk
	Phone    string
	Mail     string
	Open     []contract.CardRow // desks as they stand now
}

func (m *Module) helpPage(w http.ResponseWriter, r *http.Request) error {
	c := m.config.Help
	view := helpView{Words: wordsOf(r), Articles: m.help, Desks: c.Desks, Phone: c.Phone, Mail: c.Mail}
	if view.Words != "" {
		view.Articles = help.Search(m.help, view.Words)
	}
	if m.OpeningHours != nil {
		for _, room := range m.OpeningHours() {
			rows, err := room.OpeningHours(r.Context())
			if err != nil { // whoever is locked out needs the rest of the page
				m.Log.ErrorContext(r.Context(), "portal: the opening hours are not to be had", "error", err)
				continue
			}
			view.Open = append(view.Open, rows...)
		}
	}
	return web.Render(w, r, http.StatusOK, helpTempl(view))
}

// HelpAbout finds answers of the public help page, the best first, in the language
// of the context.
func (m *Module) HelpAbout(ctx context.Context, words string) []contract.Hit {
	var hits []contract.Hit
	for _, a := range help.Search(m.help, words) {
		if len(hits) == searchMost {
			break
		}
		hits = append(hits, contract.Hit{Title: a.Question(i18n.Locale(ctx)), URL: "/portal/help/" + a.ID, Icon: "help"})
	}
	return hits
}

func (m *Module) helpArticlePage(w http.ResponseWriter, r *http.Request) error {
	i := slices.IndexFunc(m.help, func(a help.Article) bool { return a.ID == r.PathValue("id") })
	if i < 0 {
		return HelpMissing
	}
	return web.Render(w, r, http.StatusOK, helpArticleTempl(m.help[i]))
}

// statementView is the accessibility statement.
type statementView struct{ Institution, Contact, Phone, PlanURL string }

func (m *Module) accessibilityPage(w http.ResponseWriter, r *http.Request) error {
	view := statementView{
		Institution: m.Institution.In(localeOf(r)), Contact: m.config.Accessibility.Contact,
		Phone: m.config.Help.Phone, PlanURL: m.config.Accessibility.PlanURL,
	}
	if view.Contact == "" {
		view.Contact = m.config.Help.Mail
	}
	return web.Render(w, r, http.StatusOK, accessibilityTempl(view))
}
