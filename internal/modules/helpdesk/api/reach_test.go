package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/api"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

func TestATokenOfOneCampusPutsNothingInTheQueuesOfAnother(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var parc ticket.Queue
		h.Tx(func(tx db.Tx) (err error) {
			parc, err = h.Tickets.KeepQueue(t.Context(), tx, ticket.Queue{Team: "accounts", Campus: "parc", NameEnglish: "Accounts at Parc"})
			return err
		})
		lina := campustest.Lina()
		here := h.Open(lina, "here", "x")
		bound := h.token(func(o *api.Token) { o.Campuses = []string{here.Campus} })
		for _, c := range []struct {
			method, path, body string
			status             int
		}{
			{"PATCH", "/tickets/" + here.Number, `{"queue":"` + parc.ID + `"}`, 403},
			{"POST", "/tickets", `{"subject":"x","body":"x","requester":{"mail":"` + lina.Mail + `"},"queue":"` + parc.ID + `"}`, 403},
			{"POST", "/webhooks", `{"label":"x","url":"https://hooks.example/x","queues":["` + parc.ID + `"]}`, 400},
			{"PATCH", "/tickets/" + here.Number, `{"queue":"` + h.other.ID + `"}`, 200}, // of all campuses
		} {
			if a := h.ask(bound, c.method, c.path, c.body); a.status != c.status {
				t.Errorf("%s %s answers %d %s, want %d", c.method, c.path, a.status, a.text, c.status)
			}
		}
	})
}

func TestATokenOfOneCampusReachesNoTicketOfAnother(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		there := h.Open(campustest.Lina(), "there", "private words")
		bound := h.token(func(o *api.Token) { o.Campuses = []string{"parc"} })
		for _, c := range []struct{ method, path, body string }{
			{"GET", "", ""}, {"PATCH", "", `{"state":"closed"}`}, {"POST", "/messages", `{"body":"x"}`}, {"GET", "/files", ""}, {"GET", "/files/x", ""}, {"POST", "/files", "x"},
		} {
			if a := h.ask(bound, c.method, "/tickets/"+there.Number+c.path, c.body); a.status != 404 {
				t.Errorf("%s %s answers %d %s", c.method, c.path, a.status, a.text)
			}
		}
		for _, path := range []string{"/tickets", "/tickets?q=private", "/tickets?campus=" + there.Campus, "/tickets?queue=" + there.Queue} {
			if a := h.ask(bound, "GET", path, ""); a.status != 200 || strings.Contains(a.text, there.Number) {
				t.Errorf("%s answers %d %s", path, a.status, a.text)
			}
		}
	})
}

func TestAnOpeningThatComesManyTimesAtOnceOpensOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		token := h.token()
		body := `{"subject":"Badge","body":"x","requester":{"mail":"a@b.example"}}`
		answers := make([]answer, 6)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = h.ask(token, "POST", "/tickets", body, "Idempotency-Key", "at once") })
		}
		all.Wait()
		opened := 0
		for _, a := range answers {
			if a.status == http.StatusCreated {
				opened++
			} else if a.status != http.StatusOK {
				t.Errorf("it is answered %d %s", a.status, a.text)
			}
			if a.json["number"] != answers[0].json["number"] {
				t.Errorf("one opened %v, another %v", answers[0].json["number"], a.json["number"])
			}
		}
		if opened != 1 {
			t.Errorf("%d were opened", opened)
		}
	})
}

func TestWhatADatabaseDoesNotTakeIsRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		token := h.token()
		body := `{"subject":"Badge","body":"x","requester":{"mail":"a@b.example"}}`
		if a := h.ask(token, "POST", "/tickets", body, "Idempotency-Key", "k\xff"); a.status != 400 {
			t.Errorf("a key that is no text is answered %d %s", a.status, a.text)
		}
		for _, path := range []string{"/tickets?state=%ff", "/tickets?area=%00", "/tickets?after=1.%ff", "/tickets?q=%ff", "/tickets?state=" + strings.Repeat("open,", 40_000)} {
			if a := h.ask(token, "GET", path, ""); a.status != 400 {
				t.Errorf("%.40s is answered %d %.200s", path, a.status, a.text)
			}
		}
		for _, c := range []struct{ method, path string }{{"GET", "/tickets/%ff"}, {"DELETE", "/webhooks/%00"}, {"GET", "/webhooks/%ff/deliveries"}, {"POST", "/webhooks/x/deliveries/%00"}} {
			if a := h.ask(token, c.method, c.path, "", "Accept", "application/json"); a.status != 404 {
				t.Errorf("%s %s is answered %d %s", c.method, c.path, a.status, a.text)
			}
		}
	})
}

func TestAWebhookThatFailsTellsItsAddressToNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		made := h.ask(h.token(), "POST", "/webhooks", `{"label":"x","url":"http://127.0.0.1:1/x?key=\"a-secret\""}`)
		if made.status != 201 {
			t.Fatal(made.text)
		}
		h.Open(campustest.Lina(), "Wi-Fi", "x")
		var delivery, problem string
		if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT id FROM helpdesk_deliveries").Scan(&delivery); err != nil {
			t.Fatal(err)
		}
		failure := h.api.Deliver(t.Context(), delivery)
		if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT problem FROM helpdesk_deliveries").Scan(&problem); err != nil {
			t.Fatal(err)
		}
		if failure == nil || strings.Contains(failure.Error(), "a-secret") || strings.Contains(problem, "a-secret") || !strings.Contains(problem, "127.0.0.1:1") {
			t.Errorf("%v, %s", failure, problem)
		}
	})
}

func TestWhoReadsAWebhookAndItsMessagesRunsTheDesk(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		made := h.ask(h.token(), "POST", "/webhooks", `{"label":"A label","url":"https://hooks.example/x"}`)
		page := h.server.URL + "/helpdesk/setup/programs/hooks/" + made.json["id"].(string)
		manager := campustest.Paul()
		manager.Rights = []campus.Right{campus.RightDesks}
		for _, c := range []struct {
			name   string
			who    campus.Viewer
			status int
		}{{"a stranger", campus.Viewer{}, 303}, {"a student", campustest.Lina(), 403}, {"an agent", campustest.Sam(), 403}, {"who runs the desk", manager, 200}} {
			h.Viewer = c.who
			if a, text := pagetest.Ask(t, pagetest.Still(), "GET", page, nil); a.StatusCode != c.status || strings.Contains(text, "A label") != (c.status == 200) {
				t.Errorf("%s: %d", c.name, a.StatusCode)
			}
		}
	})
}

func TestWhatWouldBePlacedOutOfReachIsNotOpened(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		body := `{"subject":"x","body":"x","requester":{"mail":"` + campustest.Lina().Mail + `"}}`
		for name, token := range map[string]string{
			"of another queue than that of the rules":      h.token(func(o *api.Token) { o.Queues = []string{h.other.ID} }),
			"of another campus than that of the requester": h.token(func(o *api.Token) { o.Campuses = []string{"parc"} }),
		} {
			if a := h.ask(token, "POST", "/tickets", body); a.status != 403 || a.json["code"] != api.OutOfReach.Code() {
				t.Errorf("a token %s: %d %s", name, a.status, a.text)
			}
		}
		if a := h.ask(h.token(), "GET", "/tickets", ""); strings.Contains(a.text, "number") {
			t.Errorf("something was opened: %s", a.text)
		}
	})
}

func TestAProgramTouchesNoWebhooksOfOthers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		mine, theirs := h.token(), h.token()
		order := `{"label":"x","url":"http://127.0.0.1:1/x"}`
		own, other := h.ask(mine, "POST", "/webhooks", order).json["id"].(string), h.ask(theirs, "POST", "/webhooks", order).json["id"].(string)
		h.Open(campustest.Lina(), "Wi-Fi", "x")
		var delivery string
		if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT id FROM helpdesk_deliveries WHERE hook_id = $1", other).Scan(&delivery); err != nil {
			t.Fatal(err)
		}
		for _, address := range []string{"DELETE /webhooks/" + other, "GET /webhooks/" + other + "/deliveries", "POST /webhooks/" + other + "/deliveries/" + delivery, "POST /webhooks/" + own + "/deliveries/" + delivery} {
			method, path, _ := strings.Cut(address, " ")
			if a := h.ask(mine, method, path, ""); a.status != 404 {
				t.Errorf("%s answers %d %s", address, a.status, a.text)
			}
		}
		if a := h.ask(theirs, "POST", "/webhooks/"+other+"/deliveries/"+delivery, ""); a.status != 202 {
			t.Errorf("its owner is answered %d %s", a.status, a.text)
		}
	})
}

func TestAWebhookHearsOnlyOfWhatItsTokenReaches(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		bound := h.token(func(o *api.Token) { o.Queues = []string{h.other.ID} })
		if a := h.ask(bound, "POST", "/webhooks", `{"label":"x","url":"http://127.0.0.1:1/x"}`); a.status != 201 {
			t.Fatal(a.text)
		}
		asked := h.Open(campustest.Lina(), "Wi-Fi", "x")
		if n := h.toldTo(); n != 0 {
			t.Errorf("%d messages wait about a ticket out of reach", n)
		}
		h.Change(asked, tickettest.By(ticket.Agent, campustest.Sam()), func(w *ticket.Work) error { w.Move(h.other.ID); return nil })
		if h.toldTo() == 0 {
			t.Error("it does not hear of what came into reach")
		}
	})
}
