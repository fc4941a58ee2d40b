package following_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

func TestALongConversationShowsItsBeginningAndItsEnd(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = lina
		mine := f.Open(lina, "S", "Message 1.")
		for i := 2; i <= 12; i++ {
			f.Change(mine, tickettest.By(ticket.Agent, campustest.Nadia()), func(w *ticket.Work) error {
				w.Say(ticket.Message{Body: fmt.Sprintf("Message %d.", i)})
				return nil
			})
		}
		_, body := pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/follow/"+mine.Number, nil)
		before, rest, _ := strings.Cut(body, `<details class="fold">`)
		inside, after, folded := strings.Cut(rest, "</details>")
		if !folded {
			t.Fatalf("nothing is folded in\n%s", body)
		}
		shows(t, inside, "Show 7 earlier messages")
		for i := 1; i <= 12; i++ {
			part, where := inside, "in the fold"
			if i == 1 {
				part, where = before, "before it"
			} else if i > 8 {
				part, where = after, "after it"
			}
			if strings.Count(body, fmt.Sprintf(">Message %d.<", i)) != 1 || !strings.Contains(part, fmt.Sprintf(">Message %d.<", i)) {
				t.Errorf("message %d is not once, %s", i, where)
			}
		}
	})
}
