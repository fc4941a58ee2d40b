// Package year is the change of year as one guided operation: a table says which
// programme follows which, everybody whom it concerns is listed before anything
// happens, the change runs in the background, and it can be undone.
package year

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/year/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// The reasons of the alcove.
var (
	// Missing: there is no such change of year.
	Missing = fault.Declare(fault.NotFound, "directory.year.missing")
	// Settled: the change is not at the point where this can be done.
	Settled = fault.Declare(fault.Conflict, "directory.year.settled")
	// Reserved: only those who keep the directory change the year.
	Reserved = fault.Declare(fault.Forbidden, "directory.year.reserved")
)

// Roll is the register of people, read from one end to the other.
type Roll interface {
	// PeopleAfter are the next people by identifier, at most so many.
	PeopleAfter(ctx context.Context, after campus.PersonID, most int) ([]contract.Known, error)
}

// Deps is what the alcove asks of its room.
type Deps struct {
	DB       *db.DB
	Register contract.Register
	Roll     Roll
	Places   place.Names
	Zone     *time.Location // of the institution
}

// Years keeps the changes of year. It is safe for concurrent use.
type Years struct{ Deps }

// New opens the alcove.
func New(d Deps) *Years { return &Years{d} }

// The states of a change.
const (
	Preparing = "preparing" // people are being listed
	Ready     = "ready"     // listed, and nothing has happened
	Applying  = "applying"
	Done      = "done"
	Undoing   = "undoing"
	Undone    = "undone"
	Dropped   = "dropped"
)

// The kinds of lines.
const (
	promotion = "promotion"
	departure = "departure"
	arrival   = "arrival"
)

// Moves says which programme follows which; an empty one means that its students
// leave. Programmes that are not there stay as they are.
type Moves map[string]string

// ParseMoves reads a table: one line for each programme, "L1 = L2", or "L3 =" for
// those who leave. The second result is the first line that cannot be read, from 1;
// 0 when all can.
func ParseMoves(text string) (Moves, int) {
	moves := Moves{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		from, to, ok := strings.Cut(line, "=")
		from, to = strings.TrimSpace(from), strings.TrimSpace(to)
		_, twice := moves[from]
		if !ok || from == "" || twice || from == to || strings.ContainsAny(from+to, "|;=") {
			return nil, i + 1
		}
		moves[from] = to
	}
	return moves, 0
}

// String is the table as it is typed.
func (m Moves) String() string {
	var lines []string
	for from, to := range m {
		lines = append(lines, strings.TrimSpace(from+" = "+to))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Year is one change of year.
type Year struct {
	ID, Name, State                  string
	Moves                            Moves
	Ends                             time.Time // until when those who leave are registered
	Promotions, Departures, Arrivals int64
	Steps, Skipped                   int64 // of the phase under way
	MadeBy, AppliedBy, UndoneBy      campus.PersonID
	Made, Applied, Undone            time.Time
}

// ties are somebody's affiliations, and until when they study here.
type ties struct {
	Affiliations []string `json:"a"`
	Until        string   `json:"u"` // RFC 3339; "none" for no end; empty for nobody said
}

// noEnd stands for a registration without an end.
const noEnd = "none"

func untilText(until map[campus.Kind]time.Time) string {
	at, said := until[campus.Student]
	switch {
	case !said:
		return ""
	case at.IsZero():
		return noEnd
	}
	return at.UTC().Format(time.RFC3339)
}

func untilTime(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil { // no end
		return time.Time{}
	}
	return at
}

// step says what the moves make of somebody's ties; the kind is empty when nothing.
func (m Moves) step(was ties, ends time.Time) (kind string, becomes ties) {
	becomes = ties{Until: was.Until}
	left, moved := 0, false
	for _, text := range was.Affiliations {
		a, ok := mapping.ParseAffiliation(text)
		to, in := m[a.Programme]
		switch {
		case !ok || a.Kind != campus.Student || !in:
			becomes.Affiliations = append(becomes.Affiliations, text)
		case to == "":
			left++
		default:
			a.Programme, moved = to, true
			becomes.Affiliations = append(becomes.Affiliations, mapping.FormatAffiliation(a))
		}
	}
	slices.Sort(becomes.Affiliations)
	becomes.Affiliations = slices.Compact(becomes.Affiliations)
	studies := slices.ContainsFunc(becomes.Affiliations, func(text string) bool { return strings.HasPrefix(text, string(campus.Student)+"|") })
	switch {
	case left > 0 && !studies:
		if end := untilTime(was.Until); !end.IsZero() && end.After(ends) {
			return "", was // a source has registered them for longer already
		}
		// An account that ends keeps its ties until its day, as everywhere.
		return departure, ties{Affiliations: was.Affiliations, Until: ends.UTC().Format(time.RFC3339)}
	case left > 0 || moved:
		return promotion, becomes
	}
	return "", was
}

func may(v campus.Viewer) error {
	if !v.Can(campus.RightDirectory) {
		return Reserved
	}
	return nil
}

// Prepare begins a change: a job lists whom it concerns. Nothing happens to anybody.
func (y *Years) Prepare(ctx context.Context, by campus.Viewer, name string, moves Moves, ends time.Time) (string, error) {
	if err := may(by); err != nil {
		return "", err
	}
	text, err := json.Marshal(moves)
	if err != nil {
		return "", fmt.Errorf("write the table: %w", err)
	}
	yearID := id.New()
	return yearID, y.DB.InTx(ctx, func(tx db.Tx) error {
		err := sqlgen.New(tx).AddYear(ctx, sqlgen.AddYearParams{ID: yearID, Name: name, Moves: string(text), EndsAt: db.At(ends), MadeBy: string(by.Person), MadeAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("begin a change of year: %w", err)
		}
		return jobs.Enqueue(ctx, tx, prepareYear{Year: yearID})
	})
}

// Apply carries a change out, in the background.
func (y *Years) Apply(ctx context.Context, by campus.Viewer, yearID string) error {
	return y.begin(ctx, by, yearID, func(tx db.Tx, q *sqlgen.Queries) (int64, error) {
		return q.Begin(ctx, sqlgen.BeginParams{ID: yearID, AppliedBy: string(by.Person), AppliedAt: tx.Now()})
	})
}

// Undo takes a change back, in the background: everybody who is still as it left
// them becomes what they were.
func (y *Years) Undo(ctx context.Context, by campus.Viewer, yearID string) error {
	return y.begin(ctx, by, yearID, func(tx db.Tx, q *sqlgen.Queries) (int64, error) {
		return q.BeginUndo(ctx, sqlgen.BeginUndoParams{ID: yearID, UndoneBy: string(by.Person), UndoneAt: tx.Now()})
	})
}

func (y *Years) begin(ctx context.Context, by campus.Viewer, yearID string, guarded func(db.Tx, *sqlgen.Queries) (int64, error)) error {
	if err := may(by); err != nil {
		return err
	}
	return y.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := guarded(tx, sqlgen.New(tx))
		if err != nil {
			return fmt.Errorf("move a change of year on: %w", err)
		}
		if n == 0 {
			return Settled
		}
		return jobs.Enqueue(ctx, tx, carryOut{Year: yearID})
	})
}

// Drop gives a change up that was not carried out.
func (y *Years) Drop(ctx context.Context, by campus.Viewer, yearID string) error {
	if err := may(by); err != nil {
		return err
	}
	return y.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).Drop(ctx, yearID)
		if err != nil {
			return fmt.Errorf("drop a change of year: %w", err)
		}
		if n == 0 {
			return Settled
		}
		return nil
	})
}

// ByID reads one change.
func (y *Years) ByID(ctx context.Context, yearID string) (Year, error) {
	row, err := sqlgen.New(y.DB.Read()).YearByID(ctx, yearID)
	if errors.Is(err, sql.ErrNoRows) {
		return Year{}, Missing
	}
	if err != nil {
		return Year{}, fmt.Errorf("read the change of year: %w", err)
	}
	return yearOf(row)
}

// All lists the latest changes, the newest first.
func (y *Years) All(ctx context.Context) ([]Year, error) {
	rows, err := sqlgen.New(y.DB.Read()).Years(ctx)
	if err != nil {
		return nil, fmt.Errorf("list changes of year: %w", err)
	}
	list := make([]Year, len(rows))
	for i, row := range rows {
		if list[i], err = yearOf(row); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func yearOf(r sqlgen.DirectoryYear) (Year, error) {
	y := Year{
		ID: r.ID, Name: r.Name, State: r.State, Ends: r.EndsAt.Time(), Promotions: r.Promotions, Departures: r.Departures, Arrivals: r.Arrivals,
		Steps: r.Done, Skipped: r.Skipped, MadeBy: campus.PersonID(r.MadeBy), AppliedBy: campus.PersonID(r.AppliedBy), UndoneBy: campus.PersonID(r.UndoneBy),
		Made: r.MadeAt.Time(), Applied: r.AppliedAt.Time(), Undone: r.UndoneAt.Time(),
	}
	if err := json.Unmarshal([]byte(r.Moves), &y.Moves); err != nil {
		return y, fmt.Errorf("read the change of year: %w", err)
	}
	return y, nil
}
