package mailer

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/config"
)

// The ways a message can leave.
const (
	TransportSMTP   = "smtp"   // mail, by a mail server
	TransportHTTP   = "http"   // short messages, by a provider's gateway
	TransportOutbox = "outbox" // nothing leaves; the text stays in the outbox, for the demo
	TransportNone   = "none"   // short messages are not offered
)

// Config is the [mailer] part of the configuration file.
type Config struct {
	Transport string        `toml:"transport" help:"smtp, or outbox: nothing leaves and administrators can read every message"`
	From      string        `toml:"from" help:"the address that messages come from"`
	FromName  string        `toml:"from_name" help:"the name beside it, usually the institution's"`
	Keep      time.Duration `toml:"keep" help:"how long the record of what was sent is kept"`
	SMTP      SMTPConfig    `toml:"smtp"`
	SMS       SMSConfig     `toml:"sms"`
}

// SMTPConfig says how to reach the mail server.
type SMTPConfig struct {
	Host     string        `toml:"host" help:"the mail server, such as smtp.university.example"`
	Port     int           `toml:"port" help:"its port"`
	TLS      string        `toml:"tls" help:"starttls (port 587), tls from the first byte (port 465), or none"`
	CAFile   string        `toml:"ca_file" help:"certificates to trust besides the system's, in PEM form"`
	User     string        `toml:"user" help:"empty when the server takes mail from us without signing in"`
	Password string        `toml:"password" secret:"true" help:"what we sign in to the server with"`
	Timeout  time.Duration `toml:"timeout" help:"how long the server may take for one message"`
	Hello    string        `toml:"hello" help:"the name we give in EHLO; empty: the machine's"`
}

// SMSConfig describes any provider whose gateway takes one HTTP request per message. In url, headers
// and body, {to}, {text}, {id} and {secret} are replaced, each written as its place demands.
type SMSConfig struct {
	Transport string            `toml:"transport" help:"http, outbox or none"`
	URL       string            `toml:"url" help:"may hold {to}, {text}, {id}, {secret}"`
	Method    string            `toml:"method" help:"GET, POST or PUT"`
	Headers   map[string]string `toml:"headers" help:"such as Authorization = \"Bearer {secret}\""`
	Encoding  string            `toml:"encoding" help:"of the body: json or form"`
	Body      string            `toml:"body" help:"such as {\"to\":\"{to}\",\"text\":\"{text}\"} or to={to}&text={text}"`
	Secret    string            `toml:"secret" secret:"true" help:"what {secret} stands for"`
	Success   []int             `toml:"success" help:"statuses that mean accepted; empty: 200 to 299"`
	IDPath    string            `toml:"id_path" help:"where the answer holds the message's number, such as messages.0.id"`
	Timeout   time.Duration     `toml:"timeout" help:"how long the gateway may take for one message"`
	PerHour   int               `toml:"per_hour" help:"how many messages one phone may get in an hour"`
}

// Defaults is the configuration of an installation that says nothing about mail.
func Defaults() Config {
	return Config{
		Transport: TransportOutbox,
		From:      "amphi@localhost.localdomain",
		FromName:  "Amphi",
		Keep:      30 * 24 * time.Hour,
		SMTP:      SMTPConfig{Port: 587, TLS: "starttls", Timeout: 20 * time.Second},
		SMS:       SMSConfig{Transport: TransportNone, Method: "POST", Encoding: "json", Timeout: 15 * time.Second, PerHour: 5},
	}
}

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	say := func(key, text string, args ...any) {
		problems = append(problems, config.Problem{Key: key, Text: fmt.Sprintf(text, args...)})
	}
	if c.Transport != TransportSMTP && c.Transport != TransportOutbox {
		say("transport", "is %q; it can be smtp or outbox", c.Transport)
	}
	if checkAddress(c.From) != nil || !strings.Contains(c.From, "@") {
		say("from", "is not a plain mail address such as amphi@example.org")
	}
	if !oneLine(c.FromName) {
		say("from_name", "must be one line")
	}
	if c.Keep < time.Hour {
		say("keep", "must be one hour or more, such as \"720h\"")
	}
	if c.Transport == TransportSMTP {
		problems = append(problems, c.SMTP.problems()...)
	}
	return append(problems, c.SMS.problems()...)
}

func (c SMTPConfig) problems() []config.Problem {
	var problems []config.Problem
	say := func(key, text string, args ...any) {
		problems = append(problems, config.Problem{Key: "smtp." + key, Text: fmt.Sprintf(text, args...)})
	}
	if c.Host == "" || strings.ContainsAny(c.Host, " /@\r\n") {
		say("host", "the name of the mail server is needed, such as smtp.example.org")
	}
	if c.Port < 1 || c.Port > 65535 {
		say("port", "must be between 1 and 65535")
	}
	if !slices.Contains([]string{"starttls", "tls", "none"}, c.TLS) {
		say("tls", "is %q; it can be starttls, tls or none", c.TLS)
	}
	if c.TLS == "none" && c.User != "" && !loopback(c.Host) {
		say("user", "a password is not sent in clear over the network: set smtp.tls to starttls or tls")
	}
	if c.Timeout <= 0 || c.Timeout > 2*time.Minute {
		say("timeout", "must be more than zero and at most 2m")
	}
	return problems
}

func (c SMSConfig) problems() []config.Problem {
	var problems []config.Problem
	say := func(key, text string, args ...any) {
		problems = append(problems, config.Problem{Key: "sms." + key, Text: fmt.Sprintf(text, args...)})
	}
	switch c.Transport {
	case TransportNone:
		return nil
	case TransportHTTP, TransportOutbox:
	default:
		say("transport", "is %q; it can be http, outbox or none", c.Transport)
	}
	if c.PerHour < 1 {
		say("per_hour", "must be one or more")
	}
	if c.Transport != TransportHTTP {
		return problems
	}
	// The placeholders' braces are no part of a URL.
	address, err := url.Parse(strings.NewReplacer("{", "", "}", "").Replace(c.URL))
	switch {
	case err != nil || address.Host == "" || address.Scheme != "https" && address.Scheme != "http":
		say("url", "is not an address such as https://gateway.example.org/messages")
	case address.Scheme == "http" && !loopback(address.Hostname()):
		say("url", "codes are not sent in clear over the network: use https")
	}
	if !slices.Contains([]string{"GET", "POST", "PUT"}, c.Method) {
		say("method", "is %q; it can be GET, POST or PUT", c.Method)
	}
	if !slices.Contains([]string{"json", "form"}, c.Encoding) {
		say("encoding", "is %q; it can be json or form", c.Encoding)
	}
	if !strings.Contains(c.URL+c.Body, "{to}") || !strings.Contains(c.URL+c.Body, "{text}") {
		say("body", "{to} and {text} must be in the body or the url")
	}
	for name, value := range c.Headers {
		if !oneLine(name) || !oneLine(value) || name == "" {
			say("headers", "%q must be one line", name)
		}
	}
	for _, status := range c.Success {
		if status < 200 || status > 299 {
			say("success", "%d is not a status between 200 and 299", status)
		}
	}
	if c.Timeout <= 0 || c.Timeout > time.Minute {
		say("timeout", "must be more than zero and at most 1m")
	}
	return problems
}

func loopback(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}
