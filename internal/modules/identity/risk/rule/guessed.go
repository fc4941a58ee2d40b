package rule

// guessed: many wrong passwords, then the right one, in a browser that its owner
// never used. Who mistypes in their own browser is not meant.
var guessed = Rule{Name: "guessed", Points: 40, Notices: func(e Evidence, s Settings) (Facts, bool) {
	return Facts{Count: e.Failures}, !e.KnownBrowser && e.Failures >= s.Failures
}}
