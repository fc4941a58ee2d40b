package ticket

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Queues lists the queues, those that were closed too.
func (x *Tickets) Queues(ctx context.Context) ([]Queue, error) {
	rows, err := sqlgen.New(x.DB.Read()).Queues(ctx)
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	list := make([]Queue, 0, len(rows))
	for _, row := range rows {
		list = append(list, queueOf(row))
	}
	return list, nil
}

// Queue reads one, or answers [QueueGone].
func (x *Tickets) Queue(ctx context.Context, queue string) (Queue, error) {
	row, err := sqlgen.New(x.DB.Read()).QueueByID(ctx, queue)
	if errors.Is(err, sql.ErrNoRows) {
		return Queue{}, QueueGone
	}
	if err != nil {
		return Queue{}, fmt.Errorf("read a queue: %w", err)
	}
	return queueOf(row), nil
}

// KeepQueue writes a queue; one without an identifier is new and gets one.
func (x *Tickets) KeepQueue(ctx context.Context, tx db.Tx, q Queue) (Queue, error) {
	q.Mail = strings.ToLower(strings.TrimSpace(q.Mail))
	if q.ID == "" {
		q.ID = id.New()
		return q, sqlgen.New(tx).InsertQueue(ctx, sqlgen.InsertQueueParams{
			ID: q.ID, Team: q.Team, Campus: q.Campus, NameFr: q.NameFrench, NameEn: q.NameEnglish, Mail: q.Mail, CalendarID: q.Calendar, ClosedAt: db.At(q.ClosedAt),
		})
	}
	n, err := sqlgen.New(tx).UpdateQueue(ctx, sqlgen.UpdateQueueParams{
		ID: q.ID, Team: q.Team, Campus: q.Campus, NameFr: q.NameFrench, NameEn: q.NameEnglish, Mail: q.Mail, CalendarID: q.Calendar, ClosedAt: db.At(q.ClosedAt),
	})
	if err == nil && n == 0 {
		err = QueueGone
	}
	return q, err
}

// Members are who works in a queue. The right to read it is another matter.
func (x *Tickets) Members(ctx context.Context, queue string) ([]campus.PersonID, error) {
	rows, err := sqlgen.New(x.DB.Read()).Members(ctx, queue)
	if err != nil {
		return nil, fmt.Errorf("list the members of a queue: %w", err)
	}
	members := make([]campus.PersonID, len(rows))
	for i, who := range rows {
		members[i] = campus.PersonID(who)
	}
	return members, nil
}

// Join makes somebody a member of a queue; false when they were one.
func (x *Tickets) Join(ctx context.Context, tx db.Tx, queue string, who campus.PersonID) (bool, error) {
	n, err := sqlgen.New(tx).Join(ctx, sqlgen.JoinParams{QueueID: queue, PersonID: string(who)})
	if err != nil {
		return false, fmt.Errorf("add a member to a queue: %w", err)
	}
	return n > 0, nil
}

// Leave takes somebody out of a queue; false when they were not in it.
func (x *Tickets) Leave(ctx context.Context, tx db.Tx, queue string, who campus.PersonID) (bool, error) {
	n, err := sqlgen.New(tx).Leave(ctx, sqlgen.LeaveParams{QueueID: queue, PersonID: string(who)})
	if err != nil {
		return false, fmt.Errorf("take a member out of a queue: %w", err)
	}
	return n > 0, nil
}

func queueOf(row sqlgen.HelpdeskQueue) Queue {
	return Queue{
		ID: row.ID, Team: row.Team, Campus: row.Campus, NameFrench: row.NameFr, NameEnglish: row.NameEn, Mail: row.Mail, Calendar: row.CalendarID, ClosedAt: row.ClosedAt.Time(),
	}
}
