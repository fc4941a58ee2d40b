// Package counter is where people are helped in person: appointments at a counter,
// numbers for those who come without one, the screen on which they are called, and
// the page of who works there.
package counter

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/proving"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// Register names people; the identity room keeps it.
type Register interface {
	KnownPeople(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error)
}

// Contacts reads the addresses that people type.
type Contacts interface {
	ReadContact(typed string) (contract.Contact, error)
}

// Mailer puts letters in the outbox.
type Mailer interface {
	Send(ctx context.Context, tx db.Tx, m mailer.Message) error
}

// Deps is what the alcove asks of its room.
type Deps struct {
	DB        *db.DB
	Clock     clock.Clock
	Keys      *crypt.Keyring
	Texts     *i18n.Catalogue
	Zone      *time.Location // of the institution
	Base      *url.URL
	Tickets   *ticket.Tickets
	Calendars *openings.Calendars
	Counters  *kept.Shelf[Counter]
	Proving   *proving.Proving
	Contacts  Contacts
	Register  Register
	Seeker    contract.Seeker
	Places    place.Names
	Mailer    Mailer
	// Confirm asks who makes an address for a device to prove anew who they are.
	Confirm func(w http.ResponseWriter, r *http.Request) (ok bool, err error)
	// InstitutionFrench and InstitutionEnglish sign letters.
	InstitutionFrench, InstitutionEnglish string
}

// Reception is the alcove.
type Reception struct {
	Deps
	counters Counters
	numbers  *limit.Limiter // by kiosk
}

// numberRate bounds how many numbers a kiosk gives: somebody may press its button
// again and again.
var numberRate = limit.Rate{Every: 10 * time.Second, Burst: 20}

// New opens the alcove.
func New(d Deps) *Reception {
	x := &Reception{Deps: d, counters: Counters{d.Counters}, numbers: limit.New(numberRate, limit.DefaultKeys, d.Clock)}
	d.Proving.On(proofPurpose, x.proved)
	return x
}

// Routes lists the addresses. Those below /helpdesk/counters and
// /helpdesk/appointments are for everybody; kiosks, screens and calendars show a key;
// the rest is for who works at the counter, which each handler checks.
func (x *Reception) Routes(r *web.Router) {
	r.Handle("GET /helpdesk/counters", x.countersPage, web.Public)
	r.Handle("GET /helpdesk/counters/{code}", x.reasonsPage, web.Public)
	r.Handle("GET /helpdesk/counters/{code}/{purpose}", x.slotsPage, web.Public)
	r.Handle("POST /helpdesk/counters/{code}/{purpose}", x.take, web.Public)

	r.Handle("GET /helpdesk/appointments/{key}", x.appointmentPage, web.Public)
	r.Handle("GET /helpdesk/appointments/{key}/calendar", x.appointmentCalendar, web.Public)
	r.Handle("POST /helpdesk/appointments/{key}/cancel", x.cancel, web.Public)
	r.Handle("GET /helpdesk/appointments/{key}/move", x.movePage, web.Public)
	r.Handle("POST /helpdesk/appointments/{key}/move", x.move, web.Public)

	r.Handle("GET /helpdesk/counter/{code}/kiosk", x.kioskPage, web.Public)
	r.Handle("POST /helpdesk/counter/{code}/kiosk", x.takeNumber, web.Public)
	r.Handle("GET /helpdesk/counter/{code}/screen", x.screenPage, web.Public)
	r.Handle("GET /helpdesk/counter/{code}/feed", x.feed, web.Public)

	serves := web.NeedsSomewhere(campus.RightHelpdesk)
	r.Handle("GET /helpdesk/counter", x.deskPage, serves)
	r.Handle("GET /helpdesk/counter/{code}", x.todayPage, serves)
	r.Handle("POST /helpdesk/counter/{code}/next", x.next, serves)
	r.Handle("POST /helpdesk/counter/{code}/number", x.numberFor, serves)
	r.Handle("GET /helpdesk/counter/{code}/devices", x.devicesPage, serves)
	r.Handle("POST /helpdesk/counter/{code}/devices", x.addDevice, serves)
	r.Handle("POST /helpdesk/counter/{code}/devices/{id}/remove", x.removeDevice, serves)
	r.Handle("GET /helpdesk/counter/{code}/visits/{id}", x.visitPage, serves)
	r.Handle("POST /helpdesk/counter/{code}/visits/{id}/state", x.step, serves)
	r.Handle("POST /helpdesk/counter/{code}/visits/{id}/check", x.check, serves)
	r.Handle("POST /helpdesk/counter/{code}/visits/{id}/note", x.note, serves)
	r.Handle("POST /helpdesk/counter/{code}/visits/{id}/ticket", x.toTicket, serves)

	r.Handle("GET "+pastURL, x.pastPage, serves)
	r.Handle("GET "+pastURL+".csv", x.pastFile, serves)

	runs := web.Needs(campus.RightDesks)
	r.Handle("GET /helpdesk/setup/counters", x.setupPage, runs)
	r.Handle("GET /helpdesk/setup/counters/{id}", x.editPage, runs)
	r.Handle("POST /helpdesk/setup/counters/{id}", x.keep, runs)
}

// Jobs registers the reminders, and forgets who came long ago.
func (x *Reception) Jobs(r *jobs.Registry) {
	jobs.Handle(r, x.remind, jobs.Policy{})
	r.Every("helpdesk.tell_closed", 15*time.Minute, x.tellClosed)
	r.Every("helpdesk.forget_visits", 24*time.Hour, x.forget)
}

func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "helpdesk.counter."+key, pairs...)
}

// crumbs lead back to the list of counters, and to more pages below it.
func crumbs(ctx context.Context, more ...ui.Link) []ui.Link {
	return append([]ui.Link{{Label: t(ctx, "title"), URL: CountersURL}}, more...)
}

// CountersURL is where people find the counters.
const CountersURL = "/helpdesk/counters"

// campusName is what the campus of a counter is called.
func (x *Reception) campusName(l campus.Locale, code string) string {
	if code == "" {
		return ""
	}
	return place.NameOf(x.Places.Campuses(), code, l)
}
