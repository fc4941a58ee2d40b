package edit

import (
	"context"
	"net/http"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/byhand"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// formView is what the forms of entries and units have in common.
type formView struct {
	URL, Back string // of the form, and of the page that it is about
	Slots     []slot
	History   []editLine
	Override  bool // it was ticked
	Problems  web.Problems
}

// ofSources reports whether a source says anything on the form.
func (v formView) ofSources() bool {
	return slices.ContainsFunc(v.Slots, func(s slot) bool { return s.ofSource() && !s.locked() })
}

// elsewhere is a value that is not mended on this form.
type elsewhere struct{ Part, Value, Source string }

// entryView is the form of somebody's entry.
type entryView struct {
	formView
	Name      string
	Elsewhere []elsewhere
}

func (d *Desk) entryPage(w http.ResponseWriter, r *http.Request) error {
	view, _, _, err := d.entryView(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, entryTempl(view))
}

func (d *Desk) entryView(r *http.Request) (entryView, subject, find.Person, error) {
	ctx := r.Context()
	p, err := d.person(ctx, web.Viewer(r), campus.PersonID(r.PathValue("id")))
	if err != nil {
		return entryView{}, subject{}, p, err
	}
	s, err := d.personSubject(ctx, p)
	if err != nil {
		return entryView{}, s, p, err
	}
	view := entryView{Name: p.DisplayName()}
	view.Back = "/directory/people/" + string(p.ID)
	view.URL = view.Back + "/edit"
	if view.Slots, err = d.slots(ctx, s); err != nil {
		return view, s, p, err
	}
	for _, e := range []elsewhere{{Part: PartName, Value: p.DisplayName()}, {Part: PartMail, Value: p.Mail}} {
		e.Source = s.origins[e.Part].Name
		view.Elsewhere = append(view.Elsewhere, e)
	}
	view.History, err = d.history(ctx, s)
	return view, s, p, err
}

func (d *Desk) saveEntry(w http.ResponseWriter, r *http.Request) error {
	view, s, _, err := d.entryView(r)
	if err != nil {
		return err
	}
	saved, err := d.save(w, r, s, &view.formView)
	if err != nil || saved {
		return err
	}
	return web.Render(w, r, http.StatusUnprocessableEntity, entryTempl(view))
}

// save carries out what a form asks for. It returns false when there is something to
// mend on it.
func (d *Desk) save(w http.ResponseWriter, r *http.Request, s subject, view *formView) (bool, error) {
	form, err := web.Form(r)
	if err != nil {
		return false, err
	}
	ctx, v := r.Context(), web.Viewer(r)
	if part := form.Get("back"); part != "" {
		c, ok, err := d.back(ctx, v, s, view.Slots, part)
		if err != nil {
			return false, err
		}
		if !ok {
			return false, byhand.EditOver
		}
		return true, d.finish(w, r, []byhand.Change{c}, view.URL, "directory.edit.taken_back")
	}
	changes, problems, err := d.changes(ctx, v, s, view.Slots, form)
	if err != nil {
		return false, err
	}
	if view.Problems, view.Override = problems, form.Get("override") != ""; problems.Any() {
		return false, nil
	}
	return true, d.finish(w, r, changes, view.Back, "directory.edit.saved")
}

// finish writes changes and goes on.
func (d *Desk) finish(w http.ResponseWriter, r *http.Request, changes []byhand.Change, next, flash string) error {
	if err := d.put(r.Context(), changes); err != nil {
		return err
	}
	web.Flash(w, r, flash)
	return web.SeeOther(w, r, next)
}

// label is what people call a part.
func label(ctx context.Context, part string) string { return t(ctx, "part."+part) }
