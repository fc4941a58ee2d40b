package archive

import (
	"context"
	_ "embed"
	"html/template"
	"io"
	"path"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

//go:embed index.html.tmpl
var indexText string

// indexPage is opened from a folder, long after: it needs no other file and no
// network.
var indexPage = template.Must(template.New("index").Parse(indexText))

// part is what one room put into a copy.
type part struct {
	Room  string
	Files []string
}

// chapter is the page in one language.
type chapter struct {
	Lang                                            string
	Title, Lead, Made, FilesWord, HeldWord          string
	What, Why, Basis, Until, Left, Nothing, JSONHow string
	Rooms                                           []roomChapter
}

type roomChapter struct {
	Name     string
	Files    []fileLine
	Holdings []contract.Holding
}

type fileLine struct{ Path, About string }

// index writes the page that says, in both languages, what each file is.
func (a *Archives) index(ctx context.Context, to io.Writer, parts []part, known contract.Known, now time.Time) error {
	holdings := map[string]contract.PersonalData{}
	for _, h := range a.holders() {
		holdings[h.name] = h.room
	}
	var chapters []chapter
	for _, l := range campus.Locales {
		p := a.Texts.For(l)
		words := i18n.With(ctx, p)
		said := func(key string, pairs ...any) string { return p.T("privacy.archive."+key, pairs...) }
		institution := a.InstitutionFrench
		if l == campus.English {
			institution = a.InstitutionEnglish
		}
		c := chapter{
			Lang: string(l), Title: said("title", "name", strings.TrimSpace(known.Subject.GivenName+" "+known.Subject.FamilyName)),
			Lead: said("lead", "institution", institution), Made: said("made", "when", i18n.Date(words, now, i18n.Day)),
			FilesWord: said("files"), HeldWord: said("held"), JSONHow: said("json"),
			What: said("what"), Why: said("why"), Basis: said("basis"), Until: said("until"), Left: said("left"), Nothing: said("nothing"),
		}
		for _, part := range parts {
			r := roomChapter{Name: p.T(part.Room + ".name"), Holdings: holdings[part.Room].Holdings(words)}
			for _, name := range part.Files {
				r.Files = append(r.Files, fileLine{name, about(p, part.Room, name)})
			}
			c.Rooms = append(c.Rooms, r)
		}
		chapters = append(chapters, c)
	}
	return indexPage.Execute(to, chapters)
}

// about is what a room says of one of its files, under ROOM.file.NAME.
func about(p *i18n.Printer, room, name string) string {
	key := room + ".file." + strings.TrimSuffix(path.Base(name), path.Ext(name))
	if !p.Has(key) {
		return ""
	}
	return p.T(key)
}
