package device

import (
	"time"

	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is [identity.device] in the configuration.
type Config struct {
	Trust time.Duration `toml:"trust" help:"a browser that its owner trusts is not asked for a second factor for so long; 0s offers it to nobody"`
	Keep  time.Duration `toml:"keep" help:"a browser that was not used for so long is new again"`
}

// maxCookie is how long browsers keep a cookie at most (RFC 6265bis §5.5).
const maxCookie = 400 * 24 * time.Hour

// Defaults are safe for an institution that sets nothing.
func Defaults() Config { return Config{Trust: 30 * 24 * time.Hour, Keep: 180 * 24 * time.Hour} }

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	if c.Trust < 0 || c.Trust > 90*24*time.Hour {
		problems = append(problems, config.Problem{Key: "trust", Text: "must lie between 0s and 2160h (90 days): a factor that is never asked protects nobody"})
	}
	if c.Keep < max(c.Trust, 24*time.Hour) || c.Keep > maxCookie {
		problems = append(problems, config.Problem{Key: "keep", Text: "must be at least trust and 24h, and at most 9600h (400 days), which is how long browsers keep a cookie"})
	}
	return problems
}
