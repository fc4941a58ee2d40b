package register

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is [directory.register] in the configuration.
type Config struct {
	BrakeFloor int           `toml:"brake_floor" help:"a run that closes or changes no more people than this is never stopped by the brake, however small the source"`
	KeepRuns   time.Duration `toml:"keep_runs" help:"how long the reports of runs are kept"`
	Names      []NameRule    `toml:"names"`
}

// NameRule makes logins and addresses for people whose source gives none.
type NameRule struct {
	Kinds  []campus.Kind `toml:"kinds" help:"whom the rule is for: student, teacher, staff, guest; empty for everybody. The first rule that fits counts"`
	Login  string        `toml:"login" help:"pattern of a login, such as {given:1}{family}: {given}, {family}, {number} (student or employee number), {yy} (year), each with an optional length; homonyms get a number at the end. Empty makes none"`
	Length int           `toml:"length" help:"longest login; 0 means 20"`
	Mail   string        `toml:"mail" help:"pattern of an address, such as {given}.{family}@univ.fr; {login} is possible too. Empty makes none"`
}

// Defaults stop the small accidents and keep reports for half a year.
func Defaults() Config {
	return Config{BrakeFloor: 10, KeepRuns: 180 * 24 * time.Hour}
}

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	want(c.BrakeFloor >= 0, "brake_floor", "must not be negative")
	want(c.KeepRuns >= 24*time.Hour, "keep_runs", "must be at least 24h")
	for i, r := range c.Names {
		key := fmt.Sprintf("names[%d].", i)
		for _, k := range r.Kinds {
			want(slices.Contains(campus.Kinds, k), key+"kinds", "must be among student, teacher, staff, guest")
		}
		want(r.Length == 0 || r.Length >= 4 && r.Length <= 32, key+"length", "must lie between 4 and 32")
		if r.Login != "" {
			_, err := parsePattern(r.Login, loginParts)
			want(err == nil, key+"login", fmt.Sprint("cannot be read: ", err))
		}
		if r.Mail != "" {
			local, domain, ok := strings.Cut(r.Mail, "@")
			_, err := parsePattern(local, mailParts)
			want(ok && strings.Contains(domain, ".") && !strings.ContainsAny(domain, "{} "), key+"mail", "must end with @ and a domain")
			want(err == nil, key+"mail", fmt.Sprint("cannot be read: ", err))
		}
	}
	return problems
}
