package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"sync"
	"time"
	_ "time/tzdata" // so that time zones exist on the barest machine

	"github.com/a-h/templ"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk"
	"github.com/amphi-campus/amphi/internal/modules/identity"
	"github.com/amphi-campus/amphi/internal/modules/operations"
	"github.com/amphi-campus/amphi/internal/modules/portal"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
	"github.com/amphi-campus/amphi/internal/modules/privacy"
	"github.com/amphi-campus/amphi/internal/modules/provisioning"
	"github.com/amphi-campus/amphi/internal/modules/sso"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/config"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/health"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/metrics"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// House is the workspace with all its rooms, ready to serve.
type House struct {
	DB  *db.DB
	Web *web.Server

	config  Config
	files   files.Store
	log     *slog.Logger
	runner  *jobs.Runner
	doctor  *health.Doctor
	metrics *metrics.Registry

	identity     *identity.Module
	sso          *sso.Module
	portal       *portal.Module
	directory    *directory.Module
	provisioning *provisioning.Module
	privacy      *privacy.Module
	helpdesk     *helpdesk.Module
	modules      []contract.Module
	listeners    []contract.Listener
}

// blueprint is every room before it is opened: enough to know its schema and its
// sentences.
func blueprint() []contract.Module {
	return []contract.Module{&identity.Module{}, &sso.Module{}, &portal.Module{}, &directory.Module{}, &provisioning.Module{}, &privacy.Module{}, &helpdesk.Module{}, &operations.Module{}}
}

// schemas lists the schema steps of the whole house, ground floor first.
func schemas() []db.Migrations {
	all := []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, mailer.Migrations()}
	for _, room := range blueprint() {
		if steps := room.Migrations(); hasSteps(steps) {
			all = append(all, db.Migrations{Name: room.Name(), FS: steps})
		}
	}
	return all
}

func hasSteps(steps fs.FS) bool {
	entries, err := fs.ReadDir(steps, ".")
	return err == nil && len(entries) > 0
}

// platformTexts are the sentences of the ground floor and of the look.
func platformTexts() []fs.FS {
	return []fs.FS{web.Locales, ui.Locales, mailer.Locales, files.Locales, crypt.Locales, health.Locales}
}

var defaultZone = time.UTC

// loadTexts reads the sentences of the house.
func loadTexts(zone *time.Location, sources ...fs.FS) (*i18n.Catalogue, error) {
	for _, room := range blueprint() {
		sources = append(sources, room.Locales())
	}
	return i18n.Load(zone, clock.System(), sources...)
}

// makeDataDir creates the data folder, for its owner alone.
func (c Config) makeDataDir() error {
	if err := os.MkdirAll(c.Server.DataDir, 0o700); err != nil {
		return fmt.Errorf("create the data folder: %w", err)
	}
	return nil
}

// Open opens every room on the database of the configuration, which it brings to
// the schema of this version.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (_ *House, err error) {
	now := clock.System()
	started := now.Now()
	zone, err := time.LoadLocation(cfg.Institution.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("load the time zone: %w", err)
	}
	base, err := url.Parse(cfg.Server.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("read the base address: %w", err)
	}
	trusted, err := limit.Networks(cfg.Server.TrustedProxies)
	if err != nil {
		return nil, err
	}
	if err := cfg.makeDataDir(); err != nil {
		return nil, err
	}
	texts, err := loadTexts(zone, platformTexts()...)
	if err != nil {
		return nil, err
	}
	keys, err := crypt.Open(cfg.keyFile())
	if err != nil {
		return nil, err
	}
	store, err := files.Disk(cfg.filesDir(), maxFile)
	if err != nil {
		return nil, err
	}
	measured, err := metrics.New(version())
	if err != nil {
		return nil, err
	}
	database, err := db.Open(ctx, db.Config{DSN: cfg.dsn(), Clock: now, Log: log})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, database.Close())
		}
	}()
	if err := database.Migrate(ctx, schemas()); err != nil {
		return nil, err
	}
	countMessage, err := measured.Room("mailer").Counter("messages", "Attempts to send a message, by channel and outcome.", "channel", "outcome")
	if err != nil {
		return nil, err
	}
	post, err := mailer.New(mailer.Deps{
		Config: cfg.Mailer, DB: database, Keys: keys, Clock: now, Log: log,
		Count: func(channel, outcome string) { countMessage(channel, outcome) },
	})
	if err != nil {
		return nil, err
	}

	institution := cfg.Institution
	h := &House{DB: database, config: cfg, files: store, log: log, metrics: measured}
	plugged := &plugs{}
	h.identity, err = identity.New(identity.Deps{
		DB: database, Keys: keys, Clock: now, Log: log, Texts: texts, Mailer: post, Base: base, Zone: zone, Places: institution.places(), Demo: cfg.demo,
		Announcers: plugged.aboutServices,
		NameFrench: institution.NameFrench, NameEnglish: institution.NameEnglish,
		Scene: identity.Scene{
			TitleFrench: institution.SceneTitleFrench, TitleEnglish: institution.SceneTitleEnglish,
			DetailFrench: institution.SceneDetailFrench, DetailEnglish: institution.SceneDetailEnglish,
		},
	}, cfg.Identity)
	if err != nil {
		return nil, err
	}
	h.sso = sso.New(sso.Deps{
		DB: database, Clock: now, Log: log, Texts: texts, People: h.identity, Sessions: h.identity, Foresight: h.identity, Door: h.identity, Journal: h.identity.Journal(), Accounts: ledgerOf{h},
		Mailer: post, Files: store, Sign: keys.MAC, Names: keys.Name, Seal: keys, Zone: zone, BaseURL: base.String(),
	}, cfg.SSO)
	h.identity.Connect(h.sso, h.sso)
	h.portal = portal.New(portal.Deps{
		DB: database, Clock: now, Log: log, Files: store, People: h.identity,
		Places: institution.places(), Calendar: calendar{institution.Semesters, zone},
		Institution: news.Text{French: institution.NameFrench, English: institution.NameEnglish},
		Cards:       plugged.cards, Services: plugged.services, Searchers: plugged.searchers, Navigators: plugged.navigation,
		OpeningHours:  plugged.openingHours,
		FeedTransport: cfg.feeds,
	}, cfg.Portal)
	h.identity.Announce(h.portal)
	h.identity.Meet(plugged.followers, plugged.dossiers)
	h.privacy = privacy.New(privacy.Deps{
		DB: database, Clock: now, Log: log, Texts: texts, Files: store, Keys: keys, Zone: zone, Base: base,
		Register: h.identity, Notices: h.portal, Mailer: post, Confirm: h.identity.Confirm, Rooms: plugged.all,
		InstitutionFrench: institution.NameFrench, InstitutionEnglish: institution.NameEnglish,
	}, cfg.Privacy)
	h.identity.Watch(h.privacy)
	h.directory = directory.New(directory.Deps{
		DB: database, Clock: now, Log: log, Texts: texts, Files: store, Keys: keys, Zone: zone, Base: base,
		Register: h.identity, Roll: h.identity, Notices: h.portal, Places: institution.places(), Followers: plugged.followers, Dossiers: plugged.dossiers, Looks: h.privacy, Apps: h.identity.AppPasswords(),
		Confirm: h.identity.Confirm, Journal: securityJournal{h.identity.Journal()},
	}, cfg.Directory)
	h.provisioning, err = provisioning.New(provisioning.Deps{
		DB: database, Clock: now, Log: log, Texts: texts, Keys: keys, Zone: zone, Base: base, Register: h.identity, Roll: h.identity, Groups: h.directory,
		Places: institution.places(), Catalogue: serviceNames{h.sso}, Looks: h.privacy, HTTP: cfg.pretended, Pretended: cfg.pretended != nil,
	}, cfg.Provisioning)
	if err != nil {
		return nil, err
	}
	h.helpdesk = helpdesk.New(helpdesk.Deps{
		DB: database, Clock: now, Log: log, Texts: texts, Files: store, Keys: keys, Zone: zone, Base: base,
		Register: h.identity, Roll: h.identity, Notices: h.portal, Places: institution.places(), Mailer: post, Dossiers: plugged.dossiers, Acts: h.acts, Seeker: h.identity.Support(),
		Services: serviceNames{h.sso}, Accounts: h.provisioning, Looks: h.privacy, Confirm: h.identity.Confirm,
		Catalogue: plugged.services, SignIns: h.identity.SignIns(), Proofs: h.identity.Reach(), Help: h.portal,
		InstitutionFrench: institution.NameFrench, InstitutionEnglish: institution.NameEnglish,
	}, cfg.Helpdesk)
	registry := jobs.NewRegistry()
	post.Jobs(registry)
	registry.Every("files.sweep", 24*time.Hour, func(ctx context.Context) error {
		_, err := store.Sweep(ctx, now.Now())
		return err
	})
	h.doctor = health.New(now, health.Source{Name: "database", Ask: h.checkDatabase}, health.Source{Name: "mailer", Ask: post.Health},
		health.Source{Name: "rooms", Ask: plugged.health})
	office := operations.New(operations.Deps{
		DB: database, Board: jobs.NewBoard(database), Outbox: post, Doctor: h.doctor, Version: version(), Started: started,
		Configuration: func(w io.Writer) error { return config.Print(w, cfg) },
	})
	if people, err := h.identity.CountPeople(ctx); err != nil {
		return nil, err
	} else if keys.Created() && people > 0 {
		log.Warn("a new key was made although the database holds data: what was sealed with the old key cannot be opened; put it back", "key", cfg.keyFile())
	}

	h.modules = []contract.Module{h.identity, h.sso, h.portal, h.directory, h.provisioning, h.privacy, h.helpdesk, office}
	plugged.find(h.modules, registry)
	h.listeners = plugged.listeners
	h.runner = jobs.NewRunner(database, registry, log, jobs.Options{})

	if err := h.measure(); err != nil {
		return nil, err
	}
	appearance, err := theme(institution)
	if err != nil {
		return nil, err
	}
	language, _ := campus.ParseLocale(institution.Language) // checked with the configuration
	h.Web = web.New(web.Config{
		BaseURL: base, Log: log, Clock: now, Texts: texts, Language: language,
		Authenticate: h.identity.Authenticate,
		Prepare:      h.shell(plugged, appearance),
		ErrorPage:    ui.FailurePage,
		BriefPage:    func(f web.Failure) templ.Component { return ui.BriefPage(f) },
		ClientAddr:   clientAddr(trusted, log),
		Limit:        limit.New(limit.Rate{Every: cfg.Server.RequestEvery, Burst: cfg.Server.RequestBurst}, limit.DefaultKeys, now),
		Sign:         keys.MAC,
		Observe:      measured.Observe,
	})
	for _, room := range h.modules {
		room.Routes(h.Web.Router(room.Name()))
	}
	h.hallRoutes(appearance)
	return h, nil
}

// clientAddr finds who a request comes from, and says once when a proxy seems to
// be missing from the configuration: everybody behind it would share what one
// address may do.
func clientAddr(trusted []netip.Prefix, log *slog.Logger) func(*http.Request) netip.Addr {
	var once sync.Once
	return func(r *http.Request) netip.Addr {
		if limit.Undeclared(r, trusted) {
			once.Do(func() {
				log.Warn("X-Forwarded-For from an address that server.trusted_proxies does not name: if it is your proxy, add it, or its visitors are limited as one", "from", r.RemoteAddr)
			})
		}
		return limit.ClientAddr(r, trusted)
	}
}

// maxFile is the largest file that the store takes; rooms set lower limits.
const maxFile = 64 << 20

// Close lets those who sign in finish, and closes the database.
func (h *House) Close() {
	h.identity.Close()
	if err := h.DB.Close(); err != nil {
		h.log.Error("close the database", "error", err)
	}
}

func (h *House) checkDatabase(ctx context.Context) []health.Check {
	return []health.Check{health.Run(ctx, "database", func(ctx context.Context) (string, error) {
		return string(h.DB.Dialect()), h.DB.Ping(ctx)
	}).Needed()}
}
