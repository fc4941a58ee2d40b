package push

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/push/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Resource is something that a program pushed, as it sent it.
type Resource struct {
	Kind       source.Kind
	ID         string          // the key of its record
	ExternalID string          // what the program calls it
	Name       string          // the user name of a person, in lower case; once in a source
	Body       []byte          // JSON
	Person     campus.PersonID // who it turned out to be; empty for groups, and while a question waits
	Version    int64           // from 1
	MadeAt     time.Time
	ChangedAt  time.Time
}

func resourceOf(row sqlgen.DirectoryPushed) Resource {
	return Resource{
		Kind: source.Kind(row.Kind), ID: row.ID, ExternalID: row.ExternalID, Name: row.Name, Body: []byte(row.Body), Person: campus.PersonID(row.PersonID), Version: row.Version,
		MadeAt: row.MadeAt.Time(), ChangedAt: row.ChangedAt.Time(),
	}
}

// Get is the resource of an identifier, or [ResourceMissing].
func (d *Door) Get(ctx context.Context, src string, k source.Kind, id string) (Resource, error) {
	row, err := sqlgen.New(d.DB.Read()).Pushed(ctx, sqlgen.PushedParams{Source: src, Kind: string(k), ID: id})
	if errors.Is(err, sql.ErrNoRows) {
		return Resource{}, ResourceMissing.With(fault.Args{"id": id})
	}
	if err != nil {
		return Resource{}, fmt.Errorf("read what was pushed: %w", err)
	}
	return resourceOf(row), nil
}

// ByName are the resources of a user name: one at most for people.
func (d *Door) ByName(ctx context.Context, src string, k source.Kind, name string) ([]Resource, error) {
	rows, err := sqlgen.New(d.DB.Read()).PushedByName(ctx, sqlgen.PushedByNameParams{Source: src, Kind: string(k), Name: name})
	return resourcesOf(rows, err)
}

// ByExternalID are the resources that the program calls so.
func (d *Door) ByExternalID(ctx context.Context, src string, k source.Kind, id string) ([]Resource, error) {
	rows, err := sqlgen.New(d.DB.Read()).PushedByExternal(ctx, sqlgen.PushedByExternalParams{Source: src, Kind: string(k), ExternalID: id})
	return resourcesOf(rows, err)
}

// After lists resources in the order of their identifiers, from the one after.
func (d *Door) After(ctx context.Context, src string, k source.Kind, after string, most int) ([]Resource, error) {
	rows, err := sqlgen.New(d.DB.Read()).PushedAfter(ctx, sqlgen.PushedAfterParams{Source: src, Kind: string(k), After: after, Most: int32(most)})
	return resourcesOf(rows, err)
}

// From lists resources in the order of their identifiers, without the first skip.
func (d *Door) From(ctx context.Context, src string, k source.Kind, skip, most int) ([]Resource, error) {
	rows, err := sqlgen.New(d.DB.Read()).PushedFrom(ctx, sqlgen.PushedFromParams{Source: src, Kind: string(k), Skip: int32(skip), Most: int32(most)})
	return resourcesOf(rows, err)
}

func resourcesOf(rows []sqlgen.DirectoryPushed, err error) ([]Resource, error) {
	if err != nil {
		return nil, fmt.Errorf("list what was pushed: %w", err)
	}
	list := make([]Resource, len(rows))
	for i, row := range rows {
		list[i] = resourceOf(row)
	}
	return list, nil
}

// Count is how many resources of a kind a source has.
func (d *Door) Count(ctx context.Context, src string, k source.Kind) (int, error) {
	n, err := sqlgen.New(d.DB.Read()).CountPushed(ctx, sqlgen.CountPushedParams{Source: src, Kind: string(k)})
	if err != nil {
		return 0, fmt.Errorf("count what was pushed: %w", err)
	}
	return int(n), nil
}

// Change is what a program wants of a resource: old is what there is, nil when there is
// nothing. It may be asked more than once.
type Change func(old *Resource) (Resource, error)

// mostTries is how often a change is begun anew because another one came between.
const mostTries = 5

// Put changes a resource and hands its record to the engine. When the engine takes it not
// at all, the resource is as it was before, and the error is the engine's. A record that
// waits for somebody's decision is taken: the program has done its part.
func (d *Door) Put(ctx context.Context, src string, k source.Kind, id string, change Change, record func(Resource) source.Record) (Resource, register.Pushed, error) {
	for range mostTries {
		old, err := d.old(ctx, src, k, id)
		if err != nil {
			return Resource{}, register.Pushed{}, err
		}
		fresh, err := change(old)
		if err != nil {
			return Resource{}, register.Pushed{}, err
		}
		fresh.Kind, fresh.ID = k, id
		stored, err := d.keep(ctx, src, old, &fresh)
		if err != nil {
			return Resource{}, register.Pushed{}, err
		}
		if !stored {
			continue
		}
		pushed, err := d.hand(ctx, src, fresh, record)
		if err != nil {
			return Resource{}, pushed, errors.Join(err, d.putBack(ctx, src, old, fresh))
		}
		if err := d.name(ctx, src, &fresh, pushed.Person); err != nil {
			return Resource{}, pushed, err
		}
		return fresh, pushed, nil
	}
	return Resource{}, register.Pushed{}, TooBusy
}

func (d *Door) old(ctx context.Context, src string, k source.Kind, id string) (*Resource, error) {
	old, err := d.Get(ctx, src, k, id)
	if errors.Is(err, ResourceMissing) {
		return nil, nil
	}
	return &old, err
}

// keep writes a resource where old stood; not when something else stands there by now.
func (d *Door) keep(ctx context.Context, src string, old, fresh *Resource) (stored bool, err error) {
	err = d.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		fresh.ChangedAt = tx.Now().Time()
		if old == nil {
			fresh.Version, fresh.MadeAt = 1, fresh.ChangedAt
			stored = true
			return q.AddPushed(ctx, sqlgen.AddPushedParams{
				Source: src, Kind: string(fresh.Kind), ID: fresh.ID, ExternalID: fresh.ExternalID, Name: fresh.Name, Body: string(fresh.Body), PersonID: string(fresh.Person),
				Version: 1, MadeAt: tx.Now(), ChangedAt: tx.Now(),
			})
		}
		fresh.Version, fresh.MadeAt, fresh.Person = old.Version+1, old.MadeAt, old.Person
		n, err := q.ChangePushed(ctx, sqlgen.ChangePushedParams{
			Source: src, Kind: string(fresh.Kind), ID: fresh.ID, ExternalID: fresh.ExternalID, Name: fresh.Name, Body: string(fresh.Body),
			Version: fresh.Version, OldVersion: old.Version, ChangedAt: tx.Now(),
		})
		stored = n == 1
		return err
	})
	switch {
	case db.IsUnique(err) && fresh.Name != "":
		same, err := d.ByName(ctx, src, fresh.Kind, fresh.Name)
		if err != nil {
			return false, err
		}
		if len(same) > 0 && same[0].ID != fresh.ID {
			return false, NameTaken.With(fault.Args{"name": fault.Private(fresh.Name), "id": same[0].ID})
		}
		return false, nil // somebody made it a moment ago
	case db.IsUnique(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("keep what was pushed: %w", err)
	}
	return stored, nil
}

// hand gives the record to the engine, and once more when the resource was changed
// meanwhile: the engine is to end with what was kept last.
func (d *Door) hand(ctx context.Context, src string, r Resource, record func(Resource) source.Record) (register.Pushed, error) {
	for range mostTries {
		results, err := d.Engine.Push(ctx, src, []source.Record{record(r)})
		if err != nil {
			return register.Pushed{}, err
		}
		result := results[0]
		if result.Err != nil && fault.Of(result.Err).Reason.Kind() != fault.Conflict {
			return result, result.Err
		}
		now, err := d.Get(ctx, src, r.Kind, r.ID)
		if errors.Is(err, ResourceMissing) || err == nil && now.Version == r.Version {
			return result, nil
		}
		if err != nil {
			return result, err
		}
		r = now
	}
	return register.Pushed{}, TooBusy
}

// name notes who a resource turned out to be.
func (d *Door) name(ctx context.Context, src string, r *Resource, who campus.PersonID) error {
	if who == "" || who == r.Person {
		return nil
	}
	r.Person = who
	err := d.DB.InTx(ctx, func(tx db.Tx) error {
		return sqlgen.New(tx).NamePushed(ctx, sqlgen.NamePushedParams{Source: src, Kind: string(r.Kind), ID: r.ID, PersonID: string(who)})
	})
	if err != nil {
		return fmt.Errorf("note who was pushed: %w", err)
	}
	return nil
}

// putBack undoes a change that the engine did not take.
func (d *Door) putBack(ctx context.Context, src string, old *Resource, fresh Resource) error {
	if old == nil {
		return d.drop(ctx, src, fresh.Kind, fresh.ID)
	}
	back := *old
	_, err := d.keep(ctx, src, &fresh, &back) // unless somebody changed it again
	return err
}

func (d *Door) drop(ctx context.Context, src string, k source.Kind, id string) error {
	err := d.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).DropPushed(ctx, sqlgen.DropPushedParams{Source: src, Kind: string(k), ID: id})
		return err
	})
	if err != nil {
		return fmt.Errorf("drop what was pushed: %w", err)
	}
	return nil
}

// Remove says that the source has a resource no longer. Allowed may refuse, by what it
// sees.
func (d *Door) Remove(ctx context.Context, src string, k source.Kind, id string, allowed func(Resource) error) error {
	r, err := d.Get(ctx, src, k, id)
	if err != nil {
		return err
	}
	if err := allowed(r); err != nil {
		return err
	}
	results, err := d.Engine.Push(ctx, src, []source.Record{{Kind: k, Key: id, Where: id, Gone: true}})
	if err != nil {
		return err
	}
	if err := results[0].Err; err != nil && fault.Of(err).Reason.Kind() != fault.Conflict {
		return err
	}
	return d.drop(ctx, src, k, id)
}
