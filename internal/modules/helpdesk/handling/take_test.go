package handling_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/handling"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
)

// ticked is the box that lets an answer take the request.
const ticked = `name="take" value="on" checked`

func TestAnAnswerTakesARequestThatNobodyHas(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		sam := campustest.Sam().Person
		tick := k.asked("S", "corps")
		if !strings.Contains(k.page(tick), ticked) {
			t.Error("it is not offered, or not from the start")
		}
		status, _, to := k.post(tick, "messages", "body", "Bonjour.", "kind", "reply", "offered", "1", "take", "on", "version", ver(tick))
		now := k.now(tick)
		if status != http.StatusSeeOther || now.Assignee != sam || now.State != ticket.Open || now.Version != tick.Version+1 || !strings.Contains(k.kinds(tick), "assigned") {
			t.Fatalf("%d: %+v, %s", status, now, k.kinds(tick))
		}
		contains(t, k.page(tick), "Given to Sam Okafor")
		if strings.Contains(k.page(tick), `name="take"`) {
			t.Error("it is offered although somebody has it")
		}
		// It is taken back, and the answer stays.
		mark, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		if _, body := k.get(to); !strings.Contains(body, "The answer stays sent") {
			t.Error("the page does not say what can be taken back")
		}
		if status, _, _ := k.post(tick, "undo", "undo", mark.Query().Get("undo")); status != http.StatusSeeOther {
			t.Fatalf("taken back: %d", status)
		}
		if now := k.now(tick); now.Assignee != "" || now.State != ticket.Open || len(k.thread(tick).Messages) != 2 {
			t.Errorf("taken back: %+v", now)
		}
	})
}

func TestWhatDoesNotTakeARequest(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		for name, form := range map[string][]string{
			"a note among agents": {"kind", "note", "offered", "1", "take", "on"},
			"a box that is empty": {"kind", "reply", "offered", "1"},
			"a page without it":   {"kind", "reply", "take", "on"},
		} {
			tick := k.asked("S", "corps")
			if status, _, _ := k.post(tick, "messages", append(form, "body", "x")...); status != http.StatusSeeOther || k.now(tick).Assignee != "" {
				t.Errorf("%s: %d, %q has it", name, status, k.now(tick).Assignee)
			}
		}
		had := k.asked("S", "corps")
		k.Change(had, tickettest.By(ticket.Agent, nour()), func(w *ticket.Work) error { w.Assign(nour().Person); return nil })
		if status, _, _ := k.post(had, "messages", "kind", "reply", "offered", "1", "take", "on", "body", "x"); status != http.StatusSeeOther || k.now(had).Assignee != nour().Person {
			t.Errorf("one that somebody has: %d, %q has it", status, k.now(had).Assignee)
		}
		tick := k.asked("S", "corps")
		k.Change(tick, tickettest.By(ticket.Agent, nour()), func(w *ticket.Work) error { w.Note(ticket.Message{Body: "…"}); return nil })
		status, body, _ := k.post(tick, "messages", "kind", "reply", "offered", "1", "body", "gardé", "version", ver(tick))
		if status != http.StatusConflict || k.now(tick).Assignee != "" || strings.Contains(body, ticked) {
			t.Errorf("an answer that was not sent: %d, or the choice is lost", status)
		}
		if status, _, _ := k.as(elsewhere()).post(tick, "messages", "kind", "reply", "offered", "1", "take", "on", "body", "x"); status != http.StatusNotFound || k.now(tick).Assignee != "" {
			t.Errorf("by an agent of another campus: %d", status)
		}
	})
}

func TestWhetherAnswersTakeIsRememberedForEachAgent(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		answer := func(pairs ...string) {
			t.Helper()
			if status, _, _ := k.post(k.asked("S", "corps"), "messages", append(pairs, "body", "x", "offered", "1")...); status != http.StatusSeeOther {
				t.Fatalf("answered: %d", status)
			}
		}
		offered := func() bool { return strings.Contains(k.page(k.asked("Autre", "corps")), ticked) }
		answer("kind", "reply")
		if offered() {
			t.Error("an agent who did not want it is offered it")
		}
		answer("kind", "note", "take", "on") // says nothing about answers
		if offered() {
			t.Error("a note changed what is remembered")
		}
		if k.as(nour()); !offered() {
			t.Error("what one agent chose counts for another")
		}
		k.as(campustest.Sam())
		answer("kind", "reply", "take", "on")
		if !offered() {
			t.Error("the choice is not remembered")
		}
	})
}

func TestAnAnswerThatSolvesAndTakesIsTakenBackAsOne(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		_, _, to := k.post(tick, "messages", "body", "Réglé.", "kind", "reply", "then", "solve", "offered", "1", "take", "on")
		if now := k.now(tick); now.State != ticket.Solved || now.Assignee != campustest.Sam().Person {
			t.Fatalf("%+v", now)
		}
		mark, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		k.post(tick, "undo", "undo", mark.Query().Get("undo"))
		if now := k.now(tick); now.State != ticket.Open || now.Assignee != "" || now.AnsweredAt.IsZero() {
			t.Errorf("taken back: %s, %q has it", now.State, now.Assignee)
		}
	})
}

func TestOfAgentsWhoAnswerARequestThatNobodyHasOneTakesIt(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		forms := make([]func() (string, []string), 4)
		for i := range forms {
			forms[i] = func() (string, []string) {
				return handling.URL(tick.Number) + "/messages", []string{"body", fmt.Sprint("Réponse ", i), "version", ver(tick), "offered", "1", "take", "on"}
			}
		}
		k.together(forms...)
		if now := k.now(tick); now.Assignee == "" || strings.Count(k.kinds(tick), "assigned") != 1 || len(k.thread(tick).Messages) != 2 {
			t.Errorf("%+v, %s", now, k.kinds(tick))
		}
	})
}

func TestTheMiddleOfALongConversationIsPutAway(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "Le début.")
		if strings.Contains(k.page(tick), `class="fold"`) {
			t.Error("a short conversation is folded")
		}
		for i := range 20 {
			k.Clock.Advance(1_000_000_000)
			k.Change(tick, tickettest.By(ticket.Requester, campustest.Lina()), func(w *ticket.Work) error {
				w.Say(ticket.Message{Body: fmt.Sprintf("Message %02d.", i)})
				return nil
			})
		}
		page := k.page(tick)
		begins, ends := strings.Index(page, `<details class="fold">`), strings.Index(page, "Message 16.")
		for what, ok := range map[string]bool{
			"the first message is seen":   strings.Index(page, "Le début.") < begins,
			"the middle is put away":      begins > 0 && strings.Index(page, "Message 00.") > begins && strings.Index(page, "Message 15.") < ends,
			"the last messages are seen":  strings.LastIndex(page[:ends], "</details>") > strings.Index(page, "Message 15."),
			"nothing is missing":          strings.Count(page, `id="m-`) == 21,
			"it says how much is inside":  strings.Contains(page, "16 earlier messages"),
			"what is new is not put away": !strings.Contains(page, `<details class="fold" open>`),
		} {
			if !ok {
				t.Errorf("not so: %s", what)
			}
		}
		_, body, _ := k.post(tick, "messages", "body", "x", "version", "1", "seen", fmt.Sprint(tick.ChangedAt.UnixMicro()))
		if !strings.Contains(body, `<details class="fold" open>`) {
			t.Error("what came while the agent wrote is put away")
		}
	})
}
