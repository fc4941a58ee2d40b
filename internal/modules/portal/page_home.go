package portal

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal/bell"
	"github.com/amphi-campus/amphi/internal/modules/portal/catalogue"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// homeView is the home page of one viewer.
type homeView struct {
	Viewer         campus.Viewer
	Over           string // date and week
	Belonging      string
	Lead           string // a few words for this face, when nothing is urgent
	Notice         *bell.Notification
	Order          arrangement
	Services       []catalogue.Entry
	ServicesSilent []silence
	News           []news.Headline // as pictures to open
	More           []news.Headline // as lines below them
	NewsSilent     *silence
	Waiting        bell.Waiting
	BellSilent     *silence
	Wide, Aside    []contract.Card
	CardsSilent    []silence
	Acts           []act
	Desk           deskState
}

// homeNotifications is how many notifications the home page shows.
const homeNotifications = 3

// homePictures is how many articles the home page shows with their picture.
const homePictures = 2

// deskState is what a publisher has under way.
type deskState struct {
	Shown             bool
	Drafts, Scheduled int
	Troubles          int
}

func (m *Module) homePage(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, homeTempl(m.home(r.Context(), web.Viewer(r))))
}

// home collects the page. No part of it can fail the page: a part that does not
// answer says so in its place.
func (m *Module) home(ctx context.Context, v campus.Viewer) homeView {
	view := homeView{
		Viewer: v, Over: m.today(ctx), Belonging: m.belonging(ctx, v),
		Lead: i18n.T(ctx, "portal.home.lead."+string(v.Face())), Order: arrangements[v.Face()], Acts: m.acts(ctx, v),
	}
	var parts sync.WaitGroup
	parts.Go(func() { view.Wide, view.Aside, view.CardsSilent = m.cards(ctx, v) })
	parts.Go(func() { m.homeServices(ctx, v, &view) })
	m.homeNews(ctx, v, &view)
	m.homeBell(ctx, v, &view)
	if v.Can(campus.RightNews) {
		m.homeDesk(ctx, v, &view)
	}
	parts.Wait()
	return view
}

func (m *Module) homeServices(ctx context.Context, v campus.Viewer, view *homeView) {
	entries, silent, err := m.services(ctx, v)
	if err != nil {
		silent = append(silent, m.silent(ctx, "shelf", m.Name(), err))
	}
	view.Services, view.ServicesSilent = catalogue.Shown(entries, view.Order.services), silent
}

func (m *Module) homeNews(ctx context.Context, v campus.Viewer, view *homeView) {
	list, err := m.desk.Headlines(ctx, v)
	if err != nil {
		s := m.silent(ctx, "news", m.Name(), err)
		view.NewsSilent = &s
		return
	}
	for _, h := range list {
		switch {
		case len(view.News) < homePictures && h.URL == "":
			view.News = append(view.News, h)
		case len(view.More) < view.Order.news:
			view.More = append(view.More, h)
		}
	}
}

// homeBell finds the one notice: the most urgent notification.
func (m *Module) homeBell(ctx context.Context, v campus.Viewer, view *homeView) {
	waiting, err := m.bell.Waiting(ctx, v.Person)
	if err != nil {
		s := m.silent(ctx, "notifications", m.Name(), err)
		view.BellSilent = &s
		return
	}
	view.Waiting = waiting
	if urgent, ok := waiting.Urgent(); ok {
		view.Notice = &urgent
		view.Waiting.First = waiting.First[1:] // it is said once
	}
}

func (m *Module) homeDesk(ctx context.Context, v campus.Viewer, view *homeView) {
	drafts, scheduled, err := m.desk.Count(ctx, v)
	if err != nil {
		m.silent(ctx, "desk", m.Name(), err) // logged; the desk's own page explains it
		return
	}
	view.Desk = deskState{Shown: true, Drafts: drafts, Scheduled: scheduled}
	if len(m.config.Feeds) > 0 {
		troubles, err := m.feeds.Troubles(ctx)
		if err != nil {
			m.silent(ctx, "feeds", m.Name(), err) // as above
		}
		view.Desk.Troubles = len(troubles)
	}
}

// today is the date, and the week of the semester when one is under way.
func (m *Module) today(ctx context.Context) string {
	p := i18n.Of(ctx)
	now := m.Clock.Now()
	text := p.Date(now, i18n.Day)
	if m.Calendar == nil {
		return text
	}
	week, ok := m.Calendar.WeekAt(now.In(p.Zone()))
	if !ok {
		return text
	}
	semester := i18n.Pick(ctx, week.French, week.English)
	return text + " · " + i18n.T(ctx, "portal.home.week", "number", week.Number, "semester", semester)
}

// pictureURL is the address of an article's picture.
func pictureURL(p news.Picture) string { return "/portal/news/pictures/" + p.ID }

// headlineURL is where a headline leads, and whether that is another site.
func headlineURL(h news.Headline) (url string, outside bool) {
	if h.URL != "" {
		return h.URL, true
	}
	return "/portal/news/" + h.ID, false
}

// noticeURL leads through us, so that opening a notification reads it.
func noticeURL(n bell.Notification) string { return "/portal/notifications/" + n.ID + "/open" }

// leavesHouse reports whether opening a notification ends on another site, which
// htmx must not follow.
func leavesHouse(n bell.Notification) bool { return strings.HasPrefix(n.Notice.URL, "https://") }
