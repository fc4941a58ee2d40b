package rule

// stuffing: this account is tried from many networks, as programs do that own a
// list of stolen passwords. The owner's browsers are not suspected for it.
var stuffing = Rule{Name: "stuffing", Points: 30, Notices: func(e Evidence, s Settings) (Facts, bool) {
	return Facts{Count: e.Networks}, !e.KnownBrowser && e.Networks >= s.Networks
}}
