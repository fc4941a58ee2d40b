package grant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// TokenKind is what a token is for.
type TokenKind string

// The kinds.
const (
	Access  TokenKind = "access"
	Refresh TokenKind = "refresh"
)

// Token is one token, without its secret.
type Token struct {
	ID         string // the hash of the secret
	Kind       TokenKind
	Scopes     []string
	Thumbprint string // the key that must be shown with it; empty for a bearer token
	IssuedAt   db.Time
	ExpiresAt  db.Time
	UsedAt     db.Time
	EndedAt    db.Time
	Grant      Grant
}

// Live reports whether the token is good at an instant.
func (t Token) Live(now db.Time) bool {
	return t.UsedAt == 0 && t.EndedAt == 0 && t.ExpiresAt > now && t.Grant.EndedAt == 0 && t.Grant.ExpiresAt > now
}

// Unknown: no token, device, request or registration has this secret.
var Unknown = errors.New("no such secret")

// Add keeps a token of a grant under the hash of its secret. It never outlives the
// grant.
func (s *Store) Add(ctx context.Context, tx db.Tx, secret string, g Grant, kind TokenKind, scopes []string, thumbprint string, lifetime time.Duration) error {
	err := sqlgen.New(tx).InsertToken(ctx, sqlgen.InsertTokenParams{
		ID: id.Hash(secret), GrantID: g.ID, Kind: string(kind), Scope: strings.Join(scopes, " "), Thumbprint: thumbprint,
		IssuedAt: tx.Now(), ExpiresAt: min(tx.Now().Add(lifetime), g.ExpiresAt),
	})
	if err != nil {
		return fmt.Errorf("keep a token of %s: %w", g.Service, err)
	}
	return nil
}

// Token finds a token by its secret, with its grant, whatever became of them; or
// [Unknown].
func (s *Store) Token(ctx context.Context, secret string) (Token, error) {
	row, err := sqlgen.New(s.db.Read()).Token(ctx, id.Hash(secret))
	if errors.Is(err, sql.ErrNoRows) {
		return Token{}, Unknown
	}
	if err != nil {
		return Token{}, fmt.Errorf("read a token: %w", err)
	}
	detail, err := ReadDetail(row.Detail)
	if err != nil {
		return Token{}, err
	}
	return Token{
		ID: row.ID, Kind: TokenKind(row.Kind), Scopes: strings.Fields(row.Scope), Thumbprint: row.Thumbprint,
		IssuedAt: row.IssuedAt, ExpiresAt: row.ExpiresAt, UsedAt: row.UsedAt, EndedAt: row.TokenEndedAt,
		Grant: Grant{
			ID: row.GrantID, Kind: Kind(row.GrantKind), Service: row.ServiceID, Client: row.ClientID, Person: campus.PersonID(row.Person),
			Session: row.SessionID, Offline: row.Offline, Detail: detail, CreatedAt: row.CreatedAt, ExpiresAt: row.GrantExpiresAt,
			EndedAt: row.EndedAt, Because: Because(row.Because),
		},
	}, nil
}

// Use uses a refresh token up. won is false when another request was first.
func (s *Store) Use(ctx context.Context, tx db.Tx, t Token) (won bool, err error) {
	n, err := sqlgen.New(tx).UseToken(ctx, sqlgen.UseTokenParams{ID: t.ID, NowAt: tx.Now()})
	if err != nil {
		return false, fmt.Errorf("use a refresh token: %w", err)
	}
	return n == 1, nil
}

// EndToken ends one token and leaves its grant.
func (s *Store) EndToken(ctx context.Context, tx db.Tx, t Token) error {
	if err := sqlgen.New(tx).EndToken(ctx, sqlgen.EndTokenParams{ID: t.ID, EndedAt: tx.Now()}); err != nil {
		return fmt.Errorf("end a token: %w", err)
	}
	return nil
}
