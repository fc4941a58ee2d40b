package factor

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

func TestTenThousandGuessesInADayAreLookedAtAFewTimes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		phone, _ := h.register(lina, 0)
		looked := 0
		for i := range 10_000 {
			h.clock.Advance(24 * time.Hour / 10_000)
			_, err := h.ProveApp(t.Context(), arriving(lina), fmt.Sprintf("%06d", (i*7919)%1_000_000))
			if !errors.Is(err, Slowed) {
				looked++
			}
			if err == nil { // a lucky one, once in many thousand runs: the bound below holds for it too
				break
			}
		}
		if looked > 45 {
			t.Errorf("%d guesses were looked at", looked)
		}
		// The right code is not looked at either until the delay is over; then it
		// is, and everything is forgiven.
		_, err := h.ProveApp(t.Context(), arriving(lina), phone.code())
		want(t, err, Slowed)
		wait, _ := fault.Of(err).Args["wait"].(time.Duration)
		if wait <= 0 || wait > longest {
			t.Fatalf("to wait %v", wait)
		}
		h.clock.Advance(wait)
		_, err = h.ProveApp(t.Context(), arriving(lina), phone.code())
		want(t, err, nil)
		for range freeTries - 1 {
			_, err = h.ProveApp(t.Context(), arriving(lina), "000000")
			want(t, err, AppWrong)
		}
	})
}

func TestGuessesSentAtOnceAreCountedBeforeTheyAreLookedAt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		h.register(lina, 0)
		wins, _ := atOnce(60, func(int) error { _, err := h.try(t.Context(), arriving(lina)); return err })
		if wins > freeTries {
			t.Errorf("%d guesses were looked at", wins)
		}
		row, err := sqlgen.New(h.DB.Read()).TriesOf(t.Context(), sqlgen.TriesOfParams{PersonID: string(lina.ID)})
		if err != nil || row.Failures != int64(wins) {
			t.Errorf("%d counted of %d: %v", row.Failures, wins, err)
		}
	})
}

func TestOneGuesserSlowsNobodyElseAndADayForgives(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina, hugo := h.person("lina"), h.person("hugo")
		h.register(lina, 0)
		guess := func(p account.Person) error {
			_, err := h.ProveApp(t.Context(), arriving(p), "000000")
			return err
		}
		for range freeTries {
			want(t, guess(lina), AppWrong)
		}
		want(t, guess(lina), Slowed)
		phone, _ := h.register(hugo, 0)
		h.clock.Advance(step)
		_, err := h.ProveApp(t.Context(), arriving(hugo), phone.code())
		want(t, err, nil)
		h.clock.Advance(forgiven)
		for range freeTries {
			want(t, guess(lina), AppWrong)
		}
	})
}

// from is somebody in the middle of a sign-in in a browser that they use already.
func from(p account.Person, browser string) entry.Actor {
	a := arriving(p)
	a.Browser = browser
	return a
}

func TestWhoGuessesElsewhereDoesNotSlowTheOwnersBrowser(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		phone, _ := h.register(lina, 0)
		prove := func(a entry.Actor, code string) error {
			_, err := h.ProveApp(t.Context(), a, code)
			return err
		}
		for range freeTries {
			want(t, prove(arriving(lina), "000000"), AppWrong)
		}
		h.clock.Advance(firstDelay / 2)
		want(t, prove(arriving(lina), "000000"), Slowed)
		// The owner goes in where they always do, and that gives the guesser nothing.
		h.clock.Advance(step)
		want(t, prove(from(lina, "hers"), phone.code()), nil)
		h.clock.Advance(delayAfter(freeTries))
		want(t, prove(arriving(lina), "000000"), AppWrong)
		want(t, prove(arriving(lina), "000000"), Slowed)
		// A known browser has its own patience, no more of it.
		for range freeTries {
			want(t, prove(from(lina, "hers"), "000000"), AppWrong)
		}
		want(t, prove(from(lina, "hers"), "000000"), Slowed)
	})
}

func TestGuessesFromManyKnownBrowsersAreLookedAtAFewTimes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		h.register(lina, 0)
		looked := 0
		for i := range 2_000 {
			h.clock.Advance(24 * time.Hour / 2_000)
			_, err := h.ProveApp(t.Context(), from(lina, fmt.Sprint("browser ", i%50)), fmt.Sprintf("%06d", (i*7919)%1_000_000))
			if !errors.Is(err, Slowed) {
				looked++
			}
			if err == nil { // a lucky one, once in many thousand runs: the bound below holds for it too
				break
			}
		}
		if most := 45 * (mostTroubled + 1); looked > most {
			t.Errorf("%d guesses were looked at, want at most %d", looked, most)
		}
	})
}

func TestWhatNoLongerDecidesAnythingIsForgotten(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina, hugo, agent := h.person("lina"), h.person("hugo"), h.person("agent", func(p *account.Person) { p.Rights = []campus.Right{campus.RightHelpdesk} })
		for _, p := range []account.Person{lina, hugo} { // the grace of both begins
			if _, err := h.beginGrace(t.Context(), p); err != nil {
				t.Fatal(err)
			}
		}
		h.register(lina, 0)
		if _, err := h.Relay(t.Context(), on(arriving(agent)), agent, lina); err != nil {
			t.Fatal(err)
		}
		_, err := h.ProveApp(t.Context(), arriving(lina), "000000")
		want(t, err, AppWrong)
		rows := func(tries, relays, graces int) {
			t.Helper()
			if err := h.forgetTries(t.Context()); err != nil {
				t.Fatal(err)
			}
			for table, n := range map[string]int{"identity_factor_tries": tries, "identity_relays": relays, "identity_factor_grace": graces} {
				var got int
				if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&got); err != nil || got != n {
					t.Errorf("%d rows in %s, want %d: %v", got, table, n, err)
				}
			}
		}
		h.clock.Advance(forgiven)
		rows(1, 1, 2)
		h.clock.Advance(time.Second)
		rows(0, 1, 2)
		h.clock.Advance(keepRelays)
		rows(0, 0, 2)
		h.clock.Advance(Defaults().Grace)
		rows(0, 0, 1) // that of hugo, who would get another
		err = h.DB.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE identity_people SET state = 'closed'")
			return err
		})
		want(t, err, nil)
		rows(0, 0, 0)
	})
}

func TestDelaysGrowAndStop(t *testing.T) {
	for failures, delay := range map[int64]time.Duration{0: 0, 4: 0, 5: 15 * time.Second, 6: 30 * time.Second, 12: 32 * time.Minute, 13: longest, 5000: longest} {
		if got := delayAfter(failures); got != delay {
			t.Errorf("after %d wrong codes: %v", failures, got)
		}
	}
}
