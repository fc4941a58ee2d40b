package recovery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/identitytest"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

var schemas = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "identity", FS: os.DirFS("..")}}

// goodPassword is what the tests' rules take.
const goodPassword = "un mot de passe long"

// house is the alcove with neighbours that remember what they were asked.
type house struct {
	*Recovery
	t      *testing.T
	clock  *clock.Manual
	server *httptest.Server
	viewer campus.Viewer
	actor  entry.Actor // on the way in

	mu       sync.Mutex
	events   []string
	letters  []reach.Letter
	removed  []string // what was taken from whom
	entered  []campus.PersonID
	stored   []campus.PersonID
	lina     campus.PersonID
	ana, bob campus.Viewer // agents
}

func (h *house) Write(_ context.Context, _ db.Tx, e journal.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e.Kind+" by "+string(e.Actor))
	return nil
}

func (h *house) Tell(_ context.Context, _ db.Tx, _ account.Person, l reach.Letter) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.letters = append(h.letters, l)
	return nil
}

func (h *house) note(what string, who campus.PersonID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.removed = append(h.removed, what+" of "+string(who))
}

func (h *house) Forget(_ context.Context, _ db.Tx, who campus.PersonID) error {
	h.note("factors", who)
	return nil
}

func (h *house) ForgetAll(_ context.Context, _ db.Tx, e journal.Event) (int, error) {
	h.note("devices", e.Person)
	return 1, nil
}

func (h *house) EndSessionsOf(_ context.Context, _ db.Tx, who campus.PersonID, _ string) (int, error) {
	h.note("sessions", who)
	return 1, nil
}

func (h *house) PersonByID(_ context.Context, who campus.PersonID) (account.Person, error) {
	login, ok := strings.CutPrefix(string(who), "p-")
	if !ok {
		return account.Person{}, Missing
	}
	p := account.Person{ID: who, Login: login, GivenName: login, FamilyName: "Ünal", State: account.Active, Locale: campus.English}
	if login == "root" {
		p.Rights = []campus.Right{campus.RightAdmin}
	}
	return p, nil
}

func (h *house) PersonByLogin(ctx context.Context, login string) (account.Person, error) {
	return h.PersonByID(ctx, campus.PersonID("p-"+login))
}

// passwords take goodPassword only.
type passwords struct{ *house }

func (p passwords) Fields(account.Person, string, web.Problems) renewal.NewPasswordProps {
	return (&renewal.Renewal{}).Fields(account.Person{}, "", nil)
}

func (p passwords) Problems(_ context.Context, _ account.Person, plain, again string) (web.Problems, error) {
	var problems web.Problems
	if plain != goodPassword || again != plain {
		problems.Add(renewal.PlainField, "identity.renewal.problem.missing")
	}
	return problems, nil
}

func (p passwords) Hash(_ context.Context, plain string) (renewal.Secret, error) {
	return renewal.Secret{Hash: "hash of " + plain}, nil
}

func (p passwords) Store(_ context.Context, _ db.Tx, who account.Person, _ renewal.Secret, _ journal.Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stored = append(p.stored, who.ID)
	return nil
}

// door is the way in; only what recovery uses is there.
type door struct {
	entry.Door
	*house
}

func (d door) Actor(*http.Request) (entry.Actor, error) {
	if d.actor.Person == "" {
		return entry.Actor{}, Missing
	}
	return d.actor, nil
}

func (d door) Enter(w http.ResponseWriter, r *http.Request, who campus.PersonID, _ entry.Proof, _ entry.Arrival) error {
	d.entered = append(d.entered, who)
	return web.SeeOther(w, r, "/inside")
}

func sunday() *clock.Manual { return clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)) }

func open(t *testing.T, now *clock.Manual, database *db.DB, c Config) *house {
	t.Helper()
	texts := i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, os.DirFS("."), os.DirFS("../renewal"), os.DirFS("../code"), os.DirFS("../rules"))
	keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, clock: now, lina: "p-lina"}
	base, _ := url.Parse("https://ent.valmont.example")
	h.Recovery = New(Deps{
		DB: database, Clock: now, Log: slog.New(slog.DiscardHandler), Keys: keys, Codes: code.New(database, keys), People: h, Journal: h, Letters: h,
		Passwords: passwords{h}, Sessions: h, Factors: h, Devices: h, Door: door{house: h}, BaseURL: base,
	}, c)
	h.server = identitytest.Serve(t, now, texts, func() campus.Viewer { return h.viewer }, h.Routes)
	for _, login := range []string{"lina", "ana", "bob", "root"} {
		h.must(database.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
VALUES ($1, $2, $2, $2, '', '', '', $2, 'active', 'en', 'system', 1, 1) ON CONFLICT DO NOTHING`, "p-"+login, login)
			return err
		}))
	}
	h.ana = campus.Viewer{Person: "p-ana", Login: "ana", Rights: []campus.Right{campus.RightHelpdesk}, Session: "s"}
	h.bob = campus.Viewer{Person: "p-bob", Login: "bob", Rights: []campus.Right{campus.RightHelpdesk}, Session: "s"}
	h.viewer = h.ana
	return h
}

func each(t *testing.T, test func(t *testing.T, h *house)) {
	now := sunday()
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(sunday().Now())
		test(t, open(t, now, d, Defaults()))
	}, schemas...)
}

func one(t *testing.T) *house {
	now := sunday()
	return open(t, now, dbtest.OpenAt(t, now, schemas...), Defaults())
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) do(method, path string, form url.Values) (int, string, string) {
	h.t.Helper()
	resp, body := identitytest.Ask(h.t, identitytest.Still(), method, h.server.URL+path, form)
	return resp.StatusCode, body, resp.Header.Get("Location")
}

func (h *house) begin() Request {
	h.t.Helper()
	q, err := h.Begin(h.t.Context(), h.lina, h.ana.Person, "phone and password lost", "K7F-3Q9", journal.Event{})
	h.must(err)
	return q
}

func (h *house) approve(by campus.Viewer, q Request) error {
	return h.Approve(h.t.Context(), by, q.ID, []string{"passport"}, false, journal.Event{})
}

// key is what the second agent hands over, after the delay.
func (h *house) key(q Request) (token string, plain string) {
	h.t.Helper()
	h.must(h.approve(h.ana, q))
	h.must(h.approve(h.bob, q))
	h.clock.Advance(Defaults().Delay)
	given, err := h.Give(h.t.Context(), h.bob, q.ID, journal.Event{})
	h.must(err)
	return given.URL[strings.LastIndex(given.URL, "/")+1:], given.Code
}

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schemas...)
}

func TestSomebodyWhoLostEverythingComesBackWithTwoAgentsAndTime(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q := h.begin()
		if len(h.letters) != 1 || h.letters[0].Kind != "recovery_asked" || !h.letters[0].Urgent || !strings.HasPrefix(h.letters[0].URL, "/identity/recovery/stop/") {
			t.Fatalf("the owner was not warned at once: %+v", h.letters)
		}
		h.must(h.approve(h.ana, q))
		if _, err := h.Give(t.Context(), h.ana, q.ID, journal.Event{}); !errors.Is(err, NotYet) {
			t.Errorf("a code after one approval: %v", err)
		}
		h.must(h.approve(h.bob, q))
		if len(h.letters) != 2 || h.letters[1].Kind != "recovery_approved" {
			t.Errorf("letters: %+v", h.letters)
		}
		h.clock.Advance(Defaults().Delay - time.Minute)
		if _, err := h.Give(t.Context(), h.bob, q.ID, journal.Event{}); !errors.Is(err, NotYet) {
			t.Errorf("a code before the delay is over: %v", err)
		}
		h.clock.Advance(time.Minute)
		given, err := h.Give(t.Context(), h.bob, q.ID, journal.Event{})
		h.must(err)
		if !strings.HasPrefix(given.URL, "https://ent.valmont.example/identity/recovery/open/") || len(given.Code) != 8 {
			t.Errorf("given: %+v", given)
		}
		path := given.URL[len("https://ent.valmont.example"):]
		h.viewer = campus.Viewer{}
		for range 2 { // looking uses nothing up
			if status, body, _ := h.do("GET", path, nil); status != http.StatusOK || !strings.Contains(body, "Welcome back, lina") {
				t.Fatalf("the page to open: %d", status)
			}
		}
		form := url.Values{"code": {given.Code}, renewal.PlainField: {"weak"}, renewal.AgainField: {"weak"}}
		if status, _, _ := h.do("POST", path, form); status != http.StatusUnprocessableEntity {
			t.Errorf("a weak password: %d", status)
		}
		form.Set(renewal.PlainField, goodPassword)
		form.Set(renewal.AgainField, goodPassword)
		form.Set("code", "00000000")
		if status, body, _ := h.do("POST", path, form); status < 400 || len(h.stored) != 0 || strings.Contains(body, "⟦") {
			t.Errorf("a wrong code: %d", status)
		}
		form.Set("code", given.Code[:4]+" "+given.Code[4:])
		if status, body, location := h.do("POST", path, form); status != http.StatusSeeOther || location != "/inside" {
			t.Fatalf("the right code: %d %.800s", status, body)
		}
		want := "[factors of p-lina devices of p-lina sessions of p-lina]"
		if fmt.Sprint(h.removed) != want || len(h.stored) != 1 || len(h.entered) != 1 {
			t.Errorf("removed %v, stored %v, entered %v", h.removed, h.stored, h.entered)
		}
		if status, _, _ := h.do("POST", path, form); status != http.StatusGone {
			t.Errorf("the same again: %d", status)
		}
		kinds := strings.Join(h.events, ", ")
		for _, kind := range []string{"recovery_asked by p-ana", "recovery_approved by p-ana", "recovery_approved by p-bob", "relayed_code_given by p-bob", "recovery_done by p-lina"} {
			if !strings.Contains(kinds, kind) {
				t.Errorf("the journal lacks %q: %s", kind, kinds)
			}
		}
	})
}

func TestTheHelpDeskDoesNotOpenTheAccountOfAnAdministrator(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q, err := h.Begin(t.Context(), "p-root", h.ana.Person, "lost everything", "", journal.Event{})
		h.must(err)
		if err := h.approve(h.ana, q); !errors.Is(err, MoreRights) {
			t.Fatalf("an agent vouched for an administrator: %v", err)
		}
		both := func(v campus.Viewer) campus.Viewer {
			v.Rights = append(v.Rights, campus.RightAdmin)
			return v
		}
		h.must(h.approve(both(h.ana), q))
		h.must(h.approve(both(h.bob), q))
		h.clock.Advance(Defaults().Delay)
		if _, err := h.Give(t.Context(), h.ana, q.ID, journal.Event{}); !errors.Is(err, MoreRights) {
			t.Errorf("an agent was given the code: %v", err)
		}
		_, err = h.Give(t.Context(), both(h.bob), q.ID, journal.Event{})
		h.must(err)
	})
}

func TestTheTwoApprovalsComeFromTwoOtherPeople(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q := h.begin()
		lina := campus.Viewer{Person: h.lina, Rights: []campus.Right{campus.RightHelpdesk}}
		if err := h.approve(lina, q); !errors.Is(err, Oneself) {
			t.Errorf("for oneself: %v", err)
		}
		h.must(h.approve(h.ana, q))
		if err := h.approve(h.ana, q); !errors.Is(err, SamePerson) {
			t.Errorf("twice by one person: %v", err)
		}
		if err := h.approve(lina, q); !errors.Is(err, Oneself) {
			t.Errorf("for oneself, as the second: %v", err)
		}
		admin := campus.Viewer{Person: "p-bob", Rights: []campus.Right{campus.RightAdmin, campus.RightSecretariat}}
		if err := h.approve(admin, q); !errors.Is(err, Reserved) {
			t.Errorf("without the right: %v", err)
		}
		h.must(h.approve(h.bob, q))
		if err := h.approve(h.bob, q); err == nil {
			t.Error("a third approval counted")
		}
	})
}

func TestApprovalsInParallelCountOncePerPerson(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q := h.begin()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := h.approve(h.ana, q); err != nil && !errors.Is(err, SamePerson) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		now, err := h.Request(t.Context(), q.ID)
		h.must(err)
		if now.First.By != h.ana.Person || now.Second.Given() {
			t.Fatalf("one agent alone: %+v", now)
		}
		for range 4 {
			wg.Go(func() { h.approve(h.ana, q) }) // refused, as above
			wg.Go(func() { h.approve(h.bob, q) }) // one of them counts
		}
		wg.Wait()
		now, err = h.Request(t.Context(), q.ID)
		h.must(err)
		if now.First.By != h.ana.Person || now.Second.By != h.bob.Person || now.ReadyAt.IsZero() {
			t.Errorf("both: %+v", now)
		}
		if n := strings.Count(strings.Join(h.events, " "), "recovery_approved"); n != 2 {
			t.Errorf("%d approvals in the journal", n)
		}
	})
}

func TestTheDelayIsTheShortOneOnlyWhenBothSawThePersonAtTheDesk(t *testing.T) {
	for name, c := range map[string]struct {
		first, second bool
		want          time.Duration
	}{
		"both at the desk":     {true, true, 0},
		"the first from afar":  {false, true, 24 * time.Hour},
		"the second from afar": {true, false, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			now := sunday()
			dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
				config := Defaults()
				config.DelayAtDesk = 0
				h := open(t, now, d, config)
				q := h.begin()
				h.must(h.Approve(t.Context(), h.ana, q.ID, []string{"passport"}, c.first, journal.Event{}))
				h.must(h.Approve(t.Context(), h.bob, q.ID, []string{"passport"}, c.second, journal.Event{}))
				q, err := h.Request(t.Context(), q.ID)
				h.must(err)
				if got := q.ReadyAt.Sub(now.Now()); got != c.want {
					t.Errorf("the delay is %s, want %s", got, c.want)
				}
			}, schemas...)
		})
	}
}

func TestTheOwnerStopsItFromTheLetterAndAGetStopsNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q := h.begin()
		token, plain := h.key(q)
		h.viewer = campus.Viewer{}
		stop := h.letters[0].URL
		if status, body, _ := h.do("GET", stop, nil); status != http.StatusOK || !strings.Contains(body, "It is not me: stop it") {
			t.Fatalf("the page: %d", status)
		}
		if now, _ := h.Request(t.Context(), q.ID); now.Ended != "" {
			t.Fatal("looking at the page stopped it")
		}
		for range 2 {
			if status, _, _ := h.do("POST", stop, url.Values{}); status != http.StatusSeeOther {
				t.Errorf("stopping: %d", status)
			}
		}
		form := url.Values{"code": {plain}, renewal.PlainField: {goodPassword}, renewal.AgainField: {goodPassword}}
		if status, _, _ := h.do("POST", "/identity/recovery/open/"+token, form); status != http.StatusGone || len(h.stored) != 0 {
			t.Errorf("the link after the stop: %d", status)
		}
		if err := h.approve(h.bob, q); !errors.Is(err, Over) {
			t.Errorf("approving after the stop: %v", err)
		}
		if _, body, _ := h.do("GET", stop, nil); !strings.Contains(body, "It is stopped") {
			t.Error("the page does not say that it is stopped")
		}
	})
}

func TestALinkOfOneKindOpensNothingOfAnother(t *testing.T) {
	h := one(t)
	q := h.begin()
	follow, stop := strings.TrimPrefix(h.FollowURL(q.ID), "/identity/recovery/"), strings.TrimPrefix(h.letters[0].URL, "/identity/recovery/stop/")
	for path, want := range map[string]int{
		"/identity/recovery/" + follow:           http.StatusOK,
		"/identity/recovery/" + stop:             http.StatusNotFound,
		"/identity/recovery/stop/" + follow:      http.StatusNotFound,
		"/identity/recovery/open/" + follow:      http.StatusGone,
		"/identity/recovery/" + follow[1:]:       http.StatusNotFound,
		"/identity/recovery/" + q.ID:             http.StatusNotFound,
		"/identity/recovery/open/":               http.StatusNotFound,
		"/identity/recovery/open/" + "AAAAAAAAA": http.StatusGone,
	} {
		h.viewer = campus.Viewer{}
		if status, _, _ := h.do("GET", path, nil); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}

func TestALinkAndACodeDoNotLast(t *testing.T) {
	h := one(t)
	q := h.begin()
	first, _ := h.key(q)
	given, err := h.Give(t.Context(), h.ana, q.ID, journal.Event{})
	h.must(err)
	if status, _, _ := h.do("GET", "/identity/recovery/open/"+first, nil); status != http.StatusGone {
		t.Errorf("the link that was replaced: %d", status)
	}
	path := strings.TrimPrefix(given.URL, "https://ent.valmont.example")
	if status, _, _ := h.do("GET", path, nil); status != http.StatusOK {
		t.Errorf("the new link: %d", status)
	}
	h.clock.Advance(Defaults().CodeLasts)
	if status, _, _ := h.do("GET", path, nil); status != http.StatusGone {
		t.Errorf("the link when its time is over: %d", status)
	}
}

func TestTwoRequestsWithTheRightCodeOpenOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		token, plain := h.key(h.begin())
		form := url.Values{"code": {plain}, renewal.PlainField: {goodPassword}, renewal.AgainField: {goodPassword}}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { h.do("POST", "/identity/recovery/open/"+token, form) })
		}
		wg.Wait()
		if len(h.stored) != 1 {
			t.Errorf("%d passwords were stored", len(h.stored))
		}
	})
}

func TestOneRecoveryRunsAtATime(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q := h.begin()
		if _, err := h.Begin(t.Context(), h.lina, h.bob.Person, "again", "", journal.Event{}); !errors.Is(err, Running) {
			t.Errorf("a second one: %v", err)
		}
		_, _, location := h.do("POST", "/identity/support/recoveries", url.Values{"person": {string(h.lina)}, "words": {"again"}})
		if location != "/identity/support/recoveries/"+q.ID {
			t.Errorf("the form leads to %q", location)
		}
		h.must(h.Refuse(t.Context(), h.bob, q.ID, "no document", journal.Event{}))
		if _, err := h.Begin(t.Context(), h.lina, h.bob.Person, "again", "", journal.Event{}); err != nil {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestARecoveryThatNobodyFinishesLapses(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q := h.begin()
		h.clock.Advance(Defaults().Lapse - time.Hour)
		h.must(h.lapse(t.Context()))
		if now, _ := h.Request(t.Context(), q.ID); now.Ended != "" {
			t.Error("it lapsed too early")
		}
		h.clock.Advance(2 * time.Hour)
		h.must(h.lapse(t.Context()))
		if now, _ := h.Request(t.Context(), q.ID); State(now.Ended) != Lapsed {
			t.Errorf("it is %q", now.Ended)
		}
	})
}

func TestThePagesOfAgentsAreForTheHelpDeskAlone(t *testing.T) {
	h := one(t)
	q := h.begin()
	routes := map[string][]string{
		"GET":  {"", "/new?person=p-lina", "/" + q.ID},
		"POST": {"", "/" + q.ID + "/approve", "/" + q.ID + "/refuse", "/" + q.ID + "/give"},
	}
	for name, v := range map[string]campus.Viewer{
		"an administrator": {Person: "p-x", Rights: []campus.Right{campus.RightAdmin}},
		"the secretariat":  {Person: "p-x", Rights: []campus.Right{campus.RightSecretariat}},
		"a student":        {Person: "p-x"},
		"a stranger":       {},
	} {
		h.viewer = v
		for method, paths := range routes {
			for _, path := range paths {
				status, _, location := h.do(method, "/identity/support/recoveries"+path, url.Values{"person": {"p-lina"}, "words": {"x"}, "documents": {"passport"}, "where": {"desk"}})
				if status != http.StatusForbidden && status != http.StatusUnauthorized && !strings.HasPrefix(location, "/login") {
					t.Errorf("%s: %s %s: %d", name, method, path, status)
				}
			}
		}
	}
	if now, _ := h.Request(t.Context(), q.ID); now.First.Given() || now.Ended != "" {
		t.Errorf("something was done: %+v", now)
	}
}

func TestOnlyAProvedPasswordAsksForOneself(t *testing.T) {
	h := one(t)
	h.viewer = campus.Viewer{}
	if status, body, _ := h.do("GET", "/identity/recovery", nil); status != http.StatusOK || strings.Contains(body, "<form method=\"post\" action=\"/identity/recovery\"") {
		t.Errorf("a stranger's ladder: %d", status)
	}
	if status, _, _ := h.do("POST", "/identity/recovery", url.Values{}); status != http.StatusUnauthorized {
		t.Errorf("a stranger asks: %d", status)
	}
	h.actor = entry.Actor{Person: h.lina, Attempt: "a", At: "K7F-3Q9", ProvedAt: h.clock.Now()}
	if _, body, _ := h.do("GET", "/identity/recovery", nil); !strings.Contains(body, `action="/identity/recovery"`) {
		t.Error("the ladder does not offer to ask")
	}
	for range 2 { // twice leads to the same one
		status, _, location := h.do("POST", "/identity/recovery", url.Values{"at": {"K7F-3Q9"}})
		if status != http.StatusSeeOther || !strings.HasPrefix(location, "/identity/recovery/") {
			t.Errorf("asking: %d %s", status, location)
		}
	}
	if len(h.letters) != 1 {
		t.Errorf("%d letters", len(h.letters))
	}
}

func TestEveryPageIsWordedInBothLanguages(t *testing.T) {
	missing := regexp.MustCompile(`⟦[^⟧]*⟧`)
	h := one(t)
	h.actor = entry.Actor{Person: h.lina, Attempt: "a", At: "K7F-3Q9", ProvedAt: h.clock.Now()}
	look := func(when string, paths ...string) {
		t.Helper()
		for _, l := range campus.Locales {
			h.viewer.Locale = l
			for _, path := range paths {
				status, body, _ := h.do("GET", path, nil)
				if status != http.StatusOK || missing.MatchString(body) || strings.Contains(body, "<no value>") {
					t.Errorf("%s, %s in %s: %d %v", when, path, l, status, missing.FindAllString(body, 3))
				}
			}
		}
	}
	q := h.begin()
	pages := []string{"/identity/recovery", h.FollowURL(q.ID), h.letters[0].URL, "/identity/support/recoveries", "/identity/support/recoveries/" + q.ID, "/identity/support/recoveries/new?person=p-lina"}
	look("asked for", pages...)
	h.must(h.approve(h.ana, q))
	look("vouched", pages...)
	h.viewer = h.bob
	look("vouched, for the other agent", pages...)
	h.must(h.approve(h.bob, q))
	look("waiting", pages...)
	h.clock.Advance(Defaults().Delay)
	look("ready", pages...)
	status, body, _ := h.do("POST", "/identity/support/recoveries/"+q.ID+"/give", url.Values{})
	link := regexp.MustCompile(`/identity/recovery/open/[\w-]+`).FindString(body)
	if status != http.StatusOK || link == "" || missing.MatchString(body) {
		t.Fatalf("giving: %d", status)
	}
	look("given", append(pages, link)...)
	h.must(h.Refuse(t.Context(), h.bob, q.ID, "<b>no document</b>", journal.Event{}))
	look("refused", pages...)
	if _, body, _ := h.do("GET", h.FollowURL(q.ID), nil); !strings.Contains(body, "&lt;b&gt;no document") {
		t.Error("the words of the refusal are not on the person's page, or not as text")
	}
	for _, form := range []url.Values{{}, {"documents": {"a forged one"}, "where": {"desk"}}, {"documents": {"passport"}, "where": {"moon"}}} {
		other := one(t)
		q := other.begin()
		if status, _, _ := other.do("POST", "/identity/support/recoveries/"+q.ID+"/approve", form); status != http.StatusUnprocessableEntity {
			t.Errorf("approving with %v: %d", form, status)
		}
	}
}

func TestTheConfigurationIsChecked(t *testing.T) {
	if p := Defaults().Check(); len(p) != 0 {
		t.Errorf("the defaults: %v", p)
	}
	c := Config{Delay: time.Minute, DelayAtDesk: time.Hour, Lapse: time.Second, CodeLasts: time.Second, Documents: []DocumentConfig{{Code: "A B"}}}
	all := fmt.Sprint(c.Check())
	for _, key := range []string{"delay", "delay_at_desk", "lapse", "code_lasts", "documents[0].code", "documents[0].text_fr"} {
		if !strings.Contains(all, key) {
			t.Errorf("%s is not told in %s", key, all)
		}
	}
	for _, r := range fault.All() {
		if strings.HasPrefix(r.Code(), "identity.recovery_") && r.Kind() == fault.Broken {
			t.Errorf("%s is no fault of the house", r.Code())
		}
	}
}
