package hours

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func calendarFile(events ...string) string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Valmont//EN\r\n")
	for i, e := range events {
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:%d@valmont.example\r\nDTSTAMP:20260101T000000Z\r\n%s\r\nEND:VEVENT\r\n", i, strings.ReplaceAll(e, "\n", "\r\n"))
	}
	b.WriteString("END:VCALENDAR\r\n")
	return b.String()
}

func TestHolidaysAreReadFromACalendarFile(t *testing.T) {
	paris := zoneOf(t, "Europe/Paris")
	within := Span{On(2026, 1, 1), On(2028, 12, 31)}
	for _, tc := range []struct {
		name, event string
		want        []string
		skipped     string
	}{
		{"one day", "DTSTART;VALUE=DATE:20261111\nDTEND;VALUE=DATE:20261112\nSUMMARY:Armistice", []string{"2026-11-11"}, ""},
		{"a day without an end", "DTSTART;VALUE=DATE:20261111\nSUMMARY:Armistice", []string{"2026-11-11"}, ""},
		{"a run of days, the end of which is not in it", "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227\nSUMMARY:Noël", []string{"2026-12-24", "2026-12-25", "2026-12-26"}, ""},
		{"a day by its duration", "DTSTART;VALUE=DATE:20261111\nDURATION:P2D\nSUMMARY:Pont", []string{"2026-11-11", "2026-11-12"}, ""},
		{"every year", "DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY\nSUMMARY:Fête", []string{"2026-05-01", "2027-05-01", "2028-05-01"}, ""},
		{"every year but one", "DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20270501\nSUMMARY:Fête", []string{"2026-05-01", "2028-05-01"}, ""},
		{"the last Monday of May", "DTSTART;VALUE=DATE:20250526\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO\nSUMMARY:Memorial", []string{"2026-05-25", "2027-05-31", "2028-05-29"}, ""},
		{"until a year", "DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY;UNTIL=20270101\nSUMMARY:Fête", []string{"2026-05-01"}, ""},
		{"midnight to midnight in the desk's zone", "DTSTART;TZID=Europe/Paris:20260714T000000\nDTEND;TZID=Europe/Paris:20260715T000000\nSUMMARY:Fête", []string{"2026-07-14"}, ""},
		{"midnight in Paris, said in UTC", "DTSTART:20260713T220000Z\nDTEND:20260714T220000Z\nSUMMARY:Fête", []string{"2026-07-14"}, ""},
		{"an afternoon", "DTSTART:20260713T120000Z\nDTEND:20260713T160000Z\nSUMMARY:Réunion", nil, PartOfDay},
		{"cancelled", "DTSTART;VALUE=DATE:20261111\nSTATUS:CANCELLED\nSUMMARY:Non", nil, Cancelled},
		{"every hour", "DTSTART;VALUE=DATE:20261111\nRRULE:FREQ=HOURLY\nSUMMARY:Trop", nil, TooOften},
		{"a day that no year has", "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\nSUMMARY:Jamais", nil, ""},
		{"a rule that is none", "DTSTART;VALUE=DATE:20261111\nRRULE:FREQ=SOMETIMES\nSUMMARY:Hein", nil, Unclear},
		{"without a beginning", "SUMMARY:Rien", nil, Unclear},
		{"a year-long event", "DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20270101\nSUMMARY:Année", nil, TooLong},
		{"it ends before it begins", "DTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:20260101\nSUMMARY:Envers", nil, Unclear},
		{"long ago", "DTSTART;VALUE=DATE:20050101\nSUMMARY:Vieux", nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			list, skipped, err := ReadHolidays(strings.NewReader(calendarFile(tc.event)), paris, within)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, h := range list {
				got = append(got, h.On.String())
			}
			if strings.Join(got, " ") != strings.Join(tc.want, " ") {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			if tc.skipped == "" && len(skipped) > 0 || tc.skipped != "" && (len(skipped) != 1 || skipped[0].Why != tc.skipped) {
				t.Errorf("skipped %v", skipped)
			}
		})
	}
}

func TestAFileThatIsNoCalendarIsRefused(t *testing.T) {
	paris := zoneOf(t, "Europe/Paris")
	for _, text := range []string{"<html></html>", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "jours fériés"} {
		if _, _, err := ReadHolidays(strings.NewReader(text), paris, Span{}); !errors.Is(err, ErrNotCalendar) {
			t.Errorf("%q: %v", text, err)
		}
	}
	many := make([]string, mostRepeated+1)
	for i := range many {
		many[i] = "DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY"
	}
	if _, _, err := ReadHolidays(strings.NewReader(calendarFile(many...)), paris, Span{On(2026, 1, 1), On(2026, 12, 31)}); !errors.Is(err, ErrTooMuch) {
		t.Errorf("a file with %d rules: %v", len(many), err)
	}
}

func FuzzCalendarFiles(f *testing.F) {
	f.Add(calendarFile("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227\nSUMMARY:Noël\nRRULE:FREQ=MONTHLY;BYDAY=1MO"))
	paris := zoneOf(f, "Europe/Paris")
	within := Span{On(2026, 1, 1), On(2027, 1, 1)}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 10_000 {
			return
		}
		list, _, err := ReadHolidays(strings.NewReader(text), paris, within)
		if err != nil && len(list) > 0 {
			t.Fatal("days and an error")
		}
		for _, h := range list {
			if !within.Has(h.On) {
				t.Fatalf("%s is not within what was asked for", h.On)
			}
		}
	})
}
