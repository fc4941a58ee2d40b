package portal

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
)

// Deps is what the room asks of the house. The lists of providers are functions
// because the house is complete only after this room was made.
type Deps struct {
	DB     *db.DB
	Clock  clock.Clock
	Log    *slog.Logger
	Files  files.Store
	People People
	// Places names campuses and programmes; place.Fixed is one.
	Places   place.Names
	Calendar Calendar
	// Institution is the name of the university, for the public feed.
	Institution news.Text

	Cards      func() []contract.CardProvider
	Services   func() []contract.ServiceProvider
	Searchers  func() []contract.Searcher
	Navigators func() []contract.Navigator
	// OpeningHours are the rooms that know when desks are open; nil for none.
	OpeningHours func() []contract.OpeningHours

	// FeedTransport reaches the sites of the configured feeds; nil means the
	// ordinary network.
	FeedTransport http.RoundTripper
}

// People keeps what people chose for themselves.
type People interface {
	SetPreferences(ctx context.Context, who campus.PersonID, l campus.Locale, appearance string) error
}

// Calendar knows the academic year.
type Calendar interface {
	// WeekAt is the week of the semester at a moment in the institution's time
	// zone; false between two semesters.
	WeekAt(t time.Time) (Week, bool)
}

// Week is one week of a semester.
type Week struct {
	Number int
	// French and English name the semester as after "semaine 12 du" and "week 12
	// of the".
	French, English string
}
