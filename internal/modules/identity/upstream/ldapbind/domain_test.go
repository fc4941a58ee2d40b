package ldapbind

import (
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/ldaptest"
)

func TestARealDomainControllerSaysWhySomebodyMayNotSignIn(t *testing.T) {
	d := ldaptest.StartDomain(t)
	admin := d.As(t, ldaptest.DomainAdmin, ldaptest.DomainAdminPassword)
	people := d.Unit(t, admin, "Personnes")
	const password, never = "Vieux-Phâre-1897", "66048" // and its password does not end
	service := d.Person(t, admin, people, "amphi", password, map[string][]string{"userAccountControl": {never}})
	for login, more := range map[string]map[string][]string{
		"fine": {"userAccountControl": {never}}, "disabled": {"userAccountControl": {"66050"}}, "locked": {"userAccountControl": {never}},
		"left": {"userAccountControl": {never}, "accountExpires": {"133000000000000000"}}, "reset": {"pwdLastSet": {"0"}},
	} {
		d.Person(t, admin, people, login, password, more)
	}
	rules := ldap.NewModifyRequest(ldaptest.DomainBase, nil)
	rules.Replace("minPwdAge", []string{"0"})
	rules.Replace("lockoutThreshold", []string{"2"})
	if err := admin.Modify(rules); err != nil {
		t.Fatal(err)
	}
	directory, err := New(upstream.Config{ID: "ad", Kind: upstream.KindLDAP, LDAP: upstream.LDAPConfig{
		URLs: []string{d.URL}, CAFile: d.CAFile, BindDN: service, BindPassword: password, Base: ldaptest.DomainBase, Active: true, Change: "service",
	}}, clock.System())
	if err != nil {
		t.Fatal(err)
	}

	answer, err := directory.Check(t.Context(), "fine", password)
	if err != nil || len(answer.Subject) != 36 || answer.Issuer != strings.ToLower(ldaptest.DomainBase) {
		t.Fatalf("the right password: %+v, %v", answer, err)
	}
	for range 3 {
		_, err = directory.Check(t.Context(), "locked", "faux")
		if f := failureOf(t, err); f.Proved {
			t.Fatalf("a wrong password: %+v", f)
		}
	}
	for login, want := range map[string]struct {
		reason *fault.Reason
		code   string
	}{
		"disabled": {upstream.AccountDisabled, "data 533"}, "left": {upstream.AccountExpired, "data 701"},
		"reset": {upstream.PasswordReset, "data 773"}, "locked": {upstream.AccountLocked, "data 775"}, "nobody": {upstream.Refused, ""},
	} {
		_, err := directory.Check(t.Context(), login, password)
		if err == nil {
			t.Errorf("%s may sign in", login)
			continue
		}
		if f := failureOf(t, err); f.Reason != want.reason || f.Code != want.code || f.Untested {
			t.Errorf("%s: %+v", login, f)
		}
	}
	_, err = directory.Check(t.Context(), "disabled", "faux")
	if f := failureOf(t, err); f.Reason != upstream.Refused {
		t.Errorf("a wrong password does not tell that the account is disabled, but %+v", f)
	}

	const next = "Nouvel-Été-2026"
	if f := failureOf(t, directory.Change(t.Context(), "reset", "faux", next)); f.Reason != upstream.Refused {
		t.Errorf("a change with a wrong password: %+v", f)
	}
	if f := failureOf(t, directory.Change(t.Context(), "reset", password, "court")); f.Reason != upstream.PasswordForm {
		t.Errorf("a change to a password that the domain does not take: %+v", f)
	}
	if err := directory.Change(t.Context(), "reset", password, next); err != nil {
		t.Fatalf("a change by an account without rights, with the old password: %v", err)
	}
	if _, err := directory.Check(t.Context(), "reset", next); err != nil {
		t.Errorf("with the new password: %v", err)
	}
}
