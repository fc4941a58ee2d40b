package calendar

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

var (
	start  = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	schema = []db.Migrations{{Name: "sso", FS: os.DirFS("..")}}
)

const day = 24 * time.Hour

// registryWord is the one sentence that the page borrows from the room.
var registryWord = fstest.MapFS{
	"locales/fr.toml": {Data: []byte("[sso]\nregistry = \"Registre des services\"\n")},
	"locales/en.toml": {Data: []byte("[sso]\nregistry = \"Registry of services\"\n")},
}

// house is the alcove with one source and a post box.
type house struct {
	*Calendar
	t      *testing.T
	clock  *clock.Manual
	ends   []Expiring
	failed error
	mails  []mailer.Message
	server *web.Server
	viewer campus.Viewer
}

func (h *house) Send(_ context.Context, _ db.Tx, m mailer.Message) error {
	h.mails = append(h.mails, m)
	return nil
}

func each(t *testing.T, test func(t *testing.T, h *house)) {
	now := clock.At(start)
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(start)
		texts, err := i18n.Load(time.UTC, now, web.Locales, ui.Locales, os.DirFS("."), registryWord)
		if err != nil {
			t.Fatal(err)
		}
		h := &house{t: t, clock: now, viewer: campustest.Alix()}
		h.Calendar = New(Deps{
			DB: d, Log: slog.New(slog.DiscardHandler), Texts: texts, Mailer: h, BaseURL: "https://ent.valmont.example",
			Sources: []Source{func(context.Context) ([]Expiring, error) { return h.ends, nil }, func(context.Context) ([]Expiring, error) { return nil, h.failed }},
		})
		base, err := url.Parse(h.BaseURL)
		if err != nil {
			t.Fatal(err)
		}
		h.server = web.New(web.Config{
			BaseURL: base, Log: slog.New(slog.DiscardHandler), Clock: now, Texts: texts, Language: campus.English, ErrorPage: ui.FailurePage,
			Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) { return h.viewer, nil },
		})
		h.Routes(h.server.Router("sso"))
		test(t, h)
	}, schema...)
}

func (h *house) get(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, httptest.NewRequest("GET", h.BaseURL+path, nil))
	return w
}

func (h *house) alarms() int {
	h.t.Helper()
	before := len(h.mails)
	if err := h.alarm(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	return len(h.mails) - before
}

func TestTheNearestThresholdIsDue(t *testing.T) {
	for _, c := range []struct {
		left time.Duration
		days int
		ok   bool
	}{
		{61 * day, 0, false}, {60 * day, 60, true}, {31 * day, 60, true}, {30 * day, 30, true}, {7 * day, 7, true}, {time.Second, 7, true}, {0, 0, true}, {-400 * day, 0, true},
	} {
		if days, ok := due(start.Add(c.left), start); days != c.days || ok != c.ok {
			t.Errorf("%v before the end: %d, %v", c.left, days, ok)
		}
	}
}

func TestEachAlarmIsSentOnceToItsContact(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.ends = []Expiring{
			{ID: "a", Kind: Secret, NameFrench: "Wiki", Ends: start.Add(61 * day), Contact: "wiki@valmont.example", URL: "/sso/services/wiki"},
			{ID: "b", Kind: Certificate, NameEnglish: "Nobody", Ends: start.Add(5 * day), URL: "/sso/services/b"},
		}
		want := map[int]int{0: 0, 1: 1, 2: 0, 31: 1, 32: 0, 54: 1, 60: 0, 61: 1, 62: 0}
		for d := 0; d <= 62; d++ {
			expected, named := want[d]
			if got := h.alarms(); named && got != expected || !named && got != 0 {
				t.Errorf("day %d: %d mails", d, got)
			}
			h.clock.Advance(day)
		}
		last := h.mails[len(h.mails)-1]
		if last.To != "wiki@valmont.example" || !strings.Contains(last.Text, "ended") || strings.Contains(last.Subject+last.Text, "⟦") || !strings.Contains(last.Text, "https://ent.valmont.example/sso/calendar") {
			t.Errorf("%+v", last)
		}
		h.ends[0].Ends = h.clock.Now().Add(50 * day) // renewed
		if h.alarms() != 1 || h.alarms() != 0 {
			t.Error("what was renewed is not told of anew, once")
		}
	})
}

func TestOneContactGetsOneMailForAllThatEnds(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, id := range []string{"a", "b", "c"} {
			h.ends = append(h.ends, Expiring{ID: id, Kind: Certificate, NameFrench: "Service " + id, Ends: start.Add(3 * day), Contact: "x@valmont.example"})
		}
		if n := h.alarms(); n != 1 || !strings.Contains(h.mails[0].Text, "Service a") || !strings.Contains(h.mails[0].Text, "Service c") {
			t.Errorf("%d mails: %+v", n, h.mails)
		}
	})
}

func TestThePageTheCardAndTheFileListTheNextEndFirst(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.viewer.Locale = campus.English
		ctx := i18n.With(t.Context(), h.server.Texts.For(campus.English))
		if cards, err := h.Cards(ctx, h.viewer); err != nil || len(cards) != 0 {
			t.Errorf("nothing ends, and the card says %+v, %v", cards, err)
		}
		h.ends = []Expiring{
			{ID: "later", Kind: Secret, NameFrench: "Tard", NameEnglish: "Later", Ends: start.Add(90 * day), URL: "/sso/services/later"},
			{ID: "soon", Kind: Certificate, NameEnglish: "Soon; very, very soon", Detail: strings.Repeat("é", 80), Ends: start.Add(20 * day), URL: "/sso/services/soon"},
		}
		page := h.get("/sso/calendar").Body.String()
		if soon, later := strings.Index(page, ">Soon"), strings.Index(page, ">Later"); soon < 0 || later < soon || strings.Contains(page, "⟦") || !strings.Contains(page, "20 days") {
			t.Error(page)
		}
		file := h.get("/sso/calendar.ics").Body.String()
		for _, want := range []string{"BEGIN:VCALENDAR\r\n", "DTSTART;VALUE=DATE:20261212\r\n", `SUMMARY:Soon\; very\, very soon`, "TRIGGER:-P30D\r\n"} {
			if !strings.Contains(file, want) {
				t.Errorf("the file lacks %q: %s", want, file)
			}
		}
		for line := range strings.SplitSeq(file, "\r\n") {
			if len(line) > 75 || strings.Contains(line, "\uFFFD") {
				t.Errorf("a line of %d bytes: %q", len(line), line)
			}
		}
		cards, err := h.Cards(ctx, h.viewer)
		if err != nil || len(cards) != 1 || len(cards[0].Rows) != 1 || cards[0].Rows[0].URL != "/sso/services/soon" {
			t.Errorf("%+v, %v", cards, err)
		}
	})
}

func TestASourceThatFailsHidesNoOther(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.viewer.Locale = campus.English
		h.failed = errors.New("not there")
		h.ends = []Expiring{{ID: "a", Kind: OwnKey, NameEnglish: "Ours", Ends: start.Add(day), Contact: "x@valmont.example", URL: "/"}}
		if page := h.get("/sso/calendar").Body.String(); !strings.Contains(page, "Ours") || !strings.Contains(page, "not complete") {
			t.Error(page)
		}
		if err := h.alarm(t.Context()); !errors.Is(err, h.failed) || len(h.mails) != 1 {
			t.Errorf("%v, %d mails", err, len(h.mails))
		}
	})
}

func TestWhoIsToldAndHowLongIsLeftAreInWords(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.viewer.Locale = campus.English
		h.ends = []Expiring{
			{ID: "a", Kind: OwnKey, NameEnglish: "Ours", Ends: start.Add(3649 * day)},
			{ID: "b", Kind: Secret, NameEnglish: "Theirs", Ends: start.Add(100*day + time.Hour), URL: "/sso/services/b"},
		}
		page := h.get("/sso/calendar").Body.String()
		for _, want := range []string{"the administrators", "10 years", "nobody is told", "100 days"} {
			if strings.Count(page, want) != 1 {
				t.Errorf("%q should be there once: %s", want, page)
			}
		}
	})
}

func TestTheCalendarIsForAdministrators(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.viewer = campustest.Sam()
		for _, path := range []string{"/sso/calendar", "/sso/calendar.ics"} {
			if w := h.get(path); w.Code != http.StatusForbidden {
				t.Errorf("%s: %d", path, w.Code)
			}
		}
		h.ends = []Expiring{{ID: "a", Kind: OwnKey, NameEnglish: "Ours", Ends: start}}
		if cards, err := h.Cards(t.Context(), h.viewer); err != nil || cards != nil {
			t.Errorf("%+v, %v", cards, err)
		}
	})
}

func TestEveryQueryPreparesOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schema...)
}
