package activation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/activation/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// begun is one activation on one device.
type begun struct {
	ID         string
	Person     campus.PersonID
	Invitation string // empty for those who began with their certificate
	Point      string // where the newest code went; empty while none did
	SentAt     db.Time
	ProvedAt   db.Time // the code was right, or the letter's link
	FinishedAt db.Time
	ExpiresAt  db.Time
}

// begin stores a new activation and returns the secret that the browser keeps.
func begin(ctx context.Context, tx db.Tx, b begun, from netip.Addr) (token string, err error) {
	token = id.Token(tokenBytes)
	err = sqlgen.New(tx).Begin(ctx, sqlgen.BeginParams{
		ID: b.ID, TokenHash: id.Hash(token), PersonID: string(b.Person), InvitationID: b.Invitation, PointID: b.Point,
		StartedAt: tx.Now(), SentAt: b.SentAt, ProvedAt: b.ProvedAt, ExpiresAt: b.ExpiresAt, Address: from.String(),
	})
	if err != nil {
		return "", fmt.Errorf("begin activation: %w", err)
	}
	return token, nil
}

// begunByToken finds the activation whose secret a browser shows. It fails with
// [Lost] for a secret that we do not know and [Expired] for one whose time is
// over.
func (x *Activation) begunByToken(ctx context.Context, token string) (begun, error) {
	if token == "" {
		return begun{}, Lost
	}
	row, err := sqlgen.New(x.DB.Read()).BegunByToken(ctx, id.Hash(token))
	if errors.Is(err, sql.ErrNoRows) {
		return begun{}, Lost
	}
	if err != nil {
		return begun{}, fmt.Errorf("read activation: %w", err)
	}
	b := begun{
		ID: row.ID, Person: campus.PersonID(row.PersonID), Invitation: row.InvitationID, Point: row.PointID,
		SentAt: row.SentAt, ProvedAt: row.ProvedAt, FinishedAt: row.FinishedAt, ExpiresAt: row.ExpiresAt,
	}
	if b.FinishedAt.IsZero() && b.ExpiresAt <= x.DB.Now() {
		return begun{}, Expired
	}
	return b, nil
}

// InvitationState says how far an invitation came.
type InvitationState string

// The states of an invitation.
const (
	Sent      InvitationState = "sent"      // the letter is on its way
	Opened    InvitationState = "opened"    // somebody pressed its button, and has not finished
	Used      InvitationState = "used"      // the account is active
	Unused    InvitationState = "expired"   // nobody used it in time
	Withdrawn InvitationState = "withdrawn" // an agent took it back
)

// Invitation is a letter that opens an account.
type Invitation struct {
	ID          string
	Person      campus.PersonID
	Login, Name string // of who is invited; in lists
	SentTo      string // address
	InvitedBy   string // who sent it: a name in lists
	CreatedAt   time.Time
	SentAt      time.Time // of the newest letter
	Letters     int
	State       InvitationState
	ExpiresAt   time.Time
}

func invitationState(used, withdrawn, opened, expires, now db.Time) InvitationState {
	switch {
	case !used.IsZero():
		return Used
	case !withdrawn.IsZero():
		return Withdrawn
	case expires <= now:
		return Unused
	case !opened.IsZero():
		return Opened
	default:
		return Sent
	}
}

// invitation reads one invitation for an agent, or fails with
// [InvitationMissing].
func (x *Activation) invitation(ctx context.Context, q db.Querier, invitationID string) (Invitation, error) {
	row, err := sqlgen.New(q).InvitationByID(ctx, invitationID)
	if errors.Is(err, sql.ErrNoRows) {
		return Invitation{}, InvitationMissing
	}
	if err != nil {
		return Invitation{}, fmt.Errorf("read invitation: %w", err)
	}
	return Invitation{
		ID: row.ID, Person: campus.PersonID(row.PersonID), SentTo: row.SentTo, InvitedBy: row.InvitedBy,
		CreatedAt: row.CreatedAt.Time(), SentAt: row.SentAt.Time(), Letters: int(row.Letters), ExpiresAt: row.ExpiresAt.Time(),
		State: invitationState(row.UsedAt, row.WithdrawnAt, row.OpenedAt, row.ExpiresAt, x.DB.Now()),
	}, nil
}

// invitationBySecret finds the invitation that a letter's link or code belongs
// to, or fails with [InvitationMissing].
func (x *Activation) invitationBySecret(ctx context.Context, secret string) (Invitation, error) {
	row, err := sqlgen.New(x.DB.Read()).InvitationBySecret(ctx, id.Hash(secret))
	if errors.Is(err, sql.ErrNoRows) {
		return Invitation{}, InvitationMissing
	}
	if err != nil {
		return Invitation{}, fmt.Errorf("read invitation: %w", err)
	}
	return x.invitation(ctx, x.DB.Read(), row.ID)
}

// Filter chooses invitations; its zero value chooses the first page of all.
type Filter struct {
	Words string // part of a name, an identifier or an address
	State InvitationState
	Page  int // from 1
	Size  int // of a page
}

// like is the pattern that finds words anywhere.
func like(words string) string {
	return "%" + strings.NewReplacer("%", "", `\`, "").Replace(words) + "%"
}

// invitations lists what the filter chooses, newest first, and how many it
// chooses in all.
func (x *Activation) invitations(ctx context.Context, f Filter) (list []Invitation, total int, err error) {
	q, now := sqlgen.New(x.DB.Read()), x.DB.Now()
	folded, typed := like(campus.Fold(f.Words)), like(strings.ToLower(strings.TrimSpace(f.Words)))
	n, err := q.CountInvitations(ctx, sqlgen.CountInvitationsParams{Folded: folded, Typed: typed, State: string(f.State), Now: now})
	if err != nil {
		return nil, 0, fmt.Errorf("count invitations: %w", err)
	}
	rows, err := q.ListInvitations(ctx, sqlgen.ListInvitationsParams{
		Folded: folded, Typed: typed, State: string(f.State), Now: now, Size: int32(f.Size), Skip: int32((max(f.Page, 1) - 1) * f.Size),
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list invitations: %w", err)
	}
	for _, row := range rows {
		list = append(list, Invitation{
			ID: row.ID, Person: campus.PersonID(row.PersonID), Login: row.Login, Name: strings.TrimSpace(row.GivenName + " " + row.FamilyName),
			SentTo: row.SentTo, InvitedBy: row.InvitedBy, CreatedAt: row.CreatedAt.Time(), SentAt: row.SentAt.Time(), Letters: int(row.Letters),
			ExpiresAt: row.ExpiresAt.Time(), State: invitationState(row.UsedAt, row.WithdrawnAt, row.OpenedAt, row.ExpiresAt, now),
		})
	}
	return list, int(n), nil
}

// tokenBytes is the length of the secrets in cookies and links: 256 bits.
const tokenBytes = 32

// link finds a link that goes on with an activation, or fails with [LinkOver].
func (x *Activation) link(ctx context.Context, token string) (sqlgen.LinkByTokenRow, error) {
	row, err := sqlgen.New(x.DB.Read()).LinkByToken(ctx, id.Hash(token))
	if errors.Is(err, sql.ErrNoRows) {
		return row, LinkOver
	}
	if err != nil {
		return row, fmt.Errorf("read a link: %w", err)
	}
	if !row.UsedAt.IsZero() || !row.FinishedAt.IsZero() || row.ProvedAt.IsZero() || row.ExpiresAt <= x.DB.Now() {
		return row, LinkOver
	}
	return row, nil
}

// forget deletes what is long over.
func (x *Activation) forget(ctx context.Context) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if _, err := q.ForgetActivations(ctx, tx.Now().Add(-keepOver)); err != nil {
			return fmt.Errorf("forget activations: %w", err)
		}
		if _, err := q.ForgetInvitations(ctx, tx.Now().Add(-keepInvitations)); err != nil {
			return fmt.Errorf("forget invitations: %w", err)
		}
		return nil
	})
}

// keepOver is how long the record of an activation stays after its end, so that
// a browser that comes back late is told what happened; keepInvitations is how
// long agents can see whom they invited.
const (
	keepOver        = 30 * 24 * time.Hour
	keepInvitations = 366 * 24 * time.Hour
)
