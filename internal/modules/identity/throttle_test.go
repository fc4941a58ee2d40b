package identity

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/identity/throttle"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
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

func TestANetworkThatIsRefusedAgainAndAgainGetsAShortPage(t *testing.T) {
	h := openOne(t, func(c *Config) { c.SignIn.NetworkBurst = 10 })
	h.move("198.51.100.7")
	for i := range h.config.SignIn.NetworkBurst {
		want(t, h.browser().signIn(fmt.Sprintf("person%d", i), "Valmont2026!"), 422)
	}
	for range 60 { // each of these is a story that the help desk can read
		want(t, h.browser().signIn("lmartin", "Valmont2026!"), 429, "identity.network_slowed", "/login/flag?at=")
	}
	stories := h.count("SELECT COUNT(*) FROM identity_attempts")
	typed := []string{"next", "/identity/sessions?a=1&b=2", "shared", "1", "renew", "1", "local", "1"}
	a := h.browser().signIn("lmartin", linasPassword, typed...)
	want(t, a, 429, "identity.network_slowed", "Too many tries from your network", "Try again in 3 seconds", `value="lmartin"`,
		`name="next" value="/identity/sessions?a=1&amp;b=2"`, `name="shared" value="1"`, `name="renew" value="1"`, `name="local" value="1"`, "/login?local=1&amp;next=%2Fidentity%2Fsessions%3Fa%3D1%26b%3D2&amp;renew=1", a.Header.Get("X-Request-Id"))
	if strings.Contains(a.body, linasPassword) {
		t.Error("the password is sent back")
	}
	if got := a.Header.Get("Retry-After"); got != "3" {
		t.Errorf("Retry-After: %q", got)
	}
	if len(a.body) > 4<<10 || a.Uncompressed || len(a.Cookies()) > 0 {
		t.Errorf("it has %d bytes, packed: %t, cookies: %v", len(a.body), a.Uncompressed, a.Cookies())
	}
	if n := h.count("SELECT COUNT(*) FROM identity_attempts"); n != stories {
		t.Errorf("%d more stories that say the same", n-stories)
	}
	resp, body := pagetest.Ask(t, &http.Client{}, "POST", h.server.URL+"/login", url.Values{"username": {"lmartin"}, "password": {"x"}}, "Accept-Language", "fr")
	want(t, answer{resp, body}, 429, `<html lang="fr"`, "Trop d’essais depuis votre réseau", "Réessayez dans 3 secondes", "Toutes les façons d’entrer")
	h.move("192.0.2.1")
	want(t, h.browser().signIn("lmartin", linasPassword), 200, "home of lmartin") // nobody else is concerned
	h.move("198.51.100.7")
	h.clock.Advance(h.config.SignIn.NetworkEvery)
	want(t, h.browser().signIn("lmartin", linasPassword), 200, "home of lmartin") // and they only for so long
}

func TestWhoIsRefusedShortlyIsNotLookedUp(t *testing.T) {
	h := openOne(t, func(c *Config) { c.SignIn.NetworkBurst = 10 })
	for i := range h.config.SignIn.NetworkBurst + 60 {
		h.browser().signIn(fmt.Sprintf("person%d", i), "Valmont2026!")
	}
	if _, err := h.begin(t.Context(), signInForm{Username: "lmartin", Password: "x"}, netip.MustParseAddr("192.0.2.1"), nil); !errors.Is(err, NetworkSlowed) {
		t.Fatalf("the network is not slowed down: %v", err)
	}
	err := h.db.InTx(t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(t.Context(), "ALTER TABLE identity_people RENAME TO elsewhere")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, h.browser().signIn("lmartin", linasPassword), 429, "identity.network_slowed")
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
