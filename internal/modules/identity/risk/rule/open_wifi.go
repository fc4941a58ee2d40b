package rule

import "github.com/amphi-campus/amphi/internal/modules/identity/risk/place"

// openWifi: a network without encryption and without the VPN, whose users come from
// an address of its own.
var openWifi = Rule{Name: "open_wifi", Points: 10, Notices: func(e Evidence, _ Settings) (Facts, bool) {
	return Facts{Here: e.Here}, e.Here.Kind == place.OpenWifi
}}
