// Package limit slows down who asks too often, by address or by account, and says how long to wait.
package limit

import (
	"container/list"
	"math"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/amphi-campus/amphi/internal/platform/clock"
)

// DefaultKeys is how many keys a limiter remembers: about 20 MB when all of them are in use.
const DefaultKeys = 100_000

// Rate is how often something may happen: Burst times at once, then once every Every.
type Rate struct {
	Every time.Duration
	Burst int
}

// Limiter keeps one token bucket per key. Its memory is bounded: a bucket that is full again says
// nothing and is forgotten first; when none is full, the one that was unused longest goes.
// It is safe for concurrent use.
type Limiter struct {
	rate  Rate
	keys  int
	clock clock.Clock

	mu      sync.Mutex
	buckets map[string]*list.Element
	order   *list.List // of *bucket, the most recently used in front
}

type bucket struct {
	key    string
	tokens *rate.Limiter
}

// New makes a limiter that remembers at most keys keys (0 means DefaultKeys).
func New(r Rate, keys int, c clock.Clock) *Limiter {
	if keys <= 0 {
		keys = DefaultKeys
	}
	return &Limiter{rate: r, keys: keys, clock: c, buckets: map[string]*list.Element{}, order: list.New()}
}

// Allow takes one token of the key's bucket. When there is none it takes nothing, and answers false
// and how long to wait until there is one.
func (l *Limiter) Allow(key string) (wait time.Duration, ok bool) {
	now := l.clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	reservation := l.bucket(key, now).tokens.ReserveN(now, 1)
	if !reservation.OK() {
		return l.rate.Every, false // a burst of zero: nothing is ever allowed
	}
	if wait = reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return whole(wait), false
	}
	return 0, true
}

// GiveBack returns a token that was taken for nothing.
func (l *Limiter) GiveBack(key string) {
	now := l.clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, known := l.buckets[key]; known {
		at.Value.(*bucket).tokens.ReserveN(now, -1) // never above the burst: the bucket is cut to it when it is next asked
	}
}

// Wait tells how long the key would have to wait, and takes nothing.
func (l *Limiter) Wait(key string) time.Duration {
	now := l.clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	at, known := l.buckets[key]
	if !known {
		return 0
	}
	missing := 1 - at.Value.(*bucket).tokens.TokensAt(now)
	return whole(max(0, time.Duration(missing*float64(l.rate.Every))))
}

// Taken is how many tokens of the key's bucket are missing, in whole ones. It takes nothing.
func (l *Limiter) Taken(key string) int {
	now := l.clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	at, known := l.buckets[key]
	if !known {
		return 0
	}
	return l.rate.Burst - int(math.Ceil(at.Value.(*bucket).tokens.TokensAt(now)))
}

// whole rounds a wait up to milliseconds: buckets count in fractions, and who waits exactly as long
// as told must get through.
func whole(wait time.Duration) time.Duration {
	return (wait + time.Millisecond - 1).Truncate(time.Millisecond)
}

// Forget gives the key a full bucket again, for example after a right password.
func (l *Limiter) Forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, known := l.buckets[key]; known {
		l.drop(at)
	}
}

// Len is how many keys are remembered now.
func (l *Limiter) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.order.Len()
}

func (l *Limiter) bucket(key string, now time.Time) *bucket {
	if at, known := l.buckets[key]; known {
		l.order.MoveToFront(at)
		return at.Value.(*bucket)
	}
	l.makeRoom(now)
	fresh := &bucket{key: key, tokens: rate.NewLimiter(rate.Every(l.rate.Every), l.rate.Burst)}
	l.buckets[key] = l.order.PushFront(fresh)
	return fresh
}

// makeRoom forgets full buckets from the unused end, a few at a time so that no request pays for a
// sweep, and under pressure the oldest bucket whatever it holds.
func (l *Limiter) makeRoom(now time.Time) {
	for range 2 { // twice as fast as keys arrive: the memory shrinks after a flood
		oldest := l.order.Back()
		if oldest == nil {
			return
		}
		full := oldest.Value.(*bucket).tokens.TokensAt(now) >= float64(l.rate.Burst)
		if !full && l.order.Len() < l.keys {
			return
		}
		l.drop(oldest)
	}
}

func (l *Limiter) drop(at *list.Element) {
	delete(l.buckets, at.Value.(*bucket).key)
	l.order.Remove(at)
}

// AddressKey is the key under which an address is counted: itself for IPv4, its /64 for IPv6, where
// one household has 2⁶⁴ addresses to choose from.
func AddressKey(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	if !address.IsValid() {
		return "unknown"
	}
	if address.Is4() {
		return address.String()
	}
	network, err := address.Prefix(64)
	if err != nil {
		return address.String()
	}
	return network.String()
}
