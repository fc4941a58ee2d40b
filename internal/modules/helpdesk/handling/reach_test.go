package handling_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// ofRives is an agent of the campus Rives alone.
func ofRives() campus.Viewer {
	return campus.Viewer{Person: "p-rives", GivenName: "Ana", Mandates: []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "rives"}}, Locale: campus.English}
}

// away moves a ticket to another campus, behind the back of everybody.
func (k *kit) away(t ticket.Ticket) {
	k.T.Helper()
	k.Tx(func(tx db.Tx) error {
		_, err := tx.ExecContext(k.T.Context(), "UPDATE helpdesk_tickets SET campus = 'nord', requester_phone = '+33639980000' WHERE id = $1", t.ID)
		return err
	})
}

func TestNothingOfAnotherCampusStandsBesideARequest(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		here, there := k.asked("Ici", "corps"), k.asked("Ailleurs", "corps")
		tied := k.asked("Liée", "corps")
		k.post(here, "link", "with", tied.Number)
		k.away(there)
		k.away(tied)
		pages := map[string]func() string{
			"the page of the request": func() string { return k.page(here) },
			"a call of the same person": func() string {
				_, body := k.get("/helpdesk/tickets/new?person=" + string(campustest.Lina().Person))
				return body
			},
		}
		for what, page := range pages {
			for _, c := range []struct {
				viewer campus.Viewer
				shown  bool
			}{{campustest.Sam(), true}, {ofRives(), false}} {
				k.as(c.viewer)
				if body := page(); strings.Contains(body, "Ailleurs") != c.shown || !strings.Contains(body, "Lina") {
					t.Errorf("%s, for %s: the request of another campus is shown: %t", what, c.viewer.GivenName, !c.shown)
				}
			}
		}
		for viewer, shown := range map[*campus.Viewer]bool{new(campustest.Sam()): true, new(ofRives()): false} {
			k.as(*viewer)
			if strings.Contains(k.page(here), "Liée") != shown {
				t.Errorf("for %s a tied request of another campus is shown: %t", viewer.GivenName, !shown)
			}
		}
	})
}

func TestWhoCallsIsFoundByNumberWithinReach(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		k.away(k.asked("Ailleurs", "corps"))
		for viewer, found := range map[*campus.Viewer]bool{new(campustest.Sam()): true, new(ofRives()): false} {
			_, body := k.as(*viewer).get("/helpdesk/tickets/new?q=" + url.QueryEscape("06 39 98 00 00"))
			if strings.Contains(body, string(campustest.Lina().Person)) != found {
				t.Errorf("%s finds somebody by the number of a request elsewhere: %t", viewer.GivenName, !found)
			}
		}
	})
}

func TestACallIsTakenDownForACampusInReach(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		both := campustest.Paul()
		both.Affiliations = []campus.Affiliation{{Kind: campus.Teacher, Campus: "nord"}, {Kind: campus.Teacher, Campus: "rives"}}
		people[both.Person] = both
		defer func() { people[both.Person] = campustest.Paul() }()
		_, body := k.as(ofRives()).get("/helpdesk/tickets/new?person=" + string(both.Person))
		if strings.Contains(body, `value="nord"`) || !strings.Contains(body, `value="rives" selected`) {
			t.Error("the campuses offered are not those in reach")
		}
		if _, body := k.as(campustest.Sam()).get("/helpdesk/tickets/new?person=" + string(both.Person)); !strings.Contains(body, `value="nord" selected`) {
			t.Error("who reaches every campus is not offered the first of the person")
		}
	})
}
