package operations

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/health"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

var tables = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, mailer.Migrations()}

// house is the room with as much of a house around it as its pages need.
type house struct {
	t      *testing.T
	db     *db.DB
	server *web.Server
	module *Module
	texts  *i18n.Catalogue
	board  *jobs.Board
	post   *mailer.Mailer
	checks []health.Check
	viewer campus.Viewer
	log    *slog.Logger
}

func newHouse(t *testing.T, d *db.DB) *house {
	t.Helper()
	h := &house{t: t, db: d, board: jobs.NewBoard(d), viewer: english(campustest.Alix()), log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	config := mailer.Defaults()
	config.SMS.Transport = mailer.TransportOutbox
	if h.post, err = mailer.New(mailer.Deps{Config: config, DB: d, Keys: keys, Clock: clock.System(), Log: h.log}); err != nil {
		t.Fatal(err)
	}
	texts, err := i18n.Load(time.UTC, clock.System(), web.Locales, ui.Locales, mailer.Locales, health.Locales, locales)
	if err != nil {
		t.Fatal(err)
	}
	module := New(Deps{
		DB: d, Board: h.board, Outbox: h.post, Version: "1.2.3", Started: time.Now(),
		Doctor: health.New(clock.At(time.Unix(0, 0)), health.Source{Name: "test", Ask: func(context.Context) []health.Check { return h.checks }}),
		Configuration: func(w io.Writer) error {
			_, err := io.WriteString(w, "[server]\nlisten = \"127.0.0.1:1\"\n<b>&")
			return err
		},
	})
	base, err := url.Parse("http://localhost:8080")
	if err != nil {
		t.Fatal(err)
	}
	h.server = web.New(web.Config{
		BaseURL: base, Log: h.log, Clock: clock.System(), Texts: texts, Language: campus.French, Sign: keys.MAC,
		Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) { return h.viewer, nil },
	})
	module.Routes(h.server.Router(module.Name()))
	h.module, h.texts = module, texts
	return h
}

func english(v campus.Viewer) campus.Viewer {
	v.Locale = campus.English
	return v
}

func (h *house) do(method, path string) *httptest.ResponseRecorder {
	h.t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	h.server.ServeHTTP(w, r)
	return w
}

// page gets a page that must be there, and reads its text.
func (h *house) page(path string) (text, source string) {
	h.t.Helper()
	w := h.do(http.MethodGet, path)
	if w.Code != http.StatusOK {
		h.t.Fatalf("%s answers %d: %s", path, w.Code, w.Body)
	}
	return textOf(h.t, w.Body.String()), w.Body.String()
}

// textOf is what a person reads of a page, without the blanks of its layout.
func textOf(t *testing.T, source string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for node := range root.Descendants() {
		if node.Type == html.TextNode && node.Parent.Data != "script" && node.Parent.Data != "style" {
			words = append(words, strings.Fields(node.Data)...)
		}
	}
	text := strings.Join(words, " ")
	if strings.Contains(text, "⟦") || strings.Contains(text, "<no value>") {
		t.Errorf("a label is missing: %s", text)
	}
	return text
}

func wants(t *testing.T, text string, pieces ...string) {
	t.Helper()
	for _, piece := range pieces {
		if !strings.Contains(text, piece) {
			t.Errorf("%q is not on the page: %s", piece, text)
		}
	}
}

// receipt is a job that always fails.
type receipt struct {
	Ticket string `json:"ticket"`
}

func (receipt) JobName() string { return "helpdesk.receipt" }

var errBroken = errors.New("printer <on> fire")

// enqueue asks for a receipt and, when dead, lets it give up.
func (h *house) enqueue(dead bool) string {
	h.t.Helper()
	if err := h.db.InTx(h.t.Context(), func(tx db.Tx) error { return jobs.Enqueue(h.t.Context(), tx, receipt{Ticket: "T-1"}) }); err != nil {
		h.t.Fatal(err)
	}
	if dead {
		h.work(func(reg *jobs.Registry) {
			jobs.Handle(reg, func(context.Context, receipt) error { return jobs.GiveUp(fault.TimedOut.From(errBroken)) }, jobs.Policy{})
		}, func() bool { return h.count(jobs.Dead) > 0 })
	}
	list, err := h.board.List(h.t.Context(), jobs.Filter{Name: receipt{}.JobName()})
	if err != nil || len(list) == 0 {
		h.t.Fatalf("%v, %v", list, err)
	}
	return list[0].ID
}

func (h *house) count(state jobs.State) int {
	h.t.Helper()
	n, err := h.board.Count(h.t.Context(), jobs.Filter{State: state})
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// work runs jobs until done.
func (h *house) work(handle func(*jobs.Registry), done func() bool) {
	h.t.Helper()
	reg := jobs.NewRegistry()
	handle(reg)
	ctx, stop := context.WithCancel(h.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		jobs.NewRunner(h.db, reg, h.log, jobs.Options{Poll: 20 * time.Millisecond}).Run(ctx)
	}()
	defer func() { stop(); <-ended }()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatal("the jobs did not get there in ten seconds")
		}
	}
}

func TestEveryPageIsForAdministratorsOnly(t *testing.T) {
	h := newHouse(t, dbtest.Open(t, tables...))
	dead := h.enqueue(true)
	routes := h.server.Routes()
	if len(routes) != 10 {
		t.Fatalf("%d routes: tell this test about the new one", len(routes))
	}
	for _, route := range routes {
		method, pattern, _ := strings.Cut(route.Pattern, " ")
		path := strings.ReplaceAll(pattern, "{id}", dead)
		for _, viewer := range campustest.Everyone() {
			if viewer.Can(campus.RightAdmin) {
				continue // the other tests see these
			}
			h.viewer = viewer
			w := h.do(method, path)
			switch {
			case viewer.SignedIn() && w.Code != http.StatusForbidden:
				t.Errorf("%s %s answers %d to %s", method, path, w.Code, viewer.Login)
			case !viewer.SignedIn() && w.Code != http.StatusUnauthorized && w.Code != http.StatusSeeOther:
				t.Errorf("%s %s answers %d to a stranger", method, path, w.Code)
			}
			if h.count(jobs.Dead) != 1 {
				t.Fatalf("%s changed a job by %s", viewer.Login, pattern)
			}
			if viewer.SignedIn() {
				wantsNot(t, w.Body.String(), "helpdesk.receipt", "127.0.0.1:1", "1.2.3")
			}
		}
		// An administrator of other things is none here.
		h.viewer = campustest.Alix()
		h.viewer.Rights = []campus.Right{campus.RightHelpdesk, campus.RightNews, campus.RightSecretariat}
		if w := h.do(method, path); w.Code != http.StatusForbidden {
			t.Errorf("%s %s answers %d without the right", method, path, w.Code)
		}
	}
}

func wantsNot(t *testing.T, text string, pieces ...string) {
	t.Helper()
	for _, piece := range pieces {
		if strings.Contains(text, piece) {
			t.Errorf("%q is on the page", piece)
		}
	}
}

func TestAnotherSiteCannotActForAnAdministrator(t *testing.T) {
	h := newHouse(t, dbtest.Open(t, tables...))
	dead := h.enqueue(true)
	for _, act := range []string{"run", "discard"} {
		r := httptest.NewRequest(http.MethodPost, "/operations/jobs/"+dead+"/"+act, nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		h.server.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden || h.count(jobs.Dead) != 1 {
			t.Errorf("%s: %d", act, w.Code)
		}
	}
}

func TestTheOverviewTellsWhatFailsAndWhatWaits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		h.checks = []health.Check{health.Pass("database", "sqlite").Needed(), health.Fail("mailer.smtp", mailer.Unreachable.From(errors.New("no route")))}
		h.enqueue(true)
		text, source := h.page("/operations")
		wants(t, text, "Something needs your attention.", "mailer.smtp", "does not answer", "mailer.unreachable", "no route",
			"essential", "1.2.3", "Tasks that gave up 1", "Its size")
		wants(t, source, `href="/operations/jobs?state=dead"`)
		if !strings.Contains(text, "KB") && !strings.Contains(text, "MB") {
			t.Errorf("no size of the database: %s", text)
		}
		h.checks = nil
	}, tables...)
}

func TestAnAdministratorReadsAboutAJobAndRunsItAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		dead := h.enqueue(true)
		waiting := h.enqueue(false)
		text, source := h.page("/operations/jobs?state=dead")
		wants(t, text, "helpdesk.receipt", "gave up", "platform.timed_out", "Tasks: 1")
		wants(t, source, "/operations/jobs/"+dead)
		wantsNot(t, source, waiting)
		text, source = h.page("/operations/jobs/" + dead)
		wants(t, text, "printer <on> fire", `{"ticket":"T-1"}`, "The answer took too long", "platform.timed_out", "Run again", "Discard…")
		wantsNot(t, source, "<on>")
		if w := h.do(http.MethodPost, "/operations/jobs/"+dead+"/run"); w.Code != http.StatusSeeOther || h.count(jobs.Waiting) != 2 {
			t.Fatalf("%d, %d waiting", w.Code, h.count(jobs.Waiting))
		}
		text, _ = h.page("/operations/jobs/" + dead)
		wantsNot(t, text, "Discard…")
		// Pressed twice, or by two colleagues: told, not repeated.
		for _, again := range []string{"/run", "/discard"} {
			w := h.do(http.MethodPost, "/operations/jobs/"+dead+again)
			if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "operations.job_gone") {
				t.Fatalf("%s: %d %s", again, w.Code, w.Body)
			}
		}
	}, tables...)
}

func TestDiscardingAsksFirst(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		dead := h.enqueue(true)
		text, source := h.page("/operations/jobs/" + dead + "/discard")
		wants(t, text, "Discard this task?", "cannot be undone", "Keep it")
		wants(t, source, `method="post"`, `action="/operations/jobs/`+dead+`/discard"`)
		if h.count(jobs.Dead) != 1 {
			t.Fatal("looking at the page discarded the job")
		}
		if w := h.do(http.MethodPost, "/operations/jobs/"+dead+"/discard"); w.Code != http.StatusSeeOther || h.count("") != 0 {
			t.Fatalf("%d, %d left", w.Code, h.count(""))
		}
		for _, path := range []string{"/operations/jobs/" + dead, "/operations/jobs/" + dead + "/discard"} {
			if w := h.do(http.MethodGet, path); w.Code != http.StatusNotFound {
				t.Errorf("%s: %d", path, w.Code)
			}
		}
		waiting := h.enqueue(false)
		if w := h.do(http.MethodGet, "/operations/jobs/"+waiting+"/discard"); w.Code != http.StatusNotFound {
			t.Errorf("a waiting job: %d", w.Code)
		}
	}, tables...)
}

func TestLongListsComeInPages(t *testing.T) {
	h := newHouse(t, dbtest.Open(t, tables...))
	for range pageSize + 3 {
		h.enqueue(false)
	}
	_, first := h.page("/operations/jobs")
	_, second := h.page("/operations/jobs?page=2")
	if n := strings.Count(first, `href="/operations/jobs/`); n != pageSize {
		t.Errorf("%d jobs on the first page", n)
	}
	if n := strings.Count(second, `href="/operations/jobs/`); n != 3 {
		t.Errorf("%d jobs on the second page", n)
	}
	wants(t, first, `href="/operations/jobs?page=2"`)
	for _, odd := range []string{"?page=99", "?page=-1", "?page=x", "?state=unheard", "?state=waiting&page=2"} {
		h.page("/operations/jobs" + odd)
	}
}

func letter() mailer.Message {
	l := mailer.Letter{Locale: "en", Greeting: "Hello <Lina>,", Before: []string{"Here is your code."}, Code: "482 913"}
	return l.Message("identity.reset", "lina.martin@valmont.example", "Your password")
}

func TestTheDemosOutboxShowsMessagesAsMailProgramsDo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		text, _ := h.page("/operations/outbox")
		wants(t, text, "No message in this list")
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			return errors.Join(h.post.Send(t.Context(), tx, letter()),
				h.post.SendSMS(t.Context(), tx, mailer.SMS{Kind: "identity.code", To: "+33612345678", Text: "Code 42"}))
		})
		if err != nil {
			t.Fatal(err)
		}
		id := h.messages()["identity.reset"]
		text, _ = h.page("/operations/outbox/" + id)
		wants(t, text, "The text is not shown", "l…@valmont.example") // it still waits: sealed
		wantsNot(t, text, "482 913", "lina.martin")
		if w := h.do(http.MethodGet, "/operations/outbox/"+id+"/preview"); w.Code != http.StatusNotFound {
			t.Fatalf("a sealed message is previewed: %d", w.Code)
		}
		h.work(h.post.Jobs, func() bool {
			n, err := h.post.Counted(t.Context(), mailer.Filter{State: mailer.StateKept})
			return err == nil && n == 2
		})
		text, _ = h.page("/operations/outbox?state=kept")
		wants(t, text, "Your password", "l…@valmont.example", "identity.code", "…78", "text message", "Messages: 2")
		text, source := h.page("/operations/outbox/" + id)
		wants(t, text, "lina.martin@valmont.example", "Hello <Lina>,", "482 913")
		wants(t, source, `sandbox=""`, `src="/operations/outbox/`+id+`/preview"`)
		w := h.do(http.MethodGet, "/operations/outbox/"+id+"/preview")
		policy := w.Header().Get("Content-Security-Policy")
		if w.Code != http.StatusOK || w.Body.String() != letter().HTML || !strings.Contains(policy, "sandbox") ||
			strings.Contains(policy, "allow-scripts") || !strings.Contains(policy, "frame-ancestors 'self'") {
			t.Fatalf("%d %s", w.Code, policy)
		}
		sms := h.messages()["identity.code"]
		text, source = h.page("/operations/outbox/" + sms)
		wants(t, text, "Code 42", "+33612345678")
		wantsNot(t, source, "<iframe")
		if w := h.do(http.MethodGet, "/operations/outbox/"+sms+"/preview"); w.Code != http.StatusNotFound {
			t.Errorf("a short message has a preview: %d", w.Code)
		}
	}, tables...)
}

// messages are the ids in the outbox by kind.
func (h *house) messages() map[string]string {
	h.t.Helper()
	list, err := h.post.Outbox(h.t.Context(), mailer.Filter{})
	if err != nil {
		h.t.Fatal(err)
	}
	ids := map[string]string{}
	for _, record := range list {
		ids[record.Kind] = record.ID
	}
	return ids
}

func TestTheConfigurationIsShownAsText(t *testing.T) {
	h := newHouse(t, dbtest.Open(t, tables...))
	text, source := h.page("/operations/configuration")
	wants(t, text, `listen = "127.0.0.1:1"`, "<b>&")
	wantsNot(t, source, "<b>&")
}

func TestTheRoomSpeaksFrenchToo(t *testing.T) {
	h := newHouse(t, dbtest.Open(t, tables...))
	h.viewer = campustest.Alix()
	dead := h.enqueue(true)
	for path, want := range map[string]string{
		"/operations": "Ce qui attend", "/operations/jobs": "abandonnée", "/operations/jobs/" + dead: "Relancer",
		"/operations/jobs/" + dead + "/discard": "Écarter la tâche", "/operations/outbox": "Aucun message", "/operations/configuration": "en vigueur",
	} {
		text, _ := h.page(path)
		wants(t, text, want)
	}
}

func TestTheRoomIsInTheNavigationOfAdministratorsOnly(t *testing.T) {
	m := New(Deps{})
	for _, viewer := range campustest.Everyone() {
		if got := len(m.Nav(t.Context(), viewer)) > 0; got != viewer.Can(campus.RightAdmin) {
			t.Errorf("%s: %v", viewer.Login, got)
		}
	}
}

func TestJobsThatGaveUpShowInTheHealth(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d)
		m := New(Deps{Board: h.board})
		if check := m.Health(t.Context())[0]; !check.OK {
			t.Fatalf("%+v", check)
		}
		h.enqueue(true)
		if check := m.Health(t.Context())[0]; check.OK || check.Reason != JobsGaveUp {
			t.Fatalf("%+v", check)
		}
	}, tables...)
}
