package lifecycle

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// leaving is a configuration whose rule for students is switched on.
func leaving() Config {
	c := Defaults()
	c.Rules = []RuleConfig{{Code: "students", Kinds: []campus.Kind{campus.Student}, WaitDays: 10, GraceDays: 90, NoticeDays: []int{60, 30, 7}, Reason: "registration_ended", Enabled: true}}
	return c
}

func (d *desk) register(who campus.PersonID, kind campus.Kind, until time.Time) {
	d.t.Helper()
	d.must(d.DB.InTx(d.t.Context(), func(tx db.Tx) error { return Register(d.t.Context(), tx, who, kind, until, "test") }))
}

func TestTheRuleTouchesThoseWhoAreNoLongerRegisteredAndNobodyElse(t *testing.T) {
	each(t, leaving(), func(t *testing.T, d *desk) {
		d.clock.Set(november().Now())
		now := d.clock.Now()
		gone := now.AddDate(0, 0, -20)
		left := d.add("left", account.Active, campus.Student)
		d.register(left, campus.Student, gone)
		late := d.add("late", account.Active, campus.Student)
		d.register(late, campus.Student, now.AddDate(0, 0, -3))
		teaches := d.add("teaches", account.Active, campus.Student, campus.Teacher)
		d.register(teaches, campus.Student, gone)
		employed := d.add("employed", account.Active, campus.Student)
		d.register(employed, campus.Student, gone)
		d.register(employed, campus.Staff, time.Time{})
		unknown := d.add("unknown", account.Active, campus.Student)
		blocked := d.add("blocked", account.Suspended, campus.Student)
		d.register(blocked, campus.Student, gone)
		steps, err := d.Plan(t.Context(), leaving().Rules[0], now)
		d.must(err)
		if len(steps) != 1 || steps[0].Person != left || steps[0].Act != Announce {
			t.Fatalf("the plan is %+v", steps)
		}
		d.must(d.runRules(t.Context()))
		d.must(d.runRules(t.Context()))
		if got := d.state(left); got != account.Expiring {
			t.Errorf("who has left: %s", got)
		}
		for _, who := range []campus.PersonID{late, teaches, employed, unknown} {
			if got := d.state(who); got != account.Active {
				t.Errorf("%s: %s", who, got)
			}
		}
		d.deliver(left)
		if len(d.letters) != 1 || d.letters[0].Kind != "account_expiring" {
			t.Errorf("letters: %+v", d.letters)
		}
		day := func(n int) { // n days after the announcement
			d.clock.Set(now.AddDate(0, 0, n))
			d.must(d.runRules(t.Context()))
			d.must(d.remind(t.Context()))
			d.must(d.remind(t.Context()))
			d.must(d.applyDue(t.Context()))
		}
		for n := 1; n <= 90; n++ {
			if n == 61 || n == 62 {
				continue // two nights without a server: one notice, not three
			}
			day(n)
		}
		if got := d.state(left); got != account.Expiring || len(d.letters) != 4 {
			t.Errorf("on the last day: %s, %d letters", got, len(d.letters))
		}
		day(91)
		d.deliver(left)
		if got := d.state(left); got != account.Closed || d.letters[len(d.letters)-1].Kind != "account_closed" {
			t.Errorf("after the last day: %s, %+v", got, d.letters)
		}
		d.register(left, campus.Student, d.clock.Now().AddDate(1, 0, 0))
		day(92)
		if got := d.state(left); got != account.Closed {
			t.Errorf("the rule itself reopened a closed account: %s", got)
		}
		if _, body := d.get("/identity/accounts/rules"); !strings.Contains(body, string(left)) {
			t.Error("the page does not name who is registered again")
		}
	})
}

func TestTheRuleTakesItsAnnouncementBackWhenSomebodyRegistersAgain(t *testing.T) {
	now := november()
	d := open(t, now, dbtest.OpenAt(t, now, schemas...), leaving())
	lina := d.add("lina", account.Active, campus.Student)
	d.register(lina, campus.Student, now.Now().AddDate(0, 0, -30))
	d.must(d.runRules(t.Context()))
	d.register(lina, campus.Student, now.Now().AddDate(1, 0, 0))
	d.must(d.runRules(t.Context()))
	if got := d.state(lina); got != account.Active {
		t.Errorf("the account is %s", got)
	}
}

func TestWhatASourceNoLongerSpeaksOfIsFoundHoweverMuchItIs(t *testing.T) {
	d := one(t)
	const people = 300 // with two registrations each, more than a page
	d.must(d.DB.InTx(t.Context(), func(tx db.Tx) error {
		for i := range people {
			who := campus.PersonID(fmt.Sprintf("p-%03d", i))
			_, err := tx.ExecContext(t.Context(), `INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
VALUES ($1, $2, $3, '', '', '', '', '', 'active', '', '', 1, 1)`, string(who), string(who), string(who)+"@valmont.example")
			for _, k := range []campus.Kind{campus.Student, campus.Staff} {
				if err == nil {
					err = Register(t.Context(), tx, who, k, time.Time{}, "import")
				}
			}
			if err != nil {
				return err
			}
		}
		if err := Register(t.Context(), tx, "p-000", campus.Student, d.clock.Now(), "import"); err != nil { // over already
			return err
		}
		return Register(t.Context(), tx, "p-001", campus.Student, time.Time{}, "command line") // somebody else's word
	}))
	gone, err := d.Missing(t.Context(), "import", func(who campus.PersonID, k campus.Kind) bool { return who == "p-002" && k == campus.Staff })
	d.must(err)
	if len(gone) != 2*people-3 || gone[0] != (Gone{"p-000", "p-000", campus.Staff}) {
		t.Errorf("%d registrations, the first is %+v", len(gone), gone[0])
	}
}

func TestARuleThatIsOffShowsWhatItWouldDoAndDoesNothing(t *testing.T) {
	d := one(t)
	lina := d.add("lina", account.Active, campus.Student)
	d.register(lina, campus.Student, d.clock.Now().AddDate(0, -6, 0))
	d.must(d.runRules(t.Context()))
	if got := d.state(lina); got != account.Active {
		t.Errorf("the account is %s", got)
	}
	if _, body := d.get("/identity/accounts/rules"); !strings.Contains(body, "It would touch 1 account tonight") || !strings.Contains(body, "Ünal lina") {
		t.Error("the preview does not name her")
	} else if !strings.Contains(body, "Rule for students") || !strings.Contains(body, "Rule for teachers and staff") || strings.Contains(body, "identity.lifecycle") || strings.Contains(body, "at_most") {
		t.Error("the rules go by names of the configuration")
	}
}

func TestARuleThatWouldTouchTooManyTouchesNobody(t *testing.T) {
	c := leaving()
	c.Rules[0].AtMost = 2
	now := november()
	d := open(t, now, dbtest.OpenAt(t, now, schemas...), c)
	for i := range 3 {
		who := d.add(fmt.Sprintf("s%d", i), account.Active, campus.Student)
		d.register(who, campus.Student, now.Now().AddDate(0, -6, 0))
	}
	if err := d.runRules(t.Context()); !errors.Is(err, RuleStopped) {
		t.Errorf("got %v", err)
	}
	if got := d.state("p-s0"); got != account.Active {
		t.Errorf("the account is %s", got)
	}
}

func TestTheConfigurationOfRulesIsChecked(t *testing.T) {
	c := Defaults()
	if p := c.Check(); len(p) != 0 {
		t.Errorf("the defaults: %v", p)
	}
	c.Reasons, c.Rules = defaultReasons, defaultRules
	if p := c.Check(); len(p) != 0 {
		t.Errorf("the built-in lists: %v", p)
	}
	c.Reasons = append([]ReasonConfig{{Code: "No Code"}}, defaultReasons...)
	c.Rules = []RuleConfig{{Code: "x1", Kinds: []campus.Kind{"alumni"}, GraceDays: 3, NoticeDays: []int{10}, Reason: "nothing"}}
	var all bytes.Buffer
	for _, p := range c.Check() {
		fmt.Fprintln(&all, p)
	}
	for _, key := range []string{"reasons[0].code", "reasons[0].text_fr", "reasons[0].office_fr", "rules[0].kinds", "rules[0].reason", "rules[0].grace_days", "rules[0].notice_days"} {
		if !strings.Contains(all.String(), key) {
			t.Errorf("%s is not told in:\n%s", key, all.String())
		}
	}
}
