package factor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Requirement says whether a sign-in needs a second factor, and why.
type Requirement struct {
	// Needed: prove a factor now.
	Needed bool
	// Enrol: the person has none and must register one; until Until they may
	// still put it off.
	Enrol bool
	// Why is the key of a sentence, such as "identity.factor.why.staff",
	// "identity.factor.why.service" with {service}, "identity.factor.why.outside"
	// or "identity.factor.why.own" for who registered one of their own accord.
	Why   string
	Until time.Time
}

// PutOff reports whether somebody who must register a factor may do it another day.
func (r Requirement) PutOff(now time.Time) bool { return r.Enrol && now.Before(r.Until) }

const why = "identity.factor.why."

// Obliged says why the policy wants a factor of somebody wherever they are, as
// the key of a sentence, or "" when it does not.
func (f *Factors) Obliged(p account.Person) string {
	for _, r := range f.config.RequiredRights {
		if slices.Contains(p.Rights, r) {
			return why + string(r)
		}
	}
	for _, k := range f.config.RequiredKinds {
		if p.Viewer().Is(k) {
			return why + string(k)
		}
	}
	return ""
}

// wanted is why this sign-in wants a factor.
func (f *Factors) wanted(p account.Person, from netip.Addr, service string) string {
	if obliged := f.Obliged(p); obliged != "" {
		return obliged
	}
	switch {
	case service != "" && slices.Contains(f.config.RequiredServices, service):
		return why + "service"
	case f.config.RequiredOutside && !f.config.within(from):
		return why + "outside"
	default:
		return ""
	}
}

// Has reports whether somebody registered a factor, whether or not it works now:
// one that is stopped or out of order is still asked for.
func (f *Factors) Has(ctx context.Context, who campus.PersonID) (bool, error) {
	n, err := sqlgen.New(f.DB.Read()).CountFactors(ctx, string(who))
	if err != nil {
		return false, fmt.Errorf("count factors: %w", err)
	}
	return n > 0, nil
}

// Required says what a sign-in of somebody from an address to a service needs.
// service is the one that [Config.RequiredServices] names, "" for the portal.
//
// Somebody who has a factor is always asked for it: it is what they registered it
// for, and a stolen password must not be able to choose. That holds for a factor
// that is suspended, out of order or no longer allowed as well: what fails is
// mended by another way in, never by asking for less.
//
// The first time that a factor is required of somebody starts their grace.
func (f *Factors) Required(ctx context.Context, p account.Person, from netip.Addr, service string) (Requirement, error) {
	return f.required(ctx, p, from, service, f.beginGrace)
}

// Foreseen is what [Factors.Required] would say of a sign-in at an instant. It
// starts nobody's grace.
func (f *Factors) Foreseen(ctx context.Context, p account.Person, from netip.Addr, service string, at time.Time) (Requirement, error) {
	return f.required(ctx, p, from, service, func(context.Context, account.Person) (db.Time, error) { return db.At(at), nil })
}

func (f *Factors) required(ctx context.Context, p account.Person, from netip.Addr, service string,
	begin func(context.Context, account.Person) (db.Time, error)) (Requirement, error) {
	q := sqlgen.New(f.DB.Read())
	has, err := f.Has(ctx, p.ID)
	if err != nil {
		return Requirement{}, err
	}
	wanted := f.wanted(p, from, service)
	if has {
		if wanted == "" {
			wanted = why + "own"
		}
		return Requirement{Needed: true, Why: wanted}, nil
	}
	if wanted == "" {
		return Requirement{}, nil
	}
	began, err := q.GraceOf(ctx, string(p.ID))
	if errors.Is(err, sql.ErrNoRows) {
		began, err = begin(ctx, p)
	}
	if err != nil {
		return Requirement{}, fmt.Errorf("read since when a factor is required: %w", err)
	}
	return Requirement{Enrol: true, Why: wanted, Until: began.Time().Add(f.config.Grace)}, nil
}

func (f *Factors) beginGrace(ctx context.Context, p account.Person) (began db.Time, err error) {
	err = f.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if err := q.BeginGrace(ctx, sqlgen.BeginGraceParams{PersonID: string(p.ID), BeganAt: tx.Now()}); err != nil {
			return err
		}
		began, err = q.GraceOf(ctx, string(p.ID))
		return err
	})
	return began, err
}

// within reports whether an address is one of the campus.
func (c Config) within(from netip.Addr) bool {
	for _, n := range c.Networks {
		if p, err := netip.ParsePrefix(n); err == nil && p.Contains(from.Unmap()) { // Check refused what does not parse
			return true
		}
	}
	return false
}
