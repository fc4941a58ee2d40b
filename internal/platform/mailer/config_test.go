package mailer

import (
	"slices"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/config"
)

func TestEachMistakeInTheConfigurationIsNamed(t *testing.T) {
	smtp := func(change func(*Config)) Config {
		c := Defaults()
		c.Transport, c.From, c.SMTP.Host = TransportSMTP, "amphi@example.org", "smtp.example.org"
		change(&c)
		return c
	}
	sms := func(change func(*SMSConfig)) Config {
		c := Defaults()
		c.SMS.Transport, c.SMS.URL, c.SMS.Body = TransportHTTP, "https://gw.example.org/{to}", `{"text":"{text}"}`
		change(&c.SMS)
		return c
	}
	for _, c := range []struct {
		name   string
		config Config
		keys   []string
	}{
		{"the defaults", Defaults(), nil},
		{"a mail server", smtp(func(*Config) {}), nil},
		{"a gateway", sms(func(*SMSConfig) {}), nil},
		{"a gateway on this machine without TLS", sms(func(s *SMSConfig) { s.URL = "http://127.0.0.1:9/{to}" }), nil},
		{"nothing at all", Config{}, []string{"transport", "from", "keep", "sms.transport", "sms.per_hour"}},
		{"a sender with a name", smtp(func(c *Config) { c.From = "Amphi <a@example.org>" }), []string{"from"}},
		{"a sender's name on two lines", smtp(func(c *Config) { c.FromName = "a\nb" }), []string{"from_name"}},
		{"no mail server", smtp(func(c *Config) { c.SMTP.Host = "" }), []string{"smtp.host"}},
		{"an impossible port", smtp(func(c *Config) { c.SMTP.Port = 70000 }), []string{"smtp.port"}},
		{"an unknown TLS mode", smtp(func(c *Config) { c.SMTP.TLS = "ssl" }), []string{"smtp.tls"}},
		{"a password in clear", smtp(func(c *Config) { c.SMTP.TLS, c.SMTP.User = "none", "amphi" }), []string{"smtp.user"}},
		{"no timeout", smtp(func(c *Config) { c.SMTP.Timeout = 0 }), []string{"smtp.timeout"}},
		{"codes in clear", sms(func(s *SMSConfig) { s.URL = "http://gw.example.org/{to}" }), []string{"sms.url"}},
		{"no gateway", sms(func(s *SMSConfig) { s.URL = "" }), []string{"sms.url", "sms.body"}},
		{"a body without the text", sms(func(s *SMSConfig) { s.Body = "{}" }), []string{"sms.body"}},
		{"odd words", sms(func(s *SMSConfig) { s.Method, s.Encoding, s.Success = "DELETE", "xml", []int{302} }), []string{"sms.method", "sms.encoding", "sms.success"}},
		{"a header on two lines", sms(func(s *SMSConfig) { s.Headers = map[string]string{"X": "a\r\nb"} }), []string{"sms.headers"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var keys []string
			for _, problem := range c.config.Check() {
				keys = append(keys, problem.Key)
			}
			if !slices.Equal(keys, c.keys) {
				t.Fatalf("%v, not %v", keys, c.keys)
			}
		})
	}
}

var _ config.Checker = Config{}
