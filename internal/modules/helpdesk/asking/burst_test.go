package asking_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
)

func TestOfCodesThatAreAskedForAtOnceOneLeaves(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		answers := make([]int, 12)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = begins(t, f, "victim@home.example") })
		}
		all.Wait()
		begun := 0
		for _, status := range answers {
			if status == http.StatusSeeOther {
				begun++
			} else if status != http.StatusTooManyRequests {
				t.Errorf("it is answered %d", status)
			}
		}
		if begun != 1 {
			t.Errorf("%d codes leave for one address", begun)
		}
	})
}
