// Package supanntest runs a real OpenLDAP server on loopback ports with an invented
// university in it, described as SupAnn wants it: people, groups and structures.
package supanntest

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

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/testenv/need"
)

// Where things are in the directory, and its accounts.
const (
	Base   = "dc=univ,dc=example"
	People = "ou=people," + Base
	Groups = "ou=groups," + Base
	Units  = "ou=structures," + Base

	// Reader may read everything, as much as it likes.
	Reader = "cn=amphi,ou=services," + Base
	// Limited is handed [Limit] entries of a search.
	Limited  = "cn=limited,ou=services," + Base
	Admin    = "cn=root," + Base
	Password = "cherche-seulement"
	Limit    = 300
)

// Server is a running slapd.
type Server struct {
	URL    string // ldap://localhost:…, where StartTLS works
	TLSURL string // ldaps://localhost:…
	CAFile string // the authority behind its certificate

	program, folder string
	ports           [2]int
	running         *exec.Cmd
	lifeline        io.WriteCloser // the server ends when this is closed, also by our death
}

// Start starts a slapd with as many people, and stops it when the test ends. More are
// further lines of its configuration. Without slapd the test is skipped, and in CI it
// fails.
func Start(t testing.TB, count int, more ...string) *Server {
	t.Helper()
	program := need.Program(t, "slapd")
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
	write(t, s.path("supann.schema"), schema())
	write(t, s.path("slapd.conf"), s.configuration(os.Getenv("AMPHI_TEST_SLAPD_MODULES"), os.Getenv("AMPHI_TEST_SLAPD_SCHEMA"))+strings.Join(more, "\n")+"\n")
	write(t, s.path("entries.ldif"), entries(count))
	if out, err := exec.Command(program, "-Tadd", "-q", "-f", s.path("slapd.conf"), "-l", s.path("entries.ldif")).CombinedOutput(); err != nil {
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

// As connects as an account, to change what is there.
func (s *Server) As(t testing.TB, dn string) *ldap.Conn {
	t.Helper()
	c, err := ldap.DialURL(fmt.Sprintf("ldap://127.0.0.1:%d", s.ports[0]))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Bind(dn, Password); err != nil {
		t.Fatal(err)
	}
	return c
}

// configuration is slapd.conf(5).
func (s *Server) configuration(modules, schemas string) string {
	text := ""
	for _, name := range []string{"core", "cosine", "inetorgperson"} {
		text += fmt.Sprintf("include %s/%s.schema\n", schemas, name)
	}
	return text + fmt.Sprintf(`include %[1]s
modulepath %[2]s
moduleload back_mdb
moduleload ppolicy
moduleload syncprov
pidfile %[3]s
TLSCACertificateFile %[4]s
TLSCertificateFile %[5]s
TLSCertificateKeyFile %[6]s
database mdb
maxsize 1073741824
suffix "%[7]s"
rootdn "%[8]s"
rootpw %[9]s
directory %[10]s
dbnosync
index objectClass,entryUUID,entryCSN,uid eq
limits dn.exact="%[11]s" size=unlimited time=unlimited
limits dn.exact="%[12]s" size=%[13]d
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="%[11]s" read by dn.exact="%[12]s" read by * none
overlay ppolicy
overlay syncprov
syncprov-checkpoint 100 10
`, s.path("supann.schema"), modules, s.path("pid"), s.CAFile, s.path("certificate.pem"), s.path("key.pem"), Base, Admin, Password, s.path("data"), Reader, Limited, Limit)
}

// certify makes the server's certificate and the authority behind it, which are one.
func (s *Server) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour), IsCA: true, BasicConstraintsValid: true,
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
