package mailer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Filter chooses records; its zero value chooses the first 50 of all.
type Filter struct {
	State, Channel string // "" for any
	Limit, Offset  int
}

const outboxWhere = ` WHERE (CAST($1 AS TEXT) = '' OR state = $1) AND (CAST($2 AS TEXT) = '' OR channel = $2)`

// Outbox is a page of what was sent, newest first.
func (m *Mailer) Outbox(ctx context.Context, f Filter) ([]Record, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	rows, err := m.DB.Read().QueryContext(ctx, `SELECT `+columns+` FROM mailer_outbox`+outboxWhere+` ORDER BY id DESC LIMIT $3 OFFSET $4`,
		f.State, f.Channel, f.Limit, f.Offset)
	if err != nil {
		return nil, fmt.Errorf("list the outbox: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var list []Record
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("list the outbox: %w", err)
		}
		list = append(list, r.public())
	}
	return list, rows.Err()
}

// Counted is how many records the filter chooses, pages aside.
func (m *Mailer) Counted(ctx context.Context, f Filter) (int, error) {
	var n int
	if err := m.DB.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM mailer_outbox`+outboxWhere, f.State, f.Channel).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the outbox: %w", err)
	}
	return n, nil
}

// Latest is the newest message of a kind that was sent to somebody on a channel, or MessageNotFound. q
// is the caller's transaction, or the database's reader: pages tell with it what became of a code.
func (m *Mailer) Latest(ctx context.Context, q db.Querier, channel, kind, to string) (Record, error) {
	r, err := scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM mailer_outbox WHERE to_key = $1 AND channel = $2 AND kind = $3 ORDER BY created_at DESC, id DESC LIMIT 1`,
		m.key(to), channel, kind))
	if errors.Is(err, sql.ErrNoRows) {
		return Record{}, MessageNotFound
	}
	if err != nil {
		return Record{}, fmt.Errorf("look for the latest message: %w", err)
	}
	return r.public(), nil
}

// Kept is a record with its text, where the demo kept it.
type Kept struct {
	Record
	// Readable is false for what has left and for what waits to leave: nobody reads other people's
	// codes and links, administrators included.
	Readable bool
	FullTo   string
	Text     string
	HTML     string // empty for short messages and for mail without it
}

// Message gives one record, or MessageNotFound.
func (m *Mailer) Message(ctx context.Context, messageID string) (Kept, error) {
	r, err := find(ctx, m.DB.Read(), messageID)
	if err != nil {
		return Kept{}, err
	}
	kept := Kept{Record: r.public()}
	if r.State != StateKept {
		return kept, nil
	}
	mail, sms, err := m.open(r)
	if err != nil {
		return Kept{}, err
	}
	kept.Readable = true
	kept.FullTo, kept.Text, kept.HTML = mail.To+sms.To, mail.Text+sms.Text, mail.HTML // one of the two is empty
	return kept, nil
}

// givenUpSince counts what was given up after an instant.
func givenUpSince(ctx context.Context, q db.Querier, since db.Time) (int, error) {
	var n int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM mailer_outbox WHERE state = 'given_up' AND changed_at > $1`, since).Scan(&n)
	return n, err
}
