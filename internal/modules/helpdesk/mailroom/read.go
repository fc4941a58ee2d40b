package mailroom

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/letter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/secretword"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
)

// What becomes of a mail. Each has a sentence below helpdesk.mailroom.outcome.
const (
	opened     = "opened"     // a new request
	followed   = "followed"   // a message in a request
	redirected = "redirected" // its author was led to the workspace
	noted      = "noted"      // a note among agents: an absence, a report of delivery
	leftAlone  = "left_alone" // a program sent it, and it belongs to no request
	looped     = "looped"     // it is ours
	tooMany    = "too_many"   // its author opened many today
	unreadable = "unreadable" // no mail at all
)

// reading is a mail on its way through the decision.
type reading struct {
	row    sqlgen.HelpdeskMail
	letter *letter.Letter
	queue  ticket.Queue
	ticket ticket.Ticket // that it belongs to; the zero Ticket for none
	theirs bool          // it comes from the requester, by an address that only they were given
	files  []ticket.Attachment
	hidden int // passwords that were hidden in its text
}

// read decides what becomes of a mail. It may run twice: the mail is settled in the
// transaction that acts on it.
func (m *Mailroom) read(ctx context.Context, job readMail) error {
	row, err := sqlgen.New(m.DB.Read()).Mail(ctx, job.ID)
	if errors.Is(err, sql.ErrNoRows) || err == nil && row.State != "waiting" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read a mail: %w", err)
	}
	r := &reading{row: row}
	raw, _, err := m.Files.Open(ctx, files.Ref(row.FileRef))
	if err != nil {
		return fmt.Errorf("open a mail: %w", err)
	}
	l, err := letter.Read(raw, m.config.MaxSize)
	if closeErr := raw.Close(); closeErr != nil {
		return fmt.Errorf("read a mail: %w", closeErr)
	}
	if errors.Is(err, letter.ErrMalformed) {
		r.letter = &letter.Letter{}
		return m.settle(ctx, r, unreadable, nil)
	}
	if err != nil {
		return err
	}
	r.letter = l
	l.Text, r.hidden = secretword.Mask(l.Text)
	if l.Folded != "" {
		var more int
		l.Folded, more = secretword.Mask(l.Folded)
		r.hidden += more
	}
	if r.queue, _, err = m.queueFor(ctx, row.EnvelopeTo); err != nil {
		return err
	}
	if err := m.thread(ctx, r); err != nil {
		return err
	}
	return m.decide(ctx, r)
}

// inSubject finds a tracking number that stands in a subject as our letters write it.
var inSubject = regexp.MustCompile(`\[#\s?(\d{4}\s?\d{4})\]`)

// thread finds the ticket that a mail belongs to: by the address it answers to, by
// the mails it refers to, or by the number in its subject when the sender has to do
// with that ticket.
func (m *Mailroom) thread(ctx context.Context, r *reading) error {
	sender := r.letter.From.Address
	_, mark := splitReply(r.row.EnvelopeTo)
	for _, to := range append([]string{r.row.EnvelopeTo}, r.letter.To...) {
		if _, found := splitReply(to); found != "" {
			mark = found
			break
		}
	}
	if number, theirs := readMark(m.Keys, mark, sender); number != "" {
		t, err := m.Tickets.ByNumber(ctx, number)
		if err != nil && !errors.Is(err, ticket.Missing) {
			return err
		}
		if theirs || err == nil && m.takesPart(ctx, t, sender) {
			r.ticket, r.theirs = t, theirs
		}
	}
	if r.ticket.ID == "" {
		t, err := m.byReferences(ctx, r.letter.References)
		if err != nil {
			return err
		}
		// A bounce comes from a mail server; anybody else has to belong there.
		if t.ID != "" && (r.letter.Kind == letter.Bounce || m.takesPart(ctx, t, sender)) {
			r.ticket = t
		}
	}
	if found := inSubject.FindStringSubmatch(r.letter.Subject); r.ticket.ID == "" && found != nil {
		if number, ok := ticket.ParseNumber(found[1]); ok {
			t, err := m.Tickets.ByNumber(ctx, number)
			if err != nil && !errors.Is(err, ticket.Missing) {
				return err
			}
			if err == nil && m.takesPart(ctx, t, sender) {
				r.ticket = t
			}
		}
	}
	return m.followMerged(ctx, r)
}

// followMerged goes on to the ticket that a merged one lives in.
func (m *Mailroom) followMerged(ctx context.Context, r *reading) error {
	for range 10 { // a chain, never a circle: a ticket is merged once
		if r.ticket.State != ticket.Merged || r.ticket.MergedInto == "" {
			return nil
		}
		t, err := m.Tickets.ByID(ctx, r.ticket.MergedInto)
		if err != nil {
			return err
		}
		r.ticket = t
	}
	return nil
}

// takesPart reports whether an address has to do with a ticket already.
func (m *Mailroom) takesPart(ctx context.Context, t ticket.Ticket, address string) bool {
	if t.ID == "" || address == "" {
		return false
	}
	if t.RequesterMail == address {
		return true
	}
	thread, err := m.Tickets.Thread(ctx, t.ID)
	if err != nil {
		m.Log.WarnContext(ctx, "read who takes part in a ticket", "error", err)
		return false
	}
	return slices.ContainsFunc(thread.Messages, func(said ticket.Message) bool { return !said.Internal && said.By.Mail == address })
}

// byReferences is the ticket of the nearest mail that is known.
func (m *Mailroom) byReferences(ctx context.Context, references []string) (ticket.Ticket, error) {
	for i := len(references) - 1; i >= 0; i-- {
		t, err := m.Tickets.ByMailID(ctx, references[i])
		if errors.Is(err, ticket.Missing) {
			continue
		}
		return t, err
	}
	return ticket.Ticket{}, nil
}

// closedFor is how long after its end a ticket still takes answers; a later one opens
// another.
const closedFor = 30 * 24 * time.Hour

// decide says what becomes of a mail, and does it.
func (m *Mailroom) decide(ctx context.Context, r *reading) error {
	l := r.letter
	ours, err := m.isOurs(ctx, l.From.Address)
	if err != nil {
		return err
	}
	switch {
	case ours && l.Kind != letter.Bounce:
		return m.settle(ctx, r, looped, nil)
	case l.Kind != letter.Written && r.ticket.ID != "":
		return m.note(ctx, r)
	case l.Kind != letter.Written || l.From.Address == "":
		return m.settle(ctx, r, leftAlone, nil)
	}
	if r.ticket.ID != "" && (!r.ticket.State.Over() || m.Clock.Now().Sub(r.ticket.ChangedAt) < closedFor) {
		return m.follow(ctx, r)
	}
	if m.config.Policy == PolicyRedirect {
		return m.settle(ctx, r, redirected, func(tx db.Tx) (string, error) { return "", m.answer(ctx, tx, r, m.redirection) })
	}
	return m.open(ctx, r)
}

// isOurs reports whether an address is one of the queues': a mail from it was sent by
// us, or by somebody who wants us to answer ourselves.
func (m *Mailroom) isOurs(ctx context.Context, address string) (bool, error) {
	_, ours, err := m.queueFor(ctx, address)
	return ours, err
}

// open makes a request of a mail.
func (m *Mailroom) open(ctx context.Context, r *reading) error {
	l := r.letter
	count, err := sqlgen.New(m.DB.Read()).OpenedBy(ctx, sqlgen.OpenedByParams{FromMail: l.From.Address, SinceAt: m.DB.Now().Add(-24 * time.Hour)})
	if err != nil {
		return fmt.Errorf("count the requests of an address: %w", err)
	}
	if count >= int64(m.config.PerDay) {
		return m.settle(ctx, r, tooMany, nil)
	}
	known, err := m.personOf(ctx, l.Author.Address)
	if err != nil {
		return err
	}
	if err := m.unpack(ctx, r); err != nil {
		return err
	}
	t := ticket.Ticket{
		Channel: ticket.ByMail, Subject: l.Subject, Locale: campus.French, Requester: known.ID, RequesterName: l.Author.Name, RequesterMail: l.Author.Address,
	}
	if known.ID != "" {
		t.RequesterName = campus.Viewer{GivenName: known.Subject.GivenName, FamilyName: known.Subject.FamilyName}.DisplayName()
		t.Locale = known.Subject.Locale
		if len(known.Subject.Affiliations) > 0 {
			t.Campus = known.Subject.Affiliations[0].Campus
		}
	}
	by := ticket.Actor{Role: ticket.Requester, Person: known.ID, Name: t.RequesterName, Mail: l.Author.Address}
	return m.settle(ctx, r, opened, func(tx db.Tx) (string, error) {
		made, err := m.Tickets.Open(ctx, tx, by, ticket.Opening{Ticket: t, Message: r.message()})
		if err != nil {
			return "", err
		}
		r.ticket = made
		if l.Forwarded && l.Author.Address != l.From.Address {
			if made, err = m.Tickets.Change(ctx, tx, made.ID, ticket.ByHouse, func(w *ticket.Work) error {
				w.Happened("mail_forwarded", "by", l.From.Address)
				return nil
			}); err != nil {
				return "", err
			}
		}
		return made.ID, m.answer(ctx, tx, r, m.acknowledgement)
	})
}

// follow adds what a mail says to its ticket.
func (m *Mailroom) follow(ctx context.Context, r *reading) error {
	if err := m.unpack(ctx, r); err != nil {
		return err
	}
	by := ticket.Actor{Role: ticket.Other, Name: r.letter.From.Name, Mail: r.letter.From.Address}
	if r.letter.From.Address == r.ticket.RequesterMail {
		by.Role, by.Person, by.Name = ticket.Requester, r.ticket.Requester, r.ticket.RequesterName
	}
	return m.settle(ctx, r, followed, func(tx db.Tx) (string, error) {
		t, err := m.Tickets.Change(ctx, tx, r.ticket.ID, by, func(w *ticket.Work) error {
			if w.Ticket.State == ticket.Merged {
				return ticket.WrongState // merged meanwhile: the job tries again
			}
			w.Say(r.message())
			return nil
		})
		return t.ID, err
	})
}

// note tells agents what a program sent about their ticket.
func (m *Mailroom) note(ctx context.Context, r *reading) error {
	if err := m.unpack(ctx, r); err != nil {
		return err
	}
	kind, address := "mail_automatic", r.letter.From.Address
	if r.letter.Kind == letter.Bounce {
		if kind, address = "mail_bounced", r.letter.Failed; r.letter.Again {
			kind = "mail_delayed"
		}
	}
	return m.settle(ctx, r, noted, func(tx db.Tx) (string, error) {
		t, err := m.Tickets.Change(ctx, tx, r.ticket.ID, ticket.ByHouse, func(w *ticket.Work) error {
			w.Note(r.message())
			w.Happened(kind, "address", address)
			return nil
		})
		return t.ID, err
	})
}

// message is what a mail says, as a ticket keeps it.
func (r *reading) message() ticket.Message {
	return ticket.Message{Channel: ticket.ByMail, Body: r.letter.Text, Folded: r.letter.Folded, MailID: r.letter.MessageID, Files: r.files}
}

// unpack takes the mail's files in. They are outside of any transaction: what a crash
// leaves behind is swept.
func (m *Mailroom) unpack(ctx context.Context, r *reading) error {
	p := m.Attached.Parcel()
	for _, f := range r.letter.Files {
		if err := p.Add(ctx, bytes.NewReader(f.Data), f.Name); err != nil {
			return err
		}
	}
	r.files = p.Files()
	return nil
}

// settle writes what became of a mail, in the transaction of what is done about it.
func (m *Mailroom) settle(ctx context.Context, r *reading, outcome string, act func(db.Tx) (string, error)) error {
	err := m.DB.InTx(ctx, func(tx db.Tx) error {
		belongs := r.ticket.ID
		if act != nil {
			var err error
			if belongs, err = act(tx); err != nil {
				return err
			}
		}
		n, err := sqlgen.New(tx).Settle(ctx, sqlgen.SettleParams{
			ID: r.row.ID, State: "done", Outcome: outcome, FromMail: strings.ToLower(r.letter.From.Address), Subject: r.letter.Subject, TicketID: belongs, ReadAt: tx.Now(),
		})
		if err == nil && n == 0 {
			return errTwice
		}
		return err
	})
	if errors.Is(err, errTwice) {
		return m.Attached.Drop(ctx, r.files)
	}
	if err != nil {
		return fmt.Errorf("decide about a mail: %w", errors.Join(err, m.Attached.Drop(ctx, r.files)))
	}
	m.Log.InfoContext(ctx, "a mail was read", "mail", r.row.ID, "outcome", outcome)
	return nil
}

// errTwice undoes what a second run of the job did.
var errTwice = errors.New("the mail was read already")
