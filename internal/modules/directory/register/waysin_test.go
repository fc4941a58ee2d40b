package register

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// byHand enters somebody without any source.
func (h *house) byHand(s contract.Subject) campus.PersonID {
	h.t.Helper()
	var who campus.PersonID
	err := h.d.InTx(h.t.Context(), func(tx db.Tx) (err error) {
		who, err = people{h.d}.Enrol(h.t.Context(), tx, s, "by hand")
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return who
}

// push hands one record over, and returns what it was answered.
func (h *house) push(src string, r source.Record) Pushed {
	h.t.Helper()
	p, err := h.Push(h.t.Context(), src, []source.Record{r})
	if err != nil {
		h.t.Fatal(err)
	}
	return p[0]
}

// question is the only one that waits.
func (h *house) question() Conflict {
	h.t.Helper()
	list, n, err := h.Conflicts(h.t.Context(), "", 1, 10)
	if err != nil || n != 1 {
		h.t.Fatalf("%d questions wait, %v", n, err)
	}
	return list[0]
}

func with2(r source.Record, field, value string) source.Record {
	r.Values[field] = []string{value}
	return r
}

func TestAProgramThatChangesTheWaysIntoManyAccountsIsStopped(t *testing.T) {
	for field, evil := range map[string]string{"login": "evil%d", "mail": "evil%d@elsewhere.example", "mobile": "+3363998%04d", "recovery_mail": "evil%d@private.example"} {
		t.Run(field, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				if _, err := h.Push(t.Context(), "api", some(60)); err != nil {
					t.Fatal(err)
				}
				steal := func(n int) Pushed { return h.push("api", with2(somebody(n), field, fmt.Sprintf(evil, n))) }
				for n := range 10 {
					if p := steal(n); p.Err != nil {
						t.Fatalf("change %d: %v", n, p.Err)
					}
				}
				p := steal(10)
				if fault.Of(p.Err).Reason != IdentityHeld || fault.Of(p.Err).Reason.Kind() != fault.Busy {
					t.Fatalf("the eleventh change within an hour: %v", p.Err)
				}
				if _, s := h.person("login10"); s.Mail != "p10@valmont.example" || s.Mobile+s.RecoveryMail != "" {
					t.Errorf("it was made all the same: %+v", s)
				}
				if q := h.question(); q.Reason.Reason != IdentityHeld || len(h.told) != 1 || h.told[0].URL != "/directory/conflicts" {
					t.Errorf("the question is %+v, told %+v", q.Reason, h.told)
				}
				if p := h.push("api", with2(somebody(20), "job_title", "Tutor")); p.Err != nil {
					t.Errorf("a change that is no way in: %v", p.Err)
				}
				h.clock.Advance(2 * time.Hour) // there is budget again, but what was held waits for somebody
				if p := steal(10); fault.Of(p.Err).Reason != IdentityHeld {
					t.Errorf("sent again later: %v", p.Err)
				}
				if p := steal(11); p.Err != nil {
					t.Errorf("another one later: %v", p.Err)
				}
			}, source.Config{ID: "api", Kind: source.KindAPI})
		})
	}
}

func TestABudgetCountsOverADayAndOverRunsAsWell(t *testing.T) {
	sources := []source.Config{{ID: "api", Kind: source.KindAPI, IdentityPerHour: 2, IdentityPerDay: 3}}
	each(t, func(t *testing.T, h *house) {
		if _, err := h.Push(t.Context(), "api", some(60)); err != nil {
			t.Fatal(err)
		}
		for n, held := range []bool{false, false, true, false, true} {
			if n == 3 {
				h.clock.Advance(61 * time.Minute)
			}
			p := h.push("api", with2(somebody(n), "mail", fmt.Sprintf("new%d@valmont.example", n)))
			if (fault.Of(p.Err).Reason == IdentityHeld && p.Err != nil) != held {
				t.Errorf("change %d: %v", n, p.Err)
			}
		}
		h.clock.Advance(25 * time.Hour)
		if err := h.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p := h.push("api", with2(somebody(7), "mail", "new7@valmont.example")); p.Err != nil {
			t.Errorf("on the next day: %v", p.Err)
		}
	}, sources...)
	each(t, func(t *testing.T, h *house) {
		h.read("hr", some(100)...)
		change := func(from, to int) []source.Record {
			list := some(100)
			for i := range to {
				list[i].Values["recovery_mail"] = []string{fmt.Sprintf("r%d@private.example", i)}
			}
			return list
		}
		want(t, h.read("hr", change(0, 9)...), Done, 0, 9, 0, 0, 0)
		h.clock.Advance(-50 * time.Minute) // read again ten minutes later
		held := h.read("hr", change(9, 12)...)
		want(t, held, Held, 0, 3, 0, 0, 0)
		if held.Reason.Reason != TooManyIdentities {
			t.Errorf("held for %v", held.Reason)
		}
		if err := h.Release(t.Context(), officer, held.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Resume(t.Context(), held.ID); err != nil {
			t.Fatal(err)
		}
		if _, s := h.person("login11"); s.RecoveryMail != "r11@private.example" {
			t.Errorf("let pass, it is %+v", s)
		}
		h.clock.Advance(-50 * time.Minute) // what was let pass is not counted
		want(t, h.read("hr", change(12, 13)...), Done, 0, 1, 0, 0, 0)
	})
}

func TestWhatABudgetHeldIsDecidedOneByOneOrLetPass(t *testing.T) {
	sources := []source.Config{{ID: "api", Kind: source.KindAPI, IdentityPerHour: 1}}
	each(t, func(t *testing.T, h *house) {
		if _, err := h.Push(t.Context(), "api", some(30)); err != nil {
			t.Fatal(err)
		}
		change := func(n int) Pushed {
			return h.push("api", with2(somebody(n), "mail", fmt.Sprintf("new%d@valmont.example", n)))
		}
		change(0)
		change(1)
		q := h.question()
		who, _ := h.person("login1")
		b := h.browser()
		if page := b.shows("/directory/conflicts/" + q.ID); strings.Contains(page, "It is somebody else") {
			t.Error("a record that is known to be somebody’s is offered to somebody else")
		}
		if _, err := h.Decide(t.Context(), officer, q.ID, Apart, ""); !errors.Is(err, ConflictMissing) {
			t.Errorf("decided to be somebody else: %v", err)
		}
		if p, err := h.Decide(t.Context(), officer, q.ID, Same, who); err != nil || p.Err != nil {
			t.Fatal(p, err)
		}
		if _, s := h.person("login1"); s.Mail != "new1@valmont.example" {
			t.Errorf("decided, it is %+v", s)
		}
		if h.count("SELECT COUNT(*) FROM directory_verdicts") != 0 {
			t.Error("a decision about one change counts for all later ones")
		}
		change(2)
		change(3)
		b.shows("/directory/conflicts", "api has used up its budget", "2 changes")
		b.viewer = campus.Viewer{Person: "alix", Rights: []campus.Right{campus.RightAdmin}}
		if w := b.ask("POST", "/directory/sources/api/identities", url.Values{}); w.Code != 403 {
			t.Errorf("somebody without the right is answered with %d", w.Code)
		}
		b.viewer = officer
		if w := b.ask("POST", "/directory/sources/api/identities", url.Values{}); w.Code != 303 {
			t.Fatalf("let pass: %d", w.Code)
		}
		if err := h.passHeld(t.Context(), PassHeld{Source: "api", By: "officer"}); err != nil {
			t.Fatal(err)
		}
		for n := range 4 {
			if _, s := h.person(fmt.Sprint("login", n)); s.Mail != fmt.Sprintf("new%d@valmont.example", n) {
				t.Errorf("login%d is %+v", n, s)
			}
		}
		if p := change(5); p.Err != nil {
			t.Errorf("while it is let pass: %v", p.Err)
		}
		h.clock.Advance(25 * time.Hour)
		change(6)
		if p := change(7); p.Err == nil {
			t.Error("a day later it still passes")
		}
	}, sources...)
}

func TestASourceChangesTheWaysInOfItsOwnPeopleOnly(t *testing.T) {
	ada := contract.Subject{Login: "ada", Mail: "ada@valmont.example", FamilyName: "Lovelace", GivenName: "Ada", StudentNumber: "7"}
	record := func() source.Record {
		return line("x", "student_number", "7", "family_name", "Lovelace", "given_name", "Ada", "affiliations", "guest|||")
	}
	hr := func(h *house) {
		h.read("hr", line("1", "login", "ada", "mail", "ada@valmont.example", "family_name", "Lovelace", "student_number", "7", "affiliations", "staff|||"))
	}
	hand := func(h *house) { h.byHand(ada) }
	for _, c := range []struct {
		name         string
		guests       source.Config
		before       func(h *house)
		field, value string
		asks         bool
	}{
		{"the address of somebody entered by hand", source.Config{}, hand, "mail", "evil@elsewhere.example", true},
		{"the login of somebody entered by hand", source.Config{}, hand, "login", "evil", true},
		{"the mobile number of somebody entered by hand", source.Config{}, hand, "mobile", "+33639980001", true},
		{"the private address of somebody entered by hand", source.Config{}, hand, "recovery_mail", "evil@elsewhere.example", true},
		{"what is no way in of somebody entered by hand", source.Config{}, hand, "job_title", "Librarian", false},
		{"by a source that takes over", source.Config{TakesOver: true}, hand, "mail", "new@valmont.example", false},
		{"of somebody of another source, of the same priority", source.Config{}, hr, "mail", "evil@elsewhere.example", true},
		{"what a source with precedence does not say", source.Config{Priority: 9}, hr, "mobile", "+33639980001", true},
		{"with precedence for that field", source.Config{Priority: 9, First: []string{"mobile"}}, hr, "mobile", "+33639980001", false},
		{"with a better priority", source.Config{Priority: -1}, hr, "mail", "new@valmont.example", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.guests.ID, c.guests.Kind = "guests", source.KindAPI
			if c.guests.Priority == 0 && c.asks { // its name comes first, which is no precedence
				c.guests.ID = "a-guests"
			}
			each(t, func(t *testing.T, h *house) {
				c.before(h)
				p := h.push(c.guests.ID, with2(record(), c.field, c.value))
				if asks := p.Err != nil && fault.Of(p.Err).Reason == NotItsOwn; asks != c.asks || p.Err != nil && !asks {
					t.Fatalf("it is answered %v", p.Err)
				}
				if !c.asks {
					return
				}
				who, s := h.person("ada")
				if s.Mail != "ada@valmont.example" || s.Mobile+s.RecoveryMail != "" {
					t.Errorf("ada is %+v", s)
				}
				if p, err := h.Decide(t.Context(), officer, h.question().ID, Same, who); err != nil || p.Err != nil {
					t.Fatal(p, err)
				}
				if p := h.push(c.guests.ID, with2(record(), c.field, c.value)); p.Err != nil {
					t.Errorf("after the decision it is answered %v", p.Err)
				}
			}, source.Config{ID: "hr"}, c.guests)
		})
	}
}

func TestASourceEndsNoTieThatWasEnteredByHand(t *testing.T) {
	end := time.Date(2027, 6, 30, 0, 0, 0, 0, time.UTC)
	for _, takes := range []bool{false, true} {
		t.Run(fmt.Sprint("takes over: ", takes), func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				h.byHand(contract.Subject{Login: "ada", Mail: "ada@valmont.example", FamilyName: "Lovelace", StudentNumber: "7",
					Affiliations: []campus.Affiliation{{Kind: campus.Teacher}, {Kind: campus.Guest}}, Until: map[campus.Kind]time.Time{campus.Guest: end}})
				until := func() map[campus.Kind]time.Time { _, s := h.person("ada"); return s.Until }
				record := func(end string) source.Record {
					return line("x", "student_number", "7", "family_name", "Lovelace", "affiliations", "guest|||", "affiliations", "teacher|||", "until", "guest|"+end, "until", "teacher|"+end)
				}
				spared := func(what string) {
					t.Helper()
					u := until()
					if ok := u[campus.Teacher].IsZero() && u[campus.Guest].Equal(end); ok == takes {
						t.Errorf("%s: registered until %v", what, u)
					}
				}
				if p := h.push("api", record("2026-10-01T00:00:00Z")); p.Err != nil {
					t.Fatal(p.Err)
				}
				spared("a nearer end")
				if p := h.push("api", record("2028-01-01T00:00:00Z")); p.Err != nil {
					t.Fatal(p.Err)
				}
				if u := until(); u[campus.Guest].Year() != 2028 {
					t.Errorf("a later end: %v", u)
				}
				if p := h.push("api", source.Record{Kind: source.Person, Key: "x", Gone: true}); p.Err != nil {
					t.Fatal(p.Err)
				}
				spared("after the departure")
			}, source.Config{ID: "api", Kind: source.KindAPI, TakesOver: takes})
		})
	}
}

func TestAnEndInThePastIsADeparture(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if _, err := h.Push(t.Context(), "api", some(60)); err != nil {
			t.Fatal(err)
		}
		left := 0
		for n := range 60 {
			_, err := h.Push(t.Context(), "api", []source.Record{with2(somebody(n), "until", "student|2020-01-01T00:00:00Z")})
			if errors.Is(err, PushHeld) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			left++
		}
		if left != 10 {
			t.Errorf("%d people were closed before the brake", left)
		}
	}, source.Config{ID: "api", Kind: source.KindAPI})
}

func TestNoSourceChangesAWayBackIntoTheAccountOfWhoHoldsRights(t *testing.T) {
	for field, evil := range map[string]string{"mobile": "+33639980001", "recovery_mail": "evil@private.example", "mail": "evil@elsewhere.example"} {
		t.Run(field, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				own := func() source.Record {
					return line("1", "login", "root", "mail", "root@valmont.example", "family_name", "Root", "employee_number", "e1", "affiliations", "staff|||")
				}
				h.read("hr", append(some(3), own())...) // the source brought them itself, and takes over
				want(t, h.read("hr", append(some(3), with2(own(), field, evil))...), Done, 0, 0, 0, 1, 0)
				if _, s := h.person("root"); s.Mail != "root@valmont.example" || s.Mobile+s.RecoveryMail != "" || h.question().Reason.Reason != HoldsRights {
					t.Errorf("root is %+v", s)
				}
			}, source.Config{ID: "hr", TakesOver: true})
		})
	}
}

func TestAUserNameOfAnotherHouseIsNotOurs(t *testing.T) {
	for _, c := range []struct {
		name, domain string
		domains      []string
		ours         bool
	}{
		{"the domain of the address here", "valmont.example", nil, true},
		{"a domain that the configuration calls ours", "tenant.onmicrosoft.example", []string{"*.onmicrosoft.example"}, true},
		{"another domain", "partner.example", nil, false},
		{"another domain, that the configuration does not name", "partner.example", []string{"valmont.example"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				h.read("hr", some(3)...)
				p := h.push("entra", line("x", "login", "login1", "login_domain", c.domain, "family_name", "Name1", "mail", ""))
				if who, _ := h.person("login1"); (p.Person == who && p.Err == nil) != c.ours {
					t.Errorf("it is %q, %v", p.Person, p.Err)
				}
				if !c.ours && fault.Of(p.Err).Reason != ValueTaken {
					t.Errorf("it is answered %v", p.Err)
				}
			}, source.Config{ID: "hr"}, source.Config{ID: "entra", Kind: source.KindSCIM, Priority: 9, MailDomains: c.domains})
		})
	}
}

func TestWhoLeavesASourceIsNotHandedOverToAnother(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		own := line("1", "login", "ada", "mail", "ada@valmont.example", "family_name", "Lovelace", "student_number", "7", "affiliations", "staff|||")
		h.read("hr", append(some(20), own)...)
		guest := func() source.Record {
			return line("x", "student_number", "7", "mail", "evil@elsewhere.example", "family_name", "Lovelace", "affiliations", "guest|||")
		}
		if p := h.push("guests", guest()); p.Err != nil { // a source with precedence says another address
			t.Fatal(p.Err)
		}
		want(t, h.read("hr", some(20)...), Done, 0, 0, 1, 0, 0)
		if _, s := h.person("ada"); s.Mail != "ada@valmont.example" || s.Until[campus.Staff].IsZero() {
			t.Errorf("after the departure ada is %+v", s)
		}
		if p := h.push("guests", with2(guest(), "job_title", "Librarian")); p.Err == nil || fault.Of(p.Err).Reason != NotItsOwn {
			t.Errorf("the address of the source that is left: %v", p.Err)
		}
		if _, s := h.person("ada"); s.Mail != "ada@valmont.example" {
			t.Errorf("ada is %+v", s)
		}
	}, source.Config{ID: "hr", Priority: 1}, source.Config{ID: "guests", Kind: source.KindAPI, Priority: 9})
}

func TestOnlyThoseWhoKeepTheDirectoryLiftABudget(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if err := h.LetPass(t.Context(), campus.Viewer{Person: "alix", Rights: []campus.Right{campus.RightAdmin}}, "hr", budgetWaysIn); !errors.Is(err, Reserved) {
			t.Errorf("somebody without the right: %v", err)
		}
		if err := h.LetPass(t.Context(), officer, "nothing", budgetWaysIn); !errors.Is(err, SourceUnknown) {
			t.Errorf("a source that is none: %v", err)
		}
		if h.count("SELECT COUNT(*) FROM directory_passes") != 0 {
			t.Error("it is lifted all the same")
		}
	})
}

// decisions is a journal of security that keeps kinds.
type decisions []string

func (d *decisions) NoteDecision(_ context.Context, _ db.Tx, by, about campus.PersonID, kind string, facts map[string]string) error {
	*d = append(*d, fmt.Sprintf("%s %s %v", by, kind, facts))
	return nil
}

func TestAProgramThatBringsManyNewPeopleIsStopped(t *testing.T) {
	sources := []source.Config{{ID: "api", Kind: source.KindAPI, CreationsPerHour: 3, CreationsPerDay: 4}}
	each(t, func(t *testing.T, h *house) {
		var journal decisions
		h.Journal = &journal
		if p := h.push("api", somebody(0)); p.Err != nil {
			t.Fatal(p.Err)
		}
		list, err := h.Push(t.Context(), "api", []source.Record{somebody(1), somebody(2), somebody(3), somebody(4)})
		if err != nil {
			t.Fatal(err)
		}
		for n, p := range list {
			if held := p.Err != nil && fault.Of(p.Err).Reason == CreationHeld; held != (n >= 2) {
				t.Errorf("the new person %d: %v", n+1, p.Err)
			}
		}
		if len(h.told) != 1 || h.told[0].URL != "/directory/conflicts" {
			t.Errorf("told %+v", h.told)
		}
		h.clock.Advance(2 * time.Hour) // there is budget again, but what was held waits for somebody
		if p := h.push("api", somebody(3)); fault.Of(p.Err).Reason != CreationHeld {
			t.Errorf("sent again later: %v", p.Err)
		}
		if p := h.push("api", with2(somebody(0), "job_title", "Tutor")); p.Err != nil {
			t.Errorf("a change of somebody who is known: %v", p.Err)
		}
		if p := h.push("api", somebody(5)); p.Err != nil {
			t.Errorf("another one later: %v", p.Err)
		}
		if p := h.push("api", somebody(6)); fault.Of(p.Err).Reason != CreationHeld {
			t.Errorf("the fifth of a day: %v", p.Err)
		}
		rows, total, err := h.Conflicts(t.Context(), "", 1, 10)
		if err != nil || total != 3 {
			t.Fatalf("%d questions, %v", total, err)
		}
		b := h.browser()
		b.shows("/directory/conflicts", "api has used up its budget of new people", "3 people wait")
		if p, err := h.Decide(t.Context(), officer, rows[0].ID, Apart, ""); err != nil || p.Err != nil || p.Person == "" {
			t.Errorf("one by one: %+v, %v", p, err)
		}
		b.viewer = campus.Viewer{Person: "alix", Rights: []campus.Right{campus.RightAdmin}}
		if w := b.ask("POST", "/directory/sources/api/creations", url.Values{}); w.Code != 403 {
			t.Errorf("somebody without the right is answered with %d", w.Code)
		}
		b.viewer = officer
		if w := b.ask("POST", "/directory/sources/api/creations", url.Values{}); w.Code != 303 {
			t.Fatalf("let pass: %d", w.Code)
		}
		if err := h.passHeld(t.Context(), PassHeld{Source: "api", Budget: budgetCreations, By: "officer"}); err != nil {
			t.Fatal(err)
		}
		for n := range 7 {
			h.person(fmt.Sprint("login", n))
		}
		if n := h.count("SELECT COUNT(*) FROM directory_conflicts WHERE closed_at = 0"); n != 0 {
			t.Errorf("%d questions still wait", n)
		}
		if p := h.push("api", somebody(7)); p.Err != nil {
			t.Errorf("while it is let pass: %v", p.Err)
		}
		if p := h.push("api", with2(somebody(1), "mail", "other@valmont.example")); p.Err != nil {
			t.Errorf("within the other budget: %v", p.Err)
		}
		if text := strings.Join(journal, "\n"); strings.Count(text, QuestionDecided) != 1 || strings.Count(text, BudgetLifted+" map[budget:creations source:api]") != 1 {
			t.Errorf("the journal says %s", text)
		}
		h.clock.Advance(25 * time.Hour)
		for n := 8; n < 12; n++ {
			if p := h.push("api", somebody(n)); (p.Err != nil) != (n == 11) {
				t.Errorf("on the next day, %d: %v", n, p.Err)
			}
		}
	}, sources...)
}

func TestANumberIsGivenByTheSourceThatOwnsIt(t *testing.T) {
	for _, field := range source.Ownable {
		sources := []source.Config{{ID: "hr", Kind: source.KindCSV, Priority: 5, Owns: []string{field}}, {ID: "api", Kind: source.KindAPI, Priority: 1}}
		t.Run(field, func(t *testing.T) {
			each(t, func(t *testing.T, h *house) {
				h.read("hr", with2(somebody(0), field, "n0"))
				if p := h.push("api", with2(somebody(1), field, "n1")); fault.Of(p.Err).Reason != NumberOwned || fault.Of(p.Err).Reason.Kind() != fault.Invalid {
					t.Errorf("somebody new with a number of their own: %v", p.Err)
				}
				if p := h.push("api", with2(somebody(0), field, "n0")); p.Err != nil {
					t.Errorf("the same number of the same person: %v", p.Err)
				}
				if p := h.push("api", with2(somebody(0), field, "n9")); fault.Of(p.Err).Reason != NumberOwned {
					t.Errorf("another number of somebody: %v", p.Err)
				}
				nobody := somebody(2)
				delete(nobody.Values, field)
				if p := h.push("api", nobody); p.Err != nil {
					t.Errorf("somebody without a number: %v", p.Err)
				}
				if p := h.push("api", with2(somebody(2), field, "n2")); fault.Of(p.Err).Reason != NumberOwned {
					t.Errorf("a number given later: %v", p.Err)
				}
				h.read("hr", with2(somebody(0), field, "n0"), with2(somebody(1), field, "n1"))
				if p := h.push("api", with2(somebody(1), field, "n1")); p.Err != nil {
					t.Errorf("once the owner has brought it: %v", p.Err)
				}
			}, sources...)
		})
	}
}
