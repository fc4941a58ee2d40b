package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"github.com/amphi-campus/amphi/internal/app/demo"
	"github.com/amphi-campus/amphi/internal/app/valmont"
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/config"
	"github.com/amphi-campus/amphi/internal/platform/log"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
)

type demoCommand struct {
	Listen  string `default:"127.0.0.1:8420" help:"Address and port; port 0 chooses a free one."`
	Data    string `default:"var/demo" help:"Folder of the demo's data." type:"path"`
	Config  string `short:"c" help:"Configuration file whose settings go over those of the demo, to try something." type:"path"`
	Expose  int    `type:"counter" help:"Listen on other addresses than loopback. The demo password is public: say it twice if you mean it."`
	Monitor string `default:"" help:"Address of /healthz, /readyz and /metrics; empty for none."`
	Verbose bool   `short:"v" help:"Log every request."`
}

func (c demoCommand) Run(t *terminal) error {
	if err := c.refuseStrangers(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer listener.Close()
	university, err := valmont.Load()
	if err != nil {
		return err
	}
	cfg := demoConfig(university)
	if err := config.Read(c.Config, t.environment, &cfg); err != nil {
		return err
	}
	cfg.Server.Listen = listener.Addr().String()
	cfg.Server.BaseURL = "http://" + browsable(listener.Addr().String())
	cfg.Server.DataDir = filepath.Clean(c.Data)
	cfg.Directory = demo.Sources(filepath.Join(cfg.Server.DataDir, "sources"), cfg.Directory)
	cfg.Monitor.Listen = c.Monitor
	if !c.Verbose && cfg.Log.Level == "info" {
		cfg.Log.Level = "warn"
	}
	house, err := Open(t, cfg, log.New(cfg.Log, t.err))
	if err != nil {
		return err
	}
	defer house.Close()
	if err := house.fill(t, university); err != nil {
		return fmt.Errorf("seed the demo: %w", err)
	}
	t.say("%s is open at %s", university.Institution.Name.French, cfg.Server.BaseURL)
	t.say("Sign in as student, teacher, staff, secretary, agent or admin; the password of each is %s", valmont.Password)
	t.say("Stop with Ctrl-C. Your data stays in %s", cfg.Server.DataDir)
	return house.Serve(t, listener)
}

// refuseStrangers keeps accounts with a public password off the network.
func (c demoCommand) refuseStrangers() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("--listen must be an address and a port: %w", err)
	}
	if loopbackHost(host) || c.Expose >= 2 {
		return nil
	}
	if c.Expose == 1 {
		return errors.New("everybody who reads Amphi's documentation can sign in to this demo; if the network may, say --expose a second time")
	}
	return fmt.Errorf("the demo listens on loopback only, and %s is not; for a real installation use amphi serve", c.Listen)
}

// browsable turns a listening address into one that a browser opens, and for
// which it has the privileges of a secure context.
func browsable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if strings.HasPrefix(host, "127.") || host == "::1" || host == "::" || host == "0.0.0.0" {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// demoConfig is the configuration of the fictional university.
func demoConfig(u *valmont.University) Config {
	c := Defaults()
	in := u.Institution
	c.Institution = InstitutionConfig{
		NameFrench: in.Name.French, NameEnglish: in.Name.English, Language: string(campus.French), TimeZone: in.TimeZone,
		Hue: in.Hue, Warm: in.Warm,
		SceneTitleFrench: in.Scene.French, SceneTitleEnglish: in.Scene.English,
		SceneDetailFrench: in.SceneMore.French, SceneDetailEnglish: in.SceneMore.English,
	}
	for _, p := range u.Campuses {
		c.Institution.Campuses = append(c.Institution.Campuses, PlaceConfig{Code: p.Code, NameFrench: p.Name.French, NameEnglish: p.Name.English})
	}
	for _, p := range u.Programmes {
		c.Institution.Programmes = append(c.Institution.Programmes, PlaceConfig{Code: p.Code, NameFrench: p.Title.French, NameEnglish: p.Title.English})
	}
	for _, s := range in.Year.Semesters {
		c.Institution.Semesters = append(c.Institution.Semesters, SemesterConfig{
			NameFrench: s.Name.French, NameEnglish: s.Name.English, Begins: s.First.String(), Ends: s.Last.String(),
		})
	}
	c.Mailer.Transport = mailer.TransportOutbox
	c.Mailer.SMS.Transport = mailer.TransportOutbox
	c.Mailer.From = "ne-pas-repondre@" + in.Domain
	c.Mailer.FromName = in.Name.French
	c.Server.RequestBurst = 1 << 20 // everything comes from one machine
	c.Identity.MailDomains = []string{in.Students, in.Domain}
	c.Identity.Activation.StudentNumber = `[0-9]{8}`
	c.SSO.AllowLoopback = true
	c.SSO.Institution.Domain = in.Domain
	c.SSO.Services = demoServices(u)
	c.Portal = demo.Portal(u, c.Portal)
	c.Privacy = demo.Privacy(u, c.Privacy)
	c.Provisioning, c.pretended = demo.Provisioning(u, c.Provisioning)
	c.demo, c.feeds = true, demo.CampusSite{Feed: u.Feed}
	return c
}

// demoServices are the services of the catalogue, as an administrator would
// declare them in the configuration.
func demoServices(u *valmont.University) []registry.Service {
	categories := map[string]valmont.Text{}
	for _, c := range u.Categories {
		categories[c.ID] = c.Name
	}
	services := make([]registry.Service, 0, len(u.Services))
	for _, s := range u.Services {
		service := registry.Service{
			ID: s.ID, NameFrench: s.Name.French, NameEnglish: s.Name.English,
			DescriptionFrench: s.Description.French, DescriptionEnglish: s.Description.English,
			Category: categories[s.Category].French, Icon: s.Icon, Keywords: s.Keywords, Home: s.URL,
			Audience: s.Audience, Contact: s.Contact, Protocol: registry.Link,
		}
		if s.CAS != nil {
			service.Protocol, service.Patterns = registry.CAS, []string{s.CAS.Pattern}
			for _, a := range s.CAS.Attributes {
				service.Attributes = append(service.Attributes, registry.Attribute(a))
			}
		}
		services = append(services, service)
	}
	return services
}

// fill furnishes an empty demo.
func (h *House) fill(ctx context.Context, u *valmont.University) error {
	return demo.Rooms{
		DB: h.DB, Files: h.files, Sources: h.config.Directory.Sources, Identity: h.identity, Portal: h.portal, Directory: h.directory,
		Provisioning: h.provisioning, Privacy: h.privacy, Helpdesk: h.helpdesk,
	}.Fill(ctx, u)
}
