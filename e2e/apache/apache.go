// Package apache runs a real Apache on a loopback port, as a server of the
// university would: pages behind mod_auth_cas, mod_auth_openidc and
// mod_auth_mellon, which print whom Apache sees and what it was told about that
// person.
package apache

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/testenv/child"
	"github.com/amphi-campus/amphi/internal/testenv/need"
)

// Site is a running Apache.
type Site struct {
	URL    string // its address, without a slash at the end
	folder string
	server *child.Child
}

// Providers are where the site sends people to sign in, each for a page of its
// own. What is empty protects nothing.
type Providers struct {
	CAS    string // http://…/cas
	SAML   string // the metadata of the identity provider, which must answer
	OpenID string // http://…/.well-known/openid-configuration
}

// Protected is the address of the page behind the CAS sign-in.
func (s *Site) Protected() string { return s.URL + "/secret/" }

// SAML is the address of the page behind the SAML sign-in.
func (s *Site) SAML() string { return s.URL + "/saml/" }

// Metadata is where the site describes itself as a SAML service provider.
func (s *Site) Metadata() string { return s.URL + mellonEndpoint + "/metadata" }

// SAMLSignOut signs out of the site, and by SAML of its identity provider.
func (s *Site) SAMLSignOut() string {
	return s.URL + mellonEndpoint + "/logout?" + url.Values{"ReturnTo": {s.Open()}}.Encode()
}

// OpenID is the address of the page behind the sign-in by OpenID Connect.
func (s *Site) OpenID() string { return s.URL + openIDPath }

// The site as a client of OpenID Connect: what it calls itself and proves it by,
// where codes go, and where it is told that a session ended.
const (
	Client       = "apache"
	ClientSecret = "the secret of Apache in the tests"
)

// Redirect is where codes go.
func (s *Site) Redirect() string { return s.OpenID() + "redirect" }

// BackChannel is where the site is told that a session ended.
func (s *Site) BackChannel() string { return s.Redirect() + "?logout=backchannel" }

// OpenIDSignOut signs out of the site, and by OpenID Connect of its provider.
func (s *Site) OpenIDSignOut() string {
	return s.Redirect() + "?" + url.Values{"logout": {s.Open()}}.Encode()
}

// Open is the address of a page that everybody may read.
func (s *Site) Open() string { return s.URL + "/open/" }

// Start starts Apache in front of the CAS server at this address
// (http://…/cas) and stops it when the test ends.
func Start(t testing.TB, cas string) *Site {
	t.Helper()
	return StartFor(t, Providers{CAS: cas})
}

// StartFor starts Apache in front of these providers and stops it when the test
// ends. Without Apache or its modules the test is skipped, and in CI it fails.
func StartFor(t testing.TB, p Providers) *Site {
	t.Helper()
	server, modules := find()
	if server == "" {
		need.Without(t, "Apache with mod_auth_cas, mod_auth_openidc and mod_auth_mellon")
	}
	folder, err := os.MkdirTemp("", "amphi-apache-")
	if err != nil {
		t.Fatal(err)
	}
	s := &Site{folder: folder}
	t.Cleanup(func() { s.stop(t) })
	port := freePort(t)
	// Not "localhost", which the demo calls itself: two hosts share no cookies
	// and are cross-site to each other, as two servers of a university are.
	s.URL = fmt.Sprintf("http://127.0.0.1:%d", port)
	p.CAS = strings.TrimRight(p.CAS, "/")
	c := configuration{Folder: folder, Modules: modules, Port: port, Site: s, Providers: p, Root: os.Geteuid() == 0}
	if err := c.write(); err != nil {
		t.Fatal(err)
	}
	s.server, err = child.Start(exec.Command(server, "-f", filepath.Join(folder, "httpd.conf"), "-DFOREGROUND"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.awaken(t)
	return s
}

// find gives the server and the folder of its modules: those that `make test`
// names, else Debian's.
func find() (server, modules string) {
	server, modules = os.Getenv("AMPHI_TEST_APACHE"), os.Getenv("AMPHI_TEST_APACHE_MODULES")
	if server == "" || modules == "" {
		server, modules = "/usr/sbin/apache2", "/usr/lib/apache2/modules"
	}
	for _, file := range []string{server, filepath.Join(modules, "mod_auth_cas.so"), filepath.Join(modules, "mod_auth_openidc.so"), filepath.Join(modules, "mod_auth_mellon.so")} {
		if _, err := os.Stat(file); err != nil {
			return "", ""
		}
	}
	return server, modules
}

// awaken waits until Apache answers.
func (s *Site) awaken(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		answer, err := http.Get(s.Open())
		if err == nil {
			if err := answer.Body.Close(); err != nil {
				t.Fatal(err)
			}
			return
		}
		select {
		case <-s.server.Ended():
			t.Fatalf("Apache does not start:\n%s\n%s", s.server.Words(), s.Log())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("Apache does not answer: %v\n%s\n%s", err, s.server.Words(), s.Log())
		}
	}
}

// Log is what Apache and its modules wrote down, for explanations.
func (s *Site) Log() string {
	text, err := os.ReadFile(filepath.Join(s.folder, "error.log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (s *Site) stop(t testing.TB) {
	t.Helper()
	if s.server != nil {
		if t.Failed() {
			t.Logf("Apache wrote:\n%s%s", s.server.Words(), s.Log())
		}
		if err := s.server.Stop(5 * time.Second); err != nil {
			t.Error(err)
		}
	}
	if err := os.RemoveAll(s.folder); err != nil {
		t.Errorf("remove Apache's folder: %v", err)
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
