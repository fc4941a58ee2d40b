// Package guide holds the pages on which people find one another: the search, the
// page of a person, the org chart, lists, and what each one decides about their own
// entry.
package guide

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/modules/directory/group"
	"github.com/amphi-campus/amphi/internal/modules/directory/stamp"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the pages ask of the room.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Files    files.Store
	Zone     *time.Location
	Base     *url.URL
	Find     *find.Finder
	Groups   *group.Groups
	Rules    entry.Config
	Register contract.Register
	Places   place.Names
}

// Guide is the pages.
type Guide struct {
	Deps
	looks    *limit.Limiter // at people
	searches *limit.Limiter
}

// New opens the pages.
func New(d Deps) *Guide {
	return &Guide{
		Deps: d, looks: limit.New(limit.Rate{Every: lookEvery, Burst: looksAtOnce}, limit.DefaultKeys, d.Clock),
		searches: limit.New(limit.Rate{Every: searchEvery, Burst: searchesAtOnce}, limit.DefaultKeys, d.Clock),
	}
}

// One person may look up a few hundred entries in a row, and then one every two
// seconds: enough to work, too little to copy the directory.
// Searches are more, because each pause in typing is one.
const (
	lookEvery      = 2 * time.Second
	looksAtOnce    = 400
	searchEvery    = time.Second / 2
	searchesAtOnce = 600
)

var (
	// PersonMissing: nobody has this identifier, or the viewer does not see them; the
	// two are not told apart.
	PersonMissing = fault.Declare(fault.NotFound, "directory.person_missing")
	// ListMissing: there is no such list, or it is not the viewer's.
	ListMissing = fault.Declare(fault.NotFound, "directory.list_missing")
	// CodeTooLong: a card holds more than a QR code takes.
	CodeTooLong = fault.Declare(fault.Broken, "directory.code_too_long")
	// TooManyLooks: somebody looks up more than a person can read.
	TooManyLooks = fault.Declare(fault.Busy, "directory.too_many_looks")
)

// Routes lists the addresses. All of them are for people who have signed in; what
// each of them sees is asked in the handlers.
func (g *Guide) Routes(r *web.Router) {
	r.Handle("GET /directory", g.searchPage)
	r.Handle("GET /directory/people/{id}", g.personPage)
	r.Handle("GET /directory/people/{id}/card.vcf", g.personCard)
	r.Handle("GET /directory/people/{id}/card.svg", g.personCode)
	r.Handle("GET /directory/people/{id}/photo", g.personPhoto)
	r.Handle("GET /directory/units", g.unitsPage)
	r.Handle("GET /directory/units/{code}", g.unitPage)
	r.Handle("GET /directory/functions", g.functionsPage)
	r.Handle("GET /directory/mine", g.minePage)
	r.Handle("POST /directory/mine", g.saveMine)
	r.Handle("POST /directory/mine/photo", g.savePhoto, web.BodyLimit(photoBody))
	r.Handle("POST /directory/mine/photo/withdraw", g.withdrawPhoto)
	r.Handle("GET /directory/lists", g.listsPage)
	r.Handle("GET /directory/lists/{kind}/{code}", g.listPage)
	r.Handle("GET /directory/lists/{kind}/{code}/people.csv", g.listFile)

	keeper := web.Needs(campus.RightDirectory)
	r.Handle("GET /directory/groups", g.groupsPage, keeper)
	r.Handle("GET /directory/groups/new", g.newGroupPage, keeper)
	r.Handle("POST /directory/groups", g.addGroup, keeper)
	r.Handle("GET /directory/groups/{code}", g.groupPage, keeper)
	r.Handle("GET /directory/groups/{code}/edit", g.editGroupPage, keeper)
	r.Handle("POST /directory/groups/{code}", g.saveGroup, keeper)
	r.Handle("POST /directory/groups/{code}/people", g.addMember, keeper)
	r.Handle("POST /directory/groups/{code}/people/remove", g.removeMember, keeper)
	r.Handle("POST /directory/groups/{code}/groups", g.nestGroup, keeper)
	r.Handle("POST /directory/groups/{code}/groups/remove", g.unnestGroup, keeper)
	r.Handle("GET /directory/groups/{code}/delete", g.deleteGroupPage, keeper)
	r.Handle("POST /directory/groups/{code}/delete", g.deleteGroup, keeper)
}

// Jobs forgets every day what servers no longer need to hear.
func (g *Guide) Jobs(r *jobs.Registry) {
	r.Every("directory.forget_changes", 24*time.Hour, func(ctx context.Context) error {
		return g.DB.InTx(ctx, func(tx db.Tx) error { return stamp.Forget(ctx, tx) })
	})
}

// look notes that somebody looks something up, and stops them when it is too much.
func (g *Guide) look(v campus.Viewer, up *limit.Limiter) error {
	if wait, ok := up.Allow(string(v.Person)); !ok {
		return TooManyLooks.With(fault.Args{"wait": wait})
	}
	return nil
}

// campusName and programmeName are what people call a code.
func (g *Guide) campusName(ctx context.Context, code string) string {
	return place.NameOf(g.Places.Campuses(), code, localeOf(ctx))
}

func (g *Guide) programmeName(ctx context.Context, code string) string {
	return place.NameOf(g.Places.Programmes(), code, localeOf(ctx))
}
