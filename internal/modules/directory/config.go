package directory

import (
	"strconv"

	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/ldapview"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is what an institution can say about the room.
type Config struct {
	Sources  []source.Config `toml:"sources"`
	Register register.Config `toml:"register"`
	// Visibility says who sees which part of whose entry.
	Visibility entry.Config `toml:"visibility"`
	// LDAP is the view for programs.
	LDAP ldapview.Config `toml:"ldap"`
}

// Defaults are what holds when the file does not say.
func Defaults() Config {
	return Config{Register: register.Defaults(), Visibility: entry.Defaults(), LDAP: ldapview.Defaults()}
}

// Check implements config.Checker: what is wrong with the sources together, and with
// the expressions of their mappings.
func (c Config) Check() []config.Problem {
	problems := source.CheckAll(c.Sources)
	for i, s := range c.Sources {
		for _, p := range mapping.Problems(s) {
			p.Key = "sources[" + strconv.Itoa(i) + "]." + p.Key
			problems = append(problems, p)
		}
	}
	return problems
}
