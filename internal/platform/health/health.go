// Package health asks every part of the house how it is and answers monitors on a listener of its
// own, which is not reachable from where people sign in.
package health

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// CheckTimedOut: a part of the house did not say in time how it is.
var CheckTimedOut = fault.Declare(fault.Unavailable, "health.check_timed_out")

// Check is one answer to "how are you".
type Check struct {
	// Name is stable, "room.what" ("mailer.smtp"), so that monitors can watch one check.
	Name string
	OK   bool
	// Essential: while this fails, the server should get no visitors (/readyz fails).
	Essential bool
	// Reason says what is wrong, when not OK.
	Reason *fault.Reason
	// Detail is for the administrator: no secrets, no personal data.
	Detail string
	// Took is how long the answer took.
	Took time.Duration
}

// Pass is a check that went well.
func Pass(name, detail string) Check { return Check{Name: name, OK: true, Detail: detail} }

// Fail is a check that did not: its reason is err's, platform.unexpected when it has none.
func Fail(name string, err error) Check {
	reason := fault.Of(err).Reason
	// The code stands beside the detail already.
	detail := strings.TrimLeft(strings.TrimPrefix(err.Error(), reason.Code()), ": ")
	return Check{Name: name, Reason: reason, Detail: detail}
}

// Needed marks the check as Essential.
func (c Check) Needed() Check {
	c.Essential = true
	return c
}

// Run times one check: ask returns a detail, or what is wrong.
func Run(ctx context.Context, name string, ask func(context.Context) (detail string, err error)) Check {
	began := time.Now() // a duration of the machine, not a date of the house
	detail, err := ask(ctx)
	check := Pass(name, detail)
	if err != nil {
		check = Fail(name, err)
	}
	check.Took = time.Since(began)
	return check
}

// Source is one part of the house that can be asked.
type Source struct {
	Name string
	Ask  func(context.Context) []Check
}

const (
	askFor = 3 * time.Second
	// fresh is how long an answer is shown again: a monitor with a short interval, or many of them,
	// must not become the load that it watches for.
	fresh = 2 * time.Second
)

// Doctor asks all sources at once. It is safe for concurrent use.
type Doctor struct {
	sources []Source
	clock   clock.Clock
	wait    time.Duration

	mu     sync.Mutex // held while asking: who comes meanwhile shares the answer
	last   []Check
	lastAt time.Time
}

// New makes a doctor for these sources.
func New(c clock.Clock, sources ...Source) *Doctor {
	return &Doctor{sources: sources, clock: c, wait: askFor}
}

// Checks gives every source's answers, ordered by name. A source that does not answer in three
// seconds, or panics, gets a failed check in its place.
func (d *Doctor) Checks(ctx context.Context) []Check {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.clock.Now(); d.last == nil || now.Sub(d.lastAt) >= fresh || now.Before(d.lastAt) {
		// The answer is shared: it must not depend on whether this asker stays.
		d.last, d.lastAt = d.ask(context.WithoutCancel(ctx)), now
	}
	return slices.Clone(d.last)
}

func (d *Doctor) ask(ctx context.Context) []Check {
	ctx, cancel := context.WithTimeout(ctx, d.wait)
	defer cancel()
	answers := make([]chan []Check, len(d.sources))
	for i, source := range d.sources {
		answers[i] = make(chan []Check, 1) // buffered: a late answer must not hold its goroutine for ever
		go func() { answers[i] <- safely(ctx, source) }()
	}
	began := time.Now()
	all := []Check{}
	for i, source := range d.sources {
		select {
		case checks := <-answers[i]:
			all = append(all, checks...)
		case <-ctx.Done():
			select {
			case checks := <-answers[i]: // it answered in the same instant
				all = append(all, checks...)
			default:
				late := Fail(source.Name, CheckTimedOut)
				late.Took = time.Since(began)
				all = append(all, late)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Check) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func safely(ctx context.Context, source Source) (checks []Check) {
	defer func() {
		if fell := recover(); fell != nil {
			checks = []Check{Fail(source.Name, fmt.Errorf("the check panicked: %v", fell))}
		}
	}()
	return source.Ask(ctx)
}
