package portal

import (
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/portal/feed"
	"github.com/amphi-campus/amphi/internal/modules/portal/help"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is [portal] in the configuration.
type Config struct {
	FeedEvery         time.Duration       `toml:"feed_every" help:"how often the feeds of other sites are read"`
	KeepFeedItems     time.Duration       `toml:"keep_feed_items" help:"how long a headline of another site stays"`
	KeepNotifications time.Duration       `toml:"keep_notifications" help:"notifications are deleted after this time"`
	KeepUses          time.Duration       `toml:"keep_uses" help:"how long it is remembered that somebody opened a service"`
	MaxPicture        int64               `toml:"max_picture" help:"largest picture of an article that can be sent, in bytes"`
	Accessibility     AccessibilityConfig `toml:"accessibility"`
	Help              help.Config         `toml:"help"`
	Feeds             []feed.Source       `toml:"feeds"`
}

// AccessibilityConfig is what the accessibility statement says about the
// institution.
type AccessibilityConfig struct {
	Contact string `toml:"contact" help:"mail address of the person for digital accessibility; the help desk's when empty"`
	PlanURL string `toml:"plan_url" help:"address of the institution's accessibility plan (schéma pluriannuel)"`
}

const day = 24 * time.Hour

// Defaults suit an institution that sets nothing.
func Defaults() Config {
	return Config{
		FeedEvery: 15 * time.Minute, KeepFeedItems: 60 * day,
		KeepNotifications: 180 * day, KeepUses: 365 * day, MaxPicture: 10 << 20,
	}
}

var feedID = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	want(c.FeedEvery >= time.Minute, "feed_every", "must be at least 1m")
	want(c.KeepFeedItems >= day, "keep_feed_items", "must be at least 24h")
	want(c.KeepNotifications >= 7*day, "keep_notifications", "must be at least 168h (a week)")
	want(c.KeepUses >= day, "keep_uses", "must be at least 24h")
	want(c.MaxPicture >= 100<<10 && c.MaxPicture <= 50<<20, "max_picture", "must lie between 102400 (100 KiB) and 52428800 (50 MiB)")
	if c.Accessibility.PlanURL != "" {
		want(webAddress(c.Accessibility.PlanURL), "accessibility.plan_url", "must be a web address")
	}
	seen := map[string]bool{}
	for i, s := range c.Feeds {
		key := func(name string) string { return fmt.Sprintf("feeds[%d].%s", i, name) }
		want(feedID.MatchString(s.ID), key("id"), "must be a short name of lower case letters, digits, - and _")
		want(!seen[s.ID], key("id"), "is used by another feed")
		want(s.NameFrench != "" || s.NameEnglish != "", key("name_fr"), "must say who speaks")
		want(webAddress(s.URL), key("url"), "must be a web address")
		seen[s.ID] = true
	}
	articles := map[string]bool{}
	for i, a := range c.Help.Articles {
		key := func(name string) string { return fmt.Sprintf("help.articles[%d].%s", i, name) }
		want(feedID.MatchString(a.ID), key("id"), "must be a short name of lower case letters, digits, - and _")
		want(!articles[a.ID], key("id"), "is used by another article")
		want(a.QuestionFrench != "" || a.QuestionEnglish != "", key("question_fr"), "must not be empty")
		want(a.AnswerFrench != "" || a.AnswerEnglish != "", key("answer_fr"), "must not be empty")
		articles[a.ID] = true
	}
	return problems
}

func webAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}
