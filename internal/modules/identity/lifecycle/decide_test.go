package lifecycle

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
)

func TestASuspensionEndsSessionsAtOnceAndTellsThePersonLater(t *testing.T) {
	each(t, Defaults(), func(t *testing.T, d *desk) {
		lina := d.add("lina", account.Active, campus.Student)
		taken, err := d.Decide(t.Context(), d.viewer, lina, Order{State: account.Suspended, Reason: "unpaid_fees", Note: "seen with the bursar", Was: account.Active})
		d.must(err)
		if got := d.state(lina); got != account.Suspended {
			t.Errorf("the account is %s", got)
		}
		if len(d.ended) != 1 || d.ended[0] != lina {
			t.Errorf("sessions ended for %v", d.ended)
		}
		if len(d.events) != 1 || d.events[0].Kind != "identity.account_suspended" || d.events[0].Actor != d.viewer.Person {
			t.Errorf("the journal says %+v", d.events)
		}
		if strings.Contains(fmt.Sprint(d.events), "bursar") {
			t.Error("the secretariat's note is in the person's journal")
		}
		if len(d.letters) != 0 {
			t.Error("a letter left before the time for undoing was over")
		}
		d.deliver(lina)
		if len(d.letters) != 1 || d.letters[0].Kind != "account_suspended" || d.letters[0].URL != "/identity/account" || !strings.Contains(fmt.Sprint(d.letters[0].Args), "fees have not been paid") {
			t.Errorf("letters: %+v", d.letters)
		}
		if strings.Contains(fmt.Sprint(d.letters), "bursar") {
			t.Error("the secretariat's note is in the letter")
		}
		s, err := d.Standing(t.Context(), lina)
		d.must(err)
		if s.State != account.Suspended || s.Reason != "unpaid_fees" || s.Office == "" {
			t.Errorf("standing: %+v", s)
		}
		d.must(d.Lift(t.Context(), d.viewer, lina, taken.ID, "paid", journal.Event{}))
		d.deliver(lina)
		if last := d.letters[len(d.letters)-1]; d.state(lina) != account.Active || last.Kind != "account_reopened" || last.URL != "/identity/account" || len(d.letters) != 2 {
			t.Errorf("after lifting: %s, letters %+v", d.state(lina), d.letters)
		}
		if err := d.Lift(t.Context(), d.viewer, lina, taken.ID, "", journal.Event{}); !errors.Is(err, Lifted) {
			t.Errorf("lifting twice: %v", err)
		}
	})
}

func TestOnlyTheSecretariatDecidesAndLifts(t *testing.T) {
	d := one(t)
	lina := d.add("lina", account.Active)
	taken, err := d.Decide(t.Context(), d.viewer, lina, Order{State: account.Suspended, Reason: "discipline"})
	d.must(err)
	for _, right := range []campus.Right{campus.RightAdmin, campus.RightHelpdesk, campus.RightNews} {
		other := d.as("other-"+string(right), right)
		if _, err := d.Decide(t.Context(), other, lina, Order{State: account.Closed, Reason: "left"}); !errors.Is(err, Reserved) {
			t.Errorf("%s closes: %v", right, err)
		}
		if err := d.Lift(t.Context(), other, lina, taken.ID, "", journal.Event{}); !errors.Is(err, Reserved) {
			t.Errorf("%s lifts: %v", right, err)
		}
		if err := d.Undo(t.Context(), other, lina, taken.ID, journal.Event{}); !errors.Is(err, Reserved) {
			t.Errorf("%s undoes: %v", right, err)
		}
		d.viewer = other
		for _, path := range []string{"", ".csv", "/rules", "/due", "/" + string(lina), "/" + string(lina) + "/reopen", "/" + string(lina) + "/close"} {
			if status, _ := d.get("/identity/accounts" + path); status != http.StatusForbidden {
				t.Errorf("%s reads /identity/accounts%s: %d", right, path, status)
			}
		}
		for _, act := range []string{"suspend", "close", "expire", "reopen", "undo"} {
			if status, _ := d.post("/identity/accounts/"+string(lina)+"/"+act, url.Values{"reason": {"left"}, "decision": {taken.ID}}); status != http.StatusForbidden {
				t.Errorf("%s posts %s: %d", right, act, status)
			}
		}
	}
	if got := d.state(lina); got != account.Suspended {
		t.Errorf("the account is %s", got)
	}
}

func TestNobodyDecidesAboutThemselves(t *testing.T) {
	d := one(t)
	if _, err := d.Decide(t.Context(), d.viewer, d.viewer.Person, Order{State: account.Closed, Reason: "left"}); !errors.Is(err, Oneself) {
		t.Errorf("got %v", err)
	}
	if _, body := d.get("/identity/accounts/" + string(d.viewer.Person)); strings.Contains(body, "/suspend") {
		t.Error("the page offers to suspend oneself")
	}
}

func TestTwoWindowsDecideOnce(t *testing.T) {
	each(t, Defaults(), func(t *testing.T, d *desk) {
		lina := d.add("lina", account.Active)
		var wg sync.WaitGroup
		results := make([]error, 6)
		for i := range results {
			wg.Go(func() {
				_, results[i] = d.Decide(t.Context(), d.viewer, lina, Order{State: account.Suspended, Reason: "security", Was: account.Active})
			})
		}
		wg.Wait()
		won := 0
		for _, err := range results {
			if err == nil {
				won++
			} else if !errors.Is(err, Changed) {
				t.Errorf("got %v", err)
			}
		}
		list, err := d.Decisions(t.Context(), lina)
		d.must(err)
		if won != 1 || len(list) != 1 {
			t.Errorf("%d won, %d decisions stand", won, len(list))
		}
	})
}

func TestAnUndoneDecisionWritesToNobody(t *testing.T) {
	d := one(t)
	lina := d.add("lina", account.Active)
	taken, err := d.Decide(t.Context(), d.viewer, lina, Order{State: account.Closed, Reason: "duplicate"})
	d.must(err)
	colleague := d.as("colleague", campus.RightSecretariat)
	if err := d.Undo(t.Context(), colleague, lina, taken.ID, journal.Event{}); !errors.Is(err, UndoTooLate) {
		t.Errorf("a colleague undoes: %v", err)
	}
	d.must(d.Undo(t.Context(), d.viewer, lina, taken.ID, journal.Event{}))
	d.deliver(lina)
	if len(d.letters) != 0 || d.state(lina) != account.Active {
		t.Errorf("letters %+v, state %s", d.letters, d.state(lina))
	}
	taken, err = d.Decide(t.Context(), d.viewer, lina, Order{State: account.Closed, Reason: "duplicate"})
	d.must(err)
	d.clock.Advance(UndoTime)
	if err := d.Undo(t.Context(), d.viewer, lina, taken.ID, journal.Event{}); !errors.Is(err, UndoTooLate) {
		t.Errorf("after the time: %v", err)
	}
}

func TestASuspensionEndsAtTheEndOfItsLastDayInTheInstitutionsZone(t *testing.T) {
	each(t, Defaults(), func(t *testing.T, d *desk) {
		d.clock.Set(november().Now())
		lina := d.add("lina", account.Active)
		status, body := d.post("/identity/accounts/"+string(lina)+"/suspend", url.Values{"reason": {"unpaid_fees"}, "until": {"2026-11-24"}, "was": {"active"}})
		if status != http.StatusSeeOther {
			t.Fatalf("%d: %s", status, body)
		}
		s, err := d.Standing(t.Context(), lina)
		d.must(err)
		if got := s.Until.In(paris).Format(dayLayout); got != "2026-11-24" {
			t.Errorf("the person is told %s", got)
		}
		d.clock.Set(time.Date(2026, 11, 24, 23, 59, 0, 0, paris))
		d.must(d.applyDue(t.Context()))
		if got := d.state(lina); got != account.Suspended {
			t.Errorf("on the last evening: %s", got)
		}
		d.clock.Set(time.Date(2026, 11, 25, 0, 0, 0, 0, paris))
		d.must(d.applyDue(t.Context()))
		if got := d.state(lina); got != account.Active {
			t.Errorf("after midnight: %s", got)
		}
	})
}

func TestADecisionForLaterWaitsForItsDay(t *testing.T) {
	each(t, Defaults(), func(t *testing.T, d *desk) {
		d.clock.Set(november().Now())
		lina := d.add("lina", account.Active)
		d.post("/identity/accounts/"+string(lina)+"/close", url.Values{"reason": {"left"}, "from": {"2026-12-01"}, "was": {"active"}})
		if got := d.state(lina); got != account.Active {
			t.Errorf("before its day: %s", got)
		}
		d.clock.Set(time.Date(2026, 12, 1, 0, 0, 1, 0, paris))
		d.must(d.applyDue(t.Context()))
		d.must(d.applyDue(t.Context()))
		if got := d.state(lina); got != account.Closed {
			t.Errorf("on its day: %s", got)
		}
		s, err := d.Standing(t.Context(), lina)
		d.must(err)
		if want := time.Date(2027, 12, 1, 0, 0, 0, 0, paris); !s.DeletedAt.Equal(want) {
			t.Errorf("deletion on %s, want %s", s.DeletedAt, want)
		}
	})
}
