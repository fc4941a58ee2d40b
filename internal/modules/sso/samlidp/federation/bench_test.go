package federation

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// BenchmarkLoadAggregate reads a signed aggregate of some 10 MB, as large as that
// of a national federation, and names the memory: the most that was in use at any
// time beyond the document itself, and what stays afterwards.
func BenchmarkLoadAggregate(b *testing.B) {
	h := one(b)
	var members []*saml.Entity
	for n := range 4000 {
		members = append(members, member(b, n, category(saml.CategoryResearch)))
	}
	page := aggregate(b, key(b, "fer"), start.AddDate(0, 0, 5), members...)
	members = nil
	h.serve("/fer.xml", page)
	before := inUse()
	var most atomic.Uint64
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most.Store(max(most.Load(), m.HeapAlloc))
			}
		}
	}()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		h.serve("/fer.xml", page+fmt.Sprintf("<!-- %d -->", i)) // so that it is read again
		if err := h.Load(b.Context(), "fer"); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	close(stop)
	const mega = 1 << 20
	b.ReportMetric(float64(len(page))/mega, "MB-document")
	b.ReportMetric(float64(int64(most.Load())-int64(before)-int64(len(page)))/mega, "MB-most-besides")
	b.ReportMetric(float64(int64(inUse())-int64(before))/mega, "MB-kept")
	if s := h.state("fer"); s.Entities != 4000 {
		b.Fatalf("%+v", s)
	}
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkFind is what a sign-in pays for metadata that was not read lately.
func BenchmarkFind(b *testing.B) {
	h := one(b)
	h.serve("/fer.xml", aggregate(b, key(b, "fer"), start.AddDate(0, 0, 5), member(b, 1, nil)))
	if err := h.Load(b.Context(), "fer"); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		h.forget()
		if _, err := h.Find(b.Context(), "https://sp1.example/sp", nil); err != nil {
			b.Fatal(err)
		}
	}
}
