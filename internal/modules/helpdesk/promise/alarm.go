package promise

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Jobs registers the jobs of the alcove.
func (p *Promises) Jobs(r *jobs.Registry) {
	r.Every("helpdesk.promises.watch", time.Minute, p.Watch)
	r.Every("helpdesk.promises.estimate", time.Hour, p.Estimate)
	jobs.Handle(r, p.recount, jobs.Policy{Timeout: 30 * time.Minute})
}

// TicketChanged implements [ticket.Follower]: it sets when the ticket is looked at
// next.
func (p *Promises) TicketChanged(ctx context.Context, tx db.Tx, h ticket.Happening) error {
	b, t := h.Before, h.After
	if !h.Opened() && b.State == t.State && b.AnswerDue.Equal(t.AnswerDue) && b.SolveDue.Equal(t.SolveDue) && b.AnsweredAt.Equal(t.AnsweredAt) && b.Escalated == t.Escalated {
		return nil
	}
	if h.Opened() && t.AnswerDue.IsZero() && t.SolveDue.IsZero() {
		return nil
	}
	_, calendar, err := p.times(ctx, t.Queue, t.Priority)
	if err != nil {
		return err
	}
	q := sqlgen.New(tx)
	alarm, err := q.Alarm(ctx, t.ID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read when a ticket is looked at: %w", err)
	}
	at, said := next(bells(t, calendar), alarm.Said, tx.Now().Time())
	if err := q.SetAlarm(ctx, sqlgen.SetAlarmParams{TicketID: t.ID, RingsAt: db.At(at), Said: said}); err != nil {
		return fmt.Errorf("set when a ticket is looked at: %w", err)
	}
	return nil
}

// ringAtOnce is how many tickets one run of the job looks at.
const ringAtOnce = 500

// Watch warns of promised times that are near, and escalates those that were missed.
// Run twice, it says everything once.
func (p *Promises) Watch(ctx context.Context) error {
	list, err := sqlgen.New(p.DB.Read()).Ringing(ctx, sqlgen.RingingParams{NowAt: db.At(p.Clock.Now()), Most: ringAtOnce})
	if err != nil {
		return fmt.Errorf("look for promised times: %w", err)
	}
	var managers []campus.PersonID
	if len(list) > 0 {
		if managers, err = p.Roll.HoldersOf(ctx, campus.RightDesks); err != nil {
			return err
		}
	}
	var failed error
	for _, one := range list { // one that fails does not keep the others
		if err := p.DB.InTx(ctx, func(tx db.Tx) error { return p.ring(ctx, tx, one, managers) }); err != nil {
			failed = errors.Join(failed, fmt.Errorf("watch the ticket %s: %w", one, err))
		}
	}
	return failed
}

// said are the events and the notices of the bells.
var said = map[byte]string{'a': "answer_near", 'A': "answer_missed", 's': "solve_near", 'S': "solve_missed"}

// ring says what is to be said about one ticket now.
func (p *Promises) ring(ctx context.Context, tx db.Tx, one string, managers []campus.PersonID) error {
	q := sqlgen.New(tx)
	alarm, err := q.Alarm(ctx, one)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read when a ticket is looked at: %w", err)
	}
	if alarm.RingsAt == 0 || alarm.RingsAt.After(tx.Now()) {
		return nil // another run was faster
	}
	t, err := p.Tickets.ByID(ctx, one)
	if err != nil {
		return err
	}
	_, calendar, err := p.times(ctx, t.Queue, t.Priority)
	if err != nil {
		return err
	}
	rings := bells(t, calendar)
	fresh, heard := due(rings, alarm.Said, tx.Now().Time())
	n, err := q.Silence(ctx, sqlgen.SilenceParams{TicketID: one, RingsAt: alarm.RingsAt, Said: heard})
	if err != nil {
		return fmt.Errorf("note what was said about a ticket: %w", err)
	}
	if n == 0 {
		return nil
	}
	if len(fresh) == 0 { // what it would have rung for was done meanwhile
		at, still := next(rings, heard, tx.Now().Time())
		return q.SetAlarm(ctx, sqlgen.SetAlarmParams{TicketID: one, RingsAt: db.At(at), Said: still})
	}
	t, err = p.Tickets.Change(ctx, tx, one, ticket.ByHouse, func(w *ticket.Work) error {
		for _, letter := range fresh {
			w.Happened(said[letter])
		}
		w.Ticket.Escalated++
		return nil
	})
	if err != nil {
		return err
	}
	return p.tell(ctx, tx, t, fresh, managers)
}

// due are the letters that ring now and were not heard, and all that were heard then.
// Where a time was missed, nobody has to be warned of it any more.
func due(rings map[byte]time.Time, before string, now time.Time) (fresh []byte, heard string) {
	heard = before
	for _, letter := range letters {
		ring, pending := rings[letter]
		if !pending || ring.After(now) || slices.Contains([]byte(before), letter) {
			continue
		}
		heard += string(letter)
		late, has := rings[letter-'a'+'A']
		if letter >= 'a' && has && !late.After(now) {
			continue
		}
		fresh = append(fresh, letter)
	}
	return fresh, heard
}

// mostTold is how many members of a queue are told about one ticket.
const mostTold = 50

// tell gives notice: of what is near to who has the ticket, or to the members of its
// queue when nobody has it; of what was missed to those who run the desk as well.
func (p *Promises) tell(ctx context.Context, tx db.Tx, t ticket.Ticket, letters []byte, managers []campus.PersonID) error {
	people := []campus.PersonID{t.Assignee}
	if t.Assignee == "" {
		members, err := p.Tickets.Members(ctx, t.Queue)
		if err != nil {
			return err
		}
		people = members[:min(len(members), mostTold)]
	}
	worst := letters[len(letters)-1]
	late := slices.ContainsFunc(letters, func(l byte) bool { return l < 'a' })
	if late {
		for _, m := range managers {
			if !slices.Contains(people, m) {
				people = append(people, m)
			}
		}
	}
	notice := notices[worst]
	notice.Room, notice.Key, notice.URL, notice.Icon = "helpdesk", "promise-"+t.Number, "/helpdesk/tickets/"+t.Number, "clock"
	// The subject is for those who may read the ticket: members and managers may not.
	notice.DetailFrench, notice.DetailEnglish = ticket.Spoken(t.Number), ticket.Spoken(t.Number)
	for _, who := range people {
		if err := p.Notices.Notify(ctx, tx, who, notice); err != nil {
			return fmt.Errorf("give notice of a promised time: %w", err)
		}
	}
	return nil
}

// notices are what people are told; the rest of a notice is the ticket's.
var notices = map[byte]contract.Notice{
	'a': {TitleFrench: "Réponse à donner bientôt", TitleEnglish: "An answer is due soon", Tone: "warn"},
	'A': {TitleFrench: "Délai de réponse dépassé", TitleEnglish: "The time promised for an answer has passed", Tone: "bad"},
	's': {TitleFrench: "Solution attendue bientôt", TitleEnglish: "A solution is due soon", Tone: "warn"},
	'S': {TitleFrench: "Délai de résolution dépassé", TitleEnglish: "The time promised for a solution has passed", Tone: "bad"},
}
