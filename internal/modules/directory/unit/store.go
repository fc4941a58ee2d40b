package unit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/stamp"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

var (
	// Circle: a unit was put below one that is itself below it.
	Circle = fault.Declare(fault.Invalid, "directory.unit_circle")
	// Nameless: a unit came without code or without a name.
	Nameless = fault.Declare(fault.Invalid, "directory.unit_nameless")
	// Missing: no unit has this code.
	Missing = fault.Declare(fault.NotFound, "directory.unit_missing")
	// Owned: another source speaks of the unit.
	Owned = fault.Declare(fault.Conflict, "directory.unit_owned")
)

// deepest bounds how far up a parent is looked for: no institution is that deep.
const deepest = 50

// Put adds a unit or makes it what u says. A unit may come before its parent.
func Put(ctx context.Context, tx db.Tx, u Unit, source string) error {
	u = u.tidy()
	if u.Code == "" || u.NameFrench == "" && u.NameEnglish == "" {
		return Nameless.With(fault.Args{"code": u.Code})
	}
	q := sqlgen.New(tx)
	for above, steps := u.Parent, 0; above != ""; steps++ {
		if above == u.Code || steps > deepest {
			return Circle.With(fault.Args{"code": u.Code, "parent": u.Parent})
		}
		next, err := q.ParentOf(ctx, above)
		if errors.Is(err, sql.ErrNoRows) {
			break
		}
		if err != nil {
			return fmt.Errorf("read what is above %s: %w", above, err)
		}
		above = next
	}
	err := q.PutUnit(ctx, sqlgen.PutUnitParams{
		Code: u.Code, Parent: u.Parent, Kind: string(u.Kind), NameFrench: u.NameFrench, NameEnglish: u.NameEnglish,
		AboutFrench: u.AboutFrench, AboutEnglish: u.AboutEnglish, Keywords: strings.Join(u.Keywords, "\n"), Head: string(u.Head),
		Phone: u.Phone, Mail: u.Mail, Campus: u.Campus, Place: u.Place, HoursFrench: u.HoursFrench, HoursEnglish: u.HoursEnglish, Source: source, ChangedAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("keep unit %s: %w", u.Code, err)
	}
	return stamp.Subject(ctx, tx, stamp.Units)
}

// Remove takes a unit out of the chart. What was below it stands below the unit
// above it. One that is not there is fine.
func Remove(ctx context.Context, tx db.Tx, code string) error {
	q := sqlgen.New(tx)
	above, err := q.ParentOf(ctx, code)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read what is above %s: %w", code, err)
	}
	if err := q.LiftUnits(ctx, sqlgen.LiftUnitsParams{Above: above, ChangedAt: tx.Now(), Code: code}); err != nil {
		return fmt.Errorf("lift what is below %s: %w", code, err)
	}
	if _, err := q.RemoveUnit(ctx, code); err != nil {
		return fmt.Errorf("remove unit %s: %w", code, err)
	}
	return stamp.Subject(ctx, tx, stamp.Units)
}

// Said reads the whole chart as the sources say it.
func Said(ctx context.Context, q db.Querier) (Tree, error) {
	rows, err := sqlgen.New(q).AllUnits(ctx)
	if err != nil {
		return Tree{}, fmt.Errorf("read the units: %w", err)
	}
	units := make([]Unit, len(rows))
	for i, r := range rows {
		units[i] = Unit{
			Code: r.Code, Parent: r.Parent, Kind: Kind(r.Kind), NameFrench: r.NameFrench, NameEnglish: r.NameEnglish,
			AboutFrench: r.AboutFrench, AboutEnglish: r.AboutEnglish, Keywords: lines(r.Keywords), Head: campus.PersonID(r.Head),
			Phone: r.Phone, Mail: r.Mail, Campus: r.Campus, Place: r.Place, HoursFrench: r.HoursFrench, HoursEnglish: r.HoursEnglish,
		}
	}
	return Grow(units), nil
}

// SourceOf is who a unit came from; "" for one that is not there.
func SourceOf(ctx context.Context, q db.Querier, code string) (source string, err error) {
	err = q.QueryRowContext(ctx, "SELECT source FROM directory_units WHERE code = $1", code).Scan(&source)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read where unit %s comes from: %w", code, err)
	}
	return source, nil
}

// tidy cleans what came from elsewhere.
func (u Unit) tidy() Unit {
	for _, text := range []*string{&u.Code, &u.Parent, &u.NameFrench, &u.NameEnglish, &u.AboutFrench, &u.AboutEnglish, &u.Phone, &u.Mail, &u.Campus, &u.Place, &u.HoursFrench, &u.HoursEnglish} {
		*text = campus.OneLine(*text)
	}
	var words []string
	for _, w := range u.Keywords {
		if w = campus.OneLine(w); w != "" {
			words = append(words, w)
		}
	}
	u.Keywords = words
	if !u.Kind.Valid() {
		u.Kind = Other
	}
	return u
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
