// Package calendar knows what ends: certificates of services and of the house,
// secrets, metadata. It shows all of it on one page, and tells who renews it 60, 30
// and 7 days before, and when it has ended.
package calendar

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Kind is what ends.
type Kind string

// The kinds. Their words are [sso.calendar.kind.…].
const (
	Certificate Kind = "certificate" // of a service
	Secret      Kind = "secret"      // of a service
	Metadata    Kind = "metadata"    // of a service or a federation (validUntil)
	OwnKey      Kind = "own_key"     // of this house
	Upstream    Kind = "upstream"    // of who signs people in for us
)

// Expiring is one thing that ends.
type Expiring struct {
	// ID is the same as long as the thing is: its alarms are counted by it and by
	// its end.
	ID   string
	Kind Kind
	// Whose it is, in both languages: the service, the federation.
	NameFrench, NameEnglish string
	// Detail tells it from others of the same owner, such as a fingerprint.
	Detail string
	Ends   time.Time
	// Contact is the mail address of who renews it; may be empty.
	Contact string
	// URL is the local page that shows it.
	URL string
}

// Name is whose it is, in a language.
func (e Expiring) Name(l campus.Locale) string {
	if l == campus.English && e.NameEnglish != "" || e.NameFrench == "" {
		return e.NameEnglish
	}
	return e.NameFrench
}

// Source lists what ends, of one kind of owner.
type Source func(ctx context.Context) ([]Expiring, error)

// Deps is what the alcove asks of the room.
type Deps struct {
	DB    *db.DB
	Log   *slog.Logger
	Texts *i18n.Catalogue
	// Mailer reaches contacts; nil sends nothing.
	Mailer  Mailer
	BaseURL string
	Sources []Source
}

// Mailer puts a mail in the outbox, in the caller's transaction.
type Mailer interface {
	Send(ctx context.Context, tx db.Tx, m mailer.Message) error
}

// Calendar is safe for concurrent use.
type Calendar struct{ Deps }

// New makes the alcove.
func New(d Deps) *Calendar { return &Calendar{d} }

// Routes lists every address of the alcove, for administrators.
func (c *Calendar) Routes(r *web.Router) {
	r.Handle("GET /sso/calendar", c.page, web.Needs(campus.RightAdmin))
	r.Handle("GET /sso/calendar.ics", c.file, web.Needs(campus.RightAdmin))
}

// Jobs looks for what ends soon.
func (c *Calendar) Jobs(r *jobs.Registry) { r.Every("sso.calendar", 6*time.Hour, c.alarm) }

// All lists what ends, the next first. When a source cannot be read the others are
// listed all the same, with its error.
func (c *Calendar) All(ctx context.Context) ([]Expiring, error) {
	var all []Expiring
	var failed []error
	for _, source := range c.Sources {
		list, err := source(ctx)
		all, failed = append(all, list...), append(failed, err)
	}
	slices.SortStableFunc(all, func(a, b Expiring) int {
		if n := a.Ends.Compare(b.Ends); n != 0 {
			return n
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all, errors.Join(failed...)
}

// Thresholds are how many days before an end an alarm is sent; 0 is the end.
var Thresholds = []int{0, 7, 30, 60}

// due is the alarm that an end calls for now: the nearest threshold that it has
// passed. ok is false when it is further away than all.
func due(ends, now time.Time) (days int, ok bool) {
	left := ends.Sub(now)
	for _, days := range Thresholds {
		if left <= time.Duration(days)*24*time.Hour {
			return days, true
		}
	}
	return 0, false
}

// mostRows bounds the administrators' card.
const mostRows = 5

// Cards tells administrators what ends within 60 days.
func (c *Calendar) Cards(ctx context.Context, v campus.Viewer) ([]contract.Card, error) {
	if !v.Can(campus.RightAdmin) {
		return nil, nil
	}
	all, err := c.All(ctx)
	if err != nil {
		return nil, err
	}
	card := contract.Card{
		ID: "sso.calendar", Rank: 0, Title: i18n.T(ctx, "sso.calendar.card"),
		Link: contract.Link{Label: i18n.T(ctx, "sso.calendar.card_all"), URL: "/sso/calendar"},
	}
	now := c.DB.Now().Time()
	for _, e := range all {
		if _, soon := due(e.Ends, now); !soon || len(card.Rows) == mostRows {
			break
		}
		card.Rows = append(card.Rows, contract.CardRow{
			Title: e.Name(i18n.Locale(ctx)), Detail: i18n.T(ctx, "sso.calendar.kind."+string(e.Kind)), URL: e.URL,
			Tag: i18n.Date(ctx, e.Ends, i18n.Day), Tone: string(tone(e.Ends, now)),
		})
	}
	if len(card.Rows) == 0 {
		return nil, nil
	}
	return []contract.Card{card}, nil
}
