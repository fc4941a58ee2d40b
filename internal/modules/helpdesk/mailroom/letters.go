package mailroom

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

var _ ticket.Follower = (*Mailroom)(nil)

// TicketChanged implements [ticket.Follower]: what agents say goes to the requester by
// mail too, in the same conversation. A change sends one letter at most.
func (m *Mailroom) TicketChanged(ctx context.Context, tx db.Tx, h ticket.Happening) error {
	if slices.ContainsFunc(h.Events, func(e ticket.Event) bool { return e.Kind == "redacted" || e.Kind == "file_redacted" }) {
		if err := jobs.Enqueue(ctx, tx, letMailsGo{h.After.ID}); err != nil {
			return err
		}
	}
	t := h.After
	if t.RequesterMail == "" || !sendable(t.RequesterMail) || t.Channel == ticket.ByImport && h.Opened() {
		return nil
	}
	sent := false
	for _, said := range h.Messages {
		if said.Internal || said.By.Role != ticket.Agent && said.By.Role != ticket.House || h.Opened() && said.Channel != ticket.ByPortal {
			continue // what an agent writes down of a call is not said to the caller
		}
		if err := m.send(ctx, tx, t, said); err != nil {
			return fmt.Errorf("send an answer by mail: %w", err)
		}
		sent = true
	}
	var err error
	switch {
	case sent:
	case h.Opened():
		err = m.greet(ctx, tx, t)
	case h.Before.State != ticket.Solved && t.State == ticket.Solved && h.By.Role == ticket.Agent:
		err = m.solved(ctx, tx, t)
	}
	if err != nil {
		return fmt.Errorf("write to a requester: %w", err)
	}
	return nil
}

// greet gives the tracking number to who asked otherwise than by mail. A mail has its
// own answer.
func (m *Mailroom) greet(ctx context.Context, tx db.Tx, t ticket.Ticket) error {
	if !m.config.Acknowledge || t.Channel == ticket.ByMail {
		return nil
	}
	queue, err := m.replyQueue(ctx, t.Queue)
	if err != nil {
		return err
	}
	receipt := func() mailer.Message {
		return m.receipt(t, queue, m.Texts.For(t.Locale).T("helpdesk.mailroom.taken.asked"), nil)
	}
	if t.Channel == ticket.ByPortal && t.Requester != "" && reachable(t.RequesterMail) {
		return m.Mailer.Send(ctx, tx, receipt()) // they were signed in: no program asks
	}
	return m.automatic(ctx, tx, t.RequesterMail, receipt)
}

// mostSaid is how much of an answer stands in its mail, in signs; the rest is on the
// page.
const mostSaid = 30_000

// send hands a message over to the outbox.
func (m *Mailroom) send(ctx context.Context, tx db.Tx, t ticket.Ticket, said ticket.Message) error {
	p := m.Texts.For(t.Locale)
	body := said.Body
	if signs := []rune(body); len(signs) > mostSaid {
		body = string(signs[:mostSaid]) + "…\n\n" + p.T("helpdesk.mailroom.said.more")
	}
	if body == "" {
		body = p.T("helpdesk.mailroom.said.only_files")
	}
	signature := m.signature(t.Locale)
	if said.By.Name != "" {
		signature = said.By.Name + "\n" + signature
	}
	l := mailer.Letter{Locale: t.Locale, Before: []string{body}, Signature: signature}
	if len(said.Files) > 0 {
		l.After = append(l.After, p.T("helpdesk.mailroom.said.files", "count", len(said.Files)))
	}
	return m.write(ctx, tx, t, said, l)
}

// solved says that a request was solved, when nobody said a word about it.
func (m *Mailroom) solved(ctx context.Context, tx db.Tx, t ticket.Ticket) error {
	p := m.Texts.For(t.Locale)
	l := mailer.Letter{Locale: t.Locale, Greeting: p.T("helpdesk.mailroom.hello"), Before: []string{p.T("helpdesk.mailroom.said.is_solved")}, Signature: m.signature(t.Locale)}
	return m.write(ctx, tx, t, ticket.Message{ID: t.ID + "-" + fmt.Sprint(t.Version)}, l)
}

// write sends a letter about a ticket, with what its reader can do now.
func (m *Mailroom) write(ctx context.Context, tx db.Tx, t ticket.Ticket, said ticket.Message, l mailer.Letter) error {
	queue, err := m.replyQueue(ctx, t.Queue)
	if err != nil {
		return err
	}
	p := m.Texts.For(t.Locale)
	how := "" // to answer
	if queue == "" {
		how = "_page"
	}
	l.Label, l.URL = p.T("helpdesk.mailroom.said.label"), m.LetterURL(t)
	switch t.State {
	case ticket.Solved, ticket.Closed:
		l.Label, l.URL = p.T("helpdesk.mailroom.said.solved"), m.RatingURL(t)
		l.After = append(l.After, p.T("helpdesk.mailroom.said.reopen"+how))
	case ticket.Waiting:
		l.After = append(l.After, p.T("helpdesk.mailroom.said.waiting"+how))
	}
	message := l.Message("helpdesk.answer", t.RequesterMail, m.subject(p, t))
	if message.Talk = m.talk(t, queue, t.RequesterMail, said.ID, said.By.Role == ticket.Agent); message.Talk != nil {
		before, err := m.Tickets.MailIDs(ctx, tx, t.ID)
		if err != nil {
			return err
		}
		message.Talk.References = referable(before)
		if said.Ticket != "" {
			if err := m.Tickets.NameMail(ctx, tx, said.ID, message.Talk.MessageID); err != nil {
				return err
			}
		}
	}
	return m.Mailer.Send(ctx, tx, message)
}

// signature is the institution's name.
func (m *Mailroom) signature(l campus.Locale) string {
	if l == campus.English && m.InstitutionEnglish != "" || m.InstitutionFrench == "" {
		return m.InstitutionEnglish
	}
	return m.InstitutionFrench
}

// letMailsGo is the job that lets the mails of a ticket go as they came: what was
// redacted in the ticket stands in them still.
type letMailsGo struct {
	Ticket string `json:"ticket"`
}

// JobName implements jobs.Args.
func (letMailsGo) JobName() string { return "helpdesk.let_mails_go" }

func (m *Mailroom) letMailsGo(ctx context.Context, job letMailsGo) error {
	kept := map[string]string{}
	if err := db.Each(ctx, m.DB.Read(), "SELECT id, file_ref FROM helpdesk_mails WHERE ticket_id = $1 AND ticket_id <> '' AND file_ref <> ''", []any{job.Ticket}, func(rows *sql.Rows) error {
		var mail, ref string
		err := rows.Scan(&mail, &ref)
		kept[mail] = ref
		return err
	}); err != nil {
		return fmt.Errorf("list the mails of a ticket: %w", err)
	}
	for mail, ref := range kept {
		if err := m.deleteFile(ctx, ref); err != nil {
			return err
		}
		if err := m.DB.InTx(ctx, func(tx db.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE helpdesk_mails SET file_ref = '' WHERE id = $1", mail)
			return err
		}); err != nil {
			return fmt.Errorf("let a mail go: %w", err)
		}
	}
	return nil
}
