// Package erasure does what the rooms declare about the end of personal data: it
// previews, stops for legal holds, erases in small steps, and keeps the proof.
package erasure

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Deps is what the alcove asks of the room.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	Log   *slog.Logger
	Texts *i18n.Catalogue
	Keys  *crypt.Keyring
	// Register says who people are, and whether their account is open.
	Register contract.Register
	// Rooms are all rooms of the house.
	Rooms func() []contract.Module
}

// Engine is the alcove. It is safe for concurrent use.
type Engine struct{ Deps }

// New makes the alcove.
func New(d Deps) *Engine { return &Engine{d} }

// What stops an erasure.
var (
	// Held: a legal hold covers the person.
	Held = fault.Declare(fault.Conflict, "privacy.held")
	// AccountOpen: the account has to be closed before the person is erased from the
	// register of people.
	AccountOpen = fault.Declare(fault.Conflict, "privacy.account_open")
	// UnderWay: an erasure of the person is proposed or runs already.
	UnderWay = fault.Declare(fault.Conflict, "privacy.erasure_under_way")
	// Missing: there is no such erasure.
	Missing = fault.Declare(fault.NotFound, "privacy.erasure_missing")
	// Over: somebody else decided in the meantime.
	Over = fault.Declare(fault.Conflict, "privacy.erasure_over")
	// PersonMissing: nobody has this login.
	PersonMissing = fault.Declare(fault.NotFound, "privacy.person_missing")
)

// Causes of an erasure.
const (
	ByRequest = "request" // the person asked
	WhenDue   = "due"     // the time for keeping the data is over
)

// States of an erasure.
const (
	Proposed  = "proposed" // the officer has to let it
	Waiting   = "waiting"
	Running   = "running"
	Done      = "done"
	Stopped   = "stopped" // a hold, or an account that was opened again
	Dismissed = "dismissed"
)

// Erasure is one, ordered or proposed.
type Erasure struct {
	ID         string
	Person     campus.PersonID // empty once it is done
	Cause      string
	Request    string
	Rule       string
	State      string
	Kept       map[string]string // rooms that keep what they have, and why
	Reason     string            // code of why it stopped
	ProposedAt time.Time
	OrderedBy  campus.PersonID // empty: by policy
	OrderedAt  time.Time
	EndedAt    time.Time

	sealed string
}

// sealPurpose binds what is sealed to this table.
const sealPurpose = "privacy.erasure"

func erasureOf(r sqlgen.PrivacyErasure) (Erasure, error) {
	e := Erasure{
		ID: r.ID, Person: campus.PersonID(r.PersonID), Cause: r.Cause, Request: r.RequestID, Rule: r.Rule, State: r.State, Reason: r.Reason,
		ProposedAt: r.ProposedAt.Time(), OrderedBy: campus.PersonID(r.OrderedBy), OrderedAt: r.OrderedAt.Time(), EndedAt: r.EndedAt.Time(), sealed: r.Sealed,
	}
	if err := json.Unmarshal([]byte(r.Kept), &e.Kept); err != nil {
		return e, fmt.Errorf("read which rooms keep their data in erasure %s: %w", r.ID, err)
	}
	return e, nil
}

// Of is one erasure.
func (e *Engine) Of(ctx context.Context, erasure string) (Erasure, error) {
	return one(sqlgen.New(e.DB.Read()).Erasure(ctx, erasure))
}

// OfRequest is the erasure that a request led to.
func (e *Engine) OfRequest(ctx context.Context, request string) (Erasure, error) {
	return one(sqlgen.New(e.DB.Read()).ErasureOfRequest(ctx, request))
}

func one(row sqlgen.PrivacyErasure, err error) (Erasure, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return Erasure{}, Missing
	}
	if err != nil {
		return Erasure{}, fmt.Errorf("read an erasure: %w", err)
	}
	return erasureOf(row)
}

// List are the erasures in a state, oldest first, and how many there are.
func (e *Engine) List(ctx context.Context, state string, size, skip int) (list []Erasure, total int, err error) {
	q := sqlgen.New(e.DB.Read())
	n, err := q.CountErasures(ctx, state)
	if err != nil {
		return nil, 0, fmt.Errorf("count erasures: %w", err)
	}
	rows, err := q.ErasuresIn(ctx, sqlgen.ErasuresInParams{State: state, Size: int32(size), Skip: int32(skip)})
	if err != nil {
		return nil, 0, fmt.Errorf("list erasures: %w", err)
	}
	for _, r := range rows {
		one, err := erasureOf(r)
		if err != nil {
			return nil, 0, err
		}
		list = append(list, one)
	}
	return list, int(n), nil
}

// Traced finds by what tables name a person.
func (e *Engine) Traced(ctx context.Context, who campus.PersonID) (contract.Traced, contract.Known, error) {
	known, err := e.Register.KnownPeople(ctx, []campus.PersonID{who})
	if err != nil {
		return contract.Traced{}, contract.Known{}, err
	}
	k, ok := known[who]
	if !ok {
		return contract.Traced{}, contract.Known{}, PersonMissing
	}
	return contract.Traced{ID: who, Login: k.Subject.Login, Mail: k.Subject.Mail}, k, nil
}

// Order is an erasure to be.
type Order struct {
	Person  campus.PersonID
	Cause   string
	Request string
	Rule    string
	Kept    map[string]string
	By      campus.PersonID // who let it; empty for a policy
	// Propose leaves it to the officer.
	Propose bool
}

// Prepare seals who is to be erased. It is slow and stands outside of the
// transaction that Place needs.
func (e *Engine) Prepare(ctx context.Context, o Order) (func(context.Context, db.Tx) (string, error), error) {
	who, known, err := e.Traced(ctx, o.Person)
	if err != nil {
		return nil, err
	}
	if !o.Propose {
		if err := e.mayRun(ctx, known, o.Kept); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(who)
	if err != nil {
		return nil, fmt.Errorf("write who is erased: %w", err)
	}
	sealed, err := e.Keys.SealText(sealPurpose, string(text))
	if err != nil {
		return nil, err
	}
	if o.Kept == nil {
		o.Kept = map[string]string{}
	}
	kept, err := json.Marshal(o.Kept)
	if err != nil {
		return nil, fmt.Errorf("write which rooms keep their data: %w", err)
	}
	return func(ctx context.Context, tx db.Tx) (string, error) { return e.place(ctx, tx, o, sealed, string(kept)) }, nil
}

func (e *Engine) place(ctx context.Context, tx db.Tx, o Order, sealed, kept string) (string, error) {
	row := sqlgen.AddErasureParams{
		ID: id.New(), PersonID: string(o.Person), Sealed: sealed, Cause: o.Cause, RequestID: o.Request, Rule: o.Rule, State: Waiting, Kept: kept,
		ProposedAt: tx.Now(), OrderedBy: string(o.By), OrderedAt: tx.Now(),
	}
	if o.Propose {
		row.State, row.OrderedAt = Proposed, 0
	}
	n, err := sqlgen.New(tx).AddErasure(ctx, row)
	if err != nil {
		return "", fmt.Errorf("order an erasure: %w", err)
	}
	if n == 0 {
		return "", UnderWay
	}
	if o.Propose {
		return row.ID, nil
	}
	return row.ID, jobs.Enqueue(ctx, tx, Run{Erasure: row.ID}, jobs.UniqueKey(row.ID))
}

// Let orders an erasure that was proposed.
func (e *Engine) Let(ctx context.Context, erasure string, by campus.PersonID) error {
	x, err := e.Of(ctx, erasure)
	if err != nil {
		return err
	}
	if x.State != Proposed {
		return Over
	}
	_, known, err := e.Traced(ctx, x.Person)
	if err != nil {
		return err
	}
	if err := e.mayRun(ctx, known, x.Kept); err != nil {
		return err
	}
	return e.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).OrderErasure(ctx, sqlgen.OrderErasureParams{ID: erasure, OrderedBy: string(by), OrderedAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("let an erasure: %w", err)
		}
		if n == 0 {
			return Over
		}
		return jobs.Enqueue(ctx, tx, Run{Erasure: erasure}, jobs.UniqueKey(erasure))
	})
}

// Dismiss puts a proposal away for good.
func (e *Engine) Dismiss(ctx context.Context, erasure string) error {
	return e.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).DismissErasure(ctx, sqlgen.DismissErasureParams{ID: erasure, EndedAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("dismiss an erasure: %w", err)
		}
		if n == 0 {
			return Over
		}
		return nil
	})
}

// mayRun answers with why an erasure must not run.
func (e *Engine) mayRun(ctx context.Context, known contract.Known, kept map[string]string) error {
	holds, err := e.HoldsOn(ctx, known)
	if err != nil {
		return err
	}
	for _, h := range holds {
		if h.Room == "" {
			return Held.With(fault.Args{"reason": h.Reason})
		}
	}
	for _, room := range e.Rooms() {
		_, keeps := kept[room.Name()]
		if _, register := room.(contract.Register); register && !keeps && known.State != closed && known.State != invited {
			return AccountOpen
		}
	}
	return nil
}

// The states of an account in which nobody uses it.
const (
	closed  = "closed"
	invited = "invited"
)

// reversed are the rooms from the last to the first: the register of people, to
// which everything refers, comes last.
func (e *Engine) reversed() []contract.Module {
	rooms := slices.Clone(e.Rooms())
	slices.Reverse(rooms)
	return rooms
}
