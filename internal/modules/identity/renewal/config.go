package renewal

import (
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is [identity.password] in the configuration.
type Config struct {
	MinLength        int           `toml:"min_length" help:"characters that a password must have"`
	LettersAndDigits bool          `toml:"letters_and_digits" help:"ask for letters and digits"`
	Upper            bool          `toml:"upper" help:"ask for a capital letter"`
	Special          bool          `toml:"special" help:"ask for a special character"`
	PassphraseLength int           `toml:"passphrase_length" help:"from so many characters on, the three rules above do not count; 0: they always do"`
	NotYou           bool          `toml:"not_you" help:"refuse passwords that hold the login, the name or the address"`
	NotSimple        bool          `toml:"not_simple" help:"refuse runs and repetitions"`
	History          int           `toml:"history" help:"how many of the last passwords cannot be taken again; 0 for none"`
	Breached         bool          `toml:"breached" help:"refuse passwords that are in the filter of known ones"`
	BreachedFile     string        `toml:"breached_file" help:"a filter made by 'amphi breached build'; empty for the one that comes with Amphi"`
	MaxAge           time.Duration `toml:"max_age" help:"a password must be changed when it is older; 0s for never, which is better (see docs/passwords.md)"`
	OldKnown         time.Duration `toml:"old_known" help:"how long a replaced password is recognised at sign-in, to say since when it is no longer right"`
	RecoveryLasts    time.Duration `toml:"recovery_lasts" help:"how long somebody has to finish with a forgotten password"`
	CodeTries        int           `toml:"code_tries" help:"how often a recovery code may be typed wrong"`
	Burst            int           `toml:"burst" help:"recoveries of one identifier before it slows down"`
	Every            time.Duration `toml:"every" help:"then one more after each such time"`
	NetworkBurst     int           `toml:"network_burst" help:"recoveries from one network before it slows down; a campus may stand behind one address"`
	NetworkEvery     time.Duration `toml:"network_every" help:"then one more after each such time"`
}

// Defaults follow ANSSI and NIST SP 800-63B: long rather than odd, known ones
// refused, no expiry.
func Defaults() Config {
	return Config{
		MinLength: 12, LettersAndDigits: true, PassphraseLength: 20, NotYou: true, NotSimple: true,
		History: 5, Breached: true, OldKnown: 90 * 24 * time.Hour,
		RecoveryLasts: 30 * time.Minute, CodeTries: 5,
		Burst: 5, Every: 10 * time.Minute, NetworkBurst: 100, NetworkEvery: 10 * time.Second,
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
	want(c.MinLength >= 8 && c.MinLength <= 64, "min_length", "must lie between 8 and 64")
	want(c.PassphraseLength == 0 || c.PassphraseLength >= c.MinLength && c.PassphraseLength <= 64, "passphrase_length", "must be 0, or lie between min_length and 64")
	want(c.History >= 0 && c.History <= 24, "history", "must lie between 0 and 24: each one costs a hash when somebody changes their password")
	want(c.MaxAge == 0 || c.MaxAge >= 30*24*time.Hour, "max_age", "must be 0s, or at least 720h")
	want(c.OldKnown >= 0 && c.OldKnown <= 366*24*time.Hour, "old_known", "must lie between 0s and 8784h")
	want(c.RecoveryLasts >= 5*time.Minute && c.RecoveryLasts <= 24*time.Hour, "recovery_lasts", "must lie between 5m and 24h")
	want(c.CodeTries >= 3 && c.CodeTries <= 10, "code_tries", "must lie between 3 and 10")
	want(c.Burst >= 2, "burst", "must be at least 2: messages get lost")
	want(c.Every >= time.Minute, "every", "must be at least 1m")
	want(c.NetworkBurst >= c.Burst, "network_burst", "must not be less than burst")
	want(c.NetworkEvery > 0, "network_every", "must be above 0s")
	return problems
}

// Rules are the rules of the configuration.
func (c Config) Rules() rules.Rules {
	return rules.Rules{
		MinLength: c.MinLength, LettersAndDigits: c.LettersAndDigits, Upper: c.Upper, Special: c.Special, Passphrase: c.PassphraseLength,
		NotYou: c.NotYou, NotSimple: c.NotSimple, Breached: c.Breached, History: c.History,
	}
}
