package counter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Wish is an appointment that somebody wants to take.
type Wish struct {
	Code, Purpose string
	At            time.Time
	Person        campus.PersonID // empty for nobody that the house knows
	Name, Mail    string
	Locale        campus.Locale
	Words         string // what it is about
	Number        string // of a request of theirs that it is for; empty opens one
}

// free lists the times of a day, some of which are taken.
func (x *Reception) free(ctx context.Context, d Desk, calendar *hours.Calendar, day hours.Date) ([]Slot, error) {
	now := x.Clock.Now()
	today := hours.DateIn(now, calendar.Zone())
	if day < today || day > lastDay(d.Counter, today) {
		return nil, nil
	}
	list, err := x.appointments(ctx, d.Code, midnight(day, calendar.Zone()).Add(-d.Length()), midnight(day+1, calendar.Zone()))
	if err != nil {
		return nil, err
	}
	return slotsOf(d.Counter, calendar, day, now, takenBy(list)), nil
}

// takenBy are the times that appointments take.
func takenBy(list []Visit) []busy {
	var taken []busy
	for _, v := range list {
		if slices.Contains([]State{Booked, Waiting, Called, Serving}, v.State) {
			taken = append(taken, busy{v.Begins, v.Ends})
		}
	}
	return taken
}

// nextFree are the first days with a free time from a day on, at most so many.
func (x *Reception) nextFree(ctx context.Context, d Desk, calendar *hours.Calendar, from hours.Date, most int) ([]hours.Date, error) {
	now := x.Clock.Now()
	today := hours.DateIn(now, calendar.Zone())
	last := lastDay(d.Counter, today)
	list, err := x.appointments(ctx, d.Code, midnight(today-1, calendar.Zone()), midnight(last+1, calendar.Zone()))
	if err != nil {
		return nil, err
	}
	taken := takenBy(list)
	var days []hours.Date
	for day := max(from, today); day <= last && len(days) < most; day++ {
		if len(slotsOf(d.Counter, calendar, day, now, taken)) > 0 {
			days = append(days, day)
		}
	}
	return days, nil
}

// hold makes sure that an appointment may be at a time: it is one of those that
// opening hours give, a place is left, and its person has no other for the same
// reason. From here on, other appointments at the counter wait for the transaction.
func (x *Reception) hold(ctx context.Context, tx db.Tx, d Desk, calendar *hours.Calendar, v Visit) error {
	q := sqlgen.New(tx)
	if err := q.TouchBook(ctx, d.Code); err != nil {
		return fmt.Errorf("open the book of a counter: %w", err)
	}
	now := tx.Now().Time()
	day, today := hours.DateIn(v.Begins, calendar.Zone()), hours.DateIn(now, calendar.Zone())
	offered := day <= lastDay(d.Counter, today) && slices.ContainsFunc(slotsOf(d.Counter, calendar, day, now, nil), func(s Slot) bool { return s.Begins.Equal(v.Begins) })
	if !offered {
		return Taken
	}
	others, err := q.Overlapping(ctx, sqlgen.OverlappingParams{CounterID: d.Code, FromAt: db.At(v.Begins), UntilAt: db.At(v.Ends), But: v.ID})
	if err != nil {
		return fmt.Errorf("count appointments: %w", err)
	}
	if others >= int64(d.AtOnce) {
		return Taken
	}
	same, err := q.OpenOf(ctx, sqlgen.OpenOfParams{
		CounterID: d.Code, Purpose: v.Purpose, AfterAt: tx.Now(), But: v.ID, PersonID: string(v.Person), Mail: v.Mail, Phone: v.Phone,
	})
	if err != nil {
		return fmt.Errorf("count appointments: %w", err)
	}
	if same > 0 {
		return Already
	}
	return nil
}

// book takes an appointment: it opens a request or goes with one that there is, and
// confirms by letter. It answers [Taken] when the last place went to somebody else.
func (x *Reception) book(ctx context.Context, tx db.Tx, w Wish) (Visit, error) {
	d, err := x.counters.One(ctx, w.Code)
	if err != nil {
		return Visit{}, err
	}
	purpose, ok := d.Purpose(w.Purpose)
	if !ok {
		return Visit{}, Missing
	}
	calendar, err := x.Calendars.ByID(ctx, d.Calendar)
	if err != nil {
		return Visit{}, err
	}
	v := Visit{
		ID: id.New(), Counter: d.Code, Series: byAppointment, Day: hours.DateIn(w.At, calendar.Zone()).String(), Purpose: w.Purpose, State: Booked,
		Begins: w.At, Ends: w.At.Add(d.Length()), Person: w.Person, Name: w.Name, Mail: strings.ToLower(w.Mail), Locale: w.Locale,
	}
	if err := x.hold(ctx, tx, d, calendar, v); err != nil {
		return Visit{}, err
	}
	by := ticket.Actor{Role: ticket.Requester, Person: w.Person, Name: w.Name, Mail: w.Mail}
	if v.Ticket, v.Opened, err = x.ticketFor(ctx, tx, d, purpose, by, w); err != nil {
		return Visit{}, err
	}
	if v, err = insert(ctx, tx, v); err != nil {
		return Visit{}, err
	}
	if err := x.happened(ctx, tx, v, by, "booked", d, calendar); err != nil {
		return Visit{}, err
	}
	if err := x.tell(ctx, tx, "booked", v); err != nil {
		return Visit{}, err
	}
	return v, x.remindLater(ctx, tx, v, calendar)
}

// ticketFor is the request of an appointment: one of the person's that is not over,
// or a new one.
func (x *Reception) ticketFor(ctx context.Context, tx db.Tx, d Desk, p Purpose, by ticket.Actor, w Wish) (ticketID string, opened bool, err error) {
	if w.Number != "" {
		found, err := x.Tickets.ByNumber(ctx, w.Number)
		if err != nil && !errors.Is(err, ticket.Missing) {
			return "", false, err
		}
		if err != nil || found.State.Over() || !owns(found, w) {
			return "", false, Missing
		}
		if w.Words != "" {
			_, err = x.Tickets.Change(ctx, tx, found.ID, by, func(work *ticket.Work) error {
				work.Say(ticket.Message{Body: w.Words})
				return nil
			})
		}
		return found.ID, false, err
	}
	body := w.Words
	if body == "" {
		body = p.Name.In(w.Locale)
	}
	made, err := x.Tickets.Open(ctx, tx, by, ticket.Opening{
		Ticket: ticket.Ticket{
			Channel: ticket.ByPortal, Subject: p.Name.In(w.Locale), Locale: w.Locale, Requester: w.Person, RequesterName: w.Name, RequesterMail: w.Mail, ProvedAt: tx.Now().Time(),
			Campus: d.Campus, Area: ticket.AreaHardware, Queue: d.Queue,
		},
		Message: ticket.Message{Body: body},
	})
	return made.ID, true, err
}

// owns reports whether a request is of who takes the appointment.
func owns(t ticket.Ticket, w Wish) bool {
	if w.Person != "" {
		return t.Requester == w.Person
	}
	return t.Requester == "" && t.RequesterMail != "" && t.RequesterMail == strings.ToLower(w.Mail)
}

// happened notes in the request what became of an appointment.
func (x *Reception) happened(ctx context.Context, tx db.Tx, v Visit, by ticket.Actor, what string, d Desk, calendar *hours.Calendar) error {
	if v.Ticket == "" {
		return nil
	}
	_, err := x.Tickets.Change(ctx, tx, v.Ticket, by, func(w *ticket.Work) error {
		w.Happened("counter_"+what, "counter", d.Name.In(v.Locale), "at", v.Begins.In(calendar.Zone()).Format("02/01/2006 15:04"))
		return nil
	})
	if errors.Is(err, ticket.Missing) {
		return nil // the request was erased
	}
	return err
}

// cancelVisit gives an appointment back. A request that was opened for it, and that
// nobody answered, is closed.
func (x *Reception) cancelVisit(ctx context.Context, tx db.Tx, visitID string) error {
	v, err := change(ctx, tx, visitID, func(v *Visit) error {
		if v.State != Booked || !v.Begins.After(tx.Now().Time()) {
			return WrongState
		}
		return v.become(Cancelled, tx.Now().Time(), "")
	})
	if err != nil {
		return err
	}
	d, calendar, err := x.deskOf(ctx, v)
	if err != nil {
		return err
	}
	by := personOf(v)
	if err := x.happened(ctx, tx, v, by, "cancelled", d, calendar); err != nil {
		return err
	}
	if v.Ticket != "" && v.Opened {
		if _, err := x.Tickets.Change(ctx, tx, v.Ticket, by, func(w *ticket.Work) error {
			if w.Ticket.State == ticket.New {
				return w.Close()
			}
			return nil
		}); err != nil && !errors.Is(err, ticket.Missing) {
			return err
		}
	}
	return x.tell(ctx, tx, "cancelled", v)
}

// moveVisit puts an appointment at another time, or answers [Taken] and leaves it
// where it is.
func (x *Reception) moveVisit(ctx context.Context, tx db.Tx, visitID string, to time.Time) (Visit, error) {
	v, err := visit(ctx, tx, visitID)
	if err != nil {
		return Visit{}, err
	}
	d, calendar, err := x.deskOf(ctx, v)
	if err != nil {
		return Visit{}, err
	}
	wanted := v
	wanted.Begins, wanted.Ends = to, to.Add(d.Length())
	if err := x.hold(ctx, tx, d, calendar, wanted); err != nil {
		return Visit{}, err
	}
	v, err = change(ctx, tx, visitID, func(v *Visit) error {
		if v.State != Booked || !v.Begins.After(tx.Now().Time()) {
			return WrongState
		}
		v.Begins, v.Ends, v.Told = wanted.Begins, wanted.Ends, time.Time{}
		if day := hours.DateIn(to, calendar.Zone()).String(); day != v.Day {
			number, err := sqlgen.New(tx).NextNumber(ctx, sqlgen.NextNumberParams{CounterID: v.Counter, Day: day, Series: v.Series})
			if err != nil {
				return fmt.Errorf("draw a number: %w", err)
			}
			v.Day, v.Number = day, int(number)
		}
		return nil
	})
	if err != nil {
		return Visit{}, err
	}
	if err := x.happened(ctx, tx, v, personOf(v), "moved", d, calendar); err != nil {
		return Visit{}, err
	}
	if err := x.tell(ctx, tx, "moved", v); err != nil {
		return Visit{}, err
	}
	return v, x.remindLater(ctx, tx, v, calendar)
}

// deskOf is the counter of a visit with its calendar.
func (x *Reception) deskOf(ctx context.Context, v Visit) (Desk, *hours.Calendar, error) {
	item, err := x.Counters.One(ctx, v.Counter)
	if err != nil {
		return Desk{}, nil, Missing.From(err)
	}
	calendar, err := x.Calendars.ByID(ctx, item.Of.Calendar)
	return Desk{item.ID, item.Of}, calendar, err
}

// personOf is who has the appointment, as they act.
func personOf(v Visit) ticket.Actor {
	return ticket.Actor{Role: ticket.Requester, Person: v.Person, Name: v.Name, Mail: v.Mail}
}
