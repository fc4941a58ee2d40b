// Package byhand keeps the values of people and units that somebody entered here. They
// hold over what the sources say, and each change can be looked up and undone.
package byhand

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/byhand/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/directory/stamp"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Kind is what a value is about.
type Kind string

// The kinds of subjects.
const (
	Person Kind = "person"
	Unit   Kind = "unit"
)

// Value is one that somebody entered.
type Value struct {
	Text string
	By   campus.PersonID
	At   time.Time
}

// Values are those of one subject, by part.
type Values map[string]Value

// Change is a value to be entered, or to be taken back.
type Change struct {
	Kind    Kind
	Subject string // identifier of a person, code of a unit
	Part    string
	// Value holds from now on. Back takes away the one by hand instead, so that what the
	// sources say is shown again.
	Value string
	Back  bool
	Shown string // what the directory says before, for the history
	Cause string // the correction that asks for it; empty for none
	By    campus.PersonID
}

// Edit is a change that was made.
type Edit struct {
	ID string
	Change
	At       time.Time
	UndoneBy campus.PersonID
	UndoneAt time.Time // zero while it holds

	had bool
	was string
}

var (
	// EditMissing: there is no such change, or it is not the viewer's to see.
	EditMissing = fault.Declare(fault.NotFound, "directory.edit_missing")
	// EditOver: the value was changed again since, or the change is undone already.
	EditOver = fault.Declare(fault.Conflict, "directory.edit_over")
)

// Kept is how long the history is kept.
const Kept = 2 * 365 * 24 * time.Hour

// atOnce bounds the list of one statement.
const atOnce = 500

// Of reads the values of some subjects; of all of the kind when none is named. Those
// without any are left out.
func Of(ctx context.Context, q db.Querier, k Kind, subjects ...string) (map[string]Values, error) {
	found := map[string]Values{}
	add := func(subject, part string, v Value) {
		if found[subject] == nil {
			found[subject] = Values{}
		}
		found[subject][part] = v
	}
	if len(subjects) == 0 {
		rows, err := sqlgen.New(q).ValuesOfKind(ctx, string(k))
		for _, r := range rows {
			add(r.Subject, r.Part, Value{r.Value, campus.PersonID(r.EnteredBy), r.EnteredAt.Time()})
		}
		return found, wrong(err)
	}
	for some := range slices.Chunk(subjects, atOnce) {
		args := []any{string(k)}
		for _, s := range some {
			args = append(args, s)
		}
		err := db.Each(ctx, q, "SELECT subject, part, value, entered_by, entered_at FROM directory_by_hand WHERE kind = $1 AND subject IN "+db.In(len(some), 2), args, func(rows *sql.Rows) error {
			var subject, part string
			var v Value
			var at db.Time
			err := rows.Scan(&subject, &part, &v.Text, &v.By, &at)
			v.At = at.Time()
			add(subject, part, v)
			return err
		})
		if err != nil {
			return nil, wrong(err)
		}
	}
	return found, nil
}

func wrong(err error) error {
	if err != nil {
		return fmt.Errorf("read values by hand: %w", err)
	}
	return nil
}

// current is the value by hand of a part, if there is one.
func current(ctx context.Context, tx db.Tx, c Change) (value string, there bool, err error) {
	value, err = sqlgen.New(tx).Value(ctx, sqlgen.ValueParams{Kind: string(c.Kind), Subject: c.Subject, Part: c.Part})
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return value, err == nil, wrong(err)
}

// Put enters a value, or takes one back, and notes it in the history. A change that
// changes nothing leaves no trace.
func Put(ctx context.Context, tx db.Tx, c Change) error {
	was, had, err := current(ctx, tx, c)
	if err != nil || had == !c.Back && (c.Back || was == c.Value) {
		return err
	}
	if c.Back {
		c.Value = ""
	}
	if err := write(ctx, tx, c); err != nil {
		return err
	}
	err = sqlgen.New(tx).AddEdit(ctx, sqlgen.AddEditParams{
		ID: id.New(), Kind: string(c.Kind), Subject: c.Subject, Part: c.Part, Shown: c.Shown, Had: had, Was: was, Has: !c.Back, Becomes: c.Value,
		Cause: c.Cause, EditedBy: string(c.By), EditedAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("note a change: %w", err)
	}
	return nil
}

// write makes a value hold, and tells the search.
func write(ctx context.Context, tx db.Tx, c Change) (err error) {
	q := sqlgen.New(tx)
	if c.Back {
		err = q.DropValue(ctx, sqlgen.DropValueParams{Kind: string(c.Kind), Subject: c.Subject, Part: c.Part})
	} else {
		err = q.PutValue(ctx, sqlgen.PutValueParams{Kind: string(c.Kind), Subject: c.Subject, Part: c.Part, Value: c.Value, EnteredBy: string(c.By), EnteredAt: tx.Now()})
	}
	if err != nil {
		return fmt.Errorf("keep a value by hand: %w", err)
	}
	if c.Kind == Unit {
		return stamp.Subject(ctx, tx, stamp.Units)
	}
	return stamp.Person(ctx, tx, campus.PersonID(c.Subject))
}

// History lists the latest changes of a subject, the newest first.
func History(ctx context.Context, q db.Querier, k Kind, subject string, most int) ([]Edit, error) {
	rows, err := sqlgen.New(q).History(ctx, sqlgen.HistoryParams{Kind: string(k), Subject: subject, Most: int32(most)})
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	list := make([]Edit, len(rows))
	for i, r := range rows {
		list[i] = editOf(r)
	}
	return list, nil
}

// ByID reads one change.
func ByID(ctx context.Context, q db.Querier, editID string) (Edit, error) {
	row, err := sqlgen.New(q).Edit(ctx, editID)
	if errors.Is(err, sql.ErrNoRows) {
		return Edit{}, EditMissing
	}
	if err != nil {
		return Edit{}, fmt.Errorf("read a change: %w", err)
	}
	return editOf(row), nil
}

func editOf(r sqlgen.DirectoryEdit) Edit {
	return Edit{
		ID: r.ID, Change: Change{
			Kind: Kind(r.Kind), Subject: r.Subject, Part: r.Part, Value: r.Becomes, Back: !r.Has, Shown: r.Shown, Cause: r.Cause, By: campus.PersonID(r.EditedBy),
		},
		At: r.EditedAt.Time(), UndoneBy: campus.PersonID(r.UndoneBy), UndoneAt: r.UndoneAt.Time(), had: r.Had, was: r.Was,
	}
}

// Undo puts back what stood there before a change, if nobody changed it since.
func Undo(ctx context.Context, tx db.Tx, e Edit, by campus.PersonID) error {
	is, has, err := current(ctx, tx, e.Change)
	if err != nil {
		return err
	}
	if has == e.Back || is != e.Value {
		return EditOver
	}
	n, err := sqlgen.New(tx).MarkUndone(ctx, sqlgen.MarkUndoneParams{ID: e.ID, UndoneBy: string(by), UndoneAt: tx.Now()})
	if err != nil {
		return fmt.Errorf("undo a change: %w", err)
	}
	if n == 0 {
		return EditOver
	}
	before := e.Change
	before.Value, before.Back, before.By = e.was, !e.had, by
	return write(ctx, tx, before)
}

// Drop forgets what was entered about a subject. The history goes with the traces of
// an erasure.
func Drop(ctx context.Context, tx db.Tx, k Kind, subject string) error {
	if err := sqlgen.New(tx).DropSubject(ctx, sqlgen.DropSubjectParams{Kind: string(k), Subject: subject}); err != nil {
		return fmt.Errorf("drop values by hand: %w", err)
	}
	return nil
}

// Jobs forgets the history after its time.
func Jobs(r *jobs.Registry, d *db.DB) {
	r.Every("directory.forget_edits", 24*time.Hour, func(ctx context.Context) error {
		return d.InTx(ctx, func(tx db.Tx) error {
			if _, err := sqlgen.New(tx).Forget(ctx, tx.Now().Add(-Kept)); err != nil {
				return fmt.Errorf("forget the history: %w", err)
			}
			return nil
		})
	})
}
