package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Policy says how patient a job is. The zero value suits most.
type Policy struct {
	// Attempts is how often the job is tried before it gives up; default 10,
	// which with the other defaults is about a day.
	Attempts int
	// Timeout ends the context of one attempt; default one minute.
	Timeout time.Duration
	// FirstPause is the pause after the first failure, doubled after each
	// further one up to LongestPause; default 15 seconds and 6 hours.
	FirstPause, LongestPause time.Duration
}

func (p Policy) withDefaults() Policy {
	if p.Attempts <= 0 {
		p.Attempts = 10
	}
	if p.Timeout <= 0 {
		p.Timeout = time.Minute
	}
	if p.FirstPause <= 0 {
		p.FirstPause = 15 * time.Second
	}
	if p.LongestPause <= 0 {
		p.LongestPause = 6 * time.Hour
	}
	return p
}

// pause is how long to wait after the given number of failures. A fifth of it
// is random, so that jobs that failed together do not come back together.
func (p Policy) pause(failures int) time.Duration {
	d := p.FirstPause
	for i := 1; i < failures && d < p.LongestPause; i++ {
		d *= 2
	}
	d = min(d, p.LongestPause)
	return d - d/10 + rand.N(d/5+1)
}

// Registry knows what to do for each job name, and what to do regularly. It is
// filled while the house is wired and read afterwards.
type Registry struct {
	handlers  map[string]handler
	schedules []schedule
}

type handler struct {
	run    func(ctx context.Context, args string) error
	policy Policy
}

type schedule struct {
	name  string
	every time.Duration
}

// NewRegistry is an empty registry.
func NewRegistry() *Registry {
	return &Registry{handlers: make(map[string]handler)}
}

// Handle says what to do for jobs with arguments of type T. It panics when the
// name is taken, which is a mistake in the wiring.
func Handle[T Args](reg *Registry, do func(ctx context.Context, args T) error, policy Policy) {
	var zero T
	reg.add(zero.JobName(), handler{
		policy: policy.withDefaults(),
		run: func(ctx context.Context, text string) error {
			var args T
			if err := json.Unmarshal([]byte(text), &args); err != nil {
				return GiveUp(fmt.Errorf("read the arguments: %w", err))
			}
			return do(ctx, args)
		},
	})
}

// Every runs do once per interval, on one server only, counted in whole
// intervals since 1970 in UTC: an hour means on the hour. A server that was
// down at the tick catches up with one run. While a run is waiting or under
// way, further ticks pass without another.
func (reg *Registry) Every(name string, interval time.Duration, do func(ctx context.Context) error) {
	reg.EveryWith(name, interval, do, Policy{})
}

// EveryWith is Every with a policy for the runs.
func (reg *Registry) EveryWith(name string, interval time.Duration, do func(ctx context.Context) error, policy Policy) {
	if interval < time.Second {
		panic("jobs: " + name + " is scheduled more often than once a second")
	}
	reg.add(name, handler{
		policy: policy.withDefaults(),
		run:    func(ctx context.Context, _ string) error { return do(ctx) },
	})
	reg.schedules = append(reg.schedules, schedule{name: name, every: interval})
}

func (reg *Registry) add(name string, h handler) {
	room, job, ok := strings.Cut(name, ".")
	if !ok || room == "" || job == "" {
		panic("jobs: the name " + name + " is not of the form room.job")
	}
	if _, taken := reg.handlers[name]; taken {
		panic("jobs: " + name + " is handled twice")
	}
	reg.handlers[name] = h
}

// Names lists the jobs that this registry handles, in order.
func (reg *Registry) Names() []string {
	names := make([]string, 0, len(reg.handlers))
	for name := range reg.handlers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
