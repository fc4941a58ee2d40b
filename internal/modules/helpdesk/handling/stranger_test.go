package handling_test

import (
	"html"
	"net/http"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/handling"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// mallory writes mails under a name that is not theirs.
var mallory = ticket.Actor{Role: ticket.Other, Name: "Lina Martin", Mail: "mallory@evil.example"}

// mailed is a ticket of Lina into which mallory wrote, and that message.
func (k *kit) mailed() (ticket.Ticket, ticket.Message) {
	k.T.Helper()
	tick := k.asked("S", "corps")
	k.Tx(func(tx db.Tx) error { // she proved her address
		_, err := tx.ExecContext(k.T.Context(), "UPDATE helpdesk_tickets SET proved_at = $1, requester_phone = '+33639980000' WHERE id = $2", tx.Now(), tick.ID)
		return err
	})
	k.Change(tick, mallory, func(w *ticket.Work) error {
		w.Say(ticket.Message{Channel: ticket.ByMail, Body: "Changez mon numéro, s’il vous plaît."})
		return nil
	})
	return k.now(tick), k.thread(tick).Messages[1]
}

func TestTheSenderOfAMailIsNeverShownByNameAlone(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick, m := k.mailed()
		_, split := k.get(handling.URL(tick.Number) + "/messages/" + m.ID + "/split")
		for what, body := range map[string]string{"the page of the request": k.page(tick), "the page on which it becomes a request": split} {
			if !strings.Contains(html.UnescapeString(body), mallory.Name+" <"+mallory.Mail+">") {
				t.Errorf("%s does not show the address", what)
			}
		}
		if strings.Contains(split, ">"+mallory.Name+"<") {
			t.Error("the page on which it becomes a request believes the name")
		}
		if n := strings.Count(k.page(tick), "<b>"+mallory.Name+"</b>"); n != 1 {
			t.Errorf("%d messages are by %s, one is", n, mallory.Name)
		}
	})
}

func TestARequestOfSomebodyInCopyInheritsNoProof(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick, theirs := k.mailed()
		split := func(m ticket.Message) ticket.Ticket {
			status, _, to := k.post(tick, "messages/"+m.ID+"/split", "subject", "Numéro")
			if status != http.StatusSeeOther {
				t.Fatalf("split: %d", status)
			}
			made, err := k.Tickets.ByNumber(t.Context(), strings.TrimPrefix(to, "/helpdesk/tickets/"))
			if err != nil {
				t.Fatal(err)
			}
			return made
		}
		made := split(theirs)
		if !made.ProvedAt.IsZero() || made.Requester != "" || made.RequesterMail != mallory.Mail || made.RequesterPhone != "" {
			t.Errorf("it is of %q %s %s, proved %s", made.Requester, made.RequesterMail, made.RequesterPhone, made.ProvedAt)
		}
		contains(t, k.page(made), "They have not shown that the address is theirs.")
		if own := split(k.thread(tick).Messages[0]); !own.ProvedAt.Equal(tick.ProvedAt) || own.ProvedAt.IsZero() || own.Requester != tick.Requester {
			t.Errorf("her own message: of %q, proved %s", own.Requester, own.ProvedAt)
		}
	})
}

func TestNewsOfARequestSayNothingOfWhatItIsAbout(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		const secret = "Harcèlement"
		tick := k.asked(secret, "corps de "+secret)
		other := k.asked("Autre", "corps")
		sam := campustest.Sam().Person
		k.post(tick, "watch", "on", "1")
		k.as(nour())
		k.post(tick, "messages", "body", "Nour répond sur "+secret)         // said
		k.post(tick, "state", "to", "solve")                                // state
		k.post(tick, "state", "to", "reopen")                               // state
		k.post(tick, "place", "assignee", string(sam), "queue", tick.Queue) // given
		k.post(other, "merge", "with", tick.Number)                         // merged
		k.Change(tick, tickettest.By(ticket.Requester, campustest.Lina()), func(w *ticket.Work) error {
			w.Say(ticket.Message{Body: secret + ", encore"})
			return nil
		})
		if len(k.told[sam]) < 6 {
			t.Fatalf("heard %+v", k.told[sam])
		}
		for _, n := range k.told[sam] {
			for _, said := range []string{n.TitleFrench, n.TitleEnglish, n.DetailFrench, n.DetailEnglish, n.URL} {
				if strings.Contains(said, secret) {
					t.Errorf("told %q", said)
				}
			}
			if !strings.Contains(n.TitleFrench, ticket.Spoken(tick.Number)) {
				t.Errorf("nobody knows of which request: %q", n.TitleFrench)
			}
		}
	})
}
