package listing_test

import (
	"testing"

	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/listing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
)

func TestListsAreNarrowedToATag(t *testing.T) {
	each(t, func(t *testing.T, x *tickettest.Desk, l *listing.Listing) {
		sam := campustest.Sam()
		tagged, other := x.Open(campustest.Lina(), "one", "x"), x.Open(campustest.Lina(), "two", "x")
		x.Change(tagged, tickettest.By(ticket.Agent, sam), func(w *ticket.Work) error { w.Ticket.Tags = []string{"exam", "vip"}; return nil })
		for query, want := range map[string][]ticket.Ticket{"tag=vip&state=all": {tagged}, "tag=exam": {tagged}, "tag=other": nil, "q=one&tag=vip": {tagged}, "q=two&tag=vip": nil, "state=new": {tagged, other}} {
			if got := numbers(t, l, sam, query); !same(got, want...) {
				t.Errorf("%s lists %v", query, got)
			}
		}
		x.Change(tagged, tickettest.By(ticket.Agent, sam), func(w *ticket.Work) error { w.Ticket.Tags = nil; return nil })
		if got := numbers(t, l, sam, "tag=vip&state=all"); len(got) != 0 {
			t.Errorf("a tag that was taken away lists %v", got)
		}
	})
}
