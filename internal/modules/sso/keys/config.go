package keys

import (
	"time"

	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is [sso.keys] in the configuration.
type Config struct {
	Lifetime  time.Duration `toml:"lifetime" help:"how long a key signs OpenID Connect answers before the next one does; 0s: until amphi is told"`
	Ahead     time.Duration `toml:"ahead" help:"how long the next OpenID Connect key is published before it signs"`
	SAMLAhead time.Duration `toml:"saml_ahead" help:"the same for SAML, whose service providers read metadata rarely; SAML keys change only when amphi is told"`
}

// Defaults suit an institution that sets nothing.
func Defaults() Config {
	return Config{Lifetime: 90 * 24 * time.Hour, Ahead: 2 * 24 * time.Hour, SAMLAhead: 14 * 24 * time.Hour}
}

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	want(c.Ahead >= time.Hour, "ahead", "must be at least 1h: clients keep our keys for a while")
	want(c.SAMLAhead >= 24*time.Hour, "saml_ahead", "must be at least 24h: service providers read metadata once a day")
	want(c.Lifetime == 0 || c.Lifetime >= 2*c.Ahead, "lifetime", "must be 0s or at least twice ahead")
	return problems
}

// policy is how the keys of one use live.
type policy struct {
	algorithms []string
	// certificate is for how long a certificate says that it is valid; zero makes
	// none. Service providers compare keys, not dates, but some look.
	certificate time.Duration
	// kept is how long a key stays published after it signed last: longer than
	// anything that it signed, and than anybody keeps an answer.
	kept time.Duration
}

// A key of 2,048 bits signs six times faster than one of 4,096 and lasts, says
// ANSSI, until 2030.
const rsaBits = 2048

var policies = map[Use]policy{
	OIDC: {algorithms: []string{RS256, ES256}, kept: 2 * 24 * time.Hour},
	SAML: {algorithms: []string{RS256}, certificate: 10 * 365 * 24 * time.Hour, kept: 14 * 24 * time.Hour},
}

// ahead is how long the next key of a use is published before it signs.
func (c Config) ahead(use Use) time.Duration {
	if use == SAML {
		return c.SAMLAhead
	}
	return c.Ahead
}

// lifetime is how long a key of a use signs; zero for ever.
func (c Config) lifetime(use Use) time.Duration {
	if use == SAML {
		return 0 // many hold a copy of the metadata that nobody renews
	}
	return c.Lifetime
}
