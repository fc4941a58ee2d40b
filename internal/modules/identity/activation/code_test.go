package activation

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

func TestABlockedAccountIsToldOnlyAfterTheCode(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.lina()
		for _, s := range []account.State{account.Suspended, account.Closed} {
			h.setState(lina.ID, s)
			h.clock.Advance(time.Hour)
			b := h.browser()
			a := b.begin()
			want(t, a, 200, "Type the code")
			if strings.Contains(a.body, "blocked") {
				t.Errorf("%s is told before anything is proved", s)
			}
			want(t, b.typeCode(h.lastCode()), 403, "identity.activation_blocked", "Fees not paid", "Registration office")
			want(t, b.choose(goodPassword), 403)
			if h.state(lina.ID) != s || len(h.passwords) != 0 {
				t.Errorf("the account is %s now", h.state(lina.ID))
			}
		}
	})
}

func TestACodeIsGoodOnItsDeviceAndOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.lina()
		here, there := h.browser(), h.browser()
		here.begin()
		mine := h.lastCode()
		h.clock.Advance(2 * time.Minute)
		there.begin()
		want(t, there.typeCode(mine), 422, "does not match")
		want(t, here.typeCode("000000"), 422)
		want(t, here.typeCode(mine), 200, "Choose your password")
		want(t, here.typeCode(mine), 200, "Choose your password") // pressed twice
		want(t, h.browser().typeCode(mine), 410, "identity.activation_lost")
	})
}

func TestACodeOnItsWayOutlivesTheBackButton(t *testing.T) {
	h := openOne(t)
	h.lina()
	b := h.browser()
	b.begin()
	mine := h.lastCode()
	want(t, b.begin(), 200, "Type the code") // back, and the button once more
	if n := len(h.outbox(codeKind)); n != 1 {
		t.Errorf("%d codes were sent", n)
	}
	other := h.browser()
	want(t, other.begin(), 429, "identity.activation_sent_elsewhere", "Send a code to")
	want(t, b.typeCode(mine), 200, "Choose your password")
	want(t, b.begin(), 200, "Choose your password")
}

func TestCodesCannotBeGuessed(t *testing.T) {
	h := openOne(t)
	lina, b := h.lina(), h.browser()
	b.begin()
	right := h.lastCode()
	for range 5 {
		wrong := "111111"
		if wrong == right {
			wrong = "222222"
		}
		b.typeCode(wrong)
	}
	want(t, b.typeCode(right), 410, "Too many wrong codes")
	want(t, b.get("/activate/password"), 200, "Type the code")
	want(t, b.choose(goodPassword), 200, "Type the code")
	if h.state(lina.ID) != account.Invited {
		t.Error("the account is open")
	}
}

func TestNewCodesDoNotAddUpToMoreGuesses(t *testing.T) {
	h := openOne(t, func(_ *Deps, c *Config, _ *mailer.Config) { c.Burst = 3 })
	lina, b := h.lina(), h.browser()
	b.begin()
	points, err := h.points(t.Context(), lina.ID)
	if err != nil {
		t.Fatal(err)
	}
	at := func(c reach.Channel) url.Values {
		i := slices.IndexFunc(points, func(p reach.Point) bool { return p.Channel == c })
		return url.Values{"point": {points[i].ID}}
	}
	want(t, b.post("/activate/code/send", at(reach.MobilePhone)), 429, "identity.reach_too_soon")
	want(t, b.post("/activate/code/send", at(reach.RecoveryMail)), 200, "A new code is on its way")
	h.clock.Advance(2 * time.Minute)
	other := h.browser() // on another device it counts on
	other.begin()
	want(t, other.get("/activate/code"), 200)
	a := b.post("/activate/code/send", at(reach.MobilePhone))
	want(t, a, 429, "identity.activation_slowed")
	if n := len(h.outbox(codeKind)); n > 3 {
		t.Errorf("%d codes were sent", n)
	}
}

func TestACodeIsOverInTime(t *testing.T) {
	h := openOne(t)
	h.lina()
	b := h.browser()
	b.begin()
	right := h.lastCode()
	h.clock.Advance(16 * time.Minute)
	want(t, b.typeCode(right), 410)
	want(t, b.post("/activate/code/send", url.Values{"point": {"nobody's"}}), 422, "identity.activation_point_missing")
	want(t, b.typeCode(right), 410)
}

func TestACodeCanGoElsewhere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina, b := h.lina(), h.browser()
		want(t, b.begin(), 200, "Send a code to l…@mail.example")
		points, err := h.points(t.Context(), lina.ID)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(points, func(p reach.Point) bool { return p.Channel == reach.RecoveryMail })
		want(t, b.post("/activate/code/send", url.Values{"point": {points[i].ID}}), 200, "A new code is on its way", "l…@mail.example")
		sent := h.outbox(codeKind)
		if last := sent[len(sent)-1]; last.To != "lina@mail.example" {
			t.Errorf("it went to %s", last.To)
		}
		want(t, b.typeCode(h.lastCode()), 200, "Choose your password")
	})
}

func TestACodeNeverGoesToTheUniversitysAddress(t *testing.T) {
	h := openOne(t)
	h.lina()
	b := h.browser()
	b.begin()
	want(t, b.post("/activate/code/send", url.Values{"point": {reach.MailPoint}}), 422, "identity.activation_point_missing")
}

func TestWhoLostTheNumberUsesTheAddressOfTheRecord(t *testing.T) {
	h := openOne(t)
	h.lina()
	b := h.browser()
	form := linasForm()
	form.Del("mobile")
	form.Set("address", "Lina@mail.example")
	want(t, b.post("/activate/other", form), 200, "Type the code", "l…@mail.example")
	form.Set("address", "another@mail.example")
	want(t, h.browser().post("/activate/other", form), 422, "identity.activation_no_match", "The personal address is the one")
	want(t, b.get("/activate/desk"), 200, "registration certificate")
}

func TestWithoutTextMessagesTheOtherWayIsOffered(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.lina()
		b := h.browser()
		want(t, b.begin(), 503, "mailer.sms_off", "Send a code to l…@mail.example")
		want(t, b.get("/activate/code"), 200, "Send a code to l…@mail.example")
	}, func(_ *Deps, _ *Config, post *mailer.Config) { post.SMS.Transport = mailer.TransportNone })
}
