package guide

import (
	"context"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

func localeOf(ctx context.Context) campus.Locale { return i18n.Locale(ctx) }

// line is somebody in a list, with what the viewer may see.
type line struct {
	Name, URL string
	Detail    string // function and unit, or programme
	Phone     string
	Mail      string
	PhotoURL  string
	Initials  string
}

// lineOf is how a list shows somebody.
func (g *Guide) lineOf(ctx context.Context, v campus.Viewer, p find.Person, tree unit.Tree) line {
	l := line{Name: p.DisplayName(), URL: personURL(p.ID), Initials: initials(p)}
	var words []string
	if p.Shows(v, entry.FieldFunctions) {
		words = append(words, p.Function(localeOf(ctx)))
		if codes := p.Units(); len(codes) > 0 {
			words = append(words, unitName(ctx, tree, codes[0]))
		}
	}
	if !p.Works() && p.Shows(v, entry.FieldStudies) {
		for _, code := range programmes(p) {
			words = append(words, g.programmeName(ctx, code))
		}
	}
	if len(words) == 0 || !p.Works() && p.Is(campus.Student) {
		words = append([]string{kindName(ctx, p)}, words...)
	}
	l.Detail = join(words)
	if p.Shows(v, entry.FieldPhone) {
		l.Phone = phoneOf(p, entry.Desk)
	}
	if p.Shows(v, entry.FieldMail) {
		l.Mail = p.Mail
	}
	if p.Photo && p.Shows(v, entry.FieldPhoto) {
		l.PhotoURL = photoURL(p.ID)
	}
	return l
}

func (g *Guide) linesOf(ctx context.Context, v campus.Viewer, people []find.Person, tree unit.Tree) []line {
	lines := make([]line, len(people))
	for i, p := range people {
		lines[i] = g.lineOf(ctx, v, p, tree)
	}
	return lines
}

func personURL(who campus.PersonID) string { return "/directory/people/" + string(who) }
func photoURL(who campus.PersonID) string  { return personURL(who) + "/photo" }

// kindName says how somebody belongs to the institution.
func kindName(ctx context.Context, p find.Person) string {
	for _, k := range []campus.Kind{campus.Teacher, campus.Staff, campus.Student, campus.Guest} {
		if p.Is(k) {
			return i18n.T(ctx, "directory.kind."+string(k))
		}
	}
	return i18n.T(ctx, "directory.kind.former")
}

// unitName is what people call a unit; its code when the chart lacks it.
func unitName(ctx context.Context, tree unit.Tree, code string) string {
	if u, ok := tree.Of(code); ok {
		return u.Name(localeOf(ctx))
	}
	return code
}

// programmes are the codes of what somebody studies.
func programmes(p find.Person) []string {
	var codes []string
	for _, a := range p.Affiliations {
		if a.Kind == campus.Student && a.Programme != "" && !slices.Contains(codes, a.Programme) {
			codes = append(codes, a.Programme)
		}
	}
	return codes
}

func phoneOf(p find.Person, kind entry.PhoneKind) string {
	for _, n := range p.Profile.Phones {
		if n.Kind == kind {
			return n.Number
		}
	}
	return ""
}

func initials(p find.Person) string {
	return campus.Viewer{GivenName: p.GivenName, FamilyName: p.FamilyName}.Initials()
}

// join puts words behind one another, each once.
func join(words []string) string {
	var kept []string
	for _, w := range words {
		if w != "" && !slices.Contains(kept, w) {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " · ")
}
