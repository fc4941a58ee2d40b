package register

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/register/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/health"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// ReadSource reads one source.
type ReadSource struct {
	Source string          `json:"source"`
	Dry    bool            `json:"dry,omitempty"`
	Full   bool            `json:"full,omitempty"`
	By     campus.PersonID `json:"by,omitempty"`
}

// JobName is the job's name.
func (ReadSource) JobName() string { return "directory.read" }

// ResumeRun carries out a run that was released.
type ResumeRun struct {
	Run string `json:"run"`
}

// JobName is the job's name.
func (ResumeRun) JobName() string { return "directory.resume" }

// longestRun ends a run that hangs; what it wrote stays, and it is resumed.
const longestRun = 4 * time.Hour

// Jobs registers the jobs of the engine.
func (e *Engine) Jobs(reg *jobs.Registry) {
	jobs.Handle(reg, e.readSource, jobs.Policy{Timeout: longestRun, Attempts: 5})
	jobs.Handle(reg, e.resumeRun, jobs.Policy{Timeout: longestRun, Attempts: 20, LongestPause: time.Minute})
	jobs.Handle(reg, e.passHeld, jobs.Policy{Timeout: longestRun, Attempts: 5})
	reg.Every("directory.schedule", time.Minute, e.schedule)
	reg.Every("directory.prune", 24*time.Hour, e.prune)
}

func enqueue(ctx context.Context, tx db.Tx, a jobs.Args) error {
	switch a := a.(type) {
	case ReadSource:
		return jobs.Enqueue(ctx, tx, a, jobs.UniqueKey(fmt.Sprint(a.Source, a.Dry)))
	case PassHeld:
		return jobs.Enqueue(ctx, tx, a, jobs.UniqueKey(a.Source))
	case ResumeRun:
		return jobs.Enqueue(ctx, tx, a, jobs.UniqueKey(a.Run))
	}
	return jobs.Enqueue(ctx, tx, a)
}

// readSource is the job. A source that does not answer is tried again by the
// schedule, and told on its page: retries would only add runs.
func (e *Engine) readSource(ctx context.Context, a ReadSource) error {
	_, err := e.Run(ctx, Order{Source: a.Source, Dry: a.Dry, Full: a.Full, By: a.By})
	if err == nil || errors.Is(err, RunUnderWay) && ctx.Err() == nil {
		return err
	}
	if source.Broken(err) {
		return jobs.GiveUp(err)
	}
	switch fault.Of(err).Reason {
	case SourceBroken, SourceOff, SourcePushes, SourceUnknown:
		return jobs.GiveUp(err)
	}
	return err
}

func (e *Engine) resumeRun(ctx context.Context, a ResumeRun) error {
	_, err := e.Resume(ctx, a.Run)
	if errors.Is(err, RunSettled) || errors.Is(err, RunMissing) {
		return nil // somebody was faster
	}
	return err
}

// schedule asks for the runs that are due, and for those that were interrupted.
func (e *Engine) schedule(ctx context.Context) error {
	now := e.Clock.Now()
	broken, err := sqlgen.New(e.DB.Read()).UnfinishedRuns(ctx, db.At(now.Add(-leaseTime)))
	if err != nil {
		return fmt.Errorf("find interrupted runs: %w", err)
	}
	for _, r := range broken {
		err := e.DB.InTx(ctx, func(tx db.Tx) error {
			if r.State == Applying {
				return enqueue(ctx, tx, ResumeRun{Run: r.ID})
			}
			if _, err := sqlgen.New(tx).EndRun(ctx, sqlgen.EndRunParams{State: Failed, Reason: fault.Cancelled.Code(), EndedAt: tx.Now(), ID: r.ID}); err != nil {
				return fmt.Errorf("end an interrupted run: %w", err)
			}
			return enqueue(ctx, tx, ReadSource{Source: r.Source, Dry: r.Dry, By: campus.PersonID(r.AskedBy)})
		})
		if err != nil {
			return err
		}
	}
	for _, f := range e.Feeds {
		due, err := e.NextRun(ctx, f)
		if err != nil {
			return err
		}
		if due.IsZero() || due.After(now) {
			continue
		}
		if err := e.DB.InTx(ctx, func(tx db.Tx) error { return enqueue(ctx, tx, ReadSource{Source: f.Config.ID}) }); err != nil {
			return fmt.Errorf("ask for a run: %w", err)
		}
	}
	return nil
}

// NextRun is when a source is read next; zero when only somebody's order does it.
func (e *Engine) NextRun(ctx context.Context, f Feed) (time.Time, error) {
	if f.Config.Every <= 0 || f.Config.Off || f.Open == nil {
		return time.Time{}, nil
	}
	state, err := e.sourceState(ctx, f.Config.ID)
	if err != nil {
		return time.Time{}, err
	}
	if state.AskedAt.IsZero() {
		return e.Clock.Now(), nil
	}
	return state.AskedAt.Time().Add(f.Config.Every), nil
}

// Ask orders a run as a job.
func (e *Engine) Ask(ctx context.Context, by campus.Viewer, src string, dry, full bool) error {
	if err := may(by); err != nil {
		return err
	}
	f, err := e.feed(src)
	if err != nil {
		return err
	}
	if f.Open == nil {
		return SourcePushes.With(fault.Args{"source": src})
	}
	if f.Config.Off {
		return SourceOff.With(fault.Args{"source": src})
	}
	return e.DB.InTx(ctx, func(tx db.Tx) error {
		return enqueue(ctx, tx, ReadSource{Source: src, Dry: dry, Full: full, By: by.Person})
	})
}

// prune forgets old runs with their reports, and what budgets no longer look at.
func (e *Engine) prune(ctx context.Context) error {
	err := e.DB.InTx(ctx, func(tx db.Tx) error { return sqlgen.New(tx).ForgetSpent(ctx, tx.Now().Add(-48*time.Hour)) })
	if err != nil {
		return fmt.Errorf("forget what sources did: %w", err)
	}
	for n := int64(1); n > 0; {
		err := e.DB.InTx(ctx, func(tx db.Tx) (err error) {
			n, err = sqlgen.New(tx).PruneRuns(ctx, tx.Now().Add(-e.config.KeepRuns))
			return err
		})
		if err != nil {
			return fmt.Errorf("forget old runs: %w", err)
		}
	}
	return nil
}

// Health says of each source that is read by a schedule how its last reading went.
func (e *Engine) Health(ctx context.Context) []health.Check {
	var checks []health.Check
	for _, f := range e.Feeds {
		if f.Config.Every <= 0 || f.Config.Off || f.Open == nil {
			continue
		}
		checks = append(checks, health.Run(ctx, "directory."+f.Config.ID, func(ctx context.Context) (string, error) { return e.howIs(ctx, f) }))
	}
	return checks
}

// howIs says how a source is: its last run was neither held nor broken off, and is
// not two intervals old.
func (e *Engine) howIs(ctx context.Context, f Feed) (string, error) {
	runs, _, err := e.Runs(ctx, f.Config.ID, 1, 1)
	if err != nil {
		return "", err
	}
	state, err := e.sourceState(ctx, f.Config.ID)
	if err != nil {
		return "", err
	}
	if len(runs) == 0 || state.AskedAt.IsZero() {
		return "not read yet", nil
	}
	if age := e.Clock.Now().Sub(state.AskedAt.Time()); age > 2*f.Config.Every {
		return "", Late.With(fault.Args{"source": f.Config.ID, "age": age})
	}
	if r := runs[0]; r.Reason != nil && !r.Dry {
		return "", r.Reason
	}
	return fmt.Sprintf("%d records, %s", runs[0].Counts.Read, runs[0].State), nil
}
