package ticket

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// columns are all of a ticket, in the order of the table.
const columns = `id, number, state, priority, channel, subject, locale, requester_id, requester_name, requester_mail, requester_phone, proved_at, campus,
	area, service, reason, incident_code, leaf, queue_id, assignee_id, routed, outage_id, merged_into, split_from, opened_at, changed_at,
	answered_at, solved_at, closed_at, waiting_at, postponed_at, answer_due_at, solve_due_at, paused, escalated, reopened, spent, messages,
	last_by, rating, rating_words, rated_at, version, tags`

// ByIDs reads tickets at once, in the order of their identifiers. Those that are gone
// are left out.
func (x *Tickets) ByIDs(ctx context.Context, tickets []string) ([]Ticket, error) {
	if len(tickets) == 0 {
		return nil, nil
	}
	args := make([]any, len(tickets))
	for i, one := range tickets {
		args[i] = one
	}
	found := make(map[string]Ticket, len(tickets))
	err := db.Each(ctx, x.DB.Read(), "SELECT "+columns+" FROM helpdesk_tickets WHERE id IN "+db.In(len(args), 1), args, func(rows *sql.Rows) error {
		t, err := scan(rows)
		found[t.ID] = t
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read tickets: %w", err)
	}
	list := make([]Ticket, 0, len(found))
	for _, one := range tickets {
		if t, ok := found[one]; ok {
			list = append(list, t)
		}
	}
	return list, nil
}

func scan(rows *sql.Rows) (Ticket, error) {
	var row sqlgen.HelpdeskTicket
	if err := rows.Scan(
		&row.ID, &row.Number, &row.State, &row.Priority, &row.Channel, &row.Subject, &row.Locale, &row.RequesterID, &row.RequesterName,
		&row.RequesterMail, &row.RequesterPhone, &row.ProvedAt, &row.Campus, &row.Area, &row.Service, &row.Reason, &row.IncidentCode, &row.Leaf,
		&row.QueueID, &row.AssigneeID, &row.Routed, &row.OutageID, &row.MergedInto, &row.SplitFrom, &row.OpenedAt, &row.ChangedAt, &row.AnsweredAt,
		&row.SolvedAt, &row.ClosedAt, &row.WaitingAt, &row.PostponedAt, &row.AnswerDueAt, &row.SolveDueAt, &row.Paused, &row.Escalated,
		&row.Reopened, &row.Spent, &row.Messages, &row.LastBy, &row.Rating, &row.RatingWords, &row.RatedAt, &row.Version, &row.Tags,
	); err != nil {
		return Ticket{}, err
	}
	return ticketOf(row)
}
