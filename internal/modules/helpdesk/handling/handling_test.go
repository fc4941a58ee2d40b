package handling_test

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/handling"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/words"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// kit is the alcove with neighbours that remember what they were asked.
type kit struct {
	*tickettest.Desk
	h      *handling.Handling
	store  files.Store
	server *httptest.Server
	mu     sync.Mutex
	looks  []contract.Look
	told   map[campus.PersonID][]contract.Notice
	done   []string // acts
	busy   error    // what the room of the acts answers
}

var people = map[campus.PersonID]campus.Viewer{
	campustest.Lina().Person: campustest.Lina(), campustest.Paul().Person: campustest.Paul(), campustest.Sam().Person: campustest.Sam(), nour().Person: nour(),
}

// nour is a second agent, and runs the desk.
func nour() campus.Viewer {
	return campus.Viewer{
		Person: "01900000-0000-7000-8000-0000000000aa", Login: "nour", GivenName: "Nour", FamilyName: "Haddad", Mail: "nour@valmont.example",
		Rights: []campus.Right{campus.RightHelpdesk, campus.RightDesks}, Locale: campus.French,
	}
}

// elsewhere is an agent of another campus.
func elsewhere() campus.Viewer {
	return campus.Viewer{Person: "p-nord", GivenName: "Ana", Mandates: []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "nord"}}, Locale: campus.English}
}

type register struct{ contract.Register }

func (register) KnownPeople(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	known := map[campus.PersonID]contract.Known{}
	for _, who := range ids {
		if v, ok := people[who]; ok {
			known[who] = contract.Known{ID: who, Subject: contract.Subject{Login: v.Login, GivenName: v.GivenName, FamilyName: v.FamilyName, Mail: v.Mail, Locale: v.Locale, Affiliations: v.Affiliations}}
		}
	}
	return known, nil
}

func (k *kit) SeekPeople(ctx context.Context, v campus.Viewer, words string, _ int) ([]contract.Known, error) {
	var found []contract.Known
	known, _ := register{}.KnownPeople(ctx, []campus.PersonID{campustest.Lina().Person, campustest.Paul().Person})
	for _, p := range known {
		if strings.Contains(strings.ToLower(p.Subject.FamilyName), words) && v.CanFor(campus.RightHelpdesk, p.Subject.Affiliations) {
			found = append(found, p)
		}
	}
	return found, nil
}

var badContact = fault.Declare(fault.Invalid, "helpdesk.test_contact")

func (k *kit) ReadContact(typed string) (contract.Contact, error) {
	switch {
	case strings.Contains(typed, "@"):
		return contract.Contact{Value: strings.ToLower(typed)}, nil
	case strings.HasPrefix(typed, "06"):
		return contract.Contact{Phone: true, Value: "+33" + strings.ReplaceAll(typed[1:], " ", "")}, nil
	}
	return contract.Contact{}, badContact
}

func (k *kit) ServiceCalled(context.Context, string) (string, string) { return "Moodle", "" }

func (k *kit) Looked(_ context.Context, l contract.Look) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.looks = append(k.looks, l)
	return nil
}

func (k *kit) Notify(_ context.Context, _ db.Tx, to campus.PersonID, n contract.Notice) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.told[to] = append(k.told[to], n)
	return nil
}

func (k *kit) About(_ context.Context, v campus.Viewer, who campus.PersonID) ([]contract.Card, error) {
	if !v.Can(campus.RightHelpdesk) {
		return nil, nil
	}
	return []contract.Card{{ID: "identity.account", Title: "Account card", Rows: []contract.CardRow{{Title: "row of " + string(who)}}}}, nil
}

func (k *kit) Acts(_ context.Context, v campus.Viewer, _ campus.PersonID) ([]contract.Act, error) {
	if !v.Can(campus.RightHelpdesk) {
		return nil, nil
	}
	return []contract.Act{
		{ID: "identity.reset", Key: "helpdesk.handling.acts"},
		{ID: "identity.relay", Key: "helpdesk.handling.acts"},
		{ID: "identity.recovery", Key: "helpdesk.handling.acts", URL: "/identity/support/recoveries/new"},
		{ID: "provisioning.retry", Key: "helpdesk.handling.acts", Choices: []contract.Choice{{Value: "moodle", Label: "Moodle"}}},
	}, nil
}

func (k *kit) Do(r *http.Request, who campus.PersonID, act, choice, why string) (contract.Done, error) {
	if k.busy != nil {
		return contract.Done{}, k.busy
	}
	k.done = append(k.done, fmt.Sprint(web.Viewer(r).Login, " ", act, " ", choice, " ", why, " ", who == campustest.Lina().Person))
	if act == "identity.relay" {
		return contract.Done{Secret: "KRTM-WBZC", Spelled: "K as in Kilo"}, nil
	}
	return contract.Done{}, nil
}

// each runs a test with the alcove on each database.
func each(t *testing.T, test func(*testing.T, *kit)) {
	t.Helper()
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		k := &kit{Desk: x, told: map[campus.PersonID][]contract.Notice{}}
		store, err := files.Disk(t.TempDir(), 100<<20)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
		if err != nil {
			t.Fatal(err)
		}
		k.store = store
		box := &attached.Attached{DB: x.DB, Files: store, Tickets: x.Tickets}
		k.h = handling.New(handling.Deps{
			DB: x.DB, Clock: x.Clock, Keys: keys, Texts: x.Texts, Zone: x.Zone, Base: &url.URL{Scheme: "https", Host: "amphi.example"}, Tickets: x.Tickets, Files: box,
			Register: register{}, Seeker: k, Proofs: k, Places: place.Fixed{OfCampuses: []place.Place{{Code: "rives", French: "Rives", English: "Rives"}, {Code: "nord", French: "Nord", English: "North"}}},
			Services: k, Looks: k, Notices: k,
			AgentsOf: func(_ context.Context, code string) ([]campus.PersonID, error) {
				if code == "nord" {
					return []campus.PersonID{campustest.Sam().Person, nour().Person, campustest.Nadia().Person}, nil
				}
				return []campus.PersonID{campustest.Sam().Person, nour().Person}, nil
			},
			Dossiers: func() []contract.Dossier { return []contract.Dossier{k} },
			Acts:     func() []contract.Acts { return []contract.Acts{k} },
		})
		x.Tickets.Connect(x, x, &words.Index{DB: x.DB}, k.h, x)
		k.server = x.Serve(func(r *web.Router) {
			k.h.Routes(r)
			box.Routes(r)
		})
		x.Viewer = campustest.Sam()
		test(t, k)
	})
}

// asked is a ticket of Lina on the campus Rives.
func (k *kit) asked(subject, body string) ticket.Ticket {
	k.T.Helper()
	var t ticket.Ticket
	lina := campustest.Lina()
	k.Tx(func(tx db.Tx) (err error) {
		t, err = k.Tickets.Open(k.T.Context(), tx, tickettest.By(ticket.Requester, lina), ticket.Opening{
			Ticket: ticket.Ticket{
				Channel: ticket.ByPortal, Subject: subject, Locale: campus.French, Requester: lina.Person, RequesterName: lina.DisplayName(), RequesterMail: lina.Mail,
				Campus: "rives", Reason: "helpdesk.ticket_missing", IncidentCode: "K7QM-2XHD", Service: "moodle",
			},
			Message: ticket.Message{Body: body, Folded: "> ancien message"},
			Facts:   []ticket.Fact{{Label: "browser", Content: "Firefox 140"}},
		})
		return err
	})
	return t
}

// as makes somebody the one who asks.
func (k *kit) as(v campus.Viewer) *kit {
	k.Viewer = v
	return k
}

func (k *kit) get(path string) (int, string) {
	k.T.Helper()
	resp, body := pagetest.Ask(k.T, pagetest.Still(), http.MethodGet, k.server.URL+path, nil)
	return resp.StatusCode, body
}

// page is the page of a ticket.
func (k *kit) page(t ticket.Ticket) string {
	k.T.Helper()
	status, body := k.get(handling.URL(t.Number))
	if status != http.StatusOK {
		k.T.Fatalf("the page of a ticket: %d", status)
	}
	return body
}

func (k *kit) post(t ticket.Ticket, rest string, pairs ...string) (int, string, string) {
	k.T.Helper()
	return k.send(handling.URL(t.Number)+"/"+rest, pairs...)
}

func (k *kit) send(path string, pairs ...string) (int, string, string) {
	k.T.Helper()
	resp, body := pagetest.Ask(k.T, pagetest.Still(), http.MethodPost, k.server.URL+path, pagetest.Form(pairs...))
	return resp.StatusCode, body, resp.Header.Get("Location")
}

// now is a ticket as it stands.
func (k *kit) now(t ticket.Ticket) ticket.Ticket {
	k.T.Helper()
	t, err := k.Tickets.ByID(k.T.Context(), t.ID)
	if err != nil {
		k.T.Fatal(err)
	}
	return t
}

func (k *kit) thread(t ticket.Ticket) ticket.Thread {
	k.T.Helper()
	thread, err := k.Tickets.Thread(k.T.Context(), t.ID)
	if err != nil {
		k.T.Fatal(err)
	}
	return thread
}

// kinds are what happened to a ticket.
func (k *kit) kinds(t ticket.Ticket) string {
	var list []string
	for _, e := range k.thread(t).Events {
		list = append(list, e.Kind)
	}
	return strings.Join(list, " ")
}

func contains(t *testing.T, body string, all ...string) {
	t.Helper()
	text := html.UnescapeString(body)
	for _, part := range all {
		if !strings.Contains(text, part) {
			t.Errorf("the page does not say %q", part)
		}
	}
}

func ver(t ticket.Ticket) string { return fmt.Sprint(t.Version) }

func TestAnAgentReadsATicketWithAllThatBelongsToIt(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		before := k.asked("Ancienne demande", "Réglée.")
		tick := k.asked("Connexion refusée", "Je ne peux plus entrer.")
		k.Change(tick, tickettest.By(ticket.Agent, nour()), func(w *ticket.Work) error {
			w.Note(ticket.Message{Body: "Déjà vue hier."})
			w.Assign(nour().Person)
			return nil
		})
		body := k.page(tick)
		contains(t, body, "Connexion refusée", ticket.Spoken(tick.Number), "Je ne peux plus entrer.", "> ancien message", "Déjà vue hier.", "among agents", "Nour Haddad has it",
			"Firefox 140", "/identity/support/incidents/K7QM-2XHD?return=%2Fhelpdesk%2Ftickets%2F"+tick.Number, "Cette demande n’existe pas", "Account card", "Given to Nour Haddad", handling.URL(before.Number), "lmartin")
		body = strings.ReplaceAll(body, "⟦helpdesk.handling.acts.label⟧", "") // the act of the test has no sentences
		if strings.Contains(body, "⟦") {
			t.Errorf("a sentence is missing: %s", regexp.MustCompile(`⟦[^⟧]*⟧`).FindString(body))
		}
		if len(k.looks) != 1 || k.looks[0].About != tick.Requester || k.looks[0].Why != ticket.Spoken(tick.Number) || k.looks[0].By != campustest.Sam().Person {
			t.Errorf("looks %v", k.looks)
		}
	})
}

func TestATicketIsGivenToNobodyWhoCannotOpenIt(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		north := campustest.Nadia().Person
		tick := k.asked("S", "corps") // of the campus rives
		option := `value="` + string(north) + `"`
		if strings.Contains(k.page(tick), option) {
			t.Error("an agent of another campus is offered")
		}
		if status, _, _ := k.post(tick, "place", "queue", tick.Queue, "priority", "3", "assignee", string(north), "version", "1"); status != http.StatusUnprocessableEntity {
			t.Errorf("given to an agent of another campus: %d", status)
		}
		if now := k.now(tick); now.Assignee != "" {
			t.Errorf("%s has it", now.Assignee)
		}
	})
}

func TestAnAgentOfOneCampusMovesARequestWithinReach(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		var rives, nord ticket.Queue
		k.Tx(func(tx db.Tx) (err error) {
			if rives, err = k.Tickets.KeepQueue(t.Context(), tx, ticket.Queue{Team: "network", Campus: "rives", NameFrench: "Réseau, Rives"}); err != nil {
				return err
			}
			nord, err = k.Tickets.KeepQueue(t.Context(), tx, ticket.Queue{Team: "network", Campus: "nord", NameFrench: "Réseau, Nord"})
			return err
		})
		tick := k.asked("S", "corps") // of the campus rives
		k.as(campus.Viewer{Person: "p-rives", GivenName: "Ana", Locale: campus.English, Mandates: []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "rives"}}})
		page := k.page(tick)
		if !strings.Contains(page, `value="`+rives.ID+`"`) || strings.Contains(page, `value="`+nord.ID+`"`) {
			t.Error("the queues offered are not those in reach")
		}
		if status, _, _ := k.post(tick, "place", "queue", nord.ID, "priority", "3"); status != http.StatusNotFound || k.now(tick).Queue != tick.Queue {
			t.Errorf("moved to a queue of another campus: %d", status)
		}
		if status, _, _ := k.post(tick, "place", "queue", rives.ID, "priority", "3"); status != http.StatusSeeOther || k.now(tick).Queue != rives.ID {
			t.Errorf("moved to a queue of its own campus: %d", status)
		}
	})
}

func TestATicketIsOfferedToTheAgentsOfItsCampus(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		people[campustest.Nadia().Person] = campustest.Nadia() // an agent of nord
		defer delete(people, campustest.Nadia().Person)
		tick := k.asked("S", "corps")
		k.Tx(func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE helpdesk_tickets SET campus = 'nord' WHERE id = $1", tick.ID)
			return err
		})
		if !strings.Contains(k.page(tick), `value="`+string(campustest.Nadia().Person)+`"`) {
			t.Error("an agent of its campus is not offered")
		}
		if status, _, _ := k.post(tick, "place", "queue", tick.Queue, "priority", "3", "assignee", string(campustest.Nadia().Person)); status != http.StatusSeeOther || k.now(tick).Assignee != campustest.Nadia().Person {
			t.Errorf("given to an agent of its campus: %d", status)
		}
	})
}

func TestCampusesAreNamedInTheLanguageOfThePage(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		for _, own := range campus.Locales { // whatever the agent's letters are written in
			agent := campustest.Sam()
			agent.Rights, agent.Locale = []campus.Right{campus.RightHelpdesk}, own
			_, page := k.as(agent).get("/helpdesk/tickets/new")
			french := strings.Contains(page, `<html lang="fr"`)
			if strings.Contains(page, ">Nord</option>") != french || strings.Contains(page, ">North</option>") == french {
				t.Errorf("an agent of the language %s reads another one than the page's (French: %v)", own, french)
			}
		}
	})
}

func TestEveryAddressAsksWhoMayHandleTheTicket(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		other := k.asked("Autre", "corps")
		message := k.thread(tick).Messages[0].ID
		at := handling.URL(tick.Number)
		pages := []string{at, at + "/merge", at + "/merge?with=" + other.Number, at + "/messages/" + message + "/split", at + "/messages/" + message + "/redact", at + "/acts/identity.reset"}
		posts := map[string][]string{
			at + "/messages": {"body", "x", "kind", "reply"}, at + "/template": {"template", "x"}, at + "/draft": {"body", "x", "touched", "1"}, at + "/state": {"to", "close"},
			at + "/place": {"queue", tick.Queue, "priority", "1"}, at + "/mine": {}, at + "/watch": {"on", "1"}, at + "/undo": {}, at + "/called": {}, at + "/merge": {"with", other.Number},
			at + "/link": {"with", other.Number}, at + "/unlink": {"with", other.Number}, at + "/messages/" + message + "/split": {"subject", "x"},
			at + "/messages/" + message + "/redact": {"all", "1", "why", "x"}, at + "/acts/identity.reset": {},
		}
		for name, who := range map[string]struct {
			viewer campus.Viewer
			status int
		}{
			"an agent of another campus": {elsewhere(), http.StatusNotFound},
			"a student":                  {campustest.Lina(), http.StatusForbidden},
			"an administrator":           {campustest.Alix(), http.StatusForbidden},
			"a stranger":                 {campus.Viewer{}, http.StatusSeeOther},
		} {
			k.as(who.viewer)
			for _, path := range pages {
				if status, _ := k.get(path); status != who.status {
					t.Errorf("%s reads %s: %d", name, strings.TrimPrefix(path, at), status)
				}
			}
			for path, form := range posts {
				want := who.status
				if want == http.StatusSeeOther { // a form is not sent again after signing in
					want = http.StatusUnauthorized
				}
				if status, _, _ := k.send(path, form...); status != want {
					t.Errorf("%s posts to %s: %d", name, strings.TrimPrefix(path, at), status)
				}
			}
		}
		if now := k.now(tick); now.Version != tick.Version || len(k.done) > 0 || len(k.thread(tick).Messages) != 1 || k.thread(tick).Messages[0].Body != "corps" {
			t.Errorf("somebody without a right changed it: %+v, %v", now, k.done)
		}
		for path, form := range map[string][]string{"/helpdesk/tickets/new": {"name", "X", "subject", "s", "body", "b", "channel", "phone", "area", "account", "campus", "rives"}} {
			for name, v := range map[string]campus.Viewer{"a student": campustest.Lina(), "an administrator": campustest.Alix()} {
				if status, _, _ := k.as(v).send(path, form...); status != http.StatusForbidden {
					t.Errorf("%s posts to %s: %d", name, path, status)
				}
				if status, _ := k.get(path); status != http.StatusForbidden {
					t.Errorf("%s reads %s: %d", name, path, status)
				}
			}
		}
		for _, path := range []string{"/helpdesk/setup/templates", "/helpdesk/setup/templates/new"} {
			for name, v := range map[string]campus.Viewer{"an agent": campustest.Sam(), "a student": campustest.Lina()} {
				if status, _ := k.as(v).get(path); status != http.StatusForbidden {
					t.Errorf("%s reads %s: %d", name, path, status)
				}
			}
		}
		for _, path := range []string{"/helpdesk/setup/templates/new", "/helpdesk/setup/templates/x/delete"} {
			if status, _, _ := k.as(campustest.Sam()).send(path, "title_fr", "a", "title_en", "a", "body_fr", "a", "body_en", "a"); status != http.StatusForbidden {
				t.Errorf("an agent posts to %s: %d", path, status)
			}
		}
	})
}

func TestTheStateChangesAsThePageOffers(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		for _, step := range []struct {
			to   string
			code int
			is   ticket.State
		}{
			{"take", http.StatusSeeOther, ticket.Open}, {"wait", http.StatusSeeOther, ticket.Waiting}, {"reopen", http.StatusConflict, ticket.Waiting}, {"solve", http.StatusSeeOther, ticket.Solved},
			{"reopen", http.StatusSeeOther, ticket.Open}, {"close", http.StatusSeeOther, ticket.Closed}, {"take", http.StatusConflict, ticket.Closed}, {"fly", http.StatusGone, ticket.Closed},
		} {
			status, _, _ := k.post(tick, "state", "to", step.to)
			if now := k.now(tick); status != step.code || now.State != step.is {
				t.Errorf("%s: %d, it is %s", step.to, status, now.State)
			}
		}
	})
}

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", tickettest.Steps()...)
}
