package setup_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

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
	local   campus.PersonID // agent of the campus nord alone
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

func (h *house) HoldersOf(ctx context.Context, r campus.Right) ([]campus.PersonID, error) {
	return h.HoldersFor(ctx, r, nil)
}

func (h *house) HoldersFor(_ context.Context, r campus.Right, somebody []campus.Affiliation) ([]campus.PersonID, error) {
	var holders []campus.PersonID
	for _, v := range campustest.Everyone() {
		if h.local != "" && v.Person == h.local {
			v.Mandates = []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "nord"}}
		}
		if v.CanFor(r, somebody) {
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

func TestAnAgentOfOneCampusIsOfferedAndLacksNoRight(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who := campustest.Lina()
		offered := func() bool {
			return strings.Contains(h.get("/helpdesk/setup/begin/"+path.Base(h.begun())+"/people"), string(who.Person))
		}
		if offered() {
			t.Error("somebody without the right is offered as an agent")
		}
		if h.local = who.Person; !offered() {
			t.Error("an agent of one campus is not offered")
		}
		queue := h.Open(who, "S", "…").Queue
		page := h.post("/helpdesk/setup/queues/"+queue+"/join", pagetest.Form("person", string(who.Person)))
		if shown := plain(h.get(page)); !strings.Contains(shown, who.FamilyName) || strings.Contains(shown, "lacks the right to answer") {
			t.Errorf("an agent of one campus is shown as %s", shown)
		}
	})
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
			// The counters' page is another alcove's; the other stands there once something
			// was shown.
			if label == "Add a counter" || label == "Keep these days" {
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
