package listing_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/listing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

func TestEveryAddressOfTheListsAsksForTheRight(t *testing.T) {
	each(t, func(t *testing.T, x *tickettest.Desk, l *listing.Listing) {
		server := x.Serve(l.Routes)
		asked := x.Open(campustest.Lina(), "A", "a")
		for _, address := range []string{"GET /helpdesk/tickets", "GET /helpdesk/tickets.csv", "POST /helpdesk/tickets", "GET /helpdesk/bulk/x", "POST /helpdesk/bulk/x/undo", "POST /helpdesk/views", "POST /helpdesk/views/x/delete"} {
			method, path, _ := strings.Cut(address, " ")
			stranger := map[string]int{"GET": http.StatusSeeOther, "POST": http.StatusUnauthorized}[method]
			for _, c := range []struct {
				who  campus.Viewer
				want int
			}{{campus.Viewer{}, stranger}, {campustest.Lina(), http.StatusForbidden}} {
				x.Viewer = c.who
				if resp, _ := pagetest.Ask(t, pagetest.Still(), method, server.URL+path, url.Values{"act": {"close"}, "number": {asked.Number}, "name": {"Mine"}}); resp.StatusCode != c.want {
					t.Errorf("%q at %s: %d, want %d", c.who.Login, address, resp.StatusCode, c.want)
				}
			}
		}
	})
}

func TestAnAgentOfOneCampusActsOnItsTicketsOnly(t *testing.T) {
	each(t, func(t *testing.T, x *tickettest.Desk, l *listing.Listing) {
		server := x.Serve(l.Routes)
		elsewhere := x.Open(campustest.Lina(), "A private matter", "a")
		x.Viewer = campus.Viewer{Person: "p", GivenName: "Ana", Mandates: []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "nord"}}}
		c := pagetest.Still()
		resp, _ := pagetest.Ask(t, c, http.MethodPost, server.URL+"/helpdesk/tickets", url.Values{"act": {"take"}, "number": {elsewhere.Number}})
		if now, err := x.Tickets.ByID(t.Context(), elsewhere.ID); err != nil || now.Assignee != "" || now.Version != elsewhere.Version {
			t.Errorf("it was changed: %+v, %v", now, err)
		}
		if _, page := pagetest.Ask(t, c, http.MethodGet, server.URL+resp.Header.Get("Location"), nil); strings.Contains(page, "A private matter") {
			t.Error("its subject is told")
		}
		if resp, page := pagetest.Ask(t, c, http.MethodGet, server.URL+"/helpdesk/tickets?q="+elsewhere.Number, nil); resp.StatusCode != http.StatusOK || strings.Contains(page, "A private matter") {
			t.Errorf("its number leads there: %d to %s", resp.StatusCode, resp.Header.Get("Location"))
		}
	})
}
