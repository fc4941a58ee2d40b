package handling_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

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
	"github.com/amphi-campus/amphi/internal/platform/jobs"
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
			Agents: func(context.Context) ([]campus.PersonID, error) {
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

func TestAnAnswerANoteAndWhatComesOfThem(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		status, _, to := k.post(tick, "messages", "body", "Essayez : mot de passe : Soleil2024!", "kind", "reply", "then", "wait", "minutes", "12", "version", ver(tick))
		now := k.now(tick)
		if status != http.StatusSeeOther || !strings.HasPrefix(to, handling.URL(tick.Number)) || now.State != ticket.Waiting || now.Spent.Minutes() != 12 || now.AnsweredAt.IsZero() {
			t.Fatalf("%d %s: %+v", status, to, now)
		}
		said := k.thread(tick).Messages[1]
		if said.Internal || strings.Contains(said.Body, "Soleil") || said.By.Name != "Sam Okafor" {
			t.Errorf("said %+v", said)
		}
		k.post(tick, "messages", "body", "Pour nous.", "kind", "note", "version", ver(now))
		thread := k.thread(tick)
		if len(thread.Messages) != 3 || !thread.Messages[2].Internal || len(thread.Public().Messages) != 2 || k.now(tick).State != ticket.Waiting {
			t.Errorf("a note: %+v", thread.Messages)
		}
		for name, form := range map[string][]string{
			"nothing": {"body", "  ", "kind", "reply"}, "minutes that are none": {"body", "garde ceci", "minutes", "dix"}, "too many minutes": {"body", "garde ceci", "minutes", "100000"},
			"an act that is none": {"body", "garde ceci", "then", "explode"}, "a book": {"body", strings.Repeat("a", 50_001)},
		} {
			if status, body, _ := k.post(tick, "messages", form...); status != http.StatusUnprocessableEntity || !strings.Contains(body, form[1]) {
				t.Errorf("%s: %d, or the text is lost", name, status)
			}
		}
	})
}

func TestNothingIsLostWhenTwoAgentsAnswerAtOnce(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		k.Clock.Advance(1_000_000_000)
		if status, _, _ := k.as(nour()).post(tick, "messages", "body", "La réponse de Nour.", "version", ver(tick), "seen", fmt.Sprint(tick.ChangedAt.UnixMicro())); status != http.StatusSeeOther {
			t.Fatalf("the first answer: %d", status)
		}
		status, body, _ := k.as(campustest.Sam()).post(tick, "messages", "body", "La réponse de Sam.", "then", "solve", "version", ver(tick), "seen", fmt.Sprint(tick.ChangedAt.UnixMicro()))
		if status != http.StatusConflict || k.now(tick).State == ticket.Solved {
			t.Fatalf("the second answer: %d", status)
		}
		contains(t, body, "La réponse de Sam.", "La réponse de Nour.", "Somebody changed this request while you wrote", ">new<")
		if !strings.Contains(k.page(tick), "La réponse de Sam.") {
			t.Error("the draft does not come back with the page")
		}
		version := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(body)[1]
		if status, _, _ := k.post(tick, "messages", "body", "La réponse de Sam.", "then", "solve", "version", version); status != http.StatusSeeOther || k.now(tick).State != ticket.Solved {
			t.Errorf("sent again: %d", status)
		}
		if strings.Contains(k.page(tick), "You began to write") {
			t.Error("the draft stays after it was sent")
		}
	})
}

func TestAFileTravelsWithTheTextUntilItIsSent(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, err := form.CreateFormFile("files", "trace.txt")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, "trace"); err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"body": "voir", "minutes": "x", "version": ver(tick)} {
			if err := form.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
		if err := form.Close(); err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(k.server.URL+handling.URL(tick.Number)+"/messages", form.FormDataContentType(), &body)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		again, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusUnprocessableEntity {
			t.Fatalf("%d, %v", resp.StatusCode, err)
		}
		kept := html.UnescapeString(regexp.MustCompile(`name="kept" value="([^"]+)"`).FindStringSubmatch(string(again))[1])
		if _, _, _ = k.post(tick, "messages", "body", "voir", "kept", kept+"x", "version", ver(tick)); len(k.thread(tick).Messages[1].Files) != 0 {
			t.Error("a forged list of files was believed")
		}
		other := k.asked("Autre", "corps")
		if _, _, _ = k.post(other, "messages", "body", "voir", "kept", kept); len(k.thread(other).Messages[1].Files) != 0 {
			t.Error("files of one ticket came into another")
		}
		k.post(tick, "messages", "body", "voir", "kept", kept)
		sent := k.thread(tick).Messages[2]
		if len(sent.Files) != 1 || sent.Files[0].Name != "trace.txt" {
			t.Fatalf("sent with %v", sent.Files)
		}
		if status, content := k.get(handling.URL(tick.Number) + "/files/" + sent.Files[0].ID); status != http.StatusOK || content != "trace" {
			t.Errorf("read back: %d %q", status, content)
		}
	})
}

func TestWhoWritesIsSeenByTheOthers(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		if status, body, _ := k.as(nour()).post(tick, "draft", "body", "Je commence", "kind", "note", "touched", "1", "version", ver(tick)); status != http.StatusOK || strings.Contains(body, "Nour") {
			t.Fatalf("%d %s", status, body)
		}
		k.Clock.Advance(2 * 60 * 1_000_000_000)
		contains(t, k.as(campustest.Sam()).page(tick), "Nour Haddad is writing here", "2 minutes ago")
		k.Change(tick, tickettest.By(ticket.Agent, nour()), func(w *ticket.Work) error { return w.Take() })
		if _, body, _ := k.post(tick, "draft", "body", "", "version", ver(tick)); !strings.Contains(body, "Nour Haddad") || !strings.Contains(body, "meanwhile") {
			t.Errorf("the pulse says %s", body)
		}
		k.Clock.Advance(10 * 60 * 1_000_000_000)
		if strings.Contains(k.page(tick), "is writing here") {
			t.Error("who left ten minutes ago still writes")
		}
		contains(t, k.as(nour()).page(tick), "Je commence", `value="note" checked`)
		if k.post(tick, "draft", "body", "", "touched", "1"); strings.Contains(k.page(tick), "Je commence") {
			t.Error("a draft that was emptied comes back")
		}
	})
}

var undoMark = regexp.MustCompile(`[?]undo=([^"#]+)`)

func TestWhatWasDoneCanBeTakenBackForAWhile(t *testing.T) {
	for name, test := range map[string]struct {
		path string
		form func(other ticket.Ticket) []string
	}{
		"closing":      {"state", func(ticket.Ticket) []string { return []string{"to", "close"} }},
		"solving":      {"messages", func(ticket.Ticket) []string { return []string{"body", "Voilà.", "then", "solve"} }},
		"taking":       {"mine", func(ticket.Ticket) []string { return nil }},
		"handing over": {"place", func(o ticket.Ticket) []string { return []string{"assignee", string(nour().Person), "queue", o.Queue} }},
		"merging":      {"merge", func(o ticket.Ticket) []string { return []string{"with", o.Number} }},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, k *kit) {
				tick, other := k.asked("S", "corps"), k.asked("Autre", "corps")
				status, _, to := k.post(tick, test.path, test.form(other)...)
				mark := undoMark.FindStringSubmatch(to)
				if status != http.StatusSeeOther || mark == nil {
					t.Fatalf("%d %s", status, to)
				}
				undo, err := url.QueryUnescape(mark[1])
				if err != nil {
					t.Fatal(err)
				}
				if _, body := k.get(to); !strings.Contains(body, "Take it back") {
					t.Error("the page does not offer to take it back")
				}
				if status, _, _ := k.as(nour()).post(tick, "undo", "undo", undo); status != http.StatusConflict {
					t.Errorf("another agent took it back: %d", status)
				}
				if status, _, _ := k.as(campustest.Sam()).post(other, "undo", "undo", undo); status != http.StatusConflict {
					t.Errorf("it was taken back in another ticket: %d", status)
				}
				if status, _, _ := k.post(tick, "undo", "undo", undo); status != http.StatusSeeOther {
					t.Errorf("taken back: %d", status)
				}
				if now := k.now(tick); now.State != ticket.New || now.Assignee != "" || now.MergedInto != "" {
					t.Errorf("it is %s, %q has it", now.State, now.Assignee)
				}
				if status, _, _ := k.post(tick, "undo", "undo", undo); status != http.StatusConflict {
					t.Errorf("taken back twice: %d", status)
				}
				_, _, to = k.post(tick, test.path, test.form(other)...)
				undo, _ = url.QueryUnescape(undoMark.FindStringSubmatch(to)[1])
				k.Clock.Advance(121 * 1_000_000_000)
				if status, _, _ := k.post(tick, "undo", "undo", undo); status != http.StatusConflict {
					t.Errorf("taken back after two minutes: %d", status)
				}
			})
		})
	}
}

func TestATicketIsHandedOverWithAWord(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		var second ticket.Queue
		k.Tx(func(tx db.Tx) (err error) {
			second, err = k.Tickets.KeepQueue(t.Context(), tx, ticket.Queue{Team: "network", NameEnglish: "Network"})
			return err
		})
		status, _, _ := k.post(tick, "place", "assignee", string(nour().Person), "queue", second.ID, "priority", "1", "until", "2026-11-30T09:00", "spent", "5", "note", "Regarde le VLAN.", "version", ver(tick))
		now := k.now(tick)
		if status != http.StatusSeeOther || now.Assignee != nour().Person || now.Queue != second.ID || now.Priority != ticket.Urgent || now.State != ticket.Postponed || now.Spent.Minutes() != 5 ||
			now.PostponedUntil.UTC().Format("2006-01-02 15:04") != "2026-11-30 08:00" {
			t.Fatalf("%d: %+v", status, now)
		}
		if note := k.thread(tick).Messages[1]; !note.Internal || note.Body != "Regarde le VLAN." {
			t.Errorf("the word is %+v", note)
		}
		if n := k.told[nour().Person]; len(n) != 1 || !strings.Contains(n[0].TitleEnglish, "given to you") || n[0].URL != handling.URL(tick.Number) {
			t.Errorf("Nour heard %v", n)
		}
		for name, form := range map[string][]string{
			"to a student": {"assignee", string(campustest.Lina().Person), "queue", second.ID}, "until yesterday": {"assignee", "", "queue", second.ID, "until", "2026-11-01T09:00"},
			"minutes that are none": {"assignee", "", "queue", second.ID, "spent", "-1"},
		} {
			if status, _, _ := k.post(tick, "place", form...); status != http.StatusUnprocessableEntity {
				t.Errorf("%s: %d", name, status)
			}
		}
		if status, _, _ := k.post(tick, "place", "queue", "none", "assignee", ""); status != http.StatusNotFound {
			t.Errorf("into no queue: %d", status)
		}
		if status, _, _ := k.post(tick, "place", "queue", second.ID, "assignee", "", "version", ver(tick)); status != http.StatusConflict || k.now(tick).Assignee == "" {
			t.Errorf("over somebody else's change: %d", status)
		}
	})
}

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

func TestWhatWasPastedByMistakeIsGone(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "Mon dossier médical : asthme sévère. Et mon compte bloque.")
		m := k.thread(tick).Messages[0]
		at := "messages/" + m.ID + "/redact"
		for name, form := range map[string][]string{
			"without a reason": {"pieces", "asthme sévère"}, "a passage that is not there": {"pieces", "diabète", "why", "santé"}, "nothing at all, of a text without quotations": {"why", "santé", "pieces", "absent"},
		} {
			if status, _, _ := k.post(tick, at, form...); status != http.StatusUnprocessableEntity {
				t.Errorf("%s: %d", name, status)
			}
		}
		if status, _, _ := k.post(tick, at, "pieces", "asthme sévère\n\n", "why", "donnée de santé"); status != http.StatusSeeOther {
			t.Fatalf("redact: %d", status)
		}
		body := k.page(tick)
		contains(t, body, "Mon dossier médical : █████. Et mon compte bloque.", "A message was redacted: donnée de santé", "Something was taken out")
		if strings.Contains(body, "asthme") || strings.Contains(body, "ancien message") {
			t.Error("it is still on the page")
		}
		for _, table := range []string{"helpdesk_messages", "helpdesk_events", "helpdesk_words"} {
			column := map[string]string{"helpdesk_messages": "body || folded", "helpdesk_events": "facts", "helpdesk_words": "word"}[table]
			var n int
			if err := k.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table+" WHERE "+column+" LIKE '%asthme%'").Scan(&n); err != nil || n > 0 {
				t.Errorf("%s still says it %d times, %v", table, n, err)
			}
		}
		var n int
		if err := k.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM helpdesk_words WHERE word = 'compte'").Scan(&n); err != nil || n == 0 {
			t.Errorf("the rest is no longer found: %v", err)
		}
	})
}

func TestAFilePastedByMistakeIsGone(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		f, err := k.h.Files.Take(t.Context(), strings.NewReader("ordonnance"), "ordonnance.txt")
		if err != nil {
			t.Fatal(err)
		}
		k.Change(tick, tickettest.By(ticket.Requester, campustest.Lina()), func(w *ticket.Work) error {
			w.Say(ticket.Message{Body: "voir", Files: []ticket.Attachment{f}})
			return nil
		})
		m := k.thread(tick).Messages[1]
		if status, _, _ := k.post(tick, "messages/"+m.ID+"/redact", "file", m.Files[0].ID, "why", "santé"); status != http.StatusSeeOther {
			t.Fatalf("redact: %d", status)
		}
		after := k.thread(tick).Messages[1]
		if after.Files[0].Ref != "" || after.Files[0].Name != "" || after.Body != "voir" {
			t.Errorf("it is %+v", after)
		}
		contains(t, k.page(tick), "This file was taken away")
		registry := jobs.NewRegistry()
		k.h.Files.Jobs(registry)
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			jobs.NewRunner(k.DB, registry, slog.New(slog.DiscardHandler), jobs.Options{Poll: 5 * time.Millisecond}).Run(ctx)
		}()
		for ctx.Err() == nil {
			if _, _, err := k.store.Open(ctx, files.Ref(f.Ref)); errors.Is(err, files.NotFound) {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if ctx.Err() != nil {
			t.Error("the store still has it")
		}
		stop()
		<-ended
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

func TestTextsAreInsertedInTheLanguageOfWhoAsked(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("Moodle refusé", "corps")
		form := []string{"title_fr", "Salut", "title_en", "Hello", "body_fr", "Bonjour {name}, {service} ({number}). {agent} {link} {inconnu}", "body_en", "Hello {name}"}
		k.as(nour())
		if status, _, _ := k.send("/helpdesk/setup/templates/new", form[:6]...); status != http.StatusUnprocessableEntity {
			t.Errorf("in one language: %d", status)
		}
		if status, _, _ := k.send("/helpdesk/setup/templates/new", form...); status != http.StatusSeeOther {
			t.Fatalf("kept: %d", status)
		}
		_, list := k.get("/helpdesk/setup/templates")
		one := regexp.MustCompile(`/helpdesk/setup/templates/([0-9a-f-]{36})`).FindStringSubmatch(list)
		if one == nil {
			t.Fatal("it is not listed")
		}
		status, body, _ := k.as(campustest.Sam()).post(tick, "template", "template", one[1], "body", "Déjà écrit.", "version", ver(tick))
		if status != http.StatusOK {
			t.Fatalf("insert: %d", status)
		}
		contains(t, body, "Déjà écrit.\n\nBonjour Lina Martin, Moodle ("+ticket.Spoken(tick.Number)+"). Sam Okafor https://amphi.example/helpdesk/follow/"+tick.Number+" {inconnu}")
		if status, _, _ := k.post(tick, "template", "body", "garde"); status != http.StatusUnprocessableEntity {
			t.Errorf("without a choice: %d", status)
		}
		k.as(nour())
		k.send("/helpdesk/setup/templates/" + one[1] + "/delete")
		if status, _, _ := k.post(tick, "template", "template", one[1]); status != http.StatusNotFound {
			t.Errorf("one that was taken away: %d", status)
		}
		if status, _, _ := k.send("/helpdesk/setup/templates/"+one[1], form...); status != http.StatusNotFound {
			t.Errorf("mending it: %d", status)
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
		k.post(made, "called")
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
