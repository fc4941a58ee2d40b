package valmont

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Person is somebody of Valmont.
type Person struct {
	Login         string
	GivenName     string
	FamilyName    string
	Alias         string // the name in Latin letters, when it is written in others
	Mail          string // institutional
	PersonalMail  string // for recovery; students only
	Mobile        string // given at registration
	Phone         string // desk telephone; not for students
	Office        string
	StudentNumber string // on the registration certificate; students only
	Year          int    // of the programme; students only
	Title         Text   // function, as the directory shows it; empty for students
	Affiliations  []campus.Affiliation
	Rights        []campus.Right
	Mandates      []campus.Mandate // rights over some people only
	Language      campus.Locale
	Demo          bool // one of the sign-ins printed at start
}

// DisplayName is the name as people say it.
func (p Person) DisplayName() string { return strings.TrimSpace(p.GivenName + " " + p.FamilyName) }

// Is reports whether one of the person's affiliations is of this kind.
func (p Person) Is(kind campus.Kind) bool {
	for _, a := range p.Affiliations {
		if a.Kind == kind {
			return true
		}
	}
	return false
}

// peopleSource is data/people.toml.
type peopleSource struct {
	Demo   []knownPerson
	Known  []knownPerson
	Post   []post
	Cohort []cohort
}

// knownPerson is written out in the data because other data names them.
type knownPerson struct {
	Login        string // only for demo sign-ins; others follow the rule
	Given        string
	Family       string
	Latin        latinName
	Title        Text
	Office       string
	Programme    string
	Year         int
	Language     campus.Locale
	Affiliations []campus.Affiliation
	Rights       []campus.Right
}

type latinName struct{ Given, Family string }

// post is a function that several generated people hold.
type post struct {
	Login               string // of a demo sign-in; others follow the rule
	Woman, Man, English string
	Kind                campus.Kind
	Campus, Unit        string
	Count               int
	Rights              []campus.Right
	Mandates            []campus.Mandate
}

// cohort is one year of one programme.
type cohort struct {
	Programme string
	Year      int
	Count     int
	Language  campus.Locale
	Also      campus.Affiliation // a second tie: doctoral students who teach, apprentices
	AlsoFirst int                `toml:"also_first"` // how many have it; 0 is everybody
}

// nameSource is data/names.toml.
type nameSource struct{ Group []nameGroup }

type nameGroup struct {
	Weight             int
	Women, Men, Family []string
}

// firstYear is the calendar year in which the academic year of the data starts.
const firstYear = 26

// registry builds people one by one and keeps what must be unique among them.
type registry struct {
	people     []Person
	logins     map[string]bool
	mails      map[string]bool
	names      map[string]bool
	domain     string
	students   string
	programmes map[string]Programme
	source     nameSource
	dice       *rand.Rand
}

// populate makes the people of the university, the demo sign-ins first.
func populate(source peopleSource, names nameSource, u *University) ([]Person, error) {
	r := &registry{
		logins: map[string]bool{}, mails: map[string]bool{}, names: map[string]bool{},
		domain: u.Institution.Domain, students: u.Institution.Students,
		programmes: map[string]Programme{}, source: names,
		// PCG gives the same numbers on every machine and in every Go release.
		dice: rand.New(rand.NewPCG(2026, 2027)),
	}
	for _, p := range u.Programmes {
		r.programmes[p.Code] = p
	}
	for _, k := range source.Demo {
		p := k.person()
		p.Login, p.Demo = k.Login, true
		r.add(p, k.Latin)
	}
	for _, k := range source.Known {
		r.add(k.person(), k.Latin)
	}
	for _, post := range source.Post {
		for range post.Count {
			r.add(r.holder(post), latinName{})
		}
	}
	for _, cohort := range source.Cohort {
		programme, known := r.programmes[cohort.Programme]
		if !known {
			return nil, fmt.Errorf("a cohort studies %q, which is no programme", cohort.Programme)
		}
		for i := range cohort.Count {
			r.add(r.student(cohort, programme, i), latinName{})
		}
	}
	return r.people, nil
}

func (k knownPerson) person() Person {
	return Person{
		GivenName: k.Given, FamilyName: k.Family, Title: k.Title, Office: k.Office,
		Year: k.Year, Affiliations: k.Affiliations, Rights: k.Rights, Language: k.Language,
	}
}

func (r *registry) holder(post post) Person {
	given, family, woman := r.name()
	title := Text{French: post.Man, English: post.English}
	if woman {
		title.French = post.Woman
	}
	return Person{
		Login: post.Login, Demo: post.Login != "", GivenName: given, FamilyName: family, Title: title, Rights: post.Rights, Mandates: post.Mandates,
		Affiliations: []campus.Affiliation{{Kind: post.Kind, Campus: post.Campus, Unit: post.Unit}},
	}
}

func (r *registry) student(c cohort, programme Programme, index int) Person {
	given, family, woman := r.name()
	p := Person{
		GivenName: given, FamilyName: family, Year: c.Year, Language: c.Language,
		Affiliations: []campus.Affiliation{{
			Kind: campus.Student, Campus: programme.Campus, Programme: programme.Code, Unit: programme.Department,
		}},
	}
	if c.Also.Kind == "" || (c.AlsoFirst > 0 && index >= c.AlsoFirst) {
		return p
	}
	p.Affiliations = append(p.Affiliations, c.Also)
	switch {
	case c.Also.Kind == campus.Staff:
		p.Title = Text{French: "Apprenti", English: "Apprentice"}
		if woman {
			p.Title.French = "Apprentie"
		}
	default:
		p.Title = Text{French: "Doctorant, chargé d’enseignement", English: "Doctoral student, teaching"}
		if woman {
			p.Title.French = "Doctorante, chargée d’enseignement"
		}
	}
	return p
}

// name draws a name that nobody bears yet; homonyms are written out in the data
// so that their number is known.
func (r *registry) name() (given, family string, woman bool) {
	for {
		group := r.group()
		woman = r.dice.IntN(2) == 0
		givens := group.Men
		if woman {
			givens = group.Women
		}
		if r.dice.IntN(6) == 0 {
			group = r.group()
		}
		given, family = givens[r.dice.IntN(len(givens))], group.Family[r.dice.IntN(len(group.Family))]
		if !r.names[given+" "+family] {
			return given, family, woman
		}
	}
}

func (r *registry) group() nameGroup {
	total := 0
	for _, g := range r.source.Group {
		total += g.Weight
	}
	draw := r.dice.IntN(total)
	for _, g := range r.source.Group {
		if draw -= g.Weight; draw < 0 {
			return g
		}
	}
	return r.source.Group[0]
}

// add gives somebody all that follows from their name and place: login, mail,
// numbers, language.
func (r *registry) add(p Person, latin latinName) {
	given, family := p.GivenName, p.FamilyName
	if latin != (latinName{}) {
		given, family = latin.Given, latin.Family
		p.Alias = given + " " + family
	}
	if p.Login == "" {
		p.Login = numbered(r.logins, LoginFor(given, family), "")
	}
	r.logins[p.Login] = true
	r.names[p.GivenName+" "+p.FamilyName] = true

	n := len(r.people)
	local := mailName(given) + "." + mailName(family)
	// Nobody's telephone follows from their neighbour's; 7919 shares no factor
	// with 10 000, so the numbers stay apart.
	p.Mobile = fictionalMobile((1234 + 7919*n) % 10_000)
	if onlyStudies(p) {
		p.Mail = numbered(r.mails, local, "@"+r.students)
	} else {
		p.Mail = numbered(r.mails, local, "@"+r.domain)
		p.Phone = fictionalDesk(5000 + n)
	}
	r.mails[p.Mail] = true
	if p.Is(campus.Student) {
		p.StudentNumber = studentNumber(firstYear-p.Year+1, 10_000+(4321+7919*n)%90_000)
		p.PersonalMail = numbered(r.mails, local, "@courriel.example")
		r.mails[p.PersonalMail] = true
	}
	if p.Language == "" {
		p.Language = campus.French
	}
	r.people = append(r.people, p)
}

// onlyStudies reports whether a person is a student and nothing else.
func onlyStudies(p Person) bool {
	return p.Is(campus.Student) && !p.Is(campus.Teacher) && !p.Is(campus.Staff)
}

// numbered returns stem+suffix, or stem2+suffix, stem3+suffix… when it is taken.
func numbered(taken map[string]bool, stem, suffix string) string {
	candidate := stem + suffix
	for n := 2; taken[candidate]; n++ {
		candidate = fmt.Sprintf("%s%d%s", stem, n, suffix)
	}
	return candidate
}

// LoginFor is the university's rule for identifiers: the first letter of the
// given name and the family name, in plain letters: Lina Martin is lmartin.
func LoginFor(given, family string) string {
	initial := plain(given)
	if initial != "" {
		initial = initial[:1]
	}
	return initial + strings.ReplaceAll(plain(family), " ", "")
}

// mailName writes a name as a part of an address: "Jean-Baptiste" becomes
// "jean-baptiste", "de La Tour" becomes "de-la-tour", "N’Diaye" becomes "ndiaye".
func mailName(name string) string { return strings.ReplaceAll(plain(name), " ", "-") }

// elided are the apostrophes that a name swallows, and the letters that no
// Unicode decomposition brings back to ASCII.
var elided = strings.NewReplacer("’", "", "'", "", "ʻ", "", "ı", "i", "Þ", "th", "þ", "th", "Ð", "d", "ð", "d")

func plain(name string) string { return campus.Fold(elided.Replace(name)) }
