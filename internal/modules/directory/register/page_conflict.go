package register

import (
	"context"
	"net/http"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// conflictView is a question with everybody whom it is about.
type conflictView struct {
	Conflict
	Source   string // its name
	Known    []contract.Known
	Decided  string // who did
	Apart    bool   // it may be somebody else
	Problems web.Problems
}

func (e *Engine) conflictView(ctx context.Context, id string) (conflictView, error) {
	c, err := e.ConflictByID(ctx, id)
	if err != nil {
		return conflictView{}, err
	}
	view := conflictView{Conflict: c, Source: e.SourceName(ctx, c.Source)}
	known, err := e.Register.KnownPeople(ctx, c.People)
	if err != nil {
		return view, err
	}
	if view.Apart, err = e.mayBeApart(ctx, c); err != nil {
		return view, err
	}
	for _, who := range c.People {
		if k, ok := known[who]; ok {
			view.Known = append(view.Known, k)
		}
	}
	names, err := e.nameThem(ctx, c.DecidedBy)
	view.Decided = names[c.DecidedBy]
	return view, err
}

func (e *Engine) conflictPage(w http.ResponseWriter, r *http.Request) error {
	view, err := e.conflictView(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, conflictTempl(view))
}

// title is whom the record names.
func (v conflictView) title() string {
	if v.Name != "" {
		return v.Name
	}
	return v.Key
}

// said is the record, field by field.
func (v conflictView) said(ctx context.Context) []ui.Fact {
	facts := []ui.Fact{{Label: t(ctx, "column.key"), Text: v.Key}, {Label: t(ctx, "column.place"), Text: v.Place}}
	fields := v.Values.Fields()
	slices.SortFunc(fields, compareFields)
	for _, f := range fields {
		if values := v.Values[f]; len(values) > 0 {
			facts = append(facts, ui.Fact{Label: fieldName(ctx, string(f)), Text: valueWords(ctx, f, values)})
		}
	}
	return facts
}

// knownFacts are what is known of somebody.
func knownFacts(ctx context.Context, k contract.Known) []ui.Fact {
	s := k.Subject
	var facts []ui.Fact
	for _, f := range []struct {
		field mapping.Field
		value string
	}{
		{contract.FieldFamilyName, s.FamilyName}, {contract.FieldGivenName, s.GivenName}, {contract.FieldLogin, s.Login}, {contract.FieldMail, s.Mail},
		{contract.FieldStudentNumber, s.StudentNumber}, {contract.FieldJobTitle, s.JobTitle}, {contract.FieldAffiliations, valueWords(ctx, contract.FieldAffiliations, formatted(s.Affiliations))},
	} {
		if f.value != "" {
			facts = append(facts, ui.Fact{Label: fieldName(ctx, string(f.field)), Text: f.value})
		}
	}
	return facts
}

// options are the decisions that one can take.
func (v conflictView) options(ctx context.Context) []ui.Option {
	var options []ui.Option
	for _, k := range v.Known {
		options = append(options, ui.Option{
			Value: Same + " " + string(k.ID), Label: t(ctx, "conflict.same", "name", k.Subject.GivenName+" "+k.Subject.FamilyName, "login", k.Subject.Login), Help: t(ctx, "conflict.same_help"),
		})
	}
	if v.Apart {
		options = append(options, ui.Option{Value: Apart, Label: t(ctx, "conflict.apart"), Help: t(ctx, "conflict.apart_help")})
	}
	return append(options,
		ui.Option{Value: Ignore, Label: t(ctx, "conflict.ignore"), Help: t(ctx, "conflict.ignore_help")})
}

func (e *Engine) decideConflict(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	view, err := e.conflictView(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	decision, person := form.Get("decision"), campus.PersonID("")
	if !slices.ContainsFunc(view.options(ctx), func(o ui.Option) bool { return o.Value == decision }) {
		view.Problems.Add("decision", "directory.register.conflict.choose")
		return web.Render(w, r, http.StatusUnprocessableEntity, conflictTempl(view))
	}
	if who, ok := cutSame(decision); ok {
		decision, person = Same, who
	}
	done, err := e.Decide(ctx, web.Viewer(r), view.ID, decision, person)
	if err != nil {
		return err
	}
	if done.Err != nil {
		web.Flash(w, r, "directory.register.conflict.decided_but", "reason", Words(ctx, fault.Of(done.Err)))
	} else {
		web.Flash(w, r, "directory.register.conflict.decided")
	}
	return web.SeeOther(w, r, "/directory/conflicts")
}

func cutSame(decision string) (campus.PersonID, bool) {
	const prefix = Same + " "
	if len(decision) <= len(prefix) || decision[:len(prefix)] != prefix {
		return "", false
	}
	return campus.PersonID(decision[len(prefix):]), true
}

// originsView is where the values of somebody come from.
type originsView struct {
	Person campus.PersonID
	Name   string
	Fields []Provenance
	Names  map[string]string // of sources
}

func (e *Engine) originsPage(w http.ResponseWriter, r *http.Request) error {
	ctx, who := r.Context(), campus.PersonID(r.PathValue("person"))
	names, err := e.nameThem(ctx, who)
	if err != nil {
		return err
	}
	view := originsView{Person: who, Name: names[who], Names: map[string]string{}}
	if view.Name == string(who) {
		return PersonMissing
	}
	if view.Fields, err = e.Origins(ctx, who); err != nil {
		return err
	}
	for _, f := range e.Feeds {
		view.Names[f.Config.ID] = f.Config.Name(i18n.Locale(ctx))
	}
	return web.Render(w, r, http.StatusOK, originsTempl(view))
}

func (v originsView) table(ctx context.Context) ui.TableProps {
	table := ui.TableProps{Caption: t(ctx, "origins.lead"), QuietCaption: true, Columns: []ui.Column{
		{Label: t(ctx, "column.field")}, {Label: t(ctx, "column.value")}, {Label: t(ctx, "column.source")}, {Label: t(ctx, "column.since")}, {Label: t(ctx, "column.state")},
	}}
	for _, p := range v.Fields {
		for _, said := range p.Said {
			name := v.Names[said.Source]
			if name == "" {
				name = said.Source
			}
			table.Rows = append(table.Rows, []ui.Cell{
				ui.TextCell(fieldName(ctx, string(p.Field))), ui.TextCell(valueWords(ctx, p.Field, said.Values)), ui.TextCell(name),
				ui.BodyCell(ui.When(said.Since, i18n.Day)), ui.BodyCell(originState(v.Person, p, said)),
			})
		}
	}
	return table
}

func (e *Engine) pinValue(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	who, f, src := campus.PersonID(r.PathValue("person")), mapping.Field(form.Get("field")), form.Get("source")
	list, err := e.Origins(r.Context(), who)
	if err != nil {
		return err
	}
	known := slices.ContainsFunc(list, func(p Provenance) bool {
		return p.Field == f && (src == "" || slices.ContainsFunc(p.Said, func(s Said) bool { return s.Source == src }))
	})
	if !known {
		return PersonMissing
	}
	if err := e.Pin(r.Context(), web.Viewer(r), who, f, src); err != nil {
		return err
	}
	web.Flash(w, r, "directory.register.origins.done")
	return web.SeeOther(w, r, "/directory/origins/"+string(who))
}
