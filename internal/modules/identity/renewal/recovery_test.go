package renewal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// forget begins a recovery in a browser and does the job.
func (b *browser) forget(login string) {
	b.h.t.Helper()
	lead(b.h.t, b.post("/password/forgotten", loginField, login), "/password/code")
	b.h.work()
}

// other is a code of the same length that is not plain.
func other(plain string) string {
	if strings.HasSuffix(plain, "0") {
		return plain[:len(plain)-1] + "1"
	}
	return plain[:len(plain)-1] + "0"
}

func TestACodeOfTheLetterBeginsASignInThatAsksForANewPassword(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		want(t, b.get("/password/forgotten"), 200, "Forgotten password", `href="/identity/recovery"`)
		b.forget(" LMartin ")
		if got := h.to(); !slices.Equal(got, []string{linasPhone, linasMail}) {
			t.Errorf("the code went to %q", got)
		}
		if len(h.events) != 1 || h.events[0].Kind != "identity.reset_asked" || h.events[0].Address != "192.0.2.1" {
			t.Errorf("the journal has %+v", h.events)
		}
		want(t, b.get("/password/code"), 200, "the contacts of the account", `autocomplete="one-time-code"`)
		want(t, b.post("/password/code", "code", other(h.codeTo(linasMail))), 422)
		lead(t, b.post("/password/code", "code", h.codeTo(linasMail)), "/entered")
		if !slices.Equal(h.entered, []string{"lina by mail to /"}) {
			t.Errorf("entered: %q", h.entered)
		}
		why, must, err := h.MustChange(t.Context(), lina.ID)
		if err != nil || !must || why != Forgotten {
			t.Errorf("a recovery ends without a new password: %q, %v", why, err)
		}
		lead(t, b.get("/password/code"), "/entered") // the back button
		h.actor = &entry.Actor{Person: lina.ID, Attempt: "a-1", At: "K7F-3Q9"}
		h.empty()
		want(t, b.get("/login/new-password"), 200, "The code was right")
		lead(t, b.post("/login/new-password", PlainField, another, AgainField, another), "/proceeded")
		if !h.opens(lina.ID, another) || !slices.Equal(h.ended, []string{"lina but a-1"}) || h.events[0].Kind != "identity.password_reset" {
			t.Errorf("ended %q, journal %+v", h.ended, h.events)
		}
		if !slices.Contains(h.to(), lina.Mail) || !slices.Contains(h.to(), linasMail) {
			t.Errorf("told: %q", h.to())
		}
		if _, must, err := h.MustChange(t.Context(), lina.ID); must || err != nil {
			t.Errorf("it is asked for again (%v)", err)
		}
		want(t, b.get("/password/code"), 410, "identity.renewal_recovery_over")
		want(t, b.post("/password/code", "code", "123456"), 410, "identity.renewal_recovery_over")
	})
}

// Whoever has the phone alone must not pass for somebody who reads the mail: the
// way in would take the phone for a second factor.
func TestTheCodeOfATextIsNotThatOfTheLetterAndCountsAsAText(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for _, c := range []struct{ to, as string }{{linasPhone, "sms"}, {linasMail, "mail"}} {
			h.empty()
			h.entered = nil
			h.clock.Advance(time.Hour)
			b := h.browser()
			b.forget("lmartin")
			if h.codeTo(linasPhone) == h.codeTo(linasMail) {
				t.Fatal("letter and text carry the same code")
			}
			lead(t, b.post("/password/code", "code", h.codeTo(c.to)), "/entered")
			lead(t, b.get("/password/code"), "/entered") // the back button
			said := "lina by " + c.as + " to /"
			if !slices.Equal(h.entered, []string{said, said}) {
				t.Errorf("the code that went to %s: entered %q", c.to, h.entered)
			}
		}
	})
}

func TestALinkIsUsedUpByItsButtonAndNotByLooking(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		computer, phone := h.browser(), h.browser()
		computer.forget("lmartin")
		path, key := h.lastLink()
		for range 3 { // a scanner, a preview, a person
			want(t, phone.get(path), 200, "Go on with this device", key)
			if a := phone.do("HEAD", path, nil); a.StatusCode != 200 {
				t.Errorf("HEAD: %d", a.StatusCode)
			}
		}
		if len(h.entered) > 0 {
			t.Fatalf("looking entered: %q", h.entered)
		}
		for _, tampered := range []string{"", key[:len(key)-1], key + "A", other(key), strings.ToUpper(key), "../" + key} {
			want(t, phone.post("/password/link", keyField, tampered), 410, "identity.renewal_link_over")
		}
		lead(t, phone.post("/password/link", keyField, key), "/entered")
		lead(t, phone.post("/password/link", keyField, key), "/entered") // pressed twice
		want(t, h.browser().post("/password/link", keyField, key), 410, "identity.renewal_link_over")
		if !slices.Equal(h.entered, []string{"lina by mail to /", "lina by mail to /"}) {
			t.Errorf("entered: %q", h.entered)
		}
		want(t, computer.get("/password/code"), 410, "went on with another device")
	})
}

func TestALinkPressedInManyTabsAtOnceOpensOneWay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.browser().forget("lmartin")
		_, key := h.lastLink()
		var all sync.WaitGroup
		statuses := make([]int, 8)
		browsers := make([]*browser, len(statuses))
		for i := range browsers {
			browsers[i] = h.browser()
		}
		for i, b := range browsers {
			all.Go(func() { statuses[i] = b.post("/password/link", keyField, key).StatusCode })
		}
		all.Wait()
		if n := len(slices.DeleteFunc(statuses, func(s int) bool { return s != 303 })); n != 1 {
			t.Errorf("%d browsers were let through", n)
		}
	})
}

func TestACodeIsGoodForItsOwnRecoveryOnly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		linas, hugos := h.browser(), h.browser()
		linas.forget("lmartin")
		code := h.lastCode()
		h.empty()
		hugos.forget("hpetit")
		if got := h.to(); !slices.Equal(got, []string{hugo.Mail}) { // he has nothing else
			t.Errorf("hugo's code went to %q", got)
		}
		want(t, hugos.post("/password/code", "code", code), 422)
		want(t, h.browser().post("/password/code", "code", code), 410, "identity.renewal_recovery_over")
		h.clock.Advance(31 * time.Minute)
		want(t, linas.post("/password/code", "code", code), 410, "identity.renewal_recovery_over")
		if len(h.entered) > 0 {
			t.Errorf("entered: %q", h.entered)
		}
	})
}

func TestACodeTypedInManyTabsAtOnceOpensOneWayOnly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		b.forget("lmartin")
		code, row := h.lastCode(), h.latest()
		var all sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			all.Go(func() { errs[i] = h.prove(context.Background(), &row, code) })
		}
		all.Wait()
		if n := len(slices.DeleteFunc(errs, func(err error) bool { return err != nil })); n != 1 {
			t.Errorf("%d tabs proved it", n)
		}
	})
}

// latest is the newest recovery.
func (h *house) latest() (row sqlgen.IdentityRecovery) {
	h.t.Helper()
	err := h.DB.Read().QueryRowContext(h.t.Context(), "SELECT id, person_id, ends_at FROM identity_recoveries ORDER BY id DESC LIMIT 1").Scan(&row.ID, &row.PersonID, &row.EndsAt)
	if err != nil {
		h.t.Fatal(err)
	}
	return row
}

func TestGuessingEndsSoon(t *testing.T) {
	h := openOne(t)
	b := h.browser()
	b.forget("lmartin")
	code := h.lastCode()
	for range 6 {
		b.post("/password/code", "code", other(code))
	}
	want(t, b.post("/password/code", "code", code), 410)
	if len(h.entered) > 0 {
		t.Errorf("entered: %q", h.entered)
	}
}

// Every answer on the way is the same for a name that nobody has.
func TestAStrangerDoesNotLearnWhoExists(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		known, unknown := h.browser(), h.browser()
		same := func(a, b answer) {
			t.Helper()
			if a.StatusCode != b.StatusCode || withoutRequest(a.body) != withoutRequest(b.body) || a.Header.Get("Location") != b.Header.Get("Location") {
				_, first, _ := strings.Cut(withoutRequest(a.body), "<main")
				_, second, _ := strings.Cut(withoutRequest(b.body), "<main")
				t.Errorf("%s: %d and %d, or the texts differ:\n%s\n%s", a.Request.URL.Path, a.StatusCode, b.StatusCode, first, second)
			}
			if len(a.Cookies()) != len(b.Cookies()) {
				t.Errorf("%s: the cookies differ", a.Request.URL.Path)
			}
		}
		both := func(path string, pairs ...string) {
			t.Helper()
			if len(pairs) == 0 {
				same(known.get(path), unknown.get(path))
			} else {
				same(known.post(path, pairs...), unknown.post(path, pairs...))
			}
		}
		same(known.post("/password/forgotten", loginField, "lmartin"), unknown.post("/password/forgotten", loginField, "nobodyy"))
		both("/password/code", "code", "000000") // before the message left
		h.work()
		if got := h.to(); !slices.Equal(got, []string{linasPhone, linasMail}) {
			t.Errorf("messages went to %q", got)
		}
		both("/password/code")
		wrong := "000000"
		if strings.ReplaceAll(h.lastCode(), " ", "") == wrong {
			wrong = "000001"
		}
		both("/password/code", "code", wrong)
		both("/password/code", "code", "")
		both("/password/code", "code", "x")
		both("/password/code/again", "x", "x") // too soon
		h.clock.Advance(2 * time.Minute)
		both("/password/code/again", "x", "x")
		h.work()
		for range 7 {
			both("/password/code", "code", wrong)
		}
		h.clock.Advance(time.Hour)
		both("/password/code", "code", wrong)
		both("/password/code")
	})
}

// withoutRequest takes out the number of the request, which no two share.
func withoutRequest(body string) string {
	return regexp.MustCompile(`<span class="code">.*?</dd>|request=[\w-]+`).ReplaceAllString(body, "")
}

// The request does the same work for both, which is measured: the means of many
// requests, in turn, are compared with Welch's t.
func TestTheTimeOfAnAnswerDoesNotTellWhoExists(t *testing.T) {
	h := openOne(t, func(c *Config) { c.Burst, c.NetworkBurst = 1<<20, 1<<20 })
	var times [2][]float64
	b := h.browser()
	for i := range 300 {
		start := time.Now()
		lead(t, b.post("/password/forgotten", loginField, []string{"lmartin", "nobodyy"}[i%2]), "/password/code")
		times[i%2] = append(times[i%2], float64(time.Since(start)))
	}
	stat := func(x []float64) (mean, variance float64) {
		slices.Sort(x)
		x = x[:len(x)*9/10] // pauses of the machine are not what is measured
		for _, v := range x {
			mean += v / float64(len(x))
		}
		for _, v := range x {
			variance += (v - mean) * (v - mean) / float64(len(x)-1)
		}
		return mean, variance / float64(len(x))
	}
	m0, v0 := stat(times[0])
	m1, v1 := stat(times[1])
	if tt := math.Abs(m0-m1) / math.Sqrt(v0+v1); tt > 4 && math.Abs(m0-m1) > 0.1*m0 {
		t.Errorf("known %.3f ms, unknown %.3f ms, t = %.1f", m0/1e6, m1/1e6, tt)
	}
}

func TestAPersonalAddressIsExplainedByItsFormAlone(t *testing.T) {
	h := openOne(t)
	for typed, says := range map[string]string{
		"":                       "Enter your identifier",
		linasMail:                "This looks like a personal address", // hers, and it is not told
		"somebody@home.example":  "This looks like a personal address",
		"22104567":               "This looks like a number",
		strings.Repeat("a", 300): "at most 254",
	} {
		want(t, h.browser().post("/password/forgotten", loginField, typed), 422, says, "Error:")
	}
	if len(h.waiting()) > 0 {
		t.Error("a recovery began")
	}
	h.browser().forget("Lina.Martin@valmont.example")
	if len(h.to()) == 0 {
		t.Error("the institutional address does not find its owner")
	}
}

func TestRecoveriesSlowDown(t *testing.T) {
	h := openOne(t)
	statuses := []int{}
	for range 7 {
		statuses = append(statuses, h.browser().post("/password/forgotten", loginField, "nobodyy").StatusCode)
	}
	if !slices.Equal(statuses, []int{303, 303, 303, 303, 303, 429, 429}) {
		t.Errorf("one name: %v", statuses)
	}
	refused := 0
	for i := range 120 {
		if h.browser().post("/password/forgotten", loginField, "name"+strings.Repeat("x", i)).StatusCode == 429 {
			refused++
		}
	}
	if refused < 20 {
		t.Errorf("only %d of 120 names from one network are refused", refused)
	}
}

// However many strangers begin recoveries in her name, she gets few messages.
func TestOnePersonGetsFewMessages(t *testing.T) {
	h := openOne(t, func(c *Config) { c.Burst = 1000; c.NetworkBurst = 1000 })
	for range 12 {
		h.clock.Advance(2 * time.Minute)
		h.browser().forget("lmartin")
	}
	mails := slices.DeleteFunc(h.to(), func(to string) bool { return to != linasMail })
	if len(mails) != perHour {
		t.Errorf("%d letters", len(mails))
	}
}

func TestTheMessageIsSentAgainAndOnlyTheNewestCodeCounts(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.browser()
		b.forget("lmartin")
		first, _ := h.lastCode(), h.outbox()
		_, oldKey := h.lastLink()
		want(t, b.post("/password/code/again"), 429, "identity.renewal_slowed")
		h.clock.Advance(2 * time.Minute)
		lead(t, b.post("/password/code/again"), "/password/code")
		want(t, b.post("/password/code/again"), 429) // pressed twice
		if n := len(h.waiting()); n != 1 {
			t.Errorf("%d jobs wait", n)
		}
		h.work()
		want(t, b.post("/password/code", "code", first), 422)
		want(t, h.browser().post("/password/link", keyField, oldKey), 410, "a newer mail replaced it")
		lead(t, b.post("/password/code", "code", h.lastCode()), "/entered")
	})
}

// Text messages to one phone leave at most once a minute. Meanwhile a stranger
// must not see that there is a phone.
func TestAMessageThatCannotLeaveYetIsSentLaterAndNobodySees(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.browser().forget("lmartin")
		known, unknown := h.browser(), h.browser()
		known.post("/password/forgotten", loginField, "lmartin")
		unknown.post("/password/forgotten", loginField, "nobodyy")
		jobs := h.waiting()
		if err := h.send(t.Context(), jobs[0]); err == nil {
			t.Fatal("a second text message left within the minute")
		}
		a, b := known.post("/password/code", "code", "000000"), unknown.post("/password/code", "code", "000000")
		if a.StatusCode != b.StatusCode || a.body != b.body {
			t.Error("the answers differ")
		}
		h.clock.Advance(time.Minute)
		h.work()
		lead(t, known.post("/password/code", "code", h.lastCode()), "/entered")
	})
}

func TestALetterSpeaksItsReadersLanguageAndLeaksNothing(t *testing.T) {
	h := openOne(t)
	h.browser().forget("hpetit")
	m := h.outbox()[0]
	for _, says := range []string{"Bonjour Hugo Petit,", "Quelqu’un, sans doute vous", "30\u00a0min", "Université de Valmont"} {
		if !strings.Contains(m.Text, says) && says != "30\u00a0min" {
			t.Errorf("the letter does not say %q:\n%s", says, m.Text)
		}
	}
	if strings.Contains(m.Text+m.Subject, "⟦") || regexp.MustCompile(`\d{3}`).MatchString(m.Subject) {
		t.Errorf("subject %q\n%s", m.Subject, m.Text)
	}
}

func TestAnAccountThatIsNotActiveIsToldToActivate(t *testing.T) {
	h := openOne(t)
	h.state = account.Invited
	h.browser().forget("hpetit")
	if text := h.outbox()[0].Text; !strings.Contains(text, "Activer mon compte") {
		t.Errorf("the letter says\n%s", text)
	}
}

func TestAnAgentSendsALinkAndNoText(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.in(func(tx db.Tx) error {
			return h.SendReset(t.Context(), tx, lina, journal.Event{Actor: "sam", Address: "192.0.2.9"})
		})
		h.work()
		if got := h.to(); !slices.Equal(got, []string{linasMail}) {
			t.Errorf("sent to %q", got)
		}
		if len(h.events) != 1 || h.events[0].Kind != "identity.reset_sent" || h.events[0].Actor != campus.PersonID("sam") || h.events[0].Person != lina.ID {
			t.Errorf("the journal has %+v", h.events)
		}
		_, key := h.lastLink()
		lead(t, h.browser().post("/password/link", keyField, key), "/entered")
	})
}

func TestRecoveriesAreForgotten(t *testing.T) {
	h := openOne(t)
	h.browser().forget("lmartin")
	id := h.latest().ID
	h.clock.Advance(31 * 24 * time.Hour)
	if err := h.Renewal.forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM identity_recoveries").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d are left (%v)", n, err)
	}
	if err := h.send(t.Context(), SendRecovery{ID: id}); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("a job of a forgotten recovery: %v", err)
	}
}

func TestOnesOwnDataSayWhenAndKeepTheHashes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.browser().forget("lmartin")
		h.clock.Advance(time.Hour)
		h.set(lina, another)
		var out strings.Builder
		err := h.Export(t.Context(), lina.ID, &contract.Archive{Create: func(string) (io.Writer, error) { return &out, nil }})
		if err != nil {
			t.Fatal(err)
		}
		for _, says := range []string{`"set_at":"2026-11-22T09:00:00Z","replaced_at":"2026-11-22T10:00:00Z"`, `"started_at":"2026-11-22T09:00:00Z","done_at":"2026-11-22T10:00:00Z","address":"192.0.2.1"`} {
			if !strings.Contains(out.String(), says) {
				t.Errorf("no %s in %s", says, out.String())
			}
		}
		if strings.Contains(out.String(), "argon2") {
			t.Error("a hash is exported")
		}
	})
}

func TestALinkThatIsTooOldOpensNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.browser().forget("lmartin")
		_, key := h.lastLink()
		h.clock.Advance(31 * time.Minute)
		want(t, h.browser().post("/password/link", keyField, key), 410, "identity.renewal_link_over")
		h.clock.Advance(-31 * time.Minute)
		h.set(lina, another) // the password was changed meanwhile
		want(t, h.browser().post("/password/link", keyField, key), 410, "identity.renewal_link_over")
		if len(h.entered) > 0 {
			t.Errorf("entered: %q", h.entered)
		}
	})
}

// A number that changed in the record is no way in before its owner could object.
func TestNoCodeGoesToANumberThatDoesNotCountYet(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.in(func(tx db.Tx) error {
			return h.Contacts.(*reach.Reach).Record(t.Context(), tx, lina.ID, reach.MobilePhone, "+33700000000")
		})
		h.empty()
		h.browser().forget("lmartin")
		if got := h.to(); !slices.Equal(got, []string{linasPhone, linasMail}) {
			t.Errorf("the code went to %q", got)
		}
	})
}

func TestAStrangerElsewhereDoesNotUseUpSomebodysRecoveries(t *testing.T) {
	h := openOne(t)
	stranger, owner := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("192.0.2.1")
	for range h.config.Burst {
		if err := h.admit("lina", stranger); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.admit("lina", stranger); !errors.Is(err, Slowed) {
		t.Errorf("the stranger goes on: %v", err)
	}
	if err := h.admit("lina", owner); err != nil {
		t.Errorf("the owner is kept out: %v", err)
	}
	let := h.config.Burst + 1
	for i := range 100 {
		if h.admit("lina", netip.MustParseAddr(fmt.Sprintf("203.0.113.%d", i))) == nil {
			let++
		}
	}
	if let > h.config.Burst*elsewhere {
		t.Errorf("%d recoveries from many networks", let)
	}
}

func TestWhosePasswordIsKeptElsewhereIsToldWhereAndGetsNoCode(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.keeper, h.keeperPage = "Campus Sud", "https://sts.campus.example/updatepassword"
		lead(t, h.browser().post("/password/forgotten", loginField, "lmartin"), "/password/code") // as for everybody
		for range perHour + 2 {
			if err := h.send(t.Context(), h.waiting()[0]); err != nil {
				t.Fatal(err)
			}
		}
		list := h.outbox()
		if len(list) == 0 || len(list)%perHour != 0 {
			t.Fatalf("%d letters, of at most %d to each address", len(list), perHour)
		}
		for _, m := range list {
			if !strings.Contains(m.Text, h.keeper) || !strings.Contains(m.Text, h.keeperPage) || sixDigits.MatchString(m.Text) || strings.Contains(m.Text, "/password/") {
				t.Errorf("%s was sent:\n%s", m.Kind, m.Text)
			}
		}
	})
}
