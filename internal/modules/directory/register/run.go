package register

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/register/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// The modes of a run.
const (
	modeFull        = "full"
	modeIncremental = "incremental"
	modePush        = "push"
)

// The states of a run.
const (
	Reading    = "reading"
	Applying   = "applying"
	Held       = "held"       // the brake stopped it before anything was written
	Done       = "done"       //
	Dry        = "dry"        // it was a rehearsal
	Failed     = "failed"     // the source, or the house, broke off
	Superseded = "superseded" // a later run took its place
)

// Counts are the figures of a run.
type Counts struct {
	Read, Unchanged, Creations, Changes, Departures, Conflicts, Refusals int64
	Planned, Applied                                                     int64
}

// Run is one reading of a source and what came of it.
type Run struct {
	ID, Source, Mode, State string
	AskedBy, ReleasedBy     campus.PersonID
	Dry, Complete           bool
	Counts                  Counts
	Reason                  *fault.Fault // why it is held or failed; nil for neither
	Started, Beat, Ended    time.Time
	position                string
}

// Order asks for a run.
type Order struct {
	Source string
	Dry    bool // say what would change, and change nothing
	Full   bool // read everything, though the source could tell what changed
	By     campus.PersonID
	// Reader takes the place of the source's own, such as a file that was uploaded.
	Reader source.Reader
}

// leaseTime is how long a run may be silent before another takes its place.
const leaseTime = 90 * time.Second

// Run reads a source and brings the register into step. It returns the run as it
// ended; one that the brake holds is no error. It fails with
// directory.register.run_under_way while another run writes.
func (e *Engine) Run(ctx context.Context, o Order) (Run, error) {
	feed, err := e.feed(o.Source)
	if err != nil {
		return Run{}, err
	}
	if feed.Config.Off {
		return Run{}, SourceOff.With(fault.Args{"source": o.Source})
	}
	reader := o.Reader
	if reader == nil {
		if feed.Open == nil {
			return Run{}, SourcePushes.With(fault.Args{"source": o.Source})
		}
		if reader, err = feed.Open(); err != nil {
			return Run{}, SourceBroken.Because(err, fault.Args{"source": o.Source})
		}
	}
	if !o.Dry {
		if err := e.finish(ctx, o.Source); err != nil {
			return Run{}, err
		}
	}
	state, err := e.sourceState(ctx, o.Source)
	if err != nil {
		return Run{}, err
	}
	since, mode := state.Position, modeIncremental
	if o.Full || o.Reader != nil || since == "" || e.Clock.Now().Sub(state.FullAt.Time()) >= feed.Config.FullOr24h() {
		since, mode = "", modeFull
	}
	w := &work{e: e, feed: feed, id: id.New(), token: id.New(), dry: o.Dry}
	if err := w.begin(ctx, o, mode); err != nil {
		return Run{}, err
	}
	defer w.end(ctx)
	if err := w.through(ctx, reader, since); err != nil {
		return Run{}, w.fail(ctx, err)
	}
	return e.RunByID(ctx, w.id)
}

// finish ends the runs of a source that were interrupted while they wrote, or that
// somebody has let pass: what was decided is carried out before anything new is read.
func (e *Engine) finish(ctx context.Context, src string) error {
	half, err := sqlgen.New(e.DB.Read()).HalfWritten(ctx, src)
	if err != nil {
		return fmt.Errorf("find runs that are half written: %w", err)
	}
	for _, runID := range half {
		if _, err := e.Resume(ctx, runID); err != nil && !errors.Is(err, RunSettled) {
			return err
		}
	}
	return nil
}

// Resume goes on with a run that was interrupted while it wrote, or that was
// released. What is written already stays.
func (e *Engine) Resume(ctx context.Context, runID string) (Run, error) {
	r, err := e.RunByID(ctx, runID)
	if err != nil {
		return Run{}, err
	}
	if r.State != Applying {
		return Run{}, RunSettled.With(fault.Args{"state": r.State})
	}
	feed, err := e.feed(r.Source)
	if err != nil {
		return Run{}, err
	}
	w := &work{e: e, feed: feed, id: r.ID, token: id.New(), complete: r.Complete, position: r.position, mode: r.Mode, started: db.At(r.Started), decided: r.ReleasedBy != ""}
	if err := w.hold(ctx); err != nil {
		return Run{}, err
	}
	defer w.end(ctx)
	if err := w.apply(ctx); err != nil {
		return Run{}, w.fail(ctx, err)
	}
	return e.RunByID(ctx, w.id)
}

// work is a run under way.
type work struct {
	e        *Engine
	feed     Feed
	id       string
	token    string // of the lease
	mode     string
	dry      bool
	complete bool
	position string
	started  db.Time
	seq      int64
	counts   Counts
	waysIn   int64 // changes of ways in that are planned
	decided  bool  // somebody has said that it is right
	beaten   time.Time
}

// hold takes the lease, or renews it.
func (w *work) hold(ctx context.Context) error {
	return w.e.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if err := q.MakeLease(ctx); err != nil {
			return fmt.Errorf("make the lease: %w", err)
		}
		n, err := q.TakeLease(ctx, sqlgen.TakeLeaseParams{Holder: w.token, UntilAt: tx.Now().Add(leaseTime), Now: tx.Now()})
		if err != nil {
			return fmt.Errorf("take the lease: %w", err)
		}
		if n == 0 {
			return RunUnderWay
		}
		return nil
	})
}

func (w *work) begin(ctx context.Context, o Order, mode string) error {
	w.mode = mode
	if err := w.hold(ctx); err != nil {
		return err
	}
	return w.e.DB.InTx(ctx, func(tx db.Tx) error {
		w.started = tx.Now()
		q := sqlgen.New(tx)
		if !o.Dry {
			if err := q.SupersedeRuns(ctx, sqlgen.SupersedeRunsParams{Source: o.Source, ID: w.id, Now: tx.Now()}); err != nil {
				return fmt.Errorf("supersede runs: %w", err)
			}
			if err := q.AskedSource(ctx, sqlgen.AskedSourceParams{ID: o.Source, AskedAt: tx.Now()}); err != nil {
				return fmt.Errorf("note the source: %w", err)
			}
		}
		return q.AddRun(ctx, sqlgen.AddRunParams{ID: w.id, Source: o.Source, Mode: mode, State: Reading, AskedBy: string(o.By), Dry: o.Dry, StartedAt: tx.Now()})
	})
}

// end gives the lease back, whatever became of the run.
func (w *work) end(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	err := w.e.DB.InTx(ctx, func(tx db.Tx) error { return sqlgen.New(tx).GiveLease(ctx, w.token) })
	if err != nil { // it ends by itself soon
		w.e.Log.Warn("give the lease of a directory run back", "error", err)
	}
}

// fail notes why a run ended early, and returns why. A run that another took the
// lease from leaves no trace of its own.
func (w *work) fail(ctx context.Context, why error) error {
	ctx = context.WithoutCancel(ctx)
	f := fault.Of(why)
	err := w.e.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).EndRun(ctx, sqlgen.EndRunParams{State: Failed, Reason: f.Reason.Code(), Args: argsText(f.Args), EndedAt: tx.Now(), ID: w.id})
		return err
	})
	return errors.Join(why, err)
}

// beat says that the run lives, at most every other second.
func (w *work) beat(ctx context.Context) error {
	now := w.e.Clock.Now()
	if now.Sub(w.beaten) < 2*time.Second {
		return nil
	}
	w.beaten = now
	if err := w.hold(ctx); err != nil {
		return err
	}
	return w.e.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).BeatRun(ctx, sqlgen.BeatRunParams{ID: w.id, ReadCount: w.counts.Read, Unchanged: w.counts.Unchanged, BeatAt: tx.Now()})
		return err
	})
}

// through reads, plans, looks at the brake, and writes.
func (w *work) through(ctx context.Context, reader source.Reader, since string) error {
	stop, err := w.prepare(ctx, reader, since)
	if err != nil {
		return err
	}
	state := Applying
	switch {
	case w.dry:
		state = Dry
	case stop != nil:
		state = Held
	}
	err = w.e.DB.InTx(ctx, func(tx db.Tx) error {
		p := sqlgen.PlanRunParams{
			ID: w.id, State: state, Complete: w.complete, Position: w.position, ReadCount: w.counts.Read, Unchanged: w.counts.Unchanged,
			Creations: w.counts.Creations, Changes: w.counts.Changes, Departures: w.counts.Departures, Conflicts: w.counts.Conflicts, Refusals: w.counts.Refusals,
			Planned: w.counts.Planned, BeatAt: tx.Now(),
		}
		if stop != nil {
			p.Reason, p.Args = stop.Reason.Code(), argsText(stop.Args)
		}
		if state != Applying {
			p.EndedAt = tx.Now()
		}
		n, err := sqlgen.New(tx).PlanRun(ctx, p)
		if err != nil {
			return fmt.Errorf("keep the plan: %w", err)
		}
		if n == 0 {
			return RunUnderWay // another run took this one's place
		}
		if state == Held {
			return w.tell(ctx, tx, "held", "/directory/runs/"+w.id, stop)
		}
		return nil
	})
	if err != nil || state != Applying {
		return err
	}
	return w.apply(ctx)
}

// brake says why a plan must not be carried out unseen; nil for no reason. Live is
// how many people the source spoke of before.
func (w *work) brake(live, heard int64) *fault.Fault {
	if live > 0 && w.complete && heard == 0 {
		return reasonWith(SourceEmpty, fault.Args{"source": w.feed.Config.ID, "people": live})
	}
	percent := int64(w.feed.Config.BrakeOr10())
	tooMany := func(n int64) bool { return n > int64(w.e.config.BrakeFloor) && n*100 > live*percent }
	switch {
	case live == 0:
		return nil
	case tooMany(w.counts.Departures):
		return reasonWith(TooManyGone, fault.Args{"source": w.feed.Config.ID, "people": w.counts.Departures, "total": live, "percent": percent})
	case tooMany(w.counts.Changes):
		return reasonWith(TooManyChanged, fault.Args{"source": w.feed.Config.ID, "people": w.counts.Changes, "total": live, "percent": percent})
	}
	return nil
}

// tell says to those who keep the directory that something of a source waits for them
// under an address.
func (w *work) tell(ctx context.Context, tx db.Tx, what, address string, stop *fault.Fault) error {
	if w.e.Notices == nil || w.e.Officers == nil {
		return nil
	}
	officers, err := w.e.Officers(ctx)
	if err != nil {
		return err
	}
	said := func(l campus.Locale, key string) string {
		p := w.e.Texts.For(l)
		pairs := []any{"name", w.feed.Config.Name(l)}
		for k, v := range stop.Args {
			if k == "source" {
				v = w.feed.Config.Name(l)
			}
			pairs = append(pairs, k, v)
		}
		return p.T(key, pairs...)
	}
	for _, who := range officers {
		err := w.e.Notices.Notify(ctx, tx, who, contract.Notice{
			Room: "directory", Key: "directory." + what + "." + w.feed.Config.ID, URL: address, Icon: "warning", Tone: "warn",
			TitleFrench: said(campus.French, "directory.register."+what+".title"), TitleEnglish: said(campus.English, "directory.register."+what+".title"),
			DetailFrench: said(campus.French, stop.Reason.Code()+".message"), DetailEnglish: said(campus.English, stop.Reason.Code()+".message"),
		})
		if err != nil {
			return fmt.Errorf("tell that a run is held: %w", err)
		}
	}
	return nil
}

// may lets only those who keep the directory decide.
func may(v campus.Viewer) error {
	if !v.Can(campus.RightDirectory) {
		return Reserved
	}
	return nil
}

// Release lets a run pass that the brake stopped, once. A job carries it out.
func (e *Engine) Release(ctx context.Context, by campus.Viewer, runID string) error {
	if err := may(by); err != nil {
		return err
	}
	return e.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).ReleaseRun(ctx, sqlgen.ReleaseRunParams{ID: runID, ReleasedBy: string(by.Person), BeatAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("release the run: %w", err)
		}
		if n == 0 {
			return RunSettled
		}
		if err := e.note(ctx, tx, by, "", RunReleased, map[string]string{"run": runID}); err != nil {
			return err
		}
		return enqueue(ctx, tx, ResumeRun{Run: runID})
	})
}

// Drop gives a run up that the brake stopped.
func (e *Engine) Drop(ctx context.Context, by campus.Viewer, runID string) error {
	if err := may(by); err != nil {
		return err
	}
	return e.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).DropRun(ctx, sqlgen.DropRunParams{ID: runID, ReleasedBy: string(by.Person), EndedAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("drop the run: %w", err)
		}
		if n == 0 {
			return RunSettled
		}
		return e.note(ctx, tx, by, "", RunDropped, map[string]string{"run": runID})
	})
}

// sourceState is how far a source was read; the zero value when never.
func (e *Engine) sourceState(ctx context.Context, src string) (sqlgen.DirectorySource, error) {
	row, err := sqlgen.New(e.DB.Read()).SourceByID(ctx, src)
	if errors.Is(err, sql.ErrNoRows) {
		return sqlgen.DirectorySource{ID: src}, nil
	}
	if err != nil {
		return row, fmt.Errorf("read the state of the source: %w", err)
	}
	return row, nil
}

// RunByID reads a run.
func (e *Engine) RunByID(ctx context.Context, runID string) (Run, error) {
	row, err := sqlgen.New(e.DB.Read()).RunByID(ctx, runID)
	if errors.Is(err, sql.ErrNoRows) {
		return Run{}, RunMissing
	}
	if err != nil {
		return Run{}, fmt.Errorf("read the run: %w", err)
	}
	return e.runOf(ctx, row), nil
}

// runOf is a run, whose reason names the source as people do.
func (e *Engine) runOf(ctx context.Context, r sqlgen.DirectoryRun) Run {
	reason := faultOf(r.Reason, r.Args)
	if reason != nil && reason.Args["source"] != nil {
		reason.Args["source"] = e.SourceName(ctx, r.Source)
	}
	return Run{
		ID: r.ID, Source: r.Source, Mode: r.Mode, State: r.State, AskedBy: campus.PersonID(r.AskedBy), ReleasedBy: campus.PersonID(r.ReleasedBy),
		Dry: r.Dry, Complete: r.Complete, position: r.Position, Reason: reason,
		Started: r.StartedAt.Time(), Beat: r.BeatAt.Time(), Ended: r.EndedAt.Time(),
		Counts: Counts{
			Read: r.ReadCount, Unchanged: r.Unchanged, Creations: r.Creations, Changes: r.Changes, Departures: r.Departures,
			Conflicts: r.Conflicts, Refusals: r.Refusals, Planned: r.Planned, Applied: r.Applied,
		},
	}
}

// argsText keeps the facts of a sentence.
func argsText(args fault.Args) string {
	if len(args) == 0 {
		return ""
	}
	return jsonText(args)
}

// faultOf reads a reason back; one that this version does not know any more is
// unexpected.
func faultOf(code, args string) *fault.Fault {
	if code == "" {
		return nil
	}
	f := &fault.Fault{Reason: fault.Unexpected}
	for _, r := range fault.All() {
		if r.Code() == code {
			f.Reason = r
		}
	}
	if args != "" {
		var facts map[string]any
		if err := json.Unmarshal([]byte(args), &facts); err == nil { // without them the sentence says less
			f.Args = facts
		}
	}
	return f
}

// Words says a reason in the language of the context.
func Words(ctx context.Context, f *fault.Fault) string {
	if f == nil {
		return ""
	}
	pairs := make([]any, 0, 2*len(f.Args))
	for k, v := range f.Args {
		if k == "field" {
			v = fieldName(ctx, fmt.Sprint(v))
		}
		pairs = append(pairs, k, v)
	}
	return i18n.T(ctx, f.Reason.Code()+".message", pairs...)
}

// RunFile takes over a file that somebody has, as a source of the configuration.
func (e *Engine) RunFile(ctx context.Context, o Order, name string, open func() (io.ReadCloser, error)) (Run, error) {
	feed, err := e.feed(o.Source)
	if err != nil {
		return Run{}, err
	}
	if feed.Upload == nil {
		return Run{}, SourceTakesNoFile.With(fault.Args{"source": o.Source})
	}
	o.Reader = feed.Upload(name, open)
	return e.Run(ctx, o)
}
