package ldapview

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is what an institution says about the view.
type Config struct {
	Listen                string         `toml:"listen" help:"address and port of the read-only LDAP view for printers, phones and mail programs, such as 10.0.0.5:636; empty for none"`
	TLSCertificate        string         `toml:"tls_certificate" help:"PEM file; without one, only this machine is listened to"`
	TLSKey                string         `toml:"tls_key" help:"PEM file"`
	Base                  string         `toml:"base" help:"the name under which people are found, such as dc=valmont,dc=fr; empty makes it from server.base_url"`
	Most                  int            `toml:"most" help:"entries that one search without paging returns"`
	Connections           int            `toml:"connections" help:"connections that are open at a time; more are hung up on"`
	ConnectionsPerAddress int            `toml:"connections_per_address" help:"connections from one network address (of IPv6: one network of 64 bits) at a time"`
	Idle                  time.Duration  `toml:"idle" help:"a connection on which nobody says anything for so long is hung up"`
	Readers               []ReaderConfig `toml:"readers"`
}

// ReaderConfig is a program that may read.
type ReaderConfig struct {
	Name     string `toml:"name" help:"what the program binds as: cn=NAME,ou=readers below the base"`
	Password string `toml:"password" secret:"true" help:"at least 16 characters"`
	Sees     string `toml:"sees" help:"whose eyes it reads with: staff, members or all (what guests see, too)"`
}

// Defaults do not listen.
func Defaults() Config {
	return Config{Most: 500, Connections: 500, ConnectionsPerAddress: 50, Idle: 2 * time.Minute}
}

// leastPassword is how long the password of a program must be, in bytes: nobody
// types it.
const leastPassword = 16

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	want(c.Most >= 1 && c.Most <= 10_000, "most", "must lie between 1 and 10000")
	want(c.Connections >= 1 && c.Connections <= 10_000, "connections", "must lie between 1 and 10000")
	want(c.ConnectionsPerAddress >= 1, "connections_per_address", "must be 1 at least")
	want(c.Idle >= time.Second && c.Idle <= longest, "idle", "must lie between 1s and 10m")
	if c.Listen == "" {
		return problems
	}
	host, _, err := net.SplitHostPort(c.Listen)
	want(err == nil, "listen", "must be an address and a port, such as 10.0.0.5:636")
	want((c.TLSCertificate == "") == (c.TLSKey == ""), "tls_certificate", "and tls_key go together")
	want(c.TLSCertificate != "" || loopback(host), "tls_certificate", "must be given: without it, passwords and people would cross the network in clear")
	if c.TLSCertificate != "" && c.TLSKey != "" {
		_, err := tls.LoadX509KeyPair(c.TLSCertificate, c.TLSKey)
		want(err == nil, "tls_certificate", fmt.Sprintf("cannot be used: %v", err))
	}
	if c.Base != "" {
		_, err := ldap.ParseDN(c.Base)
		want(err == nil, "base", "must be a distinguished name, such as dc=valmont,dc=fr")
	}
	seen := map[string]bool{}
	for i, r := range c.Readers {
		key := fmt.Sprintf("readers[%d].", i)
		want(r.Name != "" && strings.Trim(strings.ToLower(r.Name), "abcdefghijklmnopqrstuvwxyz0123456789-_") == "", key+"name", "must be letters, digits, - and _")
		want(!seen[strings.ToLower(r.Name)], key+"name", "stands twice")
		seen[strings.ToLower(r.Name)] = true
		want(len(r.Password) >= leastPassword, key+"password", fmt.Sprintf("must have at least %d characters", leastPassword))
		sees := entry.Audience(r.Sees)
		want(sees.Valid() && sees != entry.Nobody, key+"sees", "must be staff, members or all")
	}
	return problems
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}
