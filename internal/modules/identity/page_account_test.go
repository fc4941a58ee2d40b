package identity

import (
	"slices"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
)

func TestTheNavigationOffersWhatSomebodysRightsOpen(t *testing.T) {
	h := openOne(t)
	for _, c := range []struct {
		right campus.Right
		want  []string
	}{
		{"", nil},
		{campus.RightNews, nil},
		{campus.RightHelpdesk, []string{"/identity/support"}},
		{campus.RightSecretariat, []string{"/identity/accounts", "/identity/invitations"}},
		{campus.RightAdmin, []string{"/identity/invitations", "/identity/risk", "/identity/journal/all"}},
	} {
		var got []string
		for _, item := range h.Nav(t.Context(), campus.Viewer{Rights: []campus.Right{c.right}}) {
			got = append(got, item.URL)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q is offered %v, not %v", c.right, got, c.want)
		}
	}
}
