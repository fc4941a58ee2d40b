package portal

import (
	"errors"
	"net/http"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// deskView is the publishers' list.
type deskView struct {
	Stage    news.Stage // shown; empty for all but archived
	Counts   map[news.Stage]int
	Total    int
	Entries  []news.Entry
	For      map[string]string // who each is for
	Troubles []news.Trouble
	Feeds    int
}

func (m *Module) deskPage(w http.ResponseWriter, r *http.Request) error {
	all, err := m.desk.Entries(r.Context(), web.Viewer(r))
	if err != nil {
		return err
	}
	view := deskView{Stage: news.Stage(r.URL.Query().Get("stage")), Counts: map[news.Stage]int{}, Total: len(all), For: map[string]string{}, Feeds: len(m.config.Feeds)}
	for _, e := range all {
		view.Counts[e.Stage]++
		if e.Stage == view.Stage || view.Stage == "" && e.Stage != news.StageArchived {
			view.Entries = append(view.Entries, e)
			view.For[e.ID] = m.audienceWords(r, e.Content)
		}
	}
	if view.Feeds > 0 {
		if view.Troubles, err = m.feeds.Troubles(r.Context()); err != nil {
			return err
		}
	}
	return web.Render(w, r, http.StatusOK, deskTempl(view))
}

// takeStep publishes, withdraws, archives or reopens the version that the
// publisher saw.
func (m *Module) takeStep(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	version, err := versionOf(form.Get("version"))
	if err != nil {
		return err
	}
	stage, err := m.desk.Take(r.Context(), web.Viewer(r), id, version, news.Step(r.PathValue("step")))
	if errors.Is(err, news.Unfinished) {
		// The form of the article says what is missing, field by field.
		return web.SeeOther(w, r, "/portal/desk/"+id+"?check=1")
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, "portal.desk.reached."+string(stage))
	return web.SeeOther(w, r, "/portal/desk")
}

func (m *Module) deleteArticlePage(w http.ResponseWriter, r *http.Request) error {
	a, err := m.desk.ForEdit(r.Context(), web.Viewer(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, deleteTempl(articleView{Article: a, Stage: a.Stage(m.Clock.Now()), For: m.audienceWords(r, a.Content)}))
}

func (m *Module) deleteArticle(w http.ResponseWriter, r *http.Request) error {
	if err := m.desk.Delete(r.Context(), web.Viewer(r), r.PathValue("id")); err != nil {
		return err
	}
	web.Flash(w, r, "portal.desk.deleted")
	return web.SeeOther(w, r, "/portal/desk")
}

// stepsFrom are the steps offered on an article, the likeliest first.
func stepsFrom(stage news.Stage) []news.Step {
	var offered []news.Step
	for _, step := range []news.Step{news.Publish, news.Withdraw, news.Archive, news.Reopen} {
		if _, ok := stage.Next(step); ok {
			offered = append(offered, step)
		}
	}
	return offered
}

// tabs are the stages as views of the list.
func (v deskView) tabs(t func(key string) string) []ui.TabLink {
	tabs := []ui.TabLink{{Label: t("portal.desk.current"), URL: "/portal/desk", Current: v.Stage == "", Count: v.Total - v.Counts[news.StageArchived], Counted: true}}
	for _, s := range news.Stages {
		tabs = append(tabs, ui.TabLink{
			Label: t("portal.stage." + string(s)), URL: "/portal/desk?stage=" + string(s), Current: v.Stage == s, Count: v.Counts[s], Counted: true,
		})
	}
	return tabs
}

// explained words the failure of a feed for its publisher.
func explained(r *i18n.Printer, t news.Trouble) string {
	if key := t.Reason + ".message"; r != nil && r.Has(key) {
		return r.T(key, "status", t.Detail)
	}
	return t.Reason
}

// titleOf is the title in a list; a draft may have none yet.
func titleOf(c news.Content, l campus.Locale, untitled string) string {
	if c.Title.Empty() {
		return untitled
	}
	return c.Title.In(l)
}
