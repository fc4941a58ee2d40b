package reach

import (
	"regexp"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is [identity.reach] in the configuration.
type Config struct {
	Country     string        `toml:"country" help:"calling code of numbers that are written without one, such as 33"`
	ChangeDelay time.Duration `toml:"change_delay" help:"how long after a change in the record the new number or address counts; the old one counts meanwhile and can stop the change"`
	CodeLasts   time.Duration `toml:"code_lasts" help:"how long the code lasts that confirms a number or an address"`
	ResendAfter time.Duration `toml:"resend_after" help:"how long one waits before the same message can be sent again"`
	RemindAfter time.Duration `toml:"remind_after" help:"how long after the last confirmation people are asked whether their number and addresses are still theirs; 0 for never"`
}

// Defaults suit a French institution.
func Defaults() Config {
	return Config{
		Country: france, ChangeDelay: 72 * time.Hour, CodeLasts: 10 * time.Minute,
		ResendAfter: time.Minute, RemindAfter: 120 * 24 * time.Hour,
	}
}

var callingCode = regexp.MustCompile(`^[1-9][0-9]{0,2}$`)

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	want(callingCode.MatchString(c.Country), "country", "must be a calling code without + or 0, such as 33")
	want(c.ChangeDelay >= 0 && c.ChangeDelay <= 30*24*time.Hour, "change_delay", "must lie between 0s and 720h")
	want(c.CodeLasts >= 2*time.Minute && c.CodeLasts <= time.Hour, "code_lasts", "must lie between 2m and 1h")
	want(c.ResendAfter >= 10*time.Second && c.ResendAfter <= c.CodeLasts, "resend_after", "must lie between 10s and code_lasts")
	want(c.RemindAfter == 0 || c.RemindAfter >= 24*time.Hour, "remind_after", "must be 0 or at least 24h")
	return problems
}
