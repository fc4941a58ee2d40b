package reach

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// rows are every row of somebody that counts for anything now, oldest first.
func rows(ctx context.Context, q db.Querier, who campus.PersonID, now db.Time) ([]sqlgen.IdentityPoint, error) {
	all, err := allRows(ctx, q, who)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(r sqlgen.IdentityPoint) bool { return !live(r, now) }), nil
}

// allRows are the rows of somebody, those that are over among them.
func allRows(ctx context.Context, q db.Querier, who campus.PersonID) ([]sqlgen.IdentityPoint, error) {
	all, err := sqlgen.New(q).PointsOf(ctx, string(who))
	if err != nil {
		return nil, fmt.Errorf("read ways to reach somebody: %w", err)
	}
	return all, nil
}

// Points lists the live points of somebody, the institutional address first.
// The error is identity.person_missing for nobody.
func (x *Reach) Points(ctx context.Context, who campus.PersonID) ([]Point, error) {
	p, err := x.People.PersonByID(ctx, who)
	if err != nil {
		return nil, err
	}
	return x.pointsAt(ctx, x.DB.Read(), p, db.At(x.Clock.Now()))
}

// pointsOf is Points inside a transaction.
func (x *Reach) pointsOf(ctx context.Context, tx db.Tx, p account.Person) ([]Point, error) {
	return x.pointsAt(ctx, tx, p, tx.Now())
}

func (x *Reach) pointsAt(ctx context.Context, q db.Querier, p account.Person, now db.Time) ([]Point, error) {
	list := []Point{mailPoint(p)}
	found, err := rows(ctx, q, p.ID, now)
	if err != nil {
		return nil, err
	}
	for _, r := range found {
		list = append(list, pointOf(r))
	}
	return list, nil
}

// point is one live point of somebody, or [Missing]: other people's points are
// missing too.
func (x *Reach) point(ctx context.Context, who campus.PersonID, pointID string) (Point, error) {
	return find(ctx, x.DB.Read(), who, pointID, db.At(x.Clock.Now()))
}

func find(ctx context.Context, q db.Querier, who campus.PersonID, pointID string, now db.Time) (Point, error) {
	found, err := rows(ctx, q, who, now)
	if err != nil {
		return Point{}, err
	}
	for _, r := range found {
		if r.ID == pointID {
			return pointOf(r), nil
		}
	}
	return Point{}, Missing
}

// Reminder reports whether somebody should be asked if their number and
// addresses are still theirs: one of them counts, and for longer than
// [Config.RemindAfter] nobody has said so.
func (x *Reach) Reminder(ctx context.Context, who campus.PersonID, now time.Time) (bool, error) {
	if x.config.RemindAfter == 0 {
		return false, nil
	}
	found, err := rows(ctx, x.DB.Read(), who, db.At(now))
	if err != nil {
		return false, err
	}
	for _, r := range found {
		last := max(r.CreatedAt, r.ConfirmedAt)
		if pointOf(r).Usable(now) && now.Sub(last.Time()) >= x.config.RemindAfter {
			return true, nil
		}
	}
	return false, nil
}
