package mailroom

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/letter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/secretword"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/files"
)

// reading is a mail on its way through the decision.
type reading struct {
	row    sqlgen.HelpdeskMail
	letter *letter.Letter
	queue  ticket.Queue
	ticket ticket.Ticket // that it belongs to; the zero Ticket for none
	proved bool          // its sender has a letter of ours
	asker  string        // address that this letter went to
	byHand bool          // somebody wants a request of it, whatever sent it
	author mail.Address  // who asks: the sender, or who wrote what was forwarded
	body   string        // what it says, passwords hidden
	folded string        // quotations and signature
	files  []ticket.Attachment
	hidden int // passwords that were hidden
}

// read decides what becomes of a mail. It may run twice: the mail is settled in the
// transaction that acts on it. Why it could not be read stands beside it until it is.
func (m *Mailroom) read(ctx context.Context, job readMail) error {
	row, err := sqlgen.New(m.DB.Read()).Mail(ctx, job.ID)
	if errors.Is(err, sql.ErrNoRows) || err == nil && row.State != "waiting" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read a mail: %w", err)
	}
	problem := m.readRow(ctx, &reading{row: row})
	if problem == nil {
		return nil
	}
	err = m.DB.InTx(ctx, func(tx db.Tx) error {
		return sqlgen.New(tx).NoteProblem(ctx, sqlgen.NoteProblemParams{ID: row.ID, Problem: fault.Of(problem).Reason.Code()})
	})
	return errors.Join(problem, err)
}

func (m *Mailroom) readRow(ctx context.Context, r *reading) error {
	err := m.openLetter(ctx, r)
	if errors.Is(err, letter.ErrMalformed) {
		r.letter = &letter.Letter{}
		return m.settle(ctx, r, become(unreadable))
	}
	if err != nil {
		return err
	}
	if err := m.thread(ctx, r); err != nil {
		return err
	}
	return m.decide(ctx, r)
}

// openLetter reads a mail as it was kept.
func (m *Mailroom) openLetter(ctx context.Context, r *reading) error {
	raw, _, err := m.Files.Open(ctx, files.Ref(r.row.FileRef))
	if err != nil {
		return fmt.Errorf("open a mail: %w", err)
	}
	l, err := letter.Read(raw, m.config.MaxSize)
	if closeErr := raw.Close(); closeErr != nil {
		return fmt.Errorf("read a mail: %w", closeErr)
	}
	if err != nil {
		return err
	}
	r.letter = l
	if r.queue, _, err = m.queueFor(ctx, r.row.EnvelopeTo); err != nil {
		return err
	}
	return m.attribute(ctx, r)
}

// attribute says who asks, and what. Only those who work here are believed when they
// say that somebody else wrote what they forward; a forward by anybody else is about
// what they wrote above it.
func (m *Mailroom) attribute(ctx context.Context, r *reading) error {
	l := r.letter
	r.author, r.body, r.folded = l.From, l.Text, l.Folded
	if l.Forwarded && l.Author.Address != l.From.Address {
		believed, err := m.mayForward(ctx, l)
		if err != nil {
			return err
		}
		switch {
		case believed:
			r.author = l.Author
		case l.Above != "":
			r.body, r.folded = l.Above, strings.TrimSpace(l.Text+"\n\n"+strings.TrimSpace(strings.TrimSuffix(l.Folded, l.Above)))
		}
	}
	r.body, r.hidden = secretword.Mask(r.body)
	if r.folded != "" {
		var more int
		r.folded, more = secretword.Mask(r.folded)
		r.hidden += more
	}
	return nil
}

// mayForward reports whether the sender of a forwarded mail is believed about its
// author: agents and staff are.
func (m *Mailroom) mayForward(ctx context.Context, l *letter.Letter) (bool, error) {
	if !sendable(l.Author.Address) {
		return false, nil
	}
	if _, ours, err := m.queueFor(ctx, l.Author.Address); err != nil || ours {
		return false, err
	}
	who, err := m.personOf(ctx, l.From.Address)
	if err != nil {
		return false, err
	}
	if who.HoldsRights {
		return true, nil
	}
	for _, a := range who.Subject.Affiliations {
		if a.Kind == campus.Staff {
			return true, nil
		}
	}
	return false, nil
}

// message is what a mail says, as a ticket keeps it.
func (r *reading) message() ticket.Message {
	return ticket.Message{Channel: ticket.ByMail, Body: r.body, Folded: r.folded, MailID: r.messageID(), Files: r.files}
}

// messageID is the mail's name, as far as the tables take it.
func (r *reading) messageID() string { return clipped(r.letter.MessageID, 250) }

// clipped is a text of strangers as a column takes it: on one line, at most so many
// bytes.
func clipped(text string, most int) string {
	text = campus.OneLine(strings.ToValidUTF8(text, ""))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}

// unpack takes the mail's files in. They are outside of any transaction: what a crash
// leaves behind is swept.
func (m *Mailroom) unpack(ctx context.Context, r *reading) error {
	p := m.Attached.Parcel()
	for _, f := range r.letter.Files {
		if err := p.Add(ctx, bytes.NewReader(f.Data), f.Name); err != nil {
			return errors.Join(err, m.Attached.Drop(ctx, p.Files()))
		}
	}
	r.files = p.Files()
	return nil
}

// become is an act that does nothing but say what the mail became.
func become(outcome string) func(db.Tx) (string, string, error) {
	return func(db.Tx) (string, string, error) { return outcome, "", nil }
}

// settle does something about a mail, and writes what became of it in the same
// transaction: its outcome and the ticket that it belongs to.
func (m *Mailroom) settle(ctx context.Context, r *reading, act func(db.Tx) (outcome, belongs string, err error)) error {
	var outcome string
	err := m.DB.InTx(ctx, func(tx db.Tx) error {
		var belongs string
		var err error
		if outcome, belongs, err = act(tx); err != nil {
			return err
		}
		q := sqlgen.New(tx)
		var n int64
		if r.byHand {
			n, err = q.Resettle(ctx, sqlgen.ResettleParams{ID: r.row.ID, Outcome: outcome, TicketID: belongs, ReadAt: tx.Now()})
		} else {
			n, err = q.Settle(ctx, sqlgen.SettleParams{
				ID: r.row.ID, Outcome: outcome, FromMail: clipped(strings.ToLower(r.letter.From.Address), 254), Subject: r.letter.Subject, MessageID: r.messageID(),
				TicketID: belongs, ReadAt: tx.Now(),
			})
		}
		if err == nil && n == 0 {
			return errTwice
		}
		return err
	})
	twice := errors.Is(err, errTwice)
	if twice {
		if err = nil; r.byHand {
			err = MailSettled // somebody else was quicker
		}
	}
	if err != nil || twice || !keepsFiles(outcome) {
		err = errors.Join(err, m.Attached.Drop(ctx, r.files))
	}
	if err != nil {
		return fmt.Errorf("decide about a mail: %w", err)
	}
	if twice {
		return nil
	}
	m.Log.InfoContext(ctx, "a mail was read", "mail", r.row.ID, "outcome", outcome)
	return nil
}

// errTwice undoes what a second run of the job did.
var errTwice = errors.New("the mail was read already")
