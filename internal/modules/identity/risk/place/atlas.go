package place

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/amphi-campus/amphi/internal/platform/limit"
)

// Network is one [[identity.risk.networks]] of the configuration.
type Network struct {
	Name    string   `toml:"name" help:"as people know it, such as 'campus Rives' or 'VPN'"`
	CIDR    []string `toml:"cidr" help:"its networks or addresses, such as 192.0.2.0/24"`
	Country string   `toml:"country" help:"two letters (ISO 3166-1), such as FR"`
	Place   string   `toml:"place" help:"latitude and longitude in degrees, such as '48.69, 6.18'; empty when unknown"`
	Kind    string   `toml:"kind" help:"campus, vpn, open_wifi, or empty for another network that you know"`
}

// Check says what is wrong with a network: the key and what to write instead.
func (n Network) Check() (key, text string, ok bool) {
	ranges, err := limit.Networks(n.CIDR)
	switch {
	case n.Name == "":
		return "name", "must say how people know this network", false
	case err != nil:
		return "cidr", err.Error(), false
	case len(ranges) == 0:
		return "cidr", "must hold at least one network, such as 192.0.2.0/24", false
	case n.Country != "" && !countryForm(n.Country):
		return "country", "must be two letters, such as FR", false
	case n.Kind != "" && !slices.Contains(Kinds, Kind(n.Kind)):
		return "kind", "must be campus, vpn, open_wifi or empty", false
	}
	if _, _, _, err := coordinates(n.Place); err != nil {
		return "place", err.Error(), false
	}
	return "", "", true
}

func (n Network) place() Place {
	p := Place{Kind: Kind(n.Kind), French: n.Name, English: n.Name, Country: strings.ToUpper(n.Country)}
	p.Latitude, p.Longitude, p.Located, _ = coordinates(n.Place) // Check refused what cannot be read
	return p
}

func countryForm(text string) bool {
	return len(text) == 2 && strings.Trim(strings.ToUpper(text), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

var errCoordinates = errors.New("must be a latitude and a longitude in degrees, such as '48.69, 6.18'")

// coordinates reads "48.69, 6.18"; located is false for an empty text.
func coordinates(text string) (lat, lon float64, located bool, err error) {
	if strings.TrimSpace(text) == "" {
		return 0, 0, false, nil
	}
	first, second, both := strings.Cut(text, ",")
	lat, err1 := strconv.ParseFloat(strings.TrimSpace(first), 64)
	lon, err2 := strconv.ParseFloat(strings.TrimSpace(second), 64)
	if !both || err1 != nil || err2 != nil || !onEarth(lat, lon) {
		return 0, 0, false, errCoordinates
	}
	return lat, lon, true, nil
}

// onEarth is false for NaN too.
func onEarth(lat, lon float64) bool { return math.Abs(lat) <= 90 && math.Abs(lon) <= 180 }

// Atlas finds the place of an address. It is safe for concurrent use.
type Atlas struct {
	ranges []span // the narrowest first
	geoip  *maxminddb.Reader
}

type span struct {
	network netip.Prefix
	place   Place
}

// Open makes an atlas of the networks of the configuration and, unless file is
// empty, of a GeoIP file in the MaxMind DB format (version 2.0), by city or by
// country. The file is mapped into memory; a newer one is read at the next start.
func Open(networks []Network, file string) (*Atlas, error) {
	a := &Atlas{}
	for _, n := range networks {
		ranges, err := limit.Networks(n.CIDR)
		if err != nil {
			return nil, fmt.Errorf("read the network %q: %w", n.Name, err)
		}
		for _, network := range ranges {
			a.ranges = append(a.ranges, span{network, n.place()})
		}
	}
	slices.SortStableFunc(a.ranges, func(x, y span) int { return y.network.Bits() - x.network.Bits() })
	if file == "" {
		return a, nil
	}
	var err error
	if a.geoip, err = maxminddb.Open(file); err != nil {
		return nil, fmt.Errorf("open the GeoIP file %s: %w", file, err)
	}
	return a, nil
}

// Close lets the GeoIP file go.
func (a *Atlas) Close() error {
	if a.geoip == nil {
		return nil
	}
	return a.geoip.Close()
}

// record is what the common GeoIP files, by city and by country, agree on.
type record struct {
	Country struct {
		Code  string            `maxminddb:"iso_code"`
		Names map[string]string `maxminddb:"names"`
	} `maxminddb:"country"`
	City struct {
		Names map[string]string `maxminddb:"names"`
	} `maxminddb:"city"`
	Location struct {
		Latitude  *float64 `maxminddb:"latitude"`
		Longitude *float64 `maxminddb:"longitude"`
		Radius    uint16   `maxminddb:"accuracy_radius"`
	} `maxminddb:"location"`
}

// Of is where an address is. What the institution says about its own networks wins
// over the file; a range that gives no country or no coordinates takes the file's.
// The error is that of a damaged file; the place is then as good as could be told.
func (a *Atlas) Of(address netip.Addr) (Place, error) {
	address = address.Unmap().WithZone("")
	if !address.IsValid() {
		return Place{}, nil
	}
	var named Place
	for _, r := range a.ranges {
		if r.network.Contains(address) {
			named = r.place
			break
		}
	}
	// Where somebody behind a VPN is, no file can tell: it knows the way out.
	if a.geoip == nil || named.Kind == VPN {
		return named, nil
	}
	var found record
	if err := a.geoip.Lookup(address).Decode(&found); err != nil {
		return named, fmt.Errorf("look an address up in the GeoIP file: %w", err)
	}
	return named.with(found), nil
}

// with fills what the institution did not say.
func (p Place) with(r record) Place {
	if p.Country == "" && countryForm(r.Country.Code) {
		p.Country = strings.ToUpper(r.Country.Code)
	}
	if !p.Located && r.Location.Latitude != nil && r.Location.Longitude != nil && onEarth(*r.Location.Latitude, *r.Location.Longitude) {
		p.Located, p.Latitude, p.Longitude, p.Radius = true, *r.Location.Latitude, *r.Location.Longitude, float64(r.Location.Radius)
	}
	if p.French == "" && p.English == "" {
		p.French, p.English = r.name("fr"), r.name("en")
	}
	return p
}

// name is "Nancy, France" in a language of the file.
func (r record) name(language string) string {
	var parts []string
	for _, names := range []map[string]string{r.City.Names, r.Country.Names} {
		name := names[language]
		if name == "" {
			name = names["en"]
		}
		if name != "" {
			parts = append(parts, strings.ToValidUTF8(name, ""))
		}
	}
	return strings.Join(parts, ", ")
}
