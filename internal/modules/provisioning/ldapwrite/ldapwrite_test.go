package ldapwrite_test

import (
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/ldapwrite"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/ldaptest"
)

const suffix = "dc=radius,dc=example"

// slapd runs a real OpenLDAP whose root may write.
func slapd(t *testing.T) *ldaptest.Server {
	t.Helper()
	return ldaptest.Start(t, ldaptest.Directory{
		Config: "suffix \"" + suffix + "\"\nrootdn \"cn=root," + suffix + "\"\nrootpw writes\noverlay ppolicy",
		Entries: "dn: " + suffix + "\nobjectClass: dcObject\nobjectClass: organization\ndc: radius\no: Radius\n\n" +
			"dn: ou=people," + suffix + "\nobjectClass: organizationalUnit\nou: people\n\ndn: ou=groups," + suffix + "\nobjectClass: organizationalUnit\nou: groups\n",
	})
}

func open(t *testing.T, change func(*ldapwrite.Config)) (d *ldapwrite.Directory, stop func()) {
	t.Helper()
	server := slapd(t)
	c := ldapwrite.Config{BindDN: "cn=root," + suffix, BindPassword: "writes", Base: "ou=people," + suffix, GroupsBase: "ou=groups," + suffix}
	if change != nil {
		change(&c)
	}
	d, err := ldapwrite.New(target.Line{Base: server.URL, Timeout: 2 * time.Second, Rate: 1000}, c)
	if err != nil {
		t.Fatal(err)
	}
	return d, func() { server.Stop(t) }
}

func lina() target.Account {
	return target.Account{Key: "0198-lina", Login: "lmartin", GivenName: "Lina", FamilyName: "Martin, née Duval", Mail: "lina@valmont.example", Groups: []string{"promo-l2"}}
}

func TestAnEntryIsMadeFoundRenamedSuspendedAndDeleted(t *testing.T) {
	d, _ := open(t, nil)
	if said, err := d.Probe(t.Context()); err != nil || said == "" {
		t.Fatalf("%q, %v", said, err)
	}
	dn, err := d.Create(t.Context(), lina())
	if err != nil {
		t.Fatal(err)
	}
	found, ok, err := d.Find(t.Context(), lina())
	if err != nil || !ok || found.ID != dn || found.Key != "0198-lina" || found.Mail != "lina@valmont.example" {
		t.Fatalf("found %+v, %t, %v", found, ok, err)
	}
	if _, err := d.Create(t.Context(), lina()); !target.Is(err, target.Taken) {
		t.Errorf("made twice: %v", err)
	}
	renamed := lina()
	renamed.Login, renamed.Groups = "lduval", []string{"promo-l3", "uv-nf16"}
	if err := d.Change(t.Context(), dn, renamed); err != nil {
		t.Fatal(err)
	}
	found, ok, err = d.Find(t.Context(), renamed)
	if err != nil || !ok || found.Login != "lduval" || found.ID == dn {
		t.Fatalf("after the rename: %+v, %t, %v", found, ok, err)
	}
	if err := d.Change(t.Context(), dn, renamed); !target.Is(err, target.Gone) {
		t.Errorf("the old name: %v", err)
	}
	if err := d.Suspend(t.Context(), found.ID, renamed); err != nil {
		t.Fatal(err)
	}
	var listed []target.Remote
	list := func() {
		listed = nil
		if err := d.List(t.Context(), func(r target.Remote) error { listed = append(listed, r); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if list(); len(listed) != 1 || !listed[0].Suspended {
		t.Errorf("suspended: %+v", listed)
	}
	if err := d.Change(t.Context(), found.ID, renamed); err != nil {
		t.Fatal(err)
	}
	if list(); listed[0].Suspended {
		t.Error("not let in again")
	}
	for range 2 {
		if err := d.Delete(t.Context(), found.ID, renamed); err != nil {
			t.Fatal(err)
		}
	}
	if list(); len(listed) != 0 {
		t.Errorf("deleted: %+v", listed)
	}
}

func TestAnEntryOfSomebodyElseStandsInTheWayUnlessItMayBeAdopted(t *testing.T) {
	d, _ := open(t, func(c *ldapwrite.Config) { c.Adopt = true })
	other := lina()
	other.Key = "somebody-else"
	if _, err := d.Create(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	_, _, err := d.Find(t.Context(), lina())
	if f := target.FailureOf(err); err == nil || f.Kind != target.Taken || f.Other == "" {
		t.Errorf("found %v", err)
	}
	if _, _, err := d.Find(t.Context(), target.Account{Key: "*", Login: "*"}); err != nil { // signs of filters mean nothing
		t.Errorf("an asterisk: %v", err)
	}
}

func TestADirectoryThatIsAwayOrRefusesUsIsToldApart(t *testing.T) {
	d, stop := open(t, nil)
	stop()
	if _, err := d.Create(t.Context(), lina()); !target.Is(err, target.Down) {
		t.Errorf("away: %v", err)
	}
	d, _ = open(t, func(c *ldapwrite.Config) { c.BindPassword = "wrong-password" })
	_, err := d.Probe(t.Context())
	if !target.Is(err, target.Denied) || strings.Contains(err.Error(), "wrong-password") {
		t.Errorf("refused: %v", err)
	}
}

func TestAMemberOfAProtectedGroupIsTakenForPrivileged(t *testing.T) {
	server := slapd(t)
	c := ldapwrite.Config{
		BindDN: "cn=root," + suffix, BindPassword: "writes", Base: "ou=people," + suffix, GroupsBase: "ou=groups," + suffix,
		KeyAttribute: "uidNumber", Classes: []string{"inetOrgPerson", "extensibleObject"},
	}
	openAs := func(change func(*ldapwrite.Config)) *ldapwrite.Directory {
		t.Helper()
		one := c
		change(&one)
		d, err := ldapwrite.New(target.Line{Base: server.URL, Timeout: 2 * time.Second, Rate: 1000}, one)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	// Made under another key attribute: for the second directory it has no key.
	made := openAs(func(c *ldapwrite.Config) { c.KeyAttribute = "employeeNumber" })
	if _, err := made.Create(t.Context(), lina()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		protected  []string
		privileged bool
		broken     bool
	}{
		"no protected group":     {nil, false, false},
		"her group is protected": {[]string{"cn=promo-l2,ou=groups," + suffix}, true, false},
		"one that is not there":  {[]string{"cn=gone,ou=groups," + suffix}, false, true},
	} {
		d := openAs(func(c *ldapwrite.Config) { c.Adopt, c.Protected = true, want.protected })
		r, ok, err := d.Find(t.Context(), lina())
		if want.broken {
			if !target.Is(err, target.Denied) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || !ok || r.Key != "" || (r.Privileged != "") != want.privileged {
			t.Errorf("%s: %+v, %t, %v", name, r, ok, err)
		}
	}
	if r, ok, err := made.At(t.Context(), "uid=lmartin,ou=people,"+suffix, lina()); err != nil || !ok || r.Key != lina().Key {
		t.Errorf("read by its name: %+v, %t, %v", r, ok, err)
	}
	if _, ok, err := made.At(t.Context(), "uid=nobody,ou=people,"+suffix, lina()); err != nil || ok {
		t.Errorf("nobody: %t, %v", ok, err)
	}
}
