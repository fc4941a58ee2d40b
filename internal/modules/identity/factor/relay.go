package factor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

const (
	relayPurpose = "identity.relayed"
	// RelayedLetters is the length of a code that one person reads to another.
	RelayedLetters = 8
	// RelayLasts is how long it can be typed.
	RelayLasts = 15 * time.Minute
)

// Relayed is a code that somebody reads to somebody else.
type Relayed struct {
	Code string // eight letters in two groups: "KRTM-WBZC"
	// Spelled are the letters with the words to say them by, in the language of
	// the one who reads: "K comme Kléber", "K as in Kilo".
	Spelled []string
	Until   time.Time
}

// MayRelay reports whether by may pass a code on to the other person: by a right
// that the policy names, or by an affiliation that it names within the same unit.
// Nobody opens the account of somebody who may do more than they.
func (f *Factors) MayRelay(by, to account.Person) bool {
	if !f.works(entry.Relayed) || by.ID == to.ID || !by.State.Usable() {
		return false
	}
	for _, r := range to.Rights {
		if !slices.Contains(by.Rights, r) {
			return false
		}
	}
	for _, r := range f.config.RelayRights {
		if slices.Contains(by.Rights, r) {
			return true
		}
	}
	for _, mine := range by.Affiliations {
		if mine.Unit == "" || !slices.Contains(f.config.RelayKinds, mine.Kind) {
			continue
		}
		for _, theirs := range to.Affiliations {
			if theirs.Unit == mine.Unit {
				return true
			}
		}
	}
	return false
}

// Relay makes a code that by reads to the other person, who is told of it with
// the name of by. It replaces an earlier one. Faults: [RelayRefused], [Missing] for
// somebody without a factor (their password is enough), code.TooMany.
func (f *Factors) Relay(ctx context.Context, on Occasion, by, to account.Person) (Relayed, error) {
	if !f.MayRelay(by, to) {
		return Relayed{}, RelayRefused
	}
	var given Relayed
	err := f.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		n, err := q.CountFactors(ctx, string(to.ID))
		if err != nil {
			return fmt.Errorf("count factors: %w", err)
		}
		if n == 0 {
			return Missing
		}
		plain, err := f.Codes.Issue(ctx, tx, code.Ask{Purpose: relayPurpose, Subject: string(to.ID), Person: to.ID, Digits: RelayedLetters, Letters: true, Lasts: RelayLasts})
		if err != nil {
			return err
		}
		given = Relayed{Code: code.Shown(plain), Spelled: spell(ctx, plain), Until: tx.Now().Time().Add(RelayLasts)}
		if err := q.AddRelay(ctx, sqlgen.AddRelayParams{ID: id.New(), PersonID: string(to.ID), GivenBy: string(by.ID), GivenAt: tx.Now()}); err != nil {
			return fmt.Errorf("note who passed a code on: %w", err)
		}
		letter := reach.Letter{Kind: "relayed_code", URL: manageURL, Args: []any{"by", by.DisplayName(), "until", given.Until}, Urgent: true}
		if err := f.Reach.Tell(ctx, tx, to, letter); err != nil {
			return fmt.Errorf("tell of a code that is passed on: %w", err)
		}
		e := on.event(relayGiven, "by", by.DisplayName())
		e.Person, e.Actor = to.ID, by.ID
		return f.Journal.Write(ctx, tx, e)
	})
	if err != nil {
		return Relayed{}, err
	}
	return given, nil
}

// ProveRelayed uses up a code that somebody passed on to the actor. Faults: those
// of code.Check, and [Slowed].
func (f *Factors) ProveRelayed(ctx context.Context, on Occasion, typed string) (Factor, error) {
	who := on.Actor.Person
	if !f.works(entry.Relayed) {
		return Factor{}, NotAllowed
	}
	browser, err := f.try(ctx, on.Actor)
	if err != nil {
		return Factor{}, err
	}
	if err := f.Codes.Check(ctx, relayPurpose, string(who), typed); err != nil {
		return Factor{}, err
	}
	relay, err := sqlgen.New(f.DB.Read()).LatestRelay(ctx, string(who))
	if err != nil {
		return Factor{}, fmt.Errorf("find who passed the code on: %w", err)
	}
	proved := Factor{ID: relay.ID, Kind: entry.Relayed, AddedAt: relay.GivenAt.Time()}
	err = f.DB.InTx(ctx, func(tx db.Tx) error {
		if err := sqlgen.New(tx).UseRelay(ctx, sqlgen.UseRelayParams{ID: relay.ID, UsedAt: tx.Now()}); err != nil {
			return fmt.Errorf("note the use of a code that was passed on: %w", err)
		}
		if err := f.forgive(ctx, tx, who, browser); err != nil {
			return err
		}
		return f.Journal.Write(ctx, tx, on.event(relayUsed, "given_by", relay.GivenBy))
	})
	if err != nil {
		return Factor{}, err
	}
	return proved, nil
}

// spell gives each letter the word to say it by.
func spell(ctx context.Context, letters string) []string {
	var words []string
	for _, letter := range letters {
		words = append(words, i18n.T(ctx, "identity.factor.letter."+strings.ToLower(string(letter))))
	}
	return words
}
