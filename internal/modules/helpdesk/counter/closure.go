package counter

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// stranded are the appointments to come at which the counter is no longer open.
func (x *Reception) stranded(ctx context.Context, d Desk, calendar *hours.Calendar) ([]Visit, error) {
	now := x.Clock.Now()
	all, err := x.appointments(ctx, d.Code, now, now.AddDate(0, 0, d.Horizon+1))
	if err != nil {
		return nil, err
	}
	var list []Visit
	for _, v := range all {
		if v.State == Booked && v.Begins.After(now) && !(calendar.Open(v.Begins) && calendar.Open(v.Ends.Add(-time.Minute))) {
			list = append(list, v)
		}
	}
	return list, nil
}

// tellClosed writes to those whose appointment falls into a closure that came after
// it, once for each time of theirs. Who gave no address is noted for the desk.
func (x *Reception) tellClosed(ctx context.Context) error {
	open, err := x.counters.Open(ctx)
	if err != nil {
		return err
	}
	for _, d := range open {
		calendar, err := x.Calendars.ByID(ctx, d.Calendar)
		if err != nil {
			return err
		}
		list, err := x.stranded(ctx, d, calendar)
		if err != nil {
			return err
		}
		for _, v := range list {
			if err := x.DB.InTx(ctx, func(tx db.Tx) error { return x.tellOfClosure(ctx, tx, v.ID, v.Begins) }); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *Reception) tellOfClosure(ctx context.Context, tx db.Tx, visitID string, begins time.Time) error {
	v, err := visit(ctx, tx, visitID)
	if err != nil {
		return err
	}
	if v.State != Booked || !v.Begins.Equal(begins) { // moved or cancelled a moment ago
		return nil
	}
	var told db.Time
	if v.Mail != "" {
		told = tx.Now()
	}
	result, err := tx.ExecContext(ctx, "INSERT INTO helpdesk_visit_closures (visit_id, begins_at, told_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", v.ID, db.At(v.Begins), told)
	if err != nil {
		return fmt.Errorf("note a closure: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return err // told before
	}
	return x.tell(ctx, tx, "closed", v)
}

// toldOf is when the person of each appointment was told of a closure; those that
// nobody told are left out.
func (x *Reception) toldOf(ctx context.Context, list []Visit) (map[string]time.Time, error) {
	told := map[string]time.Time{}
	if len(list) == 0 {
		return told, nil
	}
	at := map[string]db.Time{}
	args := make([]any, len(list))
	for i, v := range list {
		args[i], at[v.ID] = v.ID, db.At(v.Begins)
	}
	err := db.Each(ctx, x.DB.Read(), "SELECT visit_id, begins_at, told_at FROM helpdesk_visit_closures WHERE told_at > 0 AND visit_id IN "+db.In(len(args), 1), args, func(rows *sql.Rows) error {
		var id string
		var begins, when db.Time
		err := rows.Scan(&id, &begins, &when)
		if at[id] == begins {
			told[id] = when.Time()
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read who was told of a closure: %w", err)
	}
	return told, nil
}
