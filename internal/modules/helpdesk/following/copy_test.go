package following_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

func TestWhoHasNoAccountTakesACopyOfTheirRequestsAlong(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		nobody := campus.Viewer{GivenName: "Nobody", Mail: "nobody@home.example"}
		mine := f.Open(nobody, "My subject", "My words")
		f.Open(lina, "Her subject", "Her words")
		f.Change(mine, tickettest.By(ticket.Agent, campustest.Nadia()), func(w *ticket.Work) error {
			w.Say(ticket.Message{Body: "Our answer"})
			w.Note(ticket.Message{Body: "Among ourselves"})
			return nil
		})
		c := pagetest.Still()
		if resp, body := pagetest.Ask(t, c, "GET", f.Server.URL+"/helpdesk/follow/copy", nil); resp.StatusCode != http.StatusSeeOther || body != "" {
			t.Errorf("before a proof: %d, %s", resp.StatusCode, body)
		}
		pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/follow", pagetest.Form("contact", "nobody@home.example"))
		pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/proof", pagetest.Form("code", tickettest.RightCode))
		_, page := pagetest.Ask(t, c, "GET", f.Server.URL+"/helpdesk/follow", nil)
		shows(t, page, `href="/helpdesk/follow/copy"`)
		resp, body := pagetest.Ask(t, c, "GET", f.Server.URL+"/helpdesk/follow/copy", nil)
		if resp.Header.Get("Content-Type") != "application/json; charset=utf-8" || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("it is served as %v", resp.Header)
		}
		shows(t, body, mine.Number, "My subject", "My words", "Our answer", "nobody@home.example")
		if strings.Contains(body, "Her ") || strings.Contains(body, "Among ourselves") {
			t.Errorf("it says too much: %s", body)
		}
	})
}

func TestAnAddressFindsWhatWasAskedBeforeItWasSomebodys(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		early := f.Open(campus.Viewer{Mail: "lina@home.example"}, "Before I had an account", "W")
		mine := f.Open(lina, "With my account", "W")
		theirs := f.Open(campus.Viewer{Person: hugo.Person, Mail: "lina@home.example"}, "Of somebody else", "W")
		f.Whose["lina@home.example"] = lina.Person
		c := pagetest.Still()
		pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/follow", pagetest.Form("contact", "lina@home.example"))
		pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/proof", pagetest.Form("code", tickettest.RightCode))
		_, page := pagetest.Ask(t, c, "GET", f.Server.URL+"/helpdesk/follow", nil)
		shows(t, page, early.Subject, mine.Subject)
		if strings.Contains(page, theirs.Subject) {
			t.Error("a request of somebody else is open")
		}
		for mail, want := range map[string]int{"Lina@home.example": 2, "other@home.example": 1, "": 1} { // for an export
			if list, err := f.Following.OfPerson(t.Context(), lina.Person, mail); err != nil || len(list) != want || len(list) == 2 && list[1].ID != early.ID && list[0].ID != early.ID {
				t.Errorf("with %q it finds %d requests, %v", mail, len(list), err)
			}
		}
	})
}
