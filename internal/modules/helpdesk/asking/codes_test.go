package asking_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// begins asks for a code to an address, and returns the status.
func begins(t *testing.T, f *tickettest.Front, contact string) int {
	t.Helper()
	resp, _ := pagetest.Ask(t, pagetest.Still(), "POST", f.Server.URL+"/helpdesk/ask/write", request("contact", contact))
	return resp.StatusCode
}

func TestTaggedAddressesShareTheCodesOfTheirInbox(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		if status := begins(t, f, "victim@home.example"); status != http.StatusSeeOther {
			t.Fatalf("the first: %d", status)
		}
		if status := begins(t, f, "victim+now@home.example"); status != http.StatusTooManyRequests {
			t.Errorf("a tag, right away: %d", status)
		}
		for n := range 8 {
			f.Clock.Advance(time.Minute)
			begins(t, f, fmt.Sprintf("Victim+%d@home.example", n))
		}
		if len(f.Sent) != 5 {
			t.Errorf("%d codes came into one inbox in an hour", len(f.Sent))
		}
		for _, other := range []string{"somebody+victim@home.example", "victim@elsewhere.example"} {
			if status := begins(t, f, other); status != http.StatusSeeOther {
				t.Errorf("%s is another inbox: %d", other, status)
			}
		}
	})
}

func TestCodesToTelephonesAreBoundedInAll(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		next := 0
		hour := func() (sent int) { // of a machine that asks for as many as it gets
			for range 110 {
				next++
				if begins(t, f, fmt.Sprintf("+336399%05d", next)) == http.StatusSeeOther {
					sent++
				}
			}
			return sent
		}
		for n, want := range []int{100, 100, 100, 100, 100, 0} {
			if sent := hour(); sent != want {
				t.Errorf("%d codes left in hour %d, not %d", sent, n+1, want)
			}
			if status := begins(t, f, fmt.Sprintf("hour%d@home.example", n)); status != http.StatusSeeOther {
				t.Errorf("a mail in hour %d: %d", n+1, status)
			}
			f.Clock.Advance(time.Hour + time.Minute)
		}
		f.Clock.Advance(24 * time.Hour)
		if sent := hour(); sent != 100 {
			t.Errorf("%d codes left on the next day", sent)
		}
	})
}
