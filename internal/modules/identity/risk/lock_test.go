package risk

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

func TestLocksGrowAndEndByThemselves(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.refuse(9, lina, "", abroad)
		if h.locked(lina, "") != 0 {
			t.Fatal("nine wrong passwords lock")
		}
		for _, want := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, time.Hour} {
			missing := 10
			if want == time.Minute {
				missing = 1
			}
			h.refuse(missing, lina, "", abroad)
			if got := h.locked(lina, ""); got != want {
				t.Fatalf("locked for %v, want %v", got, want)
			}
			h.clock.Advance(want - time.Microsecond)
			if h.locked(lina, "") == 0 {
				t.Errorf("the lock of %v ends before its time", want)
			}
			h.clock.Advance(time.Microsecond)
			if h.locked(lina, "") != 0 {
				t.Errorf("the lock of %v does not end", want)
			}
		}
		h.clock.Advance(25 * time.Hour)
		h.refuse(10, lina, "", abroad)
		if got := h.locked(lina, ""); got != time.Minute {
			t.Errorf("a day later the first lock lasts %v", got)
		}
	})
}

func TestWhoeverGuessesDoesNotLockTheOwnerOut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.refuse(30, lina, "", abroad)
		if h.locked(lina, "") == 0 || h.locked(lina, "phone") != 0 {
			t.Error("her phone is locked, or the stranger is not")
		}
		if h.locked(hugo, "") != 0 {
			t.Error("somebody else is locked")
		}
		h.refuse(9, lina, "phone", home)
		h.welcome(lina, "phone", home)
		h.refuse(9, lina, "phone", home)
		if h.locked(lina, "phone") != 0 {
			t.Error("a right password in between does not count")
		}
		h.refuse(1, lina, "phone", home)
		if h.locked(lina, "phone") != time.Minute || h.locked(lina, "laptop") != 0 {
			t.Error("a known browser has no budget of its own")
		}
		h.welcome(lina, "laptop", home)
		if h.locked(lina, "") == 0 {
			t.Error("her sign-in at home lets the stranger go on")
		}
	})
}

func TestARightPasswordWipesTheSlateOfTheBrowserAsItWasBefore(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := Circumstances{Person: lina, Address: home, Identifier: "lmartin"}
		h.refuse(9, lina, "", home)
		v := h.assess(c)
		h.note(Signal{Circumstances: c, Outcome: Stopped, Verdict: v})
		c.Device = "phone" // known by now
		h.note(Signal{Circumstances: c, Outcome: In, Verdict: v})
		h.refuse(9, lina, "", home)
		if h.locked(lina, "") != 0 {
			t.Error("what she mistyped in a new browser counts after she got in with it")
		}
	})
}

func TestAnOldPasswordNeitherLocksNorAlarms(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for i := range 50 {
			who := account.Person{ID: campus.PersonID(fmt.Sprint("p", i)), Login: fmt.Sprint("p", i)}
			h.note(Signal{Circumstances: Circumstances{Person: lina}, Outcome: Refused, OldPassword: true})
			h.note(Signal{Circumstances: Circumstances{Person: who}, Outcome: Refused, OldPassword: true})
		}
		if h.locked(lina, "") != 0 {
			t.Error("a phone with an old password locks its owner out")
		}
		if alarms, err := h.Alarms(t.Context()); err != nil || len(alarms) != 0 {
			t.Errorf("alarms %v, %v", alarms, err)
		}
		v, err := h.Assess(t.Context(), Circumstances{Person: lina, Address: home, Device: "laptop"})
		if err != nil || v.Act != Allow || v.Score != 0 || len(v.Findings) != 1 || v.Findings[0].Rule != "old_password" || v.Findings[0].Count != 50 {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

func TestFailuresAtOnceAreAllCounted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				for range 5 {
					err := h.DB.InTx(t.Context(), func(tx db.Tx) error {
						return h.Note(t.Context(), tx, Signal{Circumstances: Circumstances{Person: lina, Identifier: "lmartin", Address: abroad}, Outcome: Refused})
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		locks, err := h.Locks(t.Context(), lina.ID)
		if err != nil || len(locks) != 1 || h.locked(lina, "") != time.Hour {
			t.Errorf("forty failures: %d locks, for %v (%v)", len(locks), h.locked(lina, ""), err)
		}
		h.work()
		if got := h.kinds(lina); !slices.Equal(got, []string{"locked_failures"}) {
			t.Errorf("letters %v", got)
		}
	})
}

func TestIdentifiersThatNobodyHasCostTheSame(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		count := func() (n [4]int) {
			for i, table := range []string{"identity_signals", "identity_strikes", "identity_locks", "jobs"} {
				if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n[i]); err != nil {
					t.Fatal(err)
				}
			}
			return n
		}
		h.refuse(10, lina, "", abroad)
		known := count()
		for range 10 {
			h.note(Signal{Circumstances: Circumstances{Identifier: "nobody.at.all", Address: abroad}, Outcome: Refused})
		}
		if unknown := count(); unknown != [4]int{2 * known[0], 2 * known[1], 2 * known[2], 2 * known[3]} {
			t.Errorf("a known identifier writes %v rows, both together %v", known, unknown)
		}
		h.work()
		if got := h.kinds(lina); len(h.letters) != 1 || len(got) != 1 {
			t.Errorf("letters %+v", h.letters)
		}
		for i := range 1500 {
			h.note(Signal{Circumstances: Circumstances{Identifier: fmt.Sprint("nobody", i), Address: abroad}, Outcome: Refused})
		}
		if n := count(); n[1] > 1025 {
			t.Errorf("%d rows of failures for inventions", n[1])
		}
	}, func(c *Config) { c.SprayAccounts, c.SprayEverywhere = 1000, 1000 })
}

func TestIdentifiersAreNotKeptInClear(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.note(Signal{Circumstances: Circumstances{Identifier: "my-password-typed-here"}, Outcome: Refused})
		h.note(Signal{Circumstances: Circumstances{Identifier: "my-password-typed-here"}, Outcome: Refused})
		var hashes, clear int
		err := h.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(DISTINCT identifier), COUNT(CASE WHEN identifier LIKE '%password%' THEN 1 END) FROM identity_signals").Scan(&hashes, &clear)
		if err != nil || hashes != 1 || clear != 0 {
			t.Errorf("%d hashes, %d in clear, %v", hashes, clear, err)
		}
	})
}

func TestALetterForALockComesOnceAndLongAttacksDoNotFillTheMailbox(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.refuse(10, lina, "", abroad)
		job := TellLock{Lock: h.lock1(lina).ID}
		for range 2 { // a job may run twice
			if err := h.tellLock(t.Context(), job); err != nil {
				t.Fatal(err)
			}
		}
		if len(h.letters) != 1 || !h.letters[0].Urgent || h.letters[0].arg("code") == "" || !h.happened("identity.locked") {
			t.Fatalf("letters %+v", h.letters)
		}
		for range 20 {
			h.clock.Advance(2 * time.Minute)
			h.refuse(10, lina, "", abroad)
			h.work()
		}
		if len(h.letters) != 1 {
			t.Errorf("%d letters in an hour", len(h.letters))
		}
		h.clock.Advance(7 * time.Hour)
		h.refuse(10, lina, "", abroad)
		h.work()
		if len(h.letters) != 2 {
			t.Errorf("%d letters after seven hours", len(h.letters))
		}
	})
}

// lock1 is the newest lock of somebody.
func (h *house) lock1(who account.Person) Locked {
	h.t.Helper()
	locks, err := h.Locks(h.t.Context(), who.ID)
	if err != nil || len(locks) == 0 {
		h.t.Fatalf("no lock (%v)", err)
	}
	return locks[0]
}

func TestAnOwnerLocksTheirAccountForADay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.refuse(10, hugo, "", abroad)
		for _, who := range []account.Person{lina, hugo} {
			h.in(func(tx db.Tx) error { return h.LockOneself(t.Context(), tx, who.ID) })
			if got := h.locked(who, ""); got != ownLock {
				t.Errorf("%s is locked for %v", who.Login, got)
			}
		}
		h.work()
		if got := h.kinds(lina); !slices.Equal(got, []string{"locked_owner"}) {
			t.Errorf("letters %v", got)
		}
		h.proved()
		h.get("/login/locked").want(t, 200, "You asked us yourself to lock your account")
	})
}

func TestALetterThatComesTooLateIsNotSent(t *testing.T) {
	h := openOne(t)
	h.refuse(10, lina, "", abroad)
	h.clock.Advance(2 * time.Minute)
	h.work()
	if len(h.letters) != 0 {
		t.Errorf("letters %+v", h.letters)
	}
}

func TestAProofLiftsALockAndHoldsForTheNextTry(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		stranger := Circumstances{Person: lina, Address: abroad, Identifier: "lmartin"}
		v := h.suspicious(stranger)
		if v.Act != Lock {
			t.Fatalf("the verdict is %+v", v)
		}
		h.in(func(tx db.Tx) error {
			l, err := h.Risk.Lock(t.Context(), tx, stranger, v)
			if err == nil && (l.Person != lina.ID || l.Cause != ByRules || l.Until.Sub(h.clock.Now()) != time.Minute) {
				t.Errorf("the lock is %+v", l)
			}
			return err
		})
		h.in(func(tx db.Tx) error { // she types her password again
			l, err := h.Risk.Lock(t.Context(), tx, stranger, v)
			if l.ID != h.lock1(lina).ID || h.locked(lina, "") != time.Minute {
				t.Errorf("trying again prolongs the lock: %+v", l)
			}
			return err
		})
		if l := h.lock1(lina); !slices.Equal(l.Findings, v.Findings) {
			t.Errorf("the lock has %+v, the verdict %+v", l.Findings, v.Findings)
		}
		h.in(func(tx db.Tx) error {
			n, err := h.Unlock(t.Context(), tx, ByFactor, journal.Event{Person: lina.ID, Actor: lina.ID})
			if n != 1 {
				t.Errorf("%d locks were lifted", n)
			}
			return err
		})
		if h.locked(lina, "") != 0 || h.lock1(lina).How != ByFactor || !h.happened("identity.unlocked") {
			t.Error("the lock still holds")
		}
		if v, err := h.Assess(t.Context(), stranger); err != nil || v.Act != AskFactor {
			t.Errorf("after the proof: %+v, %v", v, err)
		}
		h.clock.Advance(2 * time.Hour)
		h.refuse(5, lina, "", abroad)
		if v, err := h.Assess(t.Context(), stranger); err != nil || v.Act != Lock {
			t.Errorf("two hours later: %+v, %v", v, err)
		}
		h.in(func(tx db.Tx) error {
			n, err := h.Unlock(t.Context(), tx, ByFactor, journal.Event{Person: hugo.ID})
			if n != 0 {
				t.Error("somebody without a lock had one lifted")
			}
			return err
		})
	})
}

// suspicious lets so much happen that the rules lock, and says so.
func (h *house) suspicious(c Circumstances) Verdict {
	h.t.Helper()
	h.welcome(c.Person, "laptop", home)
	h.clock.Advance(time.Hour)
	h.refuse(5, c.Person, "", abroad)
	v, err := h.Assess(h.t.Context(), c)
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

func TestAgentsSendTheWayToUnlockAndNeverUnlock(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		agent := campus.Viewer{Person: "agent", Rights: []campus.Right{campus.RightHelpdesk}}
		if err := h.SendUnlock(t.Context(), agent, lina.ID, journal.Event{}); !errors.Is(err, NotLocked) {
			t.Errorf("without a lock: %v", err)
		}
		h.refuse(10, lina, "", abroad)
		for _, nosy := range []campus.Viewer{{}, {Person: "s"}, {Person: "n", Rights: []campus.Right{campus.RightNews, campus.RightSecretariat}}} {
			if err := h.SendUnlock(t.Context(), nosy, lina.ID, journal.Event{}); !errors.Is(err, web.RightMissing) {
				t.Errorf("%v sends it: %v", nosy.Rights, err)
			}
		}
		if len(h.letters) != 0 {
			t.Fatal("a letter went out")
		}
		if err := h.SendUnlock(t.Context(), agent, lina.ID, journal.Event{Address: "192.0.2.1"}); err != nil {
			t.Fatal(err)
		}
		if h.locked(lina, "") == 0 {
			t.Error("the agent unlocked")
		}
		e := h.events[len(h.events)-1]
		if got := h.kinds(lina); !slices.Equal(got, []string{"unlock"}) || e.Kind != "identity.unlock_sent" || e.Actor != "agent" || e.Person != lina.ID {
			t.Errorf("letters %v, event %+v", got, e)
		}
		if _, err := h.unlockByToken(t.Context(), h.token(), journal.Event{}); err != nil || h.locked(lina, "") != 0 {
			t.Errorf("the link of the letter does not unlock: %v", err)
		}
	})
}

func TestOfManyAtOnceWithOneLinkExactlyOneUnlocks(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.refuse(10, lina, "", abroad)
		h.work()
		token := h.token()
		var mu sync.Mutex
		done := 0
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				_, err := h.unlockByToken(t.Context(), token, journal.Event{})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					done++
				} else if !errors.Is(err, KeyGone) {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if done != 1 {
			t.Errorf("%d unlocked", done)
		}
	})
}

func TestLinksThatAreOldReplacedOrMadeUpDoNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.refuse(40, lina, "", abroad) // for an hour
		h.work()
		first := h.token()
		if err := h.sendUnlock(t.Context(), h.lock1(lina), nil); err != nil {
			t.Fatal(err)
		}
		second := h.token()
		for name, token := range map[string]string{"replaced": first, "made up": "x", "empty": ""} {
			if _, err := h.unlockByToken(t.Context(), token, journal.Event{}); !errors.Is(err, KeyGone) {
				t.Errorf("a link that is %s: %v", name, err)
			}
		}
		h.clock.Advance(time.Hour)
		if _, err := h.unlockByToken(t.Context(), second, journal.Event{}); !errors.Is(err, KeyGone) {
			t.Errorf("a link that is an hour old: %v", err)
		}
	})
}

func TestAPersonMayAskForSoManyCodesOnly(t *testing.T) {
	h := openOne(t)
	h.refuse(40, lina, "", abroad)
	var err error
	for range code.PerHour + 1 {
		err = h.sendUnlock(t.Context(), h.lock1(lina), nil)
	}
	if !errors.Is(err, code.TooMany) {
		t.Errorf("%v", err)
	}
}

func TestNothingIsKeptForLongerThanItIsNeeded(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.refuse(10, lina, "", abroad)
		for range 10 {
			h.note(Signal{Circumstances: Circumstances{Identifier: "nobody"}, Outcome: Refused})
		}
		h.clock.Advance(3 * 24 * time.Hour)
		h.welcome(lina, "laptop", home)
		count := func(table string) (n int) {
			if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil && !errors.Is(err, sql.ErrNoRows) {
				t.Fatal(err)
			}
			return n
		}
		for _, c := range []struct {
			after                   time.Duration
			signals, strikes, locks int
		}{{0, 21, 0, 1}, {33 * 24 * time.Hour, 1, 0, 1}, {3 * 24 * time.Hour, 0, 0, 1}, {365 * 24 * time.Hour, 0, 0, 0}} {
			h.clock.Advance(c.after)
			if err := h.prune(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s, k, l := count("identity_signals"), count("identity_strikes"), count("identity_locks"); s != c.signals || k != c.strikes || l != c.locks {
				t.Errorf("%v later: %d signals, %d failures, %d locks; want %+v", c.after, s, k, l, c)
			}
		}
	})
}
