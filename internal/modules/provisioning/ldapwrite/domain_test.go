package ldapwrite_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/ldapwrite"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/ldaptest"
)

func TestAccountsAreKeptInARealActiveDirectory(t *testing.T) {
	d := ldaptest.StartDomain(t)
	admin := d.As(t, ldaptest.DomainAdmin, ldaptest.DomainAdminPassword)
	people, groups := d.Unit(t, admin, "Personnes"), d.Unit(t, admin, "Groupes")
	directory, err := ldapwrite.New(target.Line{Base: d.URL, CAFile: d.CAFile, Timeout: 10 * time.Second, Rate: 1000}, ldapwrite.Config{
		BindDN: ldaptest.DomainAdmin, BindPassword: ldaptest.DomainAdminPassword, Base: people, GroupsBase: groups, RDN: "cn", Classes: []string{"user"}, SuspendBy: "userAccountControl",
		Attributes: map[string]string{"sAMAccountName": "login", "sn": "family_name", "givenName": "given_name", "displayName": "name", "mail": "mail"},
	})
	if err != nil {
		t.Fatal(err)
	}
	read := func(dn, attribute string) string {
		t.Helper()
		found, err := admin.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)", []string{attribute}, nil))
		if err != nil || len(found.Entries) != 1 {
			t.Fatalf("read %s: %v", dn, err)
		}
		return found.Entries[0].GetAttributeValue(attribute)
	}
	zoe := target.Account{Key: "0198-zoe", Login: "zquere", GivenName: "Zoé", FamilyName: "Quéré, fille", Mail: "zoe@amphi.test", Groups: []string{"promo-l2"}}
	if _, ok, err := directory.Find(t.Context(), zoe); ok || err != nil {
		t.Fatalf("before it is made: %t, %v", ok, err)
	}
	dn, err := directory.Create(t.Context(), zoe)
	if err != nil {
		t.Fatal(err)
	}
	if control, group := read(dn, "userAccountControl"), read(dn, "memberOf"); control != "512" || group != "CN=promo-l2,"+groups {
		t.Errorf("it is made with %s, in %s", control, group)
	}
	if _, err := directory.Create(t.Context(), zoe); !target.Is(err, target.Taken) {
		t.Errorf("made twice: %v", err)
	}
	never := ldap.NewModifyRequest(dn, nil)
	never.Replace("userAccountControl", []string{"66048"}) // somebody else said that its password does not end
	if err := admin.Modify(never); err != nil {
		t.Fatal(err)
	}
	if err := directory.Suspend(t.Context(), dn, zoe); err != nil || read(dn, "userAccountControl") != "66050" {
		t.Errorf("suspended: %s, %v", read(dn, "userAccountControl"), err)
	}
	if found, ok, err := directory.Find(t.Context(), zoe); err != nil || !ok || !found.Suspended || !strings.EqualFold(found.ID, dn) {
		t.Errorf("found %+v, %t, %v", found, ok, err)
	}
	zoe.Login, zoe.FamilyName, zoe.Groups = "zmarie", "Marié", nil
	if err := directory.Change(t.Context(), dn, zoe); err != nil {
		t.Fatal(err)
	}
	dn = "CN=zmarie," + people
	if read(dn, "userAccountControl") != "66048" || read(dn, "sAMAccountName") != "zmarie" || read(dn, "memberOf") != "" || read("CN=promo-l2,"+groups, "member") != "" {
		t.Errorf("let in again and renamed: %s, %s, in %q", read(dn, "userAccountControl"), read(dn, "sAMAccountName"), read(dn, "memberOf"))
	}
	for range 2 { // the second time it is gone already
		if err := directory.Delete(t.Context(), dn, zoe); err != nil {
			t.Errorf("deleted: %v", err)
		}
	}
}
