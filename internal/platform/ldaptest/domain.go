package ldaptest

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/testenv/need"
)

// The domain of [StartDomain], and who may do everything in it.
const (
	DomainBase          = "DC=amphi,DC=test"
	DomainSuffix        = "amphi.test" // of user principal names
	DomainAdmin         = "Administrator@" + DomainSuffix
	DomainAdminPassword = "Adm1n-du-domaine"
)

// Domain is a running domain controller of an Active Directory: Samba.
type Domain struct {
	URL    string // ldaps://127.53.…, for it takes no password in clear
	CAFile string // the authority behind its certificate
}

// StartDomain makes a domain with nobody in it, starts its controller, and stops it when
// the test ends. Without Samba the test is skipped, and in CI it fails; so too without
// root, for the ports of a domain controller cannot be chosen.
func StartDomain(t testing.TB) *Domain {
	t.Helper()
	server, tool := need.Program(t, "samba"), os.Getenv("AMPHI_TEST_SAMBA_TOOL")
	if os.Geteuid() != 0 {
		need.Without(t, "root, for ports 389 and 636")
	}
	// Each process of the tests has an address of its own: their ports are the same.
	pid := os.Getpid()
	address := net.IPv4(127, 53, byte(pid>>8), byte(pid))
	folder := t.TempDir()
	ca, _, err := certify(folder, []net.IP{address})
	if err != nil {
		t.Fatal(err)
	}
	provision := exec.Command(tool, "domain", "provision", "--use-rfc2307", "--realm="+strings.ToUpper(DomainSuffix), "--domain=AMPHI", "--server-role=dc", "--dns-backend=NONE",
		"--adminpass="+DomainAdminPassword, "--targetdir="+folder, "--host-name=dc1", "--host-ip="+address.String(), "--option=interfaces="+address.String()+"/8", "--option=bind interfaces only=yes")
	if out, err := provision.CombinedOutput(); err != nil {
		t.Fatalf("make a domain: %v\n%s", err, out)
	}
	settings := filepath.Join(folder, "etc", "smb.conf")
	if err := os.WriteFile(settings, []byte(controller(folder, address)), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &Domain{URL: "ldaps://" + address.String(), CAFile: ca}
	d.run(t, exec.Command(server, "--interactive", "--model=single", "--debug-stdout", "--configfile="+settings), address)
	return d
}

// run starts the controller and waits until it listens.
func (d *Domain) run(t testing.TB, server *exec.Cmd, address net.IP) {
	t.Helper()
	words, err := os.Create(filepath.Join(t.TempDir(), "words"))
	if err != nil {
		t.Fatal(err)
	}
	server.Stdout, server.Stderr = words, words
	// When its input ends, also by our death, an interactive server does.
	var lifeline io.WriteCloser
	if lifeline, err = server.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lifeline.Close(); err != nil {
			t.Log(err)
		}
		server.Wait() // its exit code is that of a server whose input ended
		words.Close() // it was only written to
	})
	for range 400 {
		if c, err := net.Dial("tcp", net.JoinHostPort(address.String(), "636")); err == nil {
			c.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	said, err := os.ReadFile(words.Name())
	t.Fatalf("the domain controller does not listen: %v\n%s", err, said)
}

// controller is smb.conf(5) of a server that answers LDAP alone.
func controller(folder string, address net.IP) string {
	return strings.NewReplacer("DIR", folder, "ADDRESS", address.String(), "REALM", strings.ToUpper(DomainSuffix)).Replace(`[global]
server role = active directory domain controller
server services = ldap
workgroup = AMPHI
realm = REALM
netbios name = DC1
interfaces = ADDRESS/8
bind interfaces only = yes
disable netbios = yes
tls keyfile = DIR/key.pem
tls certfile = DIR/certificate.pem
tls cafile = DIR/certificate.pem
private dir = DIR/private
state directory = DIR/state
cache directory = DIR/cache
lock directory = DIR
pid directory = DIR
binddns dir = DIR/bind-dns
ncalrpc dir = DIR/ncalrpc
winbindd socket directory = DIR/winbindd
idmap_ldb:use rfc2307 = yes
`)
}

// As connects as an account, by its user principal name.
func (d *Domain) As(t testing.TB, name, password string) *ldap.Conn {
	t.Helper()
	c, err := ldap.DialURL(d.URL, ldap.DialWithTLSConfig(&tls.Config{RootCAs: d.roots(t)}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Bind(name, password); err != nil {
		t.Fatal(err)
	}
	return c
}

// roots is the authority behind the controller.
func (d *Domain) roots(t testing.TB) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(d.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}

// Unit adds an organizational unit below the domain.
func (d *Domain) Unit(t testing.TB, c *ldap.Conn, name string) (dn string) {
	t.Helper()
	dn = "OU=" + name + "," + DomainBase
	d.Add(t, c, dn, map[string][]string{"objectClass": {"organizationalUnit"}})
	return dn
}

// Person adds an account that is switched on, with a password, and more attributes, and
// gives its DN.
func (d *Domain) Person(t testing.TB, c *ldap.Conn, unit, login, password string, more map[string][]string) (dn string) {
	t.Helper()
	dn = "CN=" + ldap.EscapeDN(login) + "," + unit
	all := map[string][]string{
		"objectClass": {"user"}, "sAMAccountName": {login}, "userPrincipalName": {login + "@" + DomainSuffix},
		"unicodePwd": {Quoted(password)}, "userAccountControl": {"512"},
	}
	for name, values := range more {
		all[name] = values
	}
	d.Add(t, c, dn, all)
	return dn
}

// Add adds an entry.
func (d *Domain) Add(t testing.TB, c *ldap.Conn, dn string, attributes map[string][]string) {
	t.Helper()
	r := ldap.NewAddRequest(dn, nil)
	for name, values := range attributes {
		r.Attribute(name, values)
	}
	if err := c.Add(r); err != nil {
		t.Fatal(fmt.Errorf("add %s: %w", dn, err))
	}
}

// Quoted is a password as unicodePwd takes it ([MS-ADTS] 3.1.1.3.1.5).
func Quoted(password string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(`"` + password + `"`)) {
		b.WriteByte(byte(unit))
		b.WriteByte(byte(unit >> 8))
	}
	return b.String()
}
