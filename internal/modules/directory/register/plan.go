package register

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// The kinds of change.
const (
	kindCreation  = "creation"
	kindChange    = "change"
	kindDeparture = "departure"
	kindConflict  = "conflict"
	kindRefusal   = "refusal"
	kindTouch     = "touch" // nothing that people see: another name at the source
	kindNothing   = ""
)

// Diff is one field of a person that changes.
type Diff struct {
	Field mapping.Field `json:"f"`
	Old   []string      `json:"o,omitempty"`
	New   []string      `json:"n,omitempty"`
}

// outcome is what becomes of one entry of a source.
type outcome struct {
	entry  mapping.Entry
	kind   string
	person campus.PersonID // who it is; empty for somebody new
	name   string
	reason *fault.Fault      // of a conflict or refusal
	people []campus.PersonID // whom a conflict is about

	old     record         // what the source said before; its key is empty when nothing
	said    mapping.Values // what it says now
	before  merged
	after   merged
	diffs   []Diff
	subject contract.Subject
	fields  []contract.Field // of the register that change
	ends    []campus.Kind    // ties that end
	profile bool             // something that the register does not keep changes
	brought bool             // the source brought this person
	floor   floors           // ties that this source found entered by hand
	low     floors           // ties that no source ends
	relinks string           // key of a record that this one replaces
}

// clashes counts how often a source says an identifying value in one reading.
type clashes func(mapping.Field, string) int

// asked is how entries are planned.
type asked struct {
	clash   clashes               // nil when not everything that the source says is at hand
	going   func(key string) bool // the source has this record no longer
	decided bool                  // somebody has said that it is right
}

// planner holds what a piece of entries is compared with.
type planner struct {
	e    *Engine
	feed Feed
	asked
	old     map[string]record
	judged  map[string]verdict
	all     map[campus.PersonID][]record
	known   map[campus.PersonID]contract.Known
	pinned  map[campus.PersonID]map[mapping.Field]string
	holders map[mapping.Field]map[string][]campus.PersonID
	given   map[mapping.Field]map[string]campus.PersonID
	until   map[campus.PersonID]map[campus.Kind]time.Time // of those whom the source has not spoken of
	now     time.Time
}

// identifying are the fields that one person has at most.
var identifying = []mapping.Field{contract.FieldLogin, contract.FieldMail, contract.FieldStudentNumber, mapping.FieldEmployeeNumber}

// usualMatch are the fields by which somebody is found, in order, when the source
// does not say others.
var usualMatch = []string{string(mapping.FieldEmployeeNumber), string(contract.FieldStudentNumber), string(contract.FieldMail), string(contract.FieldLogin)}

// plan says what becomes of entries about people. It reads and writes nothing.
func (e *Engine) plan(ctx context.Context, feed Feed, entries []mapping.Entry, how asked) ([]*outcome, error) {
	p := &planner{e: e, feed: feed, asked: how, now: e.Clock.Now()}
	if err := p.gather(ctx, entries); err != nil {
		return nil, err
	}
	list := make([]*outcome, 0, len(entries))
	for _, entry := range entries {
		list = append(list, p.judge(entry))
	}
	return list, nil
}

// gather reads everything that the entries are compared with, in a handful of
// queries.
func (p *planner) gather(ctx context.Context, entries []mapping.Entry) (err error) {
	e, src := p.e, p.feed.Config.ID
	keys := make([]string, len(entries))
	values := map[mapping.Field][]string{}
	for i, entry := range entries {
		keys[i] = entry.Key
		for _, f := range identifying {
			if v := entry.Values.One(f); v != "" {
				values[f] = append(values[f], v)
			}
		}
	}
	if p.old, err = e.recordsByKey(ctx, e.DB.Read(), src, source.Person, keys); err != nil {
		return err
	}
	if p.judged, err = e.verdicts(ctx, src, keys); err != nil {
		return err
	}
	p.holders, p.given = map[mapping.Field]map[string][]campus.PersonID{}, map[mapping.Field]map[string]campus.PersonID{}
	people := map[campus.PersonID]bool{}
	for f, list := range values {
		if f == mapping.FieldEmployeeNumber {
			if p.holders[f], err = e.byEmployeeNumber(ctx, list); err != nil {
				return err
			}
		} else {
			found, err := e.Register.FindPeople(ctx, f, list)
			if err != nil {
				return err
			}
			p.holders[f] = map[string][]campus.PersonID{}
			for v, who := range found {
				p.holders[f][v] = []campus.PersonID{who}
			}
		}
		for _, list := range p.holders[f] {
			for _, who := range list {
				people[who] = true
			}
		}
	}
	for f, kind := range map[mapping.Field]string{contract.FieldLogin: nameLogin, contract.FieldMail: nameMail} {
		if p.given[f], err = e.givenNames(ctx, kind, values[f]); err != nil {
			return err
		}
	}
	for _, r := range p.old {
		people[r.person] = true
	}
	for _, v := range p.judged {
		if v.is == verdictSame {
			people[v.person] = true
		}
	}
	ids := make([]campus.PersonID, 0, len(people))
	for id := range people {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if p.all, err = e.recordsOf(ctx, e.DB.Read(), ids); err != nil {
		return err
	}
	if p.known, err = e.Register.KnownPeople(ctx, ids); err != nil {
		return err
	}
	if p.pinned, err = e.pins(ctx, ids); err != nil {
		return err
	}
	for _, r := range p.old {
		delete(people, r.person)
	}
	ids = slices.DeleteFunc(ids, func(id campus.PersonID) bool { return !people[id] })
	if len(ids) == 0 {
		return nil
	}
	p.until, err = e.Register.RegisteredUntil(ctx, ids)
	return err
}

// The decisions about a record.
const (
	verdictSame   = "same"
	verdictApart  = "apart"
	verdictIgnore = "ignore"
)

// judge says what becomes of one entry.
func (p *planner) judge(entry mapping.Entry) *outcome {
	o := &outcome{entry: entry}
	o.old = p.old[entry.Key]
	o.person = o.old.person
	if _, there := p.known[o.person]; !there {
		o.person, o.old = "", record{} // deleted since: somebody new
	}
	v := p.judged[entry.Key]
	if v.is == verdictIgnore {
		return o
	}
	if entry.Gone {
		return p.depart(o)
	}
	o.said = overlay(o.old.said, entry.Values)
	o.name = strings.TrimSpace(o.said.One(contract.FieldGivenName) + " " + o.said.One(contract.FieldFamilyName))
	if v.is == verdictApart {
		p.letGo(o)
	}
	if o.person == "" && v.is == verdictSame {
		if _, there := p.known[v.person]; there {
			o.person = v.person
		}
	}
	if v.is == "" {
		if f := p.shared(o); f != nil {
			return o.conflict(f, nil)
		}
	}
	if o.person == "" && v.is != verdictApart && !p.match(o) {
		return o
	}
	if f, people := p.taken(o); f != nil {
		return o.conflict(f, people)
	}
	records := p.all[o.person]
	o.before = p.e.ranks.merge(records, p.pinned[o.person])
	if f := p.owned(o); f != nil {
		return o.refuse(f)
	}
	if o.person == "" {
		return p.create(o)
	}
	o.after = p.e.ranks.merge(with(records, p.stored(o), o.relinks), p.pinned[o.person])
	o.brought = p.brought(o.person, p.feed.Config.ID)
	o.floor, o.low = p.floor(o)
	p.compare(o)
	for _, check := range []func(*outcome) *fault.Fault{p.protected, p.foreign} {
		if f := check(o); f != nil {
			return o.conflict(f, []campus.PersonID{o.person})
		}
	}
	if o.kind == kindNothing {
		o.kind = kindTouch
	}
	return o
}

func (o *outcome) conflict(f *fault.Fault, people []campus.PersonID) *outcome {
	o.kind, o.reason, o.people = kindConflict, f, people
	if o.person != "" && !slices.Contains(people, o.person) {
		o.people = append([]campus.PersonID{o.person}, people...)
	}
	return o
}

func (o *outcome) refuse(err error) *outcome {
	o.kind, o.reason = kindRefusal, fault.Of(err)
	return o
}

func reasonWith(r *fault.Reason, args fault.Args) *fault.Fault {
	return &fault.Fault{Reason: r, Args: args}
}

// letGo takes away the values that belong to somebody else, of a record that was
// decided to be another person.
func (p *planner) letGo(o *outcome) {
	for _, f := range identifying {
		for _, who := range p.holders[f][o.said.One(f)] {
			if who != o.person {
				o.said[f] = nil
			}
		}
		if who, ok := p.given[f][o.said.One(f)]; ok && who != o.person {
			o.said[f] = nil
		}
	}
}

// shared finds an identifying value that the source says of two people. A record
// that had the value before keeps it.
func (p *planner) shared(o *outcome) *fault.Fault {
	if p.clash == nil {
		return nil
	}
	for _, f := range identifying {
		v := o.said.One(f)
		if v == "" || o.old.said.One(f) == v {
			continue
		}
		if n := p.clash(f, v); n > 1 {
			return reasonWith(SharedValue, fault.Args{"field": string(f), "value": fault.Private(v), "records": n})
		}
	}
	return nil
}

// match finds whom an entry speaks of by the rules of its source. It returns false
// when that is a question, which the outcome then says.
func (p *planner) match(o *outcome) bool {
	rules := p.feed.Config.Match
	if len(rules) == 0 {
		rules = usualMatch
	}
	var found []campus.PersonID
	by := mapping.Field("")
	for _, rule := range rules {
		f := mapping.Field(rule)
		for _, who := range p.holders[f][o.said.One(f)] {
			if f == contract.FieldLogin && !p.sameHouse(o, who) {
				continue
			}
			if !slices.Contains(found, who) {
				found = append(found, who)
			}
			if by == "" {
				by = f
			}
		}
	}
	switch len(found) {
	case 0:
		if p.feed.Config.Enrich {
			o.refuse(Nobody)
			return false
		}
		return true
	case 1:
	default:
		o.conflict(reasonWith(SeveralPeople, fault.Args{"people": len(found)}), found)
		return false
	}
	who := found[0]
	k, there := p.known[who]
	if !there {
		return true
	}
	for _, r := range p.all[who] {
		if r.source != p.feed.Config.ID || r.gone || r.key == o.entry.Key {
			continue
		}
		if p.going == nil || !p.going(r.key) {
			o.conflict(reasonWith(TwoRecords, fault.Args{"field": string(by), "value": fault.Private(o.said.One(by)), "other": fault.Private(r.place)}), found)
			return false
		}
		o.relinks = r.key
	}
	if family := o.said.One(contract.FieldFamilyName); family != "" && !alike(family, k.Subject.FamilyName) {
		o.conflict(reasonWith(OtherName, fault.Args{"field": string(by), "value": fault.Private(o.said.One(by)), "name": fault.Private(k.Subject.FamilyName)}), found)
		return false
	}
	o.person = who
	return true
}

// sameHouse reports whether a login that the source writes as an address may be somebody's:
// a.martin@partner.example is not our a.martin. The domain is the one of their address
// here, or one that the configuration says is ours.
func (p *planner) sameHouse(o *outcome, who campus.PersonID) bool {
	domain := o.said.One(mapping.FieldLoginDomain)
	_, ours, _ := strings.Cut(p.known[who].Subject.Mail, "@")
	return domain == "" || strings.EqualFold(domain, ours) || p.feed.Config.NamesDomain(domain)
}

// alike reports whether two family names may be one person's: they have a word in
// common.
func alike(a, b string) bool {
	words := strings.Fields(campus.Fold(b))
	return len(words) == 0 || slices.ContainsFunc(strings.Fields(campus.Fold(a)), func(w string) bool { return slices.Contains(words, w) })
}

// taken finds a login or address that somebody else has, or had.
func (p *planner) taken(o *outcome) (*fault.Fault, []campus.PersonID) {
	for _, f := range []mapping.Field{contract.FieldLogin, contract.FieldMail} {
		v := o.said.One(f)
		if v == "" {
			continue
		}
		if o.person != "" { // what is his already is no question
			k := p.known[o.person].Subject
			if f == contract.FieldLogin && k.Login == v || f == contract.FieldMail && k.Mail == v {
				continue
			}
		}
		for _, who := range p.holders[f][v] {
			if who != o.person {
				return reasonWith(ValueTaken, fault.Args{"field": string(f), "value": fault.Private(v)}), []campus.PersonID{who}
			}
		}
		if who, ok := p.given[f][v]; ok && who != o.person {
			return reasonWith(NameReserved, fault.Args{"field": string(f), "value": fault.Private(v)}), []campus.PersonID{who}
		}
	}
	return nil, nil
}

// stored is the record that the outcome leaves.
func (p *planner) stored(o *outcome) record {
	return record{source: p.feed.Config.ID, key: o.entry.Key, person: o.person, said: o.said}
}

// with puts a record in the place of its older self, and without the one that it
// replaces.
func with(records []record, r record, instead string) []record {
	list := []record{r}
	for _, old := range records {
		if old.source == r.source && (old.key == r.key || instead != "" && old.key == instead) {
			continue
		}
		list = append(list, old)
	}
	return list
}

// create plans a new person.
func (p *planner) create(o *outcome) *outcome {
	o.after = p.e.ranks.merge([]record{p.stored(o)}, nil)
	o.subject = subjectOf(o.after)
	o.profile = true
	if strings.TrimSpace(o.subject.FamilyName) == "" {
		return o.refuse(NoName)
	}
	rule, _ := p.e.names.rule(o.subject)
	if o.subject.Login == "" && p.loginFor(rule, o) == "" {
		return o.refuse(NoLogin)
	}
	if o.subject.Mail == "" && rule.mail == nil {
		return o.refuse(NoMail)
	}
	checked := o.subject
	if checked.Login == "" {
		checked.Login = "made-later"
	}
	if checked.Mail == "" {
		checked.Mail = "made-later@" + rule.domain
	}
	if err := p.e.Register.Check(checked); err != nil {
		return o.refuse(err)
	}
	o.kind = kindCreation
	for _, f := range o.after.values.Fields() {
		if v := o.after.values[f]; len(v) > 0 {
			o.diffs = append(o.diffs, Diff{Field: f, New: v})
		}
	}
	return o
}

// loginFor is the login that a rule makes of somebody's name, before homonyms are
// told apart; empty when it makes none.
func (p *planner) loginFor(rule nameRule, o *outcome) string {
	base := fill(rule.login, o.subject, o.said.One(mapping.FieldEmployeeNumber), "", "", p.now.Year())
	if len(base) < 2 || base[0] < 'a' || base[0] > 'z' {
		return ""
	}
	return base
}

// subjectOf is what the register of people is told of somebody new. Every tie has
// its end there, none included.
func subjectOf(m merged) contract.Subject {
	s := m.values.Subject()
	s.Until = map[campus.Kind]time.Time{}
	for _, text := range m.values[contract.FieldUntil] {
		k, at := parseUntil(text)
		s.Until[k] = at
	}
	return s
}

// depart plans that a source speaks of somebody no longer.
func (p *planner) depart(o *outcome) *outcome {
	if o.old.key == "" || o.old.gone {
		return o // nobody knew
	}
	gone := o.old
	gone.gone = true
	records := p.all[o.person]
	o.name = strings.TrimSpace(p.known[o.person].Subject.GivenName + " " + p.known[o.person].Subject.FamilyName)
	o.before = p.e.ranks.merge(records, p.pinned[o.person])
	o.after = p.e.ranks.merge(with(records, gone, ""), p.pinned[o.person])
	_, o.low = p.floor(o)
	if o.after.live {
		p.compare(o)
		if p.protected(o) != nil || p.foreign(o) != nil { // somebody leaves a source all the same
			o.keepWaysIn()
		}
	} else {
		o.after.values = o.before.values // the entry stays as it was last known
		o.endTies(o.before.values[contract.FieldUntil], nil)
	}
	o.kind = kindDeparture
	return o
}

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
