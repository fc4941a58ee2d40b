package provisioning

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// linas is a ledger with Lina in it, who is ready, and Paul, whom Moodle refuses.
func linas(t *testing.T, h *house) {
	t.Helper()
	h.moodle.Refuse = []string{"paul"}
	h.run(h.module)
	h.put(student("lina"), student("paul"))
	h.eventually("both are decided", func() bool {
		return h.state("lina") == contract.AccountReady && h.state("paul") == contract.AccountBlocked
	})
}

func as(v campus.Viewer, who campus.PersonID) campus.Viewer {
	v.Person = who
	return v
}

func TestEveryAddressIsForThoseWhoMayUseIt(t *testing.T) {
	h := one(t, nil)
	h.put(student("lina"), student("paul")) // nobody works on them: what is asked for stays as it is
	if err := h.module.ledger.Furnish(t.Context(), "moodle", "setting"); err != nil {
		t.Fatal(err)
	}
	h.exec("INSERT INTO provisioning_accounts (target_id, person, login, state, since_at, verdict, remote_id) VALUES ('moodle', '0198-lina', 'lina', 'ready', 1, 'due', '7'), ('moodle', '0198-paul', 'paul', 'blocked', 1, 'due', '')")
	h.begin(contract.Traced{ID: "0198-lina", Login: "lina", Erasure: "e", Whole: true})
	h.exec("UPDATE provisioning_removals SET id = 'r'")
	const agents, admins, officers, everybody = "agents", "admins", "officers", "everybody"
	addresses := map[string]string{
		"GET /provisioning/mine":                           everybody,
		"GET /provisioning":                                agents,
		"GET /provisioning/targets/moodle":                 agents,
		"GET /provisioning/people/0198-paul":               agents,
		"POST /provisioning/people/0198-paul/retry":        agents,
		"GET /provisioning/removals":                       officers,
		"POST /provisioning/removals/r":                    officers,
		"GET /provisioning/people/0198-paul/adopt/moodle":  admins,
		"POST /provisioning/people/0198-paul/adopt/moodle": admins,
		"GET /provisioning/targets/moodle/accounts.csv":    admins,
		"GET /provisioning/targets/moodle/retry":           admins,
		"POST /provisioning/targets/moodle/retry":          admins,
		"GET /provisioning/targets/moodle/closures":        admins,
		"POST /provisioning/targets/moodle/closures":       admins,
		"POST /provisioning/targets/moodle/pause":          admins,
		"POST /provisioning/targets/moodle/resume":         admins,
		"POST /provisioning/targets/moodle/compare":        admins,
		"POST /provisioning/targets/moodle/once":           admins,
	}
	if n := len(h.server.Routes()); n != len(addresses) {
		t.Errorf("%d routes, %d of them tested", n, len(addresses))
	}
	forms := url.Values{"act": {"retry"}, "found": {"9"}, "target": {"moodle"}, "count": {"5"}, "login": {"lina"}}
	for address, whom := range addresses {
		method, path, _ := strings.Cut(address, " ")
		for name, c := range map[string]struct {
			viewer campus.Viewer
			may    bool
		}{
			"a stranger":       {campus.Viewer{}, false},
			"a student":        {as(campustest.Lina(), "0198-lina"), whom == everybody},
			"the secretariat":  {campustest.Nadia(), whom == everybody},
			"the help desk":    {campustest.Sam(), whom == agents || whom == everybody},
			"the officer":      {campus.Viewer{Person: "0198-dpo", Session: "s", Rights: []campus.Right{campus.RightPrivacy}}, whom == officers || whom == everybody},
			"an administrator": {campustest.Alix(), true},
		} {
			h.enter(c.viewer)
			h.exec("UPDATE provisioning_accounts SET reason = 'provisioning.account_differs', found_id = '9', todo = '' WHERE person = '0198-paul'")
			status := 0
			if method == "GET" {
				status = h.get(path).Code
			} else {
				status = h.post(path, forms).Code
			}
			refused := status == http.StatusForbidden || status == http.StatusUnauthorized || status == http.StatusSeeOther && !c.viewer.SignedIn()
			if refused == c.may || c.may && status >= 400 {
				t.Errorf("%s answers %s with %d", address, name, status)
			}
		}
	}
}

// exec changes the tables behind everybody's back.
func (h *house) exec(query string) {
	h.t.Helper()
	if err := h.db.InTx(h.t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(h.t.Context(), query)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
}

// creating keeps the files of an archive in memory.
func creating(files map[string]*strings.Builder) func(string) (io.Writer, error) {
	return func(name string) (io.Writer, error) {
		files[name] = &strings.Builder{}
		return files[name], nil
	}
}

// page is what somebody sees at an address.
func (h *house) page(v campus.Viewer, path string) string {
	h.t.Helper()
	h.enter(v)
	w := h.get(path)
	if w.Code != http.StatusOK {
		h.t.Fatalf("%s: %d\n%s", path, w.Code, w.Body)
	}
	if strings.Contains(w.Body.String(), "⟦") {
		h.t.Errorf("%s lacks a label: %s", path, w.Body)
	}
	return w.Body.String()
}

// shows fails when a page lacks words.
func shows(t *testing.T, page string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(page, w) {
			t.Errorf("the page does not say %q:\n%s", w, page)
		}
	}
}

func TestThePersonAndTheHelpDeskReadTheSameWords(t *testing.T) {
	each(t, nil, func(t *testing.T, h *house) {
		linas(t, h)
		const words = "Moodle does not accept something in your data"
		shows(t, h.page(as(campustest.Paul(), "0198-paul"), "/provisioning/mine"), words, "the e-learning office", "provisioning.data_refused", "blocked", "students, teachers")
		h.enter(campustest.Sam())
		agent := h.page(campustest.Sam(), "/provisioning/people/0198-paul")
		shows(t, agent, words, "Email address is invalid", "Try Moodle again now", "Given Paul")
		if strings.Contains(h.page(as(campustest.Paul(), "0198-paul"), "/provisioning/mine"), "Email address is invalid") {
			t.Error("the person reads what the service said")
		}
		cards, err := h.module.About(h.english(), campustest.Sam(), "0198-paul")
		if err != nil || len(cards) != 1 || !strings.Contains(cards[0].Rows[0].Detail, words) {
			t.Errorf("the dossier shows %+v, %v", cards, err)
		}
		if cards, err := h.module.About(h.english(), campustest.Lina(), "0198-paul"); err != nil || len(cards) != 0 {
			t.Errorf("a student sees %+v, %v", cards, err)
		}
		home, err := h.module.Cards(h.english(), as(campustest.Paul(), "0198-paul"))
		if err != nil || len(home) != 1 || home[0].Rows[0].Tag != "blocked" {
			t.Errorf("the home shows %+v, %v", home, err)
		}
		if home, err := h.module.Cards(h.english(), as(campustest.Lina(), "0198-lina")); err != nil || len(home) != 0 {
			t.Errorf("who has nothing to wait for sees %+v, %v", home, err)
		}
	})
}

func TestTheListIsSearchedFilteredAndGivenAsATable(t *testing.T) {
	each(t, nil, func(t *testing.T, h *house) {
		linas(t, h)
		evil := student("zoe")
		evil.Subject.GivenName, evil.Subject.FamilyName = "=HYPERLINK(1)", "Éva"
		h.put(evil)
		h.eventually("she is ready", func() bool { return h.state("zoe") == contract.AccountReady })
		admin := campustest.Alix()
		all := h.page(admin, "/provisioning/targets/moodle")
		shows(t, all, "Given Lina", "Given Paul", "3 accounts", "provisioning.data_refused")
		for query, want := range map[string]string{"q=eva": "zoe", "state=blocked": "Given Paul", "reason=provisioning.data_refused": "Given Paul", "q=LINA": "Given Lina"} {
			shows(t, h.page(admin, "/provisioning/targets/moodle?"+query), want, "1 account")
		}
		shows(t, h.page(admin, "/provisioning/targets/moodle?q=%25"), "3 accounts") // no sign of a pattern
		shows(t, h.page(admin, "/provisioning/targets/moodle?q=nobody"), "Nobody here")
		table := h.page(admin, "/provisioning/targets/moodle/accounts.csv")
		shows(t, table, "login,name,state", "'=HYPERLINK(1) Éva", "provisioning.data_refused")
		if n := strings.Count(table, "\n"); n != 4 {
			t.Errorf("the table has %d lines", n)
		}
	})
}

func TestManyAreTriedAgainAfterALook(t *testing.T) {
	h := one(t, nil)
	linas(t, h)
	shows(t, h.page(campustest.Alix(), "/provisioning/targets/moodle/retry?state=blocked"), "1 account fits", "Given Paul")
	h.moodle.Refuse = nil
	if w := h.post("/provisioning/targets/moodle/retry", url.Values{"state": {"blocked"}}); w.Code != http.StatusSeeOther {
		t.Fatalf("%d", w.Code)
	}
	h.eventually("Paul is ready", func() bool { return h.state("paul") == contract.AccountReady })
}

func TestTheHelpDeskTriesOnePersonAgain(t *testing.T) {
	h := one(t, nil)
	linas(t, h)
	h.moodle.Refuse = nil
	h.enter(campustest.Sam())
	if w := h.post("/provisioning/people/0198-paul/retry", url.Values{"target": {"moodle"}}); w.Code != http.StatusSeeOther {
		t.Fatalf("%d", w.Code)
	}
	h.eventually("Paul is ready", func() bool { return h.state("paul") == contract.AccountReady })
}

func TestOnePersonIsTriedWhileTheWorkIsStopped(t *testing.T) {
	h := one(t, nil)
	h.put(student("lina"))
	h.enter(campustest.Alix())
	if w := h.post("/provisioning/targets/moodle/pause", nil); w.Code != http.StatusSeeOther {
		t.Fatal(w.Code)
	}
	if err := h.module.ledger.Furnish(t.Context(), "moodle", ""); err != nil {
		t.Fatal(err)
	}
	h.moodle.Refuse = []string{"lina"}
	if w := h.post("/provisioning/targets/moodle/once", url.Values{"login": {"lina"}}); !strings.Contains(w.Body.String(), "provisioning.data_refused: core_user_create_users") {
		t.Errorf("refused: %d %s", w.Code, w.Body)
	}
	h.moodle.Refuse = nil
	if w := h.post("/provisioning/targets/moodle/once", url.Values{"login": {" LINA "}}); !strings.Contains(w.Body.String(), "Your Moodle account is ready") {
		t.Errorf("done: %d %s", w.Code, w.Body)
	}
	if w := h.post("/provisioning/targets/moodle/once", url.Values{"login": {"nobody"}}); w.Code != http.StatusNotFound {
		t.Errorf("nobody: %d", w.Code)
	}
}

func TestClosuresThatNobodySawAreNotLetGo(t *testing.T) {
	h := one(t, func(c *TargetConfig) { c.BrakeFloor = 1 })
	h.run(h.module)
	var people []contract.Known
	for i := range 4 {
		people = append(people, student(fmt.Sprintf("s%d", i)))
	}
	h.put(people...)
	h.eventually("everybody has one", func() bool { return h.moodle.Count() == 4 && h.idle() })
	if err := h.module.ledger.Pause(t.Context(), "moodle", "x", true); err != nil { // or one would go before the brake holds
		t.Fatal(err)
	}
	for i := range people[:3] {
		people[i].State = "closed"
	}
	h.put(people[:3]...)
	h.eventually("they are decided", func() bool {
		return h.state("s0") == contract.AccountLeaving && h.state("s1") == contract.AccountLeaving && h.state("s2") == contract.AccountLeaving
	})
	h.enter(campustest.Alix())
	shows(t, h.page(campustest.Alix(), "/provisioning/targets/moodle/closures"), "3 accounts wait", "Given S0")
	if w := h.post("/provisioning/targets/moodle/closures", url.Values{"count": {"2"}}); w.Code != http.StatusConflict {
		t.Errorf("two of three: %d", w.Code)
	}
	if w := h.post("/provisioning/targets/moodle/closures", url.Values{"count": {"3"}}); w.Code != http.StatusSeeOther {
		t.Errorf("three of three: %d", w.Code)
	}
	if w := h.post("/provisioning/targets/moodle/resume", nil); w.Code != http.StatusSeeOther {
		t.Errorf("resume: %d", w.Code)
	}
	h.eventually("they are closed", func() bool { return h.moodle.Users("s0")[0].Suspended && h.moodle.Users("s2")[0].Suspended })
}

func TestTheEstimateCountsWhoComesBefore(t *testing.T) {
	h := one(t, nil)
	if err := h.module.ledger.Furnish(t.Context(), "moodle", ""); err != nil {
		t.Fatal(err)
	}
	if err := h.module.ledger.NotePace(t.Context(), "moodle", 10*time.Second); err != nil {
		t.Fatal(err)
	}
	stop := h.run(h.module)
	if err := h.module.ledger.Pause(t.Context(), "moodle", "x", true); err != nil {
		t.Fatal(err)
	}
	var people []contract.Known
	for i := range 6 {
		people = append(people, student(fmt.Sprintf("s%d", i)))
		h.put(people[i])
		h.eventually("it is queued", func() bool {
			_, there, err := h.module.ledger.Of(t.Context(), h.db.Read(), "moodle", people[i].ID)
			return there && err == nil
		})
		h.clock.Advance(time.Second)
	}
	stop()
	if a, _, err := h.module.AccountIn(h.english(), "0198-s0", "moodle"); err != nil || !a.Estimate.IsZero() || !strings.Contains(a.Message, "have stopped") {
		t.Errorf("while the work is stopped: %+v, %v", a, err)
	}
	if err := h.module.ledger.Pause(t.Context(), "moodle", "", false); err != nil {
		t.Fatal(err)
	}
	for login, wait := range map[string]time.Duration{"s0": 15 * time.Second, "s5": 65 * time.Second} {
		a, _, err := h.module.AccountIn(h.english(), campus.PersonID("0198-"+login), "moodle")
		if err != nil || a.Estimate.Sub(h.clock.Now()) != wait {
			t.Errorf("%s waits %s, %v; want %s", login, a.Estimate.Sub(h.clock.Now()), err, wait)
		}
	}
}

func TestAServiceThatAmphiDoesNotKeepIsNobodysAffair(t *testing.T) {
	h := one(t, nil)
	if _, ok, err := h.module.AccountIn(h.english(), "0198-lina", "wiki"); ok || err != nil {
		t.Errorf("%t, %v", ok, err)
	}
}

func TestHealthNamesAServiceThatIsAwayAndClosuresThatWait(t *testing.T) {
	h := one(t, nil)
	for _, check := range h.module.Health(h.english()) {
		if !check.OK || check.Essential {
			t.Errorf("at first: %+v", check)
		}
	}
	if err := h.module.ledger.Furnish(t.Context(), "moodle", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := h.module.ledger.OpenBreaker(t.Context(), "moodle", "provisioning.service_down", "status 500", time.Minute); err != nil {
		t.Fatal(err)
	}
	if check := h.module.Health(h.english())[0]; check.OK || check.Reason.Code() != "provisioning.service_down" {
		t.Errorf("away: %+v", check)
	}
}

func TestTheExportHoldsTheLedgerAndTheExchanges(t *testing.T) {
	each(t, nil, func(t *testing.T, h *house) {
		linas(t, h)
		files := map[string]*strings.Builder{}
		archive := &contract.Archive{Create: creating(files)}
		if err := h.module.Export(h.english(), "0198-lina", archive); err != nil {
			t.Fatal(err)
		}
		shows(t, files["provisioning/accounts.json"].String(), `"Target":"moodle"`, `"State":"ready"`, `"given_name"`)
		shows(t, files["provisioning/exchanges.json"].String(), `"Act":"create"`)
		told, err := h.module.Disclosures(h.english(), "0198-lina")
		if err != nil || len(told) != 1 || told[0].Service != "moodle" || !strings.Contains(told[0].What, "institutional address") {
			t.Errorf("disclosures %+v, %v", told, err)
		}
	})
}

func TestEveryQueryRunsOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "ledger/internal/sqlgen/queries.sql.go", tables...)
}

func TestNothingIsNotedWhereNothingIsKept(t *testing.T) {
	h := one(t, func(c *TargetConfig) { c.Off = true })
	h.put(student("lina"))
	if n, err := h.module.ledger.CountNoted(t.Context()); err != nil || n != 0 {
		t.Errorf("%d notes, %v", n, err)
	}
	if items := h.module.Nav(context.Background(), campustest.Alix()); len(items) != 0 {
		t.Errorf("navigation %v", items)
	}
}

func TestAPaceIsWrittenAsTheLanguageDoes(t *testing.T) {
	h := one(t, nil)
	for locale, want := range map[campus.Locale]string{campus.French: "12,5", campus.English: "12.5"} {
		if got := perSecond(i18n.With(t.Context(), h.server.Texts.For(locale)), 80*time.Millisecond); got != want {
			t.Errorf("in %s: %s", locale, got)
		}
	}
}

func TestAServiceThatFailsForEverybodySaysWhatToMend(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*TargetConfig)
		want   []string
	}{
		{"a wrong token", func(c *TargetConfig) { c.Moodle.Token = "old" }, []string{"provisioning.service_denied", "Check the token"}},
		{"nobody listens", func(c *TargetConfig) { c.URL = "http://127.0.0.1:1" }, []string{"provisioning.service_down", "Check url", "firewall"}},
	} {
		h := one(t, c.change)
		_, err := h.module.Test(h.english(), "moodle")
		if err == nil {
			t.Errorf("%s: it is well", c.name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", c.name, err, want)
			}
		}
	}
}
