// Package rule holds the rules that notice when a sign-in does not look like its
// owner. Each rule stands in a file of its own: what it looks for, its points, and
// the facts of its sentence. The package knows neither database nor pages.
//
// A rule only says that something is unusual, never that somebody is guilty: the
// points are added up, and the sum asks for a second factor or locks for a while.
package rule

import (
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/risk/place"
)

// Evidence is all that the rules know about one sign-in whose password was right.
type Evidence struct {
	At      time.Time // in the time zone of the institution
	Network string    // as [limit.AddressKey] writes it
	Here    place.Place
	// KnownBrowser: the person was signed in with this browser before.
	KnownBrowser bool
	// Past are the person's sign-ins that succeeded, newest first. It is empty for
	// somebody new, about whom nothing can be unusual.
	Past []Visit
	// Failures are the wrong passwords at this account within the last hour, and
	// Networks how many networks such came from within the last day. Those typed in
	// a known browser and old passwords of the person do not count.
	Failures, Networks int
	// SprayHere: one password after another account is being tried from this
	// network. SprayEverywhere: the same from many networks. Accounts is how many.
	SprayHere, SprayEverywhere bool
	Accounts                   int
	// OldPasswords is how often an old password of the person came within a week.
	OldPasswords int
	// Breached: the password that was just right stands in a list of stolen ones.
	Breached bool
}

// Visit is one earlier sign-in.
type Visit struct {
	At      time.Time
	Network string
	Here    place.Place
}

// Settings are the numbers that the rules compare with.
type Settings struct {
	Speed                int // km/h
	Failures, Networks   int
	NightFrom, NightUpTo int // hours of the day
}

// Facts are what the sentence of a finding needs.
type Facts struct {
	Count int           `json:"count,omitempty"`
	Here  place.Place   `json:"here,omitzero"`
	There place.Place   `json:"there,omitzero"`
	Km    int           `json:"km,omitempty"`
	Took  time.Duration `json:"took,omitempty"`
}

// Rule is one thing that can be unusual.
type Rule struct {
	// Name is stable: it names the rule's points in the configuration, and its
	// sentences are identity.risk.rule.<name>.title, .meaning and .finding.
	Name string
	// Points is the default; zero is off.
	Points int
	// Fixed rules explain and never count: their points cannot be set.
	Fixed bool
	// Notices says whether the evidence is unusual, and the facts of it.
	Notices func(Evidence, Settings) (Facts, bool)
}

// All are the rules, in the order in which people read them.
var All = []Rule{newDevice, newNetwork, newCountry, travel, openWifi, guessed, stuffing, spraying, breached, hour, oldPassword}
