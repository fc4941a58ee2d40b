package hours

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// officeWeek is a desk that opens on weekdays and closes for lunch.
func officeWeek() Week {
	var w Week
	for d := time.Monday; d <= time.Friday; d++ {
		w[d] = []Frame{{9 * 60, 12*60 + 30}, {13*60 + 30, 17 * 60}}
	}
	return w
}

func at(t testing.TB, zone *time.Location, text string) time.Time {
	t.Helper()
	when, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func TestADeskClosesForLunchAtNightAndOnHolidays(t *testing.T) {
	paris := zoneOf(t, "Europe/Paris")
	c := New(Plan{
		Week: officeWeek(), Public: France, Holidays: []Holiday{{On: On(2026, 11, 27), Name: Named{French: "Pont"}}},
		Periods: []Period{{Span{On(2026, 9, 1), On(2026, 9, 15)}, Named{French: "Rentrée"}, Week{time.Saturday: {{10 * 60, 12 * 60}}, time.Tuesday: {{8 * 60, 20 * 60}}}}},
		Exceptions: []Exception{
			{Span: Span{On(2026, 11, 24), On(2026, 11, 24)}, Name: Named{French: "Déménagement"}},
			{Span: Span{On(2026, 11, 11), On(2026, 11, 11)}, Name: Named{French: "Ouvert quand même"}, Frames: []Frame{{10 * 60, 11 * 60}}},
		},
	}, paris)
	for _, tc := range []struct {
		name, at string
		open     bool
		next     string
	}{
		{"in the morning", "2026-11-23 10:00", true, "2026-11-23 10:00"},
		{"the first minute counts", "2026-11-23 09:00", true, "2026-11-23 09:00"},
		{"the last minute does not", "2026-11-23 12:30", false, "2026-11-23 13:30"},
		{"at lunch", "2026-11-23 13:00", false, "2026-11-23 13:30"},
		{"in the evening before an exceptional closure", "2026-11-23 18:00", false, "2026-11-25 09:00"},
		{"during the closure", "2026-11-24 10:00", false, "2026-11-25 09:00"},
		{"before a holiday and a weekend", "2026-11-26 17:00", false, "2026-11-30 09:00"},
		{"a public holiday on which an exception opens", "2026-11-11 10:30", true, "2026-11-11 10:30"},
		{"the rest of that day", "2026-11-11 11:00", false, "2026-11-12 09:00"},
		{"early in a period of extended hours", "2026-09-01 08:00", true, "2026-09-01 08:00"},
		{"on a day that the period leaves out", "2026-09-02 10:00", false, "2026-09-05 10:00"},
		{"on a Saturday of the period", "2026-09-05 11:00", true, "2026-09-05 11:00"},
		{"after the period", "2026-09-16 08:00", false, "2026-09-16 09:00"},
	} {
		when := at(t, paris, tc.at)
		if got := c.Open(when); got != tc.open {
			t.Errorf("%s: open is %v", tc.name, got)
		}
		next, ok := c.NextOpening(when)
		if want := at(t, paris, tc.next); !ok || !next.Equal(want) {
			t.Errorf("%s: opens next at %s, want %s", tc.name, next.In(paris), want)
		}
	}
	if end, ok := c.Closes(at(t, paris, "2026-11-23 10:00")); !ok || !end.Equal(at(t, paris, "2026-11-23 12:30")) {
		t.Errorf("closes at %s", end)
	}
	if day := c.Day(On(2026, 11, 11)); day.Why != ByException || day.Name.French != "Ouvert quand même" {
		t.Errorf("the 11th of November is %+v", day)
	}
	if day := c.Day(On(2026, 5, 14)); day.Why != ByHoliday || day.Name.French != "Ascension" || len(day.Frames) > 0 {
		t.Errorf("Ascension is %+v", day)
	}
}

func TestOpeningTimeCrossesNightsAndChangesOfTheClock(t *testing.T) {
	paris := zoneOf(t, "Europe/Paris")
	night := New(Plan{Week: Week{{{0, wholeDay}}, {{0, wholeDay}}, {}, {}, {}, {}, {{22 * 60, wholeDay}}}}, paris)
	office := New(Plan{Week: officeWeek()}, paris)
	for _, tc := range []struct {
		name     string
		calendar *Calendar
		from     string
		d        time.Duration
		want     string
	}{
		{"within a morning", office, "2026-11-23 09:30", 2 * time.Hour, "2026-11-23 11:30"},
		{"over lunch", office, "2026-11-23 12:00", time.Hour, "2026-11-23 14:00"},
		{"exactly until closing", office, "2026-11-23 16:00", time.Hour, "2026-11-23 17:00"},
		{"over the weekend", office, "2026-11-27 16:30", time.Hour, "2026-11-30 09:30"},
		{"from a closed evening", office, "2026-11-27 20:00", 30 * time.Minute, "2026-11-30 09:30"},
		{"nothing", office, "2026-11-27 20:00", 0, "2026-11-27 20:00"},
		{"a Sunday of 23 hours", night, "2026-03-28 22:00", 2*time.Hour + 23*time.Hour, "2026-03-30 00:00"},
		{"a Sunday of 25 hours", night, "2026-10-24 22:00", 2*time.Hour + 25*time.Hour, "2026-10-26 00:00"},
	} {
		from, want := at(t, paris, tc.from), at(t, paris, tc.want)
		got, ok := tc.calendar.AddOpen(from, tc.d)
		if !ok || !got.Equal(want) {
			t.Errorf("%s: %s, want %s", tc.name, got.In(paris), want)
		}
		if back := tc.calendar.OpenBetween(from, got); back != tc.d {
			t.Errorf("%s: %s lie between them", tc.name, back)
		}
	}
	if end, ok := night.Closes(at(t, paris, "2026-03-28 23:00")); !ok || !end.Equal(at(t, paris, "2026-03-31 00:00")) {
		t.Errorf("open from Saturday night it closes at %s", end.In(paris))
	}
}

func TestHoursThatTheClockLeavesOutOrShowsTwice(t *testing.T) {
	paris := zoneOf(t, "Europe/Paris")
	for _, tc := range []struct {
		name  string
		frame Frame
		day   Date
		want  time.Duration
	}{
		{"all of the hour that spring leaves out", Frame{120, 180}, On(2026, 3, 29), 0},
		{"across it", Frame{60, 240}, On(2026, 3, 29), 2 * time.Hour},
		{"until the middle of it", Frame{60, 150}, On(2026, 3, 29), time.Hour},
		{"the hour that autumn shows twice", Frame{120, 180}, On(2026, 10, 25), 2 * time.Hour},
		{"across it", Frame{60, 240}, On(2026, 10, 25), 4 * time.Hour},
		{"until the middle of its first passing", Frame{60, 150}, On(2026, 10, 25), 90 * time.Minute},
		{"from the middle of it", Frame{150, 240}, On(2026, 10, 25), 150 * time.Minute},
	} {
		c := New(Plan{Exceptions: []Exception{{Span: Span{tc.day, tc.day}, Frames: []Frame{tc.frame}}}}, paris)
		day := tc.day.Time()
		if got := c.OpenBetween(day.AddDate(0, 0, -2), day.AddDate(0, 0, 2)); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestACalendarThatNeverOpensSaysSo(t *testing.T) {
	c := New(Plan{}, time.UTC)
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	if _, ok := c.NextOpening(now); ok {
		t.Error("it opens")
	}
	if _, ok := c.AddOpen(now, time.Hour); ok {
		t.Error("an hour passes")
	}
	always := Always(time.UTC)
	if got, ok := always.AddOpen(now, 100*time.Hour); !ok || !got.Equal(now.Add(100*time.Hour)) {
		t.Errorf("at a desk that never closes, 100 hours end at %s", got)
	}
	if _, ok := always.Closes(now); ok {
		t.Error("a desk that never closes closes")
	}
}

func TestEasterIsOnItsDay(t *testing.T) {
	// From the tables of the Bureau des longitudes.
	for _, d := range []Date{On(2024, 3, 31), On(2025, 4, 20), On(2026, 4, 5), On(2027, 3, 28), On(2030, 4, 21), On(2038, 4, 25), On(2285, 3, 22), On(1954, 4, 18)} {
		if got := Easter(d.Time().Year()); got != d {
			t.Errorf("Easter of %d is %s, want %s", d.Time().Year(), got, d)
		}
	}
}

func TestFranceHasElevenPublicHolidaysAndAlsaceThirteen(t *testing.T) {
	count := func(p Public) (n int) {
		for d := On(2026, 1, 1); d <= On(2026, 12, 31); d++ {
			if _, is := p.On(d); is {
				n++
			}
		}
		return n
	}
	if fr, alsace, none := count(France), count(Alsace), count(NoHolidays); fr != 11 || alsace != 13 || none != 0 {
		t.Errorf("%d, %d and %d", fr, alsace, none)
	}
}

// anyPlan is a plan by chance: every kind of thing that a plan can say.
func anyPlan(r *rand.Rand) Plan {
	week := func() (w Week) {
		for d := range w {
			for n := r.IntN(4); n > 0; n-- {
				from := r.IntN(wholeDay)
				w[d] = append(w[d], Frame{from, from + r.IntN(wholeDay-from+1)}) // may overlap or be empty
			}
		}
		return w
	}
	p := Plan{Week: week(), Public: Publics[r.IntN(3)]}
	span := func() Span {
		first := On(2026, 1, 1) + Date(r.IntN(400))
		return Span{first, first + Date(r.IntN(30))}
	}
	for n := r.IntN(3); n > 0; n-- {
		p.Periods = append(p.Periods, Period{span(), Named{}, week()})
		p.Exceptions = append(p.Exceptions, Exception{Span: span(), Frames: week()[0]})
		p.Holidays = append(p.Holidays, Holiday{On: span().First})
	}
	return p
}

// agree checks what must hold of a calendar, between an instant and a duration.
func agree(t *testing.T, c *Calendar, from time.Time, d time.Duration) {
	t.Helper()
	until, ok := c.AddOpen(from, d)
	if ok {
		if got := c.OpenBetween(from, until); got != max(d, 0) {
			t.Fatalf("AddOpen(%s, %s) is %s, but %s lie between", from, d, until, got)
		}
		if until.After(from) && c.OpenBetween(from, until.Add(-time.Second)) >= d {
			t.Fatalf("AddOpen(%s, %s) = %s is not the earliest", from, d, until)
		}
		middle := from.Add(until.Sub(from) / 2)
		if whole, parts := c.OpenBetween(from, until), c.OpenBetween(from, middle)+c.OpenBetween(middle, until); whole != parts {
			t.Fatalf("%s in one, %s in two", whole, parts)
		}
	}
	next, ok := c.NextOpening(from)
	if ok && (!c.Open(next) || next.Before(from) || c.OpenBetween(from, next) != 0) {
		t.Fatalf("opens next at %s after %s: open %v, %s between", next, from, c.Open(next), c.OpenBetween(from, next))
	}
	if c.Open(from) != (ok && next.Equal(from)) {
		t.Fatalf("open at %s is %v, and it opens next at %s", from, c.Open(from), next)
	}
}

func TestAddOpenAndOpenBetweenAgree(t *testing.T) {
	zones := []*time.Location{time.UTC, zoneOf(t, "Europe/Paris"), zoneOf(t, "America/Santiago"), zoneOf(t, "Africa/Cairo"), zoneOf(t, "Australia/Lord_Howe"), zoneOf(t, "Pacific/Apia")}
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		c := New(anyPlan(r), zones[r.IntN(len(zones))])
		for range 20 {
			from := time.Date(2026, 1, 1, 0, 0, r.IntN(420*secondsADay), 0, time.UTC)
			agree(t, c, from, time.Duration(r.IntN(200*3600))*time.Second)
		}
	}
}

func FuzzAddOpenAndOpenBetweenAgree(f *testing.F) {
	f.Add(uint64(1), int64(1_774_746_000), int64(7200)) // the night when Paris puts its clocks forward
	f.Add(uint64(7), int64(1_792_890_000), int64(90_000))
	paris := zoneOf(f, "Europe/Paris")
	f.Fuzz(func(t *testing.T, seed uint64, from, seconds int64) {
		if from < 0 || from > 4_000_000_000 || seconds < 0 || seconds > 1_000_000 {
			return
		}
		agree(t, New(anyPlan(rand.New(rand.NewPCG(seed, 3))), paris), time.Unix(from, 0), time.Duration(seconds)*time.Second)
	})
}

func FuzzFramesThatAreReadCanBeWritten(f *testing.F) {
	for _, s := range []string{"9:00-12:30, 13:30-17:00", "9h-12h30 14h-17h", "8-20", "–", "9 h 30 – 12 h et 14 h à 18 h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		frames, err := ParseFrames(text)
		if err != nil {
			return
		}
		again, err := ParseFrames(FormatFrames(frames))
		if err != nil || !slices.Equal(again, frames) {
			t.Fatalf("%q is %v, written and read %v, %v", text, frames, again, err)
		}
	})
}

func TestHoursAreReadAsPeopleTypeThem(t *testing.T) {
	lunch := []Frame{{540, 750}, {810, 1020}}
	for text, want := range map[string][]Frame{
		"9:00-12:30, 13:30-17:00":        lunch,
		"9h-12h30 13h30-17h":             lunch,
		"09h00 – 12h30 et 13h30 – 17h00": lunch,
		"9 h à 12 h 30, 13 h 30 à 17 h":  lunch,
		"8-20":                           {{480, 1200}},
		"18:00-0:00":                     {{1080, 1440}},
		"":                               nil,
		" – ":                            nil,
	} {
		if got, err := ParseFrames(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"neuf heures", "9-8", "9-12, 11-14", "9", "25-26", "9:60-10", "9:5-10"} {
		if got, err := ParseFrames(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

// BenchmarkAPromiseOverThousandsOfHolidays is what one change of a ticket costs at a
// desk whose calendar has far too many of them.
func BenchmarkAPromiseOverThousandsOfHolidays(b *testing.B) {
	p := Plan{Week: officeWeek(), Public: France}
	for i := range 6300 {
		p.Holidays = append(p.Holidays, Holiday{On: On(2020, 1, 1) + Date(i*7)})
	}
	c := New(p, zoneOf(b, "Europe/Paris"))
	from := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for i := 0; b.Loop(); i++ {
		if _, ok := c.AddOpen(from.Add(time.Duration(i%1000)*time.Hour), 16*time.Hour); !ok {
			b.Fatal("never")
		}
	}
}
