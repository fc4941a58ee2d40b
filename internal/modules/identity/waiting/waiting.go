// Package waiting keeps attempts whose browser was sent to the page that tells the
// place in line.
package waiting

import (
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Cookie holds the key of an attempt that waits in line.
const Cookie = "amphi_waiting"

// Keep is how long an attempt waits for its browser to ask again.
const Keep = 10 * time.Minute

// keyBytes is the length of a key.
const keyBytes = 32

// Room keeps attempts of a kind. It lives in memory, because it holds passwords: a restart asks people to type
// theirs again.
type Room[T any] struct {
	clock  clock.Clock
	desert func(T) // told of an attempt that nobody came back for
	mu     sync.Mutex
	seats  map[string]seat[T]
	swept  time.Time
}

type seat[T any] struct {
	attempt T
	since   time.Time
}

// New makes an empty room. desert is told of each attempt that nobody came back for.
func New[T any](c clock.Clock, desert func(T)) *Room[T] {
	return &Room[T]{clock: c, desert: desert, seats: map[string]seat[T]{}}
}

// Sit gives an attempt a seat and returns the key to it.
func (w *Room[T]) Sit(attempt T) (key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.clock.Now()
	if now.Sub(w.swept) > time.Minute {
		for key, s := range w.seats {
			if now.Sub(s.since) > Keep {
				w.desert(s.attempt)
				delete(w.seats, key)
			}
		}
		w.swept = now
	}
	key = id.Token(keyBytes)
	w.seats[id.Hash(key)] = seat[T]{attempt, now}
	return key
}

// At returns the attempt behind a key, or the zero value.
func (w *Room[T]) At(key string) T {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seats[id.Hash(key)].attempt
}

// Leave takes the attempt away, and reports whether it was still there: of two
// requests at once, only one signs in.
func (w *Room[T]) Leave(key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.seats[id.Hash(key)]
	delete(w.seats, id.Hash(key))
	return ok
}
