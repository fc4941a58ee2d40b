// Package worker makes accounts what the ledger says: it decides when something
// changed, works through each service's queue at the service's own pace, steps
// back while a service is away, and compares both sides every night.
package worker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/due"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Service is one target as the configuration has it.
type Service struct {
	ID     string
	Target target.Target
	Rule   due.Rule
	// Told is what the service is told of people, Carry the patterns of the groups
	// that it keeps as well.
	Told  []target.Field
	Carry []string
	Terms ledger.Terms
	// Patience ends all questions about one account.
	Patience time.Duration
	// Together is how many accounts are worked on at once.
	Together int
	// BrakeShare and BrakeFloor bound how many accounts may be closed within a day
	// without an administrator: a share of those that exist, in percent, and a number
	// that is always allowed.
	BrakeShare, BrakeFloor int64
	// Setting is a digest of all this: when it changes, everybody is looked at again.
	Setting string
}

// Groups knows who is in which group.
type Groups interface {
	GroupsOf(ctx context.Context, who campus.PersonID) ([]string, error)
}

// Deps is what the work needs.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Ledger   *ledger.Ledger
	Register contract.Register
	Groups   Groups
	// Everybody hands over all people of the register, in pieces.
	Everybody func(ctx context.Context, each func([]campus.PersonID) error) error
	// Zone is the one in which it is night, Night the hour after which everybody is
	// looked at and both sides are compared.
	Zone  *time.Location
	Night int
	// History is how long exchanges are kept.
	History time.Duration
}

// Worker does the work of all services.
type Worker struct {
	Deps
	services map[string]*Service
	order    []string
	// slots bound how many services this server works on at once, so that slow ones
	// leave room for the other jobs of the house.
	slots chan struct{}

	mu   sync.Mutex
	held map[string]time.Time // services that asked to be left alone
}

// atOnce is how many services a server works on at the same time.
const atOnce = 4

// New prepares the work.
func New(d Deps, services []Service) *Worker {
	w := &Worker{Deps: d, services: map[string]*Service{}, slots: make(chan struct{}, atOnce), held: map[string]time.Time{}}
	for i := range services {
		w.services[services[i].ID] = &services[i]
		w.order = append(w.order, services[i].ID)
	}
	return w
}

// decideJob looks at those about whom something changed.
type decideJob struct{}

func (decideJob) JobName() string { return "provisioning.decide" }

// workJob goes on with the queue of one target.
type workJob struct{ Target string }

func (workJob) JobName() string { return "provisioning.work" }

// compareJob compares both sides of one target.
type compareJob struct{ Target string }

func (compareJob) JobName() string { return "provisioning.compare" }

// wakeEvery is how often the queues are looked at for what has become due: pauses
// after failures end, days of closing come. What changes is worked on at once.
const wakeEvery = 20 * time.Second

// Jobs registers the work.
func (w *Worker) Jobs(r *jobs.Registry) {
	if len(w.services) == 0 {
		return
	}
	jobs.Handle(r, w.decide, jobs.Policy{Timeout: 2 * sliceLast, LongestPause: time.Minute})
	jobs.Handle(r, w.work, jobs.Policy{Timeout: 10 * time.Minute, LongestPause: time.Minute})
	jobs.Handle(r, func(ctx context.Context, j compareJob) error { return w.Compare(ctx, j.Target) }, jobs.Policy{Timeout: time.Hour, Attempts: 3})
	r.Every("provisioning.wake", wakeEvery, w.wake)
	r.Every("provisioning.night", time.Hour, w.night)
}

// Changed takes note of somebody in the transaction of a change.
func (w *Worker) Changed(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	if len(w.services) == 0 {
		return nil
	}
	if err := w.Ledger.Note(ctx, tx, who); err != nil {
		return err
	}
	return jobs.Enqueue(ctx, tx, decideJob{}, jobs.UniqueKey("decide"))
}

// Start asks, in a transaction, for work on a target right after it.
func (w *Worker) Start(ctx context.Context, tx db.Tx, targetID string) error {
	return jobs.Enqueue(ctx, tx, workJob{targetID}, jobs.UniqueKey(targetID))
}

// StartCompare asks for a comparison of a target.
func (w *Worker) StartCompare(ctx context.Context, tx db.Tx, targetID string) error {
	return jobs.Enqueue(ctx, tx, compareJob{targetID}, jobs.UniqueKey(targetID))
}

// wake starts the work wherever something is due, and notices a configuration
// that has changed.
func (w *Worker) wake(ctx context.Context) error {
	if err := w.furnish(ctx); err != nil {
		return err
	}
	noted, err := w.Ledger.CountNoted(ctx)
	if err != nil {
		return err
	}
	work, err := w.Ledger.TargetsWithWork(ctx)
	if err != nil || noted == 0 && len(work) == 0 {
		return err
	}
	return w.DB.InTx(ctx, func(tx db.Tx) error {
		if noted > 0 {
			if err := jobs.Enqueue(ctx, tx, decideJob{}, jobs.UniqueKey("decide")); err != nil {
				return err
			}
		}
		for _, name := range work {
			if _, ok := w.services[name]; !ok { // no longer in the configuration
				continue
			}
			if err := w.Start(ctx, tx, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// furnish has everybody looked at when the configuration of a target is another
// than before, and then remembers it.
func (w *Worker) furnish(ctx context.Context) error {
	desks, err := w.Ledger.Desks(ctx)
	if err != nil {
		return err
	}
	var changed []string
	for _, name := range w.order {
		if desks[name].Setting != w.services[name].Setting {
			changed = append(changed, name)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	if err := w.noteEverybody(ctx); err != nil {
		return err
	}
	for _, name := range changed {
		if err := w.Ledger.Furnish(ctx, name, w.services[name].Setting); err != nil {
			return err
		}
	}
	return nil
}

// Prepare makes the desks of all targets and has everybody looked at.
func (w *Worker) Prepare(ctx context.Context) error {
	if err := w.furnish(ctx); err != nil {
		return err
	}
	return w.noteEverybody(ctx)
}

// night looks at everybody and compares both sides, once in each night.
func (w *Worker) night(ctx context.Context) error {
	if err := w.Ledger.Prune(ctx, w.History); err != nil {
		return err
	}
	now := w.Clock.Now().In(w.Zone)
	last := time.Date(now.Year(), now.Month(), now.Day(), w.Night, 0, 0, 0, w.Zone)
	if now.Before(last) {
		last = last.AddDate(0, 0, -1)
	}
	desks, err := w.Ledger.Desks(ctx)
	if err != nil {
		return err
	}
	var late []string
	for _, name := range w.order {
		if desks[name].ComparedAt.Time().Before(last) {
			late = append(late, name)
		}
	}
	if len(late) == 0 {
		return nil
	}
	if err := w.noteEverybody(ctx); err != nil {
		return err
	}
	return w.DB.InTx(ctx, func(tx db.Tx) error {
		for _, name := range late {
			if err := w.StartCompare(ctx, tx, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// noteAtOnce is how many people one transaction notes.
const noteAtOnce = 500

// noteEverybody has everybody looked at: all people, and those of the ledger who
// are none any more.
func (w *Worker) noteEverybody(ctx context.Context) error {
	note := func(people []campus.PersonID) error {
		for len(people) > 0 {
			some := people[:min(len(people), noteAtOnce)]
			people = people[len(some):]
			if err := w.DB.InTx(ctx, func(tx db.Tx) error { return w.Ledger.NoteAgain(ctx, tx, some) }); err != nil {
				return err
			}
		}
		return nil
	}
	if err := w.Everybody(ctx, note); err != nil {
		return fmt.Errorf("look at everybody: %w", err)
	}
	for after := campus.PersonID(""); ; {
		people, err := w.Ledger.PeopleAfter(ctx, after, noteAtOnce)
		if err != nil {
			return err
		}
		if len(people) == 0 {
			break
		}
		if err := note(people); err != nil {
			return err
		}
		after = people[len(people)-1]
	}
	return w.DB.InTx(ctx, func(tx db.Tx) error { return jobs.Enqueue(ctx, tx, decideJob{}, jobs.UniqueKey("decide")) })
}
