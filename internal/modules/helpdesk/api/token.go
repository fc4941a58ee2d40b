package api

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Reach is which tickets something is about; empty lists are all of them.
type Reach struct{ Queues, Campuses []string }

// Has reports whether a ticket is in reach.
func (s Reach) Has(t ticket.Ticket) bool {
	return (len(s.Queues) == 0 || slices.Contains(s.Queues, t.Queue)) && (len(s.Campuses) == 0 || slices.Contains(s.Campuses, t.Campus))
}

// HasQueue reports whether tickets in reach may be in a queue: one of no campus takes
// in those of all.
func (s Reach) HasQueue(q ticket.Queue) bool {
	return (len(s.Queues) == 0 || slices.Contains(s.Queues, q.ID)) && (len(s.Campuses) == 0 || q.Campus == "" || slices.Contains(s.Campuses, q.Campus))
}

// Token is a token, without its secret.
type Token struct {
	ID, Label     string
	Writes, Hooks bool // opens and changes tickets; keeps webhooks
	Reach
	MadeBy, RevokedBy                 campus.PersonID
	MadeAt, EndsAt, UsedAt, RevokedAt time.Time
	UsedFrom                          string // network address of the last use
}

// Holds reports whether the token opens the door.
func (t Token) Holds(now time.Time) bool { return t.RevokedAt.IsZero() && now.Before(t.EndsAt) }

// prefix lets people and scanners of secrets recognise a token.
const prefix = "amphi-desk-"

// How long tokens hold, in days.
const (
	usualDays = 365
	mostDays  = 730
)

const tokenColumns = "id, label, may_write, may_hook, queues, campuses, made_by, made_at, ends_at, used_at, used_from, revoked_by, revoked_at"

func scanToken(row interface{ Scan(...any) error }) (t Token, err error) {
	var writes, hooks int
	var queues, campuses string
	var made, ends, used, revoked db.Time
	if err := row.Scan(&t.ID, &t.Label, &writes, &hooks, &queues, &campuses, &t.MadeBy, &made, &ends, &used, &t.UsedFrom, &t.RevokedBy, &revoked); err != nil {
		return Token{}, err
	}
	t.Writes, t.Hooks, t.MadeAt, t.EndsAt, t.UsedAt, t.RevokedAt = writes != 0, hooks != 0, made.Time(), ends.Time(), used.Time(), revoked.Time()
	t.Reach, err = readReach(queues, campuses)
	return t, err
}

func readReach(queues, campuses string) (s Reach, err error) {
	return s, errors.Join(json.Unmarshal([]byte(queues), &s.Queues), json.Unmarshal([]byte(campuses), &s.Campuses))
}

// texts are the lists of a reach as they are kept.
func (s Reach) texts() (queues, campuses string) { return list(s.Queues), list(s.Campuses) }

func list(of []string) string {
	text, err := json.Marshal(append([]string{}, of...))
	if err != nil {
		return "[]" // texts always encode
	}
	return string(text)
}

func flag(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// AddToken makes a token; t says everything but its times. The secret is told here
// and never again.
func (a *API) AddToken(ctx context.Context, t Token, days int) (made Token, secret string, err error) {
	secret = prefix + id.Token(32)
	t.ID = id.New()
	queues, campuses := t.texts()
	err = a.DB.InTx(ctx, func(tx db.Tx) error {
		ends := tx.Now().Add(time.Duration(days) * 24 * time.Hour)
		t.MadeAt, t.EndsAt = tx.Now().Time(), ends.Time()
		_, err := tx.ExecContext(ctx, "INSERT INTO helpdesk_tokens (id, label, hash, may_write, may_hook, queues, campuses, made_by, made_at, ends_at, used_at, used_from, revoked_by, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, '', '', 0)",
			t.ID, t.Label, id.Hash(secret), flag(t.Writes), flag(t.Hooks), queues, campuses, string(t.MadeBy), tx.Now(), ends)
		return err
	})
	if err != nil {
		return Token{}, "", fmt.Errorf("add a token: %w", err)
	}
	return t, secret, nil
}

// tokens lists those that hold first, then those that do not any more.
func (a *API) tokens(ctx context.Context) ([]Token, error) {
	var all []Token
	err := db.Each(ctx, a.DB.Read(), "SELECT "+tokenColumns+" FROM helpdesk_tokens ORDER BY CASE WHEN revoked_at = 0 AND ends_at > $1 THEN 0 ELSE 1 END, made_at DESC LIMIT 200", []any{a.DB.Now()}, func(rows *sql.Rows) error {
		t, err := scanToken(rows)
		all = append(all, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return all, nil
}

// Revoke ends a token at once, and its webhooks with it.
func (a *API) Revoke(ctx context.Context, token string, by campus.PersonID) error {
	return a.DB.InTx(ctx, func(tx db.Tx) error {
		result, err := tx.ExecContext(ctx, "UPDATE helpdesk_tokens SET revoked_at = $1, revoked_by = $2 WHERE id = $3 AND revoked_at = 0", tx.Now(), string(by), token)
		if err != nil {
			return fmt.Errorf("revoke a token: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, Unknown)
		}
		// Who may no longer ask is no longer told.
		_, err = tx.ExecContext(ctx, "DELETE FROM helpdesk_hooks WHERE token_id = $1", token)
		return err
	})
}

// usedEvery is how exact the last use of a token is known.
const usedEvery = time.Minute

// enter finds the token of a request (RFC 6750 §2.1).
func (a *API) enter(r *http.Request) (Token, error) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if secret = strings.TrimSpace(secret); !strings.EqualFold(scheme, "Bearer") || !strings.HasPrefix(secret, prefix) {
		return Token{}, NoToken
	}
	ctx := r.Context()
	t, err := scanToken(a.DB.Read().QueryRowContext(ctx, "SELECT "+tokenColumns+" FROM helpdesk_tokens WHERE hash = $1", id.Hash(secret)))
	if errors.Is(err, sql.ErrNoRows) || err == nil && !t.Holds(a.Clock.Now()) {
		return Token{}, NoToken
	}
	if err != nil {
		return Token{}, fmt.Errorf("look up a token: %w", err)
	}
	from := ""
	if address := web.ClientAddr(r); address.IsValid() {
		from = address.String()
	}
	if now := a.Clock.Now(); now.Sub(t.UsedAt) > usedEvery || from != t.UsedFrom {
		if err := a.DB.InTx(ctx, func(tx db.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE helpdesk_tokens SET used_at = $1, used_from = $2 WHERE id = $3", tx.Now(), from, t.ID)
			return err
		}); err != nil {
			return Token{}, fmt.Errorf("note the use of a token: %w", err)
		}
	}
	return t, nil
}

// keyLasts is how long the key of an opening is remembered, deliveriesLast how long
// the log of webhooks is kept.
const (
	keyLasts       = 48 * time.Hour
	deliveriesLast = 30 * 24 * time.Hour
)

// forget deletes what nobody needs any more.
func (a *API) forget(ctx context.Context) error {
	return a.DB.InTx(ctx, func(tx db.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM helpdesk_api_keys WHERE made_at < $1", tx.Now().Add(-keyLasts)); err != nil {
			return fmt.Errorf("forget keys: %w", err)
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM helpdesk_deliveries WHERE made_at < $1", tx.Now().Add(-deliveriesLast)); err != nil {
			return fmt.Errorf("forget deliveries: %w", err)
		}
		return nil
	})
}
