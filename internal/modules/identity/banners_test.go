package identity

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
)

// slow announces that one service is slow.
type slow struct{}

func (slow) BannersOf(_ context.Context, v campus.Viewer, service string) []contract.Banner {
	if service != "moodle" || v.SignedIn() {
		return nil
	}
	return []contract.Banner{{ID: "o1", Tone: "warn", Title: "Moodle is slow", URL: "/helpdesk/status/o1", Stays: true}}
}

func TestWhoGoesToAServiceReadsWhatIsWrongWithItBeforeSigningIn(t *testing.T) {
	h := openOne(t)
	h.announcers = func() []contract.ServiceAnnouncer { return []contract.ServiceAnnouncer{slow{}} }
	a := h.browser().get("/login?next=" + url.QueryEscape("/cas/login?service=https://moodle.example/"))
	want(t, a, 200, "Moodle is slow", "/helpdesk/status/o1")
	if b := h.browser().get("/login"); strings.Contains(b.body, "Moodle is slow") {
		t.Error("the way to the portal says what is wrong with a service")
	}
}
