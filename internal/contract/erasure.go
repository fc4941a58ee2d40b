package contract

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Trace is a column by which a table names a person, and what becomes of those
// rows when the person is erased. The privacy room does what the traces say, in
// transactions of a few hundred rows.
type Trace struct {
	Column string
	By     Mark
	// Key and Parent are set where the rows name the person only through another
	// table of the room: Column then refers to the column Key of the table Parent,
	// whose own ParentColumn holds the mark.
	Key, Parent, ParentColumn string
	Fate                      Fate
	// Set are other columns to overwrite with the column itself, of [Cleared] rows.
	Set map[string]any
	// Where narrows the rows, in SQL of both databases; empty for all.
	Where string
	// Why says why the rows stay, of [Kept] ones: it completes the holding's Until.
	Why string
}

// Mark is what stands in the column of a trace.
type Mark string

// The marks.
const (
	ByID     Mark = ""       // campus.PersonID
	ByLogin  Mark = "login"  // the person's login
	ByMail   Mark = "mail"   // the person's institutional address
	Mentions Mark = "inside" // the PersonID stands somewhere in a text
)

// Fate is what becomes of rows about a person who is erased.
type Fate string

// The fates.
const (
	Deleted Fate = "deleted" // the rows go
	Cleared Fate = "cleared" // the rows stay, and nobody can be recognised in them
	Kept    Fate = "kept"    // the rows stay until their time is over
)

// Delete is the trace of rows that go with their person.
func Delete(column string) Trace { return Trace{Column: column, Fate: Deleted} }

// Clear is the trace of rows that stay without naming the person.
func Clear(column string) Trace { return Trace{Column: column, Fate: Cleared} }

// Keep is the trace of rows that stay, and why.
func Keep(column, why string) Trace { return Trace{Column: column, Fate: Kept, Why: why} }

// Marked says what stands in the column when it is not the PersonID.
func (t Trace) Marked(by Mark) Trace {
	t.By = by
	return t
}

// Only narrows the rows by a condition in SQL.
func (t Trace) Only(where string) Trace {
	t.Where = where
	return t
}

// Also overwrites another column of a cleared row.
func (t Trace) Also(column string, value any) Trace {
	set := map[string]any{column: value}
	for k, v := range t.Set {
		set[k] = v
	}
	t.Set = set
	return t
}

// Through says that Column holds the column key of a row of parent, which names
// the person in parentColumn.
func (t Trace) Through(parent, key, parentColumn string) Trace {
	t.Parent, t.Key, t.ParentColumn = parent, key, parentColumn
	return t
}

// Traced is a person who is being erased, by all that tables may name them by.
type Traced struct {
	ID    campus.PersonID
	Login string
	Mail  string
	// Erasure is the identifier of the erasure; empty while none runs.
	Erasure string
	// Whole says that the register of people gives them up as well.
	Whole bool
}

// Eraser is implemented by a room whose erasure does more than its traces say:
// files, for one. It runs before the rows go, in short transactions, may run
// again after a crash, and returns what it did; nothing of that is about the
// person.
type Eraser interface {
	Erase(ctx context.Context, who Traced) ([]Erased, error)
}

// Remover is an [Eraser] that has programs outside the house remove what they keep
// of the person. That takes as long as it takes them: the erasure ends without
// waiting, and its proof tells which of them confirmed it, then and later.
type Remover interface {
	Eraser
	// ToRemove are the programs that an erasure of the person would ask, in the
	// language of the context. It asks nobody and changes nothing.
	ToRemove(ctx context.Context, who Traced) ([]Removal, error)
	// Removals says how far the programs are that an erasure asked.
	Removals(ctx context.Context, erasure string) ([]Removal, error)
}

// Removal is what one program outside the house does about somebody who is erased.
type Removal struct {
	Program string // stable identifier
	Name    string // what people call it
	State   RemovalState
	Reason  string    // code of what stands in the way; empty for nothing
	Since   time.Time // when it was asked, or when it ended
}

// RemovalState is how far a removal is.
type RemovalState string

// The states of a removal. All but the first are its end.
const (
	RemovalAsked  RemovalState = "asked"
	RemovalDone   RemovalState = "removed" // the program confirmed it
	RemovalAbsent RemovalState = "absent"  // the program has nothing of the person
	RemovalByHand RemovalState = "by_hand" // an administrator says that it was done
)

// Erased is what an erasure did with one table, or with the files beside it.
type Erased struct {
	Table string
	Fate  Fate
	Rows  int64
}

// Retention is implemented by a room with rules about when everything about a
// person goes. The privacy room proposes those erasures to its officer.
type Retention interface {
	// DueForErasure lists the people whose time is over, in the order of their ids,
	// beginning behind after.
	DueForErasure(ctx context.Context, now time.Time, after campus.PersonID, size int) ([]Due, error)
}

// Due is somebody whose data is to go.
type Due struct {
	Person campus.PersonID
	Since  time.Time // when the time was over
	Rule   string    // by which rule, in words, in the language of the context
}

// Discloser is implemented by a room that tells other programs about people.
type Discloser interface {
	// Disclosures lists what each program was told about a person, in the language
	// of the context.
	Disclosures(context.Context, campus.PersonID) ([]Disclosure, error)
}

// Disclosure is what one program outside the house was told about a person.
type Disclosure struct {
	Service       string // identifier in the register of services
	Name          string
	What, Why     string // the data and the reason, in words
	Basis         Ground
	Owner         string // who answers for the program, and Contact how to reach them
	Contact       string
	First, Last   time.Time // when it was told; zero for never
	Agreed        time.Time // when the person agreed; zero when they were not asked
	WithdrawnHere string    // local address where the person takes it back; may be empty
}
