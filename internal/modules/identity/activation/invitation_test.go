package activation

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/qr"
)

// sam joins the staff; the record knows an address outside the institution.
func (h *house) sam() account.Person {
	h.t.Helper()
	return h.add(account.Person{Login: "sweber", Mail: "sam.weber@valmont.example", GivenName: "Sam", FamilyName: "Weber", State: account.Invited, Locale: campus.English}, "", "sam@mail.example")
}

// invite sends an invitation as the secretariat does, and returns the link and
// the code of its letter.
func (h *house) invite(b *browser, login string) (link, code string) {
	h.t.Helper()
	want(h.t, b.post("/identity/invitations/new", url.Values{"login": {login}}), 200, "is on its way to")
	return h.last("invitation", anyLink), h.last("invitation", letterCode)
}

func tokenOf(link string) string {
	_, token, _ := strings.Cut(link, "token=")
	return token
}

func accept(b *browser, link string) answer {
	return b.post("/activate/invitation", url.Values{"token": {tokenOf(link)}})
}

func TestStaffActivateTheirAccountWithTheirLetter(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		sam, agent := h.sam(), h.agent("aroux", campus.RightSecretariat)
		link, _ := h.invite(agent, "sweber")
		if m := h.outbox("invitation")[0]; m.To != "sam@mail.example" || !strings.Contains(m.Subject, "University of Valmont") {
			t.Errorf("the letter went to %s: %s", m.To, m.Subject)
		}
		for range 3 { // a program that looks at links
			want(t, h.browser().get(link), 200, "step 1 of 4", "You have been invited")
		}
		want(t, agent.get("/identity/invitations"), 200, "Sam Weber", "sweber", "Sent", "by Agnès Roux")
		b := h.browser()
		want(t, accept(b, link), 200, "step 2 of 4", "Choose your password", "sweber")
		want(t, agent.get("/identity/invitations"), 200, "Opened")
		other := h.browser() // the letter opened on a second device
		want(t, accept(other, link), 200, "Choose your password")
		want(t, b.choose(goodPassword), 200, "step 3 of 4", "Protect your account")
		want(t, other.choose(goodPassword+"!"), 409, "identity.activation_not_invited")
		if h.state(sam.ID) != account.Active || h.passwords[sam.ID] != "hash of "+goodPassword {
			t.Errorf("the account is %s, its password %q", h.state(sam.ID), h.passwords[sam.ID])
		}
		want(t, agent.get("/identity/invitations"), 200, "Used")
		want(t, h.browser().get(link), 410, "identity.activation_letter_used")
		want(t, accept(h.browser(), link), 410, "identity.activation_letter_used")
		if got := h.kinds(); !slices.Equal(got, []string{"identity.account_activated", "identity.account_invited"}) {
			t.Errorf("the journal holds %q", got)
		}
		for _, e := range h.events {
			if e.Person != sam.ID || e.Actor == "" {
				t.Errorf("%s: of %q by %q", e.Kind, e.Person, e.Actor)
			}
		}
	})
}

func TestTheCodeOfALetterDoesWhatItsLinkDoes(t *testing.T) {
	h := openOne(t)
	h.sam()
	_, code := h.invite(h.agent("aroux", campus.RightAdmin), "sam.weber@valmont.example")
	b := h.browser()
	typed := func(text string) answer { return b.post("/activate/invitation", url.Values{"code": {text}}) }
	want(t, b.get("/activate/invitation"), 200, "Code of the letter")
	want(t, typed(""), 422, "Type the code that stands in your letter")
	want(t, typed("ABCD"), 422, "12 letters and digits")
	start := time.Now()
	want(t, typed("ABCD-ABCD-ABCD"), 410, "identity.activation_letter_unknown")
	if time.Since(start) < patience {
		t.Error("a wrong code is answered sooner than patience")
	}
	want(t, typed(" "+strings.ToLower(code)+" "), 200, "Choose your password", "sweber")
}

func TestAnInvitationThatIsOverSaysWhy(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		sam, agent := h.sam(), h.agent("aroux", campus.RightSecretariat)
		first, firstCode := h.invite(agent, "sweber")
		second, _ := h.invite(agent, "sweber") // replaces the first
		want(t, h.browser().get(first), 410, "identity.activation_letter_unknown")
		want(t, h.browser().post("/activate/invitation", url.Values{"code": {firstCode}}), 410, "identity.activation_letter_unknown")
		want(t, h.browser().get(second+"x"), 410, "identity.activation_letter_unknown")
		if list, total, err := h.invitations(t.Context(), Filter{Size: 10}); err != nil || total != 1 || list[0].Letters != 2 {
			t.Errorf("%d invitations, %v, %v", total, list, err)
		}

		b := h.browser()
		want(t, accept(b, second), 200, "Choose your password")
		list, _, err := h.invitations(t.Context(), Filter{Size: 1})
		if err != nil {
			t.Fatal(err)
		}
		at := "/identity/invitations/" + list[0].ID
		want(t, agent.get(at+"/withdraw"), 200, "Withdraw the invitation of Sam Weber?", "stop working at once")
		want(t, h.browser().get(second), 200) // looking at the page did nothing
		want(t, agent.post(at+"/withdraw", url.Values{}), 200, "The invitation is withdrawn", "Withdrawn")
		want(t, agent.post(at+"/withdraw", url.Values{}), 409, "identity.activation_invitation_over")
		want(t, agent.get(at+"/withdraw"), 409, "identity.activation_invitation_over")
		want(t, agent.post(at+"/again", url.Values{}), 409, "identity.activation_invitation_over")
		want(t, h.browser().get(second), 410, "identity.activation_letter_withdrawn")
		want(t, b.get("/activate/password"), 410, "identity.activation_letter_withdrawn")
		want(t, b.choose(goodPassword), 410, "identity.activation_letter_withdrawn")
		if h.state(sam.ID) != account.Invited {
			t.Error("a withdrawn invitation opened the account")
		}

		third, _ := h.invite(agent, "sweber")
		h.clock.Advance(15 * 24 * time.Hour)
		want(t, h.browser().get(third), 410, "identity.activation_letter_expired", "6 December")
		want(t, agent.get("/identity/invitations?state=expired"), 200, "Sam Weber")
		list, _, err = h.invitations(t.Context(), Filter{State: Unused, Size: 1})
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		want(t, agent.post("/identity/invitations/"+list[0].ID+"/again", url.Values{}), 200, "A new letter is on its way to sam@mail.example")
		want(t, h.browser().get(h.last("invitation", anyLink)), 200)
		want(t, agent.post("/identity/invitations/nothing/again", url.Values{}), 404, "identity.activation_invitation_missing")
		want(t, agent.get("/identity/invitations/nothing/withdraw"), 404)
	})
}

func TestOnlyThoseWaitingAreInvited(t *testing.T) {
	h := openOne(t)
	sam, agent := h.sam(), h.agent("aroux", campus.RightSecretariat)
	want(t, agent.post("/identity/invitations/new", url.Values{"login": {" "}}), 422, "Type an identifier")
	want(t, agent.post("/identity/invitations/new", url.Values{"login": {"nobody"}}), 422, "nobody with this identifier", `value="nobody"`)
	for _, s := range []account.State{account.Active, account.Expiring, account.Suspended, account.Closed} {
		h.setState(sam.ID, s)
		want(t, agent.post("/identity/invitations/new", url.Values{"login": {"sweber"}}), 422, "active already, or it is blocked")
	}
	if len(h.outbox("invitation")) != 0 {
		t.Error("a letter was sent")
	}
}

func guestFields() url.Values {
	return url.Values{"given_name": {"Émile"}, "family_name": {"Œrsted"}, "mail": {"Emile@Lab.example"}, "ends": {"2027-01-31"}, "locale": {"en"}, "unit": {"physics"}}
}

func TestAGuestIsAddedInvitedAndEndsOnTheirDay(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		agent := h.agent("aroux", campus.RightSecretariat)
		want(t, agent.get("/identity/invitations/guest"), 200, "Last day of the account")
		want(t, agent.post("/identity/invitations/guest", guestFields()), 200, "is on its way to emile@lab.example", "Émile Œrsted", "g-eoersted")
		b := h.browser()
		want(t, accept(b, h.last("invitation", anyLink)), 200, "g-eoersted")
		want(t, b.choose(goodPassword), 200, "Protect your account")
		p, err := h.PersonByLogin(t.Context(), "g-eoersted")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := h.ends[p.ID], time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC); !got.Equal(want) || p.State != account.Active {
			t.Errorf("%s until %v", p.State, got)
		}
		again := guestFields()
		again.Set("mail", "emilie@lab.example")
		want(t, agent.post("/identity/invitations/guest", again), 200, "g-eoersted2")
	})
}

func TestEveryMistakeAboutAGuestIsExplained(t *testing.T) {
	h := openOne(t)
	h.sam()
	agent := h.agent("aroux", campus.RightSecretariat)
	cases := []struct{ name, field, value, want string }{
		{"no name", "family_name", " ", "Type the family name"},
		{"a name without end", "given_name", strings.Repeat("a", 300), "At most 200"},
		{"no address", "mail", "", "not a mail address"},
		{"an address that is taken", "mail", "sam.weber@valmont.example", "has this address already"},
		{"no end", "ends", "", "Choose the last day"},
		{"an end that is no date", "ends", "soon", "not a date"},
		{"an end in the past", "ends", "2026-11-21", "is over"},
		{"an end too far", "ends", "2029-01-01", "Choose a day before"},
		{"no language", "locale", "de", "Choose the language"},
		{"a unit with a separator", "unit", "a|b", "neither | nor ;"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			form := guestFields()
			form.Set(c.field, c.value)
			want(t, agent.post("/identity/invitations/guest", form), 422, c.want, `href="#field-`+c.field+`"`)
		})
	}
	form := guestFields()
	form.Set("ends", "2026-11-22") // today counts
	form.Set("given_name", "")
	form.Set("family_name", "王")
	want(t, agent.post("/identity/invitations/guest", form), 200, "g-guest")
}

func TestAgentPagesAreForTheSecretariatAndAdministrators(t *testing.T) {
	h := openOne(t)
	sam := h.sam()
	h.invite(h.agent("aroux", campus.RightSecretariat), "sweber")
	list, _, err := h.invitations(t.Context(), Filter{Size: 1})
	if err != nil {
		t.Fatal(err)
	}
	at := "/identity/invitations/" + list[0].ID
	routes := []struct{ method, path string }{
		{"GET", "/identity/invitations"}, {"GET", "/identity/invitations/new"}, {"POST", "/identity/invitations/new"},
		{"GET", "/identity/invitations/guest"}, {"POST", "/identity/invitations/guest"}, {"GET", "/identity/invitations/export.csv"},
		{"POST", at + "/again"}, {"GET", at + "/withdraw"}, {"POST", at + "/withdraw"}, {"GET", "/identity/activation/sheet"},
	}
	others := map[string]*browser{
		"a student": h.agent("student"), "the help desk": h.agent("helper", campus.RightHelpdesk), "an editor": h.agent("editor", campus.RightNews),
	}
	form := guestFields()
	form.Set("login", "sweber")
	for _, route := range routes {
		for who, b := range others {
			if a := b.do(route.method, route.path, form); a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, "platform.right_missing") {
				t.Errorf("%s may %s %s: %d", who, route.method, route.path, a.StatusCode)
			}
		}
		if a := h.browser().do(route.method, route.path, form); strings.Contains(a.body, "sweber") || a.StatusCode == 200 && strings.Contains(a.body, "Invit") {
			t.Errorf("a stranger may %s %s: %d", route.method, route.path, a.StatusCode)
		}
		if route.method == "GET" {
			want(t, h.agent("admin"+strconv.Itoa(len(h.rights)), campus.RightAdmin).get(route.path), 200)
		}
	}
	if n := len(h.outbox("invitation")); n != 1 {
		t.Errorf("%d letters left", n)
	}

	// And without the routes: the use cases look for themselves.
	helper := campus.Viewer{Person: "x", Rights: []campus.Right{campus.RightHelpdesk, campus.RightNews}}
	_, err1 := h.Invite(t.Context(), helper, sam.Login, journal.Event{})
	_, err2 := h.InviteGuest(t.Context(), helper, Guest{}, journal.Event{})
	_, err3 := h.sendLetterAgain(t.Context(), helper, list[0].ID, journal.Event{})
	err4 := h.withdraw(t.Context(), helper, list[0].ID)
	for i, err := range []error{err1, err2, err3, err4} {
		if !errors.Is(err, Reserved) {
			t.Errorf("use case %d: %v", i+1, err)
		}
	}
}

func TestInvitationsAreFoundPagedAndExported(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		agent := h.agent("aroux", campus.RightSecretariat)
		want(t, agent.get("/identity/invitations"), 200, "No invitation has been sent yet")
		for i := range pageSize + 3 {
			n := strconv.Itoa(i)
			h.add(account.Person{Login: "staff" + n, Mail: "staff" + n + "@valmont.example", GivenName: "Noël", FamilyName: "Été" + n, State: account.Invited}, "", "")
			if _, err := h.Invite(t.Context(), campus.Viewer{Rights: []campus.Right{campus.RightAdmin}}, "staff"+n, journal.Event{}); err != nil {
				t.Fatal(err)
			}
			h.clock.Advance(time.Second)
		}
		h.add(account.Person{Login: "formula", Mail: "formula@valmont.example", GivenName: "=HYPERLINK(1)", FamilyName: "X", State: account.Invited}, "", "")
		h.invite(agent, "formula")

		want(t, agent.get("/identity/invitations"), 200, "29 invitations", "Page 1 of 2", "formula")
		want(t, agent.get("/identity/invitations?page=2"), 200, "staff0")
		want(t, agent.get("/identity/invitations?page=99"), 200, "Page 2 of 2")
		want(t, agent.get("/identity/invitations?q=ete7"), 200, "1 invitation", "staff7")
		want(t, agent.get("/identity/invitations?q=STAFF27@"), 200, "1 invitation", "staff27")
		want(t, agent.get("/identity/invitations?state=used"), 200, "No invitation fits")
		want(t, agent.get("/identity/invitations?q=%25&state=sent"), 200, "29 invitations")
		want(t, agent.get("/identity/invitations?q=%00%ff&state=bogus&page=-1"), 200)

		file := agent.get("/identity/invitations/export.csv")
		want(t, file, 200, "login,name,sent_to,state", "staff0,", "'=HYPERLINK(1) X")
		if n := strings.Count(file.body, "\n"); n != pageSize+5 {
			t.Errorf("%d lines", n)
		}
		if !strings.HasPrefix(file.Header.Get("Content-Type"), "text/csv") {
			t.Error(file.Header.Get("Content-Type"))
		}
	})
}

func TestTheSheetSaysAllInBothLanguagesAndHoldsNoSecret(t *testing.T) {
	h := openOne(t)
	a := h.agent("aroux", campus.RightSecretariat).get("/identity/activation/sheet")
	want(t, a, 200, `lang="fr"`, `lang="en"`, "ent.valmont.example/activate", "numéro étudiant", "student number", "Université de Valmont", "University of Valmont")
	code, err := qr.SVG("https://ent.valmont.example/activate", "")
	if err != nil {
		t.Fatal(err)
	}
	_, drawn, _ := strings.Cut(code, `fill="#000"`)
	if strings.Count(a.body, drawn) != len(campus.Locales) {
		t.Error("the QR code leads elsewhere")
	}
	b := h.agent("broux", campus.RightSecretariat).get("/identity/activation/sheet")
	if one, other := main(a.body), main(b.body); one != other {
		t.Error("the sheet is not the same for everybody")
	}
}

// main is the content of a page.
func main(body string) string {
	_, content, _ := strings.Cut(body, "<main")
	content, _, _ = strings.Cut(content, "</main>")
	return content
}
