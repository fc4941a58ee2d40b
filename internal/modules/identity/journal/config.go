package journal

import (
	"time"

	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is [identity.journal] in the configuration.
type Config struct {
	Keep time.Duration `toml:"keep" help:"how long events of accounts stay in the journal"`
}

// Defaults keep events for thirteen months: a year, and the month in which
// somebody looks back at the same month of the year before.
func Defaults() Config { return Config{Keep: 396 * 24 * time.Hour} }

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	if c.Keep < 30*24*time.Hour {
		return []config.Problem{{Key: "keep", Text: "must be at least 720h (30 days)"}}
	}
	return nil
}
