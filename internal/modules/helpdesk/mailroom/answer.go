package mailroom

import (
	"context"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/letter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// No address gets more answers by programs of ours than this within a time: another
// program behind it would answer back.
const (
	mostAnswers   = 6
	answersWithin = 6 * time.Hour
)

// answer sends a mail by a program to an address, unless a program may be behind it
// or it had many already.
func (m *Mailroom) answer(ctx context.Context, tx db.Tx, to string, r *reading, words func(r *reading) mailer.Message) error {
	if !r.letter.MayAnswer() {
		return nil
	}
	return m.automatic(ctx, tx, to, func() mailer.Message { return words(r) })
}

// automatic sends what nobody wrote.
func (m *Mailroom) automatic(ctx context.Context, tx db.Tx, to string, words func() mailer.Message) error {
	if !reachable(to) {
		return nil
	}
	q := sqlgen.New(tx)
	had, err := q.Answered(ctx, sqlgen.AnsweredParams{Mail: to, SinceAt: tx.Now().Add(-answersWithin)})
	if err != nil {
		return fmt.Errorf("count the answers to an address: %w", err)
	}
	if had >= mostAnswers {
		m.Log.WarnContext(ctx, "an address gets no more answers by programs for now", "answers", had)
		return nil
	}
	if err := q.NoteAnswer(ctx, sqlgen.NoteAnswerParams{ID: id.New(), Mail: to, AnsweredAt: tx.Now()}); err != nil {
		return fmt.Errorf("note an answer: %w", err)
	}
	return m.Mailer.Send(ctx, tx, words())
}

// reachable reports whether a mail to an address may be read by somebody.
func reachable(address string) bool { return letter.Answerable(address) && sendable(address) }

// sendable reports whether the outbox takes an address: people write odd ones into
// their mails.
func sendable(address string) bool {
	parsed, err := mail.ParseAddress(address)
	return err == nil && parsed.Address == address && len(address) <= 254 && campus.OneLine(address) == address
}

// acknowledgement says that a mail became a request.
func (m *Mailroom) acknowledgement(r *reading) mailer.Message {
	p := m.Texts.For(r.ticket.Locale)
	var more []string
	if r.hidden > 0 {
		more = append(more, p.T("helpdesk.mailroom.taken.hidden"))
	}
	for _, f := range r.files {
		if f.Refused != "" {
			more = append(more, p.T("helpdesk.mailroom.taken.refused", "name", f.Name, "why", p.T(f.Refused+".title")))
		}
	}
	if r.letter.Left > 0 {
		more = append(more, p.T("helpdesk.mailroom.taken.left"))
	}
	message := m.receipt(r.ticket, r.queue.Mail, p.T("helpdesk.mailroom.taken.text"), more)
	if message.Talk != nil {
		message.Talk.References = referable([]string{r.letter.MessageID})
	}
	return message
}

// receipt gives the requester of a new ticket its number and the promised time. The
// queue is the address that answers go to; empty when none can come back.
func (m *Mailroom) receipt(t ticket.Ticket, queue, text string, more []string) mailer.Message {
	p := m.Texts.For(t.Locale)
	after := []string{p.T("helpdesk.mailroom.taken.after")}
	if queue == "" {
		after = []string{p.T("helpdesk.mailroom.taken.after_page")}
	}
	if !t.AnswerDue.IsZero() {
		after = append([]string{p.T("helpdesk.mailroom.taken.promised", "at", p.Date(t.AnswerDue, i18n.Full))}, after...)
	}
	l := mailer.Letter{
		Locale: t.Locale, Greeting: p.T("helpdesk.mailroom.hello"), Before: append(more, text), Code: ticket.Spoken(t.Number),
		Label: p.T("helpdesk.mailroom.taken.label"), URL: m.LetterURL(t), After: after, Signature: m.signature(t.Locale),
	}
	message := l.Message("helpdesk.mail_taken", t.RequesterMail, m.subject(p, t))
	message.Talk = m.talk(t, queue, t.RequesterMail, id.New(), false)
	return message
}

// redirection leads to the workspace.
func (m *Mailroom) redirection(r *reading) mailer.Message { return m.lead(r, "redirected") }

// enough says that no more requests are taken from an address by mail today.
func (m *Mailroom) enough(r *reading) mailer.Message { return m.lead(r, "enough") }

// lead sends somebody to the workspace, in both languages: nothing says which one
// they read.
func (m *Mailroom) lead(r *reading, why string) mailer.Message {
	key := "helpdesk.mailroom." + why
	p := m.Texts.For(campus.French)
	l := mailer.Letter{
		Locale: campus.French, Greeting: p.T("helpdesk.mailroom.hello"), Before: []string{p.T(key + ".text"), m.Texts.For(campus.English).T(key + ".text")},
		Label: p.T(key + ".label"), URL: m.Base.JoinPath("/helpdesk").String(), Signature: m.signature(campus.French),
	}
	return l.Message("helpdesk.mail_"+why, r.letter.From.Address, p.T(key+".subject"))
}

// subject keeps the number where programs and people find it again.
func (m *Mailroom) subject(p *i18n.Printer, t ticket.Ticket) string {
	subject := inSubject.ReplaceAllString(t.Subject, "")
	if subject = campus.OneLine(subject); subject == "" {
		subject = p.T("helpdesk.mailroom.no_subject")
	}
	if runes := []rune(subject); len(runes) > 150 {
		subject = string(runes[:150]) + "…"
	}
	return "[#" + ticket.Spoken(t.Number) + "] " + subject
}

// talk makes a letter part of the conversation of a ticket; nil when there is no
// address that answers could go to.
func (m *Mailroom) talk(t ticket.Ticket, queue, recipient, name string, written bool) *mailer.Talk {
	if queue == "" {
		return nil
	}
	reply := replyAddress(m.Keys, queue, t.Number, recipient)
	talk := &mailer.Talk{From: m.signature(t.Locale), ReplyTo: reply, MessageID: letterName(m.Keys, name, queue, t.Number, recipient), Written: written}
	if m.config.Bounces {
		talk.Bounces = reply
	}
	return talk
}

// referable leaves out the names of mails that a header would break on.
func referable(list []string) []string {
	var kept []string
	for _, name := range list {
		if name != "" && len(name) <= 250 && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' }) {
			kept = append(kept, name)
		}
	}
	return kept
}
