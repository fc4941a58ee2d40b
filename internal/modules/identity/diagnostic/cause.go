package diagnostic

import (
	"context"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// cause is one page of the guide: a question with further causes below it, or an
// answer with the one thing to do. Its words are [identity.why.KEY]: title is
// how somebody would say it, text what it means, action the button, words are
// more words to find it by.
type cause struct {
	Key   string
	Under []cause
	// URL is where the button leads; Minutes about how long it takes.
	URL     string
	Minutes int
}

// causes are the questions, those that tell most first: one look at the screen
// answers each. docs/signin.md says which causes each covers.
var causes = []cause{
	{Key: "first", URL: "/activate", Minutes: 5},
	{Key: "forgotten", Under: []cause{
		{Key: "forgotten_password", URL: "/password/forgotten", Minutes: 3},
		{Key: "forgotten_identifier", URL: "/login", Minutes: 1},
	}},
	{Key: "refused", Under: []cause{
		{Key: "refused_typing", URL: "/login", Minutes: 1},
		{Key: "refused_old", URL: "/login", Minutes: 1},
		{Key: "refused_expired", URL: "/password", Minutes: 3},
		{Key: "refused_slowed", URL: "/login", Minutes: 5},
		{Key: "refused_sure", URL: "/password/forgotten", Minutes: 3},
	}},
	{Key: "factor", Under: []cause{
		{Key: "factor_message", URL: "/login", Minutes: 2},
		{Key: "factor_app", URL: "/diagnostic", Minutes: 1},
		{Key: "factor_key", URL: "/diagnostic", Minutes: 1},
		{Key: "factor_lost", URL: "/identity/recovery", Minutes: 5},
		{Key: "factor_new_phone", URL: "/identity/new-phone", Minutes: 5},
	}},
	{Key: "page", Under: []cause{
		{Key: "page_circle", URL: "/login/loop", Minutes: 1},
		{Key: "page_nothing", URL: "/diagnostic", Minutes: 1},
		{Key: "page_cookies", URL: "/diagnostic", Minutes: 1},
		{Key: "page_large", URL: "/diagnostic/cookies", Minutes: 1},
		{Key: "page_old", URL: "/login", Minutes: 1},
		{Key: "page_link", URL: "/password/forgotten", Minutes: 3},
		{Key: "page_abroad", URL: "/login", Minutes: 2},
	}},
	{Key: "account", Under: []cause{
		{Key: "account_locked", URL: "/login", Minutes: 2},
		{Key: "account_suspended", URL: "/helpdesk", Minutes: 5},
		{Key: "account_over", URL: "/helpdesk", Minutes: 5},
		{Key: "account_early", URL: "/activate", Minutes: 5},
	}},
	{Key: "service", Under: []cause{
		{Key: "service_closed", URL: "/portal/services", Minutes: 1},
		{Key: "service_new", URL: "/helpdesk", Minutes: 5},
		{Key: "service_error", URL: "/login/loop", Minutes: 1},
	}},
}

// find returns the cause with a key, and the question above it, if any.
func find(key string) (c cause, above string, ok bool) {
	for _, c := range causes {
		if c.Key == key {
			return c, "", true
		}
		for _, under := range c.Under {
			if under.Key == key {
				return under, c.Key, true
			}
		}
	}
	return cause{}, "", false
}

// say is one part of a cause's words.
func (c cause) say(ctx context.Context, part string) string {
	return i18n.T(ctx, "identity.why."+c.Key+"."+part)
}

// search returns the answers that hold every word, accents and case apart. Short
// words such as "my" find too much to count.
func search(ctx context.Context, typed string) []cause {
	var words []string
	for word := range strings.FieldsSeq(campus.Fold(typed)) {
		if len(word) > 2 {
			words = append(words, word)
		}
	}
	var found []cause
	for _, question := range causes {
		for _, c := range append(question.Under, question) {
			if len(c.Under) == 0 && c.holds(ctx, words) {
				found = append(found, c)
			}
		}
	}
	return found
}

func (c cause) holds(ctx context.Context, words []string) bool {
	text := campus.Fold(c.say(ctx, "title") + " " + c.say(ctx, "text") + " " + c.say(ctx, "words"))
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return len(words) > 0
}
