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
