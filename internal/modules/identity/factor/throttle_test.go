package factor

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/internal/sqlgen"
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
		wins, _ := atOnce(60, func(int) error { return h.try(t.Context(), lina.ID) })
		if wins > freeTries {
			t.Errorf("%d guesses were looked at", wins)
		}
		row, err := sqlgen.New(h.DB.Read()).TriesOf(t.Context(), string(lina.ID))
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

func TestDelaysGrowAndStop(t *testing.T) {
	for failures, delay := range map[int64]time.Duration{0: 0, 4: 0, 5: 15 * time.Second, 6: 30 * time.Second, 12: 32 * time.Minute, 13: longest, 5000: longest} {
		if got := delayAfter(failures); got != delay {
			t.Errorf("after %d wrong codes: %v", failures, got)
		}
	}
}
