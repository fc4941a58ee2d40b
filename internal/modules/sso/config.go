package sso

import (
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/casserver"
	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is [sso] in the configuration.
type Config struct {
	Services       []registry.Service   `toml:"services"`
	Institution    registry.Institution `toml:"institution"`
	CAS            casserver.Config     `toml:"cas"`
	SAML           samlidp.Config       `toml:"saml"`
	OIDC           oidcop.Config        `toml:"oidc"`
	Keys           keys.Config          `toml:"keys"`
	LoopTurns      int                  `toml:"loop_turns" help:"how often within a minute a service may send somebody here for one address; the last time a page explains the loop"`
	AllowLoopback  bool                 `toml:"allow_loopback" help:"sign in to any program on this machine (for demonstrations)"`
	LogoutTimeout  time.Duration        `toml:"logout_timeout" help:"how long a service may take to answer that a session ended"`
	LogoutAttempts int                  `toml:"logout_attempts" help:"how often a service is told that a session ended before we give up"`
	History        time.Duration        `toml:"history" help:"how long ended service sessions, sign-outs and incidents are kept"`
}

// Defaults suit an institution that sets nothing.
func Defaults() Config {
	return Config{
		CAS:            casserver.Defaults(),
		SAML:           samlidp.Defaults(),
		OIDC:           oidcop.Defaults(),
		Keys:           keys.Defaults(),
		LoopTurns:      3,
		LogoutTimeout:  10 * time.Second,
		LogoutAttempts: 6,
		History:        30 * 24 * time.Hour,
	}
}

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	want(c.LoopTurns >= 3, "loop_turns", "must be at least 3: people press reload")
	want(c.LogoutTimeout >= time.Second && c.LogoutTimeout <= time.Minute, "logout_timeout", "must lie between 1s and 1m")
	want(c.LogoutAttempts >= 1 && c.LogoutAttempts <= 50, "logout_attempts", "must lie between 1 and 50")
	want(c.History >= 24*time.Hour, "history", "must be at least 24h")
	for _, mistake := range c.Institution.Check() {
		problems = append(problems, config.Problem{Key: "institution." + mistake.Field, Text: mistake.Text})
	}
	seen := map[string]int{}
	for i, s := range c.Services {
		if first, twice := seen[s.ID]; twice {
			problems = append(problems, config.Problem{Key: fmt.Sprintf("services[%d].id", i), Text: fmt.Sprintf("%s is already the id of services[%d]", s.ID, first)})
		} else {
			seen[s.ID] = i
		}
		for _, mistake := range s.Check() {
			problems = append(problems, config.Problem{Key: fmt.Sprintf("services[%d].%s", i, mistake.Field), Text: mistake.Text})
		}
	}
	return problems
}
