package edit

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/byhand"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Offer is what can be done here about a part of somebody's entry.
type Offer struct {
	// Part is written when the offer is taken; "" when it is not kept here.
	Part string
	// Origin is the source that says the part, where it has to be corrected.
	Origin Origin
	// Person is set when the value is a person, to be named by identifier or address.
	Person bool
	// Override is set when the viewer may replace here what a source says.
	Override bool

	subject subject
	slot    slot
}

// Writes reports whether the value is written at once, without going over a source.
func (o Offer) Writes() bool { return o.Part != "" && !o.slot.ofSource() }

// Offer finds where a part of an entry is mended. Whoever reviews a correction writes
// what no source says; those who keep the entry may also go over a source.
func (d *Desk) Offer(ctx context.Context, v campus.Viewer, p find.Person, part string) (Offer, error) {
	s, err := d.personSubject(ctx, p)
	if err != nil {
		return Offer{}, err
	}
	o := Offer{Origin: s.origins[part], subject: s}
	if !slices.Contains(entry.Parts, part) {
		return o, nil
	}
	s.parts = []string{part}
	slots, err := d.slots(ctx, s)
	if err != nil {
		return o, err
	}
	o.slot = slots[0]
	if o.slot.ByHand {
		o.Origin = Origin{}
	}
	o.Part, o.Person = part, o.slot.Shape == somebody
	o.Override = o.slot.ofSource() && !o.slot.locked() && entry.Keeps(v, p.Affiliations)
	if o.slot.locked() {
		o.Part = ""
	}
	return o, nil
}

// Take reads what is to be written, as it was typed for a correction, and says it in
// words. Problems are those of the field "written".
func (d *Desk) Take(ctx context.Context, by campus.Viewer, p find.Person, o Offer, typed, cause string) (c byhand.Change, words string, problems web.Problems, err error) {
	var found web.Problems
	value := ""
	one := o.slot
	if one.Shape == functions { // the first one is meant; the others stay
		held := slices.Clone(one.Functions[:len(one.Functions)-1])
		first := entry.Function{French: strings.TrimSpace(typed)}
		if len(held) > 0 {
			first.Unit, held = held[0].Unit, held[1:]
		} else if units := p.Units(); len(units) > 0 {
			first.Unit = units[0]
		}
		value = entry.FormatFunctions(append([]entry.Function{first}, held...))
	} else if value, err = d.read(ctx, &one, url.Values{one.Part: {typed}}, &found); err != nil {
		return c, "", nil, err
	}
	for _, wrong := range found {
		wrong.Field = "written"
		problems = append(problems, wrong)
	}
	value = o.subject.with(o.Part, value)
	shown, err := d.words(ctx, o.subject.tree, o.Part, one.Value)
	if err != nil {
		return c, "", nil, err
	}
	words, err = d.words(ctx, o.subject.tree, o.Part, value)
	return byhand.Change{Kind: byhand.Person, Subject: string(p.ID), Part: o.Part, Value: value, Shown: shown, Cause: cause, By: by.Person}, words, problems, err
}

// SourceName is what people call a source that something waits for.
func (d *Desk) SourceName(ctx context.Context, source string) string {
	name, _ := d.Sources.SourceNamed(ctx, source)
	return name
}
