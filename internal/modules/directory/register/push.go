package register

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/register/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// PushHeld: a program that pushes would end the registration of too many people in
// a day.
var PushHeld = fault.Declare(fault.Busy, "directory.register.push_held")

// Pushed is what became of one record that was pushed.
type Pushed struct {
	Key    string
	Person campus.PersonID // who it is; empty for groups, units and what was not taken
	// Err says why the record was not taken: a fault of the mapping, of the register, or
	// a conflict that waits for a decision.
	Err error
	// Refused are parts of the record that were not taken.
	Refused []source.Refusal
}

// pushedTogether is how long pushes of one source share one report.
const pushedTogether = time.Hour

// Push takes records that a program hands over, at once. The result has one entry
// for each record, in order. Records of one call must have different keys.
func (e *Engine) Push(ctx context.Context, src string, records []source.Record) ([]Pushed, error) {
	feed, err := e.feed(src)
	if err != nil {
		return nil, err
	}
	if feed.Config.Off {
		return nil, SourceOff.With(fault.Args{"source": src})
	}
	result := make([]Pushed, len(records))
	var taken []mapping.Entry
	var at []int
	for i, r := range records {
		entry, refused := feed.Mapper.Map(r)
		if !entry.Refused {
			no, err := e.keepPhoto(ctx, &entry)
			if err != nil {
				return nil, err
			}
			if no != nil {
				refused = append(refused, *no)
			}
		}
		entry.Photo = nil
		result[i].Key, result[i].Refused = entry.Key, refused
		if entry.Refused {
			for _, no := range refused {
				if no.Whole() {
					result[i].Err = no.Err
				}
			}
			continue
		}
		taken, at = append(taken, entry), append(at, i)
	}
	steps, err := e.pushEntries(ctx, feed, taken, "", false)
	if err != nil {
		return nil, err
	}
	for j, s := range steps {
		p := &result[at[j]]
		p.Person = s.now.person
		if s.now.reason != nil {
			p.Err = s.now.reason
		}
	}
	return result, nil
}

// pushEntries plans entries and writes them at once. By is who decided, for a
// conflict; anew writes what the directory shows even where the records are as they
// were.
func (e *Engine) pushEntries(ctx context.Context, feed Feed, entries []mapping.Entry, by campus.PersonID, anew bool) ([]*step, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	w := &work{e: e, feed: feed, mode: modePush, token: id.New(), decided: by != ""}
	if err := w.openPush(ctx, by); err != nil {
		return nil, err
	}
	rows := make([]sqlgen.DirectoryChange, len(entries))
	planned := make([]*outcome, len(entries))
	for i, entry := range entries {
		planned[i] = &outcome{entry: entry, kind: kindTouch}
		rows[i] = sqlgen.DirectoryChange{RunID: w.id, Kind: kindTouch, What: string(entry.Kind), SourceKey: entry.Key, Place: entry.Where}
		if !entry.Gone {
			rows[i].Said, rows[i].Names = jsonText(entry.Values), jsonText(entry.Names)
		}
	}
	first := w.seq
	if err := e.keepRows(ctx, w.id, &w.seq, planned); err != nil {
		return nil, err
	}
	for i := range rows {
		rows[i].Seq = first + int64(i) + 1
		rows[i].Kind = pushKind
	}
	steps, err := w.again(ctx, rows)
	if err != nil {
		return nil, err
	}
	if err := w.pushBrake(ctx, steps); err != nil {
		return nil, err
	}
	if anew {
		for _, s := range steps {
			s.now.profile = true
		}
	}
	for i, s := range steps { // one by one: what fails is told of its own record
		if err := w.write(ctx, []*step{s}); err != nil {
			return nil, err
		}
		if s.written != nil {
			steps[i].now = s.written
		}
	}
	err = e.DB.InTx(ctx, func(tx db.Tx) error {
		return sqlgen.New(tx).GrowRun(ctx, sqlgen.GrowRunParams{ReadCount: int64(len(entries)), Planned: int64(len(entries)), EndedAt: tx.Now(), ID: w.id})
	})
	if err != nil {
		return nil, fmt.Errorf("write the report: %w", err)
	}
	return steps, nil
}

// pushKind marks rows of the plan that count for nothing before they are written.
const pushKind = "pushed"

// openPush finds the report that takes the pushes of this hour, or begins one.
func (w *work) openPush(ctx context.Context, by campus.PersonID) error {
	return w.e.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		open, err := q.OpenPush(ctx, sqlgen.OpenPushParams{Source: w.feed.Config.ID, StartedAt: tx.Now().Add(-pushedTogether)})
		if err == nil && by == "" {
			// Two programs that push at once take numbers far apart.
			w.id, w.seq = open.ID, max(open.LastSeq, int64(tx.Now()))
			return nil
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("find the report: %w", err)
		}
		w.id, w.seq = id.New(), int64(tx.Now())
		if err := q.AddRun(ctx, sqlgen.AddRunParams{ID: w.id, Source: w.feed.Config.ID, Mode: modePush, State: Done, AskedBy: string(by), StartedAt: tx.Now()}); err != nil {
			return fmt.Errorf("begin a report: %w", err)
		}
		return q.AskedSource(ctx, sqlgen.AskedSourceParams{ID: w.feed.Config.ID, AskedAt: tx.Now()})
	})
}

// pushBrake stops a program that closes a university one person at a time.
func (w *work) pushBrake(ctx context.Context, steps []*step) error {
	var leaving int64
	for _, s := range steps {
		if s.now.kind == kindDeparture && s.now.entry.Kind == source.Person {
			leaving++
		}
	}
	if leaving == 0 {
		return nil
	}
	q := sqlgen.New(w.e.DB.Read())
	live, err := q.CountLive(ctx, w.feed.Config.ID)
	if err != nil {
		return fmt.Errorf("count people: %w", err)
	}
	gone, err := q.PushedDepartures(ctx, sqlgen.PushedDeparturesParams{Source: w.feed.Config.ID, StartedAt: db.At(w.e.Clock.Now().Add(-24 * time.Hour))})
	if err != nil {
		return fmt.Errorf("count departures: %w", err)
	}
	if total := gone + leaving; total > int64(w.e.config.BrakeFloor) && total*100 > (live+gone)*int64(w.feed.Config.BrakeOr10()) {
		return PushHeld.With(fault.Args{"source": w.feed.Config.ID, "people": total})
	}
	return nil
}
