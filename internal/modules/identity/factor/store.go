package factor

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// storedFactor is a factor with what only this package sees.
type storedFactor struct {
	Factor
	secret         string // sealed
	lastStep, late int64
	point          string
	credential     string // base64url
	record         string // sealed
}

// stored lists every factor of somebody, allowed or not, the oldest first.
func (f *Factors) stored(ctx context.Context, from db.Querier, who campus.PersonID) ([]storedFactor, error) {
	rows, err := sqlgen.New(from).FactorsOf(ctx, string(who))
	if err != nil {
		return nil, fmt.Errorf("list factors: %w", err)
	}
	list := make([]storedFactor, len(rows))
	for i, row := range rows {
		list[i] = storedFactor{
			Factor: Factor{
				ID: row.ID, Kind: entry.Method(row.Kind), Label: row.Label, AddedAt: row.AddedAt.Time(),
				LastUsedAt: row.LastUsedAt.Time(), SuspendedAt: row.SuspendedAt.Time(),
				Late: time.Duration(row.LateSteps) * step, Passkey: row.Discoverable, BackedUp: row.BackedUp,
			},
			secret: row.Secret, lastStep: row.LastStep, late: row.LateSteps, point: row.Point, credential: row.CredentialID, record: row.Record,
		}
	}
	return list, nil
}

// place fills in where the codes of a phone or address go, and whether they may.
// When the record gave another number, that one takes over once its delay is
// over: until then the old one still counts.
func (s *storedFactor) place(points []reach.Point, now time.Time) {
	p, ok := placeOf(points, s.point, now)
	if !ok {
		s.Gone = true
		return
	}
	s.Point = p.Masked
	if p.Waiting(now) {
		s.UsableAt = p.UsableAt
	}
}

// placeOf finds the point that a factor's codes go to: its own while that counts,
// then the one that replaced it.
func placeOf(points []reach.Point, id string, now time.Time) (found reach.Point, ok bool) {
	for _, p := range points {
		counts := p.Usable(now) || p.Waiting(now)
		switch {
		case counts && p.ID == id:
			return p, true
		case counts && p.Replaces == id && !ok:
			found, ok = p, true
		}
	}
	return found, ok
}

// one finds a factor of the actor that is of one of the kinds and may be used.
func (f *Factors) one(ctx context.Context, who campus.PersonID, id string, kinds ...entry.Method) (storedFactor, error) {
	list, err := f.stored(ctx, f.DB.Read(), who)
	if err != nil {
		return storedFactor{}, err
	}
	for _, s := range list {
		for _, k := range kinds {
			if s.ID == id && s.Kind == k && f.works(k) {
				return s, nil
			}
		}
	}
	return storedFactor{}, Missing
}
