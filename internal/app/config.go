package app

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/directory"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk"
	"github.com/amphi-campus/amphi/internal/modules/identity"
	"github.com/amphi-campus/amphi/internal/modules/portal"
	"github.com/amphi-campus/amphi/internal/modules/privacy"
	"github.com/amphi-campus/amphi/internal/modules/provisioning"
	"github.com/amphi-campus/amphi/internal/modules/sso"
	"github.com/amphi-campus/amphi/internal/platform/config"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/log"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

// Config is the whole configuration of an installation.
type Config struct {
	Server       ServerConfig        `toml:"server"`
	Institution  InstitutionConfig   `toml:"institution"`
	Database     DatabaseConfig      `toml:"database"`
	Monitor      MonitorConfig       `toml:"monitor"`
	Log          log.Config          `toml:"log"`
	Mailer       mailer.Config       `toml:"mailer"`
	Identity     identity.Config     `toml:"identity"`
	SSO          sso.Config          `toml:"sso"`
	Portal       portal.Config       `toml:"portal"`
	Directory    directory.Config    `toml:"directory"`
	Provisioning provisioning.Config `toml:"provisioning"`
	Privacy      privacy.Config      `toml:"privacy"`
	Helpdesk     helpdesk.Config     `toml:"helpdesk"`

	// What no file can set.
	demo  bool              // invented people; pages say so
	feeds http.RoundTripper // reaches the sites of the configured feeds; nil for the network
	// pretended stands for the services in which accounts are kept, in the demo; nil
	// for the network.
	pretended http.RoundTripper
}

// ServerConfig is where the workspace listens and how people reach it.
type ServerConfig struct {
	BaseURL        string        `toml:"base_url" help:"the address that people type; with https, cookies are Secure and bound to this host"`
	Listen         string        `toml:"listen" help:"address and port to listen on"`
	TLSCertificate string        `toml:"tls_certificate" help:"PEM file; empty when a proxy in front ends TLS"`
	TLSKey         string        `toml:"tls_key" help:"PEM file"`
	TrustedProxies []string      `toml:"trusted_proxies" help:"addresses or networks of the proxies in front, whose X-Forwarded-For is believed"`
	DataDir        string        `toml:"data_dir" help:"folder of the files, the key and the embedded database"`
	RequestBurst   int           `toml:"request_burst" help:"requests that one network address may send at once"`
	RequestEvery   time.Duration `toml:"request_every" help:"then one more after each such time"`
}

// InstitutionConfig is who the workspace belongs to.
type InstitutionConfig struct {
	NameFrench         string           `toml:"name_fr" help:"the institution's name in French; one language is enough"`
	NameEnglish        string           `toml:"name_en" help:"the same in English"`
	Language           string           `toml:"language" help:"language of somebody who has not chosen: fr or en"`
	TimeZone           string           `toml:"time_zone" help:"the zone that dates are shown in, a name of the IANA database"`
	Logo               string           `toml:"logo" help:"image file shown beside the name; empty for the mark of Amphi"`
	Hue                int              `toml:"hue" help:"the institution's ink, 0 to 360 (OKLCH hue)"`
	Warm               int              `toml:"warm" help:"the institution's light, 0 to 360 (OKLCH hue)"`
	Campuses           []PlaceConfig    `toml:"campuses"`
	Programmes         []PlaceConfig    `toml:"programmes"`
	Semesters          []SemesterConfig `toml:"semesters"`
	SceneTitleFrench   string           `toml:"scene_title_fr" help:"a message beside the sign-in form, on wide screens"`
	SceneTitleEnglish  string           `toml:"scene_title_en" help:"the same in English"`
	SceneDetailFrench  string           `toml:"scene_detail_fr" help:"a sentence below it"`
	SceneDetailEnglish string           `toml:"scene_detail_en" help:"the same in English"`
}

// PlaceConfig gives a code its name.
type PlaceConfig struct {
	Code        string `toml:"code" help:"as it stands in people's affiliations"`
	NameFrench  string `toml:"name_fr" help:"its name in French"`
	NameEnglish string `toml:"name_en" help:"its name in English"`
}

// SemesterConfig is one semester; weeks are counted from its first day.
type SemesterConfig struct {
	NameFrench  string `toml:"name_fr" help:"as after 'semaine 12 du': semestre d’automne"`
	NameEnglish string `toml:"name_en" help:"as after 'week 12 of the': autumn semester"`
	Begins      string `toml:"begins" help:"first day, such as 2026-09-07"`
	Ends        string `toml:"ends" help:"last day"`
}

// DatabaseConfig says which database holds the workspace.
type DatabaseConfig struct {
	DSN string `toml:"dsn" secret:"true" help:"empty for SQLite in data_dir, or a postgres:// address"`
}

// MonitorConfig is the listener for supervisors; keep it off the public network.
type MonitorConfig struct {
	Listen string `toml:"listen" help:"address of /healthz, /readyz and /metrics; empty for none"`
}

// Defaults run a small installation behind a proxy on the same machine.
func Defaults() Config {
	return Config{
		Server: ServerConfig{
			BaseURL: "http://localhost:8420", Listen: "127.0.0.1:8420", DataDir: "var",
			RequestBurst: 2000, RequestEvery: 2 * time.Millisecond, // a campus may stand behind one address
		},
		Institution:  InstitutionConfig{NameFrench: "Mon université", NameEnglish: "My university", Language: "fr", TimeZone: "Europe/Paris", Hue: 258, Warm: 48},
		Monitor:      MonitorConfig{Listen: "127.0.0.1:8421"},
		Log:          log.Config{Level: "info", Format: "auto"},
		Mailer:       mailer.Defaults(),
		Identity:     identity.Defaults(),
		SSO:          sso.Defaults(),
		Portal:       portal.Defaults(),
		Directory:    directory.Defaults(),
		Provisioning: provisioning.Defaults(),
		Privacy:      privacy.Defaults(),
		Helpdesk:     helpdesk.Defaults(),
	}
}

// Check implements config.Checker.
func (c ServerConfig) Check() []config.Problem {
	var problems []config.Problem
	add := func(key, text string) { problems = append(problems, config.Problem{Key: key, Text: text}) }
	switch u, err := url.Parse(c.BaseURL); {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		add("base_url", "must be an address such as https://ent.university.fr")
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "":
		add("base_url", "must end after the host: no path, not even a slash")
	case u.Scheme == "http" && !loopbackHost(u.Hostname()):
		add("base_url", "must use https: over http, anybody on the way reads the passwords")
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		add("listen", "must be an address and a port, such as 127.0.0.1:8420")
	}
	if (c.TLSCertificate == "") != (c.TLSKey == "") {
		add("tls_certificate", "and tls_key go together")
	}
	if _, err := limit.Networks(c.TrustedProxies); err != nil {
		add("trusted_proxies", err.Error())
	}
	if c.DataDir == "" {
		add("data_dir", "must name a folder")
	}
	if c.RequestBurst < 20 || c.RequestEvery <= 0 {
		add("request_burst", "must be at least 20, and request_every above 0s: one page needs several requests")
	}
	return problems
}

// Check implements config.Checker.
func (c InstitutionConfig) Check() []config.Problem {
	var problems []config.Problem
	add := func(key, text string) { problems = append(problems, config.Problem{Key: key, Text: text}) }
	if c.NameFrench == "" && c.NameEnglish == "" {
		add("name_fr", "must name the institution")
	}
	if _, ok := campus.ParseLocale(c.Language); !ok {
		add("language", "must be fr or en")
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "" {
		add("time_zone", "must be a name of the IANA time zone database, such as Europe/Paris")
	}
	for key, hue := range map[string]int{"hue": c.Hue, "warm": c.Warm} {
		if hue < 0 || hue > 360 {
			add(key, "must lie between 0 and 360")
		}
	}
	for i, s := range c.Semesters {
		begins, err1 := time.Parse(time.DateOnly, s.Begins)
		ends, err2 := time.Parse(time.DateOnly, s.Ends)
		if err1 != nil || err2 != nil || !begins.Before(ends) {
			add(fmt.Sprintf("semesters[%d].begins", i), "begins and ends must be days such as 2026-09-07, in this order")
		}
	}
	return problems
}

// Check implements config.Checker.
func (c DatabaseConfig) Check() []config.Problem {
	if c.DSN == "" || strings.HasPrefix(c.DSN, "sqlite:") || strings.HasPrefix(c.DSN, "postgres://") || strings.HasPrefix(c.DSN, "postgresql://") {
		return nil
	}
	return []config.Problem{{Key: "dsn", Text: `must be empty, or start with "sqlite:" or "postgres://"`}}
}

// loopbackHost reports whether a host name or address is this machine.
func loopbackHost(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback()
}

// The places below data_dir.
func (c Config) keyFile() string  { return filepath.Join(c.Server.DataDir, "amphi.key") }
func (c Config) filesDir() string { return filepath.Join(c.Server.DataDir, "files") }
func (c Config) sqliteFile() string {
	if path, ok := strings.CutPrefix(c.Database.DSN, "sqlite:"); ok {
		return path
	}
	return filepath.Join(c.Server.DataDir, "amphi.db")
}

// dsn is the address of the database, with the default filled in.
func (c Config) dsn() string {
	if c.Database.DSN != "" {
		return c.Database.DSN
	}
	return "sqlite:" + c.sqliteFile()
}

// usesSQLite reports whether the database is embedded.
func (c Config) usesSQLite() bool { return strings.HasPrefix(c.dsn(), "sqlite:") }

// configured is the option that every command with a configuration shares.
type configured struct {
	ConfigFile string `name:"config" short:"c" help:"Configuration file (TOML). Without it the defaults and AMPHI_* variables apply." type:"path" placeholder:"FILE"`
}

// read returns the effective configuration.
func (c configured) read(t *terminal) (Config, error) {
	cfg := Defaults()
	err := config.Read(c.ConfigFile, t.environment, &cfg)
	return cfg, err
}

type configCommand struct {
	Check   configCheckCommand   `cmd:"" help:"Tell every mistake of the configuration, each with its line."`
	Print   configPrintCommand   `cmd:"" help:"Print the effective configuration, secrets masked."`
	Explain configExplainCommand `cmd:"" help:"Explain every key, with its default (docs/configuration.md)."`
}

type configCheckCommand struct{ configured }

func (c configCheckCommand) Run(t *terminal) error {
	if _, err := c.read(t); err != nil {
		return err
	}
	t.say("The configuration is right.")
	return nil
}

type configPrintCommand struct{ configured }

func (c configPrintCommand) Run(t *terminal) error {
	cfg, err := c.read(t)
	if err != nil {
		return err
	}
	return config.Print(t.out, cfg)
}

//go:generate go run ../../cmd/amphi config explain --to ../../docs/configuration.md

type configExplainCommand struct{ document }

func (c configExplainCommand) Run(t *terminal) error { return c.write(t, explainConfig) }

// explainConfig writes docs/configuration.md.
func explainConfig(w io.Writer) error {
	if _, err := io.WriteString(w, configPreface); err != nil {
		return err
	}
	return config.Explain(w, Defaults())
}

const configPreface = `# Configuration

Every key of the configuration file, with what holds when the file does not say. Generated by
` + "`amphi config explain`" + `; do not edit.

The file is TOML and holds only what differs. A key that does not exist, or a value that cannot be, is refused at start,
all mistakes at once, each with its line; ` + "`amphi config check --config FILE`" + ` does the same without starting. Durations are
written like ` + "`90s`, `15m` or `720h`" + `. The environment wins over the file: ` + "`AMPHI_SERVER__LISTEN`" + ` sets ` + "`listen`" + ` in
` + "`[server]`" + `, two underscores between the parts. A change holds from the next start. ` + "`amphi config print`" + ` shows what is in
force, secrets masked; an administrator reads the same on the page ` + "`/operations/configuration`" + `.
`

// places gives the codes of campuses and programmes their names.
func (c InstitutionConfig) places() place.Fixed {
	named := func(list []PlaceConfig) []place.Place {
		places := make([]place.Place, len(list))
		for i, p := range list {
			places[i] = place.Place{Code: p.Code, French: p.NameFrench, English: p.NameEnglish}
		}
		return places
	}
	return place.Fixed{OfCampuses: named(c.Campuses), OfProgrammes: named(c.Programmes)}
}

// calendar tells where in the academic year a day lies.
type calendar struct {
	semesters []SemesterConfig
	zone      *time.Location
}

// WeekAt implements portal.Calendar. Weeks begin on Monday, wherever in its week
// the semester does, and are counted from 1.
func (c calendar) WeekAt(t time.Time) (portal.Week, bool) {
	for _, s := range c.semesters {
		begins, err1 := time.ParseInLocation(time.DateOnly, s.Begins, c.zone)
		ends, err2 := time.ParseInLocation(time.DateOnly, s.Ends, c.zone)
		if err1 != nil || err2 != nil || t.Before(begins) || !t.Before(ends.AddDate(0, 0, 1)) {
			continue // the dates were checked with the configuration
		}
		w := portal.Week{French: s.NameFrench, English: s.NameEnglish}
		monday := begins.AddDate(0, 0, -(int(begins.Weekday())+6)%7)
		for day := monday; !day.After(t); day = day.AddDate(0, 0, 7) {
			w.Number++
		}
		return w, true
	}
	return portal.Week{}, false
}
