package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Run is the job that carries out an erasure. Begun again after a crash it finds
// what is left.
type Run struct {
	Erasure string `json:"erasure"`
}

// JobName is the job's name.
func (Run) JobName() string { return "privacy.erase" }

// Jobs registers the alcove's jobs.
func (e *Engine) Jobs(r *jobs.Registry) {
	jobs.Handle(r, func(ctx context.Context, job Run) error { return e.CarryOut(ctx, job.Erasure) }, jobs.Policy{Timeout: time.Hour})
	r.Every("privacy.follow_elsewhere", followEvery, e.Follow)
}

// CarryOut does what was ordered, or stops it when something stands in the way. It
// does nothing with an erasure that has ended.
func (e *Engine) CarryOut(ctx context.Context, erasure string) error {
	x, err := e.Of(ctx, erasure)
	if err != nil {
		return err
	}
	if x.State != Waiting && x.State != Running {
		return nil
	}
	text, err := e.Keys.OpenText(sealPurpose, x.sealed)
	if err != nil {
		return err
	}
	var who contract.Traced
	if err := json.Unmarshal([]byte(text), &who); err != nil {
		return fmt.Errorf("read who is erased: %w", err)
	}
	// Somebody who is gone from the register was erased from it by this very job,
	// before it was cut short: no hold can be placed on them any more.
	_, known, err := e.Traced(ctx, who.ID)
	if err == nil {
		err = e.mayRun(ctx, known, x.Kept)
	} else if errors.Is(err, PersonMissing) {
		known, err = contract.Known{ID: who.ID}, nil
	}
	if reason := fault.Of(err).Reason; err != nil && (reason == Held || reason == AccountOpen) {
		return e.stop(ctx, x, reason.Code())
	} else if err != nil {
		return err
	}
	if err := e.begin(ctx, x.ID); err != nil {
		return err
	}
	holds, err := e.HoldsOn(ctx, known)
	if err != nil {
		return err
	}
	for _, h := range holds {
		x.Kept[h.Room] = h.Reason
	}
	who.Erasure, who.Whole = x.ID, e.whole(x.Kept)
	words := i18n.With(ctx, e.Texts.For(campus.French)) // the proof keeps sentences in one language
	// Twice, because a room may take note of what another one gives up.
	for range 2 {
		for _, room := range e.reversed() {
			if holder, ok := room.(contract.PersonalData); ok {
				if err := e.eraseRoom(words, x, room.Name(), holder, who); err != nil {
					return fmt.Errorf("erase in the room %s: %w", room.Name(), err)
				}
			}
		}
	}
	return e.finish(ctx, x, who)
}

// whole reports whether an erasure takes the person out of the register as well.
func (e *Engine) whole(kept map[string]string) bool {
	for _, room := range e.Rooms() {
		if _, register := room.(contract.Register); register {
			_, keeps := kept[room.Name()]
			return !keeps
		}
	}
	return false
}

// eraseRoom goes through the tables of one room, from the last to the first.
func (e *Engine) eraseRoom(ctx context.Context, x Erasure, room string, holder contract.PersonalData, who contract.Traced) error {
	why, keeps := x.Kept[room]
	if eraser, ok := holder.(contract.Eraser); ok && !keeps {
		done, err := eraser.Erase(ctx, who)
		if err != nil {
			return err
		}
		for _, d := range done {
			if err := e.DB.InTx(ctx, func(tx db.Tx) error { return addStep(ctx, tx, x.ID, room, d.Table, "-", d.Fate, d.Rows) }); err != nil {
				return err
			}
		}
	}
	holdings := holder.Holdings(ctx)
	for i := len(holdings) - 1; i >= 0; i-- {
		table := holdings[i].Table
		for _, t := range holdings[i].Traces {
			if keeps {
				t.Fate, t.Why = contract.Kept, why
			}
			if err := e.follow(ctx, x.ID, room, table, t, who); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow does with all rows of a trace what it says, a batch in each transaction;
// the count of what was done is part of it, so that a crash loses neither.
func (e *Engine) follow(ctx context.Context, erasure, room, table string, t contract.Trace, who contract.Traced) error {
	if t.Fate == contract.Kept {
		n, err := count(ctx, e.DB.Read(), table, t, who)
		if err != nil || n == 0 {
			return err
		}
		return e.DB.InTx(ctx, func(tx db.Tx) error {
			return sqlgen.New(tx).SetStep(ctx, sqlgen.SetStepParams{
				ErasureID: erasure, Room: room, TableName: table, ColumnName: t.Column, Fate: string(t.Fate), RowCount: n, Why: t.Why, DoneAt: tx.Now(),
			})
		})
	}
	for {
		var n int64
		err := e.DB.InTx(ctx, func(tx db.Tx) (err error) {
			if n, err = erase(ctx, tx, table, t, who); err != nil || n == 0 {
				return err
			}
			return addStep(ctx, tx, erasure, room, table, t.Column, t.Fate, n)
		})
		if err != nil || n < batch {
			return err
		}
	}
}

func addStep(ctx context.Context, tx db.Tx, erasure, room, table, column string, fate contract.Fate, n int64) error {
	return sqlgen.New(tx).AddStep(ctx, sqlgen.AddStepParams{
		ErasureID: erasure, Room: room, TableName: table, ColumnName: column, Fate: string(fate), RowCount: n, DoneAt: tx.Now(),
	})
}

func (e *Engine) begin(ctx context.Context, erasure string) error {
	return e.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).BeginErasure(ctx, erasure)
		if err == nil && n == 0 {
			return Over
		}
		return err
	})
}

// stop ends an erasure that must not run. Its request goes back to the officer.
func (e *Engine) stop(ctx context.Context, x Erasure, reason string) error {
	return e.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if _, err := q.StopErasure(ctx, sqlgen.StopErasureParams{ID: x.ID, Reason: reason, EndedAt: tx.Now()}); err != nil {
			return fmt.Errorf("stop an erasure: %w", err)
		}
		if x.Request == "" {
			return nil
		}
		_, err := q.MoveRequest(ctx, sqlgen.MoveRequestParams{ID: x.Request, OldState: "erasing", NewState: "open"})
		return err
	})
}

// finish writes the proof, and forgets who it was about.
func (e *Engine) finish(ctx context.Context, x Erasure, who contract.Traced) error {
	steps, err := e.Steps(ctx, x.ID)
	if err != nil {
		return err
	}
	asked, err := e.elsewhere(ctx, x.ID)
	if err != nil {
		return err
	}
	subject := e.subject(who.Login)
	return e.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		n, err := q.EndErasure(ctx, sqlgen.EndErasureParams{ID: x.ID, EndedAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("end an erasure: %w", err)
		}
		if n == 0 { // another run of the job was faster
			return nil
		}
		if x.Request != "" {
			if err := q.EndRequest(ctx, sqlgen.EndRequestParams{ID: x.Request, NewState: "done"}); err != nil {
				return fmt.Errorf("end a request: %w", err)
			}
		}
		for _, a := range asked {
			if err := putElsewhere(ctx, q, x.ID, a); err != nil {
				return err
			}
		}
		return e.prove(ctx, tx, x.ID, subject, Facts{
			Cause: x.Cause, Request: x.Request, Rule: x.Rule, OrderedBy: string(x.OrderedBy), OrderedAt: x.OrderedAt, Steps: steps, Elsewhere: asked,
		})
	})
}

// Step is what an erasure did with one column of a table.
type Step struct {
	Room   string        `json:"room"`
	Table  string        `json:"table"`
	Column string        `json:"column"`
	Fate   contract.Fate `json:"fate"`
	Rows   int64         `json:"rows"`
	Why    string        `json:"why,omitempty"`
}

// Steps are what an erasure has done so far.
func (e *Engine) Steps(ctx context.Context, erasure string) ([]Step, error) {
	rows, err := sqlgen.New(e.DB.Read()).Steps(ctx, erasure)
	if err != nil {
		return nil, fmt.Errorf("list what an erasure did: %w", err)
	}
	steps := make([]Step, len(rows))
	for i, r := range rows {
		steps[i] = Step{r.Room, r.TableName, r.ColumnName, contract.Fate(r.Fate), r.RowCount, r.Why}
	}
	return steps, nil
}
