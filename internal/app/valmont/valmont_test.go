package valmont

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/amphi-campus/amphi/internal/campus"
)

func load(t *testing.T) *University {
	t.Helper()
	u, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestTwoLoadsAreEqual(t *testing.T) {
	if a, b := load(t), load(t); !reflect.DeepEqual(a, b) {
		t.Error("two loads of Valmont differ")
	}
}

func TestTheUniversityHasTheSizeItPromises(t *testing.T) {
	u := load(t)
	for _, count := range []struct {
		what      string
		have, min int
	}{
		{"campuses", len(u.Campuses), 3},
		{"people", len(u.People), 400},
		{"programmes", len(u.Programmes), 20},
		{"programmes and course units", len(u.Programmes) + len(u.CourseUnits), 40},
		{"services", len(u.Services), 22},
		{"articles", len(u.News), 14},
		{"help articles", len(u.Help), 8},
		{"pictures", len(u.Pictures), 6},
	} {
		if count.have < count.min {
			t.Errorf("%d %s, at least %d were promised", count.have, count.what, count.min)
		}
	}
}

func TestTheDemoSignInsComeFirstAndShowEachFace(t *testing.T) {
	u := load(t)
	for i, want := range []struct {
		login string
		face  campus.Face
	}{
		{"student", campus.FaceStudent},
		{"teacher", campus.FaceTeacher},
		{"staff", campus.FaceStaff},
		{"agent", campus.FaceAgent},
		{"admin", campus.FaceAdmin},
	} {
		p := u.People[i]
		v := campus.Viewer{Person: "p", Affiliations: p.Affiliations, Rights: p.Rights}
		if p.Login != want.login || v.Face() != want.face || !p.Demo {
			t.Errorf("person %d is %s with the face %s, want %s with %s", i, p.Login, v.Face(), want.login, want.face)
		}
	}
}

func TestNoTwoPeopleShareALoginAMailOrANumber(t *testing.T) {
	u := load(t)
	seen := map[string]string{}
	unique := func(p Person, value string) {
		if value == "" {
			return
		}
		if other, taken := seen[value]; taken {
			t.Errorf("%s and %s share %s", other, p.Login, value)
		}
		seen[value] = p.Login
	}
	for _, p := range u.People {
		for _, value := range []string{p.Login, p.Mail, p.PersonalMail, p.StudentNumber, p.Mobile, p.Phone} {
			unique(p, value)
		}
	}
}

func TestEveryPersonIsWhole(t *testing.T) {
	u := load(t)
	login := regexp.MustCompile(`^[a-z]+[0-9]?$`)
	for _, p := range u.People {
		if !login.MatchString(p.Login) {
			t.Errorf("the login %q has other characters than plain letters", p.Login)
		}
		domain := u.Institution.Domain
		if onlyStudies(p) {
			domain = u.Institution.Students
		}
		if !strings.HasSuffix(p.Mail, "@"+domain) || strings.IndexFunc(p.Mail, func(r rune) bool { return r > unicode.MaxASCII || r == ' ' }) >= 0 {
			t.Errorf("%s has the address %q, not a plain one at %s", p.Login, p.Mail, domain)
		}
		if p.GivenName == "" || p.FamilyName == "" || len(p.Affiliations) == 0 {
			t.Errorf("%s lacks a name or an affiliation", p.Login)
		}
		if p.Is(campus.Student) != (p.StudentNumber != "") || p.StudentNumber != "" && !ValidStudentNumber(p.StudentNumber) {
			t.Errorf("%s has the student number %q", p.Login, p.StudentNumber)
		}
		if !onlyStudies(p) && p.Title == (Text{}) {
			t.Errorf("%s works at Valmont without a function", p.Login)
		}
		for _, a := range p.Affiliations {
			if !slices.ContainsFunc(u.Campuses, func(c Campus) bool { return c.Code == a.Campus }) {
				t.Errorf("%s belongs to the campus %q, which does not exist", p.Login, a.Campus)
			}
			if !slices.ContainsFunc(u.Departments, func(d Department) bool { return d.Code == a.Unit }) {
				t.Errorf("%s belongs to the department %q, which does not exist", p.Login, a.Unit)
			}
			if (a.Kind == campus.Student) != (a.Programme != "") || a.Programme != "" && !hasProgramme(u, a.Programme) {
				t.Errorf("%s is a %s with the programme %q", p.Login, a.Kind, a.Programme)
			}
			if !slices.Contains(campus.Kinds, a.Kind) {
				t.Errorf("%s has an affiliation of the unknown kind %q", p.Login, a.Kind)
			}
		}
		for _, right := range p.Rights {
			if !slices.Contains(campus.Rights, right) {
				t.Errorf("%s has the unknown right %q", p.Login, right)
			}
		}
	}
}

func TestTheDirectoryHasWhatProgramsTripOver(t *testing.T) {
	u := load(t)
	names := map[string]int{}
	var rightToLeft, apostrophe, two int
	for _, p := range u.People {
		names[p.DisplayName()]++
		if strings.ContainsFunc(p.GivenName, func(r rune) bool { return unicode.Is(unicode.Arabic, r) }) {
			rightToLeft++
		}
		if strings.Contains(p.FamilyName, "’") {
			apostrophe++
		}
		if len(p.Affiliations) > 1 {
			two++
		}
	}
	if names["Thomas Bernard"] != 2 || names["Lina Martin"] != 2 {
		t.Error("the homonyms Thomas Bernard and Lina Martin are gone")
	}
	if rightToLeft == 0 || apostrophe == 0 || two < 5 {
		t.Errorf("%d right-to-left names, %d with an apostrophe, %d people with two ties", rightToLeft, apostrophe, two)
	}
}

func TestTheLoginRule(t *testing.T) {
	for _, c := range []struct{ name, given, family, want string }{
		{"plain letters stay", "Lucie", "Martin", "lmartin"},
		{"accents go", "Étienne", "Château", "echateau"},
		{"an elided particle is joined", "Clémence", "d’Arcy", "cdarcy"},
		{"spaces go", "François", "de La Tour", "fdelatour"},
		{"ligatures are spelt out", "Zoé", "Œuvrard", "zoeuvrard"},
		{"letters beyond accents are written in ASCII", "Ólafur", "Þórsson", "othorsson"},
		{"a dotless i is an i", "Çağla", "Yılmaz", "cyilmaz"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := LoginFor(c.given, c.family); got != c.want {
				t.Errorf("%s %s is %q, want %q", c.given, c.family, got, c.want)
			}
		})
	}
}

func TestAStudentNumberCatchesAWrongDigit(t *testing.T) {
	good := studentNumber(25, 14321)
	if !ValidStudentNumber(good) {
		t.Fatalf("%s is refused", good)
	}
	for i := range good {
		wrong := []byte(good)
		wrong[i] = '0' + (wrong[i]-'0'+1)%10
		if ValidStudentNumber(string(wrong)) {
			t.Errorf("%s is accepted in place of %s", wrong, good)
		}
	}
}

func hasProgramme(u *University, code string) bool {
	return slices.ContainsFunc(u.Programmes, func(p Programme) bool { return p.Code == code })
}

func TestStudiesNameWhatExists(t *testing.T) {
	u := load(t)
	teacher := func(login string) bool {
		return slices.ContainsFunc(u.People, func(p Person) bool { return p.Login == login && p.Is(campus.Teacher) })
	}
	place := func(campusCode, department string) bool {
		return slices.ContainsFunc(u.Campuses, func(c Campus) bool { return c.Code == campusCode }) &&
			slices.ContainsFunc(u.Departments, func(d Department) bool { return d.Code == department })
	}
	codes := map[string]bool{}
	for _, p := range u.Programmes {
		if codes[p.Code] || !teacher(p.Head) || !place(p.Campus, p.Department) || p.Places == 0 {
			t.Errorf("programme %s: doubled, or its head %q, campus or department does not exist", p.Code, p.Head)
		}
		codes[p.Code] = true
	}
	position := map[string]int{}
	for i, unit := range u.CourseUnits {
		position[unit.Code] = i + 1
	}
	for _, unit := range u.CourseUnits {
		if codes[unit.Code] || !teacher(unit.Teacher) || !place(unit.Campus, unit.Department) {
			t.Errorf("unit %s: doubled, or its teacher %q, campus or department does not exist", unit.Code, unit.Teacher)
		}
		codes[unit.Code] = true
		if unit.ECTS == 0 || unit.Capacity == 0 || unit.Lectures+unit.Tutorials+unit.Practicals == 0 {
			t.Errorf("unit %s has no credits, no seats or no hours", unit.Code)
		}
		if !slices.Contains([]string{"autumn", "spring", "both"}, unit.Semester) {
			t.Errorf("unit %s is taught in %q", unit.Code, unit.Semester)
		}
		for _, code := range unit.Programmes {
			if !hasProgramme(u, code) {
				t.Errorf("unit %s counts in %q, which does not exist", unit.Code, code)
			}
		}
		for _, code := range unit.Requires {
			if position[code] == 0 {
				t.Errorf("unit %s requires %q, which does not exist", unit.Code, code)
			}
		}
		if requires(u, unit.Code, unit.Code, 0) {
			t.Errorf("unit %s requires itself in the end", unit.Code)
		}
	}
	if i := position["NF16"]; i == 0 || u.CourseUnits[i-1].Teacher != "teacher" {
		t.Error("the demo teacher is not responsible for NF16")
	}
}

// requires reports whether a chain of prerequisites leads from one unit to another.
func requires(u *University, from, to string, depth int) bool {
	if depth > len(u.CourseUnits) {
		return true
	}
	for _, unit := range u.CourseUnits {
		if unit.Code == from {
			return slices.ContainsFunc(unit.Requires, func(r string) bool {
				return r == to || requires(u, r, to, depth+1)
			})
		}
	}
	return false
}

func TestTheHallNamesWhatExists(t *testing.T) {
	u := load(t)
	icons := strings.Fields("home calendar check book award mail chat folder library shield help bell search user users key lock clock globe computer phone news settings plug list building rss chart database")
	services, articles := map[string]bool{}, map[string]bool{}
	for _, s := range u.Services {
		if services[s.ID] {
			t.Errorf("two services are called %s", s.ID)
		}
		services[s.ID] = true
		if !slices.Contains(icons, s.Icon) {
			t.Errorf("service %s has the icon %q, which is not in the set", s.ID, s.Icon)
		}
		if !slices.ContainsFunc(u.Categories, func(c Category) bool { return c.ID == s.Category }) {
			t.Errorf("service %s is in the unknown category %q", s.ID, s.Category)
		}
		if !strings.HasPrefix(s.URL, "https://") || !strings.HasSuffix(s.URL, ".valmont.example/") || !strings.HasSuffix(s.Contact, "@valmont.example") {
			t.Errorf("service %s leaves Valmont: %s, %s", s.ID, s.URL, s.Contact)
		}
		if s.CAS != nil && s.CAS.Pattern != s.URL+"*" {
			t.Errorf("service %s has the CAS pattern %q, not its own address", s.ID, s.CAS.Pattern)
		}
	}
	var drafts, scheduled int
	for _, a := range u.News {
		if articles[a.ID] {
			t.Errorf("two articles are called %s", a.ID)
		}
		articles[a.ID] = true
		if !slices.ContainsFunc(u.People, func(p Person) bool { return p.Login == a.Author }) {
			t.Errorf("article %s is by %q, who does not exist", a.ID, a.Author)
		}
		if a.Picture != "" && !slices.ContainsFunc(u.Pictures, func(p Picture) bool { return p.Name == a.Picture }) {
			t.Errorf("article %s shows %q, which does not exist", a.ID, a.Picture)
		}
		if a.Draft {
			drafts++
		} else if a.Published > 0 {
			scheduled++
		}
	}
	if drafts != 2 || scheduled != 1 {
		t.Errorf("%d drafts and %d scheduled articles, want 2 and 1", drafts, scheduled)
	}
	for _, n := range slices.Concat(u.Notices, u.Welcome) {
		if n.Service != "" && !services[n.Service] || n.News != "" && !articles[n.News] {
			t.Errorf("the notice %q leads to %q%q, which does not exist", n.Title.English, n.Service, n.News)
		}
		for _, login := range n.To {
			if !slices.ContainsFunc(u.People, func(p Person) bool { return p.Login == login }) {
				t.Errorf("the notice %q is for %q, who does not exist", n.Title.English, login)
			}
		}
	}
}

func TestPicturesAreLightAndDescribed(t *testing.T) {
	for _, p := range load(t).Pictures {
		if len(p.Data) > 60_000 || p.Type != "image/jpeg" || p.Width != 960 || p.Height != 540 {
			t.Errorf("picture %s: %d bytes of %s, %d × %d", p.Name, len(p.Data), p.Type, p.Width, p.Height)
		}
	}
}

func TestTheCalendarCountsWeeks(t *testing.T) {
	u := load(t)
	zone, err := u.Institution.Location()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		at       time.Time
		semester string
		week     int
	}{
		{"the first morning is in week 1", time.Date(2026, 8, 31, 8, 0, 0, 0, zone), "A26", 1},
		{"a Sunday in November is in week 12", time.Date(2026, 11, 22, 18, 0, 0, 0, zone), "A26", 12},
		{"a Monday starts a week at midnight, after the change of clock too", time.Date(2026, 11, 23, 0, 0, 0, 0, zone), "A26", 13},
		{"the last evening belongs to the semester", time.Date(2027, 6, 26, 23, 0, 0, 0, zone), "P27", 21},
		{"summer is in no semester", time.Date(2027, 7, 14, 12, 0, 0, 0, zone), "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, week, found := u.Institution.Year.SemesterAt(c.at)
			if s.Code != c.semester || week != c.week || found != (c.semester != "") {
				t.Errorf("%s is week %d of %q, want week %d of %q", c.at, week, s.Code, c.week, c.semester)
			}
		})
	}
}

func TestHoursReadAsPeopleSayThem(t *testing.T) {
	u := load(t)
	desk := u.Campuses[0].Desks[0]
	if got, want := desk.Hours.Lines(campus.French)[0], "du lundi au jeudi, de 8\u202fh à 18\u202fh"; got != want {
		t.Errorf("the desk is open %q, want %q", got, want)
	}
	if got, want := desk.RushHours.Lines(campus.English)[1], "Saturday, 08:30 to 12:30"; got != want {
		t.Errorf("at the start of term the desk is open %q, want %q", got, want)
	}
	monday := time.Date(2026, 11, 23, 17, 59, 0, 0, time.UTC)
	if !desk.Hours.Open(monday) || desk.Hours.Open(monday.Add(time.Minute)) {
		t.Error("the desk closes at 18:00, not before and not after")
	}
}

func TestTheFeedIsReadable(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	raw, err := load(t).Feed.RSS(now)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`<rss version="2.0">`, "<guid>https://leport.valmont.example/actualites/passerelle-fermee</guid>", "<pubDate>Sun, 22 Nov 2026 06:00:00 +0000</pubDate>"} {
		if !strings.Contains(string(raw), part) {
			t.Errorf("the feed lacks %s", part)
		}
	}
}

func TestOffsetsAreRefusedWhenTheyAreNotOffsets(t *testing.T) {
	for _, text := range []string{"", "2d", "-d", "-2 days", "+4x"} {
		var o Offset
		if err := o.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for the offset %s", text, time.Duration(o))
		}
	}
	var o Offset
	if err := o.UnmarshalText([]byte("-2d5h")); err != nil || time.Duration(o) != -53*time.Hour {
		t.Errorf("-2d5h is %s, %v", time.Duration(o), err)
	}
}
