package counter

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Times are the starts of the free slots of a day.
func Times(c Counter, calendar *hours.Calendar, day hours.Date, now time.Time) []time.Time {
	var list []time.Time
	for _, s := range slotsOf(c, calendar, day, now, nil) {
		list = append(list, s.Begins)
	}
	return list
}

// Book takes an appointment.
func (x *Reception) Book(ctx context.Context, tx db.Tx, w Wish) (Visit, error) {
	return x.book(ctx, tx, w)
}

// Key makes the key of a device.
func Key(ctx context.Context, tx db.Tx, code, kind string) (string, error) {
	return addKey(ctx, tx, code, kind, "", "")
}

// Remind and Forget are the jobs.
func (x *Reception) Remind(ctx context.Context, r Reminder) error { return x.remind(ctx, r) }

// Forget takes names away.
func (x *Reception) Forget(ctx context.Context) error { return x.forget(ctx) }

// Visit reads a visit.
func (x *Reception) Visit(ctx context.Context, id string) (Visit, error) {
	return visit(ctx, x.DB.Read(), id)
}

// Path is the address in the letter of an appointment.
func (x *Reception) Path(v Visit) string { return x.appointmentPath(v) }

// TellClosed runs the job that tells of closures.
func (x *Reception) TellClosed(ctx context.Context) error { return x.tellClosed(ctx) }
