package mailroom_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

func TestEachChangeWritesToTheRequesterOnceAtMost(t *testing.T) {
	cases := []struct {
		name string
		do   func(*ticket.Work) error
		by   ticket.Actor
		says string // empty for no letter
	}{
		{"an answer", func(w *ticket.Work) error { w.Say(ticket.Message{Body: "Bonjour."}); return nil }, agent(), "Bonjour."},
		{"an answer that solves asks whether it did", func(w *ticket.Work) error { w.Say(ticket.Message{Body: "Voilà."}); return w.Solve() }, agent(), "/helpdesk/rating/"},
		{"solved without a word", func(w *ticket.Work) error { return w.Solve() }, agent(), "Nous avons résolu votre demande."},
		{"closed by a rule", func(w *ticket.Work) error { return w.Close() }, ticket.ByHouse, ""},
		{"a note among agents", func(w *ticket.Work) error { w.Note(ticket.Message{Body: "Bizarre."}); return nil }, agent(), ""},
		{"given to an agent", func(w *ticket.Work) error { w.Assign(campustest.Sam().Person); return nil }, agent(), ""},
		{"the requester adds something", func(w *ticket.Work) error { w.Say(ticket.Message{Body: "Encore."}); return nil }, tickettest.By(ticket.Requester, campustest.Lina()), ""},
		{"an answer longer than a mail", func(w *ticket.Work) error { w.Say(ticket.Message{Body: strings.Repeat("é", 200_000)}); return nil }, agent(), "Vous la trouvez entière sur la page."},
		{"files are linked, not attached", func(w *ticket.Work) error {
			w.Say(ticket.Message{Body: "Voir.", Files: []ticket.Attachment{{Name: "a.pdf", Refused: "helpdesk.file_redacted"}}})
			return nil
		}, agent(), "Un fichier accompagne cette réponse."},
	}
	each(t, nil, func(t *testing.T, r *room) {
		for _, c := range cases {
			asked := r.Open(campustest.Lina(), "Wifi", "En panne.")
			before := len(r.sent)
			r.Change(asked, c.by, c.do)
			letters := r.sent[before:]
			if len(letters) > 1 || (len(letters) == 1) != (c.says != "") {
				t.Errorf("%s: %d letters", c.name, len(letters))
				continue
			}
			if c.says != "" && !strings.Contains(letters[0].Text, c.says) {
				t.Errorf("%s: %s", c.name, letters[0].Text)
			}
		}
	})
}

func TestWhoAsksOnAPageGetsTheirNumberByMailUnlessItIsSwitchedOff(t *testing.T) {
	for _, on := range []bool{true, false} {
		each(t, func(c *mailroom.Config) { c.Acknowledge, c.Bounces = on, on }, func(t *testing.T, r *room) {
			asked := r.Open(campustest.Lina(), "Wifi", "En panne.")
			if len(r.sent) != map[bool]int{true: 1}[on] {
				t.Fatalf("%d letters", len(r.sent))
			}
			if !on {
				return
			}
			m := r.sent[0]
			if m.To != campustest.Lina().Mail || !strings.Contains(m.Text, ticket.Spoken(asked.Number)) || m.Talk.Written || m.Talk.Bounces != m.Talk.ReplyTo {
				t.Errorf("%+v %+v", m, m.Talk)
			}
			// What an agent writes down of a call is no letter, and brings one receipt.
			r.Tx(func(tx db.Tx) error {
				_, err := r.Tickets.Open(t.Context(), tx, agent(), ticket.Opening{
					Ticket:  ticket.Ticket{Channel: ticket.ByPhone, Subject: "Appel", Locale: campus.English, RequesterMail: guest},
					Message: ticket.Message{Channel: ticket.ByPhone, Body: "Says that the network is slow."},
				})
				return err
			})
			if len(r.sent) != 2 || strings.Contains(r.sent[1].Text, "network is slow") || !strings.Contains(r.sent[1].Text, "Your request has arrived") {
				t.Errorf("%d letters: %s", len(r.sent), r.sent[len(r.sent)-1].Text)
			}
			// Whoever was signed in is no program, however often they ask.
			before := len(r.sent)
			for i := range mailroom.MostAnswers + 1 {
				r.Open(campustest.Lina(), fmt.Sprintf("Salle %d", i), "En panne.")
			}
			if n := len(r.sent) - before; n != mailroom.MostAnswers+1 {
				t.Errorf("%d receipts of %d", n, mailroom.MostAnswers+1)
			}
		})
	}
}

func TestWithoutAnAddressOfAQueueLettersDoNotAskForAnswersByMail(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		queues, err := r.Tickets.Queues(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r.Tx(func(tx db.Tx) error {
			for _, q := range queues {
				q.Mail = ""
				if _, err := r.Tickets.KeepQueue(t.Context(), tx, q); err != nil {
					return err
				}
			}
			return nil
		})
		asked := r.Open(campustest.Lina(), "Wifi", "En panne.")
		_, letter := r.say(t, asked, "Redémarrez.", waiting)
		for _, m := range r.sent {
			if m.Talk != nil || strings.Contains(m.Text, "épondez à ce courriel") || strings.Contains(m.Text, "répondez à ce courriel") {
				t.Errorf("%+v\n%s", m.Talk, m.Text)
			}
		}
		if !strings.Contains(letter.Text, "Écrivez-la sur la page") {
			t.Error(letter.Text)
		}
	})
}
