// Package trace reads both sides of what services were given: that we issued an
// answer, and what the service did with it. It finds services that break before
// people call, and shows the help desk where somebody's way ended.
package trace

import (
	"context"
	"log/slog"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the alcove asks of the room.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	Log   *slog.Logger
	Gate  Gate
	// Story finds whose way an incident code is about, and when it began and ended.
	Story func(ctx context.Context, code string) (who campus.PersonID, from, until time.Time, err error)
}

// Gate is the part of [gate.Gate] that the alcove needs.
type Gate interface {
	Registry(ctx context.Context) (*registry.Index, error)
	Note(ctx context.Context, i gate.Incident)
}

// Trace is safe for concurrent use.
type Trace struct{ Deps }

// New makes the alcove.
func New(d Deps) *Trace { return &Trace{d} }

// Routes lists the addresses, for those who repair and those who answer.
func (x *Trace) Routes(r *web.Router) {
	allowed := web.Needs(campus.RightAdmin, campus.RightHelpdesk)
	r.Handle("GET /sso/trace", x.page, allowed)
	r.Handle("GET /sso/services/{id}/trace", x.page, allowed)
}

// Jobs looks for services that break.
func (x *Trace) Jobs(r *jobs.Registry) { r.Every("sso.trace", lookEvery, x.look) }
