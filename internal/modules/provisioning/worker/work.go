package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// leaseLast is how long a target stays with a worker that no longer answers. It
// outlasts every question that such a worker may have asked.
const leaseLast = 45 * time.Second

// errLeaseLost ends the work of who no longer has the target.
var errLeaseLost = errors.New("another worker has the target")

// work goes on with the queue of a target, for a while. One worker has a target
// at a time, whichever server it runs on.
func (w *Worker) work(ctx context.Context, j workJob) error {
	s, ok := w.services[j.Target]
	if !ok {
		return nil // no longer in the configuration
	}
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	default: // this server has enough to do; the next look takes it up
		return nil
	}
	if w.heldBack(s.ID) {
		return nil
	}
	lease := id.New()
	taken, err := w.Ledger.TakeLease(ctx, s.ID, lease, leaseLast)
	if err != nil || !taken {
		return err
	}
	how, err := w.slice(ctx, s, lease)
	// The target is given up even while the server stops.
	return errors.Join(err, w.leave(context.WithoutCancel(ctx), s, lease, how))
}

// leave gives a target up and has somebody go on with what is left. Whoever came with
// work between the last look and here found the target taken and went away: that is why
// it is looked at once more afterwards.
func (w *Worker) leave(ctx context.Context, s *Service, lease string, how ending) error {
	if err := w.Ledger.GiveLease(ctx, s.ID, lease); err != nil {
		return err
	}
	left := how == more
	if how == drained || how == braked {
		// Only who has the target may ask the brake: while it holds, closings wait for the
		// next round.
		batch, err := w.Ledger.DueNow(ctx, s.ID, how == drained, 1)
		if err != nil {
			return err
		}
		left = len(batch) > 0
	}
	if !left {
		return nil
	}
	return w.DB.InTx(ctx, func(tx db.Tx) error { return w.Start(ctx, tx, s.ID) })
}

// ending is how a slice of work ends.
type ending int

const (
	aside   ending = iota // the service steps out of the way, or is to be left alone
	drained               // nothing is due
	braked                // nothing is due that may be done now: closings may not
	more                  // time to make room, and something may be left
)

// slice works until nothing is due, the service steps out of the way, or it is
// time to make room.
func (w *Worker) slice(ctx context.Context, s *Service, lease string) (ending, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go w.keep(ctx, s.ID, lease, stop)
	ready, err := w.ready(ctx, s)
	if err != nil || !ready {
		return aside, err
	}
	if stop, err := w.removals(ctx, s); err != nil || stop {
		return aside, err
	}
	for begun := w.Clock.Now(); ; {
		closing, err := w.mayClose(ctx, s)
		if err != nil {
			return aside, err
		}
		batch, err := w.Ledger.DueNow(ctx, s.ID, closing, 8*s.Together)
		switch {
		case err != nil:
			return aside, err
		case len(batch) == 0 && closing:
			return drained, nil
		case len(batch) == 0:
			return braked, nil
		}
		gone, err := w.batch(ctx, s, batch)
		switch {
		case err != nil || gone:
			return aside, err
		case w.Clock.Now().Sub(begun) > sliceLast:
			return more, nil
		}
		if desk, err := w.Ledger.Desk(ctx, s.ID); err != nil || desk.Paused() {
			return aside, err
		}
	}
}

// keep lengthens the lease until ctx ends, and ends the work when it was lost.
func (w *Worker) keep(ctx context.Context, targetID, lease string, stop context.CancelCauseFunc) {
	beat := time.NewTicker(leaseLast / 4)
	defer beat.Stop()
	for missed := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
		switch kept, err := w.Ledger.KeepLease(ctx, targetID, lease, leaseLast); {
		case err != nil && ctx.Err() == nil:
			if missed++; missed >= 3 { // it runs out before the next beat
				stop(errors.Join(errLeaseLost, err))
			}
		case err == nil && !kept:
			stop(errLeaseLost)
		default:
			missed = 0
		}
	}
}

// tally counts how a batch goes.
type tally struct {
	mu           sync.Mutex
	done, failed int64
	last         *target.Failure
	hold         time.Duration // for which the service wants to be left alone
	broken       error         // ours
}

// add counts one account.
func (t *tally) add(f *target.Failure, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err != nil:
		t.broken = errors.Join(t.broken, err)
	case f == nil || !f.Kind.OfEverybody():
		t.done++ // the service answers
	case f.Kind == target.Busy:
		t.hold = max(t.hold, f.After, time.Second)
	default:
		t.last = f
		t.failed++
	}
}

// stopped reports whether nobody else should be tried.
func (t *tally) stopped() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed >= tooMany && t.done == 0 || t.hold > 0 || t.broken != nil
}

// tooMany is after how many failures in one batch, without one success, nobody
// else is tried.
const tooMany = 5

// batch works on some accounts at once; gone says that the service is away, or
// wants to be left alone.
func (w *Worker) batch(ctx context.Context, s *Service, batch []ledger.Account) (gone bool, err error) {
	ids := make([]campus.PersonID, len(batch))
	for i, a := range batch {
		ids[i] = campus.PersonID(a.Person)
	}
	people, err := w.look(ctx, ids)
	if err != nil {
		return false, err
	}
	var t tally
	begun := time.Now() // not the house's clock: this is measured
	lines := make(chan ledger.Account, len(batch))
	for _, line := range batch {
		lines <- line
	}
	close(lines)
	var hands sync.WaitGroup
	for range s.Together {
		hands.Go(func() {
			for line := range lines {
				if t.stopped() || ctx.Err() != nil {
					return // the rest is left for later
				}
				t.add(w.one(ctx, s, line, people[campus.PersonID(line.Person)]))
			}
		})
	}
	hands.Wait()
	if ctx.Err() != nil {
		return true, context.Cause(ctx)
	}
	if t.broken != nil {
		return false, t.broken
	}
	if t.done > 0 {
		if err := w.measured(ctx, s.ID, time.Since(begun)/time.Duration(t.done)); err != nil {
			return false, err
		}
	}
	if t.hold > 0 {
		w.hold(s.ID, t.hold)
		return true, nil
	}
	return w.afterFailures(ctx, s, &t)
}

// measured mixes a new measure of the pace into the old ones.
func (w *Worker) measured(ctx context.Context, targetID string, pace time.Duration) error {
	desk, err := w.Ledger.Desk(ctx, targetID)
	if err != nil {
		return err
	}
	if before := desk.Pace(); before > 0 {
		pace = (3*before + pace) / 4
	}
	return w.Ledger.NotePace(ctx, targetID, pace)
}

// hold leaves a service alone for a while, as it asked.
func (w *Worker) hold(targetID string, last time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held[targetID] = w.Clock.Now().Add(last)
}

func (w *Worker) heldBack(targetID string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Clock.Now().Before(w.held[targetID])
}

// Once works on one account now, at the word of an administrator: also while the
// target is paused or taken for away. It returns what stopped it, if anything did.
func (w *Worker) Once(ctx context.Context, targetID string, who campus.PersonID) (*target.Failure, error) {
	s, ok := w.services[targetID]
	if !ok {
		return nil, errors.New("there is no target " + targetID)
	}
	if err := w.furnish(ctx); err != nil {
		return nil, err
	}
	lease := id.New()
	for taken := false; !taken; { // a slice lasts seconds
		var err error
		if taken, err = w.Ledger.TakeLease(ctx, targetID, lease, leaseLast); err != nil {
			return nil, err
		}
		if !taken {
			select {
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
	failed, err := w.onceLeased(ctx, s, who)
	return failed, errors.Join(err, w.leave(context.WithoutCancel(ctx), s, lease, braked))
}

func (w *Worker) onceLeased(ctx context.Context, s *Service, who campus.PersonID) (*target.Failure, error) {
	people, err := w.look(ctx, []campus.PersonID{who})
	if err != nil {
		return nil, err
	}
	var line ledger.Account
	err = w.DB.InTx(ctx, func(tx db.Tx) (err error) {
		if _, err := w.decideOne(ctx, tx, s, who, people[who], true); err != nil {
			return err
		}
		line, _, err = w.Ledger.Of(ctx, tx, s.ID, who)
		return err
	})
	if err != nil || line.Todo() == ledger.Nothing || line.Todo() == ledger.Delete {
		return nil, err
	}
	return w.one(ctx, s, line, people[who])
}
