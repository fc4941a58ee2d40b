package ldapview

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// open connects without a word.
func open(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// hungUp reports whether the other side ends a connection within a while.
func hungUp(t *testing.T, c net.Conn, within time.Duration) bool {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	_, err := c.Read(make([]byte, 1))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

func TestOneAddressOpensSoManyConnections(t *testing.T) {
	for name, limit := range map[string]func(*Config){
		"from one address": func(c *Config) { c.ConnectionsPerAddress = 2 },
		"in all":           func(c *Config) { c.Connections = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			address := serveSo(t, valmont, limit)
			time.Sleep(50 * time.Millisecond) // the call by which the test saw that it listens is over
			first, second := open(t, address), open(t, address)
			if hungUp(t, first, 100*time.Millisecond) || hungUp(t, second, 100*time.Millisecond) {
				t.Fatal("two are too many")
			}
			if !hungUp(t, open(t, address), 5*time.Second) {
				t.Error("the third is let in")
			}
			first.Close()
			for range 100 { // as soon as the first is gone
				c, err := ldap.DialURL("ldap://" + address)
				if err == nil {
					err = c.Bind("cn=copiers,ou=readers,"+base, copiers)
					c.Close()
				}
				if err == nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
			t.Error("after one has gone, nobody is let in")
		})
	}
}

func TestANetworkOfIPv6CountsAsOneAddress(t *testing.T) {
	c := Defaults()
	c.ConnectionsPerAddress = 1
	g := &gate{config: c, from: map[netip.Addr]int{}}
	if !g.enter(netip.MustParseAddr("2001:db8::1")) || g.enter(netip.MustParseAddr("2001:db8::2")) || !g.enter(netip.MustParseAddr("2001:db8:0:1::1")) {
		t.Error("it does not")
	}
	g.leave(netip.MustParseAddr("2001:db8::1"))
	if !g.enter(netip.MustParseAddr("2001:db8::3")) || g.all != 2 || len(g.from) != 2 {
		t.Errorf("%d are in, %v", g.all, g.from)
	}
}

func TestWhoSaysNothingIsHungUp(t *testing.T) {
	address := serveSo(t, valmont, func(c *Config) { c.Idle = time.Second })
	silent := open(t, address)
	talking := dial(t, address, "cn=copiers,ou=readers,"+base, copiers)
	for range 6 { // for longer than a silent one may
		time.Sleep(300 * time.Millisecond)
		if r, err := search(talking, "(sn=diallo)"); err != nil || len(r.Entries) != 1 {
			t.Fatalf("somebody who talks: %v", err)
		}
	}
	if !hungUp(t, silent, 5*time.Second) {
		t.Error("a silent connection stays")
	}
	time.Sleep(1500 * time.Millisecond)
	if _, err := search(talking, "(sn=diallo)"); err == nil {
		t.Error("somebody who fell silent is still in")
	}
}

func TestTheViewIsEncrypted(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plan := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, plan, plan, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write := func(name, kind string, body []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: body}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	certificate, private := write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", secret)
	address := serveSo(t, valmont, func(c *Config) { c.TLSCertificate, c.TLSKey = certificate, private })
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	c, err := ldap.DialURL("ldaps://"+address, ldap.DialWithTLSConfig(&tls.Config{RootCAs: pool}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Bind("cn=copiers,ou=readers,"+base, copiers); err != nil {
		t.Fatal(err)
	}
	if r, err := search(c, "(sn=diallo)"); err != nil || len(r.Entries) != 1 {
		t.Errorf("%v", err)
	}
	plain := open(t, address)
	if _, err := io.WriteString(plain, "0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\x00\x80\x00"); err != nil {
		t.Fatal(err)
	}
	if answer, _ := io.ReadAll(plain); len(answer) > 0 && answer[0] == '0' { // a message of LDAP
		t.Error("it answers in clear")
	}
}
