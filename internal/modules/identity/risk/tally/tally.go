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

// sketch counts distinct things in 64 bytes by linear counting (Whang, Vander-Zanden
// and Taylor, 1990): within about a tenth up to a thousand, and never above Most.
type sketch [8]uint64

const sketchBits = 64 * len(sketch{})

// Most is the largest number that a count says; there may be more.
var Most = int(math.Round(float64(sketchBits) * math.Log(float64(sketchBits))))

func (s *sketch) add(hash uint64) {
	bit := hash % uint64(sketchBits)
	s[bit/64] |= 1 << (bit % 64)
}

func (s *sketch) merged(with *sketch) (both sketch) {
	for i := range s {
		both[i] = s[i] | with[i]
	}
	return both
}

func (s *sketch) count() int {
	set := 0
	for _, word := range s {
		set += bits.OnesCount64(word)
	}
	if set == sketchBits {
		return Most
	}
	return int(math.Round(-float64(sketchBits) * math.Log(1-float64(set)/float64(sketchBits))))
}

// Book holds one count for each of at most a fixed number of keys; the key that was
// not used for longest is forgotten first. It is safe for concurrent use.
//
// A count looks back over at least one window and at most two: things are gathered
// in the window under way and in the one before.
type Book struct {
	keys   int
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

// New is an empty book of at most so many keys.
func New(keys int, window time.Duration, c clock.Clock) *Book {
	return &Book{keys: keys, window: window, clock: c, seed: maphash.MakeSeed(), pages: map[uint64]*list.Element{}, order: list.New()}
}

// Add notes a thing under a key and returns how many different ones it has now.
func (b *Book) Add(key, thing string) int {
	now := b.clock.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.open(maphash.String(b.seed, key), now)
	p.now.add(maphash.String(b.seed, thing))
	both := p.now.merged(&p.before)
	return both.count()
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
	both := p.now.merged(&p.before)
	return both.count()
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
		*p = page{key: key, since: now}
		b.order.MoveToFront(oldest)
		b.pages[key] = oldest
		return p
	}
	p := &page{key: key, since: now}
	b.pages[key] = b.order.PushFront(p)
	return p
}

// turn begins new windows as time passes.
func (p *page) turn(now time.Time, window time.Duration) {
	switch passed := now.Sub(p.since); {
	case passed >= 2*window:
		p.now, p.before, p.since = sketch{}, sketch{}, now
	case passed >= window:
		p.now, p.before, p.since = sketch{}, p.now, p.since.Add(window)
	}
}
