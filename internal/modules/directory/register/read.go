package register

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/register/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// keptRefusals is how many refusals of one run are kept with their words; all are
// counted.
const keptRefusals = 5000

// reading is what a source handed over.
type reading struct {
	spool   *spool
	index   *index
	result  source.Result
	refused []source.Refusal
	heard   int64 // people handed over
	keyless bool  // something was refused of which not even the key is known
}

// prepare reads the source and writes the plan. It returns why the plan must not be
// carried out unseen.
func (w *work) prepare(ctx context.Context, reader source.Reader, since string) (stop *fault.Fault, err error) {
	r, err := w.read(ctx, reader, since)
	if r != nil {
		defer func() { err = errors.Join(err, r.spool.close()) }()
	}
	if err != nil {
		return nil, err
	}
	w.complete, w.position = r.result.All(source.Person), r.result.Cursor
	live, err := sqlgen.New(w.e.DB.Read()).CountLive(ctx, w.feed.Config.ID)
	if err != nil {
		return nil, fmt.Errorf("count people: %w", err)
	}
	if err := w.keepRefusals(ctx, r.refused); err != nil {
		return nil, err
	}
	going := func(key string) bool {
		m := r.index.marks[r.index.id(source.Person, key)]
		return m.gone || w.complete && !r.keyless && !m.seen
	}
	replaced := map[campus.PersonID]string{}
	err = r.spool.each(atOnce, func(entries []mapping.Entry) error {
		var people, others []mapping.Entry
		for _, entry := range entries {
			if entry.Kind == source.Person {
				people = append(people, entry)
			} else {
				others = append(others, entry)
			}
		}
		list, err := w.e.plan(ctx, w.feed, people, asked{clash: r.index.times, going: going})
		if err != nil {
			return err
		}
		for _, o := range list {
			if o.relinks != "" && o.kind != kindConflict && o.kind != kindRefusal {
				replaced[o.person] = o.relinks
			}
		}
		rest, err := w.e.planOthers(ctx, w.feed, others)
		if err != nil {
			return err
		}
		if err := w.beat(ctx); err != nil {
			return err
		}
		return w.keep(ctx, append(list, rest...))
	})
	if err != nil {
		return nil, err
	}
	if err := w.missing(ctx, r, replaced); err != nil {
		return nil, err
	}
	if stop := w.brake(live, r.heard); stop != nil {
		return stop, nil
	}
	return w.identityBrake(ctx)
}

// read takes everything that the source hands over, and keeps what changed.
func (w *work) read(ctx context.Context, reader source.Reader, since string) (*reading, error) {
	r := &reading{index: newIndex()}
	var err error
	if r.spool, err = newSpool(); err != nil {
		return nil, err
	}
	if err := w.marks(ctx, r.index); err != nil {
		return r, err
	}
	var ours error // that the source passed on
	r.result, err = reader.Read(ctx, since, func(rec source.Record) error {
		ours = w.take(ctx, r, rec)
		return ours
	})
	if ours != nil {
		return r, ours
	}
	if source.Broken(err) { // it says why better than we could
		return r, err
	}
	if err != nil {
		return r, SourceBroken.Because(err, fault.Args{"source": w.feed.Config.ID, "read": w.counts.Read})
	}
	r.refused = append(r.refused, r.result.Refused...)
	w.counts.Refusals += int64(len(r.result.Refused))
	for _, refusal := range r.result.Refused {
		if !refusal.Whole() {
			continue
		}
		if refusal.Key == "" {
			r.keyless = true
			continue
		}
		at := r.index.id(refusal.Kind, refusal.Key)
		if m, known := r.index.marks[at]; known {
			m.seen = true
			r.index.marks[at] = m
		}
	}
	return r, nil
}

// take looks at one record.
func (w *work) take(ctx context.Context, r *reading, rec source.Record) error {
	w.counts.Read++
	if w.counts.Read%1000 == 0 {
		if err := w.beat(ctx); err != nil {
			return err
		}
	}
	entry, refused := w.feed.Mapper.Map(rec)
	w.counts.Refusals += int64(len(refused))
	if room := keptRefusals - len(r.refused); room > 0 {
		r.refused = append(r.refused, refused[:min(room, len(refused))]...)
	}
	at := r.index.id(entry.Kind, entry.Key)
	m, known := r.index.marks[at]
	if m.seen && !entry.Gone {
		w.counts.Refusals++
		r.refused = append(r.refused, source.Refusal{Kind: entry.Kind, Key: entry.Key, Where: entry.Where, Err: Twice})
		return nil
	}
	if entry.Kind == source.Person && !entry.Gone {
		r.heard++
	}
	if entry.Gone {
		if known && !m.gone {
			m.gone = true
			r.index.marks[at] = m
			return r.spool.add(entry)
		}
		return nil
	}
	was := m
	m.seen = true
	r.index.marks[at] = m
	if entry.Refused || entry.Unchanged {
		return nil
	}
	if entry.Kind == source.Person {
		r.index.hear(entry.Values)
	}
	if known && !was.gone && was.digest == r.index.sum(w.e.digest(entry.Values, entry.Names)) {
		w.counts.Unchanged++
		return nil
	}
	if !w.dry {
		no, err := w.e.keepPhoto(ctx, &entry)
		if err != nil {
			return err
		}
		if no != nil {
			w.counts.Refusals++
			r.refused = append(r.refused, *no)
		}
	}
	entry.Photo = nil
	return r.spool.add(entry)
}

// keepPhoto stores the picture of a record that changed, so that the plan can name it.
// One that cannot be drawn is refused, and what was known stays.
func (e *Engine) keepPhoto(ctx context.Context, entry *mapping.Entry) (*source.Refusal, error) {
	if len(entry.Photo) == 0 || e.Photos == nil {
		return nil, nil
	}
	err := e.Photos.Keep(ctx, entry.Values.One(mapping.FieldPhoto), entry.Photo)
	if err == nil {
		return nil, nil
	}
	if f := fault.Of(err); f.Reason == fault.Unexpected || ctx.Err() != nil {
		return nil, fmt.Errorf("keep the photo of %s: %w", entry.Key, err)
	}
	delete(entry.Values, mapping.FieldPhoto)
	return &source.Refusal{Kind: entry.Kind, Key: entry.Key, Where: entry.Where, Field: string(mapping.FieldPhoto), Err: err}, nil
}

// marks loads what the source said last time.
func (w *work) marks(ctx context.Context, x *index) error {
	q := sqlgen.New(w.e.DB.Read())
	for page := (sqlgen.RecordMarksParams{Source: w.feed.Config.ID}); ; {
		rows, err := q.RecordMarks(ctx, page)
		if err != nil {
			return fmt.Errorf("read what is known: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		for _, row := range rows {
			x.marks[x.id(source.Kind(row.Kind), row.SourceKey)] = mark{digest: x.sum(row.Digest), gone: !row.GoneAt.IsZero()}
			page.AfterKind, page.AfterKey = row.Kind, row.SourceKey
		}
	}
}

// missing plans the departure of what a complete reading left out. A record that
// another one replaces leaves without taking anybody along.
func (w *work) missing(ctx context.Context, r *reading, replaced map[campus.PersonID]string) error {
	q := sqlgen.New(w.e.DB.Read())
	early := int64(-1 << 40) // replaced records are applied before all others
	for page := (sqlgen.RecordMarksParams{Source: w.feed.Config.ID}); ; {
		rows, err := q.RecordMarks(ctx, page)
		if err != nil {
			return fmt.Errorf("read what is known: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		var people, others []mapping.Entry
		for _, row := range rows {
			page.AfterKind, page.AfterKey = row.Kind, row.SourceKey
			kind := source.Kind(row.Kind)
			m := r.index.marks[r.index.id(kind, row.SourceKey)]
			if !row.GoneAt.IsZero() || m.seen || m.gone || r.keyless || !r.result.All(kind) {
				continue
			}
			entry := mapping.Entry{Kind: kind, Key: row.SourceKey, Gone: true}
			if kind == source.Person {
				people = append(people, entry)
			} else {
				others = append(others, entry)
			}
		}
		for some := range slices.Chunk(people, atOnce) {
			list, err := w.e.plan(ctx, w.feed, some, asked{})
			if err != nil {
				return err
			}
			var first, later []*outcome
			for _, o := range list {
				if replaced[o.person] == o.entry.Key && o.kind == kindDeparture {
					o.kind, o.diffs = kindTouch, nil
					first = append(first, o)
				} else {
					later = append(later, o)
				}
			}
			if len(first) > 0 {
				seq := w.seq
				w.seq = early
				err := w.keep(ctx, first)
				early, w.seq = w.seq, seq
				if err != nil {
					return err
				}
			}
			if err := w.keep(ctx, later); err != nil {
				return err
			}
			if err := w.beat(ctx); err != nil {
				return err
			}
		}
		rest, err := w.e.planOthers(ctx, w.feed, others)
		if err != nil {
			return err
		}
		if err := w.keep(ctx, rest); err != nil {
			return err
		}
	}
}

// count adds an outcome to the figures.
func (c *Counts) count(o *outcome, n int64) {
	person := o.entry.Kind == source.Person
	switch o.kind {
	case kindCreation, kindChange, kindDeparture, kindTouch:
		c.Planned += n
	}
	switch {
	case o.kind == kindCreation && person:
		c.Creations += n
	case o.kind == kindChange && person:
		c.Changes += n
	case o.kind == kindDeparture && person:
		c.Departures += n
	case o.kind == kindConflict:
		c.Conflicts += n
	case o.kind == kindRefusal:
		c.Refusals += n
	}
}

// changeColumns are those of a row of the plan.
const changeColumns = "run_id, seq, what, kind, state, source_key, place, person_id, name, folded, said, names, people, detail, reason, args"

// rowsAtOnce is how many rows of the plan one statement writes.
const rowsAtOnce = 50

// keep writes outcomes into the plan.
func (w *work) keep(ctx context.Context, list []*outcome) error {
	list = slices.DeleteFunc(list, func(o *outcome) bool { return o.kind == kindNothing })
	for _, o := range list {
		w.counts.count(o, 1)
		if o.opens() {
			w.waysIn++
		}
	}
	return w.e.keepRows(ctx, w.id, &w.seq, list)
}

// keepRows writes outcomes after the row seq of a run.
func (e *Engine) keepRows(ctx context.Context, run string, seq *int64, list []*outcome) error {
	for some := range slices.Chunk(list, rowsAtOnce) {
		first := *seq
		err := e.DB.InTx(ctx, func(tx db.Tx) error {
			text := "INSERT INTO directory_changes (" + changeColumns + ") VALUES "
			var args []any
			for i, o := range some {
				if i > 0 {
					text += ","
				}
				row := o.row()
				text += db.In(len(row)+2, len(args)+1)
				args = append(args, run, first+int64(i)+1)
				args = append(args, row...)
			}
			_, err := tx.ExecContext(ctx, text, args...)
			return err
		})
		if err != nil {
			return fmt.Errorf("keep the plan: %w", err)
		}
		*seq += int64(len(some))
	}
	return nil
}

// row is an outcome as it is kept, without run and number.
func (o *outcome) row() []any {
	state := "planned"
	if o.kind == kindRefusal {
		state = "told"
	}
	said, names, people := "", "", ""
	if !o.entry.Gone && state == "planned" {
		said = jsonText(o.entry.Values)
		names = jsonText(o.entry.Names)
	}
	if len(o.people) > 0 {
		people = jsonText(o.people)
	}
	reason, args := "", ""
	if o.reason != nil {
		reason, args = o.reason.Reason.Code(), argsText(o.reason.Args)
	}
	detail := ""
	if len(o.diffs) > 0 {
		detail = jsonText(o.diffs)
	}
	return []any{string(o.entry.Kind), o.kind, state, o.entry.Key, o.entry.Where, string(o.person), o.name, campus.Fold(o.name + " " + o.entry.Key), said, names, people, detail, reason, args}
}

// keepRefusals writes what the source and the mapping refused.
func (w *work) keepRefusals(ctx context.Context, refused []source.Refusal) error {
	list := make([]*outcome, 0, min(len(refused), keptRefusals))
	for _, r := range refused[:min(len(refused), keptRefusals)] {
		f := *fault.Of(r.Err)
		if r.Field != "" {
			args := fault.Args{"field": r.Field}
			for k, v := range f.Args {
				args[k] = v
			}
			f.Args = args
		}
		kind := r.Kind
		if kind == "" {
			kind = source.Person
		}
		list = append(list, &outcome{entry: mapping.Entry{Kind: kind, Key: r.Key, Where: r.Where}, kind: kindRefusal, reason: &f, name: r.Where})
	}
	return w.e.keepRows(ctx, w.id, &w.seq, list)
}

// planOthers says what becomes of groups and units.
func (e *Engine) planOthers(ctx context.Context, feed Feed, entries []mapping.Entry) ([]*outcome, error) {
	keys := map[source.Kind][]string{}
	for _, entry := range entries {
		keys[entry.Kind] = append(keys[entry.Kind], entry.Key)
	}
	var list []*outcome
	old := map[source.Kind]map[string]record{}
	for kind, some := range keys {
		found, err := e.recordsByKey(ctx, e.DB.Read(), feed.Config.ID, kind, some)
		if err != nil {
			return nil, err
		}
		old[kind] = found
	}
	for _, entry := range entries {
		o := &outcome{entry: entry, old: old[entry.Kind][entry.Key]}
		o.said = overlay(o.old.said, entry.Values)
		o.name = o.said.One(mapping.FieldName)
		if o.name == "" {
			o.name = codeOf(o.said, entry.Key)
		}
		there := o.old.key != "" && !o.old.gone
		switch {
		case entry.Gone && !there:
			continue
		case entry.Gone:
			o.kind = kindDeparture
		case !there:
			o.kind = kindCreation
		default:
			o.kind = kindChange
		}
		if !entry.Gone {
			for _, f := range o.said.Fields() {
				if slices.Equal(o.old.said[f], o.said[f]) {
					continue
				}
				d := Diff{Field: f, Old: o.old.said[f], New: o.said[f]}
				if f == mapping.FieldMembers || f == contract.Field(mapping.FieldOwners) { // too many to list
					d.Old, d.New = one(strconv.Itoa(len(d.Old))), one(strconv.Itoa(len(d.New)))
				}
				o.diffs = append(o.diffs, d)
			}
			if len(o.diffs) == 0 {
				o.kind = kindTouch
			}
		}
		list = append(list, o)
	}
	return list, nil
}
