package valmont

import "github.com/amphi-campus/amphi/internal/campus"

// Directory is what the directory of Valmont says beyond departments and people.
type Directory struct {
	Units        []UnitNote    `toml:"unit"`
	Associations []Association `toml:"association"`
	Groups       []Group       `toml:"group"`
}

// UnitNote is what one comes to a department for.
type UnitNote struct {
	Code     string
	About    Text
	Keywords []string
	Place    string
	Hours    Text
}

// Association is one of students or staff.
type Association struct {
	Code     string
	Name     Text
	About    Text
	Keywords []string
	Mail     string
	Campus   string
	Place    string
}

// Group is one that a rule makes, or a teacher’s, or one that holds others.
type Group struct {
	Code       string
	Name       Text
	About      Text
	Open       bool
	Kinds      []campus.Kind // with Programmes, a rule
	Programmes []string
	Teacher    string // login of who is in it besides the students
	StudentsOf string `toml:"students_of"` // programme of the first so many Students
	Students   int
	Holds      []string // codes of groups
}

// Directory reads data/directory.toml.
func (u *University) Directory() (Directory, error) {
	var d Directory
	err := read("directory", &d)
	return d, err
}
