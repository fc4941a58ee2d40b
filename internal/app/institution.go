package app

import (
	"time"

	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/portal"
)

// places gives the codes of campuses and programmes their names.
func (c InstitutionConfig) places() place.Fixed {
	named := func(list []PlaceConfig) []place.Place {
		places := make([]place.Place, len(list))
		for i, p := range list {
			places[i] = place.Place{Code: p.Code, French: p.NameFrench, English: p.NameEnglish}
		}
		return places
	}
	return place.Fixed{OfCampuses: named(c.Campuses), OfProgrammes: named(c.Programmes)}
}

// calendar tells where in the academic year a day lies.
type calendar struct {
	semesters []SemesterConfig
	zone      *time.Location
}

// WeekAt implements portal.Calendar. Weeks begin on Monday, wherever in its week
// the semester does, and are counted from 1.
func (c calendar) WeekAt(t time.Time) (portal.Week, bool) {
	for _, s := range c.semesters {
		begins, err1 := time.ParseInLocation(time.DateOnly, s.Begins, c.zone)
		ends, err2 := time.ParseInLocation(time.DateOnly, s.Ends, c.zone)
		if err1 != nil || err2 != nil || t.Before(begins) || !t.Before(ends.AddDate(0, 0, 1)) {
			continue // the dates were checked with the configuration
		}
		w := portal.Week{French: s.NameFrench, English: s.NameEnglish}
		monday := begins.AddDate(0, 0, -(int(begins.Weekday())+6)%7)
		for day := monday; !day.After(t); day = day.AddDate(0, 0, 7) {
			w.Number++
		}
		return w, true
	}
	return portal.Week{}, false
}
