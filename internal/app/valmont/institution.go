package valmont

import "time"

// Institution is what the university says about itself.
type Institution struct {
	Name      Text
	Short     Text   // for narrow places: "Valmont"
	Motto     Text   // under the name
	Scene     Text   // the sentence of the sign-in picture
	SceneMore Text   `toml:"scene_more"` // the smaller sentence under it
	Domain    string // of staff addresses
	Students  string `toml:"student_domain"` // of student addresses, below Domain
	TimeZone  string `toml:"time_zone"`
	Site      string // public web site
	Hue       int    // the university's ink, an OKLCH hue
	Warm      int    // the university's light, an OKLCH hue
	Year      AcademicYear
}

// Location returns the time zone of the institution.
func (i Institution) Location() (*time.Location, error) {
	return time.LoadLocation(i.TimeZone)
}

// AcademicYear is one year of teaching.
type AcademicYear struct {
	Name      string // "2026-2027"
	Semesters []Semester
	Closures  []Span // days on which the campuses are shut
}

// Semester is one half of an academic year. Its weeks are numbered from the
// Monday of the first one, breaks included, as timetables do.
type Semester struct {
	Code  string // "A26", "P27"
	Name  Text   // "semestre d’automne": it follows "semaine 12 du"
	First Date
	Last  Date
	Exams Span
	Break Span
}

// Span is a stretch of whole days, both ends included.
type Span struct {
	Name  Text
	First Date
	Last  Date
}

// SemesterAt returns the semester that contains t and the number of its week,
// counted from 1; false between two semesters.
func (y AcademicYear) SemesterAt(t time.Time) (Semester, int, bool) {
	for _, s := range y.Semesters {
		first, last := s.First.AsTime(t.Location()), s.Last.AsTime(t.Location())
		if t.Before(first) || !t.Before(last.AddDate(0, 0, 1)) {
			continue
		}
		// Hours are rounded because a week with a change of clock is not 168 hours.
		days := int(t.Sub(first).Round(time.Hour).Hours()) / 24
		return s, days/7 + 1, true
	}
	return Semester{}, 0, false
}
