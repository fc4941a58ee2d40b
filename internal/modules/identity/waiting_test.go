package identity

import (
	"strings"
	"sync"
	"testing"
	"time"
)

func TestWhoWaitsInLineIsToldTheirPlaceAndGetsInWithoutTypingAgain(t *testing.T) {
	h := openOne(t, func(c *Config) {
		c.Queue.Patience, c.Queue.Workers = 50*time.Millisecond, 1
	})
	gate := make(chan struct{})
	for range 3 {
		if _, err := h.queue.Join(func() { <-gate }); err != nil {
			t.Fatal(err)
		}
	}
	b := h.browser()
	a := b.signIn("lmartin", linasPassword, "next", "/identity/sessions")
	want(t, a, 200, `role="status"`)
	if a.Request.URL.Path != "/login/waiting" || !strings.HasPrefix(a.Header.Get("Refresh"), "2; url=") {
		t.Fatalf("at %s, Refresh %q", a.Request.URL, a.Header.Get("Refresh"))
	}
	close(gate)
	want(t, b.get("/login/waiting"), 200, "My open sessions")
	want(t, h.browser().get("/login/waiting"), 200, "identity.waiting_lost")
}

func TestAFullLineSaysWhenToComeBack(t *testing.T) {
	h := openOne(t, func(c *Config) { c.Queue.Limit, c.Queue.Workers = 1, 1 })
	gate, started := make(chan struct{}), make(chan struct{})
	defer close(gate)
	if _, err := h.queue.Join(func() { close(started); <-gate }); err != nil {
		t.Fatal(err)
	}
	<-started
	if _, err := h.queue.Join(func() {}); err != nil {
		t.Fatal(err)
	}
	a := h.browser().signIn("lmartin", linasPassword)
	want(t, a, 503, "identity.queue_full")
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestAStormOfSignInsLosesNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				if a := h.browser().signIn("lina.martin@valmont.example", linasPassword); !strings.Contains(a.body, "home of lmartin") && a.StatusCode != 429 {
					t.Errorf("status %d: %s", a.StatusCode, a.body)
				}
			})
		}
		wg.Wait()
	})
}
