// Package correction is "this is wrong": whoever sees an entry may say so, and the one
// who can mend it answers: the head of the unit, or else the secretariat.
package correction

import (
	"context"
	"errors"
	"github.com/amphi-campus/amphi/internal/modules/directory/byhand"
	"github.com/amphi-campus/amphi/internal/modules/directory/edit"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// State is how far a request is.
type State string

// The states of a request.
const (
	Open     State = "open"
	Waiting  State = "waiting"  // accepted, and to be mended where the entry comes from
	Accepted State = "accepted" // mended
	Refused  State = "refused"
)

// Correction is one request.
type Correction struct {
	ID         string
	Person     campus.PersonID // whose entry
	AskedBy    campus.PersonID
	Field      string
	Shown      string // what the entry said
	Wanted     string // what it should say
	Reviewer   campus.PersonID
	State      State
	Answer     string
	AnsweredBy campus.PersonID
	AskedAt    time.Time
	AnsweredAt time.Time
	// WaitsFor is the source that has to be mended: its identifier, [edit.Self] for the
	// person, empty for their account. Held is what the directory said when it began to
	// wait.
	WaitsFor, Held string
	Written        string // what was written here, in words
}

// Fields are what a request can be about.
var Fields = []string{"name", "functions", "mail", "phone", "office", "hours", "replaced", "studies", "left", "else"}

var (
	// Missing: there is no such request, or it is not the viewer's to see.
	Missing = fault.Declare(fault.NotFound, "directory.correction_missing")
	// Answered: somebody else answered it meanwhile.
	Answered = fault.Declare(fault.Conflict, "directory.correction_answered")
	// TooMany: somebody has as many requests open as one person may.
	TooMany = fault.Declare(fault.Conflict, "directory.correction_too_many")
)

const (
	// mostOpen bounds the open requests of one person.
	mostOpen = 20
	// maxText is how long a request or an answer may be, in characters.
	maxText = 1000
	// mostTold bounds who of the secretariat is told of one request.
	mostTold = 20
)

// Holders says who holds a right over somebody, those who are nearest first.
type Holders interface {
	HoldersFor(ctx context.Context, r campus.Right, somebody []campus.Affiliation) ([]campus.PersonID, error)
}

// Desk takes requests and answers.
type Desk struct {
	DB      *db.DB
	Log     *slog.Logger
	Texts   *i18n.Catalogue
	Find    *find.Finder
	Holders Holders
	Notices contract.Notices
	Edits   *edit.Desk
}

// Routes lists the addresses.
func (d *Desk) Routes(r *web.Router) {
	r.Handle("GET /directory/people/{id}/correction", d.askPage)
	r.Handle("POST /directory/people/{id}/correction", d.ask)
	r.Handle("GET /directory/corrections", d.queuePage)
	r.Handle("GET /directory/corrections/{id}", d.correctionPage)
	r.Handle("POST /directory/corrections/{id}", d.answer)
}

// reviewerOf is who answers about somebody: the head of their unit, or of one around
// it, who is somebody else; "" for the secretariat.
func (d *Desk) reviewerOf(ctx context.Context, p find.Person) (campus.PersonID, error) {
	tree, err := d.Find.Units(ctx)
	if err != nil {
		return "", err
	}
	if !p.Works() {
		return "", nil
	}
	for _, code := range p.Units() {
		for _, u := range tree.Chain(code) {
			if u.Head == p.ID {
				continue
			}
			if _, ok, err := d.Find.Person(ctx, u.Head); err != nil || ok {
				return u.Head, err
			}
		}
	}
	return "", nil
}

// Ask takes a request about somebody whom the asker sees, and tells who answers.
func (d *Desk) Ask(ctx context.Context, asker campus.Viewer, p find.Person, field, wanted string) error {
	reviewer, err := d.reviewerOf(ctx, p)
	if err != nil {
		return err
	}
	told := []campus.PersonID{reviewer}
	if reviewer == "" {
		if told, err = d.Holders.HoldersFor(ctx, campus.RightSecretariat, p.Affiliations); err != nil {
			return err
		}
		told = told[:min(len(told), mostTold)]
	}
	c := Correction{
		ID: id.New(), Person: p.ID, AskedBy: asker.Person, Field: field, Shown: shown(asker, p, field), Wanted: strings.TrimSpace(wanted), Reviewer: reviewer, State: Open,
	}
	return d.DB.InTx(ctx, func(tx db.Tx) error {
		if err := keep(ctx, tx, c); err != nil {
			return err
		}
		for _, who := range told {
			if err := d.notify(ctx, tx, who, "asked", c, p, asker.DisplayName()); err != nil {
				return err
			}
		}
		return nil
	})
}

// fieldOf is the part of the entry that a request is about; what everybody sees who
// sees the entry has none.
var fieldOf = map[string]entry.Field{
	"functions": entry.FieldFunctions, "mail": entry.FieldMail, "phone": entry.FieldPhone, "office": entry.FieldOffice, "hours": entry.FieldHours,
}

// shown is what an entry says now to the one who asks, for the one who compares.
func shown(asker campus.Viewer, p find.Person, field string) string {
	if f, ok := fieldOf[field]; ok && !p.Shows(asker, f) {
		return ""
	}
	if field == "replaced" || field == "studies" || field == "left" { // identifiers and codes
		return ""
	}
	return said(p, field)
}

// said is what the directory says now, whoever may see it.
func said(p find.Person, field string) string {
	switch field {
	case "name":
		return p.DisplayName()
	case "functions":
		return p.Function(campus.French)
	case "mail":
		return p.Mail
	case "phone":
		var numbers []string
		for _, n := range p.Profile.Phones {
			if n.Kind != entry.Mobile {
				numbers = append(numbers, n.Number)
			}
		}
		return strings.Join(numbers, ", ")
	case "office":
		return strings.TrimSpace(p.Profile.Office + " " + p.Profile.Building)
	case "hours":
		return p.Profile.Hours
	case "replaced":
		return string(p.Profile.ReplacedBy)
	case "studies", "left":
		var ties []string
		for _, a := range p.Affiliations {
			ties = append(ties, strings.Join([]string{string(a.Kind), a.Campus, a.Programme, a.Unit}, "|"))
		}
		slices.Sort(ties)
		return strings.Join(ties, " ")
	default:
		return ""
	}
}

// mayAnswer reports whether the viewer answers a request about this person.
func mayAnswer(v campus.Viewer, c Correction, p find.Person) bool {
	return c.Reviewer != "" && c.Reviewer == v.Person || entry.Keeps(v, p.Affiliations)
}

// partOf is the part of the entry that a request is about, as it is mended; what has
// none is mended elsewhere.
var partOf = map[string]string{
	"functions": entry.PartFunctions, "phone": entry.PartDesk, "office": entry.PartOffice, "hours": entry.PartHours, "replaced": entry.PartReplaced,
	"name": edit.PartName, "mail": edit.PartMail, "studies": edit.PartStudies,
}

// Reply answers a request once, and tells who asked. A change is written with it.
func (d *Desk) Reply(ctx context.Context, v campus.Viewer, c Correction, p find.Person, state State, text string, change *byhand.Change) error {
	if !mayAnswer(v, c, p) {
		return Missing
	}
	before := c.State
	if before != Open && before != Waiting {
		return Answered
	}
	c.State, c.Answer, c.AnsweredBy = state, strings.TrimSpace(text), v.Person
	return d.DB.InTx(ctx, func(tx db.Tx) error {
		if err := settle(ctx, tx, c, before); err != nil {
			return err
		}
		if change != nil {
			if err := byhand.Put(ctx, tx, *change); err != nil {
				return err
			}
		}
		return d.notify(ctx, tx, c.AskedBy, string(state), c, p, v.DisplayName())
	})
}

// Follow closes the requests that waited for a source, once the directory says
// something else than when they were accepted, and tells who asked.
func (d *Desk) Follow(ctx context.Context) error {
	waiting, err := d.waiting(ctx)
	if err != nil {
		return err
	}
	for _, c := range waiting {
		p, there, err := d.Find.Person(ctx, c.Person)
		if err != nil {
			return err
		}
		if there && said(p, c.Field) == c.Held || c.Field == "else" { // that, somebody has to say
			continue
		}
		c.State = Accepted
		err = d.DB.InTx(ctx, func(tx db.Tx) error {
			if err := settle(ctx, tx, c, Waiting); err != nil {
				return err
			}
			return d.notify(ctx, tx, c.AskedBy, "mended", c, p, "")
		})
		if err != nil && !errors.Is(err, Answered) {
			return err
		}
	}
	return nil
}

// notify tells somebody of a request in both languages.
func (d *Desk) notify(ctx context.Context, tx db.Tx, to campus.PersonID, what string, c Correction, p find.Person, by string) error {
	french, english := d.Texts.For(campus.French), d.Texts.For(campus.English)
	key := "directory.correction.notice." + what
	tone := map[string]string{string(Accepted): "good", "mended": "good", string(Refused): "warn"}[what]
	detail := func(t *i18n.Printer) string {
		switch what {
		case "asked":
			return t.T(key+".detail", "by", by, "field", t.T("directory.correction.field."+c.Field))
		case string(Waiting):
			return strings.TrimSpace(t.T(key+".detail") + " " + c.Answer)
		}
		return c.Answer
	}
	return d.Notices.Notify(ctx, tx, to, contract.Notice{
		Room: "directory", Key: "directory.correction." + c.ID, Icon: "edit", Tone: tone, URL: "/directory/corrections/" + c.ID,
		TitleFrench: french.T(key+".title", "name", p.DisplayName()), TitleEnglish: english.T(key+".title", "name", p.DisplayName()),
		DetailFrench: detail(french), DetailEnglish: detail(english),
	})
}

func validField(field string) bool { return slices.Contains(Fields, field) }

func tooLong(text string) bool { return utf8.RuneCountInString(text) > maxText }
