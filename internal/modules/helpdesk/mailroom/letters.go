package mailroom

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

var _ ticket.Follower = (*Mailroom)(nil)

// TicketChanged implements [ticket.Follower]: what agents say goes to the requester by
// mail too, in the same conversation.
func (m *Mailroom) TicketChanged(ctx context.Context, tx db.Tx, h ticket.Happening) error {
	t := h.After
	if t.RequesterMail == "" || t.Channel == ticket.ByImport && h.Opened() {
		return nil
	}
	for _, said := range h.Messages {
		if said.Internal || said.By.Role != ticket.Agent {
			continue
		}
		if err := m.send(ctx, tx, t, said); err != nil {
			return fmt.Errorf("send an answer by mail: %w", err)
		}
	}
	return nil
}

// send hands a message over to the outbox.
func (m *Mailroom) send(ctx context.Context, tx db.Tx, t ticket.Ticket, said ticket.Message) error {
	q, err := m.Tickets.Queue(ctx, t.Queue)
	if err != nil {
		return err
	}
	p := m.Texts.For(t.Locale)
	l := mailer.Letter{
		Locale: t.Locale, Before: []string{said.Body}, Label: p.T("helpdesk.mailroom.said.label"), URL: m.LetterURL(t), Signature: said.By.Name + "\n" + m.signature(t.Locale),
	}
	switch t.State {
	case ticket.Solved, ticket.Closed:
		l.Label, l.URL = p.T("helpdesk.mailroom.said.solved"), m.RatingURL(t)
		l.After = append(l.After, p.T("helpdesk.mailroom.said.reopen"))
	case ticket.Waiting:
		l.After = append(l.After, p.T("helpdesk.mailroom.said.waiting"))
	}
	if len(said.Files) > 0 {
		l.After = append(l.After, p.T("helpdesk.mailroom.said.files", "count", len(said.Files)))
	}
	message := l.Message("helpdesk.answer", t.RequesterMail, m.subject(p, t))
	if message.Talk = m.talk(t, q, t.RequesterMail, said.ID, true); message.Talk != nil {
		message.Talk.From = m.signature(t.Locale)
		before, err := m.Tickets.MailIDs(ctx, tx, t.ID)
		if err != nil {
			return err
		}
		message.Talk.References = referable(before)
		if err := m.Tickets.NameMail(ctx, tx, said.ID, message.Talk.MessageID); err != nil {
			return err
		}
	}
	return m.Mailer.Send(ctx, tx, message)
}
