package counter

import (
	"context"
	"errors"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// keyPurpose is that of the links in letters: whoever has one may see, move and
// cancel the appointment.
const keyPurpose = "helpdesk.appointment"

// appointmentPath is the address of an appointment for who has its letter.
func (x *Reception) appointmentPath(v Visit) string {
	return "/helpdesk/appointments/" + x.Keys.Sign(keyPurpose, v.ID)
}

// wall is an instant as the clocks of the counter show it, for words that are made
// with those of the institution: a campus may be in another time zone.
func (x *Reception) wall(at time.Time, zone *time.Location) time.Time {
	if zone.String() == x.Zone.String() {
		return at
	}
	at = at.In(zone)
	return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, x.Zone)
}

// where words the place of a counter, with what it is called.
func (x *Reception) where(l campus.Locale, d Desk) string {
	return beside(d.Name.In(l), x.around(l, d))
}

// around words the place of a counter for where its name stands already.
func (x *Reception) around(l campus.Locale, d Desk) string {
	return beside(d.Room, x.campusName(l, d.Campus))
}

func beside(first, second string) string {
	if first == "" || second == "" {
		return first + second
	}
	return first + ", " + second
}

// tell writes to the person of an appointment what happened with it: the sentences
// of helpdesk.counter.letter.<what>. Who gave no address reads it on the page.
func (x *Reception) tell(ctx context.Context, tx db.Tx, what string, v Visit) error {
	if v.Mail == "" {
		return nil
	}
	d, calendar, err := x.deskOf(ctx, v)
	if err != nil {
		return err
	}
	p := x.Texts.For(v.Locale)
	say := func(key string, pairs ...any) string { return p.T("helpdesk.counter.letter."+key, pairs...) }
	letter := mailer.Letter{
		Locale: v.Locale, Greeting: say("greeting", "name", v.Name),
		Before:    []string{say(what, "at", p.Date(x.wall(v.Begins, calendar.Zone()), i18n.Moment), "where", x.where(v.Locale, d))},
		Signature: i18n.Pick(i18n.With(ctx, p), x.InstitutionFrench, x.InstitutionEnglish),
	}
	if what != "cancelled" {
		if purpose, ok := d.Purpose(v.Purpose); ok && purpose.Bring.In(v.Locale) != "" {
			letter.Before = append(letter.Before, say("bring", "what", purpose.Bring.In(v.Locale)))
		}
		letter.Label, letter.URL = say("open"), x.Base.JoinPath(x.appointmentPath(v)).String()
		if what == "closed" { // the next step is another time
			letter.Label, letter.URL = say("rebook"), letter.URL+"/move"
		} else {
			letter.Before = append(letter.Before, say("number", "number", v.Short()))
			letter.After = []string{say("calendar")}
		}
	}
	return x.Mailer.Send(ctx, tx, letter.Message("helpdesk.appointment_"+what, v.Mail, say(what+"_title")))
}

// Reminder is the letter of the day before an appointment.
type Reminder struct {
	Visit string
	// Begins tells an appointment from one that was moved since.
	Begins time.Time
}

// JobName implements [jobs.Args].
func (Reminder) JobName() string { return "helpdesk.remind_appointment" }

// remindAt is the hour of the day before at which reminders leave.
const remindAt = 9

// remindLater enqueues the reminder of an appointment that is far enough away.
func (x *Reception) remindLater(ctx context.Context, tx db.Tx, v Visit, calendar *hours.Calendar) error {
	day := v.Begins.In(calendar.Zone()).AddDate(0, 0, -1)
	at := time.Date(day.Year(), day.Month(), day.Day(), remindAt, 0, 0, 0, calendar.Zone())
	if v.Mail == "" || !at.After(tx.Now().Time()) {
		return nil
	}
	return jobs.Enqueue(ctx, tx, Reminder{v.ID, v.Begins}, jobs.At(at))
}

// remind writes the reminder once, unless the appointment was moved or cancelled.
func (x *Reception) remind(ctx context.Context, r Reminder) error {
	err := x.DB.InTx(ctx, func(tx db.Tx) error {
		v, err := visit(ctx, tx, r.Visit)
		if err != nil {
			return err
		}
		if v.State != Booked || !v.Begins.Equal(r.Begins) || !v.Told.IsZero() || v.Mail == "" || !v.Begins.After(tx.Now().Time()) {
			return nil
		}
		if v, err = change(ctx, tx, v.ID, func(v *Visit) error {
			v.Told = tx.Now().Time()
			return nil
		}); err != nil {
			return err
		}
		return x.tell(ctx, tx, "reminder", v)
	})
	if errors.Is(err, Missing) {
		return nil // erased since, or its counter is gone
	}
	return err
}
