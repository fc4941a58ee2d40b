package activation

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

func TestEveryMistakeOfFormIsExplainedAtItsField(t *testing.T) {
	h := openOne(t)
	h.lina()
	cases := []struct{ name, path, field, value, want string }{
		{"no address", "/activate", "who", " ", "Type your university mail address"},
		{"a personal address", "/activate", "who", "lina@gmail.com", "ends in @valmont.example"},
		{"a blank inside", "/activate", "who", "lina martin@valmont.example", "neither a mail address nor an identifier"},
		{"half an address", "/activate", "who", "lina.martin@", "neither a mail address nor an identifier"},
		{"no number", "/activate", "number", "", "Type your student number."},
		{"a number too short", "/activate", "number", "22", "such as 21900123"},
		{"a mobile that is words", "/activate", "mobile", "my phone", "not a phone number"},
		{"a landline", "/activate", "mobile", "01 23 45 67 89", "cannot receive text messages"},
		{"no mobile", "/activate", "mobile", "", "Type the mobile number"},
		{"no personal address", "/activate/other", "address", "", "Type the personal address"},
		{"a broken personal address", "/activate/other", "address", "lina at mail", "not a mail address"},
		{"the university's as the personal one", "/activate/other", "address", "lina.martin@valmont.example", "Type your personal one"},
		{"marked-up text", "/activate", "who", `"><script>alert(1)</script>`, "&lt;script&gt;"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			form := linasForm()
			form.Set("address", "lina@mail.example")
			form.Set(c.field, c.value)
			a := h.browser().post(c.path, form)
			want(t, a, 422, c.want, `href="#field-`+c.field+`"`)
			if c.field != "number" && !strings.Contains(a.body, `value="22104567"`) {
				t.Error("what was typed elsewhere is lost")
			}
		})
	}
	if len(h.lookUps) != 0 {
		t.Errorf("a form with mistakes made look-ups: %q", h.lookUps)
	}
}

func TestTheNationalNumberIsToldFromTheStudentNumber(t *testing.T) {
	h := openOne(t, func(_ *Deps, c *Config, _ *mailer.Config) { c.StudentNumber = `[0-9]{8}` })
	form := linasForm()
	form.Set("number", "1234567890A")
	want(t, h.browser().post("/activate", form), 422, "looks like the INE")
}

func TestWhatIsTypedMayLookOtherwiseThanTheRecord(t *testing.T) {
	for name, change := range map[string]url.Values{
		"capitals and blanks":   {"who": {"  Lina.Martin@Valmont.Example "}, "number": {" 2210 4567 "}},
		"the identifier":        {"who": {"LMARTIN"}},
		"letters for digits":    {"number": {"221O4567"}},
		"full-width digits":     {"number": {"２２１０４５６７"}},
		"an international form": {"mobile": {"+33 (0)6.12.34.56.78"}},
		"two noughts":           {"mobile": {"0033612345678"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := openOne(t)
			h.lina()
			form := linasForm()
			for k, v := range change {
				form[k] = v
			}
			want(t, h.browser().post("/activate", form), 200, "Type the code")
		})
	}
}

// What a stranger gets is the same, byte for byte, after the same look-ups and
// no sooner than patience.
func TestStrangersDoNotLearnWhoExistsNorWhichPartIsWrong(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.lina()
		h.add(account.Person{Login: "ppaul", Mail: "paul.paul@valmont.example", FamilyName: "Paul", StudentNumber: "22104999", State: account.Invited}, "", "")
		h.add(account.Person{Login: "aactive", Mail: "anne.active@valmont.example", FamilyName: "Active", StudentNumber: "22104888", State: account.Active}, "+33611111111", "")
		h.add(account.Person{Login: "cclosed", Mail: "carl.closed@valmont.example", FamilyName: "Closed", StudentNumber: "22104777", State: account.Closed}, "+33622222222", "")
		h.add(account.Person{Login: "staff1", Mail: "sam.staff@valmont.example", FamilyName: "Staff", State: account.Invited}, "+33633333333", "")
		cases := []struct{ name, who, number, mobile string }{
			{"nobody", "no.body@valmont.example", "22104567", "0612345678"},
			{"a wrong number", "lina.martin@valmont.example", "22104568", "0612345678"},
			{"a wrong phone", "lina.martin@valmont.example", "22104567", "0612345679"},
			{"all of it wrong", "no.body@valmont.example", "22109999", "0699999999"},
			{"no phone in the record", "paul.paul@valmont.example", "22104999", "0612345678"},
			{"an active account and a wrong phone", "anne.active@valmont.example", "22104888", "0612345678"},
			{"a closed account and a wrong phone", "carl.closed@valmont.example", "22104777", "0612345678"},
			{"somebody without a student number", "sam.staff@valmont.example", "00000000", "0633333333"},
		}
		var first answer
		var firstLookUps []string
		for i, c := range cases {
			h.lookUps = nil
			start := time.Now()
			a := h.browser().post("/activate", url.Values{"who": {c.who}, "number": {c.number}, "mobile": {c.mobile}})
			if took := time.Since(start); took < patience {
				t.Errorf("%s: answered after %v", c.name, took)
			}
			for _, typed := range []string{c.who, c.number, c.mobile} {
				a.body = strings.ReplaceAll(a.body, typed, "TYPED")
			}
			if i == 0 {
				first, firstLookUps = a, h.lookUps
				want(t, a, 422, "identity.activation_no_match", "02:00", "a parent’s", "/activate/desk")
				continue
			}
			if a.StatusCode != first.StatusCode || a.body != first.body {
				t.Errorf("%s: the answer differs", c.name)
			}
			if a.Header.Get("Set-Cookie") != first.Header.Get("Set-Cookie") {
				t.Errorf("%s: the cookies differ", c.name)
			}
			if !slices.Equal(h.lookUps, firstLookUps) {
				t.Errorf("%s: looked up %q, not %q", c.name, h.lookUps, firstLookUps)
			}
		}
		if n := len(h.outbox(codeKind)); n != 0 {
			t.Errorf("%d codes were sent", n)
		}
	})
}

func TestTheLikeliestCauseComesFirst(t *testing.T) {
	h := openOne(t)
	form := linasForm() // nobody of this name is in the register
	a := h.browser().post("/activate", form)
	want(t, a, 422)
	before := -1
	for _, cause := range []string{"may not have reached us yet", "when you registered, perhaps an older one", "and not a personal one", "is not the INE."} {
		at := strings.LastIndex(a.body, cause)
		if at <= before && before >= 0 && at >= 0 && cause != "is not the INE." || at < 0 {
			t.Errorf("%q does not stand where it should", cause)
		}
		before = at
	}
}

func TestTooManyBeginningsAreSlowedByNumberByAddressAndByNetwork(t *testing.T) {
	few := func(_ *Deps, c *Config, _ *mailer.Config) { c.Burst, c.NetworkBurst = 3, 5 }
	try := func(h *house, who, number string) answer {
		return h.browser().post("/activate", url.Values{"who": {who}, "number": {number}, "mobile": {"0612345678"}})
	}
	t.Run("one number", func(t *testing.T) {
		h := openOne(t, few)
		for i := range 3 {
			want(t, try(h, "no.body"+string(rune('a'+i))+"@valmont.example", "22104567"), 422, "identity.activation_no_match")
		}
		a := try(h, "no.bodyz@valmont.example", "22104567")
		want(t, a, 429, "identity.activation_slowed", "10 minutes", `value="22104567"`)
		if a.Header.Get("Retry-After") == "" {
			t.Error("programs are not told how long to wait")
		}
		h.clock.Advance(11 * time.Minute)
		want(t, try(h, "no.bodyy@valmont.example", "22104567"), 422)
	})
	t.Run("one address", func(t *testing.T) {
		h := openOne(t, few)
		for i := range 3 {
			want(t, try(h, "lmartin", "2210456"+string(rune('0'+i))), 422)
		}
		want(t, try(h, "lmartin", "22104569"), 429, "identity.activation_slowed")
	})
	t.Run("one network", func(t *testing.T) {
		h := openOne(t, few)
		for i := range 5 {
			want(t, try(h, "no.body"+string(rune('a'+i)), "2210456"+string(rune('0'+i))), 422)
		}
		want(t, try(h, "no.bodyz", "22104569"), 429, "identity.activation_slowed")
		h.move("198.51.100.7")
		want(t, try(h, "no.bodyz", "22104569"), 422)
	})
}

func TestAnActiveAccountIsToldToWhoKnowsAllOfIt(t *testing.T) {
	h := openOne(t)
	lina := h.lina()
	h.setState(lina.ID, account.Active)
	want(t, h.browser().begin(), 409, "identity.activation_already", "/login", "Forgotten password")
	if len(h.outbox(codeKind)) != 0 {
		t.Error("a code was sent for nothing")
	}
}

func TestNumbersAreComparedAsPeopleReadThem(t *testing.T) {
	cases := []struct{ typed, want string }{
		{"22104567", "22104567"}, {" 2210-4567 ", "22104567"}, {"e221o4567", "E22104567"}, {"2210 4567\u00a0", "22104567"}, {"l2I", "121"}, {"", ""}, {"…", ""},
	}
	for _, c := range cases {
		if got := NormalNumber(c.typed); got != c.want {
			t.Errorf("%q is read as %q, not %q", c.typed, got, c.want)
		}
	}
}
