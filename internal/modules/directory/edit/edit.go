// Package edit holds the pages on which entries and units are mended by those who look
// after them. Each value says where it comes from: one that a source says is corrected
// there, or replaced knowingly; what is entered here holds until it is taken back, and
// every change can be undone.
package edit

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/byhand"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Origin is the source that says a value.
type Origin struct {
	Source string // its identifier; "" for none, [Self] for the person
	Name   string // what people call it
	Since  time.Time
}

// Self is the origin of what people say of themselves.
const Self = "self"

// The parts that an entry shows and that are mended elsewhere.
const (
	PartName    = "name"
	PartMail    = "mail"
	PartStudies = "studies"
)

// Sources says which source says what.
type Sources interface {
	// OfPerson is the source of each part that one says of somebody: of [entry.Parts] and
	// of those that are mended elsewhere.
	OfPerson(ctx context.Context, who campus.PersonID) (map[string]Origin, error)
	// SourceNamed is what people call a source; ok is false for what is none.
	SourceNamed(ctx context.Context, source string) (name string, ok bool)
}

// Deps is what the pages ask of the room.
type Deps struct {
	DB       *db.DB
	Find     *find.Finder
	Register contract.Register
	Places   place.Names
	Sources  Sources
}

// Desk is the pages.
type Desk struct{ Deps }

// Routes lists the addresses. Whom one may mend is asked in the handlers: a secretary of
// one programme mends the entries of its people.
func (d *Desk) Routes(r *web.Router) {
	r.Handle("GET /directory/people/{id}/edit", d.entryPage)
	r.Handle("POST /directory/people/{id}/edit", d.saveEntry)
	r.Handle("GET /directory/units/new", d.newUnitPage)
	r.Handle("POST /directory/units", d.addUnit)
	r.Handle("GET /directory/units/{code}/edit", d.unitPage)
	r.Handle("POST /directory/units/{code}/edit", d.saveUnit)
	r.Handle("GET /directory/units/{code}/close", d.closePage)
	r.Handle("POST /directory/units/{code}/close", d.closeUnit)
	r.Handle("GET /directory/units/closed", d.closedPage)
	r.Handle("POST /directory/units/{code}/reopen", d.reopen)
	r.Handle("POST /directory/edits/{id}/undo", d.undo)
}

// Jobs forgets the history after its time.
func (d *Desk) Jobs(r *jobs.Registry) { byhand.Jobs(r, d.DB) }

// MayUnit reports whether the viewer mends what the directory says of a unit: those who
// keep the directory, and its secretariat.
func MayUnit(v campus.Viewer, tree unit.Tree, u unit.Unit) bool {
	return MayArrange(v, tree, u) || v.CanFor(campus.RightSecretariat, tree.Around(u))
}

// MayArrange reports whether the viewer also decides where a unit stands in the chart,
// and that it is closed: those who keep the directory.
func MayArrange(v campus.Viewer, tree unit.Tree, u unit.Unit) bool {
	return v.CanFor(campus.RightDirectory, tree.Around(u))
}

// person is somebody whose entry the viewer keeps, or EditMissing.
func (d *Desk) person(ctx context.Context, v campus.Viewer, who campus.PersonID) (find.Person, error) {
	p, ok, err := d.Find.Person(ctx, who)
	if err == nil && (!ok || !entry.Keeps(v, p.Affiliations)) {
		err = byhand.EditMissing
	}
	return p, err
}

// unit is one that the viewer mends, with the chart, or EditMissing.
func (d *Desk) unit(ctx context.Context, v campus.Viewer, code string) (unit.Unit, unit.Tree, error) {
	tree, err := d.Find.Units(ctx)
	if err != nil {
		return unit.Unit{}, tree, err
	}
	u, ok := tree.Of(code)
	if !ok || !MayUnit(v, tree, u) {
		return unit.Unit{}, tree, byhand.EditMissing
	}
	return u, tree, nil
}

// named finds somebody by identifier, address or student number; "" for nobody.
func (d *Desk) named(ctx context.Context, text string) (campus.PersonID, error) {
	for _, by := range []contract.Field{contract.FieldLogin, contract.FieldMail, contract.FieldStudentNumber} {
		found, err := d.Register.FindPeople(ctx, by, []string{text})
		if err != nil {
			return "", err
		}
		if who, ok := found[text]; ok {
			return who, nil
		}
	}
	return "", nil
}

// put writes changes, in one transaction.
func (d *Desk) put(ctx context.Context, changes []byhand.Change) error {
	return d.DB.InTx(ctx, func(tx db.Tx) error {
		for _, c := range changes {
			if err := byhand.Put(ctx, tx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "directory.edit."+key, pairs...)
}
