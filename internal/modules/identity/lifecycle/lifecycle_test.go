package lifecycle

import (
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schemas...)
}

func TestDaysLeftAreDaysOfTheCalendar(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", text, paris)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for name, c := range map[string]struct {
		now, end string
		want     int
	}{
		"the last day is one":                        {"2026-11-23 00:30", "2026-11-24 00:00", 1},
		"the hour does not matter":                   {"2026-11-23 23:59", "2026-11-24 00:00", 1},
		"a week across the end of summer time":       {"2026-10-22 12:00", "2026-10-29 00:00", 7},
		"a week across the beginning of summer time": {"2026-03-26 12:00", "2026-04-02 00:00", 7},
	} {
		if got := daysLeft(at(c.now), at(c.end), paris); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
