package outage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// ignoreMissing is nil for what went away meanwhile: a job has nothing to do then.
func ignoreMissing(err error) error {
	if errors.Is(err, Missing) || errors.Is(err, ticket.Missing) {
		return nil
	}
	return err
}

// Make writes an incident or a maintenance that somebody knows of. An incident that
// is not announced is suspected.
func (x *Outages) Make(ctx context.Context, tx db.Tx, o Outage) (Outage, error) {
	o.Title = titled(o.Title)
	switch {
	case o.Kind == Maintenance:
		o.State = Planned
		o.Announced = tx.Now().Time()
	case o.Announced.IsZero():
		o.State = Suspected
	default:
		o.State = Investigating
	}
	if o.Begins.IsZero() {
		o.Begins = tx.Now().Time()
	}
	o, err := x.insert(ctx, tx, o)
	if err != nil || o.Kind == Maintenance {
		return o, err
	}
	return o, x.attractServices(ctx, tx, o)
}

// attractServices has tickets about its services attach themselves.
func (x *Outages) attractServices(ctx context.Context, tx db.Tx, o Outage) error {
	if len(o.Campuses) > 0 { // the key says nothing about where
		return nil
	}
	for _, service := range o.Services {
		if _, err := attract(ctx, tx, o.ID, byService+service); err != nil {
			return err
		}
	}
	return nil
}

// Telling is something new about an incident.
type Telling struct {
	State   State
	Words   hours.Named
	Answers bool // write it into every attached ticket
	Solves  bool // and solve them
}

// Tell says something to everybody: on the status page and the banners at once, to
// subscribers and in the tickets by jobs. The first one announces the incident.
func (x *Outages) Tell(ctx context.Context, tx db.Tx, by campus.PersonID, o Outage, say Telling) (Outage, error) {
	if !o.State.Runs() {
		return o, Ended
	}
	now := tx.Now().Time()
	if o.Announced.IsZero() {
		o.Announced = now
	}
	if o.Kind == Incident || say.State == Over {
		o.State = say.State
	}
	if say.State == Over {
		o.Ends = now
	}
	if err := x.update(ctx, tx, o); err != nil {
		return o, err
	}
	u, err := note(ctx, tx, Update{Outage: o.ID, State: o.State, Words: titled(say.Words), By: by, Answers: say.Answers || say.Solves, Solves: say.Solves})
	if err != nil {
		return o, err
	}
	if err := jobs.Enqueue(ctx, tx, tellArgs{Update: u.ID}); err != nil {
		return o, err
	}
	if u.Answers {
		if err := jobs.Enqueue(ctx, tx, answerArgs{Update: u.ID}); err != nil {
			return o, err
		}
	}
	return one(ctx, tx, o.ID)
}

// Dismiss says that it is none: its tickets are on their own again.
func (x *Outages) Dismiss(ctx context.Context, tx db.Tx, o Outage) error {
	if !o.State.Runs() {
		return Ended
	}
	o.State, o.Ends = Dismissed, tx.Now().Time()
	if err := x.update(ctx, tx, o); err != nil {
		return err
	}
	return jobs.Enqueue(ctx, tx, answerArgs{Merged: o.ID})
}

// Merge makes one incident of two: what belongs to the first belongs to the other.
func (x *Outages) Merge(ctx context.Context, tx db.Tx, o, into Outage) error {
	if !o.State.Runs() || !into.State.Runs() || o.ID == into.ID || into.Kind != Incident || o.Kind != Incident {
		return Ended
	}
	keys, err := keysOfOutage(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	o.State, o.MergedInto, o.Ends = Merged, into.ID, tx.Now().Time()
	if err := x.update(ctx, tx, o); err != nil {
		return err
	}
	for _, key := range keys {
		if _, err := attract(ctx, tx, into.ID, key); err != nil {
			return err
		}
	}
	// Who subscribed to both is told once.
	if _, err := tx.ExecContext(ctx, `UPDATE helpdesk_outage_subscribers SET outage_id = $1 WHERE outage_id = $2 AND NOT EXISTS
		(SELECT 1 FROM helpdesk_outage_subscribers AS there WHERE there.outage_id = $1 AND there.person_id = helpdesk_outage_subscribers.person_id AND there.mail = helpdesk_outage_subscribers.mail)`, into.ID, o.ID); err != nil {
		return fmt.Errorf("merge subscribers: %w", err)
	}
	if o.Begins.Before(into.Begins) {
		into.Begins = o.Begins
	}
	if err := x.update(ctx, tx, into); err != nil { // who ended it meanwhile goes first
		return err
	}
	return jobs.Enqueue(ctx, tx, answerArgs{Merged: o.ID, Into: into.ID})
}

// attach makes a ticket belong to an incident, or to none; one that does already
// stays as it is.
func (x *Outages) attach(ctx context.Context, tx db.Tx, by ticket.Actor, one, outage string) error {
	_, err := x.Tickets.Change(ctx, tx, one, by, func(w *ticket.Work) error {
		if w.Ticket.Outage == outage {
			return nil
		}
		if by.Role == ticket.House && w.Ticket.Outage != "" && outage != "" { // an agent was faster
			return nil
		}
		w.Ticket.Outage = outage
		w.Happened(attachedOrNot(outage))
		return nil
	})
	return ignoreMissing(err)
}

// undo takes back that an update solved tickets; those that somebody changed since
// stay as they are.
func (x *Outages) undo(ctx context.Context, tx db.Tx, outage, update string) error {
	result, err := tx.ExecContext(ctx, "UPDATE helpdesk_outage_updates SET undone_at = $1 WHERE id = $2 AND outage_id = $3 AND solves = 1 AND undone_at = 0", tx.Now(), update, outage)
	if err != nil {
		return fmt.Errorf("take back that tickets were solved: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, Changed)
	}
	return jobs.Enqueue(ctx, tx, takeBackArgs{Update: update})
}

// attached lists the tickets of an incident, the newest first, by identifier and
// number.
func (x *Outages) attached(ctx context.Context, outage string, most int) ([]ticket.Ticket, error) {
	found, err := ids(ctx, x.DB.Read(), fmt.Sprintf("SELECT id FROM helpdesk_tickets WHERE outage_id = $1 ORDER BY opened_at DESC LIMIT %d", most), outage)
	if err != nil {
		return nil, err
	}
	var list []ticket.Ticket
	for _, one := range found {
		t, err := x.Tickets.ByID(ctx, one)
		if errors.Is(err, ticket.Missing) || errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// Date corrects when something that is over ended.
func (x *Outages) Date(ctx context.Context, tx db.Tx, o Outage, ended time.Time) error {
	o.Ends = ended
	return x.update(ctx, tx, o)
}
