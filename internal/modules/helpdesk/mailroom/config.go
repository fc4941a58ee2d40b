package mailroom

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/config"
)

// What becomes of a mail that belongs to no request yet.
const (
	PolicyOpen     = "open"     // it becomes a request
	PolicyRedirect = "redirect" // its author is led to the workspace
)

// Config is what an institution says about mail to the help desk.
type Config struct {
	Listen         string        `toml:"listen" help:"address and port on which the institution's mail server hands over mail to the help desk, such as 127.0.0.1:2525; empty for none"`
	Protocol       string        `toml:"protocol" help:"smtp or lmtp"`
	TLSCertificate string        `toml:"tls_certificate" help:"PEM file; with one, STARTTLS is offered"`
	TLSKey         string        `toml:"tls_key" help:"PEM file"`
	From           []string      `toml:"from" help:"networks of the mail servers that may hand over mail; this machine may always"`
	MaxSize        int64         `toml:"max_size" help:"bytes of the largest mail that is taken"`
	Policy         string        `toml:"policy" help:"what becomes of a mail that belongs to no request: open (it becomes one) or redirect (its author is led to the workspace)"`
	PerDay         int           `toml:"per_day" help:"requests that one address may open by mail in a day"`
	Acknowledge    bool          `toml:"acknowledge" help:"whether who asks on a page, by telephone or at a desk gets the tracking number by mail"`
	Bounces        bool          `toml:"bounces" help:"whether reports about letters that cannot be delivered come back to the request; the mail server must let the workspace send with the queues' addresses as senders of the envelope"`
	Keep           time.Duration `toml:"keep" help:"how long mails are kept as they came"`
	IMAP           []IMAPConfig  `toml:"imap"`
}

// IMAPConfig is a mailbox that is emptied from time to time.
type IMAPConfig struct {
	Address  string        `toml:"address" help:"host and port of the IMAP server, such as imap.univ.fr:993"`
	TLS      string        `toml:"tls" help:"tls (encrypted from the start), starttls, or none, for this very machine only; by its port when nothing is said"`
	User     string        `toml:"user" help:"name of the mailbox"`
	Password string        `toml:"password" secret:"true" help:"its password"`
	CAFile   string        `toml:"ca_file" help:"PEM file of who vouches for the server, when the system does not know them"`
	Folder   string        `toml:"folder" help:"where mail arrives; INBOX when nothing is said"`
	Done     string        `toml:"done" help:"folder into which mail is moved once it was taken; empty to delete it"`
	Queue    string        `toml:"queue" help:"mail address of the queue that gets what is addressed to none"`
	Every    time.Duration `toml:"every" help:"how often it is looked into; a minute when nothing is said"`
}

// How the connection to a mailbox is encrypted.
const (
	tlsFromStart = "tls"
	tlsLater     = "starttls"
	tlsNever     = "none"
)

// encryption is what was said, or what belongs to the port.
func (c IMAPConfig) encryption() string {
	if c.TLS != "" {
		return c.TLS
	}
	if _, port, err := net.SplitHostPort(c.Address); err == nil && port == "993" {
		return tlsFromStart
	}
	return tlsLater
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// Defaults do not listen.
func Defaults() Config {
	return Config{Protocol: "smtp", MaxSize: 40 << 20, Policy: PolicyOpen, PerDay: 20, Acknowledge: true, Keep: 30 * 24 * time.Hour}
}

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	want(c.Protocol == "smtp" || c.Protocol == "lmtp", "protocol", "must be smtp or lmtp")
	want(c.Policy == PolicyOpen || c.Policy == PolicyRedirect, "policy", "must be open or redirect")
	want(c.MaxSize >= 1<<20 && c.MaxSize <= 60<<20, "max_size", "must lie between 1 MiB and 60 MiB")
	want(c.PerDay >= 1, "per_day", "must be 1 at least")
	want(c.Keep >= 24*time.Hour, "keep", "must be a day at least: who lost a mail asks the day after")
	want((c.TLSCertificate == "") == (c.TLSKey == ""), "tls_key", "a certificate and its key come together")
	if c.Listen != "" {
		_, _, err := net.SplitHostPort(c.Listen)
		want(err == nil, "listen", "must be an address and a port, such as 127.0.0.1:2525")
	}
	for i, text := range c.From {
		_, err := netip.ParsePrefix(text)
		want(err == nil, "from["+strconv.Itoa(i)+"]", "must be a network, such as 10.0.0.0/24")
	}
	for i, box := range c.IMAP {
		key := "imap[" + strconv.Itoa(i) + "]."
		host, _, err := net.SplitHostPort(box.Address)
		want(err == nil, key+"address", "must be a host and a port, such as imap.univ.fr:993")
		want(box.TLS == "" || box.TLS == tlsFromStart || box.TLS == tlsLater || box.TLS == tlsNever, key+"tls", "must be tls, starttls or none")
		want(box.TLS != tlsNever || isLoopback(host), key+"tls", "may be none for this very machine only: the password would travel in clear")
		want(box.User != "", key+"user", "must be given")
		want(box.Password != "", key+"password", "must be given")
		want(box.Every == 0 || box.Every >= 10*time.Second, key+"every", "must be ten seconds at least")
		want(box.Queue == "" || strings.Contains(box.Queue, "@"), key+"queue", "must be a mail address")
	}
	return problems
}
