package risk

import (
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/risk/place"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/rule"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is [identity.risk] in the configuration.
type Config struct {
	AskFactor int    `toml:"ask_factor" help:"a sign-in with so many points is asked for a second factor, also in a trusted browser; 0 asks nobody"`
	Lock      int    `toml:"lock" help:"a sign-in with so many points is locked for a while, until a factor or a code by mail; 0 locks nobody"`
	Points    Points `toml:"points"`

	Speed            int           `toml:"speed" help:"km/h above which nobody travels from one sign-in to the next"`
	NightFrom        int           `toml:"night_from" help:"hour at which the night begins, 0 to 23, for the points of hour"`
	NightUpTo        int           `toml:"night_up_to" help:"hour at which it ends"`
	GuessFailures    int           `toml:"guess_failures" help:"wrong passwords within an hour after which the right one, in a new browser, is suspicious"`
	StuffingNetworks int           `toml:"stuffing_networks" help:"networks from which one account is tried within a day, above which it is under attack"`
	SprayAccounts    int           `toml:"spray_accounts" help:"accounts that fail from one network within spray_window, and twice as many as succeed, above which it is spraying"`
	SprayEverywhere  int           `toml:"spray_everywhere" help:"the same for all networks together"`
	SprayWindow      time.Duration `toml:"spray_window" help:"how long failures are counted together to find spraying"`

	LockAfter int             `toml:"lock_after" help:"wrong passwords in a row after which an account is locked for a while; known browsers are counted each by itself; 0 never locks"`
	LockSteps []time.Duration `toml:"lock_steps" help:"how long the first such lock lasts, the second, and so on; the last holds for all after it"`

	GeoIPFile string          `toml:"geoip_file" help:"a GeoIP file by city or country in the MaxMind DB format (.mmdb), read at start; empty for none"`
	Networks  []place.Network `toml:"networks"`
}

// Points is [identity.risk.points]: what each rule adds. Nil points turn a rule off;
// it still notes what it would have noticed, for the dry run.
type Points struct {
	NewDevice  int `toml:"new_device" help:"a browser that this person was never signed in with"`
	NewNetwork int `toml:"new_network" help:"a network that this person never signed in from, in a country that they did"`
	NewCountry int `toml:"new_country" help:"a country that this person never signed in from"`
	Travel     int `toml:"travel" help:"too far from the last sign-in for the time in between"`
	OpenWifi   int `toml:"open_wifi" help:"an open Wi-Fi of the list of networks, without the VPN"`
	Guessed    int `toml:"guessed" help:"the right password after many wrong ones, in a new browser"`
	Stuffing   int `toml:"stuffing" help:"an account that is being tried from many networks, in a new browser"`
	Spraying   int `toml:"spraying" help:"passwords are being tried on many accounts, from here or from everywhere, in a new browser"`
	Breached   int `toml:"breached" help:"a password that stands in the list of stolen ones"`
	Hour       int `toml:"hour" help:"at night, for somebody who never comes at night"`
}

// byRule are the points by the names of the rules.
func (p *Points) byRule() map[string]*int {
	return map[string]*int{
		"new_device": &p.NewDevice, "new_network": &p.NewNetwork, "new_country": &p.NewCountry, "travel": &p.Travel,
		"open_wifi": &p.OpenWifi, "guessed": &p.Guessed, "stuffing": &p.Stuffing, "spraying": &p.Spraying,
		"breached": &p.Breached, "hour": &p.Hour,
	}
}

// of is what a rule adds; nothing for a rule that only explains.
func (p Points) of(name string) int {
	if points := p.byRule()[name]; points != nil {
		return *points
	}
	return 0
}

// most bounds points and thresholds: above it, a number is a slip.
const most = 1000

// Defaults are safe for an institution that sets nothing.
func Defaults() Config {
	c := Config{
		AskFactor: 30, Lock: 100,
		Speed: 900, NightFrom: 0, NightUpTo: 6, GuessFailures: 5, StuffingNetworks: 5,
		SprayAccounts: 20, SprayEverywhere: 200, SprayWindow: 10 * time.Minute,
		LockAfter: 10, LockSteps: []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour},
	}
	for _, r := range rule.All {
		if !r.Fixed {
			*c.Points.byRule()[r.Name] = r.Points
		}
	}
	return c
}

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	between := func(n int, key string) { want(n >= 0 && n <= most, key, "must lie between 0 and 1000") }
	between(c.AskFactor, "ask_factor")
	between(c.Lock, "lock")
	want(c.Lock == 0 || c.AskFactor == 0 || c.Lock >= c.AskFactor, "lock", "must not be less than ask_factor: a factor is asked before a lock")
	for _, r := range rule.All {
		between(c.Points.of(r.Name), "points."+r.Name)
	}
	want(c.Speed >= 100, "speed", "must be at least 100 km/h: people take the train")
	want(c.NightFrom >= 0 && c.NightFrom < 24, "night_from", "must be an hour, 0 to 23")
	want(c.NightUpTo >= 0 && c.NightUpTo < 24, "night_up_to", "must be an hour, 0 to 23")
	want(c.GuessFailures >= 2, "guess_failures", "must be at least 2: people mistype")
	want(c.StuffingNetworks >= 2, "stuffing_networks", "must be at least 2")
	want(c.SprayAccounts >= 5, "spray_accounts", "must be at least 5: a class mistypes together")
	want(c.SprayEverywhere >= c.SprayAccounts, "spray_everywhere", "must not be less than spray_accounts")
	want(c.SprayWindow >= time.Minute && c.SprayWindow <= 24*time.Hour, "spray_window", "must lie between 1m and 24h")
	want(c.LockAfter == 0 || c.LockAfter >= 3, "lock_after", "must be 0 for never, or at least 3: people mistype")
	want(c.LockAfter == 0 && c.Lock == 0 || len(c.LockSteps) > 0, "lock_steps", "must hold at least one duration, such as 1m")
	for i, d := range c.LockSteps {
		want(d >= 10*time.Second && d <= 24*time.Hour, "lock_steps", "must lie between 10s and 24h: a longer block is a decision, and people take it")
		want(i == 0 || d >= c.LockSteps[i-1], "lock_steps", "must not become shorter")
	}
	for i, n := range c.Networks {
		if key, text, ok := n.Check(); !ok {
			want(false, fmt.Sprintf("networks[%d].%s", i, key), text)
		}
	}
	if c.GeoIPFile != "" {
		atlas, err := place.Open(nil, c.GeoIPFile)
		if err != nil {
			want(false, "geoip_file", err.Error())
		} else if err := atlas.Close(); err != nil {
			want(false, "geoip_file", err.Error())
		}
	}
	return problems
}

// settings are the numbers that the rules compare with.
func (c Config) settings() rule.Settings {
	return rule.Settings{Speed: c.Speed, Failures: c.GuessFailures, Networks: c.StuffingNetworks, NightFrom: c.NightFrom, NightUpTo: c.NightUpTo}
}

// step is how long a lock lasts that so many came before.
func (c Config) step(before int64) time.Duration {
	if len(c.LockSteps) == 0 {
		return time.Minute
	}
	return c.LockSteps[min(before, int64(len(c.LockSteps)-1))]
}
