package identity

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// schema is what the room's tests need of the database.
var schema = db.Migrations{Name: "identity", FS: migrations}

// cellar is what the ground floor needs besides.
var cellar = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, mailer.Migrations()}

// linasPassword is right; the hash parameters of the tests make it cheap.
const linasPassword = "un mot de passe long"

// house is the room behind a real server, with a clock that tests move.
type house struct {
	*Module
	t        *testing.T
	clock    *clock.Manual
	server   *httptest.Server
	post     *mailer.Mailer
	farewell string            // where the services of an ended session are told of
	loop     *contract.Loop    // what GET /leave knows of a service that sends people back
	held     contract.HeldBack // what /held tells
	texts    *i18n.Catalogue
	lina     campus.PersonID
	ended    []string                   // sessions that a follower was told of
	shutOut  []string                   // people out of whose accounts others were shut, and the session that stayed
	from     atomic.Pointer[netip.Addr] // where requests come from
}

func (h *house) PersonShutOut(_ context.Context, _ db.Tx, who campus.PersonID, except string) error {
	h.shutOut = append(h.shutOut, string(who)+" but "+except)
	return nil
}

func (h *house) SessionEnded(_ context.Context, _ db.Tx, session string) error {
	h.ended = append(h.ended, session)
	return nil
}

func (h *house) Farewell(context.Context, string) (string, error) { return h.farewell, nil }

func (h *house) Destination(_ context.Context, next string) (contract.Destination, bool) {
	if strings.HasPrefix(next, "/cas/login") {
		return contract.Destination{Service: "moodle", Name: "Moodle", Origins: []string{"https://moodle.example"}}, true
	}
	return contract.Destination{}, false
}

func open(t *testing.T, now *clock.Manual, d *db.DB, change ...func(*Config)) *house {
	t.Helper()
	c := Defaults()
	c.Hash = HashConfig{Memory: 64, Time: 1, Threads: 1}
	for _, f := range change {
		f(&c)
	}
	h := &house{t: t, clock: now}
	h.move("192.0.2.1")
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	texts := i18ntest.Load(t, time.UTC, h.clock, web.Locales, ui.Locales, mailer.Locales, locales)
	h.texts = texts
	keys, err := crypt.Open(filepath.Join(keyFolder(t), "key"))
	if err != nil {
		t.Fatal(err)
	}
	post := mailer.Defaults()
	post.SMS.Transport = mailer.TransportOutbox
	h.post, err = mailer.New(mailer.Deps{Config: post, DB: d, Keys: keys, Clock: h.clock, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	h.server = httptest.NewServer(nil)
	t.Cleanup(h.server.Close)
	base, _ := url.Parse(strings.Replace(h.server.URL, "127.0.0.1", "localhost", 1))
	h.server.URL = base.String()
	h.Module, err = New(Deps{
		DB: d, Keys: keys, Clock: h.clock, Log: log, Texts: texts, Mailer: h.post, Base: base, Zone: time.UTC,
		NameFrench: "Université de Valmont", NameEnglish: "University of Valmont",
	}, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	h.Connect(h, h)
	s := web.New(web.Config{
		BaseURL: base, Log: log, Clock: h.clock, Texts: texts, Language: campus.English, Authenticate: h.Authenticate,
		Prepare: func(_ http.ResponseWriter, r *http.Request) context.Context {
			return ui.WithShell(r.Context(), ui.Shell{Institution: "Valmont", Viewer: web.Viewer(r), Path: r.URL.RequestURI()})
		},
		ErrorPage:  ui.FailurePage,
		ClientAddr: func(*http.Request) netip.Addr { return *h.from.Load() },
	})
	h.Routes(s.Router("identity"))
	s.Router("test").Handle("GET /{$}", func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.WriteString(w, "home of "+web.Viewer(r).Login)
		return err
	})
	s.Router("test").Handle("GET /leave", func(w http.ResponseWriter, r *http.Request) error {
		d := contract.Departure{Service: "moodle", Name: "Moodle", Address: "https://moodle.example/", Back: "/leave", Loop: h.loop}
		if stopped, err := h.Leaving(w, r, d); err != nil || stopped {
			return err
		}
		_, err := io.WriteString(w, "left")
		return err
	})
	s.Router("test").Handle("GET /held", func(w http.ResponseWriter, r *http.Request) error {
		code, err := h.HeldBack(w, r, h.held)
		if err == nil {
			_, err = io.WriteString(w, code)
		}
		return err
	})
	h.server.Config.Handler = s
	if lina, err := h.PersonByLogin(t.Context(), "lmartin"); err == nil { // of a house that was here before
		h.lina = lina.ID
		return h
	}
	h.lina = h.add(Person{Login: "lmartin", Mail: "lina.martin@valmont.example", GivenName: "Lina", FamilyName: "Martin",
		Affiliations: []campus.Affiliation{{Kind: campus.Student, Campus: "rives", Programme: "info"}}}, linasPassword)
	return h
}

// keptHouse names the folder of a house that outlives its process, in the tests
// that cut the power.
const keptHouse = "AMPHI_TEST_KEPT_HOUSE"

// keyFolder is where the key of a test's house is.
func keyFolder(t *testing.T) string {
	if kept := os.Getenv(keptHouse); kept != "" {
		return kept
	}
	return t.TempDir()
}

// move lets the requests that follow come from another network.
func (h *house) move(address string) {
	from := netip.MustParseAddr(address)
	h.from.Store(&from)
}

// add stores a person, with a password unless it is empty.
func (h *house) add(p Person, plain string) (who campus.PersonID) {
	h.t.Helper()
	ctx := h.t.Context()
	hash := ""
	if plain != "" {
		var err error
		if hash, err = h.HashPassword(ctx, plain); err != nil {
			h.t.Fatal(err)
		}
	}
	err := h.db.InTx(ctx, func(tx db.Tx) (err error) {
		if who, err = h.AddPerson(ctx, tx, p); err != nil || hash == "" {
			return err
		}
		return h.StorePassword(ctx, tx, who, hash)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return who
}

// browser is a person's browser: it keeps cookies and follows redirects.
type browser struct {
	*http.Client
	h *house
}

// become makes an account what no decision made it.
func (h *house) become(who campus.PersonID, s account.State) {
	h.t.Helper()
	err := h.db.InTx(h.t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(h.t.Context(), "UPDATE identity_people SET state = $1 WHERE id = $2", string(s), string(who))
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) browser() *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{Client: &http.Client{Jar: jar}, h: h}
}

// answer is what came back, with the body read.
type answer struct {
	*http.Response
	body string
}

func (b *browser) do(method, path string, form url.Values) answer {
	b.h.t.Helper()
	resp, body := pagetest.Ask(b.h.t, b.Client, method, b.h.server.URL+path, form,
		"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	return answer{resp, body}
}

func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func (b *browser) get(path string) answer { b.h.t.Helper(); return b.do("GET", path, nil) }
func (b *browser) post(path string, form url.Values) answer {
	b.h.t.Helper()
	return b.do("POST", path, form)
}

func (b *browser) signIn(user, pass string, more ...string) answer {
	b.h.t.Helper()
	form := url.Values{"username": {user}, "password": {pass}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return b.post("/login", form)
}

func want(t *testing.T, a answer, status int, texts ...string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("%s: status %d, want %d", a.Request.URL, a.StatusCode, status)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			_, content, _ := strings.Cut(a.body, "<main")
			t.Errorf("%s: no %q in:\n%.1500s", a.Request.URL, text, content)
		}
	}
}

// sunday is when the tests begin.
func sunday() *clock.Manual { return clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)) }

// openOne is the room on SQLite alone, for what does not depend on the database.
func openOne(t *testing.T, change ...func(*Config)) *house {
	t.Helper()
	now := sunday()
	return open(t, now, dbtest.OpenAt(t, now, append(cellar, schema)...), change...)
}

// each runs a test with the room on both databases.
func each(t *testing.T, test func(t *testing.T, h *house)) {
	now := sunday()
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) { test(t, open(t, now, d)) }, append(cellar, schema)...)
}
