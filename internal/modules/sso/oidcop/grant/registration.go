package grant

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Registration is a client that registered itself (RFC 7591).
type Registration struct {
	Client    string
	Service   string
	Token     string // hash of the registration access token
	Invited   string // hash of the initial access token
	Peer      string
	CreatedAt db.Time
}

// Register keeps a registration under the hash of its access token.
func (s *Store) Register(ctx context.Context, tx db.Tx, token string, r Registration) error {
	err := sqlgen.New(tx).InsertRegistration(ctx, sqlgen.InsertRegistrationParams{
		ClientID: r.Client, ServiceID: r.Service, Token: id.Hash(token), InvitedBy: r.Invited, Peer: r.Peer, CreatedAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("keep the registration of %s: %w", r.Client, err)
	}
	return nil
}

// Registration finds a registered client, or [Unknown].
func (s *Store) Registration(ctx context.Context, client string) (Registration, error) {
	row, err := sqlgen.New(s.db.Read()).Registration(ctx, client)
	if errors.Is(err, sql.ErrNoRows) {
		return Registration{}, Unknown
	}
	if err != nil {
		return Registration{}, fmt.Errorf("read a registration: %w", err)
	}
	return Registration{Client: row.ClientID, Service: row.ServiceID, Token: row.Token, Invited: row.InvitedBy, Peer: row.Peer, CreatedAt: row.CreatedAt}, nil
}

// Registrations counts the clients that came by one initial access token.
func (s *Store) Registrations(ctx context.Context, invited string) (int64, error) {
	n, err := sqlgen.New(s.db.Read()).CountRegistrations(ctx, invited)
	if err != nil {
		return 0, fmt.Errorf("count registrations: %w", err)
	}
	return n, nil
}

// Unregister forgets a client, and ends what it may do.
func (s *Store) Unregister(ctx context.Context, tx db.Tx, client string) error {
	q := sqlgen.New(tx)
	if err := q.DropRegistration(ctx, client); err != nil {
		return fmt.Errorf("forget the registration of %s: %w", client, err)
	}
	_, err := q.EndGrantsOfClient(ctx, sqlgen.EndGrantsOfClientParams{ClientID: client, EndedAt: tx.Now(), Because: string(ClientGone)})
	if err != nil {
		return fmt.Errorf("end the grants of %s: %w", client, err)
	}
	return nil
}
