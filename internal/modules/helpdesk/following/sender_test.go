package following_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

func TestAMailOfSomebodyElseIsShownByItsAddressAndNotByItsName(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = lina
		mine := f.Open(lina, "S", "W")
		mallory := ticket.Actor{Role: ticket.Other, Name: "Valmont Help Desk", Mail: "mallory@evil.example"}
		f.Change(mine, mallory, func(w *ticket.Work) error {
			w.Say(ticket.Message{Channel: ticket.ByMail, Body: "Send me your code."})
			return nil
		})
		_, body := pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/follow/"+mine.Number, nil)
		shows(t, body, "Send me your code.", "Mail from mallory@evil.example (sender not verified)")
		if strings.Contains(body, mallory.Name) {
			t.Error("a name that anybody can write into a mail is believed")
		}
	})
}

func TestOpeningAndClosingByTurnsIsSlowed(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = lina
		mine, other := f.Open(lina, "S", "W"), f.Open(lina, "Other", "W")
		at := f.Server.URL + "/helpdesk/follow/" + mine.Number
		c, done := pagetest.Still(), 0
		turn := func(to string) int {
			resp, _ := pagetest.Ask(t, c, "POST", at+to, pagetest.Form("answer", "3"))
			return resp.StatusCode
		}
		for range 20 {
			for _, to := range []string{"/solved", "/rating", "/reopen"} {
				if turn(to) == http.StatusSeeOther {
					done++
				}
			}
		}
		if done != 15 {
			t.Errorf("it was changed %d times in a moment", done)
		}
		before := reload(t, f, mine)
		for _, to := range []string{"/solved", "/rating", "/reopen"} {
			if status := turn(to); status != http.StatusTooManyRequests {
				t.Errorf("%s once more: %d", to, status)
			}
		}
		if now := reload(t, f, mine); now.Version != before.Version {
			t.Error("what was refused changed it")
		}
		if resp, _ := pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/follow/"+other.Number+"/solved", pagetest.Form()); resp.StatusCode != http.StatusSeeOther {
			t.Errorf("another request: %d", resp.StatusCode)
		}
		f.Clock.Advance(time.Minute)
		if resp, _ := pagetest.Ask(t, c, "POST", at+"/reply", pagetest.Form("body", "One more word")); resp.StatusCode != http.StatusSeeOther {
			t.Errorf("a minute later: %d", resp.StatusCode)
		}
	})
}
