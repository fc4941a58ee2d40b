package renewal

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/breached"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

func TestEveryQueryRunsOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schema...)
}

// keysOf are the rules that a new password of somebody breaks, and what else is
// wrong with it.
func (h *house) keysOf(p account.Person, plain, again string) (keys []string) {
	h.t.Helper()
	problems, err := h.Problems(h.t.Context(), p, plain, again)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, problem := range problems {
		keys = append(keys, strings.Replace(problem.Key, "rules.broken.", "rules.", 1))
	}
	return keys
}

func TestANewPasswordIsHeldAgainstEveryRule(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for name, c := range map[string]struct {
			plain, again string
			want         []string
		}{
			"a good one":         {another, another, nil},
			"none":               {"", "", []string{"identity.renewal.problem.missing"}},
			"two different ones": {another, "Tunnel-47-cerises", []string{"identity.renewal.problem.different"}},
			"the current one":    {linasPassword, linasPassword, []string{rules.KeyHistory}},
			"a known one":        {"Iloveyou2026!", "Iloveyou2026!", []string{rules.KeyBreached}},
			"her name":           {"Martin-47-cerise", "Martin-47-cerise", []string{rules.KeyNotYou}},
			"several at once":    {"martin", "martin", []string{rules.KeyLength, rules.KeyClasses + "_or_long", rules.KeyNotYou, rules.KeyBreached}},
		} {
			t.Run(name, func(t *testing.T) {
				if got := h.keysOf(lina, c.plain, c.again); !slices.Equal(got, c.want) {
					t.Errorf("%q: %q, want %q", c.plain, got, c.want)
				}
			})
		}
	})
}

func TestTheLastPasswordsCannotBeTakenAgainAndOlderOnesCan(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		used := []string{linasPassword, "Radeau-11-brume", "Radeau-22-brume", "Radeau-33-brume"}
		for _, plain := range used[1:] {
			h.clock.Advance(time.Hour)
			h.set(lina, plain)
		}
		for i, plain := range used {
			got := h.keysOf(lina, plain, plain)
			if refused := len(got) > 0; refused != (i > 0) {
				t.Errorf("%s, %d back: %v", plain, len(used)-1-i, got)
			}
			if got := h.keysOf(hugo, plain, plain); i > 0 && len(got) > 0 {
				t.Errorf("hugo may not take %s: %v", plain, got)
			}
		}
	}, func(c *Config) { c.History = 3 })
}

func TestAPasswordFromTheCommandLineEntersTheHistoryWhenItIsReplaced(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.in(func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "DELETE FROM identity_password_history WHERE person_id = 'lina'")
			return err
		})
		h.clock.Advance(time.Hour)
		h.set(lina, another)
		if got := h.keysOf(lina, linasPassword, linasPassword); !slices.Equal(got, []string{rules.KeyHistory}) {
			t.Errorf("the first password: %v", got)
		}
	})
}

func TestComposedAndDecomposedOpenTheSameDoor(t *testing.T) {
	h := openOne(t)
	for _, plain := range []string{"Été-à-la-plage-93", "سلام٣٤٥ نافذة طويلة", "שָׁלוֹם93חלון-A", "🐸🐸 Gravier 👩‍🚀 93"} {
		h.clock.Advance(time.Hour)
		h.set(lina, norm.NFC.String(plain))
		if !h.opens(lina.ID, rules.Normal(norm.NFD.String(plain))) {
			t.Errorf("%q does not open in its other form", plain)
		}
		if got := h.keysOf(lina, norm.NFD.String(plain), norm.NFC.String(plain)); !slices.Equal(got, []string{rules.KeyHistory}) {
			t.Errorf("%q in its other form: %v", plain, got)
		}
	}
}

func TestAnOldPasswordIsRecognisedForAWhileAndNoOther(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		was := func(who campus.PersonID, plain string) (time.Time, bool) {
			t.Helper()
			since, ok, err := h.WasOldPassword(t.Context(), who, plain)
			if err != nil {
				t.Fatal(err)
			}
			return since, ok
		}
		if _, ok := was(lina.ID, linasPassword); ok {
			t.Error("the current password passes for an old one")
		}
		h.clock.Advance(time.Hour)
		changed := h.clock.Now()
		h.set(lina, "Été-à-la-plage-93")
		if since, ok := was(lina.ID, linasPassword); !ok || !since.Equal(changed) {
			t.Errorf("the old password: %v, %v", since, ok)
		}
		for _, c := range []struct {
			who   campus.PersonID
			plain string
		}{{lina.ID, "Été-à-la-plage-93"}, {lina.ID, another}, {lina.ID, ""}, {hugo.ID, linasPassword}, {"", linasPassword}} {
			if _, ok := was(c.who, c.plain); ok {
				t.Errorf("%s of %q passes for an old password", c.plain, c.who)
			}
		}
		h.clock.Advance(time.Hour)
		h.set(lina, another)
		if _, ok := was(lina.ID, norm.NFD.String("Été-à-la-plage-93")); !ok {
			t.Error("an old password in its decomposed form is not recognised")
		}
		h.clock.Advance(91 * 24 * time.Hour)
		if _, ok := was(lina.ID, linasPassword); ok {
			t.Error("an old password is recognised after its time")
		}
	})
}

func TestStoringAPasswordTellsItsOwnerAndTheJournal(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.set(lina, another)
		if len(h.untrusted) != 1 {
			t.Error("a browser still stands in for a factor after a new password")
		}
		if !slices.Equal(h.ended, []string{"lina but "}) {
			t.Errorf("sessions ended: %q", h.ended)
		}
		if len(h.events) != 1 || h.events[0].Kind != "identity.password_changed" || h.events[0].Person != lina.ID {
			t.Errorf("the journal has %+v", h.events)
		}
		if got := h.to(); !slices.Equal(got, []string{linasPhone, lina.Mail, linasMail}) {
			t.Errorf("told: %q", got)
		}
		for _, m := range h.outbox() {
			if strings.Contains(m.Text, another) || strings.Contains(m.Text, "⟦") {
				t.Errorf("the letter says %q", m.Text)
			}
		}
	})
}

func TestAFirstPasswordIsNoChange(t *testing.T) {
	h := openOne(t)
	h.in(func(tx db.Tx) error {
		for _, table := range []string{"identity_passwords", "identity_password_history"} {
			if _, err := tx.ExecContext(t.Context(), "DELETE FROM "+table+" WHERE person_id = 'lina'"); err != nil {
				return err
			}
		}
		return nil
	})
	h.set(lina, another)
	if got := h.to(); len(got) > 0 {
		t.Errorf("told: %q", got)
	}
}

func TestAPasswordMustChangeForAReason(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		must := func(want Reason) {
			t.Helper()
			why, ok, err := h.MustChange(t.Context(), lina.ID)
			if err != nil || why != want || ok != (want != "") {
				t.Errorf("%q, %v, %v; want %q", why, ok, err, want)
			}
		}
		must("")
		h.in(func(tx db.Tx) error { return h.Demand(t.Context(), tx, lina.ID, SetByAgent) })
		must(SetByAgent)
		h.in(func(tx db.Tx) error { return h.Demand(t.Context(), tx, lina.ID, InBreach) })
		must(InBreach)
		h.set(lina, another)
		must("")
		h.clock.Advance(101 * 24 * time.Hour)
		must(Expired)
		if why, ok, err := h.MustChange(t.Context(), "nobody"); why != "" || ok || err != nil {
			t.Errorf("nobody must change: %q, %v, %v", why, ok, err)
		}
	}, func(c *Config) { c.MaxAge = 100 * 24 * time.Hour })
}

func TestAPasswordNeverExpiresUnlessTheInstitutionSaysSo(t *testing.T) {
	h := openOne(t)
	h.clock.Advance(20 * 366 * 24 * time.Hour)
	if why, ok, err := h.MustChange(t.Context(), lina.ID); ok || err != nil {
		t.Errorf("%q, %v", why, err)
	}
	if err := h.warn(t.Context()); err != nil || len(h.to()) > 0 {
		t.Errorf("warned: %q, %v", h.to(), err)
	}
}

func TestTheEndOfAPasswordIsAnnouncedThreeTimes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		letters := map[int]int{} // by days before the end
		for left := 40; left >= -3; left-- {
			h.empty()
			for range 2 { // the job may run twice
				if err := h.warn(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if n := len(slices.DeleteFunc(h.to(), func(to string) bool { return to != lina.Mail })); n > 0 {
				letters[left] = n
			}
			h.clock.Advance(24 * time.Hour)
		}
		if len(letters) != 3 || letters[14] != 1 || letters[7] != 1 || letters[1] != 1 {
			t.Errorf("letters by days left: %v", letters)
		}
		h.set(lina, another)
		h.empty()
		h.clock.Advance(30 * 24 * time.Hour)
		if err := h.warn(t.Context()); err != nil || !slices.Contains(h.to(), lina.Mail) {
			t.Errorf("the next password is not announced: %q, %v", h.to(), err)
		}
	}, func(c *Config) { c.MaxAge = 40 * 24 * time.Hour })
}

func TestAHouseWithoutItsFilterDoesNotOpen(t *testing.T) {
	c := Defaults()
	c.BreachedFile = t.TempDir() + "/none"
	if _, err := New(Deps{Clock: sunday()}, c); err == nil || !strings.Contains(err.Error(), breached.Unreadable.Code()) {
		t.Errorf("the error is %v", err)
	}
}

func TestTheConfigurationIsChecked(t *testing.T) {
	if problems := Defaults().Check(); len(problems) > 0 {
		t.Errorf("the defaults: %v", problems)
	}
	if problems := (Config{PassphraseLength: 3, History: 99, MaxAge: time.Hour, OldKnown: -1}).Check(); len(problems) != 9 {
		t.Errorf("only %v", problems)
	}
}

func TestInsideASessionTheCurrentPasswordIsAsked(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.viewer = lina.ID
		b := h.browser()
		want(t, b.get("/identity/password"), 200, `autocomplete="current-password"`, `autocomplete="new-password"`, "12 characters or more", `value="lmartin"`)
		for name, c := range map[string]struct {
			current, plain, again, says string
		}{
			"nothing typed":        {"", another, another, "Enter your current password"},
			"a wrong one":          {"wrong", another, another, "This is not your current password"},
			"hugo's other":         {another, "Radeau-11-brume", "Radeau-11-brume", "This is not your current password"},
			"a weak new one":       {linasPassword, "short", "short", `href="#field-new_password">The password needs 12 characters or more.`},
			"the same again":       {linasPassword, linasPassword, linasPassword, "none of your last 5 passwords"},
			"different new ones":   {linasPassword, another, another + "x", "The two entries differ"},
			"a new one too long":   {linasPassword, strings.Repeat("é", 200), "", "256 bytes at most"},
			"no new one":           {linasPassword, "", "", "Enter a new password"},
			"one that is in lists": {linasPassword, "Iloveyou2026!", "Iloveyou2026!", "Attackers already know this password"},
		} {
			t.Run(name, func(t *testing.T) {
				a := b.post("/identity/password", currentField, c.current, PlainField, c.plain, AgainField, c.again)
				want(t, a, 422, c.says, "Error:")
				if c.plain != "" && strings.Contains(a.body, `value="`+c.plain) {
					t.Error("a password came back")
				}
			})
		}
		if !h.opens(lina.ID, linasPassword) {
			t.Fatal("the password changed")
		}
		h.slow = true
		want(t, b.post("/identity/password", currentField, linasPassword, PlainField, another, AgainField, another), 429)
		h.slow = false
		h.empty()
		lead(t, b.post("/identity/password", currentField, linasPassword, PlainField, another, AgainField, another), "/identity/password")
		want(t, b.get("/identity/password"), 200, "Your password is changed")
		if !h.opens(lina.ID, another) || !slices.Equal(h.ended, []string{"lina but s-1"}) {
			t.Errorf("sessions ended: %q", h.ended)
		}
		if e := h.events[0]; e.Kind != "identity.password_changed" || e.Address != "192.0.2.1" || e.Actor != lina.ID {
			t.Errorf("the journal has %+v", e)
		}
	})
}

func TestThePageOfAPasswordIsForItsOwner(t *testing.T) {
	h := openOne(t)
	if a := h.browser().get("/identity/password"); a.StatusCode == 200 {
		t.Error("a stranger sees the page")
	}
	if a := h.browser().post("/identity/password", currentField, linasPassword, PlainField, another, AgainField, another); a.StatusCode == 303 && a.Header.Get("Location") == "/identity/password" {
		t.Error("a stranger changes a password")
	}
	if !h.opens(lina.ID, linasPassword) {
		t.Error("the password changed")
	}
}

func TestOnTheWayInAPasswordIsRenewedWhenItMustBe(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		want(t, b.get("/login/new-password"), 401)
		h.actor = &entry.Actor{Person: lina.ID, Attempt: "a-1", At: "K7F-3Q9"}
		lead(t, b.get("/login/new-password"), "/proceeded") // nothing asks for it
		lead(t, b.post("/login/new-password", PlainField, another, AgainField, another), "/proceeded")
		if !h.opens(lina.ID, linasPassword) {
			t.Fatal("the password changed although nothing asked for it")
		}
		h.in(func(tx db.Tx) error { return h.Demand(t.Context(), tx, lina.ID, InBreach) })
		h.may = false // the second factor comes first
		lead(t, b.get("/login/new-password"), "/proceeded")
		lead(t, b.post("/login/new-password", PlainField, another, AgainField, another), "/proceeded")
		if !h.opens(lina.ID, linasPassword) {
			t.Fatal("the password changed before the second factor was proved")
		}
		h.may = true
		want(t, b.get("/login/new-password"), 200, "a list that attackers pass around", `name="at" value="K7F-3Q9"`)
		want(t, b.post("/login/new-password", PlainField, linasPassword, AgainField, linasPassword), 422, "none of your last 5 passwords", `name="at" value="K7F-3Q9"`)
		lead(t, b.post("/login/new-password", PlainField, another, AgainField, another), "/proceeded")
		if !h.opens(lina.ID, another) {
			t.Error("the password did not change")
		}
		lead(t, b.post("/login/new-password", PlainField, "Radeau-11-brume", AgainField, "Radeau-11-brume"), "/proceeded") // the back button
		if !h.opens(lina.ID, another) {
			t.Error("the back button changed it again")
		}
		h.actor = &entry.Actor{Person: lina.ID, Session: "s-1"}
		lead(t, b.get("/login/new-password"), "/identity/password")
	})
}

func TestTheHubChangesAPasswordWithoutASession(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		post := func(login, current, plain, again string) answer {
			t.Helper()
			return b.post("/password", loginField, login, currentField, current, PlainField, plain, AgainField, again)
		}
		want(t, b.get("/password"), 200, `autocomplete="username"`, "even if your password has expired")
		want(t, post("", "", "", ""), 422, "Enter your identifier", "Enter your current password", "Enter a new password")
		want(t, post("lmartin", linasPassword, "lmartin-47-xyz", "lmartin-47-xyz"), 422, "neither your identifier")
		want(t, post("lmartin", linasPassword, linasPassword, linasPassword), 422, "This is your current password")
		if h.checked > 0 {
			t.Error("a password was looked at although the form had mistakes")
		}
		known, unknown := post("lmartin", "wrong", another, another), post("nobodyy", "wrong", another, another)
		want(t, known, 422, "identity_test.wrong")
		if withoutPhrase(strings.ReplaceAll(unknown.body, "nobodyy", "lmartin")) != withoutPhrase(known.body) || unknown.StatusCode != known.StatusCode {
			t.Error("the answer tells who exists")
		}
		// What depends on the person is told only to who knows the password.
		want(t, post("lmartin", "wrong", "Martin-47-cerise", "Martin-47-cerise"), 422, "identity_test.wrong")
		want(t, post("lmartin", linasPassword, "Valmont-Lina.Martin-47", "Valmont-Lina.Martin-47"), 422, "neither your identifier")
		lead(t, post("lmartin", linasPassword, another, another), "/password/changed")
		want(t, b.get("/password/changed"), 200, "Your password is changed")
		if !h.opens(lina.ID, another) || !slices.Equal(h.ended, []string{"lina but "}) {
			t.Errorf("sessions ended: %q", h.ended)
		}
	})
}

// withoutPhrase takes out the passphrase, which no two pages share.
func withoutPhrase(body string) string {
	return regexp.MustCompile(`data-phrase>[a-z-]+<`).ReplaceAllString(body, "data-phrase><")
}

func TestTheHubDoesNotGoRoundTheSecondFactor(t *testing.T) {
	h := openOne(t)
	h.strong = true
	lead(t, h.browser().post("/password", loginField, "lmartin", currentField, linasPassword, PlainField, another, AgainField, another), "/entered")
	if !slices.Equal(h.entered, []string{"lina by password to /identity/password"}) || !h.opens(lina.ID, linasPassword) {
		t.Errorf("entered: %q", h.entered)
	}
}

func TestTheHubDoesNotServeAnAccountThatIsClosed(t *testing.T) {
	h := openOne(t)
	h.state = account.Closed
	want(t, h.browser().post("/password", loginField, "lmartin", currentField, linasPassword, PlainField, another, AgainField, another), 403, "identity.renewal_unusable")
	if !h.opens(lina.ID, linasPassword) {
		t.Error("the password changed")
	}
	want(t, h.browser().post("/password", loginField, "lmartin", currentField, "wrong", PlainField, another, AgainField, another), 422, "identity_test.wrong")
}

func TestTheServerAnswersTheOneRuleThatABrowserCannotKnow(t *testing.T) {
	h := openOne(t)
	b := h.browser()
	want(t, b.post("/password/known", "plain", "Iloveyou2026!"), 200, `{"known":true}`)
	want(t, b.post("/password/known", "plain", another), 200, `{"known":false}`)
	for range 250 {
		if b.post("/password/known", "plain", "x").StatusCode == 429 {
			return
		}
	}
	t.Error("questions without end are answered")
}

func TestAnotherPassphraseIsInTheReadersLanguage(t *testing.T) {
	h := openOne(t)
	first, second := h.browser().get("/password/passphrase"), h.browser().get("/password/passphrase")
	if first.body == second.body || len(h.keysOf(lina, first.body, first.body)) > 0 || first.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%q, %q, %s", first.body, second.body, first.Header.Get("Cache-Control"))
	}
}

func TestPasswordManagersFindThePage(t *testing.T) {
	h := openOne(t)
	lead(t, h.browser().get("/.well-known/change-password"), "/password")
	h.viewer = lina.ID
	lead(t, h.browser().get("/.well-known/change-password"), "/identity/password")
}

func TestThePagesSpeakFrench(t *testing.T) {
	h := openOne(t)
	h.language = campus.French
	for path, says := range map[string]string{"/password": "Changer mon mot de passe", "/password/forgotten": "Mot de passe oublié", "/password/link": "Continuer sur cet appareil", "/password/changed": "Votre mot de passe est changé"} {
		want(t, h.browser().get(path), 200, says)
	}
	h.viewer = hugo.ID
	want(t, h.browser().get("/identity/password"), 200, "12 caractères ou plus", "Gardez ce mot de passe pour l’université")
}
