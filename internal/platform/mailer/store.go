package mailer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// The channels of a message.
const (
	ChannelMail = "mail"
	ChannelSMS  = "sms"
)

// The states of a message.
const (
	StateWaiting = "waiting"  // not handed over yet, perhaps after failed attempts
	StateSent    = "sent"     // a server or gateway took it
	StateKept    = "kept"     // the demo keeps it here instead of sending it
	StateGivenUp = "given_up" // refused for ever, or tried too often
)

// States lists the states in the order of a message's life.
var States = []string{StateWaiting, StateSent, StateKept, StateGivenUp}

// Record is what the outbox remembers of a message.
type Record struct {
	ID, Channel, Kind string
	To                string // masked
	Subject           string // empty for short messages
	State             string
	Attempts          int
	Reason, Detail    string // of the last failed attempt: its code, and words for the administrator
	ProviderRef       string
	Created, Changed  time.Time
}

type record struct {
	ID, Channel, Kind, To, Subject, State string
	Attempts                              int
	Reason, Detail, ProviderRef           string
	Created, Changed                      db.Time
	toKey, sealed                         string
}

func (r record) done() bool { return r.State == StateSent || r.State == StateKept }

func (r record) public() Record {
	return Record{
		ID: r.ID, Channel: r.Channel, Kind: r.Kind, To: r.To, Subject: r.Subject, State: r.State, Attempts: r.Attempts,
		Reason: r.Reason, Detail: r.Detail, ProviderRef: r.ProviderRef, Created: r.Created.Time(), Changed: r.Changed.Time(),
	}
}

// outcome is how one attempt ended.
type outcome struct{ state, reason, detail, ref, sealed string }

// outcome names it for the metrics.
func (o outcome) outcome() string {
	switch o.state {
	case StateWaiting:
		return "failed"
	case StateGivenUp:
		return "refused"
	}
	return o.state
}

func insert(ctx context.Context, tx db.Tx, r record) (string, error) {
	newID := id.New()
	_, err := tx.ExecContext(ctx, `
		INSERT INTO mailer_outbox (id, channel, kind, to_masked, to_key, subject, state, attempts, reason, detail, provider_ref, sealed, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '', '', '', $8, $9, $9)`,
		newID, r.Channel, r.Kind, r.To, r.toKey, r.Subject, StateWaiting, r.sealed, tx.Now())
	return newID, err
}

// admitSMS counts what one phone got in the last hour, delivered or not.
func (m *Mailer) admitSMS(ctx context.Context, tx db.Tx, toKey string) error {
	var got int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM mailer_outbox WHERE to_key = $1 AND created_at > $2 AND channel = 'sms'`,
		toKey, tx.Now().Add(-time.Hour)).Scan(&got)
	if err != nil {
		return fmt.Errorf("count short messages: %w", err)
	}
	if got >= m.Config.SMS.PerHour {
		return TooManySMS.With(fault.Args{"number": got})
	}
	return nil
}

const columns = `id, channel, kind, to_masked, to_key, subject, state, attempts, reason, detail, provider_ref, sealed, created_at, changed_at`

func scan(row interface{ Scan(...any) error }) (r record, err error) {
	err = row.Scan(&r.ID, &r.Channel, &r.Kind, &r.To, &r.toKey, &r.Subject, &r.State, &r.Attempts,
		&r.Reason, &r.Detail, &r.ProviderRef, &r.sealed, &r.Created, &r.Changed)
	return r, err
}

func find(ctx context.Context, q db.Querier, messageID string) (record, error) {
	r, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM mailer_outbox WHERE id = $1`, messageID))
	if errors.Is(err, sql.ErrNoRows) {
		return record{}, MessageNotFound
	}
	if err != nil {
		return record{}, fmt.Errorf("read message %s: %w", messageID, err)
	}
	return r, nil
}

// note writes how an attempt ended. A message that another server delivered meanwhile stays delivered.
func (m *Mailer) note(ctx context.Context, r record, out outcome) error {
	return m.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE mailer_outbox
			SET state = $2, attempts = attempts + 1, reason = $3, detail = $4, provider_ref = $5, sealed = $6, changed_at = $7
			WHERE id = $1 AND state NOT IN ('sent', 'kept')`,
			r.ID, out.state, out.reason, out.detail, out.ref, out.sealed, tx.Now())
		return err
	})
}

func deleteBefore(ctx context.Context, tx db.Tx, before db.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM mailer_outbox WHERE created_at < $1`, before)
	return err
}
