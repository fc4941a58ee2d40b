package portal

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// articleForm is what the publisher typed.
type articleForm struct {
	Version                int64
	Title, Summary, Body   news.Text
	Source, Alt            news.Text
	Kinds                  []string
	Campuses, Programmes   []string
	Public                 bool
	PublishAt, UnpublishAt string // as a browser's field has it, in the institution's time zone
	PictureID              string
	DropPicture            bool
	Act                    string // save, publish or preview
}

// momentLayout is that of <input type="datetime-local">.
const momentLayout = "2006-01-02T15:04"

// maxVersion keeps a forged version within what the database holds.
const maxVersion = 1 << 53

// versionOf is the version that the publisher saw; one that cannot be is the
// same as a changed article.
func versionOf(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > maxVersion {
		return 0, news.Changed
	}
	return n, nil
}

func readArticleForm(r *http.Request) (articleForm, error) {
	values, err := web.Form(r)
	if err != nil {
		return articleForm{}, err
	}
	version, err := versionOf(values.Get("version"))
	if err != nil {
		return articleForm{}, err
	}
	text := func(name string) news.Text {
		return news.Text{French: clean(values.Get(name + "_fr")), English: clean(values.Get(name + "_en"))}
	}
	return articleForm{
		Version: version, Title: text("title"), Summary: text("summary"), Body: text("body"), Source: text("source"), Alt: text("alt"),
		Kinds: values["kinds"], Campuses: values["campuses"], Programmes: values["programmes"], Public: values.Get("public") != "",
		PublishAt: values.Get("publish_at"), UnpublishAt: values.Get("unpublish_at"),
		PictureID: values.Get("picture_id"), DropPicture: values.Get("drop_picture") != "", Act: values.Get("act"),
	}, nil
}

// clean trims a text and gives it one kind of line ends.
func clean(text string) string { return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")) }

// content turns the form into content. The rights of the audience are not in the
// form and stay what they were.
func (f articleForm) content(zone *time.Location, places place.Names, rights []campus.Right) (news.Content, web.Problems) {
	var problems web.Problems
	c := news.Content{
		Title: f.Title, Summary: f.Summary, Body: f.Body, Source: f.Source, Public: f.Public,
		Audience: campus.Audience{Rights: rights}, Picture: news.Picture{ID: f.PictureID, Alt: f.Alt},
	}
	for _, k := range f.Kinds {
		if slices.Contains(campus.Kinds, campus.Kind(k)) {
			c.Audience.Kinds = append(c.Audience.Kinds, campus.Kind(k))
		}
	}
	c.Audience.Campuses = known(f.Campuses, places.Campuses(), &problems, "campuses")
	c.Audience.Programmes = known(f.Programmes, places.Programmes(), &problems, "programmes")
	moment := func(field, text string) time.Time {
		if text == "" {
			return time.Time{}
		}
		t, err := time.ParseInLocation(momentLayout, text, zone)
		if err != nil || t.Year() < 2000 || t.Year() > 2200 {
			problems.Add(field, "portal.news.problem.moment")
			return time.Time{}
		}
		return t
	}
	c.PublishAt, c.UnpublishAt = moment("publish_at", f.PublishAt), moment("unpublish_at", f.UnpublishAt)
	return c, problems
}

// known keeps the codes that exist; another is a problem, because leaving it out
// in silence would widen the audience.
func known(codes []string, places []place.Place, problems *web.Problems, field string) []string {
	var kept []string
	for _, code := range codes {
		if !slices.ContainsFunc(places, func(p place.Place) bool { return p.Code == code }) {
			problems.Add(field, "portal.news.problem.place")
			continue
		}
		kept = append(kept, code)
	}
	return kept
}

func formOf(a news.Article, zone *time.Location) articleForm {
	f := articleForm{
		Version: a.Version, Title: a.Title, Summary: a.Summary, Body: a.Body, Source: a.Source, Alt: a.Picture.Alt,
		Campuses: a.Audience.Campuses, Programmes: a.Audience.Programmes, Public: a.Public, PictureID: a.Picture.ID,
	}
	for _, k := range a.Audience.Kinds {
		f.Kinds = append(f.Kinds, string(k))
	}
	if !a.PublishAt.IsZero() {
		f.PublishAt = a.PublishAt.In(zone).Format(momentLayout)
	}
	if !a.UnpublishAt.IsZero() {
		f.UnpublishAt = a.UnpublishAt.In(zone).Format(momentLayout)
	}
	return f
}

// editView is the form of an article.
type editView struct {
	ID       string // empty for a new one
	Stage    news.Stage
	Form     articleForm
	Problems web.Problems
	Picture  news.Picture
	Preview  *news.Content
	// Theirs is the version that somebody else kept in the meantime.
	Theirs               *news.Article
	ByViewer             bool // that somebody is the viewer, in another window
	Campuses, Programmes []place.Place
	MaxPicture           int64
}

func (m *Module) edit(f articleForm) editView {
	return editView{Form: f, Stage: news.StageDraft, Campuses: m.Places.Campuses(), Programmes: m.Places.Programmes(), MaxPicture: m.config.MaxPicture}
}

func (m *Module) newArticlePage(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, editTempl(m.edit(articleForm{})))
}

func (m *Module) editArticlePage(w http.ResponseWriter, r *http.Request) error {
	a, err := m.desk.ForEdit(r.Context(), web.Viewer(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	view := m.edit(formOf(a, i18n.Of(r.Context()).Zone()))
	view.ID, view.Stage, view.Picture = a.ID, a.Stage(m.Clock.Now()), a.Picture
	if r.URL.Query().Get("check") != "" { // somebody tried to publish it
		view.Problems = a.Check(true)
	}
	return web.Render(w, r, http.StatusOK, editTempl(view))
}

func (m *Module) writeArticle(w http.ResponseWriter, r *http.Request) error {
	return m.keepArticle(w, r, news.Article{State: news.Draft})
}

func (m *Module) changeArticle(w http.ResponseWriter, r *http.Request) error {
	a, err := m.desk.ForEdit(r.Context(), web.Viewer(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return m.keepArticle(w, r, a)
}

// keepArticle reads the form over an article and keeps it, shows it, or says
// what is to mend. Nothing typed is lost on the way, the picture included.
func (m *Module) keepArticle(w http.ResponseWriter, r *http.Request, a news.Article) error {
	ctx, v := r.Context(), web.Viewer(r)
	form, err := readArticleForm(r)
	if err != nil {
		return err
	}
	view := m.edit(form)
	view.ID, view.Stage = a.ID, a.Stage(m.Clock.Now())
	if view.Picture, err = m.pictureFor(r, &view.Form, &view.Problems); err != nil {
		return err
	}
	content, problems := view.Form.content(i18n.Of(ctx).Zone(), m.Places, a.Audience.Rights)
	content.Picture = view.Picture
	content.Picture.Alt = view.Form.Alt
	finished := form.Act == "publish" || view.Stage == news.StageOnline || view.Stage == news.StageScheduled
	view.Problems = append(append(view.Problems, problems...), content.Check(finished)...)
	switch {
	case view.Problems.Any():
		return web.Render(w, r, http.StatusUnprocessableEntity, editTempl(view))
	case form.Act == "preview":
		view.Preview = &content
		return web.Render(w, r, http.StatusOK, editTempl(view))
	}
	version := form.Version
	if a.ID == "" {
		a.ID, err = m.desk.Write(ctx, v, content)
		version = 1
	} else {
		err = m.desk.Change(ctx, v, a.ID, version, content)
		version++
	}
	if errors.Is(err, news.Changed) {
		return m.showConflict(w, r, view)
	}
	if err != nil {
		return err
	}
	if form.Act == "publish" {
		return m.publishKept(w, r, a.ID, version, content, view.Stage)
	}
	web.Flash(w, r, "portal.desk.kept")
	return web.SeeOther(w, r, "/portal/desk/"+a.ID)
}

// publishKept publishes what was just kept; what is out already stays so.
func (m *Module) publishKept(w http.ResponseWriter, r *http.Request, id string, version int64, c news.Content, stage news.Stage) error {
	if stage == news.StageDraft {
		var err error
		if stage, err = m.desk.Take(r.Context(), web.Viewer(r), id, version, news.Publish); err != nil {
			return err
		}
	}
	web.Flash(w, r, "portal.desk.reached."+string(stage))
	return web.SeeOther(w, r, "/portal/news/"+url.PathEscape(id))
}

// showConflict keeps what was typed and shows what somebody else kept. Saving
// again is then a decision.
func (m *Module) showConflict(w http.ResponseWriter, r *http.Request, view editView) error {
	theirs, err := m.desk.ForEdit(r.Context(), web.Viewer(r), view.ID)
	if err != nil {
		return err
	}
	view.Theirs, view.ByViewer = &theirs, theirs.ChangedBy == web.Viewer(r).Person
	view.Form.Version = theirs.Version
	web.Note(r, fault.Of(news.Changed))
	return web.Render(w, r, http.StatusConflict, editTempl(view))
}

// pictureFor is the picture of the form: a new upload, the one it had, or none.
func (m *Module) pictureFor(r *http.Request, f *articleForm, problems *web.Problems) (news.Picture, error) {
	ctx, v := r.Context(), web.Viewer(r)
	if f.DropPicture {
		f.PictureID, f.Alt = "", news.Text{}
	}
	file, header, err := r.FormFile("picture")
	switch {
	case errors.Is(err, http.ErrMissingFile), errors.Is(err, http.ErrNotMultipart):
		return m.desk.KnownPicture(ctx, v, f.PictureID)
	case err != nil:
		return news.Picture{}, web.FormMalformed.From(err)
	}
	defer file.Close() // opened for reading
	p, err := m.desk.AddPicture(ctx, v, file, header.Filename)
	switch reason := fault.Of(err).Reason; {
	case err == nil:
		f.PictureID, f.DropPicture = p.ID, false
		return p, nil
	case reason == files.PictureUnreadable, reason == files.PictureTooLarge, reason == files.TooLarge:
		problems.Add("picture", reason.Code()+".message", web.Pairs(fault.Of(err).Args)...)
		return m.desk.KnownPicture(ctx, v, f.PictureID)
	default:
		return news.Picture{}, err
	}
}

// differs lists the fields in which another version differs from what was
// typed: their labels, and what the other version says.
func (v editView) differs(t func(key string) string) []ui.Fact {
	var facts []ui.Fact
	for _, f := range []struct{ key, mine, theirs string }{
		{"title_fr", v.Form.Title.French, v.Theirs.Title.French}, {"title_en", v.Form.Title.English, v.Theirs.Title.English},
		{"summary_fr", v.Form.Summary.French, v.Theirs.Summary.French}, {"summary_en", v.Form.Summary.English, v.Theirs.Summary.English},
		{"body_fr", v.Form.Body.French, v.Theirs.Body.French}, {"body_en", v.Form.Body.English, v.Theirs.Body.English},
		{"source_fr", v.Form.Source.French, v.Theirs.Source.French}, {"source_en", v.Form.Source.English, v.Theirs.Source.English},
	} {
		if f.mine != f.theirs {
			text := f.theirs
			if text == "" {
				text = t("portal.edit.nothing")
			}
			facts = append(facts, ui.Fact{Label: t("portal.edit." + f.key), Text: text})
		}
	}
	return facts
}

// saveURL is where the form goes.
func (v editView) saveURL() string {
	if v.ID == "" {
		return "/portal/desk/new"
	}
	return "/portal/desk/" + v.ID
}

// placeOptions are places to tick.
func placeOptions(l campus.Locale, places []place.Place) []ui.Option {
	options := make([]ui.Option, len(places))
	for i, p := range places {
		options[i] = ui.Option{Value: p.Code, Label: p.Name(l)}
	}
	return options
}

// kindOptions are kinds of people to tick.
func kindOptions(t func(key string) string) []ui.Option {
	options := make([]ui.Option, len(campus.Kinds))
	for i, k := range campus.Kinds {
		options[i] = ui.Option{Value: string(k), Label: t("portal.news.for." + string(k))}
	}
	return options
}
