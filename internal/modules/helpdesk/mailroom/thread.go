package mailroom

import (
	"context"
	"crypto/subtle"
	"errors"
	"regexp"
	"slices"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom/letter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
)

// inSubject finds a tracking number that stands in a subject as our letters write it.
var inSubject = regexp.MustCompile(`\[#\s?(\d{4}\s?\d{4})\]`)

// thread finds the ticket that a mail belongs to, and whether its sender proved that
// they belong there. Anybody can write any sender into a mail. Who answers to the
// marked address, or refers to a letter by its marked name, has that letter. By the
// names of other mails, or by the number in the subject, a mail finds its ticket only
// when its sender takes part already, and proves nothing: what it says is told as
// that of somebody else, and takes nothing up again.
func (m *Mailroom) thread(ctx context.Context, r *reading) error {
	marks := []string{}
	for _, to := range append([]string{r.row.EnvelopeTo}, r.letter.To...) {
		_, mark := splitReply(to)
		marks = append(marks, mark)
	}
	for _, name := range slices.Backward(r.letter.References) {
		marks = append(marks, markOf(name))
	}
	for _, mark := range marks {
		t, err := m.byMark(ctx, mark, r.letter.From.Address)
		if err != nil {
			return err
		}
		if t.ID != "" {
			r.ticket, r.proved, r.asker = t, true, t.RequesterMail
			return m.followMerged(ctx, r)
		}
	}
	t, err := m.byReferences(ctx, r.letter.References)
	if err != nil {
		return err
	}
	// A report of delivery comes from a mail server; anybody else has to take part.
	belongs := t.ID != "" && r.letter.Kind == letter.Bounce
	if !belongs {
		if belongs, err = m.takesPart(ctx, t, r.letter.From.Address); err != nil {
			return err
		}
	}
	if belongs {
		r.ticket = t
		return m.followMerged(ctx, r)
	}
	found := inSubject.FindStringSubmatch(r.letter.Subject)
	if found == nil {
		return nil
	}
	t, err = m.byNumber(ctx, found[1])
	if err != nil {
		return err
	}
	belongs, err = m.takesPart(ctx, t, r.letter.From.Address)
	if err != nil || !belongs {
		return err
	}
	r.ticket = t
	return m.followMerged(ctx, r)
}

// byMark is the ticket of a mark that we gave to the sender or to the requester; the
// zero Ticket for any other mark.
func (m *Mailroom) byMark(ctx context.Context, mark, sender string) (ticket.Ticket, error) {
	number, sum, ok := readMark(mark)
	if !ok {
		return ticket.Ticket{}, nil
	}
	t, err := m.byNumber(ctx, number)
	if err != nil || t.ID == "" {
		return ticket.Ticket{}, err
	}
	for _, given := range []string{sender, t.RequesterMail} {
		if given != "" && subtle.ConstantTimeCompare([]byte(sum), []byte(replySum(m.Keys, number, given))) == 1 {
			return t, nil
		}
	}
	return ticket.Ticket{}, nil
}

// byNumber is the ticket of a number; the zero Ticket when there is none.
func (m *Mailroom) byNumber(ctx context.Context, typed string) (ticket.Ticket, error) {
	number, ok := ticket.ParseNumber(typed)
	if !ok {
		return ticket.Ticket{}, nil
	}
	t, err := m.Tickets.ByNumber(ctx, number)
	if errors.Is(err, ticket.Missing) {
		return ticket.Ticket{}, nil
	}
	return t, err
}

// byReferences is the ticket of the nearest mail that is known; the zero Ticket when
// none is.
func (m *Mailroom) byReferences(ctx context.Context, references []string) (ticket.Ticket, error) {
	for _, name := range slices.Backward(references) {
		if name == "" {
			continue
		}
		t, err := m.Tickets.ByMailID(ctx, name)
		if errors.Is(err, ticket.Missing) {
			continue
		}
		return t, err
	}
	return ticket.Ticket{}, nil
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
func (m *Mailroom) takesPart(ctx context.Context, t ticket.Ticket, address string) (bool, error) {
	if t.ID == "" || address == "" || t.RequesterMail == address {
		return t.ID != "" && address != "", nil
	}
	thread, err := m.Tickets.Thread(ctx, t.ID)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(thread.Messages, func(said ticket.Message) bool { return !said.Internal && said.By.Mail == address }), nil
}
