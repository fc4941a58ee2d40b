package rule

// habits is how many sign-ins it takes to know at what hours somebody works.
const habits = 5

// hour: at night, for somebody who never comes at night. Students do, so it is off
// unless an institution wants it.
var hour = Rule{Name: "hour", Points: 0, Notices: func(e Evidence, s Settings) (Facts, bool) {
	if !s.night(e.At.Hour()) || len(e.Past) < habits {
		return Facts{}, false
	}
	for _, v := range e.Past {
		if s.night(v.At.In(e.At.Location()).Hour()) {
			return Facts{}, false
		}
	}
	return Facts{}, true
}}

// night tells whether an hour of the day lies in the night, which most often goes
// over midnight.
func (s Settings) night(h int) bool {
	if s.NightFrom <= s.NightUpTo {
		return h >= s.NightFrom && h < s.NightUpTo
	}
	return h >= s.NightFrom || h < s.NightUpTo
}
