package casserver

import (
	"time"

	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is [sso.cas] in the configuration.
type Config struct {
	TicketLifetime time.Duration `toml:"ticket_lifetime" help:"how long a service may take to validate a ticket"`
}

// Defaults suit an institution that sets nothing.
//
// A ticket lives for 60 seconds. The specification leaves it to us (§3.1.1: not
// more than five minutes is wise). Ten seconds, a common default, fails people
// whose phone changes cells between our redirect and the service, and services
// that wake up cold. A longer life gains a thief little: a ticket works once,
// for one address, and the service's own browser uses it first.
func Defaults() Config { return Config{TicketLifetime: time.Minute} }

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	if c.TicketLifetime < 5*time.Second || c.TicketLifetime > 5*time.Minute {
		return []config.Problem{{Key: "ticket_lifetime", Text: "must lie between 5s and 5m"}}
	}
	return nil
}
