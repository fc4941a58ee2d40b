package identity

import (
	"errors"
	"slices"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

func TestAPersonThatCannotBeStoredIsRefusedWithAReason(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		good := Person{Login: "new.one", Mail: "new.one@valmont.example", FamilyName: "One"}
		for name, c := range map[string]struct {
			change func(*Person)
			want   *fault.Reason
		}{
			"a login that is taken":   {func(p *Person) { p.Login = "lmartin" }, PersonExists},
			"a mail that is taken":    {func(p *Person) { p.Mail = "Lina.Martin@valmont.example" }, PersonExists},
			"a login with a space":    {func(p *Person) { p.Login = "a b" }, LoginForm},
			"a login with a quote":    {func(p *Person) { p.Login = "a'b" }, LoginForm},
			"a mail without a host":   {func(p *Person) { p.Mail = "x" }, MailForm},
			"a mail with a name":      {func(p *Person) { p.Mail = "X <x@y.example>" }, MailForm},
			"no name":                 {func(p *Person) { p.FamilyName = " " }, NameForm},
			"an unknown affiliation":  {func(p *Person) { p.Affiliations = []campus.Affiliation{{Kind: "king"}} }, AffiliationForm},
			"a code that would split": {func(p *Person) { p.Affiliations = []campus.Affiliation{{Kind: campus.Student, Campus: "a|b"}} }, AffiliationForm},
			"an unknown right":        {func(p *Person) { p.Rights = []campus.Right{"root"} }, RightForm},
		} {
			p := good
			c.change(&p)
			err := h.db.InTx(t.Context(), func(tx db.Tx) error { _, err := h.AddPerson(t.Context(), tx, p); return err })
			if !errors.Is(err, c.want) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}

func TestANameDoesNotTurnTheWordsAroundIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who := h.add(Person{Login: "maryam", Mail: "maryam@valmont.example", GivenName: "مريم\u202e", FamilyName: " العلي\n\u2066admin\x00 ", JobTitle: "a\tb"}, linasPassword)
		p, err := h.PersonByID(t.Context(), who)
		if err != nil || p.GivenName != "مريم" || p.FamilyName != "العلي admin" || p.JobTitle != "a b" {
			t.Errorf("stored as %+v, %v", p, err)
		}
		want(t, h.browser().signIn("maryam", linasPassword), 200, "home of maryam")
		if err := h.db.InTx(t.Context(), func(tx db.Tx) error {
			_, err := h.AddPerson(t.Context(), tx, Person{Login: "nobody", Mail: "n@valmont.example", FamilyName: "\u200f\u202e"})
			return err
		}); !errors.Is(err, NameForm) {
			t.Errorf("a name of nothing that is seen: %v", err)
		}
	})
}

func TestAPersonComesBackAsStored(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		who := h.add(Person{Login: "ali", Mail: "ali@valmont.example", GivenName: "علي", FamilyName: "Ben Œillet", JobTitle: "Doctorant",
			Affiliations: []campus.Affiliation{{Kind: campus.Student, Campus: "rives", Programme: "doc"}, {Kind: campus.Teacher, Campus: "rives", Unit: "info"}},
			Rights:       []campus.Right{campus.RightNews}}, "")
		p, err := h.PersonByLogin(ctx, "ALI@valmont.example")
		if err != nil || p.ID != who || p.GivenName != "علي" || len(p.Affiliations) != 2 || !slices.Contains(p.Rights, campus.RightNews) || p.State != Active {
			t.Fatalf("got %+v, %v", p, err)
		}
		attributes, err := h.Attributes(ctx, who)
		if err != nil || !slices.Equal(attributes["uid"], []string{"ali"}) || !slices.Contains(attributes["eduPersonAffiliation"], "faculty") || !slices.Contains(attributes["eduPersonAffiliation"], "member") ||
			!slices.Contains(attributes["eduPersonAffiliation"], "employee") || !slices.Equal(attributes["cn"], attributes["displayName"]) || !slices.Equal(attributes["supannEntiteAffectationPrincipale"], []string{"info"}) {
			t.Errorf("attributes %v, %v", attributes, err)
		}
		if _, err := h.PersonByID(ctx, "nobody"); !errors.Is(err, PersonMissing) {
			t.Errorf("got %v", err)
		}
		if err := h.SetPreferences(ctx, who, campus.English, campus.AppearanceDark); err != nil {
			t.Fatal(err)
		}
		if p, _ := h.PersonByID(ctx, who); p.Locale != campus.English || p.Appearance != campus.AppearanceDark {
			t.Errorf("preferences %q %q", p.Locale, p.Appearance)
		}
		list, err := h.ListPeople(ctx, "", "", 1)
		if err != nil || len(list) != 1 || list[0].FamilyName != "Ben Œillet" {
			t.Errorf("list %+v, %v", list, err)
		}
		next, err := h.ListPeople(ctx, campus.Fold("Ben Œillet علي"), string(who), 10)
		if err != nil || len(next) != 1 || next[0].Login != "lmartin" {
			t.Errorf("next page %+v, %v", next, err)
		}
	})
}
