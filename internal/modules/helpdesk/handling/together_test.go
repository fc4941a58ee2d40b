package handling_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/handling"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// together sends forms at one instant, and returns the answers in their order.
func (k *kit) together(forms ...func() (path string, pairs []string)) []int {
	k.T.Helper()
	status := make([]int, len(forms))
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i, form := range forms {
		ready.Add(1)
		done.Go(func() {
			path, pairs := form()
			ready.Done()
			<-start
			resp, err := pagetest.Still().PostForm(k.server.URL+path, pagetest.Form(pairs...))
			if err != nil {
				k.T.Error(err)
				return
			}
			if err := resp.Body.Close(); err != nil {
				k.T.Error(err)
			}
			status[i] = resp.StatusCode
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return status
}

func TestOfAgentsWhoAnswerTheSameVersionOneIsFirst(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		forms := make([]func() (string, []string), 8)
		for i := range forms {
			forms[i] = func() (string, []string) {
				return handling.URL(tick.Number) + "/messages", []string{"body", fmt.Sprint("Réponse ", i), "version", ver(tick)}
			}
		}
		sent := 0
		for _, status := range k.together(forms...) {
			switch status {
			case http.StatusSeeOther:
				sent++
			case http.StatusConflict:
			default:
				t.Errorf("one of them got %d", status)
			}
		}
		if said := k.thread(tick).Messages; sent != 1 || len(said) != 2 {
			t.Errorf("%d were sent, %d messages", sent, len(said))
		}
	})
}

func TestTwoMergesAgainstEachOtherCloseNoRing(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		for range 5 {
			a, b := k.asked("A", "a"), k.asked("B", "b")
			merge := func(from, into ticket.Ticket) func() (string, []string) {
				return func() (string, []string) {
					return handling.URL(from.Number) + "/merge", []string{"with", into.Number}
				}
			}
			status := k.together(merge(a, b), merge(b, a))
			merged := 0
			for _, x := range []ticket.Ticket{k.now(a), k.now(b)} {
				if x.State == ticket.Merged {
					merged++
				}
			}
			if merged != 1 {
				t.Fatalf("%v: %d of two are merged", status, merged)
			}
		}
	})
}

func TestOfAgentsWhoTakeATicketEachKnowsWhoHasIt(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		take := func() (string, []string) {
			return handling.URL(tick.Number) + "/mine", []string{"version", ver(tick)}
		}
		status := k.together(take, take, take)
		first := strings.Count(fmt.Sprint(status), "303")
		if now := k.now(tick); now.Assignee == "" || first != 1 || strings.Count(k.kinds(tick), "assigned") != 1 {
			t.Errorf("%v: %q has it, %s", status, now.Assignee, k.kinds(tick))
		}
	})
}
