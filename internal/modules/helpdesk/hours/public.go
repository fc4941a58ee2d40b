package hours

import "time"

// Public names the public holidays that are computed, so that nobody has to type or
// import them each year.
type Public string

// The sets of public holidays.
const (
	NoHolidays Public = ""
	France     Public = "fr"        // article L3133-1 of the French code of work
	Alsace     Public = "fr-alsace" // and those of Alsace and Moselle
)

// Publics lists the sets.
var Publics = []Public{NoHolidays, France, Alsace}

// fixed are the holidays that have a date.
var fixed = []struct {
	month  time.Month
	day    int
	name   Named
	alsace bool
}{
	{time.January, 1, Named{"Jour de l’An", "New Year’s Day"}, false},
	{time.May, 1, Named{"Fête du Travail", "Labour Day"}, false},
	{time.May, 8, Named{"Victoire de 1945", "Victory in Europe Day"}, false},
	{time.July, 14, Named{"Fête nationale", "Bastille Day"}, false},
	{time.August, 15, Named{"Assomption", "Assumption Day"}, false},
	{time.November, 1, Named{"Toussaint", "All Saints’ Day"}, false},
	{time.November, 11, Named{"Armistice de 1918", "Armistice Day"}, false},
	{time.December, 25, Named{"Noël", "Christmas Day"}, false},
	{time.December, 26, Named{"Saint-Étienne", "Saint Stephen’s Day"}, true},
}

// moving are the holidays that Easter carries with it, in days after it.
var moving = []struct {
	days   int
	name   Named
	alsace bool
}{
	{-2, Named{"Vendredi saint", "Good Friday"}, true},
	{1, Named{"Lundi de Pâques", "Easter Monday"}, false},
	{39, Named{"Ascension", "Ascension Day"}, false},
	{50, Named{"Lundi de Pentecôte", "Whit Monday"}, false},
}

// On reports whether a day is a public holiday of the set, and its name.
func (p Public) On(d Date) (Named, bool) {
	if p == NoHolidays {
		return Named{}, false
	}
	year, month, day := d.Time().Date()
	for _, h := range fixed {
		if h.month == month && h.day == day && (!h.alsace || p == Alsace) {
			return h.name, true
		}
	}
	easter := Easter(year)
	for _, h := range moving {
		if d == easter+Date(h.days) && (!h.alsace || p == Alsace) {
			return h.name, true
		}
	}
	return Named{}, false
}

// Easter is Easter Sunday of a year in the Gregorian calendar, by the anonymous
// method that Nature printed in 1876 (Meeus, Astronomical Algorithms, chapter 8).
func Easter(year int) Date {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 19*l) / 433
	month := (h + l - 7*m + 90) / 25
	day := (h + l - 7*m + 33*month + 19) % 32
	return On(year, time.Month(month), day)
}
