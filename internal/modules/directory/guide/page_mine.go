package guide

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

const (
	// photoFile is the largest photo that can be sent, photoBody what a form with it
	// takes at most.
	photoFile = 10 << 20
	photoBody = photoFile + 64<<10
	// maxHours is how long office hours may be said, in characters.
	maxHours = 300
)

// mineView is what somebody decides about their own entry.
type mineView struct {
	Me       line
	HasPhoto bool // there is one, shown or not
	Shown    bool // with consent
	Uploaded bool // it is their own
	Hours    string
	Receives bool // office hours make sense for them
	Choices  []choice
	Unlisted bool
	Facts    []ui.Fact
	Lists    bool
	Problems web.Problems
}

// choice is the audience of one field, to be chosen.
type choice struct {
	Field   entry.Field
	Value   entry.Audience
	Options []entry.Audience
}

// name is that of its field in the form: the hours and the photo have fields of their
// own.
func (c choice) name() string { return "seen_" + string(c.Field) }

func (g *Guide) minePage(w http.ResponseWriter, r *http.Request) error {
	view, _, _, err := g.mine(r.Context(), web.Viewer(r))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, mineTempl(view))
}

// mine is what somebody decided so far.
func (g *Guide) mine(ctx context.Context, v campus.Viewer) (mineView, find.Person, entry.Choices, error) {
	p, ok, err := g.Find.Person(ctx, v.Person)
	if err == nil && !ok {
		err = PersonMissing
	}
	if err != nil {
		return mineView{}, p, entry.Choices{}, err
	}
	chosen, err := entry.ChoicesOf(ctx, g.DB.Read(), v.Person)
	if err != nil {
		return mineView{}, p, chosen, err
	}
	tree, err := g.Find.Units(ctx)
	if err != nil {
		return mineView{}, p, chosen, err
	}
	view := mineView{
		Me: g.lineOf(ctx, v, p, tree), HasPhoto: chosen.Photo != "" || p.Profile.Photo != "", Shown: p.Photo, Uploaded: chosen.Photo != "",
		Hours: chosen.Hours, Receives: p.Works(), Unlisted: p.Profile.Unlisted, Facts: g.facts(ctx, v, p, tree), Lists: g.hasLists(v),
	}
	if view.HasPhoto {
		view.Me.PhotoURL = photoURL(p.ID)
	}
	for _, f := range entry.Fields {
		options := g.Rules.Options(p.Affiliations, f)
		if len(options) == 0 || f == entry.FieldHours && !view.Receives {
			continue
		}
		value := chosen.Audiences[f]
		if !slices.Contains(options, value) {
			value = g.Rules.Default(p.Affiliations, f)
		}
		view.Choices = append(view.Choices, choice{Field: f, Value: value, Options: options})
	}
	return view, p, chosen, nil
}

func (g *Guide) saveMine(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), web.Viewer(r)
	view, p, chosen, err := g.mine(ctx, v)
	if err != nil {
		return err
	}
	chosen.Audiences = map[entry.Field]entry.Audience{}
	for i, c := range view.Choices {
		wanted := entry.Audience(form.Get(c.name()))
		if !slices.Contains(c.Options, wanted) {
			view.Problems.Add(c.name(), "directory.mine.problem.audience")
			continue
		}
		view.Choices[i].Value = wanted
		if wanted != g.Rules.Default(p.Affiliations, c.Field) {
			chosen.Audiences[c.Field] = wanted
		}
	}
	if view.Receives {
		view.Hours = strings.TrimSpace(strings.ReplaceAll(form.Get("hours"), "\r\n", "\n"))
		if chosen.Hours = view.Hours; len([]rune(view.Hours)) > maxHours {
			view.Problems.Add("hours", "directory.mine.problem.hours", "most", maxHours)
		}
	}
	if view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, mineTempl(view))
	}
	if err := g.DB.InTx(ctx, func(tx db.Tx) error { return entry.Choose(ctx, tx, v.Person, chosen) }); err != nil {
		return err
	}
	web.Flash(w, r, "directory.mine.saved")
	return web.SeeOther(w, r, "/directory/mine")
}

// savePhoto keeps a photo with the consent to its being shown; without a new file it
// takes the consent to the one that is there.
func (g *Guide) savePhoto(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), web.Viewer(r)
	view, _, chosen, err := g.mine(ctx, v)
	if err != nil {
		return err
	}
	refuse := func() error { return web.Render(w, r, http.StatusUnprocessableEntity, mineTempl(view)) }
	if form.Get("consent") == "" {
		view.Problems.Add("consent", "directory.mine.problem.consent")
		return refuse()
	}
	file, head, err := r.FormFile("photo")
	switch {
	case errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart):
		if !view.HasPhoto {
			view.Problems.Add("photo", "directory.mine.problem.no_photo")
			return refuse()
		}
	case err != nil:
		return web.FormMalformed.From(err)
	default:
		defer file.Close()
		ref, _, err := files.PutPicture(ctx, g.Files, files.Limit(file, photoFile), head.Filename, entry.PhotoPixels, entry.PhotoWidth)
		switch {
		case errors.Is(err, files.PictureUnreadable):
			view.Problems.Add("photo", "directory.mine.problem.unreadable")
			return refuse()
		case errors.Is(err, files.PictureTooLarge), errors.Is(err, files.TooLarge):
			view.Problems.Add("photo", "directory.mine.problem.too_large")
			return refuse()
		case err != nil:
			return err
		}
		chosen.Photo = ref
	}
	err = g.DB.InTx(ctx, func(tx db.Tx) error {
		if chosen.ConsentAt.IsZero() {
			chosen.ConsentAt = tx.Now().Time()
		}
		return entry.Choose(ctx, tx, v.Person, chosen)
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, "directory.mine.photo_shown")
	return web.SeeOther(w, r, "/directory/mine")
}

// withdrawPhoto ends the consent. A photo that the person sent is deleted; that of
// the institution is shown to nobody.
func (g *Guide) withdrawPhoto(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	err := g.DB.InTx(ctx, func(tx db.Tx) error {
		chosen, err := entry.ChoicesOf(ctx, tx, v.Person)
		if err != nil {
			return err
		}
		chosen.Photo, chosen.ConsentAt = "", db.Time(0).Time()
		return entry.Choose(ctx, tx, v.Person, chosen)
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, "directory.mine.photo_gone")
	return web.SeeOther(w, r, "/directory/mine")
}

// audienceLabel says in words who sees something.
func audienceLabel(ctx context.Context, a entry.Audience) string {
	return i18n.T(ctx, "directory.audience."+string(a))
}
