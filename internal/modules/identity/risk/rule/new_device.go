package rule

// newDevice: the browser was never signed in with. Alone it is an ordinary day: a
// new phone, a computer in the library.
var newDevice = Rule{Name: "new_device", Points: 20, Notices: func(e Evidence, _ Settings) (Facts, bool) {
	return Facts{}, !e.KnownBrowser && len(e.Past) > 0
}}
