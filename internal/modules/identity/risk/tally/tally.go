// Package tally counts how many different things were seen lately under each of
// many keys, in a memory that never grows: whoever sends a million names can make
// it forget, and cannot make it swell.
package tally

import (
	"container/list"
	"hash/maphash"
	"math"
	"math/bits"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
)

// sketch counts distinct things by linear counting (Whang, Vander-Zanden and Taylor,
// 1990): one bit for each, chosen by its hash. A count is within about a tenth up to
// twice the number of bits, and never above its natural logarithm times that number.
type sketch []uint64

func (s sketch) bits() int { return 64 * len(s) }

func (s sketch) add(hash uint64) {
	bit := hash % uint64(s.bits())
	s[bit/64] |= 1 << (bit % 64)
}

// count is how many things either of two sketches holds.
func count(s, other sketch) int {
	free := s.bits()
	for i := range s {
		free -= bits.OnesCount64(s[i] | other[i])
	}
	return int(math.Round(float64(s.bits()) * math.Log(float64(s.bits())/float64(max(free, 1)))))
}

// Book holds one count for each of at most a fixed number of keys; the key that was
// not used for longest is forgotten first. It is safe for concurrent use.
//
// A count looks back over at least one window and at most two: things are gathered
// in the window under way and in the one before.
type Book struct {
	keys   int
	words  int
	window time.Duration
	clock  clock.Clock
	seed   maphash.Seed

	mu    sync.Mutex
	pages map[uint64]*list.Element
	order *list.List // of *page, the most recently used in front
}

type page struct {
	key         uint64
	since       time.Time // begin of the window under way
	now, before sketch
}

// New is an empty book of at most so many keys. words is how fine its counts are: 8
// count some thousand things in 128 bytes for each key, 2048 a million in 32 kB.
func New(keys, words int, window time.Duration, c clock.Clock) *Book {
	return &Book{keys: keys, words: words, window: window, clock: c, seed: maphash.MakeSeed(), pages: map[uint64]*list.Element{}, order: list.New()}
}

// Add notes a thing under a key and returns how many different ones it has now.
func (b *Book) Add(key, thing string) int {
	now := b.clock.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.open(maphash.String(b.seed, key), now)
	p.now.add(maphash.String(b.seed, thing))
	return count(p.now, p.before)
}

// Count is how many different things a key has.
func (b *Book) Count(key string) int {
	now := b.clock.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	at, known := b.pages[maphash.String(b.seed, key)]
	if !known {
		return 0
	}
	p := at.Value.(*page)
	p.turn(now, b.window)
	return count(p.now, p.before)
}

// Keys is how many keys are remembered.
func (b *Book) Keys() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.order.Len()
}

// open finds the page of a key, or writes a new one over the oldest.
func (b *Book) open(key uint64, now time.Time) *page {
	if at, known := b.pages[key]; known {
		b.order.MoveToFront(at)
		p := at.Value.(*page)
		p.turn(now, b.window)
		return p
	}
	if b.order.Len() >= b.keys {
		oldest := b.order.Back()
		p := oldest.Value.(*page)
		delete(b.pages, p.key)
		p.key, p.since = key, now
		clear(p.now)
		clear(p.before)
		b.order.MoveToFront(oldest)
		b.pages[key] = oldest
		return p
	}
	p := &page{key: key, since: now, now: make(sketch, b.words), before: make(sketch, b.words)}
	b.pages[key] = b.order.PushFront(p)
	return p
}

// turn begins new windows as time passes.
func (p *page) turn(now time.Time, window time.Duration) {
	passed := now.Sub(p.since)
	if passed < window {
		return
	}
	p.now, p.before = p.before, p.now
	clear(p.now)
	p.since = p.since.Add(window)
	if passed >= 2*window {
		clear(p.before)
		p.since = now
	}
}
