// Package portal is the hall of the house: the home page, the catalogue of
// services, news, notifications, the search over every room, one's own profile,
// and the pages that anybody can read.
package portal

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal/bell"
	"github.com/amphi-campus/amphi/internal/modules/portal/catalogue"
	"github.com/amphi-campus/amphi/internal/modules/portal/feed"
	"github.com/amphi-campus/amphi/internal/modules/portal/help"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Module is the room.
type Module struct {
	Deps
	config Config

	desk  *news.Desk
	feeds *feed.Reader
	bell  *bell.Bell
	shelf catalogue.Shelf
	help  []help.Article
}

var (
	_ contract.Module        = (*Module)(nil)
	_ contract.Navigator     = (*Module)(nil)
	_ contract.Searcher      = (*Module)(nil)
	_ contract.PersonalData  = (*Module)(nil)
	_ contract.JobOwner      = (*Module)(nil)
	_ contract.HealthChecker = (*Module)(nil)
	_ contract.Notices       = (*Module)(nil)
)

// New opens the room.
func New(d Deps, c Config) *Module {
	m := &Module{Deps: d, config: c, shelf: catalogue.Shelf{DB: d.DB}, help: c.Help.Articles}
	if len(m.help) == 0 {
		m.help = help.BuiltIn()
	}
	m.bell = &bell.Bell{DB: d.DB, Clock: d.Clock}
	m.feeds = &feed.Reader{DB: d.DB, Clock: d.Clock, Log: d.Log, Sources: c.Feeds, Transport: d.FeedTransport, Keep: c.KeepFeedItems}
	m.desk = &news.Desk{
		DB: d.DB, Clock: d.Clock, Log: d.Log, Files: d.Files, Elsewhere: m.feeds, MaxPicture: c.MaxPicture,
	}
	return m
}

// Name is "portal".
func (m *Module) Name() string { return "portal" }

//go:embed migrations
var migrations embed.FS

// Migrations are the room's schema steps.
func (m *Module) Migrations() fs.FS { return migrations }

//go:embed locales
var locales embed.FS

// Locales are the room's sentences.
func (m *Module) Locales() fs.FS { return locales }

// Unread is how many notifications wait for somebody, for the bell of every
// page. It is remembered for a few seconds.
func (m *Module) Unread(ctx context.Context, who campus.PersonID) (int, error) {
	w, err := m.bell.Waiting(ctx, who)
	return w.Count, err
}

// Notify tells somebody something, in the caller's transaction.
func (m *Module) Notify(ctx context.Context, tx db.Tx, to campus.PersonID, n contract.Notice) error {
	return m.bell.Notify(ctx, tx, to, n)
}

// NotifyOnce brings a notice in with its age. It does nothing when the person
// has one with this key.
func (m *Module) NotifyOnce(ctx context.Context, to campus.PersonID, n contract.Notice, at time.Time, read bool) error {
	return m.DB.InTx(ctx, func(tx db.Tx) error { return m.bell.NotifyOnce(ctx, tx, to, n, at, read) })
}

// Publish brings an article in that is, or will be, online. A second call with
// the same key changes nothing.
func (m *Module) Publish(ctx context.Context, key string, by campus.PersonID, c news.Content) (string, error) {
	return m.desk.Import(ctx, key, news.Ready, by, c)
}

// Draft brings in an article that is still being written. A second call with
// the same key changes nothing.
func (m *Module) Draft(ctx context.Context, key string, by campus.PersonID, c news.Content) (string, error) {
	return m.desk.Import(ctx, key, news.Draft, by, c)
}

// Desk is where news is written, for what brings articles and pictures in.
func (m *Module) Desk() *news.Desk { return m.desk }

// Pin puts services on somebody's shelf; those that are there already stay as
// they are.
func (m *Module) Pin(ctx context.Context, who campus.PersonID, services ...string) error {
	return m.shelf.Pin(ctx, who, services...)
}

// VisitFeeds reads the configured feeds now, as the job does by itself.
func (m *Module) VisitFeeds(ctx context.Context) error {
	defer m.desk.Forget()
	return m.feeds.Visit(ctx)
}
