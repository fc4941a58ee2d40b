package push

import (
	"cmp"
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
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Token is a token, without its secret.
type Token struct {
	ID, Source, Label string
	MadeBy            campus.PersonID // empty for the command line
	MadeAt, EndsAt    time.Time
	UsedAt            time.Time // zero for one that nobody used yet
	UsedFrom          string    // network address of the last use
	RevokedAt         time.Time // zero while nobody revoked it
}

// Holds reports whether the token opens the door.
func (t Token) Holds(now time.Time) bool { return t.RevokedAt.IsZero() && now.Before(t.EndsAt) }

func tokenOf(row sqlgen.DirectoryToken) Token {
	return Token{
		ID: row.ID, Source: row.Source, Label: row.Label, MadeBy: campus.PersonID(row.MadeBy), UsedFrom: row.UsedFrom,
		MadeAt: row.MadeAt.Time(), EndsAt: row.EndsAt.Time(), UsedAt: row.UsedAt.Time(), RevokedAt: row.RevokedAt.Time(),
	}
}

// How long tokens hold, in days: who wants another time says so.
const (
	UsualDays = 365
	MostDays  = 730
)

// Order asks for a token.
type Order struct {
	Source, Label string
	Days          int           // how long it holds; 0 means [UsualDays]
	Request       *http.Request // nil from the command line
}

// by is who acts, by a request; nobody for the command line.
func by(r *http.Request) campus.PersonID {
	if r == nil {
		return ""
	}
	return web.Viewer(r).Person
}

// prefix lets people and scanners of secrets recognise a token.
const prefix = "amphi-push-"

// AddToken makes a token for a source. The secret is told here and never again.
func (d *Door) AddToken(ctx context.Context, o Order) (t Token, secret string, err error) {
	if _, ok := d.sourceOf(o.Source); !ok {
		return Token{}, "", SourceNotPushed.With(fault.Args{"source": o.Source})
	}
	days := cmp.Or(o.Days, UsualDays)
	if days < 1 || days > MostDays {
		return Token{}, "", DaysUnfit.With(fault.Args{"most": MostDays})
	}
	secret = prefix + id.Token(32)
	t = Token{ID: id.New(), Source: o.Source, Label: o.Label, MadeBy: by(o.Request)}
	err = d.DB.InTx(ctx, func(tx db.Tx) error {
		ends := tx.Now().Add(time.Duration(days) * 24 * time.Hour)
		t.MadeAt, t.EndsAt = tx.Now().Time(), ends.Time()
		err := sqlgen.New(tx).AddToken(ctx, sqlgen.AddTokenParams{ID: t.ID, Source: o.Source, Label: o.Label, Hash: id.Hash(secret), MadeBy: string(t.MadeBy), MadeAt: tx.Now(), EndsAt: ends})
		if err != nil {
			return err
		}
		return d.note(ctx, tx, o.Request, TokenMade, t)
	})
	if err != nil {
		return Token{}, "", fmt.Errorf("add a token: %w", err)
	}
	return t, secret, nil
}

// Tokens lists those that hold, then those that do not any more.
func (d *Door) Tokens(ctx context.Context) ([]Token, error) {
	rows, err := sqlgen.New(d.DB.Read()).Tokens(ctx, db.At(d.Clock.Now()))
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return tokensOf(rows), nil
}

func tokensOf(rows []sqlgen.DirectoryToken) []Token {
	list := make([]Token, len(rows))
	for i, row := range rows {
		list[i] = tokenOf(row)
	}
	return list
}

// RevokeToken ends a token at once. The request is nil from the command line.
func (d *Door) RevokeToken(ctx context.Context, r *http.Request, token string) error {
	return d.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		n, err := q.RevokeToken(ctx, sqlgen.RevokeTokenParams{ID: token, RevokedAt: tx.Now(), RevokedBy: string(by(r))})
		if err != nil {
			return fmt.Errorf("revoke a token: %w", err)
		}
		if n == 0 {
			return TokenUnknown
		}
		row, err := q.TokenByID(ctx, token)
		if err != nil {
			return fmt.Errorf("read a token: %w", err)
		}
		return d.note(ctx, tx, r, TokenWasRevoked, tokenOf(row))
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
	case !t.RevokedAt.IsZero():
		return Token{}, TokenRevoked
	case !t.Holds(d.Clock.Now()):
		return Token{}, TokenEnded.With(fault.Args{"label": t.Label})
	case !known || src.Kind != kind:
		return Token{}, TokenElsewhere.With(fault.Args{"source": t.Source})
	}
	from := ""
	if a := web.ClientAddr(r); a.IsValid() {
		from = a.String()
	}
	if now := d.Clock.Now(); now.Sub(t.UsedAt) > usedEvery || from != t.UsedFrom {
		err := d.DB.InTx(ctx, func(tx db.Tx) error {
			return sqlgen.New(tx).UseToken(ctx, sqlgen.UseTokenParams{ID: t.ID, UsedAt: tx.Now(), UsedFrom: from})
		})
		if err != nil {
			return Token{}, fmt.Errorf("note the use of a token: %w", err)
		}
	}
	return t, nil
}
