package identity

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/identity/throttle"
)

func TestAStrangerElsewhereCannotKeepSomebodyOut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		owner := h.browser()
		want(t, owner.signIn("lmartin", linasPassword), 200, "home of lmartin")
		want(t, owner.post("/logout", nil), 200)
		h.move("198.51.100.7")
		stranger := h.browser()
		for range h.config.SignIn.Burst {
			want(t, stranger.signIn("lmartin", "wrong"), 422)
		}
		want(t, stranger.signIn("lmartin", "wrong"), 429, "identity.sign_in_slowed")
		want(t, stranger.signIn(" LMartin ", "wrong"), 429, "identity.sign_in_slowed") // the same identifier
		want(t, owner.signIn("lmartin", linasPassword), 200, "home of lmartin")        // from anywhere, in a browser of hers
		h.move("192.0.2.1")
		want(t, h.browser().signIn("lmartin", linasPassword), 200, "Your account is locked for a while.", "Send me an unlock code")
	})
}

func TestGuessingFromManyNetworksMeetsOneBudgetForLoginAndMail(t *testing.T) {
	for name, identifiers := range map[string][2]string{
		"an account":                      {"lmartin", "lina.martin@valmont.example"},
		"an identifier that nobody holds": {"nobodyy", "NOBODYY"},
	} {
		t.Run(name, func(t *testing.T) {
			h := openOne(t)
			for i := range h.config.SignIn.Burst * throttle.AccountBursts {
				h.move(fmt.Sprintf("198.51.%d.7", i))
				want(t, h.browser().signIn(identifiers[i%2], "wrong"), 422)
			}
			h.move("203.0.113.1")
			for _, identifier := range identifiers {
				want(t, h.browser().signIn(identifier, linasPassword), 429, "identity.sign_in_slowed")
			}
		})
	}
}

func TestOneNetworkCannotTellByItsLimitsThatLoginAndMailAreOnePerson(t *testing.T) {
	h := openOne(t)
	b := h.browser()
	for _, identifier := range []string{"lmartin", "lina.martin@valmont.example", "nobodyy", "no.body@valmont.example"} {
		for range h.config.SignIn.Burst {
			want(t, b.signIn(identifier, "wrong"), 422)
		}
		want(t, b.signIn(identifier, "wrong"), 429, "30 seconds")
	}
}

func TestOnePasswordTriedOnEverybodySlowsItsNetworkDown(t *testing.T) {
	h := openOne(t, func(c *Config) { c.SignIn.NetworkBurst = 20 })
	h.move("2001:db8::1")
	for i := range h.config.SignIn.NetworkBurst {
		h.move(fmt.Sprintf("2001:db8::%x", i+1)) // one household
		want(t, h.browser().signIn(fmt.Sprintf("person%d", i), "Valmont2026!"), 422)
	}
	a := h.browser().signIn("lmartin", linasPassword)
	want(t, a, 429, "identity.network_slowed", "3 seconds")
	if a.Header.Get("Retry-After") != "3" {
		t.Errorf("Retry-After: %q", a.Header.Get("Retry-After"))
	}
	h.move("192.0.2.1") // everybody else signs in as ever
	want(t, h.browser().signIn("lmartin", linasPassword), 200, "home of lmartin")
	h.move("2001:db8::1")
	h.clock.Advance(h.config.SignIn.NetworkEvery)
	want(t, h.browser().signIn("lmartin", linasPassword), 200, "home of lmartin")
}

func TestPeopleBehindAProxyThatNobodyDeclaredAreNotOneNetwork(t *testing.T) {
	h := openOne(t, func(c *Config) { c.SignIn.NetworkBurst = 10 })
	h.move("127.0.0.1") // the proxy of this machine, without trusted_proxies
	for i := range 3 * h.config.SignIn.NetworkBurst {
		want(t, h.browser().signIn(fmt.Sprintf("person%d", i), "wrong"), 422)
	}
	want(t, h.browser().signIn("lmartin", linasPassword), 200, "home of lmartin")
}

func TestPeopleWhoSignInDoNotSlowTheirNetworkDown(t *testing.T) {
	h := openOne(t, func(c *Config) { c.SignIn.NetworkBurst = 10 })
	for range 3 * h.config.SignIn.NetworkBurst {
		want(t, h.browser().signIn("lmartin", linasPassword), 200, "home of lmartin")
	}
}

func TestALineFilledByOneNetworkIsServedWithoutWork(t *testing.T) {
	h := openOne(t, func(c *Config) { c.SignIn.NetworkBurst, c.Queue.Workers = 10, 1 })
	gate := make(chan struct{})
	if _, err := h.queue.Join(func() { <-gate }); err != nil {
		t.Fatal(err)
	}
	var line []*trial
	for i := range 100 {
		a, err := h.begin(t.Context(), signInForm{Username: fmt.Sprintf("person%d", i), Password: "x"}, netip.MustParseAddr("198.51.100.7"), nil)
		if err != nil {
			t.Fatal(err)
		}
		line = append(line, a)
	}
	close(gate)
	checked := 0
	for _, a := range line {
		<-a.ticket.Done()
		switch err := h.verdict(a); {
		case errors.Is(err, WrongCredentials):
			checked++
		case !errors.Is(err, NetworkSlowed):
			t.Errorf("verdict: %v", err)
		}
	}
	if checked != h.config.SignIn.NetworkBurst {
		t.Errorf("%d passwords were checked, want %d", checked, h.config.SignIn.NetworkBurst)
	}
}
