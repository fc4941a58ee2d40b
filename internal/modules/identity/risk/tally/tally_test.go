package tally

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestDifferentThingsAreCountedAndTheSameOneOnce(t *testing.T) {
	for _, c := range []struct{ words, things int }{{8, 5}, {8, 20}, {8, 200}, {8, 1000}, {2048, 5}, {2048, 1000}, {2048, 100_000}} {
		b := New(10, c.words, time.Minute, clock.At(noon))
		for range 2 {
			for i := range c.things {
				b.Add("network", fmt.Sprint("person", i))
			}
		}
		got := b.Count("network")
		if math.Abs(float64(got-c.things)) > 2+float64(c.things)/5 {
			t.Errorf("%d things in %d words are counted as %d", c.things, c.words, got)
		}
		if b.Count("elsewhere") != 0 {
			t.Error("another key has them too")
		}
	}
}

func TestWhatIsLongAgoDoesNotCount(t *testing.T) {
	now := clock.At(noon)
	b := New(10, 8, 10*time.Minute, now)
	for i := range 30 {
		b.Add("network", fmt.Sprint(i))
	}
	now.Advance(15 * time.Minute)
	if got := b.Count("network"); got < 25 {
		t.Errorf("after one window and a half %d count", got)
	}
	b.Add("network", "late")
	now.Advance(6 * time.Minute) // the first thirty are two windows back
	if got := b.Count("network"); got != 1 {
		t.Errorf("after two windows %d count, want the late one", got)
	}
	now.Advance(time.Hour)
	if got := b.Count("network"); got != 0 {
		t.Errorf("after an hour %d count", got)
	}
}

func TestManyKeysDoNotSwellTheMemory(t *testing.T) {
	const keys = 1000
	b := New(keys, 8, time.Minute, clock.At(noon))
	fill := func(n int) uint64 {
		for i := range n {
			b.Add(fmt.Sprint("network", i), "somebody")
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := fill(2 * keys)
	after := fill(300_000)
	if b.Keys() != keys {
		t.Errorf("%d keys are remembered", b.Keys())
	}
	if after > before+1<<20 {
		t.Errorf("the memory grew from %d to %d bytes", before, after)
	}
}

func TestTheKeyThatWasNotUsedForLongestIsForgotten(t *testing.T) {
	b := New(2, 8, time.Minute, clock.At(noon))
	b.Add("a", "1")
	b.Add("b", "1")
	b.Add("a", "2")
	b.Add("c", "1")
	if b.Count("b") != 0 || b.Count("a") != 2 || b.Count("c") != 1 {
		t.Errorf("a %d, b %d, c %d", b.Count("a"), b.Count("b"), b.Count("c"))
	}
}

func TestManyAtOnceLoseNothing(t *testing.T) {
	b := New(10, 2048, time.Hour, clock.At(noon))
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := range 500 {
				b.Add("network", fmt.Sprint(worker, " ", i))
				b.Count("network")
			}
		})
	}
	wait.Wait()
	if got := b.Count("network"); got < 3800 || got > 4200 {
		t.Errorf("4000 things are counted as %d", got)
	}
}

func BenchmarkAdd(b *testing.B) {
	book := New(4096, 8, time.Minute, clock.System())
	for i := range b.N {
		book.Add("network", string(rune(i)))
	}
}
