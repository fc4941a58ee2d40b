package identity

import (
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
)

// stages are the steps of a story in short, such as "service:asked".
func stages(a attempt.Attempt) string {
	var list []string
	for _, s := range a.Steps {
		list = append(list, string(s.Stage)+":"+string(s.Result))
	}
	return strings.Join(list, " ")
}

func TestWhoWaitsForAnAccountHasTheCodeOfTheirSignIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		b.signIn("lmartin", linasPassword)
		h.held = contract.HeldBack{Service: "moodle", Name: "Moodle", Reason: "sso.account_queued", Facts: map[string]string{"state": "queued", "code": ""}}
		code := b.get("/held").body
		if again := b.get("/held").body; again != code {
			t.Errorf("the page looks again and reads %q instead of %q", again, code)
		}
		a := h.story(code)
		if a.Person != h.lina || a.Outcome != attempt.In || a.Service != "moodle" || a.Stage != entry.StageService || a.Reason != "sso.account_queued" {
			t.Errorf("the story is %+v", a)
		}
		if got := stages(a); !strings.HasSuffix(got, "service:asked") || strings.Count(got, "service:") != 1 {
			t.Errorf("its steps are %s", got)
		}
		if step := a.Steps[len(a.Steps)-1]; step.Facts["account_state"] != "queued" || step.Facts["service"] != "Moodle" {
			t.Errorf("the step says %v", step.Facts)
		}
		h.held.Reason, h.held.Facts = "sso.account_blocked", map[string]string{"state": "blocked", "code": "provisioning.account_taken"}
		b.get("/held")
		h.held.Reason = ""
		b.get("/held")
		b.get("/held")
		if got := stages(h.story(code)); !strings.HasSuffix(got, "service:asked service:asked service:passed") {
			t.Errorf("what changed is told as %s", got)
		}
	})
}

func TestTheStoryOfSomebodyElseInTheBrowserIsLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.crowd(1)
		b := h.browser()
		b.signIn("lmartin", linasPassword)
		stopped := incident(t, b.signIn("student0", "wrong"))
		h.held = contract.HeldBack{Service: "moodle", Name: "Moodle", Reason: "sso.account_blocked"}
		code := b.get("/held").body
		if code == stopped || code == "" {
			t.Fatalf("the code is %q", code)
		}
		if a := h.story(code); a.Person != h.lina || a.Outcome != attempt.Stopped {
			t.Errorf("the story is %+v", a)
		}
		if a := h.story(stopped); strings.Contains(stages(a), "service:") {
			t.Errorf("and that of the other is %s", stages(a))
		}
	})
}
