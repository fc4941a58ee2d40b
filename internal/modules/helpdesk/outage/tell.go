package outage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// answerArgs writes an update into the attached tickets; or, after a merge, moves the
// tickets of one incident to the other.
type answerArgs struct {
	Update string `json:"update,omitempty"`
	Merged string `json:"merged,omitempty"`
	Into   string `json:"into,omitempty"`
}

// JobName implements [jobs.Args].
func (answerArgs) JobName() string { return "helpdesk.outage_answer" }

// takeBackArgs opens again what an update solved.
type takeBackArgs struct {
	Update string `json:"update"`
}

// JobName implements [jobs.Args].
func (takeBackArgs) JobName() string { return "helpdesk.outage_take_back" }

// tellArgs tells the subscribers an update.
type tellArgs struct {
	Update string `json:"update"`
}

// JobName implements [jobs.Args].
func (tellArgs) JobName() string { return "helpdesk.outage_tell" }

// updateCalled reads an update and its incident.
func (x *Outages) updateCalled(ctx context.Context, update string) (Update, Outage, error) {
	found, err := ids(ctx, x.DB.Read(), "SELECT outage_id FROM helpdesk_outage_updates WHERE id = $1", update)
	if err != nil {
		return Update{}, Outage{}, err
	}
	if len(found) == 0 {
		return Update{}, Outage{}, Missing
	}
	o, err := x.ByID(ctx, found[0])
	if err != nil {
		return Update{}, Outage{}, err
	}
	all, err := updatesOf(ctx, x.DB.Read(), o.ID)
	if err != nil {
		return Update{}, Outage{}, err
	}
	for _, u := range all[o.ID] {
		if u.ID == update {
			return u, o, nil
		}
	}
	return Update{}, Outage{}, Missing
}

// answer writes an update into every attached ticket that it has not reached, in the
// language of who asked.
func (x *Outages) answer(ctx context.Context, args answerArgs) error {
	if args.Merged != "" {
		return x.move(ctx, args.Merged, args.Into)
	}
	u, o, err := x.updateCalled(ctx, args.Update)
	if err != nil || !u.Undone.IsZero() {
		return ignoreMissing(err)
	}
	for {
		some, err := ids(ctx, x.DB.Read(), fmt.Sprintf(`SELECT id FROM helpdesk_tickets WHERE outage_id = $1 AND state NOT IN ('merged', 'closed', 'solved') AND opened_at <= $2
			AND NOT EXISTS (SELECT 1 FROM helpdesk_outage_answered WHERE update_id = $3 AND ticket_id = helpdesk_tickets.id) ORDER BY opened_at LIMIT %d`, atOnce), o.ID, db.At(u.At), u.ID)
		if err != nil || len(some) == 0 {
			return err
		}
		if stands, err := x.answerSome(ctx, u, some); err != nil || !stands {
			return err
		}
	}
}

// answerSome writes an update into tickets, unless it was taken back meanwhile: stands
// is false then. Who takes it back waits for the tickets that are being written, and
// sees them.
func (x *Outages) answerSome(ctx context.Context, u Update, some []string) (stands bool, err error) {
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		held, err := tx.ExecContext(ctx, "UPDATE helpdesk_outage_updates SET undone_at = 0 WHERE id = $1 AND undone_at = 0", u.ID)
		if err != nil {
			return fmt.Errorf("hold an update: %w", err)
		}
		n, err := held.RowsAffected()
		if stands = n > 0; err != nil || !stands {
			return err
		}
		for _, one := range some {
			if err := x.answerOne(ctx, tx, u, one); err != nil {
				return err
			}
		}
		return nil
	})
	return stands, err
}

func (x *Outages) answerOne(ctx context.Context, tx db.Tx, u Update, one string) error {
	t, err := x.Tickets.ByID(ctx, one)
	if err != nil {
		return ignoreMissing(err)
	}
	by := ticket.Actor{Role: ticket.Agent, Person: u.By, Name: x.institution(t.Locale)}
	_, err = x.Tickets.Change(ctx, tx, one, by, func(w *ticket.Work) error {
		result, err := tx.ExecContext(ctx, "INSERT INTO helpdesk_outage_answered (update_id, ticket_id, was) VALUES ($1, $2, $3) ON CONFLICT (update_id, ticket_id) DO NOTHING", u.ID, one, string(w.Ticket.State))
		if err != nil {
			return fmt.Errorf("note which ticket an update reached: %w", err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if w.Ticket.State.Over() {
			return nil
		}
		w.Say(ticket.Message{Body: u.Words.In(w.Ticket.Locale)})
		if u.Solves {
			return w.Solve()
		}
		return nil
	})
	return ignoreMissing(err)
}

// attachedOrNot is the event of a ticket that belongs to an incident from now on, or
// to none.
func attachedOrNot(outage string) string {
	if outage == "" {
		return "outage_off"
	}
	return "outage_on"
}

// move gives the tickets of one incident to another, or to none.
func (x *Outages) move(ctx context.Context, from, into string) error {
	for {
		some, err := ids(ctx, x.DB.Read(), fmt.Sprintf("SELECT id FROM helpdesk_tickets WHERE outage_id = $1 ORDER BY opened_at LIMIT %d", atOnce), from)
		if err != nil || len(some) == 0 {
			return err
		}
		if err := x.DB.InTx(ctx, func(tx db.Tx) error {
			for _, one := range some {
				_, err := x.Tickets.Change(ctx, tx, one, ticket.ByHouse, func(w *ticket.Work) error {
					if w.Ticket.Outage == from {
						w.Ticket.Outage = into
						w.Happened(attachedOrNot(into))
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
}

// takeBack gives tickets the state that they had before an update solved them.
func (x *Outages) takeBack(ctx context.Context, args takeBackArgs) error {
	for {
		was := map[string]ticket.State{}
		err := db.Each(ctx, x.DB.Read(), fmt.Sprintf("SELECT ticket_id, was FROM helpdesk_outage_answered WHERE update_id = $1 AND was <> '' LIMIT %d", atOnce), []any{args.Update}, func(rows *sql.Rows) error {
			var one string
			var state ticket.State
			err := rows.Scan(&one, &state)
			was[one] = state
			return err
		})
		if err != nil {
			return fmt.Errorf("read what an update solved: %w", err)
		}
		if len(was) == 0 {
			return nil
		}
		if err := x.DB.InTx(ctx, func(tx db.Tx) error {
			for one, state := range was {
				if _, err := tx.ExecContext(ctx, "UPDATE helpdesk_outage_answered SET was = '' WHERE update_id = $1 AND ticket_id = $2", args.Update, one); err != nil {
					return fmt.Errorf("note what was taken back: %w", err)
				}
				_, err := x.Tickets.Change(ctx, tx, one, ticket.ByHouse, func(w *ticket.Work) error {
					if w.Ticket.State != ticket.Solved {
						return nil
					}
					return w.Undo(openAgain(state))
				})
				if err := ignoreMissing(err); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
}

// openAgain is the state of a ticket that was answered and is not solved after all.
func openAgain(was ticket.State) ticket.State {
	if was == ticket.New || was == ticket.Postponed {
		return ticket.Open
	}
	return was
}

// subscriber is somebody who is told.
type subscriber struct {
	ID     string
	Person campus.PersonID
	Mail   string
	Locale campus.Locale
}

// tellSubscribers tells an update to those who have not heard it. An update that came
// later is told by its own job.
func (x *Outages) tellSubscribers(ctx context.Context, args tellArgs) error {
	u, o, err := x.updateCalled(ctx, args.Update)
	if err != nil {
		return ignoreMissing(err)
	}
	for {
		var some []subscriber
		err := db.Each(ctx, x.DB.Read(), fmt.Sprintf("SELECT id, person_id, mail, locale FROM helpdesk_outage_subscribers WHERE outage_id = $1 AND told_update < $2 ORDER BY id LIMIT %d", atOnce), []any{o.ID, u.ID}, func(rows *sql.Rows) error {
			var s subscriber
			err := rows.Scan(&s.ID, &s.Person, &s.Mail, &s.Locale)
			some = append(some, s)
			return err
		})
		if err != nil {
			return fmt.Errorf("list subscribers: %w", err)
		}
		if len(some) == 0 {
			return nil
		}
		if err := x.DB.InTx(ctx, func(tx db.Tx) error {
			for _, s := range some {
				if err := x.tellOne(ctx, tx, s, o, u); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
}

func (x *Outages) tellOne(ctx context.Context, tx db.Tx, s subscriber, o Outage, u Update) error {
	result, err := tx.ExecContext(ctx, "UPDATE helpdesk_outage_subscribers SET told_update = $1 WHERE id = $2 AND told_update < $1", u.ID, s.ID)
	if err != nil {
		return fmt.Errorf("note what a subscriber was told: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if s.Person != "" {
		tone := "warn"
		if u.State == Over {
			tone = "good"
		}
		return x.Notices.Notify(ctx, tx, s.Person, contract.Notice{
			Room: "helpdesk", Key: "outage-" + o.ID, Icon: "info", Tone: tone, URL: StatusURL + "/" + o.ID,
			TitleFrench: x.headline(campus.French, o, u), TitleEnglish: x.headline(campus.English, o, u),
			DetailFrench: u.Words.French, DetailEnglish: u.Words.English,
		})
	}
	p := x.Texts.For(s.Locale)
	l := mailer.Letter{
		Locale: s.Locale, Before: []string{u.Words.In(s.Locale)}, Label: p.T("helpdesk.outage.letter.label"), URL: x.address(StatusURL + "/" + o.ID),
		After: []string{p.T("helpdesk.outage.letter.leave", "address", x.address(leaveURL+x.Keys.Sign(leavePurpose, s.ID)))}, Signature: x.institution(s.Locale),
	}
	return x.Mailer.Send(ctx, tx, l.Message("helpdesk.outage", s.Mail, x.headline(s.Locale, o, u)))
}

// headline is what an update is called: the incident and how it stands.
func (x *Outages) headline(l campus.Locale, o Outage, u Update) string {
	p := x.Texts.For(l)
	return p.T("helpdesk.outage.headline", "state", p.T("helpdesk.outage.state."+string(u.State)), "title", o.Title.In(l))
}

func (x *Outages) institution(l campus.Locale) string {
	if l == campus.English && x.InstitutionEnglish != "" {
		return x.InstitutionEnglish
	}
	return x.InstitutionFrench
}

// address is a local path as it stands in a letter.
func (x *Outages) address(path string) string {
	return strings.TrimSuffix(x.Base.String(), "/") + path
}

// subscriberOf reads the subscriber of a signed link, or answers [LinkSpent].
func (x *Outages) subscriberOf(ctx context.Context, token string) (subscriberID, outage string, err error) {
	subscriberID, err = x.Keys.Verify(leavePurpose, token)
	if err != nil {
		return "", "", LinkSpent.From(err)
	}
	err = x.DB.Read().QueryRowContext(ctx, "SELECT outage_id FROM helpdesk_outage_subscribers WHERE id = $1", subscriberID).Scan(&outage)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", LinkSpent
	}
	if err != nil {
		return "", "", fmt.Errorf("read a subscriber: %w", err)
	}
	return subscriberID, outage, nil
}

const leavePurpose = "helpdesk.outage_leave"

var _ jobs.Args = tellArgs{}
