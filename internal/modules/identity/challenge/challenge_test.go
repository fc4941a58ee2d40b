package challenge

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
)

func TestAStrangerGetsTheFaultOfTheDoor(t *testing.T) {
	h := open(t)
	h.app()
	h.plug()
	h.actor = entry.Actor{}
	for _, page := range []answer{
		h.get(FactorURL), h.get(lostURL), h.post(FactorURL+"/totp", "code", "123456"), h.post(FactorURL+"/key", "response", "{}"),
		h.post(sendURL, "factor", "x"), h.post(troubleURL, "error", "NotAllowedError"),
	} {
		if page.StatusCode != 410 {
			t.Errorf("%s %s: %d", page.Request.Method, page.Request.URL, page.StatusCode)
		}
	}
	if len(h.proved)+len(h.stumble)+h.went > 0 {
		t.Error("something was done for a stranger")
	}
}

func TestTheBestWayComesFirstAndTheOthersAreLinks(t *testing.T) {
	h := open(t)
	h.app()
	h.phone()
	h.plug()
	page := h.get(FactorURL + "?at=K7F-3Q9")
	want(t, page, 200, "Use my key or passkey", `data-webauthn="get"`, "Moodle", "Code of your app", "+33 6 •• •• •• 78", "Code that somebody gives you", "I no longer have it", `name="at" value="K7F-3Q9"`)
	if !strings.Contains(page.Header.Get("Content-Security-Policy"), "https://moodle.example") {
		t.Error("the answer cannot end at the service")
	}
	want(t, h.get(FactorURL+"?at=K7F-3Q9&way=totp"), 200, "Code that the app shows", `autocomplete="one-time-code"`, `inputmode="numeric"`, "for 30 days")
	want(t, h.get(FactorURL+"?way=mail"), 404)
}

func TestACodeOfTheAppGoesOn(t *testing.T) {
	h := open(t)
	key := h.app()
	want(t, h.post(FactorURL+"/totp", "code", " "), 422, "Type the code.")
	want(t, h.post(FactorURL+"/totp", "code", strings.Repeat("1", 200)), 422, "longer than any code")
	want(t, h.post(FactorURL+"/totp", "code", "000000", "trust", "on"), 422, "This is not the code.", "identity.totp_wrong · K7F-3Q9", `name="trust" value="on" checked`)
	if len(h.stumble) != 1 || h.stumble[0] != "identity.totp_wrong" {
		t.Errorf("the story says %v", h.stumble)
	}
	right := h.code(key)
	lead(t, h.post(FactorURL+"/totp", "code", right, "trust", "on", "back", "/identity/factors"), "/identity/factors")
	if len(h.proved) != 1 || h.proved[0].Method != entry.TOTP || !h.proved[0].Trust {
		t.Errorf("proved %+v", h.proved)
	}
	want(t, h.post(FactorURL+"/totp", "code", right), 409, "This code has been used.")
	h.clock.Advance(2 * time.Minute)
	lead(t, h.post(FactorURL+"/totp", "code", h.code(key), "back", "https://evil.example/"), "/")
}

func TestOnASharedComputerNothingIsTrusted(t *testing.T) {
	h := open(t)
	key := h.app()
	h.actor.Shared = true
	if page := h.get(FactorURL); strings.Contains(page.body, `name="trust"`) {
		t.Error("the box is there")
	}
	lead(t, h.post(FactorURL+"/totp", "code", h.code(key), "trust", "on"), "/")
	if h.proved[0].Trust {
		t.Error("a shared computer is trusted")
	}
}

func TestTheBackButtonAndASecondTabGoOn(t *testing.T) {
	h := open(t)
	key := h.app()
	h.actor.FactorAt = h.clock.Now()
	lead(t, h.get(FactorURL), "/next")
	lead(t, h.post(FactorURL+"/totp", "code", h.code(key)), "/next")
	if h.went != 2 || len(h.proved) > 0 {
		t.Errorf("went on %d times, proved %v", h.went, h.proved)
	}
}

func TestInsideASessionAFreshProofIsAskedAgain(t *testing.T) {
	h := open(t)
	key := h.app()
	h.actor = entry.Actor{Person: lina.ID, Session: "session", FactorAt: h.clock.Now().Add(-time.Hour)}
	page := h.get(FactorURL + "?back=/identity/factors")
	want(t, page, 200, "prove once more", `name="back" value="/identity/factors"`)
	if strings.Contains(page.body, `name="trust"`) {
		t.Error("trust is offered where it cannot be written")
	}
	lead(t, h.post(FactorURL+"/totp", "code", h.code(key), "back", "/identity/factors"), "/identity/factors")
}

func TestACodeByTextMessageLeavesOnlyWhenAskedFor(t *testing.T) {
	h := open(t)
	id := h.phone()
	h.sent = ""
	want(t, h.get(FactorURL), 200, "Send me a code", "+33 6 •• •• •• 78")
	if h.sent != "" {
		t.Error("opening the page sent a code")
	}
	lead(t, h.post(sendURL, "way", "sms", "factor", id, "at", "K7F-3Q9"), FactorURL+"?at=K7F-3Q9&factor="+id+"&way=sms")
	want(t, h.get(FactorURL+"?way=sms&factor="+id), 200, `action="/login/factor/sms"`, `name="factor" value="`+id+`"`)
	want(t, h.post(FactorURL+"/sms", "factor", id, "code", "000000"), 422, "identity.code_wrong")
	lead(t, h.post(FactorURL+"/sms", "factor", id, "code", h.sent), "/")
	if len(h.proved) != 1 || h.proved[0].Factor != id {
		t.Errorf("proved %+v", h.proved)
	}
}

func TestACodeSentForAnotherSignInIsNotAskedFor(t *testing.T) {
	h := open(t)
	id := h.phone()
	lead(t, h.post(sendURL, "way", "sms", "factor", id), FactorURL+"?at=K7F-3Q9&factor="+id+"&way=sms")
	want(t, h.get(FactorURL), 200, `action="/login/factor/sms"`)
	h.actor.Attempt = "on the computer, a minute later"
	page := h.get(FactorURL)
	want(t, page, 200, "Send me a code")
	if strings.Contains(page.body, `action="/login/factor/sms"`) {
		t.Error("the page asks for a code that opens nothing here")
	}
	h.refuses = reach.TooSoon.With(map[string]any{"wait": time.Minute})
	want(t, h.post(sendURL, "way", "sms", "factor", id), 429, "identity.reach_too_soon", "Send me a code")
}

func TestAGatewayThatIsDownLeavesTheOtherWays(t *testing.T) {
	h := open(t)
	id := h.phone()
	h.app()
	lead(t, h.post(sendURL, "way", "sms", "factor", id), FactorURL+"?at=K7F-3Q9&factor="+id+"&way=sms")
	h.refuses = reach.TooSoon
	lead(t, h.post(sendURL, "way", "sms", "factor", id), FactorURL+"?at=K7F-3Q9&factor="+id+"&way=sms")
	h.refuses = factor.Waits.With(map[string]any{"date": h.clock.Now()}) // any reason for people to read
	want(t, h.post(sendURL, "way", "sms", "factor", id), 409, "Code of your app", "I no longer have it", "identity.factor_waits")
	if len(h.proved)+h.went > 0 {
		t.Error("the factor was skipped")
	}
}

func TestAKeyProvesByAnOrdinaryForm(t *testing.T) {
	h := open(t)
	h.plug()
	page := h.get(FactorURL)
	options, ceremony := page.field(t, `data-options="([^"]+)"`), page.field(t, `name="ceremony" value="([^"]+)"`)
	reply, err := h.key.Get([]byte(options))
	if err != nil {
		t.Fatal(err)
	}
	want(t, h.post(FactorURL+"/key"), 422, "Your key was not asked")
	lead(t, h.post(FactorURL+"/key", "ceremony", ceremony, "response", string(reply)), "/")
	if len(h.proved) != 1 || h.proved[0].Method != entry.Passkey {
		t.Errorf("proved %+v", h.proved)
	}
	want(t, h.post(FactorURL+"/key", "ceremony", ceremony, "response", string(reply)), 410, "identity.key_ceremony_over")
	h.key.Origin = "https://amphi.evil.example"
	if reply, err = h.key.Get([]byte(options)); err != nil {
		t.Fatal(err)
	}
	want(t, h.post(FactorURL+"/key", "ceremony", ceremony, "response", string(reply)), 403, "https://amphi.evil.example", "copy made to trick you")
}

func TestWhatTheBrowserSaidOfAKeyIsToldApart(t *testing.T) {
	cases := []struct{ name, after, want string }{
		{"NotAllowedError", "120", "identity.key_absent"},
		{"NotAllowedError", "4200", "identity.key_cancelled"},
		{"SecurityError", "3", "identity.key_site"},
		{"Unsupported", "0", "identity.key_unsupported"},
		{"NotSupportedError", "90", "identity.key_unsupported"},
		{"<script>", "NaN", "identity.key_failed"},
	}
	h := open(t)
	h.plug()
	for i, c := range cases {
		want(t, h.post(troubleURL, "error", c.name, "after", c.after), 204)
		if len(h.stumble) != i+1 || h.stumble[i] != c.want {
			t.Fatalf("%s after %s: %v", c.name, c.after, h.stumble)
		}
	}
}

func TestWhoLostTheirFactorSeesWhatTheyHave(t *testing.T) {
	h := open(t)
	h.app()
	if _, err := h.Factors.NewCodes(t.Context(), factor.Occasion{Actor: h.actor}); err != nil {
		t.Fatal(err)
	}
	want(t, h.get(lostURL+"?at=K7F-3Q9"), 200, "Recovery code", "10 codes left", "/identity/recovery?at=K7F-3Q9", "way=relayed")

	// Only a key, and it is stopped: nothing is skipped.
	h = open(t)
	h.plug()
	copied := h.key.Clone()
	for _, key := range []interface {
		Get([]byte) ([]byte, error)
	}{h.key, h.key, copied} {
		page := h.get(FactorURL)
		reply, err := key.Get([]byte(page.field(t, `data-options="([^"]+)"`)))
		if err != nil {
			t.Fatal(err)
		}
		h.post(FactorURL+"/key", "ceremony", page.field(t, `name="ceremony" value="([^"]+)"`), "response", string(reply))
	}
	want(t, h.get(FactorURL), 200, "None of your own factors works now", "was stopped", "Recover my account")
	if len(h.proved) != 2 || h.went > 0 {
		t.Errorf("proved %d times, went on %d times", len(h.proved), h.went)
	}
}

func TestACodePassedOnIsTyped(t *testing.T) {
	h := open(t)
	h.app()
	desk := account.Person{ID: "desk", State: account.Active, Rights: []campus.Right{campus.RightHelpdesk}}
	given, err := h.Factors.Relay(t.Context(), factor.Occasion{}, desk, lina)
	if err != nil {
		t.Fatal(err)
	}
	want(t, h.get(FactorURL+"?way=relayed"), 200, "Code that you were given", "8 letters")
	lead(t, h.post(FactorURL+"/relayed", "code", given.Code), "/")
	if h.proved[0].Method != entry.Relayed {
		t.Errorf("proved %+v", h.proved)
	}
}

func TestAPasskeySignsInAlone(t *testing.T) {
	h := open(t)
	h.plug()
	h.actor = entry.Actor{}
	begin := h.post(PasskeyBeginURL)
	var asked factor.Ceremony
	if err := json.Unmarshal([]byte(begin.body), &asked); err != nil || begin.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%v: %s", err, begin.body)
	}
	reply, err := h.key.Get(asked.Options)
	if err != nil {
		t.Fatal(err)
	}
	lead(t, h.post(PasskeyURL, "ceremony", asked.ID, "response", string(reply), "next", "/portal/news", "shared", "on"), "/portal/news")
	if h.entered != lina.ID || !h.from.Shared || h.proved[0].Method != entry.Passkey {
		t.Errorf("%s entered from %+v by %+v", h.entered, h.from, h.proved)
	}
	want(t, h.post(PasskeyURL, "ceremony", asked.ID, "response", string(reply), "next", "/portal/news"), 410, "Sign in another way", "/login?next=%2Fportal%2Fnews")
	lead(t, h.post(PasskeyURL, "next", "https://evil.example"), "/login")
}
