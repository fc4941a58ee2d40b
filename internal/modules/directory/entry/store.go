package entry

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/directory/stamp"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// atOnce bounds the list of one statement.
const atOnce = 500

// Put keeps what a source says about somebody. The photo that it replaces is
// deleted after the transaction.
func Put(ctx context.Context, tx db.Tx, who campus.PersonID, p Profile, source string) error {
	p = p.tidy()
	before, err := Profiles(ctx, tx, []campus.PersonID{who})
	if err != nil {
		return err
	}
	err = sqlgen.New(tx).PutEntry(ctx, sqlgen.PutEntryParams{
		PersonID: string(who), Unlisted: p.Unlisted, Phones: list(p.Phones), Office: p.Office, Building: p.Building, Campus: p.Campus, Hours: p.Hours,
		Functions: list(p.Functions), ReplacedBy: string(p.ReplacedBy), Manager: string(p.Manager), Photo: string(p.Photo), Source: source, ChangedAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("keep the entry of %s: %w", who, err)
	}
	if old := before[who].Photo; old != "" && old != p.Photo {
		if err := jobs.Enqueue(ctx, tx, dropPhoto{Ref: string(old)}); err != nil {
			return err
		}
	}
	return stamp.Person(ctx, tx, who)
}

// Drop forgets what sources said about somebody and what they chose, photos
// included.
func Drop(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	profiles, err := Profiles(ctx, tx, []campus.PersonID{who})
	if err != nil {
		return err
	}
	chosen, err := ChoicesOf(ctx, tx, who)
	if err != nil {
		return err
	}
	for _, photo := range []files.Ref{profiles[who].Photo, chosen.Photo} {
		if photo == "" {
			continue
		}
		if err := jobs.Enqueue(ctx, tx, dropPhoto{Ref: string(photo)}); err != nil {
			return err
		}
	}
	q := sqlgen.New(tx)
	if err := errors.Join(q.DropEntry(ctx, string(who)), q.DropChoices(ctx, string(who))); err != nil {
		return fmt.Errorf("drop the entry of %s: %w", who, err)
	}
	return stamp.Person(ctx, tx, who)
}

// Profiles reads what the sources say about many people; those without an entry are
// left out.
func Profiles(ctx context.Context, q db.Querier, ids []campus.PersonID) (map[campus.PersonID]Profile, error) {
	found := make(map[campus.PersonID]Profile, len(ids))
	for some := range slices.Chunk(ids, atOnce) {
		args := make([]any, len(some))
		for i, id := range some {
			args[i] = string(id)
		}
		err := db.Each(ctx, q, `SELECT person_id, unlisted, phones, office, building, campus, hours, functions, replaced_by, manager, photo
			FROM directory_entries WHERE person_id IN `+db.In(len(args), 1), args, func(rows *sql.Rows) error {
			var p Profile
			var who, phones, functions string
			if err := rows.Scan(&who, &p.Unlisted, &phones, &p.Office, &p.Building, &p.Campus, &p.Hours, &functions, &p.ReplacedBy, &p.Manager, &p.Photo); err != nil {
				return err
			}
			if err := errors.Join(read(phones, &p.Phones), read(functions, &p.Functions)); err != nil {
				return err
			}
			found[campus.PersonID(who)] = p
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read entries: %w", err)
		}
	}
	return found, nil
}

// list is how several values stand in one column; none is an empty text.
func list[T any](values []T) string {
	if len(values) == 0 {
		return ""
	}
	text, err := json.Marshal(values)
	if err != nil {
		panic(fmt.Sprintf("write %T: %v", values, err)) // plain structs of strings are always writable
	}
	return string(text)
}

func read[T any](text string, into *T) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), into)
}
