package activation

import (
	"regexp"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is [identity.activation] in the configuration.
type Config struct {
	Lasts           time.Duration `toml:"lasts" help:"how long somebody has to finish an activation that was begun"`
	InvitationLasts time.Duration `toml:"invitation_lasts" help:"how long the link and the code of an invitation work"`
	CodeLasts       time.Duration `toml:"code_lasts" help:"how long the code sent to a phone or an address works"`
	CodeTries       int           `toml:"code_tries" help:"how often one code may be typed wrong"`
	Burst           int           `toml:"burst" help:"beginnings with one student number or one address before it slows down"`
	Every           time.Duration `toml:"every" help:"then one more after each such time"`
	NetworkBurst    int           `toml:"network_burst" help:"beginnings from one network before it slows down; a campus may stand behind one address"`
	NetworkEvery    time.Duration `toml:"network_every" help:"then one more after each such time"`
	StudentNumber   string        `toml:"student_number" help:"the form of a student number, as a regular expression in capitals and digits; letters O and I are read as 0 and 1 on both sides"`
	NumberExample   string        `toml:"number_example" help:"a number of that form, shown as an example"`
	Transfer        string        `toml:"transfer" help:"when registrations of the day reach the register, as HH:MM; told to those who come too early"`
	DeskFrench      string        `toml:"desk_french" help:"where the desk is and when it is open, for those whom the page cannot help"`
	DeskEnglish     string        `toml:"desk_english" help:"the same in English"`
	GuestLongest    time.Duration `toml:"guest_longest" help:"how far ahead the end of a guest's account may lie"`
}

// Defaults are safe for an institution that sets nothing.
func Defaults() Config {
	return Config{
		Lasts: 24 * time.Hour, InvitationLasts: 14 * 24 * time.Hour, CodeLasts: 15 * time.Minute, CodeTries: 5,
		Burst: 8, Every: 10 * time.Minute, NetworkBurst: 300, NetworkEvery: 3 * time.Second,
		StudentNumber: `[0-9A-Z]{6,12}`, NumberExample: "22104567", Transfer: "02:00",
		GuestLongest: 366 * 24 * time.Hour,
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
	want(c.Lasts >= time.Hour && c.Lasts <= 7*24*time.Hour, "lasts", "must lie between 1h and 168h")
	want(c.InvitationLasts >= 24*time.Hour && c.InvitationLasts <= 90*24*time.Hour, "invitation_lasts", "must lie between 24h and 2160h")
	want(c.CodeLasts >= 2*time.Minute && c.CodeLasts <= time.Hour, "code_lasts", "must lie between 2m and 1h")
	want(c.CodeTries >= 3 && c.CodeTries <= 10, "code_tries", "must lie between 3 and 10")
	want(c.Burst >= 3, "burst", "must be at least 3: people mistype")
	want(c.Every >= time.Minute, "every", "must be at least 1m: each beginning may cost a text message")
	want(c.NetworkBurst >= c.Burst, "network_burst", "must not be less than burst")
	want(c.NetworkEvery > 0, "network_every", "must be above 0s")
	form, err := regexp.Compile(`^(?:` + c.StudentNumber + `)$`)
	want(err == nil && c.StudentNumber != "", "student_number", "must be a regular expression")
	want(err != nil || form.MatchString(c.NumberExample), "number_example", "must have the form of student_number")
	_, err = time.Parse("15:04", c.Transfer)
	want(err == nil, "transfer", "must be a time of day such as 02:00")
	want(c.GuestLongest >= 24*time.Hour, "guest_longest", "must be at least 24h")
	return problems
}
