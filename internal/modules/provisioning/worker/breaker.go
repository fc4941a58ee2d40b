package worker

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
)

// A service that is away is left alone: the breaker opens, one alarm is raised,
// and a harmless question is asked now and then until it is answered. An outage
// of an hour is one alarm, and nobody's account is to blame.

// The pauses between these questions.
const (
	firstProbe   = 15 * time.Second
	longestProbe = 5 * time.Minute
)

// probePause is how long to wait after so many questions without an answer.
func probePause(probes int64) time.Duration {
	d := firstProbe
	for i := int64(0); i < probes && d < longestProbe; i++ {
		d *= 2
	}
	return min(d, longestProbe)
}

// ready reports whether a target may be worked on now; a service that was away is
// asked how it is.
func (w *Worker) ready(ctx context.Context, s *Service) (bool, error) {
	desk, err := w.Ledger.Desk(ctx, s.ID)
	if err != nil || desk.Paused() {
		return false, err
	}
	if !desk.Away() {
		return true, nil
	}
	if w.Clock.Now().Before(desk.ProbeAt.Time()) {
		return false, nil
	}
	if failed := w.probe(ctx, s); failed != nil {
		_, err := w.Ledger.OpenBreaker(ctx, s.ID, failed.Reason().Code(), failed.Detail, probePause(desk.Probes))
		return false, err
	}
	return true, w.back(ctx, s.ID)
}

// back notes that a service answers again.
func (w *Worker) back(ctx context.Context, targetID string) error {
	was, err := w.Ledger.CloseBreaker(ctx, targetID)
	if was {
		w.Log.InfoContext(ctx, "provisioning: the service is back", "target", targetID)
	}
	return err
}

// probe asks a service how it is.
func (w *Worker) probe(ctx context.Context, s *Service) *target.Failure {
	ctx, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	if _, err := s.Target.Probe(ctx); err != nil {
		return target.FailureOf(err)
	}
	return nil
}

// afterFailures decides, after a batch, whether the service is away. Failures
// without one success between them may be those of a few people: a harmless
// question tells.
func (w *Worker) afterFailures(ctx context.Context, s *Service, t *tally) (gone bool, err error) {
	if t.failed == 0 || t.done > 0 {
		return false, nil
	}
	failed := w.probe(ctx, s)
	if failed == nil && t.failed < tooMany {
		return false, nil
	}
	if failed == nil { // it answers, and does nothing
		failed = t.last
	}
	first, err := w.Ledger.OpenBreaker(ctx, s.ID, failed.Reason().Code(), failed.Detail, firstProbe)
	if first {
		w.Log.ErrorContext(ctx, "provisioning: the service is taken for away", "target", s.ID, "reason", failed.Reason().Code(), "error", failed)
	}
	return true, err
}

// mayClose reports whether accounts may be closed now. More of them than usual
// within a day are a mistake of a source until an administrator says that they are
// not.
func (w *Worker) mayClose(ctx context.Context, s *Service) (bool, error) {
	c, err := w.Ledger.Closures(ctx, s.ID)
	if err != nil || c.Waiting == 0 {
		return true, err
	}
	// While everybody is looked at, as after another rule, nobody knows yet how many
	// there will be.
	if again, err := w.Ledger.CountNotedAgain(ctx); err != nil || again > 0 {
		return false, err
	}
	desk, err := w.Ledger.Desk(ctx, s.ID)
	if err != nil {
		return false, err
	}
	most := max(s.BrakeFloor, c.Open*s.BrakeShare/100)
	if c.Waiting+c.Lately <= most || c.Waiting <= desk.LetGo {
		if desk.Braked() {
			return true, w.Ledger.Unbrake(ctx, s.ID)
		}
		return true, nil
	}
	first, err := w.Ledger.Brake(ctx, s.ID)
	if first {
		w.Log.ErrorContext(ctx, "provisioning: accounts wait to be closed, more than are allowed without a word", "target", s.ID, "waiting", c.Waiting, "allowed", most)
	}
	return false, err
}
