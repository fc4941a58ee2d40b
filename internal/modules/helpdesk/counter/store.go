package counter

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

func visitOf(row sqlgen.HelpdeskVisit) Visit {
	return Visit{
		ID: row.ID, Counter: row.CounterID, Series: row.Series, Day: row.Day, Number: int(row.Number), Purpose: row.Purpose, State: State(row.State),
		Begins: row.BeginsAt.Time(), Ends: row.EndsAt.Time(), Person: campus.PersonID(row.PersonID), Name: row.Name, Mail: row.Mail, Phone: row.Phone, Student: row.Student,
		Locale: campus.Locale(row.Locale), Ticket: row.TicketID, Opened: row.Opened != 0, Made: row.MadeAt.Time(), Arrived: row.ArrivedAt.Time(), Called: row.CalledAt.Time(),
		Calls: int(row.Calls), Served: row.ServedAt.Time(), Ended: row.DoneAt.Time(), Agent: campus.PersonID(row.AgentID), Checked: parted(row.Checked), Note: row.Note,
		Told: row.ToldAt.Time(), Version: row.Version, Window: row.AtWindow,
	}
}

func rowOf(v Visit) sqlgen.HelpdeskVisit {
	row := sqlgen.HelpdeskVisit{
		ID: v.ID, CounterID: v.Counter, Series: v.Series, Day: v.Day, Number: int64(v.Number), Purpose: v.Purpose, State: string(v.State),
		BeginsAt: db.At(v.Begins), EndsAt: db.At(v.Ends), PersonID: string(v.Person), Name: v.Name, Mail: v.Mail, Phone: v.Phone, Student: v.Student,
		Locale: string(v.Locale), TicketID: v.Ticket, MadeAt: db.At(v.Made), ArrivedAt: db.At(v.Arrived), CalledAt: db.At(v.Called),
		Calls: int64(v.Calls), ServedAt: db.At(v.Served), DoneAt: db.At(v.Ended), AgentID: string(v.Agent), Checked: joined(v.Checked), Note: v.Note,
		ToldAt: db.At(v.Told), Version: v.Version, AtWindow: v.Window,
	}
	if v.Opened {
		row.Opened = 1
	}
	return row
}

func visitsOf(rows []sqlgen.HelpdeskVisit, err error) ([]Visit, error) {
	if err != nil {
		return nil, fmt.Errorf("list visits: %w", err)
	}
	list := make([]Visit, len(rows))
	for i, row := range rows {
		list[i] = visitOf(row)
	}
	return list, nil
}

// visit reads one, or answers [Missing].
func visit(ctx context.Context, from sqlgen.DBTX, id string) (Visit, error) {
	row, err := sqlgen.New(from).VisitByID(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Visit{}, Missing
	}
	if err != nil {
		return Visit{}, fmt.Errorf("read a visit: %w", err)
	}
	return visitOf(row), nil
}

// ofDay lists the visits of a counter on a day, in the order of their times.
func ofDay(ctx context.Context, from sqlgen.DBTX, counter string, day hours.Date) ([]Visit, error) {
	return visitsOf(sqlgen.New(from).VisitsOfDay(ctx, sqlgen.VisitsOfDayParams{CounterID: counter, Day: day.String()}))
}

// appointments lists those of a counter between two times.
func (x *Reception) appointments(ctx context.Context, counter string, from, until time.Time) ([]Visit, error) {
	return visitsOf(sqlgen.New(x.DB.Read()).Appointments(ctx, sqlgen.AppointmentsParams{CounterID: counter, FromAt: db.At(from), UntilAt: db.At(until)}))
}

// insert writes a new visit, with the next number of its series on its day.
func insert(ctx context.Context, tx db.Tx, v Visit) (Visit, error) {
	q := sqlgen.New(tx)
	number, err := q.NextNumber(ctx, sqlgen.NextNumberParams{CounterID: v.Counter, Day: v.Day, Series: v.Series})
	if err != nil {
		return v, fmt.Errorf("draw a number: %w", err)
	}
	v.Number, v.Version, v.Made = int(number), 1, tx.Now().Time()
	if err := q.InsertVisit(ctx, sqlgen.InsertVisitParams(rowOf(v))); err != nil {
		return v, fmt.Errorf("keep a visit: %w", err)
	}
	return v, nil
}

// change changes a visit by what do says, or answers [WrongState] when somebody else
// did at the same time.
func change(ctx context.Context, tx db.Tx, id string, do func(*Visit) error) (Visit, error) {
	v, err := visit(ctx, tx, id)
	if err != nil {
		return Visit{}, err
	}
	if err := do(&v); err != nil {
		return Visit{}, err
	}
	v.Version++
	row := rowOf(v)
	n, err := sqlgen.New(tx).UpdateVisit(ctx, sqlgen.UpdateVisitParams{
		ID: row.ID, CounterID: row.CounterID, Series: row.Series, Day: row.Day, Number: row.Number, Purpose: row.Purpose, State: row.State, BeginsAt: row.BeginsAt, EndsAt: row.EndsAt,
		PersonID: row.PersonID, Name: row.Name, Mail: row.Mail, Phone: row.Phone, Student: row.Student, Locale: row.Locale, TicketID: row.TicketID, Opened: row.Opened, MadeAt: row.MadeAt,
		ArrivedAt: row.ArrivedAt, CalledAt: row.CalledAt, Calls: row.Calls, ServedAt: row.ServedAt, DoneAt: row.DoneAt, AgentID: row.AgentID, Checked: row.Checked, Note: row.Note,
		ToldAt: row.ToldAt, Version: row.Version, AtWindow: row.AtWindow,
	})
	if err != nil {
		return Visit{}, fmt.Errorf("change a visit: %w", err)
	}
	if n == 0 {
		return Visit{}, WrongState
	}
	return v, nil
}

// keptFor is how long a visit names who came. The request keeps its story.
const keptFor = 30 * 24 * time.Hour

// forget takes names from visits that are long over.
func (x *Reception) forget(ctx context.Context) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		if _, err := sqlgen.New(tx).ForgetVisits(ctx, tx.Now().Add(-keptFor)); err != nil {
			return fmt.Errorf("forget visits: %w", err)
		}
		return nil
	})
}
