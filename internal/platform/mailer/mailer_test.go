package mailer

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"

	"github.com/emersion/go-smtp"
)

var tables = []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, Migrations()}

func newMailer(t *testing.T, d *db.DB, c Config) *Mailer {
	t.Helper()
	keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(Deps{Config: c, DB: d, Keys: keys, Clock: clock.System(), Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func send(t *testing.T, m *Mailer, message Message) {
	t.Helper()
	err := m.DB.InTx(t.Context(), func(tx db.Tx) error { return m.Send(t.Context(), tx, message) })
	if err != nil {
		t.Fatal(err)
	}
}

// work runs the mailer's jobs until until says enough.
func work(t *testing.T, m *Mailer, until func() bool) {
	t.Helper()
	reg := jobs.NewRegistry()
	m.Jobs(reg)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		jobs.NewRunner(m.DB, reg, m.Log, jobs.Options{Poll: 20 * time.Millisecond}).Run(ctx)
	}()
	defer func() { stop(); <-ended }()
	for deadline := time.Now().Add(10 * time.Second); !until(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the jobs did not get there in ten seconds")
		}
	}
}

// only gives the one record of the outbox.
func only(t *testing.T, m *Mailer) Record {
	t.Helper()
	list, err := m.Outbox(t.Context(), Filter{})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d records, %v", len(list), err)
	}
	return list[0]
}

func inState(t *testing.T, m *Mailer, state string) func() bool {
	return func() bool { return only(t, m).State == state }
}

func TestMailLeavesAfterItsTransactionAndItsTextDoesNotStay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		server := serveMail(t, "starttls")
		m := newMailer(t, d, smtpConfig(server, "starttls"))
		undone := errors.New("changed my mind")
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			if err := m.Send(t.Context(), tx, aMail()); err != nil {
				return err
			}
			return undone
		})
		if !errors.Is(err, undone) {
			t.Fatal(err)
		}
		send(t, m, aMail())
		waiting, err := find(t.Context(), d.Read(), only(t, m).ID)
		if err != nil || waiting.State != StateWaiting || waiting.sealed == "" || strings.Contains(waiting.sealed, aMail().Text) {
			t.Fatalf("%+v, %v", waiting, err)
		}
		work(t, m, inState(t, m, StateSent))
		if got := server.messages(); len(got) != 1 {
			t.Fatalf("%d messages arrived", len(got))
		}
		sent, err := find(t.Context(), d.Read(), waiting.ID)
		if err != nil {
			t.Fatal(err)
		}
		if sent.sealed != "" || sent.To != "e…@valmont.example" || sent.Attempts != 1 || !strings.Contains(sent.ProviderRef, sent.ID) {
			t.Fatalf("%+v", sent)
		}
		kept, err := m.Message(t.Context(), sent.ID)
		if err != nil || kept.Readable || kept.Text != "" || kept.FullTo != "" {
			t.Fatalf("%+v, %v", kept, err)
		}
		// The job may run a second time: nobody gets the mail twice.
		if err := m.deliver(t.Context(), Delivery{ID: sent.ID}); err != nil || len(server.messages()) != 1 {
			t.Fatalf("%d messages, %v", len(server.messages()), err)
		}
	}, tables...)
}

func TestARefusedMailIsGivenUpAtOnceAndExplained(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		server := serveMail(t, "none")
		server.rcpt = func(string) error {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
		}
		m := newMailer(t, d, smtpConfig(server, "none"))
		counted := map[string]int{}
		m.Count = func(channel, outcome string) { counted[channel+" "+outcome]++ }
		send(t, m, aMail())
		board := jobs.NewBoard(d)
		work(t, m, func() bool {
			n, err := board.Count(t.Context(), jobs.Filter{State: jobs.Dead})
			return err == nil && n == 1
		})
		got := only(t, m)
		if got.State != StateGivenUp || got.Reason != "mailer.refused" || got.Attempts != 1 || !strings.Contains(got.Detail, "no such user") {
			t.Fatalf("%+v", got)
		}
		dead, err := board.List(t.Context(), jobs.Filter{State: jobs.Dead})
		if err != nil || dead[0].Reason != "mailer.refused" || counted["mail refused"] != 1 {
			t.Fatalf("%+v %v, %v", dead, counted, err)
		}
		if checks := m.Health(t.Context()); checks[0].OK || checks[0].Reason != Undelivered || !checks[1].OK {
			t.Fatalf("%+v", checks)
		}
		// The address was created meanwhile, and somebody presses "Run again".
		server.rcpt = nil
		if err := board.RunAgain(t.Context(), dead[0].ID); err != nil {
			t.Fatal(err)
		}
		work(t, m, inState(t, m, StateSent))
	}, tables...)
}

func TestAnUnreachableServerKeepsTheMailWaiting(t *testing.T) {
	d := dbtest.Open(t, tables...)
	m := newMailer(t, d, smtpConfig(&mailServer{port: freePort(t)}, "none"))
	send(t, m, aMail())
	id := only(t, m).ID
	for i := range attempts {
		if err := m.deliver(t.Context(), Delivery{ID: id}); !errors.Is(err, Unreachable) {
			t.Fatal(err)
		}
		got, want := only(t, m), StateWaiting
		if i == attempts-1 {
			want = StateGivenUp
		}
		if got.State != want || got.Reason != "mailer.unreachable" || got.Attempts != i+1 {
			t.Fatalf("attempt %d: %+v", i+1, got)
		}
	}
	if checks := m.Health(t.Context()); checks[1].OK || checks[1].Reason != Unreachable {
		t.Fatalf("%+v", checks)
	}
}

func TestTheDemoKeepsMessagesToBeRead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := Defaults()
		c.SMS.Transport = TransportOutbox
		m := newMailer(t, d, c)
		send(t, m, aMail())
		work(t, m, inState(t, m, StateKept))
		kept, err := m.Message(t.Context(), only(t, m).ID)
		if err != nil || !kept.Readable || kept.FullTo != aMail().To || kept.Text != aMail().Text || kept.HTML != aMail().HTML {
			t.Fatalf("%+v, %v", kept, err)
		}
		if err := d.InTx(t.Context(), func(tx db.Tx) error {
			return m.SendSMS(t.Context(), tx, SMS{Kind: "identity.code", To: "+33612345678", Text: "Code 42"})
		}); err != nil {
			t.Fatal(err)
		}
		work(t, m, func() bool {
			n, err := m.Counted(t.Context(), Filter{State: StateKept, Channel: ChannelSMS})
			return err == nil && n == 1
		})
		list, err := m.Outbox(t.Context(), Filter{Limit: 1})
		if err != nil || len(list) != 1 || list[0].Channel != ChannelSMS || list[0].To != "…78" || list[0].Subject != "" {
			t.Fatalf("%+v, %v", list, err)
		}
		if kept, err := m.Message(t.Context(), list[0].ID); err != nil || kept.Text != "Code 42" {
			t.Fatalf("%+v, %v", kept, err)
		}
		second, err := m.Outbox(t.Context(), Filter{Limit: 1, Offset: 1})
		if err != nil || len(second) != 1 || second[0].Channel != ChannelMail {
			t.Fatalf("%+v, %v", second, err)
		}
		if _, err := m.Message(t.Context(), "nothing"); !errors.Is(err, MessageNotFound) {
			t.Fatal(err)
		}
	}, tables...)
}

func TestOnePhoneGetsItsShareForTheHourAndNoMore(t *testing.T) {
	now := clock.At(noon)
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		c := Defaults()
		c.SMS.Transport, c.SMS.PerHour = TransportOutbox, 2
		m := newMailer(t, d, c)
		try := func(to string) error {
			return d.InTx(t.Context(), func(tx db.Tx) error { return m.SendSMS(t.Context(), tx, SMS{To: to, Text: "x"}) })
		}
		for i, want := range []error{nil, nil, TooManySMS} {
			if err := try("+33612345678"); !errors.Is(err, want) {
				t.Fatalf("message %d: %v", i+1, err)
			}
		}
		if err := try("+33612345679"); err != nil {
			t.Fatalf("another phone: %v", err)
		}
		now.Advance(time.Hour)
		if err := try("+33612345678"); err != nil {
			t.Fatalf("an hour later: %v", err)
		}
	}, tables...)
}

func TestOldRecordsArePruned(t *testing.T) {
	now := clock.At(noon)
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		m := newMailer(t, d, Defaults())
		send(t, m, aMail())
		now.Advance(m.Config.Keep)
		send(t, m, aMail())
		now.Advance(time.Minute)
		if err := m.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		only(t, m)
	}, tables...)
}

func TestATextWhoseKeyIsGoneIsGivenUpWithItsReason(t *testing.T) {
	d := dbtest.Open(t, tables...)
	send(t, newMailer(t, d, Defaults()), aMail())
	other := newMailer(t, d, Defaults()) // another key file
	if err := other.deliver(t.Context(), Delivery{ID: only(t, other).ID}); !errors.Is(err, TextLost) {
		t.Fatal(err)
	}
	if got := only(t, other); got.State != StateGivenUp || got.Reason != "mailer.text_lost" {
		t.Fatalf("%+v", got)
	}
}

func TestWhatCouldBecomeAnotherHeaderIsRefused(t *testing.T) {
	d := dbtest.Open(t, tables...)
	c := Defaults()
	c.SMS.Transport = TransportOutbox
	m := newMailer(t, d, c)
	good := aMail()
	for _, c := range []struct {
		name   string
		change func(*Message)
		want   error
	}{
		{"a line end in the subject", func(m *Message) { m.Subject = "Hi\r\nBcc: all@example.org" }, SubjectMalformed},
		{"a bare line feed in the subject", func(m *Message) { m.Subject = "Hi\nBcc: all@example.org" }, SubjectMalformed},
		{"a Unicode line end in the subject", func(m *Message) { m.Subject = "Hi\u2028Bcc: x" }, SubjectMalformed},
		{"no subject", func(m *Message) { m.Subject = "" }, SubjectMalformed},
		{"an endless subject", func(m *Message) { m.Subject = strings.Repeat("x", 201) }, SubjectMalformed},
		{"a line end in the address", func(m *Message) { m.To = "a@example.org\r\nBcc: b@example.org" }, AddressMalformed},
		{"two addresses", func(m *Message) { m.To = "a@example.org, b@example.org" }, AddressMalformed},
		{"a name with the address", func(m *Message) { m.To = "The Dean <a@example.org>" }, AddressMalformed},
		{"angle brackets", func(m *Message) { m.To = "<a@example.org>" }, AddressMalformed},
		{"no domain", func(m *Message) { m.To = "root" }, AddressMalformed},
		{"a NUL", func(m *Message) { m.To = "a\x00@example.org" }, AddressMalformed},
		{"no text", func(m *Message) { m.Text = "" }, TextMalformed},
		{"bytes that are no text", func(m *Message) { m.Text = "\xff" }, TextMalformed},
		{"a book", func(m *Message) { m.HTML = strings.Repeat("x", maxMail) }, TextMalformed},
	} {
		message := good
		c.change(&message)
		err := d.InTx(t.Context(), func(tx db.Tx) error { return m.Send(t.Context(), tx, message) })
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for name, c := range map[string]struct {
		sms  SMS
		want error
	}{
		"a national number": {SMS{To: "0612345678", Text: "x"}, PhoneMalformed},
		"two numbers":       {SMS{To: "+33612345678,+33612345679", Text: "x"}, PhoneMalformed},
		"a line end":        {SMS{To: "+33612345678\n", Text: "x"}, PhoneMalformed},
		"no text":           {SMS{To: "+33612345678"}, TextMalformed},
		"a novel":           {SMS{To: "+33612345678", Text: strings.Repeat("x", 601)}, TextMalformed},
	} {
		err := d.InTx(t.Context(), func(tx db.Tx) error { return m.SendSMS(t.Context(), tx, c.sms) })
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	off := newMailer(t, d, Defaults())
	err := d.InTx(t.Context(), func(tx db.Tx) error {
		return off.SendSMS(t.Context(), tx, SMS{To: "+33612345678", Text: "x"})
	})
	if !errors.Is(err, SMSOff) || off.SendsSMS() {
		t.Error(err)
	}
}

func TestTheLatestMessageOfAKindToSomebodyIsFound(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		m := newMailer(t, d, Defaults())
		for _, sent := range []Message{
			{Kind: "identity.reset", To: "lina@example.org", Subject: "first", Text: "x"},
			{Kind: "identity.reset", To: "lina@example.org", Subject: "second", Text: "x"},
			{Kind: "identity.other", To: "lina@example.org", Subject: "another kind", Text: "x"},
			{Kind: "identity.reset", To: "hugo@example.org", Subject: "another person", Text: "x"},
		} {
			send(t, m, sent)
		}
		got, err := m.Latest(t.Context(), d.Read(), ChannelMail, "identity.reset", "Lina@example.org")
		if err != nil || got.Subject != "second" {
			t.Errorf("got %q, %v", got.Subject, err)
		}
		if _, err := m.Latest(t.Context(), d.Read(), ChannelSMS, "identity.reset", "lina@example.org"); !errors.Is(err, MessageNotFound) {
			t.Errorf("on another channel: %v", err)
		}
	}, tables...)
}
