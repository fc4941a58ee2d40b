package register

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/register/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// peopleAtOnce is how many outcomes one transaction writes: few enough that nobody
// who signs in meanwhile waits for it.
const peopleAtOnce = 30

// apply carries the plan out, piece by piece. Each piece is planned again on what
// holds now, so that a plan that waited does nothing that is no longer so, and one
// that was interrupted goes on where it stopped.
func (w *work) apply(ctx context.Context) error {
	q := sqlgen.New(w.e.DB.Read())
	for after := int64(-1 << 62); ; {
		if err := w.hold(ctx); err != nil {
			return err
		}
		rows, err := q.PlannedChanges(ctx, sqlgen.PlannedChangesParams{RunID: w.id, Seq: after, Limit: atOnce})
		if err != nil {
			return fmt.Errorf("read the plan: %w", err)
		}
		if len(rows) == 0 {
			break
		}
		// Records that others replace go first, and alone: who replaces them is matched
		// to somebody without a record.
		if n := slices.IndexFunc(rows, func(r sqlgen.DirectoryChange) bool { return r.Seq > 0 }); n > 0 {
			rows = rows[:n]
		}
		after = rows[len(rows)-1].Seq
		list, err := w.again(ctx, rows)
		if err != nil {
			return err
		}
		if err := w.writeAll(ctx, list); err != nil {
			return err
		}
	}
	if err := w.tie(ctx); err != nil {
		return err
	}
	return w.e.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		p := sqlgen.NoteSourceParams{ID: w.feed.Config.ID, Position: w.position, AskedAt: tx.Now()}
		if w.mode == modeFull && w.complete {
			p.FullAt = w.started
		}
		if err := q.NoteSource(ctx, p); err != nil {
			return fmt.Errorf("note the source: %w", err)
		}
		_, err := q.EndRun(ctx, sqlgen.EndRunParams{State: Done, EndedAt: tx.Now(), ID: w.id})
		return err
	})
}

// writersAtOnce is how many transactions of a run are under way together: they share
// the wait for the disk.
const writersAtOnce = 4

// writeAll writes steps in transactions of a few people each, and ends with the first
// error once those under way are over.
func (w *work) writeAll(ctx context.Context, list []*step) error {
	var all sync.WaitGroup
	pieces := slices.Collect(slices.Chunk(list, peopleAtOnce))
	errs := make([]error, len(pieces))
	free := make(chan struct{}, writersAtOnce)
	for i, some := range pieces {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			errs[i] = w.write(ctx, some)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// step is one row of the plan, planned again.
type step struct {
	row sqlgen.DirectoryChange
	now *outcome
	// login and mail are names made by a rule.
	login, mail string
	manager     campus.PersonID
	join, leave []string // groups that somebody's own record names
	members     []campus.PersonID
	nested      []string
	written     *outcome // as it was written
}

// again plans rows on what holds now.
func (w *work) again(ctx context.Context, rows []sqlgen.DirectoryChange) ([]*step, error) {
	list := make([]*step, len(rows))
	var people, others []mapping.Entry
	var peopleAt, othersAt []int
	for i, row := range rows {
		list[i] = &step{row: row}
		entry, err := entryOf(row)
		if err != nil {
			return nil, err
		}
		switch {
		case row.Kind == kindConflict:
			list[i].now = &outcome{entry: entry, kind: kindConflict, person: campus.PersonID(row.PersonID), name: row.Name, reason: faultOf(row.Reason, row.Args)}
			if row.People != "" {
				if err := json.Unmarshal([]byte(row.People), &list[i].now.people); err != nil {
					return nil, fmt.Errorf("read the plan: %w", err)
				}
			}
		case entry.Kind == source.Person:
			people, peopleAt = append(people, entry), append(peopleAt, i)
		default:
			others, othersAt = append(others, entry), append(othersAt, i)
		}
	}
	planned, err := w.e.plan(ctx, w.feed, people, asked{decided: w.decided})
	if err != nil {
		return nil, err
	}
	for i, o := range planned {
		s := list[peopleAt[i]]
		if s.row.Kind == kindTouch && o.kind == kindDeparture { // another record takes its place
			o.kind, o.diffs, o.fields, o.ends = kindTouch, nil, nil, nil
		}
		s.now = o
	}
	rest, err := w.e.planOthers(ctx, w.feed, others)
	if err != nil {
		return nil, err
	}
	byKey := map[string]*outcome{}
	for _, o := range rest {
		byKey[string(o.entry.Kind)+o.entry.Key] = o
	}
	for i, entry := range others {
		s := list[othersAt[i]]
		if s.now = byKey[string(entry.Kind)+entry.Key]; s.now == nil {
			s.now = &outcome{entry: entry, name: s.row.Name}
		}
	}
	if err := w.makeNames(ctx, list); err != nil {
		return nil, err
	}
	return list, w.resolve(ctx, list)
}

// entryOf reads an entry back from the plan.
func entryOf(row sqlgen.DirectoryChange) (mapping.Entry, error) {
	e := mapping.Entry{Kind: source.Kind(row.What), Key: row.SourceKey, Where: row.Place, Gone: row.Said == ""}
	if e.Gone {
		return e, nil
	}
	if err := json.Unmarshal([]byte(row.Said), &e.Values); err != nil {
		return e, fmt.Errorf("read the plan: %w", err)
	}
	if err := json.Unmarshal([]byte(row.Names), &e.Names); err != nil {
		return e, fmt.Errorf("read the plan: %w", err)
	}
	return e, nil
}

// write writes steps in one transaction; when one of them fails, each in its own,
// so that the others are written all the same.
func (w *work) write(ctx context.Context, list []*step) error {
	for _, s := range list {
		if err := w.e.putGroup(ctx, w.feed.Config.ID, s); err != nil {
			f := fault.Of(err)
			if f.Reason == fault.Unexpected || ctx.Err() != nil {
				return err
			}
			s.now = (&outcome{entry: s.now.entry, name: s.now.name}).refuse(f)
		}
	}
	err := w.inTx(ctx, list)
	if err == nil || ctx.Err() != nil {
		return err
	}
	for _, s := range list {
		fresh, err := w.again(ctx, []sqlgen.DirectoryChange{s.row})
		if err != nil {
			return err
		}
		if err := w.inTx(ctx, fresh); err != nil {
			f := fault.Of(err)
			if f.Reason == fault.Unexpected || ctx.Err() != nil {
				return err
			}
			refused := &step{row: s.row, now: (&outcome{entry: s.now.entry, name: s.now.name}).refuse(f)}
			if err := w.inTx(ctx, []*step{refused}); err != nil {
				return err
			}
			fresh[0] = refused
		}
		s.written = fresh[0].written
	}
	return nil
}

func (w *work) inTx(ctx context.Context, list []*step) error {
	return w.e.DB.InTx(ctx, func(tx db.Tx) error {
		var c Counts
		for _, s := range list {
			o := *s.now // a second attempt begins where the first did
			if err := w.spend(ctx, tx, &o); err != nil {
				return err
			}
			if err := w.e.put(ctx, tx, w.feed, s, &o); err != nil {
				return fmt.Errorf("write %s: %w", o.entry.Key, err)
			}
			if err := w.settle(ctx, tx, s, &o); err != nil {
				return err
			}
			switch o.kind {
			case kindCreation, kindChange, kindDeparture, kindTouch:
				c.Applied++
			}
			c.count(&outcome{entry: o.entry, kind: s.row.Kind}, -1)
			c.count(&o, 1)
			s.written = &o
		}
		return sqlgen.New(tx).ProgressRun(ctx, sqlgen.ProgressRunParams{
			Applied: c.Applied, Creations: c.Creations, Changes: c.Changes, Departures: c.Departures, Conflicts: c.Conflicts, Refusals: c.Refusals, BeatAt: tx.Now(), ID: w.id,
		})
	})
}

// settle makes a row of the plan a row of the report.
func (w *work) settle(ctx context.Context, tx db.Tx, s *step, o *outcome) error {
	p := sqlgen.SettleChangeParams{RunID: w.id, Seq: s.row.Seq, Kind: o.kind, State: "applied", PersonID: string(o.person), Detail: s.row.Detail}
	switch o.kind {
	case kindConflict, kindRefusal:
		p.State = "told"
	case kindNothing:
		p.Kind = kindTouch
	}
	if len(o.diffs) > 0 {
		p.Detail = jsonText(o.diffs)
	}
	if o.reason != nil {
		p.Reason, p.Args = o.reason.Reason.Code(), argsText(o.reason.Args)
	}
	if err := sqlgen.New(tx).SettleChange(ctx, p); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
