// Package find is the search of the directory: people, and the units that people ask
// for. It keeps both in memory and forgives accents, order, beginnings of words and
// typing mistakes.
package find

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/stamp"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Register is the register of people, as the search reads it.
type Register interface {
	KnownPeople(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error)
	// PeopleAfter are the next people by identifier, at most so many.
	PeopleAfter(ctx context.Context, after campus.PersonID, most int) ([]contract.Known, error)
}

// Deps is what the search asks of the room.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Register Register
	Rules    entry.Config
}

// Finder searches. It is safe for concurrent use.
type Finder struct {
	Deps
	heard <-chan struct{} // something was committed here

	reading sync.Mutex    // one at a time brings the memory up to date
	kept    atomic.Bool   // Keep is at work
	behind  atomic.Bool   // Keep has many changes to read
	wake    chan struct{} // it shall do so

	mu     sync.RWMutex // guards what follows
	loaded bool
	words  *arena
	people []Person
	looks  []glance                // at people, in the same places
	places map[campus.PersonID]int // in people
	free   []int                   // places of those who left
	tree   unit.Tree
	units  []foundUnit

	newest  db.Time            // stamp
	applied map[string]db.Time // stamps of the last moments that are in memory
	looked  time.Time
}

// foundUnit is a unit with its words.
type foundUnit struct {
	unit.Unit
	names, about []uint32
}

// New makes a search. It reads the directory when it is asked for the first time.
func New(d Deps) *Finder {
	heard, _ := d.DB.Listen(stamp.Topic) // for as long as the house stands
	return &Finder{Deps: d, heard: heard, wake: make(chan struct{}, 1)}
}

// Query is what somebody looks for.
type Query struct {
	Words     string
	Kind      campus.Kind // of the people; empty for all
	Campus    string
	Unit      string // its code; what is below it counts as well
	Programme string
	// From and Most are the part of the answer that is wanted.
	From, Most int
}

// Enough reports whether a query narrows the directory enough to be answered: it is
// for finding somebody, not for copying it.
func (q Query) Enough() bool {
	return runeLen(strings.Join(wantedWords(q.Words), "")) >= 2 || q.Unit != "" || q.Programme != ""
}

// Found is the answer to a query.
type Found struct {
	People []Person
	Total  int // people, those on other pages included
	Units  []unit.Unit
	// Near is set when nothing has the words as they were typed, so that the answer
	// is what comes near them.
	Near bool
}

// hit is an entry that has all the words.
type hit struct {
	place int
	cost  int
	clean bool
}

// Search answers a query with what the viewer may see.
func (f *Finder) Search(ctx context.Context, v campus.Viewer, q Query) (Found, error) {
	if !v.SignedIn() || !q.Enough() {
		return Found{}, nil
	}
	if err := f.Refresh(ctx); err != nil {
		return Found{}, err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	var tables [][]uint8
	for _, w := range wantedWords(q.Words) {
		tables = append(tables, f.words.costs(w))
	}
	standing := int8(entry.Standing(v).Rank())
	within := f.tree.Within(q.Unit)
	if q.Unit != "" && len(within) == 0 {
		within = []string{q.Unit}
	}
	self, here := f.places[v.Person]
	if !here {
		self = -1
	}
	people := make([]hit, 0, 512)
	filtered := q.Kind != "" || q.Campus != "" || q.Unit != "" || q.Programme != ""
	for i := range f.looks {
		g := &f.looks[i]
		own := i == self
		if !g.there || !own && g.entry < standing || filtered && !f.people[i].fits(q, v, within) {
			continue
		}
		if h, ok := g.match(tables, own || g.function >= standing); ok {
			h.place = i
			people = append(people, h)
		}
	}
	units := f.matchUnits(tables, q)
	if near := !anyClean(people) && !anyClean(units); !near {
		people, units = onlyClean(people), onlyClean(units)
	} else {
		people, units = nearest(people), nearest(units)
	}
	found := Found{Total: len(people), Near: len(people)+len(units) > 0 && !anyClean(people) && !anyClean(units)}
	slices.SortFunc(people, func(a, b hit) int {
		if a.cost != b.cost {
			return a.cost - b.cost
		}
		if works := f.looks[a.place].works; works != f.looks[b.place].works {
			if works {
				return -1
			}
			return 1
		}
		return strings.Compare(f.people[a.place].order, f.people[b.place].order)
	})
	from := min(max(q.From, 0), len(people))
	for _, h := range people[from:min(from+q.Most, len(people))] {
		found.People = append(found.People, f.people[h.place])
	}
	slices.SortStableFunc(units, func(a, b hit) int { return a.cost - b.cost })
	for _, h := range units[:min(mostUnits, len(units))] {
		found.Units = append(found.Units, f.units[h.place].Unit)
	}
	return found, nil
}

// mostUnits bounds the units of one answer.
const mostUnits = 8

// fits reports whether somebody is what the filters say, of what the viewer may know.
func (p *Person) fits(q Query, v campus.Viewer, within []string) bool {
	if q.Unit != "" {
		if !p.Shows(v, entry.FieldFunctions) || !slices.ContainsFunc(p.Units(), func(code string) bool { return slices.Contains(within, code) }) {
			return false
		}
	}
	if q.Kind == "" && q.Campus == "" && q.Programme == "" {
		return true
	}
	if q.Programme != "" && !p.Shows(v, entry.FieldStudies) {
		return false
	}
	knows := !p.Works() || p.Shows(v, entry.FieldStudies) // whether a colleague studies as well
	return slices.ContainsFunc(p.Affiliations, func(a campus.Affiliation) bool {
		return (knows || a.Kind != campus.Student) && (q.Kind == "" || a.Kind == q.Kind) && (q.Campus == "" || a.Campus == q.Campus) && (q.Programme == "" || a.Programme == q.Programme)
	})
}

// match says what somebody costs for all wanted words; a word may be in the name or
// in a function.
func (g *glance) match(tables [][]uint8, functions bool) (hit, bool) {
	h := hit{clean: true}
	for _, table := range tables {
		c := int(cost(table, g.names))
		if functions {
			if d := int(cost(table, g.functions)); d != none && (c == none || d+1 < c) {
				c = d + 1
				h.clean = h.clean && clean(uint8(d))
				h.cost += c
				continue
			}
		}
		if c == none {
			return hit{}, false
		}
		h.clean = h.clean && clean(uint8(c))
		h.cost += c
	}
	return h, true
}

// matchUnits finds units by their names, keywords and what one comes for.
func (f *Finder) matchUnits(tables [][]uint8, q Query) []hit {
	var hits []hit
	if len(tables) == 0 || q.Kind != "" || q.Unit != "" || q.Programme != "" {
		return nil
	}
	for i := range f.units {
		u := &f.units[i]
		if q.Campus != "" && u.Campus != q.Campus {
			continue
		}
		h := hit{place: i, clean: true}
		for _, table := range tables {
			c := int(cost(table, u.names))
			// What one comes for is prose: there, only whole words count.
			if g := cost(table, u.about); c == none && clean(g) {
				c = int(g) + 3
			}
			if c == none {
				h.place = -1
				break
			}
			h.clean = h.clean && c < mistyped
			h.cost += c
		}
		if h.place >= 0 {
			hits = append(hits, h)
		}
	}
	return hits
}

func anyClean(hits []hit) bool { return slices.ContainsFunc(hits, func(h hit) bool { return h.clean }) }

func onlyClean(hits []hit) []hit {
	return slices.DeleteFunc(hits, func(h hit) bool { return !h.clean })
}

// nearest leaves those that cost hardly more than the best: what is further away is
// not what was meant.
func nearest(hits []hit) []hit {
	best := 0
	for i, h := range hits {
		if i == 0 || h.cost < best {
			best = h.cost
		}
	}
	return slices.DeleteFunc(hits, func(h hit) bool { return h.cost > best+2 })
}

// Units is the org chart.
func (f *Finder) Units(ctx context.Context) (unit.Tree, error) {
	if err := f.Refresh(ctx); err != nil {
		return unit.Tree{}, err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.tree, nil
}

// Person is somebody of the directory, those on the red list included: the caller
// asks what of it the viewer sees.
func (f *Finder) Person(ctx context.Context, who campus.PersonID) (Person, bool, error) {
	if err := f.Refresh(ctx); err != nil {
		return Person{}, false, err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	i, ok := f.places[who]
	if !ok {
		return Person{}, false, nil
	}
	return f.people[i], true, nil
}

// Some are the people with these identifiers whom the viewer sees, by name.
func (f *Finder) Some(ctx context.Context, v campus.Viewer, ids []campus.PersonID) ([]Person, error) {
	if err := f.Refresh(ctx); err != nil {
		return nil, err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	var some []Person
	for _, id := range ids {
		if i, ok := f.places[id]; ok && f.people[i].visible(v) {
			some = append(some, f.people[i])
		}
	}
	return byName(some), nil
}

// Those are the people whom the viewer sees and that a condition names, by name.
func (f *Finder) Those(ctx context.Context, v campus.Viewer, condition func(Person) bool) ([]Person, error) {
	if err := f.Refresh(ctx); err != nil {
		return nil, err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	var those []Person
	for i := range f.people {
		if p := f.people[i]; p.ID != "" && p.visible(v) && condition(p) {
			those = append(those, p)
		}
	}
	return byName(those), nil
}

// In counts those who work in a unit, whoever may see them.
func (f *Finder) In(ctx context.Context, code string) (n int, err error) {
	if err := f.Refresh(ctx); err != nil {
		return 0, err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	for i := range f.people {
		if f.people[i].ID != "" && slices.Contains(f.people[i].Units(), code) {
			n++
		}
	}
	return n, nil
}

// Listed are the identifiers of those whom the viewer sees and that a condition names,
// by name: what a list of any length needs to know beforehand. [Finder.Each] then hands
// over who they are.
func (f *Finder) Listed(ctx context.Context, v campus.Viewer, condition func(*Person) bool) ([]campus.PersonID, error) {
	if err := f.Refresh(ctx); err != nil {
		return nil, err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	var at []int
	for i := range f.people {
		if p := &f.people[i]; p.ID != "" && p.visible(v) && condition(p) {
			at = append(at, i)
		}
	}
	slices.SortFunc(at, func(a, b int) int {
		return cmp.Or(strings.Compare(f.people[a].order, f.people[b].order), strings.Compare(string(f.people[a].ID), string(f.people[b].ID)))
	})
	ids := make([]campus.PersonID, len(at))
	for i, place := range at {
		ids[i] = f.people[place].ID
	}
	return ids, nil
}

// handedAtOnce is how many people Each copies at a time.
const handedAtOnce = 200

// Each hands over people one by one, in the order of the identifiers. Who has left
// meanwhile, or whom the viewer does not see, is passed over. The search goes on
// meanwhile, however slowly they are taken.
func (f *Finder) Each(v campus.Viewer, ids []campus.PersonID, do func(Person) error) error {
	for some := range slices.Chunk(ids, handedAtOnce) {
		people := make([]Person, 0, len(some))
		f.mu.RLock()
		for _, id := range some {
			if i, ok := f.places[id]; ok && f.people[i].visible(v) {
				people = append(people, f.people[i])
			}
		}
		f.mu.RUnlock()
		for _, p := range people {
			if err := do(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// visible reports whether somebody stands in lists: the red list holds there even for
// those who keep entries, and for the person themselves.
func (p *Person) visible(v campus.Viewer) bool {
	return !p.Profile.Unlisted && p.Shows(v, entry.FieldEntry)
}

func byName(people []Person) []Person {
	slices.SortFunc(people, func(a, b Person) int { return strings.Compare(a.order+string(a.ID), b.order+string(b.ID)) })
	return people
}
