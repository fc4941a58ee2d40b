package register

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
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

func TestASourceThatSuddenlyReturnsNothingIsStopped(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(3)...)
		r := h.read("hr")
		want(t, r, Held, 0, 0, 3, 0, 0)
		if r.Reason.Reason != SourceEmpty || len(h.told) != 1 || !strings.Contains(h.told[0].DetailFrench, "3 personnes") || h.told[0].URL != "/directory/runs/"+r.ID {
			t.Errorf("held for %v, told %+v", r.Reason, h.told)
		}
		if _, s := h.person("login1"); !s.Until[campus.Student].IsZero() {
			t.Error("somebody left")
		}
	})
}

func TestTheBrakeStopsARunUntilSomebodyLetsItPass(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(100)...)
		held := h.read("hr", some(80)...)
		want(t, held, Held, 0, 0, 20, 0, 0)
		if held.Reason.Reason != TooManyGone {
			t.Errorf("held for %v", held.Reason)
		}
		if n := h.count("SELECT COUNT(*) FROM directory_records WHERE gone_at > 0"); n != 0 {
			t.Errorf("%d people left before anybody agreed", n)
		}
		if err := h.Release(t.Context(), campus.Viewer{Person: "x", Rights: []campus.Right{campus.RightAdmin}}, held.ID); !errors.Is(err, Reserved) {
			t.Errorf("an administrator without the right: %v", err)
		}
		if _, err := h.Resume(t.Context(), held.ID); !errors.Is(err, RunSettled) {
			t.Errorf("a held run was resumed: %v", err)
		}
		if err := h.Release(t.Context(), officer, held.ID); err != nil {
			t.Fatal(err)
		}
		if err := h.Release(t.Context(), officer, held.ID); !errors.Is(err, RunSettled) {
			t.Errorf("released twice: %v", err)
		}
		r, err := h.Resume(t.Context(), held.ID)
		if err != nil {
			t.Fatal(err)
		}
		want(t, r, Done, 0, 0, 20, 0, 0)
		if r.Counts.Applied != 20 || h.count("SELECT COUNT(*) FROM directory_records WHERE gone_at > 0") != 20 {
			t.Errorf("applied %d", r.Counts.Applied)
		}
		// A later run is stopped again, and one that is given up does nothing.
		held = h.read("hr", some(50)...)
		if err := h.Drop(t.Context(), officer, held.ID); err != nil {
			t.Fatal(err)
		}
		if r, err := h.RunByID(t.Context(), held.ID); err != nil || r.State != Superseded {
			t.Errorf("given up: %+v %v", r, err)
		}
	})
}

func TestTheBrakeStopsTooManyChanges(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(100)...)
		list := some(100)
		for i := range 20 {
			list[i].Values["family_name"] = []string{"Mojibake"}
		}
		r := h.read("hr", list...)
		want(t, r, Held, 0, 20, 0, 0, 0)
		if r.Reason.Reason != TooManyChanged {
			t.Errorf("held for %v", r.Reason)
		}
		want(t, h.read("hr", some(100)...), Done, 0, 0, 0, 0, 0)
		if r, err := h.RunByID(t.Context(), r.ID); err != nil || r.State != Superseded {
			t.Errorf("the held run is %+v %v", r, err)
		}
	})
}

func TestAMailThatTwoPeopleShareIsAQuestionAndChangesNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		list := some(4)
		list[2].Values["mail"], list[3].Values["mail"] = []string{"same@valmont.example"}, []string{"same@valmont.example"}
		want(t, h.read("hr", list...), Done, 2, 0, 0, 2, 0)
		want(t, h.read("hr", list...), Done, 0, 0, 0, 2, 0) // the question stays one
		questions, n, err := h.Conflicts(t.Context(), "name2", 1, 10)
		if err != nil || n != 1 || questions[0].Reason.Reason != SharedValue || h.count("SELECT COUNT(*) FROM directory_conflicts") != 2 {
			t.Fatalf("questions %+v %d %v", questions, n, err)
		}
		// Corrected at the source, it goes away by itself.
		list[3].Values["mail"] = []string{"other@valmont.example"}
		want(t, h.read("hr", list...), Done, 2, 0, 0, 0, 0)
		if n := h.count("SELECT COUNT(*) FROM directory_conflicts WHERE closed_at = 0"); n != 0 {
			t.Errorf("%d questions are left", n)
		}
	})
}

func TestSomebodyWhoHadTheMailFirstKeepsItWhenAnotherClaimsIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(2)...)
		list := some(3)
		list[2].Values["mail"] = []string{"p0@valmont.example"}
		list[0].Values["job_title"] = []string{"Tutor"}
		want(t, h.read("hr", list...), Done, 0, 1, 0, 1, 0)
		if _, s := h.person("login0"); s.Mail != "p0@valmont.example" || s.JobTitle != "Tutor" {
			t.Errorf("login0 is %+v", s)
		}
	})
}

func TestARecordIsMatchedByItsRulesInOrder(t *testing.T) {
	sources := []source.Config{{ID: "hr", Priority: 1}, {ID: "lms", Priority: 2, Match: []string{"student_number", "mail"}}}
	for _, c := range []struct {
		name   string
		record source.Record
		reason *fault.Reason
		makes  int64
		ties   bool
	}{
		{"by number", line("x", "student_number", "1001", "family_name", "Name1", "phone", "+33 1"), nil, 0, true},
		{"by mail, written otherwise", line("x", "mail", "p1@valmont.example", "family_name", "NAME1", "phone", "+33 1"), nil, 0, true},
		{"by a number and a mail of different people", line("x", "student_number", "1001", "mail", "p2@valmont.example", "family_name", "Name1"), SeveralPeople, 0, false},
		{"by a number, with another name", line("x", "student_number", "1001", "family_name", "Smith"), OtherName, 0, false},
		{"by a login, which is not among the rules", line("x", "login", "login1", "mail", "new@valmont.example", "family_name", "Name1"), ValueTaken, 0, false},
		{"nobody", line("x", "login", "fresh", "mail", "new@valmont.example", "family_name", "Name1"), nil, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				h.read("hr", some(5)...)
				r := h.read("lms", c.record)
				if c.reason != nil {
					want(t, r, Done, 0, 0, 0, 1, 0)
					list, _, err := h.Conflicts(t.Context(), "", 1, 10)
					if err != nil || len(list) != 1 || list[0].Reason.Reason != c.reason {
						t.Errorf("questions %+v, %v", list, err)
					}
				} else if r.Counts.Creations != c.makes || r.Counts.Conflicts != 0 {
					t.Errorf("%+v", r.Counts)
				}
				if n := h.count("SELECT COUNT(*) FROM directory_records WHERE source = 'lms'"); (n == 1) != c.ties {
					t.Errorf("%d records", n)
				}
			}, sources...)
		})
	}
}

func TestTwoRecordsOfOneSourceForOnePersonAreAQuestion(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(3)...)
		second := line("again", "student_number", "1001", "family_name", "Name1", "phone", "12")
		list := append(some(3), second)
		list[3].Values["student_number"] = []string{"1001"}
		r := h.read("hr", list...)
		want(t, r, Done, 0, 0, 0, 1, 0)
		questions, _, err := h.Conflicts(t.Context(), "", 1, 10)
		if err != nil || len(questions) != 1 {
			t.Fatal(questions, err)
		}
	})
}

func TestARecordUnderANewKeyReplacesTheOldOneAndNobodyLeaves(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(30)...)
		before, _ := h.person("login4")
		list := some(30)
		list[4].Key = "moved"
		r := h.read("hr", list...)
		if r.Counts.Departures != 0 || r.Counts.Conflicts != 0 || r.Counts.Creations != 0 {
			t.Errorf("%+v", r.Counts)
		}
		after, s := h.person("login4")
		if after != before || !s.Until[campus.Student].IsZero() {
			t.Errorf("%s became %s until %v", before, after, s.Until)
		}
		if n := h.count("SELECT COUNT(*) FROM directory_records WHERE person_id = '" + string(before) + "' AND gone_at = 0"); n != 1 {
			t.Errorf("%d records", n)
		}
	})
}

func TestSourcesWinByPrecedenceAndByField(t *testing.T) {
	sources := []source.Config{{ID: "hr", Priority: 1}, {ID: "phones", Priority: 2, First: []string{"phone"}, Enrich: true}, {ID: "apogee", Priority: 3}}
	each(t, func(t *testing.T, h *house) {
		h.read("hr", line("1", "login", "ada", "mail", "ada@valmont.example", "family_name", "Lovelace", "given_name", "Ada", "employee_number", "e1", "phone", "1", "affiliations", "staff|||dsi"))
		r := h.read("phones", line("1", "employee_number", "e1", "family_name", "Lovelace", "given_name", "A.", "phone", "2"), line("9", "employee_number", "e9", "family_name", "Nobody"))
		if r.Counts.Creations != 0 || r.Counts.Refusals != 1 {
			t.Errorf("a source that only completes: %+v", r.Counts)
		}
		h.read("apogee", line("1", "mail", "ada@valmont.example", "family_name", "Lovelace", "affiliations", "student|||", "until", "student|2027-08-31T00:00:00Z"))
		who, s := h.person("ada")
		if s.GivenName != "Ada" || len(s.Affiliations) != 2 {
			t.Errorf("merged %+v", s)
		}
		list, err := h.Origins(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		winner := func(f mapping.Field) (names []string) {
			for _, p := range list {
				for _, said := range p.Said {
					if p.Field == f && said.Wins {
						names = append(names, said.Source)
					}
				}
			}
			return names
		}
		if w := winner("phone"); !slices.Equal(w, []string{"phones"}) {
			t.Errorf("the phone is of %v", w)
		}
		if w := winner("given_name"); !slices.Equal(w, []string{"hr"}) {
			t.Errorf("the given name is of %v", w)
		}
		// Who leaves one source stays by the other.
		h.read("apogee")
		held, err := h.HeldRuns(t.Context())
		if err != nil || len(held) != 1 {
			t.Fatal(held, err)
		}
		if err := h.Release(t.Context(), officer, held[0].ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Resume(t.Context(), held[0].ID); err != nil {
			t.Fatal(err)
		}
		if _, s := h.person("ada"); len(s.Affiliations) != 1 || s.Affiliations[0].Kind != campus.Staff || s.Until[campus.Student].IsZero() || !s.Until[campus.Staff].IsZero() {
			t.Errorf("after the student left: %+v", s)
		}
		// Somebody decides that the other source is right about the name.
		if err := h.Pin(t.Context(), campus.Viewer{Person: "x"}, who, contract.FieldGivenName, "phones"); !errors.Is(err, Reserved) {
			t.Errorf("pinned without the right: %v", err)
		}
		if err := h.Pin(t.Context(), officer, who, contract.FieldGivenName, "phones"); err != nil {
			t.Fatal(err)
		}
		if _, s := h.person("ada"); s.GivenName != "A." {
			t.Errorf("pinned, the given name is %s", s.GivenName)
		}
	}, sources...)
}

func TestAQuestionIsDecidedOnceAndForAll(t *testing.T) {
	sources := []source.Config{{ID: "hr", Priority: 1}, {ID: "lms", Priority: 2}}
	record := line("x", "student_number", "1001", "family_name", "Smith", "given_name", "Eve", "phone", "7")
	for _, c := range []struct {
		decision string
		people   int
		tied     bool
	}{{Same, 5, true}, {Apart, 6, true}, {Ignore, 5, false}} {
		t.Run(c.decision, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				h.read("hr", some(5)...)
				h.read("lms", record)
				list, _, err := h.Conflicts(t.Context(), "", 1, 10)
				if err != nil || len(list) != 1 {
					t.Fatal(list, err)
				}
				who, _ := h.person("login1")
				if _, err := h.Decide(t.Context(), campus.Viewer{Person: "x"}, list[0].ID, c.decision, who); !errors.Is(err, Reserved) {
					t.Errorf("decided without the right: %v", err)
				}
				p, err := h.Decide(t.Context(), officer, list[0].ID, c.decision, who)
				if err != nil || p.Err != nil {
					t.Fatal(p, err)
				}
				if _, err := h.Decide(t.Context(), officer, list[0].ID, c.decision, who); !errors.Is(err, ConflictSettled) {
					t.Errorf("decided twice: %v", err)
				}
				h.read("lms", record)
				if n := h.count("SELECT COUNT(*) FROM people_test"); n != c.people {
					t.Errorf("%d people", n)
				}
				if n := h.count("SELECT COUNT(*) FROM directory_conflicts WHERE closed_at = 0"); n != 0 {
					t.Errorf("%d questions", n)
				}
				if n := h.count("SELECT COUNT(*) FROM directory_records WHERE source = 'lms'"); (n == 1) != c.tied {
					t.Errorf("%d records", n)
				}
			}, sources...)
		})
	}
}

func TestHomonymsGetNumbersAndNoNameIsGivenTwice(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr",
			line("1", "family_name", "Dupont", "given_name", "Élise", "affiliations", "student|||"),
			line("2", "family_name", "Dupont", "given_name", "Emma", "affiliations", "student|||"),
			line("3", "family_name", "DUPONT", "given_name", "Éric", "affiliations", "student|||"),
			line("4", "family_name", "L’Haÿ-des-Roses", "given_name", "Œuvrard", "affiliations", "student|||"))
		for _, login := range []string{"edupont", "edupont2", "edupont3", "olhaydesrose"} {
			h.person(login)
		}
		if _, s := h.person("olhaydesrose"); s.Mail != "oeuvrard.l-hay-des-roses@valmont.example" {
			t.Errorf("the address is %s", s.Mail)
		}
		// The account of somebody who left is deleted; the name stays theirs.
		if err := h.d.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "DELETE FROM people_test WHERE login = 'edupont2'")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		r, err := h.Push(t.Context(), "hr", []source.Record{line("5", "family_name", "Dupont", "given_name", "Eva", "affiliations", "student|||")})
		if err != nil || r[0].Err != nil {
			t.Fatal(r, err)
		}
		h.person("edupont4")
		r, err = h.Push(t.Context(), "hr", []source.Record{line("6", "login", "edupont2", "mail", "b@valmont.example", "family_name", "Dupond")})
		if err != nil || !errors.Is(r[0].Err, NameReserved) {
			t.Errorf("a login that was given before: %v %v", r, err)
		}
	})
}

func TestPatternsOfNames(t *testing.T) {
	s := contract.Subject{GivenName: "Jean-Pierre", FamilyName: "de La Tour", StudentNumber: "22 000 123"}
	for _, c := range []struct {
		pattern, glue, want string
	}{
		{"{given:1}{family}", "", "jdelatour"}, {"{given}.{family}", "-", "jean-pierre.de-la-tour"}, {"{family:4}{yy}", "", "dela26"},
		{"e{number}", "", "e22000123"}, {"{given:1}.{family:3}", "", "j.del"},
	} {
		pieces, err := parsePattern(c.pattern, loginParts)
		if err != nil {
			t.Fatal(err)
		}
		if got := fill(pieces, s, "", "", c.glue, 2026); got != c.want {
			t.Errorf("%s: %s", c.pattern, got)
		}
	}
	for _, bad := range []string{"", "{", "{nothing}", "{given:0}", "É", "{given:x}"} {
		if _, err := parsePattern(bad, loginParts); err == nil {
			t.Errorf("%q is a pattern", bad)
		}
	}
	if got := nth("edupont", 12, 8); got != "edupon12" {
		t.Errorf("the twelfth is %s", got)
	}
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

func TestAProgramThatTakesEverybodyAwayIsStopped(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if _, err := h.Push(t.Context(), "api", some(60)); err != nil {
			t.Fatal(err)
		}
		left := 0
		for i := range 60 {
			_, err := h.Push(t.Context(), "api", []source.Record{{Kind: source.Person, Key: fmt.Sprint("k", i), Gone: true}})
			if errors.Is(err, PushHeld) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			left++
		}
		if left != 10 {
			t.Errorf("%d people left before the brake", left)
		}
	}, source.Config{ID: "api", Kind: source.KindAPI})
}

func TestWhatTheInstitutionEnteredByHandStays(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		p := people{h.d}
		if err := h.d.InTx(t.Context(), func(tx db.Tx) error {
			_, err := p.Enrol(t.Context(), tx, contract.Subject{Login: "ada", Mail: "ada@valmont.example", FamilyName: "Lovelace", GivenName: "Ada", JobTitle: "Dean",
				Affiliations: []campus.Affiliation{{Kind: campus.Teacher, Unit: "maths"}}}, "by hand")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		h.read("hr", line("1", "mail", "ada@valmont.example", "family_name", "Lovelace", "given_name", "Ada", "affiliations", "staff|||dsi", "phone", "3"))
		_, s := h.person("ada")
		if s.JobTitle != "Dean" || len(s.Affiliations) != 2 || s.Login != "ada" {
			t.Errorf("ada is %+v", s)
		}
	})
}

func TestNoSourceTakesOverWhoHoldsRights(t *testing.T) {
	sources := []source.Config{{ID: "hr", Priority: 1}, {ID: "guests", Kind: source.KindAPI, Priority: 9, Match: []string{"employee_number", "login", "mail"}}}
	for name, evil := range map[string]source.Record{
		"the address": line("evil", "login", "root", "mail", "evil@elsewhere.example", "family_name", "Root"),
		"the login":   line("evil", "login", "other", "mail", "root@valmont.example", "family_name", "Root"),
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				p := people{h.d}
				if err := h.d.InTx(t.Context(), func(tx db.Tx) error {
					_, err := p.Enrol(t.Context(), tx, contract.Subject{Login: "root", Mail: "root@valmont.example", FamilyName: "Root"}, "by hand")
					return err
				}); err != nil {
					t.Fatal(err)
				}
				done, err := h.Push(t.Context(), "guests", []source.Record{evil})
				if err != nil || fault.Of(done[0].Err).Reason != HoldsRights {
					t.Fatalf("%+v, %v", done, err)
				}
				who, s := h.person("root")
				list, _, err := h.Conflicts(t.Context(), "", 1, 10)
				if err != nil || len(list) != 1 || s.Mail != "root@valmont.example" {
					t.Fatalf("%+v, root is %+v: %v", list, s, err)
				}
				// Who keeps the directory does not decide over an administrator either.
				keeper := campus.Viewer{Person: "keeper", Rights: []campus.Right{campus.RightDirectory}}
				if p, err := h.Decide(t.Context(), keeper, list[0].ID, Same, who); err != nil || fault.Of(p.Err).Reason != HoldsRights {
					t.Errorf("decided: %+v, %v", p, err)
				}
				if _, s := h.person("root"); s.Mail != "root@valmont.example" || s.Login != "root" {
					t.Errorf("after the decision root is %+v", s)
				}
				// What is no way into the account is taken over.
				done, err = h.Push(t.Context(), "guests", []source.Record{line("evil", "login", "root", "mail", "root@valmont.example", "family_name", "Root", "job_title", "Librarian")})
				if _, s := h.person("root"); err != nil || done[0].Err != nil || s.JobTitle != "Librarian" {
					t.Errorf("a harmless change: %+v, %v, %+v", done, err, s)
				}
			}, sources...)
		})
	}
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

// diesMidway is the child of the test below.
func TestARunThatIsKilledInTheMiddle(t *testing.T) {
	dsn := dbtest.ChildDSN(t)
	now := clock.At(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
	d, err := db.Open(t.Context(), db.Config{DSN: dsn, Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, d, now)
	h.papers["hr"].records = some(3000)
	go func() {
		for {
			var n int
			if err := d.Read().QueryRowContext(context.Background(), "SELECT COUNT(*) FROM people_test").Scan(&n); err == nil && n > 500 {
				fmt.Println("half way")
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	if _, err := h.Run(t.Context(), Order{Source: "hr"}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute) // to be killed anyway
}

func TestARunThatWasKilledInTheMiddleGoesOn(t *testing.T) {
	dbtest.EachDSN(t, func(t *testing.T, dsn string) {
		now := clock.At(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
		open := func() *db.DB {
			d, err := db.Open(t.Context(), db.Config{DSN: dsn, Clock: now})
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		d := open()
		if err := errors.Join(d.Migrate(t.Context(), testSchema()), d.Close()); err != nil {
			t.Fatal(err)
		}
		dbtest.KillChild(t, "TestARunThatIsKilledInTheMiddle", dsn, func(line string) bool { return strings.Contains(line, "half way") })
		d = open()
		defer func() {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}()
		h := newHouse(t, d, now)
		done := h.count("SELECT COUNT(*) FROM people_test")
		runs, _, err := h.Runs(t.Context(), "hr", 1, 10)
		if err != nil || len(runs) != 1 || runs[0].State != Applying || done >= 3000 || done < 500 {
			t.Fatalf("it was killed too late: %d people, %+v, %v", done, runs, err)
		}
		if _, err := h.Resume(t.Context(), runs[0].ID); !errors.Is(err, RunUnderWay) {
			t.Errorf("resumed while the other may live: %v", err)
		}
		now.Advance(leaseTime + time.Second)
		r, err := h.Resume(t.Context(), runs[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		want(t, r, Done, 3000, 0, 0, 0, 0)
		if n := h.count("SELECT COUNT(*) FROM people_test"); n != 3000 || r.Counts.Applied != 3000 {
			t.Errorf("%d people, %d applied", n, r.Counts.Applied)
		}
		want(t, h.read("hr", some(3000)...), Done, 0, 0, 0, 0, 0)
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

func TestAFieldThatIsEmptyIsNoChangeAtTheNextReading(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := somebody(1)
		r.Values["groups"], r.Values["phone"] = []string{}, nil
		h.read("hr", r)
		if c := h.read("hr", r).Counts; c.Unchanged != 1 || c.Planned != 0 {
			t.Errorf("read again: %+v", c)
		}
	})
}

func TestWhatSomebodyLetPassIsCarriedOutBeforeTheNextReading(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(100)...)
		held := h.read("hr", some(80)...)
		if err := h.Release(t.Context(), officer, held.ID); err != nil {
			t.Fatal(err)
		}
		want(t, h.read("hr", some(80)...), Done, 0, 0, 0, 0, 0)
		r, err := h.RunByID(t.Context(), held.ID)
		if err != nil {
			t.Fatal(err)
		}
		want(t, r, Done, 0, 0, 20, 0, 0)
	})
}
