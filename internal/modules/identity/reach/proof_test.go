package reach

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

var nobody = fault.Declare(fault.NotFound, "identity_reach_test.nobody")

// finder is the house's register, which finds people by their address too.
type finder struct{ account.People }

func (f finder) PersonByLogin(_ context.Context, login string) (account.Person, error) {
	for _, p := range []account.Person{lina, hugo} {
		if p.Mail == login || p.Login == login {
			return p, nil
		}
	}
	return account.Person{}, nobody
}

func finding(d *Deps, _ *mailer.Config) { d.People = finder{d.People} }

func TestAContactIsReadHoweverItIsTyped(t *testing.T) {
	h := openOne(t)
	for typed, want := range map[string]contract.Contact{
		" Lina@Gmail.example ": {Value: "Lina@gmail.example", Masked: "L…@gmail.example"},
		"06 12 34 56 78":       {Phone: true, Value: firstPhone, Masked: MaskMobile(firstPhone)},
	} {
		if got, err := h.ReadContact(typed); err != nil || got != want {
			t.Errorf("%q: %+v, %v", typed, got, err)
		}
	}
	for _, typed := range []string{"", "lina", "lina@", "@", "lina martin", "01 99 00 12 12", "a@b@c"} {
		if got, err := h.ReadContact(typed); err == nil || fault.Of(err).Reason.Kind() != fault.Invalid {
			t.Errorf("%q: %+v, %v", typed, got, err)
		}
	}
}

func TestACodeProvesAContactOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		to := contract.Contact{Value: "stranger@home.example"}
		h.in(func(tx db.Tx) error { return h.SendProof(t.Context(), tx, "draft", to, campus.English) })
		m := h.outbox()[0]
		if m.To != to.Value || m.Kind != "identity.proof" || !strings.Contains(m.Text, "Hello,\n") || strings.Contains(m.Text, "http") {
			t.Errorf("%s, %s:\n%s", m.To, m.Kind, m.Text)
		}
		plain := codeIn(t, m.Text)
		if err := h.CheckProof(t.Context(), "another draft", plain); err == nil {
			t.Error("the code is good for another draft")
		}
		if err := h.CheckProof(t.Context(), "draft", plain); err != nil {
			t.Error(err)
		}
		if err := h.CheckProof(t.Context(), "draft", plain); err == nil {
			t.Error("the code is good twice")
		}
	})
}

// codeIn is the code of a letter: the line that is indented.
func codeIn(t *testing.T, text string) string {
	t.Helper()
	for line := range strings.Lines(text) {
		if code, ok := strings.CutPrefix(line, "    "); ok {
			return strings.TrimSpace(code)
		}
	}
	t.Fatalf("no code in:\n%s", text)
	return ""
}

func TestAContactLeadsToItsPersonWhenItCounts(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		whose := func(c contract.Contact) campus.PersonID {
			t.Helper()
			who, err := h.WhoseContact(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			return who
		}
		mail, phone := contract.Contact{Value: personal}, contract.Contact{Phone: true, Value: firstPhone}
		if got := whose(contract.Contact{Value: strings.ToUpper(lina.Mail)}); got != lina.ID {
			t.Errorf("the institutional address is of %q", got)
		}
		if got := whose(mail); got != "" {
			t.Errorf("an address that nobody has is of %q", got)
		}
		point, err := h.Add(t.Context(), lina, RecoveryMail, personal, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := whose(mail); got != "" {
			t.Errorf("an address that nobody proved is of %q", got)
		}
		h.in(func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE identity_points SET verified_at = 1, usable_at = 1 WHERE id = $1", point)
			return err
		})
		if got := whose(contract.Contact{Value: strings.ToUpper(personal)}); got != lina.ID {
			t.Errorf("a proved address is of %q", got)
		}
		if got := whose(contract.Contact{Phone: true, Value: personal}); got != "" {
			t.Errorf("an address is a telephone of %q", got)
		}
		for _, p := range []account.Person{lina, hugo} { // a telephone that a family shares
			if _, err := h.Add(t.Context(), p, MobilePhone, firstPhone, ""); err != nil {
				t.Fatal(err)
			}
			h.clock.Advance(2 * time.Minute)
		}
		h.in(func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE identity_points SET verified_at = 1, usable_at = 1 WHERE channel = 'mobile'")
			return err
		})
		if got := whose(phone); got != "" {
			t.Errorf("a telephone of two people is of %q", got)
		}
	}, finding)
}
