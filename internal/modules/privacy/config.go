package privacy

import (
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is what an institution can say about the room.
type Config struct {
	Address         string        `toml:"address" help:"postal address of the institution, for the register of processing"`
	Contact         string        `toml:"contact" help:"mail address or telephone number of the institution, for the register of processing"`
	OfficerName     string        `toml:"officer_name" help:"name of the data protection officer, or of the office"`
	OfficerMail     string        `toml:"officer_mail" help:"mail address of the data protection officer"`
	OfficerPhone    string        `toml:"officer_phone" help:"telephone number of the data protection officer"`
	SecurityFrench  string        `toml:"security_fr" help:"security measures that the register names besides those of Amphi itself"`
	SecurityEnglish string        `toml:"security_en" help:"the same in English"`
	KeepExports     time.Duration `toml:"keep_exports" help:"how long a copy of somebody's data can be downloaded"`
	ExportsPerDay   int           `toml:"exports_per_day" help:"copies that somebody may ask for in a day"`
	KeepLooks       time.Duration `toml:"keep_looks" help:"how long people can read which office opened their file"`
	Due             string        `toml:"due" help:"what happens with data whose time is over: propose (the officer lets each erasure) or automatic"`
	DueAtMost       int           `toml:"due_at_most" help:"with automatic: a night with more people than this erases nobody and leaves it to the officer"`
}

// What happens with data that is due.
const (
	dueProposed  = "propose"
	dueAutomatic = "automatic"
)

// Defaults are what holds when the file does not say.
func Defaults() Config {
	return Config{
		KeepExports: 7 * 24 * time.Hour, ExportsPerDay: 3, KeepLooks: 365 * 24 * time.Hour, Due: dueProposed, DueAtMost: 200,
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
	want(c.KeepExports >= time.Hour && c.KeepExports <= 90*24*time.Hour, "keep_exports", "must lie between one hour and 90 days")
	want(c.ExportsPerDay > 0, "exports_per_day", "must be at least 1: everybody has a right to a copy")
	want(c.KeepLooks >= 30*24*time.Hour, "keep_looks", "must be at least 30 days, so that people can read it")
	want(c.Due == dueProposed || c.Due == dueAutomatic, "due", "must be propose or automatic")
	want(c.DueAtMost > 0, "due_at_most", "must be at least 1")
	want(c.OfficerMail == "" || strings.Contains(c.OfficerMail, "@"), "officer_mail", "must be a mail address")
	return problems
}
