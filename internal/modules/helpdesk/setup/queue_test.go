package setup_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/setup"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

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
		h.refuse("/helpdesk/setup/rules/new", pagetest.Form("name_en", "Nothing"), "Say what the rule decides: a queue, a priority, an agent, tags, or giving in turn.")
		if page := plain(h.get("/helpdesk/setup/rules")); !strings.Contains(page, "Try with the latest requests") || strings.Contains(page, "100") {
			t.Errorf("one request was made, and the rules are tried with %s", page)
		}
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
