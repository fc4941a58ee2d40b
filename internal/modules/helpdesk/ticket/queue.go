package ticket

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

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

func queueOf(row sqlgen.HelpdeskQueue) Queue {
	return Queue{
		ID: row.ID, Team: row.Team, Campus: row.Campus, NameFrench: row.NameFr, NameEnglish: row.NameEn, Mail: row.Mail, Calendar: row.CalendarID, ClosedAt: row.ClosedAt.Time(),
	}
}
