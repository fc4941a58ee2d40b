package support

import (
	"context"
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
