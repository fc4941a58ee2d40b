package place

import (
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
)

func at(lat, lon float64) Place { return Place{Located: true, Latitude: lat, Longitude: lon} }

func TestDistancesAreThoseOfAnAtlas(t *testing.T) {
	nancy, paris, montreal, auckland := at(48.69, 6.18), at(48.86, 2.35), at(45.50, -73.57), at(-36.85, 174.76)
	for _, c := range []struct {
		name string
		a, b Place
		km   float64
	}{
		{"the same place", nancy, nancy, 0},
		{"Nancy to Paris", nancy, paris, 281},
		{"Paris to Montréal", paris, montreal, 5500},
		{"Paris to Auckland, around the globe", paris, auckland, 18530},
		{"over the date line", at(0, 179.5), at(0, -179.5), 111.2},
		{"from pole to pole", at(90, 0), at(-90, 120), math.Pi * earth},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, pair := range [][2]Place{{c.a, c.b}, {c.b, c.a}} {
				km, ok := Distance(pair[0], pair[1])
				if !ok || math.Abs(km-c.km) > max(1, c.km/200) {
					t.Errorf("%.1f km, want about %.1f", km, c.km)
				}
			}
		})
	}
	if _, ok := Distance(nancy, Place{}); ok {
		t.Error("a place that nobody knows has a distance")
	}
	vague := paris
	vague.Radius = 1000
	if km, _ := Distance(nancy, vague); km != 0 {
		t.Errorf("a vague place may be here, and is %.0f km away", km)
	}
}

func TestSpeedIsInKilometresPerHour(t *testing.T) {
	for _, c := range []struct {
		name string
		km   float64
		took time.Duration
		kmh  float64
	}{
		{"a train", 300, 90 * time.Minute, 200},
		{"a day", 2400, 24 * time.Hour, 100},
		{"two sign-ins at once count as a minute", 10, 0, 600},
		{"a clock that went backwards too", 10, -time.Hour, 600},
	} {
		t.Run(c.name, func(t *testing.T) {
			if kmh := Speed(c.km, c.took); math.Abs(kmh-c.kmh) > 0.01 {
				t.Errorf("%.1f km/h, want %.1f", kmh, c.kmh)
			}
		})
	}
}

func TestTheNarrowestNetworkNamesAPlace(t *testing.T) {
	a, err := Open([]Network{
		{Name: "Valmont", CIDR: []string{"192.0.2.0/24", "2001:db8::/32"}, Country: "fr", Place: "48.69, 6.18", Kind: "campus"},
		{Name: "VPN", CIDR: []string{"192.0.2.128/28"}, Kind: "vpn"},
		{Name: "eduspot", CIDR: []string{"198.51.100.7"}, Kind: "open_wifi"},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]Kind{
		"192.0.2.9": Campus, "192.0.2.129": VPN, "::ffff:192.0.2.129": VPN, "2001:db8:1::1": Campus,
		"198.51.100.7": OpenWifi, "198.51.100.8": "", "2001:db9::1": "",
	} {
		p, err := a.Of(netip.MustParseAddr(text))
		if err != nil || p.Kind != want {
			t.Errorf("%s is %q (%v), want %q", text, p.Kind, err, want)
		}
	}
	p, _ := a.Of(netip.MustParseAddr("192.0.2.9"))
	if p.Country != "FR" || !p.Located || p.Latitude != 48.69 || p.Name(campus.French) != "Valmont" {
		t.Errorf("the campus is %+v", p)
	}
	if p, err := a.Of(netip.Addr{}); p != (Place{}) || err != nil {
		t.Errorf("no address is at %+v, %v", p, err)
	}
}

func TestAGeoIPFileTellsWhatTheInstitutionDoesNot(t *testing.T) {
	file := writeFile(t, entry{"203.0.113.0/24", map[string]any{
		"country":  map[string]any{"iso_code": "CA", "names": map[string]any{"en": "Canada", "fr": "Canada"}},
		"city":     map[string]any{"names": map[string]any{"en": "Montreal", "fr": "Montréal"}},
		"location": map[string]any{"latitude": 45.5, "longitude": -73.57, "accuracy_radius": uint16(20)},
	}}, entry{"2001:db8::/32", map[string]any{
		"country": map[string]any{"iso_code": "DE", "names": map[string]any{"en": "Germany"}},
	}}, entry{"198.51.100.0/24", map[string]any{
		"location": map[string]any{"latitude": math.NaN(), "longitude": 500.0},
		"country":  map[string]any{"iso_code": "not a country"},
	}})
	a, err := Open([]Network{
		{Name: "Our VPN", CIDR: []string{"203.0.113.64/28"}, Kind: "vpn"},
		{Name: "Partner", CIDR: []string{"203.0.113.128/28"}},
	}, file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	of := func(text string) Place {
		t.Helper()
		p, err := a.Of(netip.MustParseAddr(text))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	city := of("203.0.113.9")
	if city.Country != "CA" || !city.Located || city.Radius != 20 || city.Name(campus.French) != "Montréal, Canada" || city.Name(campus.English) != "Montreal, Canada" {
		t.Errorf("Montréal is %+v", city)
	}
	if p := of("2001:db8::1"); p.Country != "DE" || p.Located || p.Name(campus.French) != "Germany" {
		t.Errorf("Germany is %+v", p)
	}
	if p := of("203.0.113.70"); p.Country != "" || p.Located {
		t.Errorf("the way out of a VPN says where its users are: %+v", p)
	}
	if p := of("203.0.113.130"); p.Name(campus.English) != "Partner" || p.Country != "CA" || !p.Located {
		t.Errorf("the name of the institution and the place of the file do not meet: %+v", p)
	}
	if p := of("198.51.100.1"); p != (Place{}) {
		t.Errorf("rubbish in the file was believed: %+v", p)
	}
	if p := of("192.0.2.1"); p != (Place{}) {
		t.Errorf("an address that is not in the file is at %+v", p)
	}
	if back := Parse(city.Text()); back != city {
		t.Errorf("stored %+v, read %+v", city, back)
	}
}

func TestAFileThatIsNoGeoIPFileIsRefusedAtStart(t *testing.T) {
	name := filepath.Join(t.TempDir(), "no.mmdb")
	if err := os.WriteFile(name, []byte("<html>the download failed</html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{name, name + ".missing"} {
		if _, err := Open(nil, file); err == nil {
			t.Errorf("%s was opened", file)
		}
	}
}

func TestNetworksOfTheConfigurationAreChecked(t *testing.T) {
	good := Network{Name: "Campus", CIDR: []string{"192.0.2.0/24"}, Country: "FR", Place: "48.69,6.18", Kind: "campus"}
	for key, change := range map[string]func(*Network){
		"":        func(*Network) {},
		"name":    func(n *Network) { n.Name = "" },
		"cidr":    func(n *Network) { n.CIDR = []string{"192.0.2.0/99"} },
		"country": func(n *Network) { n.Country = "France" },
		"place":   func(n *Network) { n.Place = "Nancy" },
		"kind":    func(n *Network) { n.Kind = "wifi" },
	} {
		n := good
		change(&n)
		if got, text, ok := n.Check(); got != key || ok != (key == "") || !ok && text == "" {
			t.Errorf("with a wrong %q: %q %q", key, got, text)
		}
	}
	for _, text := range []string{"91,0", "0,181", "1", "NaN,0", "1,2,3"} {
		if _, _, _, err := coordinates(text); err == nil {
			t.Errorf("%q was read as a place", text)
		}
	}
	if n := (Network{Name: "x"}); n.CIDR == nil {
		if key, _, _ := n.Check(); key != "cidr" {
			t.Errorf("a network without ranges is refused for %q", key)
		}
	}
}

func TestATextThatIsNoPlaceIsAnUnknownOne(t *testing.T) {
	for _, text := range []string{"", "{", "null", `{"lat":"x"}`} {
		if p := Parse(text); p != (Place{}) {
			t.Errorf("%q is %+v", text, p)
		}
	}
}
