// Package campus holds the words that every room shares: who somebody is, what
// they belong to, which language they read. It does no input or output.
package campus

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// PersonID names one person for ever. It is a UUIDv7 in text form, made by us,
// and is never an e-mail address or a login, because those change hands.
type PersonID string

// Locale is a language that people can choose, as a BCP 47 tag.
type Locale string

// The languages that every label and every failure has.
const (
	French  Locale = "fr"
	English Locale = "en"
)

// Locales lists the languages in the order in which they are offered.
var Locales = []Locale{French, English}

// ParseLocale returns the locale named by tag ("fr", "fr-FR", "EN"), and false
// for a language that Amphi does not speak.
func ParseLocale(tag string) (Locale, bool) {
	primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
	if l := Locale(primary); slices.Contains(Locales, l) {
		return l, true
	}
	return "", false
}

// Kind says how a person belongs to the institution. It follows the values of
// eduPersonAffiliation, with Teacher for "faculty" and Guest for "affiliate".
type Kind string

// The kinds of affiliation.
const (
	Student Kind = "student"
	Teacher Kind = "teacher"
	Staff   Kind = "staff"
	Guest   Kind = "guest"
)

// Kinds lists every kind of affiliation.
var Kinds = []Kind{Student, Teacher, Staff, Guest}

// EduPerson returns the value of eduPersonAffiliation that stands for k.
func (k Kind) EduPerson() string {
	switch k {
	case Teacher:
		return "faculty"
	case Guest:
		return "affiliate"
	default:
		return string(k)
	}
}

// Affiliation is one tie between a person and the institution; a person may
// have several (a doctoral student who teaches). Campus, Programme and Unit are
// codes and may be empty.
type Affiliation struct {
	Kind      Kind
	Campus    string
	Programme string
	Unit      string
}

// Right is something that a person may do beyond what their affiliation gives.
// No right implies another: an administrator who should read the help desk's
// queue is given that right as well, and the journal says by whom.
type Right string

// The rights known to the house.
const (
	RightAdmin       Right = "admin"       // run the installation
	RightHelpdesk    Right = "helpdesk"    // answer requests, open incident codes
	RightNews        Right = "news"        // publish news
	RightSecretariat Right = "secretariat" // registration, lifting a block
	RightDirectory   Right = "directory"   // sources of people and groups, conflicts, the change of year
	RightPrivacy     Right = "privacy"     // data protection officer: requests, the register of processing
	RightDesks       Right = "desks"       // run the help desk: queues, rules, opening hours, incidents, figures
)

// Rights lists every right.
var Rights = []Right{RightAdmin, RightHelpdesk, RightNews, RightSecretariat, RightDirectory, RightPrivacy, RightDesks}

// Mandate is a right over some people only: those of a campus, of a programme or
// of a unit. An empty part does not narrow it. A secretary of one programme holds
// one.
type Mandate struct {
	Right                   Right
	Campus, Programme, Unit string
}

// Covers reports whether the mandate reaches people with this affiliation.
func (m Mandate) Covers(a Affiliation) bool {
	return (m.Campus == "" || m.Campus == a.Campus) && (m.Programme == "" || m.Programme == a.Programme) && (m.Unit == "" || m.Unit == a.Unit)
}

// Everywhere reports whether nothing narrows the mandate.
func (m Mandate) Everywhere() bool { return m.Campus+m.Programme+m.Unit == "" }

// Appearance values: what a person asked for; "system" follows the device.
const (
	AppearanceSystem = "system"
	AppearanceLight  = "light"
	AppearanceDark   = "dark"
)

// Viewer is the person on whose behalf a request is answered, as far as pages
// need to know. The zero Viewer is somebody who has not signed in.
type Viewer struct {
	Person         PersonID
	Login          string
	GivenName      string
	FamilyName     string
	Mail           string
	Affiliations   []Affiliation
	Rights         []Right   // held over everybody
	Mandates       []Mandate // held over some
	Locale         Locale
	Appearance     string
	Session        string // identifies the session, without being its secret
	SharedComputer bool
	SignedInAt     time.Time
	// FactorAt is when a second factor was last proved in this session; zero for
	// never.
	FactorAt time.Time
	// Methods are how this session was signed in to, in the values of the "amr"
	// claim (RFC 8176 §2).
	Methods []string
}

// SignedIn reports whether somebody is behind this request.
func (v Viewer) SignedIn() bool { return v.Person != "" }

// Can reports whether the viewer holds the right over everybody.
func (v Viewer) Can(r Right) bool { return slices.Contains(v.Rights, r) }

// CanSomewhere reports whether the viewer holds the right over anybody.
func (v Viewer) CanSomewhere(r Right) bool {
	everywhere, within := v.Scope(r)
	return everywhere || len(within) > 0
}

// CanFor reports whether the viewer holds the right over somebody with these
// affiliations.
func (v Viewer) CanFor(r Right, somebody []Affiliation) bool {
	everywhere, within := v.Scope(r)
	return everywhere || slices.ContainsFunc(within, func(m Mandate) bool { return slices.ContainsFunc(somebody, m.Covers) })
}

// Scope is over whom the viewer holds a right: everybody, or those whom one of the
// mandates covers.
func (v Viewer) Scope(r Right) (everywhere bool, within []Mandate) {
	if v.Can(r) {
		return true, nil
	}
	for _, m := range v.Mandates {
		if m.Right == r {
			within = append(within, m)
		}
	}
	return false, within
}

// Is reports whether one of the viewer's affiliations is of this kind.
func (v Viewer) Is(k Kind) bool {
	return slices.ContainsFunc(v.Affiliations, func(a Affiliation) bool { return a.Kind == k })
}

// DisplayName is the name as people say it: given name, then family name.
func (v Viewer) DisplayName() string {
	return strings.TrimSpace(v.GivenName + " " + v.FamilyName)
}

// Initials are the one or two letters shown where there is no picture.
func (v Viewer) Initials() string {
	var b strings.Builder
	for _, name := range []string{v.GivenName, v.FamilyName} {
		if r, _ := utf8.DecodeRuneInString(name); r != utf8.RuneError {
			b.WriteRune(r)
		}
	}
	return strings.ToUpper(b.String())
}

// Face names the home that somebody sees first.
type Face string

// The faces of the portal.
const (
	FaceAdmin   Face = "admin"
	FaceAgent   Face = "agent"
	FaceStaff   Face = "staff"
	FaceTeacher Face = "teacher"
	FaceStudent Face = "student"
	FaceGuest   Face = "guest"
)

// Face returns the viewer's main face: what they are here to work on wins over
// what they are besides (a doctoral student who teaches sees the teacher's home).
func (v Viewer) Face() Face {
	switch {
	case v.Can(RightAdmin):
		return FaceAdmin
	case v.Can(RightHelpdesk):
		return FaceAgent
	case v.Is(Teacher):
		return FaceTeacher
	case v.Is(Staff):
		return FaceStaff
	case v.Is(Student):
		return FaceStudent
	default:
		return FaceGuest
	}
}

// Audience says who something is for. Kinds and Rights are one list: holding
// any of them is enough. Campuses and Programmes narrow it further. An empty
// Audience is everybody who has signed in.
type Audience struct {
	Kinds      []Kind   `toml:"kinds" help:"student, teacher, staff, guest: any of them is enough"`
	Rights     []Right  `toml:"rights" help:"admin, helpdesk, news, secretariat, directory, privacy: holding one of them is enough, whatever else stands here"`
	Campuses   []string `toml:"campuses" help:"codes of campuses; none named: all"`
	Programmes []string `toml:"programmes" help:"codes of programmes; none named: all"`
}

// Admits reports whether v belongs to the audience. Campus and programme must
// be those of an affiliation of an admitted kind, so that a teacher of campus A
// who studies on campus B is not taken for a student of campus A.
func (a Audience) Admits(v Viewer) bool {
	if slices.ContainsFunc(a.Rights, v.Can) {
		return true
	}
	if len(a.Kinds) == 0 && len(a.Rights) > 0 {
		return false
	}
	if len(a.Kinds) == 0 && len(a.Campuses) == 0 && len(a.Programmes) == 0 {
		return true
	}
	return slices.ContainsFunc(v.Affiliations, func(f Affiliation) bool {
		return (len(a.Kinds) == 0 || slices.Contains(a.Kinds, f.Kind)) &&
			(len(a.Campuses) == 0 || slices.Contains(a.Campuses, f.Campus)) &&
			(len(a.Programmes) == 0 || slices.Contains(a.Programmes, f.Programme))
	})
}

// Everybody reports whether the audience leaves nobody out.
func (a Audience) Everybody() bool {
	return len(a.Kinds)+len(a.Rights)+len(a.Campuses)+len(a.Programmes) == 0
}
