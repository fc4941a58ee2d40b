package grant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Pushed is a request that a client left with us before it sent the browser (RFC
// 9126).
type Pushed struct {
	ID         string
	Client     string
	Parameters string // as in a query
	ExpiresAt  db.Time
	OpenedAt   db.Time
}

// Push keeps a request under the hash of its secret.
func (s *Store) Push(ctx context.Context, tx db.Tx, secret, client, parameters string, lifetime time.Duration) error {
	err := sqlgen.New(tx).InsertRequest(ctx, sqlgen.InsertRequestParams{
		ID: id.Hash(secret), ClientID: client, Parameters: parameters, ExpiresAt: tx.Now().Add(lifetime),
	})
	if err != nil {
		return fmt.Errorf("keep a pushed request: %w", err)
	}
	return nil
}

// Pushed finds a request by its secret, or [Unknown].
func (s *Store) Pushed(ctx context.Context, secret string) (Pushed, error) {
	row, err := sqlgen.New(s.db.Read()).Request(ctx, id.Hash(secret))
	if errors.Is(err, sql.ErrNoRows) {
		return Pushed{}, Unknown
	}
	if err != nil {
		return Pushed{}, fmt.Errorf("read a pushed request: %w", err)
	}
	return Pushed{ID: row.ID, Client: row.ClientID, Parameters: row.Parameters, ExpiresAt: row.ExpiresAt, OpenedAt: row.OpenedAt}, nil
}

// Open notes that a browser came with the request, and gives its person time to
// sign in.
func (s *Store) Open(ctx context.Context, tx db.Tx, request string, forAnother time.Duration) error {
	_, err := sqlgen.New(tx).OpenRequest(ctx, sqlgen.OpenRequestParams{ID: request, NowAt: tx.Now(), ExpiresAt: tx.Now().Add(forAnother)})
	if err != nil {
		return fmt.Errorf("open a pushed request: %w", err)
	}
	return nil
}

// Drop forgets a request once it is answered. won is false when another browser
// tab was first.
func (s *Store) Drop(ctx context.Context, tx db.Tx, request string) (won bool, err error) {
	n, err := sqlgen.New(tx).DropRequest(ctx, request)
	if err != nil {
		return false, fmt.Errorf("drop a pushed request: %w", err)
	}
	return n == 1, nil
}

// SeeOnce notes something that may be shown once, until its time is over. first is
// false when it was shown before.
func (s *Store) SeeOnce(ctx context.Context, tx db.Tx, key string, until time.Time) (first bool, err error) {
	n, err := sqlgen.New(tx).SeeOnce(ctx, sqlgen.SeeOnceParams{ID: id.Hash(key), ExpiresAt: db.At(until)})
	if err != nil {
		return false, fmt.Errorf("note a proof: %w", err)
	}
	return n == 1, nil
}
