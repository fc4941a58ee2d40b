package ticket

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Work is one change of a ticket in the making. Its methods say what is done; what
// is written are the differences, and an event for each. The zero time is never
// passed: time stands still during a transaction.
type Work struct {
	Ticket Ticket // as it will be
	before Ticket
	by     Actor
	now    time.Time

	messages []Message
	events   []Event
	facts    []Fact

	redactions []redaction
}

// Before is the ticket as it was; the zero Ticket when it is being opened.
func (w *Work) Before() Ticket { return w.before }

// By is who acts.
func (w *Work) By() Actor { return w.by }

// Now is the time of the transaction.
func (w *Work) Now() time.Time { return w.now }

// Happened adds an event, with pairs of fact and value.
func (w *Work) Happened(kind string, pairs ...string) {
	e := Event{ID: id.New(), Ticket: w.Ticket.ID, At: w.now, By: w.by, Kind: kind}
	for i := 0; i+1 < len(pairs); i += 2 {
		if e.Facts == nil {
			e.Facts = map[string]string{}
		}
		e.Facts[pairs[i]] = pairs[i+1]
	}
	w.events = append(w.events, e)
}

// Expect answers [Changed] when the ticket is no longer the version that the actor
// read; 0 is any.
func (w *Work) Expect(version int64) error {
	if version != 0 && version != w.before.Version {
		return Changed
	}
	return nil
}

// Say adds a message for everybody. The requester's brings the ticket back to the
// desk; an agent's is the first answer.
func (w *Work) Say(m Message) {
	m.Internal = false
	w.add(m)
	switch w.by.Role {
	case Agent:
		if w.Ticket.AnsweredAt.IsZero() {
			w.Ticket.AnsweredAt = w.now
		}
		if w.Ticket.State == New {
			w.become(Open)
		}
		w.Ticket.LastBy = Agent
	case Requester, Other:
		if w.Ticket.State.Over() && w.Ticket.State != Merged {
			w.Reopen()
		} else if w.Ticket.State == Waiting || w.Ticket.State == Postponed {
			w.become(Open)
		}
		w.Ticket.LastBy = Requester
	}
}

// Note adds a message for agents alone.
func (w *Work) Note(m Message) {
	m.Internal = true
	w.add(m)
}

func (w *Work) add(m Message) {
	m.ID, m.Ticket, m.At, m.By = id.New(), w.Ticket.ID, w.now, w.by
	if m.Channel == "" {
		m.Channel = ByPortal
	}
	for i := range m.Files {
		m.Files[i].ID, m.Files[i].Message = id.New(), m.ID
	}
	w.messages = append(w.messages, m)
	w.Ticket.Messages++
}

// become changes the state, and the times that go with it.
func (w *Work) become(s State) {
	from := w.Ticket.State
	if from == s {
		return
	}
	t := &w.Ticket
	t.State = s
	t.WaitingSince, t.PostponedUntil = time.Time{}, time.Time{}
	switch s {
	case Waiting, Postponed:
		t.WaitingSince = w.now
	case Solved:
		t.SolvedAt = w.now
	case Closed, Merged:
		t.ClosedAt = w.now
		if t.SolvedAt.IsZero() {
			t.SolvedAt = w.now
		}
	case New, Open:
		t.SolvedAt, t.ClosedAt = time.Time{}, time.Time{}
	}
	w.Happened("state", "from", string(from), "to", string(s))
}

// Wait gives the ticket to the person: promised times stand still.
func (w *Work) Wait() error { return w.leave(Waiting, New, Open, Postponed) }

// Take brings the ticket to the desk.
func (w *Work) Take() error { return w.leave(Open, New, Waiting, Postponed) }

// Solve ends the work; the person can say that it is not solved.
func (w *Work) Solve() error { return w.leave(Solved, New, Open, Waiting, Postponed) }

// Close ends the ticket.
func (w *Work) Close() error { return w.leave(Closed, New, Open, Waiting, Postponed, Solved) }

// Postpone puts the ticket off until a time.
func (w *Work) Postpone(until time.Time) error {
	if w.Ticket.State == Postponed {
		w.Ticket.PostponedUntil = until
		return nil
	}
	if err := w.leave(Postponed, New, Open, Waiting); err != nil {
		return err
	}
	w.Ticket.PostponedUntil = until
	return nil
}

// Reopen takes a finished ticket up again.
func (w *Work) Reopen() {
	w.Ticket.Reopened++
	w.become(Open)
}

// Undo takes a change of state back: it is as if it had not been made.
func (w *Work) Undo(to State) error {
	if w.Ticket.State == Merged {
		return WrongState
	}
	w.become(to)
	return nil
}

// MergeInto ends the ticket in favour of another one.
func (w *Work) MergeInto(other string) error {
	if other == w.Ticket.ID {
		return WrongState
	}
	if err := w.leave(Merged, New, Open, Waiting, Postponed, Solved, Closed); err != nil {
		return err
	}
	w.Ticket.MergedInto = other
	return nil
}

// leave changes the state when it is one of those it can be left from; what is in
// the state already stays so.
func (w *Work) leave(to State, from ...State) error {
	if w.Ticket.State != to && !slices.Contains(from, w.Ticket.State) {
		return WrongState
	}
	w.become(to)
	return nil
}

// Assign gives the ticket to an agent, or to nobody.
func (w *Work) Assign(who campus.PersonID) {
	if w.Ticket.Assignee != who {
		w.Happened("assigned", "from", string(w.Ticket.Assignee), "to", string(who))
		w.Ticket.Assignee = who
	}
}

// Move puts the ticket in another queue; nobody has it there yet.
func (w *Work) Move(queue string, why ...Because) {
	if w.Ticket.Queue != queue {
		w.Happened("moved", "from", w.Ticket.Queue, "to", queue)
		w.Ticket.Queue, w.Ticket.Assignee, w.Ticket.Routed = queue, "", why
	}
}

// Prioritise changes the priority.
func (w *Work) Prioritise(p Priority, why ...Because) {
	if w.Ticket.Priority != p {
		w.Happened("priority", "from", strconv.Itoa(int(w.Ticket.Priority)), "to", strconv.Itoa(int(p)))
		w.Ticket.Priority = p
		w.Ticket.Routed = append(w.Ticket.Routed, why...)
	}
}

// Spend counts time that an agent worked on it.
func (w *Work) Spend(d time.Duration) {
	if d > 0 {
		w.Ticket.Spent += d
		w.Happened("spent", "minutes", strconv.Itoa(int(d.Minutes())))
	}
}

// Rate keeps the person's answer to "did this solve it?". A "no" takes the ticket
// up again.
func (w *Work) Rate(r Rating, words string) {
	w.Ticket.Rating, w.Ticket.RatingWords, w.Ticket.RatedAt = r, strings.TrimSpace(words), w.now
	w.Happened("rated", "rating", strconv.Itoa(int(r)))
	if r == RatedNo && w.Ticket.State.Over() && w.Ticket.State != Merged {
		w.Reopen()
	}
}

// idle reports whether nothing was done.
func (w *Work) idle() bool {
	return len(w.messages) == 0 && len(w.events) == 0 && reflect.DeepEqual(w.Ticket, w.before)
}

// Happening is a change that was written, as followers hear of it.
type Happening struct {
	Before   Ticket // zero when the ticket was opened
	After    Ticket
	By       Actor
	Messages []Message
	Events   []Event
}

// Opened reports whether the ticket is new.
func (h Happening) Opened() bool { return h.Before.ID == "" }

// Placer finds the queue and the priority of a ticket that is being opened.
type Placer interface {
	Place(ctx context.Context, tx db.Tx, t *Ticket) error
}

// Promiser sets the promised times of a ticket that is about to be written, and
// counts what it waited for the person. The zero before is a ticket that is being
// opened.
type Promiser interface {
	Promise(ctx context.Context, tx db.Tx, before Ticket, after *Ticket) error
}

// Follower hears of every change, in its transaction: it takes note or enqueues a
// job, and does nothing slow.
type Follower interface {
	TicketChanged(ctx context.Context, tx db.Tx, h Happening) error
}

// Opening is a ticket to be opened: what is known, the first message and the facts
// that the house filled in.
type Opening struct {
	Ticket  Ticket // without ID, number, state and times
	Message Message
	Facts   []Fact
}

// Open opens a ticket: its place and its promised times are found, and everybody
// who follows hears of it.
func (x *Tickets) Open(ctx context.Context, tx db.Tx, by Actor, o Opening) (Ticket, error) {
	now := tx.Now().Time()
	t := o.Ticket
	t.ID, t.State, t.OpenedAt, t.LastBy, t.Version = id.New(), New, now, Requester, 0
	if t.Priority == 0 {
		t.Priority = Normal
	}
	if t.Area == "" {
		t.Area = AreaOther
	}
	t.Subject, t.RequesterMail = campus.OneLine(t.Subject), strings.ToLower(strings.TrimSpace(t.RequesterMail))
	number, err := freeNumber(ctx, tx)
	if err != nil {
		return Ticket{}, err
	}
	t.Number = number
	if t.Queue == "" {
		if err := x.placer.Place(ctx, tx, &t); err != nil {
			return Ticket{}, fmt.Errorf("place a ticket: %w", err)
		}
	}
	w := &Work{Ticket: t, by: by, now: now, facts: o.Facts}
	w.Happened("opened", "channel", string(t.Channel))
	w.add(o.Message)
	if by.Role == Agent && !o.Message.Internal && o.Message.Channel != ByPhone && o.Message.Channel != AtDesk {
		w.Ticket.AnsweredAt = now
	}
	return x.write(ctx, tx, w)
}

// Change changes a ticket by what do says. It runs in the caller's transaction, so
// do may run twice.
func (x *Tickets) Change(ctx context.Context, tx db.Tx, ticket string, by Actor, do func(*Work) error) (Ticket, error) {
	before, err := byID(ctx, tx, ticket)
	if err != nil {
		return Ticket{}, err
	}
	w := &Work{Ticket: before, before: before, by: by, now: tx.Now().Time()}
	if err := do(w); err != nil {
		return Ticket{}, err
	}
	if w.idle() {
		return before, nil
	}
	return x.write(ctx, tx, w)
}

// write keeps the ticket as the work left it, and tells those who follow.
func (x *Tickets) write(ctx context.Context, tx db.Tx, w *Work) (Ticket, error) {
	if err := x.promiser.Promise(ctx, tx, w.before, &w.Ticket); err != nil {
		return Ticket{}, fmt.Errorf("promise a time: %w", err)
	}
	w.Ticket.ChangedAt = w.now
	w.Ticket.Version++
	if err := keep(ctx, tx, w); err != nil {
		return Ticket{}, err
	}
	h := Happening{Before: w.before, After: w.Ticket, By: w.by, Messages: w.messages, Events: w.events}
	for _, f := range x.followers {
		if err := f.TicketChanged(ctx, tx, h); err != nil {
			return Ticket{}, fmt.Errorf("follow a ticket: %w", err)
		}
	}
	return w.Ticket, nil
}
