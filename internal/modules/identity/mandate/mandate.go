// Package mandate keeps what people may do beyond what their affiliation gives,
// over everybody or over those of a campus, a programme or a unit, and the page on
// which an administrator gives and takes it.
package mandate

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/mandate/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the alcove asks of the room.
type Deps struct {
	DB     *db.DB
	People account.People
	// Journal keeps who gave what to whom.
	Journal Journal
	// Changed tells the house that somebody's rights are others.
	Changed func(ctx context.Context, tx db.Tx, who campus.PersonID) error
	Door    Door
	// Places names campuses and programmes.
	Places place.Names
}

// Journal keeps what happens with accounts; package journal implements it.
type Journal interface {
	Write(ctx context.Context, tx db.Tx, e journal.Event) error
}

// Door asks for a fresh proof before a sensitive act.
type Door interface {
	Confirm(w http.ResponseWriter, r *http.Request) (ok bool, err error)
}

// Mandates is the alcove.
type Mandates struct{ Deps }

// New makes the alcove.
func New(d Deps) *Mandates { return &Mandates{d} }

// Routes lists the addresses of the alcove.
func (x *Mandates) Routes(r *web.Router) {
	admin := web.Needs(campus.RightAdmin)
	r.Handle("GET /identity/rights", x.listPage, admin)
	r.Handle("GET /identity/rights/give", x.givePage, admin)
	r.Handle("POST /identity/rights/give", x.give, admin)
	r.Handle("GET /identity/rights/take", x.takePage, admin)
	r.Handle("POST /identity/rights/take", x.take, admin)
}

// Held is a mandate that somebody holds.
type Held struct {
	campus.Mandate
	Person account.Person // of which the names and the state are filled in
	Since  time.Time
	By     string // name of who gave it; empty for the command line
}

// narrow are the rights that make sense over some people only.
var narrow = []campus.Right{campus.RightSecretariat, campus.RightHelpdesk, campus.RightDirectory}

// check says what is wrong with a mandate to be given.
func check(m campus.Mandate) error {
	if !slices.Contains(campus.Rights, m.Right) {
		return RightForm.With(fault.Args{"right": string(m.Right)})
	}
	if !m.Everywhere() && !slices.Contains(narrow, m.Right) {
		return NeverWithin.With(fault.Args{"right": string(m.Right)})
	}
	for _, code := range []string{m.Campus, m.Programme, m.Unit} {
		if len(code) > 64 || strings.ContainsAny(code, "|;") || strings.TrimSpace(code) != code {
			return ScopeForm.With(fault.Args{"code": code})
		}
	}
	return nil
}

// Give gives somebody a mandate, and does nothing when they hold it already. The
// event says who decided; an empty actor is the command line.
func (x *Mandates) Give(ctx context.Context, tx db.Tx, who campus.PersonID, m campus.Mandate, e journal.Event) error {
	if err := check(m); err != nil {
		return err
	}
	n, err := sqlgen.New(tx).GiveMandate(ctx, sqlgen.GiveMandateParams{
		PersonID: string(who), RightName: string(m.Right), Campus: m.Campus, Programme: m.Programme, Unit: m.Unit, GrantedAt: tx.Now(), GrantedBy: string(e.Actor),
	})
	if err != nil {
		return fmt.Errorf("give %s: %w", m.Right, err)
	}
	if n == 0 {
		return nil
	}
	return x.note(ctx, tx, who, m, e, "identity.right_given")
}

// Take takes a mandate away. It fails with [Missing], and with [LastAdmin] when
// nobody else could administer the installation.
func (x *Mandates) Take(ctx context.Context, tx db.Tx, who campus.PersonID, m campus.Mandate, e journal.Event) error {
	q := sqlgen.New(tx)
	if m.Right == campus.RightAdmin { // two who take it from each other at once must not both find the other
		if _, err := q.HoldRight(ctx, string(m.Right)); err != nil {
			return fmt.Errorf("hold %s: %w", m.Right, err)
		}
	}
	n, err := q.TakeMandate(ctx, sqlgen.TakeMandateParams{PersonID: string(who), RightName: string(m.Right), Campus: m.Campus, Programme: m.Programme, Unit: m.Unit})
	if err != nil {
		return fmt.Errorf("take %s: %w", m.Right, err)
	}
	if n == 0 {
		return Missing.With(fault.Args{"right": string(m.Right)})
	}
	if m.Right == campus.RightAdmin {
		others, err := q.OthersWithRight(ctx, sqlgen.OthersWithRightParams{RightName: string(m.Right), PersonID: string(who)})
		if err != nil {
			return fmt.Errorf("count administrators: %w", err)
		}
		if others == 0 {
			return LastAdmin
		}
	}
	return x.note(ctx, tx, who, m, e, "identity.right_taken")
}

// note writes the journal and tells the house.
func (x *Mandates) note(ctx context.Context, tx db.Tx, who campus.PersonID, m campus.Mandate, e journal.Event, kind string) error {
	e.Person, e.Kind = who, kind
	e.Facts = map[string]string{"right": string(m.Right), "within": strings.Trim(strings.Join([]string{m.Campus, m.Programme, m.Unit}, " "), " ")}
	if err := x.Journal.Write(ctx, tx, e); err != nil {
		return err
	}
	return x.Changed(ctx, tx, who)
}

// list is one page of what people hold; of every right when of is empty.
func (x *Mandates) list(ctx context.Context, of campus.Right, size, skip int) ([]Held, int64, error) {
	q := sqlgen.New(x.DB.Read())
	total, err := q.CountMandates(ctx, string(of))
	if err != nil {
		return nil, 0, fmt.Errorf("count rights: %w", err)
	}
	rows, err := q.Mandates(ctx, sqlgen.MandatesParams{OfRight: string(of), Size: int32(size), Skip: int32(skip)})
	if err != nil {
		return nil, 0, fmt.Errorf("list rights: %w", err)
	}
	held := make([]Held, len(rows))
	for i, r := range rows {
		held[i] = Held{
			Mandate: campus.Mandate{Right: campus.Right(r.RightName), Campus: r.Campus, Programme: r.Programme, Unit: r.Unit},
			Person:  account.Person{ID: campus.PersonID(r.PersonID), Login: r.Login, GivenName: r.GivenName, FamilyName: r.FamilyName, State: account.State(r.State)},
			Since:   r.GrantedAt.Time(), By: strings.TrimSpace(r.GrantedByName),
		}
	}
	return held, total, nil
}
