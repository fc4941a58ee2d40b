package rule

// spraying: the same few passwords are being tried on many accounts, from this
// network or from everywhere. A known browser is suspected of neither: a campus
// may stand behind one address.
var spraying = Rule{Name: "spraying", Points: 40, Notices: func(e Evidence, _ Settings) (Facts, bool) {
	return Facts{Count: e.Accounts}, !e.KnownBrowser && (e.SprayHere || e.SprayEverywhere)
}}
