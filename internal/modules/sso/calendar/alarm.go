package calendar

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/calendar/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// alarmsKept is how long a sent alarm is remembered after the end that it was
// about.
const alarmsKept = 400 * 24 * time.Hour

// alarm writes to the contacts of what ends soon, one mail each, whatever it
// lists. What was told once is not told again before the next threshold.
func (c *Calendar) alarm(ctx context.Context) error {
	all, failed := c.All(ctx)
	byContact := map[string][]Expiring{}
	now := c.DB.Now().Time()
	for _, e := range all {
		if _, soon := due(e.Ends, now); soon && e.Contact != "" && c.Mailer != nil {
			byContact[e.Contact] = append(byContact[e.Contact], e)
		}
	}
	for contact, ending := range byContact {
		for some := range slices.Chunk(ending, mostInOneMail) {
			if err := c.tell(ctx, contact, some); err != nil {
				return err
			}
		}
	}
	err := c.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).ForgetAlarms(ctx, tx.Now().Add(-alarmsKept))
		return err
	})
	if err != nil {
		return fmt.Errorf("forget old alarms: %w", err)
	}
	return failed
}

// mostInOneMail bounds what a transaction writes and what a mail lists.
const mostInOneMail = 50

// tell sends one mail about what the contact was not told yet.
func (c *Calendar) tell(ctx context.Context, contact string, ending []Expiring) error {
	return c.DB.InTx(ctx, func(tx db.Tx) error {
		var fresh []Expiring
		for _, e := range ending {
			days, _ := due(e.Ends, tx.Now().Time())
			n, err := sqlgen.New(tx).NoteAlarm(ctx, sqlgen.NoteAlarmParams{Item: e.ID, EndsAt: db.At(e.Ends), Days: int64(days), SentAt: tx.Now()})
			if err != nil {
				return fmt.Errorf("note the alarm of %s: %w", e.ID, err)
			}
			if n == 1 {
				fresh = append(fresh, e)
			}
		}
		if len(fresh) == 0 {
			return nil
		}
		return c.Mailer.Send(ctx, tx, c.mail(contact, fresh, tx.Now().Time()))
	})
}

// mail is in both languages: we do not know the reader's.
func (c *Calendar) mail(contact string, ending []Expiring, now time.Time) mailer.Message {
	french, english := c.Texts.For(campus.French), c.Texts.For(campus.English)
	return mailer.Message{
		Kind: "sso.calendar", To: contact,
		Subject: french.T("sso.calendar.mail.subject") + " / " + english.T("sso.calendar.mail.subject"),
		Text:    c.text(french, ending, now) + "\n\n— English —\n\n" + c.text(english, ending, now),
	}
}

func (c *Calendar) text(p *i18n.Printer, ending []Expiring, now time.Time) string {
	lines := []string{p.T("sso.calendar.mail.opening"), ""}
	for _, e := range ending {
		key := "sso.calendar.mail.ends"
		if !e.Ends.After(now) {
			key = "sso.calendar.mail.ended"
		}
		lines = append(lines, "- "+p.T(key, "name", e.Name(p.Locale()), "kind", p.T("sso.calendar.kind."+string(e.Kind)), "at", p.Date(e.Ends, i18n.Full)))
		if e.Detail != "" {
			lines = append(lines, "  "+e.Detail)
		}
	}
	return strings.Join(append(lines, "", p.T("sso.calendar.mail.closing", "address", c.BaseURL+"/sso/calendar")), "\n")
}
