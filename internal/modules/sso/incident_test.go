package sso

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestWhatAStrangerWritesStaysOneHarmlessLineInTheIncidentAndTheMail(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.enter(lina())
		forged := "https://moodle.valmont.example/\r\n\nUrgent: confirm your password\x00 at https://evil.example \u202egro.live\xff" + strings.Repeat("a", 5000)
		if answer := h.check(forged, h.ticketFor(moodle)); !strings.Contains(answer, `code="INVALID_SERVICE"`) {
			t.Error(answer)
		}
		incidents, err := h.module.incidents(t.Context(), "moodle", 50)
		if err != nil || len(incidents) != 1 {
			t.Fatalf("%+v, %v", incidents, err)
		}
		if len(h.mails.sent) != 1 {
			t.Fatalf("%d mails", len(h.mails.sent))
		}
		mail := h.mails.sent[0].Text
		for name, text := range map[string]string{"incident": incidents[0].Received, "mail": mail} {
			if strings.ContainsAny(text, "\x00\r\u202e") || strings.Contains(text, "\nUrgent") || strings.Contains(text, strings.Repeat("a", 4000)) || !utf8.ValidString(text) {
				t.Errorf("%s: %.600q", name, text)
			}
		}
	})
}

func TestTheIncidentHoldsBothAddressesAndTheMailComesOnceADay(t *testing.T) {
	h := one(t)
	h.enter(lina())
	for range 3 {
		h.clock.Advance(2 * time.Minute)
		h.check("http://moodle.valmont.example/", h.ticketFor(moodle))
	}
	incidents, err := h.module.incidents(t.Context(), "moodle", 50)
	if err != nil || len(incidents) != 1 {
		t.Fatalf("%+v, %v", incidents, err)
	}
	i := incidents[0]
	if i.Times != 3 || i.Expected != moodle || i.Received != "http://moodle.valmont.example/" || i.Validator != "192.0.2.1" {
		t.Errorf("%+v", i)
	}
	if len(h.mails.sent) != 1 {
		t.Fatalf("%d mails", len(h.mails.sent))
	}
	mail := h.mails.sent[0]
	for _, want := range []string{"schéma", "scheme", moodle, "http://moodle.valmont.example/", "/sso/services/moodle", "sso.ticket_of_another"} {
		if !strings.Contains(mail.Text, want) {
			t.Errorf("the mail lacks %q:\n%s", want, mail.Text)
		}
	}
	if mail.To != "moodle@valmont.example" || strings.Contains(mail.Text, "⟦") || strings.Contains(mail.Text+mail.Subject, "<no value>") {
		t.Errorf("%+v", mail)
	}
	h.clock.Advance(24 * time.Hour)
	h.enter(lina())
	h.check("http://moodle.valmont.example/", h.ticketFor(moodle))
	if len(h.mails.sent) != 2 {
		t.Errorf("%d mails on the second day", len(h.mails.sent))
	}
}

func TestAnIgnoredTicketIsNotedWhenThePersonComesBack(t *testing.T) {
	h := one(t)
	h.enter(lina())
	for range 3 {
		h.ticketFor(moodle)
		h.clock.Advance(40 * time.Second)
	}
	incidents, err := h.module.incidents(t.Context(), "moodle", 50)
	if err != nil || len(incidents) != 1 || incidents[0].Reason != "sso.ticket_ignored" || incidents[0].Times != 2 {
		t.Errorf("%+v, %v", incidents, err)
	}
	if len(h.mails.sent) != 0 {
		t.Errorf("%d mails: one visitor may have pressed back", len(h.mails.sent))
	}
}
