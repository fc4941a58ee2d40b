package register

import (
	"errors"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

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
