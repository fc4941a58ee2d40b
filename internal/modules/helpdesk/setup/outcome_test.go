package setup_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

func TestARuleNamesWhoGetsRequestsAndTagsThem(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const address = "/helpdesk/setup/rules/new"
		h.get(address) // as who runs the desk
		h.refuse(address, pagetest.Form("name_en", "Koha", "assignee", "nobody-at-all"), "login or address of an agent")
		h.refuse(address, pagetest.Form("name_en", "Koha", "tags", "no spaces_or_signs!"), "Ten tags at most")
		h.post(address, pagetest.Form("name_en", "Koha", "assignee", campustest.Sam().Login, "tags", "books, VIP books"))
		rules, err := h.Routing.Ordered(t.Context())
		if err != nil || rules[0].Assignee != campustest.Sam().Person || !slices.Equal(rules[0].Tags, []string{"books", "vip"}) {
			t.Fatalf("kept: %+v, %v", rules[0].Rule, err)
		}
		if page := h.get("/helpdesk/setup/rules/" + rules[0].ID); !strings.Contains(page, `value="`+campustest.Sam().Login+`"`) || !strings.Contains(page, `value="books, vip"`) {
			t.Error("the form forgets who gets the requests, or the tags")
		}
	})
}
