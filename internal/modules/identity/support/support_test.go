package support

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/device"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/recovery"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/i18n/i18ntest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

var schemas = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "identity", FS: os.DirFS("..")}}

// house is the alcove with neighbours that remember what they were asked.
type house struct {
	*Support
	t       *testing.T
	clock   *clock.Manual
	server  *httptest.Server
	viewer  campus.Viewer
	stories *attempt.Store

	mine     string // incident code of the sign-in of the browser that asks
	events   []journal.Event
	acts     []string
	lock     *risk.Locked
	standing lifecycle.Standing
	state    account.State
	within   []campus.Mandate // over whom was searched
}

func (h *house) Write(_ context.Context, _ db.Tx, e journal.Event) error {
	h.events = append(h.events, e)
	return nil
}

func (h *house) PersonByID(_ context.Context, who campus.PersonID) (account.Person, error) {
	login, ok := strings.CutPrefix(string(who), "p-")
	if !ok {
		return account.Person{}, attempt.Missing
	}
	return account.Person{ID: who, Login: login, GivenName: "Ana", FamilyName: "Ünal", State: h.state, Locale: campus.French}, nil
}

func (h *house) PersonByLogin(ctx context.Context, login string) (account.Person, error) {
	return h.PersonByID(ctx, campus.PersonID("p-"+login))
}

func (h *house) Search(ctx context.Context, f lifecycle.Filter, _, _ int) ([]account.Person, error) {
	h.within = append(h.within, f.Within...)
	if f.Words != "unal" {
		return nil, nil
	}
	p, err := h.PersonByID(ctx, "p-lina")
	p.StudentNumber, p.Affiliations = "22104567", []campus.Affiliation{{Kind: campus.Student, Programme: "info"}, {Kind: campus.Staff}}
	return []account.Person{p}, err
}

func (h *house) Standing(context.Context, campus.PersonID) (lifecycle.Standing, error) {
	return h.standing, nil
}

func (h *house) Story(_ *http.Request, code string) (attempt.Attempt, error) {
	if h.mine == "" || code != "" && code != h.mine {
		return attempt.Attempt{}, attempt.Missing
	}
	return h.stories.ByCode(h.t.Context(), h.mine)
}

func (h *house) Points(context.Context, campus.PersonID) ([]reach.Point, error) {
	return []reach.Point{{Channel: reach.MobilePhone, Value: "+33612345678", Masked: "•• 78", UsableAt: time.Unix(0, 0)}}, nil
}

func (h *house) Locks(context.Context, campus.PersonID) ([]risk.Locked, error) {
	if h.lock == nil {
		return nil, nil
	}
	return []risk.Locked{*h.lock}, nil
}

func (h *house) SendUnlock(_ context.Context, actor campus.Viewer, who campus.PersonID, _ journal.Event) error {
	h.acts = append(h.acts, "unlock "+string(who)+" by "+string(actor.Person))
	return nil
}

func (h *house) List(context.Context, campus.PersonID) ([]device.Device, error) {
	return make([]device.Device, 3), nil
}

func (h *house) SendReset(_ context.Context, _ db.Tx, to account.Person, e journal.Event) error {
	h.acts = append(h.acts, "reset "+string(to.ID)+" by "+string(e.Actor))
	return nil
}

func (h *house) Open(context.Context, campus.PersonID) (recovery.Request, bool, error) {
	return recovery.Request{}, false, nil
}

// factors are one app and the recovery codes.
type factors struct{ *house }

func (f factors) Of(context.Context, campus.PersonID) ([]factor.Factor, error) {
	return []factor.Factor{{ID: "f1", Kind: entry.TOTP, Label: "Pixel", LastUsedAt: f.clock.Now().Add(-time.Hour)}, {ID: factor.RecoveryID, Kind: entry.Recovery, CodesLeft: 4}}, nil
}

func (f factors) MayRelay(by, to account.Person) bool { return by.ID != to.ID }

func (f factors) Relay(_ context.Context, _ factor.Occasion, by, to account.Person) (factor.Relayed, error) {
	f.acts = append(f.acts, "relay "+string(to.ID)+" by "+string(by.ID))
	return factor.Relayed{Code: "KRTM-WBZC", Spelled: []string{"K as in Kilo"}, Until: f.clock.Now().Add(time.Minute)}, nil
}

func sunday() *clock.Manual { return clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)) }

func open(t *testing.T, now *clock.Manual, database *db.DB) *house {
	t.Helper()
	texts := i18ntest.Load(t, time.UTC, now, web.Locales, ui.Locales, os.DirFS("."), os.DirFS("../diagnostic"))
	keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, clock: now, stories: attempt.New(database), state: account.Active}
	h.Support = New(Deps{
		DB: database, Clock: now, Log: slog.New(slog.DiscardHandler), Keys: keys, Texts: texts, People: h, Stories: h.stories, Visitor: h, Accounts: h,
		Factors: factors{h}, Contacts: h, Locks: h, Devices: h, Resets: h, Recoveries: h, Journal: h,
		About: func(_ context.Context, _ campus.Viewer, who campus.PersonID) ([]contract.Card, error) {
			return []contract.Card{{ID: "elsewhere", Title: "Elsewhere", Rows: []contract.CardRow{{Title: "what another room knows of " + string(who)}}}}, nil
		},
	})
	h.server = pagetest.Serve(t, now, texts, func() campus.Viewer { return h.viewer }, h.Routes)
	h.viewer = agent("bob")
	return h
}

func agent(login string) campus.Viewer {
	return campus.Viewer{Person: campus.PersonID("p-" + login), Login: login, Rights: []campus.Right{campus.RightHelpdesk}, Session: "s", Locale: campus.English}
}

func each(t *testing.T, test func(t *testing.T, h *house)) {
	now := sunday()
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(sunday().Now())
		test(t, open(t, now, d))
	}, schemas...)
}

func one(t *testing.T) *house {
	now := sunday()
	return open(t, now, dbtest.OpenAt(t, now, schemas...))
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// failed is a sign-in of Lina that stopped at the password, and then at the code.
func (h *house) failed() attempt.Attempt {
	h.t.Helper()
	var a attempt.Attempt
	h.must(h.DB.InTx(h.t.Context(), func(tx db.Tx) error {
		var err error
		a, err = h.stories.Open(h.t.Context(), tx, attempt.Arrival{Browser: "b", Address: "192.0.2.7", UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", Service: "Moodle"})
		if err != nil {
			return err
		}
		a.Person, a.Typed = "p-lina", "lina"
		for _, step := range []attempt.Step{
			{Stage: entry.StageIdentifier, Result: attempt.Passed},
			{Stage: entry.StagePassword, Result: attempt.Failed, Method: entry.Password, Reason: "identity.wrong_credentials"},
			{Stage: entry.StagePassword, Result: attempt.Passed, Method: entry.Password},
			{Stage: entry.StageFactor, Result: attempt.Failed, Method: entry.TOTP, Reason: "platform.too_many_requests", Facts: map[string]string{"wait": "3 minutes"}},
		} {
			a.Outcome = attempt.Stopped
			if err := h.stories.Add(h.t.Context(), tx, &a, step); err != nil {
				return err
			}
		}
		return nil
	}))
	return a
}

func (h *house) do(method, path string, form url.Values) (int, string, string) {
	h.t.Helper()
	resp, body := pagetest.Ask(h.t, pagetest.Still(), method, h.server.URL+path, form)
	return resp.StatusCode, body, resp.Header.Get("Location")
}

// incident opens an incident code as an agent does, and follows where it leads.
func (h *house) incident(code string) (path, body string) {
	h.t.Helper()
	_, _, path = h.do("GET", "/identity/support/incidents/"+code, nil)
	status, body, _ := h.do("GET", path, nil)
	if status != http.StatusOK {
		h.t.Fatalf("%s: %d", path, status)
	}
	return path, body
}

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

func TestSomebodyIsOpenedForAReasonThatTheyCanRead(t *testing.T) {
	h := one(t)
	if _, body, _ := h.do("GET", "/identity/support?q=unal", nil); !strings.Contains(body, "/identity/support/people/p-lina") || !strings.Contains(body, "lina · no. 22104567 · student, info · staff") {
		t.Fatal("the search does not find her, or does not tell her apart")
	}
	status, body, _ := h.do("GET", "/identity/support/people/p-lina", nil)
	if status != http.StatusOK || strings.Contains(body, "Pixel") || strings.Contains(body, "•• 78") || len(h.events) != 0 {
		t.Errorf("before the reason: %d, %d events", status, len(h.events))
	}
	for _, reason := range []string{"", "  ", strings.Repeat("x", maxReason+1)} {
		if status, _, _ := h.do("POST", "/identity/support/people/p-lina", url.Values{"reason": {reason}}); status != http.StatusUnprocessableEntity || len(h.events) != 0 {
			t.Errorf("reason %.5q: %d", reason, status)
		}
	}
	_, _, location := h.do("POST", "/identity/support/people/p-lina", url.Values{"reason": {"calls for a lost phone"}})
	if len(h.events) != 1 || h.events[0].Facts["reason"] != "calls for a lost phone" {
		t.Fatalf("the journal says %+v", h.events)
	}
	if status, body, _ := h.do("GET", location, nil); status != http.StatusOK || !strings.Contains(body, "Authenticator app") || !strings.Contains(body, "what another room knows of p-lina") {
		t.Errorf("after the reason: %d", status)
	}
	other := strings.Replace(location, "p-lina", "p-omar", 1)
	if _, body, _ := h.do("GET", other, nil); strings.Contains(body, "Authenticator app") {
		t.Error("the mark of one person opens another")
	}
}

func TestAnAgentActsOnlyOnWhomTheyHaveOpened(t *testing.T) {
	h := one(t)
	h.lock = &risk.Locked{Until: h.clock.Now().Add(time.Hour)}
	path, body := h.incident(h.failed().Code)
	found := markOf.FindStringSubmatch(body)
	if found == nil {
		t.Fatal("the page has no forms")
	}
	mark := found[1]
	for _, act := range []string{"reset", "unlock", "relay"} {
		for name, form := range map[string]url.Values{
			"without a mark":                {},
			"with a forged mark":            {"opened": {mark + "x"}},
			"with the mark of an incident":  {"opened": {strings.TrimPrefix(path[strings.Index(path, "=")+1:], "")}},
			"with a mark for somebody else": {"opened": {mark}},
		} {
			who := "p-lina"
			if name == "with a mark for somebody else" {
				who = "p-omar"
			}
			if status, _, _ := h.do("POST", "/identity/support/people/"+who+"/"+act, form); status != http.StatusForbidden {
				t.Errorf("%s %s: %d", act, name, status)
			}
		}
	}
	if len(h.acts) != 0 {
		t.Fatalf("something was done: %v", h.acts)
	}
	for _, act := range []string{"reset", "unlock"} {
		status, _, location := h.do("POST", "/identity/support/people/p-lina/"+act, url.Values{"opened": {mark}, "back": {path}})
		if status != http.StatusSeeOther || location != path {
			t.Errorf("%s: %d to %s", act, status, location)
		}
	}
	status, page, _ := h.do("POST", "/identity/support/people/p-lina/relay", url.Values{"opened": {mark}, "back": {"https://evil.example/"}})
	if status != http.StatusOK || !strings.Contains(page, "KRTM-WBZC") || strings.Contains(page, "evil.example") {
		t.Errorf("relay: %d", status)
	}
	if got := fmt.Sprint(h.acts); got != "[reset p-lina by p-bob unlock p-lina by p-bob relay p-lina by p-bob]" {
		t.Errorf("done: %s", got)
	}
	h.clock.Advance(openingLasts)
	if status, _, _ := h.do("POST", "/identity/support/people/p-lina/reset", url.Values{"opened": {mark}}); status != http.StatusForbidden {
		t.Errorf("half an hour later: %d", status)
	}
}

func TestAnAgentSeesNoSecretAndNoReasonOfTheSecretariat(t *testing.T) {
	h := one(t)
	h.state = account.Suspended
	h.standing = lifecycle.Standing{State: account.Suspended, ReasonText: "a disciplinary matter", Office: "the registrar’s office", Until: h.clock.Now().Add(48 * time.Hour)}
	_, body := h.incident(h.failed().Code)
	for _, secret := range []string{"disciplinary", "612345678"} {
		if strings.Contains(body, secret) {
			t.Errorf("%q is on the page", secret)
		}
	}
	if !strings.Contains(body, "the registrar’s office") || strings.Contains(body, "/reset") {
		t.Error("the page does not say who can mend it, or offers what cannot help")
	}
}

func TestThePagesAreForTheHelpDeskAlone(t *testing.T) {
	h := one(t)
	code := h.failed().Code
	for name, v := range map[string]campus.Viewer{
		"an administrator": {Person: "p-x", Rights: []campus.Right{campus.RightAdmin}},
		"the secretariat":  {Person: "p-x", Rights: []campus.Right{campus.RightSecretariat}},
		"a student":        {Person: "p-x"},
		"a stranger":       {},
	} {
		h.viewer = v
		for method, paths := range map[string][]string{
			"GET":  {"", "/incidents/" + code, "/people/p-lina"},
			"POST": {"/incidents/" + code + "/done", "/people/p-lina", "/people/p-lina/reset", "/people/p-lina/unlock", "/people/p-lina/relay"},
		} {
			for _, path := range paths {
				status, _, location := h.do(method, "/identity/support"+path, url.Values{"reason": {"x"}})
				if status != http.StatusForbidden && status != http.StatusUnauthorized && !strings.HasPrefix(location, "/login") {
					t.Errorf("%s: %s %s: %d", name, method, path, status)
				}
			}
		}
	}
	if len(h.events)+len(h.acts) != 0 {
		t.Errorf("events %v, acts %v", h.events, h.acts)
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

func TestEveryPageIsWordedInBothLanguages(t *testing.T) {
	missing := regexp.MustCompile(`⟦[^⟧]*⟧`)
	h := one(t)
	h.lock = &risk.Locked{Until: h.clock.Now().Add(time.Hour)}
	a := h.failed()
	h.mine = a.Code
	h.must(h.DB.InTx(t.Context(), func(tx db.Tx) error {
		if err := h.stories.AttachDiagnostic(t.Context(), tx, a.ID, `{"at":"2026-11-22T09:00:00Z","findings":[{"check":"scripts","verdict":"unknown","case":"off"}]}`); err != nil {
			return err
		}
		return h.stories.Flag(t.Context(), tx, a.ID, "")
	}))
	for _, l := range campus.Locales {
		h.viewer.Locale = l
		path, _ := h.incident(a.Code)
		_, _, person := h.do("POST", "/identity/support/people/p-lina", url.Values{"reason": {"r"}})
		for _, page := range []string{"/identity/support", "/identity/support?q=nobody", "/identity/support?code=x", path, "/identity/support/people/p-lina", person, "/login/flag", "/login/flag?at=222-222"} {
			_, body, _ := h.do("GET", page, nil)
			if found := missing.FindAllString(body, 3); found != nil || strings.Contains(body, "no value") {
				t.Errorf("%s in %s: %v", page, l, found)
			}
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

func TestAgentsActForSomebodyFromARequest(t *testing.T) {
	h := one(t)
	lina := campus.PersonID("p-lina")
	for name, v := range map[string]campus.Viewer{"a student": {Person: "p-x"}, "an agent of one campus": {Person: "p-x", Mandates: []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "nord"}}}} {
		acts, err := h.Acts(t.Context(), v, lina)
		cards, other := h.Beside(t.Context(), v, lina)
		if err != nil || other != nil || len(acts)+len(cards) != 0 {
			t.Errorf("%s is offered %v and reads %v, %v %v", name, acts, cards, err, other)
		}
	}
	agent := campus.Viewer{Person: "p-sam", Rights: []campus.Right{campus.RightHelpdesk}}
	named := func() (list string) {
		t.Helper()
		acts, err := h.Acts(t.Context(), agent, lina)
		h.must(err)
		for _, a := range acts {
			list += a.ID[len("identity."):] + " "
			if a.URL != "" && !strings.Contains(a.URL, "p-lina") {
				t.Errorf("%s leads to %s", a.ID, a.URL)
			}
		}
		return list
	}
	if got := named(); got != "reset relay recovery " {
		t.Errorf("offered %s", got)
	}
	h.lock = &risk.Locked{Person: lina, Until: h.clock.Now().Add(time.Hour)}
	if got := named(); got != "reset unlock relay recovery " {
		t.Errorf("of somebody locked out: %s", got)
	}
	h.state = account.Suspended
	if got := named(); strings.Contains(got, "reset") {
		t.Errorf("of a suspended account: %s", got)
	}
	h.state = account.Active
	cards, err := h.Beside(t.Context(), agent, lina)
	if err != nil || len(cards) != 3 {
		t.Errorf("cards %+v, %v", cards, err)
	}
}

func TestAnActFromARequestStandsInTheJournal(t *testing.T) {
	h := one(t)
	var done contract.Done
	var failed error
	server := pagetest.Serve(t, h.clock, h.Texts, func() campus.Viewer { return h.viewer }, func(r *web.Router) {
		r.Handle("POST /do/{act}", func(_ http.ResponseWriter, r *http.Request) error {
			done, failed = h.Do(r, "p-lina", r.PathValue("act"), "", "1049 6135")
			return nil
		})
	})
	do := func(act string) {
		t.Helper()
		h.acts, h.events = nil, nil
		pagetest.Ask(t, pagetest.Still(), http.MethodPost, server.URL+"/do/"+act, url.Values{})
	}
	h.viewer = campus.Viewer{Person: "p-x"}
	if do("identity.reset"); failed == nil || len(h.acts)+len(h.events) > 0 {
		t.Errorf("somebody without the right: %v, %v", failed, h.acts)
	}
	h.viewer = campus.Viewer{Person: "p-sam", Rights: []campus.Right{campus.RightHelpdesk}}
	if do("identity.reset"); failed != nil || len(h.acts) != 1 || len(h.events) == 0 || h.events[0].Facts["reason"] != "1049 6135" {
		t.Errorf("reset: %v, %v, %+v", failed, h.acts, h.events)
	}
	if do("identity.relay"); failed != nil || done.Secret != "KRTM-WBZC" || !strings.Contains(done.Spelled, "Kilo") {
		t.Errorf("relay: %v, %+v", failed, done)
	}
	if do("identity.fly"); failed == nil {
		t.Error("an act that there is not was done")
	}
}

func TestAnAgentFindsThoseWhomTheirRightReaches(t *testing.T) {
	h := one(t)
	for name, c := range map[string]struct {
		viewer campus.Viewer
		found  int
	}{
		"an agent": {campus.Viewer{Rights: []campus.Right{campus.RightHelpdesk}}, 1}, "a student": {campus.Viewer{}, 0},
		"an agent of a campus": {campus.Viewer{Mandates: []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "nord"}}}, 1},
	} {
		found, err := h.SeekPeople(t.Context(), c.viewer, "unal", 5)
		if err != nil || len(found) != c.found {
			t.Errorf("%s finds %v, %v", name, found, err)
		}
	}
	if len(h.within) == 0 {
		t.Error("the mandate did not narrow the search")
	}
}
