// Package place says where a network address is, as well as an institution can
// tell without asking anybody: from the ranges that it names itself, and from an
// offline GeoIP file when it has one.
package place

import (
	"encoding/json"
	"math"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Kind is what the institution knows about a network.
type Kind string

// The kinds of a network. The zero Kind is one that nobody named.
const (
	Campus   Kind = "campus"    // the institution's own
	VPN      Kind = "vpn"       // the institution's VPN: where the person is stays unknown
	OpenWifi Kind = "open_wifi" // without encryption: whoever sits near listens
)

// Kinds lists the kinds that a range may have.
var Kinds = []Kind{Campus, VPN, OpenWifi}

// Place is where an address is. The zero Place is one that nobody knows.
type Place struct {
	Kind Kind `json:"kind,omitempty"`
	// French and English name it as people do; both are empty for a place without
	// a name.
	French  string `json:"fr,omitempty"`
	English string `json:"en,omitempty"`
	Country string `json:"country,omitempty"` // ISO 3166-1 alpha-2, in capitals
	// Located tells whether Latitude and Longitude (WGS 84, degrees) mean
	// something; Radius is how far off they may be, in kilometres.
	Located   bool    `json:"located,omitempty"`
	Latitude  float64 `json:"lat,omitempty"`
	Longitude float64 `json:"lon,omitempty"`
	Radius    float64 `json:"radius,omitempty"`
}

// Name is the place's name in a language, or its country, or "".
func (p Place) Name(l campus.Locale) string {
	switch {
	case l == campus.French && p.French != "":
		return p.French
	case p.English != "":
		return p.English
	case p.French != "":
		return p.French
	default:
		return p.Country
	}
}

// Text is the place as a column keeps it; Parse reads it again.
func (p Place) Text() string {
	if p == (Place{}) {
		return ""
	}
	text, err := json.Marshal(p)
	if err != nil { // only numbers that JSON does not have, which no file may give
		return ""
	}
	return string(text)
}

// Parse reads what [Place.Text] wrote. What it cannot read is the zero Place: a
// place that nobody knows raises no suspicion.
func Parse(text string) Place {
	var p Place
	if text == "" || json.Unmarshal([]byte(text), &p) != nil {
		return Place{}
	}
	return p
}

// earth is the mean radius of the Earth in kilometres (IUGG).
const earth = 6371.0088

// Distance is how far two places are apart at least, in kilometres: the great
// circle between them (haversine formula) less what either may be off. ok is false
// when one of them is not located.
func Distance(a, b Place) (km float64, ok bool) {
	if !a.Located || !b.Located {
		return 0, false
	}
	lat1, lat2 := radians(a.Latitude), radians(b.Latitude)
	dLat, dLon := lat2-lat1, radians(b.Longitude-a.Longitude)
	h := math.Pow(math.Sin(dLat/2), 2) + math.Cos(lat1)*math.Cos(lat2)*math.Pow(math.Sin(dLon/2), 2)
	return max(0, 2*earth*math.Asin(math.Sqrt(min(1, h)))-a.Radius-b.Radius), true
}

// Speed is what it takes to get from one place to another in that time, in km/h. A
// clock that goes backwards and two sign-ins at once count as one minute.
func Speed(km float64, took time.Duration) float64 {
	return km / max(took, time.Minute).Hours()
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }
