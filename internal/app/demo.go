package app

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"github.com/amphi-campus/amphi/internal/app/valmont"
	"github.com/amphi-campus/amphi/internal/platform/config"
	"github.com/amphi-campus/amphi/internal/platform/log"
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
	cfg.Monitor.Listen = c.Monitor
	if !c.Verbose && cfg.Log.Level == "info" {
		cfg.Log.Level = "warn"
	}
	house, err := Open(t, cfg, log.New(cfg.Log, t.err))
	if err != nil {
		return err
	}
	defer house.Close()
	if err := house.seed(t, university); err != nil {
		return fmt.Errorf("seed the demo: %w", err)
	}
	t.say("%s is open at %s", university.Institution.Name.French, cfg.Server.BaseURL)
	t.say("Sign in as student, teacher, staff, agent or admin; the password of each is %s", valmont.Password)
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
