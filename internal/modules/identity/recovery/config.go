package recovery

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is [identity.recovery] in the configuration.
type Config struct {
	Delay       time.Duration    `toml:"delay" help:"time between the second approval and the code, during which the owner of the account can stop it"`
	DelayAtDesk time.Duration    `toml:"delay_at_desk" help:"the same when both agents saw the person at the desk; 0s lets them go on at once"`
	Lapse       time.Duration    `toml:"lapse" help:"a request that nobody finished ends by itself after so long"`
	CodeLasts   time.Duration    `toml:"code_lasts" help:"how long the link and the code can be used once an agent has given them"`
	Documents   []DocumentConfig `toml:"documents"`
}

// DocumentConfig is something by which an agent recognises somebody. Only its
// code is kept, never a number or a picture.
type DocumentConfig struct {
	Code        string `toml:"code" help:"stable name, such as identity_card"`
	TextFrench  string `toml:"text_fr" help:"what the agent saw"`
	TextEnglish string `toml:"text_en" help:"the same in English"`
}

// Defaults are safe for an institution that sets nothing.
func Defaults() Config {
	return Config{Delay: 24 * time.Hour, DelayAtDesk: 24 * time.Hour, Lapse: 14 * 24 * time.Hour, CodeLasts: 30 * time.Minute}
}

// defaultDocuments stand for an empty list; see lifecycle's lists for why they
// are no default value of the field.
var defaultDocuments = []DocumentConfig{
	{"student_card", "carte d’étudiant ou carte professionnelle", "student or staff card"},
	{"identity_card", "carte d’identité", "identity card"},
	{"passport", "passeport", "passport"},
	{"residence_permit", "titre de séjour", "residence permit"},
	{"driving_licence", "permis de conduire", "driving licence"},
}

func (c Config) documents() []DocumentConfig {
	if len(c.Documents) == 0 {
		return defaultDocuments
	}
	return c.Documents
}

var documentCode = regexp.MustCompile(`^[a-z][a-z0-9_]{1,40}$`)

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	want(c.Delay >= time.Hour && c.Delay <= 14*24*time.Hour, "delay", "must lie between 1h and 336h: it is the owner's time to say no")
	want(c.DelayAtDesk >= 0 && c.DelayAtDesk <= c.Delay, "delay_at_desk", "must not be longer than delay")
	want(c.Lapse > c.Delay, "lapse", "must be longer than delay")
	want(c.CodeLasts >= 5*time.Minute && c.CodeLasts <= 24*time.Hour, "code_lasts", "must lie between 5m and 24h")
	seen := map[string]bool{}
	for i, d := range c.Documents {
		want(documentCode.MatchString(d.Code), fmt.Sprintf("documents[%d].code", i), "must be lower-case letters, digits and underscores")
		want(!seen[d.Code], fmt.Sprintf("documents[%d].code", i), "stands twice in the list")
		want(strings.TrimSpace(d.TextFrench) != "" && strings.TrimSpace(d.TextEnglish) != "", fmt.Sprintf("documents[%d].text_fr", i), "needs a name in French and in English")
		seen[d.Code] = true
	}
	return problems
}
