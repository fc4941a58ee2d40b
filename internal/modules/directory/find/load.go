package find

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/stamp"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

const (
	// lookEvery is how often the search looks for changes that another server made.
	lookEvery = 2 * time.Second
	// pageSize is how many people are read at once.
	pageSize = 2000
	// few is how many changes a reader waits for. More come from an import or a rule,
	// and are read behind their back.
	few = 100
	// atOnce is how many changed people are put into memory at once: nobody reads it
	// meanwhile.
	atOnce = 500
	// closed is the state of an account that is no more.
	closed = "closed"
)

// Refresh brings the memory up to date: it reads everything the first time, and then
// those who changed, so that whoever changed something finds it changed. While
// somebody else does so, or [Finder.Keep] has many changes to read, the memory is
// taken as it is.
func (f *Finder) Refresh(ctx context.Context) error {
	f.mu.RLock()
	loaded, looked := f.loaded, f.looked
	f.mu.RUnlock()
	heard := false
	select {
	case <-f.heard:
		heard = true
	default:
	}
	now := f.Clock.Now()
	switch {
	case loaded && (f.behind.Load() || !heard && now.Sub(looked).Abs() < lookEvery):
		return nil
	case !loaded || heard:
		f.reading.Lock() // what was heard is ours to read
	case !f.reading.TryLock():
		return nil
	}
	defer f.reading.Unlock()
	// A reader that goes away must not leave the others without an answer.
	ctx = context.WithoutCancel(ctx)
	if f.words == nil {
		return f.load(ctx, now)
	}
	changes, err := f.changes(ctx)
	if err != nil {
		return err
	}
	if len(changes.subjects) > few && f.kept.Load() {
		if f.behind.CompareAndSwap(false, true) {
			f.wake <- struct{}{} // there is room: Keep takes it before behind is false again
		}
		return nil
	}
	return f.apply(ctx, changes, now)
}

// Keep reads the directory, and then many changes at once whenever there are some,
// until the context ends, so that no search waits for that.
func (f *Finder) Keep(ctx context.Context) {
	f.kept.Store(true)
	defer f.kept.Store(false)
	if err := f.Refresh(ctx); err != nil && ctx.Err() == nil {
		f.Log.ErrorContext(ctx, "the search could not read the directory; it tries again when somebody searches", "error", err)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
		}
		if err := f.catchUp(ctx); err != nil && ctx.Err() == nil {
			f.Log.ErrorContext(ctx, "the search could not read what changed; it tries again when somebody searches", "error", err)
		}
	}
}

// catchUp reads many changes.
func (f *Finder) catchUp(ctx context.Context) error {
	f.reading.Lock()
	defer f.reading.Unlock()
	defer f.behind.Store(false)
	now := f.Clock.Now()
	changes, err := f.changes(ctx)
	if err != nil {
		return err
	}
	return f.apply(ctx, changes, now)
}

// load reads the whole directory. What changes meanwhile is read again.
func (f *Finder) load(ctx context.Context, now time.Time) error {
	newest, err := stamp.Newest(ctx, f.DB.Read())
	if err != nil {
		return err
	}
	words, places := newArena(), map[campus.PersonID]int{}
	var people []Person
	var looks []glance
	tree, err := unit.All(ctx, f.DB.Read())
	if err != nil {
		return err
	}
	same := interner{}
	for after := campus.PersonID(""); ; {
		some, err := f.Register.PeopleAfter(ctx, after, pageSize)
		if err != nil {
			return fmt.Errorf("read the directory: %w", err)
		}
		known := make(map[campus.PersonID]contract.Known, len(some))
		ids := make([]campus.PersonID, 0, len(some))
		for _, k := range some {
			if after = k.ID; k.State != closed {
				known[k.ID] = same.known(k)
				ids = append(ids, k.ID)
			}
		}
		read, err := f.read(ctx, ids, known)
		if err != nil {
			return err
		}
		for _, p := range read {
			places[p.ID] = len(people)
			people, looks = append(people, p), append(looks, p.glance(words, tree))
		}
		if len(some) < pageSize {
			break
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	defer debug.FreeOSMemory() // what was read on the way is as much again, and not needed any more
	f.words, f.places, f.people, f.looks, f.free = words, places, slices.Clip(people), slices.Clip(looks), nil
	f.setTree(tree)
	f.newest, f.applied, f.looked, f.loaded = newest, map[string]db.Time{}, now, true
	return nil
}

// changes are those since the memory was brought up to date.
type changes struct {
	subjects []string
	newest   db.Time
	applied  map[string]db.Time // stamps of the last moments, of what is in memory afterwards
}

func (f *Finder) changes(ctx context.Context) (changes, error) {
	list, err := stamp.Since(ctx, f.DB.Read(), f.newest.Add(-stamp.Overlap))
	if err != nil {
		return changes{}, err
	}
	c := changes{newest: f.newest, applied: make(map[string]db.Time, len(list))}
	for _, one := range list {
		c.newest = max(c.newest, one.At)
		c.applied[one.Subject] = one.At
		if f.applied[one.Subject] != one.At {
			c.subjects = append(c.subjects, one.Subject)
		}
	}
	return c, nil
}

// apply reads those again that changed.
func (f *Finder) apply(ctx context.Context, c changes, now time.Time) error {
	for some := range slices.Chunk(c.subjects, atOnce) {
		if err := f.reread(ctx, some); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.newest, f.applied, f.looked = c.newest, c.applied, now
	return nil
}

// reread reads the chart or people again.
func (f *Finder) reread(ctx context.Context, subjects []string) error {
	ids, units := make([]campus.PersonID, 0, len(subjects)), false
	for _, s := range subjects {
		if s == stamp.Units {
			units = true
		} else {
			ids = append(ids, campus.PersonID(s))
		}
	}
	tree := f.tree
	var err error
	if units {
		if tree, err = unit.All(ctx, f.DB.Read()); err != nil {
			return err
		}
	}
	known, err := f.Register.KnownPeople(ctx, ids)
	if err != nil {
		return fmt.Errorf("read the directory: %w", err)
	}
	read, err := f.read(ctx, ids, known)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if units {
		f.setTree(tree)
		for i := range f.people {
			f.looks[i] = f.people[i].glance(f.words, tree)
		}
	}
	there := make(map[campus.PersonID]bool, len(read))
	for _, p := range read {
		there[p.ID] = true
		i, had := f.places[p.ID]
		switch {
		case had:
		case len(f.free) > 0:
			i = f.free[len(f.free)-1]
			f.free = f.free[:len(f.free)-1]
		default:
			i = len(f.people)
			f.people, f.looks = append(f.people, Person{}), append(f.looks, glance{})
		}
		f.people[i], f.looks[i], f.places[p.ID] = p, p.glance(f.words, tree), i
	}
	for _, id := range ids {
		if i, had := f.places[id]; had && !there[id] {
			f.people[i], f.looks[i] = Person{}, glance{}
			delete(f.places, id)
			f.free = append(f.free, i)
		}
	}
	return nil
}

// read puts together what is known of people. Who left is not among them.
func (f *Finder) read(ctx context.Context, ids []campus.PersonID, known map[campus.PersonID]contract.Known) ([]Person, error) {
	profiles, err := entry.Current(ctx, f.DB.Read(), ids)
	if err != nil {
		return nil, err
	}
	chosen, err := entry.ManyChoices(ctx, f.DB.Read(), ids)
	if err != nil {
		return nil, err
	}
	people := make([]Person, 0, len(ids))
	for _, id := range ids {
		if k, ok := known[id]; ok && k.State != closed {
			people = append(people, personOf(k, profiles[id], chosen[id], f.Rules))
		}
	}
	return people, nil
}

// glance works out what the search asks of somebody.
func (p *Person) glance(words *arena, tree unit.Tree) glance {
	if p.ID == "" {
		return glance{}
	}
	texts := []string{p.JobTitle}
	for _, f := range p.Profile.Functions {
		texts = append(texts, f.French, f.English)
	}
	for _, code := range p.Units() {
		if u, ok := tree.Of(code); ok {
			texts = append(texts, u.NameFrench, u.NameEnglish)
		}
	}
	return glance{
		names: words.add(p.GivenName, p.FamilyName), functions: words.add(texts...), works: p.Works(), there: true,
		entry: int8(p.Sight.Rank(entry.FieldEntry)), function: int8(p.Sight.Rank(entry.FieldFunctions)),
	}
}

// setTree keeps the chart, and the words of its units.
func (f *Finder) setTree(tree unit.Tree) {
	f.tree, f.units = tree, nil
	for _, u := range tree.Units() {
		texts := append([]string{u.NameFrench, u.NameEnglish, u.Code}, u.Keywords...)
		f.units = append(f.units, foundUnit{Unit: u, names: f.words.add(texts...), about: f.words.add(u.AboutFrench, u.AboutEnglish)})
	}
}

// interner keeps one copy of texts that many people share: titles, codes.
type interner map[string]string

func (in interner) text(s string) string {
	if kept, ok := in[s]; ok {
		return kept
	}
	in[s] = s
	return s
}

func (in interner) known(k contract.Known) contract.Known {
	k.Subject.JobTitle = in.text(k.Subject.JobTitle)
	k.Subject.GivenName = in.text(k.Subject.GivenName)
	for i, a := range k.Subject.Affiliations {
		k.Subject.Affiliations[i] = campus.Affiliation{
			Kind: campus.Kind(in.text(string(a.Kind))), Campus: in.text(a.Campus), Programme: in.text(a.Programme), Unit: in.text(a.Unit),
		}
	}
	return k
}
