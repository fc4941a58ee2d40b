package api

import (
	"net/netip"
	"strconv"

	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is what an institution can say about programs.
type Config struct {
	WebhooksInside []string `toml:"webhooks_inside" help:"networks of the institution itself that webhooks of the help desk may reach, such as 10.20.0.0/24; none by default"`
}

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	for i, text := range c.WebhooksInside {
		if _, err := netip.ParsePrefix(text); err != nil {
			problems = append(problems, config.Problem{Key: "webhooks_inside[" + strconv.Itoa(i) + "]", Text: "must be a network, such as 10.20.0.0/24"})
		}
	}
	return problems
}

// Networks are the allowed ones.
func (c Config) Networks() []netip.Prefix {
	var list []netip.Prefix
	for _, text := range c.WebhooksInside {
		if network, err := netip.ParsePrefix(text); err == nil { // Check refuses the others
			list = append(list, network.Masked())
		}
	}
	return list
}
