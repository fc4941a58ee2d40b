package mapping

import (
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// affiliationRule is a rule of the configuration with its expressions read.
type affiliationRule struct {
	source.AffiliationConfig
	campus, programme, unit, until expression
}

func (r affiliationRule) attributes(into map[string]bool) {
	for _, name := range []string{r.Attribute, r.Each} {
		if name != "" {
			into[strings.ToLower(name)] = true
		}
	}
	for _, e := range []expression{r.campus, r.programme, r.unit, r.until} {
		e.attributes(into)
	}
}

// mostAffiliations bounds what a mistake in a rule can give one person.
const mostAffiliations = 40

// kindWords are the kinds of affiliation as people write them in files, folded.
var kindWords = map[string]campus.Kind{
	"student": campus.Student, "etudiant": campus.Student, "etudiante": campus.Student, "eleve": campus.Student, "apprenti": campus.Student, "apprentie": campus.Student,
	"teacher": campus.Teacher, "faculty": campus.Teacher, "enseignant": campus.Teacher, "enseignante": campus.Teacher, "professeur": campus.Teacher, "professeure": campus.Teacher, "enseignant chercheur": campus.Teacher, "vacataire": campus.Teacher, "researcher": campus.Teacher, "chercheur": campus.Teacher, "chercheuse": campus.Teacher,
	"staff": campus.Staff, "employee": campus.Staff, "personnel": campus.Staff, "agent": campus.Staff, "biatss": campus.Staff, "administratif": campus.Staff, "administrative": campus.Staff,
	"guest": campus.Guest, "affiliate": campus.Guest, "invite": campus.Guest, "invitee": campus.Guest, "exterieur": campus.Guest,
}

// tie is an affiliation and when it ends.
type tie struct {
	campus.Affiliation
	until time.Time // zero for no end
}

// takeAffiliations fills the affiliations and when they end.
func (w *work) takeAffiliations() {
	w.broken = false
	ties, spoken := w.byRules()
	if w.named && len(w.rules) == 0 {
		ties, spoken = w.byColumns()
	}
	if !spoken || w.broken && len(ties) == 0 {
		return
	}
	ties = absorb(ties)
	if len(ties) > mostAffiliations {
		w.refuse(contract.FieldAffiliations, TooMany.With(fault.Args{"field": string(contract.FieldAffiliations), "most": mostAffiliations}))
		return
	}
	said := make([]string, 0, len(ties))
	for _, t := range ties {
		said = append(said, FormatAffiliation(t.Affiliation))
	}
	slices.Sort(said)
	w.entry.Values[contract.FieldAffiliations] = slices.Compact(said)
	w.takeUntil(ties)
}

// byRules are the affiliations of the configuration's rules, or the preset's.
func (w *work) byRules() (ties []tie, spoken bool) {
	for _, r := range w.rules {
		names := map[string]bool{}
		r.attributes(names)
		spoken = spoken || w.spoken(attributesOnly(names))
		if !w.fits(r) {
			continue
		}
		for _, override := range w.enrolments(r.Each) {
			s := w.scope(contract.FieldAffiliations, override)
			until := w.ends(r.until.in(s))
			for _, c := range w.codes(r.campus.in(s)) {
				for _, p := range w.codes(r.programme.in(s)) {
					for _, u := range w.codes(r.unit.in(s)) {
						ties = append(ties, tie{campus.Affiliation{Kind: campus.Kind(r.Kind), Campus: c, Programme: p, Unit: u}, until})
					}
				}
			}
		}
	}
	return ties, spoken
}

// attributesOnly is an expression that looks at some attributes.
func attributesOnly(names map[string]bool) (e expression) {
	for name := range names {
		e = append(e, term{attribute: name})
	}
	return e
}

// fits reports whether a rule is about this record.
func (w *work) fits(r affiliationRule) bool {
	if r.Attribute == "" {
		return true
	}
	values := w.cleaned(contract.FieldAffiliations, strings.ToLower(r.Attribute))
	for _, v := range values {
		if slices.ContainsFunc(r.Unless, func(not string) bool { return like(v, not) }) {
			return false
		}
	}
	if r.Value == "" {
		return len(values) > 0
	}
	return slices.ContainsFunc(values, func(v string) bool { return like(v, r.Value) })
}

// like compares whatever the case; * in the pattern stands for any text.
func like(value, pattern string) bool {
	parts := strings.Split(strings.ToLower(pattern), "*")
	rest, ok := strings.CutPrefix(strings.ToLower(value), parts[0])
	if !ok || len(parts) == 1 {
		return ok && rest == ""
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

// enrolments are the composite values that a rule takes one by one, those of the latest
// year; one empty turn when there are none.
func (w *work) enrolments(each string) []map[string][]string {
	nothing := []map[string][]string{nil}
	if each == "" {
		return nothing
	}
	attribute := strings.ToLower(each)
	values := w.cleaned(contract.FieldAffiliations, attribute)
	latest := ""
	for _, v := range values {
		latest = max(latest, composite(v)["anneeinsc"])
	}
	var turns []map[string][]string
	for _, v := range values {
		if composite(v)["anneeinsc"] == latest {
			turns = append(turns, map[string][]string{attribute: {v}})
		}
	}
	if turns == nil {
		return nothing
	}
	return turns
}

// codes are the values of a part of an affiliation; one empty code when there are none.
func (w *work) codes(values []string) []string {
	formed := w.formed(contract.FieldAffiliations, rule{form: code, many: true}, values)
	if len(formed) == 0 {
		return []string{""}
	}
	return formed
}

// ends is the date of an affiliation: the latest of several, zero for none.
func (w *work) ends(values []string) (latest time.Time) {
	for _, v := range values {
		at, err := moment(v, w.zone)
		if err != nil {
			w.refuse(contract.FieldUntil, unfit(err, contract.FieldUntil, v))
			continue
		}
		if at.After(latest) {
			latest = at
		}
	}
	return latest
}

// byColumns reads affiliations as files and programs say them: in the stored form, or as
// words with campus, programme and unit beside them.
func (w *work) byColumns() (ties []tie, spoken bool) {
	all := w.cleaned(contract.FieldAffiliations, string(contract.FieldAffiliations))
	_, plural := w.record.Values[string(contract.FieldAffiliations)]
	_, single := w.record.Values["affiliation"]
	for _, v := range all {
		a, ok := affiliationOf(v)
		if !ok {
			w.refuse(contract.FieldAffiliations, AffiliationUnknown.With(fault.Args{"field": string(contract.FieldAffiliations), "value": shown(v)}))
			continue
		}
		ties = append(ties, tie{Affiliation: a})
	}
	column := func(name string) []string { return w.codes(w.cleaned(contract.FieldAffiliations, name)) }
	for _, v := range w.cleaned(contract.FieldAffiliations, "affiliation") {
		kind, ok := kindWords[campus.Fold(v)]
		if !ok {
			w.refuse(contract.FieldAffiliations, AffiliationUnknown.With(fault.Args{"field": string(contract.FieldAffiliations), "value": shown(v)}))
			continue
		}
		for _, c := range column("campus") {
			for _, p := range column("programme") {
				for _, u := range column("unit") {
					ties = append(ties, tie{Affiliation: campus.Affiliation{Kind: kind, Campus: c, Programme: p, Unit: u}})
				}
			}
		}
	}
	return ties, plural || single
}

// affiliationOf reads the stored form, with any word for the kind.
func affiliationOf(text string) (campus.Affiliation, bool) {
	word, rest, _ := strings.Cut(text, separator)
	if kind, ok := kindWords[campus.Fold(word)]; ok {
		text = string(kind) + separator + rest
	}
	return ParseAffiliation(text)
}

// absorb drops an affiliation that another one says more exactly: a student, and a
// student of a programme.
func absorb(ties []tie) []tie {
	within := func(a, b campus.Affiliation) bool {
		fits := func(less, more string) bool { return less == "" || less == more }
		return a.Kind == b.Kind && a != b && fits(a.Campus, b.Campus) && fits(a.Programme, b.Programme) && fits(a.Unit, b.Unit)
	}
	var kept []tie
	for _, a := range ties {
		if !slices.ContainsFunc(ties, func(b tie) bool { return within(a.Affiliation, b.Affiliation) }) {
			kept = append(kept, a)
		}
	}
	return kept
}

// takeUntil says when each kind of affiliation ends: with the last of them, by the rules
// or, where those say nothing, by the field until.
func (w *work) takeUntil(ties []tie) {
	e, mapped := w.fields[source.Person][contract.FieldUntil]
	byRule := slices.ContainsFunc(ties, func(t tie) bool { return !t.until.IsZero() })
	if !byRule && (!mapped || !w.spoken(e)) {
		return
	}
	w.broken = false
	usual := time.Time{}
	named := map[campus.Kind]time.Time{}
	for _, v := range e.in(w.scope(contract.FieldUntil, nil)) {
		word, date, ok := strings.Cut(v, separator)
		if kind, known := kindWords[campus.Fold(word)]; ok && known { // of one affiliation
			named[kind] = w.ends([]string{date})
		} else if at := w.ends([]string{v}); at.After(usual) {
			usual = at
		}
	}
	ends := map[campus.Kind]time.Time{}
	open := map[campus.Kind]bool{}
	for _, t := range ties {
		until := t.until
		if until.IsZero() {
			until = usual
		}
		if at, ok := named[t.Kind]; ok {
			until = at
		}
		open[t.Kind] = open[t.Kind] || until.IsZero()
		if until.After(ends[t.Kind]) {
			ends[t.Kind] = until
		}
	}
	if w.broken {
		return
	}
	said := []string{}
	for _, kind := range campus.Kinds {
		if at := ends[kind]; !at.IsZero() && !open[kind] {
			said = append(said, formatUntil(kind, at))
		}
	}
	w.entry.Values[contract.FieldUntil] = said
}
