package correction

import (
	"context"
	"github.com/amphi-campus/amphi/internal/modules/directory/byhand"
	"github.com/amphi-campus/amphi/internal/modules/directory/edit"
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// askView is the form on which somebody says what is wrong.
type askView struct {
	Name, URL string
	Reviewer  string // who answers; empty for the secretariat
	Field     string
	Wanted    string
	Problems  web.Problems
}

// person is somebody whom the viewer sees. Who they do not see is not there for them.
func (d *Desk) person(ctx context.Context, v campus.Viewer, who string) (find.Person, error) {
	p, ok, err := d.Find.Person(ctx, campus.PersonID(who))
	if err != nil {
		return find.Person{}, err
	}
	if !ok || !p.Shows(v, entry.FieldEntry) {
		return find.Person{}, Missing
	}
	return p, nil
}

func (d *Desk) askView(ctx context.Context, v campus.Viewer, p find.Person) (askView, error) {
	view := askView{Name: p.DisplayName(), URL: "/directory/people/" + string(p.ID)}
	reviewer, err := d.reviewerOf(ctx, p)
	if err != nil || reviewer == "" {
		return view, err
	}
	view.Reviewer, err = d.nameFor(ctx, v, reviewer)
	return view, err
}

// nameFor is what a viewer may know of somebody's name; "" for who left, or whom they
// do not see.
func (d *Desk) nameFor(ctx context.Context, v campus.Viewer, who campus.PersonID) (string, error) {
	p, ok, err := d.Find.Person(ctx, who)
	if err != nil || !ok || !p.Shows(v, entry.FieldEntry) {
		return "", err
	}
	return p.DisplayName(), nil
}

// nameOf is what people call somebody; "" for who left.
func (d *Desk) nameOf(ctx context.Context, who campus.PersonID) (string, error) {
	p, ok, err := d.Find.Person(ctx, who)
	if err != nil || !ok {
		return "", err
	}
	return p.DisplayName(), nil
}

func (d *Desk) askPage(w http.ResponseWriter, r *http.Request) error {
	p, err := d.person(r.Context(), web.Viewer(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	view, err := d.askView(r.Context(), web.Viewer(r), p)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, askTempl(view))
}

func (d *Desk) ask(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), web.Viewer(r)
	p, err := d.person(ctx, v, r.PathValue("id"))
	if err != nil {
		return err
	}
	field, wanted := form.Get("field"), strings.TrimSpace(form.Get("wanted"))
	var problems web.Problems
	if !validField(field) {
		problems.Add("field", "directory.correction.problem.field")
	}
	if wanted == "" {
		problems.Add("wanted", "directory.correction.problem.wanted")
	} else if tooLong(wanted) {
		problems.Add("wanted", "directory.correction.problem.long", "most", maxText)
	}
	if problems.Any() {
		view, err := d.askView(ctx, v, p)
		if err != nil {
			return err
		}
		view.Field, view.Wanted, view.Problems = field, wanted, problems
		return web.Render(w, r, http.StatusUnprocessableEntity, askTempl(view))
	}
	if err := d.Ask(ctx, v, p, field, wanted); err != nil {
		return err
	}
	web.Flash(w, r, "directory.correction.sent")
	return web.SeeOther(w, r, "/directory/corrections")
}

// correctionLine is a request in a list.
type correctionLine struct {
	Correction
	Name string // whose entry
}

// queueView is what waits for the viewer, and what they asked for.
type queueView struct{ Waiting, Asked []correctionLine }

func (d *Desk) queuePage(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	var view queueView
	open, err := d.open(ctx)
	if err != nil {
		return err
	}
	for _, c := range open {
		p, ok, err := d.Find.Person(ctx, c.Person)
		if err != nil {
			return err
		}
		if ok && mayAnswer(v, c, p) {
			view.Waiting = append(view.Waiting, correctionLine{c, p.DisplayName()})
		}
	}
	asked, err := d.Asked(ctx, v.Person)
	if err != nil {
		return err
	}
	for _, c := range asked {
		name, err := d.nameFor(ctx, v, c.Person)
		if err != nil {
			return err
		}
		view.Asked = append(view.Asked, correctionLine{c, name})
	}
	return web.Render(w, r, http.StatusOK, queueTempl(view))
}

// correctionView is the page of one request.
type correctionView struct {
	Correction
	Name, URL string
	Asker     string
	Answerer  string
	May       bool // the viewer answers it
	Verdict   State
	Text      string
	Problems  web.Problems
	// Writes is set when accepting writes the value here; Override when the viewer can
	// have it written over what the source says.
	Writes, Override bool
	Over             bool // that was ticked
	Person           bool // the value is somebody, named by identifier or address
	Typed            string
	Source           string // where it is mended; empty for the account
	Self             bool   // the person alone decides about it
	Editor           string // address of the form of the entry, for those who keep it
}

// mine is a request that the viewer answers or asked for, or Missing.
func (d *Desk) mine(r *http.Request) (correctionView, find.Person, error) {
	ctx, v := r.Context(), web.Viewer(r)
	c, err := d.byID(ctx, r.PathValue("id"))
	if err != nil {
		return correctionView{}, find.Person{}, err
	}
	p, _, err := d.Find.Person(ctx, c.Person)
	if err != nil {
		return correctionView{}, p, err
	}
	may := p.ID != "" && mayAnswer(v, c, p)
	if !may && c.AskedBy != v.Person {
		return correctionView{}, p, Missing
	}
	view := correctionView{Correction: c, URL: "/directory/people/" + string(c.Person), May: may && (c.State == Open || c.State == Waiting), Typed: c.Wanted}
	if may || p.Shows(v, entry.FieldEntry) {
		view.Name = p.DisplayName()
	}
	if view.Asker, err = d.nameOf(ctx, c.AskedBy); err == nil && c.AnsweredBy != "" {
		view.Answerer, err = d.nameFor(ctx, v, c.AnsweredBy)
	}
	if err != nil {
		return view, p, err
	}
	if c.State == Waiting {
		view.Source, view.Self = d.Edits.SourceName(ctx, c.WaitsFor), c.WaitsFor == edit.Self
	}
	if view.May && entry.Keeps(v, p.Affiliations) {
		view.Editor = view.URL + "/edit"
	}
	return view, p, nil
}

// offer says on the page what accepting does.
func (d *Desk) offer(ctx context.Context, v campus.Viewer, view *correctionView, p find.Person) (edit.Offer, error) {
	if !view.May || view.State != Open {
		return edit.Offer{}, nil
	}
	o, err := d.Edits.Offer(ctx, v, p, partOf[view.Field])
	if err != nil {
		return o, err
	}
	view.Writes, view.Override, view.Person = o.Writes(), o.Override, o.Person
	view.Source, view.Self = o.Origin.Name, o.Origin.Source == edit.Self
	if view.Person { // the request names somebody in words
		view.Typed = ""
	}
	return o, nil
}

func (d *Desk) correctionPage(w http.ResponseWriter, r *http.Request) error {
	view, p, err := d.mine(r)
	if err != nil {
		return err
	}
	if _, err := d.offer(r.Context(), web.Viewer(r), &view, p); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, correctionTempl(view))
}

func (d *Desk) answer(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	view, p, err := d.mine(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), web.Viewer(r)
	offer, err := d.offer(ctx, v, &view, p)
	if err != nil {
		return err
	}
	view.Verdict, view.Text, view.Over = State(form.Get("verdict")), strings.TrimSpace(form.Get("answer")), form.Get("override") != "" && view.Override
	if view.Verdict != Accepted && view.Verdict != Refused {
		view.Problems.Add("verdict", "directory.correction.problem.verdict")
	}
	if view.Verdict == Refused && view.Text == "" {
		view.Problems.Add("answer", "directory.correction.problem.answer")
	} else if tooLong(view.Text) {
		view.Problems.Add("answer", "directory.correction.problem.long", "most", maxText)
	}
	state, c := view.Verdict, view.Correction
	var change *byhand.Change
	switch {
	case state != Accepted || !view.May || c.State != Open:
	case view.Writes || view.Over:
		if form.Has("written") {
			view.Typed = strings.TrimSpace(form.Get("written"))
		}
		made, words, problems, err := d.Edits.Take(ctx, v, p, offer, view.Typed, c.ID)
		if err != nil {
			return err
		}
		view.Problems = append(view.Problems, problems...)
		change, c.Written = &made, words
	default:
		state, c.WaitsFor, c.Held = Waiting, offer.Origin.Source, said(p, c.Field)
	}
	if view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, correctionTempl(view))
	}
	if err := d.Reply(ctx, v, c, p, state, view.Text, change); err != nil {
		return err
	}
	web.Flash(w, r, "directory.correction.answered")
	return web.SeeOther(w, r, "/directory/corrections")
}

// toneOf is the colour of a state.
func toneOf(s State) ui.Tone {
	switch s {
	case Accepted:
		return ui.Good
	case Refused:
		return ui.Bad
	case Waiting:
		return ui.Warn
	default:
		return ui.Info
	}
}

func fieldOptions(ctx context.Context) []ui.Option {
	options := make([]ui.Option, len(Fields))
	for i, f := range Fields {
		options[i] = ui.Option{Value: f, Label: fieldLabel(ctx, f)}
	}
	return options
}

func fieldLabel(ctx context.Context, field string) string {
	return i18n.T(ctx, "directory.correction.field."+field)
}
