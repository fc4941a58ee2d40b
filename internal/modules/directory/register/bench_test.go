package register

import (
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// BenchmarkRunWithoutChange reads 20,000 people of whom nothing is new.
func BenchmarkRunWithoutChange(b *testing.B) {
	now := clock.At(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
	d := dbtest.OpenAt(b, now, testSchema()...)
	h := newHouse(b, d, now)
	h.papers["hr"].records = some(20_000)
	if _, err := h.Run(b.Context(), Order{Source: "hr"}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if r, err := h.Run(b.Context(), Order{Source: "hr", Full: true}); err != nil || r.Counts.Unchanged != 20_000 {
			b.Fatal(r, err)
		}
	}
}
