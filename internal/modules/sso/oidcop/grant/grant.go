// Package grant keeps what clients of OpenID Connect may do, and for whom: grants
// and their tokens, devices that wait, requests that were pushed, proofs that were
// shown, clients that registered themselves. Of every secret only the hash is
// kept.
package grant

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/request"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Kind is how a grant came about.
type Kind string

// The kinds.
const (
	Code   Kind = "code"
	Device Kind = "device"
	Client Kind = "client" // for nobody: the client itself
)

// Because is why a grant ended.
type Because string

// The reasons.
const (
	CodeReplayed    Because = "code_replayed"
	RefreshReplayed Because = "refresh_replayed"
	Revoked         Because = "revoked" // by its client
	SignedOut       Because = "signed_out"
	Withdrawn       Because = "withdrawn" // by the person
	ClientGone      Because = "client_gone"
	Secured         Because = "secured" // the account was closed, or its password set anew
)

// Grant is what one client may do.
type Grant struct {
	ID        string
	Answer    string // the answer that its code was; empty for the other kinds
	Kind      Kind
	Service   string
	Client    string
	Person    campus.PersonID // empty for a client by itself
	Session   string          // empty where no browser's session stands behind it
	Offline   bool            // outlives the session
	Detail    Detail
	CreatedAt db.Time
	ExpiresAt db.Time
	EndedAt   db.Time
	Because   Because
}

// Detail is what is said about the sign-in again and again.
type Detail struct {
	Login    string         `json:"login,omitempty"`
	SID      string         `json:"sid,omitempty"`
	Scopes   []string       `json:"scopes,omitempty"`
	Claims   request.Claims `json:"claims,omitzero"`
	Nonce    string         `json:"nonce,omitempty"`
	AuthTime int64          `json:"auth_time,omitempty"` // seconds
	ACR      string         `json:"acr,omitempty"`
	AMR      []string       `json:"amr,omitempty"`
	// Told is what the client was told of when the person let it in.
	Told []registry.Attribute `json:"told,omitempty"`
}

// Text is the detail as it is stored.
func (d Detail) Text() (string, error) {
	text, err := json.Marshal(d)
	return string(text), err
}

// ReadDetail reads what [Detail.Text] wrote.
func ReadDetail(text string) (d Detail, err error) {
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return Detail{}, fmt.Errorf("read the detail of a grant: %w", err)
	}
	return d, nil
}

// Store keeps grants. It is safe for concurrent use.
type Store struct{ db *db.DB }

// New makes a store.
func New(d *db.DB) *Store { return &Store{d} }

// Begin keeps a new grant for lifetime and returns it with its ID and times.
func (s *Store) Begin(ctx context.Context, tx db.Tx, g Grant, lifetime time.Duration) (Grant, error) {
	detail, err := g.Detail.Text()
	if err != nil {
		return Grant{}, fmt.Errorf("write a grant: %w", err)
	}
	g.ID, g.CreatedAt, g.ExpiresAt = id.New(), tx.Now(), tx.Now().Add(lifetime)
	err = sqlgen.New(tx).InsertGrant(ctx, sqlgen.InsertGrantParams{
		ID: g.ID, AnswerID: g.Answer, Kind: string(g.Kind), ServiceID: g.Service, ClientID: g.Client, Person: string(g.Person),
		SessionID: g.Session, Offline: g.Offline, Detail: detail, CreatedAt: g.CreatedAt, ExpiresAt: g.ExpiresAt,
	})
	if err != nil {
		return Grant{}, fmt.Errorf("begin a grant of %s: %w", g.Service, err)
	}
	return g, nil
}

// End ends one grant and with it its tokens. It reports whether it was open.
func (s *Store) End(ctx context.Context, tx db.Tx, grant string, because Because) (bool, error) {
	n, err := sqlgen.New(tx).EndGrant(ctx, sqlgen.EndGrantParams{ID: grant, EndedAt: tx.Now(), Because: string(because)})
	if err != nil {
		return false, fmt.Errorf("end a grant: %w", err)
	}
	return n == 1, nil
}

// EndOfAnswer ends what a code gave. It returns how many grants that were.
func (s *Store) EndOfAnswer(ctx context.Context, tx db.Tx, answer string, because Because) (int64, error) {
	n, err := sqlgen.New(tx).EndGrantsOfAnswer(ctx, sqlgen.EndGrantsOfAnswerParams{AnswerID: answer, EndedAt: tx.Now(), Because: string(because)})
	if err != nil {
		return 0, fmt.Errorf("end the grants of a code: %w", err)
	}
	return n, nil
}

// EndOfSession ends the grants that end with a session; those with offline_access
// go on (OpenID Connect Back-Channel Logout §2.7).
func (s *Store) EndOfSession(ctx context.Context, tx db.Tx, session string) error {
	_, err := sqlgen.New(tx).EndGrantsOfSession(ctx, sqlgen.EndGrantsOfSessionParams{SessionID: session, EndedAt: tx.Now(), Because: string(SignedOut)})
	if err != nil {
		return fmt.Errorf("end the grants of a session: %w", err)
	}
	return nil
}

// EndOfPerson ends what a service may do for a person; an empty service is all.
func (s *Store) EndOfPerson(ctx context.Context, tx db.Tx, who campus.PersonID, service string) (int64, error) {
	n, err := sqlgen.New(tx).EndGrantsOfPerson(ctx, sqlgen.EndGrantsOfPersonParams{
		Person: string(who), Service: service, NowAt: tx.Now(), Because: string(Withdrawn),
	})
	if err != nil {
		return 0, fmt.Errorf("end the grants of a person: %w", err)
	}
	return n, nil
}

// ShutOut ends the grants of a person but those of one session, "" for none, and
// takes back the yes to devices that have not come for their tokens.
func (s *Store) ShutOut(ctx context.Context, tx db.Tx, who campus.PersonID, except string) error {
	q := sqlgen.New(tx)
	err := q.EndOtherGrants(ctx, sqlgen.EndOtherGrantsParams{Person: string(who), Kept: except, NowAt: tx.Now(), Because: string(Secured)})
	if err != nil {
		return fmt.Errorf("end the other grants of a person: %w", err)
	}
	if err := q.RefuseDevicesOf(ctx, string(who)); err != nil {
		return fmt.Errorf("refuse the devices of a person: %w", err)
	}
	return nil
}

// Held is one grant as its person reads it.
type Held struct {
	Kind    string    `json:"kind"`
	Service string    `json:"service"`
	Offline bool      `json:"offline"`
	Begun   time.Time `json:"begun"`
	Ends    time.Time `json:"ends"`
	Ended   time.Time `json:"ended,omitzero"`
	Because string    `json:"because,omitempty"`
}

// Held lists what services may or might do for a person, oldest first.
func (s *Store) Held(ctx context.Context, who campus.PersonID) ([]Held, error) {
	rows, err := sqlgen.New(s.db.Read()).GrantsOfPerson(ctx, string(who))
	if err != nil {
		return nil, fmt.Errorf("list the grants of a person: %w", err)
	}
	held := make([]Held, len(rows))
	for i, row := range rows {
		held[i] = Held{row.Kind, row.ServiceID, row.Offline, row.CreatedAt.Time(), row.ExpiresAt.Time(), ended(row.EndedAt), row.Because}
	}
	return held, nil
}

func ended(at db.Time) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return at.Time()
}
