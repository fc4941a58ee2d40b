package reach

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// leastRefusal is how long a change can be stopped at least, even where it
// counts at once.
const leastRefusal = 72 * time.Hour

// refusable is how long a change can be stopped by "It was not me".
func (x *Reach) refusable() time.Duration { return max(x.config.ChangeDelay, leastRefusal) }

// Record takes a value from the registration record over. The first one of
// somebody who is invited, or was added in the same transaction, and has confirmed
// nothing yet, counts at once: the account is opened by it. Any other warns its
// owner on every channel and counts after [Config.ChangeDelay]; the one that it
// replaces counts until then. Whoever writes into a source could else make
// themselves the way back into an account that is used. A value that its owner refused is not taken over
// again. Call it as often as the record is read: what is known changes nothing.
// Its errors are those of [Reach.Normal] and [Institutional].
func (x *Reach) Record(ctx context.Context, tx db.Tx, who campus.PersonID, channel Channel, value string) error {
	value, err := x.Normal(channel, value)
	if err != nil {
		return err
	}
	all, err := allRows(ctx, tx, who)
	if err != nil {
		return err
	}
	s := standing(all, channel, value, tx.Now())
	if s.refused {
		return nil
	}
	q := sqlgen.New(tx)
	if s.pending != nil && !same(s.pending.Value, value) { // the record has changed its mind
		if err := x.withdraw(ctx, q, *s.pending, tx.Now()); err != nil {
			return err
		}
	}
	if s.known {
		return nil
	}
	added := sqlgen.AddPointParams{ID: id.New(), PersonID: string(who), Channel: string(channel), Value: value, Source: string(FromTheRecord), CreatedAt: tx.Now(), UsableAt: tx.Now()}
	if !s.settled && s.current == nil {
		begun, err := q.Begun(ctx, string(who))
		if err != nil {
			return fmt.Errorf("read the state of an account: %w", err)
		}
		if account.State(begun.State) == account.Invited || begun.CreatedAt == tx.Now() {
			return add(ctx, q, added)
		}
	}
	token := id.Token(refusalBytes)
	added.Refusal, added.UsableAt = id.Hash(token), tx.Now().Add(x.config.ChangeDelay)
	if s.current != nil {
		added.Replaces = s.current.ID
		if err := end(ctx, q, s.current.ID, added.UsableAt); err != nil {
			return err
		}
	}
	if err := add(ctx, q, added); err != nil {
		return err
	}
	return x.warn(ctx, tx, who, added, token)
}

// situation is what is known about one channel when the record speaks.
type situation struct {
	current *sqlgen.IdentityPoint // the record's value that counts
	pending *sqlgen.IdentityPoint // the record's value that is to count later
	known   bool                  // the value is there already
	refused bool                  // its owner stopped this value
	settled bool                  // its owner has confirmed something, whatever the channel
}

func standing(all []sqlgen.IdentityPoint, channel Channel, value string, now db.Time) (s situation) {
	for i := range all {
		r := &all[i]
		here := r.Channel == string(channel)
		if !live(*r, now) {
			s.refused = s.refused || here && !r.RefusedAt.IsZero() && same(r.Value, value)
			continue
		}
		s.settled = s.settled || !r.VerifiedAt.IsZero()
		s.known = s.known || here && same(r.Value, value)
		switch {
		case !here || r.Source != string(FromTheRecord):
		case now.Before(r.UsableAt):
			s.pending = r
		default:
			s.current = r
		}
	}
	return s
}

// withdraw undoes a change that waits: the value before it stays.
func (x *Reach) withdraw(ctx context.Context, q *sqlgen.Queries, pending sqlgen.IdentityPoint, now db.Time) error {
	if err := end(ctx, q, pending.ID, now); err != nil {
		return err
	}
	if pending.Replaces == "" {
		return nil
	}
	return end(ctx, q, pending.Replaces, 0)
}

func add(ctx context.Context, q *sqlgen.Queries, p sqlgen.AddPointParams) error {
	if err := q.AddPoint(ctx, p); err != nil {
		return fmt.Errorf("add a way to reach somebody: %w", err)
	}
	return nil
}

// end sets the moment from which a point is over; 0 brings it back.
func end(ctx context.Context, q *sqlgen.Queries, pointID string, at db.Time) error {
	if _, err := q.EndPoint(ctx, sqlgen.EndPointParams{ID: pointID, RemovedAt: at}); err != nil {
		return fmt.Errorf("end a way to reach somebody: %w", err)
	}
	return nil
}

// refusalBytes is the length of the token of "It was not me": short enough for
// a text message, and far beyond guessing.
const refusalBytes = 12

// refusalURL is the page of "It was not me".
func refusalURL(token string) string { return "/identity/contact-change/" + token }

// warn tells somebody of a change on every channel that counts already: whoever
// changed the record cannot have changed them all.
func (x *Reach) warn(ctx context.Context, tx db.Tx, who campus.PersonID, added sqlgen.AddPointParams, token string) error {
	to, err := x.People.PersonByID(ctx, who)
	if err != nil {
		return err
	}
	others, err := x.counting(ctx, tx, to, added.ID)
	if err != nil {
		return err
	}
	err = x.Journal.Write(ctx, tx, journal.Event{Person: who, Kind: "identity.contact_changed", Facts: map[string]string{"value": Mask(Channel(added.Channel), added.Value)}})
	if err != nil {
		return err
	}
	return x.tell(ctx, tx, to, Letter{
		Kind: "contact_changed", URL: refusalURL(token), Notice: "/identity/contacts", Urgent: true,
		Args: []any{"value", Mask(Channel(added.Channel), added.Value), "from", added.UsableAt.Time()},
	}, others)
}

// change is a point that its owner can refuse.
type change struct {
	row    sqlgen.IdentityPoint
	Person campus.PersonID
	Point  Point
}

// changeOf finds the change that a token of "It was not me" belongs to. The
// errors are [RefusalMissing] and [Refused].
func (x *Reach) changeOf(ctx context.Context, q db.Querier, token string, now time.Time) (change, error) {
	r, err := sqlgen.New(q).PointByRefusal(ctx, id.Hash(token))
	if errors.Is(err, sql.ErrNoRows) {
		return change{}, RefusalMissing
	}
	if err != nil {
		return change{}, fmt.Errorf("look for a change: %w", err)
	}
	return x.refusableChange(r, now)
}

// refusableChange is a row that can still be refused.
func (x *Reach) refusableChange(r sqlgen.IdentityPoint, now time.Time) (change, error) {
	since := max(r.CreatedAt, r.VerifiedAt).Time()
	switch {
	case !r.RefusedAt.IsZero():
		return change{}, Refused
	case !live(r, db.At(now)) || r.Refusal == "" || now.Sub(since) > x.refusable():
		return change{}, RefusalMissing
	}
	return change{row: r, Person: campus.PersonID(r.PersonID), Point: pointOf(r)}, nil
}

// refuse stops a change: the new value is over, the one before it counts again,
// and its owner is told what to do next.
func (x *Reach) refuse(ctx context.Context, tx db.Tx, to account.Person, c change, e journal.Event) error {
	q := sqlgen.New(tx)
	n, err := q.RefusePoint(ctx, sqlgen.RefusePointParams{ID: c.row.ID, Now: tx.Now()})
	if err != nil {
		return fmt.Errorf("refuse a change: %w", err)
	}
	if n == 0 {
		return Refused
	}
	if c.row.Replaces != "" {
		if err := end(ctx, q, c.row.Replaces, 0); err != nil {
			return err
		}
	}
	e.Person, e.Kind, e.Facts = c.Person, "identity.contact_refused", map[string]string{"value": c.Point.Masked}
	if err := x.Journal.Write(ctx, tx, e); err != nil {
		return err
	}
	return x.Tell(ctx, tx, to, Letter{Kind: "contact_refused", Args: []any{"value", c.Point.Masked}, URL: "/identity/contacts", Urgent: true})
}
