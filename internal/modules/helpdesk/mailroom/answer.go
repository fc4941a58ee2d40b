package mailroom

import (
	"context"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/internal/sqlgen"
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

// answer sends a mail by a program to who wrote one, unless a program may have
// written it or it had many already.
func (m *Mailroom) answer(ctx context.Context, tx db.Tx, r *reading, words func(r *reading) (mailer.Message, error)) error {
	if !r.letter.MayAnswer() {
		return nil
	}
	to := r.letter.From.Address
	q := sqlgen.New(tx)
	had, err := q.Answered(ctx, sqlgen.AnsweredParams{Mail: to, SinceAt: tx.Now().Add(-answersWithin)})
	if err != nil || had >= mostAnswers {
		return err
	}
	if err := q.NoteAnswer(ctx, sqlgen.NoteAnswerParams{ID: id.New(), Mail: to, AnsweredAt: tx.Now()}); err != nil {
		return err
	}
	message, err := words(r)
	if err != nil {
		return err
	}
	return m.Mailer.Send(ctx, tx, message)
}

// acknowledgement says that a mail became a request.
func (m *Mailroom) acknowledgement(r *reading) (mailer.Message, error) {
	p := m.Texts.For(r.ticket.Locale)
	before := []string{p.T("helpdesk.mailroom.taken.text")}
	if !r.ticket.AnswerDue.IsZero() {
		before = append(before, p.T("helpdesk.mailroom.taken.promised", "at", p.Date(r.ticket.AnswerDue, i18n.Full)))
	}
	if r.hidden > 0 {
		before = append(before, p.T("helpdesk.mailroom.taken.hidden"))
	}
	for _, f := range r.files {
		if f.Refused != "" {
			before = append(before, p.T("helpdesk.mailroom.taken.refused", "name", f.Name, "why", p.T(f.Refused+".title")))
		}
	}
	l := mailer.Letter{
		Locale: r.ticket.Locale, Greeting: p.T("helpdesk.mailroom.hello"), Before: before, Code: ticket.Spoken(r.ticket.Number),
		Label: p.T("helpdesk.mailroom.taken.label"), URL: m.LetterURL(r.ticket), After: []string{p.T("helpdesk.mailroom.taken.after")}, Signature: m.signature(r.ticket.Locale),
	}
	message := l.Message("helpdesk.mail_taken", r.letter.From.Address, m.subject(p, r.ticket))
	message.Talk = m.talk(r.ticket, r.queue, r.letter.From.Address, id.New(), false)
	if message.Talk != nil && r.letter.MessageID != "" {
		message.Talk.References = referable([]string{r.letter.MessageID})
	}
	return message, nil
}

// redirection leads to the workspace.
func (m *Mailroom) redirection(r *reading) (mailer.Message, error) {
	p := m.Texts.For(campus.French)
	l := mailer.Letter{
		Locale: campus.French, Greeting: p.T("helpdesk.mailroom.hello"), Before: []string{p.T("helpdesk.mailroom.redirected.text"), m.Texts.For(campus.English).T("helpdesk.mailroom.redirected.text")},
		Label: p.T("helpdesk.mailroom.redirected.label"), URL: m.Base.JoinPath("/helpdesk").String(), Signature: m.signature(campus.French),
	}
	return l.Message("helpdesk.mail_redirected", r.letter.From.Address, p.T("helpdesk.mailroom.redirected.subject")), nil
}

func (m *Mailroom) signature(l campus.Locale) string {
	if l == campus.English && m.InstitutionEnglish != "" || m.InstitutionFrench == "" {
		return m.InstitutionEnglish
	}
	return m.InstitutionFrench
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

// talk makes a letter part of the conversation of a ticket; nil when its queue has no
// address that answers could go to.
func (m *Mailroom) talk(t ticket.Ticket, q ticket.Queue, recipient, name string, written bool) *mailer.Talk {
	if q.Mail == "" {
		return nil
	}
	_, domain, _ := strings.Cut(q.Mail, "@")
	return &mailer.Talk{ReplyTo: replyAddress(m.Keys, q.Mail, t.Number, recipient), MessageID: name + "@" + domain, Written: written}
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
