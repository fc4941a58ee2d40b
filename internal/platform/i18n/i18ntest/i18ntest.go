// Package i18ntest gives tests the sentences that they show, read once for a
// whole test program.
package i18ntest

import (
	"io/fs"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// read is what was loaded from which folders.
type read struct {
	zone    *time.Location
	sources []fs.FS
	texts   *i18n.Catalogue
}

var (
	mu    sync.Mutex
	shelf []read
)

// Load is [i18n.Load] for tests. Reading the sentences of a dozen alcoves takes
// longer than most tests: those that name the same sources share them, each with
// its own clock. A source is an embedded folder or one of os.DirFS.
func Load(t testing.TB, zone *time.Location, c clock.Clock, sources ...fs.FS) *i18n.Catalogue {
	t.Helper()
	mu.Lock()
	defer mu.Unlock()
	i := slices.IndexFunc(shelf, func(r read) bool { return r.zone.String() == zone.String() && slices.Equal(r.sources, sources) })
	if i < 0 {
		texts, err := i18n.Load(zone, c, sources...)
		if err != nil {
			t.Fatal(err)
		}
		i, shelf = len(shelf), append(shelf, read{zone, sources, texts})
	}
	return shelf[i].texts.At(c)
}
