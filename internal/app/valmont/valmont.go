// Package valmont holds the fictional "Université de Valmont", the institution
// that `amphi demo` opens: its people, places, studies, services and news. It is
// data only, without database or HTTP; the front hall hands it to the rooms.
//
// Nothing here exists: addresses use the reserved domain valmont.example
// (RFC 2606), telephones the numbers that ARCEP keeps for fiction, and names are
// put together from lists with a fixed seed, so that two loads are equal.
package valmont

import (
	"bytes"
	"embed"
	"fmt"

	"github.com/pelletier/go-toml/v2"

	"github.com/amphi-campus/amphi/internal/campus"
)

//go:embed data/*.toml
var dataFS embed.FS

// Password opens every demo account. It is public on purpose, which is why the
// demo listens on loopback only.
const Password = "Amphi-demo-2026!"

// University is the whole institution, ready to be handed to the rooms.
type University struct {
	Institution Institution
	Campuses    []Campus
	Departments []Department
	Programmes  []Programme
	CourseUnits []CourseUnit
	People      []Person // the five demo sign-ins come first
	Categories  []Category
	Services    []Service
	News        []Article
	Pictures    []Picture
	Notices     []Notice // for named people of the demo
	Welcome     []Notice // for everybody of an audience, at their first visit
	Help        []HelpArticle
	Feed        Feed // what the site of one campus publishes by itself
}

// Text is something people read, in every language of the house.
type Text struct {
	French  string `toml:"fr"`
	English string `toml:"en"`
}

// In returns the text in the language asked for.
func (t Text) In(l campus.Locale) string {
	if l == campus.English {
		return t.English
	}
	return t.French
}

// Load reads the university. Two calls give equal values.
func Load() (*University, error) {
	u := &University{}
	var sources struct {
		people peopleSource
		names  nameSource
		places struct {
			Campuses []Campus `toml:"campus"`
		}
		studies struct {
			Programmes []Programme `toml:"programme"`
		}
		units struct {
			CourseUnits []CourseUnit `toml:"course_unit"`
		}
		services struct {
			Categories []Category `toml:"category"`
			Services   []Service  `toml:"service"`
		}
		news struct {
			Articles []Article `toml:"article"`
		}
		notices struct {
			Notices []Notice `toml:"notice"`
			Welcome []Notice `toml:"welcome"`
		}
		help struct {
			Articles []HelpArticle `toml:"article"`
		}
		institution struct {
			Institution Institution
			Departments []Department `toml:"department"`
		}
	}

	for _, file := range []struct {
		name string
		into any
	}{
		{"institution", &sources.institution},
		{"campuses", &sources.places},
		{"programmes", &sources.studies},
		{"course_units", &sources.units},
		{"people", &sources.people},
		{"names", &sources.names},
		{"services", &sources.services},
		{"news", &sources.news},
		{"notices", &sources.notices},
		{"help", &sources.help},
		{"feed", &u.Feed},
	} {
		if err := read(file.name, file.into); err != nil {
			return nil, err
		}
	}

	u.Institution, u.Departments = sources.institution.Institution, sources.institution.Departments
	u.Campuses = sources.places.Campuses
	u.Programmes = sources.studies.Programmes
	u.CourseUnits = sources.units.CourseUnits
	u.Categories, u.Services = sources.services.Categories, sources.services.Services
	u.News = sources.news.Articles
	u.Notices, u.Welcome = sources.notices.Notices, sources.notices.Welcome
	u.Help = sources.help.Articles

	var err error
	if u.People, err = populate(sources.people, sources.names, u); err != nil {
		return nil, fmt.Errorf("populate Valmont: %w", err)
	}
	if u.Pictures, err = loadPictures(); err != nil {
		return nil, err
	}
	return u, nil
}

// read decodes one file of data and refuses keys that no structure knows, so
// that a misspelt key is not content that quietly disappears.
func read(name string, into any) error {
	raw, err := dataFS.ReadFile("data/" + name + ".toml")
	if err != nil {
		return fmt.Errorf("read Valmont's %s: %w", name, err)
	}
	decoder := toml.NewDecoder(bytes.NewReader(raw)).DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("read Valmont's %s: %w", name, err)
	}
	return nil
}
