package reach

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

const (
	firstPhone, newPhone, thirdPhone = "+33612345678", "+33700000001", "+33700000002"
	personal                         = "lina@gmail.example"
)

// without the portal's bell, and so on.
func noSMS(_ *Deps, c *mailer.Config)  { c.SMS.Transport = mailer.TransportNone }
func noDemo(d *Deps, _ *mailer.Config) { d.Demo = false }

func TestTheFirstNumberOfTheRecordCountsAtOnceAndQuietly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.record(MobilePhone, "06 12 34 56 78")
		h.record(RecoveryMail, personal)
		h.record(MobilePhone, firstPhone) // the record is read every night
		h.wantUsable(firstPhone, personal)
		if sent := h.outbox(); len(sent) > 0 {
			t.Errorf("sent: %v", sent)
		}
	})
}

func TestTheFirstNumberOfAnAccountThatIsUsedWarnsAndWaits(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.in(func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE identity_people SET state = 'active'")
			return err
		})
		h.record(RecoveryMail, personal) // by whoever writes into a source
		h.wantUsable()
		if got := h.to("contact_changed"); !slices.Contains(got, lina.Mail) {
			t.Errorf("warned: %q", got)
		}
		h.clock.Advance(73 * time.Hour)
		h.wantUsable(personal)
	})
}

func TestANumberChangedInTheRecordWarnsEverywhereAndCountsLater(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.record(MobilePhone, firstPhone)
		h.own(RecoveryMail, personal)
		h.record(MobilePhone, newPhone)
		h.record(MobilePhone, newPhone)
		if got, all := h.to("contact_changed"), []string{firstPhone, lina.Mail, personal}; !slices.Equal(got, all) {
			t.Errorf("warned: %q, want %q, once each", got, all)
		}
		if len(h.bell) != 1 || h.bell[0].URL != "/identity/contacts" || h.bell[0].Tone != "warn" {
			t.Errorf("in the portal: %+v", h.bell)
		}
		if len(h.events) != 1 || h.events[0].Kind != "identity.contact_changed" || breakable.Replace(h.events[0].Facts["value"]) != "+33 7 •• •• •• 01" {
			t.Errorf("journal: %+v", h.events)
		}
		h.wantUsable(firstPhone, personal)
		h.clock.Advance(72*time.Hour - time.Second)
		h.wantUsable(firstPhone, personal)
		h.clock.Advance(time.Second)
		h.wantUsable(newPhone, personal)
	})
}

func TestAnAddedNumberWaitsTooOnceSomethingIsConfirmed(t *testing.T) {
	h := openOne(t)
	h.own(RecoveryMail, personal)
	h.record(MobilePhone, newPhone)
	h.wantUsable(personal)
	if got := h.to("contact_changed"); !slices.Equal(got, []string{lina.Mail, personal}) {
		t.Errorf("warned: %q", got)
	}
	h.clock.Advance(72 * time.Hour)
	h.wantUsable(personal, newPhone)
}

func TestARecordThatChangesItsMindLeavesWhatCounted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.record(MobilePhone, firstPhone)
		h.record(MobilePhone, newPhone)
		h.clock.Advance(time.Hour)
		h.record(MobilePhone, firstPhone)
		h.clock.Advance(100 * time.Hour)
		h.wantUsable(firstPhone)
		h.record(MobilePhone, newPhone)
		h.clock.Advance(time.Hour)
		h.record(MobilePhone, thirdPhone) // and again before the first change counts
		h.clock.Advance(71 * time.Hour)
		h.wantUsable(firstPhone)
		h.clock.Advance(time.Hour)
		h.wantUsable(thirdPhone)
	})
}

func TestTheRecordIsNotTakenAtItsWordForOddValues(t *testing.T) {
	h := openOne(t)
	err := h.DB.InTx(t.Context(), func(tx db.Tx) error { return h.Record(t.Context(), tx, lina.ID, MobilePhone, "01 23 45 67 89") })
	if !errors.Is(err, Landline) {
		t.Errorf("a landline: %v", err)
	}
}

func TestItWasNotMeStopsAChangeForGood(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.record(MobilePhone, firstPhone)
		h.record(MobilePhone, newPhone)
		link := h.lastRefusal()
		h.viewer = "" // it works without a sign-in
		for range 3 { // a mail scanner follows links
			want(t, h.get(link), 200, "Was it you?", "+33 7 •• •• •• 01", "In your registration record", "It was not me")
			want(t, h.do("HEAD", link, nil), 200)
		}
		h.clock.Advance(71 * time.Hour)
		want(t, h.post(link), 200, "The change is stopped.", `href="/password"`)
		want(t, h.post(link), 410, "identity.reach_refused")
		want(t, h.get(link), 410, "identity.reach_refused")
		h.record(MobilePhone, newPhone) // the record says it again the next night
		h.clock.Advance(100 * time.Hour)
		h.wantUsable(firstPhone)
		if got := h.to("contact_refused"); !slices.Contains(got, lina.Mail) {
			t.Errorf("told: %q", got)
		}
		if last := h.events[len(h.events)-1]; last.Kind != "identity.contact_refused" || last.Person != lina.ID {
			t.Errorf("journal: %+v", last)
		}
	})
}

func TestALinkOfItWasNotMeEndsAndIsNotGuessed(t *testing.T) {
	h := openOne(t)
	h.record(MobilePhone, firstPhone)
	h.record(MobilePhone, newPhone)
	link := h.lastRefusal()
	want(t, h.get(link+"x"), 404, "identity.reach_refusal_missing", "See my contact details")
	want(t, h.post("/identity/contact-change/x"), 404)
	h.clock.Advance(72*time.Hour + time.Second)
	want(t, h.get(link), 404)
	want(t, h.post(link), 404)
	h.wantUsable(newPhone)
}

func TestAConfirmedChangeCountsAtOnceAndCanStillBeStopped(t *testing.T) {
	h := openOne(t)
	h.record(MobilePhone, firstPhone)
	h.record(MobilePhone, newPhone)
	points, err := h.Points(t.Context(), lina.ID)
	if err != nil {
		t.Fatal(err)
	}
	pending := points[len(points)-1]
	if !pending.Waiting(h.clock.Now()) {
		t.Fatalf("the newest is %+v", pending)
	}
	lead(t, h.post(pointURL(pending.ID, "send")), pointURL(pending.ID, "code"))
	lead(t, h.post(pointURL(pending.ID, "code"), CodeField, h.lastCode()), "/identity/contacts")
	h.wantUsable(firstPhone, newPhone)
	want(t, h.post(h.lastRefusal()), 200)
	h.clock.Advance(100 * time.Hour)
	h.wantUsable(firstPhone)
}

func TestOnesOwnNumberCountsOnceItsCodeIsTyped(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.post("/identity/contacts/new", "channel", "mobile", "value", "06 12 34 56 78")
		to := a.Header.Get("Location")
		if a.StatusCode != 303 || !strings.HasSuffix(to, "/code") {
			t.Fatalf("led to %q", to)
		}
		h.wantUsable()
		want(t, h.get(to), 200, "+33 6 12 34 56 78", "at 09:00", `autocomplete="one-time-code"`, `inputmode="numeric"`, "Send it again", `data-resend-at="2026-11-22T09:01:00Z"`)
		want(t, h.post(to, CodeField, ""), 422, "Type the code from the message.")
		want(t, h.post(to, CodeField, "000000x"), 422, "You have 4 tries left.")
		lead(t, h.post(to, CodeField, h.lastCode()), "/identity/contacts")
		h.wantUsable(firstPhone)
		want(t, h.get("/identity/contacts"), 200, "+33 6 12 34 56 78", "confirmed", "Codes when you sign in", "Given by you")
		if got := h.to("contact_confirmed"); !slices.Equal(got, []string{lina.Mail}) {
			t.Errorf("told: %q", got)
		}
		if last := h.events[len(h.events)-1]; last.Kind != "identity.contact_confirmed" {
			t.Errorf("journal: %+v", last)
		}
		lead(t, h.get(to), "/identity/contacts") // the back button
		want(t, h.post(h.lastRefusal()), 200)
		h.wantUsable()
	})
}

func TestANewNumberTakesOverFromTheOldOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		old := h.own(MobilePhone, firstPhone)
		a := h.post("/identity/contacts/new", "channel", "mobile", "value", newPhone, "instead", old)
		h.wantUsable(firstPhone) // until the new one is confirmed
		lead(t, h.post(a.Header.Get("Location"), CodeField, h.lastCode()), "/identity/contacts")
		h.wantUsable(newPhone)
		want(t, h.post(h.lastRefusal()), 200)
		h.wantUsable(firstPhone) // back again
	})
}

func TestWhatIsAddedIsCheckedAtTheField(t *testing.T) {
	h := openOne(t)
	h.own(MobilePhone, firstPhone)
	for name, c := range map[string]struct{ channel, value, want string }{
		"nothing":                  {"mobile", "", "Type a mobile number."},
		"no address":               {"recovery_mail", "", "Type an address."},
		"a landline":               {"mobile", "01 23 45 67 89", "landline"},
		"half a number":            {"mobile", "06 12", "not a complete mobile number"},
		"half an address":          {"recovery_mail", "lina@", "not a complete mail address"},
		"the institution's":        {"recovery_mail", "lina@VALMONT.example", "one of the university"},
		"what is there already":    {"mobile", "0612345678", "in your list already"},
		"what looks like a markup": {"mobile", "<script>alert(1)</script>", "&lt;script&gt;"},
	} {
		t.Run(name, func(t *testing.T) {
			want(t, h.post("/identity/contacts/new", "channel", c.channel, "value", c.value), 422, c.want, `value="`)
		})
	}
	if sent := h.outbox(); len(sent) > 0 {
		t.Errorf("sent: %v", sent)
	}
}

func TestWhatWasNeverConfirmedCanBeGivenAgain(t *testing.T) {
	h := openOne(t)
	first := h.post("/identity/contacts/new", "channel", "recovery_mail", "value", personal).Header.Get("Location")
	second := h.post("/identity/contacts/new", "channel", "recovery_mail", "value", personal).Header.Get("Location") // pressed twice
	if first != second || len(h.outbox()) != 1 {
		t.Errorf("led to %q, then %q; %d messages", first, second, len(h.outbox()))
	}
	h.clock.Advance(time.Hour)
	third := h.post("/identity/contacts/new", "channel", "recovery_mail", "value", personal).Header.Get("Location")
	if third != first || len(h.outbox()) != 2 {
		t.Errorf("an hour later led to %q; %d messages", third, len(h.outbox()))
	}
}

func TestNobodyGivesMoreThanAnybodyNeeds(t *testing.T) {
	h := openOne(t)
	for _, address := range []string{"a@gmail.example", "b@gmail.example", "c@gmail.example"} {
		h.own(RecoveryMail, address)
	}
	want(t, h.post("/identity/contacts/new", "channel", "recovery_mail", "value", "d@gmail.example"), 422, "given 3 of this kind")
}

func TestNobodyHasMessagesSentToNumbersWithoutEnd(t *testing.T) {
	h := openOne(t)
	for i := range askedRate.Burst {
		pointID, err := h.Add(t.Context(), lina, MobilePhone, "06000000"+string(rune('0'+i/10))+string(rune('0'+i%10)), "")
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Remove(t.Context(), lina, pointID, journal.Event{}); err != nil {
			t.Fatal(err)
		}
	}
	want(t, h.post("/identity/contacts/new", "channel", "mobile", "value", "0699999999"), 429, "identity.code_too_many", "10 minutes", "0699999999")
	h.clock.Advance(askedRate.Every)
	if a := h.post("/identity/contacts/new", "channel", "mobile", "value", "0699999999"); a.StatusCode != 303 {
		t.Errorf("later: %d", a.StatusCode)
	}
}

func TestRemovingIsToldEverywhere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		address := h.own(RecoveryMail, personal)
		want(t, h.get(pointURL(address, "remove")), 200, "Remove lina@gmail.example?", "No code and no warning")
		h.wantUsable(personal)
		lead(t, h.post(pointURL(address, "remove")), "/identity/contacts")
		h.wantUsable()
		if got := h.to("contact_removed"); !slices.Equal(got, []string{lina.Mail, personal}) {
			t.Errorf("told: %q", got)
		}
		want(t, h.post(pointURL(address, "remove")), 404, "identity.reach_missing") // in another tab
	})
}

func TestWhatTheRecordGaveIsNotRemovedHere(t *testing.T) {
	h := openOne(t)
	h.record(MobilePhone, firstPhone)
	points, err := h.Points(t.Context(), lina.ID)
	if err != nil {
		t.Fatal(err)
	}
	want(t, h.get(pointURL(points[1].ID, "remove")), 409, "identity.reach_from_record")
	want(t, h.post(pointURL(points[1].ID, "remove")), 409, "identity.reach_from_record")
	want(t, h.get(pointURL(MailPoint, "remove")), 404)
	want(t, h.post("/identity/contacts/new", "channel", "mobile", "value", newPhone, "instead", points[1].ID), 404) // nor taken over from
	h.wantUsable(firstPhone)
}

func TestAChangeIsStoppedFromTheListToo(t *testing.T) {
	h := openOne(t)
	h.record(MobilePhone, firstPhone)
	want(t, h.get("/identity/contacts"), 200, "From your record", "not confirmed")
	h.record(MobilePhone, newPhone)
	points, err := h.Points(t.Context(), lina.ID)
	if err != nil {
		t.Fatal(err)
	}
	pending := points[len(points)-1].ID
	want(t, h.get("/identity/contacts"), 200, "until 25 Nov", "counts from 25 Nov", pointURL(pending, "refuse"))
	lead(t, h.post(pointURL(pending, "refuse")), "/identity/contacts")
	h.clock.Advance(100 * time.Hour)
	h.wantUsable(firstPhone)
}

func TestOtherPeoplesPointsAreMissing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		mine := h.own(MobilePhone, firstPhone)
		waiting, err := h.Add(t.Context(), lina, RecoveryMail, personal, "")
		if err != nil {
			t.Fatal(err)
		}
		plain := h.lastCode()
		h.record(RecoveryMail, "lina@record.example")
		points, err := h.Points(t.Context(), lina.ID)
		if err != nil {
			t.Fatal(err)
		}
		h.viewer = hugo.ID
		for _, pointID := range []string{mine, waiting, points[len(points)-1].ID} {
			for _, page := range []string{"code", "remove"} {
				want(t, h.get(pointURL(pointID, page)), 404, "identity.reach_missing")
			}
			for _, page := range []string{"send", "remove", "refuse"} {
				want(t, h.post(pointURL(pointID, page)), 404, "identity.reach_missing")
			}
			want(t, h.post(pointURL(pointID, "code"), CodeField, plain), 404, "identity.reach_missing")
			want(t, h.post("/identity/contacts/new", "channel", "mobile", "value", newPhone, "instead", pointID), 404)
		}
		if a := h.get("/identity/contacts"); strings.Contains(a.body, "12 34 56") || strings.Contains(a.body, personal) {
			t.Error("the list shows somebody else's")
		}
		h.viewer = lina.ID
		lead(t, h.post(pointURL(waiting, "code"), CodeField, plain), "/identity/contacts")
	})
}

// pages are the alcove's addresses for those who have signed in, and whether a
// fresh factor is asked for in front of them.
var pages = []struct {
	method, path string
	confirmed    bool
}{
	{"GET", "/identity/contacts", false},
	{"GET", "/identity/contacts/new", true},
	{"POST", "/identity/contacts/new", true},
	{"GET", "/identity/contacts/still", false},
	{"POST", "/identity/contacts/still", false},
	{"GET", "/identity/contacts/{id}/code", true},
	{"POST", "/identity/contacts/{id}/code", true},
	{"POST", "/identity/contacts/{id}/send", false},
	{"GET", "/identity/contacts/{id}/remove", true},
	{"POST", "/identity/contacts/{id}/remove", true},
	{"POST", "/identity/contacts/{id}/refuse", false},
}

func TestStrangersAreLedToTheDoor(t *testing.T) {
	h := openOne(t)
	mine := h.own(MobilePhone, firstPhone)
	h.viewer = ""
	for _, page := range pages {
		path := strings.ReplaceAll(page.path, "{id}", mine)
		switch a := h.do(page.method, path, nil); {
		case page.method == "GET" && !strings.HasPrefix(a.Header.Get("Location"), "/login"):
			t.Errorf("GET %s: %d", path, a.StatusCode)
		case page.method == "POST" && a.StatusCode != 401:
			t.Errorf("POST %s: %d", path, a.StatusCode)
		}
	}
	h.wantUsable(firstPhone)
}

func TestSensitiveActsAskForAFreshFactor(t *testing.T) {
	h := openOne(t)
	mine := h.own(MobilePhone, firstPhone)
	waiting, err := h.Add(t.Context(), lina, RecoveryMail, personal, "")
	if err != nil {
		t.Fatal(err)
	}
	plain := h.lastCode()
	h.empty()
	h.fresh = false
	for _, page := range pages {
		path := strings.ReplaceAll(page.path, "{id}", map[bool]string{true: waiting, false: mine}[strings.HasSuffix(page.path, "code")])
		a := h.post(path, "channel", "mobile", "value", newPhone, CodeField, plain)
		if page.method == "GET" {
			a = h.get(path)
		}
		if asked := a.Header.Get("Location") == "/confirm-first"; asked != page.confirmed {
			t.Errorf("%s %s: a fresh factor is asked for: %v", page.method, path, asked)
		}
	}
	h.wantUsable(firstPhone)
	if got := h.to(confirmKind); slices.Contains(got, newPhone) {
		t.Error("a code went to a new number")
	}
}

func TestCodesAreAskedForWithPatience(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		to := h.post("/identity/contacts/new", "channel", "mobile", "value", firstPhone).Header.Get("Location")
		send := strings.TrimSuffix(to, "code") + "send"
		first := h.lastCode()
		a := h.post(send)
		want(t, a, 429, "identity.reach_too_soon", "Wait 1 minute", `name="code"`)
		h.clock.Advance(61 * time.Second)
		lead(t, h.post(send), to)
		if first != h.lastCode() {
			want(t, h.post(to, CodeField, first), 422, "only the newest one works")
		}
		for range 3 {
			h.clock.Advance(61 * time.Second)
			lead(t, h.post(send), to)
		}
		h.clock.Advance(61 * time.Second)
		newest := h.lastCode()
		want(t, h.post(send), 429, "mailer.too_many_sms", "5 text messages")
		lead(t, h.post(to, CodeField, newest), "/identity/contacts") // what failed to be replaced still works
	})
}

func TestAnExhaustedCodeOpensTheHelp(t *testing.T) {
	h := openOne(t)
	to := h.post("/identity/contacts/new", "channel", "mobile", "value", firstPhone).Header.Get("Location")
	for range code.DefaultTries - 1 {
		if a := h.post(to, CodeField, "x"); strings.Contains(a.body, "unfold\" open") {
			t.Error("the help is open although the code still works")
		}
	}
	want(t, h.post(to, CodeField, "x"), 422, "not even the right one", `class="unfold" open`)
	want(t, h.post(to, CodeField, h.lastCode()), 422, "not even the right one")
	h.wantUsable()
}

func TestWithoutTextMessagesThePageSaysSo(t *testing.T) {
	h := openOne(t, noSMS)
	a := h.get("/identity/contacts")
	want(t, a, 200, "Text messages are not set up here")
	if strings.Contains(a.body, "Add a mobile number") {
		t.Error("numbers are offered")
	}
	want(t, h.post("/identity/contacts/new", "channel", "mobile", "value", firstPhone), 503, "mailer.sms_off", "Choose another way", `value="+33612345678"`)
	if points, err := h.Points(t.Context(), lina.ID); err != nil || len(points) != 1 {
		t.Errorf("%d points, %v", len(points), err)
	}
}

func TestPeopleAreAskedWhetherTheirNumberIsStillTheirs(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asked := func() bool {
			t.Helper()
			yes, err := h.Reminder(t.Context(), lina.ID, h.clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			return yes
		}
		h.clock.Advance(400 * 24 * time.Hour)
		if asked() {
			t.Error("somebody with nothing to confirm is asked")
		}
		lead(t, h.get(StillURL), "/identity/contacts")
		h.own(MobilePhone, firstPhone)
		h.clock.Advance(119 * 24 * time.Hour)
		if asked() {
			t.Error("asked too early")
		}
		h.clock.Advance(24 * time.Hour)
		if !asked() {
			t.Error("not asked")
		}
		want(t, h.get("/identity/contacts"), 200, StillURL)
		want(t, h.get(StillURL+"?next=/portal"), 200, "Are these still yours?", "+33 6 12 34 56 78", `value="/portal"`)
		if !asked() {
			t.Error("looking is no answer")
		}
		lead(t, h.post(StillURL, "next", "/portal"), "/portal")
		if asked() {
			t.Error("asked although confirmed")
		}
		lead(t, h.post(StillURL, "next", "https://evil.example/"), "/")
	})
}

func TestAReminderOfNeverIsNever(t *testing.T) {
	h := openOne(t)
	h.own(MobilePhone, firstPhone)
	h.config.RemindAfter = 0
	if yes, err := h.Reminder(t.Context(), lina.ID, h.clock.Now().AddDate(9, 0, 0)); yes || err != nil {
		t.Errorf("asked: %v, %v", yes, err)
	}
}

func TestOldPointsAreForgottenAndRefusalsAreNot(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		gone := h.own(RecoveryMail, personal)
		if err := h.Remove(t.Context(), lina, gone, journal.Event{}); err != nil {
			t.Fatal(err)
		}
		h.record(MobilePhone, firstPhone)
		h.record(MobilePhone, newPhone)
		want(t, h.post(h.lastRefusal()), 200)
		h.clock.Advance(keepRemoved + time.Hour)
		if err := h.forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		var values []string
		all, err := allRows(t.Context(), h.DB.Read(), lina.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			values = append(values, r.Value)
		}
		if !slices.Equal(values, []string{firstPhone, newPhone}) {
			t.Errorf("left: %q", values)
		}
	})
}

func TestAnInvitedPersonIsNotWrittenToByConfirming(t *testing.T) {
	h := openOne(t)
	h.record(MobilePhone, firstPhone)
	points, err := h.Points(t.Context(), lina.ID)
	if err != nil {
		t.Fatal(err)
	}
	invited := lina
	invited.State = account.Invited
	for range 2 {
		h.in(func(tx db.Tx) error { return h.Verified(t.Context(), tx, invited, points[1].ID, journal.Event{}) })
	}
	if sent := h.outbox(); len(sent) > 0 || len(h.events) != 1 {
		t.Errorf("sent %v; journal %v", sent, h.events)
	}
	if fault.Of(h.DB.InTx(t.Context(), func(tx db.Tx) error { return h.Verified(t.Context(), tx, hugo, points[1].ID, journal.Event{}) })).Reason != Missing {
		t.Error("somebody else's point was confirmed")
	}
}
