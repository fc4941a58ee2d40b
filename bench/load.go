package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// tally is what a load loop saw.
type tally struct {
	took  []time.Duration
	spent time.Duration
	err   error // the first failure, which ends the loop
}

// perSecond is the rate of what succeeded.
func (t tally) perSecond() float64 {
	if t.spent <= 0 {
		return 0
	}
	return float64(len(t.took)) / t.spent.Seconds()
}

// add joins two turns of the same measure.
func (t *tally) add(other tally) {
	t.took = append(t.took, other.took...)
	t.spent += other.spent
	if t.err == nil {
		t.err = other.err
	}
}

// percentile returns the value below which this share of the measures lies, by
// the nearest rank; 0 without measures.
func (t tally) percentile(share float64) time.Duration {
	if len(t.took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t.took))
	rank := int(share*float64(len(sorted))+.999999) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}

// errDone ends a worker that has nothing left to do; it is no failure.
var errDone = errors.New("nothing left to do")

// maxCount ends a loop that would otherwise gather more than a run needs.
const maxCount = 2_000_000

// loop lets workers do something again and again for a while: each begins anew
// when its last turn is over. pace is the shortest time between two beginnings of
// one worker; 0 is as fast as possible.
func loop(ctx context.Context, workers int, d, pace time.Duration, do func(ctx context.Context, worker int) error) tally {
	begin := time.Now()
	end := begin.Add(d)
	tallies := make([]tally, workers)
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			mine := &tallies[worker]
			for len(mine.took) < maxCount/workers {
				start := time.Now()
				if !start.Before(end) || ctx.Err() != nil {
					return
				}
				err := do(ctx, worker)
				if errors.Is(err, errDone) {
					return
				}
				if err != nil {
					mine.err = err
					return
				}
				took := time.Since(start)
				mine.took = append(mine.took, took)
				if rest := pace - took; rest > 0 {
					if pause(ctx, rest) != nil {
						return // the run is being ended
					}
				}
			}
		})
	}
	all.Wait()
	total := tally{}
	for _, t := range tallies {
		total.add(t)
	}
	total.spent = time.Since(begin)
	return total
}
