package mailroom

import (
	"context"
	"net"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/internal/sqlgen"
)

// ReadWaiting reads every mail that waits, as the jobs would.
func (m *Mailroom) ReadWaiting(ctx context.Context) error {
	rows, err := sqlgen.New(m.DB.Read()).Page(ctx, sqlgen.PageParams{State: waiting, Most: 1000})
	if err != nil {
		return err
	}
	for i := range rows {
		if err := m.read(ctx, readMail{ID: rows[len(rows)-1-i].ID}); err != nil {
			return err
		}
	}
	return nil
}

// ReadOne runs the job of one mail.
func (m *Mailroom) ReadOne(ctx context.Context, id string) error {
	return m.read(ctx, readMail{ID: id})
}

// Listed are all mails, the newest first.
func (m *Mailroom) Listed(ctx context.Context) ([]sqlgen.HelpdeskMail, error) {
	return sqlgen.New(m.DB.Read()).Page(ctx, sqlgen.PageParams{Most: 1000})
}

// Visit empties each mailbox once.
func (m *Mailroom) Visit(ctx context.Context) error {
	for _, b := range m.boxes {
		if _, err := b.visit(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Forget is the nightly job.
func (m *Mailroom) Forget(ctx context.Context) error { return m.forget(ctx) }

// MostAnswers is how many answers by programs an address gets.
const MostAnswers = mostAnswers

// Admits reports whether a machine may hand over mail to a desk with these networks.
func Admits(list []string, peer net.Addr) bool {
	from, err := networks(list)
	return err == nil && admits(from, peer)
}

// LetMailsGo is the job that lets the mails of a ticket go.
func (m *Mailroom) LetMailsGo(ctx context.Context, ticket string) error {
	return m.letMailsGo(ctx, letMailsGo{ticket})
}
