package mailroom

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/letter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/routing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// What becomes of a mail. Each has a sentence below helpdesk.mailroom.outcome.
const (
	opened     = "opened"     // a new request
	followed   = "followed"   // a message in a request
	redirected = "redirected" // its author was led to the workspace
	noted      = "noted"      // a note among agents: an absence, a report of delivery
	repeated   = "repeated"   // it arrived before, by another way
	leftAlone  = "left_alone" // a program sent it, and it belongs to no request
	looped     = "looped"     // it is ours
	tooMany    = "too_many"   // its author opened many today
	tooBig     = "too_big"    // it stays in its mailbox
	unreadable = "unreadable" // no mail at all
)

// outcomes lists them in the order of the page.
var outcomes = []string{opened, followed, redirected, noted, repeated, leftAlone, looped, tooMany, tooBig, unreadable}

// keepsFiles reports whether a message names the files of a mail with this outcome.
func keepsFiles(outcome string) bool {
	return outcome == opened || outcome == followed || outcome == noted
}

// canOpen reports whether somebody may make a request of a mail with this outcome.
func canOpen(outcome string) bool {
	return !keepsFiles(outcome) && outcome != tooBig && outcome != unreadable
}

// closedFor is how long after its end a ticket still takes answers; a later one opens
// another.
const closedFor = 30 * 24 * time.Hour

// twinWithin is how long after one another two deliveries of one mail may come.
const twinWithin = 3 * 24 * time.Hour

// decide says what becomes of a mail, and does it.
func (m *Mailroom) decide(ctx context.Context, r *reading) error {
	l := r.letter
	ours, err := m.isOurs(ctx, l)
	if err != nil {
		return err
	}
	switch {
	case ours && l.Kind != letter.Bounce:
		return m.settle(ctx, r, become(looped))
	case l.Kind != letter.Written && r.ticket.ID != "":
		return m.note(ctx, r)
	case l.Kind != letter.Written || l.From.Address == "":
		return m.settle(ctx, r, become(leftAlone))
	}
	if t := r.ticket; t.ID != "" && (!t.State.Over() || r.proved && m.Clock.Now().Sub(t.ChangedAt) < closedFor) {
		return m.follow(ctx, r)
	}
	if m.config.Policy == PolicyRedirect {
		return m.settle(ctx, r, func(tx db.Tx) (string, string, error) {
			return redirected, "", m.answer(ctx, tx, r.letter.From.Address, r, m.redirection)
		})
	}
	return m.open(ctx, r)
}

// isOurs reports whether a mail was sent by us, or by somebody who wants us to answer
// ourselves: it comes from a queue's address, or bears the name of a letter.
func (m *Mailroom) isOurs(ctx context.Context, l *letter.Letter) (bool, error) {
	if number, sum, ok := readMark(markOf(l.MessageID)); ok {
		t, err := m.byNumber(ctx, number)
		if err != nil || t.ID != "" && sum == replySum(m.Keys, number, t.RequesterMail) {
			return err == nil, err
		}
	}
	_, ours, err := m.queueFor(ctx, l.From.Address)
	return ours, err
}

// open makes a request of a mail.
func (m *Mailroom) open(ctx context.Context, r *reading) error {
	l := r.letter
	known, err := m.personOf(ctx, r.author.Address)
	if err != nil {
		return err
	}
	if err := m.unpack(ctx, r); err != nil {
		return err
	}
	t := ticket.Ticket{
		Channel: ticket.ByMail, Subject: l.Subject, Locale: campus.French, Requester: known.ID, RequesterName: r.author.Name, RequesterMail: r.author.Address,
	}
	if r.queue.Team != routing.General { // what goes to the address of a team goes to that team; the rules place the rest
		t.Queue = r.queue.ID
	}
	if known.ID != "" {
		t.RequesterName = campus.Viewer{GivenName: known.Subject.GivenName, FamilyName: known.Subject.FamilyName}.DisplayName()
		if known.Subject.Locale != "" {
			t.Locale = known.Subject.Locale
		}
		if len(known.Subject.Affiliations) > 0 {
			t.Campus = known.Subject.Affiliations[0].Campus
		}
	}
	before := r.ticket // that was over
	by := ticket.Actor{Role: ticket.Requester, Person: known.ID, Name: t.RequesterName, Mail: r.author.Address}
	return m.settle(ctx, r, func(tx db.Tx) (string, string, error) {
		if outcome, belongs, err := m.notNew(ctx, tx, r); outcome != "" || err != nil {
			return outcome, belongs, err
		}
		made, err := m.Tickets.Open(ctx, tx, by, ticket.Opening{Ticket: t, Message: r.message()})
		if err != nil {
			return "", "", err
		}
		if r.author.Address != l.From.Address || before.ID != "" {
			if made, err = m.Tickets.Change(ctx, tx, made.ID, ticket.ByHouse, func(w *ticket.Work) error {
				if r.author.Address != l.From.Address {
					w.Happened("mail_forwarded", "by", l.From.Address)
				}
				if before.ID != "" {
					w.Happened("mail_after", "number", ticket.Spoken(before.Number))
				}
				return nil
			}); err != nil {
				return "", "", err
			}
		}
		r.ticket = made
		return opened, made.ID, m.answer(ctx, tx, r.author.Address, r, m.acknowledgement)
	})
}

// notNew is the outcome of a mail that opens nothing: it is here already, or its
// author opened many today. An empty outcome lets it open.
func (m *Mailroom) notNew(ctx context.Context, tx db.Tx, r *reading) (outcome, belongs string, err error) {
	if r.byHand {
		return "", "", nil
	}
	if twin, belongs, err := m.twinOf(ctx, tx, r); twin || err != nil {
		return repeated, belongs, err
	}
	from := clipped(r.letter.From.Address, 254)
	count, err := sqlgen.New(tx).OpenedBy(ctx, sqlgen.OpenedByParams{FromMail: from, SinceAt: tx.Now().Add(-24 * time.Hour)})
	if err != nil {
		return "", "", fmt.Errorf("count the requests of an address: %w", err)
	}
	if count >= int64(m.config.PerDay) {
		return tooMany, "", m.answer(ctx, tx, r.letter.From.Address, r, m.enough)
	}
	return "", "", nil
}

// twinOf finds a mail that is the same: of the same name, sender and subject. One mail
// to two queues is two deliveries; programs that give all their mails one name write
// different subjects.
func (m *Mailroom) twinOf(ctx context.Context, tx db.Tx, r *reading) (found bool, belongs string, err error) {
	name := r.messageID()
	if name == "" {
		return false, "", nil
	}
	twins, err := sqlgen.New(tx).Twin(ctx, sqlgen.TwinParams{
		MessageID: name, FromMail: clipped(r.letter.From.Address, 254), Subject: r.letter.Subject, SinceAt: tx.Now().Add(-twinWithin),
	})
	if err != nil {
		return false, "", fmt.Errorf("look whether a mail is here already: %w", err)
	}
	if len(twins) == 0 {
		return false, "", nil
	}
	return true, twins[0], nil
}

// follow adds what a mail says to its ticket.
func (m *Mailroom) follow(ctx context.Context, r *reading) error {
	if err := m.unpack(ctx, r); err != nil {
		return err
	}
	by := ticket.Actor{Role: ticket.Other, Name: r.letter.From.Name, Mail: r.letter.From.Address}
	// A letter about a ticket that was merged into this one proves nothing about its
	// requester, unless they are the same.
	if r.proved && r.asker == r.ticket.RequesterMail && r.letter.From.Address == r.ticket.RequesterMail {
		by.Role, by.Person, by.Name = ticket.Requester, r.ticket.Requester, r.ticket.RequesterName
	}
	return m.settle(ctx, r, func(tx db.Tx) (string, string, error) {
		if twin, belongs, err := m.twinOf(ctx, tx, r); twin || err != nil {
			return repeated, belongs, err
		}
		t, err := m.Tickets.Change(ctx, tx, r.ticket.ID, by, func(w *ticket.Work) error {
			if w.Ticket.State == ticket.Merged || w.Ticket.State.Over() && !r.proved {
				return ticket.WrongState // it ended meanwhile: the job tries again
			}
			w.Say(r.message())
			if !r.proved {
				w.Happened("mail_unproved", "address", r.letter.From.Address)
			}
			return nil
		})
		return followed, t.ID, err
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
	return m.settle(ctx, r, func(tx db.Tx) (string, string, error) {
		t, err := m.Tickets.Change(ctx, tx, r.ticket.ID, ticket.ByHouse, func(w *ticket.Work) error {
			w.Note(r.message())
			w.Happened(kind, "address", address)
			return nil
		})
		return noted, t.ID, err
	})
}

// openByHand makes a request of a mail that was left alone, because somebody who runs
// the desk says so. It answers the ticket.
func (m *Mailroom) openByHand(ctx context.Context, name string) (ticket.Ticket, error) {
	row, err := m.mail(ctx, name)
	if err != nil {
		return ticket.Ticket{}, err
	}
	if row.State != "done" || row.TicketID != "" || !canOpen(row.Outcome) || row.FileRef == "" {
		return ticket.Ticket{}, MailSettled
	}
	r := &reading{row: row, byHand: true}
	if err := m.openLetter(ctx, r); err != nil {
		return ticket.Ticket{}, err
	}
	if err := m.open(ctx, r); err != nil {
		return ticket.Ticket{}, err
	}
	return r.ticket, nil
}
