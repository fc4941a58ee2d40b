package counter_test

import (
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
)

func TestTimesFollowOpeningHoursAndClocks(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	daily := hours.Week{}
	for d := range daily {
		daily[d] = []hours.Frame{{From: 60, To: 240}}
	}
	early := time.Date(2026, 1, 1, 0, 0, 0, 0, paris)
	for _, c := range []struct {
		name string
		day  hours.Date
		plan hours.Plan
		now  time.Time
		lead int
		want int
	}{
		{"an ordinary night of three hours", hours.On(2026, 11, 24), hours.Plan{Week: daily}, early, 0, 3},
		{"the night that loses an hour", hours.On(2026, 3, 29), hours.Plan{Week: daily}, early, 0, 2},
		{"the night that has an hour twice", hours.On(2026, 10, 25), hours.Plan{Week: daily}, early, 0, 4},
		{"a public holiday", hours.On(2026, 11, 11), hours.Plan{Week: daily, Public: hours.France}, early, 0, 0},
		{"closed that day", hours.On(2026, 11, 24), hours.Plan{Week: daily, Exceptions: []hours.Exception{{Span: hours.Span{First: hours.On(2026, 11, 24), Last: hours.On(2026, 11, 24)}}}}, early, 0, 0},
		{"what is past is not offered", hours.On(2026, 11, 24), hours.Plan{Week: daily}, time.Date(2026, 11, 24, 2, 0, 0, 0, paris), 0, 1},
		{"nor what is within the lead time", hours.On(2026, 11, 24), hours.Plan{Week: daily}, time.Date(2026, 11, 24, 0, 30, 0, 0, paris), 2, 1},
	} {
		got := counter.Times(counter.Counter{Minutes: 60, AtOnce: 1, Lead: c.lead}, hours.New(c.plan, paris), c.day, c.now)
		if len(got) != c.want {
			t.Errorf("%s: %v, want %d times", c.name, got, c.want)
		}
	}
	if got := counter.Times(counter.Counter{Minutes: 60, AtOnce: 1}, hours.Always(paris), hours.On(2026, 11, 24), early); got != nil {
		t.Errorf("a counter without hours offers %v", got)
	}
}
