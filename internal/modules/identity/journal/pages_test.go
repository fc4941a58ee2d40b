package journal

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// noon is when the tests begin.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// house is the journal behind a server, with the neighbours that it needs.
type house struct {
	*Journal
	t      *testing.T
	web    *web.Server
	viewer campus.Viewer
	locked []campus.PersonID
	kept   []string // sessions that were spared
	forgot []campus.PersonID
}

var nobody = fault.Declare(fault.NotFound, "test.person_missing")

func (h *house) PersonByID(ctx context.Context, who campus.PersonID) (account.Person, error) {
	return h.PersonByLogin(ctx, string(who))
}

func (h *house) PersonByLogin(_ context.Context, login string) (account.Person, error) {
	switch login {
	case "lina", "paul":
		return account.Person{ID: campus.PersonID(login), Login: login, GivenName: strings.ToUpper(login[:1]) + login[1:], FamilyName: "Martin"}, nil
	}
	return account.Person{}, nobody
}

func (h *house) EndSessionsOf(_ context.Context, _ db.Tx, _ campus.PersonID, except string) (int, error) {
	h.kept = append(h.kept, except)
	return 2, nil
}

func (h *house) ForgetAll(_ context.Context, _ db.Tx, e Event) (int, error) {
	h.forgot = append(h.forgot, e.Person)
	return 1, nil
}

func (h *house) LockOneself(_ context.Context, _ db.Tx, who campus.PersonID) error {
	h.locked = append(h.locked, who)
	return nil
}

var lina = campus.Viewer{Person: "lina", Login: "lina", Session: "s1"}

func openHouse(t *testing.T, d *db.DB, now clock.Clock) *house {
	t.Helper()
	h := &house{t: t, viewer: lina}
	log := slog.New(slog.DiscardHandler)
	h.Journal = New(Deps{
		DB: d, Keys: keyring(t), Log: log, People: h, Sessions: h, Guard: h, Zone: time.UTC,
		Browser: func(_ *i18n.Printer, agent string) string { return "browser " + agent },
	}, Defaults())
	texts := i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, os.DirFS("."))
	base, _ := url.Parse("http://localhost")
	h.web = web.New(web.Config{
		BaseURL: base, Log: log, Clock: now, Texts: texts, Language: campus.English,
		Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) { return h.viewer, nil },
		Prepare: func(_ http.ResponseWriter, r *http.Request) context.Context {
			return ui.WithShell(r.Context(), ui.Shell{Institution: "Valmont", Viewer: web.Viewer(r), Path: r.URL.RequestURI()})
		},
		ErrorPage:  ui.FailurePage,
		ClientAddr: func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.7") },
	})
	h.Routes(h.web.Router("identity"))
	return h
}

// ask sends a request as the viewer; a form makes it a POST.
func (h *house) ask(path string, form url.Values) *http.Response {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil)
	if form != nil {
		r = httptest.NewRequest(http.MethodPost, "http://localhost"+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	r.Header.Set("User-Agent", "Firefox")
	rec := httptest.NewRecorder()
	h.web.ServeHTTP(rec, r)
	return rec.Result()
}

// page is the body of a page that must be there.
func (h *house) page(path string) string {
	h.t.Helper()
	resp := h.ask(path, nil)
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		h.t.Fatalf("%s answers %d: %s", path, resp.StatusCode, body)
	}
	if strings.Contains(string(body), "⟦") {
		h.t.Errorf("%s lacks words: %s", path, body[strings.Index(string(body), "⟦"):])
	}
	return string(body)
}

func TestEachPersonSeesTheirOwnEventsAndNobodyElses(t *testing.T) {
	dbtest.EachAt(t, clock.At(noon), func(t *testing.T, d *db.DB) {
		h := openHouse(t, d, clock.At(noon))
		h.write(t, Event{Person: "lina", Actor: "lina", Kind: "identity.password_changed", Address: "192.0.2.1", Agent: "A"})
		h.write(t, Event{Person: "lina", Actor: "agent", Kind: "identity.incident_opened", Address: "192.0.2.3", Agent: "B"})
		h.write(t, Event{Person: "paul", Actor: "paul", Kind: "identity.locked", Address: "198.51.100.1", Agent: "C"})
		h.write(t, Event{Person: "lina", Kind: "identity.never_heard_of"})
		body := h.page("/identity/journal")
		for _, want := range []string{"The password was changed.", "192.0.2.1", "browser A", "by an agent of the university", "Event identity.never_heard_of.", "automatically", `href="/identity/journal/1/not-me"`} {
			if !strings.Contains(body, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
		for _, not := range []string{"198.51.100.1", "browser C", `href="/identity/journal/2/not-me"`} {
			if strings.Contains(body, not) {
				t.Errorf("the page shows %q", not)
			}
		}
		if file := h.page("/identity/journal.csv"); strings.Contains(file, "198.51.100.1") || !strings.Contains(file, "192.0.2.1") {
			t.Errorf("the file holds %s", file)
		}
		for _, path := range []string{"/identity/journal/3/not-me", "/identity/journal/3/next-steps", "/identity/journal/99/not-me", "/identity/journal/x/not-me"} {
			if resp := h.ask(path, nil); resp.StatusCode != http.StatusNotFound {
				t.Errorf("%s answers %d", path, resp.StatusCode)
			}
		}
		if resp := h.ask("/identity/journal/3/not-me", url.Values{"act": {"lock"}}); resp.StatusCode != http.StatusNotFound || len(h.locked)+len(h.kept)+len(h.forgot) > 0 {
			t.Errorf("disowning an event of somebody else answers %d; locked %v, kept %v", resp.StatusCode, h.locked, h.kept)
		}
	}, schema)
}

func TestTheJournalOfAllIsForAdministratorsAlone(t *testing.T) {
	h := openHouse(t, dbtest.OpenAt(t, clock.At(noon), schema), clock.At(noon))
	h.write(t, Event{Person: "paul", Actor: "lina", Kind: "identity.locked", Facts: map[string]string{"rule": "travel"}})
	h.write(t, Event{Person: "gone", Kind: "identity.unlocked"})
	for _, rights := range [][]campus.Right{nil, {campus.RightHelpdesk}, {campus.RightSecretariat, campus.RightNews}} {
		h.viewer.Rights = rights
		if resp := h.ask("/identity/journal/all", nil); resp.StatusCode != http.StatusForbidden {
			t.Errorf("with the rights %v: %d", rights, resp.StatusCode)
		}
	}
	h.viewer.Rights = []campus.Right{campus.RightAdmin}
	body := h.page("/identity/journal/all")
	for _, want := range []string{"Paul Martin (paul)", "Lina Martin (lina)", "gone", "rule=travel", "The chain was not verified yet."} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if err := h.verifyDaily(t.Context()); err != nil {
		t.Fatal(err)
	}
	if body := h.page("/identity/journal/all"); !strings.Contains(body, "The chain holds up to event 2") {
		t.Error("the page does not say that the chain holds")
	}
	tamper(t, h.db, "DELETE FROM identity_journal WHERE seq = 1")
	if err := h.verifyDaily(t.Context()); err != nil {
		t.Fatal(err)
	}
	if body := h.page("/identity/journal/all"); !strings.Contains(body, "Event 1 was written and is not there any more.") {
		t.Error("the page does not say that the chain is broken")
	}
	h.viewer = campus.Viewer{}
	for _, path := range []string{"/identity/journal", "/identity/journal.csv", "/identity/journal/all", "/identity/journal/1/not-me"} {
		if resp := h.ask(path, nil); resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(resp.Header.Get("Location"), "/login") {
			t.Errorf("%s answers a stranger %d to %s", path, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
}

func TestTheJournalOfAllIsSearched(t *testing.T) {
	now := clock.At(noon)
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(noon)
		h := openHouse(t, d, now)
		h.viewer.Rights = []campus.Right{campus.RightAdmin}
		h.write(t, Event{Person: "paul", Kind: "identity.locked", Address: "192.0.2.1"})
		now.Advance(24 * time.Hour)
		h.write(t, Event{Person: "paul", Kind: "identity.factor_added", Address: "192.0.2.2"})
		now.Advance(24 * time.Hour)
		h.write(t, Event{Person: "lina", Kind: "identity.locked", Address: "192.0.2.3"})
		cases := []struct{ name, query, want string }{
			{"nothing", "", "123"},
			{"a person", "who=paul", "12"},
			{"a subject", "subject=factor", "2"},
			{"a kind", "kind=identity.locked", "13"},
			{"a kind and a person", "kind=identity.locked&who=lina", "3"},
			{"a first day", "since=2026-11-23", "23"},
			{"a last day, which counts", "until=2026-11-23", "12"},
			{"one day", "since=2026-11-23&until=2026-11-23", "2"},
			{"in front of an event", "before=3", "12"},
			{"SQL", "kind=%27+OR+1%3D1+--", ""},
			{"a subject that is none", "subject=nothing", "123"},
		}
		for _, c := range cases {
			body := h.page("/identity/journal/all?" + c.query)
			got := ""
			for _, n := range []string{"1", "2", "3"} {
				if strings.Contains(body, "192.0.2."+n) {
					got += n
				}
			}
			if got != c.want {
				t.Errorf("by %s: events %q, want %q", c.name, got, c.want)
			}
		}
		for _, query := range []string{"since=yesterday", "who=somebody"} {
			if resp := h.ask("/identity/journal/all?"+query, nil); resp.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("%s answers %d", query, resp.StatusCode)
			}
		}
	}, schema)
}

func TestOnesOwnEventsArePagedAndChosen(t *testing.T) {
	now := clock.At(noon.AddDate(0, -1, 0))
	h := openHouse(t, dbtest.OpenAt(t, now, schema), now)
	h.write(t, Event{Person: "lina", Actor: "lina", Kind: "identity.device_trusted", Address: "192.0.2.99"})
	now.Set(noon)
	for range perPage {
		h.write(t, Event{Person: "lina", Actor: "lina", Kind: "identity.signed_in", Address: "192.0.2.1"})
	}
	first := h.page("/identity/journal")
	if strings.Contains(first, "192.0.2.99") || !strings.Contains(first, `href="/identity/journal?before=2"`) {
		t.Error("the first page is not full, or does not lead on")
	}
	if second := h.page("/identity/journal?before=2"); !strings.Contains(second, "192.0.2.99") || strings.Contains(second, "192.0.2.1 ") {
		t.Error("the second page does not hold the oldest event alone")
	}
	for _, query := range []string{"month=2026-10", "subject=device"} {
		if body := h.page("/identity/journal?" + query); !strings.Contains(body, "192.0.2.99") || strings.Contains(body, "Signed in.") {
			t.Errorf("%s does not choose the one event", query)
		}
	}
	if body := h.page("/identity/journal?month=2025-12"); !strings.Contains(body, "No event to show.") {
		t.Error("an empty month does not say that it is empty")
	}
}

func TestThisWasNotMe(t *testing.T) {
	cases := []struct {
		name, act string
		locked    int
	}{
		{"closing the other sessions", "close", 0},
		{"locking on top of it", "lock", 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dbtest.EachAt(t, clock.At(noon), func(t *testing.T, d *db.DB) {
				h := openHouse(t, d, clock.At(noon))
				h.write(t, Event{Person: "lina", Actor: "lina", Kind: "identity.signed_in", Address: "198.51.100.1"})
				if body := h.page("/identity/journal/1/not-me"); !strings.Contains(body, "198.51.100.1") {
					t.Error("the page does not say which event is meant")
				}
				if len(h.kept) > 0 {
					t.Error("opening the page closed sessions")
				}
				resp := h.ask("/identity/journal/1/not-me", url.Values{"act": {c.act}})
				if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/identity/journal/1/next-steps" {
					t.Fatalf("answers %d to %s", resp.StatusCode, resp.Header.Get("Location"))
				}
				if len(h.kept) != 1 || h.kept[0] != "s1" || len(h.locked) != c.locked || len(h.forgot) != 1 || h.forgot[0] != "lina" {
					t.Errorf("spared %v, locked %v, forgot the browsers of %v", h.kept, h.locked, h.forgot)
				}
				all, err := h.Of(t.Context(), "lina", 5)
				if err != nil || len(all) != 2 || all[0].Kind != "identity.disowned" || all[0].Facts["event"] != "1" || all[0].Address != "192.0.2.7" {
					t.Errorf("the journal says %+v, %v", all, err)
				}
				if body := h.page("/identity/journal/1/next-steps"); !strings.Contains(body, `href="/identity/password"`) {
					t.Error("the next steps do not lead to a new password")
				}
			}, schema)
		})
	}
}

func TestASpreadsheetTakesNoBrowserForAFormula(t *testing.T) {
	h := openHouse(t, dbtest.OpenAt(t, clock.At(noon), schema), clock.At(noon))
	h.write(t, Event{Person: "lina", Actor: "lina", Kind: "identity.signed_in", Agent: "=HYPERLINK(\"http://evil\")"})
	if file := h.page("/identity/journal.csv"); !strings.Contains(file, `"'=HYPERLINK(`) {
		t.Errorf("the file holds %s", file)
	}
}

func TestWriteRefusesWhatIsNoEvent(t *testing.T) {
	j := onJournal(t, dbtest.Open(t, schema))
	for _, kind := range []string{"", "signed_in", "identity.Signed", "identity.x; DROP"} {
		err := j.db.InTx(t.Context(), func(tx db.Tx) error { return j.Write(t.Context(), tx, Event{Kind: kind}) })
		if err == nil {
			t.Errorf("%q was written", kind)
		}
	}
	if r := j.verified(t); r.To != 0 {
		t.Errorf("the head moved to %d", r.To)
	}
}

func TestEventsTakeBytesThatAreNoText(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		j := onJournal(t, d)
		j.write(t, Event{Person: "lina", Kind: "identity.signed_in", Agent: "a\x00b\xff" + strings.Repeat("é", 400)})
		all, err := j.Of(t.Context(), "lina", 1)
		if err != nil || len(all) != 1 || len(all[0].Agent) > longestAgent || !strings.HasPrefix(all[0].Agent, "abé") {
			t.Errorf("kept %+v, %v", all, err)
		}
		if r := j.verified(t); r.Fault != nil {
			t.Error(found(r.Fault))
		}
	}, schema)
}
