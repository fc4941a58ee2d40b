package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// How the attack is made: one password is tried on everybody and on as many
// inventions, from some networks at once, each attempt from another address.
const (
	attackNetworks    = 8
	attackConnections = 128
	attackPassword    = "Rentree2026!"
)

// How people come to the door meanwhile: half of them in a browser that knows
// them, half in a new one.
const (
	comingPerSecond = 8
	comingPeople    = 80
)

// measureAttack sprays a guarded server while people keep signing in, and
// compares how long they wait with how long they waited before. All addresses
// are what a proxy in front would report.
func measureAttack(ctx context.Context, s *server, p plan) ([]row, error) {
	if err := s.stop(); err != nil {
		return nil, err
	}
	if err := settle(ctx, s); err != nil {
		return nil, err
	}
	s.guarded = true
	defer func() { s.guarded = false }()
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	client := newClient()
	defer client.CloseIdleConnections()
	folk, err := moveIn(ctx, client, s.base)
	if err != nil {
		return nil, err
	}
	calm := folk.come(ctx, p.before)
	if calm.err != nil {
		return nil, fmt.Errorf("before the attack: %w", calm.err)
	}
	before, err := footprintOf(s)
	if err != nil {
		return nil, err
	}
	busy, err := s.processorTime()
	if err != nil {
		return nil, err
	}
	own, err := ownTime()
	if err != nil {
		return nil, err
	}
	attack := &spray{client: client, base: s.base, attempts: p.attempts}
	var under arrivals
	var people sync.WaitGroup
	over := make(chan struct{})
	people.Go(func() { under = folk.comeUntil(ctx, over) })
	var weight []int64
	people.Go(func() { weight = s.weigh(ctx, over) })
	begin := time.Now()
	thrown := attack.run(ctx, p.attack)
	lasted := time.Since(begin)
	close(over)
	people.Wait()
	if thrown.err != nil {
		return nil, fmt.Errorf("the attack: %w", thrown.err)
	}
	if under.err != nil {
		return nil, fmt.Errorf("during the attack: %w", under.err)
	}
	busyThen, err := s.processorTime()
	if err != nil {
		return nil, err
	}
	ownThen, err := ownTime()
	if err != nil {
		return nil, err
	}
	each := func(d time.Duration) string {
		return fmt.Sprintf("%d µs", (d / time.Duration(max(1, attack.sent()))).Microseconds())
	}
	highest, err := s.memory()
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, 5*time.Second); err != nil {
		return nil, err
	}
	after, err := footprintOf(s)
	if err != nil {
		return nil, err
	}
	const noise = 20e6 // one hash more or less that waits for the collector
	quarter := len(weight) / 4
	early, late := mean(weight[quarter:2*quarter]), mean(weight[len(weight)-quarter:])
	compared := func(who string, calm, under coming) row {
		was, is := calm.percentile(.99), under.percentile(.99)
		return row{
			what: "sign-in during the attack, " + who + " (p50, p99)", aim: "p99 under 3 × before",
			figure:  millis(under.percentile(.5)) + ", " + millis(is),
			ratio:   fmt.Sprintf("p99 %.1f × before (%s, of %d)", float64(is)/float64(was), millis(was), len(calm.took)),
			verdict: verdictOf(is < 3*was && len(under.took) > 0),
		}
	}
	return []row{
		{
			what:    fmt.Sprintf("attack: %s attempts at %s accounts from %d networks in %.0f s", thousands(attack.sent()), thousands(2*crowdSize), attackNetworks, lasted.Seconds()),
			aim:     "all answered, the limits hold",
			figure:  fmt.Sprintf("%s checked, %s refused, %s sent to wait", thousands(int(attack.checked.Load())), thousands(int(attack.refused.Load())), thousands(int(attack.waiting.Load()))),
			ratio:   fmt.Sprintf("%.0f attempts/s", float64(attack.sent())/lasted.Seconds()),
			verdict: verdictOf(attack.sent() == p.attempts && attack.odd.Load() == 0),
		},
		compared("in a known browser", calm.known, under.known),
		compared("in a new browser", calm.fresh, under.fresh),
		{
			what:   "processor time of the attack for each attempt: the server with its people, and the benchmark, which shares its cores",
			figure: each(busyThen-busy) + ", " + each(ownThen-own),
			ratio:  fmt.Sprintf("%.0f s, %.0f s of %.0f s on %d cores", (busyThen - busy).Seconds(), (ownThen - own).Seconds(), lasted.Seconds(), runtime.NumCPU()),
		},
		{what: "people of the attack who were asked for more proof, in a known and in a new browser", figure: fmt.Sprintf("%d, %d", under.known.asked, under.fresh.asked), ratio: fmt.Sprintf("of %d, %d", len(under.known.took), len(under.fresh.took))},
		{
			what: "resident memory in the second and the last quarter of the attack", aim: "no growth beyond 20 MB of noise",
			figure: megabytes(early) + ", " + megabytes(late), ratio: fmt.Sprintf("before %s, after %s, highest %s", megabytes(before.resident), megabytes(after.resident), megabytes(highest.highest)),
			verdict: verdictOf(quarter > 0 && float64(late-early) < noise),
		},
		{
			what: "database before and after the attack", figure: megabytes(before.disk) + ", " + megabytes(after.disk),
			ratio: fmt.Sprintf("%.0f bytes an attempt", float64(after.disk-before.disk)/float64(max(1, attack.sent()))),
		},
	}, nil
}

// footprint is what a server takes of its machine, in bytes.
type footprint struct{ resident, disk int64 }

func footprintOf(s *server) (footprint, error) {
	m, err := s.memory()
	if err != nil {
		return footprint{}, err
	}
	disk, err := s.databaseSize()
	return footprint{m.resident, disk}, err
}

// weigh reads the resident memory four times a second. It stops at the first
// reading that fails, and the figure is then missed.
func (s *server) weigh(ctx context.Context, over <-chan struct{}) (resident []int64) {
	ticker := time.NewTicker(time.Second / 4)
	defer ticker.Stop()
	for {
		select {
		case <-over:
			return resident
		case <-ctx.Done():
			return resident
		case <-ticker.C:
		}
		m, err := s.memory()
		if err != nil {
			return nil
		}
		resident = append(resident, m.resident)
	}
}

// mean is the mean of some readings; 0 of none.
func mean(readings []int64) (m int64) {
	for _, r := range readings {
		m += r / int64(len(readings))
	}
	return m
}

// spray is the attack. Its programs follow no redirect and keep no cookies.
type spray struct {
	client   *http.Client
	base     string
	attempts int

	next                           atomic.Int64
	checked, refused, waiting, odd atomic.Int64
}

// run makes all attempts at a steady rate that needs d, or as fast as they are
// answered, and gives up two minutes later.
func (s *spray) run(ctx context.Context, d time.Duration) tally {
	pace := d * attackConnections / time.Duration(max(1, s.attempts))
	return loop(ctx, attackConnections, d+2*time.Minute, pace, func(ctx context.Context, _ int) error {
		i := int(s.next.Add(1)) - 1
		if i >= s.attempts {
			return errDone
		}
		return s.try(ctx, i)
	})
}

// sent is how many attempts were answered.
func (s *spray) sent() int {
	return int(s.checked.Load() + s.refused.Load() + s.waiting.Load() + s.odd.Load())
}

func (s *spray) try(ctx context.Context, i int) error {
	login := resident(i / 2)
	if i%2 == 1 {
		login = stranger(i / 2)
	}
	v := newVisitor(s.client, s.base)
	v.address = fmt.Sprintf("2001:db8:%x::%x", 1+i%attackNetworks, 1+i%0xffff)
	a, err := v.post(ctx, "/login", url.Values{"username": {login}, "password": {attackPassword}})
	if err != nil {
		return err
	}
	switch {
	case a.status == http.StatusUnprocessableEntity:
		s.checked.Add(1)
	case a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable:
		s.refused.Add(1)
	case strings.HasPrefix(a.location, "/login/waiting"):
		s.waiting.Add(1)
	default:
		s.odd.Add(1)
	}
	return nil
}

// folk are the people who keep signing in.
type folk struct {
	client *http.Client
	base   string
	next   int
	known  []*visitor // each with the cookie of a browser that knows its owner
}

// coming is a tally of people who came; asked counts those who were led to one
// more proof.
type coming struct {
	tally
	asked int
}

// arrivals are all who came within some time.
type arrivals struct {
	known, fresh coming
	err          error
}

// moveIn lets people sign in once, each from an address of their own.
func moveIn(ctx context.Context, client *http.Client, base string) (*folk, error) {
	f := &folk{client: client, base: base}
	for i := range comingPeople {
		f.known = append(f.known, f.somebody(i))
	}
	var next atomic.Int64
	moved := loop(ctx, runtime.NumCPU(), time.Minute, 0, func(ctx context.Context, _ int) error {
		i := int(next.Add(1)) - 1
		if i >= comingPeople {
			return errDone
		}
		_, err := enter(ctx, f.known[i], resident(comer(i)))
		return err
	})
	if moved.err == nil && len(moved.took) < comingPeople {
		moved.err = fmt.Errorf("only %d of %d people could sign in within a minute", len(moved.took), comingPeople)
	}
	return f, moved.err
}

// comer is which resident the i-th of those people is: one without an app, and
// none of those who added a passkey.
func comer(i int) int { return crowdSize - 1 - 2*i }

// somebody is a visitor from the home of the i-th person.
func (f *folk) somebody(i int) *visitor {
	v := newVisitor(f.client, f.base)
	v.address = fmt.Sprintf("203.0.%d.%d", 113+i/250, 1+i%250)
	return v
}

// come lets people arrive for a while.
func (f *folk) come(ctx context.Context, d time.Duration) arrivals {
	over := make(chan struct{})
	timer := time.AfterFunc(d, func() { close(over) })
	defer timer.Stop()
	return f.comeUntil(ctx, over)
}

// comeUntil lets people arrive at a steady rate, whether or not the others are
// in, and returns when those who came are in.
func (f *folk) comeUntil(ctx context.Context, over <-chan struct{}) arrivals {
	var mu sync.Mutex
	var seen arrivals
	var people sync.WaitGroup
	ticker := time.NewTicker(time.Second / comingPerSecond)
	defer ticker.Stop()
	for {
		select {
		case <-over:
			people.Wait()
			return seen
		case <-ctx.Done():
			people.Wait()
			seen.err = ctx.Err()
			return seen
		case <-ticker.C:
		}
		i := f.next % comingPeople
		inKnown := f.next/comingPeople%2 == i%2 // in turns, and everybody in both
		f.next++
		v := f.somebody(i)
		if inKnown {
			v.cookies[deviceCookie] = f.known[i].cookies[deviceCookie]
		}
		people.Go(func() {
			begin := time.Now()
			asked, err := enter(ctx, v, resident(comer(i)))
			took := time.Since(begin)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				seen.err = err
				return
			}
			where := &seen.fresh
			if inKnown {
				where = &seen.known
			}
			where.took = append(where.took, took)
			if asked {
				where.asked++
			}
		})
	}
}

// deviceCookie is how a browser knows the people who use it.
const deviceCookie = "amphi_device"

// enter signs somebody in by their password, up to the session or to the page
// that asks for one more proof.
func enter(ctx context.Context, v *visitor, login string) (asked bool, err error) {
	a, _, err := v.knock(ctx, login, demoPassword)
	switch {
	case err != nil:
		return false, err
	case v.cookies[sessionCookie] != "":
		return false, nil
	case a.status == http.StatusSeeOther && strings.HasPrefix(a.location, "/login/"):
		return true, nil
	default:
		return false, fmt.Errorf("%s was answered %d, location %q", login, a.status, a.location)
	}
}
