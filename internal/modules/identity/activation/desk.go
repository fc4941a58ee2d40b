package activation

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/activation/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/limit"
)

// codePurpose names the codes of activation; their subject is the activation, so
// that a code works on the device that asked for it and on no other.
const codePurpose = "identity.activation"

// codeKind names the messages that carry them.
const codeKind = "activation_code"

// claim is what somebody says of themselves, in the form in which it is stored.
type claim struct {
	Who     string        // institutional address or identifier
	Number  string        // see NormalNumber
	Channel reach.Channel // mobile, or recovery_mail for who lost the number
	Value   string        // number or address given at registration
}

// nobody is an identifier that no person has: what is looked up for strangers,
// so that the work is the same.
const nobody campus.PersonID = "00000000-0000-7000-8000-000000000000"

// slowDown counts a beginning. Everybody is counted alike, whether they exist or
// not.
func (x *Activation) slowDown(c claim, from netip.Addr) error {
	if wait, ok := x.network.Allow(limit.AddressKey(from)); !ok {
		return Slowed.With(fault.Args{"wait": wait})
	}
	for _, key := range []string{"number " + c.Number, "who " + c.Who} {
		if wait, ok := x.number.Allow(key + " " + limit.AddressKey(from)); !ok {
			return Slowed.With(fault.Args{"wait": wait})
		}
		if wait, ok := x.all.Allow(key); !ok {
			return Slowed.With(fault.Args{"wait": wait})
		}
	}
	return nil
}

// elsewhere is how much wider the budget of a number is from all networks
// together: one classmate cannot use up what its owner needs.
const elsewhere = 5

// recognise finds the person whom all parts of a claim fit, and the point that
// the last part names. It fails with [NoMatch], after the same look-ups whatever
// is wrong.
func (x *Activation) recognise(ctx context.Context, c claim) (account.Person, reach.Point, error) {
	p, err := x.People.PersonByLogin(ctx, c.Who)
	if err != nil {
		if fault.Of(err).Reason.Kind() != fault.NotFound {
			return p, reach.Point{}, fmt.Errorf("recognise somebody: %w", err)
		}
		p = account.Person{ID: nobody}
	}
	points, err := x.Reach.Points(ctx, p.ID)
	if err != nil && fault.Of(err).Reason.Kind() != fault.NotFound {
		return p, reach.Point{}, fmt.Errorf("recognise somebody: %w", err)
	}
	fits := same(NormalNumber(p.StudentNumber), c.Number) && c.Number != ""
	var found reach.Point
	for _, point := range points {
		if point.Channel == c.Channel && point.Usable(x.Clock.Now()) && same(strings.ToLower(point.Value), strings.ToLower(c.Value)) {
			found = point
		}
	}
	if !fits || found.ID == "" || p.ID == nobody {
		return account.Person{}, reach.Point{}, NoMatch
	}
	return p, found, nil
}

// start begins an activation and returns the secret for the browser; empty when
// it goes on with had, the one that this browser has begun already: the back
// button and a second click must not turn the code that is on its way into one
// for nothing. sent tells why no code has left, when that is something for people
// to read: the page of the code then offers another way.
func (x *Activation) start(ctx context.Context, c claim, had begun, from netip.Addr) (token string, sent, err error) {
	if err := x.slowDown(c, from); err != nil {
		return "", nil, err
	}
	p, point, err := x.recognise(ctx, c)
	if err != nil {
		return "", nil, err
	}
	if p.State.Usable() {
		return "", nil, AlreadyActive
	}
	if had.Person == p.ID && had.Invitation == "" && had.FinishedAt.IsZero() {
		if !had.ProvedAt.IsZero() {
			return "", nil, nil
		}
		if sent = x.send(ctx, had, p, point); errors.Is(sent, reach.TooSoon) && had.Point == point.ID {
			sent = nil // the code is on its way
		}
		return "", sent, nil
	}
	b := begun{ID: id.New(), Person: p.ID}
	err = x.DB.InTx(ctx, func(tx db.Tx) (err error) {
		b.ExpiresAt = tx.Now().Add(x.config.Lasts)
		token, err = begin(ctx, tx, b, from)
		return err
	})
	if err != nil {
		return "", nil, err
	}
	if sent = x.send(ctx, b, p, point); errors.Is(sent, reach.TooSoon) {
		sent = SentElsewhere.Because(sent, fault.Of(sent).Args)
	}
	return token, sent, nil
}

// send sends a code to a point. Codes are counted by person: each can be guessed
// at a few times, however many devices ask for one.
func (x *Activation) send(ctx context.Context, b begun, p account.Person, point reach.Point) error {
	if wait, ok := x.number.Allow("code " + string(p.ID)); !ok {
		return Slowed.With(fault.Args{"wait": wait})
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		plain, err := x.Codes.Issue(ctx, tx, code.Ask{Purpose: codePurpose, Subject: b.ID, Person: p.ID, Lasts: x.config.CodeLasts, Tries: x.config.CodeTries})
		if err != nil {
			return err
		}
		if err := x.Reach.SendCode(ctx, tx, p, point, codeKind, plain, x.config.CodeLasts); err != nil {
			return err
		}
		n, err := sqlgen.New(tx).NoteSent(ctx, sqlgen.NoteSentParams{ID: b.ID, PointID: point.ID, SentAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("note that a code was sent: %w", err)
		}
		if n == 0 { // another tab typed the code meanwhile
			return code.Used
		}
		return nil
	})
}

// sendAgain sends another code, to the point with this identifier.
func (x *Activation) sendAgain(ctx context.Context, b begun, pointID string) error {
	p, err := x.People.PersonByID(ctx, b.Person)
	if err != nil {
		return fmt.Errorf("send a code again: %w", err)
	}
	points, err := x.points(ctx, b.Person)
	if err != nil {
		return err
	}
	for _, point := range points {
		if point.ID == pointID {
			return x.send(ctx, b, p, point)
		}
	}
	return PointMissing
}

// points are where codes for somebody may go. The institutional address is none
// of them: who has no account yet cannot read it.
func (x *Activation) points(ctx context.Context, who campus.PersonID) ([]reach.Point, error) {
	all, err := x.Reach.Points(ctx, who)
	if err != nil {
		return nil, fmt.Errorf("find where to send a code: %w", err)
	}
	var points []reach.Point
	for _, point := range all {
		if point.Channel != reach.Mail && point.Usable(x.Clock.Now()) {
			points = append(points, point)
		}
	}
	return points, nil
}

// prove uses up a code. What it returns besides code's refusals is [Expired].
func (x *Activation) prove(ctx context.Context, b begun, typed string) error {
	if !b.ProvedAt.IsZero() {
		return nil // the other tab was quicker, or the button was pressed twice
	}
	if err := x.Codes.Check(ctx, codePurpose, b.ID, typed); err != nil {
		return err
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).NoteProved(ctx, sqlgen.NoteProvedParams{ID: b.ID, Now: tx.Now()})
		if err != nil {
			return fmt.Errorf("note that a code was right: %w", err)
		}
		if n == 0 {
			return Expired
		}
		return nil
	})
}

// owner is who an activation is for, once they have proved it. It fails when
// their account cannot be activated, and says why: they may know now.
func (x *Activation) owner(ctx context.Context, b begun) (account.Person, error) {
	p, err := x.People.PersonByID(ctx, b.Person)
	if err != nil {
		return p, fmt.Errorf("find the owner of an activation: %w", err)
	}
	if b.Invitation != "" {
		i, err := x.invitation(ctx, x.DB.Read(), b.Invitation)
		if err != nil {
			return p, err
		}
		if i.State == Withdrawn {
			return p, LetterWithdrawn
		}
	}
	switch p.State {
	case account.Invited:
		return p, nil
	case account.Active, account.Expiring:
		return p, NotInvited
	default:
		return p, Blocked
	}
}

// finish makes the account active with its first password. Of two devices that
// finish at once one gets nil and the other [NotInvited]; nothing of the other
// is kept.
func (x *Activation) finish(ctx context.Context, b begun, p account.Person, secret renewal.Secret, e journal.Event) error {
	e.Kind, e.Person, e.Actor = "identity.account_activated", p.ID, p.ID
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		n, err := q.Finish(ctx, sqlgen.FinishParams{ID: b.ID, Now: tx.Now()})
		if err != nil {
			return fmt.Errorf("finish activation: %w", err)
		}
		if n == 0 { // finished in another tab; its time was looked at a moment ago
			return NotInvited
		}
		if err := x.Register.Activate(ctx, tx, p.ID); err != nil {
			return err
		}
		if b.Invitation != "" {
			n, err := q.UseInvitation(ctx, sqlgen.UseInvitationParams{ID: b.Invitation, UsedAt: tx.Now()})
			if err != nil {
				return fmt.Errorf("use invitation: %w", err)
			}
			if n == 0 {
				return LetterWithdrawn
			}
		}
		if b.Point != "" { // the code went there and came back
			if err := x.Reach.Verified(ctx, tx, p, b.Point, e); err != nil && !errors.Is(err, reach.Missing) {
				return err
			}
		}
		letter := reach.Letter{Kind: "activated", Args: []any{"login", p.Login}, URL: "/portal/help", Notice: addFactorURL, Urgent: true, Good: true}
		if err := x.Reach.Tell(ctx, tx, p, letter); err != nil {
			return err
		}
		return x.Passwords.Store(ctx, tx, p, secret, e)
	})
}

// later sends a link that goes on with an activation on another device, to the
// point that has proved it.
func (x *Activation) later(ctx context.Context, b begun, p account.Person) (reach.Point, error) {
	points, err := x.points(ctx, b.Person)
	if err != nil {
		return reach.Point{}, err
	}
	for _, point := range points {
		if point.ID != b.Point {
			continue
		}
		if wait, ok := x.number.Allow("link " + b.ID); !ok {
			return point, Slowed.With(fault.Args{"wait": wait})
		}
		token := id.Token(tokenBytes)
		return point, x.DB.InTx(ctx, func(tx db.Tx) error {
			err := sqlgen.New(tx).AddLink(ctx, sqlgen.AddLinkParams{ID: id.New(), TokenHash: id.Hash(token), ActivationID: b.ID, SentAt: tx.Now()})
			if err != nil {
				return fmt.Errorf("add a link: %w", err)
			}
			return x.mailLink(ctx, tx, p, point, x.address("/activate/resume?token="+token), b.ExpiresAt.Time())
		})
	}
	return reach.Point{}, PointMissing
}

// resume uses up such a link and returns the secret for this browser. It fails
// with [LinkOver]: the letter's reader cannot tell, and need not, which of the
// reasons it is.
func (x *Activation) resume(ctx context.Context, link string, from netip.Addr) (token string, err error) {
	if wait, ok := x.network.Allow(limit.AddressKey(from)); !ok {
		return "", Slowed.With(fault.Args{"wait": wait})
	}
	row, err := x.link(ctx, link)
	if err != nil {
		return "", err
	}
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).UseLink(ctx, sqlgen.UseLinkParams{ID: row.LinkID, UsedAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("use a link: %w", err)
		}
		if n == 0 {
			return LinkOver
		}
		b := begun{
			ID: id.New(), Person: campus.PersonID(row.PersonID), Invitation: row.InvitationID, Point: row.PointID,
			ProvedAt: row.ProvedAt, ExpiresAt: row.ExpiresAt,
		}
		token, err = begin(ctx, tx, b, from)
		return err
	})
	return token, err
}

// patience is the least time that a refusal takes: what the data base needs for
// one kind of wrong and not for another drowns in it.
const patience = 250 * time.Millisecond

// hold waits until patience has passed since start, or until nobody waits for
// the answer.
func hold(ctx context.Context, start time.Time) {
	rest := time.NewTimer(patience - time.Since(start))
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-ctx.Done():
	}
}
