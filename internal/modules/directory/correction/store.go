package correction

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/correction/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

func keep(ctx context.Context, tx db.Tx, c Correction) error {
	n, err := sqlgen.New(tx).Ask(ctx, sqlgen.AskParams{
		ID: c.ID, PersonID: string(c.Person), AskedBy: string(c.AskedBy), Field: c.Field, Shown: c.Shown, Wanted: c.Wanted,
		Reviewer: string(c.Reviewer), AskedAt: int64(tx.Now()), Most: mostOpen,
	})
	if err != nil {
		return fmt.Errorf("keep a correction: %w", err)
	}
	if n == 0 {
		return TooMany.With(fault.Args{"most": mostOpen})
	}
	return nil
}

// settle gives a request another state, if it is still in the one before.
func settle(ctx context.Context, tx db.Tx, c Correction, before State) error {
	n, err := sqlgen.New(tx).Settle(ctx, sqlgen.SettleParams{
		ID: c.ID, State: string(c.State), Answer: c.Answer, AnsweredBy: string(c.AnsweredBy), AnsweredAt: tx.Now(),
		WaitsFor: c.WaitsFor, Held: c.Held, Written: c.Written, Before: string(before),
	})
	if err != nil {
		return fmt.Errorf("answer a correction: %w", err)
	}
	if n == 0 {
		return Answered
	}
	return nil
}

func (d *Desk) byID(ctx context.Context, id string) (Correction, error) {
	row, err := sqlgen.New(d.DB.Read()).Correction(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Correction{}, Missing
	}
	if err != nil {
		return Correction{}, fmt.Errorf("read a correction: %w", err)
	}
	return correctionOf(row), nil
}

func correctionOf(row sqlgen.DirectoryCorrection) Correction {
	return Correction{
		ID: row.ID, Person: campus.PersonID(row.PersonID), AskedBy: campus.PersonID(row.AskedBy), Field: row.Field, Shown: row.Shown, Wanted: row.Wanted,
		Reviewer: campus.PersonID(row.Reviewer), State: State(row.State), Answer: row.Answer, AnsweredBy: campus.PersonID(row.AnsweredBy),
		AskedAt: row.AskedAt.Time(), AnsweredAt: row.AnsweredAt.Time(), WaitsFor: row.WaitsFor, Held: row.Held, Written: row.Written,
	}
}

func correctionsOf(rows []sqlgen.DirectoryCorrection, err error) ([]Correction, error) {
	if err != nil {
		return nil, fmt.Errorf("list corrections: %w", err)
	}
	list := make([]Correction, len(rows))
	for i, row := range rows {
		list[i] = correctionOf(row)
	}
	return list, nil
}

// Asked lists what somebody asked for, the latest first.
func (d *Desk) Asked(ctx context.Context, who campus.PersonID) ([]Correction, error) {
	return correctionsOf(sqlgen.New(d.DB.Read()).RequestsOf(ctx, string(who)))
}

// AskedAbout lists what was asked for about somebody, the latest first.
func (d *Desk) AskedAbout(ctx context.Context, who campus.PersonID) ([]Correction, error) {
	return correctionsOf(sqlgen.New(d.DB.Read()).AboutPerson(ctx, string(who)))
}

func (d *Desk) open(ctx context.Context) ([]Correction, error) {
	return correctionsOf(sqlgen.New(d.DB.Read()).OpenCorrections(ctx))
}

func (d *Desk) waiting(ctx context.Context) ([]Correction, error) {
	return correctionsOf(sqlgen.New(d.DB.Read()).WaitingCorrections(ctx))
}

// Kept is how long an answered request is kept.
const Kept = 365 * 24 * time.Hour

// followEvery is how often requests that wait for a source are looked at.
const followEvery = 10 * time.Minute

// Jobs forgets answered requests after their time, and closes those whose source has
// followed.
func (d *Desk) Jobs(r *jobs.Registry) {
	r.Every("directory.forget_corrections", 24*time.Hour, func(ctx context.Context) error {
		return d.DB.InTx(ctx, func(tx db.Tx) error {
			if _, err := sqlgen.New(tx).Forget(ctx, tx.Now().Add(-Kept)); err != nil {
				return fmt.Errorf("forget corrections: %w", err)
			}
			return nil
		})
	})
	r.Every("directory.follow_corrections", followEvery, d.Follow)
}
