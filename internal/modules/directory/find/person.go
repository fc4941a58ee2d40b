package find

import (
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
)

// Person is somebody of the directory, as lists show them. Which parts a viewer may
// see says Sight.
type Person struct {
	ID           campus.PersonID
	GivenName    string
	FamilyName   string
	Mail         string
	JobTitle     string // of the register, in the institution's language
	Affiliations []campus.Affiliation
	Profile      entry.Profile
	Photo        bool // there is one, and a consent
	Sight        entry.Sight

	order string // folded name, family name first
}

// DisplayName is the name as people say it: given name, then family name.
func (p Person) DisplayName() string {
	return strings.TrimSpace(p.GivenName + " " + p.FamilyName)
}

// ListName is the name as lists sort it: family name, then given name.
func (p Person) ListName() string {
	return strings.TrimSpace(strings.ToUpper(p.FamilyName) + " " + p.GivenName)
}

// Is reports whether one of the person's affiliations is of this kind.
func (p Person) Is(k campus.Kind) bool {
	return slices.ContainsFunc(p.Affiliations, func(a campus.Affiliation) bool { return a.Kind == k })
}

// Works reports whether the person is employed.
func (p Person) Works() bool { return p.Is(campus.Staff) || p.Is(campus.Teacher) }

// Shows reports whether the viewer sees a part of this entry.
func (p Person) Shows(v campus.Viewer, f entry.Field) bool {
	return p.Sight.Shows(v, p.ID, p.Affiliations, f)
}

// Units are the codes of the units that somebody works in, the main one first.
func (p Person) Units() []string {
	var codes []string
	add := func(code string) {
		if code != "" && !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	for _, f := range p.Profile.Functions {
		add(f.Unit)
	}
	for _, a := range p.Affiliations {
		if a.Kind == campus.Staff || a.Kind == campus.Teacher || a.Kind == campus.Guest {
			add(a.Unit)
		}
	}
	return codes
}

// Function is what somebody does, in a few words and a language; empty when nothing
// is known.
func (p Person) Function(l campus.Locale) string {
	for _, f := range p.Profile.Functions {
		if text := f.In(l); text != "" {
			return text
		}
	}
	return p.JobTitle
}

// glance is what the search asks of everybody, worked out once and kept close
// together: it goes through all of them each time.
type glance struct {
	names, functions []uint32 // words of the name, and of functions and units
	entry, function  int8     // [entry.Sight.Rank] of who is seen, and of what they do
	works, there     bool
}

// personOf makes a person of what is known.
func personOf(k contract.Known, profile entry.Profile, chosen entry.Choices, rules entry.Config) Person {
	photo := !chosen.ConsentAt.IsZero() && (chosen.Photo != "" || profile.Photo != "")
	if chosen.Hours != "" {
		profile.Hours = chosen.Hours
	}
	return Person{
		ID: k.ID, GivenName: k.Subject.GivenName, FamilyName: k.Subject.FamilyName, Mail: k.Subject.Mail, JobTitle: k.Subject.JobTitle,
		Affiliations: k.Subject.Affiliations, Profile: profile, Photo: photo, Sight: rules.Sight(k.Subject.Affiliations, profile.Unlisted, chosen),
		order: campus.Fold(k.Subject.FamilyName + " " + k.Subject.GivenName),
	}
}
