package outage

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

func itoa(n int) string { return strconv.Itoa(n) }

// days is how many the history shows.
const days = int(history / (24 * time.Hour))

// statusView is the status page.
type statusView struct {
	Now      time.Time
	Running  []told
	Planned  []told
	Past     []told
	Services []standing
}

// standing is how a service stands, and stood.
type standing struct {
	ID, Name string
	Impact   Impact // now; empty for well
	Planned  bool   // by maintenance that is under way
	Days     []Impact
	Count    int           // incidents in the history
	Lost     time.Duration // in all
}

// Tone is the state's, for a tag.
func (s standing) Tone() ui.Tone {
	switch s.Impact {
	case "":
		return ui.Good
	case Down:
		return ui.Bad
	}
	return ui.Warn
}

// said is the state in words.
func (s standing) said(ctx context.Context) string {
	switch {
	case s.Impact == "":
		return t(ctx, "well")
	case s.Planned:
		return t(ctx, "maintained")
	}
	return t(ctx, "impact."+string(s.Impact))
}

// past says the history in words: the picture of it is hidden from who cannot see.
func (s standing) past(ctx context.Context) string {
	if s.Count == 0 {
		return t(ctx, "history.none", "days", days)
	}
	return t(ctx, "history.some", "count", s.Count, "days", days, "lost", s.Lost.Round(time.Minute))
}

func (x *Outages) statusPage(w http.ResponseWriter, r *http.Request) error {
	view, err := x.status(r.Context(), web.Viewer(r))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, statusTempl(view))
}

// status is what the page shows to somebody.
func (x *Outages) status(ctx context.Context, v campus.Viewer) (statusView, error) {
	view := statusView{Now: x.Clock.Now()}
	all := x.shown(ctx)
	for _, o := range all {
		switch {
		case o.Past(view.Now):
			view.Past = append(view.Past, o)
		case o.Ahead(view.Now):
			view.Planned = append(view.Planned, o)
		default:
			view.Running = append(view.Running, o)
		}
	}
	slices.Reverse(view.Planned) // what is next comes first
	names, err := x.named(ctx, v, all)
	if err != nil {
		return view, err
	}
	view.Services = append(view.Services, x.stands(ctx, "", t(ctx, "house"), all, view.Now))
	for _, id := range names.order {
		view.Services = append(view.Services, x.stands(ctx, id, names.called[id], all, view.Now))
	}
	return view, nil
}

// roster are services by name.
type roster struct {
	order  []string
	called map[string]string
}

// named are the services that somebody may open, and those that something was said
// about.
func (x *Outages) named(ctx context.Context, v campus.Viewer, all []told) (roster, error) {
	names := roster{called: map[string]string{}}
	for _, room := range x.Catalogue() {
		list, err := room.Services(ctx, v)
		if err != nil {
			return names, err
		}
		for _, s := range list {
			if id, ok := strings.CutPrefix(s.ID, "sso."); ok {
				names.called[id] = s.Name
			}
		}
	}
	for _, o := range all {
		for _, id := range o.Services {
			if names.called[id] == "" {
				names.called[id] = x.serviceName(ctx, id)
			}
		}
	}
	for id := range names.called {
		names.order = append(names.order, id)
	}
	slices.SortFunc(names.order, func(a, b string) int {
		return strings.Compare(campus.Fold(names.called[a]), campus.Fold(names.called[b]))
	})
	return names, nil
}

// serviceName is a service by its name; its identifier when it is gone.
func (x *Outages) serviceName(ctx context.Context, service string) string {
	if name, _ := x.Services.ServiceCalled(ctx, service); name != "" {
		return name
	}
	return service
}

// stands is how a service stands; an empty one is the house itself, and what concerns
// it concerns all of them.
func (x *Outages) stands(_ context.Context, service, name string, all []told, now time.Time) standing {
	s := standing{ID: service, Name: name, Days: make([]Impact, days)}
	today := dayOf(now, x.Zone)
	for _, o := range all {
		if service == "" && len(o.Services) > 0 || service != "" && !slices.Contains(o.Services, service) {
			continue
		}
		if o.Now(now) {
			if worse(o.Impact, s.Impact) {
				s.Impact, s.Planned = o.Impact, o.Kind == Maintenance
			}
		}
		if o.Ahead(now) || o.Kind == Maintenance {
			continue
		}
		ends := o.Ends
		if ends.IsZero() || ends.After(now) {
			ends = now
		}
		s.Count++
		s.Lost += max(0, ends.Sub(o.Begins))
		for day := dayOf(o.Begins, x.Zone); day <= dayOf(ends, x.Zone); day++ {
			if i := days - 1 - (today - day); i >= 0 && i < days && worse(o.Impact, s.Days[i]) {
				s.Days[i] = o.Impact
			}
		}
	}
	return s
}

func worse(a, b Impact) bool { return slices.Index(Impacts, a) > slices.Index(Impacts, b) }

// dayOf counts days of the calendar in a zone.
func dayOf(at time.Time, zone *time.Location) int {
	y, m, d := at.In(zone).Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// How many banners a browser puts away, and for how long.
const (
	mostDismissed = 10
	dismissedFor  = 90 * 24 * time.Hour
)

// PutAway lists the banners that the browser of a request put away.
func PutAway(r *http.Request) []string {
	return strings.FieldsFunc(web.Cookie(r, ui.BannersCookie), func(c rune) bool { return c == '.' })
}

// bannerID is what a banner may be called: it comes back in a cookie.
func bannerID(text string) bool {
	return text != "" && len(text) <= 40 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// putAway hides a banner in this browser. Where something is out of order it stays:
// the page asks only about those that may go.
func (x *Outages) putAway(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	if id := form.Get("banner"); bannerID(id) {
		list := append(PutAway(r), id)
		web.SetCookie(w, r, ui.BannersCookie, strings.Join(list[max(0, len(list)-mostDismissed):], "."), dismissedFor)
	}
	return web.SeeOther(w, r, web.Local(form.Get("next")))
}

// where says which campuses it concerns.
func (x *Outages) where(ctx context.Context, o Outage) string {
	var names []string
	for _, code := range o.Campuses {
		names = append(names, x.placeName(code, i18n.Locale(ctx)))
	}
	return strings.Join(names, ", ")
}

// what says which services it concerns.
func (x *Outages) what(ctx context.Context, o Outage) string {
	if len(o.Services) == 0 {
		return t(ctx, "house")
	}
	var names []string
	for _, id := range o.Services {
		names = append(names, x.serviceName(ctx, id))
	}
	return strings.Join(names, ", ")
}
