package year

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// people is a register of people in memory. What it is told, it does at once: the
// tests undo no transaction.
type people struct {
	contract.Register
	all   []contract.Known
	until map[campus.PersonID]map[campus.Kind]time.Time
}

func (p *people) KnownPeople(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	known := map[campus.PersonID]contract.Known{}
	for _, k := range p.all {
		if slices.Contains(ids, k.ID) {
			known[k.ID] = k
		}
	}
	return known, nil
}

func (p *people) PeopleAfter(_ context.Context, after campus.PersonID, most int) ([]contract.Known, error) {
	var list []contract.Known
	for _, k := range p.all {
		if k.ID > after && len(list) < min(most, 3) {
			list = append(list, k)
		}
	}
	return list, nil
}

func (p *people) RegisteredUntil(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]map[campus.Kind]time.Time, error) {
	until := map[campus.PersonID]map[campus.Kind]time.Time{}
	for _, id := range ids {
		until[id] = p.until[id]
	}
	return until, nil
}

func (p *people) Amend(_ context.Context, _ db.Tx, who campus.PersonID, s contract.Subject, fields []contract.Field, _ string) error {
	for i := range p.all {
		if p.all[i].ID != who {
			continue
		}
		for _, f := range fields {
			switch f {
			case contract.FieldAffiliations:
				p.all[i].Subject.Affiliations = s.Affiliations
			case contract.FieldUntil:
				p.until[who] = map[campus.Kind]time.Time{campus.Student: s.Until[campus.Student]}
			default:
				return fmt.Errorf("unexpected %s", f)
			}
		}
	}
	return nil
}

func (p *people) ties(who campus.PersonID) string {
	for _, k := range p.all {
		if k.ID == who {
			return strings.Join(tiesOf(k, p.until[who]).Affiliations, " ") + " " + untilText(p.until[who])
		}
	}
	return ""
}

// add brings somebody.
func (p *people) add(who campus.PersonID, state string, ties ...string) {
	p.all = append(p.all, contract.Known{ID: who, State: state, Subject: contract.Subject{
		Login: string(who), GivenName: "Ada", FamilyName: string(who), Affiliations: mapping.Values{contract.FieldAffiliations: ties}.Subject().Affiliations,
	}})
	p.until[who] = map[campus.Kind]time.Time{campus.Student: {}}
}

type house struct {
	*Years
	t      *testing.T
	people *people
	server *web.Server
	viewer campus.Viewer
}

var keeper = campus.Viewer{Person: "a-keeper", Locale: campus.English, Rights: []campus.Right{campus.RightDirectory}}

func schema() []db.Migrations {
	return []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "directory", FS: os.DirFS("..")}}
}

func each(t *testing.T, story func(t *testing.T, h *house)) {
	now := clock.At(time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC))
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		p := &people{until: map[campus.PersonID]map[campus.Kind]time.Time{}}
		p.add("a-keeper", "active", "staff|||")
		p.add("first", "active", "student|rives|l1|")
		p.add("last", "active", "student|rives|l3|")
		p.add("longer", "active", "student|rives|l3|")
		p.until["longer"] = map[campus.Kind]time.Time{campus.Student: time.Date(2027, 9, 1, 0, 0, 0, 0, time.UTC)}
		p.add("mixed", "active", "staff|||lib", "student|rives|l3|", "student|port|l1|")
		p.add("new", "invited", "student|rives|prep|")
		p.add("other", "active", "student|rives|med|")
		p.add("shut", "closed", "student|rives|l1|")
		slices.SortFunc(p.all, func(a, b contract.Known) int { return strings.Compare(string(a.ID), string(b.ID)) })
		h := &house{t: t, people: p, viewer: keeper}
		h.Years = New(Deps{DB: d, Register: p, Roll: p, Zone: time.UTC})
		texts, err := i18n.Load(time.UTC, now, web.Locales, ui.Locales, os.DirFS("."), os.DirFS("../register"))
		if err != nil {
			t.Fatal(err)
		}
		base, err := url.Parse("https://ent.valmont.example")
		if err != nil {
			t.Fatal(err)
		}
		h.server = web.New(web.Config{
			BaseURL: base, Log: slog.New(slog.DiscardHandler), Clock: now, Texts: texts, Language: campus.English,
			Authenticate: func(http.ResponseWriter, *http.Request) (campus.Viewer, error) { return h.viewer, nil }, ErrorPage: ui.FailurePage,
		})
		h.Routes(h.server.Router("directory"))
		story(t, h)
	}, schema()...)
}

func (h *house) ask(method, path string, form url.Values) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(method, "https://ent.valmont.example"+path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	return w
}

// work does what the jobs would.
func (h *house) work(yearID string) {
	h.t.Helper()
	if err := h.prepare(h.t.Context(), prepareYear{yearID}); err != nil {
		h.t.Fatal(err)
	}
	if err := h.carryOut(h.t.Context(), carryOut{yearID}); err != nil {
		h.t.Fatal(err)
	}
}

var table = url.Values{"name": {"2026–2027"}, "moves": {"l1 = l2\r\nl3 =\n"}, "ends": {"2026-08-31"}}

func TestAYearIsListedThenCarriedOutThenUndone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		before := map[campus.PersonID]string{}
		for _, p := range h.people.all {
			before[p.ID] = h.people.ties(p.ID)
		}
		w := h.ask("POST", "/directory/year", table)
		path := w.Header().Get("Location")
		if w.Code != http.StatusSeeOther || !strings.HasPrefix(path, "/directory/year/") {
			t.Fatalf("prepared: %d %.500s", w.Code, w.Body)
		}
		yearID := strings.TrimPrefix(path, "/directory/year/")
		h.work(yearID)
		y, err := h.ByID(t.Context(), yearID)
		if err != nil || y.State != Ready || y.Promotions != 2 || y.Departures != 1 || y.Arrivals != 1 {
			t.Fatalf("prepared: %+v %v", y, err)
		}
		for who, was := range before {
			if is := h.people.ties(who); is != was {
				t.Errorf("%s was changed by the preview: %s", who, is)
			}
		}
		if page := h.ask("GET", path, nil).Body.String(); !strings.Contains(page, "Ada first") || !strings.Contains(page, "student · rives · l2") || !strings.Contains(page, "31 August") || strings.Contains(page, "Ada shut") || strings.Contains(page, "Ada longer") {
			t.Errorf("the list is wrong: %s", page)
		}
		if page := h.ask("GET", path+"?kind=departure&q=last", nil).Body.String(); !strings.Contains(page, "Ada last") || strings.Contains(page, "Ada first") {
			t.Error("the search finds others")
		}
		h.people.all[slices.IndexFunc(h.people.all, func(k contract.Known) bool { return k.ID == "mixed" })].Subject.Affiliations[0].Unit = "archive" // meanwhile
		if w := h.ask("POST", path+"/apply", nil); w.Code != http.StatusSeeOther {
			t.Fatalf("applied: %d", w.Code)
		}
		h.work(yearID)
		h.work(yearID) // a job may run twice
		y, err = h.ByID(t.Context(), yearID)
		if err != nil || y.State != Done || y.Steps != 2 || y.Skipped != 1 {
			t.Fatalf("carried out: %+v %v", y, err)
		}
		for who, want := range map[campus.PersonID]string{
			"first": "student|rives|l2| none", "last": "student|rives|l3| 2026-09-01T00:00:00Z", "longer": before["longer"], "other": before["other"], "shut": before["shut"], "new": before["new"],
		} {
			if is := h.people.ties(who); is != want {
				t.Errorf("%s is %s, want %s", who, is, want)
			}
		}
		if w := h.ask("POST", path+"/undo", nil); w.Code != http.StatusSeeOther {
			t.Fatalf("undone: %d", w.Code)
		}
		h.work(yearID)
		if y, err := h.ByID(t.Context(), yearID); err != nil || y.State != Undone || y.Steps != 2 {
			t.Fatalf("undone: %+v %v", y, err)
		}
		for _, who := range []campus.PersonID{"first", "last"} {
			if is := h.people.ties(who); is != before[who] {
				t.Errorf("%s is %s, and was %s", who, is, before[who])
			}
		}
		if err := h.Apply(t.Context(), keeper, yearID); err == nil {
			t.Error("what was undone is carried out again")
		}
	})
}

func TestOnlyThoseWhoKeepTheDirectoryChangeTheYear(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		yearID, err := h.Prepare(t.Context(), keeper, "x", Moves{"l1": "l2"}, time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		h.work(yearID)
		h.viewer = campus.Viewer{Person: "first", Rights: []campus.Right{campus.RightAdmin, campus.RightSecretariat}}
		for _, c := range []struct{ method, path string }{
			{"GET", "/directory/year"}, {"POST", "/directory/year"}, {"GET", "/directory/year/" + yearID},
			{"POST", "/directory/year/" + yearID + "/apply"}, {"POST", "/directory/year/" + yearID + "/undo"}, {"POST", "/directory/year/" + yearID + "/drop"},
		} {
			if w := h.ask(c.method, c.path, table); w.Code != http.StatusForbidden {
				t.Errorf("%s %s: %d", c.method, c.path, w.Code)
			}
		}
		for name, err := range map[string]error{
			"apply": h.Apply(t.Context(), h.viewer, yearID), "undo": h.Undo(t.Context(), h.viewer, yearID), "drop": h.Drop(t.Context(), h.viewer, yearID),
		} {
			if err != Reserved {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := h.Prepare(t.Context(), h.viewer, "x", Moves{"l1": "l2"}, time.Now()); err != Reserved {
			t.Errorf("prepare: %v", err)
		}
		if y, err := h.ByID(t.Context(), yearID); err != nil || y.State != Ready {
			t.Errorf("the change is %+v %v", y, err)
		}
	})
}

func TestWhatIsTypedWrongIsToldAndKept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for name, c := range map[string]struct {
			field, value, said string
		}{
			"no name": {"name", " ", "Give the change a name"}, "a line without a sign": {"moves", "l1 = l2\nl3", "Line 2 cannot be read"},
			"a code twice": {"moves", "l1 = l2\nl1 = l3", "Line 2 cannot be read"}, "nothing": {"moves", "", "Name at least one programme"}, "no day": {"ends", "soon", "Choose the last day"},
		} {
			form := url.Values{"name": table["name"], "moves": table["moves"], "ends": table["ends"]}
			form.Set(c.field, c.value)
			w := h.ask("POST", "/directory/year", form)
			if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), c.said) {
				t.Errorf("%s: %d", name, w.Code)
			}
			if c.field != "moves" && !strings.Contains(w.Body.String(), "l1 = l2") {
				t.Errorf("%s: what was typed is lost", name)
			}
		}
		if list, err := h.All(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("%v %v", list, err)
		}
		if w := h.ask("GET", "/directory/year", nil); !strings.Contains(w.Body.String(), "No change of year yet") {
			t.Error("the empty list says nothing")
		}
	})
}

func TestWhatAYearMakesOfTies(t *testing.T) {
	ends := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	moves, _ := ParseMoves("l1=l2\nl2 = l3\nl3=")
	for _, c := range []struct{ name, was, kind, becomes string }{
		{"moves on", "student||l1|", promotion, "student||l2|"},
		{"moves one year, not two", "student||l2|", promotion, "student||l3|"},
		{"leaves, and keeps the tie until the day", "student||l3|", departure, "student||l3|"},
		{"a teacher of the programme stays", "teacher||l1|", "", "teacher||l1|"},
		{"leaves one of two", "student||l1| student||l3|", promotion, "student||l2|"},
		{"two that become one", "student||l1| student||l2|", promotion, "student||l2| student||l3|"},
		{"is not named", "student||med|", "", "student||med|"},
	} {
		kind, becomes := moves.step(ties{Affiliations: strings.Fields(c.was), Until: noEnd}, ends)
		if got := strings.Join(becomes.Affiliations, " "); kind != c.kind || got != c.becomes {
			t.Errorf("%s: %s %s", c.name, kind, got)
		}
	}
	text, err := json.Marshal(moves)
	if err != nil || moves.String() != "l1 = l2\nl2 = l3\nl3 =" {
		t.Errorf("%s %s %v", moves, text, err)
	}
}

func TestEveryQueryRunsOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, filepath.Join("internal", "sqlgen", "queries.sql.go"), schema()...)
}
