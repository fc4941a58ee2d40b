package entry

import "github.com/amphi-campus/amphi/internal/platform/config"

// Config says who sees which part of whose entry: directory.visibility.
type Config struct {
	Employees Shown `toml:"employees"`
	Students  Shown `toml:"students"`
	Guests    Shown `toml:"guests"`
	// StudentsMayOpen lets a student show themselves to other students.
	StudentsMayOpen bool `toml:"students_may_open" help:"students may choose to be found by other students"`
}

// Shown is the audience of each part of an entry. No part is shown further than the
// entry itself.
type Shown struct {
	Entry     Audience `toml:"entry" help:"who finds the person at all: nobody, staff (teachers and staff), members (students as well) or all (guests as well)"`
	Photo     Audience `toml:"photo" help:"nobody, staff, members or all; only with the person’s consent"`
	Functions Audience `toml:"functions" help:"function and unit: nobody, staff, members or all"`
	Mail      Audience `toml:"mail" help:"institutional address: nobody, staff, members or all"`
	Phone     Audience `toml:"phone" help:"telephone of the office: nobody, staff, members or all"`
	Mobile    Audience `toml:"mobile" help:"mobile telephone of work: nobody, staff, members or all"`
	Office    Audience `toml:"office" help:"building, room and campus: nobody, staff, members or all"`
	Hours     Audience `toml:"hours" help:"office hours: nobody, staff, members or all"`
	Replaced  Audience `toml:"replaced" help:"who answers meanwhile: nobody, staff, members or all"`
	Studies   Audience `toml:"studies" help:"programmes that somebody studies: nobody, staff, members or all"`
	Groups    Audience `toml:"groups" help:"groups that somebody is in: nobody, staff, members or all"`
}

// Defaults show those who work to everybody who has signed in, students and guests
// to those who work.
func Defaults() Config {
	return Config{
		Employees: Shown{
			Entry: SignedIn, Photo: Members, Functions: SignedIn, Mail: SignedIn, Phone: Members, Mobile: Employees, Office: Members,
			Hours: Members, Replaced: Members, Studies: Employees, Groups: Employees,
		},
		Students: Shown{
			Entry: Employees, Photo: Employees, Functions: Employees, Mail: Employees, Phone: Nobody, Mobile: Nobody, Office: Employees,
			Hours: Employees, Replaced: Nobody, Studies: Employees, Groups: Employees,
		},
		Guests: Shown{
			Entry: Employees, Photo: Employees, Functions: Employees, Mail: Employees, Phone: Employees, Mobile: Nobody, Office: Employees,
			Hours: Employees, Replaced: Employees, Studies: Nobody, Groups: Employees,
		},
		StudentsMayOpen: true,
	}
}

// Check implements config.Checker.
func (s Shown) Check() []config.Problem {
	var problems []config.Problem
	for _, f := range Fields {
		if !s.of(f).Valid() {
			problems = append(problems, config.Problem{Key: string(f), Text: "must be nobody, staff, members or all"})
		}
	}
	return problems
}

// of is the audience of a field.
func (s Shown) of(f Field) Audience {
	switch f {
	case FieldEntry:
		return s.Entry
	case FieldPhoto:
		return s.Photo
	case FieldFunctions:
		return s.Functions
	case FieldMail:
		return s.Mail
	case FieldPhone:
		return s.Phone
	case FieldMobile:
		return s.Mobile
	case FieldOffice:
		return s.Office
	case FieldHours:
		return s.Hours
	case FieldReplaced:
		return s.Replaced
	case FieldStudies:
		return s.Studies
	case FieldGroups:
		return s.Groups
	default:
		return Nobody
	}
}
