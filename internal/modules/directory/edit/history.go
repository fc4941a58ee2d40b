package edit

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/byhand"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// historySize is how many changes a page lists.
const historySize = 30

// editLine is one change in the history.
type editLine struct {
	ID, Part        string
	Before, After   string // in words; empty for nothing
	Back            bool
	By, UndoneBy    string // empty for who left
	At              time.Time
	Undone          bool
	Correction      string // its address, when one asked for the change
	CanUndo, Opened bool
}

// history is what was changed here of a subject.
func (d *Desk) history(ctx context.Context, s subject) ([]editLine, error) {
	edits, err := byhand.History(ctx, d.DB.Read(), s.kind, s.name, historySize)
	if err != nil {
		return nil, err
	}
	lines := make([]editLine, len(edits))
	latest := map[string]bool{} // parts of which the latest change was seen
	for i, e := range edits {
		l := editLine{ID: e.ID, Part: e.Part, Before: e.Shown, Back: e.Back, At: e.At, Undone: !e.UndoneAt.IsZero(), Opened: e.Part == unit.PartOpened}
		if e.Part == unit.PartClosed || l.Opened { // said by the part itself
			l.Before = ""
		} else if l.After, err = d.words(ctx, s.tree, e.Part, e.Value); err != nil {
			return nil, err
		}
		if l.By, err = d.nameOf(ctx, e.By); err != nil {
			return nil, err
		}
		if l.Undone {
			if l.UndoneBy, err = d.nameOf(ctx, e.UndoneBy); err != nil {
				return nil, err
			}
		}
		if e.Cause != "" {
			l.Correction = "/directory/corrections/" + e.Cause
		}
		if !l.Undone {
			l.CanUndo = !latest[e.Part] && !l.Opened
			latest[e.Part] = true
		}
		lines[i] = l
	}
	return lines, nil
}

// undo puts back what stood there before a change.
func (d *Desk) undo(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	e, err := byhand.ByID(ctx, d.DB.Read(), r.PathValue("id"))
	if err != nil {
		return err
	}
	page := "/directory/people/" + e.Subject + "/edit"
	if e.Kind == byhand.Unit {
		page = unitURL(e.Subject) + "/edit"
		err = d.mayUndo(ctx, v, e)
	} else {
		_, err = d.person(ctx, v, campus.PersonID(e.Subject))
	}
	if err != nil {
		return err
	}
	if e.Part == unit.PartOpened {
		return byhand.EditOver
	}
	if err := d.DB.InTx(ctx, func(tx db.Tx) error { return byhand.Undo(ctx, tx, e, v.Person) }); err != nil {
		return err
	}
	web.Flash(w, r, "directory.edit.undone")
	return web.SeeOther(w, r, page)
}

// mayUndo reports by EditMissing whether a change of a unit is not the viewer's to undo.
// A unit that is closed is looked for where the sources have it.
func (d *Desk) mayUndo(ctx context.Context, v campus.Viewer, e byhand.Edit) error {
	chart, err := unit.Said(ctx, d.DB.Read())
	if err != nil {
		return err
	}
	tree, err := d.Find.Units(ctx)
	if err != nil {
		return err
	}
	u, ok := tree.Of(e.Subject)
	if !ok {
		u, ok = chart.Of(e.Subject)
		tree = chart
	}
	arranges := e.Part == unit.PartClosed || e.Part == unit.PartParent || e.Part == unit.PartKind
	if !ok || !MayUnit(v, tree, u) || arranges && !MayArrange(v, tree, u) {
		return byhand.EditMissing
	}
	return nil
}

func unitURL(code string) string { return "/directory/units/" + url.PathEscape(code) }
