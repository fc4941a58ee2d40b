package provisioning

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/due"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/pretend"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// erase does what the privacy room does with this one: what lies beside the tables,
// then the rows, then the person.
func (h *house) erase(login string, whole bool) (erasure string) {
	h.t.Helper()
	who := contract.Traced{ID: campus.PersonID("0198-" + login), Login: login, Erasure: "erasure-" + login, Whole: whole}
	h.begin(who)
	h.forget(who.ID)
	if whole {
		h.people.mu.Lock()
		delete(h.people.people, who.ID)
		h.people.mu.Unlock()
	}
	return who.Erasure
}

func (h *house) begin(who contract.Traced) {
	h.t.Helper()
	for range 2 { // it may run again after a crash
		if _, err := h.module.Erase(h.t.Context(), who); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *house) forget(who campus.PersonID) {
	h.t.Helper()
	for _, table := range []string{"provisioning_accounts", "provisioning_exchanges", "provisioning_noted"} {
		if err := h.db.InTx(h.t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(h.t.Context(), "DELETE FROM "+table+" WHERE person = $1", string(who))
			return err
		}); err != nil {
			h.t.Fatal(err)
		}
	}
}

// removal is how far the one service is with an erasure; empty when it was not asked.
func (h *house) removal(erasure string) contract.Removal {
	h.t.Helper()
	list, err := h.module.Removals(h.english(), erasure)
	if err != nil || len(list) > 1 {
		h.t.Fatalf("removals %+v, %v", list, err)
	}
	if len(list) == 0 {
		return contract.Removal{}
	}
	return list[0]
}

// named counts what the removals still know of people.
func (h *house) named() (n int) {
	h.t.Helper()
	err := h.db.Read().QueryRowContext(h.t.Context(), "SELECT COUNT(*) FROM provisioning_removals WHERE person <> '' OR login <> '' OR remote_id <> ''").Scan(&n)
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

func TestTheAccountsOfSomebodyErasedAreRemovedAndForgotten(t *testing.T) {
	each(t, nil, func(t *testing.T, h *house) {
		h.run(h.module)
		h.put(student("lina"), student("paul"))
		h.eventually("both are there", func() bool { return h.moodle.Count() == 2 && h.idle() })
		left := student("lina")
		left.State = "closed"
		h.people.mu.Lock()
		h.people.people[left.ID] = left
		h.people.mu.Unlock()
		would, err := h.module.ToRemove(h.english(), contract.Traced{ID: left.ID, Whole: true})
		if err != nil || len(would) != 1 || would[0].Program != "moodle" || h.named() != 0 {
			t.Errorf("a preview lists %+v, %v", would, err)
		}
		erasure := h.erase("lina", true)
		h.later(time.Second, "Moodle confirms it", func() bool { return h.removal(erasure).State == contract.RemovalDone })
		if h.moodle.Count() != 1 || len(h.moodle.Users("paul")) != 1 {
			t.Errorf("%d accounts are left", h.moodle.Count())
		}
		if n := h.named(); n != 0 {
			t.Errorf("%d removals still know whose account it was", n)
		}
		if _, there, err := h.module.ledger.Of(t.Context(), h.db.Read(), "moodle", left.ID); there || err != nil {
			t.Errorf("the ledger knows them: %t, %v", there, err)
		}
	})
}

func TestARemovalOutlastsAnOutage(t *testing.T) {
	h := one(t, nil)
	h.run(h.module)
	h.put(student("lina"))
	h.eventually("it is there", func() bool { return h.state("lina") == contract.AccountReady })
	h.moodle.Down(true)
	erasure := h.erase("lina", true)
	h.later(5*time.Second, "it is said that Moodle does not answer", func() bool { return h.removal(erasure).Reason == "provisioning.service_down" })
	if r := h.removal(erasure); r.State != contract.RemovalAsked || h.moodle.Count() != 1 {
		t.Errorf("meanwhile: %+v", r)
	}
	h.moodle.Down(false)
	h.later(time.Minute, "it goes on by itself", func() bool { return h.removal(erasure).State == contract.RemovalDone })
	if h.moodle.Count() != 0 {
		t.Error("the account is still there")
	}
}

func TestAnAccountIsNeverRemovedByMistake(t *testing.T) {
	for name, change := range map[string]func(h *house){
		"somebody took our key away":       func(h *house) { h.moodle.Change("lina", func(u *pretend.MoodleUser) { u.IDNumber = "" }) },
		"it was given to somebody else":    func(h *house) { h.moodle.Change("lina", func(u *pretend.MoodleUser) { u.IDNumber = "0198-paul" }) },
		"the ledger has it of another too": func(h *house) { h.share("lina", "paul") },
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t, nil)
			h.run(h.module)
			h.put(student("lina"))
			h.eventually("it is there", func() bool { return h.state("lina") == contract.AccountReady })
			change(h)
			erasure := h.erase("lina", true)
			h.later(time.Second, "somebody has to look", func() bool { return h.removal(erasure).Reason == "provisioning.account_taken" })
			if h.moodle.Count() != 1 {
				t.Error("it was removed")
			}
			page := h.page(campustest.Alix(), "/provisioning/removals")
			shows(t, page, "needs you", "provisioning.account_taken", "It was removed by hand")
			_, id, _ := strings.Cut(page, `action="/provisioning/removals/`)
			id, _, _ = strings.Cut(id, `"`)
			if w := h.post("/provisioning/removals/"+id, url.Values{"act": {"by_hand"}}); w.Code != http.StatusSeeOther {
				t.Fatalf("by hand: %d", w.Code)
			}
			if r := h.removal(erasure); r.State != contract.RemovalByHand || h.named() != 0 {
				t.Errorf("afterwards: %+v", r)
			}
			if w := h.post("/provisioning/removals/"+id, url.Values{"act": {"retry"}}); w.Code != http.StatusNotFound {
				t.Errorf("once more: %d", w.Code)
			}
		})
	}
}

// share gives two people the same account, as a ledger that was mended by hand may.
func (h *house) share(one, other string) {
	h.t.Helper()
	err := h.db.InTx(h.t.Context(), func(tx db.Tx) error {
		line, _, err := h.module.ledger.Of(h.t.Context(), tx, "moodle", campus.PersonID("0198-"+one))
		if err != nil {
			return err
		}
		line.Person = "0198-" + other
		return h.module.ledger.Put(h.t.Context(), tx, line)
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestWhoStaysAndIsStillDueKeepsTheAccount(t *testing.T) {
	h := one(t, nil)
	h.run(h.module)
	h.put(student("lina"))
	h.eventually("it is there", func() bool { return h.state("lina") == contract.AccountReady })
	erasure := h.erase("lina", false)
	if r := h.removal(erasure); r.State != "" {
		t.Errorf("Moodle was asked: %+v", r)
	}
	staff := student("lina") // no longer for her: then it goes
	staff.Subject.Affiliations[0].Kind = campus.Staff
	h.put(staff)
	h.put(student("lina"))
	h.eventually("it is in the ledger again", func() bool { return h.state("lina") == contract.AccountReady && h.idle() })
	h.people.mu.Lock()
	h.people.people[staff.ID] = staff
	h.people.mu.Unlock()
	if _, err := h.module.Erase(t.Context(), contract.Traced{ID: staff.ID, Login: "lina", Erasure: "second"}); err != nil {
		t.Fatal(err)
	}
	if r := h.removal("second"); r.State != contract.RemovalAsked {
		t.Errorf("who is not due any more: %+v", r)
	}
}

func TestAnAccountThatWasJustBeingMadeIsFoundAndRemoved(t *testing.T) {
	h := one(t, nil)
	h.compared()
	h.moodle.Slow(300 * time.Millisecond)
	h.run(h.module)
	h.put(student("lina"))
	h.eventually("it is being made", func() bool { return h.moodle.Asked() >= 4 })
	erasure := h.erase("lina", true) // the line is gone before the answer comes
	h.eventually("it was made all the same", func() bool { return h.moodle.Count() == 1 })
	h.later(5*time.Second, "it is over", func() bool { return h.removal(erasure).State != contract.RemovalAsked })
	if n := h.moodle.Count(); n != 0 {
		t.Errorf("%d accounts are left", n)
	}
}

func TestARemovalWaitsUntilTheErasureTookTheLine(t *testing.T) {
	h := one(t, nil)
	h.run(h.module)
	h.put(student("lina"))
	h.eventually("it is there", func() bool { return h.state("lina") == contract.AccountReady && h.idle() })
	h.begin(contract.Traced{ID: "0198-lina", Login: "lina", Erasure: "cut-short", Whole: true})
	list, err := h.module.ledger.RemovalsDue(t.Context(), "moodle", 10)
	if err != nil || len(list) != 0 {
		t.Errorf("it would begin: %+v, %v", list, err)
	}
	h.forget("0198-lina")
	if list, err = h.module.ledger.RemovalsDue(t.Context(), "moodle", 10); err != nil || len(list) != 1 {
		t.Errorf("it does not begin: %+v, %v", list, err)
	}
}

func TestWhoComesBackGetsANewAccountAfterTheRemoval(t *testing.T) {
	h := one(t, nil)
	h.run(h.module)
	h.put(student("lina"))
	h.eventually("it is there", func() bool { return h.state("lina") == contract.AccountReady })
	before := h.moodle.Users("lina")[0].ID
	erasure := h.erase("lina", true)
	h.put(student("lina"))
	h.later(time.Second, "the removal comes first", func() bool { return h.removal(erasure).State == contract.RemovalDone })
	h.later(time.Second, "and then the new account", func() bool { return h.state("lina") == contract.AccountReady })
	if users := h.moodle.Users("lina"); len(users) != 1 || users[0].ID == before {
		t.Errorf("Moodle has %+v", users)
	}
}

func TestAServiceThatIsNoLongerConnectedIsLeftToSomebody(t *testing.T) {
	h := one(t, nil)
	h.run(h.module)
	h.put(student("lina"))
	h.eventually("it is there", func() bool { return h.state("lina") == contract.AccountReady })
	h.module = h.open(h.module.services[0].TargetConfig.URL, func(c *TargetConfig) { c.ID = "another" })
	erasure := h.erase("lina", true)
	if r := h.removal(erasure); r.State != contract.RemovalAsked || r.Reason != "provisioning.target_missing" || r.Name != "moodle" {
		t.Errorf("%+v", r)
	}
}

// adopting lets the Moodle of the tests take over accounts.
func adopting(c *TargetConfig) { c.Moodle.Adopt = true }

func TestAnAccountIsTakenOverOnlyWhenItIsTheirs(t *testing.T) {
	lina := student("lina").Subject
	for name, c := range map[string]struct {
		there pretend.MoodleUser
		state contract.AccountState
		code  string
	}{
		"the same address":  {pretend.MoodleUser{Username: "lina", Email: strings.ToUpper(lina.Mail), Auth: "manual"}, contract.AccountReady, ""},
		"another address":   {pretend.MoodleUser{Username: "lina", Email: "other@valmont.example", Auth: "manual"}, contract.AccountBlocked, "provisioning.account_differs"},
		"an administrator":  {pretend.MoodleUser{ID: 2, Username: "lina", Email: lina.Mail, Auth: "manual"}, contract.AccountBlocked, "provisioning.account_privileged"},
		"one that is shut":  {pretend.MoodleUser{Username: "lina", Email: lina.Mail, Suspended: true}, contract.AccountBlocked, "provisioning.account_privileged"},
		"somebody's by key": {pretend.MoodleUser{Username: "lina", Email: lina.Mail, IDNumber: "4711"}, contract.AccountBlocked, "provisioning.account_taken"},
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t, adopting)
			h.moodle.Add(c.there)
			h.run(h.module)
			h.put(student("lina"))
			h.eventually("it is decided", func() bool { return h.state("lina") == c.state })
			a, _, err := h.module.AccountIn(h.english(), "0198-lina", "moodle")
			if err != nil || a.Code != c.code {
				t.Errorf("%+v, %v", a, err)
			}
			u := h.moodle.Users("lina")[0]
			if adopted := u.IDNumber == "0198-lina"; adopted != (c.state == contract.AccountReady) || !adopted && u.Auth != c.there.Auth {
				t.Errorf("Moodle has %+v", u)
			}
		})
	}
}

func TestAnAdministratorSaysWhoseAnAccountIs(t *testing.T) {
	each(t, adopting, func(t *testing.T, h *house) {
		h.moodle.Add(pretend.MoodleUser{Username: "lina", Email: "other@valmont.example", Auth: "manual"})
		h.compared() // or everybody is looked at once more in between
		h.run(h.module)
		h.put(student("lina"))
		h.eventually("it waits", func() bool { return h.state("lina") == contract.AccountBlocked && h.idle() })
		path := "/provisioning/people/0198-lina/adopt/moodle"
		shows(t, h.page(campustest.Alix(), "/provisioning/people/0198-lina"), path)
		if strings.Contains(h.page(campustest.Sam(), "/provisioning/people/0198-lina"), path) {
			t.Error("the help desk is led to a decision that is not theirs")
		}
		page := h.page(campustest.Alix(), path)
		shows(t, page, "Whose account is this", "other@valmont.example", "lina@valmont.example", "It is theirs: take it over")
		_, found, _ := strings.Cut(page, `name="found" value="`)
		found, _, _ = strings.Cut(found, `"`)
		if w := h.post(path, url.Values{"found": {"1"}}); w.Code != http.StatusConflict {
			t.Errorf("another account than the one that was shown: %d", w.Code)
		}
		if w := h.post(path, url.Values{"found": {found}}); w.Code != http.StatusSeeOther {
			t.Fatalf("decided: %d %s", w.Code, w.Body)
		}
		h.eventually("it is hers", func() bool { return h.state("lina") == contract.AccountReady })
		if u := h.moodle.Users("lina")[0]; u.IDNumber != "0198-lina" || u.Email != "lina@valmont.example" {
			t.Errorf("Moodle has %+v", u)
		}
		if w := h.get(path); w.Code != http.StatusConflict {
			t.Errorf("afterwards there is nothing to decide: %d", w.Code)
		}
	})
}

func TestWhatKeepsTheServiceIsNotTakenOverEvenByAnAdministrator(t *testing.T) {
	h := one(t, adopting)
	h.moodle.Add(pretend.MoodleUser{ID: 2, Username: "lina", Email: "lina@valmont.example"})
	h.compared()
	h.run(h.module)
	h.put(student("lina"))
	h.eventually("it waits", func() bool { return h.state("lina") == contract.AccountBlocked && h.idle() })
	path := "/provisioning/people/0198-lina/adopt/moodle"
	page := h.page(campustest.Alix(), path)
	shows(t, page, "It is not taken over from here", "0198-lina")
	if strings.Contains(page, `name="found"`) {
		t.Error("the page offers it")
	}
	if w := h.post(path, url.Values{"found": {"2"}}); w.Code != http.StatusConflict {
		t.Errorf("a form made by hand: %d", w.Code)
	}
	h.moodle.Change("lina", func(u *pretend.MoodleUser) { u.IDNumber = "0198-lina" }) // as the page says
	h.post("/provisioning/people/0198-lina/retry", url.Values{"target": {"moodle"}})
	h.eventually("with our key it is hers", func() bool { return h.state("lina") == contract.AccountReady })
}

func TestAnAccountWithoutAKeyIsNotClosedForSomebodyWhoLeaves(t *testing.T) {
	h := one(t, adopting)
	h.compared()
	h.moodle.Lose(1)
	h.run(h.module)
	h.put(student("lina"))
	h.eventually("an answer got lost", func() bool { return h.moodle.Count() == 1 })
	h.moodle.Change("lina", func(u *pretend.MoodleUser) { u.IDNumber = "" })
	left := student("lina")
	left.State = "closed"
	h.put(left)
	h.later(10*time.Second, "it is over", func() bool { return h.state("lina") == contract.AccountNotDue })
	if h.moodle.Users("lina")[0].Suspended {
		t.Error("an account that is nobody's was closed")
	}
}

func TestAnotherRuleThatWouldCloseManyWaitsForAWord(t *testing.T) {
	each(t, func(c *TargetConfig) { c.BrakeFloor = 2 }, func(t *testing.T, h *house) {
		stop := h.run(h.module)
		var people []contract.Known
		for i := range 60 {
			people = append(people, student(fmt.Sprintf("s%02d", i)))
		}
		h.put(people...)
		h.eventually("everybody has one", func() bool { return h.moodle.Count() == 60 && h.idle() })
		stop()
		h.module = h.open(h.module.services[0].TargetConfig.URL, func(c *TargetConfig) {
			c.BrakeFloor, c.Rule = 2, due.Rule{Kinds: []campus.Kind{campus.Teacher}} // a mistake
		})
		h.run(h.module)
		braked := func() bool {
			desk, err := h.module.ledger.Desk(t.Context(), "moodle")
			return err == nil && desk.Braked()
		}
		h.later(time.Second, "the brake holds", braked)
		h.eventually("everybody was looked at", func() bool {
			n, err := h.module.ledger.CountNoted(t.Context())
			return err == nil && n == 0
		})
		for _, k := range people {
			if h.moodle.Users(k.Subject.Login)[0].Suspended {
				t.Fatalf("%s was closed without a word", k.Subject.Login)
			}
			if s := h.state(k.Subject.Login); s != contract.AccountReady {
				t.Fatalf("%s is told that the account is %s", k.Subject.Login, s)
			}
		}
		c, err := h.module.ledger.Closures(t.Context(), "moodle")
		if err != nil || c.Waiting != 60 || c.Lately != 0 {
			t.Errorf("closures %+v, %v", c, err)
		}
		shows(t, h.page(campustest.Alix(), "/provisioning/targets/moodle/closures"), "60")
		if err := h.module.ledger.LetGo(t.Context(), "moodle", 60); err != nil {
			t.Fatal(err)
		}
		h.later(5*time.Second, "with a word they are closed", func() bool {
			n, err := h.module.ledger.Count(t.Context(), ledger.Filter{Target: "moodle", State: contract.AccountLeaving})
			return err == nil && n == 60 && h.moodle.Users("s59")[0].Suspended
		})
	})
}
