package identity

import (
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// waitingCookie holds the key of an attempt that waits in line.
const waitingCookie = "amphi_waiting"

// keepWaiting is how long an attempt waits for its browser to ask again.
const keepWaiting = 10 * time.Minute

// waitingRoom keeps the attempts whose browser was sent to the waiting page. It
// lives in memory, because it holds passwords: a restart asks people to type
// theirs again.
type waitingRoom struct {
	clock clock.Clock
	mu    sync.Mutex
	seats map[string]seat
	swept time.Time
}

type seat struct {
	trial *trial
	since time.Time
}

func newWaitingRoom(c clock.Clock) *waitingRoom {
	return &waitingRoom{clock: c, seats: map[string]seat{}}
}

// sit gives an attempt a seat and returns the key to it.
func (w *waitingRoom) sit(t *trial) (key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.clock.Now()
	if now.Sub(w.swept) > time.Minute {
		for key, s := range w.seats {
			if now.Sub(s.since) > keepWaiting {
				s.trial.deserted.Store(true)
				delete(w.seats, key)
			}
		}
		w.swept = now
	}
	key = id.Token(tokenBytes)
	w.seats[id.Hash(key)] = seat{t, now}
	return key
}

// at returns the attempt behind a key, or nil.
func (w *waitingRoom) at(key string) *trial {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seats[id.Hash(key)].trial
}

// leave takes the attempt away, and reports whether it was still there: of two
// requests at once, only one signs in.
func (w *waitingRoom) leave(key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.seats[id.Hash(key)]
	delete(w.seats, id.Hash(key))
	return ok
}
