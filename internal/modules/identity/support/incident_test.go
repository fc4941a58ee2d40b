package support

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

var markOf = regexp.MustCompile(`name="opened" value="([^"]+)"`)

func TestAnIncidentShowsItsStoryWithTheWordsThatThePersonRead(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.failed()
		_, body := h.incident(a.Code)
		for _, text := range []string{
			a.Code, "Moodle", "192.0.2.7", "Firefox", "lina",
			"The password is not that of this identifier",                    // to the agent
			h.Texts.Raw(campus.French, "platform.too_many_requests.message"), // to the person, in her language
		} {
			text, _, _ = strings.Cut(text, "{")
			if !strings.Contains(body, strings.TrimSpace(text)) {
				t.Errorf("no %q", text)
			}
		}
		if !strings.Contains(body, `lang="fr"`) {
			t.Error("the person's words do not say their language")
		}
		if strings.Contains(body, "⟦") || strings.Contains(body, "no value") {
			t.Error("a label or a fact is missing")
		}
	})
}

func TestEveryOpeningIsInTheJournalAndReloadingIsNot(t *testing.T) {
	h := one(t)
	a := h.failed()
	path, _ := h.incident(a.Code)
	h.do("GET", path, nil)
	if len(h.events) != 1 || h.events[0].Kind != "identity.incident_opened" || h.events[0].Person != "p-lina" || h.events[0].Actor != "p-bob" || h.events[0].Facts["code"] != a.Code {
		t.Errorf("the journal says %+v", h.events)
	}
	h.viewer = agent("other")
	if status, _, location := h.do("GET", path, nil); status != http.StatusSeeOther || location == path || len(h.events) != 2 {
		t.Errorf("another agent with the same address: %d, %d events", status, len(h.events))
	}
	h.viewer = agent("bob")
	h.clock.Advance(openingLasts)
	if status, _, _ := h.do("GET", path, nil); status != http.StatusSeeOther || len(h.events) != 3 {
		t.Errorf("the same address later: %d, %d events", status, len(h.events))
	}
}

func TestACodeIsReadHoweverItIsTyped(t *testing.T) {
	h := one(t)
	code := h.failed().Code
	for _, typed := range []string{code, strings.ToLower(code), code[:3] + " " + code[4:], " " + code[:3] + code[4:] + " "} {
		if status, _, location := h.do("GET", "/identity/support?code="+url.QueryEscape(typed), nil); status != http.StatusSeeOther || location != "/identity/support/incidents/"+code {
			t.Errorf("%q: %d %s", typed, status, location)
		}
	}
	for _, typed := range []string{"K7F-3QO", "K7F", "<script>"} {
		if status, body, _ := h.do("GET", "/identity/support?code="+url.QueryEscape(typed), nil); status != http.StatusUnprocessableEntity || !strings.Contains(body, "This is no incident code") {
			t.Errorf("%q: %d", typed, status)
		}
	}
	if status, _, _ := h.do("GET", "/identity/support/incidents/222-222", nil); status != http.StatusNotFound {
		t.Errorf("a code that nobody has: %d", status)
	}
}

func TestPeopleFlagTheirOwnSignInAndAgentsFindIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.viewer = campus.Viewer{}
		if _, body, _ := h.do("GET", "/login/flag", nil); !strings.Contains(body, "no sign-in to point at") {
			t.Error("a browser without a sign-in is not told so")
		}
		mine, others := h.failed(), h.failed()
		h.mine = mine.Code
		if _, body, _ := h.do("GET", "/login/flag?at="+others.Code, nil); strings.Contains(body, "<code>"+others.Code) {
			t.Error("another browser's sign-in can be flagged")
		}
		h.do("POST", "/login/flag", url.Values{"at": {others.Code}, "text": {"not mine"}})
		status, _, location := h.do("POST", "/login/flag", url.Values{"at": {mine.Code}, "text": {"<b>the code</b> is refused"}})
		if status != http.StatusSeeOther || location != "/login/flag?at="+mine.Code {
			t.Fatalf("flagging: %d %s", status, location)
		}
		if _, body, _ := h.do("GET", location, nil); !strings.Contains(body, "The help desk sees it") || !strings.Contains(body, mine.Code) {
			t.Error("the page does not give the code")
		}
		if status, _, _ := h.do("POST", "/login/flag", url.Values{"at": {mine.Code}, "text": {strings.Repeat("é", maxFlag+1)}}); status != http.StatusUnprocessableEntity {
			t.Errorf("a very long text: %d", status)
		}
		h.clock.Advance(10 * time.Minute)
		h.viewer = agent("bob")
		_, body, _ := h.do("GET", "/identity/support", nil)
		if !strings.Contains(body, mine.Code) || !strings.Contains(body, "waits for 10 minutes") || !strings.Contains(body, "&lt;b&gt;the code") || strings.Contains(body, others.Code) {
			t.Error("the desk does not list it, or lists another")
		}
		h.do("POST", "/identity/support/incidents/"+mine.Code+"/done", url.Values{})
		if _, body, _ := h.do("GET", "/identity/support", nil); strings.Contains(body, mine.Code) {
			t.Error("it is still on the list")
		}
	})
}

func TestTheWayStopsWhereTheSignInStopped(t *testing.T) {
	h := one(t)
	ctx := i18n.With(t.Context(), h.Texts.For(campus.English))
	step := func(stage entry.Stage, result attempt.Result) attempt.Step {
		return attempt.Step{Stage: stage, Result: result, At: h.clock.Now()}
	}
	for name, c := range map[string]struct {
		outcome attempt.Outcome
		steps   []attempt.Step
		want    string
	}{
		"nothing typed":                    {attempt.Open, nil, "later later later later later"},
		"a wrong password":                 {attempt.Stopped, []attempt.Step{step(entry.StagePassword, attempt.Failed)}, "done stop later later later"},
		"right at the second try":          {attempt.Stopped, []attempt.Step{step(entry.StagePassword, attempt.Failed), step(entry.StagePassword, attempt.Passed), step(entry.StageFactor, attempt.Asked)}, "done done stop later later"},
		"stopped by a rule":                {attempt.Stopped, []attempt.Step{step(entry.StagePassword, attempt.Passed), step(entry.StagePolicy, attempt.Failed)}, "done done done stop later"},
		"in, after a failure on the way":   {attempt.In, []attempt.Step{step(entry.StageFactor, attempt.Failed)}, "done done done done done"},
		"a stage that this page knows not": {attempt.Open, []attempt.Step{step("upstream", attempt.Failed)}, "later later later later later"},
	} {
		var got []string
		for _, s := range h.tell(ctx, attempt.Attempt{Outcome: c.outcome, Steps: c.steps}, h.Texts.For(campus.French)).way(ctx) {
			got = append(got, string(s.State))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

func TestAnIncidentOfTheSingleSignOnLeadsToWhatTheServiceWasGiven(t *testing.T) {
	h := one(t)
	a := h.failed()
	if _, body := h.incident(a.Code); !strings.Contains(body, `href="/sso/trace?code=`+a.Code+`"`) {
		t.Error("the page does not lead to the trace")
	}
	agent, other := campus.Viewer{Rights: []campus.Right{campus.RightHelpdesk}}, campus.Viewer{Rights: []campus.Right{campus.RightAdmin}}
	for name, c := range map[string]struct {
		by   campus.Viewer
		a    attempt.Attempt
		want string
	}{
		"somebody on the way to a service": {agent, attempt.Attempt{Code: "K7F-3QO", Person: "p-lina", Service: "Moodle"}, "/sso/trace?code=K7F-3QO"},
		"nobody is recognised":             {agent, attempt.Attempt{Code: "K7F-3QO", Service: "Moodle"}, ""},
		"no service":                       {agent, attempt.Attempt{Code: "K7F-3QO", Person: "p-lina"}, ""},
		"a reader who is no agent":         {other, attempt.Attempt{Code: "K7F-3QO", Person: "p-lina", Service: "Moodle"}, ""},
	} {
		if got := traceURL(c.by, c.a); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
