package outage

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/prose"
)

const (
	// fresh is how long another server's change may go unseen.
	fresh = 5 * time.Second
	// history is what the status page looks back on.
	history = 90 * 24 * time.Hour
	// ahead is from when on a banner announces maintenance.
	ahead = 48 * time.Hour
	// mostShown bounds what is kept in memory.
	mostShown     = 500
	longestBanner = 220 // characters
)

// told is an announced incident with what was said about it, the newest first.
type told struct {
	Outage
	Updates []Update
	Keys    []string
}

// board is what everybody may read, in memory: pages ask it for every request, also
// when the database has no time.
type board struct {
	mu      sync.Mutex
	looked  time.Time
	loading bool
	doubts  int // counts what made the memory doubtful
	shown   []told
	known   bool
}

// changed makes the next reader look at the tables.
func (x *Outages) changed(tx db.Tx) {
	tx.AfterCommit(func() {
		x.board.mu.Lock()
		defer x.board.mu.Unlock()
		x.board.looked = time.Time{}
		x.board.doubts++
	})
}

// shown is what is announced, the newest first. The list is shared: nobody changes
// it. A database that does not answer leaves the list as it was.
func (x *Outages) shown(ctx context.Context) []told {
	b := &x.board
	b.mu.Lock()
	if time.Since(b.looked) < fresh || b.loading && b.known {
		defer b.mu.Unlock()
		return b.shown
	}
	b.loading = true
	doubts := b.doubts
	b.mu.Unlock()
	found, err := x.read(context.WithoutCancel(ctx))
	if err != nil {
		x.Log.WarnContext(ctx, "read what is announced", "error", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.loading = false
	if err == nil {
		b.shown, b.known = found, true
	}
	if doubts == b.doubts {
		b.looked = time.Now()
	}
	return b.shown
}

// longestRead bounds how long a page waits for the tables.
const longestRead = 2 * time.Second

func (x *Outages) read(ctx context.Context) ([]told, error) {
	ctx, done := context.WithTimeout(ctx, longestRead)
	defer done()
	list, err := outages(ctx, x.DB.Read(), `WHERE announced_at > 0 AND state IN ('investigating', 'identified', 'watching', 'planned', 'over')
		AND (state <> 'over' OR ends_at >= $1) ORDER BY begins_at DESC LIMIT `+itoa(mostShown), db.At(x.Clock.Now().Add(-history)))
	if err != nil {
		return nil, err
	}
	all := make([]string, len(list))
	for i, o := range list {
		all[i] = o.ID
	}
	updates, err := updatesOf(ctx, x.DB.Read(), all...)
	if err != nil {
		return nil, err
	}
	found := make([]told, len(list))
	for i, o := range list {
		found[i] = told{Outage: o, Updates: updates[o.ID]}
		if o.Kind == Incident && o.State.Runs() {
			if found[i].Keys, err = keysOfOutage(ctx, x.DB.Read(), o.ID); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// campusesOf are those of somebody's affiliations.
func campusesOf(v campus.Viewer) []string {
	var list []string
	for _, a := range v.Affiliations {
		if a.Campus != "" {
			list = append(list, a.Campus)
		}
	}
	return list
}

// concerns reports whether somebody is to hear of it: who signed in and has no campus
// hears of all, a stranger of what is everywhere.
func concerns(o Outage, v campus.Viewer) bool {
	campuses := campusesOf(v)
	return o.Reaches(campuses) || v.SignedIn() && len(campuses) == 0
}

// Banners implements [contract.Announcer]: what is out of order, maintenance of now
// and of the next days, and the word of a term that begins.
func (x *Outages) Banners(ctx context.Context, v campus.Viewer) []contract.Banner {
	now := x.Clock.Now()
	var broken, planned []contract.Banner
	for _, o := range x.shown(ctx) {
		if !concerns(o.Outage, v) || o.Past(now) {
			continue
		}
		if b, ok := o.banner(ctx, now); ok && b.Stays {
			broken = append(broken, b)
		} else if ok {
			planned = append(planned, b)
		}
	}
	if word, ok := x.termWord(ctx, now); ok {
		planned = append(planned, word)
	}
	return append(broken, planned...)
}

// banner is how an incident or a maintenance is announced; ok is false while it is
// too far ahead. What is out of order now stays.
func (o told) banner(ctx context.Context, now time.Time) (b contract.Banner, ok bool) {
	b = contract.Banner{ID: o.ID, Title: o.Title.In(i18n.Locale(ctx)), URL: StatusURL + "/" + o.ID, Since: o.Begins, Until: o.Ends}
	switch {
	case o.Kind == Incident:
		b.Tone, b.Stays, b.Detail = toneOf(o.Impact), true, o.latest(ctx)
		if o.State == Watching {
			b.Tone = "info"
		}
	case o.Now(now):
		b.Tone, b.Stays, b.Detail = "warn", true, t(ctx, "banner.now", "ends", i18n.Date(ctx, o.Ends, i18n.Moment))
	case o.Begins.Sub(now) <= ahead:
		b.Tone, b.Detail = "info", span(ctx, o.Outage)
	default:
		return contract.Banner{}, false
	}
	return b, true
}

// BannersOf implements [contract.ServiceAnnouncer]. What is announced is on the public
// status page, with the campuses that it concerns: they are named, because who is
// about to sign in has none yet.
func (x *Outages) BannersOf(ctx context.Context, v campus.Viewer, service string) []contract.Banner {
	now := x.Clock.Now()
	var broken, planned []contract.Banner
	for _, o := range x.shown(ctx) {
		if !slices.Contains(o.Services, service) || o.Past(now) || v.SignedIn() && !concerns(o.Outage, v) {
			continue
		}
		b, ok := o.banner(ctx, now)
		if !ok {
			continue
		}
		var where []string
		for _, code := range o.Campuses {
			where = append(where, x.placeName(code, i18n.Locale(ctx)))
		}
		if len(where) > 0 {
			b.Title = t(ctx, "banner.where", "title", b.Title, "where", strings.Join(where, ", "))
		}
		if b.Stays {
			broken = append(broken, b)
		} else {
			planned = append(planned, b)
		}
	}
	return append(broken, planned...)
}

// termWord is what the start of a term says to everybody.
func (x *Outages) termWord(ctx context.Context, now time.Time) (contract.Banner, bool) {
	running, ok, err := x.Terms.Running(ctx, now)
	if err != nil { // a page without this word is better than none
		x.Log.WarnContext(ctx, "read the start of term", "error", err)
		return contract.Banner{}, false
	}
	words := running.Banner.In(i18n.Locale(ctx))
	if !ok || words == "" {
		return contract.Banner{}, false
	}
	return contract.Banner{ID: "term-" + running.First.String(), Tone: "info", Title: running.Name.In(i18n.Locale(ctx)), Detail: words, URL: "/helpdesk"}, true
}

// latest is the last thing that was said, short.
func (o told) latest(ctx context.Context) string {
	if len(o.Updates) == 0 {
		return ""
	}
	return prose.Cut(o.Updates[0].Words.In(i18n.Locale(ctx)), longestBanner)
}

// toneOf is how an impact looks.
func toneOf(i Impact) string {
	if i == Down {
		return "bad"
	}
	return "warn"
}

// span says from when to when it is.
func span(ctx context.Context, o Outage) string {
	begins := i18n.Date(ctx, o.Begins, i18n.Moment)
	if o.Ends.IsZero() {
		return t(ctx, "since", "begins", begins)
	}
	style := i18n.Moment
	if o.Ends.Sub(o.Begins) < 18*time.Hour && i18n.Date(ctx, o.Begins, i18n.Day) == i18n.Date(ctx, o.Ends, i18n.Day) {
		style = i18n.Clock
	}
	return t(ctx, "span", "begins", begins, "ends", i18n.Date(ctx, o.Ends, style))
}

// Suggest implements [diagnosis.Suggester]: who is about to ask is shown first what
// is out of order. Where a service is named, only what concerns it counts.
func (x *Outages) Suggest(ctx context.Context, w diagnosis.Wanted) ([]diagnosis.Suggestion, error) {
	now := x.Clock.Now()
	var campuses []string
	if w.Campus != "" {
		campuses = []string{w.Campus}
	}
	var list []diagnosis.Suggestion
	for _, o := range x.shown(ctx) {
		if !o.Now(now) || !o.Reaches(campuses) || !o.fits(w) {
			continue
		}
		detail := o.latest(ctx)
		if detail == "" {
			detail = span(ctx, o.Outage)
		}
		list = append(list, diagnosis.Suggestion{Title: o.Title.In(i18n.Locale(ctx)), Detail: detail, URL: StatusURL + "/" + o.ID, Outage: true})
	}
	return list, nil
}

// fits reports whether it may be what somebody asks about. Who says nothing yet is
// shown all.
func (o told) fits(w diagnosis.Wanted) bool {
	if w.Service != "" {
		return slices.Contains(o.Services, w.Service) || slices.Contains(o.Keys, byService+w.Service) || w.Reason != "" && slices.Contains(o.Keys, byReason+w.Reason)
	}
	if w.Reason == "" && w.Leaf == "" {
		return true
	}
	var area ticket.Area
	if leaf := diagnosis.LeafOf(w.Leaf); leaf != nil {
		area = leaf.Area
	}
	for _, key := range keysOf(ticket.Ticket{Reason: w.Reason, Leaf: w.Leaf, Area: area, Campus: w.Campus}) {
		if slices.Contains(o.Keys, key) {
			return true
		}
	}
	return len(o.Services) == 0 && len(o.Keys) == 0
}

// placeName is a campus by its name; empty for none.
func (x *Outages) placeName(code string, l campus.Locale) string {
	if code == "" {
		return ""
	}
	return place.NameOf(x.Places.Campuses(), code, l)
}
