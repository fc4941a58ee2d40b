package risk

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/risk/place"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/rule"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

func TestEveryRuleThatCountsHasItsPoints(t *testing.T) {
	c := Defaults()
	named := c.Points.byRule()
	for _, r := range rule.All {
		if points := named[r.Name]; r.Fixed == (points != nil) || points != nil && *points != r.Points {
			t.Errorf("%s has no points, or others than by default", r.Name)
		}
		delete(named, r.Name)
	}
	if len(named) > 0 {
		t.Errorf("points of no rule: %v", named)
	}
}

func TestTheConfigurationIsChecked(t *testing.T) {
	if problems := Defaults().Check(); len(problems) > 0 {
		t.Fatalf("the defaults: %v", problems)
	}
	for key, change := range map[string]func(*Config){
		"ask_factor":        func(c *Config) { c.AskFactor = -1 },
		"lock":              func(c *Config) { c.Lock = 20 },
		"points.travel":     func(c *Config) { c.Points.Travel = 1001 },
		"speed":             func(c *Config) { c.Speed = 50 },
		"night_from":        func(c *Config) { c.NightFrom = 24 },
		"night_up_to":       func(c *Config) { c.NightUpTo = -1 },
		"guess_failures":    func(c *Config) { c.GuessFailures = 1 },
		"stuffing_networks": func(c *Config) { c.StuffingNetworks = 1 },
		"spray_accounts":    func(c *Config) { c.SprayAccounts = 2 },
		"spray_everywhere":  func(c *Config) { c.SprayEverywhere = 10 },
		"spray_window":      func(c *Config) { c.SprayWindow = time.Second },
		"lock_after":        func(c *Config) { c.LockAfter = 1 },
		"lock_steps":        func(c *Config) { c.LockSteps = []time.Duration{time.Hour, time.Minute} },
		"networks[0].cidr":  func(c *Config) { c.Networks = []place.Network{{Name: "x"}} },
		"geoip_file":        func(c *Config) { c.GeoIPFile = "no/such/file.mmdb" },
	} {
		c := Defaults()
		change(&c)
		problems := c.Check()
		if len(problems) != 1 || problems[0].Key != key || problems[0].Text == "" {
			t.Errorf("%s: %v", key, problems)
		}
	}
	for name, change := range map[string]func(*Config){
		"no lock at all":       func(c *Config) { c.Lock, c.LockAfter, c.LockSteps = 0, 0, nil },
		"a lock and no factor": func(c *Config) { c.AskFactor = 0 },
		"one lock step":        func(c *Config) { c.LockSteps = []time.Duration{time.Minute} },
	} {
		c := Defaults()
		change(&c)
		if problems := c.Check(); len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func TestWhatTheTrialSaysToPasteIsUnderstood(t *testing.T) {
	trial := Trial{AskFactor: 40, Lock: 80, Points: map[string]int{"travel": 70, "hour": 5}}
	file := filepath.Join(t.TempDir(), "amphi.toml")
	more := "\n[[identity.risk.networks]]\nname = \"campus\"\ncidr = [\"192.0.2.0/24\"]\nkind = \"campus\"\n"
	text := strings.Replace(trial.TOML(), "\n\n[", "\nlock_steps = [\"2m\", \"10m\"]\n\n[", 1) + more
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var whole struct {
		Identity struct {
			Risk Config `toml:"risk"`
		} `toml:"identity"`
	}
	whole.Identity.Risk = Defaults()
	if err := config.Read(file, nil, &whole); err != nil {
		t.Fatal(err)
	}
	got := whole.Identity.Risk
	if got.AskFactor != 40 || got.Lock != 80 || got.Points.Travel != 70 || got.Points.NewDevice != 0 || len(got.LockSteps) != 2 || got.LockSteps[1] != 10*time.Minute || len(got.Networks) != 1 {
		t.Errorf("%+v", got)
	}
}
