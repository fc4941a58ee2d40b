package renewal

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Secret is a password ready to be stored: its hash, and the mark that tells it
// later when it is an old one.
type Secret struct {
	Hash string
	mark string
	// before is the mark of the password that this one replaces, when that was
	// typed too; empty otherwise.
	before string
}

// The names of the fields of [NewPassword].
const (
	PlainField = "new_password"
	AgainField = "new_password_again"
)

// Problems are all that is wrong with a new password of somebody, for the fields
// of [NewPassword]. It checks every rule, those of history and of known
// passwords included. Somebody who is not known yet is described by what they
// typed.
func (x *Renewal) Problems(ctx context.Context, p account.Person, plain, again string) (web.Problems, error) {
	var problems web.Problems
	if plain == "" {
		problems.Add(PlainField, "identity.renewal.problem.missing")
		return problems, nil
	}
	for _, rule := range x.rules.Check(plain, aboutOf(p)) {
		problems.Add(PlainField, rules.Broken(rule.Key), rule.Pairs...)
	}
	if x.rules.Breached && x.Breached(plain) {
		problems.Add(PlainField, rules.Broken(rules.KeyBreached))
	}
	if !problems.Any() && x.rules.History > 0 && p.ID != "" { // dear, so last
		used, err := x.used(ctx, p.ID, plain)
		if err != nil {
			return nil, err
		}
		if used {
			problems.Add(PlainField, rules.Broken(rules.KeyHistory), "count", x.rules.History)
		}
	}
	if !problems.Any() && rules.Normal(plain) != rules.Normal(again) {
		problems.Add(AgainField, "identity.renewal.problem.different")
	}
	return problems, nil
}

func aboutOf(p account.Person) rules.About {
	return rules.About{Login: p.Login, GivenName: p.GivenName, FamilyName: p.FamilyName, Mail: p.Mail, StudentNumber: p.StudentNumber}
}

// Breached reports whether a password, or what it is a variation of, is in the
// filter of known ones.
func (x *Renewal) Breached(plain string) bool {
	for _, form := range rules.Known(plain) {
		if x.filter.Has(form) {
			return true
		}
	}
	return false
}

// Hash makes a password ready for [Renewal.Store]. It waits in the line of
// hashes: never call it in a transaction.
func (x *Renewal) Hash(ctx context.Context, plain string) (Secret, error) {
	plain = rules.Normal(plain)
	hash, err := x.Hasher.HashPassword(ctx, plain)
	if err != nil {
		return Secret{}, err
	}
	return Secret{Hash: hash, mark: x.mark(plain)}, nil
}

// Store makes s the password of somebody. It ends their sessions, meets what was
// demanded of their password, ends recoveries under way, writes e into the
// journal and tells the person, unless this is their first password. An event
// without a kind is "identity.password_changed".
func (x *Renewal) Store(ctx context.Context, tx db.Tx, p account.Person, s Secret, e journal.Event) error {
	return x.store(ctx, tx, p, s, "", e)
}

// store is Store that spares one session.
func (x *Renewal) store(ctx context.Context, tx db.Tx, p account.Person, s Secret, session string, e journal.Event) error {
	first, err := x.keep(ctx, tx, p.ID, s)
	if err != nil {
		return err
	}
	q := sqlgen.New(tx)
	if err := q.MeetDemand(ctx, string(p.ID)); err != nil {
		return err
	}
	if err := q.FinishRecoveries(ctx, sqlgen.FinishRecoveriesParams{PersonID: string(p.ID), DoneAt: tx.Now()}); err != nil {
		return err
	}
	if _, err := x.Sessions.EndSessionsOf(ctx, tx, p.ID, session); err != nil {
		return err
	}
	if _, err := x.Devices.EndTrust(ctx, tx, p.ID); err != nil {
		return err
	}
	e.Person = p.ID
	if e.Kind == "" {
		e.Kind = "identity.password_changed"
	}
	if err := x.Journal.Write(ctx, tx, e); err != nil {
		return err
	}
	if first {
		return nil
	}
	return x.Contacts.Tell(ctx, tx, p, reach.Letter{Kind: "password_changed", Args: []any{"at", tx.Now().Time()}, URL: "/password/forgotten", Urgent: true})
}

// Reason is why a password must be changed.
type Reason string

// The reasons, the most pressing first.
const (
	Forgotten  Reason = "forgotten"    // its owner came in by a recovery code
	InBreach   Reason = "breached"     // it is in the filter of known passwords
	SetByAgent Reason = "set_by_agent" // somebody else chose it
	Expired    Reason = "expired"      // it is older than the institution allows
)

// freshProof is how long a proved recovery asks for a new password. It is longer
// than any sign-in lasts, so that none that began with a code ends without one.
const freshProof = 24 * time.Hour

// MustChange reports whether somebody's password must be changed before they may
// go on, and why.
func (x *Renewal) MustChange(ctx context.Context, who campus.PersonID) (Reason, bool, error) {
	now := db.At(x.Clock.Now())
	state, known, err := x.stateOf(ctx, who, now.Add(-freshProof))
	switch {
	case err != nil:
		return "", false, err
	case !known:
		return "", false, nil
	case state.Forgotten > 0:
		return Forgotten, true, nil
	case state.Reason != "":
		return Reason(state.Reason), true, nil
	case x.config.MaxAge > 0 && now.Sub(state.ChangedAt) > x.config.MaxAge:
		return Expired, true, nil
	}
	return "", false, nil
}

// Demand asks somebody for a new password at their next sign-in: InBreach or
// SetByAgent.
func (x *Renewal) Demand(ctx context.Context, tx db.Tx, who campus.PersonID, why Reason) error {
	return sqlgen.New(tx).Demand(ctx, sqlgen.DemandParams{PersonID: string(who), Reason: string(why), SinceAt: tx.Now()})
}

// EndsOn is when somebody's password must be changed at the latest, zero for
// never.
func (x *Renewal) EndsOn(ctx context.Context, who campus.PersonID) (time.Time, error) {
	if x.config.MaxAge == 0 {
		return time.Time{}, nil
	}
	state, known, err := x.stateOf(ctx, who, 0)
	if err != nil || !known {
		return time.Time{}, err
	}
	return state.ChangedAt.Add(x.config.MaxAge).Time(), nil
}

// known answers the browser while somebody types: is this a password that
// attackers know? It keeps nothing, and the log of requests holds no form.
func (x *Renewal) known(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	if wait, ok := x.looks.Allow(limit.AddressKey(web.ClientAddr(r))); !ok {
		web.RetryAfter(w, wait)
		w.WriteHeader(http.StatusTooManyRequests)
		return nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(map[string]bool{"known": x.Breached(values.Get("plain"))})
}
