package handling_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/handling"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
)

func TestTwoRequestsBecomeOne(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		a, b := k.asked("Le même", "Premier message."), k.asked("Le même encore", "Second message.")
		k.post(a, "watch", "on", "1")
		if status, body := k.get(handling.URL(a.Number) + "/merge?with=" + b.Number); status != http.StatusOK || !strings.Contains(body, "Premier message.") || !strings.Contains(body, "Second message.") {
			t.Errorf("both sides: %d", status)
		}
		for name, with := range map[string]string{"itself": a.Number, "no number": "12", "a number that nobody has": "10000001"} {
			if status, _ := k.get(handling.URL(a.Number) + "/merge?with=" + with); status != http.StatusUnprocessableEntity {
				t.Errorf("with %s: %d", name, status)
			}
		}
		if status, _, _ := k.as(nour()).post(a, "merge", "with", b.Number, "version", ver(a)); status != http.StatusSeeOther {
			t.Fatalf("merge: %d", status)
		}
		if now := k.now(a); now.State != ticket.Merged || now.MergedInto != b.ID {
			t.Errorf("it is %s", now.State)
		}
		contains(t, k.page(b), "Premier message.", "Second message.", ticket.Spoken(a.Number))
		contains(t, k.as(campustest.Sam()).page(a), "was merged into "+ticket.Spoken(b.Number))
		if n := k.told[campustest.Sam().Person]; len(n) != 2 {
			t.Errorf("who watched one heard of %d, want both", len(n))
		}
		c := k.asked("C", "c")
		if status, _, _ := k.post(c, "merge", "with", a.Number); status != http.StatusConflict {
			t.Errorf("into one that was merged: %d", status)
		}
		if status, _ := k.get(handling.URL(c.Number) + "/merge?with=" + a.Number); status != http.StatusUnprocessableEntity {
			t.Errorf("a page for it: %d", status)
		}
		k.post(b, "merge", "with", c.Number)
		contains(t, k.page(c), "Premier message.", "Second message.")
	})
}

func TestAMessageBecomesARequest(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("Deux choses", "Et aussi : l’imprimante.")
		m := k.thread(tick).Messages[0]
		if status, _, _ := k.post(tick, "messages/"+m.ID+"/split", "subject", " "); status != http.StatusUnprocessableEntity {
			t.Errorf("without a subject: %d", status)
		}
		status, _, to := k.post(tick, "messages/"+m.ID+"/split", "subject", "Imprimante")
		if status != http.StatusSeeOther || to == handling.URL(tick.Number) {
			t.Fatalf("%d %s", status, to)
		}
		made, err := k.Tickets.ByNumber(t.Context(), strings.TrimPrefix(to, "/helpdesk/tickets/"))
		if err != nil || made.Subject != "Imprimante" || made.SplitFrom != tick.ID || made.Requester != tick.Requester || !made.AnsweredAt.IsZero() || made.Reason != "" {
			t.Errorf("made %+v, %v", made, err)
		}
		if !strings.Contains(k.kinds(tick), "split_to") || !strings.Contains(k.kinds(made), "split_from") {
			t.Errorf("%s, %s", k.kinds(tick), k.kinds(made))
		}
		contains(t, k.page(made), "Made from request "+ticket.Spoken(tick.Number))
		k.post(tick, "messages", "body", "Pour nous.", "kind", "note")
		note := k.thread(tick).Messages[1]
		if status, _, _ := k.post(tick, "messages/"+note.ID+"/split", "subject", "x"); status != http.StatusNotFound {
			t.Errorf("a note among agents: %d", status)
		}
		if status, _, _ := k.post(made, "messages/"+m.ID+"/split", "subject", "x"); status != http.StatusNotFound {
			t.Errorf("a message of another ticket: %d", status)
		}
	})
}

func TestLinksGoBothWays(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		a, b := k.asked("A", "a"), k.asked("B", "b")
		for name, with := range map[string]string{"itself": a.Number, "nothing": "", "a wrong digit": "12345678"} {
			if status, _, _ := k.post(a, "link", "with", with); status != http.StatusUnprocessableEntity {
				t.Errorf("with %s: %d", name, status)
			}
		}
		k.post(a, "link", "with", ticket.Spoken(b.Number))
		k.post(a, "link", "with", b.Number)
		contains(t, k.page(b), "Unlink request "+ticket.Spoken(a.Number), "Linked with request")
		k.post(b, "unlink", "with", a.Number)
		if body := k.page(a); strings.Contains(body, "Unlink request") {
			t.Error("it is still linked")
		}
	})
}

func TestActsForThePersonAreNotedInTheRequest(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		contains(t, k.page(tick), handling.URL(tick.Number)+"/acts/identity.reset", "/identity/support/recoveries/new")
		if status, _, _ := k.post(tick, "acts/identity.reset"); status != http.StatusSeeOther {
			t.Fatalf("reset: %d", status)
		}
		want := "sokafor identity.reset  " + ticket.Spoken(tick.Number) + " true"
		if len(k.done) != 1 || k.done[0] != want || !strings.Contains(k.kinds(tick), "act") {
			t.Errorf("done %q, happened %s", k.done, k.kinds(tick))
		}
		status, body, _ := k.post(tick, "acts/identity.relay")
		if status != http.StatusOK || !strings.Contains(body, "KRTM-WBZC") || strings.Contains(k.page(tick), "KRTM-WBZC") {
			t.Errorf("a code to read out: %d", status)
		}
		if status, _, _ := k.post(tick, "acts/provisioning.retry", "choice", "other"); status != http.StatusUnprocessableEntity {
			t.Errorf("a choice that is not offered: %d", status)
		}
		if status, _, _ := k.post(tick, "acts/identity.recovery"); status != http.StatusGone {
			t.Errorf("an act that has a page of its own: %d", status)
		}
		k.busy = ticket.WrongState
		before := k.kinds(tick)
		if status, _, _ := k.post(tick, "acts/identity.reset"); status != http.StatusConflict || k.kinds(tick) != before {
			t.Errorf("an act that failed: %d, %s", status, k.kinds(tick))
		}
	})
}

func TestARequestIsTakenDownOnTheTelephone(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		earlier := k.asked("Avant", "corps")
		_, body := k.get("/helpdesk/tickets/new?q=martin")
		contains(t, body, "Lina Martin", "/helpdesk/tickets/new?person="+string(campustest.Lina().Person))
		_, body = k.get("/helpdesk/tickets/new?person=" + string(campustest.Lina().Person))
		contains(t, body, "Lina Martin", handling.URL(earlier.Number))
		base := []string{"channel", "phone", "campus", "rives", "area", "account", "subject", "Mot de passe", "body", "Ne se souvient plus. mot de passe : Secret99!"}
		status, _, to := k.send("/helpdesk/tickets/new", append(base, "person", string(campustest.Lina().Person), "mine", "on", "phone", "06 12 34 56 78", "call", "on", "wished", "après les cours", "call_at", "2026-11-24T14:00")...)
		if status != http.StatusSeeOther {
			t.Fatalf("taken down: %d", status)
		}
		made, err := k.Tickets.ByNumber(t.Context(), strings.TrimPrefix(to, "/helpdesk/tickets/"))
		if err != nil || made.Requester != campustest.Lina().Person || made.Channel != ticket.ByPhone || made.Assignee != campustest.Sam().Person || made.State != ticket.Open || made.RequesterPhone != "+33612345678" {
			t.Fatalf("made %+v, %v", made, err)
		}
		if strings.Contains(k.thread(made).Messages[0].Body, "Secret99") {
			t.Error("a password was kept")
		}
		contains(t, k.page(made), "To be called back: +33612345678", "après les cours", "I called")
		_, body = k.get("/helpdesk/tickets/callbacks")
		contains(t, body, "Lina Martin", "tel:+33612345678", "après les cours", handling.URL(made.Number)+"/called", "Sam")
		k.as(elsewhere())
		if _, body := k.get("/helpdesk/tickets/callbacks"); strings.Contains(body, "33612345678") {
			t.Error("an agent of another campus reads whom to call")
		}
		k.as(campustest.Lina())
		if status, _ := k.get("/helpdesk/tickets/callbacks"); status != http.StatusForbidden {
			t.Errorf("a student asked whom to call: %d", status)
		}
		k.as(campustest.Sam())
		if status, _, to := k.post(made, "called", "back", "callbacks"); status != http.StatusSeeOther || to != "/helpdesk/tickets/callbacks" {
			t.Errorf("called: %d, %s", status, to)
		}
		if _, body := k.get("/helpdesk/tickets/callbacks"); strings.Contains(body, "33612345678") || !strings.Contains(body, "Nobody waits for a call") {
			t.Error("who was called still waits")
		}
		k.post(made, "called")
		if strings.Contains(k.page(made), "To be called back:") || strings.Count(k.kinds(made), "called_back") != 1 {
			t.Errorf("the call: %s", k.kinds(made))
		}
		_, body = k.get("/helpdesk/tickets/new?q=06+12+34+56+78")
		contains(t, body, "Lina Martin")
		if status, _ := k.get("/helpdesk/tickets/new?q=" + url.QueryEscape(ticket.Spoken(made.Number))); status != http.StatusSeeOther {
			t.Errorf("a number read out: %d", status)
		}
		status, _, to = k.send("/helpdesk/tickets/new", append(base, "name", "Mère d’un étudiant", "mail", "Mere@Example.org", "solved", "on")...)
		made, err = k.Tickets.ByNumber(t.Context(), strings.TrimPrefix(to, "/helpdesk/tickets/"))
		if status != http.StatusSeeOther || err != nil || made.Requester != "" || made.RequesterMail != "mere@example.org" || made.State != ticket.Solved {
			t.Errorf("for somebody without an account: %d %+v, %v", status, made, err)
		}
		contains(t, k.page(made), "None here")
		for name, form := range map[string][]string{
			"nobody": base, "a telephone that is none": append(base, "name", "X", "phone", "abc"), "a call without a number": append(base, "name", "X", "call", "on"),
			"a mail address that is a number": append(base, "name", "X", "mail", "0612345678"),
		} {
			if status, body, _ := k.send("/helpdesk/tickets/new", form...); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Ne se souvient plus") {
				t.Errorf("%s: %d", name, status)
			}
		}
		k.as(elsewhere())
		if status, _ := k.get("/helpdesk/tickets/new?person=" + string(campustest.Lina().Person)); status != http.StatusNotFound {
			t.Errorf("an agent of another campus opens her page: %d", status)
		}
		if status, _, _ := k.send("/helpdesk/tickets/new", append(base, "name", "X")...); status != http.StatusUnprocessableEntity {
			t.Errorf("an agent of another campus takes down a request of this one: %d", status)
		}
	})
}

func TestThoseWhoWatchHearWhatOthersDo(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		k.post(tick, "watch", "on", "1")
		contains(t, k.page(tick), "Stop watching", "Watched by Sam Okafor")
		k.post(tick, "messages", "body", "Moi-même.")
		if n := k.told[campustest.Sam().Person]; len(n) != 0 {
			t.Errorf("who acts hears of it: %v", n)
		}
		k.as(nour()).post(tick, "messages", "body", "Nour répond.")
		if n := k.told[campustest.Sam().Person]; len(n) != 1 || !strings.Contains(n[0].TitleFrench, ticket.Spoken(tick.Number)) {
			t.Errorf("heard %v", n)
		}
		k.as(campustest.Sam()).post(tick, "watch")
		k.as(nour()).post(tick, "messages", "body", "Encore.")
		if n := k.told[campustest.Sam().Person]; len(n) != 1 {
			t.Errorf("who stopped watching heard %v", n)
		}
	})
}
