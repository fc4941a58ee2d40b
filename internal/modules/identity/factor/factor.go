// Package factor knows by what people prove who they are beside their password:
// authenticator apps, phones, keys, passkeys, printed codes and codes that
// somebody passes on. It registers them, proves them, and says who needs one. It
// has no pages: package challenge asks for a factor, package enrol manages them.
package factor

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Reach sends codes and letters; package reach does.
type Reach interface {
	Points(ctx context.Context, who campus.PersonID) ([]reach.Point, error)
	SendCode(ctx context.Context, tx db.Tx, to account.Person, at reach.Point, kind, plain string, lasts time.Duration) error
	Sent(ctx context.Context, at reach.Point, kind string) (reach.Sent, error)
	Tell(ctx context.Context, tx db.Tx, to account.Person, l reach.Letter) error
}

// Journal keeps what happens; package journal does.
type Journal interface {
	Write(ctx context.Context, tx db.Tx, e journal.Event) error
}

// Trust ends the trust in browsers that are spared a factor; package device does.
type Trust interface {
	EndTrust(ctx context.Context, tx db.Tx, who campus.PersonID) (int, error)
}

// Deps is what the factors need of the house.
type Deps struct {
	DB      *db.DB
	Keys    *crypt.Keyring
	Log     *slog.Logger
	People  account.People
	Codes   *code.Store
	Reach   Reach
	Journal Journal
	// Trust is nil where no browser is trusted.
	Trust Trust
	// TextMessages says that a gateway for text messages is configured. One that
	// fails now and then still counts: its factors stay asked for.
	TextMessages bool
	// BaseURL is the address of the house: keys and passkeys are bound to its
	// host (the relying party identifier, WebAuthn §4).
	BaseURL string
	// Institution is the name that authenticator apps and browsers show.
	Institution string
}

// Factors are everybody's factors. It is safe for concurrent use.
type Factors struct {
	Deps
	config Config
	rp     *webauthn.WebAuthn // nil where browsers allow no keys
	origin string
}

// New makes the factors of a house for a configuration that Check accepts.
func New(d Deps, c Config) (*Factors, error) {
	f := &Factors{Deps: d, config: c}
	var err error
	if f.rp, f.origin, err = relyingParty(d.BaseURL, d.Institution); err != nil {
		return nil, err
	}
	return f, nil
}

//go:embed locales
var locales embed.FS

// Locales are the sentences of the factors.
func (f *Factors) Locales() fs.FS { return locales }

// Jobs forgets what is over.
func (f *Factors) Jobs(r *jobs.Registry) {
	r.Every("identity.forget_challenges", time.Hour, f.forget)
	r.Every("identity.forget_tries", 24*time.Hour, f.forgetTries)
}

// Factor is one factor of somebody, as its owner sees it.
type Factor struct {
	ID   string
	Kind entry.Method // TOTP, SMS, Mail, SecurityKey, Passkey or Recovery
	// Label is what the owner calls it: "Pixel 8", "the blue key". Point is the
	// masked number or address of an SMS or Mail factor.
	Label, Point string
	AddedAt      time.Time
	LastUsedAt   time.Time // zero for never
	// UsableAt lies ahead while a changed number or address waits. It is zero
	// when nothing stands in the way.
	UsableAt time.Time
	// SuspendedAt is not zero for a key that was refused because a copy of it
	// seems to exist. It proves nothing until it is removed and registered again.
	SuspendedAt time.Time
	// Gone says that the number or address is not the person's any more.
	Gone bool
	// Late is how far the clock of an app's phone is behind ours; negative when it
	// is ahead.
	Late time.Duration
	// Passkey is also true of a physical key that can sign in alone. BackedUp says
	// that the passkey is copied to its owner's other devices.
	Passkey, BackedUp bool
	// CodesLeft counts the recovery codes that were not used, of which there
	// were ten.
	CodesLeft int
}

// RecoveryID is the identifier of the factor that stands for all recovery codes
// of somebody.
const RecoveryID = "recovery"

// Usable reports whether the factor can prove something now.
func (f Factor) Usable(now time.Time) bool {
	return f.SuspendedAt.IsZero() && !f.Gone && !f.UsableAt.After(now) && (f.Kind != entry.Recovery || f.CodesLeft > 0)
}

// Occasion is on whose behalf and from where a factor changes: for the journal
// and the letters.
type Occasion struct {
	Actor          entry.Actor
	Address, Agent string
}

// At is the occasion of a request.
func At(r *http.Request, a entry.Actor) Occasion {
	e := journal.From(r)
	return Occasion{Actor: a, Address: e.Address, Agent: e.Agent}
}

// event begins what the journal says of an occasion.
func (o Occasion) event(kind string, facts ...string) journal.Event {
	e := journal.Event{Person: o.Actor.Person, Actor: o.Actor.Person, Kind: kind, Address: o.Address, Agent: o.Agent, Facts: map[string]string{}}
	for i := 0; i+1 < len(facts); i += 2 {
		e.Facts[facts[i]] = facts[i+1]
	}
	return e
}

// Methods are the methods that the institution allows and that work here, the
// safest first: SMS is missing without a gateway, keys where the house has no
// name that browsers bind keys to.
func (f *Factors) Methods() []entry.Method {
	return slices.DeleteFunc(slices.Clone(Methods), func(m entry.Method) bool { return !f.works(m) })
}

// works reports whether a method is allowed and possible.
func (f *Factors) works(m entry.Method) bool {
	switch m {
	case entry.SMS:
		return f.config.Allows(m) && f.TextMessages
	case entry.SecurityKey, entry.Passkey:
		return f.config.Allows(m) && f.rp != nil
	default:
		return f.config.Allows(m)
	}
}

// Of lists the factors of somebody, the safest first. All recovery codes are one
// factor. A factor whose method the institution stopped allowing is not listed,
// but [Factors.Required] still knows that it exists.
func (f *Factors) Of(ctx context.Context, who campus.PersonID) ([]Factor, error) {
	stored, err := f.stored(ctx, f.DB.Read(), who)
	if err != nil {
		return nil, err
	}
	var points []reach.Point
	if slices.ContainsFunc(stored, func(s storedFactor) bool { return s.point != "" }) {
		if points, err = f.Reach.Points(ctx, who); err != nil {
			return nil, fmt.Errorf("find where codes are sent: %w", err)
		}
	}
	var factors []Factor
	for _, s := range stored {
		if !f.works(s.Kind) {
			continue
		}
		if s.point != "" {
			s.place(points, f.DB.Now().Time())
		}
		factors = append(factors, s.Factor)
	}
	if f.works(entry.Recovery) && len(stored) > 0 {
		codes, err := f.codesOf(ctx, who)
		if err != nil {
			return nil, err
		}
		if codes.AddedAt != (time.Time{}) {
			factors = append(factors, codes)
		}
	}
	slices.SortStableFunc(factors, func(a, b Factor) int { return slices.Index(Methods, a.Kind) - slices.Index(Methods, b.Kind) })
	return factors, nil
}

// maxLabel is the longest label, in characters.
const maxLabel = 60

// label is a label as it is stored: on one line, and not longer than there is
// room for.
func label(typed, otherwise string) string {
	typed = strings.ToValidUTF8(strings.ReplaceAll(typed, "\x00", ""), "")
	typed = strings.Join(strings.Fields(typed), " ")
	if letters := []rune(typed); len(letters) > maxLabel {
		typed = strings.TrimSpace(string(letters[:maxLabel]))
	}
	if typed == "" {
		return otherwise
	}
	return typed
}

// Rename changes what the owner calls a factor; an empty name changes nothing.
func (f *Factors) Rename(ctx context.Context, a entry.Actor, id, typed string) error {
	name := label(typed, "")
	if name == "" {
		return nil
	}
	return f.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).Rename(ctx, sqlgen.RenameParams{PersonID: string(a.Person), ID: id, Label: name})
		if err != nil {
			return fmt.Errorf("rename a factor: %w", err)
		}
		if n == 0 {
			return Missing
		}
		return nil
	})
}

// Remove takes a factor away, tells its owner and writes the journal. The last
// one of somebody who must have one stays: identity.factor_last. With the last
// one go the recovery codes, which stand in for others only. Ask
// [entry.Door.Confirm] first.
func (f *Factors) Remove(ctx context.Context, on Occasion, id string) error {
	who := on.Actor.Person
	person, err := f.People.PersonByID(ctx, who)
	if err != nil {
		return err
	}
	why := f.Obliged(person)
	return f.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if id == RecoveryID {
			n, err := q.DropCodes(ctx, string(who))
			if err != nil {
				return fmt.Errorf("remove recovery codes: %w", err)
			}
			if n == 0 {
				return Missing
			}
			return f.changed(ctx, tx, on, person, "recovery_codes_removed", factorRemoved, Factor{Kind: entry.Recovery})
		}
		before, err := f.stored(ctx, tx, who)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(before, func(s storedFactor) bool { return s.ID == id })
		if at < 0 {
			return Missing
		}
		n, err := q.Remove(ctx, sqlgen.RemoveParams{PersonID: string(who), ID: id})
		if err != nil {
			return fmt.Errorf("remove a factor: %w", err)
		}
		if n == 0 {
			return Missing
		}
		left, err := q.CountFactors(ctx, string(who))
		if err != nil {
			return fmt.Errorf("count factors: %w", err)
		}
		if left == 0 {
			if why != "" {
				return Last
			}
			if _, err := q.DropCodes(ctx, string(who)); err != nil {
				return fmt.Errorf("remove recovery codes: %w", err)
			}
		}
		if err := f.endTrust(ctx, tx, who); err != nil {
			return err
		}
		return f.changed(ctx, tx, on, person, "factor_removed", factorRemoved, before[at].Factor)
	})
}

// endTrust makes every browser of somebody ask for a factor again: whoever had
// the one that goes may have trusted a browser of theirs.
func (f *Factors) endTrust(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	if f.Trust == nil {
		return nil
	}
	_, err := f.Trust.EndTrust(ctx, tx, who)
	return err
}

// Forget takes every factor of somebody away, for supervised recovery, and the
// wrong codes with them: they must not delay the registration of the next one. The
// caller asks for the permission, tells the person and writes the journal.
func (f *Factors) Forget(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	q := sqlgen.New(tx)
	if _, err := q.DropCodes(ctx, string(who)); err != nil {
		return fmt.Errorf("forget recovery codes: %w", err)
	}
	if err := q.RemoveAll(ctx, string(who)); err != nil {
		return fmt.Errorf("forget factors: %w", err)
	}
	if err := q.DropTries(ctx, string(who)); err != nil {
		return fmt.Errorf("forget wrong codes: %w", err)
	}
	return nil
}

// changed tells somebody and the journal that a factor came or went. The letter
// is the one of kind.
func (f *Factors) changed(ctx context.Context, tx db.Tx, on Occasion, person account.Person, letter, event string, what Factor, more ...any) error {
	args := append([]any{"label", what.Label}, more...)
	if err := f.Reach.Tell(ctx, tx, person, reach.Letter{Kind: letter, URL: manageURL, Args: args, Urgent: true}); err != nil {
		return fmt.Errorf("tell of a factor: %w", err)
	}
	return f.Journal.Write(ctx, tx, on.event(event, "method", string(what.Kind), "label", what.Label))
}

// manageURL is where people manage their factors.
const manageURL = "/identity/factors"

// The kinds of events that this package writes.
const (
	factorAdded   = "identity.factor_added"
	factorRemoved = "identity.factor_removed"
	recoveryUsed  = "identity.factor_used_recovery"
	keyCloned     = "identity.key_cloned"
	relayGiven    = "identity.relayed_code_given"
	relayUsed     = "identity.relayed_code_used"
)

// add stores a new factor, unless there are very many.
func (f *Factors) add(ctx context.Context, tx db.Tx, p sqlgen.AddFactorParams) error {
	q := sqlgen.New(tx)
	n, err := q.CountFactors(ctx, p.PersonID)
	if err != nil {
		return fmt.Errorf("count factors: %w", err)
	}
	if n >= maxFactors {
		return TooMany.With(fault.Args{"limit": maxFactors})
	}
	p.AddedAt = tx.Now()
	if err := q.AddFactor(ctx, p); err != nil {
		if db.IsUnique(err) {
			return Registered.From(err)
		}
		return fmt.Errorf("add a factor: %w", err)
	}
	return nil
}

// maxFactors is more than anybody needs.
const maxFactors = 20

// How long is kept what no longer decides anything: who passed a code on to whom,
// for questions after a misuse (the journal knows it for longer), and when a factor
// was first required of somebody who has one now.
const (
	keepRelays = 90 * day
	keepGrace  = 90 * day
)

// forgetTries deletes wrong codes that are forgiven, codes that were passed on
// long ago, and graces that have done their work.
func (f *Factors) forgetTries(ctx context.Context) error {
	return f.DB.InTx(ctx, func(tx db.Tx) error {
		q, now := sqlgen.New(tx), tx.Now()
		if err := q.ForgetTries(ctx, now.Add(-forgiven)); err != nil {
			return fmt.Errorf("forget wrong codes: %w", err)
		}
		if err := q.ForgetRelays(ctx, now.Add(-keepRelays)); err != nil {
			return fmt.Errorf("forget codes that were passed on: %w", err)
		}
		if err := q.ForgetGrace(ctx, now.Add(-keepGrace-f.config.Grace)); err != nil {
			return fmt.Errorf("forget when a factor was first required: %w", err)
		}
		return nil
	})
}

// forget deletes challenges and registrations that are over.
func (f *Factors) forget(ctx context.Context) error {
	return f.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if err := q.ForgetChallenges(ctx, tx.Now()); err != nil {
			return fmt.Errorf("forget challenges: %w", err)
		}
		if err := q.ForgetEnrolments(ctx, tx.Now()); err != nil {
			return fmt.Errorf("forget registrations: %w", err)
		}
		return nil
	})
}
