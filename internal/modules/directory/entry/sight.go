package entry

import (
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Sight is the audience of every part of one entry, after the rules of the
// institution, what the person chose, and their consent. The zero Sight shows
// nothing.
type Sight [fieldCount]uint8

const fieldCount = 11

// Sight puts the rules and the choices together for somebody with these
// affiliations. Who is on the red list is seen by nobody.
func (c Config) Sight(affiliations []campus.Affiliation, unlisted bool, chosen Choices) Sight {
	var s Sight
	if unlisted {
		return s
	}
	rules, student := c.rulesFor(affiliations)
	entry := c.effective(FieldEntry, rules, student, chosen)
	for i, f := range Fields {
		a := narrower(entry, c.effective(f, rules, student, chosen))
		if f == FieldPhoto && chosen.ConsentAt.IsZero() {
			a = Nobody
		}
		s[i] = uint8(a.rank())
	}
	return s
}

// rulesFor are the rules for somebody, and whether they are those of students. Who
// works here is first of all somebody who works here.
func (c Config) rulesFor(affiliations []campus.Affiliation) (Shown, bool) {
	is := func(k campus.Kind) bool {
		return slices.ContainsFunc(affiliations, func(a campus.Affiliation) bool { return a.Kind == k })
	}
	switch {
	case is(campus.Staff) || is(campus.Teacher):
		return c.Employees, false
	case is(campus.Student):
		return c.Students, true
	default:
		return c.Guests, false
	}
}

// effective is the audience of one field: that of the rules, or the one that the
// person chose where they may.
func (c Config) effective(f Field, rules Shown, student bool, chosen Choices) Audience {
	wanted, ok := chosen.Audiences[f]
	if !ok || !slices.Contains(c.options(f, rules, student), wanted) {
		return rules.of(f)
	}
	return wanted
}

// Options are the audiences among which somebody may choose for a field, from the
// narrowest; none when the institution alone decides.
func (c Config) Options(affiliations []campus.Affiliation, f Field) []Audience {
	rules, student := c.rulesFor(affiliations)
	return c.options(f, rules, student)
}

// Default is the audience of a field of somebody who chose nothing.
func (c Config) Default(affiliations []campus.Affiliation, f Field) Audience {
	rules, _ := c.rulesFor(affiliations)
	return rules.of(f)
}

func (c Config) options(f Field, rules Shown, student bool) []Audience {
	top := rules.of(f)
	switch f {
	case FieldPhoto, FieldMobile, FieldHours, FieldPhone:
		// They may keep it to fewer people. The desk telephone belongs to the
		// function: it stays among colleagues at least.
	case FieldEntry, FieldMail, FieldStudies:
		if !student || !c.StudentsMayOpen {
			return nil
		}
	default:
		return nil
	}
	if student && c.StudentsMayOpen && top == Employees && f != FieldMobile && f != FieldPhone {
		top = Members
	}
	lowest := Nobody
	if f == FieldPhone || f == FieldEntry || f == FieldMail {
		lowest = Employees
	}
	var options []Audience
	for _, a := range Audiences {
		if a.rank() >= lowest.rank() && a.rank() <= top.rank() {
			options = append(options, a)
		}
	}
	if len(options) < 2 {
		return nil
	}
	return options
}

// Audience is who sees a field.
func (s Sight) Audience(f Field) Audience {
	if i := slices.Index(Fields, f); i >= 0 && int(s[i]) < len(Audiences) {
		return Audiences[s[i]]
	}
	return Nobody
}

// Reaches reports whether a viewer of this standing sees the field.
func (s Sight) Reaches(f Field, standing Audience) bool { return s.Audience(f).reaches(standing) }

// Rank is how wide the audience of a field is, to be compared with [Audience.Rank] of
// a standing: where many entries are looked at, that is quicker than Reaches.
func (s Sight) Rank(f Field) int { return s.Audience(f).rank() }

// Shows reports whether a viewer sees a field of the entry of somebody with these affiliations: everything of
// their own, everything but the photo of anybody's for those who keep entries. Who is
// on the red list is shown to themselves and the keepers alone.
func (s Sight) Shows(v campus.Viewer, who campus.PersonID, affiliations []campus.Affiliation, f Field) bool {
	switch {
	case !v.SignedIn():
		return false
	case v.Person == who:
		return true
	case f != FieldPhoto && Keeps(v, affiliations):
		return true
	default:
		return s.Reaches(f, Standing(v))
	}
}
