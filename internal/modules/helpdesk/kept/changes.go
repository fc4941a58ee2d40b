package kept

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Change is one change of a setting.
type Change struct {
	ID, Kind, Setting string
	Was, Becomes      json.RawMessage // empty when it was new, or removed
	At                time.Time
	By                campus.PersonID
	Undone            time.Time
}

// New reports whether the setting was made by the change, Removed whether it ended.
func (c Change) New() bool { return len(c.Was) == 0 }

// Removed reports whether the setting ended by the change.
func (c Change) Removed() bool { return len(c.Becomes) == 0 }

// Undoer is a shelf of any kind.
type Undoer interface {
	Named() string
	undo(ctx context.Context, tx db.Tx, by campus.PersonID, c sqlgen.HelpdeskSettingChange) error
}

// History keeps the changes of all kinds.
type History struct {
	DB      *db.DB
	Shelves []Undoer
}

// Latest lists the newest changes, at most so many.
func (h *History) Latest(ctx context.Context, most int) ([]Change, error) {
	rows, err := sqlgen.New(h.DB.Read()).Changes(ctx, int32(most))
	if err != nil {
		return nil, fmt.Errorf("list changes of settings: %w", err)
	}
	list := make([]Change, len(rows))
	for i, row := range rows {
		list[i] = changeOf(row)
	}
	return list, nil
}

func changeOf(row sqlgen.HelpdeskSettingChange) Change {
	return Change{
		ID: row.ID, Kind: row.Kind, Setting: row.SettingID, Was: json.RawMessage(row.Was), Becomes: json.RawMessage(row.Becomes),
		At: row.ChangedAt.Time(), By: campus.PersonID(row.ChangedBy), Undone: row.UndoneAt.Time(),
	}
}

// Undo makes a setting what it was before a change. It answers [Changed] when
// somebody changed it again meanwhile, and [Missing] for a change that there is not.
func (h *History) Undo(ctx context.Context, tx db.Tx, by campus.PersonID, change string) (Change, error) {
	q := sqlgen.New(tx)
	row, err := q.ChangeByID(ctx, change)
	if errors.Is(err, sql.ErrNoRows) {
		return Change{}, Missing
	}
	if err != nil {
		return Change{}, fmt.Errorf("read a change of a setting: %w", err)
	}
	n, err := q.MarkUndone(ctx, sqlgen.MarkUndoneParams{ID: change, UndoneAt: tx.Now()})
	if err != nil {
		return Change{}, fmt.Errorf("mark a change as undone: %w", err)
	}
	if n == 0 {
		return Change{}, Changed
	}
	for _, s := range h.Shelves {
		if s.Named() == row.Kind {
			return changeOf(row), s.undo(ctx, tx, by, row)
		}
	}
	return Change{}, Missing
}
