package diagnostic

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestThreeSignInsInAMinuteAreALoop(t *testing.T) {
	cases := []struct {
		name    string
		pauses  []int // seconds before each sign-in
		looping bool
		count   int
	}{
		{"one", []int{0}, false, 1},
		{"two", []int{0, 5}, false, 2},
		{"three at once", []int{0, 0, 0}, true, 3},
		{"three within a minute", []int{0, 29, 30}, true, 3},
		{"three in just a minute", []int{0, 30, 30}, false, 3},
		{"four, each soon after the other", []int{0, 2, 2, 2}, true, 4},
		{"three with a pause", []int{0, 5, 61}, false, 1},
		{"slowly for ever", []int{0, 40, 40, 40, 40, 40}, false, 6},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g, now := NewLoopGuard(), time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
			count, looping := 0, false
			for _, p := range c.pauses {
				now = now.Add(time.Duration(p) * time.Second)
				count, looping = g.Passed("b", "Moodle", now)
			}
			if looping != c.looping || count != c.count {
				t.Errorf("looping %v after %d, want %v after %d", looping, count, c.looping, c.count)
			}
		})
	}
}

func TestBrowsersAndServicesLoopEachForThemselves(t *testing.T) {
	g, now := NewLoopGuard(), time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, w := range []way{{"a", "Moodle"}, {"a", "Mail"}, {"b", "Moodle"}, {"a", "Moodle"}} {
		if _, looping := g.Passed(w.browser, w.service, now); looping {
			t.Errorf("%v loops", w)
		}
	}
	g.Forget("a")
	if n, looping := g.Passed("a", "Moodle", now); looping || n != 1 {
		t.Errorf("after it was cleaned: %d, %v", n, looping)
	}
	if n, _ := g.Passed("b", "Moodle", now); n != 2 {
		t.Errorf("the other browser was forgotten too: %d", n)
	}
}

func TestTheGuardStaysSmall(t *testing.T) {
	g, now := NewLoopGuard(), time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range loopsKept / 2 {
				g.Passed(fmt.Sprint(w, "-", i), "Moodle", now)
			}
		})
	}
	wg.Wait()
	if len(g.passed) > loopsKept {
		t.Errorf("%d ways are kept", len(g.passed))
	}
	g.Passed("late", "Moodle", now.Add(2*time.Minute))
	if len(g.passed) != 1 {
		t.Errorf("%d ways are kept after they are over", len(g.passed))
	}
}

func TestTheLoopPageNamesTheServiceThatSendsBack(t *testing.T) {
	h := open(t)
	body := h.browser().get(h.LoopURL("Moodle <UTC>", 3, "K7F-3Q9"))
	for _, want := range []string{"Moodle &lt;UTC&gt; keeps sending you back", "3 times", "It is not your password.", "K7F-3Q9", `href="/diagnostic"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	forged := "/login/loop?" + url.Values{"of": {"9999999999 service=Call+555-1234&count=3"}}.Encode()
	if body := h.browser().get(forged); strings.Contains(body, "Call 555") || !strings.Contains(body, "The page goes round in circles") {
		t.Error("an address that is not ours puts words on the page")
	}
	if body := h.browser().get("/login/loop"); !strings.Contains(body, "The page goes round in circles") {
		t.Error("without an address the page says nothing")
	}
}
