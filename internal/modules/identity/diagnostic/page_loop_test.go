package diagnostic

import (
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/contract"
)

func TestTheLoopPageNamesTheServiceThatSendsBack(t *testing.T) {
	h := open(t)
	departure := contract.Departure{Name: "Moodle <UTC>", Back: "/cas/login?service=x", Loop: &contract.Loop{Reason: "test.loop", Turns: 3, Clean: true}}
	const clean, retry = `action="/login/loop"`, `href="/cas/login?service=x"`
	body := h.browser().get(h.LoopURL(departure, "K7F-3Q9"))
	for _, want := range []string{"Moodle &lt;UTC&gt; sends you back", "3 times", "Look for cookies.", "K7F-3Q9", `href="/diagnostic"`, clean} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	departure.Loop.Clean = false // nothing in this browser is the cause
	if body := h.browser().get(h.LoopURL(departure, "K7F-3Q9")); strings.Contains(body, clean) || !strings.Contains(body, retry) {
		t.Error("who cannot mend it is told to clean their browser")
	}
	forged := "/login/loop?" + url.Values{"of": {"9999999999 service=Call+555-1234&count=3"}}.Encode()
	if body := h.browser().get(forged); strings.Contains(body, "Call 555") || !strings.Contains(body, "The page goes round in circles") {
		t.Error("an address that is not ours puts words on the page")
	}
	if body := h.browser().get("/login/loop"); !strings.Contains(body, "The page goes round in circles") {
		t.Error("without an address the page says nothing")
	}
}
