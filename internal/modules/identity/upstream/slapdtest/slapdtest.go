// Package slapdtest runs a real OpenLDAP server with its password policy on loopback
// ports, as a university's directory would be: people whose passwords are right,
// expired, set by somebody else, or whose account is locked.
package slapdtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/testenv/need"
)

// The people of the directory. Each has [Password].
const (
	Fine    = "amelie.quere"  // nothing stands in her way
	Expired = "noel.fabre"    // his password ended long ago
	Reset   = "ines.saidi"    // somebody else set hers
	Locked  = "hugo.lambert"  // his account is locked
	Grace   = "gaelle.jaouen" // hers ended, and opens the door three times more
	Soon    = "theo.marchand" // his ends within five days
	Nobody  = "personne.ici"  // has no entry
	Slow    = "driss.benali"  // nothing stands in his way either
)

// Password is everybody's, until they change it.
const Password = "vieux-Phare-1897"

// The account that searches, and where.
const (
	Base            = "ou=people,dc=valmont,dc=example"
	Service         = "cn=amphi,ou=services,dc=valmont,dc=example"
	ServicePassword = "cherche-seulement"
)

// Server is a running slapd.
type Server struct {
	URL    string // ldap://localhost:…, where StartTLS works
	TLSURL string // ldaps://localhost:…
	CAFile string // the authority behind its certificate
	Ends   time.Time

	program, folder string
	ports           [2]int
	running         *exec.Cmd
	lifeline        io.WriteCloser // the server ends when this is closed, also by our death
}

// Start starts slapd and stops it when the test ends. Without it the test is
// skipped, and in CI it fails.
func Start(t testing.TB) *Server {
	t.Helper()
	program := need.Program(t, "slapd")
	modules, schemas := os.Getenv("AMPHI_TEST_SLAPD_MODULES"), os.Getenv("AMPHI_TEST_SLAPD_SCHEMA")
	s := &Server{program: program, folder: t.TempDir()}
	for i := range s.ports {
		s.ports[i] = freePort(t)
	}
	s.URL, s.TLSURL = fmt.Sprintf("ldap://localhost:%d", s.ports[0]), fmt.Sprintf("ldaps://localhost:%d", s.ports[1])
	if err := s.certify(); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.path("data"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, s.path("slapd.conf"), s.configuration(modules, schemas))
	write(t, s.path("people.ldif"), people(time.Now()))
	if out, err := exec.Command(program, "-Tadd", "-f", s.path("slapd.conf"), "-l", s.path("people.ldif")).CombinedOutput(); err != nil {
		t.Fatalf("fill the directory: %v\n%s", err, out)
	}
	s.Resume(t)
	t.Cleanup(func() { s.Stop(t) })
	return s
}

func (s *Server) path(name string) string { return filepath.Join(s.folder, name) }

// Resume starts the server again after [Server.Stop], with the same data.
func (s *Server) Resume(t testing.TB) {
	t.Helper()
	listen := fmt.Sprintf("ldap://127.0.0.1:%d/ ldaps://127.0.0.1:%d/", s.ports[0], s.ports[1])
	// With a debug level, even that of nothing, slapd stays in the foreground.
	s.running = exec.Command("sh", "-c", `"$@" & server=$!; cat >/dev/null; kill $server; wait $server`,
		"sh", s.program, "-d", "0", "-f", s.path("slapd.conf"), "-h", listen)
	var err error
	if s.lifeline, err = s.running.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.running.Start(); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.ports[1]))
		if err == nil {
			c.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatal("slapd does not listen")
}

// Stop stops the server, as an outage would.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if s.running == nil {
		return
	}
	if err := s.lifeline.Close(); err != nil {
		t.Log(err)
	}
	s.running.Wait() // its exit code is that of a killed server
	s.running = nil
}

// configuration is slapd.conf(5): the password policy of slapo-ppolicy(5), and
// who may read what.
func (s *Server) configuration(modules, schemas string) string {
	var b strings.Builder
	for _, schema := range []string{"core", "cosine", "inetorgperson"} {
		fmt.Fprintf(&b, "include %s/%s.schema\n", schemas, schema)
	}
	fmt.Fprintf(&b, `modulepath %s
moduleload back_mdb
moduleload ppolicy
pidfile %s
TLSCACertificateFile %s
TLSCertificateFile %s
TLSCertificateKeyFile %s
database mdb
suffix "dc=valmont,dc=example"
rootdn "cn=root,dc=valmont,dc=example"
directory %s
index objectClass,uid,mail eq
access to attrs=userPassword by dn.exact="%s" write by self write by anonymous auth by * none
access to * by dn.exact="%s" read by self read by * none
overlay ppolicy
ppolicy_default "cn=usual,ou=policies,dc=valmont,dc=example"
ppolicy_use_lockout
`, modules, s.path("pid"), s.CAFile, s.path("certificate.pem"), s.path("key.pem"), s.path("data"), Service, Service)
	return b.String()
}

// people is the content of the directory.
func people(now time.Time) string {
	var b strings.Builder
	entry := func(dn string, lines ...string) { fmt.Fprintf(&b, "dn: %s\n%s\n\n", dn, strings.Join(lines, "\n")) }
	entry("dc=valmont,dc=example", "objectClass: dcObject", "objectClass: organization", "dc: valmont", "o: Valmont")
	for _, unit := range []string{"people", "services", "policies"} {
		entry("ou="+unit+",dc=valmont,dc=example", "objectClass: organizationalUnit", "ou: "+unit)
	}
	entry(Service, "objectClass: organizationalRole", "objectClass: simpleSecurityObject", "cn: amphi", "userPassword: "+ServicePassword)
	policy := func(name string, lines ...string) {
		entry("cn="+name+",ou=policies,dc=valmont,dc=example", append([]string{
			"objectClass: applicationProcess", "objectClass: pwdPolicy", "cn: " + name, "pwdAttribute: userPassword", "pwdMaxAge: 7776000", "pwdExpireWarning: 604800",
			"pwdMinLength: 10", "pwdCheckQuality: 1", "pwdInHistory: 2", "pwdLockout: TRUE", "pwdMaxFailure: 5", "pwdLockoutDuration: 900", "pwdMustChange: TRUE", "pwdAllowUserChange: TRUE",
		}, lines...)...)
	}
	policy("usual")
	policy("patient", "pwdGraceAuthNLimit: 3")
	stamp := func(ago time.Duration) string { return now.Add(-ago).UTC().Format("20060102150405Z") }
	const day = 24 * time.Hour
	person := func(login, given, family, kind string, changed time.Duration, lines ...string) {
		entry("uid="+login+","+Base, append([]string{
			"objectClass: inetOrgPerson", "uid: " + login, "cn: " + given + " " + family, "givenName: " + given, "sn: " + family,
			"mail: " + login + "@valmont.example", "employeeType: " + kind, "userPassword: " + Password, "pwdChangedTime: " + stamp(changed),
		}, lines...)...)
	}
	person(Fine, "Amelie", "Quere", "student", day)
	person(Slow, "Driss", "Benali", "staff", day)
	person(Expired, "Noel", "Fabre", "student", 400*day)
	person(Reset, "Ines", "Saidi", "student", day, "pwdReset: TRUE")
	person(Locked, "Hugo", "Lambert", "student", day, "pwdAccountLockedTime: 000001010000Z")
	person(Grace, "Gaelle", "Jaouen", "staff", 400*day, "pwdPolicySubentry: cn=patient,ou=policies,dc=valmont,dc=example")
	person(Soon, "Theo", "Marchand", "student", 85*day+12*time.Hour)
	return b.String()
}

// certify makes the server's certificate and the authority behind it, which are
// one.
func (s *Server) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	s.Ends = time.Now().Add(48 * time.Hour).Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: s.Ends, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("write the key: %w", err)
	}
	s.CAFile = s.path("certificate.pem")
	if err := os.WriteFile(s.CAFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(s.path("key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
