package ldapwrite_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/ldapwrite"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/testenv/need"
)

const suffix = "dc=radius,dc=example"

// slapd runs a real OpenLDAP whose root may write, and returns its address and a
// function that stops it.
func slapd(t *testing.T) (address string, stop func()) {
	t.Helper()
	program := need.Program(t, "slapd")
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	schemas := os.Getenv("AMPHI_TEST_SLAPD_SCHEMA")
	if err := os.Mkdir(filepath.Join(folder, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	conf := file("slapd.conf", fmt.Sprintf(`include %s/core.schema
include %s/cosine.schema
include %s/inetorgperson.schema
modulepath %s
moduleload back_mdb
moduleload ppolicy
pidfile %s/pid
database mdb
suffix "%s"
rootdn "cn=root,%s"
rootpw writes
directory %s/data
overlay ppolicy
`, schemas, schemas, schemas, os.Getenv("AMPHI_TEST_SLAPD_MODULES"), folder, suffix, suffix, folder))
	ldif := file("base.ldif", "dn: "+suffix+"\nobjectClass: dcObject\nobjectClass: organization\ndc: radius\no: Radius\n\n"+
		"dn: ou=people,"+suffix+"\nobjectClass: organizationalUnit\nou: people\n\ndn: ou=groups,"+suffix+"\nobjectClass: organizationalUnit\nou: groups\n")
	if out, err := exec.Command(program, "-Tadd", "-f", conf, "-l", ldif).CombinedOutput(); err != nil {
		t.Fatalf("fill the directory: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().String()
	l.Close()
	running := exec.Command("sh", "-c", `"$@" & server=$!; cat >/dev/null; kill $server; wait $server`, "sh", program, "-d", "0", "-f", conf, "-h", "ldap://"+port+"/")
	lifeline, err := running.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			closeQuietly(t, lifeline)
			running.Wait() // its exit code is that of a killed server
		}
	}
	t.Cleanup(stop)
	for range 200 {
		if c, err := net.Dial("tcp", port); err == nil {
			c.Close()
			return "ldap://" + port, stop
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatal("slapd does not listen")
	return "", nil
}

func closeQuietly(t *testing.T, c io.Closer) {
	if err := c.Close(); err != nil {
		t.Log(err)
	}
}

func open(t *testing.T, change func(*ldapwrite.Config)) (d *ldapwrite.Directory, stop func()) {
	t.Helper()
	address, stop := slapd(t)
	c := ldapwrite.Config{BindDN: "cn=root," + suffix, BindPassword: "writes", Base: "ou=people," + suffix, GroupsBase: "ou=groups," + suffix}
	if change != nil {
		change(&c)
	}
	d, err := ldapwrite.New(target.Line{Base: address, Timeout: 2 * time.Second, Rate: 1000}, c)
	if err != nil {
		t.Fatal(err)
	}
	return d, stop
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
