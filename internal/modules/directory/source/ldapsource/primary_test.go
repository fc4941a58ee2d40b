package ldapsource_test

import (
	"slices"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/ldaptest"
)

func TestThePrimaryGroupIsAGroupLikeOthers(t *testing.T) {
	d := ldaptest.StartDomain(t)
	admin := d.As(t, ldaptest.DomainAdmin, ldaptest.DomainAdminPassword)
	const password = "vieux-Phare-1897"
	people, groups := d.Unit(t, admin, "Personnes"), d.Unit(t, admin, "Groupes")
	d.Person(t, admin, "CN=Users,"+ldaptest.DomainBase, "lecteur", password, nil)
	var dns []string
	for _, login := range []string{"anna", "boris", "carla"} {
		dns = append(dns, d.Person(t, admin, people, login, password, map[string][]string{"sn": {"Quéré"}}))
	}
	group := "CN=Étudiants," + groups
	d.Add(t, admin, group, map[string][]string{"objectClass": {"group"}, "sAMAccountName": {"etudiants"}, "member": dns[:2]})
	found, err := admin.Search(ldap.NewSearchRequest(group, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)", []string{"primaryGroupToken"}, nil))
	if err != nil || len(found.Entries) != 1 {
		t.Fatal(found, err)
	}
	r := ldap.NewModifyRequest(dns[0], nil)
	r.Replace("primaryGroupID", found.Entries[0].GetAttributeValues("primaryGroupToken"))
	if err := admin.Modify(r); err != nil {
		t.Fatal(err)
	}
	s, _ := open(t, source.Config{ID: "ad", Kind: source.KindLDAP, Preset: source.PresetAD, LDAP: source.LDAPConfig{
		URLs: []string{d.URL}, CAFile: d.CAFile, BindDN: "lecteur@" + ldaptest.DomainSuffix, BindPassword: password,
		Base: people, GroupBase: groups, Timeout: 10 * time.Second,
	}})
	now := must(t, s, "")
	for login, in := range map[string]bool{"anna": true, "boris": true, "carla": false} {
		one, _ := now.of(login)
		if slices.Contains(one.Values["memberof"], group) != in {
			t.Errorf("%s is in %q", login, one.Values["memberof"])
		}
	}
	for _, one := range now.records {
		if one.Kind == source.Group {
			slices.Sort(one.Values["member"])
			if !slices.Equal(one.Values["member"], dns[:2]) {
				t.Errorf("in the group are %q", one.Values["member"])
			}
		}
	}
}
