package knowledge

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// The bounds of an article, in characters.
const (
	maxTitle = 120
	maxBody  = 20000
)

// unwritten is the identifier of an article that is being written for the first time.
const unwritten = "new"

// writeView is an article as it is written.
type writeView struct {
	Article
	Decides  bool // publishes and retires
	Form     url.Values
	Problems web.Problems
	From     ticket.Ticket // zero for none
	Private  []string      // what may be about somebody
	Services []ui.Option
	Leaves   []ui.Option
	Versions []version
	Opinions []Opinion
}

// writePage shows an article, or a new one: out of a ticket, when the address names
// one that the viewer may handle.
func (k *Knowledge) writePage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if r.PathValue("id") != unwritten {
		a, err := k.ByID(ctx, r.PathValue("id"))
		if err != nil {
			return err
		}
		return k.show(w, r, http.StatusOK, writeView{Article: a, Form: formOf(a)})
	}
	view := writeView{Form: url.Values{}}
	if number := r.URL.Query().Get("ticket"); number != "" {
		from, err := k.handled(r, number)
		if err != nil {
			return err
		}
		if err := k.fill(ctx, &view, from); err != nil {
			return err
		}
	}
	return k.show(w, r, http.StatusOK, view)
}

// handled reads a ticket that the viewer may handle; others are told that there is
// none.
func (k *Knowledge) handled(r *http.Request, number string) (ticket.Ticket, error) {
	from, err := k.Tickets.ByNumber(r.Context(), number)
	if err != nil {
		return from, err
	}
	if !ticket.MayHandle(web.Viewer(r), from) {
		return ticket.Ticket{}, ticket.Missing
	}
	return from, nil
}

// fill makes an article of a ticket: what was asked, and the last answer that an
// agent gave.
func (k *Knowledge) fill(ctx context.Context, view *writeView, from ticket.Ticket) error {
	thread, err := k.Tickets.Thread(ctx, from.ID)
	if err != nil {
		return err
	}
	var question, answer string
	for _, m := range thread.Public().Messages {
		if m.By.Role == ticket.Agent {
			answer = m.Body
		} else if question == "" {
			question = m.Body
		}
	}
	side := "_fr"
	if from.Locale == campus.English {
		side = "_en"
	}
	view.From = from
	view.Form.Set("ticket", from.Number)
	view.Form.Set("title"+side, from.Subject)
	view.Form.Set("body"+side, strings.TrimSpace(quoted(question)+"\n\n"+answer))
	view.Form.Set("reasons", from.Reason)
	if from.Service != "" {
		view.Form.Set("services", from.Service)
	}
	if from.Leaf != "" {
		view.Form.Set("leaves", from.Leaf)
	}
	return nil
}

// quoted is a text as a quotation of Markdown.
func quoted(text string) string {
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	return "> " + strings.ReplaceAll(text, "\n", "\n> ")
}

func formOf(a Article) url.Values {
	f := url.Values{
		"title_fr": {a.Title.French}, "title_en": {a.Title.English}, "body_fr": {a.Body.French}, "body_en": {a.Body.English},
		"reasons": {strings.Join(a.Reasons, "\n")}, "services": a.Services, "leaves": a.Leaves,
	}
	if a.Internal {
		f.Set("internal", "on")
	}
	return f
}

func (k *Knowledge) show(w http.ResponseWriter, r *http.Request, status int, view writeView) error {
	ctx := r.Context()
	view.Decides = web.Viewer(r).Can(campus.RightDesks)
	var all strings.Builder
	for _, field := range []string{"title_fr", "title_en", "body_fr", "body_en"} {
		all.WriteString(view.Form.Get(field) + "\n")
	}
	view.Private = private(all.String(), view.From.RequesterName)
	if err := k.choices(r, &view); err != nil {
		return err
	}
	if view.ID != "" {
		var err error
		if view.Versions, err = k.versionsOf(ctx, view.ID); err != nil {
			return err
		}
		var ids []campus.PersonID
		for _, v := range view.Versions {
			ids = append(ids, v.ChangedBy)
		}
		known, err := k.Register.KnownPeople(ctx, ids)
		if err != nil {
			return err
		}
		for i, v := range view.Versions {
			if who, ok := known[v.ChangedBy]; ok {
				view.Versions[i].Author = strings.TrimSpace(who.Subject.GivenName + " " + who.Subject.FamilyName)
			}
		}
		if view.Opinions, err = k.opinionsOf(ctx, view.ID); err != nil {
			return err
		}
	}
	return web.Render(w, r, status, writeTempl(view))
}

// choices are the services and the leaves that an article can belong to.
func (k *Knowledge) choices(r *http.Request, view *writeView) error {
	ctx := r.Context()
	seen := map[string]bool{}
	add := func(id, name string) {
		if !seen[id] {
			seen[id] = true
			view.Services = append(view.Services, ui.Option{Value: id, Label: name})
		}
	}
	for _, room := range k.Catalogue() {
		list, err := room.Services(ctx, web.Viewer(r))
		if err != nil {
			return err
		}
		for _, s := range list {
			if id, ok := strings.CutPrefix(s.ID, "sso."); ok {
				add(id, s.Name)
			}
		}
	}
	for _, id := range view.Form["services"] {
		name, _ := k.Services.ServiceCalled(ctx, id)
		if name == "" {
			name = id
		}
		add(id, name)
	}
	for _, leaf := range diagnosis.Leaves {
		view.Leaves = append(view.Leaves, ui.Option{Value: leaf.Key, Label: leafName(ctx, leaf.Key)})
	}
	return nil
}

// read takes a form into an article.
func (view *writeView) read(a *Article) {
	f := view.Form
	text := func(field string) string {
		return strings.TrimSpace(strings.ReplaceAll(f.Get(field), "\r\n", "\n"))
	}
	a.Title = hours.Named{French: campus.OneLine(f.Get("title_fr")), English: campus.OneLine(f.Get("title_en"))}
	a.Body = hours.Named{French: text("body_fr"), English: text("body_en")}
	a.Internal = f.Get("internal") != ""
	if a.Title == (hours.Named{}) {
		view.Problems.Add("title_fr", "helpdesk.knowledge.problem.title")
	}
	if a.Body == (hours.Named{}) {
		view.Problems.Add("body_fr", "helpdesk.knowledge.problem.body")
	}
	for field, limited := range map[string]struct {
		text string
		most int
	}{"title_fr": {a.Title.French, maxTitle}, "title_en": {a.Title.English, maxTitle}, "body_fr": {a.Body.French, maxBody}, "body_en": {a.Body.English, maxBody}} {
		if utf8.RuneCountInString(limited.text) > limited.most {
			view.Problems.Add(field, "helpdesk.knowledge.problem.long", "limit", limited.most)
		}
	}
	a.Reasons = strings.Fields(f.Get("reasons"))
	for _, code := range a.Reasons {
		if reasonCalled(code) == nil {
			view.Problems.Add("reasons", "helpdesk.knowledge.problem.reason", "code", code)
			break
		}
	}
	a.Services = f["services"]
	a.Leaves = slices.DeleteFunc(slices.Clone(f["leaves"]), func(key string) bool { return diagnosis.LeafOf(key) == nil })
}

// keep writes an article. A published one stays published when those who run the desk
// change it; an agent's change of it waits for them as a draft.
func (k *Knowledge) keep(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), web.Viewer(r)
	view := writeView{Form: form}
	a := Article{State: Draft}
	if r.PathValue("id") != unwritten {
		if a, err = k.ByID(ctx, r.PathValue("id")); err != nil {
			return err
		}
		read, err := strconv.ParseInt(form.Get("version"), 10, 64)
		if err != nil || read != a.Version {
			return Changed
		}
	} else if number := form.Get("ticket"); number != "" {
		if view.From, err = k.handled(r, number); err != nil {
			return err
		}
		a.Ticket = view.From.ID
	}
	view.read(&a)
	decides := v.Can(campus.RightDesks)
	switch {
	case decides && form.Get("publish") != "":
		a.State = Published
	case a.State == Published && !decides:
		a.State = Draft
	}
	view.Article = a
	if private := private(a.Title.French+"\n"+a.Title.English+"\n"+a.Body.French+"\n"+a.Body.English, view.From.RequesterName); len(private) > 0 && form.Get("checked") == "" {
		view.Problems.Add("checked", "helpdesk.knowledge.problem.private")
	}
	if view.Problems.Any() {
		return k.show(w, r, http.StatusUnprocessableEntity, view)
	}
	if err := k.DB.InTx(ctx, func(tx db.Tx) error {
		kept, err := k.Keep(ctx, tx, v.Person, view.Article)
		a = kept
		return err
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.knowledge.kept_"+string(a.State))
	return web.SeeOther(w, r, deskURL+"/"+a.ID)
}

// changeState publishes an article, or takes it off the shelf.
func (k *Knowledge) changeState(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	a, err := k.ByID(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	to := State(form.Get("state"))
	if read, err := strconv.ParseInt(form.Get("version"), 10, 64); err != nil || read != a.Version || !slices.Contains([]State{Draft, Published, Retired}, to) {
		return Changed
	}
	a.State = to
	if err := k.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := k.Keep(ctx, tx, web.Viewer(r).Person, a)
		return err
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.knowledge.kept_"+string(to))
	return web.SeeOther(w, r, deskURL+"/"+a.ID)
}
