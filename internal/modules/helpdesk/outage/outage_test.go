package outage_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/outage"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/term"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// desk is a house in which many can have the same at once.
type desk struct {
	*tickettest.Front
	x       *outage.Outages
	url     string
	browser *http.Client

	mu    sync.Mutex
	told  map[campus.PersonID][]contract.Notice
	mails []mailer.Message
}

func (d *desk) Notify(_ context.Context, _ db.Tx, to campus.PersonID, n contract.Notice) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told[to] = append(d.told[to], n)
	return nil
}

func (d *desk) Send(_ context.Context, _ db.Tx, m mailer.Message) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mails = append(d.mails, m)
	return nil
}

// HoldersOf implements outage.Roll.
func (d *desk) HoldersOf(_ context.Context, r campus.Right) ([]campus.PersonID, error) {
	if r == campus.RightDesks {
		return []campus.PersonID{manager.Person}, nil
	}
	return []campus.PersonID{nadia.Person}, nil
}

var (
	lina    = tickettest.English(campustest.Lina())
	nadia   = tickettest.English(campustest.Nadia())
	manager = campus.Viewer{Person: "manager", GivenName: "Mona", FamilyName: "Gerard", Locale: campus.English, Rights: []campus.Right{campus.RightDesks, campus.RightHelpdesk}}
)

func each(t *testing.T, test func(*testing.T, *desk)) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		f := tickettest.Open(x)
		d := &desk{Front: f, told: map[campus.PersonID][]contract.Notice{}, browser: pagetest.Still()}
		base, err := url.Parse("https://ent.valmont.example")
		if err != nil {
			t.Fatal(err)
		}
		d.x = outage.New(outage.Deps{
			DB: x.DB, Clock: x.Clock, Log: slog.New(slog.DiscardHandler), Keys: f.Proving.Keys, Texts: x.Texts, Zone: x.Zone, Base: base, Tickets: x.Tickets,
			Terms:  &term.Terms{Shelf: &kept.Shelf[term.Term]{DB: x.DB, Kind: term.Kind}, Zone: x.Zone},
			Places: place.Fixed{OfCampuses: []place.Place{{Code: "north", French: "Nord", English: "North"}}},
			Roll:   d, Notices: d, Mailer: d, Proving: f.Proving, Proofs: f, Services: f, Catalogue: func() []contract.ServiceProvider { return []contract.ServiceProvider{f} },
			Next: x, InstitutionFrench: "Valmont", InstitutionEnglish: "Valmont",
		})
		x.Tickets.Connect(d.x, x, d.x)
		d.url = x.Serve(func(r *web.Router) {
			d.x.Routes(r)
			f.Proving.Routes(r)
		}).URL
		test(t, d)
	})
}

// english is a context of somebody who reads English.
func (d *desk) english() context.Context {
	return i18n.With(d.T.Context(), d.Texts.For(campus.English))
}

// run works until something holds.
func (d *desk) run(t *testing.T, until func() bool) {
	t.Helper()
	ctx, done := context.WithTimeout(t.Context(), 30*time.Second)
	registry := jobs.NewRegistry()
	d.x.Jobs(registry)
	over := make(chan struct{})
	go func() {
		defer close(over)
		jobs.NewRunner(d.DB, registry, slog.New(slog.DiscardHandler), jobs.Options{Poll: 5 * time.Millisecond}).Run(ctx)
	}()
	for !until() {
		if ctx.Err() != nil {
			t.Error("it did not come about")
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	done()
	<-over
}

// open opens a ticket that was stopped by a reason.
func (d *desk) open(t *testing.T, n int, change func(*ticket.Ticket)) ticket.Ticket {
	t.Helper()
	x := ticket.Ticket{
		Channel: ticket.ByPortal, Subject: fmt.Sprintf("It does not work (%d)", n), Locale: campus.French, RequesterName: "Somebody", RequesterMail: fmt.Sprintf("p%d@valmont.example", n),
		Reason: "identity.upstream_unreachable", Area: ticket.AreaUpstream,
	}
	if n%2 == 0 {
		x.Locale = campus.English
	}
	if change != nil {
		change(&x)
	}
	var made ticket.Ticket
	if err := d.DB.InTx(t.Context(), func(tx db.Tx) (err error) {
		made, err = d.Tickets.Open(t.Context(), tx, ticket.Actor{Role: ticket.Requester, Name: x.RequesterName, Mail: x.RequesterMail}, ticket.Opening{Ticket: x, Message: ticket.Message{Body: "Help"}})
		return err
	}); err != nil {
		t.Error(err)
	}
	return made
}

func (d *desk) number(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	if err := d.DB.Read().QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Error(err)
	}
	return n
}

func (d *desk) only(t *testing.T) outage.Outage {
	t.Helper()
	var id string
	if err := d.DB.Read().QueryRowContext(t.Context(), "SELECT id FROM helpdesk_outages WHERE state NOT IN ('over', 'dismissed', 'merged')").Scan(&id); err != nil {
		t.Fatal(err)
	}
	o, err := d.x.ByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// ask asks for a page as somebody.
func (d *desk) ask(t *testing.T, who campus.Viewer, method, path string, form url.Values) (int, string) {
	t.Helper()
	d.Viewer = who
	answer, body := pagetest.Ask(t, d.browser, method, d.url+path, form)
	return answer.StatusCode, body
}

func TestFortyTicketsAlikeAtOnceAreOneIncident(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		var wait sync.WaitGroup
		for n := range 40 {
			wait.Go(func() { d.open(t, n, nil) })
		}
		wait.Wait()
		d.run(t, func() bool { return d.number(t, "SELECT COUNT(*) FROM helpdesk_tickets WHERE outage_id <> ''") == 40 })
		if n := d.number(t, "SELECT COUNT(*) FROM helpdesk_outages"); n != 1 {
			t.Fatalf("%d incidents", n)
		}
		o := d.only(t)
		if o.State != outage.Suspected || o.Alike != "reason:identity.upstream_unreachable" || !o.Announced.IsZero() {
			t.Errorf("suspected: %+v", o)
		}
		for _, who := range []campus.PersonID{manager.Person, nadia.Person} {
			if len(d.told[who]) != 1 {
				t.Errorf("%s was told %d times", who, len(d.told[who]))
			}
		}
		if got := d.x.Banners(d.english(), campus.Viewer{}); len(got) != 0 {
			t.Errorf("a banner about what nobody confirmed: %v", got)
		}
		if late := d.open(t, 41, nil); late.Outage != o.ID {
			t.Error("a later ticket that is alike does not attach itself")
		}
		if other := d.open(t, 42, func(x *ticket.Ticket) { x.Reason, x.Area = "identity.code_wrong", ticket.AreaAccount }); other.Outage != "" {
			t.Error("a ticket about something else attached itself")
		}
	})
}

func TestOneAnswerReachesEveryTicketInItsLanguageAndSolvingIsTakenBack(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		for n := range 10 {
			d.open(t, n, nil)
		}
		d.run(t, func() bool { return d.number(t, "SELECT COUNT(*) FROM helpdesk_tickets WHERE outage_id <> ''") == 10 })
		o := d.only(t)
		tell := func(state string, more ...string) {
			t.Helper()
			form := pagetest.Form(append([]string{"version", fmt.Sprint(d.only(t).Version), "state", state, "words_fr", "Nous réparons.", "words_en", "We are mending it."}, more...)...)
			if status, body := d.ask(t, manager, "POST", "/helpdesk/outages/"+o.ID+"/tell", form); status != http.StatusSeeOther {
				t.Fatalf("tell: %d %s", status, body)
			}
		}
		tell("investigating", "answers", "on")
		d.run(t, func() bool { return d.number(t, "SELECT COUNT(*) FROM helpdesk_messages WHERE author = 'agent'") == 10 })
		for body, want := range map[string]int{"Nous réparons.": 5, "We are mending it.": 5} {
			if got := d.number(t, "SELECT COUNT(*) FROM helpdesk_messages WHERE body = $1", body); got != want {
				t.Errorf("%q was said %d times", body, got)
			}
		}
		banners := d.x.Banners(d.english(), campus.Viewer{})
		if len(banners) != 1 || !banners[0].Stays || banners[0].Detail != "We are mending it." {
			t.Errorf("banners %+v", banners)
		}

		tell("over", "solves", "on")
		d.run(t, func() bool { return d.number(t, "SELECT COUNT(*) FROM helpdesk_tickets WHERE state = 'solved'") == 10 })
		if n := len(d.x.Banners(d.english(), campus.Viewer{})); n != 0 {
			t.Errorf("%d banners when it is over", n)
		}
		_, page := d.ask(t, manager, "GET", "/helpdesk/outages/"+o.ID, nil)
		_, after, _ := strings.Cut(page, `name="update" value="`)
		update, _, _ := strings.Cut(after, `"`)
		if status, _ := d.ask(t, manager, "POST", "/helpdesk/outages/"+o.ID+"/undo", pagetest.Form("update", update)); status != http.StatusSeeOther {
			t.Fatalf("undo: %d", status)
		}
		d.run(t, func() bool { return d.number(t, "SELECT COUNT(*) FROM helpdesk_tickets WHERE state = 'open'") == 10 })
	})
}

func TestWhatIsUsualAtThisHourIsNoIncident(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		for week := 1; week <= 8; week++ {
			d.Tx(func(tx db.Tx) error {
				_, err := tx.ExecContext(t.Context(), "INSERT INTO helpdesk_outage_counts (alike, began_at, opened) VALUES ('reason:identity.upstream_unreachable', $1, 10)",
					db.At(tickettest.Start.AddDate(0, 0, -7*week)))
				return err
			})
		}
		for n := range 12 {
			d.open(t, n, nil)
		}
		if n := d.number(t, "SELECT COUNT(*) FROM jobs WHERE name = 'helpdesk.outage_suspect'"); n != 1 {
			t.Fatalf("%d jobs look at it", n)
		}
		d.run(t, func() bool {
			return d.number(t, "SELECT COUNT(*) FROM jobs WHERE name = 'helpdesk.outage_suspect' AND state IN ('waiting', 'running')") == 0
		})
		if n := d.number(t, "SELECT COUNT(*) FROM helpdesk_outages"); n != 0 {
			t.Errorf("%d incidents out of what happens every week", n)
		}
	})
}

func TestWhatWasDismissedIsNotSuspectedAgain(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		for n := range 9 {
			d.open(t, n, nil)
		}
		d.run(t, func() bool { return d.number(t, "SELECT COUNT(*) FROM helpdesk_tickets WHERE outage_id <> ''") == 9 })
		o := d.only(t)
		if status, _ := d.ask(t, manager, "POST", "/helpdesk/outages/"+o.ID+"/dismiss", pagetest.Form("version", fmt.Sprint(o.Version))); status != http.StatusSeeOther {
			t.Fatalf("dismiss: %d", status)
		}
		for n := range 9 {
			d.open(t, 20+n, nil)
		}
		d.run(t, func() bool {
			return d.number(t, "SELECT COUNT(*) FROM helpdesk_tickets WHERE outage_id <> ''") == 0 && d.number(t, "SELECT COUNT(*) FROM jobs WHERE name = 'helpdesk.outage_suspect' AND state IN ('waiting', 'running')") == 0
		})
		if n := d.number(t, "SELECT COUNT(*) FROM helpdesk_outages"); n != 1 {
			t.Errorf("%d incidents", n)
		}
	})
}

func TestWhoMayDoWhat(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		mine := d.open(t, 1, nil)
		var o outage.Outage
		d.Tx(func(tx db.Tx) (err error) {
			o, err = d.x.Make(t.Context(), tx, outage.Outage{Kind: outage.Incident, Impact: outage.Down, Title: hours.Named{English: "Secret suspicion"}})
			return err
		})
		base, version := "/helpdesk/outages/"+o.ID, fmt.Sprint(o.Version)
		for _, c := range []struct {
			method, path string
			form         url.Values
			agents       bool // may do it too
		}{
			{"GET", "/helpdesk/outages", nil, true},
			{"GET", "/helpdesk/outages/new", nil, true},
			{"POST", "/helpdesk/outages/new", pagetest.Form(), true},
			{"GET", base, nil, true},
			{"POST", base + "/attach", pagetest.Form("number", mine.Number), true},
			{"POST", base + "/detach", pagetest.Form("number", mine.Number), true},
			{"POST", base + "/keep", pagetest.Form("version", version), false},
			{"POST", base + "/tell", pagetest.Form("version", version, "state", "over"), false},
			{"POST", base + "/dismiss", pagetest.Form("version", "0"), false},
			{"POST", base + "/merge", pagetest.Form("version", "0"), false},
			{"POST", base + "/undo", pagetest.Form("update", "x"), false},
		} {
			for name, who := range map[string]campus.Viewer{"a student": lina, "a stranger": {}} {
				want := http.StatusForbidden
				if who.Person == "" {
					want = map[string]int{"GET": http.StatusSeeOther, "POST": http.StatusUnauthorized}[c.method]
				}
				if status, body := d.ask(t, who, c.method, c.path, c.form); status != want || strings.Contains(body, "Secret suspicion") {
					t.Errorf("%s reaches %s %s: %d", name, c.method, c.path, status)
				}
			}
			agent := nadia
			agent.Rights = []campus.Right{campus.RightHelpdesk}
			if status, _ := d.ask(t, agent, c.method, c.path, c.form); (status != http.StatusForbidden) != c.agents {
				t.Errorf("an agent at %s %s: %d", c.method, c.path, status)
			}
		}
		if status, body := d.ask(t, campus.Viewer{}, "GET", "/helpdesk/status/"+o.ID, nil); status != http.StatusNotFound || strings.Contains(body, "Secret suspicion") {
			t.Errorf("a stranger reads what is suspected: %d", status)
		}
		if status, _ := d.ask(t, campus.Viewer{}, "POST", "/helpdesk/status/"+o.ID+"/follow", pagetest.Form("contact", "me@x.example")); status != http.StatusNotFound {
			t.Errorf("a stranger follows what is suspected: %d", status)
		}
		somewhere := nadia
		somewhere.Rights = []campus.Right{campus.RightDesks} // runs the desk, handles no ticket
		if status, _ := d.ask(t, somewhere, "POST", base+"/attach", pagetest.Form("number", mine.Number)); status != http.StatusNotFound {
			t.Errorf("a ticket is attached by somebody who may not handle it: %d", status)
		}
	})
}

func TestAnAgentProposesAndThoseWhoRunTheDeskAnnounce(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		agent := nadia
		agent.Rights = []campus.Right{campus.RightHelpdesk}
		form := pagetest.Form("kind", "incident", "title_en", "Moodle is away", "impact", "down", "services", "moodle", "words_en", "We look into it.")
		if status, body := d.ask(t, agent, "POST", "/helpdesk/outages/new", form); status != http.StatusSeeOther {
			t.Fatalf("propose: %d %s", status, body)
		}
		if o := d.only(t); o.State != outage.Suspected || o.Title.French != "Moodle is away" {
			t.Errorf("proposed %+v", o)
		}
		if status, _ := d.ask(t, agent, "POST", "/helpdesk/outages/new", pagetest.Form("kind", "maintenance", "title_en", "X", "impact", "down", "begins", "2026-12-01T10:00", "ends", "2026-12-01T11:00")); status != http.StatusUnprocessableEntity {
			t.Errorf("an agent announces maintenance: %d", status)
		}
		first := d.only(t)
		if status, _ := d.ask(t, manager, "POST", "/helpdesk/outages/new", form); status != http.StatusSeeOther {
			t.Fatalf("announce: %d", status)
		}
		found, err := d.x.Suggest(d.english(), diagnosis.Wanted{Service: "moodle"})
		if err != nil || len(found) != 1 || !found[0].Outage {
			t.Fatalf("who asks about Moodle is shown %v %v", found, err)
		}
		if found, _ = d.x.Suggest(d.english(), diagnosis.Wanted{Service: "wiki"}); len(found) != 0 {
			t.Errorf("who asks about the wiki is shown %v", found)
		}
		var second string
		if err := d.DB.Read().QueryRowContext(t.Context(), "SELECT id FROM helpdesk_outages WHERE announced_at > 0").Scan(&second); err != nil {
			t.Fatal(err)
		}
		if status, _ := d.ask(t, manager, "POST", "/helpdesk/outages/"+first.ID+"/merge", pagetest.Form("version", fmt.Sprint(first.Version), "into", second)); status != http.StatusSeeOther {
			t.Fatalf("merge: %d", status)
		}
		if late := d.open(t, 1, func(x *ticket.Ticket) { x.Reason, x.Area, x.Service = "", ticket.AreaService, "moodle" }); late.Outage != second {
			t.Errorf("a ticket about Moodle belongs to %q", late.Outage)
		}
	})
}

func TestWhoSubscribesIsToldOnceAndCanLeave(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		if status, _ := d.ask(t, manager, "POST", "/helpdesk/outages/new", pagetest.Form("kind", "incident", "title_en", "Moodle is away", "impact", "down", "words_en", "We look into it.")); status != http.StatusSeeOther {
			t.Fatalf("announce: %d", status)
		}
		o := d.only(t)
		page := "/helpdesk/status/" + o.ID
		for range 2 { // the second time changes nothing
			if status, _ := d.ask(t, lina, "POST", page+"/follow", pagetest.Form()); status != http.StatusSeeOther {
				t.Fatalf("follow: %d", status)
			}
		}
		if status, body := d.ask(t, campus.Viewer{}, "POST", page+"/follow", pagetest.Form("contact", "nonsense")); status != http.StatusUnprocessableEntity || !strings.Contains(body, "nonsense") {
			t.Errorf("a mistyped address: %d", status)
		}
		if n := d.number(t, "SELECT COUNT(*) FROM helpdesk_outage_subscribers WHERE mail <> ''"); n != 0 {
			t.Errorf("%d strangers were subscribed without a proof", n)
		}
		if status, _ := d.ask(t, campus.Viewer{}, "POST", page+"/follow", pagetest.Form("contact", "mum@home.example")); status != http.StatusSeeOther {
			t.Fatalf("a stranger follows: %d", status)
		}
		if status, body := d.ask(t, campus.Viewer{}, "POST", "/helpdesk/proof", pagetest.Form("code", tickettest.RightCode)); status != http.StatusSeeOther {
			t.Fatalf("prove: %d %s", status, body)
		}
		form := pagetest.Form("version", fmt.Sprint(d.only(t).Version), "state", "identified", "words_fr", "Trouvé.", "words_en", "Found it.")
		if status, _ := d.ask(t, manager, "POST", "/helpdesk/outages/"+o.ID+"/tell", form); status != http.StatusSeeOther {
			t.Fatal("tell")
		}
		d.run(t, func() bool {
			d.mu.Lock()
			defer d.mu.Unlock()
			return len(d.told[lina.Person]) >= 1 && len(d.mails) >= 1
		})
		if len(d.told[lina.Person]) != 1 || len(d.mails) != 1 || d.mails[0].To != "mum@home.example" || !strings.Contains(d.mails[0].Text, "Found it.") {
			t.Fatalf("told %v, mails %v", d.told[lina.Person], d.mails)
		}
		_, after, _ := strings.Cut(d.mails[0].Text, "/helpdesk/unfollow/")
		if after == "" {
			t.Fatalf("no link in %s", d.mails[0].Text)
		}
		token := strings.Fields(after)[0]
		for _, wrong := range []string{"x", token + "x"} {
			if status, _ := d.ask(t, campus.Viewer{}, "POST", "/helpdesk/unfollow/"+wrong, pagetest.Form()); status != http.StatusGone {
				t.Errorf("a made-up link: %d", status)
			}
		}
		if status, _ := d.ask(t, campus.Viewer{}, "GET", "/helpdesk/unfollow/"+token, nil); status != http.StatusOK || d.number(t, "SELECT COUNT(*) FROM helpdesk_outage_subscribers WHERE mail <> ''") != 1 {
			t.Errorf("following the link ended it: %d", status)
		}
		if status, _ := d.ask(t, campus.Viewer{}, "POST", "/helpdesk/unfollow/"+token, pagetest.Form()); status != http.StatusSeeOther || d.number(t, "SELECT COUNT(*) FROM helpdesk_outage_subscribers WHERE mail <> ''") != 0 {
			t.Errorf("leaving: %d", status)
		}
	})
}

func TestMaintenanceIsAnnouncedBeforeAndDuring(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		form := pagetest.Form("kind", "maintenance", "title_fr", "Mise à jour de Moodle", "title_en", "Moodle is updated", "impact", "down", "services", "moodle",
			"begins", "2026-11-24T20:00", "ends", "2026-11-24T22:00", "words_en", "Keep your work elsewhere meanwhile.")
		if status, body := d.ask(t, manager, "POST", "/helpdesk/outages/new", form); status != http.StatusSeeOther {
			t.Fatalf("plan: %d %s", status, body)
		}
		o := d.only(t)
		for name, c := range map[string]struct {
			at      time.Time
			banners int
			stays   bool
		}{
			"two weeks before": {o.Begins.Add(-14 * 24 * time.Hour), 0, false},
			"the day before":   {o.Begins.Add(-24 * time.Hour), 1, false},
			"during":           {o.Begins.Add(time.Hour), 1, true},
			"when it is over":  {o.Ends, 0, false},
		} {
			d.Clock.Set(c.at)
			got := d.x.Banners(d.english(), campus.Viewer{})
			if len(got) != c.banners || len(got) == 1 && got[0].Stays != c.stays {
				t.Errorf("%s: %+v", name, got)
			}
		}
		d.Clock.Set(tickettest.Start)
		if status, body := d.ask(t, campus.Viewer{}, "GET", "/helpdesk/status/"+o.ID+"/calendar.ics", nil); status != http.StatusOK || !strings.Contains(body, "DTSTART:20261124T190000Z") {
			t.Errorf("calendar: %d %s", status, body)
		}
		for _, path := range []string{"/helpdesk/status", "/helpdesk/status/status.json", "/helpdesk/status/feed.atom?language=en", "/helpdesk/status/" + o.ID} {
			if status, body := d.ask(t, campus.Viewer{Locale: campus.English}, "GET", path, nil); status != http.StatusOK || !strings.Contains(body, "Moodle is updated") && !strings.Contains(body, "Mise à jour de Moodle") {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
	})
}

func TestAStrangerHearsOfWhatIsEverywhereAndPeopleOfTheirCampus(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		form := pagetest.Form("kind", "incident", "title_en", "No Wi-Fi", "impact", "down", "campuses", "north", "words_en", "We look into it.")
		if status, _ := d.ask(t, manager, "POST", "/helpdesk/outages/new", form); status != http.StatusSeeOther {
			t.Fatal("announce")
		}
		at := func(code string) campus.Viewer {
			return campus.Viewer{Person: "p", Affiliations: []campus.Affiliation{{Campus: code}}}
		}
		for name, c := range map[string]struct {
			who  campus.Viewer
			want int
		}{"a stranger": {campus.Viewer{}, 0}, "somebody there": {at("north"), 1}, "somebody elsewhere": {at("south"), 0}, "somebody without a campus": {campus.Viewer{Person: "p"}, 1}} {
			if got := d.x.Banners(d.english(), c.who); len(got) != c.want {
				t.Errorf("%s: %v", name, got)
			}
		}
	})
}

func TestWhoIsAboutToSignInReadsWhatConcernsTheServiceAndIsPublic(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		for _, form := range []url.Values{
			pagetest.Form("kind", "incident", "title_en", "No Wi-Fi", "impact", "down", "campuses", "north", "words_en", "We look into it."),
			pagetest.Form("kind", "incident", "title_en", "Moodle is slow", "impact", "slow", "campuses", "north", "services", "moodle", "words_en", "We look into it."),
		} {
			if status, body := d.ask(t, manager, "POST", "/helpdesk/outages/new", form); status != http.StatusSeeOther {
				t.Fatalf("announce: %d %s", status, body)
			}
		}
		// An agent only says what they suspect: nobody reads it yet.
		if status, body := d.ask(t, campus.Viewer{Person: "agent", Rights: []campus.Right{campus.RightHelpdesk}}, "POST", "/helpdesk/outages/new", pagetest.Form("kind", "incident", "title_en", "A secret suspicion", "impact", "down", "services", "moodle", "words_en", "x")); status != http.StatusSeeOther {
			t.Fatalf("suspect: %d %s", status, body)
		}
		at := func(code string) campus.Viewer {
			return campus.Viewer{Person: "p", Affiliations: []campus.Affiliation{{Campus: code}}}
		}
		for name, c := range map[string]struct {
			who     campus.Viewer
			service string
			want    int
		}{
			"a stranger on the way there":     {campus.Viewer{}, "moodle", 1},
			"a stranger on the way elsewhere": {campus.Viewer{}, "koha", 0},
			"somebody of that campus":         {at("north"), "moodle", 1},
			"somebody of another one":         {at("south"), "moodle", 0},
		} {
			got := d.x.BannersOf(d.english(), c.who, c.service)
			if len(got) != c.want || len(got) == 1 && (got[0].Title != "Moodle is slow (North)" || !got[0].Stays) {
				t.Errorf("%s: %+v", name, got)
			}
		}
	})
}

func TestAnUpdateThatIsTakenBackWhileItIsWrittenSolvesNoMore(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		first, second := d.open(t, 1, nil), d.open(t, 2, nil)
		var o outage.Outage
		d.Tx(func(tx db.Tx) (err error) {
			if o, err = d.x.Make(t.Context(), tx, outage.Outage{Kind: outage.Incident, Impact: outage.Down, Title: hours.Named{English: "Away"}}); err != nil {
				return err
			}
			o, err = d.x.Tell(t.Context(), tx, manager.Person, o, outage.Telling{State: outage.Over, Words: hours.Named{English: "It is back."}, Solves: true})
			return err
		})
		var update string
		if err := d.DB.Read().QueryRowContext(t.Context(), "SELECT id FROM helpdesk_outage_updates").Scan(&update); err != nil {
			t.Fatal(err)
		}
		u, _, err := d.x.UpdateCalled(t.Context(), update) // as the job read it when it began
		if err != nil {
			t.Fatal(err)
		}
		if stands, err := d.x.AnswerSome(t.Context(), u, first.ID); err != nil || !stands {
			t.Fatal(stands, err)
		}
		if status, _ := d.ask(t, manager, "POST", "/helpdesk/outages/"+o.ID+"/undo", pagetest.Form("update", update)); status != http.StatusSeeOther {
			t.Fatalf("undo: %d", status)
		}
		if stands, err := d.x.AnswerSome(t.Context(), u, second.ID); err != nil || stands {
			t.Errorf("it goes on: %t, %v", stands, err)
		}
		for _, c := range []struct {
			id   string
			want ticket.State
		}{{first.ID, ticket.Solved}, {second.ID, ticket.New}} {
			if one, err := d.Tickets.ByID(t.Context(), c.id); err != nil || one.State != c.want {
				t.Errorf("%s is %s, not %s: %v", one.Number, one.State, c.want, err)
			}
		}
	})
}

func TestNothingIsMergedIntoWhatEndedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		make := func(tx db.Tx, title string) (outage.Outage, error) {
			return d.x.Make(t.Context(), tx, outage.Outage{Kind: outage.Incident, Impact: outage.Down, Title: hours.Named{English: title}})
		}
		var one, other outage.Outage
		d.Tx(func(tx db.Tx) (err error) {
			if one, err = make(tx, "One"); err == nil {
				other, err = make(tx, "Other")
			}
			return err
		})
		d.Tx(func(tx db.Tx) error { // a colleague, after the page was read
			_, err := d.x.Tell(t.Context(), tx, manager.Person, other, outage.Telling{State: outage.Over, Words: hours.Named{English: "Back"}})
			return err
		})
		err := d.DB.InTx(t.Context(), func(tx db.Tx) error { return d.x.Merge(t.Context(), tx, one, other) })
		if !errors.Is(err, outage.Changed) {
			t.Errorf("it is merged: %v", err)
		}
	})
}

func TestAnIncidentListsOnlyTicketsThatItsReaderMayHandle(t *testing.T) {
	each(t, func(t *testing.T, d *desk) {
		secret := d.open(t, 1, func(x *ticket.Ticket) { x.Subject = "A private matter" })
		var o outage.Outage
		d.Tx(func(tx db.Tx) (err error) {
			o, err = d.x.Make(t.Context(), tx, outage.Outage{Kind: outage.Incident, Impact: outage.Down, Title: hours.Named{English: "Away"}})
			return err
		})
		if status, _ := d.ask(t, manager, "POST", "/helpdesk/outages/"+o.ID+"/attach", pagetest.Form("number", secret.Number)); status != http.StatusSeeOther {
			t.Fatalf("attach: %d", status)
		}
		runs := nadia
		runs.Rights = []campus.Right{campus.RightDesks} // runs the desk, handles no ticket
		for name, c := range map[string]struct {
			who  campus.Viewer
			sees bool
		}{"who handles it": {manager, true}, "who does not": {runs, false}} {
			if status, body := d.ask(t, c.who, "GET", "/helpdesk/outages/"+o.ID, nil); status != http.StatusOK || strings.Contains(body, "A private matter") != c.sees || strings.Contains(body, secret.Number) != c.sees {
				t.Errorf("%s: %d", name, status)
			}
		}
	})
}
