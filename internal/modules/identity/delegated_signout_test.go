package identity

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/optest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

func TestWhoSignsOutMayEndTheSessionThereOnceAndNobodyAfterThem(t *testing.T) {
	eachDelegating(t, func(t *testing.T, h *house, op *optest.Provider) {
		signedOut := func() *browser {
			b := h.browser()
			want(t, b.get(startCampus), 200, "home of lmartin")
			page := b.post("/logout", nil)
			want(t, page, 200, partCampus)
			if strings.Contains(page.body, "id_token_hint") || page.Header.Get("Cache-Control") != "no-store" {
				t.Error("the page holds what the upstream is told of somebody")
			}
			return b
		}
		nothing := func(b *browser, when string) {
			t.Helper()
			if page := b.get("/logout/done"); strings.Contains(page.body, partCampus) {
				t.Errorf("%s, the last person’s session there is offered", when)
			}
			if a := b.post(partCampus, nil); a.Header.Get("Refresh") != "" {
				t.Errorf("%s, the browser is led to %s", when, a.Header.Get("Refresh"))
			}
		}
		b := signedOut()
		nothing(h.browser(), "in another browser")
		if to := b.post(partCampus, nil).Header.Get("Refresh"); !strings.HasPrefix(to, "0; url="+op.URL+"/logout?client_id=amphi&id_token_hint=ey") {
			t.Errorf("led to %q", to)
		}
		nothing(b, "a second time")
		b = signedOut()
		h.clock.Advance(11 * time.Minute)
		nothing(b, "after eleven minutes")

		want(t, b.get(startCampus), 200, "home of lmartin")
		b.post("/logout", nil) // and somebody else sits down at once
		want(t, b.signIn("lmartin", linasPassword, "local", "1"), 200, "home of lmartin")
		if a := b.post(partCampus, nil); a.Header.Get("Refresh") != "" {
			t.Errorf("inside a session, the browser is led to %s", a.Header.Get("Refresh"))
		}
		b.post("/logout", nil)
		nothing(b, "after a password of ours")
	})
}

// says posts a logout token as the provider does, from another machine.
func (h *house) says(token string) (status int, body string) {
	h.t.Helper()
	resp, body := pagetest.Ask(h.t, http.DefaultClient, "POST", h.server.URL+endedCampus, url.Values{"logout_token": {token}}, "Sec-Fetch-Site", "cross-site")
	return resp.StatusCode, body
}

func TestASessionEndsWithTheOneAtItsUpstream(t *testing.T) {
	eachDelegating(t, func(t *testing.T, h *house, op *optest.Provider) {
		enter := func(sid string) *browser {
			op.Claims["sid"] = sid
			b := h.browser()
			want(t, b.get(startCampus), 200, "home of lmartin")
			return b
		}
		in := func(b *browser) bool { return strings.Contains(b.get("/identity/sessions").body, "My open sessions") }
		first, second, third := enter("s-1"), enter("s-2"), enter("s-2")
		own := h.browser()
		want(t, own.signIn("lmartin", linasPassword, "local", "1"), 200, "home of lmartin")

		token := op.LogoutToken(map[string]any{"sid": "s-1"})
		if status, body := h.says(token); status != http.StatusOK || body != "" {
			t.Fatalf("it is answered %d %s", status, body)
		}
		if in(first) || !in(second) || !in(third) || !in(own) {
			t.Error("another session ended than the one that was named")
		}
		if page := first.get("/logout/done"); strings.Contains(page.body, partCampus) {
			t.Error("what has ended at the upstream is offered to be ended there")
		}
		if len(h.ended) != 1 {
			t.Errorf("the services of %d sessions are told", len(h.ended))
		}
		h.clock.Advance(time.Second)
		fresh := enter("s-1") // a browser that kept its session there by another tab
		if status, body := h.says(token); status != http.StatusBadRequest || !strings.Contains(body, "did not come before") || !in(fresh) {
			t.Errorf("a message that comes again is answered %d %s", status, body)
		}
		for name, change := range map[string]map[string]any{
			"somebody else's session": {"sid": "s-1", "sub": "another"},
			"an unknown session":      {"sid": "s-9"},
			"nobody we know":          {"sub": "another"},
		} {
			if status, _ := h.says(op.LogoutToken(change)); status != http.StatusOK || !in(fresh) || !in(second) {
				t.Errorf("%s: answered %d", name, status)
			}
		}
		if status, _ := h.says(op.LogoutToken(nil)); status != http.StatusOK {
			t.Fatalf("the end of all sessions is answered %d", status)
		}
		if in(fresh) || in(second) || in(third) || !in(own) {
			t.Error("all sessions by the upstream end, and no other")
		}
		want(t, own.get("/identity/journal"), 200, "ended the sessions that it had opened: My campus")
	})
}

func TestASignInThatWaitsEndsWithTheSessionAtItsUpstream(t *testing.T) {
	h, op := delegating(t)
	op.Claims["sid"] = "s-1"
	b := h.browser()
	want(t, b.get(startCampus), 200, "home of lmartin")
	err := h.db.InTx(t.Context(), func(tx db.Tx) error { // as it stands in front of a second factor
		_, err := tx.ExecContext(t.Context(), "UPDATE identity_attempts SET outcome = 'open' WHERE person_id = $1", string(h.lina))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := h.says(op.LogoutToken(nil)); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	stories, err := h.stories.Of(t.Context(), h.lina, 1)
	if err != nil || len(stories) != 1 || !stories[0].ProvedAt.IsZero() || stories[0].Method != "" {
		t.Errorf("what was proved still counts: %+v, %v", stories, err)
	}
}

func TestOneNetworkSendsSoManyUnsignedSignOuts(t *testing.T) {
	h, op := delegating(t)
	h.move("203.0.113.7")
	op.Stranger = true
	for range 20 {
		if status, body := h.says(op.LogoutToken(nil)); status != http.StatusBadRequest || !strings.Contains(body, "invalid_request") {
			t.Fatalf("%d %s", status, body)
		}
	}
	fetched := op.Fetched
	if status, _ := h.says(op.LogoutToken(nil)); status != http.StatusTooManyRequests || op.Fetched != fetched {
		t.Errorf("after 20 it is answered %d, and the keys are fetched %d times more", status, op.Fetched-fetched)
	}
	h.move("203.0.113.8")
	op.Stranger = false
	if status, body := h.says(op.LogoutToken(nil)); status != http.StatusOK {
		t.Errorf("the upstream itself is answered %d %s", status, body)
	}
}
