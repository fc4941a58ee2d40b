package ticket

import (
	"context"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Past is a ticket that another program kept: its own times, and what was said in it
// with its own times and authors.
type Past struct {
	Ticket   Ticket // without ID and number; Queue, State and OpenedAt are needed
	Messages []Message
	Facts    []Fact
}

// TakeOver keeps a ticket of another program, with everything that was said. Its
// identifiers stand in the order of its own times, so that lists and searches show it
// where it belongs. Nothing is promised, and nobody who follows hears of it: the
// caller makes it known by its words.
func (x *Tickets) TakeOver(ctx context.Context, tx db.Tx, p Past) (Ticket, Thread, error) {
	t := p.Ticket
	t.ID, t.Channel, t.Version = id.At(t.OpenedAt), ByImport, 1
	t.Subject, t.RequesterMail = campus.OneLine(t.Subject), strings.ToLower(strings.TrimSpace(t.RequesterMail))
	t.AnswerDue, t.SolveDue = time.Time{}, time.Time{}
	if t.Priority == 0 {
		t.Priority = Normal
	}
	if t.Area == "" {
		t.Area = AreaOther
	}
	if t.ChangedAt.Before(t.OpenedAt) {
		t.ChangedAt = t.OpenedAt
	}
	number, err := freeNumber(ctx, tx)
	if err != nil {
		return Ticket{}, Thread{}, err
	}
	t.Number, t.Messages, t.LastBy = number, len(p.Messages), Requester
	asker := Actor{Role: Requester, Person: t.Requester}
	thread := Thread{Facts: p.Facts, Events: []Event{{ID: id.At(t.OpenedAt), Ticket: t.ID, At: t.OpenedAt, By: asker, Kind: "opened", Facts: map[string]string{"channel": string(ByImport)}}}}
	for _, m := range p.Messages {
		if m.At.Before(t.OpenedAt) {
			m.At = t.OpenedAt
		}
		m.ID, m.Ticket = id.At(m.At), t.ID
		if m.Channel == "" {
			m.Channel = ByImport
		}
		for i := range m.Files {
			m.Files[i].ID, m.Files[i].Message = id.At(m.At), m.ID
		}
		switch {
		case m.Internal:
		case m.By.Role == Agent:
			t.LastBy = Agent
			if t.AnsweredAt.IsZero() {
				t.AnsweredAt = m.At
			}
		default:
			t.LastBy = Requester
		}
		thread.Messages = append(thread.Messages, m)
	}
	w := &Work{Ticket: t, now: t.OpenedAt, messages: thread.Messages, events: thread.Events, facts: p.Facts}
	if err := keep(ctx, tx, w); err != nil {
		return Ticket{}, Thread{}, err
	}
	return t, thread, nil
}
