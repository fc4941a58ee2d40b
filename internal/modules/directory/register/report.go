package register

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/register/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/table"
)

// Change is one line of a report.
type Change struct {
	Seq        int64
	What, Kind string
	Applied    bool
	Key, Place string
	Person     campus.PersonID
	Name       string
	Diffs      []Diff
	Reason     *fault.Fault
}

// Filter chooses lines of a report.
type Filter struct {
	Kind  string // creation, change, departure, conflict, refusal; empty for all
	Words string // of the name or the key
	// Page counts from 1; PerPage is how many lines it has.
	Page, PerPage int
}

// where is the condition of a filter. Touches change nothing that people see, so
// reports leave them out.
func (f Filter) where(run string) (string, []any) {
	text, args := "run_id = $1 AND kind <> 'touch'", []any{run}
	if f.Kind != "" {
		args = append(args, f.Kind)
		text += " AND kind = $" + strconv.Itoa(len(args))
	}
	for _, w := range strings.Fields(campus.Fold(f.Words)) {
		args = append(args, "%"+w+"%")
		text += " AND folded LIKE $" + strconv.Itoa(len(args))
	}
	return text, args
}

// Report reads a page of a run's report, and how many lines there are in all.
func (e *Engine) Report(ctx context.Context, run string, f Filter) ([]Change, int, error) {
	where, args := f.where(run)
	var total int
	if err := e.DB.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM directory_changes WHERE "+where, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count the report: %w", err)
	}
	list, err := e.changes(ctx, where, args, f.PerPage, (f.Page-1)*f.PerPage)
	return list, total, err
}

func (e *Engine) changes(ctx context.Context, where string, args []any, limit, skip int) ([]Change, error) {
	var list []Change
	args = append(slices.Clone(args), limit, skip)
	err := db.Each(ctx, e.DB.Read(), fmt.Sprintf(`SELECT seq, what, kind, state, source_key, place, person_id, name, detail, reason, args FROM directory_changes
		WHERE %s ORDER BY seq LIMIT $%d OFFSET $%d`, where, len(args)-1, len(args)), args, func(rows *sql.Rows) error {
		var c Change
		var state, who, detail, reason, facts string
		if err := rows.Scan(&c.Seq, &c.What, &c.Kind, &state, &c.Key, &c.Place, &who, &c.Name, &detail, &reason, &facts); err != nil {
			return err
		}
		c.Applied, c.Person, c.Reason = state == "applied", campus.PersonID(who), faultOf(reason, facts)
		if detail != "" {
			if err := json.Unmarshal([]byte(detail), &c.Diffs); err != nil {
				return err
			}
		}
		list = append(list, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the report: %w", err)
	}
	return list, nil
}

// linesAtOnce is how many lines of a report are read at once.
const linesAtOnce = 1000

// EachChange hands over a whole report, line by line.
func (e *Engine) EachChange(ctx context.Context, run string, f Filter, do func(Change) error) error {
	where, args := f.where(run)
	where += fmt.Sprintf(" AND seq > $%d", len(args)+1)
	for after := int64(-1 << 62); ; {
		list, err := e.changes(ctx, where, append(slices.Clone(args), after), linesAtOnce, 0)
		if err != nil {
			return err
		}
		for _, c := range list {
			after = c.Seq
			if err := do(c); err != nil {
				return err
			}
		}
		if len(list) < linesAtOnce {
			return nil
		}
	}
}

// WriteCSV writes a report for a spreadsheet, in the language of the context: one
// line for each field that changes.
func (e *Engine) WriteCSV(ctx context.Context, out io.Writer, run string, f Filter) error {
	w := table.NewWriter(out)
	w.Comma = ';' // as spreadsheets in French open it by themselves
	if _, err := io.WriteString(out, "\ufeff"); err != nil {
		return err
	}
	head := []string{}
	for _, key := range []string{"kind", "what", "name", "key", "place", "field", "old", "new", "reason"} {
		head = append(head, t(ctx, "column."+key))
	}
	if err := w.Write(head); err != nil {
		return err
	}
	err := e.EachChange(ctx, run, f, func(c Change) error {
		line := []string{t(ctx, "kind."+c.Kind), t(ctx, "what."+c.What), c.Name, c.Key, c.Place, "", "", "", Words(ctx, c.Reason)}
		if len(c.Diffs) == 0 {
			return w.Write(line)
		}
		for _, d := range c.Diffs {
			line[5], line[6], line[7] = fieldName(ctx, string(d.Field)), strings.Join(d.Old, ", "), strings.Join(d.New, ", ")
			if err := w.Write(line); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// Runs lists runs, the latest first; of all sources when src is empty.
func (e *Engine) Runs(ctx context.Context, src string, page, perPage int) ([]Run, int, error) {
	q := sqlgen.New(e.DB.Read())
	total, err := q.CountRuns(ctx, src)
	if err != nil {
		return nil, 0, fmt.Errorf("count runs: %w", err)
	}
	rows, err := q.Runs(ctx, sqlgen.RunsParams{Source: src, Count: int32(perPage), Skip: int32((page - 1) * perPage)})
	if err != nil {
		return nil, 0, fmt.Errorf("list runs: %w", err)
	}
	return e.runsOf(ctx, rows), int(total), nil
}

func (e *Engine) runsOf(ctx context.Context, rows []sqlgen.DirectoryRun) []Run {
	list := make([]Run, len(rows))
	for i, r := range rows {
		list[i] = e.runOf(ctx, r)
	}
	return list
}

// HeldRuns are those that wait for somebody's word.
func (e *Engine) HeldRuns(ctx context.Context) ([]Run, error) {
	rows, err := sqlgen.New(e.DB.Read()).HeldRuns(ctx)
	if err != nil {
		return nil, fmt.Errorf("list held runs: %w", err)
	}
	return e.runsOf(ctx, rows), nil
}

// Conflicts lists those that wait, oldest first, and how many there are.
func (e *Engine) Conflicts(ctx context.Context, words string, page, perPage int) ([]Conflict, int, error) {
	where, args := "closed_at = 0", []any{}
	for _, w := range strings.Fields(campus.Fold(words)) {
		args = append(args, "%"+w+"%")
		where += " AND folded LIKE $" + strconv.Itoa(len(args))
	}
	var total int
	if err := e.DB.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM directory_conflicts WHERE "+where, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count conflicts: %w", err)
	}
	args = append(args, perPage, (page-1)*perPage)
	var list []Conflict
	err := db.Each(ctx, e.DB.Read(), fmt.Sprintf(`SELECT id, source, source_key, kind, args, people, name, place, said, opened_at FROM directory_conflicts
		WHERE %s ORDER BY opened_at, id LIMIT $%d OFFSET $%d`, where, len(args)-1, len(args)), args, func(rows *sql.Rows) error {
		var row sqlgen.DirectoryConflict
		if err := rows.Scan(&row.ID, &row.Source, &row.SourceKey, &row.Kind, &row.Args, &row.People, &row.Name, &row.Place, &row.Said, &row.OpenedAt); err != nil {
			return err
		}
		c, err := conflictOf(row)
		list = append(list, c)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list conflicts: %w", err)
	}
	return list, total, nil
}

// fieldOrder is how reports and pages list fields; others follow by name.
var fieldOrder = []mapping.Field{
	contract.FieldFamilyName, contract.FieldGivenName, contract.FieldLogin, contract.FieldMail, contract.FieldStudentNumber, mapping.FieldEmployeeNumber,
	contract.FieldJobTitle, contract.FieldAffiliations, contract.FieldUntil,
}

func compareFields(a, b mapping.Field) int {
	at := func(f mapping.Field) int {
		if i := slices.Index(fieldOrder, f); i >= 0 {
			return i
		}
		return len(fieldOrder)
	}
	return cmp.Or(cmp.Compare(at(a), at(b)), strings.Compare(string(a), string(b)))
}

// Summary says a line of a report in one line, in the language of the context.
func Summary(ctx context.Context, c Change) string {
	var parts []string
	if c.Reason != nil {
		parts = append(parts, Words(ctx, c.Reason))
	}
	for _, d := range c.Diffs {
		text := fieldName(ctx, string(d.Field)) + t(ctx, "colon")
		if len(d.Old) > 0 {
			text += valueWords(ctx, d.Field, d.Old) + " → "
		}
		parts = append(parts, text+valueWords(ctx, d.Field, d.New))
	}
	return strings.Join(parts, "; ")
}
