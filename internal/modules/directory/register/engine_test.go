package register

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

func sentences(t testing.TB) *i18n.Catalogue {
	t.Helper()
	texts, err := i18n.Load(time.UTC, clock.System(), web.Locales, ui.Locales, os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// some are n students.
func some(n int) []source.Record {
	var list []source.Record
	for i := range n {
		list = append(list, somebody(i))
	}
	return list
}

func TestARunBringsPeopleThenNothingThenWhatChanged(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		want(t, h.read("hr", some(30)...), Done, 30, 0, 0, 0, 0)
		who, s := h.person("login7")
		if s.FamilyName != "Name7" || len(s.Affiliations) != 1 || !s.Until[campus.Student].IsZero() {
			t.Errorf("login7 is %+v", s)
		}
		rows := h.count("SELECT COUNT(*) FROM directory_changes")
		r := h.read("hr", some(30)...)
		want(t, r, Done, 0, 0, 0, 0, 0)
		if r.Counts.Unchanged != 30 || h.count("SELECT COUNT(*) FROM directory_changes") != rows {
			t.Errorf("a run without change wrote: %+v", r.Counts)
		}
		list := some(30)
		list[7].Values["family_name"] = []string{"Name7 Durand"}
		list[8].Values["affiliations"] = []string{"student|port|l2|"}
		want(t, h.read("hr", list...), Done, 0, 2, 0, 0, 0)
		if again, s := h.person("login7"); again != who || s.FamilyName != "Name7 Durand" {
			t.Errorf("login7 became %s %+v", again, s)
		}
		if _, s := h.person("login8"); s.Affiliations[0].Programme != "l2" || len(s.Affiliations) != 1 {
			t.Errorf("login8 is %+v", s.Affiliations)
		}
	})
}

func TestADryRunSaysEverythingAndChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.papers["hr"].records = append(some(3), line("bad", "login", "x y", "mail", "z@valmont.example", "family_name", "Bad"), line("none", "given_name", "Nobody"))
		r, err := h.Run(t.Context(), Order{Source: "hr", Dry: true})
		if err != nil {
			t.Fatal(err)
		}
		want(t, r, Dry, 3, 0, 0, 0, 2)
		if n := h.count("SELECT COUNT(*) FROM people_test"); n != 0 {
			t.Errorf("a rehearsal made %d people", n)
		}
		report, total, err := h.Report(t.Context(), r.ID, Filter{Page: 1, PerPage: 50})
		if err != nil || total != 5 || report[3].Reason.Reason != malformed || report[4].Reason.Reason != NoName {
			t.Errorf("the report: %v %d %+v", err, total, report)
		}
		var csv bytes.Buffer
		ctx := i18n.With(t.Context(), sentences(t).For(campus.French))
		if err := h.WriteCSV(ctx, &csv, r.ID, Filter{Kind: "creation", Words: "name1"}); err != nil || !strings.Contains(csv.String(), "Nouvelle;Personne;Ada Name1;k1;line k1;Identifiant;;login1") || strings.Contains(csv.String(), "Name2") {
			t.Errorf("the spreadsheet: %v %s", err, csv.String())
		}
		want(t, h.read("hr", some(3)...), Done, 3, 0, 0, 0, 0)
	})
}

func TestWhoLeavesKeepsTheAccountAndLosesTheRegistration(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(20)...)
		r := h.read("hr", some(18)...)
		want(t, r, Done, 0, 0, 2, 0, 0)
		_, s := h.person("login19")
		if until := s.Until[campus.Student]; !until.Equal(h.clock.Now()) || len(s.Affiliations) != 1 {
			t.Errorf("login19 is registered until %s with %v", until, s.Affiliations)
		}
		want(t, h.read("hr", some(18)...), Done, 0, 0, 0, 0, 0)
		h.read("hr", some(20)...)
		if _, s := h.person("login19"); !s.Until[campus.Student].IsZero() {
			t.Errorf("login19 came back and is registered until %s", s.Until[campus.Student])
		}
		if n := h.count("SELECT COUNT(*) FROM people_test"); n != 20 {
			t.Errorf("coming back made %d people", n)
		}
	})
}

func TestASourceThatBreaksOffDepartsNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(20)...)
		h.papers["hr"].partial = true
		want(t, h.read("hr", some(5)...), Done, 0, 0, 0, 0, 0)
		h.papers["hr"].partial, h.papers["hr"].breaks = false, errors.New("connection reset")
		r, err := h.Run(t.Context(), Order{Source: "hr"})
		if !errors.Is(err, SourceBroken) {
			t.Fatalf("the run ended with %v %v", r, err)
		}
		runs, _, err := h.Runs(t.Context(), "hr", 1, 10)
		if err != nil || runs[0].State != Failed || runs[0].Reason.Reason != SourceBroken {
			t.Errorf("the list says %+v, %v", runs[0], err)
		}
		if n := h.count("SELECT COUNT(*) FROM directory_records WHERE gone_at > 0"); n != 0 {
			t.Errorf("%d people left", n)
		}
	})
}

func TestALineThatCannotBeReadDepartsNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(20)...)
		broken := some(20)
		broken[3].Values = map[string][]string{"broken": {"yes"}}
		want(t, h.read("hr", broken...), Done, 0, 0, 0, 0, 1)
		if n := h.count("SELECT COUNT(*) FROM directory_records WHERE gone_at > 0"); n != 0 {
			t.Errorf("%d people left", n)
		}
	})
}

func TestAProgramThatPushesIsAnsweredForEachRecord(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r, err := h.Push(t.Context(), "api", append(some(2), line("bad", "broken", "yes")))
		if err != nil || r[0].Person == "" || r[1].Err != nil || !errors.Is(r[2].Err, malformed) {
			t.Fatalf("%+v %v", r, err)
		}
		again, err := h.Push(t.Context(), "api", some(1))
		if err != nil || again[0].Person != r[0].Person {
			t.Errorf("pushed again: %+v %v", again, err)
		}
		left, err := h.Push(t.Context(), "api", []source.Record{{Kind: source.Person, Key: "k0", Gone: true}})
		if err != nil || left[0].Err != nil {
			t.Fatal(left, err)
		}
		if _, s := h.person("login0"); s.Until[campus.Student].IsZero() {
			t.Error("who was taken away is still registered")
		}
		runs, n, err := h.Runs(t.Context(), "api", 1, 10)
		if err != nil || n != 1 || runs[0].Counts.Creations != 2 || runs[0].Counts.Departures != 1 {
			t.Errorf("the report: %+v %d %v", runs, n, err)
		}
	}, source.Config{ID: "api", Kind: source.KindAPI})
}

func TestOnlyOneRunWritesAtATime(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first := &work{e: h.Engine, feed: h.Feeds[0], id: "a", token: "a"}
		if err := first.hold(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Run(t.Context(), Order{Source: "hr"}); !errors.Is(err, RunUnderWay) {
			t.Errorf("a second run: %v", err)
		}
		h.clock.Advance(leaseTime + time.Second) // the first is dead
		want(t, h.read("hr", some(2)...), Done, 2, 0, 0, 0, 0)
	})
}

func TestAnIncrementalRunAsksForWhatChanged(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.papers["hr"].cursor = "42"
		h.read("hr", some(5)...)
		p := h.papers["hr"]
		p.partial = true
		p.records = []source.Record{{Kind: source.Person, Key: "k1", Gone: true}}
		r, err := h.Run(t.Context(), Order{Source: "hr"})
		if err != nil || p.since != "42" || r.Mode != modeIncremental {
			t.Fatalf("asked since %q: %+v %v", p.since, r, err)
		}
		want(t, r, Done, 0, 0, 1, 0, 0)
		h.clock.Advance(25 * time.Hour)
		if _, err := h.Run(t.Context(), Order{Source: "hr"}); err != nil || p.since != "" {
			t.Errorf("a day later asked since %q: %v", p.since, err)
		}
	})
}

func TestADuplicateOfTheSourceCountsOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		want(t, h.read("hr", append(some(3), some(2)...)...), Done, 3, 0, 0, 0, 2)
	})
}

func TestTenThousandPeopleComeQuickly(t *testing.T) {
	now := clock.At(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
	h := newHouse(t, dbtest.OpenAt(t, now, testSchema()...), now)
	list := some(10_000)
	begun := time.Now()
	want(t, h.read("hr", list...), Done, 10_000, 0, 0, 0, 0)
	first := time.Since(begun)
	begun = time.Now()
	want(t, h.read("hr", list...), Done, 0, 0, 0, 0, 0)
	same := time.Since(begun)
	t.Logf("first %s, unchanged %s", first, same)
	if first > 3*time.Minute || same > first/4 { // a busy machine is slow at both
		t.Errorf("10,000 people took %s, and %s when nothing changed", first, same)
	}
}

func TestEveryQueryRunsOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, filepath.Join("internal", "sqlgen", "queries.sql.go"), testSchema()...)
}
