package helpdesk

import (
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/api"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom"
)

// Config is what an institution can say about the room. Queues, rules and opening
// hours are not here: those who run the desk keep them on its pages.
type Config struct {
	Mail     mailroom.Config `toml:"mail"`
	Programs api.Config      `toml:"programs"`
}

// Defaults are what holds when the file does not say.
func Defaults() Config { return Config{Mail: mailroom.Defaults()} }
