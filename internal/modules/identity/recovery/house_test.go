package recovery

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
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
	h.server = pagetest.Serve(t, now, texts, func() campus.Viewer { return h.viewer }, h.Routes)
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
	resp, body := pagetest.Ask(h.t, pagetest.Still(), method, h.server.URL+path, form)
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
