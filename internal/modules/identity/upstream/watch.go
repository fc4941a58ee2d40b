package upstream

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/health"
)

// lookEvery is how often each upstream is looked at without a person.
const lookEvery = 15 * time.Minute

// endsSoon is when what will end, such as a certificate, is spoken of.
const endsSoon = 30 * 24 * time.Hour

// sight is what the last look at an upstream found. It lives in memory: the next
// look makes it anew.
type sight struct {
	mu    sync.Mutex
	steps []Step
	at    time.Time
}

func (s *sight) keep(steps []Step, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps, s.at = steps, at
}

func (s *sight) last() (steps []Step, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.steps, s.at
}

// lookAt walks to an upstream as far as one comes without a person.
func (x *Upstreams) lookAt(ctx context.Context, u *upstream) []Step {
	ctx, cancel := context.WithTimeout(ctx, 2*u.TimeoutOr5s())
	defer cancel()
	var steps []Step
	if u.protocol != nil {
		steps = u.protocol.Probe(ctx)
	} else {
		steps = u.directory.Probe(ctx)
	}
	u.seen.keep(steps, x.Clock.Now())
	return steps
}

// lookAtAll is the job.
func (x *Upstreams) lookAtAll(ctx context.Context) error {
	for _, u := range x.all {
		x.lookAt(ctx, u)
	}
	return nil
}

// Health says which upstreams did not answer when they were last looked at, and
// what of theirs ends within thirty days.
func (x *Upstreams) Health(context.Context) []health.Check {
	var checks []health.Check
	for _, u := range x.all {
		steps, at := u.seen.last()
		if at.IsZero() {
			continue
		}
		check := health.Check{Name: "identity.upstream_" + strings.ReplaceAll(u.ID, "-", "_"), OK: true, Detail: "answers"}
		for _, s := range steps {
			switch {
			case !s.OK:
				check.OK, check.Detail, check.Reason = false, s.Name+": "+s.Detail, Unreachable
			case !s.Ends.IsZero() && s.Ends.Sub(x.Clock.Now()) < endsSoon && check.OK:
				check.OK, check.Detail, check.Reason = false, s.Name+" ends "+stamp(s.Ends), CertificateOver
			}
		}
		checks = append(checks, check)
	}
	return checks
}

// state is how an upstream does, for those who run it.
type state struct {
	Good      time.Time // last answer that was good; zero for none within the month
	GoodDay   int64     // of the last day
	BadDay    int64
	LostDay   int64 // left and did not come back
	Links     int64
	Ahead     time.Duration // median of what its clock is ahead of ours
	Timed     bool
	Failures  []sqlgen.IdentityUpstreamEvent
	Steps     []Step
	StepsAt   time.Time
	Reachable bool
}

// failuresShown is how many failures a page lists.
const failuresShown = 20

func (x *Upstreams) stateOf(ctx context.Context, u *upstream) (s state, err error) {
	q, now := sqlgen.New(x.DB.Read()), x.DB.Now()
	day := now.Add(-24 * time.Hour)
	good, err := q.LastGood(ctx, u.ID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return s, fmt.Errorf("read the last answer of %s: %w", u.ID, err)
	}
	s.Good = good.NotedAt.Time()
	count, err := q.CountEvents(ctx, sqlgen.CountEventsParams{Upstream: u.ID, Since: day})
	if err != nil {
		return s, fmt.Errorf("count the answers of %s: %w", u.ID, err)
	}
	s.GoodDay, s.BadDay = count.Good, count.Bad
	if s.LostDay, err = q.CountLost(ctx, sqlgen.CountLostParams{Upstream: u.ID, Since: day, Until: now.Add(-notBackAfter)}); err != nil {
		return s, fmt.Errorf("count who did not come back from %s: %w", u.ID, err)
	}
	if s.Links, err = q.CountLinks(ctx, u.ID); err != nil {
		return s, fmt.Errorf("count the links of %s: %w", u.ID, err)
	}
	clocks, err := q.Clocks(ctx, u.ID)
	if err != nil {
		return s, fmt.Errorf("read the clock of %s: %w", u.ID, err)
	}
	if s.Timed = len(clocks) > 0; s.Timed {
		slices.Sort(clocks)
		s.Ahead = time.Duration(clocks[len(clocks)/2]) * time.Microsecond
	}
	if s.Failures, err = q.FailuresOf(ctx, sqlgen.FailuresOfParams{Upstream: u.ID, Limit: failuresShown}); err != nil {
		return s, fmt.Errorf("read the failures of %s: %w", u.ID, err)
	}
	s.Steps, s.StepsAt = u.seen.last()
	s.Reachable = !slices.ContainsFunc(s.Steps, func(step Step) bool { return !step.OK })
	return s, nil
}

// linksOf are the accounts elsewhere that somebody comes by.
func (x *Upstreams) linksOf(ctx context.Context, who string) ([]sqlgen.IdentityUpstreamLink, error) {
	rows, err := sqlgen.New(x.DB.Read()).LinksOf(ctx, who)
	if err != nil {
		return nil, fmt.Errorf("read the links of a person: %w", err)
	}
	return rows, nil
}

// unlink removes a link; found is false when it was gone already.
func (x *Upstreams) unlink(ctx context.Context, tx db.Tx, link, who string) (found bool, err error) {
	n, err := sqlgen.New(tx).RemoveLink(ctx, sqlgen.RemoveLinkParams{ID: link, PersonID: who})
	if err != nil {
		return false, fmt.Errorf("remove a link: %w", err)
	}
	return n == 1, nil
}
