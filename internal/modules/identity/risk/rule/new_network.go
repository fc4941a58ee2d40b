package rule

import "github.com/amphi-campus/amphi/internal/modules/identity/risk/place"

// newNetwork: the person never signed in from this network. The institution's own
// networks are nobody's home and nobody's surprise; a new country says the same
// louder, so that the two never add up.
var newNetwork = Rule{Name: "new_network", Points: 10, Notices: func(e Evidence, s Settings) (Facts, bool) {
	if len(e.Past) == 0 || e.Here.Kind == place.Campus || e.Here.Kind == place.VPN {
		return Facts{}, false
	}
	if _, abroad := newCountry.Notices(e, s); abroad {
		return Facts{}, false
	}
	for _, v := range e.Past {
		if v.Network == e.Network {
			return Facts{}, false
		}
	}
	return Facts{Here: e.Here}, true
}}
