package register

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// browser asks for pages as somebody.
type browser struct {
	t      testing.TB
	server *web.Server
	viewer campus.Viewer
}

func (h *house) browser() *browser {
	h.t.Helper()
	b := &browser{t: h.t, viewer: officer}
	b.viewer.Locale = campus.English
	base, err := url.Parse("https://ent.valmont.example")
	if err != nil {
		h.t.Fatal(err)
	}
	b.server = web.New(web.Config{
		BaseURL: base, Log: slog.New(slog.DiscardHandler), Clock: h.clock, Texts: sentences(h.t), Language: campus.English,
		Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) { return b.viewer, nil }, ErrorPage: ui.FailurePage,
	})
	h.Routes(b.server.Router("directory"))
	return b
}

func (b *browser) ask(method, path string, form url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequest(method, "https://ent.valmont.example"+path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	w := httptest.NewRecorder()
	b.server.ServeHTTP(w, r)
	return w
}

// shows asks for a page and wants words on it.
func (b *browser) shows(path string, words ...string) string {
	b.t.Helper()
	w := b.ask(http.MethodGet, path, nil)
	if w.Code != http.StatusOK {
		b.t.Fatalf("%s: %d %.300s", path, w.Code, w.Body)
	}
	for _, word := range words {
		if !strings.Contains(w.Body.String(), word) {
			b.t.Errorf("%s does not say %q", path, word)
		}
	}
	return w.Body.String()
}

func TestEveryPageIsForThoseWhoKeepTheDirectory(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(30)...)
		held := h.read("hr")
		who, _ := h.person("login1")
		b := h.browser()
		for _, v := range []campus.Viewer{{}, {Person: "lina"}, {Person: "alix", Rights: []campus.Right{campus.RightAdmin, campus.RightSecretariat}}} {
			b.viewer = v
			for _, c := range []struct{ method, path string }{
				{"GET", "/directory/sources"}, {"POST", "/directory/sources/hr/run"}, {"GET", "/directory/runs"}, {"GET", "/directory/runs/" + held.ID},
				{"GET", "/directory/runs/" + held.ID + "/report.csv"}, {"POST", "/directory/runs/" + held.ID + "/release"}, {"POST", "/directory/runs/" + held.ID + "/drop"},
				{"GET", "/directory/conflicts"}, {"GET", "/directory/conflicts/x"}, {"POST", "/directory/conflicts/x"},
				{"GET", "/directory/origins/" + string(who)}, {"POST", "/directory/origins/" + string(who)},
			} {
				if w := b.ask(c.method, c.path, url.Values{}); w.Code != http.StatusForbidden && w.Code != http.StatusUnauthorized && w.Code != http.StatusSeeOther || strings.Contains(w.Body.String(), "Name1") {
					t.Errorf("%s %s as %q: %d", c.method, c.path, v.Person, w.Code)
				}
			}
		}
		if r, err := h.RunByID(t.Context(), held.ID); err != nil || r.State != Held || h.count("SELECT COUNT(*) FROM jobs WHERE name LIKE 'directory.%'") != 0 {
			t.Errorf("somebody without the right did something: %+v %v", r, err)
		}
	})
}

func TestThePagesTellHowTheSourcesAre(t *testing.T) {
	sources := []source.Config{
		{ID: "hr", Kind: source.KindLDAP, NameEnglish: "Human resources", Every: time.Hour}, {ID: "lms", Kind: source.KindCSV, Priority: 2}, {ID: "old", Kind: source.KindCSV, Off: true},
	}
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		b.shows("/directory/sources", "Human resources", "Never", "When somebody asks", "Switched off", "Read now")
		b.shows("/directory/runs", "No reading yet")
		b.shows("/directory/conflicts", "Nothing to decide")

		h.read("hr", some(60)...)
		body := b.shows("/directory/sources", ">60<", "Done", "LDAP directory")
		if strings.Contains(body, "stopped") {
			t.Error("nothing was stopped")
		}
		first, _, err := h.Runs(t.Context(), "hr", 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		b.shows("/directory/runs/"+first[0].ID, "60 lines", "Ada Name0", "Family name", "student · rives · l1", "page=2")
		b.shows("/directory/runs/"+first[0].ID+"?q=name59", "1 line", "Ada Name59")
		b.shows("/directory/runs/"+first[0].ID+"?q=absent", "Nothing fits")
		if w := b.ask("GET", "/directory/runs/"+first[0].ID+"/report.csv", nil); !strings.HasPrefix(w.Body.String(), "\ufeff") || strings.Count(w.Body.String(), "Ada Name59") == 0 {
			t.Errorf("the spreadsheet: %.200s", w.Body)
		}
		if w := b.ask("GET", "/directory/runs/none", nil); w.Code != http.StatusNotFound {
			t.Errorf("no such run: %d", w.Code)
		}

		held := h.read("hr", some(30)...)
		b.shows("/directory/sources", "A reading was stopped", "30 of 60 people")
		b.shows("/directory/runs/"+held.ID, "Let it pass once", "Departure")
		if w := b.ask("POST", "/directory/runs/"+held.ID+"/release", nil); w.Code != http.StatusSeeOther {
			t.Fatalf("released: %d %.200s", w.Code, w.Body)
		}
		b.shows("/directory/runs/"+held.ID, "0 of 30")
		if _, err := h.Resume(t.Context(), held.ID); err != nil {
			t.Fatal(err)
		}
		b.shows("/directory/runs/"+held.ID, "30 of 30", "Let pass by")

		if w := b.ask("POST", "/directory/sources/hr/run", url.Values{"how": {"dry"}}); w.Code != http.StatusSeeOther {
			t.Fatalf("asked for a rehearsal: %d", w.Code)
		}
		if n := h.count("SELECT COUNT(*) FROM jobs WHERE name = 'directory.read' AND args LIKE '%\"dry\":true%'"); n != 1 {
			t.Errorf("%d rehearsals were ordered", n)
		}
		if w := b.ask("POST", "/directory/sources/old/run", nil); w.Code != http.StatusConflict {
			t.Errorf("a source that is off: %d", w.Code)
		}
	}, sources...)
}

func TestAQuestionIsDecidedOnItsPage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(3)...)
		h.read("lms", line("x", "student_number", "1001", "family_name", "Smith", "given_name", "Eve", "phone", "7"))
		list, _, err := h.Conflicts(t.Context(), "", 1, 10)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		b, path := h.browser(), "/directory/conflicts/"+list[0].ID
		b.shows("/directory/conflicts", "Eve Smith", "1 question")
		b.shows(path, "Who is Eve Smith", "It is Ada Name1 (login1)", "It is somebody else", "Do not take this record")
		if w := b.ask("POST", path, url.Values{"decision": {"same somebody"}}); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "Choose one of the decisions") {
			t.Errorf("a decision that is none: %d", w.Code)
		}
		who, _ := h.person("login1")
		if w := b.ask("POST", path, url.Values{"decision": {"same " + string(who)}}); w.Code != http.StatusSeeOther {
			t.Fatalf("decided: %d %.300s", w.Code, w.Body)
		}
		b.shows(path, "This question is settled")
		b.shows("/directory/origins/"+string(who), "Let this one win", "In force", "Smith", "Name1")
		if w := b.ask("POST", "/directory/origins/"+string(who), url.Values{"field": {"family_name"}, "source": {"lms"}}); w.Code != http.StatusSeeOther {
			t.Fatalf("pinned: %d %.300s", w.Code, w.Body)
		}
		if _, s := h.person("login1"); s.FamilyName != "Smith" {
			t.Errorf("the name is %s", s.FamilyName)
		}
		b.shows("/directory/origins/"+string(who), "In force by decision", "Back to the rules")
		for _, form := range []url.Values{{"field": {"family_name"}, "source": {"nobody"}}, {"field": {"nothing"}, "source": {"hr"}}} {
			if w := b.ask("POST", "/directory/origins/"+string(who), form); w.Code != http.StatusNotFound {
				t.Errorf("pinned %v: %d", form, w.Code)
			}
		}
	}, source.Config{ID: "hr", Priority: 1}, source.Config{ID: "lms", Priority: 2})
}

func TestTheScheduleAsksForWhatIsDueAndForWhatWasInterrupted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		due := func() int {
			return h.count("SELECT COUNT(*) FROM jobs WHERE name = 'directory.read' AND state = 'waiting'")
		}
		if err := h.schedule(t.Context()); err != nil {
			t.Fatal(err)
		}
		if due() != 1 {
			t.Errorf("%d readings are due at the start", due())
		}
		h.read("hr", some(2)...)
		if next, err := h.NextRun(t.Context(), h.Feeds[0]); err != nil || !next.Equal(h.clock.Now().Add(6*time.Hour)) {
			t.Errorf("the next reading is at %s, %v", next, err)
		}
		if next, err := h.NextRun(t.Context(), h.Feeds[1]); err != nil || !next.IsZero() {
			t.Errorf("a source without a schedule is read at %s, %v", next, err)
		}
	}, source.Config{ID: "hr", Every: 6 * time.Hour}, source.Config{ID: "lms"})
}

func TestWhatWaitsIsToldOnTheHomePageAndToMonitors(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := i18n.With(t.Context(), sentences(t).For(campus.English))
		h.read("hr", some(30)...)
		cards, err := h.Cards(ctx, officer)
		if err != nil || len(cards) != 0 {
			t.Errorf("nothing waits, and there is %+v, %v", cards, err)
		}
		if c := h.Health(ctx); len(c) != 1 || !c[0].OK {
			t.Errorf("a source that was read is %+v", c)
		}
		h.read("hr", append(some(10), line("x", "mail", "p1@valmont.example", "family_name", "Other", "login", "z"))...)
		cards, err = h.Cards(ctx, officer)
		if err != nil || len(cards) != 1 || !strings.Contains(cards[0].Rows[0].Title, "A reading was stopped") {
			t.Errorf("a run is held, and there is %+v, %v", cards, err)
		}
		if cards, err := h.Cards(ctx, campus.Viewer{Person: "x", Rights: []campus.Right{campus.RightAdmin}}); err != nil || len(cards) != 0 {
			t.Errorf("somebody without the right is told %+v", cards)
		}
		if c := h.Health(ctx); c[0].OK || c[0].Reason != TooManyGone {
			t.Errorf("a source that is held is %+v", c)
		}
		h.clock.Advance(3 * time.Hour)
		if c := h.Health(ctx); c[0].OK || c[0].Reason != Late {
			t.Errorf("a source that nobody reads is %+v", c)
		}
	}, source.Config{ID: "hr", Every: time.Hour}, source.Config{ID: "hand"})
}
