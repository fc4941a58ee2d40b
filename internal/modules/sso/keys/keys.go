// Package keys holds the keys that sign what we tell services, and changes them
// without anybody noticing: the next key is published before it signs, and the
// last one stays published until what it signed has run out.
package keys

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Use is what a line of keys signs. A key signs for one protocol only.
type Use string

// The uses.
const (
	SAML Use = "saml"
	OIDC Use = "oidc"
)

// Uses lists them.
var Uses = []Use{SAML, OIDC}

// The algorithms, by their names in JOSE (RFC 7518 §3.1). SAML calls RS256
// rsa-sha256.
const (
	RS256 = "RS256"
	ES256 = "ES256"
)

// State is what a key does at an instant.
type State string

// The states.
const (
	Next    State = "next"    // published, and does not sign yet
	Current State = "current" // signs
	Retired State = "retired" // published for what it signed
	Ended   State = "ended"   // not published any more
)

// Key is one key.
type Key struct {
	ID        string // the kid of JOSE
	Algorithm string
	Signer    crypto.Signer // *rsa.PrivateKey or *ecdsa.PrivateKey
	// Certificate is self-signed, for protocols that carry keys so; nil for OIDC.
	Certificate *x509.Certificate
	State       State
	NotBefore   time.Time // when it begins to sign
	NotAfter    time.Time // when it stops being published; zero: no other follows yet

	serial int64
	made   time.Time
}

// at is the key as it stands at an instant.
func (k Key) at(now time.Time) Key {
	switch {
	case !k.NotAfter.IsZero() && !now.Before(k.NotAfter):
		k.State = Ended
	case now.Before(k.NotBefore):
		k.State = Next
	default:
		k.State = Current // until the ring sees a later one of the line
	}
	return k
}

// Deps is what a ring asks of the house.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	Seal  Sealer
	Log   *slog.Logger
	// Host is the name on certificates, such as ent.univ.fr.
	Host   string
	Config Config
}

// Sealer keeps private keys unreadable in the database.
type Sealer interface {
	SealText(purpose, plaintext string) (string, error)
	OpenText(purpose, sealed string) (string, error)
}

// ErrUnused: the protocol has no key of this algorithm.
var ErrUnused = errors.New("no key of this algorithm is used by this protocol")

// Ring is the keys of every protocol. It is safe for concurrent use, and several
// servers may share one database.
type Ring struct {
	Deps
	mu    sync.Mutex
	lines map[Use]line
}

// line is the keys of one use as they were read.
type line struct {
	keys []Key
	read time.Time
}

// stale is how long keys are taken from memory. The next key is published far
// longer than this before it signs, so every server has it in time.
const stale = 30 * time.Second

// New makes a ring. The first key of a use is made when it is first asked for.
func New(d Deps) *Ring { return &Ring{Deps: d, lines: map[Use]line{}} }

// Current is the key that signs now. It returns [ErrUnused] for an algorithm that
// the protocol does not sign with.
func (r *Ring) Current(ctx context.Context, use Use, algorithm string) (Key, error) {
	if !slices.Contains(policies[use].algorithms, algorithm) {
		return Key{}, fmt.Errorf("%s for %s: %w", algorithm, use, ErrUnused)
	}
	all, err := r.All(ctx, use)
	if err != nil {
		return Key{}, err
	}
	for _, k := range all {
		if k.State == Current && k.Algorithm == algorithm {
			return k, nil
		}
	}
	return Key{}, fmt.Errorf("no key of %s signs with %s at %s", use, algorithm, r.Clock.Now())
}

// Published are the keys that services may be shown signatures of: first those
// that sign, then the next ones, then the retired ones.
func (r *Ring) Published(ctx context.Context, use Use) ([]Key, error) {
	all, err := r.All(ctx, use)
	return slices.DeleteFunc(all, func(k Key) bool { return k.State == Ended }), err
}

// order is in which clients should meet keys that they try one after another.
var order = []State{Current, Next, Retired, Ended}

// All are all keys that are still kept, also those whose time is over: a hint that
// we once signed is known by them.
func (r *Ring) All(ctx context.Context, use Use) ([]Key, error) {
	kept, err := r.line(ctx, use)
	if err != nil {
		return nil, err
	}
	now := r.Clock.Now()
	all := make([]Key, len(kept))
	signs := map[string]int{} // the latest of each algorithm whose time has come
	for i, k := range kept {
		all[i] = k.at(now)
		if all[i].State != Current {
			continue
		}
		if before, other := signs[k.Algorithm]; other {
			all[before].State = Retired
		}
		signs[k.Algorithm] = i
	}
	slices.SortStableFunc(all, func(a, b Key) int { return slices.Index(order, a.State) - slices.Index(order, b.State) })
	return all, nil
}

// line reads the keys of a use, oldest first, and makes the first ones.
func (r *Ring) line(ctx context.Context, use Use) ([]Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.Clock.Now()
	if l := r.lines[use]; len(l.keys) > 0 && now.Sub(l.read) < stale && !now.Before(l.read) {
		return l.keys, nil
	}
	kept, err := r.load(ctx, use)
	if err != nil {
		return nil, err
	}
	made := false
	for _, algorithm := range policies[use].algorithms {
		if !slices.ContainsFunc(kept, func(k Key) bool { return k.Algorithm == algorithm }) {
			if err := r.make(ctx, use, algorithm, 1, 0); err != nil {
				return nil, err
			}
			made = true
		}
	}
	if made {
		if kept, err = r.load(ctx, use); err != nil {
			return nil, err
		}
	}
	r.lines[use] = line{kept, now}
	return kept, nil
}

// forget makes the next question read the database.
func (r *Ring) forget(use Use) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.lines, use)
}
