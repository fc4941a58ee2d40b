// Package answer keeps what we gave services about sessions: tickets of CAS,
// assertions of SAML, authorization codes of OpenID Connect. One row tells both
// sides of it: that we issued it, and whether the service redeemed, refused or
// ignored it. When a session ends, the services that hold one of its answers are
// told.
package answer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// State is what became of an answer.
type State string

// The states. An answer that passes through the browser whole, as an assertion
// does, is redeemed when it is issued.
const (
	Issued   State = "issued"
	Redeemed State = "redeemed" // the person has a session at the service
	Refused  State = "refused"  // shown wrongly, and spent by that
	Ended    State = "ended"    // with the session here
)

// Answer is one row.
type Answer struct {
	ID         string // hash of the secret
	Protocol   registry.Protocol
	State      State
	Service    string // identifier in the registry
	Address    string // where it went
	Session    string
	Person     campus.PersonID
	Login      string
	SignedInAt db.Time
	Fresh      bool // the sign-in was made for it
	// Handle is what the service knows its session by: the ticket, the SessionIndex,
	// the sid. Empty until it is redeemed.
	Handle string
	// Detail is what the protocol needs to remember, as JSON.
	Detail    string
	IssuedAt  db.Time
	ExpiresAt db.Time
	UsedAt    db.Time // zero: the service never came
	Peer      string  // network address that redeemed it
	// Behind says that no browser carries it: a program opens one service on behalf
	// of somebody who is at another. However many, they are no loop. Only Issue
	// reads it.
	Behind bool
}

// Unknown: no answer was made with this secret, or long ago.
var Unknown = errors.New("no such answer")

// ErrSpent: the entry of the password was already spent on a fresh answer.
var ErrSpent = errors.New("the password was not entered again since the last fresh answer")

// ErrOver: the session ended since the request came. Whoever asks again is told so.
var ErrOver = errors.New("the session has ended")

// Store keeps answers.
type Store struct{ db *db.DB }

// New makes a store.
func New(d *db.DB) *Store { return &Store{d} }

// Issue files an answer under the hash of its secret. State, the times and the ID
// are filled in: the answer lives for lifetime. With Fresh it returns [ErrSpent]
// when another answer already used the same entry of the password, and [ErrOver]
// when the session has ended: its services have been told already.
func (s *Store) Issue(ctx context.Context, tx db.Tx, secret string, a Answer, lifetime time.Duration) error {
	if a.Session != "" {
		ended, err := sqlgen.New(tx).HoldSession(ctx, sqlgen.HoldSessionParams{ID: a.Session, SeenAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("look whether a session is open: %w", err)
		}
		if ended != 0 {
			return ErrOver
		}
	}
	state, used := Issued, db.Time(0)
	if a.Handle != "" {
		state, used = Redeemed, tx.Now()
	}
	key := addressKey(a.Address)
	if a.Behind {
		key = "-"
	}
	err := sqlgen.New(tx).InsertAnswer(ctx, sqlgen.InsertAnswerParams{
		ID: id.Hash(secret), Protocol: string(a.Protocol), State: string(state), ServiceID: a.Service, Address: a.Address, AddressKey: key,
		SessionID: a.Session, Person: string(a.Person), Login: a.Login, SignedInAt: a.SignedInAt, Fresh: a.Fresh, Handle: a.Handle, Detail: a.Detail,
		IssuedAt: tx.Now(), ExpiresAt: tx.Now().Add(lifetime), UsedAt: used, Peer: a.Peer,
	})
	if a.Fresh && db.IsUnique(err) {
		return ErrSpent
	}
	if err != nil {
		return fmt.Errorf("issue an answer for %s: %w", a.Service, err)
	}
	return nil
}

// addressKey is a short stand-in for an address in an index.
func addressKey(address string) string { return id.Hash(address)[:16] }

// Find reads the answer that was made with a secret, or returns [Unknown].
func (s *Store) Find(ctx context.Context, secret string) (Answer, error) {
	row, err := sqlgen.New(s.db.Read()).Answer(ctx, id.Hash(secret))
	if errors.Is(err, sql.ErrNoRows) {
		return Answer{}, Unknown
	}
	if err != nil {
		return Answer{}, fmt.Errorf("read an answer: %w", err)
	}
	return of(row), nil
}

func of(row sqlgen.SsoAnswer) Answer {
	return Answer{
		ID: row.ID, Protocol: registry.Protocol(row.Protocol), State: State(row.State), Service: row.ServiceID, Address: row.Address,
		Session: row.SessionID, Person: campus.PersonID(row.Person), Login: row.Login, SignedInAt: row.SignedInAt, Fresh: row.Fresh,
		Handle: row.Handle, Detail: row.Detail, IssuedAt: row.IssuedAt, ExpiresAt: row.ExpiresAt, UsedAt: row.UsedAt, Peer: row.Peer,
	}
}

// Spend uses an answer up, as redeemed or refused. won is false when another
// request was first, or it expired: of many at once, one wins.
func (s *Store) Spend(ctx context.Context, tx db.Tx, answer string, as State, handle, peer string) (won bool, err error) {
	n, err := sqlgen.New(tx).SpendAnswer(ctx, sqlgen.SpendAnswerParams{ID: answer, State: string(as), Handle: handle, UsedAt: tx.Now(), Peer: peer})
	if err != nil {
		return false, fmt.Errorf("spend an answer: %w", err)
	}
	return n == 1, nil
}

// Recent is how a session and an address got on lately.
type Recent struct {
	Issued  int64 // answers
	Checked int64 // that the service came for
	Refused int64 // that it showed wrongly
	Ignored int64 // that it never came for, although it had Patience
}

const (
	// Window is how far back answers count as one loop.
	Window = time.Minute
	// Patience is how long a service may take before an answer counts as ignored.
	Patience = 10 * time.Second
)

// Recent counts the answers of the last [Window].
func (s *Store) Recent(ctx context.Context, session, address string) (Recent, error) {
	now := s.db.Now()
	row, err := sqlgen.New(s.db.Read()).RecentAnswers(ctx, sqlgen.RecentAnswersParams{
		SessionID: session, AddressKey: addressKey(address), Since: now.Add(-Window), Patience: now.Add(-Patience),
	})
	if err != nil {
		return Recent{}, fmt.Errorf("look for a loop at %s: %w", address, err)
	}
	return Recent{Issued: row.Issued, Checked: row.Checked, Refused: row.Refused, Ignored: row.Ignored}, nil
}

// Services are the identifiers of those that hold an answer of a session.
func (s *Store) Services(ctx context.Context, session string) ([]string, error) {
	if session == "" {
		return nil, nil
	}
	ids, err := sqlgen.New(s.db.Read()).SessionServices(ctx, session)
	if err != nil {
		return nil, fmt.Errorf("list services of a session: %w", err)
	}
	return ids, nil
}
