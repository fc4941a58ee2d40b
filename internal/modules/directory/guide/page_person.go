package guide

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/qr"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// personView is the page of somebody, with what the viewer may see of it.
type personView struct {
	Line     line
	Kind     string
	Facts    []ui.Fact
	Replaced *line  // who answers meanwhile
	Chain    []line // who leads, from the nearest
	Groups   []string
	Card     string // address of the vCard
	Code     string // address of a picture of it, for telephones
	Own      bool
	File     string // address of the whole file, for those who look after it
	Edit     string // address of the form of the entry, for the same
	Unlisted bool
	// As is who the person sees themselves as; empty for themselves.
	As string
}

// person is somebody whom the viewer sees, or PersonMissing.
func (g *Guide) person(ctx context.Context, v campus.Viewer, id string) (find.Person, error) {
	if err := g.look(v, g.looks); err != nil {
		return find.Person{}, err
	}
	p, ok, err := g.Find.Person(ctx, campus.PersonID(id))
	if err != nil {
		return find.Person{}, err
	}
	if !ok || !p.Shows(v, entry.FieldEntry) {
		return find.Person{}, PersonMissing
	}
	return p, nil
}

// looksAs is somebody else of an audience, for whoever looks at themselves through
// their eyes.
func looksAs(audience string) (campus.Viewer, bool) {
	v := campus.Viewer{Person: "somebody else"}
	switch entry.Audience(audience) {
	case entry.Employees:
		v.Affiliations = []campus.Affiliation{{Kind: campus.Staff}}
	case entry.Members:
		v.Affiliations = []campus.Affiliation{{Kind: campus.Student}}
	case entry.SignedIn:
	default:
		return campus.Viewer{}, false
	}
	return v, true
}

func (g *Guide) personPage(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	p, err := g.person(ctx, v, r.PathValue("id"))
	if err != nil {
		return err
	}
	own, as := p.ID == v.Person, ""
	if other, ok := looksAs(r.URL.Query().Get("as")); ok && own {
		v, as = other, r.URL.Query().Get("as")
		if !p.Shows(v, entry.FieldEntry) {
			return web.Render(w, r, http.StatusOK, hiddenTempl(as))
		}
	}
	view, err := g.personView(ctx, v, p)
	if err != nil {
		return err
	}
	view.Own, view.As = own, as
	if entry.Keeps(v, p.Affiliations) {
		view.Edit = personURL(p.ID) + "/edit"
		if !own {
			view.File = personURL(p.ID) + "/file"
		}
	}
	return web.Render(w, r, http.StatusOK, personTempl(view))
}

func (g *Guide) personView(ctx context.Context, v campus.Viewer, p find.Person) (personView, error) {
	tree, err := g.Find.Units(ctx)
	if err != nil {
		return personView{}, err
	}
	view := personView{
		Line: g.lineOf(ctx, v, p, tree), Kind: kindName(ctx, p), Card: personURL(p.ID) + "/card.vcf", Code: personURL(p.ID) + "/card.svg",
		Unlisted: p.Profile.Unlisted, Facts: g.facts(ctx, v, p, tree),
	}
	if p.Shows(v, entry.FieldReplaced) && p.Profile.ReplacedBy != "" {
		people, err := g.Find.Some(ctx, v, []campus.PersonID{p.Profile.ReplacedBy})
		if err != nil {
			return personView{}, err
		}
		if len(people) > 0 {
			l := g.lineOf(ctx, v, people[0], tree)
			view.Replaced = &l
		}
	}
	if view.Chain, err = g.chain(ctx, v, p, tree); err != nil {
		return personView{}, err
	}
	if view.Groups, err = g.groupNames(ctx, v, p); err != nil {
		return personView{}, err
	}
	return view, nil
}

// facts are what a page says about somebody, one below the other.
func (g *Guide) facts(ctx context.Context, v campus.Viewer, p find.Person, tree unit.Tree) []ui.Fact {
	var facts []ui.Fact
	add := func(f entry.Field, key string, body templ.Component) {
		if p.Shows(v, f) && body != nil {
			facts = append(facts, ui.Fact{Label: i18n.T(ctx, "directory.field."+key), Body: body})
		}
	}
	if p.Works() || p.Is(campus.Guest) {
		add(entry.FieldFunctions, "functions", functionsBody(ctx, p, tree))
	}
	var studies []string
	for _, code := range programmes(p) {
		studies = append(studies, g.programmeName(ctx, code))
	}
	add(entry.FieldStudies, "studies", lines(studies))
	if p.Mail != "" {
		add(entry.FieldMail, "mail", mailLink(p.Mail))
	}
	for _, n := range p.Profile.Phones {
		switch n.Kind {
		case entry.Mobile:
			add(entry.FieldMobile, "mobile", phoneLink(n.Number))
		case entry.Fax:
			add(entry.FieldPhone, "fax", lines([]string{n.Number}))
		default:
			add(entry.FieldPhone, "phone", phoneLink(n.Number))
		}
	}
	add(entry.FieldOffice, "office", lines([]string{g.office(ctx, p)}))
	add(entry.FieldHours, "hours", lines(strings.Split(p.Profile.Hours, "\n")))
	return facts
}

// office is where somebody is found: room, building, campus.
func (g *Guide) office(ctx context.Context, p find.Person) string {
	code := p.Profile.Campus
	for _, a := range p.Affiliations {
		if code == "" {
			code = a.Campus
		}
	}
	name := ""
	if code != "" {
		name = g.campusName(ctx, code)
	}
	return join([]string{p.Profile.Office, p.Profile.Building, name})
}

// functionsBody is what somebody does, each with its unit.
func functionsBody(ctx context.Context, p find.Person, tree unit.Tree) templ.Component {
	var held []functionLine
	for _, f := range p.Profile.Functions {
		held = append(held, functionLine{Text: f.In(localeOf(ctx)), Unit: f.Unit})
	}
	if len(held) == 0 {
		held = append(held, functionLine{Text: p.JobTitle})
	}
	for _, code := range p.Units() {
		if slices.ContainsFunc(held, func(h functionLine) bool { return h.Unit == code }) {
			continue
		}
		if i := slices.IndexFunc(held, func(h functionLine) bool { return h.Unit == "" }); i >= 0 {
			held[i].Unit = code
			continue
		}
		held = append(held, functionLine{Unit: code})
	}
	for i := range held {
		if u, ok := tree.Of(held[i].Unit); ok {
			held[i].Name, held[i].URL = u.Name(localeOf(ctx)), unitURL(u.Code)
		} else {
			held[i].Name = held[i].Unit
		}
	}
	if len(held) == 1 && held[0] == (functionLine{}) {
		return nil
	}
	return functionLines(held)
}

// functionLine is one function of somebody and the unit that it is in.
type functionLine struct{ Text, Unit, Name, URL string }

// chain is who leads somebody, from the nearest: a manager of their own, then the
// heads of their unit and of what is around it.
func (g *Guide) chain(ctx context.Context, v campus.Viewer, p find.Person, tree unit.Tree) ([]line, error) {
	units := p.Units()
	if !p.Works() || !p.Shows(v, entry.FieldFunctions) || len(units) == 0 {
		return nil, nil
	}
	var heads []campus.PersonID
	if p.Profile.Manager != "" {
		heads = append(heads, p.Profile.Manager)
	}
	for _, u := range tree.Chain(units[0]) {
		if u.Head != p.ID && !slices.Contains(heads, u.Head) {
			heads = append(heads, u.Head)
		}
	}
	var chain []line
	for _, id := range heads {
		people, err := g.Find.Some(ctx, v, []campus.PersonID{id})
		if err != nil {
			return nil, err
		}
		for _, l := range g.linesOf(ctx, v, people, tree) {
			l.Phone = "" // it is who they are that counts here
			chain = append(chain, l)
		}
	}
	return chain, nil
}

// groupNames are the groups of somebody that the viewer may see: all of them where
// the rules say so, otherwise the open ones that both are in.
func (g *Guide) groupNames(ctx context.Context, v campus.Viewer, p find.Person) ([]string, error) {
	codes, err := g.Groups.GroupsOf(ctx, p.ID)
	if err != nil || len(codes) == 0 {
		return nil, err
	}
	all := p.Shows(v, entry.FieldGroups)
	var mine []string
	if !all {
		if mine, err = g.Groups.GroupsOf(ctx, v.Person); err != nil {
			return nil, err
		}
	}
	var names []string
	for _, code := range codes {
		if !all && !slices.Contains(mine, code) {
			continue
		}
		group, err := g.Groups.ByCode(ctx, code)
		if err != nil {
			return nil, err
		}
		if all || group.Open {
			names = append(names, group.Name(localeOf(ctx)))
		}
	}
	return names, nil
}

// cardFor is the card of the person of an address, for the viewer.
func (g *Guide) cardFor(r *http.Request) (find.Person, string, error) {
	ctx, v := r.Context(), web.Viewer(r)
	p, err := g.person(ctx, v, r.PathValue("id"))
	if err != nil {
		return p, "", err
	}
	tree, err := g.Find.Units(ctx)
	if err != nil {
		return p, "", err
	}
	card, err := g.card(ctx, v, p, tree)
	return p, card, err
}

// personCode draws the card for telephones. The page asks for it when somebody wants
// to see it.
func (g *Guide) personCode(w http.ResponseWriter, r *http.Request) error {
	_, card, err := g.cardFor(r)
	if err != nil {
		return err
	}
	picture, err := qr.SVG(card, i18n.T(r.Context(), "directory.person.qr"))
	if err != nil {
		return CodeTooLong.From(err)
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	if _, err := w.Write([]byte(picture)); err != nil {
		return fmt.Errorf("send a code: %w", err)
	}
	return nil
}

func (g *Guide) personCard(w http.ResponseWriter, r *http.Request) error {
	p, card, err := g.cardFor(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/vcard; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.vcf"`, fileName(p.DisplayName())))
	if _, err := w.Write([]byte(card)); err != nil {
		return fmt.Errorf("send a card: %w", err)
	}
	return nil
}

// fileName is a name as every system writes it.
func fileName(text string) string {
	if name := strings.ReplaceAll(campus.Fold(text), " ", "-"); isASCII(name) && name != "" {
		return name
	}
	return "card"
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0x7e }) < 0
}

// personPhoto serves a photo to those whom it may be shown to. Browsers ask again
// each time, so that one that was withdrawn is gone.
func (g *Guide) personPhoto(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	p, ok, err := g.Find.Person(ctx, campus.PersonID(r.PathValue("id")))
	if err != nil {
		return err
	}
	if !ok || !p.Shows(v, entry.FieldEntry) || !p.Shows(v, entry.FieldPhoto) {
		return PersonMissing
	}
	ref, err := g.photoOf(ctx, p)
	if err != nil {
		return err
	}
	if ref == "" || !p.Photo && p.ID != v.Person {
		return PersonMissing
	}
	w.Header().Set("Cache-Control", "private, max-age=0, must-revalidate")
	return files.Serve(w, r, g.Files, ref)
}

// photoOf is the photo of somebody: their own, or that of the sources.
func (g *Guide) photoOf(ctx context.Context, p find.Person) (files.Ref, error) {
	chosen, err := entry.ChoicesOf(ctx, g.DB.Read(), p.ID)
	if err != nil {
		return "", err
	}
	if chosen.Photo != "" {
		return chosen.Photo, nil
	}
	return p.Profile.Photo, nil
}
