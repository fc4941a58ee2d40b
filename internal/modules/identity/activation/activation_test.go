package activation

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

func TestAStudentActivatesTheirAccountWithTheCertificateAndThePhone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina, b := h.lina(), h.browser()
		want(t, b.get("/activate"), 200, "Activate my account · step 1 of 5", "Student number", "@valmont.example")
		want(t, b.begin(), 200, "step 2 of 5", "Type the code", "••\u00a078")
		want(t, b.typeCode(h.lastCode()), 200, "step 3 of 5", "lmartin", "Choose your password")
		if h.state(lina.ID) != account.Invited {
			t.Fatal("active before there is a password")
		}
		want(t, b.choose("short"), 422, "Error:", "lmartin")
		want(t, b.choose(goodPassword), 200, "step 4 of 5", "/identity/factors/add")
		if s := h.state(lina.ID); s != account.Active {
			t.Errorf("the account is %s", s)
		}
		if h.passwords[lina.ID] != "hash of "+goodPassword {
			t.Errorf("the password is %q", h.passwords[lina.ID])
		}
		want(t, b.get("/activate/done"), 200, "lmartin", "lina.martin@valmont.example", "no second protection")
		if got := h.kinds(); !slices.Contains(got, "identity.account_activated") {
			t.Errorf("the journal holds %q", got)
		}
		var to []string
		for _, m := range h.outbox("activated") {
			to = append(to, m.To)
			if !strings.Contains(m.Text, "lmartin") || !strings.Contains(m.Text, "was not you") && !strings.Contains(m.Text, "Not you?") {
				t.Errorf("the letter to %s says %q", m.To, m.Text)
			}
		}
		if slices.Sort(to); !slices.Equal(to, []string{"+33612345678", "lina.martin@valmont.example", "lina@mail.example"}) {
			t.Errorf("told of it: %q", to)
		}
		// In the portal it is good news, and leads to what to do next.
		if n := h.bell[len(h.bell)-1]; n.TitleEnglish != "Your account is active" || n.Tone != "good" || n.URL != "/identity/factors/add" {
			t.Errorf("in the portal: %+v", n)
		}
	})
}

func TestWhoHasASecondFactorIsNotAskedForOne(t *testing.T) {
	h := openOne(t)
	lina, b := h.lina(), h.browser()
	b.prove()
	h.factors[lina.ID] = true
	a := b.choose(goodPassword)
	want(t, a, 200, "Your account is open")
	if strings.Contains(a.body, "/identity/factors/add") {
		t.Error("a factor is asked for again")
	}
}

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

func TestABlockedAccountIsToldOnlyAfterTheCode(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.lina()
		for _, s := range []account.State{account.Suspended, account.Closed} {
			h.setState(lina.ID, s)
			h.clock.Advance(time.Hour)
			b := h.browser()
			a := b.begin()
			want(t, a, 200, "Type the code")
			if strings.Contains(a.body, "blocked") {
				t.Errorf("%s is told before anything is proved", s)
			}
			want(t, b.typeCode(h.lastCode()), 403, "identity.activation_blocked", "Fees not paid", "Registration office")
			want(t, b.choose(goodPassword), 403)
			if h.state(lina.ID) != s || len(h.passwords) != 0 {
				t.Errorf("the account is %s now", h.state(lina.ID))
			}
		}
	})
}

func TestACodeIsGoodOnItsDeviceAndOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.lina()
		here, there := h.browser(), h.browser()
		here.begin()
		mine := h.lastCode()
		h.clock.Advance(2 * time.Minute)
		there.begin()
		want(t, there.typeCode(mine), 422, "does not match")
		want(t, here.typeCode("000000"), 422)
		want(t, here.typeCode(mine), 200, "Choose your password")
		want(t, here.typeCode(mine), 200, "Choose your password") // pressed twice
		want(t, h.browser().typeCode(mine), 410, "identity.activation_lost")
	})
}

func TestACodeOnItsWayOutlivesTheBackButton(t *testing.T) {
	h := openOne(t)
	h.lina()
	b := h.browser()
	b.begin()
	mine := h.lastCode()
	want(t, b.begin(), 200, "Type the code") // back, and the button once more
	if n := len(h.outbox(codeKind)); n != 1 {
		t.Errorf("%d codes were sent", n)
	}
	other := h.browser()
	want(t, other.begin(), 429, "identity.activation_sent_elsewhere", "Send a code to")
	want(t, b.typeCode(mine), 200, "Choose your password")
	want(t, b.begin(), 200, "Choose your password")
}

func TestCodesCannotBeGuessed(t *testing.T) {
	h := openOne(t)
	lina, b := h.lina(), h.browser()
	b.begin()
	right := h.lastCode()
	for range 5 {
		wrong := "111111"
		if wrong == right {
			wrong = "222222"
		}
		b.typeCode(wrong)
	}
	want(t, b.typeCode(right), 410, "Too many wrong codes")
	want(t, b.get("/activate/password"), 200, "Type the code")
	want(t, b.choose(goodPassword), 200, "Type the code")
	if h.state(lina.ID) != account.Invited {
		t.Error("the account is open")
	}
}

func TestNewCodesDoNotAddUpToMoreGuesses(t *testing.T) {
	h := openOne(t, func(_ *Deps, c *Config, _ *mailer.Config) { c.Burst = 3 })
	lina, b := h.lina(), h.browser()
	b.begin()
	points, err := h.points(t.Context(), lina.ID)
	if err != nil {
		t.Fatal(err)
	}
	at := func(c reach.Channel) url.Values {
		i := slices.IndexFunc(points, func(p reach.Point) bool { return p.Channel == c })
		return url.Values{"point": {points[i].ID}}
	}
	want(t, b.post("/activate/code/send", at(reach.MobilePhone)), 429, "identity.reach_too_soon")
	want(t, b.post("/activate/code/send", at(reach.RecoveryMail)), 200, "A new code is on its way")
	h.clock.Advance(2 * time.Minute)
	other := h.browser() // on another device it counts on
	other.begin()
	want(t, other.get("/activate/code"), 200)
	a := b.post("/activate/code/send", at(reach.MobilePhone))
	want(t, a, 429, "identity.activation_slowed")
	if n := len(h.outbox(codeKind)); n > 3 {
		t.Errorf("%d codes were sent", n)
	}
}

func TestACodeIsOverInTime(t *testing.T) {
	h := openOne(t)
	h.lina()
	b := h.browser()
	b.begin()
	right := h.lastCode()
	h.clock.Advance(16 * time.Minute)
	want(t, b.typeCode(right), 410)
	want(t, b.post("/activate/code/send", url.Values{"point": {"nobody's"}}), 422, "identity.activation_point_missing")
	want(t, b.typeCode(right), 410)
}

func TestACodeCanGoElsewhere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina, b := h.lina(), h.browser()
		want(t, b.begin(), 200, "Send a code to l…@mail.example")
		points, err := h.points(t.Context(), lina.ID)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(points, func(p reach.Point) bool { return p.Channel == reach.RecoveryMail })
		want(t, b.post("/activate/code/send", url.Values{"point": {points[i].ID}}), 200, "A new code is on its way", "l…@mail.example")
		sent := h.outbox(codeKind)
		if last := sent[len(sent)-1]; last.To != "lina@mail.example" {
			t.Errorf("it went to %s", last.To)
		}
		want(t, b.typeCode(h.lastCode()), 200, "Choose your password")
	})
}

func TestACodeNeverGoesToTheUniversitysAddress(t *testing.T) {
	h := openOne(t)
	h.lina()
	b := h.browser()
	b.begin()
	want(t, b.post("/activate/code/send", url.Values{"point": {reach.MailPoint}}), 422, "identity.activation_point_missing")
}

func TestWhoLostTheNumberUsesTheAddressOfTheRecord(t *testing.T) {
	h := openOne(t)
	h.lina()
	b := h.browser()
	form := linasForm()
	form.Del("mobile")
	form.Set("address", "Lina@mail.example")
	want(t, b.post("/activate/other", form), 200, "Type the code", "l…@mail.example")
	form.Set("address", "another@mail.example")
	want(t, h.browser().post("/activate/other", form), 422, "identity.activation_no_match", "The personal address is the one")
	want(t, b.get("/activate/desk"), 200, "registration certificate")
}

func TestWithoutTextMessagesTheOtherWayIsOffered(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.lina()
		b := h.browser()
		want(t, b.begin(), 503, "mailer.sms_off", "Send a code to l…@mail.example")
		want(t, b.get("/activate/code"), 200, "Send a code to l…@mail.example")
	}, func(_ *Deps, _ *Config, post *mailer.Config) { post.SMS.Transport = mailer.TransportNone })
}

func TestAnActivationGoesOnAfterThePhoneDied(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.lina()
		h.browser().prove() // and the phone is off
		h.clock.Advance(3 * time.Hour)
		b := h.browser()
		want(t, b.prove(), 200, "Choose your password")
		want(t, b.choose(goodPassword), 200)
		if h.state(lina.ID) != account.Active {
			t.Error("the account is not active")
		}
	})
}

func TestTheLinkGoesOnOnAnotherDeviceOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina, phone, computer := h.lina(), h.browser(), h.browser()
		phone.prove()
		want(t, phone.post("/activate/later", url.Values{}), 200, "The link is on its way to +33")
		link := h.last("activation_link", anyLink)
		for range 3 { // a program that looks at links
			want(t, h.browser().get(link), 200, "Go on here")
		}
		_, token, _ := strings.Cut(link, "token=")
		want(t, h.browser().get("/activate/resume?token="+token[:len(token)-1]+"x"), 410, "identity.activation_link_over")
		want(t, computer.post("/activate/resume", url.Values{"token": {token}}), 200, "Choose your password")
		want(t, h.browser().post("/activate/resume", url.Values{"token": {token}}), 410, "identity.activation_link_over")
		want(t, h.browser().get(link), 410)
		want(t, computer.choose(goodPassword), 200, "Protect your account")
		if h.state(lina.ID) != account.Active {
			t.Error("the account is not active")
		}
	})
}

func TestALinkIsOnlySentToWhoHasProvedWhoTheyAre(t *testing.T) {
	h := openOne(t)
	h.lina()
	b := h.browser()
	b.begin()
	want(t, b.post("/activate/later", url.Values{}), 200, "Type the code")
	want(t, h.browser().post("/activate/later", url.Values{}), 410, "identity.activation_lost")
	if len(h.outbox("activation_link")) != 0 {
		t.Error("a link was sent")
	}
}

func TestAnActivationIsOverAfterADay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina, b := h.lina(), h.browser()
		b.prove()
		b.post("/activate/later", url.Values{})
		link := h.last("activation_link", anyLink)
		h.clock.Advance(25 * time.Hour)
		want(t, b.choose(goodPassword), 410, "identity.activation_expired", "/activate")
		want(t, h.browser().get(link), 410)
		want(t, b.get("/activate"), 200) // nothing to go on with is offered
		if h.state(lina.ID) != account.Invited {
			t.Error("the account is active")
		}
		h.clock.Advance(31 * 24 * time.Hour)
		if err := h.forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(t, b.get("/activate/password"), 410, "identity.activation_lost")
	})
}

func TestOfTwoDevicesThatFinishAtOnceOneWins(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := h.lina()
		devices := []*browser{h.browser(), h.browser(), h.browser()}
		for _, b := range devices {
			b.prove()
			h.clock.Advance(2 * time.Minute)
		}
		answers := make([]answer, 2*len(devices)) // each presses twice
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = devices[i%len(devices)].choose(goodPassword + string(rune('a'+i%len(devices)))) })
		}
		all.Wait()
		won := map[int]bool{}
		for i, a := range answers {
			switch a.StatusCode {
			case http.StatusOK:
				won[i%len(devices)] = true
			case http.StatusConflict:
				want(t, a, 409, "identity.activation_not_invited", "The password chosen first counts")
			default:
				t.Errorf("device %d: %d", i%len(devices), a.StatusCode)
			}
		}
		if len(won) != 1 {
			t.Fatalf("%d devices won", len(won))
		}
		for i := range won {
			if got := h.passwords[lina.ID]; got != "hash of "+goodPassword+string(rune('a'+i)) {
				t.Errorf("device %d won, and the password is %q", i, got)
			}
		}
		n := 0
		for _, kind := range h.kinds() {
			if kind == "identity.account_activated" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("activated %d times", n)
		}
	})
}

func TestTheBackButtonLeadsOn(t *testing.T) {
	h := openOne(t)
	h.lina()
	b := h.browser()
	b.begin()
	want(t, b.get("/activate"), 200, "Go on where I stopped")
	b.typeCode(h.lastCode())
	want(t, b.get("/activate/code"), 200, "Choose your password")
	want(t, b.choose(goodPassword), 200, "Protect your account")
	want(t, b.get("/activate/password"), 200, "Protect your account")
	want(t, b.get("/activate/code"), 200, "Protect your account")
	want(t, b.choose("another password"), 200, "Protect your account")
}

func TestPagesOfTheWayNeedTheStepsBefore(t *testing.T) {
	h := openOne(t)
	for _, path := range []string{"/activate/code", "/activate/password"} {
		want(t, h.browser().get(path), 410, "identity.activation_lost")
	}
	b := h.browser()
	u, _ := url.Parse(h.server.URL)
	b.Jar.SetCookies(u, []*http.Cookie{{Name: cookie, Value: "forged"}})
	want(t, b.get("/activate/password"), 410, "identity.activation_lost")
	for _, path := range []string{"/activate/factor", "/activate/done"} {
		if a := h.browser().get(path); a.StatusCode == 200 && strings.Contains(a.body, "Your account is") {
			t.Errorf("%s is open to strangers", path)
		}
	}
}

func TestEveryQueryRunsOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schema...)
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

func TestACodeOfALetterIsReadAsItWasMade(t *testing.T) {
	for range 200 {
		plain := newLetterCode()
		if got := normalLetterCode(strings.ToLower(shownLetterCode(plain))); got != plain {
			t.Fatalf("%q is read as %q", plain, got)
		}
	}
}

func TestTheDefaultsAreInOrderAndMistakesAreNamed(t *testing.T) {
	if p := Defaults().Check(); len(p) != 0 {
		t.Errorf("the defaults: %v", p)
	}
	c := Defaults()
	c.StudentNumber, c.Transfer, c.Burst = "[", "soon", 0
	var keys []string
	for _, p := range c.Check() {
		keys = append(keys, p.Key)
	}
	if !slices.Equal(keys, []string{"burst", "student_number", "transfer"}) {
		t.Errorf("mistakes at %q", keys)
	}
}
