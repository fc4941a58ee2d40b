package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// measureTiming compares how long a wrong password takes for identifiers that
// somebody has and that nobody has, by Welch's t. Their order is drawn, so that
// nothing periodic meets always the same of the two.
func measureTiming(ctx context.Context, s *server, p plan) ([]row, error) {
	client := newClient()
	defer client.CloseIdleConnections()
	var known, unknown []float64
	for i := range 2 * p.guesses {
		login, times := resident(rand.IntN(crowdSize)), &known
		if rand.IntN(2) == 0 {
			login, times = stranger(rand.IntN(crowdSize)), &unknown
		}
		begin := time.Now()
		a, err := newVisitor(client, s.base).post(ctx, "/login", map[string][]string{"username": {login}, "password": {"wrong"}})
		if err := expect(a, err, http.StatusUnprocessableEntity, "a wrong password"); err != nil {
			return nil, err
		}
		if i >= 10 { // the first ones warm the caches
			*times = append(*times, float64(time.Since(begin)))
		}
	}
	with, without := sampleOf(known), sampleOf(unknown)
	t := welch(with, without)
	apart := math.Abs(with.mean-without.mean) / with.mean
	return []row{{
		what:   fmt.Sprintf("wrong password of a known and of an unknown identifier (means of %d and %d)", with.n, without.n),
		aim:    "no difference: |t| under 4, or under 2 % apart",
		figure: fmt.Sprintf("%.2f ms, %.2f ms", with.mean/1e6, without.mean/1e6),
		ratio:  fmt.Sprintf("Welch’s t = %.2f, %.1f %% apart", t, 100*apart), verdict: verdictOf(math.Abs(t) < 4 || apart < .02),
	}}, nil
}

// sample is the mean of measures and how far it may be off by chance.
type sample struct {
	n              int
	mean, variance float64 // of the measures, without the slowest tenth
}

// sampleOf leaves the slowest tenth out: pauses of the machine are not what is
// measured.
func sampleOf(measures []float64) sample {
	slices.Sort(measures)
	kept := measures[:len(measures)*9/10]
	s := sample{n: len(kept)}
	for _, m := range kept {
		s.mean += m / float64(s.n)
	}
	for _, m := range kept {
		s.variance += (m - s.mean) * (m - s.mean) / float64(s.n-1)
	}
	return s
}

// welch is Welch's t of two samples; beyond 4 in either direction it is chance
// once in 16,000.
func welch(a, b sample) float64 {
	return (a.mean - b.mean) / math.Sqrt(a.variance/float64(a.n)+b.variance/float64(b.n))
}
