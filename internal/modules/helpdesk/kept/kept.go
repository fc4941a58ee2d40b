// Package kept holds what those who run the desk say about it: documents of a few
// kinds, remembered in memory, each change of which can be undone.
package kept

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Why a setting cannot be read or changed.
var (
	Missing = fault.Declare(fault.NotFound, "helpdesk.setting_missing").Leads("/helpdesk/setup")
	Changed = fault.Declare(fault.Conflict, "helpdesk.setting_changed").Leads("/helpdesk/setup")
)

// Item is one setting.
type Item[T any] struct {
	ID       string // chosen by whoever keeps it, or made
	Position int64  // items are in the order of their positions
	Of       T
	// Version counts changes: who writes names the one that they read.
	Version   int64
	ChangedAt time.Time
	ChangedBy campus.PersonID
}

// Shelf holds the settings of one kind. It is safe for concurrent use.
type Shelf[T any] struct {
	DB   *db.DB
	Kind string

	mu      sync.Mutex
	stamp   int64
	looked  time.Time // when the stamp was last compared; zero when it has to be
	items   []Item[T]
	invalid int // counts what made the memory doubtful
}

// fresh is how long another server's change may go unseen.
const fresh = 2 * time.Second

// All lists the settings in order. The list is shared: nobody changes it.
func (s *Shelf[T]) All(ctx context.Context) ([]Item[T], error) {
	items, _, err := s.Stamped(ctx)
	return items, err
}

// Stamped is [Shelf.All] with a number that is another one after every change, for
// those who remember what they made of the list.
func (s *Shelf[T]) Stamped(ctx context.Context) ([]Item[T], int64, error) {
	s.mu.Lock()
	items, stamp, doubts := s.items, s.stamp, s.invalid
	current := time.Since(s.looked) < fresh
	s.mu.Unlock()
	if current {
		return items, stamp, nil
	}
	q := sqlgen.New(s.DB.Read())
	// The stamp is read first: a list that is newer than its stamp is read again.
	now, err := q.Stamp(ctx, s.Kind)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, 0, fmt.Errorf("read settings: %w", err)
	}
	if now != stamp || items == nil {
		if items, err = s.read(ctx, q); err != nil {
			return nil, 0, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if doubts == s.invalid {
		s.items, s.stamp, s.looked = items, now, time.Now()
	}
	return items, now, nil
}

func (s *Shelf[T]) read(ctx context.Context, q *sqlgen.Queries) ([]Item[T], error) {
	rows, err := q.Settings(ctx, s.Kind)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	items := make([]Item[T], len(rows))
	for i, row := range rows {
		if items[i], err = itemOf[T](row); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func itemOf[T any](row sqlgen.HelpdeskSetting) (Item[T], error) {
	item := Item[T]{ID: row.ID, Position: row.Position, Version: row.Version, ChangedAt: row.ChangedAt.Time(), ChangedBy: campus.PersonID(row.ChangedBy)}
	if err := json.Unmarshal([]byte(row.Doc), &item.Of); err != nil {
		return item, fmt.Errorf("read the setting %s %s: %w", row.Kind, row.ID, err)
	}
	return item, nil
}

// One is a setting by its identifier, or [Missing].
func (s *Shelf[T]) One(ctx context.Context, setting string) (Item[T], error) {
	items, err := s.All(ctx)
	if err != nil {
		return Item[T]{}, err
	}
	if i := slices.IndexFunc(items, func(item Item[T]) bool { return item.ID == setting }); i >= 0 {
		return items[i], nil
	}
	return Item[T]{}, Missing
}

// Keep writes a setting, and how to undo that. One of version 0 is new, and gets an
// identifier if it has none; another one has to be the version that was read, or
// [Changed] is answered.
func (s *Shelf[T]) Keep(ctx context.Context, tx db.Tx, by campus.PersonID, item Item[T]) (Item[T], error) {
	doc, err := json.Marshal(item.Of)
	if err != nil {
		return item, fmt.Errorf("write a setting: %w", err)
	}
	if item.ID == "" {
		item.ID = id.New()
	}
	err = s.write(ctx, tx, by, item.ID, item.Position, string(doc), item.Version)
	item.Version++
	item.ChangedAt, item.ChangedBy = tx.Now().Time(), by
	return item, err
}

// Remove takes a setting away, or answers [Missing].
func (s *Shelf[T]) Remove(ctx context.Context, tx db.Tx, by campus.PersonID, setting string) error {
	return s.write(ctx, tx, by, setting, 0, "", 0)
}

// write makes a setting the document; an empty one removes it.
func (s *Shelf[T]) write(ctx context.Context, tx db.Tx, by campus.PersonID, setting string, position int64, doc string, version int64) error {
	q := sqlgen.New(tx)
	was, err := q.SettingByID(ctx, sqlgen.SettingByIDParams{Kind: s.Kind, ID: setting})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read a setting: %w", err)
	}
	var n int64
	switch {
	case doc == "" && was.ID == "":
		return Missing
	case doc == "":
		n, err = q.DeleteSetting(ctx, sqlgen.DeleteSettingParams{Kind: s.Kind, ID: setting})
		version = -1
	case version == 0:
		n, err = q.InsertSetting(ctx, sqlgen.InsertSettingParams{Kind: s.Kind, ID: setting, Position: position, Doc: doc, Version: 1, ChangedAt: tx.Now(), ChangedBy: string(by)})
	default:
		n, err = q.UpdateSetting(ctx, sqlgen.UpdateSettingParams{
			Kind: s.Kind, ID: setting, Position: position, Doc: doc, Version: version + 1, ChangedAt: tx.Now(), ChangedBy: string(by), ReadVersion: version,
		})
	}
	if err != nil {
		return fmt.Errorf("write a setting: %w", err)
	}
	if n == 0 {
		return Changed
	}
	if err := q.InsertChange(ctx, sqlgen.InsertChangeParams{
		ID: id.New(), Kind: s.Kind, SettingID: setting, Was: was.Doc, Becomes: doc, WasPosition: was.Position, Version: version + 1, ChangedAt: tx.Now(), ChangedBy: string(by),
	}); err != nil {
		return fmt.Errorf("keep a change of a setting: %w", err)
	}
	if err := q.Touch(ctx, s.Kind); err != nil {
		return fmt.Errorf("write a setting: %w", err)
	}
	tx.AfterCommit(s.forget)
	return nil
}

// forget makes the next reader look at the tables.
func (s *Shelf[T]) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = time.Time{}
	s.invalid++
}

// Named is the kind of the shelf.
func (s *Shelf[T]) Named() string { return s.Kind }

// undo makes a setting what it was before a change.
func (s *Shelf[T]) undo(ctx context.Context, tx db.Tx, by campus.PersonID, c sqlgen.HelpdeskSettingChange) error {
	now, err := sqlgen.New(tx).SettingByID(ctx, sqlgen.SettingByIDParams{Kind: c.Kind, ID: c.SettingID})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read a setting: %w", err)
	}
	if now.Doc != c.Becomes || now.Version != c.Version {
		return Changed // somebody changed it again
	}
	return s.write(ctx, tx, by, c.SettingID, c.WasPosition, c.Was, now.Version)
}
