package entry

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/byhand"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// The parts of an entry that can be entered by hand.
const (
	PartDesk      = "desk" // several numbers, between commas
	PartMobile    = "mobile"
	PartFax       = "fax"
	PartOffice    = "office"
	PartBuilding  = "building"
	PartCampus    = "campus"
	PartHours     = "hours"
	PartFunctions = "functions"   // a list of [Function] in JSON
	PartReplaced  = "replaced_by" // identifier of a person
	PartUnlisted  = "unlisted"    // "true" or "false"
)

// Parts lists them in the order of the page.
var Parts = []string{PartDesk, PartMobile, PartFax, PartOffice, PartBuilding, PartCampus, PartHours, PartReplaced, PartFunctions, PartUnlisted}

// kindOfPart is what rings, of the parts that are telephones.
var kindOfPart = map[string]PhoneKind{PartDesk: Desk, PartMobile: Mobile, PartFax: Fax}

// Part is one part of a profile, as it is entered by hand.
func (p Profile) Part(part string) string {
	switch part {
	case PartDesk, PartMobile, PartFax:
		var numbers []string
		for _, n := range p.Phones {
			if n.Kind == kindOfPart[part] {
				numbers = append(numbers, n.Number)
			}
		}
		return strings.Join(numbers, ", ")
	case PartOffice:
		return p.Office
	case PartBuilding:
		return p.Building
	case PartCampus:
		return p.Campus
	case PartHours:
		return p.Hours
	case PartFunctions:
		return FormatFunctions(p.Functions)
	case PartReplaced:
		return string(p.ReplacedBy)
	case PartUnlisted:
		return strconv.FormatBool(p.Unlisted)
	default:
		return ""
	}
}

// With is a profile with one part entered by hand. A text that cannot be read, which a
// newer version may have written, changes nothing.
func (p Profile) With(part, text string) Profile {
	switch part {
	case PartDesk, PartMobile, PartFax:
		kind := kindOfPart[part]
		var phones []Phone
		for _, n := range p.Phones {
			if n.Kind != kind {
				phones = append(phones, n)
			}
		}
		for _, number := range strings.Split(text, ",") {
			phones = append(phones, Phone{Kind: kind, Number: number})
		}
		order := []PhoneKind{Desk, Mobile, Fax}
		slices.SortStableFunc(phones, func(a, b Phone) int { return slices.Index(order, a.Kind) - slices.Index(order, b.Kind) })
		p.Phones = phones
	case PartOffice:
		p.Office = text
	case PartBuilding:
		p.Building = text
	case PartCampus:
		p.Campus = text
	case PartHours:
		p.Hours = text
	case PartFunctions:
		if functions, err := ParseFunctions(text); err == nil {
			p.Functions = functions
		}
	case PartReplaced:
		p.ReplacedBy = campus.PersonID(text)
	case PartUnlisted:
		p.Unlisted = text == "true"
	}
	return p.tidy()
}

// FormatFunctions is how functions stand in one text; none is an empty one.
func FormatFunctions(functions []Function) string { return list(functions) }

// ParseFunctions reads it back.
func ParseFunctions(text string) (functions []Function, err error) {
	err = read(text, &functions)
	return functions, err
}

// Current reads what the directory shows of many people: what the sources say, and over
// it what was entered by hand. Those of whom there is neither are left out.
func Current(ctx context.Context, q db.Querier, ids []campus.PersonID) (map[campus.PersonID]Profile, error) {
	profiles, err := Profiles(ctx, q, ids)
	if err != nil || len(ids) == 0 {
		return profiles, err
	}
	subjects := make([]string, len(ids))
	for i, id := range ids {
		subjects[i] = string(id)
	}
	edited, err := byhand.Of(ctx, q, byhand.Person, subjects...)
	if err != nil {
		return nil, err
	}
	for who, values := range edited {
		p := profiles[campus.PersonID(who)]
		for part, v := range values {
			p = p.With(part, v.Text)
		}
		profiles[campus.PersonID(who)] = p
	}
	return profiles, nil
}
