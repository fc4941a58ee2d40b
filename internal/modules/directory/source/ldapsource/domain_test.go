package ldapsource_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/ldaptest"
)

// A domain controller of another making: what it does, and what only the documents of
// Microsoft say, are not always the same.
func TestARealDomainControllerTellsWhatChanged(t *testing.T) {
	d := ldaptest.StartDomain(t)
	admin := d.As(t, ldaptest.DomainAdmin, ldaptest.DomainAdminPassword)
	const password = "vieux-Phare-1897"
	people, former, groups := d.Unit(t, admin, "Personnes"), d.Unit(t, admin, "Anciens"), d.Unit(t, admin, "Groupes")
	d.Person(t, admin, "CN=Users,"+ldaptest.DomainBase, "lecteur", password, nil)
	var dns []string
	for i, more := range []map[string][]string{
		{"mail": {"p0@amphi.test"}}, {"accountExpires": {"0"}}, {"accountExpires": {"9223372036854775807"}}, {"accountExpires": {"134900000000000000"}},
		{"userAccountControl": {"514"}}, {}, {}, {}, {"sn": {"Dupont, Martin"}},
	} {
		all := map[string][]string{"sn": {"Quéré"}, "givenName": {"Zoé"}, "employeeType": {"student"}}
		for name, values := range more {
			all[name] = values
		}
		dns = append(dns, d.Person(t, admin, people, fmt.Sprintf("zoe.%d", i), password, all))
	}
	group := "CN=Étudiants," + groups
	d.Add(t, admin, group, map[string][]string{"objectClass": {"group"}, "sAMAccountName": {"etudiants"}, "member": dns[:6]})
	s, m := open(t, source.Config{ID: "ad", Kind: source.KindLDAP, Preset: source.PresetAD, LDAP: source.LDAPConfig{
		URLs: []string{d.URL}, CAFile: d.CAFile, BindDN: "lecteur@" + ldaptest.DomainSuffix, BindPassword: password, Page: 3,
		Base: ldaptest.DomainBase, GroupBase: ldaptest.DomainBase, Timeout: 10 * time.Second,
	}})
	modify := func(dn, attribute string, values ...string) {
		t.Helper()
		r := ldap.NewModifyRequest(dn, nil)
		r.Replace(attribute, values)
		if err := admin.Modify(r); err != nil {
			t.Fatal(err)
		}
	}
	move := func(dn, to string) string {
		t.Helper()
		if err := admin.ModifyDN(ldap.NewModifyDNRequest(dn, "CN=déplacé", true, to)); err != nil {
			t.Fatal(err)
		}
		return "CN=déplacé," + to
	}

	now := must(t, s, "")
	if now.Count[source.Person] != 10 || now.Count[source.Group] != 1 || !now.All(source.Person) || len(now.Remarks) > 0 {
		t.Fatalf("it hands over %v, complete %v, remarks %v; accounts and groups of the system are none of ours", now.Count, now.Complete, now.Remarks)
	}
	until := func(i int) string {
		one, _ := now.of(fmt.Sprintf("zoe.%d", i))
		entry, refused := m.Map(one)
		if len(refused) > 0 {
			t.Errorf("person %d: %v", i, refused)
		}
		return entry.Values.One("until")
	}
	if until(1) != "" || until(2) != "" || until(3) == "" {
		t.Errorf("accounts end on %q, %q and %q", until(1), until(2), until(3))
	}
	all := now.merged(nil)

	changed := func(what string, want ...string) {
		t.Helper()
		now = must(t, s, now.Cursor)
		all = now.merged(all)
		var got []string
		for _, one := range now.records {
			if one.Kind == source.Person && !one.Unchanged && !one.Gone {
				got = append(got, one.First("sAMAccountName"))
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) || !now.All(source.Person) || len(now.Remarks) > 0 {
			t.Errorf("%s: read again are %q, want %q, remarks %v", what, got, want, now.Remarks)
		}
	}
	everybody := []string{"lecteur"}
	for i := range dns {
		everybody = append(everybody, fmt.Sprintf("zoe.%d", i))
	}
	changed("nothing happened")
	modify(dns[0], "mail", "zoe@amphi.test")
	changed("an address changed", "zoe.0")
	modify(dns[5], "userAccountControl", "514")
	changed("an account was switched off", "zoe.5")
	dns[6] = move(dns[6], former)
	changed("somebody was renamed and moved", "zoe.6")
	if len(all) != 11 { // with the group
		t.Errorf("%d are known, want 11: who moved stays the same", len(all))
	}
	modify(group, "member", append(dns[:5:5], dns[7])...)
	changed("a group has other members, which nothing at the people shows", everybody...)
	if one, _ := now.of("zoe.7"); !slices.Contains(one.Values["memberof"], group) {
		t.Errorf("the one who joined the group has %q", one.Values["memberof"])
	}
	if err := admin.Del(ldap.NewDelRequest(group, nil)); err != nil {
		t.Fatal(err)
	}
	changed("a group is gone", everybody...)
	if err := admin.Del(ldap.NewDelRequest(dns[8], nil)); err != nil {
		t.Fatal(err)
	}
	changed("somebody was deleted")
	if len(all) != 9 {
		t.Errorf("%d are left, want 9", len(all))
	}
}
