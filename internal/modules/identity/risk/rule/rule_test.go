package rule

import (
	"slices"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/risk/place"
)

var (
	noon     = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	settings = Settings{Speed: 900, Failures: 5, Networks: 5, NightFrom: 23, NightUpTo: 6}

	nancy    = place.Place{French: "Nancy", Country: "FR", Located: true, Latitude: 48.69, Longitude: 6.18}
	montreal = place.Place{French: "Montréal", Country: "CA", Located: true, Latitude: 45.5, Longitude: -73.57}
	campusP  = place.Place{French: "Campus", Country: "FR", Kind: place.Campus}
	vpn      = place.Place{French: "VPN", Kind: place.VPN}
	cafe     = place.Place{French: "Café", Country: "FR", Kind: place.OpenWifi}
	nowhere  = place.Place{}
)

// home is an ordinary sign-in: her browser, her network, yesterday as today.
func home(change ...func(*Evidence)) Evidence {
	e := Evidence{
		At: noon, Network: "192.0.2.1", Here: nancy, KnownBrowser: true,
		Past: []Visit{{At: noon.Add(-24 * time.Hour), Network: "192.0.2.1", Here: nancy}},
	}
	for _, f := range change {
		f(&e)
	}
	return e
}

func TestWhatIsUnusual(t *testing.T) {
	newBrowser := func(e *Evidence) { e.KnownBrowser = false }
	from := func(network string, p place.Place) func(*Evidence) {
		return func(e *Evidence) { e.Network, e.Here = network, p }
	}
	ago := func(d time.Duration) func(*Evidence) {
		return func(e *Evidence) { e.Past[0].At = e.At.Add(-d) }
	}
	pastAt := func(places ...place.Place) func(*Evidence) {
		return func(e *Evidence) {
			e.Past = nil
			for i, p := range places {
				e.Past = append(e.Past, Visit{At: e.At.Add(-time.Duration(i+1) * time.Hour), Network: "198.51.100.1", Here: p})
			}
		}
	}
	for _, c := range []struct {
		name  string
		e     Evidence
		fires []string
	}{
		{"an ordinary sign-in", home(), nil},
		{"somebody new, about whom nothing is known", home(newBrowser, func(e *Evidence) { e.Past = nil }), nil},
		{"her new phone at home", home(newBrowser), []string{"new_device"}},
		{"a café in her town", home(from("203.0.113.1", nancy)), []string{"new_network"}},
		{"the campus is no new network", home(from("203.0.113.1", campusP)), nil},
		{"nor is the VPN", home(from("203.0.113.1", vpn)), nil},
		{"a new network of which nothing is known", home(from("203.0.113.1", nowhere)), []string{"new_network"}},
		{"a semester abroad, a day later", home(from("203.0.113.1", montreal)), []string{"new_country"}},
		{"a country is not new when none was known", home(from("203.0.113.1", montreal), pastAt(nowhere)), []string{"new_network"}},
		{"the second sign-in abroad", home(from("203.0.113.1", montreal), pastAt(montreal, nancy)), []string{"new_network"}},
		{"from Nancy to Montréal in two hours", home(from("203.0.113.1", montreal), ago(2*time.Hour)), []string{"new_country", "travel"}},
		{"from Nancy to Montréal in eight hours, by plane", home(from("203.0.113.1", montreal), ago(8*time.Hour)), []string{"new_country"}},
		{"two at once, an ocean apart", home(from("203.0.113.1", montreal), ago(0)), []string{"new_country", "travel"}},
		{"a VPN between two places is no journey", home(from("203.0.113.1", montreal), pastAt(vpn, montreal)), []string{"new_network"}},
		{"the place before the VPN counts", home(from("203.0.113.1", montreal), pastAt(vpn, nancy)), []string{"new_country", "travel"}},
		{"a journey of which one end is unknown", home(pastAt(nowhere), from("198.51.100.1", nancy)), nil},
		{"an open Wi-Fi", home(from("203.0.113.1", cafe)), []string{"new_network", "open_wifi"}},
		{"four wrong passwords, then the right one, elsewhere", home(newBrowser, func(e *Evidence) { e.Failures = 4 }), []string{"new_device"}},
		{"five wrong passwords, then the right one, elsewhere", home(newBrowser, func(e *Evidence) { e.Failures = 5 }), []string{"new_device", "guessed"}},
		{"others guess while she signs in at home", home(func(e *Evidence) { e.Failures, e.Networks = 50, 50 }), nil},
		{"tried from five networks", home(newBrowser, func(e *Evidence) { e.Networks = 5 }), []string{"new_device", "stuffing"}},
		{"her network sprays, in a new browser", home(newBrowser, func(e *Evidence) { e.SprayHere = true }), []string{"new_device", "spraying"}},
		{"everybody is sprayed, in a new browser", home(newBrowser, func(e *Evidence) { e.SprayEverywhere = true }), []string{"new_device", "spraying"}},
		{"her campus sprays, in her own browser", home(func(e *Evidence) { e.SprayHere, e.SprayEverywhere = true, true }), nil},
		{"a stolen password", home(func(e *Evidence) { e.Breached = true }), []string{"breached"}},
		{"an old password twice", home(func(e *Evidence) { e.OldPasswords = 2 }), nil},
		{"an old password again and again", home(func(e *Evidence) { e.OldPasswords = 3 }), []string{"old_password"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var fired []string
			for _, r := range All {
				if _, noticed := r.Notices(c.e, settings); noticed {
					fired = append(fired, r.Name)
				}
			}
			if !slices.Equal(fired, c.fires) {
				t.Errorf("noticed %q, want %q", fired, c.fires)
			}
		})
	}
}

func TestAJourneySaysFromWhereAndHowFar(t *testing.T) {
	e := home(func(e *Evidence) { e.Here, e.Past[0].At = montreal, e.At.Add(-2*time.Hour) })
	facts, _ := travel.Notices(e, settings)
	if facts.There != nancy || facts.Here != montreal || facts.Took != 2*time.Hour || facts.Km < 5700 || facts.Km > 5850 {
		t.Errorf("%+v", facts)
	}
}

func TestTheNightGoesOverMidnight(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	day := func(hour int) []Visit {
		var past []Visit
		for i := range habits {
			past = append(past, Visit{At: time.Date(2026, 11, 1+i, hour, 0, 0, 0, paris)})
		}
		return past
	}
	for _, c := range []struct {
		name     string
		settings Settings
		at       time.Time
		past     []Visit
		unusual  bool
	}{
		{"at three in the night", settings, time.Date(2026, 11, 22, 3, 0, 0, 0, paris), day(10), true},
		{"at half past eleven", settings, time.Date(2026, 11, 22, 23, 30, 0, 0, paris), day(10), true},
		{"at six, when the night ends", settings, time.Date(2026, 11, 22, 6, 0, 0, 0, paris), day(10), false},
		{"a night in one piece", Settings{NightFrom: 1, NightUpTo: 5}, time.Date(2026, 11, 22, 3, 0, 0, 0, paris), day(10), true},
		{"a night of no hours", Settings{}, time.Date(2026, 11, 22, 0, 0, 0, 0, paris), day(10), false},
		{"somebody who works at night", settings, time.Date(2026, 11, 22, 3, 0, 0, 0, paris), day(2), false},
		{"somebody whose habits nobody knows", settings, time.Date(2026, 11, 22, 3, 0, 0, 0, paris), day(10)[:habits-1], false},
		{"eleven in the evening in UTC is midnight here", Settings{NightFrom: 0, NightUpTo: 6}, time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC).In(paris), day(10), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, unusual := hour.Notices(Evidence{At: c.at, Past: c.past}, c.settings); unusual != c.unusual {
				t.Errorf("unusual %v, want %v", unusual, c.unusual)
			}
		})
	}
}

func TestEveryRuleHasANameOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range All {
		if seen[r.Name] || r.Notices == nil || r.Fixed && r.Points != 0 {
			t.Errorf("the rule %q", r.Name)
		}
		seen[r.Name] = true
	}
}
