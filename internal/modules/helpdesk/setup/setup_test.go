package setup_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/routing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/setup"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/term"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// house is a desk whose settings have pages, for who runs it.
type house struct {
	*tickettest.Desk
	*setup.Setup
	server  *httptest.Server
	browser *http.Client
}

// manager runs the desk and does nothing else.
func manager() campus.Viewer {
	v := campustest.Alix()
	v.Rights, v.Locale = []campus.Right{campus.RightDesks}, campus.English
	return v
}

func (h *house) KnownPeople(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	known := map[campus.PersonID]contract.Known{}
	for _, v := range campustest.Everyone() {
		if v.Person != "" && slices.Contains(ids, v.Person) {
			known[v.Person] = contract.Known{ID: v.Person, Subject: contract.Subject{Login: v.Login, Mail: v.Mail, GivenName: v.GivenName, FamilyName: v.FamilyName, Affiliations: v.Affiliations}}
		}
	}
	return known, nil
}

func (h *house) FindPeople(_ context.Context, by contract.Field, values []string) (map[string]campus.PersonID, error) {
	found := map[string]campus.PersonID{}
	for _, v := range campustest.Everyone() {
		for _, value := range values {
			if value != "" && (by == contract.FieldLogin && v.Login == value || by == contract.FieldMail && v.Mail == value) {
				found[value] = v.Person
			}
		}
	}
	return found, nil
}

func (h *house) HoldersOf(_ context.Context, r campus.Right) ([]campus.PersonID, error) {
	var holders []campus.PersonID
	for _, v := range campustest.Everyone() {
		if v.Can(r) {
			holders = append(holders, v.Person)
		}
	}
	return holders, nil
}

func (h *house) Notify(context.Context, db.Tx, campus.PersonID, contract.Notice) error { return nil }

func each(t *testing.T, test func(*testing.T, *house)) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		h := &house{Desk: x, browser: pagetest.Still()}
		calendars := &openings.Calendars{
			Plans: &kept.Shelf[hours.Plan]{DB: x.DB, Kind: openings.Kind}, Zone: x.Zone,
			Terms: &term.Terms{Shelf: &kept.Shelf[term.Term]{DB: x.DB, Kind: term.Kind}, Zone: x.Zone},
		}
		promises := promise.New(promise.Deps{
			DB: x.DB, Clock: x.Clock, Tickets: x.Tickets, Calendars: calendars, Tables: &kept.Shelf[promise.Table]{DB: x.DB, Kind: promise.Kind}, Roll: h, Notices: h,
		})
		rules := routing.New(routing.Deps{
			DB: x.DB, Tickets: x.Tickets, Register: h, Rules: &kept.Shelf[routing.Rule]{DB: x.DB, Kind: routing.Kind},
			Exams: &kept.Shelf[routing.Exams]{DB: x.DB, Kind: routing.ExamsKind}, Zone: x.Zone,
		})
		h.Setup = setup.New(setup.Deps{
			DB: x.DB, Clock: x.Clock, Zone: x.Zone, Tickets: x.Tickets, Calendars: calendars, Promises: promises, Routing: rules, Register: h, Roll: h,
			Places: place.Fixed{OfCampuses: []place.Place{{Code: "rives", French: "Rives", English: "Rives"}, {Code: "nord", French: "Nord", English: "North"}}},
		})
		x.Tickets.Connect(rules, promises, promises)
		h.Viewer = manager()
		h.server = x.Serve(h.Routes)
		test(t, h)
	})
}

// get reads a page that has to be there.
func (h *house) get(address string) string {
	h.T.Helper()
	resp, body := pagetest.Ask(h.T, h.browser, "GET", h.server.URL+address, nil)
	if resp.StatusCode != http.StatusOK {
		h.T.Fatalf("GET %s: %d\n%s", address, resp.StatusCode, body)
	}
	if i := strings.Index(body, "⟦"); i >= 0 {
		h.T.Errorf("GET %s lacks a sentence: %.80s", address, body[i:])
	}
	return body
}

// post sends a form that has to be taken, and says where it leads.
func (h *house) post(address string, form url.Values) string {
	h.T.Helper()
	resp, body := pagetest.Ask(h.T, h.browser, "POST", h.server.URL+address, form)
	if resp.StatusCode != http.StatusSeeOther {
		h.T.Fatalf("POST %s: %d\n%s", address, resp.StatusCode, plain(body))
	}
	return resp.Header.Get("Location")
}

// refuse sends a form that must not be taken.
func (h *house) refuse(address string, form url.Values, want string) {
	h.T.Helper()
	resp, body := pagetest.Ask(h.T, h.browser, "POST", h.server.URL+address, form)
	if resp.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(plain(body), want) {
		h.T.Errorf("POST %s: %d without %q\n%s", address, resp.StatusCode, want, plain(body))
	}
}

var tags = regexp.MustCompile(`<[^>]*>|\s+`)

// plain is the text of a page, without its frame.
func plain(body string) string {
	if i := strings.Index(body, "<main"); i >= 0 {
		body = body[i:]
	}
	return strings.Join(strings.Fields(tags.ReplaceAllString(body, " ")), " ")
}

// week is the form of a regular week.
func week(more ...string) url.Values {
	form := url.Values{}
	for _, d := range []string{"day1", "day2", "day3", "day4", "day5"} {
		form.Set(d, "9:00-12:30, 13:30-17:00")
	}
	for i := 0; i+1 < len(more); i += 2 {
		form.Add(more[i], more[i+1])
	}
	return form
}

func TestGoingThroughTheStepsAgainKeepsTheHours(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		calendar := h.begun()
		typed := week("name_en", "Help desk · Rives", "campus", "rives", "version", "1")
		typed.Set("day5", "9:00-11:15")
		h.post(calendar+"?guide=1", typed)
		form := pagetest.Form("campus", "rives")
		form["teams"] = []string{"accounts", "hardware"}
		again := h.post("/helpdesk/setup/begin", form)
		if again != calendar+"?guide=1" {
			t.Errorf("a second desk was made: %s, not %s", again, calendar)
		}
		if !strings.Contains(h.get(again), "09:00-11:15") {
			t.Error("the hours that were typed are lost")
		}
		plans, err := h.Calendars.Plans.All(t.Context())
		if err != nil || len(plans) != 1 {
			t.Errorf("%d calendars, %v", len(plans), err)
		}
		queues, err := h.Desk.Tickets.Queues(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		teams := map[string]int{}
		for _, q := range queues {
			if q.Campus == "rives" && q.Calendar == plans[0].ID {
				teams[q.Team]++
			}
		}
		if teams["accounts"] != 1 || teams["hardware"] != 1 {
			t.Errorf("the queues of the campus are %v", teams)
		}
	})
}

// begun sets up the campus Rives, and is the address of its calendar.
func (h *house) begun() string {
	h.T.Helper()
	form := pagetest.Form("campus", "rives", "promise", "on")
	form["teams"] = []string{"accounts", "general"}
	return strings.TrimSuffix(h.post("/helpdesk/setup/begin", form), "?guide=1")
}

func TestACampusDeskIsSetUpInFourSteps(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if page := plain(h.get("/helpdesk/setup")); !strings.Contains(page, "No desk has opening hours yet") {
			t.Error("an empty desk does not say where to begin")
		}
		h.get("/helpdesk/setup/begin")
		h.refuse("/helpdesk/setup/begin", pagetest.Form("campus", "nowhere"), "Choose a campus of the list.")
		h.refuse("/helpdesk/setup/begin", pagetest.Form("campus", "rives"), "Choose one team at least.")
		calendar := h.begun()
		if page := plain(h.get(calendar + "?guide=1")); !strings.Contains(page, "Step 2 of 4") {
			t.Errorf("the second step is %s", page)
		}
		people := h.post(calendar+"?guide=1", week("name_en", "Help desk · Rives", "campus", "rives", "public", "fr", "version", "1"))
		page := h.get(people)
		if !strings.Contains(plain(page), "Sam Okafor") {
			t.Error("agents are not offered")
		}
		queues, err := h.Desk.Tickets.Queues(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		form := pagetest.Form("agents", string(campustest.Sam().Person), "who", "nobody")
		for _, q := range queues {
			if q.Campus == "rives" {
				form.Add("queues", q.ID)
			}
		}
		h.refuse(people, form, "Nobody has this login or address.")
		form.Set("who", "PDURAND") // not an agent
		done := h.post(people, form)
		if page := plain(h.get(done)); !strings.Contains(page, "Accounts and passwords · Rives 2 people") || !strings.Contains(page, "Open until 12:30") {
			t.Errorf("the last step is %s", page)
		}
		asked := h.Open(campustest.Lina(), "Bonjour", "…")
		if asked.AnswerDue.IsZero() || asked.Campus != "rives" {
			t.Errorf("a request is placed as %+v", asked)
		}
		if page := plain(h.get("/helpdesk/setup/queues/" + asked.Queue)); !strings.Contains(page, "Paul Durand pdurand lacks the right to answer") || strings.Contains(page, "Sam Okafor sokafor lacks") {
			t.Errorf("who lacks the right is not shown: %s", page)
		}
		// A second campus does not take the house's hours from the first.
		h.post("/helpdesk/setup/begin", url.Values{"campus": {"nord"}, "teams": {"accounts"}})
		plans, err := h.Calendars.Plans.All(t.Context())
		if err != nil || len(plans) != 2 || plans[0].Of.House == plans[1].Of.House {
			t.Errorf("%d calendars, %v", len(plans), err)
		}
	})
}

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

func TestAQueueIsMadeStaffedClosedAndOpened(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.get("/helpdesk/setup/queues/new")
		h.refuse("/helpdesk/setup/queues/new", pagetest.Form("name_en", "Library", "team", "The Library!"), "Write a code")
		h.refuse("/helpdesk/setup/queues/new", pagetest.Form("name_en", "Library", "team", "library", "mail", "library"), "Write an address")
		address := h.post("/helpdesk/setup/queues/new", pagetest.Form("name_en", "Library", "team", "library", "mail", "Help@Library.example"))
		id := address[strings.LastIndex(address, "/")+1:]
		h.refuse("/helpdesk/setup/queues/new", pagetest.Form("name_en", "Other", "team", "library", "mail", "help@library.example"), "Another queue has this address.")
		if page := plain(h.get(address + "?q=okaf")); !strings.Contains(page, "Sam Okafor") {
			t.Errorf("an agent is not found by a part of the name: %s", page)
		}
		if page := plain(h.get(address + "?q=durand")); strings.Contains(page, "Paul") {
			t.Error("somebody who is no agent is found by a part of the name")
		}
		if page := plain(h.get(address + "?q=pdurand")); !strings.Contains(page, "Paul Durand pdurand lacks the right to answer") {
			t.Error("somebody who is no agent is not found by the login")
		}
		sam := pagetest.Form("person", string(campustest.Sam().Person), "until", "2026-12-24")
		h.refuse(address+"/join", pagetest.Form("person", "somebody"), "Nobody has this login")
		h.post(address+"/join", sam)
		h.post(address+"/away", sam)
		if page := plain(h.get(address)); !strings.Contains(page, "Away until Thursday 24 December") {
			t.Errorf("the absence is not shown: %s", page)
		}
		sam.Set("back", "1")
		h.post(address+"/away", sam)
		if page := plain(h.get(address)); strings.Contains(page, "Away until Thursday") {
			t.Error("who is back is away")
		}
		h.post(address+"/leave", sam)
		if members, err := h.Desk.Tickets.Members(t.Context(), id); err != nil || len(members) != 0 {
			t.Errorf("members %v, %v", members, err)
		}
		asked := h.Open(campustest.Lina(), "Bonjour", "…")
		if page := plain(h.get("/helpdesk/setup/queues/" + asked.Queue + "/close")); !strings.Contains(page, "1 request under way moves to another queue.") {
			t.Errorf("closing says %s", page)
		}
		h.refuse("/helpdesk/setup/queues/"+asked.Queue+"/close", pagetest.Form("to", asked.Queue), "Choose the queue that takes its requests.")
		h.post("/helpdesk/setup/queues/"+asked.Queue+"/close", pagetest.Form("to", id))
		for range 2 {
			if err := setup.MoveNow(h.Setup, asked.Queue, id); err != nil {
				t.Fatal(err)
			}
		}
		if moved, err := h.Desk.Tickets.ByID(t.Context(), asked.ID); err != nil || moved.Queue != id {
			t.Errorf("the request is in %s, %v", moved.Queue, err)
		}
		if page := plain(h.get("/helpdesk/setup/queues")); !strings.Contains(page, "Closed") {
			t.Errorf("the list says %s", page)
		}
		h.post("/helpdesk/setup/queues/"+asked.Queue+"/open", nil)
		if q, err := h.Desk.Tickets.Queue(t.Context(), asked.Queue); err != nil || !q.ClosedAt.IsZero() {
			t.Errorf("it is closed since %s, %v", q.ClosedAt, err)
		}
	})
}

func TestPromisedTimesAreSaidForTheHouseAndForAQueue(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.begun()
		page := plain(h.get("/helpdesk/setup/promises"))
		if !strings.Contains(page, "The house 0.5 h / 4 h") || !strings.Contains(page, "As the house") {
			t.Errorf("the list says %s", page)
		}
		h.refuse("/helpdesk/setup/promises/house", pagetest.Form("answer_urgent", "soon", "version", "1"), "Write a number of hours")
		h.refuse("/helpdesk/setup/promises/house", pagetest.Form("answer_urgent", "NaN", "version", "1"), "Write a number of hours")
		h.refuse("/helpdesk/setup/promises/house", pagetest.Form("answer_urgent", "4", "solve_urgent", "2", "version", "1"), "A solution cannot be promised sooner")
		h.post("/helpdesk/setup/promises/house", pagetest.Form("answer_normal", "1,5", "solve_normal", "8", "version", "1"))
		asked := h.Open(campustest.Lina(), "Bonjour", "…") // Monday, 10:00
		if want := tickettest.Start.Add(90 * time.Minute); !asked.AnswerDue.Equal(want) {
			t.Errorf("promised for %s, want %s", asked.AnswerDue, want)
		}
		own := "/helpdesk/setup/promises/" + asked.Queue
		h.get(own)
		h.post(own, pagetest.Form("answer_normal", "1"))
		if next := h.Open(campustest.Lina(), "Encore", "…"); !next.AnswerDue.Equal(tickettest.Start.Add(time.Hour)) {
			t.Errorf("the queue promises %s", next.AnswerDue)
		}
		h.post(own, pagetest.Form("answer_normal", "", "version", "1"))
		if next := h.Open(campustest.Lina(), "Encore", "…"); !next.AnswerDue.Equal(tickettest.Start.Add(90 * time.Minute)) {
			t.Errorf("without times of its own the queue promises %s", next.AnswerDue)
		}
		if resp, _ := pagetest.Ask(t, h.browser, "GET", h.server.URL+"/helpdesk/setup/promises/nothing", nil); resp.StatusCode != http.StatusNotFound {
			t.Errorf("a queue that there is not: %d", resp.StatusCode)
		}
	})
}

func TestRulesAreTriedKeptMovedAndTurnedOff(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.begun()
		asked := h.Open(campustest.Lina(), "Emprunt à la bibliothèque", "…")
		h.get("/helpdesk/setup/rules/new")
		rule := pagetest.Form("name_en", "The library looks after loans.", "words", "emprunt", "queue", h.Queue.ID, "priority", "low", "act", "try", "version", "0")
		h.refuse("/helpdesk/setup/rules/new", pagetest.Form("name_en", "Nothing"), "Say what the rule decides")
		h.refuse("/helpdesk/setup/rules/new", pagetest.Form("name_en", "Nowhere", "queue", "nowhere"), "Choose one of the list.")
		resp, body := pagetest.Ask(t, h.browser, "POST", h.server.URL+"/helpdesk/setup/rules/new", rule)
		if page := plain(body); resp.StatusCode != http.StatusOK || !strings.Contains(page, "1 request would be elsewhere") || !strings.Contains(page, "normal → low") {
			t.Errorf("tried: %d %s", resp.StatusCode, page)
		}
		if rules, err := h.Routing.Rules.All(t.Context()); err != nil || len(rules) != 0 {
			t.Fatalf("a dry run keeps %d rules, %v", len(rules), err)
		}
		rule.Set("act", "keep")
		h.post("/helpdesk/setup/rules/new", rule)
		next := h.Open(campustest.Lina(), "Emprunt", "…")
		if next.Queue != h.Queue.ID || next.Priority != ticket.Low || next.Queue == asked.Queue {
			t.Errorf("placed as %+v", next)
		}
		page := h.get("/helpdesk/setup/rules")
		for _, want := range []string{"If: the subject says emprunt", "Then: queue Accounts · priority low", "Somebody cannot sign in"} {
			if !strings.Contains(plain(page), want) {
				t.Errorf("the rules do not say %q", want)
			}
		}
		own := regexp.MustCompile(`/helpdesk/setup/rules/[0-9a-f-]{36}`).FindString(page)
		h.get(own)
		first := func() string {
			rules, err := h.Routing.Ordered(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return rules[0].ID
		}
		h.post(own+"/move", pagetest.Form("to", "down"))
		if first() != "exam" {
			t.Errorf("the first rule is %s", first())
		}
		h.post("/helpdesk/setup/rules/lockout/move", pagetest.Form("to", "up"))
		h.post("/helpdesk/setup/rules/lockout/move", pagetest.Form("to", "up"))
		if first() != "lockout" {
			t.Errorf("the first rule is %s", first())
		}
		h.post("/helpdesk/setup/rules/lockout/switch", nil)
		if page := plain(h.get("/helpdesk/setup/rules")); !strings.Contains(page, "off of the house") {
			t.Errorf("a rule that is off is not marked: %s", page)
		}
		if page := plain(h.get("/helpdesk/setup/rules/try")); !strings.Contains(page, "1 request would be elsewhere") {
			t.Errorf("the dry run says %s", page)
		}
		h.post(own+"/remove", nil)
		h.refuse("/helpdesk/setup/rules/exams", pagetest.Form("name_en", "January", "first", ""), "Choose a day.")
		h.post("/helpdesk/setup/rules/exams", pagetest.Form("name_en", "January", "first", "2027-01-04", "last", "2027-01-15", "campus", "rives"))
		page = h.get("/helpdesk/setup/rules")
		if !strings.Contains(plain(page), "January Monday 4 January 2027 to Friday 15 January 2027 · Rives") {
			t.Errorf("the examinations are not listed: %s", plain(page))
		}
		h.post(regexp.MustCompile(`/helpdesk/setup/rules/exams/[^"]+/remove`).FindString(page), nil)
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

// TestTheStepsOfTheGuideExist reads docs/helpdesk/README.md: its addresses answer, and
// what it says to press or follow stands on a page.
func TestTheStepsOfTheGuideExist(t *testing.T) {
	guide, err := os.ReadFile("../../../../docs/helpdesk/README.md")
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, h *house) {
		elsewhere := []string{"counters", "mail", "templates", "programs"} // other alcoves answer these
		addresses := regexp.MustCompile("`(/helpdesk/setup[^`]*)`").FindAllSubmatch(guide, -1)
		if len(addresses) < 12 {
			t.Fatalf("the guide names %d addresses", len(addresses))
		}
		overview := h.get("/helpdesk/setup")
		for _, a := range addresses {
			address := string(a[1])
			if slices.Contains(elsewhere, strings.TrimPrefix(address, "/helpdesk/setup/")) {
				if !strings.Contains(overview, `href="`+address+`"`) {
					t.Errorf("the first page does not lead to %s", address)
				}
				continue
			}
			h.get(address)
		}
		calendar := h.begun()
		people := h.post(calendar+"?guide=1", week("name_en", "Help desk", "version", "1"))
		var pages string
		for _, address := range []string{"/helpdesk/setup", "/helpdesk/setup/begin", calendar, calendar + "?guide=1", people, calendar + "/holidays", "/helpdesk/setup/promises", "/helpdesk/setup/rules", "/helpdesk/setup/rules/new", "/helpdesk/setup/term"} {
			pages += plain(h.get(address))
		}
		queues, err := h.Desk.Tickets.Queues(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pages += plain(h.get("/helpdesk/setup/queues/" + queues[0].ID))
		said := regexp.MustCompile(`(?s)[^*]\*([A-Z][^*]+)\*[^*]`).FindAllSubmatch(guide[bytes.Index(guide, []byte("## A campus desk")):bytes.Index(guide, []byte("## What can be set"))], -1)
		if len(said) < 12 {
			t.Fatalf("the guide says %d things to press or follow", len(said))
		}
		for _, label := range said {
			label := strings.Join(strings.Fields(string(label[1])), " ")
			// The counters' page is another alcove's; the others stand there once something
			// was shown, or asked.
			if label == "Add a counter" || label == "Keep these days" || strings.HasPrefix(label, "Try with the last") {
				continue
			}
			if !strings.Contains(pages, label) {
				t.Errorf("no page says %q", label)
			}
		}
	})
}

func TestOnlyThoseWhoRunTheDeskReachTheSetup(t *testing.T) {
	tried := 0
	each(t, func(t *testing.T, h *house) {
		router := web.New(web.Config{Clock: h.Clock, Texts: h.Texts})
		h.Routes(router.Router("helpdesk"))
		agent := campustest.Sam()
		agent.Mandates = []campus.Mandate{{Right: campus.RightDesks, Campus: "rives"}} // over one campus: never given, and not enough
		for _, who := range []campus.Viewer{agent, campustest.Lina(), campustest.Nadia()} {
			h.Viewer = who
			for _, route := range router.Routes() {
				method, path, _ := strings.Cut(route.Pattern, " ")
				tried++
				resp, _ := pagetest.Ask(t, h.browser, method, h.server.URL+strings.ReplaceAll(path, "{id}", "x"), url.Values{})
				if resp.StatusCode != http.StatusForbidden {
					t.Errorf("%s may %s: %d", who.Login, route.Pattern, resp.StatusCode)
				}
			}
		}
	})
	if tried < 100 {
		t.Errorf("only %d were tried", tried)
	}
}

func TestEveryChangeHasItsSentence(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, l := range campus.Locales {
			p := h.Texts.For(l)
			for _, kind := range []string{openings.Kind, promise.Kind, routing.Kind, routing.ExamsKind, term.Kind} {
				for _, act := range []string{"added", "changed", "removed"} {
					if key := "helpdesk.setup.changes." + kind + "_" + act; !p.Has(key) {
						t.Errorf("%s lacks %s", l, key)
					}
				}
			}
			for _, rule := range routing.Builtin() {
				if key := "helpdesk.routing.rule." + rule.Builtin; !p.Has(key) {
					t.Errorf("%s lacks %s", l, key)
				}
			}
			for _, team := range routing.Teams {
				if !p.Has("helpdesk.setup.team."+team) || !p.Has("helpdesk.setup.team_help."+team) {
					t.Errorf("%s lacks the team %s", l, team)
				}
			}
			for _, why := range []string{hours.PartOfDay, hours.Cancelled, hours.Unclear, hours.TooLong, hours.TooOften} {
				if !p.Has("helpdesk.setup.holidays.why." + why) {
					t.Errorf("%s lacks %s", l, why)
				}
			}
		}
	})
}
