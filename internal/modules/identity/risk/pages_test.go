package risk

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

func admin() campus.Viewer {
	return campus.Viewer{Person: "root", Session: "s", Rights: []campus.Right{campus.RightAdmin}, Locale: campus.English}
}

// proved puts Lina in the middle of a sign-in in a browser that she never used.
func (h *house) proved() {
	h.actor = entry.Actor{Person: lina.ID, Attempt: "a", At: "K7F-3Q9", ProvedAt: h.clock.Now()}
}

func TestOnlyAdministratorsSeeTheRules(t *testing.T) {
	h := openOne(t)
	stranger := h.get("/identity/risk")
	stranger.want(t, http.StatusSeeOther)
	if to := stranger.Header.Get("Location"); !strings.HasPrefix(to, "/login") {
		t.Errorf("a stranger is sent to %s", to)
	}
	for _, right := range []campus.Right{"", campus.RightHelpdesk, campus.RightNews, campus.RightSecretariat} {
		h.viewer = campus.Viewer{Person: "x", Session: "s", Rights: []campus.Right{right}}
		h.get("/identity/risk").want(t, http.StatusForbidden)
	}
	h.viewer = admin()
	h.get("/identity/risk").want(t, http.StatusOK, "Unusual sign-ins", "Impossible travel", "No attack on many accounts", "second factor from 30, lock from 100 points")
}

func TestAStrangerLearnsNothingAboutLocks(t *testing.T) {
	h := openOne(t)
	h.refuse(40, lina, "", abroad)
	without := h.get("/login/locked")
	without.want(t, http.StatusOK, "What a lock is")
	without.lacks(t, "K7F-3Q9", "Ends by itself")
	h.actor = entry.Actor{Person: lina.ID, Session: "s"} // inside a session, and so not on the way in
	h.get("/login/locked").want(t, http.StatusOK, "What a lock is")
	h.actor = entry.Actor{}
	for _, form := range []url.Values{{"code": {"123456"}}, {}} {
		a := h.post("/login/unlock", form)
		a.want(t, http.StatusSeeOther)
		if to := a.Header.Get("Location"); to != "/login/locked" {
			t.Errorf("sent on to %s", to)
		}
	}
	h.post("/login/locked/send", url.Values{}).want(t, http.StatusSeeOther)
	if len(h.letters) != 0 || h.locked(lina, "") == 0 {
		t.Error("a stranger sent a letter, or unlocked")
	}
}

func TestWhoProvedThePasswordIsToldWhyUntilWhenAndWhatEndsIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := Circumstances{Person: lina, Address: abroad, Identifier: "lmartin"}
		v := h.suspicious(c)
		h.in(func(tx db.Tx) error {
			_, err := h.Risk.Lock(t.Context(), tx, c, v)
			return err
		})
		h.proved()
		page := h.get("/login/locked?at=K7F-3Q9")
		page.want(t, http.StatusOK, "Your account is locked for a while", "5 wrong passwords came right before the right one", "home of Lina", "far away", "Send me an unlock code", "K7F-3Q9", `name="at" value="K7F-3Q9"`)
		page.lacks(t, "/login/factor")
		h.factor = true
		h.get("/login/locked").want(t, http.StatusOK, "Unlock with my second factor", "/login/factor?at=K7F-3Q9")
	})
}

func TestWithoutALockTheWayInGoesOn(t *testing.T) {
	h := openOne(t)
	h.proved()
	h.get("/login/locked").want(t, http.StatusOK, "further on the way in")
	h.post("/login/locked/send", url.Values{}).want(t, http.StatusOK, "further on the way in")
	h.refuse(10, lina, "", abroad)
	h.known = "laptop" // the lock is for those that she never used
	h.get("/login/locked").want(t, http.StatusOK, "further on the way in")
	h.actor.Shared = true
	h.get("/login/locked").want(t, http.StatusOK, "further on the way in")
	h.known = ""
	h.get("/login/locked").want(t, http.StatusOK, "Your account is locked for a while")
}

func TestACodeUnlocks(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.refuse(40, lina, "", abroad)
		h.proved()
		a := h.post("/login/locked/send", url.Values{"at": {"K7F-3Q9"}})
		a.want(t, http.StatusSeeOther)
		if to := a.Header.Get("Location"); to != "/login/locked?at=K7F-3Q9" {
			t.Errorf("sent on to %s", to)
		}
		if got := h.kinds(lina); !slices.Equal(got, []string{"unlock"}) {
			t.Fatalf("letters %v", got)
		}
		plain, _ := h.letters[0].arg("code").(string)
		if len(plain) != 6 {
			t.Fatalf("the code is %q", plain)
		}
		wrong := "000000"
		if plain == wrong {
			wrong = "111111"
		}
		h.post("/login/unlock", url.Values{"code": {wrong}}).want(t, http.StatusUnprocessableEntity, "Error:", "The code does not match", "Send me an unlock code")
		h.post("/login/unlock", url.Values{"code": {""}}).want(t, http.StatusUnprocessableEntity)
		if h.locked(lina, "") == 0 || len(h.stumble) != 2 {
			t.Errorf("a wrong code unlocks; %d are in the story", len(h.stumble))
		}
		h.actor.Person = hugo.ID // a code of somebody else
		h.refuse(40, hugo, "", abroad)
		h.post("/login/unlock", url.Values{"code": {plain}}).want(t, http.StatusUnprocessableEntity)
		if h.locked(hugo, "") == 0 {
			t.Error("a code of somebody else unlocks")
		}
		h.proved()
		h.post("/login/unlock", url.Values{"code": {plain[:3] + " " + plain[3:]}}).want(t, http.StatusOK, "further on the way in")
		if h.locked(lina, "") != 0 || h.lock1(lina).How != ByCode || h.lock1(lina).LiftedBy != lina.ID {
			t.Error("the right code does not unlock")
		}
		h.refuse(10, lina, "", abroad)
		h.post("/login/unlock", url.Values{"code": {plain}}).want(t, http.StatusUnprocessableEntity)
	})
}

func TestAFactorProvedOnTheWayUnlocks(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.refuse(40, lina, "", abroad)
		h.proved()
		h.get("/login/locked").want(t, http.StatusOK, "Your account is locked for a while")
		h.actor.FactorAt = h.clock.Now()
		h.get("/login/locked").want(t, http.StatusOK, "further on the way in")
		if h.locked(lina, "") != 0 || h.lock1(lina).How != ByFactor || !h.happened("identity.unlocked") {
			t.Error("the factor does not unlock")
		}
	})
}

func TestALinkOnlyAsksAndItsButtonUnlocks(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.refuse(40, lina, "", abroad)
		h.work()
		link := h.letters[0].URL
		for range 3 { // a scanner of mail, then its owner, then the back button
			h.get(link).want(t, http.StatusOK, "Unlock my account", h.token())
		}
		if h.locked(lina, "") == 0 {
			t.Fatal("following the link unlocks")
		}
		a := h.post("/login/unlock", url.Values{"token": {h.token()}})
		a.want(t, http.StatusSeeOther)
		if h.locked(lina, "") != 0 || h.lock1(lina).How != ByLink || a.Header.Get("Location") != "/login" {
			t.Error("the button does not unlock")
		}
		h.post("/login/unlock", url.Values{"token": {h.token()}}).want(t, http.StatusGone, "identity.unlock_gone", "Sign in")
		h.get("/login/unlock").want(t, http.StatusSeeOther)
	})
}

func TestALinkOpenedInTheBrowserThatWaitsLetsItGoOn(t *testing.T) {
	h := openOne(t)
	h.refuse(40, lina, "", abroad)
	h.work()
	h.actor = entry.Actor{Person: hugo.ID, Attempt: "b", At: "B22-B22"}
	token := h.token()
	h.post("/login/unlock", url.Values{"token": {token}}).want(t, http.StatusSeeOther)
	if len(h.went) != 0 {
		t.Error("somebody else went on")
	}
	h.refuse(40, lina, "", abroad)
	if err := h.sendUnlock(t.Context(), h.lock1(lina), nil); err != nil {
		t.Fatal(err)
	}
	h.proved()
	h.post("/login/unlock", url.Values{"token": {h.token()}}).want(t, http.StatusOK, "further on the way in")
}

func TestTooManyCodesAreExplained(t *testing.T) {
	h := openOne(t)
	h.refuse(40, lina, "", abroad)
	h.proved()
	var a answer
	for range 11 {
		a = h.post("/login/locked/send", url.Values{})
	}
	a.want(t, http.StatusTooManyRequests, "identity.code_too_many")
}

// week is what happened: an ordinary sign-in, one in a new browser that its owner
// proved, and one that looks stolen.
func (h *house) week() {
	h.t.Helper()
	judged := func(who string, fired []string, outcome Outcome, proved entry.Method, incident string) {
		p := lina
		if who == "hugo" {
			p = hugo
		}
		h.clock.Advance(time.Minute)
		h.note(Signal{Circumstances: Circumstances{Person: p}, Outcome: outcome, Proved: proved, Incident: incident, Verdict: Verdict{Signal: "signal " + incident, Fired: fired}})
	}
	judged("lina", nil, In, "", "AAA-AAA")
	judged("lina", []string{"new_device", "new_network"}, In, entry.TOTP, "BBB-BBB")
	judged("hugo", []string{"new_device", "new_country", "travel"}, Stopped, "", "CCC-CCC")
	judged("hugo", []string{"hour"}, In, "", "DDD-DDD")
	h.refuse(3, lina, "", abroad)
}

func TestOtherNumbersAreTriedOnWhatHappened(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.week()
		try := func(days int, change func(*Trial)) Result {
			trial := h.InForce()
			change(&trial)
			r, err := h.Try(t.Context(), trial, days)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		for _, c := range []struct {
			name                                  string
			change                                func(*Trial)
			asked, locked, people, proved, sample int
		}{
			{"the numbers in force", func(*Trial) {}, 1, 1, 2, 1, 2},
			{"a stricter lock", func(t *Trial) { t.Lock = 30 }, 0, 2, 2, 1, 2},
			{"nobody is asked", func(t *Trial) { t.AskFactor = 0 }, 0, 1, 1, 0, 1},
			{"a rule that is off would count", func(t *Trial) { t.Points["hour"] = 30 }, 2, 1, 2, 1, 3},
			{"all rules off", func(t *Trial) { t.Points = nil }, 0, 0, 0, 0, 0},
		} {
			r := try(7, c.change)
			if r.Asked != c.asked || r.Locked != c.locked || r.People != c.people || r.Proved != c.proved || len(r.Samples) != c.sample || r.Judged != 4 || r.Refused != 3 {
				t.Errorf("%s: %+v", c.name, r)
			}
		}
		r := try(7, func(*Trial) {})
		if s := r.Samples[0]; s.Incident != "CCC-CCC" || s.Score != 100 || s.Act != Lock || s.In || s.Proved {
			t.Errorf("the newest sample is %+v", s)
		}
		if !slices.Equal(r.Kinds, []KindResult{{"", 0, 1}, {"student", 1, 0}}) || r.Rules["new_device"] != 2 || r.Rules["hour"] != 1 {
			t.Errorf("%+v, %+v", r.Kinds, r.Rules)
		}
		h.clock.Advance(7*24*time.Hour + time.Minute)
		if r := try(7, func(*Trial) {}); r.Judged != 0 {
			t.Errorf("what is older than a week counts: %+v", r)
		}
		if r := try(1000, func(*Trial) {}); r.Judged != 4 || r.Days != mostDays {
			t.Errorf("five weeks back: %+v", r)
		}
	})
}

func TestTheTrialPageShowsWhatToPasteAndSavesNothing(t *testing.T) {
	h := openOne(t)
	h.viewer = admin()
	h.get("/identity/risk").want(t, http.StatusOK, "What the rules judged will be summed up here")
	h.week()
	page := h.get("/identity/risk?lock=30&hour=30&days=7")
	page.want(t, http.StatusOK, "What these numbers would have done", "lock = 30", "hour = 30", "[identity.risk.points]", "BBB-BBB", "CCC-CCC", "Students", "signed in with a factor", "did not get in")
	again := h.get("/identity/risk")
	again.want(t, http.StatusOK, "What the numbers in force did", "lock from 100 points")
	again.lacks(t, "lock = 30", "[identity.risk.points]")
	for query, wrong := range map[string]string{
		"lock=-1": "Type a whole number between 0 and 1000", "ask=many": "Type a whole number", "days=36": "between 1 and 35", "travel=1001": "Type a whole number",
		"ask=50&lock=40": "must not be lower", "lock=%3Cscript%3E": "Type a whole number",
	} {
		bad := h.get("/identity/risk?" + query)
		bad.want(t, http.StatusUnprocessableEntity, "Error:", wrong)
		bad.lacks(t, "<script>")
	}
	h.spray(60, abroad)
	h.get("/identity/risk").want(t, http.StatusOK, "Passwords are being tried on many accounts, from 203.0.113.9 (far away)", "going on")
}

func TestThePageOfTheRulesIsSaidInFrenchToo(t *testing.T) {
	h := openOne(t)
	h.viewer = admin()
	h.viewer.Locale = campus.French
	h.week()
	h.spray(60, abroad)
	page := h.get("/identity/risk?lock=30")
	page.want(t, http.StatusOK, "Connexions inhabituelles", "Voyage impossible", "Ce que ces nombres auraient fait")
	if i := strings.Index(page.body, "⟦"); i >= 0 {
		t.Errorf("a sentence is missing: %.80s", page.body[i:])
	}
}
