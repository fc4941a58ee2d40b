package casserver

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/casserver/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// grant is what a proxy-granting ticket stands for.
type grant struct {
	service    string   // that holds it
	chain      []string // callbacks, that of the holder first
	session    string
	person     campus.PersonID
	login      string
	signedInAt db.Time
}

// insertGrant keeps a grant beside the answer that it was given with. When the
// session ended in between there is none.
func (s *Server) insertGrant(ctx context.Context, tx db.Tx, ticket, answer string, chain []string) error {
	text, err := json.Marshal(chain)
	if err != nil {
		return fmt.Errorf("write the chain of a grant: %w", err)
	}
	n, err := sqlgen.New(tx).InsertGrant(ctx, sqlgen.InsertGrantParams{ID: id.Hash(ticket), Chain: string(text), Now: int64(tx.Now()), Answer: answer})
	if err != nil {
		return fmt.Errorf("keep a grant: %w", err)
	}
	if n == 0 {
		return TicketEnded
	}
	return nil
}

// findGrant reads what a proxy-granting ticket stands for, or returns
// [GrantUnknown].
func (s *Server) findGrant(ctx context.Context, ticket string) (grant, error) {
	row, err := sqlgen.New(s.DB.Read()).Grant(ctx, id.Hash(ticket))
	if errors.Is(err, sql.ErrNoRows) {
		return grant{}, GrantUnknown
	}
	if err != nil {
		return grant{}, fmt.Errorf("read a grant: %w", err)
	}
	g := grant{service: row.ServiceID, session: row.SessionID, person: campus.PersonID(row.Person), login: row.Login, signedInAt: row.SignedInAt}
	if err := json.Unmarshal([]byte(row.Chain), &g.chain); err != nil {
		return grant{}, fmt.Errorf("read the chain of a grant: %w", err)
	}
	return g, nil
}

// grantStands makes sure in a transaction that a grant is still there: a session
// that ends at this moment takes it away.
func (s *Server) grantStands(ctx context.Context, tx db.Tx, ticket string) error {
	n, err := sqlgen.New(tx).GrantStands(ctx, id.Hash(ticket))
	if err != nil {
		return fmt.Errorf("look for a grant: %w", err)
	}
	if n == 0 {
		return GrantUnknown
	}
	return nil
}

// SessionEnded takes back the proxy-granting tickets of a session, in the
// transaction that ends it.
func (s *Server) SessionEnded(ctx context.Context, tx db.Tx, session string) error {
	if err := sqlgen.New(tx).EndGrants(ctx, session); err != nil {
		return fmt.Errorf("take back grants: %w", err)
	}
	return nil
}

const (
	// grantKept bounds what no end of a session took back: longer than any session.
	grantKept   = 400 * 24 * time.Hour
	pruneAtOnce = 500 // few enough that nobody who signs in waits for it
)

// prune deletes grants that no session can have any more.
func (s *Server) prune(ctx context.Context) error {
	for n := int64(pruneAtOnce); n == pruneAtOnce; {
		err := s.DB.InTx(ctx, func(tx db.Tx) (err error) {
			n, err = sqlgen.New(tx).PruneGrants(ctx, sqlgen.PruneGrantsParams{IssuedAt: tx.Now().Add(-grantKept), Limit: pruneAtOnce})
			return err
		})
		if err != nil {
			return fmt.Errorf("forget old grants: %w", err)
		}
	}
	return nil
}

// withoutAddress takes the address out of an error of HTTP: it holds a secret.
func withoutAddress(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
