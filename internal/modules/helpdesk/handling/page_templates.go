package handling

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/handling/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// text is a template: what agents insert into an answer, in two languages.
type text struct {
	ID                        string
	TitleFrench, TitleEnglish string
	BodyFrench, BodyEnglish   string
}

// placeholders are what a template may have in braces.
var placeholders = []string{"name", "number", "subject", "service", "queue", "agent", "link"}

// templates lists them.
func (h *Handling) templates(ctx context.Context) ([]text, error) {
	rows, err := sqlgen.New(h.DB.Read()).Templates(ctx)
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	list := make([]text, len(rows))
	for i, row := range rows {
		list[i] = textOf(row)
	}
	return list, nil
}

func textOf(row sqlgen.HelpdeskTemplate) text {
	return text{row.ID, row.TitleFr, row.TitleEn, row.BodyFr, row.BodyEn}
}

func (h *Handling) template(ctx context.Context, id string) (text, error) {
	row, err := sqlgen.New(h.DB.Read()).TemplateByID(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return text{}, TemplateGone
	}
	if err != nil {
		return text{}, fmt.Errorf("read a template: %w", err)
	}
	return textOf(row), nil
}

func (h *Handling) templateOptions(ctx context.Context) ([]ui.Option, error) {
	list, err := h.templates(ctx)
	if err != nil {
		return nil, err
	}
	options := make([]ui.Option, len(list))
	for i, t := range list {
		options[i] = ui.Option{Value: t.ID, Label: i18n.Pick(ctx, t.TitleFrench, t.TitleEnglish)}
	}
	return options, nil
}

// body is the text in a language, or in the other one where it has none.
func (t text) body(l campus.Locale) string {
	if l == campus.English && t.BodyEnglish != "" || t.BodyFrench == "" {
		return t.BodyEnglish
	}
	return t.BodyFrench
}

// fill puts facts of a ticket where a text has placeholders. What is in braces and is
// none stays as it is.
func fill(body string, facts map[string]string) string {
	pairs := make([]string, 0, 2*len(facts))
	for name, value := range facts {
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(body)
}

// insertTemplate puts a text behind what is being written, in the language of the
// requester, and shows the page again.
func (h *Handling) insertTemplate(w http.ResponseWriter, r *http.Request) error {
	t, err := h.mine(r)
	if err != nil {
		return err
	}
	form, err := h.readWriteForm(r, t)
	if err != nil {
		return err
	}
	if form.Template == "" {
		var problems web.Problems
		problems.Add("template", "helpdesk.handling.problem.template")
		return h.again(w, r, t, form, problems, http.StatusUnprocessableEntity)
	}
	chosen, err := h.template(r.Context(), form.Template)
	if err != nil {
		return err
	}
	facts, err := h.factsFor(i18n.With(r.Context(), h.Texts.For(t.Locale)), t, web.Viewer(r))
	if err != nil {
		return err
	}
	if form.Body = strings.TrimRight(form.Body, " \n"); form.Body != "" {
		form.Body += "\n\n"
	}
	form.Body += fill(chosen.body(t.Locale), facts)
	if err := h.saveDraft(r, t, form.Body, form.Note); err != nil {
		return err
	}
	form.Template = ""
	return h.again(w, r, t, form, nil, http.StatusOK)
}

// factsFor are the values of the placeholders, in the language of the context.
func (h *Handling) factsFor(ctx context.Context, t ticket.Ticket, v campus.Viewer) (map[string]string, error) {
	q, err := h.Tickets.Queue(ctx, t.Queue)
	if err != nil {
		return nil, err
	}
	service, _ := h.Services.ServiceCalled(ctx, t.Service)
	link := *h.Base
	link.Path = "/helpdesk/follow/" + t.Number
	return map[string]string{
		"name": t.RequesterName, "number": ticket.Spoken(t.Number), "subject": t.Subject, "service": service, "queue": q.Name(t.Locale), "agent": v.DisplayName(), "link": link.String(),
	}, nil
}

// templatesView lists the texts, templateView is one of them.
type templatesView struct{ List []text }

type templateView struct {
	text
	Problems web.Problems
}

func (h *Handling) templatesPage(w http.ResponseWriter, r *http.Request) error {
	list, err := h.templates(r.Context())
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, templatesTempl(templatesView{list}))
}

// newText is the identifier of a template that is about to be made.
const newText = "new"

func (h *Handling) templatePage(w http.ResponseWriter, r *http.Request) error {
	view := templateView{text: text{ID: newText}}
	if known := r.PathValue("id"); known != newText {
		var err error
		if view.text, err = h.template(r.Context(), known); err != nil {
			return err
		}
	}
	return web.Render(w, r, http.StatusOK, templateTempl(view))
}

// maxTitle is how long the title of a template may be, in characters.
const maxTitle = 100

func (v *templateView) check() {
	for _, f := range []struct {
		name, value string
		limit       int
	}{{"title_fr", v.TitleFrench, maxTitle}, {"title_en", v.TitleEnglish, maxTitle}, {"body_fr", v.BodyFrench, maxBody}, {"body_en", v.BodyEnglish, maxBody}} {
		switch {
		case strings.TrimSpace(f.value) == "":
			v.Problems.Add(f.name, "helpdesk.handling.problem.missing")
		case utf8.RuneCountInString(f.value) > f.limit:
			v.Problems.Add(f.name, "helpdesk.handling.problem.long", "limit", f.limit)
		}
	}
}

func (h *Handling) keepTemplate(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	lines := func(name string) string { return strings.TrimSpace(strings.ReplaceAll(values.Get(name), "\r\n", "\n")) }
	view := templateView{text: text{r.PathValue("id"), campus.OneLine(values.Get("title_fr")), campus.OneLine(values.Get("title_en")), lines("body_fr"), lines("body_en")}}
	if view.check(); view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, templateTempl(view))
	}
	ctx := r.Context()
	if err := h.DB.InTx(ctx, func(tx db.Tx) error {
		return h.KeepText(ctx, tx, view.ID, view.TitleFrench, view.TitleEnglish, view.BodyFrench, view.BodyEnglish)
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.handling.done.template")
	return web.SeeOther(w, r, "/helpdesk/setup/templates")
}

// KeepText writes a text that agents can insert; "new" makes one.
func (h *Handling) KeepText(ctx context.Context, tx db.Tx, known, titleFrench, titleEnglish, bodyFrench, bodyEnglish string) error {
	q := sqlgen.New(tx)
	if known == newText {
		return q.InsertTemplate(ctx, sqlgen.InsertTemplateParams{ID: id.New(), TitleFr: titleFrench, TitleEn: titleEnglish, BodyFr: bodyFrench, BodyEn: bodyEnglish, ChangedAt: tx.Now()})
	}
	n, err := q.UpdateTemplate(ctx, sqlgen.UpdateTemplateParams{ID: known, TitleFr: titleFrench, TitleEn: titleEnglish, BodyFr: bodyFrench, BodyEn: bodyEnglish, ChangedAt: tx.Now()})
	if err == nil && n == 0 {
		return TemplateGone
	}
	return err
}

func (h *Handling) dropTemplate(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := h.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).CloseTemplate(ctx, sqlgen.CloseTemplateParams{ID: r.PathValue("id"), ClosedAt: tx.Now()})
		if err == nil && n == 0 {
			return TemplateGone
		}
		return err
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.handling.done.template_gone")
	return web.SeeOther(w, r, "/helpdesk/setup/templates")
}
