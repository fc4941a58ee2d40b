package provisioning

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/pretend"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

func TestANewStudentHasAnAccountAtOnceAndFollowsChanges(t *testing.T) {
	each(t, nil, func(t *testing.T, h *house) {
		h.run(h.module)
		lina := student("lina")
		h.people.groups[lina.ID] = []string{"uv-nf16"}
		h.put(lina)
		h.eventually("the account is there", func() bool { return h.state("lina") == contract.AccountReady })
		if u := h.moodle.Users("lina"); len(u) != 1 || u[0].IDNumber != string(lina.ID) || h.moodle.Enrolled("lina", "uv-nf16") == 0 {
			t.Errorf("Moodle has %+v", u)
		}
		lina.Subject.FamilyName = "Duval"
		h.put(lina)
		h.eventually("the new name is there", func() bool { return h.moodle.Users("lina")[0].LastName == "Duval" })
		h.people.mu.Lock()
		h.people.groups[lina.ID] = nil
		h.people.mu.Unlock()
		h.changed(lina.ID)
		h.eventually("the course is left", func() bool { return h.moodle.Enrolled("lina", "uv-nf16") == 0 })
		staff := student("nadia")
		staff.Subject.Affiliations[0].Kind = campus.Staff
		h.put(staff)
		h.eventually("nobody is to be looked at any more", h.idle)
		if len(h.moodle.Users("nadia")) != 0 || h.state("nadia") != contract.AccountNotDue {
			t.Error("who is not due has an account")
		}
	})
}

func TestWhoIsAtTheDoorBeforeAnybodyLookedAtThemIsToldToWait(t *testing.T) {
	each(t, nil, func(t *testing.T, h *house) { // no job runs
		lina, nadia := student("lina"), student("nadia")
		nadia.Subject.Affiliations[0].Kind = campus.Staff
		h.put(lina, nadia)
		a, _, err := h.module.AccountIn(h.english(), lina.ID, "moodle")
		if err != nil || a.State != contract.AccountQueued || !a.Estimate.After(start) {
			t.Errorf("who is due stands at %+v, %v", a, err)
		}
		if s := h.state("nadia"); s != contract.AccountNotDue {
			t.Errorf("who is not due stands at %s", s)
		}
		if s := h.state("nobody"); s != contract.AccountNotDue {
			t.Errorf("who is unknown stands at %s", s)
		}
	})
}

// compared has the first night behind it: nothing but the queue asks Moodle.
func (h *house) compared() {
	h.t.Helper()
	s := h.module.services[0]
	if err := h.module.ledger.Furnish(h.t.Context(), s.Service.ID, s.Setting); err != nil {
		h.t.Fatal(err)
	}
	if err := h.module.ledger.KeepReport(h.t.Context(), s.Service.ID, ledger.Report{}); err != nil {
		h.t.Fatal(err)
	}
}

// idle reports whether everything is decided and done.
func (h *house) idle() bool {
	n, err := h.module.ledger.CountNoted(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	queue, err := h.module.Queued(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return n == 0 && queue == 0
}

func TestAChangeThatChangesNothingAsksNothing(t *testing.T) {
	h := one(t, nil)
	h.compared()
	h.run(h.module)
	h.put(student("lina"))
	h.eventually("the account is there", func() bool { return h.state("lina") == contract.AccountReady })
	before := h.moodle.Asked()
	for range 5 {
		h.changed("0198-lina")
		h.eventually("it was looked at", h.idle)
	}
	if after := h.moodle.Asked(); after != before {
		t.Errorf("%d questions for nothing", after-before)
	}
}

func TestAnAnswerThatGetsLostAfterCreatingMakesNoSecondAccount(t *testing.T) {
	each(t, nil, func(t *testing.T, h *house) {
		h.moodle.Doubles = true // Moodle itself would not notice
		h.moodle.Lose(1)
		h.run(h.module)
		h.put(student("lina"))
		h.eventually("the account was made and the answer lost", func() bool { return h.moodle.Count() == 1 })
		h.later(5*time.Second, "the ledger finds it", func() bool { return h.state("lina") == contract.AccountReady })
		if n := len(h.moodle.Users("lina")); n != 1 {
			t.Errorf("there are %d accounts", n)
		}
	})
}

func TestAServerThatIsKilledWhileCreatingMakesNoSecondAccount(t *testing.T) {
	h := one(t, nil)
	h.moodle.Doubles = true
	h.moodle.Slow(300 * time.Millisecond)
	h.compared() // the nightly comparison is another story
	h.put(student("lina"))
	// What a killed server leaves: the account in Moodle, nothing in the ledger.
	stop := h.run(h.module)
	h.eventually("it is being worked on", func() bool { return h.moodle.Asked() >= 4 })
	stop()
	if err := h.db.InTx(t.Context(), func(tx db.Tx) error {
		a, _, err := h.module.ledger.Of(t.Context(), tx, "moodle", "0198-lina")
		if err != nil {
			return err
		}
		a.RemoteID, a.Sent, a.ProvisioningAccount.State = "", "", string(contract.AccountQueued)
		a.ProvisioningAccount.Todo, a.DueAt = string(ledger.Put), tx.Now()
		return h.module.ledger.Put(t.Context(), tx, a)
	}); err != nil {
		t.Fatal(err)
	}
	h.moodle.Slow(0)
	h.run(h.module)
	h.later(time.Second, "the next server goes on", func() bool { return h.state("lina") == contract.AccountReady })
	if n := len(h.moodle.Users("lina")); n != 1 {
		t.Errorf("there are %d accounts", n)
	}
}

func TestTwoServersDoNotWorkTwice(t *testing.T) {
	each(t, func(c *TargetConfig) { c.Together = 2 }, func(t *testing.T, h *house) {
		h.moodle.Doubles = true
		h.moodle.Slow(5 * time.Millisecond)
		h.compared()
		other := h.open(h.module.services[0].TargetConfig.URL, func(c *TargetConfig) { c.Together = 2 })
		h.run(h.module)
		h.run(other)
		var people []contract.Known
		for i := range 30 {
			people = append(people, student(fmt.Sprintf("s%02d", i)))
		}
		h.put(people...)
		h.eventually("everybody has one", func() bool { return h.moodle.Count() >= 30 && h.idle() })
		if n := h.moodle.Count(); n != 30 {
			t.Errorf("%d accounts for 30 people", n)
		}
		if n := h.moodle.Together(); n > 2 {
			t.Errorf("%d questions at once, although two are allowed", n)
		}
	})
}

func TestAnOutageIsOneAlarmAndNobodysFault(t *testing.T) {
	each(t, nil, func(t *testing.T, h *house) {
		h.moodle.Down(true)
		h.run(h.module)
		var people []contract.Known
		for i := range 40 {
			people = append(people, student(fmt.Sprintf("s%02d", i)))
		}
		h.put(people...)
		away := func() bool {
			desk, err := h.module.ledger.Desk(t.Context(), "moodle")
			return err == nil && desk.Away()
		}
		h.eventually("the breaker opens", away)
		a, _, err := h.module.AccountIn(h.english(), "0198-s39", "moodle")
		if err != nil || a.State != contract.AccountQueued || !a.Estimate.IsZero() || a.Code != "provisioning.service_down" {
			t.Errorf("during the outage: %+v, %v", a, err)
		}
		for range 60 { // an hour
			h.clock.Advance(time.Minute)
			time.Sleep(5 * time.Millisecond)
		}
		if n := h.moodle.Asked(); n > 120 {
			t.Errorf("a service that is away was asked %d times in an hour", n)
		}
		h.moodle.Down(false)
		h.later(10*time.Second, "everybody has one after the outage", func() bool {
			return h.moodle.Count() == 40 && h.state("s39") == contract.AccountReady && h.state("s00") == contract.AccountReady
		})
		if away() {
			t.Error("the breaker stays open")
		}
	})
}

func TestAServiceThatIsBusyIsLeftAlone(t *testing.T) {
	h := one(t, nil)
	h.compared()
	h.moodle.Busy(90 * time.Second)
	h.run(h.module)
	h.put(student("lina"))
	h.eventually("it was asked once", func() bool { return h.moodle.Asked() == 1 })
	h.clock.Advance(80 * time.Second)
	time.Sleep(100 * time.Millisecond)
	if n := h.moodle.Asked(); n != 1 {
		t.Errorf("asked %d times although it wants to be left alone", n)
	}
	h.later(10*time.Second, "afterwards it goes on", func() bool { return h.state("lina") == contract.AccountReady })
}

func TestWhoLeavesIsSuspendedFirstAndDeletedAfterTheirTime(t *testing.T) {
	each(t, func(c *TargetConfig) { c.KeepFor, c.DeleteAfter = 48*time.Hour, 72*time.Hour }, func(t *testing.T, h *house) {
		h.run(h.module)
		lina := student("lina")
		h.put(lina)
		h.eventually("the account is there", func() bool { return h.state("lina") == contract.AccountReady })
		lina.State = "closed"
		h.put(lina)
		h.eventually("it is leaving", func() bool { return h.state("lina") == contract.AccountLeaving })
		if h.moodle.Users("lina")[0].Suspended {
			t.Error("suspended before its time")
		}
		h.later(6*time.Hour, "it is suspended", func() bool { u := h.moodle.Users("lina"); return len(u) == 1 && u[0].Suspended })
		if since := h.clock.Now().Sub(start); since < 48*time.Hour {
			t.Errorf("suspended after %s", since)
		}
		h.later(6*time.Hour, "it is deleted", func() bool { return h.moodle.Count() == 0 && h.state("lina") == contract.AccountNotDue })
		if since := h.clock.Now().Sub(start); since < 120*time.Hour {
			t.Errorf("deleted after %s", since)
		}
	})
}

func TestWhoIsSuspendedForAWhileKeepsTheAccount(t *testing.T) {
	h := one(t, func(c *TargetConfig) { c.DeleteAfter = 24 * time.Hour })
	h.run(h.module)
	lina := student("lina")
	h.put(lina)
	h.eventually("the account is there", func() bool { return h.state("lina") == contract.AccountReady })
	lina.State = "suspended"
	h.put(lina)
	h.eventually("it is suspended", func() bool { return h.moodle.Users("lina")[0].Suspended })
	for range 20 {
		h.clock.Advance(12 * time.Hour)
		time.Sleep(5 * time.Millisecond)
	}
	if h.moodle.Count() != 1 {
		t.Fatal("a suspension deleted the account")
	}
	lina.State = "active"
	h.put(lina)
	h.later(time.Second, "it opens again", func() bool { return h.state("lina") == contract.AccountReady && !h.moodle.Users("lina")[0].Suspended })
}

func TestASourceThatLosesPeopleClosesNobodyWithoutAWord(t *testing.T) {
	each(t, func(c *TargetConfig) { c.BrakeFloor = 3 }, func(t *testing.T, h *house) {
		h.run(h.module)
		var people []contract.Known
		for i := range 20 {
			people = append(people, student(fmt.Sprintf("s%02d", i)))
		}
		h.put(people...)
		h.eventually("everybody has one", func() bool { return h.moodle.Count() == 20 && h.idle() })
		// Not in one transaction, as a source does it: the first ones may be closed.
		stop := func(n int) {
			h.people.mu.Lock()
			for i := range people[:n] {
				people[i].State = "closed"
				h.people.people[people[i].ID] = people[i]
			}
			h.people.mu.Unlock()
		}
		stop(12)
		if err := h.db.InTx(t.Context(), func(tx db.Tx) error {
			for _, k := range people[:12] {
				if err := h.module.PersonChanged(t.Context(), tx, k.ID); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		braked := func() bool {
			desk, err := h.module.ledger.Desk(t.Context(), "moodle")
			return err == nil && desk.Braked()
		}
		h.eventually("the brake holds", braked)
		suspended := func() (n int) {
			for _, k := range people {
				if u := h.moodle.Users(k.Subject.Login); len(u) == 1 && u[0].Suspended {
					n++
				}
			}
			return n
		}
		if n := suspended(); n > 3 {
			t.Errorf("%d accounts were closed without a word", n)
		}
		h.put(student("new")) // others do not wait for that
		h.eventually("creating goes on", func() bool { return h.state("new") == contract.AccountReady })
		if err := h.module.ledger.LetGo(t.Context(), "moodle", 12); err != nil {
			t.Fatal(err)
		}
		h.later(5*time.Second, "with a word they are closed", func() bool { return suspended() == 12 })
		h.later(5*time.Second, "and the brake is let go", func() bool { return !braked() })
	})
}

func TestAnAccountThatSomebodyElseHasIsBlockedAndSaysSo(t *testing.T) {
	each(t, nil, func(t *testing.T, h *house) {
		h.moodle.Add(pretend.MoodleUser{Username: "old.lina", Email: "lina@valmont.example"})
		h.run(h.module)
		h.put(student("lina"), student("paul"))
		h.eventually("the others are not kept waiting", func() bool { return h.state("paul") == contract.AccountReady })
		h.eventually("it is blocked", func() bool { return h.state("lina") == contract.AccountBlocked })
		a, _, err := h.module.AccountIn(h.english(), "0198-lina", "moodle")
		if err != nil || a.Code != "provisioning.account_taken" || a.Decides != "the e-learning office" {
			t.Errorf("%+v, %v", a, err)
		}
		h.moodle.Remove("old.lina")
		if err := h.db.InTx(t.Context(), func(tx db.Tx) error {
			if ok, err := h.module.ledger.Hurry(t.Context(), tx, "moodle", "0198-lina"); !ok || err != nil {
				return fmt.Errorf("nothing to hurry: %w", err)
			}
			return h.module.worker.Start(t.Context(), tx, "moodle")
		}); err != nil {
			t.Fatal(err)
		}
		h.eventually("once mended it goes on", func() bool { return h.state("lina") == contract.AccountReady })
	})
}

func TestTheComparisonFindsWhatIsMissingStrangeOrDouble(t *testing.T) {
	each(t, nil, func(t *testing.T, h *house) {
		h.compared() // the nightly comparison would keep another report
		h.run(h.module)
		h.put(student("lina"), student("paul"), student("mia"))
		h.eventually("all are there", func() bool { return h.moodle.Count() == 3 && h.idle() })
		h.moodle.Remove("lina")
		h.moodle.Add(pretend.MoodleUser{Username: "ghost", IDNumber: "0198-ghost", Email: "ghost@valmont.example", Auth: "oauth2"})
		h.moodle.Add(pretend.MoodleUser{Username: "mia2", IDNumber: "0198-mia", Email: "mia2@valmont.example", Auth: "oauth2"})
		h.clock.Advance(time.Second)
		if err := h.module.worker.Compare(t.Context(), "moodle"); err != nil {
			t.Fatal(err)
		}
		desk, err := h.module.ledger.Desk(t.Context(), "moodle")
		if err != nil {
			t.Fatal(err)
		}
		report, ok, err := desk.Report()
		if err != nil || !ok || report.Missing != 1 || report.Strangers != 1 || report.Doubles != 1 || report.Listed != 4 {
			t.Errorf("report %+v, %t, %v", report, ok, err)
		}
		if !slices.ContainsFunc(report.Samples, func(s ledger.Sample) bool { return s.Finding == "stranger" && s.Login == "ghost" }) {
			t.Errorf("samples %+v", report.Samples)
		}
		h.later(time.Second, "what was missing is made again", func() bool { return len(h.moodle.Users("lina")) == 1 && h.state("lina") == contract.AccountReady })
	})
}

func TestAnotherRuleInTheConfigurationLooksAtEverybody(t *testing.T) {
	h := one(t, nil)
	stop := h.run(h.module)
	staff := student("nadia")
	staff.Subject.Affiliations[0].Kind = campus.Staff
	h.put(staff)
	h.eventually("she was looked at", h.idle)
	stop()
	wider := h.open(h.module.services[0].TargetConfig.URL, func(c *TargetConfig) { c.Rule.Kinds = nil })
	h.module = wider
	h.run(wider)
	h.later(5*time.Second, "the wider rule reaches her", func() bool { return h.state("nadia") == contract.AccountReady })
}

func TestWhatIsPausedWaitsAndGoesOn(t *testing.T) {
	h := one(t, nil)
	h.run(h.module)
	h.eventually("the target is furnished", func() bool {
		desk, err := h.module.ledger.Desk(t.Context(), "moodle")
		return err == nil && desk.Setting != ""
	})
	if err := h.module.ledger.Pause(t.Context(), "moodle", "0198-admin", true); err != nil {
		t.Fatal(err)
	}
	h.put(student("lina"))
	h.eventually("it is queued", func() bool { return h.state("lina") == contract.AccountQueued })
	time.Sleep(50 * time.Millisecond)
	if n := h.moodle.Count(); n != 0 {
		t.Errorf("%d accounts were made meanwhile", n)
	}
	if err := h.module.ledger.Pause(t.Context(), "moodle", "", false); err != nil {
		t.Fatal(err)
	}
	h.later(10*time.Second, "it goes on", func() bool { return h.state("lina") == contract.AccountReady })
}
