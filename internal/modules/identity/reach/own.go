package reach

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

const (
	// confirmPurpose is what the codes are good for that confirm a point.
	confirmPurpose = "identity.contact"
	// confirmKind is the letter that brings them.
	confirmKind = "contact_code"
	// mostOwn bounds what one person gives of one channel.
	mostOwn = 3
)

// Add keeps a number or an address that somebody gives themselves, and sends a
// code to it: it counts when that is typed back. Instead is the point of the
// same channel that it is to take over from, or "". A value that was given
// before and never confirmed is sent another code. Its errors are those of
// [Reach.Normal] and [Reach.SendCode], [Institutional], [Known] and
// [TooManyPoints].
func (x *Reach) Add(ctx context.Context, to account.Person, channel Channel, typed, instead string) (pointID string, err error) {
	value, err := x.Normal(channel, typed)
	if err != nil {
		return "", err
	}
	if channel == RecoveryMail && sameHouse(value, to.Mail) {
		return "", Institutional
	}
	if err := x.mayAsk(to.ID); err != nil {
		return "", err
	}
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		found, err := rows(ctx, tx, to.ID, tx.Now())
		if err != nil {
			return err
		}
		own, replaced := 0, false
		for _, r := range found {
			if r.Channel != string(channel) {
				continue
			}
			if same(r.Value, value) {
				if !r.VerifiedAt.IsZero() {
					return Known
				}
				pointID = r.ID
				return x.askAgain(ctx, tx, to, pointOf(r))
			}
			if r.Source == string(FromSelf) {
				own++
			}
			replaced = replaced || r.ID == instead && r.Source == string(FromSelf)
		}
		if instead != "" && !replaced {
			return Missing
		}
		if own >= mostOwn && !replaced {
			return TooManyPoints.With(fault.Args{"count": mostOwn})
		}
		added := sqlgen.AddPointParams{ID: id.New(), PersonID: string(to.ID), Channel: string(channel), Value: value, Source: string(FromSelf), Replaces: instead, CreatedAt: tx.Now()}
		if err := add(ctx, sqlgen.New(tx), added); err != nil {
			return err
		}
		pointID = added.ID
		return x.ask(ctx, tx, to, Point{ID: added.ID, Channel: channel, Value: value})
	})
	return pointID, err
}

// mayAsk counts one message to a number or address that is not confirmed.
func (x *Reach) mayAsk(who campus.PersonID) error {
	if wait, ok := x.asked.Allow(string(who)); !ok {
		return code.TooMany.With(fault.Args{"wait": wait})
	}
	return nil
}

// ask sends the code that confirms a point.
func (x *Reach) ask(ctx context.Context, tx db.Tx, to account.Person, p Point) error {
	plain, err := x.Codes.Issue(ctx, tx, code.Ask{Purpose: confirmPurpose, Subject: p.ID, Person: to.ID, Lasts: x.config.CodeLasts})
	if err != nil {
		return err
	}
	return x.SendCode(ctx, tx, to, p, confirmKind, plain, x.config.CodeLasts)
}

// askAgain sends another code, unless the last one left a moment ago: that one
// still works.
func (x *Reach) askAgain(ctx context.Context, tx db.Tx, to account.Person, p Point) error {
	err := x.notTooSoon(ctx, tx, p, confirmKind)
	if errors.Is(err, TooSoon) {
		return nil
	}
	if err != nil {
		return err
	}
	return x.ask(ctx, tx, to, p)
}

// Ask sends another code to a point that waits to be confirmed. Its errors are
// those of [Reach.SendCode], and [Missing].
func (x *Reach) Ask(ctx context.Context, to account.Person, pointID string) error {
	if err := x.mayAsk(to.ID); err != nil {
		return err
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		p, err := find(ctx, tx, to.ID, pointID, tx.Now())
		if err != nil {
			return err
		}
		return x.ask(ctx, tx, to, p)
	})
}

// Confirm takes the code that was sent to a point: from now on it counts, the
// one that it takes over from is over, and every other channel is told. Its
// errors are [Missing] and those of [code.Store.Check].
func (x *Reach) Confirm(ctx context.Context, to account.Person, pointID, typed string, e journal.Event) error {
	if _, err := x.point(ctx, to.ID, pointID); err != nil {
		return err
	}
	if err := x.Codes.Check(ctx, confirmPurpose, pointID, typed); err != nil {
		return err
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error { return x.Verified(ctx, tx, to, pointID, e) })
}

// Verified notes that somebody proved to read what is sent to a point of theirs,
// by a code that another page sent and checked: activation, a second factor. The
// first time, every other channel is told.
func (x *Reach) Verified(ctx context.Context, tx db.Tx, to account.Person, pointID string, e journal.Event) error {
	p, err := find(ctx, tx, to.ID, pointID, tx.Now())
	if err != nil {
		return err
	}
	if !p.VerifiedAt.IsZero() {
		return nil
	}
	// Who is told must not be the new one alone.
	others, err := x.counting(ctx, tx, to, pointID)
	if err != nil {
		return err
	}
	token, q := id.Token(refusalBytes), sqlgen.New(tx)
	n, err := q.VerifyPoint(ctx, sqlgen.VerifyPointParams{ID: pointID, Now: tx.Now(), UsableAt: tx.Now(), Refusal: id.Hash(token)})
	if err != nil {
		return fmt.Errorf("confirm a way to reach somebody: %w", err)
	}
	if n == 0 {
		return Missing
	}
	if p.Replaces != "" && p.Source == FromSelf {
		if err := end(ctx, q, p.Replaces, tx.Now()); err != nil {
			return err
		}
	}
	e.Person, e.Kind, e.Facts = to.ID, "identity.contact_confirmed", map[string]string{"value": p.Masked}
	if err := x.Journal.Write(ctx, tx, e); err != nil {
		return err
	}
	if to.State == account.Invited { // activation tells by itself
		return nil
	}
	return x.tell(ctx, tx, to, Letter{Kind: "contact_confirmed", Args: []any{"value", p.Masked}, URL: refusalURL(token), Notice: "/identity/contacts"}, others)
}

// Remove takes back a number or an address that somebody gave themselves, and
// tells them everywhere, there too. Its errors are [Missing] and [FromRecord].
func (x *Reach) Remove(ctx context.Context, to account.Person, pointID string, e journal.Event) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		p, err := find(ctx, tx, to.ID, pointID, tx.Now())
		if err != nil {
			return err
		}
		if p.Source != FromSelf {
			return FromRecord
		}
		// Before the end, so that the one that goes hears of it.
		if !p.VerifiedAt.IsZero() {
			if err := x.Tell(ctx, tx, to, Letter{Kind: "contact_removed", Args: []any{"value", p.Masked}, URL: "/identity/contacts"}); err != nil {
				return err
			}
		}
		if err := end(ctx, sqlgen.New(tx), p.ID, tx.Now()); err != nil {
			return err
		}
		e.Person, e.Kind, e.Facts = to.ID, "identity.contact_removed", map[string]string{"value": p.Masked}
		return x.Journal.Write(ctx, tx, e)
	})
}

// StillMine notes that somebody says that everything listed is still theirs.
func (x *Reach) StillMine(ctx context.Context, who campus.PersonID) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).ConfirmPoints(ctx, sqlgen.ConfirmPointsParams{PersonID: string(who), Now: tx.Now()})
		if err != nil {
			return fmt.Errorf("confirm ways to reach somebody: %w", err)
		}
		return nil
	})
}

// sameHouse reports whether two addresses are of one domain: who is locked out
// of one is locked out of the other.
func sameHouse(a, b string) bool {
	_, first, _ := strings.Cut(a, "@")
	_, second, _ := strings.Cut(b, "@")
	return strings.EqualFold(first, second)
}
