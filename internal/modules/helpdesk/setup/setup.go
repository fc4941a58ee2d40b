// Package setup is the pages of those who run the help desk: queues and who works in
// them, opening hours, promised times, rules, and the start of a term. Every change
// says what it changes, and can be undone or is asked about first.
package setup

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/routing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// Roll says who holds a right.
type Roll interface {
	HoldersFor(ctx context.Context, r campus.Right, somebody []campus.Affiliation) ([]campus.PersonID, error)
}

// Register finds people; the identity room keeps it.
type Register interface {
	FindPeople(ctx context.Context, by contract.Field, values []string) (map[string]campus.PersonID, error)
	KnownPeople(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error)
}

// Deps is what the alcove asks of its room.
type Deps struct {
	DB        *db.DB
	Clock     clock.Clock
	Zone      *time.Location // of the institution
	Tickets   *ticket.Tickets
	Calendars *openings.Calendars
	Promises  *promise.Promises
	Routing   *routing.Routing
	Register  Register
	Roll      Roll
	Places    place.Names
	// Others are settings with pages elsewhere: their changes are undone here too.
	Others []kept.Undoer
}

// Setup is the alcove.
type Setup struct {
	Deps
	history *kept.History
}

// New makes the alcove.
func New(d Deps) *Setup {
	shelves := []kept.Undoer{d.Calendars.Plans, d.Calendars.Terms.Shelf, d.Promises.Tables, d.Routing.Rules, d.Routing.Exams}
	return &Setup{d, &kept.History{DB: d.DB, Shelves: append(shelves, d.Others...)}}
}

// The bounds of forms.
const (
	maxFile  = 2 << 20 // bytes of a calendar file
	maxName  = 120
	maxWords = 500
)

// Routes lists the addresses of the alcove. All of it is for those who run the desk.
func (s *Setup) Routes(r *web.Router) {
	runs := web.Needs(campus.RightDesks)
	r.Handle("GET /helpdesk/setup", s.overviewPage, runs)
	r.Handle("POST /helpdesk/setup/undo/{id}", s.undo, runs)

	r.Handle("GET /helpdesk/setup/begin", s.beginPage, runs)
	r.Handle("POST /helpdesk/setup/begin", s.begin, runs)
	r.Handle("GET /helpdesk/setup/begin/{id}/people", s.peoplePage, runs)
	r.Handle("POST /helpdesk/setup/begin/{id}/people", s.people, runs)
	r.Handle("GET /helpdesk/setup/begin/{id}/done", s.donePage, runs)

	r.Handle("GET /helpdesk/setup/queues", s.queuesPage, runs)
	r.Handle("GET /helpdesk/setup/queues/{id}", s.queuePage, runs)
	r.Handle("POST /helpdesk/setup/queues/{id}", s.keepQueue, runs)
	r.Handle("POST /helpdesk/setup/queues/{id}/join", s.join, runs)
	r.Handle("POST /helpdesk/setup/queues/{id}/leave", s.leave, runs)
	r.Handle("POST /helpdesk/setup/queues/{id}/away", s.away, runs)
	r.Handle("GET /helpdesk/setup/queues/{id}/close", s.closePage, runs)
	r.Handle("POST /helpdesk/setup/queues/{id}/close", s.closeQueue, runs)
	r.Handle("POST /helpdesk/setup/queues/{id}/open", s.openQueue, runs)

	r.Handle("GET /helpdesk/setup/calendars", s.calendarsPage, runs)
	r.Handle("GET /helpdesk/setup/calendars/{id}", s.calendarPage, runs)
	r.Handle("POST /helpdesk/setup/calendars/{id}", s.keepCalendar, runs)
	r.Handle("GET /helpdesk/setup/calendars/{id}/month", s.monthPage, runs)
	r.Handle("GET /helpdesk/setup/calendars/{id}/period", s.periodPage, runs)
	r.Handle("POST /helpdesk/setup/calendars/{id}/period", s.addPeriod, runs)
	r.Handle("POST /helpdesk/setup/calendars/{id}/exception", s.addException, runs)
	r.Handle("POST /helpdesk/setup/calendars/{id}/drop", s.dropPart, runs)
	r.Handle("GET /helpdesk/setup/calendars/{id}/holidays", s.holidaysPage, runs)
	r.Handle("POST /helpdesk/setup/calendars/{id}/holidays", s.readHolidays, runs, web.BodyLimit(maxFile))
	r.Handle("POST /helpdesk/setup/calendars/{id}/holidays/keep", s.keepHolidays, runs, web.BodyLimit(maxFile))
	r.Handle("GET /helpdesk/setup/calendars/{id}/remove", s.removeCalendarPage, runs)
	r.Handle("POST /helpdesk/setup/calendars/{id}/remove", s.removeCalendar, runs)

	r.Handle("GET /helpdesk/setup/promises", s.promisesPage, runs)
	r.Handle("GET /helpdesk/setup/promises/{id}", s.promisePage, runs)
	r.Handle("POST /helpdesk/setup/promises/{id}", s.keepPromise, runs)

	r.Handle("GET /helpdesk/setup/rules", s.rulesPage, runs)
	r.Handle("GET /helpdesk/setup/rules/try", s.tryPage, runs)
	r.Handle("POST /helpdesk/setup/rules/exams", s.addExams, runs)
	r.Handle("POST /helpdesk/setup/rules/exams/{id}/remove", s.removeExams, runs)
	r.Handle("GET /helpdesk/setup/rules/{id}", s.rulePage, runs)
	r.Handle("POST /helpdesk/setup/rules/{id}", s.keepRule, runs)
	r.Handle("POST /helpdesk/setup/rules/{id}/move", s.moveRule, runs)
	r.Handle("POST /helpdesk/setup/rules/{id}/switch", s.switchRule, runs)
	r.Handle("POST /helpdesk/setup/rules/{id}/remove", s.removeRule, runs)

	r.Handle("GET /helpdesk/setup/term", s.termsPage, runs)
	r.Handle("GET /helpdesk/setup/term/{id}", s.termPage, runs)
	r.Handle("POST /helpdesk/setup/term/{id}", s.keepTerm, runs)
	r.Handle("POST /helpdesk/setup/term/{id}/join", s.joinTerm, runs)
	r.Handle("POST /helpdesk/setup/term/{id}/leave", s.leaveTerm, runs)
	r.Handle("GET /helpdesk/setup/term/{id}/end", s.endTermPage, runs)
	r.Handle("POST /helpdesk/setup/term/{id}/end", s.endTerm, runs)
}

// Jobs registers the jobs of the alcove.
func (s *Setup) Jobs(r *jobs.Registry) {
	r.Every("helpdesk.term.staff", time.Minute, s.Calendars.Terms.Staff)
	jobs.Handle(r, s.move, jobs.Policy{Timeout: 30 * time.Minute})
}

func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "helpdesk.setup."+key, pairs...)
}

// crumbs lead back to the overview, and to more pages below it.
func crumbs(ctx context.Context, more ...ui.Link) []ui.Link {
	return append([]ui.Link{{Label: t(ctx, "title"), URL: "/helpdesk/setup"}}, more...)
}
