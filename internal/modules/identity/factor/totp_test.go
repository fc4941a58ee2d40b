package factor

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// app is an authenticator app on a phone, whose clock may be wrong.
type app struct {
	h      *house
	secret string
	late   time.Duration
}

func (a *app) code() string {
	a.h.t.Helper()
	c, err := totp.GenerateCode(a.secret, a.h.clock.Now().Add(-a.late))
	if err != nil {
		a.h.t.Fatal(err)
	}
	return c
}

// register puts an app on somebody's phone.
func (h *house) register(p account.Person, late time.Duration) (*app, Factor) {
	h.t.Helper()
	begun, err := h.BeginApp(h.t.Context(), arriving(p))
	if err != nil {
		h.t.Fatal(err)
	}
	a := &app{h: h, secret: strings.ReplaceAll(begun.Key, " ", ""), late: late}
	f, err := h.ConfirmApp(h.t.Context(), on(arriving(p)), begun.ID, "Pixel 8", a.code())
	if err != nil {
		h.t.Fatal(err)
	}
	return a, f
}

func TestACodeOfAnAppProvesOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		phone, f := h.register(lina, 0)
		h.told("factor_added", "identity.factor_added")
		_, err := h.ProveApp(t.Context(), arriving(lina), phone.code())
		want(t, err, AppReplayed) // it confirmed the registration
		if wait, _ := fault.Of(err).Args["wait"].(time.Duration); wait <= 0 || wait > 2*step {
			t.Errorf("the next code is %v away", wait)
		}
		h.clock.Advance(step)
		spaced := phone.code()[:3] + " " + phone.code()[3:]
		got, err := h.ProveApp(t.Context(), arriving(lina), spaced)
		want(t, err, nil)
		if got.ID != f.ID || got.Label != "Pixel 8" {
			t.Errorf("proved %+v", got)
		}
		_, err = h.ProveApp(t.Context(), arriving(lina), phone.code())
		want(t, err, AppReplayed)
		_, err = h.ProveApp(t.Context(), arriving(lina), "12345")
		want(t, err, AppWrong)
	})
}

func TestOfManyTabsWithOneCodeASingleOneGetsIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		phone, _ := h.register(lina, 0)
		h.clock.Advance(step)
		right := phone.code()
		wins, _ := atOnce(freeTries-1, func(int) error {
			_, err := h.ProveApp(t.Context(), arriving(lina), right)
			return err
		})
		if wins != 1 {
			t.Errorf("%d tabs got in", wins)
		}
	})
}

func TestAPhoneWithAWrongClockIsToldApart(t *testing.T) {
	cases := map[string]struct {
		late time.Duration
		want *fault.Reason
	}{
		"a step late":        {step, nil},
		"a step early":       {-step, nil},
		"two steps late":     {2 * step, AppLate},
		"two minutes late":   {2 * time.Minute, AppLate},
		"five minutes late":  {5 * time.Minute, AppLate},
		"two minutes early":  {-2 * time.Minute, AppEarly},
		"six minutes late":   {6 * time.Minute, AppWrong},
		"a day late":         {24 * time.Hour, AppWrong},
		"five minutes early": {-5 * time.Minute, AppEarly},
	}
	each(t, func(t *testing.T, h *house) {
		for name, c := range cases {
			p := h.person(strings.ReplaceAll(name, " ", "-"))
			phone, _ := h.register(p, 0)
			h.clock.Advance(10 * time.Minute)
			phone.late = c.late
			_, err := h.ProveApp(t.Context(), arriving(p), phone.code())
			if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
			if c.want == AppLate && fault.Of(err).Args["late"] != c.late {
				t.Errorf("%s: said to be late by %v", name, fault.Of(err).Args["late"])
			}
		}
	})
}

func TestAClockThatWasWrongAtRegistrationIsLearnt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		phone, f := h.register(lina, 3*time.Minute)
		if f.Late != 3*time.Minute {
			t.Errorf("late by %v", f.Late)
		}
		h.clock.Advance(time.Hour)
		got, err := h.ProveApp(t.Context(), arriving(lina), phone.code())
		want(t, err, nil)
		if got.Late != 3*time.Minute {
			t.Errorf("late by %v", got.Late)
		}
		// It drifts a little from day to day, and the house follows.
		for range 3 {
			phone.late += step
			h.clock.Advance(24 * time.Hour)
			_, err = h.ProveApp(t.Context(), arriving(lina), phone.code())
			want(t, err, nil)
		}
		// Then its owner turns on the automatic time.
		phone.late = 0
		h.clock.Advance(24 * time.Hour)
		got, err = h.ProveApp(t.Context(), arriving(lina), phone.code())
		want(t, err, nil)
		if got.Late != 0 {
			t.Errorf("late by %v", got.Late)
		}
	})
}

func TestARegistrationResumesInAnotherTabAndEndsOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina, hugo := h.person("lina"), h.person("hugo")
		first, err := h.BeginApp(t.Context(), arriving(lina))
		want(t, err, nil)
		second, err := h.BeginApp(t.Context(), arriving(lina))
		want(t, err, nil)
		if first != second {
			t.Error("the second tab shows another code")
		}
		if strings.Count(first.QR, "<path") != 2 || strings.Contains(first.QR, "style=") {
			t.Errorf("the picture is %.120s", first.QR)
		}
		phone := &app{h: h, secret: strings.ReplaceAll(first.Key, " ", "")}
		_, err = h.ConfirmApp(t.Context(), on(arriving(hugo)), first.ID, "", phone.code())
		want(t, err, EnrolmentOver) // somebody else's
		_, err = h.ConfirmApp(t.Context(), on(arriving(lina)), first.ID, "", "000000")
		want(t, err, AppWrong)
		wins, last := atOnce(3, func(int) error {
			_, err := h.ConfirmApp(t.Context(), on(arriving(lina)), first.ID, "", phone.code())
			return err
		})
		if wins != 1 {
			t.Errorf("%d tabs registered it: %v", wins, last)
		}
		h.clock.Advance(enrolmentLasts)
		third, err := h.BeginApp(t.Context(), arriving(lina))
		want(t, err, nil)
		if third.Key == first.Key {
			t.Error("an old secret came back")
		}
		h.clock.Advance(enrolmentLasts)
		_, err = h.ConfirmApp(t.Context(), on(arriving(lina)), third.ID, "", phone.code())
		want(t, err, EnrolmentOver)
	})
}

func TestAnAppMovesToANewPhoneInOneStep(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.person("lina")
		old, before := h.register(lina, 0)
		h.clock.Advance(step)
		begun, err := h.BeginApp(t.Context(), arriving(lina))
		want(t, err, nil)
		fresh := &app{h: h, secret: strings.ReplaceAll(begun.Key, " ", "")}
		_, err = h.MoveApp(t.Context(), on(arriving(lina)), "another", begun.ID, "", fresh.code())
		want(t, err, Missing)
		after, err := h.MoveApp(t.Context(), on(arriving(lina)), before.ID, begun.ID, "New phone", fresh.code())
		want(t, err, nil)
		h.told("factor_moved", "identity.factor_added")
		list, err := h.Of(t.Context(), lina.ID)
		want(t, err, nil)
		if len(list) != 1 || list[0].ID != after.ID {
			t.Errorf("left with %+v", list)
		}
		h.clock.Advance(step)
		_, err = h.ProveApp(t.Context(), arriving(lina), old.code())
		want(t, err, AppWrong)
	})
}

func TestTheCodesOfSomebodyElseProveNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina, hugo := h.person("lina"), h.person("hugo")
		phone, _ := h.register(lina, 0)
		h.register(hugo, 0)
		h.clock.Advance(step)
		_, err := h.ProveApp(t.Context(), arriving(hugo), phone.code())
		want(t, err, AppWrong)
		_, err = h.ProveApp(t.Context(), arriving(h.person("nina")), phone.code())
		want(t, err, Missing)
	})
}
