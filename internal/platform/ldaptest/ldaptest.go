// Package ldaptest runs real directories on loopback for a test: OpenLDAP, and a domain
// controller of an Active Directory. What is in the directory, and who may read it, is
// said by those who need it.
package ldaptest

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

// Directory is what a server is to hold.
type Directory struct {
	Schema  string   // besides core, cosine and inetOrgPerson
	Modules []string // besides back_mdb and ppolicy
	Config  string   // of the one database, as in slapd.conf(5): suffix, access, overlays
	Entries string   // LDIF
}

// Server is a running slapd.
type Server struct {
	URL    string    // ldap://localhost:…, where StartTLS works
	TLSURL string    // ldaps://localhost:…
	CAFile string    // the authority behind its certificate
	Ends   time.Time // the end of both

	program, folder string
	ports           [2]int
	running         *exec.Cmd
	lifeline        io.WriteCloser // the server ends when this is closed, also by our death
}

// Start starts slapd and stops it when the test ends. Without slapd the test is
// skipped, and in CI it fails.
func Start(t testing.TB, d Directory) *Server {
	t.Helper()
	s := &Server{program: need.Program(t, "slapd"), folder: t.TempDir()}
	for i := range s.ports {
		s.ports[i] = freePort(t)
	}
	s.URL, s.TLSURL = fmt.Sprintf("ldap://localhost:%d", s.ports[0]), fmt.Sprintf("ldaps://localhost:%d", s.ports[1])
	var err error
	if s.CAFile, s.Ends, err = certify(s.folder, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.path("data"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"own.schema": d.Schema, "slapd.conf": s.configuration(d), "entries.ldif": d.Entries} {
		if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(s.program, "-Tadd", "-q", "-f", s.path("slapd.conf"), "-l", s.path("entries.ldif")).CombinedOutput(); err != nil {
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
	for range 1200 { // half a minute, on a machine that does much else
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
func (s *Server) As(t testing.TB, dn, password string) *ldap.Conn {
	t.Helper()
	c, err := ldap.DialURL(fmt.Sprintf("ldap://127.0.0.1:%d", s.ports[0]))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Bind(dn, password); err != nil {
		t.Fatal(err)
	}
	return c
}

// configuration is slapd.conf(5).
func (s *Server) configuration(d Directory) string {
	var b strings.Builder
	for _, name := range []string{"core", "cosine", "inetorgperson"} {
		fmt.Fprintf(&b, "include %s/%s.schema\n", os.Getenv("AMPHI_TEST_SLAPD_SCHEMA"), name)
	}
	fmt.Fprintf(&b, "include %s\nmodulepath %s\n", s.path("own.schema"), os.Getenv("AMPHI_TEST_SLAPD_MODULES"))
	for _, name := range append([]string{"back_mdb", "ppolicy"}, d.Modules...) {
		fmt.Fprintf(&b, "moduleload %s\n", name)
	}
	fmt.Fprintf(&b, `pidfile %s
TLSCACertificateFile %s
TLSCertificateFile %s
TLSCertificateKeyFile %s
database mdb
directory %s
dbnosync
%s
`, s.path("pid"), s.CAFile, s.path("certificate.pem"), s.path("key.pem"), s.path("data"), d.Config)
	return b.String()
}

// certify makes the certificate of a server in a folder, and the authority behind it,
// which are one, valid for localhost and for addresses besides.
func certify(folder string, addresses []net.IP) (file string, ends time.Time, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", ends, fmt.Errorf("make a key: %w", err)
	}
	ends = time.Now().Add(48 * time.Hour).Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: addresses,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: ends, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return "", ends, fmt.Errorf("make a certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", ends, fmt.Errorf("write the key: %w", err)
	}
	file = filepath.Join(folder, "certificate.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600); err != nil {
		return "", ends, err
	}
	return file, ends, os.WriteFile(filepath.Join(folder, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
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
