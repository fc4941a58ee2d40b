package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

func TestAPowerCutLosesNothingThatWasConfirmed(t *testing.T) {
	t.Parallel()
	h := house.Start(t)
	tab := signedIn(t, h, browser.Desk, "student")
	tab.Visit("/portal/services")
	pin := tab.Name("button", "Épingler ")
	service := strings.TrimPrefix(pin, "Épingler ")
	tab.Press(pin)
	tab.Sees(service + " est épinglé.")

	confirmed := writeUntilDark(t, h, tab.Cookies())
	if len(confirmed) == 0 {
		t.Fatal("nothing was confirmed before the power cut")
	}
	t.Logf("%d changes were confirmed before the power cut", len(confirmed))
	h.Reopen(t)

	tab.Visit("/portal/services") // still signed in
	tab.Heading("Tous les services")
	tab.Name("button", "Ne plus épingler "+service)

	admin := client(t)
	enter(t, h, admin, url.Values{"username": {"admin"}, "password": {house.Password}})
	for _, draft := range confirmed {
		if answer, _ := send(t, admin, get(t, h, draft)); answer.StatusCode != http.StatusOK {
			t.Errorf("%s was confirmed before the power cut, now it answers %s", draft, answer.Status)
		}
	}
}

// writeUntilDark has an administrator write drafts from several windows while a
// student turns pages, cuts the power in the middle, and gives the addresses of
// the drafts that were confirmed.
func writeUntilDark(t *testing.T, h *house.House, student []*http.Cookie) []string {
	t.Helper()
	admin := client(t)
	enter(t, h, admin, url.Values{"username": {"admin"}, "password": {house.Password}})
	var (
		mu        sync.Mutex
		confirmed []string
		busy      sync.WaitGroup
	)
	for window := range 4 {
		busy.Go(func() {
			for n := 0; ; n++ {
				form := url.Values{"version": {"0"}, "act": {"save"}, "title_fr": {fmt.Sprintf("Brouillon %d de la fenêtre %d", n, window)}}
				answer, err := admin.Do(posting(t, h, "/portal/desk/new", form.Encode()))
				if err != nil {
					return // the power is off
				}
				if answer.StatusCode == http.StatusSeeOther {
					mu.Lock()
					confirmed = append(confirmed, answer.Header.Get("Location"))
					mu.Unlock()
				}
				if answer.Body.Close() != nil {
					return
				}
			}
		})
	}
	busy.Go(func() {
		for {
			request := get(t, h, "/")
			for _, c := range student {
				request.AddCookie(c)
			}
			answer, err := client(t).Do(request)
			if err != nil || answer.Body.Close() != nil {
				return
			}
		}
	})
	time.Sleep(700 * time.Millisecond)
	h.Kill(t)
	busy.Wait()
	return confirmed
}
