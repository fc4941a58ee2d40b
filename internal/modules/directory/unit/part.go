package unit

import (
	"context"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/byhand"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// The parts of a unit that can be entered by hand.
const (
	PartNameFrench   = "name_french"
	PartNameEnglish  = "name_english"
	PartKind         = "kind"
	PartParent       = "parent"
	PartAboutFrench  = "about_french"
	PartAboutEnglish = "about_english"
	PartKeywords     = "keywords" // one a line
	PartHead         = "head"     // identifier of a person
	PartDeputy       = "deputy"   // identifier of a person
	PartPhone        = "phone"
	PartMail         = "mail"
	PartCampus       = "campus"
	PartPlace        = "place"
	PartHoursFrench  = "hours_french"
	PartHoursEnglish = "hours_english"
	// PartClosed is "true" for a unit that is no more: the chart leaves it out, and
	// what was below it stands below the unit around it.
	PartClosed = "closed"
	// PartOpened stands in the history alone: the unit was created here.
	PartOpened = "opened"
)

// SourceHand is the source of units that were created here.
const SourceHand = "hand"

// part is where a part is kept; nil for those that are not plain texts.
func (u *Unit) part(name string) *string {
	switch name {
	case PartNameFrench:
		return &u.NameFrench
	case PartNameEnglish:
		return &u.NameEnglish
	case PartKind:
		return (*string)(&u.Kind)
	case PartParent:
		return &u.Parent
	case PartAboutFrench:
		return &u.AboutFrench
	case PartAboutEnglish:
		return &u.AboutEnglish
	case PartHead:
		return (*string)(&u.Head)
	case PartDeputy:
		return (*string)(&u.Deputy)
	case PartPhone:
		return &u.Phone
	case PartMail:
		return &u.Mail
	case PartCampus:
		return &u.Campus
	case PartPlace:
		return &u.Place
	case PartHoursFrench:
		return &u.HoursFrench
	case PartHoursEnglish:
		return &u.HoursEnglish
	default:
		return nil
	}
}

// Part is one part of a unit, as it is entered by hand.
func (u Unit) Part(name string) string {
	if name == PartKeywords {
		return strings.Join(u.Keywords, "\n")
	}
	if text := u.part(name); text != nil {
		return *text
	}
	return ""
}

// With is a unit with one part entered by hand.
func (u Unit) With(name, text string) Unit {
	if name == PartKeywords {
		u.Keywords = lines(text)
	} else if into := u.part(name); into != nil {
		*into = text
	}
	return u.tidy()
}

// All reads the chart as the directory shows it: what the sources say, and over it
// what was entered by hand. Closed units are left out.
func All(ctx context.Context, q db.Querier) (Tree, error) {
	said, err := Said(ctx, q)
	if err != nil {
		return Tree{}, err
	}
	edited, err := byhand.Of(ctx, q, byhand.Unit)
	if err != nil || len(edited) == 0 {
		return said, err
	}
	units := make([]Unit, 0, len(said.Units()))
	closed := map[string]string{} // to the unit around it
	for _, u := range said.Units() {
		for part, v := range edited[u.Code] {
			u = u.With(part, v.Text)
		}
		if edited[u.Code][PartClosed].Text == "true" {
			closed[u.Code] = u.Parent
			continue
		}
		units = append(units, u)
	}
	for i := range units {
		for steps := 0; steps < deepest; steps++ {
			above, gone := closed[units[i].Parent]
			if !gone {
				break
			}
			units[i].Parent = above
		}
	}
	return Grow(units), nil
}

// Around are the affiliations by which a mandate over a unit, or over one around it,
// reaches it.
func (t Tree) Around(u Unit) []campus.Affiliation {
	list := []campus.Affiliation{{Unit: u.Code, Campus: u.Campus}}
	for _, above := range t.Above(u.Code) {
		list = append(list, campus.Affiliation{Unit: above.Code, Campus: u.Campus})
	}
	return list
}
