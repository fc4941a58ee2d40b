// Package pretend holds services that are not there: a Moodle, a SCIM service, a
// Nextcloud, a directory of Microsoft's and a receiver of messages, as far as
// accounts go. Tests make them slow, broken or forgetful; the demo shows them,
// and says that they are pretended.
package pretend

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Trouble is what a pretended service does wrong.
type Trouble struct {
	mu       sync.Mutex
	delay    time.Duration
	down     bool
	busy     time.Duration
	lose     int
	asked    int
	together int
	most     int
}

// Slow makes every answer take this long.
func (t *Trouble) Slow(d time.Duration) { t.set(func() { t.delay = d }) }

// Down makes the service answer 500 to everything, or answer again.
func (t *Trouble) Down(down bool) { t.set(func() { t.down = down }) }

// Busy makes the next question be refused with 429, to be asked again after d.
func (t *Trouble) Busy(d time.Duration) { t.set(func() { t.busy = d }) }

// Lose makes the service do what the next n writing questions ask, and lose the
// answers.
func (t *Trouble) Lose(n int) { t.set(func() { t.lose = n }) }

// Asked is how many questions came.
func (t *Trouble) Asked() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.asked
}

// Together is the most questions that were under way at once.
func (t *Trouble) Together() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.most
}

func (t *Trouble) set(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f()
}

// serve puts the trouble in front of a service. Writes reports whether a question
// changes something.
func (t *Trouble) serve(w http.ResponseWriter, r *http.Request, writes func(*http.Request) bool, do http.HandlerFunc) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // whoever asked went away
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var delay, busy time.Duration
	var down, lose bool
	writing := writes(r)
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.Form, r.PostForm = nil, nil
	t.set(func() {
		t.asked++
		t.together++
		t.most = max(t.most, t.together)
		delay, down = t.delay, t.down
		busy, t.busy = t.busy, 0
		if writing && t.lose > 0 && !down && busy == 0 {
			lose = true
			t.lose--
		}
	})
	defer t.set(func() { t.together-- })
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
		}
	}
	switch {
	case down:
		http.Error(w, "pretended trouble", http.StatusInternalServerError)
	case busy > 0:
		w.Header().Set("Retry-After", strconv.Itoa(int(busy.Seconds())))
		http.Error(w, "too many", http.StatusTooManyRequests)
	case lose:
		do(&written{header: http.Header{}}, r)
		panic(http.ErrAbortHandler) // the connection ends without an answer
	default:
		do(w, r)
	}
}
