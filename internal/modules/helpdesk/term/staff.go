package term

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Member is somebody who strengthens a queue while a term begins.
type Member struct {
	Term, Queue string
	Person      campus.PersonID
	State       string
}

// The states of a member.
const (
	Planned = "planned"
	Added   = "added" // works in the queue for the time of the term
	There   = "there" // worked there already, and stays
	Over    = "over"
)

// Members are those of a term.
func (t *Terms) Members(ctx context.Context, term string) ([]Member, error) {
	return members(ctx, t.Shelf.DB.Read(), "WHERE term_id = $1 ORDER BY queue_id, person_id", term)
}

func members(ctx context.Context, q db.Querier, where string, args ...any) ([]Member, error) {
	var list []Member
	err := db.Each(ctx, q, "SELECT term_id, queue_id, person_id, state FROM helpdesk_term_members "+where, args, func(rows *sql.Rows) error {
		var m Member
		err := rows.Scan(&m.Term, &m.Queue, &m.Person, &m.State)
		list = append(list, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list who strengthens a queue: %w", err)
	}
	return list, nil
}

// Join plans somebody into a queue for the time of a term. They are added to it when
// the term begins; at once, when it is under way.
func (t *Terms) Join(ctx context.Context, tx db.Tx, term, queue string, who campus.PersonID) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO helpdesk_term_members (term_id, queue_id, person_id, state) VALUES ($1, $2, $3, 'planned')
		ON CONFLICT (term_id, queue_id, person_id) DO NOTHING`, term, queue, string(who))
	if err != nil {
		return fmt.Errorf("plan somebody into a queue: %w", err)
	}
	return nil
}

// Leave takes somebody out of the plan, and out of the queue when the term put them
// there.
func (t *Terms) Leave(ctx context.Context, tx db.Tx, term, queue string, who campus.PersonID) error {
	list, err := members(ctx, tx, "WHERE term_id = $1 AND queue_id = $2 AND person_id = $3", term, queue, string(who))
	if err != nil {
		return err
	}
	for _, m := range list {
		if err := t.become(ctx, tx, m, Over); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM helpdesk_term_members WHERE term_id = $1 AND queue_id = $2 AND person_id = $3", term, queue, string(who)); err != nil {
		return fmt.Errorf("take somebody out of a plan: %w", err)
	}
	return nil
}

// Staff adds those to their queues whose term has begun, and takes those out whose
// term is over. Run twice, it does nothing the second time.
func (t *Terms) Staff(ctx context.Context) error {
	list, err := members(ctx, t.Shelf.DB.Read(), "WHERE state <> 'over' ORDER BY term_id, queue_id, person_id")
	if err != nil {
		return err
	}
	items, err := t.Shelf.All(ctx)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(list, 50) {
		err := t.Shelf.DB.InTx(ctx, func(tx db.Tx) error {
			for _, m := range some {
				if to := t.due(items, m, tx.Now().Time()); to != m.State {
					if err := t.become(ctx, tx, m, to); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("staff the queues for a term: %w", err)
		}
	}
	return nil
}

// due is the state that a member should be in. A term that was removed is over.
func (t *Terms) due(items []kept.Item[Term], m Member, at time.Time) string {
	i := slices.IndexFunc(items, func(item kept.Item[Term]) bool { return item.ID == m.Term })
	switch {
	case i < 0 || items[i].Of.Ended || hours.DateIn(at, t.Zone) > items[i].Of.Last:
		return Over
	case !items[i].Of.Runs(at, t.Zone):
		return Planned
	case m.State == There:
		return There
	}
	return Added
}

// become moves a member from one state to another, and into or out of the queue.
func (t *Terms) become(ctx context.Context, tx db.Tx, m Member, to string) error {
	do := func(query string, args ...any) (int64, error) {
		result, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return 0, fmt.Errorf("move somebody between queues: %w", err)
		}
		return result.RowsAffected()
	}
	switch {
	case to == Added:
		n, err := do("INSERT INTO helpdesk_members (queue_id, person_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", m.Queue, string(m.Person))
		if err != nil {
			return err
		}
		if n == 0 {
			to = There
		}
	case m.State == Added:
		if _, err := do("DELETE FROM helpdesk_members WHERE queue_id = $1 AND person_id = $2", m.Queue, string(m.Person)); err != nil {
			return err
		}
	}
	_, err := do("UPDATE helpdesk_term_members SET state = $1 WHERE term_id = $2 AND queue_id = $3 AND person_id = $4 AND state = $5", to, m.Term, m.Queue, string(m.Person), m.State)
	return err
}
