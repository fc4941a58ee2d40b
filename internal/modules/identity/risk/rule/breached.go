package rule

// breached: the password is public, so that knowing it proves little.
var breached = Rule{Name: "breached", Points: 30, Notices: func(e Evidence, _ Settings) (Facts, bool) {
	return Facts{}, e.Breached
}}
