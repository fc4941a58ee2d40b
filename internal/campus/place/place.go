// Package place gives campuses and programmes their names: elsewhere they are
// codes.
package place

import "github.com/amphi-campus/amphi/internal/campus"

// Place is a campus or a programme.
type Place struct{ Code, French, English string }

// Name is the place's name in a language, or in the other one where it has
// none.
func (p Place) Name(l campus.Locale) string {
	name := p.French
	if l == campus.English && p.English != "" || name == "" {
		name = p.English
	}
	if name == "" {
		return p.Code
	}
	return name
}

// Names lists the places of the institution.
type Names interface {
	Campuses() []Place
	Programmes() []Place
}

// Fixed are places that stand in the configuration.
type Fixed struct{ OfCampuses, OfProgrammes []Place }

// Campuses implements Names.
func (f Fixed) Campuses() []Place { return f.OfCampuses }

// Programmes implements Names.
func (f Fixed) Programmes() []Place { return f.OfProgrammes }

// NameOf is the name of the place with this code; the code itself where the
// list has none, so that somebody can still look it up.
func NameOf(list []Place, code string, l campus.Locale) string {
	for _, p := range list {
		if p.Code == code {
			return p.Name(l)
		}
	}
	return code
}

// NamesOf is [NameOf] for several codes.
func NamesOf(list []Place, codes []string, l campus.Locale) []string {
	names := make([]string, len(codes))
	for i, code := range codes {
		names[i] = NameOf(list, code, l)
	}
	return names
}
