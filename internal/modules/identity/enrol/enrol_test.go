package enrol

import (
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/factortest"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// call is a request to a route, with an identifier in its place.
func (b *browser) call(pattern, id string) answer {
	b.h.t.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	path = strings.ReplaceAll(path, "{id}", id)
	if method == http.MethodPost {
		return b.post(path, "label", "x", "code", "123456", "point", "mobile", "enrolment", "x", "response", "{}", "kept", "on")
	}
	return b.get(path)
}

func TestStrangersGetNowhere(t *testing.T) {
	h := openOne(t)
	id, _ := h.own(lina.ID, "Pixel")
	h.viewer = ""
	for _, route := range h.routes {
		if route.Pattern == "GET "+PrepareURL {
			continue // the steps alone; see its own test
		}
		a := h.browser().call(route.Pattern, id)
		refused := strings.HasPrefix(a.Header.Get("Location"), "/login?next=%2F") || strings.Contains(a.body, "platform.sign_in_needed")
		if route.Public && strings.HasPrefix(route.Pattern, "POST") {
			refused = a.StatusCode == http.StatusGone && strings.Contains(a.body, errLost.Code())
		}
		if !refused {
			t.Errorf("%s answers a stranger with %d", route.Pattern, a.StatusCode)
		}
	}
	h.wantLabels(lina.ID, "Pixel")
	want(t, h.browser().get(addPages[entry.TOTP]+"?at=K7F-3Q9"), http.StatusGone, errLost.Code()) // a sign-in that is over says so
}

func TestSomebodyElsesFactorDoesNotExist(t *testing.T) {
	h := openOne(t)
	id, _ := h.own(lina.ID, "Pixel")
	h.own(hugo.ID, "Fairphone")
	h.viewer = hugo.ID
	for _, route := range h.routes {
		if strings.Contains(route.Pattern, "{id}") {
			want(t, h.browser().call(route.Pattern, id), http.StatusNotFound, "identity.factor_missing")
		}
	}
	h.wantLabels(lina.ID, "Pixel")
}

func TestAStolenPasswordAddsNoFactorToAnAccountThatHasOne(t *testing.T) {
	h := openOne(t)
	h.own(lina.ID, "Pixel")
	h.points = []reach.Point{phone("mobile", time.Unix(0, 0))}
	h.enter(lina.ID)
	tried := 0
	for _, route := range h.routes {
		// What only shows codes again that this browser made needs those codes.
		if !route.Public || strings.HasPrefix(route.Pattern, "GET "+CodesURL+"/") || route.Pattern == "POST "+CodesURL+"/new" || route.Pattern == "GET "+PrepareURL {
			continue
		}
		want(t, h.browser().call(route.Pattern, ""), http.StatusForbidden, "identity.enrol_factor_first", `href="/login/factor"`)
		tried++
	}
	if tried < 15 {
		t.Errorf("%d routes tried", tried)
	}
	h.wantLabels(lina.ID, "Pixel")

	h.actor.FactorAt = h.clock.Now() // shown: now another one may be added
	want(t, h.browser().get(addPages[entry.TOTP]), http.StatusOK)
}

func TestSensitivePagesAskForAFreshFactorFirst(t *testing.T) {
	h := openOne(t)
	id, _ := h.own(lina.ID, "Pixel")
	h.points = []reach.Point{phone("mobile", time.Unix(0, 0))}
	h.fresh = false
	calm := map[string]bool{ // these show, or change a name
		"GET " + ListURL: true, "GET " + ListURL + "/{id}": true, "POST " + ListURL + "/{id}": true, "GET " + AddURL: true, "GET " + FirstURL: true,
		"POST " + FirstURL: true, "GET " + PrepareURL: true, "GET " + MoveURL: true, "GET " + LostURL: true, "GET " + MoveURL + "/done": true,
		"GET " + CodesURL + "/new": true, "POST " + CodesURL + "/new": true, "GET " + CodesURL + "/file": true,
	}
	for _, route := range h.routes {
		a := h.browser().call(strings.Replace(route.Pattern, addPages[entry.Mail], addPages[entry.SMS], 1), id)
		if asked := a.Header.Get("Location") == "/confirm-first"; asked == calm[route.Pattern] {
			t.Errorf("%s: a fresh factor was asked: %v", route.Pattern, asked)
		}
	}
	h.wantLabels(lina.ID, "x") // renamed, and still there
}

func TestTheListSaysWhatIsThereAndWhatIsMissing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		want(t, b.get(ListURL), 200, "Exposed: your password alone", "Your second factors will be here.", "Add a second factor", "None: the second factor is asked")
		id, _ := h.own(lina.ID, "Pixel 8")
		a := b.get(ListURL)
		want(t, a, 200, "Fragile: if your only factor", "Pixel 8", "never used yet", "Add another factor, just in case", "changing my phone", "You have none. They open the door", ListURL+"/"+id)
		h.in(func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE identity_factors SET suspended_at = 5 WHERE id = $1`, id)
			return err
		})
		want(t, b.get(ListURL), 200, "suspended", "Exposed: your password alone")
		want(t, b.get(ListURL+"/"+id), 200, "This key is suspended.")
	})
}

func TestAFactorIsRenamedAndABadNameKept(t *testing.T) {
	h := openOne(t)
	id, _ := h.own(lina.ID, "Pixel")
	b := h.browser()
	want(t, b.post(ListURL+"/"+id, "label", " "), 422, "Give it a name.")
	want(t, b.post(ListURL+"/"+id, "label", strings.Repeat("é", maxLabel+1)), 422, "at most 60", strings.Repeat("é", maxLabel+1))
	lead(t, b.post(ListURL+"/"+id, "label", "Mon téléphone <b>"), ListURL)
	want(t, b.get(ListURL), 200, "Mon téléphone &lt;b&gt;", "The name is saved.")
}

func TestRemovingSaysWhatItDoesAndTellsItsOwner(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		old, _ := h.own(lina.ID, "Old")
		h.clock.Advance(time.Minute)
		h.own(lina.ID, "New")
		b := h.browser()
		want(t, b.get(ListURL+"/"+old+"/remove"), 200, "Remove “Old”?", "You will have 1 other second factor left.")
		h.trust()
		want(t, b.get(ListURL), 200, "the second factor is not asked again", "until Tuesday 22 December")
		want(t, b.get(ListURL+"/"+old+"/remove"), 200, "Trusted devices will have to show a second factor again.")
		lead(t, b.post(ListURL+"/"+old+"/remove"), ListURL)
		h.wantLabels(lina.ID, "New")
		want(t, b.get(ListURL), 200, "None: the second factor is asked at every sign-in.")
		if !slices.Equal(h.letters, []string{"factor_removed"}) || !slices.Equal(h.events, []string{"identity.factor_removed"}) {
			t.Errorf("letters %q, events %q", h.letters, h.events)
		}
		want(t, b.post(ListURL+"/"+old+"/remove"), 404, "identity.factor_missing") // the back button, or a second click
	})
}

func TestTheLastFactorStaysWhereThePolicyNeedsOne(t *testing.T) {
	h := openOne(t, students)
	id, _ := h.own(lina.ID, "Pixel")
	b := h.browser()
	want(t, b.get(ListURL+"/"+id+"/remove"), 200, "It is your last second factor")
	want(t, b.post(ListURL+"/"+id+"/remove"), http.StatusConflict, "identity.factor_last", `href="`+AddURL+`"`)
	h.wantLabels(lina.ID, "Pixel")
	if len(h.letters) > 0 {
		t.Errorf("a letter says %q", h.letters)
	}
}

func TestTheChoiceSaysWhatSuitsWhomAndWhatIsNotOffered(t *testing.T) {
	h := openOne(t)
	a := h.browser().get(AddURL)
	want(t, a, 200, "Passkey", "suggested", "Authenticator app", "Suits almost everybody", "Security key", "Code by text message", "Not offered by your university: Code by mail")
	h.own(lina.ID, "Pixel")
	want(t, h.browser().get(AddURL), 200, "added")
	h.enter(hugo.ID)
	h.actor.Shared = true // nobody's passkey belongs on a computer that others use
	if a := h.browser().get(FirstURL); strings.Index(a.body, "suggested") < strings.Index(a.body, "Authenticator app") {
		t.Error("a passkey is suggested on a shared computer")
	}
	only := openOne(t, func(c *factor.Config) { c.Methods = []entry.Method{entry.TOTP} })
	want(t, only.browser().get(addPages[entry.SMS]), http.StatusForbidden, "identity.factor_not_allowed")
	want(t, only.browser().get(CodesURL), http.StatusForbidden, "identity.factor_not_allowed")
}

func TestTheFirstFactorIsAddedOnTheWayIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.enter(lina.ID)
		b := h.browser()
		a := b.get(here(FirstURL, h.actor))
		want(t, a, 200, "Choose a second factor", "Why now?", "put it off until", ">Later<", addPages[entry.TOTP]+"?at="+h.actor.At)
		key, enrolment := app(t, b.get(here(addPages[entry.TOTP], h.actor)))
		again, _ := app(t, b.get(here(addPages[entry.TOTP], h.actor)))
		if key != again {
			t.Error("a reload shows another square")
		}
		want(t, b.post(addPages[entry.TOTP], "enrolment", enrolment, "label", "Pixel", "code", ""), 422, "Type the code.", `value="Pixel"`)
		a = b.post(addPages[entry.TOTP], "enrolment", enrolment, "label", "Pixel", "code", "000000")
		want(t, a, 422, "identity.totp_wrong", h.actor.At, `value="Pixel"`)
		if _, after, _ := strings.Cut(a.body, "identity.totp_wrong"); !strings.Contains(after, `name="code"`) || strings.Contains(after, "<svg xmlns") {
			t.Error("the refusal does not stand between the square and the field")
		}
		if !slices.Equal(h.stumble, []string{"identity.totp_wrong"}) {
			t.Errorf("the story tells of %q", h.stumble)
		}
		lead(t, b.post(addPages[entry.TOTP], "enrolment", enrolment, "label", "Pixel", "code", h.code(key, 0)), ListURL)
		if len(h.proved) != 1 || h.proved[0].Method != entry.TOTP || h.proved[0].Factor == "" {
			t.Errorf("proved: %+v", h.proved)
		}
		h.wantLabels(lina.ID, "Pixel")
		if !slices.Equal(h.letters, []string{"factor_added"}) || !slices.Equal(h.events, []string{"identity.factor_added"}) {
			t.Errorf("letters %q, events %q", h.letters, h.events)
		}
	}, students)
}

func TestAPageThatIsOutOfDateSaysSo(t *testing.T) {
	h := openOne(t)
	b := h.browser()
	key, enrolment := app(t, b.get(addPages[entry.TOTP]))
	lead(t, b.post(addPages[entry.TOTP], "enrolment", enrolment, "label", "One", "code", h.code(key, 0)), ListURL)
	h.clock.Advance(time.Minute)
	a := b.post(addPages[entry.TOTP], "enrolment", enrolment, "label", "Two", "code", h.code(key, 0)) // sent twice, or another tab
	want(t, a, http.StatusGone, "identity.enrolment_over")
	if fresh, _ := app(t, a); fresh == key {
		t.Error("the square of a phone that is registered is shown again")
	}
	h.wantLabels(lina.ID, "One")
}

func TestAPhoneWhoseClockIsWrongIsTakenAndToldSo(t *testing.T) {
	for late, says := range map[time.Duration]string{2 * time.Minute: "2 minutes slow", -2 * time.Minute: "2 minutes fast"} {
		h := openOne(t)
		b := h.browser()
		key, enrolment := app(t, b.get(addPages[entry.TOTP]))
		lead(t, b.post(addPages[entry.TOTP], "enrolment", enrolment, "label", "One", "code", h.code(key, late)), ListURL)
		want(t, b.get(ListURL), 200, says)
	}
}

// phone is a number of lina's that counts from a moment.
func phone(id string, from time.Time) reach.Point {
	return reach.Point{ID: id, Channel: reach.MobilePhone, Value: "+33612345678", Masked: "+33 6 •• •• •• 78", VerifiedAt: time.Unix(0, 0), UsableAt: from}
}

func TestAPhoneIsAddedOnceItsCodeIsTyped(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b, page := h.browser(), addPages[entry.SMS]
		want(t, b.get(page), 200, "We have no mobile number for you.")
		h.points = []reach.Point{phone("mobile", time.Unix(0, 0)), phone("new", h.clock.Now().Add(72*time.Hour))}
		want(t, b.get(page), 200, "•• 78", "Changed lately: can be used from")
		want(t, b.post(page), 422, "Choose where the code should go.")
		want(t, b.post(page, "point", "hugos"), 404, "identity.factor_missing")
		want(t, b.post(page, "point", "new"), 409, "identity.factor_waits")
		lead(t, b.post(page, "point", "mobile"), page+"/code?point=mobile")
		want(t, b.get(page+"/code?point=mobile"), 200, "•• 78", `name="code"`)
		want(t, b.get(page+"/code?point=hugos"), 404)
		want(t, b.post(page+"/code?point=mobile", "code", ""), 422, "Type the code.")
		wrong := "000000"
		if h.sent == wrong {
			wrong = "000001"
		}
		want(t, b.post(page+"/code?point=mobile", "code", wrong), 422, `aria-invalid="true"`)
		lead(t, b.post(page+"/code?point=mobile", "code", h.sent), ListURL)
		want(t, b.get(ListURL), 200, "The number is added.", "•• 78")
		if n := len(h.labels(lina.ID)); n != 1 {
			t.Errorf("%d factors", n)
		}
		want(t, b.post(page+"/code?point=mobile", "code", h.sent), 422) // used up
		want(t, b.get(page), 200, "One of your factors already.")
	})
}

func TestAKeyNeedsItsAnswer(t *testing.T) {
	h := openOne(t)
	b := h.browser()
	for _, kind := range keyKinds {
		a := b.get(addPages[kind])
		want(t, a, 200, `data-webauthn="create"`, `publicKey`, `name="ceremony"`, "<noscript>", "This step needs JavaScript", AddURL)
		want(t, b.post(addPages[kind], "label", "Blue"), 422, "The answer of the key did not arrive.", `value="Blue"`)
		want(t, b.post(addPages[kind], "label", "Blue", "ceremony", "forged", "response", "{}"), http.StatusGone, "identity.key_ceremony_over", `value="Blue"`)
	}
	h.wantLabels(lina.ID)
}

func TestRecoveryCodesAreShownUntilTheyAreKept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		want(t, b.get(CodesURL), 200, "Add a second factor first.")
		want(t, b.post(CodesURL), http.StatusConflict, "identity.recovery_codes_alone")
		h.own(lina.ID, "Pixel")
		want(t, b.get(CodesURL), 200, "You have no recovery codes yet.")
		lead(t, b.post(CodesURL), CodesURL+"/new")
		a := b.get(CodesURL + "/new")
		want(t, a, 200, "lmartin", "data-print", "Download as a text file")
		if n := strings.Count(a.body, "<li><code>"); n != 10 {
			t.Errorf("%d codes", n)
		}
		shown := strings.SplitN(strings.SplitN(a.body, "<li><code>", 2)[1], "<", 2)[0]
		want(t, b.get(CodesURL+"/new"), 200, shown) // a reload, or the back button
		file := b.get(CodesURL + "/file")
		want(t, file, 200, shown, "lmartin")
		if d := file.Header.Get("Content-Disposition"); !strings.HasPrefix(d, `attachment; filename="recovery-codes.txt"`) || file.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("sent as %q, %q", d, file.Header.Get("Cache-Control"))
		}
		want(t, h.browser().get(CodesURL+"/new"), http.StatusGone, "identity.enrol_codes_gone") // another browser
		want(t, b.post(CodesURL+"/new"), 422, "Keep the codes first", shown)
		lead(t, b.post(CodesURL+"/new", "kept", "on"), ListURL)
		want(t, b.get(CodesURL+"/new"), http.StatusGone, "identity.enrol_codes_gone")
		want(t, b.get(CodesURL), 200, "You have 10 codes left.", "New codes cancel the old ones at once.")
	})
}

func TestRecoveryCodesThatDoNotCountAreNotShown(t *testing.T) {
	h := openOne(t)
	h.own(lina.ID, "Pixel")
	h.own(hugo.ID, "Fairphone")
	first, second := h.browser(), h.browser()
	lead(t, first.post(CodesURL), CodesURL+"/new")
	h.clock.Advance(time.Second)
	lead(t, second.post(CodesURL), CodesURL+"/new")
	want(t, first.get(CodesURL+"/new"), http.StatusGone, "identity.enrol_codes_gone")
	want(t, second.get(CodesURL+"/new"), 200)
	h.viewer = hugo.ID // on the same computer, with codes of the same instant
	lead(t, h.browser().post(CodesURL), CodesURL+"/new")
	want(t, second.get(CodesURL+"/new"), http.StatusGone)
	want(t, second.get(CodesURL+"/file"), http.StatusGone)
	h.viewer = lina.ID
	h.clock.Advance(showCodesFor + time.Second)
	want(t, second.get(CodesURL+"/new"), http.StatusGone)
}

func TestTheFirstFactorIsPutOffOnlyWhileGraceLasts(t *testing.T) {
	h := openOne(t, students)
	h.enter(lina.ID)
	b := h.browser()
	want(t, b.get(here(FirstURL, h.actor)), 200, ">Later<")
	lead(t, b.post(FirstURL), "/")
	if !h.putOff {
		t.Error("it was not put off")
	}
	h.putOff = false
	h.clock.Advance(15 * 24 * time.Hour)
	h.enter(lina.ID)
	without(t, b.get(here(FirstURL, h.actor)), ">Later<")
	want(t, b.post(FirstURL), http.StatusForbidden, "identity.enrol_too_late")
	if h.putOff {
		t.Error("it was put off after the grace")
	}
}

func TestWhoNeedsNoFactorGoesOn(t *testing.T) {
	h := openOne(t)
	h.enter(lina.ID)
	h.browser().post(FirstURL)
	if !h.went || h.putOff {
		t.Errorf("went on: %v, put off: %v", h.went, h.putOff)
	}
}

func TestAServiceThatAsksForAFactorSaysSoAndIsReached(t *testing.T) {
	h := openOne(t, func(c *factor.Config) { c.RequiredServices = []string{"moodle"} })
	h.enter(lina.ID)
	without(t, h.browser().get(FirstURL), "Why now?")
	h.toMoodle = true
	for _, page := range []string{FirstURL, addPages[entry.TOTP], addPages[entry.Passkey], addPages[entry.SMS]} {
		a := h.browser().get(page)
		if policy := a.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https://moodle.example") {
			t.Errorf("%s: the form may not end at the service: %s", page, policy)
		}
	}
	want(t, h.browser().get(FirstURL), 200, "Why now?", ">Later<")
}

func TestPreparingTicksWhatIsDone(t *testing.T) {
	h := openOne(t)
	b := h.browser()
	h.viewer = ""
	a := b.get(PrepareURL)
	want(t, a, 200, "Ready for the semester", "Sign in to begin", "/login?next=%2Fidentity%2Ffactors%2Fprepare", "<svg", "data-print")
	without(t, a, "Done:")
	h.viewer = lina.ID
	want(t, b.get(PrepareURL), 200, "Now:", AddURL)
	h.own(lina.ID, "One")
	if a := b.get(PrepareURL); strings.Count(a.body, "Done:") != 1 {
		t.Errorf("%d steps are done", strings.Count(a.body, "Done:"))
	}
	h.clock.Advance(time.Minute)
	h.own(lina.ID, "Two")
	want(t, b.get(PrepareURL), 200, `href="`+CodesURL+`"`)
	b.post(CodesURL)
	want(t, b.get(PrepareURL), 200, "All is ready.")
}

func TestAnAppMovesToAnotherPhoneAtOneInstant(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		want(t, b.get(MoveURL), 200, "There is nothing to move.")
		id, _ := h.own(lina.ID, "Old phone")
		h.clock.Advance(time.Minute)
		want(t, b.get(MoveURL), 200, "Old phone", MoveURL+"/"+id, "I do not have the old phone any more")
		a := b.get(MoveURL + "/" + id)
		want(t, a, 200, `aria-current="step"`, "stops working at the very moment", "You can stop here")
		key, enrolment := app(t, a)
		if again, _ := app(t, b.get(MoveURL+"/"+id)); again != key {
			t.Error("who comes back finds another square")
		}
		want(t, b.post(MoveURL+"/"+id, "enrolment", enrolment, "label", "New phone", "code", "000000"), 422, "identity.totp_wrong")
		h.wantLabels(lina.ID, "Old phone")
		if len(h.letters)+len(h.events) > 0 {
			t.Errorf("letters %q, events %q", h.letters, h.events)
		}
		lead(t, b.post(MoveURL+"/"+id, "enrolment", enrolment, "label", "New phone", "code", h.code(key, 0)), MoveURL+"/done")
		h.wantLabels(lina.ID, "New phone")
		if !slices.Contains(h.events, "identity.factor_added") || !slices.Contains(h.events, "identity.factor_removed") || len(h.letters) == 0 {
			t.Errorf("letters %q, events %q", h.letters, h.events)
		}
		want(t, b.get(MoveURL+"/done"), 200, "Your new phone is ready.", CodesURL)
		want(t, b.get(MoveURL+"/"+id), 404, "identity.factor_missing") // the back button
	})
}

func TestOnlyAnAppMovesAndTheOthersAreExplained(t *testing.T) {
	h := openOne(t)
	h.points = []reach.Point{phone("mobile", time.Unix(0, 0))}
	b := h.browser()
	b.post(addPages[entry.SMS], "point", "mobile")
	b.post(addPages[entry.SMS]+"/code?point=mobile", "code", h.sent)
	want(t, b.get(MoveURL), 200, "text messages follow the SIM card")
	factors, err := h.Factors.Of(t.Context(), lina.ID)
	if err != nil || len(factors) != 1 {
		t.Fatal(factors, err)
	}
	want(t, b.get(MoveURL+"/"+factors[0].ID), http.StatusConflict, "identity.enrol_move_not_app")
	want(t, b.post(MoveURL+"/"+factors[0].ID), http.StatusConflict, "identity.enrol_move_not_app")
	want(t, b.get(LostURL), 200, "Get a code on the new SIM card", "Ask for supervised recovery")
}

func TestTheAdviceLeadsToWhereItIsFollowed(t *testing.T) {
	h := openOne(t)
	advice := func() (string, string) {
		t.Helper()
		key, to, ok, err := h.Advice(t.Context(), lina.ID)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		return key, to
	}
	if key, to := advice(); key != "identity.factor.advice.first" || to != AddURL {
		t.Errorf("%s at %s", key, to)
	}
	h.own(lina.ID, "Pixel")
	if key, to := advice(); key != "identity.factor.advice.codes" || to != CodesURL {
		t.Errorf("%s at %s", key, to)
	}
}

var (
	optionsOnPage  = regexp.MustCompile(`data-options="([^"]+)"`)
	ceremonyOnPage = regexp.MustCompile(`name="ceremony" value="([^"]+)"`)
)

// answerTo lets a key answer the question of a page.
func answerTo(t *testing.T, key *factortest.Authenticator, a answer) (ceremony, response string) {
	t.Helper()
	options, id := optionsOnPage.FindStringSubmatch(a.body), ceremonyOnPage.FindStringSubmatch(a.body)
	if options == nil || id == nil {
		t.Fatalf("no question on %s", a.Request.URL.Path)
	}
	body, err := key.Create([]byte(html.UnescapeString(options[1])))
	if err != nil {
		t.Fatal(err)
	}
	return html.UnescapeString(id[1]), string(body)
}

func TestAKeyIsAddedByItsAnswerAndOnlyOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b, page := h.browser(), addPages[entry.Passkey]
		key := factortest.New(h.url)
		ceremony, response := answerTo(t, key, b.get(page))
		lead(t, b.post(page, "ceremony", ceremony, "response", response, "label", "Laptop"), ListURL)
		h.wantLabels(lina.ID, "Laptop")
		if len(h.proved) != 1 || h.proved[0].Method != entry.Passkey {
			t.Errorf("proved: %+v", h.proved)
		}
		want(t, b.post(page, "ceremony", ceremony, "response", response, "label", "Twice"), http.StatusGone, "identity.key_ceremony_over")
		ceremony, response = answerTo(t, factortest.New("https://evil.example"), b.get(page))
		want(t, b.post(page, "ceremony", ceremony, "response", response), http.StatusForbidden, "identity.key_origin")
		h.wantLabels(lina.ID, "Laptop")

		ceremony, response = answerTo(t, factortest.New(h.url), b.get(page))
		h.viewer = hugo.ID // another account answers with lina's ceremony
		want(t, b.post(page, "ceremony", ceremony, "response", response), http.StatusGone, "identity.key_ceremony_over")
		h.wantLabels(hugo.ID)
	})
}
