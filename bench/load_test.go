package main

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestPercentilesAreThoseOfTheNearestRank(t *testing.T) {
	hundred := tally{}
	for i := 100; i > 0; i-- {
		hundred.took = append(hundred.took, time.Duration(i)*time.Millisecond)
	}
	for _, c := range []struct {
		name  string
		tally tally
		share float64
		want  time.Duration
	}{
		{"the median of a hundred is the fiftieth", hundred, .5, 50 * time.Millisecond},
		{"p99 of a hundred is the ninety-ninth", hundred, .99, 99 * time.Millisecond},
		{"all of a hundred is the longest", hundred, 1, 100 * time.Millisecond},
		{"of one measure every share is that one", tally{took: []time.Duration{7}}, .01, 7},
		{"without measures there is none", tally{}, .5, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.tally.percentile(c.share); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestALoopEndsInTimeAndKeepsItsPace(t *testing.T) {
	start := time.Now()
	got := loop(t.Context(), 2, 200*time.Millisecond, 50*time.Millisecond, func(context.Context, int) error { return nil })
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("a loop of 200 ms took %s", took)
	}
	if n := len(got.took); n == 0 || n > 10 {
		t.Errorf("two workers with a pace of 50 ms did %d turns in 200 ms", n)
	}
}

func TestALoopStopsAtTheFirstFailureAndTellsIt(t *testing.T) {
	broken := errors.New("broken")
	turns := 0
	got := loop(t.Context(), 1, time.Minute, 0, func(context.Context, int) error {
		if turns++; turns == 3 {
			return broken
		}
		return nil
	})
	if got.err != broken || len(got.took) != 2 {
		t.Errorf("%d turns and the error %v, want 2 and %v", len(got.took), got.err, broken)
	}
}

func TestBeingDoneIsNoFailure(t *testing.T) {
	got := loop(t.Context(), 3, time.Minute, 0, func(context.Context, int) error { return errDone })
	if got.err != nil || len(got.took) != 0 {
		t.Errorf("%d turns and the error %v, want none", len(got.took), got.err)
	}
}
