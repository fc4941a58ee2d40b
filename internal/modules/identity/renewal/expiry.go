package renewal

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// warnAhead are the days before the end of a password at which its owner is
// told, the nearest first.
var warnAhead = []int64{1, 7, 14}

const day = 24 * time.Hour

// warn writes to those whose password ends soon. Each of the days ahead is told
// once; somebody who was away for one is told of the next.
func (x *Renewal) warn(ctx context.Context) error {
	if x.config.MaxAge == 0 {
		return nil
	}
	now := db.At(x.Clock.Now())
	longest := time.Duration(warnAhead[len(warnAhead)-1]) * day
	page := sqlgen.ExpiringParams{AfterAt: now.Add(-x.config.MaxAge), UntilAt: now.Add(longest - x.config.MaxAge)}
	for {
		rows, err := sqlgen.New(x.DB.Read()).Expiring(ctx, page)
		if err != nil {
			return fmt.Errorf("find the passwords that end: %w", err)
		}
		for _, row := range rows {
			ends := row.ChangedAt.Add(x.config.MaxAge)
			if stage := stageOf(ends.Sub(now)); stage > 0 && (row.WarnedFor == 0 || stage < row.WarnedFor) {
				if err := x.warnOne(ctx, campus.PersonID(row.PersonID), ends, stage); err != nil {
					return err
				}
			}
			page.AfterPerson = row.PersonID
		}
		if len(rows) == 0 {
			return nil
		}
	}
}

// stageOf is the warning that is due so long before the end, 0 for none yet.
func stageOf(left time.Duration) int64 {
	for _, days := range warnAhead {
		if left <= time.Duration(days)*day {
			return days
		}
	}
	return 0
}

func (x *Renewal) warnOne(ctx context.Context, who campus.PersonID, ends db.Time, stage int64) error {
	person, err := x.People.PersonByID(ctx, who)
	if err != nil {
		return err
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		err := sqlgen.New(tx).NoteWarning(ctx, sqlgen.NoteWarningParams{PersonID: string(who), SinceAt: tx.Now(), WarnedFor: stage})
		if err != nil {
			return fmt.Errorf("note the warning: %w", err)
		}
		return x.Contacts.Tell(ctx, tx, person, reach.Letter{Kind: "password_ends", Args: []any{"at", ends.Time()}, URL: "/identity/password"})
	})
}
