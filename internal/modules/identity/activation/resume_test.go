package activation

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
)

func TestAnActivationGoesOnAfterThePhoneDied(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.lina()
		h.browser().prove() // and the phone is off
		h.clock.Advance(3 * time.Hour)
		b := h.browser()
		want(t, b.prove(), 200, "Choose your password")
		want(t, b.choose(goodPassword), 200)
		if h.state(lina.ID) != account.Active {
			t.Error("the account is not active")
		}
	})
}

func TestTheLinkGoesOnOnAnotherDeviceOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina, phone, computer := h.lina(), h.browser(), h.browser()
		phone.prove()
		want(t, phone.post("/activate/later", url.Values{}), 200, "The link is on its way to +33")
		link := h.last("activation_link", anyLink)
		for range 3 { // a program that looks at links
			want(t, h.browser().get(link), 200, "Go on here")
		}
		_, token, _ := strings.Cut(link, "token=")
		want(t, h.browser().get("/activate/resume?token="+token[:len(token)-1]+"x"), 410, "identity.activation_link_over")
		want(t, computer.post("/activate/resume", url.Values{"token": {token}}), 200, "Choose your password")
		want(t, h.browser().post("/activate/resume", url.Values{"token": {token}}), 410, "identity.activation_link_over")
		want(t, h.browser().get(link), 410)
		want(t, computer.choose(goodPassword), 200, "Protect your account")
		if h.state(lina.ID) != account.Active {
			t.Error("the account is not active")
		}
	})
}

func TestALinkIsOnlySentToWhoHasProvedWhoTheyAre(t *testing.T) {
	h := openOne(t)
	h.lina()
	b := h.browser()
	b.begin()
	want(t, b.post("/activate/later", url.Values{}), 200, "Type the code")
	want(t, h.browser().post("/activate/later", url.Values{}), 410, "identity.activation_lost")
	if len(h.outbox("activation_link")) != 0 {
		t.Error("a link was sent")
	}
}

func TestAnActivationIsOverAfterADay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina, b := h.lina(), h.browser()
		b.prove()
		b.post("/activate/later", url.Values{})
		link := h.last("activation_link", anyLink)
		h.clock.Advance(25 * time.Hour)
		want(t, b.choose(goodPassword), 410, "identity.activation_expired", "/activate")
		want(t, h.browser().get(link), 410)
		want(t, b.get("/activate"), 200) // nothing to go on with is offered
		if h.state(lina.ID) != account.Invited {
			t.Error("the account is active")
		}
		h.clock.Advance(31 * 24 * time.Hour)
		if err := h.forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(t, b.get("/activate/password"), 410, "identity.activation_lost")
	})
}

func TestOfTwoDevicesThatFinishAtOnceOneWins(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.lina()
		devices := []*browser{h.browser(), h.browser(), h.browser()}
		for _, b := range devices {
			b.prove()
			h.clock.Advance(2 * time.Minute)
		}
		answers := make([]answer, 2*len(devices)) // each presses twice
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = devices[i%len(devices)].choose(goodPassword + string(rune('a'+i%len(devices)))) })
		}
		all.Wait()
		won := map[int]bool{}
		for i, a := range answers {
			switch a.StatusCode {
			case http.StatusOK:
				won[i%len(devices)] = true
			case http.StatusConflict:
				want(t, a, 409, "identity.activation_not_invited", "The password chosen first counts")
			default:
				t.Errorf("device %d: %d", i%len(devices), a.StatusCode)
			}
		}
		if len(won) != 1 {
			t.Fatalf("%d devices won", len(won))
		}
		for i := range won {
			if got := h.passwords[lina.ID]; got != "hash of "+goodPassword+string(rune('a'+i)) {
				t.Errorf("device %d won, and the password is %q", i, got)
			}
		}
		n := 0
		for _, kind := range h.kinds() {
			if kind == "identity.account_activated" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("activated %d times", n)
		}
	})
}

func TestTheBackButtonLeadsOn(t *testing.T) {
	h := openOne(t)
	h.lina()
	b := h.browser()
	b.begin()
	want(t, b.get("/activate"), 200, "Go on where I stopped")
	b.typeCode(h.lastCode())
	want(t, b.get("/activate/code"), 200, "Choose your password")
	want(t, b.choose(goodPassword), 200, "Protect your account")
	want(t, b.get("/activate/password"), 200, "Protect your account")
	want(t, b.get("/activate/code"), 200, "Protect your account")
	want(t, b.choose("another password"), 200, "Protect your account")
}

func TestPagesOfTheWayNeedTheStepsBefore(t *testing.T) {
	h := openOne(t)
	for _, path := range []string{"/activate/code", "/activate/password"} {
		want(t, h.browser().get(path), 410, "identity.activation_lost")
	}
	b := h.browser()
	u, _ := url.Parse(h.server.URL)
	b.Jar.SetCookies(u, []*http.Cookie{{Name: cookie, Value: "forged"}})
	want(t, b.get("/activate/password"), 410, "identity.activation_lost")
	for _, path := range []string{"/activate/factor", "/activate/done"} {
		if a := h.browser().get(path); a.StatusCode == 200 && strings.Contains(a.body, "Your account is") {
			t.Errorf("%s is open to strangers", path)
		}
	}
}
