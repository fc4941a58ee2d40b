package identity

import (
	"slices"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
)

func TestWhoseAccountEndsReadsWhenAndWhy(t *testing.T) {
	h := openOne(t)
	b := h.browser()
	want(t, b.signIn("lmartin", linasPassword, "next", "/identity/account"), 200, "My account and its safety")
	secretary := campus.Viewer{Person: "secretary", Rights: []campus.Right{campus.RightSecretariat}}
	ends := lifecycle.Order{State: account.Expiring, Reason: "registration_ended", Until: h.clock.Now().AddDate(0, 1, 0)}
	if _, err := h.lifecycle.Decide(t.Context(), secretary, h.lina, ends); err != nil {
		t.Fatal(err)
	}
	want(t, b.get("/identity/account"), 200, "until Tuesday 22 December, that day included", "The registration has ended.", "the registrar’s office")
	want(t, h.browser().get("/identity/account"), 200, "Password", "/identity/account") // the button of the letter
}

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
		{campus.RightAdmin, []string{"/identity/invitations", "/identity/risk", "/identity/rights", "/identity/journal/all"}},
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
