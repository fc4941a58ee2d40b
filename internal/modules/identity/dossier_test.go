package identity

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// follower remembers whose change it was told.
type follower struct{ told []campus.PersonID }

func (f *follower) PersonChanged(_ context.Context, _ db.Tx, who campus.PersonID) error {
	f.told = append(f.told, who)
	return nil
}

func TestOnlyThoseWhoLookAfterSomebodySeeHowTheAccountStands(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		law := campus.Mandate{Right: campus.RightSecretariat, Campus: "rives", Programme: "droit"}
		info := campus.Mandate{Right: campus.RightSecretariat, Campus: "rives", Programme: "info"}
		for name, c := range map[string]struct {
			viewer campus.Viewer
			link   string // where the card leads; "-" for no card
		}{
			"the secretariat":                  {campus.Viewer{Rights: []campus.Right{campus.RightSecretariat}}, "/identity/accounts/"},
			"a secretary of the programme":     {campus.Viewer{Mandates: []campus.Mandate{info}}, "/identity/accounts/"},
			"a secretary of another programme": {campus.Viewer{Mandates: []campus.Mandate{law}}, "-"},
			"the help desk":                    {campus.Viewer{Rights: []campus.Right{campus.RightHelpdesk}}, "/identity/support/people/"},
			"who keeps the directory":          {campus.Viewer{Rights: []campus.Right{campus.RightDirectory}}, ""},
			"who writes the news":              {campus.Viewer{Rights: []campus.Right{campus.RightNews}}, "-"},
			"somebody without a right":         {campus.Viewer{}, "-"},
			"the person, who has other pages":  {campus.Viewer{Person: h.lina}, "-"},
		} {
			cards, err := h.About(t.Context(), c.viewer, h.lina)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if c.link == "-" {
				if len(cards) != 0 {
					t.Errorf("%s sees %+v", name, cards)
				}
				continue
			}
			want := 1
			if c.viewer.Can(campus.RightHelpdesk) { // recent sign-ins, factors, where messages go
				want = 4
			}
			if len(cards) != want || !strings.HasPrefix(cards[0].Link.URL, c.link) || cards[0].Rows[0].Tag == "" {
				t.Errorf("%s sees %+v", name, cards)
			}
		}
	})
}

func TestTheHouseIsToldOfEveryChangeAboutSomebody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		f := &follower{}
		h.Meet(func() []contract.PersonFollower { return []contract.PersonFollower{f} }, nil)
		agent := h.add(Person{Login: "fdiallo", Mail: "f.diallo@valmont.example", FamilyName: "Diallo", Rights: []campus.Right{campus.RightSecretariat}}, "")
		secretariat := campus.Viewer{Person: agent, Rights: []campus.Right{campus.RightSecretariat}}
		var invited campus.PersonID
		inTx := func(do func(ctx context.Context, tx db.Tx) error) func() error {
			return func() error {
				return h.db.InTx(t.Context(), func(tx db.Tx) error { return do(t.Context(), tx) })
			}
		}
		for _, c := range []struct {
			name string
			do   func() error
		}{
			{"enrolled", inTx(func(ctx context.Context, tx db.Tx) (err error) {
				invited, err = h.Enrol(ctx, tx, contract.Subject{Login: "otis", Mail: "otis@valmont.example", FamilyName: "Otis"}, "test")
				return err
			})},
			{"amended", inTx(func(ctx context.Context, tx db.Tx) error {
				return h.Amend(ctx, tx, invited, contract.Subject{JobTitle: "Gardener"}, []contract.Field{contract.FieldJobTitle}, "test")
			})},
			{"activated", inTx(func(ctx context.Context, tx db.Tx) error { return h.Activate(ctx, tx, invited) })},
			{"given a right", inTx(func(ctx context.Context, tx db.Tx) error {
				return h.Mandates().Give(ctx, tx, invited, campus.Mandate{Right: campus.RightNews}, journal.Event{})
			})},
			{"suspended", func() error {
				_, err := h.lifecycle.Decide(t.Context(), secretariat, invited, lifecycle.Order{State: "suspended", Reason: "discipline"})
				return err
			}},
		} {
			f.told = nil
			if err := c.do(); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if !slices.Contains(f.told, invited) {
				t.Errorf("when somebody was %s, the house was told of %v", c.name, f.told)
			}
		}
	})
}

func TestTheRegisterTellsWhoHoldsRights(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		clerk := h.add(Person{Login: "clerk", Mail: "clerk@valmont.example", GivenName: "Ana", FamilyName: "Roy"}, "")
		err := h.db.InTx(t.Context(), func(tx db.Tx) error {
			return h.mandates.Give(t.Context(), tx, clerk, campus.Mandate{Right: campus.RightHelpdesk, Campus: "rives"}, journal.Event{})
		})
		if err != nil {
			t.Fatal(err)
		}
		known, err := h.KnownPeople(t.Context(), []campus.PersonID{clerk, h.lina})
		if err != nil || !known[clerk].HoldsRights || known[h.lina].HoldsRights {
			t.Errorf("%+v, %v", known, err)
		}
	})
}

func TestWhomASourceGivesAnotherAddressIsToldAtTheOldOne(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		letters := func() (list []string) {
			rows, err := h.db.Read().QueryContext(t.Context(), "SELECT to_masked FROM mailer_outbox WHERE kind = 'identity.names_changed' ORDER BY id")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				var to string
				if err := rows.Scan(&to); err != nil {
					t.Fatal(err)
				}
				list = append(list, to)
			}
			return list
		}
		p, err := h.PersonByID(t.Context(), h.lina)
		if err != nil {
			t.Fatal(err)
		}
		for _, mail := range []string{p.Mail, "evil@elsewhere.example"} { // the first one changes nothing
			err := h.db.InTx(t.Context(), func(tx db.Tx) error {
				return h.Amend(t.Context(), tx, h.lina, contract.Subject{Mail: mail}, []contract.Field{contract.FieldMail}, "guests")
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if told := letters(); len(told) != 1 || strings.Contains(told[0], "elsewhere") {
			t.Errorf("told: %q", told)
		}
		var noted int
		err = h.db.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM identity_journal WHERE kind = 'identity.names_changed'").Scan(&noted)
		if err != nil || noted != 1 {
			t.Errorf("the journal has %d, %v", noted, err)
		}
	})
}

func TestNoSourceChangesHowWhoHoldsRightsGetsIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		who := h.add(Person{Login: "chief", Mail: "chief@valmont.example", FamilyName: "Chief", State: account.Active}, "")
		amend := func(s contract.Subject, f contract.Field) error {
			return h.db.InTx(t.Context(), func(tx db.Tx) error { return h.Amend(t.Context(), tx, who, s, []contract.Field{f}, "guests") })
		}
		if err := amend(contract.Subject{Mail: "boss@valmont.example"}, contract.FieldMail); err != nil {
			t.Fatalf("without rights: %v", err)
		}
		err := h.db.InTx(t.Context(), func(tx db.Tx) error {
			return h.mandates.Give(t.Context(), tx, who, campus.Mandate{Right: campus.RightSecretariat, Programme: "info"}, journal.Event{})
		})
		if err != nil {
			t.Fatal(err)
		}
		for f, s := range map[contract.Field]contract.Subject{
			contract.FieldLogin: {Login: "evil"}, contract.FieldMail: {Mail: "evil@elsewhere.example"}, contract.FieldMobile: {Mobile: "+33639980001"}, contract.FieldRecoveryMail: {RecoveryMail: "evil@elsewhere.example"},
		} {
			if err := amend(s, f); !errors.Is(err, PersonProtected) {
				t.Errorf("%s: %v", f, err)
			}
		}
		if err := amend(contract.Subject{JobTitle: "Dean"}, contract.FieldJobTitle); err != nil {
			t.Errorf("what is no way in: %v", err)
		}
	})
}

func TestWhoIsToldOfSomebodyIsWhoLooksAfterThem(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		clerk := func(login string, state account.State, m campus.Mandate) campus.PersonID {
			who := h.add(Person{Login: login, Mail: login + "@valmont.example", FamilyName: login, State: state}, "")
			m.Right = campus.RightSecretariat
			if err := h.db.InTx(t.Context(), func(tx db.Tx) error { return h.mandates.Give(t.Context(), tx, who, m, journal.Event{}) }); err != nil {
				t.Fatal(err)
			}
			return who
		}
		all := clerk("all", account.Active, campus.Mandate{})
		law := clerk("law", account.Active, campus.Mandate{Programme: "droit"})
		info := clerk("info", account.Active, campus.Mandate{Campus: "rives", Programme: "info"})
		clerk("gone", account.Suspended, campus.Mandate{Programme: "info"})
		for name, c := range map[string]struct {
			somebody []campus.Affiliation
			want     []campus.PersonID
		}{
			"a student of the programme": {[]campus.Affiliation{{Kind: campus.Student, Campus: "rives", Programme: "info"}}, []campus.PersonID{info, all}},
			"one of two programmes":      {[]campus.Affiliation{{Campus: "rives", Programme: "info"}, {Programme: "droit"}}, []campus.PersonID{info, law, all}},
			"of another campus":          {[]campus.Affiliation{{Campus: "port", Programme: "info"}}, []campus.PersonID{all}},
			"nobody's":                   {nil, []campus.PersonID{all}},
		} {
			if got, err := h.HoldersFor(t.Context(), campus.RightSecretariat, c.somebody); err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s: %q, want %q: %v", name, got, c.want, err)
			}
		}
	})
}
