package hours

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// soon is well above what any file may cost, also on a crowded machine.
const soon = 20 * time.Second

func TestAHostileCalendarFileCostsLittle(t *testing.T) {
	paris := zoneOf(t, "Europe/Paris")
	within := Span{On(2026, 1, 1), On(2028, 12, 31)}
	day := "DTSTART;VALUE=DATE:20200501\nSUMMARY:Bomb\n"
	bombs := map[string]string{
		"an interval that overflows, by days": day + "RRULE:FREQ=DAILY;INTERVAL=9223372036854775807",
		"by weeks":                            day + "RRULE:FREQ=WEEKLY;INTERVAL=1317624576693539402",
		"by months":                           day + "RRULE:FREQ=MONTHLY;INTERVAL=9223372036854775807",
		"by years":                            day + "RRULE:FREQ=YEARLY;INTERVAL=9223372036854775807",
		"an interval below nothing":           day + "RRULE:FREQ=DAILY;INTERVAL=-1",
		"an interval of nothing":              day + "RRULE:FREQ=DAILY;INTERVAL=0",
		"a count without end":                 day + "RRULE:FREQ=DAILY;COUNT=9223372036854775807",
		"a count below nothing":               day + "RRULE:FREQ=DAILY;COUNT=-5",
		"every day that no year has":          day + "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31",
		"every week that no year has":         day + "RRULE:FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=31",
		"every second of every day":           day + "RRULE:FREQ=DAILY;BYHOUR=" + upTo(23) + ";BYMINUTE=" + upTo(59) + ";BYSECOND=" + upTo(59),
		"the same day thousands of times":     day + "RRULE:FREQ=YEARLY;BYMONTHDAY=" + strings.TrimSuffix(strings.Repeat("1,", 20_000), ","),
		"positions without end":               day + "RRULE:FREQ=YEARLY;BYDAY=MO;BYSETPOS=" + strings.TrimSuffix(strings.Repeat("366,", 20_000), ","),
		"a beginning in the first year":       "DTSTART;VALUE=DATE:00010101\nRRULE:FREQ=DAILY",
		"a beginning in the last one":         "DTSTART;VALUE=DATE:99991231\nRRULE:FREQ=DAILY",
		"two hundred thousand exceptions":     day + "RRULE:FREQ=YEARLY\nEXDATE;TZID=Europe/Paris;VALUE=DATE:" + strings.TrimSuffix(strings.Repeat("20270501,", 200_000), ","),
		"exceptions, each a line with a zone": day + "RRULE:FREQ=YEARLY\n" + strings.Repeat("EXDATE;TZID=America/New_York:20270501\n", 40_000),
		"a zone outside of the zones' folder": "DTSTART;TZID=../../../../etc/passwd:20261111T000000\nDTEND;TZID=/etc/passwd:20261112T000000",
		"a duration that overflows":           "DTSTART;VALUE=DATE:20261111\nDURATION:P99999999999999999999D",
		"a duration of a million years":       "DTSTART;VALUE=DATE:20261111\nDURATION:P365000000D",
	}
	for name, bomb := range bombs {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			list, _, err := ReadHolidays(strings.NewReader(calendarFile(bomb)), paris, within)
			if took := time.Since(began); took > soon {
				t.Errorf("it took %s", took)
			}
			if err != nil && !errors.Is(err, ErrTooMuch) && !errors.Is(err, ErrNotCalendar) {
				t.Errorf("it says %v", err)
			}
			for _, h := range list {
				if !within.Has(h.On) {
					t.Errorf("%s is not within what was asked for", h.On)
				}
			}
		})
	}
	t.Run("two hundred bombs at once", func(t *testing.T) {
		many := make([]string, mostRepeated)
		for i := range many {
			many[i] = bombs["every day that no year has"]
		}
		began := time.Now()
		_, _, err := ReadHolidays(strings.NewReader(calendarFile(many...)), paris, within)
		if took := time.Since(began); took > soon {
			t.Errorf("it took %s, %v", took, err)
		}
	})
	t.Run("ten megabytes", func(t *testing.T) {
		began := time.Now()
		for _, text := range []string{
			calendarFile("DTSTART;VALUE=DATE:20261111\nSUMMARY:" + strings.Repeat("x", 10<<20)),
			calendarFile("DTSTART;VALUE=DATE:20261111\nSUMMARY:a\n" + strings.Repeat(" b\n", 3<<20)),
			calendarFile(strings.Repeat("X-NOTHING:1\n", 800_000) + "DTSTART;VALUE=DATE:20261111"),
			strings.Repeat("BEGIN:VCALENDAR\r\n", 600_000),
			"BEGIN:VCALENDAR\r\n" + strings.Repeat("BEGIN:VEVENT\r\n", 600_000),
		} {
			if _, _, err := ReadHolidays(strings.NewReader(text), paris, within); !errors.Is(err, ErrTooMuch) {
				t.Errorf("%d bytes that begin with %.40q: %v", len(text), text, err)
			}
		}
		if took := time.Since(began); took > soon {
			t.Errorf("it took %s", took)
		}
	})
}

func upTo(n int) string {
	list := make([]string, n+1)
	for i := range list {
		list[i] = fmt.Sprint(i)
	}
	return strings.Join(list, ",")
}

func TestNamesOfHolidaysAreOneLine(t *testing.T) {
	paris := zoneOf(t, "Europe/Paris")
	within := Span{On(2026, 1, 1), On(2026, 12, 31)}
	for _, c := range []struct{ name, summary, want string }{
		{"a line break that is written", `Fête\n2026-12-25 Injected`, "Fête 2026-12-25 Injected"},
		{"a line that is folded", "Fê\n te natio\n nale", "Fête nationale"},
		{"a sign that is folded in its middle", "F\xc3\n \xaate", "Fête"},
		{"a property in the folds", "Fête\n DTSTART;VALUE=DATE:20261225", "FêteDTSTART;VALUE=DATE:20261225"},
		{"bytes that are no text, and a zero", "F\xff\x00te", "Fte"},
		{"separators of lines of Unicode", "A\u2028B\u2029C\u0085D", "A B C D"},
		{"a name without end", strings.Repeat("é", 500), strings.Repeat("é", longestName)},
	} {
		list, _, err := ReadHolidays(strings.NewReader(calendarFile("DTSTART;VALUE=DATE:20261111\nSUMMARY:"+c.summary)), paris, within)
		if err != nil || len(list) != 1 || list[0].On != On(2026, 11, 11) || list[0].Name.French != c.want {
			t.Errorf("%s: %+v %v, want %q", c.name, list, err, c.want)
		}
	}
}
