package reach

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/ui"
)

var (
	phonePoint = Point{ID: "phone", Channel: MobilePhone, Value: firstPhone, Masked: MaskMobile(firstPhone)}
	mailedTo   = Point{ID: "address", Channel: RecoveryMail, Value: personal, Masked: MaskAddress(personal)}
)

// sendTo sends a code of a kind.
func (h *house) sendTo(to account.Person, at Point, kind string) error {
	return h.DB.InTx(h.t.Context(), func(tx db.Tx) error {
		return h.SendCode(h.t.Context(), tx, to, at, kind, "482913", 10*time.Minute)
	})
}

func TestACodeByMailStandsApartAndNotInTheSubject(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if err := h.sendTo(lina, mailedTo, "contact_code"); err != nil {
			t.Fatal(err)
		}
		m := h.outbox()[0]
		if m.To != personal || m.Kind != "identity.contact_code" || strings.Contains(m.Subject, "482") {
			t.Errorf("to %s, %s, %q", m.To, m.Kind, m.Subject)
		}
		for _, part := range []string{"Hello Lina,", "\n    482 913\n", "10 minutes", "Give it to nobody", "-- \nUniversity of Valmont"} {
			if !strings.Contains(m.Text, part) {
				t.Errorf("no %q in:\n%s", part, m.Text)
			}
		}
		if strings.Contains(m.Text, "http") || strings.Contains(m.HTML, "href") {
			t.Errorf("a letter with a code has a link:\n%s", m.Text)
		}
	})
}

func TestLettersSpeakTheLanguageOfTheirReader(t *testing.T) {
	h := openOne(t)
	if err := h.sendTo(hugo, mailedTo, "contact_code"); err != nil { // who has chosen none reads French
		t.Fatal(err)
	}
	m := h.outbox()[0]
	for _, part := range []string{"Bonjour Hugo,", "Voici le code", "Université de Valmont"} {
		if !strings.Contains(m.Text, part) {
			t.Errorf("no %q in:\n%s", part, m.Text)
		}
	}
	if wrong := regexp.MustCompile(`[ \x{00A0}][;!?:»]|\pL'\pL`).FindString(m.Text); wrong != "" {
		t.Errorf("typography: %q in:\n%s", wrong, m.Text)
	}
}

func TestACodeByTextMessageFitsInOneAndIsBoundToOurSite(t *testing.T) {
	for _, to := range []account.Person{lina, hugo} {
		for _, kind := range []string{"contact_code", "a_kind_without_sentences"} {
			h := openOne(t)
			if err := h.sendTo(to, phonePoint, kind); err != nil {
				t.Fatal(err)
			}
			text := h.outbox()[0].Text
			if !strings.HasSuffix(text, "\n\n@ent.valmont.example #482913") || !strings.Contains(text, "Valmont") {
				t.Errorf("the message is %q", text)
			}
			if n := utf8.RuneCountInString(text); n > 160 || strings.Trim(text, "\n\x20-\x7e"+gsm+"") != "" && strings.ContainsAny(text, "’\u202f\u00a0«»") {
				t.Errorf("%d characters, or costly ones: %q", n, text)
			}
		}
	}
}

func TestWhyNoCodeLeavesIsForPeopleToRead(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if err := h.sendTo(lina, phonePoint, "contact_code"); err != nil {
			t.Fatal(err)
		}
		if err := h.sendTo(lina, phonePoint, "contact_code"); !errors.Is(err, TooSoon) {
			t.Errorf("at once: %v", err)
		}
		for range 4 {
			h.clock.Advance(61 * time.Second)
			if err := h.sendTo(lina, phonePoint, "contact_code"); err != nil {
				t.Fatal(err)
			}
		}
		h.clock.Advance(61 * time.Second)
		if err := h.sendTo(lina, phonePoint, "contact_code"); !errors.Is(err, mailer.TooManySMS) {
			t.Errorf("the sixth within an hour: %v", err)
		}
	})
	h := openOne(t, noSMS)
	if err := h.sendTo(lina, phonePoint, "contact_code"); !errors.Is(err, mailer.SMSOff) {
		t.Errorf("without text messages: %v", err)
	}
	for _, reason := range []error{TooSoon, mailer.SMSOff, mailer.TooManySMS, code.TooMany} {
		if f, ok := Unsent(context.Background(), reason); !ok || f.Code == "" {
			t.Errorf("%v is not shown", reason)
		}
	}
	if _, ok := Unsent(context.Background(), errNobody); ok {
		t.Error("a fault of ours is shown as one of theirs")
	}
}

func (h *house) tellLina(l Letter) {
	h.t.Helper()
	h.in(func(tx db.Tx) error { return h.Tell(h.t.Context(), tx, lina, l) })
}

func TestNewsGoesToWhatCountsAndUrgentNewsToThePhone(t *testing.T) {
	const ofRecord, waiting = "lina@record.example", "lina@waits.example"
	each(t, func(t *testing.T, h *house) {
		h.record(RecoveryMail, ofRecord) // never confirmed, and it counts all the same
		h.own(RecoveryMail, personal)
		h.own(MobilePhone, firstPhone)
		h.record(RecoveryMail, waiting)                                                                 // counts in three days
		if _, err := h.Add(t.Context(), lina, RecoveryMail, "typo@elsewhere.example", ""); err != nil { // whoever reads that
			t.Fatal(err)
		}
		h.empty()
		h.tellLina(Letter{Kind: "contact_refused", Args: []any{"value", "x"}, URL: "/identity/contacts"})
		if got := h.to("contact_refused"); !slices.Equal(got, []string{lina.Mail, personal, ofRecord}) {
			t.Errorf("told: %q", got)
		}
		h.empty()
		h.tellLina(Letter{Kind: "contact_refused", Args: []any{"value", "x"}, URL: "/identity/contacts", Urgent: true})
		if got := h.to("contact_refused"); !slices.Equal(got, []string{firstPhone, lina.Mail, personal, ofRecord}) {
			t.Errorf("told urgently: %q", got)
		}
		for _, m := range h.outbox() {
			if !strings.Contains(m.Text, "https://ent.valmont.example/identity/contacts") {
				t.Errorf("no link in %q", m.Text)
			}
		}
		n := h.bell[0]
		if n.TitleFrench != "Le changement est arrêté" || n.TitleEnglish != "The change was stopped" || n.Tone != "warn" || n.URL != "/identity/contacts" {
			t.Errorf("in the portal: %+v", n)
		}
	})
}

func TestAPhoneThatHasHadItsShareDoesNotSilenceTheRest(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.own(MobilePhone, firstPhone)
		for range 7 {
			h.tellLina(Letter{Kind: "contact_refused", Args: []any{"value", "x"}, Urgent: true})
		}
		got := h.to("contact_refused")
		if phone := len(slices.DeleteFunc(slices.Clone(got), func(to string) bool { return to != firstPhone })); phone != 5 || len(got) != 12 {
			t.Errorf("%d text messages of %d messages", phone, len(got))
		}
	})
}

func TestAKindWithoutSentencesIsWordedInGeneral(t *testing.T) {
	h := openOne(t)
	h.own(MobilePhone, firstPhone)
	h.tellLina(Letter{Kind: "a_kind_without_sentences", URL: "/portal", Urgent: true})
	for _, m := range h.outbox() {
		if strings.Contains(m.Text+m.Subject, "⟦") || strings.Contains(m.Text, "no value") || !strings.Contains(m.Text, "something has changed") && !strings.Contains(m.Text, "Something has changed") {
			t.Errorf("%q: %q", m.Subject, m.Text)
		}
	}
}

// said is the page body with a code field, as Lina or a stranger sees it.
func (h *house) said(p CodeProps, demo bool) string {
	h.t.Helper()
	ctx := i18n.With(ui.WithShell(h.t.Context(), ui.Shell{Demo: demo}), h.Texts.For(campus.English))
	var b bytes.Buffer
	if err := CodeForm(p).Render(ctx, &b); err != nil {
		h.t.Fatal(err)
	}
	return b.String()
}

func TestThePageSaysWhatBecameOfTheMessage(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		if err := h.sendTo(lina, phonePoint, "contact_code"); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name, state string
			tries       int
			want        string
			open        bool
		}{
			{"it waits", mailer.StateWaiting, 0, "is about to leave", false},
			{"it was tried once", mailer.StateWaiting, 1, "1 attempt so far", false},
			{"it was tried twice", mailer.StateWaiting, 2, "2 attempts so far", false},
			{"it was taken", mailer.StateSent, 1, "took the message to +33 6 •• •• •• 78 at 09:00", false},
			{"it was refused", mailer.StateGivenUp, 1, "choose another way", true},
			{"the demo keeps it", mailer.StateKept, 1, "the demo’s phone shows", false},
		} {
			h.in(func(tx db.Tx) error {
				_, err := tx.ExecContext(t.Context(), "UPDATE mailer_outbox SET state = $1, attempts = $2", c.state, c.tries)
				return err
			})
			sent, err := h.Sent(t.Context(), phonePoint, "contact_code")
			if err != nil {
				t.Fatal(err)
			}
			page := breakable.Replace(h.said(CodeProps{Action: "/x", Resend: "/y", Sent: sent, Ways: []ui.Link{{Label: "By mail", URL: "/z"}}}, false))
			for _, part := range []string{c.want, "We sent a code to +33 6 •• •• •• 78 at 09:00.", `href="/z"`} {
				if !strings.Contains(page, part) {
					t.Errorf("%s: no %q in:\n%s", c.name, part, page)
				}
			}
			if strings.Contains(page, "34 56 78") {
				t.Errorf("%s: the whole number is shown", c.name)
			}
			if got := strings.Contains(page, `class="unfold" open`); got != c.open {
				t.Errorf("%s: the help is open: %v", c.name, got)
			}
		}
		h.clock.Advance(time.Minute)
		if sent, err := h.Sent(t.Context(), phonePoint, "contact_code"); err != nil || !sent.ResendAt.IsZero() {
			t.Errorf("a minute later: %+v, %v", sent, err)
		}
		if sent, err := h.Sent(t.Context(), mailedTo, "contact_code"); err != nil || !sent.At.IsZero() {
			t.Errorf("where nothing was sent: %+v, %v", sent, err)
		}
	})
}

func TestTheFieldIsMadeForPhones(t *testing.T) {
	h := openOne(t)
	digits := h.said(CodeProps{Action: "/x", Lasts: 10 * time.Minute}, false)
	for _, part := range []string{`autocomplete="one-time-code"`, `inputmode="numeric"`, "6 digits", "It lasts 10 minutes.", "If we know a way to reach you"} {
		if !strings.Contains(digits, part) {
			t.Errorf("no %q in:\n%s", part, digits)
		}
	}
	for _, part := range []string{"⟦", DemoPhoneURL, "Nothing has arrived", "maxlength=\"6\""} {
		if strings.Contains(digits, part) {
			t.Errorf("%q in:\n%s", part, digits)
		}
	}
	letters := h.said(CodeProps{Action: "/x", Letters: true, Digits: 8}, true)
	for _, part := range []string{`inputmode="text"`, `autocomplete="off"`, "8 letters", DemoPhoneURL} {
		if !strings.Contains(letters, part) {
			t.Errorf("no %q in:\n%s", part, letters)
		}
	}
}

func TestTheDemoPhoneShowsWhatWouldHaveLeft(t *testing.T) {
	h := openOne(t)
	h.viewer = "" // whoever tries the demo has not signed in yet
	want(t, h.get(DemoPhoneURL), 200, "No message yet")
	if err := errors.Join(h.sendTo(lina, phonePoint, "contact_code"), h.sendTo(lina, mailedTo, "contact_code")); err != nil {
		t.Fatal(err)
	}
	h.deliver()
	want(t, h.get(DemoPhoneURL), 200, "482913 confirms your number", "+33 6 12 34 56 78", "482 913", personal, "Confirm that this address is yours")
}

func TestLinksOnTheDemoPhoneLeadHere(t *testing.T) {
	h := openOne(t)
	got := h.pieces("See https://ent.valmont.example/password/x?y=1\nor https://elsewhere.example/ or https://ent.valmont.example//evil.example")
	want := []piece{
		{Text: "See "}, {"https://ent.valmont.example/password/x?y=1", "/password/x?y=1"},
		{Text: "\nor https://elsewhere.example/ or "}, {"https://ent.valmont.example//evil.example", "/"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// deliver lets the jobs of the mailer run until nothing waits.
func (h *house) deliver() {
	h.t.Helper()
	reg := jobs.NewRegistry()
	h.Mailer.Jobs(reg)
	ctx, stop := context.WithCancel(h.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		jobs.NewRunner(h.DB, reg, h.Log, jobs.Options{Poll: 10 * time.Millisecond}).Run(ctx)
	}()
	defer func() { stop(); <-ended }()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if n, err := h.Mailer.Counted(h.t.Context(), mailer.Filter{State: mailer.StateWaiting}); err == nil && n == 0 {
			return
		}
	}
	h.t.Fatal("the messages did not leave")
}

func TestOutsideADemoThereIsNoSuchPhone(t *testing.T) {
	h := openOne(t, noDemo)
	want(t, h.get(DemoPhoneURL), 404, "platform.page_missing")
}

func TestTheConfigurationIsChecked(t *testing.T) {
	if problems := Defaults().Check(); len(problems) > 0 {
		t.Errorf("the defaults: %v", problems)
	}
	for key, change := range map[string]func(*Config){
		"country":      func(c *Config) { c.Country = "+33" },
		"change_delay": func(c *Config) { c.ChangeDelay = -time.Second },
		"code_lasts":   func(c *Config) { c.CodeLasts = 2 * time.Hour },
		"resend_after": func(c *Config) { c.ResendAfter = time.Hour },
		"remind_after": func(c *Config) { c.RemindAfter = time.Minute },
	} {
		c := Defaults()
		change(&c)
		if problems := c.Check(); len(problems) != 1 || problems[0].Key != key {
			t.Errorf("%s: %v", key, problems)
		}
	}
}
