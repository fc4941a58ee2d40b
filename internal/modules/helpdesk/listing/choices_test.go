package listing_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/listing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// ofRives handles the requests of one campus.
func ofRives() campus.Viewer {
	return campus.Viewer{Person: "p-rives", Login: "rives", GivenName: "Ana", Locale: campus.English, Mandates: []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "rives"}}}
}

func TestAnAgentOfOneCampusChoosesWhatIsInReach(t *testing.T) {
	each(t, func(t *testing.T, x *tickettest.Desk, l *listing.Listing) {
		server, c := x.Serve(l.Routes), pagetest.Still()
		queues := map[string]ticket.Queue{}
		x.Tx(func(tx db.Tx) error {
			for _, code := range []string{"rives", "nord"} {
				q, err := x.Tickets.KeepQueue(t.Context(), tx, ticket.Queue{Team: "accounts", Campus: code, NameFrench: "File de " + code, NameEnglish: "Queue of " + code})
				if err != nil {
					return err
				}
				queues[code] = q
			}
			return nil
		})
		on := func(code string) ticket.Ticket {
			asked := x.Open(campustest.Lina(), "De "+code, "corps")
			x.Tx(func(tx db.Tx) error {
				_, err := tx.ExecContext(t.Context(), "UPDATE helpdesk_tickets SET campus = $1 WHERE id = $2", code, asked.ID)
				return err
			})
			return asked
		}
		here, there := on("rives"), on("nord")
		for _, who := range []struct {
			name    string
			viewer  campus.Viewer
			nothing bool // of the other campus
		}{{"an agent of all campuses", campustest.Sam(), false}, {"an agent of one campus", ofRives(), true}} {
			x.Viewer = who.viewer
			_, page := pagetest.Ask(t, c, http.MethodGet, server.URL+"/helpdesk/tickets?state=all", nil)
			for what, option := range map[string]string{"queue": `value="` + queues["nord"].ID + `"`, "campus": `value="nord"`, "agent": `value="` + string(campustest.Nadia().Person) + `"`, "request": there.Number} {
				if strings.Contains(page, option) == who.nothing {
					t.Errorf("%s: the %s of the other campus: %v", who.name, what, !who.nothing)
				}
			}
			for what, option := range map[string]string{"queue": `value="` + queues["rives"].ID + `"`, "queue of all": `value="` + x.Queue.ID + `"`, "agent": `value="` + string(campustest.Sam().Person) + `"`, "request": here.Number} {
				if !strings.Contains(page, option) {
					t.Errorf("%s: the %s in reach is not offered", who.name, what)
				}
			}
		}
		// What is posted by hand is refused, or finds nothing.
		now := func(which ticket.Ticket) ticket.Ticket {
			after, err := x.Tickets.ByID(t.Context(), which.ID)
			if err != nil {
				t.Fatal(err)
			}
			return after
		}
		for name, form := range map[string]url.Values{
			"to a queue of another campus": {"act": {"move"}, "to_queue": {queues["nord"].ID}, "number": {here.Number}},
			"to an agent of another one":   {"act": {"assign"}, "to_agent": {string(campustest.Nadia().Person)}, "number": {here.Number}},
		} {
			if resp, _ := pagetest.Ask(t, c, http.MethodPost, server.URL+"/helpdesk/tickets", form); resp.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("%s: %d", name, resp.StatusCode)
			}
			if after := now(here); after.Version != here.Version {
				t.Errorf("%s: it was changed: %+v", name, after)
			}
		}
		for _, act := range []url.Values{{"act": {"take"}}, {"act": {"close"}}, {"act": {"priority"}, "to_priority": {"urgent"}}, {"act": {"move"}, "to_queue": {queues["rives"].ID}}} {
			act.Set("number", there.Number)
			if resp, page := pagetest.Ask(t, c, http.MethodPost, server.URL+"/helpdesk/tickets", act); resp.StatusCode != http.StatusSeeOther || strings.Contains(page, "De nord") {
				t.Errorf("%s: %d", act.Get("act"), resp.StatusCode)
			}
			if after := now(there); after.Version != there.Version {
				t.Errorf("%s: the request of another campus was changed: %+v", act.Get("act"), after)
			}
		}
		form := url.Values{"act": {"move"}, "to_queue": {queues["rives"].ID}, "number": {here.Number}}
		if pagetest.Ask(t, c, http.MethodPost, server.URL+"/helpdesk/tickets", form); now(here).Queue != queues["rives"].ID {
			t.Error("a queue in reach is refused")
		}
	})
}
