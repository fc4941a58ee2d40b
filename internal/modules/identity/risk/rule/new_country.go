package rule

// newCountry: the person never signed in from this country. It needs to know the
// country of one earlier sign-in at least.
var newCountry = Rule{Name: "new_country", Points: 30, Notices: func(e Evidence, _ Settings) (Facts, bool) {
	if e.Here.Country == "" {
		return Facts{}, false
	}
	compared := false
	for _, v := range e.Past {
		if v.Here.Country == e.Here.Country {
			return Facts{}, false
		}
		compared = compared || v.Here.Country != ""
	}
	return Facts{Here: e.Here}, compared
}}
