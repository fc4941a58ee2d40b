package risk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/risk/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/rule"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Trial is a set of numbers to try on what has happened.
type Trial struct {
	AskFactor, Lock int
	Points          map[string]int // by the names of the rules; those that are missing are nil
}

// InForce are the numbers of the configuration.
func (x *Risk) InForce() Trial {
	t := Trial{AskFactor: x.config.AskFactor, Lock: x.config.Lock, Points: map[string]int{}}
	for name, points := range x.config.Points.byRule() {
		t.Points[name] = *points
	}
	return t
}

// Check says what is wrong with the numbers, as the configuration would.
func (t Trial) Check() error {
	c := Defaults()
	c.AskFactor, c.Lock = t.AskFactor, t.Lock
	for name, points := range c.Points.byRule() {
		*points = t.Points[name]
	}
	var wrong []error
	for _, p := range c.Check() {
		wrong = append(wrong, errors.New(p.Key+" "+p.Text))
	}
	return errors.Join(wrong...)
}

// TOML are the numbers as the configuration file holds them.
func (t Trial) TOML() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[identity.risk]\nask_factor = %d\nlock = %d\n\n[identity.risk.points]\n", t.AskFactor, t.Lock)
	for _, r := range rule.All {
		if !r.Fixed {
			fmt.Fprintf(&b, "%s = %d\n", r.Name, t.Points[r.Name])
		}
	}
	return b.String()
}

// Result is what the numbers of a [Trial] would have done.
type Result struct {
	Trial Trial
	Days  int
	// Judged are the sign-ins with the right password; Asked and Locked those of
	// them that would have met a second factor or a lock.
	Judged, Asked, Locked int
	// Proved are those among Asked and Locked in which a second factor was proved:
	// most likely their owners, whom the rules would have bothered for nothing.
	Proved int
	// People is how many different ones Asked and Locked belong to.
	People int
	// Kinds parts Asked and Locked by the affiliation of their owners, "" for none.
	Kinds []KindResult
	// Rules is how often each noticed something.
	Rules   map[string]int
	Samples []Sample
	// Refused are the wrong passwords; the locks are those that came to pass, by the
	// numbers in force.
	Refused, LocksByFailures, LocksByRules int
}

// KindResult is the part of one affiliation.
type KindResult struct {
	Kind          string
	Asked, Locked int
}

// Sample is one sign-in that would have been asked for a factor or locked.
type Sample struct {
	Incident string // code under which the help desk finds it
	At       time.Time
	Kind     string
	Score    int
	Act      Act
	Fired    []string
	Proved   bool
	In       bool
}

// samples is how many sign-ins a trial shows.
const samples = 20

// mostDays is how far back a trial looks at most: what signals are kept for.
const mostDays = int(keepSignals / (24 * time.Hour))

// Try says what a set of numbers would have done with the sign-ins of the last
// days. It changes only the points and the two thresholds: what the rules noticed
// was noticed with the settings of then.
func (x *Risk) Try(ctx context.Context, t Trial, days int) (Result, error) {
	r := Result{Trial: t, Days: min(max(days, 1), mostDays), Rules: map[string]int{}}
	since := db.At(x.Clock.Now().Add(-time.Duration(r.Days) * 24 * time.Hour))
	err := x.DB.InReadTx(ctx, func(q db.Querier) error {
		queries := sqlgen.New(q)
		groups, err := queries.Judged(ctx, since)
		if err != nil {
			return fmt.Errorf("sum up the sign-ins: %w", err)
		}
		caught := r.add(groups)
		if r.People, err = countPeople(ctx, q, since, caught); err != nil {
			return err
		}
		if r.Samples, err = readSamples(ctx, q, since, caught, t); err != nil {
			return err
		}
		refused, err := queries.CountRefused(ctx, since)
		if err != nil {
			return fmt.Errorf("count the wrong passwords: %w", err)
		}
		byFailures, err := queries.CountLocks(ctx, sqlgen.CountLocksParams{SinceAt: since, Cause: string(ByFailures)})
		if err != nil {
			return fmt.Errorf("count the locks: %w", err)
		}
		byRules, err := queries.CountLocks(ctx, sqlgen.CountLocksParams{SinceAt: since, Cause: string(ByRules)})
		if err != nil {
			return fmt.Errorf("count the locks: %w", err)
		}
		r.Refused, r.LocksByFailures, r.LocksByRules = int(refused), int(byFailures), int(byRules)
		return nil
	})
	return r, err
}

// add sums the groups up and returns what was noticed in those that the trial
// would have caught.
func (r *Result) add(groups []sqlgen.JudgedRow) (caught []string) {
	kinds := map[string]*KindResult{}
	found := map[string]bool{}
	for _, g := range groups {
		times := int(g.Times)
		r.Judged += times
		for _, name := range strings.Fields(g.Fired) {
			r.Rules[name] += times
		}
		act := r.Trial.act(g.Fired)
		if act == Allow {
			continue
		}
		found[g.Fired] = true
		if kinds[g.Kind] == nil {
			kinds[g.Kind] = &KindResult{Kind: g.Kind}
		}
		if act == Lock {
			r.Locked += times
			kinds[g.Kind].Locked += times
		} else {
			r.Asked += times
			kinds[g.Kind].Asked += times
		}
		if g.Outcome == string(In) && g.Proved != "" {
			r.Proved += times
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		r.Kinds = append(r.Kinds, *kinds[kind])
	}
	return slices.Sorted(maps.Keys(found))
}

// score adds up the points of what was noticed.
func (t Trial) score(fired string) (sum int) {
	for _, name := range strings.Fields(fired) {
		sum += t.Points[name]
	}
	return sum
}

func (t Trial) act(fired string) Act {
	return Config{AskFactor: t.AskFactor, Lock: t.Lock}.act(t.score(fired))
}

// countPeople counts whose sign-ins noticed one of these.
func countPeople(ctx context.Context, q db.Querier, since db.Time, caught []string) (n int, err error) {
	args := []any{since}
	for _, fired := range caught {
		args = append(args, fired)
	}
	row := q.QueryRowContext(ctx, `SELECT COUNT(DISTINCT person_id) FROM identity_signals WHERE judged AND noted_at >= $1 AND fired IN `+db.In(len(caught), 2), args...)
	if err := row.Scan(&n); err != nil {
		return 0, fmt.Errorf("count the people of a trial: %w", err)
	}
	return n, nil
}

// readSamples reads the newest sign-ins that noticed one of these.
func readSamples(ctx context.Context, q db.Querier, since db.Time, caught []string, t Trial) (list []Sample, err error) {
	args := []any{since, samples}
	for _, fired := range caught {
		args = append(args, fired)
	}
	rows, err := q.QueryContext(ctx, `SELECT incident, noted_at, kind, fired, proved, outcome FROM identity_signals
		WHERE judged AND noted_at >= $1 AND fired IN `+db.In(len(caught), 3)+` ORDER BY noted_at DESC, id LIMIT $2`, args...)
	if err != nil {
		return nil, fmt.Errorf("read the samples of a trial: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s Sample
		var at db.Time
		var fired, proved, outcome string
		if err := rows.Scan(&s.Incident, &at, &s.Kind, &fired, &proved, &outcome); err != nil {
			return nil, fmt.Errorf("read a sample of a trial: %w", err)
		}
		s.At, s.Fired, s.Score, s.Act = at.Time(), strings.Fields(fired), t.score(fired), t.act(fired)
		s.Proved, s.In = proved != "", outcome == string(In)
		list = append(list, s)
	}
	return list, rows.Err()
}
