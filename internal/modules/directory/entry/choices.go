package entry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/directory/stamp"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Choices are what somebody decided about their own entry.
type Choices struct {
	// Audiences are those that the person chose, by field.
	Audiences map[Field]Audience
	Hours     string    // replaces that of the sources
	Photo     files.Ref // uploaded; replaces that of the sources
	// ConsentAt is when the person agreed to a photo being shown; zero without it.
	ConsentAt time.Time
}

// ChoicesOf reads somebody's choices; who made none has the zero Choices.
func ChoicesOf(ctx context.Context, q db.Querier, who campus.PersonID) (Choices, error) {
	row, err := sqlgen.New(q).Choices(ctx, string(who))
	if errors.Is(err, sql.ErrNoRows) {
		return Choices{}, nil
	}
	if err != nil {
		return Choices{}, fmt.Errorf("read the choices of %s: %w", who, err)
	}
	c := Choices{Hours: row.Hours, Photo: files.Ref(row.Photo), ConsentAt: row.ConsentAt.Time()}
	if err := read(row.Audiences, &c.Audiences); err != nil {
		return Choices{}, fmt.Errorf("read the choices of %s: %w", who, err)
	}
	return c, nil
}

// ManyChoices reads the choices of many people; those who made none are left out.
func ManyChoices(ctx context.Context, q db.Querier, ids []campus.PersonID) (map[campus.PersonID]Choices, error) {
	found := map[campus.PersonID]Choices{}
	for some := range slices.Chunk(ids, atOnce) {
		args := make([]any, len(some))
		for i, id := range some {
			args[i] = string(id)
		}
		err := db.Each(ctx, q, "SELECT person_id, audiences, hours, photo, consent_at FROM directory_choices WHERE person_id IN "+db.In(len(args), 1), args, func(rows *sql.Rows) error {
			var c Choices
			var who, audiences string
			var consent db.Time
			if err := rows.Scan(&who, &audiences, &c.Hours, &c.Photo, &consent); err != nil {
				return err
			}
			c.ConsentAt = consent.Time()
			err := read(audiences, &c.Audiences)
			found[campus.PersonID(who)] = c
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read choices: %w", err)
		}
	}
	return found, nil
}

// Choose keeps somebody's choices. A photo that they give up is deleted after the
// transaction.
func Choose(ctx context.Context, tx db.Tx, who campus.PersonID, c Choices) error {
	before, err := ChoicesOf(ctx, tx, who)
	if err != nil {
		return err
	}
	err = sqlgen.New(tx).PutChoices(ctx, sqlgen.PutChoicesParams{
		PersonID: string(who), Audiences: object(c.Audiences), Hours: clean(c.Hours), Photo: string(c.Photo), ConsentAt: db.At(c.ConsentAt), ChangedAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("keep the choices of %s: %w", who, err)
	}
	if before.Photo != "" && before.Photo != c.Photo {
		if err := jobs.Enqueue(ctx, tx, dropPhoto{Ref: string(before.Photo)}); err != nil {
			return err
		}
	}
	return stamp.Person(ctx, tx, who)
}
