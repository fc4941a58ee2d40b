// Package bulk carries out the acts of the secretariat on many accounts: first it
// lists who would change and who would not, then it does what was shown, one
// person at a time, and it can take all of it back.
package bulk

import (
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Door asks who is there to prove it anew; package entry says how.
type Door interface {
	Confirm(w http.ResponseWriter, r *http.Request) (ok bool, err error)
}

// Deps is what the alcove asks of the room.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Zone     *time.Location // the zone in which a day is meant
	People   account.People
	Accounts *lifecycle.Lifecycle
	// Places names campuses and programmes; nil leaves codes.
	Places place.Names
	Door   Door
}

// Bulk is the alcove. It is safe for concurrent use.
type Bulk struct{ Deps }

// New makes the alcove.
func New(d Deps) *Bulk {
	if d.Places == nil {
		d.Places = place.Fixed{}
	}
	return &Bulk{Deps: d}
}

// Routes lists every address of the alcove. All are the secretariat's, each for
// those whom the officer looks after.
func (x *Bulk) Routes(r *web.Router) {
	secretariat := web.NeedsSomewhere(campus.RightSecretariat)
	r.Handle("GET /identity/bulk", x.ordersPage, secretariat)
	r.Handle("GET /identity/bulk/new", x.newPage, secretariat)
	r.Handle("POST /identity/bulk", x.prepare, secretariat, web.BodyLimit(maxBody))
	r.Handle("GET /identity/bulk/{id}", x.orderPage, secretariat)
	r.Handle("GET /identity/bulk/{id}/report.csv", x.report, secretariat)
	r.Handle("POST /identity/bulk/{id}/start", x.start, secretariat)
	r.Handle("POST /identity/bulk/{id}/drop", x.drop, secretariat)
	r.Handle("POST /identity/bulk/{id}/undo", x.undo, secretariat)
}

// Jobs registers the alcove's jobs.
func (x *Bulk) Jobs(reg *jobs.Registry) {
	jobs.Handle(reg, x.carryOut, jobs.Policy{Timeout: time.Hour})
	reg.Every("identity.bulk_prune", 24*time.Hour, x.prune)
}
