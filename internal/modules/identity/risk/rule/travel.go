package rule

import (
	"math"

	"github.com/amphi-campus/amphi/internal/modules/identity/risk/place"
)

// leap is the distance in kilometres below which no journey is impossible: phones
// leave the network of one city through the exchange of another.
const leap = 300

// travel: nobody gets from the place of the last sign-in to here so fast. A VPN
// hides where somebody is, so it is neither a beginning nor an end of a journey.
var travel = Rule{Name: "travel", Points: 50, Notices: func(e Evidence, s Settings) (Facts, bool) {
	if e.Here.Kind == place.VPN {
		return Facts{}, false
	}
	for _, v := range e.Past {
		if v.Here.Kind == place.VPN || !v.Here.Located {
			continue
		}
		km, ok := place.Distance(v.Here, e.Here)
		took := e.At.Sub(v.At)
		if !ok || km < leap || place.Speed(km, took) <= float64(s.Speed) {
			return Facts{}, false
		}
		return Facts{Here: e.Here, There: v.Here, Km: int(math.Round(km)), Took: max(took, 0)}, true
	}
	return Facts{}, false
}}
