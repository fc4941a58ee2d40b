package edit

import (
	"context"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/byhand"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// shape is how a value is typed.
type shape string

const (
	line      shape = "line"
	text      shape = "text" // several lines
	choice    shape = "choice"
	somebody  shape = "person" // by identifier or address
	functions shape = "functions"
	mark      shape = "mark" // a box to tick
)

const (
	// longest is how long a value may be, in characters.
	longest = 400
	// mostFunctions bounds the functions of one entry.
	mostFunctions = 8
)

// shapes of the parts; those that are not named are lines.
var shapes = map[string]shape{
	entry.PartHours: text, entry.PartCampus: choice, entry.PartReplaced: somebody, entry.PartFunctions: functions, entry.PartUnlisted: mark,
	unit.PartKind: choice, unit.PartParent: choice, unit.PartHead: somebody, unit.PartDeputy: somebody,
	unit.PartAboutFrench: text, unit.PartAboutEnglish: text, unit.PartKeywords: text,
}

// slot is one value on its form.
type slot struct {
	Part    string
	Shape   shape
	Value   string // as it is kept
	Typed   string // as it is typed: the identifier of a person
	Options []ui.Option
	Origin  Origin
	// Hand is the value by hand that holds now, By who entered it, and Said what the
	// sources say instead, in words.
	Hand     byhand.Value
	ByHand   bool
	By, Said string
	// Functions are those of the form, with an empty one at the end.
	Functions []entry.Function
	Units     []ui.Option // to choose from, for functions
}

// ofSource reports whether a source, or the person, says the value that is shown.
func (s slot) ofSource() bool { return s.Origin.Source != "" && !s.ByHand }

// locked reports whether the person decides about the value alone.
func (s slot) locked() bool { return s.Origin.Source == Self }

// subject is what slots are about.
type subject struct {
	kind    byhand.Kind
	name    string // identifier or code
	parts   []string
	said    func(part string) string // what the sources say
	with    func(part, value string) string
	origins map[string]Origin
	tree    unit.Tree
}

// personSubject is the entry of somebody as the form shows it.
func (d *Desk) personSubject(ctx context.Context, p find.Person) (subject, error) {
	tree, err := d.Find.Units(ctx)
	if err != nil {
		return subject{}, err
	}
	profiles, err := entry.Profiles(ctx, d.DB.Read(), []campus.PersonID{p.ID})
	if err != nil {
		return subject{}, err
	}
	origins, err := d.Sources.OfPerson(ctx, p.ID)
	if err != nil {
		return subject{}, err
	}
	chosen, err := entry.ChoicesOf(ctx, d.DB.Read(), p.ID)
	if err != nil {
		return subject{}, err
	}
	if chosen.Hours != "" {
		origins[entry.PartHours] = Origin{Source: Self, Name: p.DisplayName()}
	}
	return subject{
		kind: byhand.Person, name: string(p.ID), parts: entry.Parts, said: profiles[p.ID].Part, origins: origins, tree: tree,
		with: func(part, value string) string { return entry.Profile{}.With(part, value).Part(part) },
	}, nil
}

// unitParts are those of the form, in its order; the first ones decide where the unit
// stands.
var (
	arranging = []string{unit.PartParent, unit.PartKind}
	unitParts = []string{
		unit.PartNameFrench, unit.PartNameEnglish, unit.PartParent, unit.PartKind, unit.PartAboutFrench, unit.PartAboutEnglish, unit.PartKeywords,
		unit.PartHead, unit.PartDeputy, unit.PartPhone, unit.PartMail, unit.PartCampus, unit.PartPlace, unit.PartHoursFrench, unit.PartHoursEnglish,
	}
	// ofSources are those that sources say of a unit.
	ofSources = []string{unit.PartNameFrench, unit.PartParent, unit.PartKind, unit.PartAboutFrench, unit.PartPhone, unit.PartMail, unit.PartPlace}
)

// unitSubject is a unit as the form shows it, with the parts that the viewer mends.
func (d *Desk) unitSubject(ctx context.Context, v campus.Viewer, u unit.Unit, tree unit.Tree) (subject, error) {
	chart, err := unit.Said(ctx, d.DB.Read())
	if err != nil {
		return subject{}, err
	}
	source, err := unit.SourceOf(ctx, d.DB.Read(), u.Code)
	if err != nil {
		return subject{}, err
	}
	said, _ := chart.Of(u.Code)
	s := subject{
		kind: byhand.Unit, name: u.Code, parts: slices.Clone(unitParts), said: said.Part, origins: map[string]Origin{}, tree: tree,
		with: func(part, value string) string { return unit.Unit{}.With(part, value).Part(part) },
	}
	if !MayArrange(v, tree, u) {
		s.parts = slices.DeleteFunc(s.parts, func(part string) bool { return slices.Contains(arranging, part) })
	}
	if name, ok := d.Sources.SourceNamed(ctx, source); ok {
		for _, part := range ofSources {
			if said.Part(part) != "" {
				s.origins[part] = Origin{Source: source, Name: name}
			}
		}
	}
	return s, nil
}

// slots are the values of a subject, ready to be typed over.
func (d *Desk) slots(ctx context.Context, s subject) ([]slot, error) {
	hand, err := byhand.Of(ctx, d.DB.Read(), s.kind, s.name)
	if err != nil {
		return nil, err
	}
	list := make([]slot, 0, len(s.parts))
	for _, part := range s.parts {
		one := slot{Part: part, Shape: shapeOf(part), Value: s.said(part), Origin: s.origins[part]}
		if v, ok := hand[s.name][part]; ok {
			one.Hand, one.ByHand, one.Value = v, true, v.Text
			if one.By, err = d.nameOf(ctx, v.By); err != nil {
				return nil, err
			}
			if one.Said, err = d.words(ctx, s.tree, part, s.said(part)); err != nil {
				return nil, err
			}
		}
		if err := d.furnish(ctx, s, &one); err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

func shapeOf(part string) shape {
	if s, ok := shapes[part]; ok {
		return s
	}
	return line
}

// furnish gives a slot what its shape needs.
func (d *Desk) furnish(ctx context.Context, s subject, one *slot) error {
	one.Typed = one.Value
	switch one.Shape {
	case somebody:
		known, err := d.Register.KnownPeople(ctx, []campus.PersonID{campus.PersonID(one.Value)})
		if err != nil {
			return err
		}
		one.Typed = known[campus.PersonID(one.Value)].Subject.Login
	case functions:
		held, err := entry.ParseFunctions(one.Value)
		if err != nil {
			return err
		}
		one.Functions, one.Units = append(held, entry.Function{}), unitOptions(ctx, s.tree, nil)
	case choice:
		switch one.Part {
		case unit.PartKind:
			for _, k := range unit.Kinds {
				one.Options = append(one.Options, ui.Option{Value: string(k), Label: i18n.T(ctx, "directory.unit_kind."+string(k))})
			}
		case unit.PartParent: // not below itself
			one.Options = unitOptions(ctx, s.tree, s.tree.Within(s.name))
		default:
			for _, p := range d.Places.Campuses() {
				one.Options = append(one.Options, ui.Option{Value: p.Code, Label: p.Name(i18n.Locale(ctx))})
			}
		}
	}
	return nil
}

// unitOptions are the units to choose from, each below the one it is part of.
func unitOptions(ctx context.Context, tree unit.Tree, without []string) []ui.Option {
	var options []ui.Option
	for _, u := range tree.Units() {
		if !slices.Contains(without, u.Code) {
			options = append(options, ui.Option{Value: u.Code, Label: strings.Repeat("\u2003", len(tree.Above(u.Code))) + u.Name(i18n.Locale(ctx))})
		}
	}
	return options
}

// nameOf is what people call somebody; "" for who left.
func (d *Desk) nameOf(ctx context.Context, who campus.PersonID) (string, error) {
	p, ok, err := d.Find.Person(ctx, who)
	if err != nil || !ok {
		return "", err
	}
	return p.DisplayName(), nil
}

// words says a value that is kept as people read it.
func (d *Desk) words(ctx context.Context, tree unit.Tree, part, value string) (string, error) {
	if value == "" {
		return "", nil
	}
	switch shapeOf(part) {
	case somebody:
		name, err := d.nameOf(ctx, campus.PersonID(value))
		if name == "" {
			name = t(ctx, "somebody_left")
		}
		return name, err
	case mark:
		return t(ctx, "mark."+strconv.FormatBool(value == "true")), nil
	case functions:
		held, err := entry.ParseFunctions(value)
		var names []string
		for _, f := range held {
			names = append(names, f.In(i18n.Locale(ctx)))
		}
		return strings.Join(names, ", "), err
	case choice:
		switch part {
		case unit.PartKind:
			return i18n.T(ctx, "directory.unit_kind."+value), nil
		case unit.PartParent:
			if u, ok := tree.Of(value); ok {
				return u.Name(i18n.Locale(ctx)), nil
			}
			return value, nil
		}
		for _, p := range d.Places.Campuses() {
			if p.Code == value {
				return p.Name(i18n.Locale(ctx)), nil
			}
		}
		return value, nil
	default:
		return strings.Join(strings.Split(value, "\n"), ", "), nil
	}
}

// read reads the value of a slot from its form, and leaves in the slot what was typed.
func (d *Desk) read(ctx context.Context, s *slot, form url.Values, problems *web.Problems) (string, error) {
	s.Typed = strings.TrimSpace(strings.ReplaceAll(form.Get(s.Part), "\r\n", "\n"))
	if utf8.RuneCountInString(s.Typed) > longest {
		problems.Add(s.Part, "directory.edit.problem.long", "most", longest)
	}
	switch s.Shape {
	case somebody:
		if s.Typed == "" {
			return "", nil
		}
		who, err := d.named(ctx, strings.ToLower(s.Typed))
		if err == nil && who == "" {
			problems.Add(s.Part, "directory.edit.problem.nobody")
		}
		return string(who), err
	case functions:
		held := make([]entry.Function, 0, len(s.Functions))
		for i := range mostFunctions {
			n := strconv.Itoa(i)
			f := entry.Function{French: form.Get("functions_fr_" + n), English: form.Get("functions_en_" + n), Unit: form.Get("functions_unit_" + n)}
			if strings.TrimSpace(f.French+f.English) != "" { // a unit alone is no function
				held = append(held, f)
			}
		}
		s.Functions = append(held, entry.Function{})
		return entry.FormatFunctions(held), nil
	case mark:
		return strconv.FormatBool(s.Typed != ""), nil
	case choice:
		known := slices.ContainsFunc(s.Options, func(o ui.Option) bool { return o.Value == s.Typed })
		if !known && (s.Typed != "" || s.Part == unit.PartKind) {
			problems.Add(s.Part, "directory.edit.problem.choice")
		}
	}
	switch {
	case s.Part == unit.PartMail && s.Typed != "":
		if a, err := mail.ParseAddress(s.Typed); err != nil || a.Address != s.Typed {
			problems.Add(s.Part, "directory.edit.problem.mail")
		}
	case s.Part == unit.PartNameFrench && s.Typed == "":
		problems.Add(s.Part, "directory.edit.problem.name")
	}
	return s.Typed, nil
}

// changes are what a form asks for. What a source says changes only when that was asked
// for in so many words.
func (d *Desk) changes(ctx context.Context, by campus.Viewer, s subject, slots []slot, form url.Values) ([]byhand.Change, web.Problems, error) {
	var list []byhand.Change
	var problems web.Problems
	for i := range slots {
		one := &slots[i]
		if one.locked() {
			continue
		}
		value, err := d.read(ctx, one, form, &problems)
		if err != nil {
			return nil, nil, err
		}
		value = s.with(one.Part, value)
		if value == one.Value {
			continue
		}
		if _, wrong := problems.Of(one.Part); !wrong && one.ofSource() && form.Get("override") == "" {
			problems.Add(one.Part, "directory.edit.problem.source", "source", one.Origin.Name)
		}
		shown, err := d.words(ctx, s.tree, one.Part, one.Value)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, byhand.Change{Kind: s.kind, Subject: s.name, Part: one.Part, Value: value, Back: one.ByHand && value == s.said(one.Part), Shown: shown, By: by.Person})
	}
	return list, problems, nil
}

// back is the change that takes a value by hand away; ok is false when there is none.
func (d *Desk) back(ctx context.Context, by campus.Viewer, s subject, slots []slot, part string) (c byhand.Change, ok bool, err error) {
	i := slices.IndexFunc(slots, func(one slot) bool { return one.Part == part && one.ByHand })
	if i < 0 {
		return c, false, nil
	}
	shown, err := d.words(ctx, s.tree, part, slots[i].Value)
	return byhand.Change{Kind: s.kind, Subject: s.name, Part: part, Back: true, Shown: shown, By: by.Person}, true, err
}
