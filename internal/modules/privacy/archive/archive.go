// Package archive prepares copies of everything that is held about somebody: a
// zip of open formats, made in the background and kept for a few days.
package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Deps is what the alcove asks of the room.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	Log   *slog.Logger
	Texts *i18n.Catalogue
	Files files.Store
	Rooms func() []contract.Module
	// Register says who people are.
	Register contract.Register
	// Tell says to somebody, in the transaction that finishes their copy, that it is
	// ready until then.
	Tell func(ctx context.Context, tx db.Tx, who contract.Known, until time.Time) error
	// Keep is how long a copy stays, PerDay how many somebody may ask for in a day.
	Keep   time.Duration
	PerDay int
	// Institution names who answers for the data, in both languages.
	InstitutionFrench, InstitutionEnglish string
}

// Archives is the alcove. It is safe for concurrent use.
type Archives struct{ Deps }

// New makes the alcove.
func New(d Deps) *Archives { return &Archives{d} }

// What can stand in the way of a copy.
var (
	// UnderWay: a copy for the person is being prepared.
	UnderWay = fault.Declare(fault.Conflict, "privacy.export_under_way")
	// TooMany: the person asked for as many copies as a day has.
	TooMany = fault.Declare(fault.Busy, "privacy.exports_too_many")
	// Missing: there is no such copy, or it is somebody else's.
	Missing = fault.Declare(fault.NotFound, "privacy.export_missing")
	// NotReady: the copy is not ready yet, or it failed.
	NotReady = fault.Declare(fault.Conflict, "privacy.export_not_ready")
	// Broken: the copy could not be prepared within a day.
	Broken = fault.Declare(fault.Broken, "privacy.export_failed")
	// Gone: the copy was deleted when its time was over.
	Gone = fault.Declare(fault.Gone, "privacy.export_gone")
)

// States of a copy.
const (
	Waiting = "waiting"
	Running = "running"
	Ready   = "ready"
	Failed  = "failed"
	Over    = "gone"
)

// Copy is one copy of everything about a person.
type Copy struct {
	ID          string
	Person      campus.PersonID
	State       string
	AskedAt     time.Time
	Done, Total int    // rooms
	Room        string // at which it is
	Size        int64  // bytes
	ReadyAt     time.Time
	ExpiresAt   time.Time
	FetchedAt   time.Time
	Fetches     int
	Reason      string // code of why it failed

	ref files.Ref
}

// UnderWay reports whether the copy is still being prepared.
func (c Copy) UnderWay() bool { return c.State == Waiting || c.State == Running }

func copyOf(r sqlgen.PrivacyExport) Copy {
	return Copy{
		ID: r.ID, Person: campus.PersonID(r.PersonID), State: r.State, AskedAt: r.AskedAt.Time(), Done: int(r.Done), Total: int(r.Total), Room: r.Room,
		Size: r.Size, ReadyAt: r.ReadyAt.Time(), ExpiresAt: r.ExpiresAt.Time(), FetchedAt: r.FetchedAt.Time(), Fetches: int(r.Fetches), Reason: r.Reason,
		ref: files.Ref(r.FileRef),
	}
}

// Ask asks for a copy.
func (a *Archives) Ask(ctx context.Context, who campus.PersonID) (string, error) {
	total := len(a.holders())
	var export string
	err := a.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if n, err := q.UnderWay(ctx, string(who)); err != nil {
			return fmt.Errorf("look for a copy under way: %w", err)
		} else if n > 0 {
			return UnderWay
		}
		n, err := q.CountExports(ctx, sqlgen.CountExportsParams{PersonID: string(who), AskedAt: tx.Now().Add(-24 * time.Hour)})
		if err != nil {
			return fmt.Errorf("count the copies of a day: %w", err)
		}
		if int(n) >= a.PerDay {
			return TooMany.With(fault.Args{"most": a.PerDay})
		}
		export = id.New()
		added, err := q.AddExport(ctx, sqlgen.AddExportParams{ID: export, PersonID: string(who), AskedAt: tx.Now(), Total: int64(total)})
		if err != nil {
			return fmt.Errorf("ask for a copy: %w", err)
		}
		if added == 0 { // asked for twice in the same moment
			return UnderWay
		}
		return jobs.Enqueue(ctx, tx, Prepare{Export: export}, jobs.UniqueKey(export))
	})
	return export, err
}

// listed is how many copies a page shows.
const listed = 20

// Of are the copies of somebody, newest first.
func (a *Archives) Of(ctx context.Context, who campus.PersonID) ([]Copy, error) {
	rows, err := sqlgen.New(a.DB.Read()).ExportsOf(ctx, sqlgen.ExportsOfParams{PersonID: string(who), Size: listed})
	if err != nil {
		return nil, fmt.Errorf("list the copies of a person: %w", err)
	}
	list := make([]Copy, len(rows))
	for i, r := range rows {
		list[i] = copyOf(r)
	}
	return list, nil
}

// own is one copy of the person who asks; another's is answered as none.
func (a *Archives) own(ctx context.Context, who campus.PersonID, export string) (Copy, error) {
	row, err := sqlgen.New(a.DB.Read()).Export(ctx, export)
	if errors.Is(err, sql.ErrNoRows) || err == nil && row.PersonID != string(who) {
		return Copy{}, Missing
	}
	if err != nil {
		return Copy{}, fmt.Errorf("read about a copy: %w", err)
	}
	return copyOf(row), nil
}

// Fetch counts a download by the owner, and answers where the file is.
func (a *Archives) Fetch(ctx context.Context, who campus.PersonID, export string) (files.Ref, error) {
	c, err := a.own(ctx, who, export)
	if err != nil {
		return "", err
	}
	switch {
	case c.State == Over, c.State == Ready && !c.ExpiresAt.After(a.Clock.Now()):
		return "", Gone
	case c.State != Ready:
		return "", NotReady
	}
	err = a.DB.InTx(ctx, func(tx db.Tx) error {
		return sqlgen.New(tx).CountFetch(ctx, sqlgen.CountFetchParams{ID: export, FetchedAt: tx.Now()})
	})
	if err != nil {
		return "", fmt.Errorf("count a download: %w", err)
	}
	return c.ref, nil
}

// Drop deletes a copy at the wish of its owner.
func (a *Archives) Drop(ctx context.Context, who campus.PersonID, export string) error {
	c, err := a.own(ctx, who, export)
	if err != nil {
		return err
	}
	if c.State != Ready {
		return Gone
	}
	return a.drop(ctx, c, "privacy.export_dropped")
}

// drop deletes the file before the line that names it: cut short in between, it is
// done again.
func (a *Archives) drop(ctx context.Context, c Copy, reason string) error {
	if err := a.Files.Delete(ctx, c.ref); err != nil {
		return err
	}
	return a.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).DropExport(ctx, sqlgen.DropExportParams{ID: c.ID, Reason: reason})
		return err
	})
}

// DropAll deletes the files of somebody who is being erased, and returns how many
// there were.
func (a *Archives) DropAll(ctx context.Context, who campus.PersonID) (int64, error) {
	rows, err := sqlgen.New(a.DB.Read()).FilesOf(ctx, string(who))
	if err != nil {
		return 0, fmt.Errorf("list the files of a person: %w", err)
	}
	for _, r := range rows {
		if err := a.drop(ctx, Copy{ID: r.ID, ref: files.Ref(r.FileRef)}, "privacy.export_dropped"); err != nil {
			return 0, err
		}
	}
	return int64(len(rows)), nil
}

// holder is a room that holds personal data.
type holder struct {
	name string
	room contract.PersonalData
}

func (a *Archives) holders() []holder {
	var list []holder
	for _, room := range a.Rooms() {
		if h, ok := room.(contract.PersonalData); ok {
			list = append(list, holder{room.Name(), h})
		}
	}
	return list
}
