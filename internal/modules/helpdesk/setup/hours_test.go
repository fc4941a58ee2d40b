package setup_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

func TestOpeningHoursAreChangedAndTakenBack(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		calendar := h.begun()
		one := func() hours.Plan {
			plans, err := h.Calendars.Plans.All(t.Context())
			if err != nil || len(plans) == 0 {
				t.Fatal(err)
			}
			return plans[0].Of
		}
		h.refuse(calendar, week("name_en", "Desk", "day6", "ten to noon"), "Write hours like 9:00-12:30, 13:30-17:00.")
		h.refuse(calendar, week("name_en", "Desk", "day6", "9-12, 11-13"), "These hours overlap")
		h.refuse(calendar, week("name_en", "", "zone", "Mars/Olympus"), "Give it a name")
		h.refuse(calendar, week("name_en", "Desk", "zone", "Mars/Olympus"), "Write a time zone")
		h.post(calendar, week("name_en", "Desk", "day6", "10h-12h", "public", "fr-alsace", "house", "on", "version", "1"))
		if p := one(); p.Week[time.Saturday][0] != (hours.Frame{From: 600, To: 720}) || p.Public != hours.Alsace {
			t.Errorf("kept as %+v", p)
		}
		if resp, _ := pagetest.Ask(t, h.browser, "POST", h.server.URL+calendar, week("name_en", "Desk", "version", "1")); resp.StatusCode != http.StatusConflict {
			t.Errorf("who writes over somebody else’s change gets %d", resp.StatusCode)
		}
		h.get(calendar + "/period")
		h.refuse(calendar+"/period", week("name_en", "Start of term", "first", "2027-09-15", "last", "2027-09-01", "version", "2"), "The last day comes after the first")
		h.post(calendar+"/period", week("name_en", "Start of term", "first", "2027-09-01", "last", "2027-09-15", "day6", "9-18", "version", "2"))
		h.refuse(calendar+"/exception", pagetest.Form("why_en", "Stocktaking", "first", "soon", "version", "3"), "Choose a day.")
		h.post(calendar+"/exception", pagetest.Form("why_en", "Stocktaking", "first", "2026-11-24", "version", "3"))
		page := plain(h.get(calendar))
		for _, want := range []string{"Start of term Wednesday 1 September 2027 to Wednesday 15 September 2027", "Stocktaking Tuesday 24 November · Closed", "Open until 12:30"} {
			if !strings.Contains(page, want) {
				t.Errorf("the calendar does not say %q: %s", want, page)
			}
		}
		if page := plain(h.get(calendar + "/month?month=2027-09")); !strings.Contains(page, "September 2027") || !strings.Contains(page, "Start of term") {
			t.Errorf("the month says %s", page)
		}
		if page := plain(h.get(calendar + "/month?month=9999-99")); !strings.Contains(page, "November 2026") {
			t.Errorf("a month that there is not is %s", page)
		}
		h.post(calendar+"/drop", pagetest.Form("part", "exception", "at", "0", "version", "4"))
		if len(one().Exceptions) != 0 {
			t.Error("the exception is still there")
		}
		undo := regexp.MustCompile(`/helpdesk/setup/undo/[^"]+`).FindString(h.get("/helpdesk/setup"))
		h.post(undo, nil)
		if len(one().Exceptions) != 1 {
			t.Error("the exception did not come back")
		}
		if resp, _ := pagetest.Ask(t, h.browser, "POST", h.server.URL+undo, url.Values{}); resp.StatusCode != http.StatusConflict {
			t.Errorf("undone twice: %d", resp.StatusCode)
		}
		if page := plain(h.get(calendar + "/remove")); !strings.Contains(page, "These queues follow the hours of the house") {
			t.Errorf("removing it says %s", page)
		}
		h.post(calendar+"/remove", nil)
		h.get("/helpdesk/setup/calendars")
	})
}

func TestChangedHoursMoveWhatWasPromisedOnlyWhenAsked(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		calendar := h.begun()
		h.Open(campustest.Lina(), "Bonjour", "…")
		if page := plain(h.get(calendar)); !strings.Contains(page, "Also count the promised times of the request under way anew") {
			t.Errorf("the calendar does not say whom a change concerns: %s", page)
		}
		jobs := func() (n int) {
			if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM jobs WHERE name = 'helpdesk.promises.recount'").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		h.post(calendar, week("name_en", "Desk", "house", "on", "version", "1"))
		if jobs() != 0 {
			t.Error("what was promised moves although nobody asked")
		}
		h.post(calendar, week("name_en", "Desk", "house", "on", "recount", "on", "version", "2"))
		if jobs() != 1 {
			t.Error("what was promised does not move")
		}
	})
}

func TestHolidaysAreShownBeforeTheyAreKept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		calendar := h.begun()
		file := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20261225\r\nSUMMARY:Noël\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:2\r\nDTSTART;VALUE=DATE:20261228\r\nSUMMARY:Pont <b>\r\nEND:VEVENT\r\n" +
			"BEGIN:VEVENT\r\nUID:3\r\nDTSTART:20261229T100000Z\r\nDTEND:20261229T110000Z\r\nSUMMARY:Réunion\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
		h.get(calendar + "/holidays")
		h.refuse(calendar+"/holidays", pagetest.Form("text", ""), "Choose a file, or paste its content.")
		h.refuse(calendar+"/holidays", pagetest.Form("text", "<html>"), "This is not an iCalendar file")
		for _, way := range []string{"pasted", "chosen"} {
			var resp *http.Response
			var body string
			if way == "pasted" {
				resp, body = pagetest.Ask(t, h.browser, "POST", h.server.URL+calendar+"/holidays", pagetest.Form("text", file))
			} else {
				resp, body = h.upload(calendar+"/holidays", file)
			}
			page := plain(body)
			if resp.StatusCode != http.StatusOK || !strings.Contains(page, "2 days found") || !strings.Contains(page, "Friday 25 December Noël closed already") || !strings.Contains(page, "Monday 28 December Pont &lt;b&gt; closes") ||
				!strings.Contains(page, "Réunion It does not last whole days.") {
				t.Errorf("%s: %d %s", way, resp.StatusCode, page)
			}
		}
		plans, err := h.Calendars.Plans.All(t.Context())
		if err != nil || len(plans[0].Of.Holidays) != 0 {
			t.Fatalf("kept before anybody said so: %v", err)
		}
		h.refuse(calendar+"/holidays/keep", pagetest.Form("lines", "never Noël", "version", "1"), "This is not an iCalendar file")
		h.post(calendar+"/holidays/keep", pagetest.Form("lines", "2026-12-25 Noël\n2026-12-28 Pont\n", "version", "1"))
		h.post(calendar+"/holidays/keep", pagetest.Form("lines", "2026-12-28 Pont\n2026-12-31 Fermé\n", "mode", "add", "version", "2"))
		if plans, err = h.Calendars.Plans.All(t.Context()); err != nil || len(plans[0].Of.Holidays) != 3 {
			t.Errorf("%d holidays, %v", len(plans[0].Of.Holidays), err)
		}
		h.post(calendar+"/holidays/keep", pagetest.Form("lines", "2026-12-31 Fermé\n", "mode", "replace", "version", "3"))
		if plans, err = h.Calendars.Plans.All(t.Context()); err != nil || len(plans[0].Of.Holidays) != 1 {
			t.Errorf("%d holidays, %v", len(plans[0].Of.Holidays), err)
		}
	})
}

// upload sends a file as a browser does.
func (h *house) upload(address, content string) (*http.Response, string) {
	h.T.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "jours.ics")
	if err != nil {
		h.T.Fatal(err)
	}
	if _, err := part.Write([]byte(content)); err != nil {
		h.T.Fatal(err)
	}
	if err := form.Close(); err != nil {
		h.T.Fatal(err)
	}
	r, err := http.NewRequest("POST", h.server.URL+address, &body)
	if err != nil {
		h.T.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	resp, err := h.browser.Do(r)
	if err != nil {
		h.T.Fatal(err)
	}
	defer resp.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(resp.Body); err != nil {
		h.T.Fatal(err)
	}
	return resp, text.String()
}

func TestAFileOfTenMegabytesIsRefusedBeforeItIsRead(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		address := h.begun() + "/holidays"
		for _, path := range []string{address, address + "/keep"} {
			resp, body := pagetest.Ask(t, h.browser, "POST", h.server.URL+path, pagetest.Form("text", strings.Repeat("BEGIN:VCALENDAR\n", 10<<20/16), "version", "1"))
			if resp.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s: %d %.200s", path, resp.StatusCode, plain(body))
			}
		}
	})
}

func TestTheStartOfTermChangesEverythingAndTakesItBack(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		calendar := h.begun()
		id := calendar[strings.LastIndex(calendar, "/")+1:]
		h.get("/helpdesk/setup/term")
		h.get("/helpdesk/setup/term/new")
		form := week("name_en", "Start of term", "first", "2026-11-30", "last", "2026-12-04", "calendars", id, "banner_en", "Welcome!", "ask", "account", "day1", "8-20", "version", "0")
		form.Set("day1", "8-20")
		address := h.post("/helpdesk/setup/term/new", form)
		plans, err := h.Desk.Tickets.Queues(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		queue := plans[slices.IndexFunc(plans, func(q ticket.Queue) bool { return q.Team == "general" })].ID
		sam, paul := campustest.Sam().Person, campustest.Paul().Person
		h.Tx(func(tx db.Tx) error { _, err := h.Desk.Tickets.Join(t.Context(), tx, queue, paul); return err })
		for _, who := range []campus.PersonID{sam, paul} {
			h.post(address+"/join", pagetest.Form("person", string(who), "queue", queue))
		}
		terms := h.Calendars.Terms
		stands := func(when time.Time) (open bool, banner string, members []campus.PersonID) {
			t.Helper()
			h.Clock.Set(when)
			for range 2 {
				if err := terms.Staff(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			c, err := h.Calendars.ByID(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			running, _, err := terms.Running(t.Context(), when)
			if err != nil {
				t.Fatal(err)
			}
			if members, err = h.Desk.Tickets.Members(t.Context(), queue); err != nil {
				t.Fatal(err)
			}
			return c.Open(when), running.Banner.English, members
		}
		monday := time.Date(2026, 11, 30, 19, 0, 0, 0, h.Zone)
		for _, tc := range []struct {
			name    string
			at      time.Time
			open    bool
			banner  string
			members []campus.PersonID
		}{
			{"the week before", monday.AddDate(0, 0, -7), false, "", []campus.PersonID{paul}},
			{"on its first evening", monday, true, "Welcome!", []campus.PersonID{paul, sam}},
			{"the week after, with who was there already", monday.AddDate(0, 0, 7), false, "", []campus.PersonID{paul}},
		} {
			open, banner, members := stands(tc.at)
			if open != tc.open || banner != tc.banner || !slices.Equal(members, tc.members) {
				t.Errorf("%s: open %v, %q, members %v", tc.name, open, banner, members)
			}
		}
		if page := plain(h.get(address)); !strings.Contains(page, "Sam Okafor") || !strings.Contains(page, "over") {
			t.Errorf("the term says %s", page)
		}

		// Another one, ended before its time, and taken up again.
		form.Set("first", "2027-01-11")
		form.Set("last", "2027-01-15")
		address = h.post("/helpdesk/setup/term/new", form)
		january := time.Date(2027, 1, 11, 19, 0, 0, 0, h.Zone)
		h.post(address+"/join", pagetest.Form("person", string(sam), "queue", queue))
		if open, _, members := stands(january); !open || len(members) != 2 {
			t.Errorf("the second one: open %v, members %v", open, members)
		}
		h.get(address + "/end")
		h.post(address+"/end", nil)
		if open, banner, members := stands(january); open || banner != "" || len(members) != 1 {
			t.Errorf("ended: open %v, %q, members %v", open, banner, members)
		}
		h.post(address+"/leave", pagetest.Form("person", string(sam), "queue", queue))
		h.refuse("/helpdesk/setup/term/new", week("name_en", "", "first", "2027-01-11"), "Give it a name")
		if resp, _ := pagetest.Ask(t, h.browser, "POST", h.server.URL+address+"/join", pagetest.Form("person", "nobody", "queue", queue)); resp.StatusCode != http.StatusNotFound {
			t.Errorf("somebody who is not there: %d", resp.StatusCode)
		}
	})
}
