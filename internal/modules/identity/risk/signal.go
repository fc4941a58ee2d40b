package risk

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/place"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/limit"
)

// Outcome says how a try ended, or how far it has come.
type Outcome string

// The outcomes of a try.
const (
	In      Outcome = "in"      // a session was opened
	Stopped Outcome = "stopped" // the password was right, and nothing more happened yet
	Refused Outcome = "refused" // the password was wrong
)

// Circumstances are those of one try.
type Circumstances struct {
	Person     account.Person // the zero Person for an identifier that nobody has
	Identifier string         // in its normal form
	Address    netip.Addr
	// Device is the identifier of the browser when its user was signed in with it
	// before, and they did not call the computer shared.
	Device string
	// Breached: the password was right and stands in a list of stolen ones.
	Breached bool
	// At and Country are those of a try that is only imagined: when it would be, and
	// from which country instead of the address's own. Both are zero for a real one.
	At      time.Time
	Country string
}

// Signal is one try as it is noted.
type Signal struct {
	Circumstances
	Outcome Outcome
	Reason  string // reason code; empty for nothing
	// OldPassword: what was typed is a former password of the person. It counts for
	// nothing: a phone that saved it must not lock its owner out.
	OldPassword bool
	Proved      entry.Method // the second factor, when one was proved
	// Verdict is what [Risk.Assess] said, for Stopped and In. Noting one verdict
	// again replaces the earlier outcome.
	Verdict  Verdict
	Incident string // code under which people speak of this try
}

// oldPassword stands as the reason of a try with a former password.
const oldPassword = "old_password"

// subject is whom the failures of a try are counted for. Identifiers that nobody
// has share some drawers: their failures cost exactly what those of a person cost,
// and the drawers do not multiply.
func (x *Risk) subject(c Circumstances) string {
	if c.Person.ID != "" {
		return string(c.Person.ID)
	}
	const drawers = 1024
	h := fnv.New32a()
	h.Write([]byte(x.hash(c.Identifier))) // never fails (hash.Hash)
	return nobody + strconv.Itoa(int(h.Sum32()%drawers))
}

// nobody begins the subject of an identifier that nobody has. No person's
// identifier holds a space.
const nobody = "nobody "

// hash hides an identifier: only this installation can tell that two are the same.
func (x *Risk) hash(identifier string) string {
	return id.Hash(string(x.Sign("identity.risk", []byte(identifier))))
}

// Place is where an address is, as well as the institution can tell.
func (x *Risk) Place(address netip.Addr) place.Place {
	p, err := x.atlas.Of(address)
	if err != nil { // a damaged file: the rules about places notice less, and people get in
		x.Log.Warn("find the place of an address", "error", err)
	}
	return p
}

// Note writes one try down, counts it, and locks the account when its owner, or
// somebody else, failed too often. What it does, and how long that takes, is the
// same for an identifier that nobody has. Call it in the transaction that records
// the try.
func (x *Risk) Note(ctx context.Context, tx db.Tx, s Signal) error {
	if err := x.write(ctx, tx, s); err != nil {
		return err
	}
	switch {
	case s.Outcome == In:
		tx.AfterCommit(func() { x.watch.succeeded(x.networkOf(s.Address), x.hash(s.Identifier)) })
		return x.clearStrikes(ctx, tx, s)
	case s.Outcome != Refused || s.OldPassword:
		return nil
	}
	if err := x.strike(ctx, tx, s.Circumstances); err != nil {
		return err
	}
	if s.Device != "" {
		return nil // its owner mistypes: that is no attack
	}
	network, who := x.networkOf(s.Address), x.hash(s.Identifier)
	tx.AfterCommit(func() { x.watch.failed(network, who) })
	return x.raiseAlarms(ctx, tx, network, s.Address)
}

// networkOf is the key under which a network is counted. It is empty for this
// machine: a proxy that nobody declared, most often, behind which everybody is.
func (x *Risk) networkOf(address netip.Addr) string {
	if address.IsLoopback() {
		return ""
	}
	return limit.AddressKey(address)
}

// write stores the row of a try.
func (x *Risk) write(ctx context.Context, tx db.Tx, s Signal) error {
	p := x.Place(s.Address)
	reason := s.Reason
	if s.OldPassword {
		reason = oldPassword
	}
	row := sqlgen.AddSignalParams{
		ID: s.Verdict.Signal, PersonID: string(s.Person.ID), Kind: kindOf(s.Person), Identifier: x.hash(s.Identifier),
		Network: limit.AddressKey(s.Address), Place: p.Text(), Country: p.Country, DeviceID: s.Device,
		Outcome: string(s.Outcome), Reason: reason, Proved: string(s.Proved),
		Fired: strings.Join(s.Verdict.Fired, " "), Judged: s.Verdict.Signal != "", Score: int64(s.Verdict.Score),
		Incident: s.Incident, NotedAt: tx.Now(),
	}
	if row.ID == "" {
		row.ID = id.New()
	}
	if err := sqlgen.New(tx).AddSignal(ctx, row); err != nil {
		return fmt.Errorf("note a sign-in: %w", err)
	}
	return nil
}

// kindOf is the first affiliation of somebody, for the sums of the dry run.
func kindOf(p account.Person) string {
	if len(p.Affiliations) == 0 {
		return ""
	}
	return string(p.Affiliations[0].Kind)
}

// prune forgets what is old.
func (x *Risk) prune(ctx context.Context) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		q, now := sqlgen.New(tx), tx.Now()
		if _, err := q.ForgetSignals(ctx, now.Add(-keepSignals)); err != nil {
			return fmt.Errorf("forget signals: %w", err)
		}
		if _, err := q.ForgetStrikes(ctx, now.Add(-2*staleStrikes)); err != nil {
			return fmt.Errorf("forget failures: %w", err)
		}
		if _, err := q.ForgetLocks(ctx, sqlgen.ForgetLocksParams{BeforeAt: now.Add(-keepLocks), NobodyBeforeAt: now}); err != nil {
			return fmt.Errorf("forget locks: %w", err)
		}
		if _, err := q.ForgetAlarms(ctx, now.Add(-keepAlarms)); err != nil {
			return fmt.Errorf("forget alarms: %w", err)
		}
		return nil
	})
}
