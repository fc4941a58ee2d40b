package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"
)

// measureSignIns compares complete sign-ins, with a session stored for each,
// with argon2id alone on every core. The two take turns, so that a machine that
// slows down slows both.
func measureSignIns(ctx context.Context, s *server, p plan) ([]row, error) {
	client := newClient()
	defer client.CloseIdleConnections()
	var raw, signIns tally
	for range p.rounds {
		raw.add(ceiling(ctx, s.cost, p.slice))
		signIns.add(loop(ctx, 8*runtime.NumCPU(), p.slice, 0, func(ctx context.Context, _ int) error {
			_, err := newVisitor(client, s.base).signIn(ctx)
			return err
		}))
	}
	if signIns.err != nil {
		return nil, signIns.err
	}
	s.signInRate = signIns.perSecond()
	share := s.signInRate / raw.perSecond()
	return []row{{
		what:    "password sign-ins per second",
		aim:     "95 % of raw argon2id on all cores",
		figure:  fmt.Sprintf("%.1f/s", s.signInRate),
		ratio:   fmt.Sprintf("%.0f %% of %.1f hashes/s", share*100, raw.perSecond()),
		verdict: verdictOf(share >= .95),
	}}, nil
}

// ceiling is argon2id alone, one loop per core.
func ceiling(ctx context.Context, c hashCost, d time.Duration) tally {
	salt := []byte("sixteen bytes ok")
	return loop(ctx, runtime.NumCPU(), d, 0, func(context.Context, int) error {
		argon2.IDKey([]byte(demoPassword), salt, c.time, c.memory, c.threads, 32)
		return nil
	})
}

// measureStorm looks at the home page of people who are inside while four times
// as many people as the door can take arrive at it, and follows everybody who
// arrived to see that nobody is turned away.
func measureStorm(ctx context.Context, s *server, p plan) ([]row, error) {
	if s.signInRate == 0 {
		return nil, fmt.Errorf("the capacity of the door is not known")
	}
	client := newClient()
	defer client.CloseIdleConnections()
	inside := make([]*visitor, 4)
	for i := range inside {
		inside[i] = newVisitor(client, s.base)
		if _, err := inside[i].signIn(ctx); err != nil {
			return nil, err
		}
	}
	home := func(ctx context.Context, worker int) error {
		a, err := inside[worker].get(ctx, "/")
		return expect(a, err, 200, "the home page")
	}
	const pace = 40 * time.Millisecond // a hundred pages a second, as an open university has
	calm := loop(ctx, len(inside), p.calm, pace, home)
	if calm.err != nil {
		return nil, calm.err
	}

	crowd := newCrowd(client, s.base, p.storm+p.drain)
	arrivals := 4 * s.signInRate
	var storm tally
	var both sync.WaitGroup
	both.Go(func() { storm = loop(ctx, len(inside), p.storm, pace, home) })
	crowd.arrive(ctx, arrivals, p.storm)
	both.Wait()
	crowd.leave()
	if storm.err != nil {
		return nil, storm.err
	}
	m, err := s.memory()
	if err != nil {
		return nil, err
	}

	calm99, storm99 := calm.percentile(.99), storm.percentile(.99)
	rows := []row{
		{what: "home page, calm (p50, p99)", figure: millis(calm.percentile(.5)) + ", " + millis(calm99)},
		{
			what:    fmt.Sprintf("home page, %.0f sign-ins/s arriving (p50, p99)", arrivals),
			aim:     "p99 under 3 × calm",
			figure:  millis(storm.percentile(.5)) + ", " + millis(storm99),
			ratio:   fmt.Sprintf("p99 %.1f × calm", float64(storm99)/float64(calm99)),
			verdict: verdictOf(storm99 < 3*calm99),
		},
		{
			what:    fmt.Sprintf("people of the storm let in (%d arrived)", crowd.arrived),
			aim:     "all, no time-out",
			figure:  fmt.Sprintf("%d, longest wait %.1f s", len(crowd.tally.took), crowd.tally.percentile(1).Seconds()),
			ratio:   fmt.Sprintf("%d saw the waiting page", crowd.waited),
			verdict: verdictOf(len(crowd.tally.took) == crowd.arrived),
		},
		{what: "highest resident memory up to here", figure: megabytes(m.highest)},
	}
	if crowd.tally.err != nil {
		return rows, fmt.Errorf("somebody was turned away: %w", crowd.tally.err)
	}
	return rows, nil
}

// crowd is the people of a storm.
type crowd struct {
	client  *http.Client
	base    string
	until   time.Time
	people  sync.WaitGroup
	mu      sync.Mutex
	arrived int
	waited  int
	tally   tally
}

// maxCrowd bounds the storm whatever the machine can take.
const maxCrowd = 20_000

func newCrowd(client *http.Client, base string, patience time.Duration) *crowd {
	return &crowd{client: client, base: base, until: time.Now().Add(patience)}
}

// arrive sends people to the door at a steady rate, whether or not the others are
// in: that is what makes it a storm.
func (c *crowd) arrive(ctx context.Context, perSecond float64, d time.Duration) {
	begin := time.Now()
	for time.Since(begin) < d && c.arrived < maxCrowd && ctx.Err() == nil {
		due := min(int(time.Since(begin).Seconds()*perSecond)+1, maxCrowd)
		for ; c.arrived < due; c.arrived++ {
			c.people.Go(func() { c.one(ctx) })
		}
		if pause(ctx, 2*time.Millisecond) != nil {
			return
		}
	}
}

func (c *crowd) one(ctx context.Context) {
	ctx, cancel := context.WithDeadline(ctx, c.until)
	defer cancel()
	start := time.Now()
	waited, err := newVisitor(c.client, c.base).signIn(ctx)
	took := time.Since(start)
	c.mu.Lock()
	defer c.mu.Unlock()
	if waited {
		c.waited++
	}
	if err != nil {
		if c.tally.err == nil {
			c.tally.err = err
		}
		return
	}
	c.tally.took = append(c.tally.took, took)
}

// leave waits until everybody is in or has given up.
func (c *crowd) leave() { c.people.Wait() }
