package register

import (
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

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
