// Package entry is what the directory shows about somebody beyond the register of
// people: telephones, office, functions, hours, photo; and who may see which of it.
// What sources say and what the person chose are kept apart, so that neither
// overwrites the other.
package entry

import (
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/files"
)

// PhoneKind says what rings.
type PhoneKind string

// The kinds of telephones.
const (
	Desk   PhoneKind = "desk"
	Mobile PhoneKind = "mobile" // of work; private numbers are never in the directory
	Fax    PhoneKind = "fax"
)

// Phone is a number at which somebody is reached at work.
type Phone struct {
	Kind   PhoneKind `json:"kind"`
	Number string    `json:"number"`
}

// Function is what somebody does in a unit. Either language may be empty.
type Function struct {
	Unit    string `json:"unit,omitempty"` // its code; may be empty
	French  string `json:"fr,omitempty"`
	English string `json:"en,omitempty"`
}

// In is the function in a language, or in the other one where it has none.
func (f Function) In(l campus.Locale) string {
	if l == campus.English && f.English != "" || f.French == "" {
		return f.English
	}
	return f.French
}

// Profile is what the sources say about somebody, beyond the register of people.
type Profile struct {
	Unlisted   bool // the red list: nobody finds this person
	Phones     []Phone
	Office     string // room, such as "C215"
	Building   string
	Campus     string // code
	Hours      string // when people are received
	Functions  []Function
	ReplacedBy campus.PersonID // who answers meanwhile
	Manager    campus.PersonID // where it differs from the head of the unit
	// Photo is stored, but shown only with the person's consent. The entry owns it
	// once it was put.
	Photo files.Ref
}

// Equal reports whether two profiles say the same.
func (p Profile) Equal(o Profile) bool {
	return p.Unlisted == o.Unlisted && p.Office == o.Office && p.Building == o.Building && p.Campus == o.Campus && p.Hours == o.Hours &&
		p.ReplacedBy == o.ReplacedBy && p.Manager == o.Manager && p.Photo == o.Photo &&
		slices.Equal(p.Phones, o.Phones) && slices.Equal(p.Functions, o.Functions)
}

// longest bounds one value of a profile, in bytes: more is no office and no number.
const longest = 500

// tidy makes every value one line without space around it, and drops empty ones.
// Hours may have several lines.
func (p Profile) tidy() Profile {
	p.Office, p.Building, p.Campus, p.Hours = oneLine(p.Office), oneLine(p.Building), oneLine(p.Campus), clean(p.Hours)
	var phones []Phone
	for _, n := range p.Phones {
		if n.Number = oneLine(n.Number); n.Number != "" && !slices.Contains(phones, n) {
			phones = append(phones, n)
		}
	}
	var functions []Function
	for _, f := range p.Functions {
		f.Unit, f.French, f.English = oneLine(f.Unit), oneLine(f.French), oneLine(f.English)
		if f != (Function{}) && !slices.Contains(functions, f) {
			functions = append(functions, f)
		}
	}
	p.Phones, p.Functions = phones, functions
	return p
}

func oneLine(s string) string { return clean(campus.OneLine(s)) }

func clean(s string) string {
	s = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", ""))
	if len(s) > longest {
		s = strings.TrimSpace(strings.ToValidUTF8(s[:longest], ""))
	}
	return s
}
