package register

import (
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
)

// endTies notes the ties of which no source speaks any more.
func (o *outcome) endTies(before, after []string) {
	still := map[campus.Kind]bool{}
	for _, text := range after {
		k, _ := parseUntil(text)
		still[k] = true
	}
	for _, text := range before {
		if k, at := parseUntil(text); !still[k] && (at.IsZero() || at.After(time.Time{})) {
			o.ends = append(o.ends, k)
			o.diffs = append(o.diffs, Diff{Field: contract.FieldUntil, Old: []string{text}})
		}
	}
	if len(o.ends) > 0 && !slices.Contains(o.fields, contract.FieldUntil) {
		o.fields = append(o.fields, contract.FieldUntil)
	}
}

// compare finds what changes about somebody who is known.
func (p *planner) compare(o *outcome) {
	k := p.known[o.person].Subject
	if o.name == "" {
		o.name = strings.TrimSpace(k.GivenName + " " + k.FamilyName)
	}
	next := o.after.values.Subject()
	o.subject = next
	amend := func(f contract.Field, old, new []string) {
		o.fields = append(o.fields, f)
		o.diffs = append(o.diffs, Diff{Field: f, Old: old, New: new})
	}
	single := func(f contract.Field, is, was, will string, needed bool) {
		// An empty word erases only what came from the sources, and never what nobody
		// can be without.
		if will == is || will == "" && (needed || was != is) {
			return
		}
		amend(f, one(is), one(will))
	}
	had := o.before.values
	single(contract.FieldLogin, k.Login, had.One(contract.FieldLogin), next.Login, true)
	single(contract.FieldMail, k.Mail, had.One(contract.FieldMail), next.Mail, true)
	single(contract.FieldFamilyName, k.FamilyName, had.One(contract.FieldFamilyName), next.FamilyName, true)
	single(contract.FieldGivenName, k.GivenName, had.One(contract.FieldGivenName), next.GivenName, false)
	single(contract.FieldStudentNumber, k.StudentNumber, had.One(contract.FieldStudentNumber), next.StudentNumber, false)
	single(contract.FieldJobTitle, k.JobTitle, had.One(contract.FieldJobTitle), next.JobTitle, false)
	if k.Locale == "" && next.Locale != "" {
		amend(contract.FieldLocale, nil, one(string(next.Locale)))
	}
	for f, will := range map[contract.Field]string{contract.FieldMobile: next.Mobile, contract.FieldRecoveryMail: next.RecoveryMail} {
		if will != "" && will != had.One(f) {
			amend(f, one(had.One(f)), one(will))
		}
	}
	p.compareTies(o, k, amend)
	for _, f := range o.after.values.Fields() {
		if !ofRegister(f) && !slices.Equal(o.after.values[f], had[f]) {
			o.profile = true
			o.diffs = append(o.diffs, Diff{Field: f, Old: had[f], New: o.after.values[f]})
		}
	}
	if !slices.Equal(o.said[mapping.FieldGroups], o.old.said[mapping.FieldGroups]) && !o.entry.Gone {
		o.profile = true
		o.diffs = append(o.diffs, Diff{Field: mapping.FieldGroups, Old: o.old.said[mapping.FieldGroups], New: o.said[mapping.FieldGroups]})
	}
	// A record whose mark was taken away is written whole: what the room has learned to
	// keep since is in no difference, such as the picture of a digest that it knew.
	if o.old.key != "" && !o.old.gone && o.old.digest == "" && !o.entry.Gone {
		o.profile = true
	}
	switch {
	case len(o.before.values[contract.FieldUntil]) > 0 && len(o.after.values[contract.FieldUntil]) == 0,
		inForce(o.before.values[contract.FieldUntil], p.now) && !inForce(o.after.values[contract.FieldUntil], p.now):
		o.kind = kindDeparture // it is there, and says no tie any more, or none that lasts
	case len(o.diffs) > 0:
		o.kind = kindChange
	}
}

// compareTies plans affiliations and their ends. Those that did not come from the
// sources stay, and so do all of somebody who has no other: an account that ends
// is still used until its day.
func (p *planner) compareTies(o *outcome, k contract.Subject, amend func(contract.Field, []string, []string)) {
	is := formatted(k.Affiliations)
	var will []string
	for _, a := range is {
		if !slices.Contains(o.before.values[contract.FieldAffiliations], a) {
			will = append(will, a)
		}
	}
	will = append(will, o.after.values[contract.FieldAffiliations]...)
	slices.Sort(will)
	will = slices.Compact(will)
	// A source that says what it said before has nothing to add to what was decided
	// since, such as a change of year.
	same := o.before.live && slices.Equal(o.before.values[contract.FieldAffiliations], o.after.values[contract.FieldAffiliations])
	if len(o.after.values[contract.FieldAffiliations]) > 0 && !same && !slices.Equal(is, will) {
		o.subject.Affiliations = mapping.Values{contract.FieldAffiliations: will}.Subject().Affiliations
		amend(contract.FieldAffiliations, is, will)
	}
	before, after := o.before.values[contract.FieldUntil], o.after.values[contract.FieldUntil]
	o.subject.Until = map[campus.Kind]time.Time{}
	for _, text := range after {
		if !slices.Contains(before, text) {
			kind, at := parseUntil(text)
			o.subject.Until[kind] = o.low.raise(kind, at)
		}
	}
	if len(o.subject.Until) > 0 {
		amend(contract.FieldUntil, before, after)
	}
	o.endTies(before, after)
}

func formatted(list []campus.Affiliation) []string {
	all := make([]string, len(list))
	for i, a := range list {
		all[i] = mapping.FormatAffiliation(a)
	}
	slices.Sort(all)
	return all
}

func one(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// ofRegister reports whether the register of people keeps a field.
func ofRegister(f mapping.Field) bool {
	switch f {
	case contract.FieldLogin, contract.FieldMail, contract.FieldGivenName, contract.FieldFamilyName, contract.FieldStudentNumber, contract.FieldJobTitle,
		contract.FieldLocale, contract.FieldAffiliations, contract.FieldUntil, contract.FieldMobile, contract.FieldRecoveryMail:
		return true
	}
	return false
}
