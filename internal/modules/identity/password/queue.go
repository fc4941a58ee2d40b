package password

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// ErrFull means that the line is so long that joining it would be no kindness.
var ErrFull = errors.New("password: the line is full")

// ErrStopped means that the house is closing.
var ErrStopped = errors.New("password: the line is closed")

// Lane says how likely somebody is whom they claim to be, before anything was
// checked. Who attacks the house waits among their like, and does not fill the
// line of those who live there.
type Lane int

// The lanes, the most likely first.
const (
	Known    Lane = iota // a browser that its owner was signed in with before
	Ordinary             // nothing is known
	Doubtful             // a network whose last attempts failed
	lanes
)

// turns is which lane is served next when people wait in all of them. One that
// is empty gives its turn to the first that is not, so none waits without reason
// and none waits for ever.
var turns = [...]Lane{Known, Ordinary, Known, Doubtful}

// share is how many of the turns are a lane's.
func share(l Lane) (n int) {
	for _, turn := range turns {
		if turn == l {
			n++
		}
	}
	return n
}

// line is the people of one lane. They are served in rounds, in each of which
// every origin has one turn: whoever sends a hundred passwords at once waits for
// the hundredth round, and who comes alone is in the next one (start-time fair
// queueing, each password costing the same).
type line struct {
	waiting tickets           // a heap
	round   uint64            // of who was served last
	last    map[string]uint64 // in which round an origin's last ticket waits
	issued  uint64
	served  uint64
	counted time.Time // when places were last counted
}

func (l *line) join(t *Ticket) {
	t.round = l.round + 1
	if t.from != "" {
		if last, waits := l.last[t.from]; waits {
			t.round = max(t.round, last+1)
		}
		l.last[t.from] = t.round
	}
	l.issued++
	t.number = l.issued
	t.place, t.counted = len(l.waiting)+1, l.served // at most, until places are counted
	heap.Push(&l.waiting, t)
}

func (l *line) take() *Ticket {
	t := heap.Pop(&l.waiting).(*Ticket)
	if l.last[t.from] == t.round {
		delete(l.last, t.from)
	}
	l.round = t.round
	l.served++
	t.taken = true
	return t
}

// recount is how old the places that people are told may be: counting looks at
// everybody who waits.
const recount = time.Second

// count tells everybody their place.
func (l *line) count(now time.Time) {
	if now.Sub(l.counted) < recount {
		return
	}
	l.counted = now
	for i, t := range slices.SortedFunc(slices.Values(l.waiting), compareTickets) {
		t.place, t.counted = i+1, l.served
	}
}

// tickets are those who wait in one line, as container/heap orders them.
type tickets []*Ticket

func (w tickets) Len() int           { return len(w) }
func (w tickets) Less(i, j int) bool { return compareTickets(w[i], w[j]) < 0 }
func (w tickets) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *tickets) Push(t any)        { *w = append(*w, t.(*Ticket)) }

func (w *tickets) Pop() any {
	last := len(*w) - 1
	t := (*w)[last]
	(*w)[last] = nil
	*w = (*w)[:last]
	return t
}

func compareTickets(a, b *Ticket) int {
	return cmp.Or(cmp.Compare(a.round, b.round), cmp.Compare(a.number, b.number))
}

// Queue computes hashes a few at a time, in rounds within each lane. Memory stays
// at (workers + 2) × Params.Memory however many people arrive together, and
// whoever waits can be told their place. The workers step back behind pages. Two
// more do not: one serves none but those who are known, the other, while there is
// an attack, none but those of whom nothing is known. What keeps the machine busy
// then is what the attack is answered, and behind that nobody else should wait.
type Queue struct {
	mu      sync.Mutex
	wake    *sync.Cond
	lines   [lanes]line
	turn    int
	doubted int            // doubtful work that runs now
	resting bool           // doubtful work pauses, see rest
	doubtAt time.Time      // when doubtful work last came
	idle    [Doubtful]bool // the worker that a lane has for itself waits
	workers int
	limit   int           // of each lane
	average time.Duration // of one piece of work, exponentially weighted
	stopped bool
	running sync.WaitGroup
}

// Ticket is one place in the line.
type Ticket struct {
	queue         *Queue
	lane          Lane
	now           func() Lane // see JoinLane
	from          string
	round, number uint64
	work          func()
	done          chan struct{}

	// Of the line, under the lock of the queue.
	taken   bool
	place   int    // when places were last counted
	counted uint64 // how many the line had served then
}

// NewQueue starts the workers. Limit is how many may wait in each lane. Stop ends
// them.
func NewQueue(workers, limit int) *Queue {
	q := &Queue{workers: max(1, workers), limit: limit, average: 25 * time.Millisecond}
	q.wake = sync.NewCond(&q.mu)
	for lane := range q.lines {
		q.lines[lane].last = map[string]uint64{}
	}
	for range q.workers {
		q.running.Go(func() {
			lowerPriority()
			q.serve(q.next)
		})
	}
	for _, lane := range [...]Lane{Known, Ordinary} {
		q.running.Go(func() { q.serveAlone(lane) })
	}
	return q
}

// Join puts work into the ordinary lane.
func (q *Queue) Join(work func()) (*Ticket, error) {
	return q.JoinLane(func() Lane { return Ordinary }, "", work)
}

// JoinLane puts work into the lane that now names. It is asked again when the
// work's turn has come, and work that is less likely by then joins the lane of its
// like: an attack begins with more attempts at once than it takes to recognise it,
// and nobody should wait behind those. now must be quick and must not call the queue. Work from one origin takes turns with that of
// others; without an origin it stands for itself. The work runs once, on a
// worker, and must not touch the database: it holds up everybody behind it.
func (q *Queue) JoinLane(now func() Lane, from string, work func()) (*Ticket, error) {
	lane := now()
	q.mu.Lock()
	defer q.mu.Unlock()
	l := &q.lines[lane]
	switch {
	case q.stopped:
		return nil, ErrStopped
	case len(l.waiting) >= q.limit:
		return nil, ErrFull
	}
	t := &Ticket{queue: q, lane: lane, now: now, from: from, work: work, done: make(chan struct{})}
	l.join(t)
	if lane == Doubtful {
		q.doubtAt = time.Now()
	}
	q.wake.Broadcast() // not every worker serves every lane
	return t, nil
}

// attackLasts is how long after the last doubtful attempt there is still an attack.
const attackLasts = time.Minute

// apart reports whether a lane is served by a worker of its own now, besides the
// others.
func (q *Queue) apart(lane Lane) bool {
	switch lane {
	case Known:
		return true
	case Ordinary:
		return time.Since(q.doubtAt) < attackLasts
	default:
		return false
	}
}

// next takes the ticket whose turn it is; nil when nobody waits, or only those whom
// their own worker is about to serve, or doubtful work that must leave this worker
// free for others.
func (q *Queue) next() *Ticket {
	for _, lane := range [...]Lane{turns[q.turn%len(turns)], Known, Ordinary, Doubtful} {
		n := len(q.lines[lane].waiting)
		if q.apart(lane) && q.idle[lane] && !q.stopped {
			n-- // it was woken together with this one, and does not step back
		}
		if n <= 0 || lane == Doubtful && (q.resting && !q.stopped || q.doubted >= max(1, q.workers/2)) {
			continue
		}
		t := q.take(lane)
		if t == nil {
			continue
		}
		q.turn++
		if lane == Doubtful {
			q.doubted++
		}
		return t
	}
	return nil
}

// take is the next of a lane who still belongs there; the others join the lane where
// they belong now.
func (q *Queue) take(lane Lane) *Ticket {
	for len(q.lines[lane].waiting) > 0 {
		t := q.lines[lane].take()
		if now := t.now(); now > lane {
			t.lane, t.taken = now, false
			q.lines[now].join(t)
			if now == Doubtful {
				q.doubtAt = time.Now()
			}
			q.wake.Broadcast() // not every worker serves every lane
			continue
		}
		return t
	}
	return nil
}

// serveAlone is the worker that a lane has for itself.
func (q *Queue) serveAlone(lane Lane) {
	q.serve(func() *Ticket {
		q.idle[lane] = len(q.lines[lane].waiting) == 0 || !q.apart(lane)
		if q.idle[lane] {
			return nil
		}
		t := q.take(lane)
		q.idle[lane] = t == nil
		return t
	})
}

// serve is one worker, which serves what next hands it.
func (q *Queue) serve(next func() *Ticket) {
	for {
		q.mu.Lock()
		t := next()
		for ; t == nil && !q.stopped; t = next() {
			q.wake.Wait()
		}
		q.mu.Unlock()
		if t == nil {
			return
		}

		start := time.Now()
		t.work()
		took := time.Since(start)
		close(t.done)

		q.mu.Lock()
		if t.lane == Doubtful {
			q.doubted-- // this worker looks for the next itself
			q.rest(took)
		}
		q.average += (took - q.average) / 16
		q.mu.Unlock()
	}
}

// rest keeps doubtful work from running for as long as the last one took. Hashing
// takes the memory bus as well as a core: without pauses an attack would slow down
// those who are served on the other cores.
func (q *Queue) rest(d time.Duration) {
	q.resting = true
	time.AfterFunc(d, func() {
		q.mu.Lock()
		q.resting = false
		q.mu.Unlock()
		q.wake.Broadcast()
	})
}

// Done is closed when the work has run.
func (t *Ticket) Done() <-chan struct{} { return t.done }

// Wait waits for the work to have run, or for ctx to end.
func (t *Ticket) Wait(ctx context.Context) error {
	select {
	case <-t.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Place is how many are served before this ticket is done: 0 when it is being
// served or is done. The second result estimates how long that takes.
func (t *Ticket) Place() (int, time.Duration) {
	q := t.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.taken {
		return 0, 0
	}
	own := &q.lines[t.lane]
	own.count(time.Now())
	before := max(1, t.place-int(own.served-t.counted))
	ahead := before
	for lane := range q.lines { // the others take their turns meanwhile, while there are any
		if Lane(lane) != t.lane {
			ahead += min(len(q.lines[lane].waiting), before*share(Lane(lane))/share(t.lane))
		}
	}
	return ahead, time.Duration(ahead) * q.average / time.Duration(q.workers)
}

// Length is how many wait, and about how long the last of them will.
func (q *Queue) Length() (int, time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for lane := range q.lines {
		n += len(q.lines[lane].waiting)
	}
	return n, time.Duration(n) * q.average / time.Duration(q.workers)
}

// Stop lets nobody join any more, serves those who wait and returns when the
// workers have gone home.
func (q *Queue) Stop() {
	q.mu.Lock()
	q.stopped = true
	q.wake.Broadcast()
	q.mu.Unlock()
	q.running.Wait()
}
