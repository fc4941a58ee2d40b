package activation

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"database/sql"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/activation/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/limit"
)

// mayInvite reports whether somebody may open accounts to others.
func mayInvite(v campus.Viewer) bool {
	return v.Can(campus.RightSecretariat) || v.Can(campus.RightAdmin)
}

// letter is what an invitation hands out: stored as hashes, written once.
type letter struct{ token, code string }

func newLetter() letter { return letter{token: id.Token(tokenBytes), code: newLetterCode()} }

// Invite sends an invitation to somebody who is in the register and has not
// activated their account yet, found by identifier or institutional address. One
// who was invited before gets a new letter, and the old one is worth nothing. It
// fails with [Reserved], [NobodyKnown] and [NotInvitable].
func (x *Activation) Invite(ctx context.Context, by campus.Viewer, login string, e journal.Event) (Invitation, error) {
	if !mayInvite(by) {
		return Invitation{}, Reserved
	}
	p, err := x.People.PersonByLogin(ctx, strings.ToLower(strings.TrimSpace(login)))
	if err != nil {
		if fault.Of(err).Reason.Kind() == fault.NotFound {
			return Invitation{}, NobodyKnown.With(fault.Args{"login": fault.Private(login)})
		}
		return Invitation{}, fmt.Errorf("invite: %w", err)
	}
	to, err := x.outside(ctx, p)
	if err != nil {
		return Invitation{}, err
	}
	var made Invitation
	err = x.DB.InTx(ctx, func(tx db.Tx) (err error) {
		made, err = x.invite(ctx, tx, by, p, to, e)
		return err
	})
	return made, err
}

// Guest is somebody from outside who is to get an account for a time.
type Guest struct {
	GivenName, FamilyName string
	Mail                  string // their own address; the invitation goes there
	Unit                  string // code of the unit that receives them; may be empty
	Locale                campus.Locale
	Ends                  time.Time // when the account ends
}

// maxLogins is how many identifiers are tried for one name.
const maxLogins = 50

// InviteGuest adds a guest to the register and invites them. Besides the errors
// of the register, such as an address that somebody has already, it fails with
// [Reserved] and [LoginsTaken].
func (x *Activation) InviteGuest(ctx context.Context, by campus.Viewer, g Guest, e journal.Event) (Invitation, error) {
	if !mayInvite(by) {
		return Invitation{}, Reserved
	}
	login, err := x.freeLogin(ctx, g)
	if err != nil {
		return Invitation{}, err
	}
	p := account.Person{
		Login: login, Mail: g.Mail, GivenName: g.GivenName, FamilyName: g.FamilyName, State: account.Invited, Locale: g.Locale,
		Affiliations: []campus.Affiliation{{Kind: campus.Guest, Unit: g.Unit}},
	}
	var made Invitation
	err = x.DB.InTx(ctx, func(tx db.Tx) (err error) {
		guest := p
		if guest.ID, err = x.Register.AddPerson(ctx, tx, p); err != nil {
			return err
		}
		if err := x.Endings.EndOn(ctx, tx, guest.ID, g.Ends); err != nil {
			return err
		}
		made, err = x.invite(ctx, tx, by, guest, g.Mail, e)
		return err
	})
	return made, err
}

// freeLogin proposes an identifier for a guest that nobody has: g-mweber,
// g-mweber2.
func (x *Activation) freeLogin(ctx context.Context, g Guest) (string, error) {
	given, family := campus.Fold(g.GivenName), strings.ReplaceAll(campus.Fold(g.FamilyName), " ", "")
	base := "g-" + strings.Map(plainLetter, given[:min(1, len(given))]+family[:min(16, len(family))])
	if base == "g-" { // a name in another script
		base = "g-guest"
	}
	for n := 1; n <= maxLogins; n++ {
		login := base
		if n > 1 {
			login += strconv.Itoa(n)
		}
		_, err := x.People.PersonByLogin(ctx, login)
		if err != nil && fault.Of(err).Reason.Kind() == fault.NotFound {
			return login, nil
		}
		if err != nil {
			return "", fmt.Errorf("find a free identifier: %w", err)
		}
	}
	return "", LoginsTaken
}

func plainLetter(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return -1
}

// outside is the address that an invitation goes to: one that somebody can read
// who has no account yet, and the institutional one only when the record has no
// other.
func (x *Activation) outside(ctx context.Context, p account.Person) (string, error) {
	points, err := x.Reach.Points(ctx, p.ID)
	if err != nil {
		return "", fmt.Errorf("find where to send an invitation: %w", err)
	}
	for _, point := range points {
		if point.Channel == reach.RecoveryMail && point.Usable(x.Clock.Now()) {
			return point.Value, nil
		}
	}
	return p.Mail, nil
}

// invite stores an invitation and sends its letter.
func (x *Activation) invite(ctx context.Context, tx db.Tx, by campus.Viewer, p account.Person, to string, e journal.Event) (Invitation, error) {
	if p.State != account.Invited {
		return Invitation{}, NotInvitable.With(fault.Args{"login": p.Login})
	}
	q := sqlgen.New(tx)
	open, err := q.OpenInvitationOf(ctx, string(p.ID))
	if err == nil {
		return x.letter(ctx, tx, by, open, p, to, e)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return Invitation{}, fmt.Errorf("look for an earlier invitation: %w", err)
	}
	l, invitationID, until := newLetter(), id.New(), tx.Now().Add(x.config.InvitationLasts)
	err = q.AddInvitation(ctx, sqlgen.AddInvitationParams{
		ID: invitationID, PersonID: string(p.ID), TokenHash: id.Hash(l.token), CodeHash: id.Hash(l.code), SentTo: to,
		InvitedBy: string(by.Person), CreatedAt: tx.Now(), ExpiresAt: until,
	})
	if err != nil {
		return Invitation{}, fmt.Errorf("store invitation: %w", err)
	}
	return x.post(ctx, tx, by, invitationID, p, to, l, until, e)
}

// letter makes a new letter of an invitation; the one before is worth nothing.
func (x *Activation) letter(ctx context.Context, tx db.Tx, by campus.Viewer, invitationID string, p account.Person, to string, e journal.Event) (Invitation, error) {
	l, until := newLetter(), tx.Now().Add(x.config.InvitationLasts)
	n, err := sqlgen.New(tx).SendAgain(ctx, sqlgen.SendAgainParams{
		ID: invitationID, TokenHash: id.Hash(l.token), CodeHash: id.Hash(l.code), SentTo: to, SentAt: tx.Now(), ExpiresAt: until,
	})
	if err != nil {
		return Invitation{}, fmt.Errorf("store the new letter of an invitation: %w", err)
	}
	if n == 0 {
		return Invitation{}, InvitationOver
	}
	return x.post(ctx, tx, by, invitationID, p, to, l, until, e)
}

// post sends a letter, writes the journal, and gives the invitation as it is now.
func (x *Activation) post(ctx context.Context, tx db.Tx, by campus.Viewer, invitationID string, p account.Person, to string, l letter, until db.Time, e journal.Event) (Invitation, error) {
	link := x.address("/activate/invitation?token=" + l.token)
	if err := x.mailInvitation(ctx, tx, p, to, link, shownLetterCode(l.code), until.Time()); err != nil {
		return Invitation{}, err
	}
	made, err := x.invitation(ctx, tx, invitationID)
	if err != nil {
		return Invitation{}, err
	}
	e.Kind, e.Person, e.Actor = "identity.account_invited", p.ID, by.Person
	if err := x.Journal.Write(ctx, tx, e); err != nil {
		return Invitation{}, err
	}
	made.Login, made.Name = p.Login, p.DisplayName()
	return made, nil
}

// sendLetterAgain sends a new letter of an invitation.
func (x *Activation) sendLetterAgain(ctx context.Context, by campus.Viewer, invitationID string, e journal.Event) (Invitation, error) {
	if !mayInvite(by) {
		return Invitation{}, Reserved
	}
	old, err := x.invitation(ctx, x.DB.Read(), invitationID)
	if err != nil {
		return old, err
	}
	p, err := x.People.PersonByID(ctx, old.Person)
	if err != nil {
		return old, fmt.Errorf("send an invitation again: %w", err)
	}
	if p.State != account.Invited {
		return old, NotInvitable.With(fault.Args{"login": p.Login})
	}
	to, err := x.outside(ctx, p)
	if err != nil {
		return old, err
	}
	var made Invitation
	err = x.DB.InTx(ctx, func(tx db.Tx) (err error) {
		made, err = x.letter(ctx, tx, by, invitationID, p, to, e)
		return err
	})
	return made, err
}

// withdraw takes an invitation back: its letter, and what was begun with it, is
// worth nothing from now on.
func (x *Activation) withdraw(ctx context.Context, by campus.Viewer, invitationID string) error {
	if !mayInvite(by) {
		return Reserved
	}
	if _, err := x.invitation(ctx, x.DB.Read(), invitationID); err != nil {
		return err
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).WithdrawInvitation(ctx, sqlgen.WithdrawInvitationParams{ID: invitationID, WithdrawnAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("withdraw invitation: %w", err)
		}
		if n == 0 {
			return InvitationOver
		}
		return nil
	})
}

// accept begins an activation with the secret of a letter, and returns the one
// for the browser. The letter goes on working until the account is active: who
// changes to another device opens it again.
func (x *Activation) accept(ctx context.Context, secret string, from netip.Addr) (token string, err error) {
	if wait, ok := x.network.Allow(limit.AddressKey(from)); !ok {
		return "", Slowed.With(fault.Args{"wait": wait})
	}
	i, err := x.invited(ctx, secret)
	if err != nil {
		return "", err
	}
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		err := sqlgen.New(tx).NoteOpened(ctx, sqlgen.NoteOpenedParams{ID: i.ID, OpenedAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("note that an invitation was opened: %w", err)
		}
		b := begun{ID: id.New(), Person: i.Person, Invitation: i.ID, ProvedAt: tx.Now(), ExpiresAt: tx.Now().Add(x.config.Lasts)}
		token, err = begin(ctx, tx, b, from)
		return err
	})
	return token, err
}

// invited is the invitation of a letter's secret, while it can be used. It fails
// with the reason why it cannot: who holds the letter may know.
func (x *Activation) invited(ctx context.Context, secret string) (Invitation, error) {
	i, err := x.invitationBySecret(ctx, secret)
	if errors.Is(err, InvitationMissing) {
		return i, LetterUnknown
	}
	if err != nil {
		return i, err
	}
	switch i.State {
	case Used:
		return i, LetterUsed
	case Withdrawn:
		return i, LetterWithdrawn
	case Unused:
		return i, LetterExpired.With(fault.Args{"expired_at": i.ExpiresAt})
	default:
		return i, nil
	}
}
