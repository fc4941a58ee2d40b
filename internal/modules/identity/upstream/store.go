package upstream

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// What a transaction is for, as stored.
const (
	toSignIn = "sign_in"
	toTest   = "test"
)

// sealPurpose is what secrets of a transaction are sealed for.
const sealPurpose = "identity.upstream"

// journeyCookie ties transactions to the browser in which they began. It opens
// nothing by itself.
const journeyCookie = "amphi_journey"

// tokenBytes is the length of the tokens, in bytes.
const tokenBytes = 32

// journey is a transaction as it is kept.
type journey struct {
	Transaction
	Purpose    string
	Person     campus.PersonID // who tests
	Browser    string          // hash of the journey cookie
	Answer     string          // sealed, while the browser is asked for its cookie
	ClaimedAt  time.Time
	FinishedAt time.Time
}

// traveller gives the browser its cookie, and returns the hash of it.
func traveller(w http.ResponseWriter, r *http.Request) string {
	if known := travellerOf(r); known != "" {
		return known
	}
	token := id.Token(tokenBytes)
	web.SetCookie(w, r, journeyCookie, token, 0)
	return id.Hash(token)
}

// travellerOf is the hash of the journey cookie; "" when the browser brought none.
func travellerOf(r *http.Request) string {
	if token := web.Cookie(r, journeyCookie); token != "" {
		return id.Hash(token)
	}
	return ""
}

// keep stores a journey that begins.
func (x *Upstreams) keep(ctx context.Context, j journey) error {
	body, err := json.Marshal(j.Secrets)
	if err != nil {
		return fmt.Errorf("write the secrets of a journey: %w", err)
	}
	sealed, err := x.Keys.SealText(sealPurpose, string(body))
	if err != nil {
		return fmt.Errorf("seal the secrets of a journey: %w", err)
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		return sqlgen.New(tx).AddTransaction(ctx, sqlgen.AddTransactionParams{
			ID: j.ID, Upstream: j.Upstream, TokenHash: id.Hash(j.Token), BrowserHash: j.Browser, Purpose: j.Purpose, PersonID: string(j.Person),
			Next: j.Next, Shared: j.Shared, Forced: j.Force, Plain: j.Plain, LoginHint: j.LoginHint, Secrets: sealed, StartedAt: db.At(j.StartedAt),
		})
	})
}

// byToken returns the journey that a token names. found is false for a token
// that nobody gave, or long ago.
func (x *Upstreams) byToken(ctx context.Context, token string) (j journey, found bool, err error) {
	if token == "" {
		return journey{}, false, nil
	}
	row, err := sqlgen.New(x.DB.Read()).TransactionByToken(ctx, id.Hash(token))
	return x.read(row, err)
}

// byResume is byToken for the ticket of a browser that was asked to come again.
func (x *Upstreams) byResume(ctx context.Context, ticket string) (j journey, found bool, err error) {
	row, err := sqlgen.New(x.DB.Read()).TransactionByResume(ctx, id.Hash(ticket))
	return x.read(row, err)
}

func (x *Upstreams) read(row sqlgen.IdentityUpstreamTransaction, err error) (journey, bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return journey{}, false, nil
	}
	if err != nil {
		return journey{}, false, fmt.Errorf("read a journey: %w", err)
	}
	j := journey{
		Transaction: Transaction{
			ID: row.ID, Upstream: row.Upstream, Next: row.Next, Shared: row.Shared, Force: row.Forced, Plain: row.Plain,
			LoginHint: row.LoginHint, StartedAt: row.StartedAt.Time(), AnswerURL: x.Base.String() + answerURL(row.Upstream),
		},
		Purpose: row.Purpose, Person: campus.PersonID(row.PersonID), Browser: row.BrowserHash, Answer: row.Answer,
		ClaimedAt: row.ClaimedAt.Time(), FinishedAt: row.FinishedAt.Time(),
	}
	if row.Secrets == "" { // claimed
		return j, true, nil
	}
	return j, true, x.open(row.Secrets, &j.Secrets)
}

// open reads what was sealed as JSON.
func (x *Upstreams) open(sealed string, into any) error {
	body, err := x.Keys.OpenText(sealPurpose, sealed)
	if err != nil {
		return fmt.Errorf("open what a journey keeps: %w", err)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		return fmt.Errorf("read what a journey keeps: %w", err)
	}
	return nil
}

// seal writes something as sealed JSON.
func (x *Upstreams) seal(what any) (string, error) {
	body, err := json.Marshal(what)
	if err != nil {
		return "", fmt.Errorf("write what a journey keeps: %w", err)
	}
	return x.Keys.SealText(sealPurpose, string(body))
}

// claim takes a journey's answer, once: first is false when another answer, of a
// browser that went back perhaps, came before.
func (x *Upstreams) claim(ctx context.Context, j journey) (first bool, err error) {
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).Claim(ctx, sqlgen.ClaimParams{ID: j.ID, ClaimedAt: tx.Now()})
		first = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("claim a journey: %w", err)
	}
	return first, nil
}

// wait keeps the checked answer of a browser that came without its cookie, and
// returns the ticket under which it finds it again.
func (x *Upstreams) wait(ctx context.Context, j journey, a Answer) (ticket string, err error) {
	sealed, err := x.seal(a)
	if err != nil {
		return "", err
	}
	ticket = id.Token(tokenBytes)
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		return sqlgen.New(tx).KeepAnswer(ctx, sqlgen.KeepAnswerParams{ID: j.ID, Answer: sealed, ResumeHash: id.Hash(ticket)})
	})
	if err != nil {
		return "", fmt.Errorf("keep an answer: %w", err)
	}
	return ticket, nil
}

// finish ends a journey whose answer was taken, once.
func (x *Upstreams) finish(ctx context.Context, j journey, a Answer) (first bool, err error) {
	hint := ""
	if a.LogoutHint != "" {
		if hint, err = x.seal(a.LogoutHint); err != nil {
			return false, err
		}
	}
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).Finish(ctx, sqlgen.FinishParams{
			ID: j.ID, FinishedAt: tx.Now(), LogoutHint: hint, Issuer: a.Issuer, Subject: a.SubjectThere, SessionThere: a.SessionThere,
		})
		first = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("finish a journey: %w", err)
	}
	return first, nil
}

// note keeps what an upstream answered: nil for an answer that was good.
func (x *Upstreams) note(ctx context.Context, u *upstream, f *Failure, a Answer, incident string) {
	p := sqlgen.AddEventParams{ID: id.New(), Upstream: u.ID, Incident: incident, Timed: a.Timed, Ahead: a.Ahead.Microseconds()}
	if f != nil {
		p.Reason, p.Expected, p.Received, p.Code, p.Words = f.Reason.Code(), clip(f.Expected), clip(f.Received), clip(f.Code), clip(f.Text)
		p.Timed, p.Ahead = f.Timed, f.Ahead.Microseconds()
	}
	err := x.DB.InTx(ctx, func(tx db.Tx) error {
		p.NotedAt = tx.Now()
		return sqlgen.New(tx).AddEvent(ctx, p)
	})
	if err != nil { // the person goes on all the same
		x.Log.WarnContext(ctx, "note what an upstream answered", "upstream", u.ID, "error", err)
	}
}

// clip bounds what others wrote, in bytes, and keeps it one line of text.
func clip(text string) string {
	const most = 600
	text = strings.ToValidUTF8(text[:min(len(text), most)], "")
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, text)
}

// Forget is the alcove's housekeeping; a job does it.
func (x *Upstreams) Forget(ctx context.Context) error {
	if err := x.forgetLost(ctx); err != nil {
		return err
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if _, err := q.ForgetTransactions(ctx, tx.Now().Add(-keepTransactions)); err != nil {
			return fmt.Errorf("forget journeys: %w", err)
		}
		if _, err := q.ForgetEvents(ctx, tx.Now().Add(-keepEvents)); err != nil {
			return fmt.Errorf("forget what upstreams answered: %w", err)
		}
		if err := q.ForgetSeen(ctx, tx.Now()); err != nil {
			return fmt.Errorf("forget what upstreams said: %w", err)
		}
		if err := q.ForgetLostHours(ctx, tx.Now().Add(-keepEvents)); err != nil {
			return fmt.Errorf("forget how many did not come back: %w", err)
		}
		return nil
	})
}

// forgetLost makes numbers of the journeys that led nowhere.
func (x *Upstreams) forgetLost(ctx context.Context) error {
	for more := true; more; {
		err := x.DB.InTx(ctx, func(tx db.Tx) error {
			q, until := sqlgen.New(tx), tx.Now().Add(-keepLost)
			some, err := q.LostUntil(ctx, until)
			if more = err == nil; more {
				until = some
			} else if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			if err := q.AddLost(ctx, until); err != nil {
				return err
			}
			_, err = q.ForgetLost(ctx, until)
			return err
		})
		if err != nil {
			return fmt.Errorf("forget journeys that led nowhere: %w", err)
		}
	}
	return nil
}

// journeyOf is the journey that a session began with, and what the sign-out at its
// upstream needs. found is false for a session that began otherwise.
func (x *Upstreams) journeyOf(ctx context.Context, session string) (j journey, hint string, found bool, err error) {
	row, err := sqlgen.New(x.DB.Read()).JourneyOf(ctx, session)
	if j, found, err = x.read(row, err); err != nil || !found || row.LogoutHint == "" {
		return j, "", found, err
	}
	return j, hint, true, x.open(row.LogoutHint, &hint)
}
