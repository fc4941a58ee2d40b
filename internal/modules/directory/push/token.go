package push

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/push/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Token is a token, without its secret.
type Token struct {
	ID, Source, Label string
	MadeBy            campus.PersonID // empty for the command line
	MadeAt, UsedAt    time.Time       // UsedAt is zero for one that nobody used yet
	RevokedAt         time.Time       // zero while it holds
}

// Holds reports whether the token opens the door.
func (t Token) Holds() bool { return t.RevokedAt.IsZero() }

func tokenOf(row sqlgen.DirectoryToken) Token {
	return Token{
		ID: row.ID, Source: row.Source, Label: row.Label, MadeBy: campus.PersonID(row.MadeBy),
		MadeAt: row.MadeAt.Time(), UsedAt: row.UsedAt.Time(), RevokedAt: row.RevokedAt.Time(),
	}
}

// prefix lets people and scanners of secrets recognise a token.
const prefix = "amphi-push-"

// AddToken makes a token for a source. The secret is told here and never again.
func (d *Door) AddToken(ctx context.Context, by campus.PersonID, src, label string) (t Token, secret string, err error) {
	if _, ok := d.sourceOf(src); !ok {
		return Token{}, "", SourceNotPushed.With(fault.Args{"source": src})
	}
	secret = prefix + id.Token(32)
	t = Token{ID: id.New(), Source: src, Label: label, MadeBy: by}
	err = d.DB.InTx(ctx, func(tx db.Tx) error {
		t.MadeAt = tx.Now().Time()
		return sqlgen.New(tx).AddToken(ctx, sqlgen.AddTokenParams{ID: t.ID, Source: src, Label: label, Hash: id.Hash(secret), MadeBy: string(by), MadeAt: tx.Now()})
	})
	if err != nil {
		return Token{}, "", fmt.Errorf("add a token: %w", err)
	}
	return t, secret, nil
}

// Tokens lists those that hold, then those that were revoked.
func (d *Door) Tokens(ctx context.Context) ([]Token, error) {
	rows, err := sqlgen.New(d.DB.Read()).Tokens(ctx)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	list := make([]Token, len(rows))
	for i, row := range rows {
		list[i] = tokenOf(row)
	}
	return list, nil
}

// RevokeToken ends a token at once.
func (d *Door) RevokeToken(ctx context.Context, by campus.PersonID, token string) error {
	return d.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).RevokeToken(ctx, sqlgen.RevokeTokenParams{ID: token, RevokedAt: tx.Now(), RevokedBy: string(by)})
		if err != nil {
			return fmt.Errorf("revoke a token: %w", err)
		}
		if n == 0 {
			return TokenUnknown
		}
		return nil
	})
}

// usedEvery is how exact the last use of a token is known.
const usedEvery = time.Minute

// Enter tells the source that a request may push into, by its bearer token (RFC 6750
// §2.1). Kind is the kind of source that comes through the door it knocks at.
func (d *Door) Enter(r *http.Request, kind string) (Token, error) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	secret = strings.TrimSpace(secret)
	if !strings.EqualFold(scheme, "Bearer") || !strings.HasPrefix(secret, prefix) {
		return Token{}, TokenMissing
	}
	ctx := r.Context()
	row, err := sqlgen.New(d.DB.Read()).TokenByHash(ctx, id.Hash(secret))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Token{}, TokenMissing
	case err != nil:
		return Token{}, fmt.Errorf("look up a token: %w", err)
	}
	t := tokenOf(row)
	src, known := d.sourceOf(t.Source)
	switch {
	case !t.Holds():
		return Token{}, TokenRevoked
	case !known || src.Kind != kind:
		return Token{}, TokenElsewhere.With(fault.Args{"source": t.Source})
	}
	if now := d.Clock.Now(); now.Sub(t.UsedAt) > usedEvery {
		err := d.DB.InTx(ctx, func(tx db.Tx) error {
			return sqlgen.New(tx).UseToken(ctx, sqlgen.UseTokenParams{ID: t.ID, UsedAt: tx.Now()})
		})
		if err != nil {
			return Token{}, fmt.Errorf("note the use of a token: %w", err)
		}
	}
	return t, nil
}
