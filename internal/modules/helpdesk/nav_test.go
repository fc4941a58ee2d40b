package helpdesk

import (
	"slices"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
)

// TestTheMenuOffersNothingThatRefuses compares the menu with the rights that the routes
// of its pages ask for.
func TestTheMenuOffersNothingThatRefuses(t *testing.T) {
	with := func(m campus.Mandate) campus.Viewer {
		v := campustest.Nadia()
		v.Rights, v.Mandates = nil, []campus.Mandate{m}
		if m.Campus == "" {
			v.Rights, v.Mandates = []campus.Right{m.Right}, nil
		}
		return v
	}
	asks, work := []string{"/helpdesk"}, []string{"/helpdesk", "/helpdesk/articles", "/helpdesk/counter", "/helpdesk/figures", "/helpdesk/tickets"}
	for name, c := range map[string]struct {
		who  campus.Viewer
		want []string
	}{
		"a student":               {campustest.Lina(), asks},
		"an agent":                {with(campus.Mandate{Right: campus.RightHelpdesk}), append(slices.Clone(work), "/helpdesk/outages")},
		"an agent of one campus":  {with(campus.Mandate{Right: campus.RightHelpdesk, Campus: "rives"}), work},
		"whoever runs the desk":   {with(campus.Mandate{Right: campus.RightDesks}), []string{"/helpdesk", "/helpdesk/articles", "/helpdesk/figures", "/helpdesk/outages", "/helpdesk/setup"}},
		"somebody of another one": {with(campus.Mandate{Right: campus.RightNews}), asks},
	} {
		var got []string
		for _, item := range new(Module).Nav(t.Context(), c.who) {
			got = append(got, item.URL)
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s is offered %v, not %v", name, got, c.want)
		}
	}
}
