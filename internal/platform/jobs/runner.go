package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Options tune a runner; the zero value suits a server.
type Options struct {
	// Workers is how many jobs run at once; default 8.
	Workers int
	// Lease is how long a job stays with a server that no longer answers
	// before another takes it up; default 30 seconds. It is renewed three
	// times in between, so it does not limit how long a job may run.
	Lease time.Duration
	// Poll is how often to look for jobs that other servers enqueued; default
	// one second. Jobs of this process start at once.
	Poll time.Duration
	// Grace is how long a stopping server waits for its jobs before it ends
	// their contexts; default 10 seconds.
	Grace time.Duration
}

func (o Options) withDefaults() Options {
	if o.Workers <= 0 {
		o.Workers = 8
	}
	if o.Lease <= 0 {
		o.Lease = 30 * time.Second
	}
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	if o.Grace <= 0 {
		o.Grace = 10 * time.Second
	}
	return o
}

// Stats counts what a runner has done, for metrics.
type Stats struct {
	Running                    int
	Done, Failed, GaveUp, Lost uint64
}

// Runner works through the jobs that its registry handles.
type Runner struct {
	store    *store
	registry *Registry
	log      *slog.Logger
	options  Options

	running                    atomic.Int64
	done, failed, gaveUp, lost atomic.Uint64
	// ticked remembers the last tick handled per schedule, to spare the
	// database a question a second.
	ticked map[string]db.Time
}

// NewRunner makes a runner; Run sets it to work.
func NewRunner(d *db.DB, reg *Registry, log *slog.Logger, options Options) *Runner {
	return &Runner{
		store:    newStore(d, reg.Names()),
		registry: reg,
		log:      log,
		options:  options.withDefaults(),
		ticked:   make(map[string]db.Time),
	}
}

// Stats counts what the runner has done since it was made.
func (r *Runner) Stats() Stats {
	return Stats{
		Running: int(r.running.Load()),
		Done:    r.done.Load(),
		Failed:  r.failed.Load(),
		GaveUp:  r.gaveUp.Load(),
		Lost:    r.lost.Load(),
	}
}

// Run works until ctx ends, then lets the jobs under way finish within the
// grace period. Those cut short go back to the table as if never begun.
func (r *Runner) Run(ctx context.Context) {
	woken, stop := r.store.db.Listen(topic)
	defer stop()
	// Jobs outlive ctx by the grace period.
	jobCtx, cutShort := context.WithCancel(context.WithoutCancel(ctx))
	defer cutShort()
	var underWay sync.WaitGroup
	freed := make(chan struct{}, 1)
	beat := time.NewTicker(r.options.Lease / 3)
	defer beat.Stop()
	poll := time.NewTimer(0)
	defer poll.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-beat.C:
			r.renew(ctx)
		case <-poll.C:
			r.tick(ctx)
			r.startDue(ctx, jobCtx, &underWay, freed)
			poll.Reset(r.untilNext(ctx))
		case <-woken:
			r.startDue(ctx, jobCtx, &underWay, freed)
			poll.Reset(r.untilNext(ctx))
		case <-freed:
			r.startDue(ctx, jobCtx, &underWay, freed)
		}
	}
	r.drain(ctx, &underWay, cutShort)
}

// drain waits for the jobs under way, renewing their leases, and ends their
// contexts after the grace period.
func (r *Runner) drain(ctx context.Context, underWay *sync.WaitGroup, cutShort func()) {
	ctx = context.WithoutCancel(ctx)
	ended := make(chan struct{})
	go func() {
		underWay.Wait()
		close(ended)
	}()
	beat := time.NewTicker(r.options.Lease / 3)
	defer beat.Stop()
	grace := time.NewTimer(r.options.Grace)
	defer grace.Stop()
	for {
		select {
		case <-ended:
			return
		case <-beat.C:
			r.renew(ctx)
		case <-grace.C:
			cutShort()
		}
	}
}

// untilNext is how long the loop may sleep: until the next job is due, and no
// longer than the poll interval, in which another server may add one.
func (r *Runner) untilNext(ctx context.Context) time.Duration {
	at, err := r.store.next(ctx)
	if err != nil || at.IsZero() {
		return r.options.Poll
	}
	// A job that is due now and was not started waits for a free worker.
	if d := at.Sub(r.store.db.Now()); d > 0 {
		return min(d+time.Millisecond, r.options.Poll)
	}
	return r.options.Poll
}

// startDue starts due jobs while there are free workers.
func (r *Runner) startDue(ctx, jobCtx context.Context, underWay *sync.WaitGroup, freed chan<- struct{}) {
	for ctx.Err() == nil {
		free := r.options.Workers - int(r.running.Load())
		if free <= 0 {
			return
		}
		// Reading costs nothing; an idle server should not take the write lock.
		if at, err := r.store.next(ctx); err == nil && (at.IsZero() || at.After(r.store.db.Now())) {
			return
		}
		jobs, err := r.store.claim(ctx, free, r.lease)
		if err != nil {
			if ctx.Err() == nil {
				r.log.Error("jobs.claim_failed", "error", err)
			}
			return
		}
		for _, j := range jobs {
			r.running.Add(1)
			underWay.Go(func() {
				defer func() {
					r.running.Add(-1)
					select {
					case freed <- struct{}{}:
					default:
					}
				}()
				r.work(jobCtx, j)
			})
		}
		if len(jobs) < free {
			return
		}
	}
}

func (r *Runner) lease(now db.Time) db.Time { return now.Add(r.options.Lease) }

func (r *Runner) renew(ctx context.Context) {
	if r.running.Load() == 0 {
		return
	}
	if err := r.store.extend(ctx, r.lease); err != nil && ctx.Err() == nil {
		r.log.Error("jobs.renew_failed", "error", err)
	}
}

// tick enqueues the schedules whose time has come.
func (r *Runner) tick(ctx context.Context) {
	now := r.store.db.Now()
	for _, s := range r.registry.schedules {
		tick := db.At(now.Time().Truncate(s.every))
		if r.ticked[s.name] == tick {
			continue
		}
		if err := r.store.tick(ctx, s.name, tick); err != nil {
			if ctx.Err() == nil {
				r.log.Error("jobs.tick_failed", "job", s.name, "error", err)
			}
			continue
		}
		r.ticked[s.name] = tick
	}
}

// work runs one attempt of a job and writes down how it went.
func (r *Runner) work(ctx context.Context, j claimed) {
	h := r.registry.handlers[j.name]
	started := time.Now()
	var err error
	if j.attempts > h.policy.Attempts {
		// Every attempt ended with its server: trying on would end this one too.
		err = GiveUp(errors.New("jobs: the server stopped during each attempt"))
		j.attempts--
	} else {
		err = r.attempt(ctx, h, j)
	}
	log := r.log.With("job", j.name, "id", j.id, "attempt", j.attempts, "took", time.Since(started))
	// What happened must be written even while the server stops.
	write := context.WithoutCancel(ctx)
	switch {
	case err == nil:
		r.done.Add(1)
		r.noted(log, r.store.finish(write, j))
		log.Info("job.done")
	case ctx.Err() != nil:
		r.noted(log, r.store.giveBack(write, j))
		log.Info("job.cut_short")
	case GivesUp(err), j.attempts >= h.policy.Attempts:
		r.gaveUp.Add(1)
		r.noted(log, r.store.bury(write, j, describe(err)))
		log.Error("job.gave_up", "error", err)
	default:
		r.failed.Add(1)
		pause := h.policy.pause(j.attempts)
		r.noted(log, r.store.retry(write, j, func(now db.Time) db.Time { return now.Add(pause) }, describe(err)))
		log.Warn("job.failed", "error", err, "again_in", pause)
	}
}

// attempt calls the handler; a panic is an error like others.
func (r *Runner) attempt(ctx context.Context, h handler, j claimed) (err error) {
	ctx, cancel := context.WithTimeout(ctx, h.policy.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return h.run(ctx, j.args)
}

// noted handles an outcome that could not be written. The lease then runs out
// and the job runs again.
func (r *Runner) noted(log *slog.Logger, err error) {
	switch {
	case err == nil:
	case errors.Is(err, errLeaseLost):
		r.lost.Add(1)
		log.Warn("job.lease_lost")
	default:
		r.lost.Add(1)
		log.Error("job.outcome_not_written", "error", err)
	}
}

// describe is what the table keeps of an error. PostgreSQL takes neither NUL
// nor half a character, and errors may quote anything.
func describe(err error) failure {
	const longest = 4000
	text := strings.ReplaceAll(err.Error(), "\x00", "�")
	if len(text) > longest {
		text = text[:longest] + "…"
	}
	text = strings.ToValidUTF8(text, "�")
	return failure{reason: fault.Of(err).Reason.Code(), text: text}
}
