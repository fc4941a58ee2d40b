package listing

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Row is a ticket as a list shows it.
type Row struct {
	ID, Number, Subject  string
	State                ticket.State
	Priority             ticket.Priority
	Requester            string // name, or address where there is none
	Campus, Queue        string
	Assignee             campus.PersonID
	Service, Reason      string
	Tags                 []string
	LastBy               ticket.Role
	Messages             int
	OpenedAt, ChangedAt  db.Time
	AnswerDue, SolveDue  db.Time
	AnsweredAt, SolvedAt db.Time
}

// Due is the promised time that comes next; zero for none.
func (r Row) Due() time.Time {
	if !r.State.Running() {
		return time.Time{}
	}
	if r.AnsweredAt.IsZero() && !r.AnswerDue.IsZero() && (r.SolveDue.IsZero() || r.AnswerDue.Before(r.SolveDue)) {
		return r.AnswerDue.Time()
	}
	return r.SolveDue.Time()
}

const columns = `t.id, t.number, t.subject, t.state, t.priority, t.requester_name, t.requester_mail, t.campus, t.queue_id, t.assignee_id, t.service, t.reason,
	t.last_by, t.messages, t.opened_at, t.changed_at, t.answer_due_at, t.solve_due_at, t.answered_at, t.solved_at, t.tags`

func scanRow(rows *sql.Rows) (r Row, err error) {
	var mail, tags string
	err = rows.Scan(&r.ID, &r.Number, &r.Subject, &r.State, &r.Priority, &r.Requester, &mail, &r.Campus, &r.Queue, &r.Assignee, &r.Service, &r.Reason,
		&r.LastBy, &r.Messages, &r.OpenedAt, &r.ChangedAt, &r.AnswerDue, &r.SolveDue, &r.AnsweredAt, &r.SolvedAt, &tags)
	r.Tags = strings.Fields(tags)
	r.Requester = cmp.Or(r.Requester, mail)
	return r, err
}

// List reads at most so many tickets, and the mark where the next page begins; it is
// empty at the end. With words, the newest come first.
func (l *Listing) List(ctx context.Context, f Filter, size int) (rows []Row, next string, err error) {
	if strings.TrimSpace(f.Words) != "" {
		rows, err = l.search(ctx, f, size+1)
	} else {
		c := &clause{}
		f.narrow(c, l.DB.Now())
		f.page(c)
		rows, err = l.rows(ctx, "SELECT "+columns+" FROM helpdesk_tickets t"+c.where()+f.order()+" LIMIT "+strconv.Itoa(size+1), c.args)
	}
	if err != nil {
		return nil, "", fmt.Errorf("list tickets: %w", err)
	}
	if len(rows) > size {
		rows = rows[:size]
		next = f.mark(rows[size-1])
	}
	return rows, next, nil
}

// search reads the newest tickets in which every word stands. The rarest word leads,
// the others are looked up for each of its tickets; a word that stands for several
// is read once for each.
func (l *Listing) search(ctx context.Context, f Filter, size int) ([]Row, error) {
	terms, err := l.Words.Terms(ctx, f.Words)
	if err != nil {
		return nil, err
	}
	if len(terms) == 0 {
		return nil, nil
	}
	var found []Row
	for _, word := range terms[0].Words {
		c := &clause{}
		c.and("w.word = " + c.arg(word))
		if f.After != "" {
			c.and("w.ticket_id < " + c.arg(f.After))
		}
		for _, t := range terms[1:] {
			first := len(c.args) + 1
			for _, other := range t.Words {
				c.arg(other)
			}
			c.and("EXISTS (SELECT 1 FROM helpdesk_words o WHERE o.ticket_id = w.ticket_id AND o.word IN " + db.In(len(t.Words), first) + ")")
		}
		f.narrow(c, l.DB.Now())
		rows, err := l.rows(ctx, "SELECT "+columns+" FROM helpdesk_words w JOIN helpdesk_tickets t ON t.id = w.ticket_id"+c.where()+" ORDER BY w.ticket_id DESC LIMIT "+strconv.Itoa(size), c.args)
		if err != nil {
			return nil, err
		}
		found = append(found, rows...)
	}
	slices.SortFunc(found, func(a, b Row) int { return strings.Compare(b.ID, a.ID) })
	found = slices.CompactFunc(found, func(a, b Row) bool { return a.ID == b.ID })
	return found[:min(len(found), size)], nil
}

func (l *Listing) rows(ctx context.Context, query string, args []any) ([]Row, error) {
	var list []Row
	return list, db.Each(ctx, l.DB.Read(), query, args, func(rows *sql.Rows) error {
		r, err := scanRow(rows)
		list = append(list, r)
		return err
	})
}

// counted is how far tickets are counted: beyond it, "more" is said.
const counted = 1000

// Count counts tickets up to a thousand; the words of the filter are not looked at.
func (l *Listing) Count(ctx context.Context, f Filter) (int, error) {
	c := &clause{}
	f.narrow(c, l.DB.Now())
	var n int
	err := l.DB.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM helpdesk_tickets t"+c.where()+" LIMIT "+strconv.Itoa(counted+1)+") AS listed", c.args...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count tickets: %w", err)
	}
	return n, nil
}

// QueuesOf are the queues that somebody works in.
func (l *Listing) QueuesOf(ctx context.Context, who campus.PersonID) ([]string, error) {
	var list []string
	err := db.Each(ctx, l.DB.Read(), "SELECT queue_id FROM helpdesk_members WHERE person_id = $1", []any{string(who)}, func(rows *sql.Rows) error {
		var queue string
		err := rows.Scan(&queue)
		list = append(list, queue)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list somebody's queues: %w", err)
	}
	return list, nil
}
