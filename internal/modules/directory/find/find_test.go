package find_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/find"
	"github.com/amphi-campus/amphi/internal/modules/directory/stamp"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// register is a register of people in memory, by identifier.
type register []contract.Known

func (r register) KnownPeople(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	known := map[campus.PersonID]contract.Known{}
	for _, id := range ids {
		if i, ok := slices.BinarySearchFunc(r, id, func(k contract.Known, id campus.PersonID) int { return strings.Compare(string(k.ID), string(id)) }); ok {
			known[id] = r[i]
		}
	}
	return known, nil
}

func (r register) PeopleAfter(_ context.Context, after campus.PersonID, most int) ([]contract.Known, error) {
	i, _ := slices.BinarySearchFunc(r, after+"\x00", func(k contract.Known, id campus.PersonID) int { return strings.Compare(string(k.ID), string(id)) })
	return slices.Clone(r[i:min(len(r), i+most)]), nil
}

func person(id campus.PersonID, given, family, title string, affiliations ...campus.Affiliation) contract.Known {
	return contract.Known{ID: id, State: "active", Subject: contract.Subject{
		GivenName: given, FamilyName: family, Mail: string(id) + "@valmont.example", JobTitle: title, Affiliations: affiliations,
	}}
}

var (
	teaches = campus.Affiliation{Kind: campus.Teacher, Campus: "rives", Unit: "INFO"}
	works   = campus.Affiliation{Kind: campus.Staff, Campus: "port", Unit: "BRS"}
	studies = campus.Affiliation{Kind: campus.Student, Campus: "rives", Programme: "L-INFO", Unit: "INFO"}
)

func people() register {
	return register{
		person("p1", "Hélène", "Kervadec", "Maîtresse de conférences", teaches),
		person("p2", "Jean-Baptiste", "de La Tour", "Professeur", teaches),
		person("p3", "Fatoumata", "Diallo", "Gestionnaire des bourses", works),
		person("p4", "Lina", "Martin", "", studies),
		person("p5", "Martine", "Lemarchand", "Secrétaire", works),
		person("p6", "Ana", "Martins", "Ancienne", works),
		person("p7", "Œdipe", "L’Haÿ", "Bibliothécaire", works),
	}
}

func schemas() []db.Migrations {
	return []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "directory", FS: new(directory.Module).Migrations()}}
}

// write changes the directory.
func write(t testing.TB, d *db.DB, do func(ctx context.Context, tx db.Tx) error) {
	t.Helper()
	if err := d.InTx(t.Context(), func(tx db.Tx) error { return do(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func addUnits(t testing.TB, d *db.DB) {
	write(t, d, func(ctx context.Context, tx db.Tx) error {
		for _, u := range []unit.Unit{
			{Code: "UV", Kind: unit.Institution, NameFrench: "Université"},
			{Code: "INFO", Parent: "UV", Kind: unit.Department, NameFrench: "Département d’informatique", NameEnglish: "Computer science"},
			{Code: "BRS", Parent: "UV", Kind: unit.Service, NameFrench: "Service des bourses", NameEnglish: "Scholarship office", Keywords: []string{"CROUS", "aide financière"}},
			{Code: "BDE", Parent: "UV", Kind: unit.Association, NameFrench: "Bureau des étudiants", NameEnglish: "Student union"},
		} {
			if err := unit.Put(ctx, tx, u, "test"); err != nil {
				return err
			}
		}
		return nil
	})
}

func words(found find.Found) string {
	var names []string
	for _, u := range found.Units {
		names = append(names, u.Code)
	}
	for _, p := range found.People {
		names = append(names, p.FamilyName)
	}
	return strings.Join(names, ", ")
}

func TestTheSearchForgives(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addUnits(t, d)
		f := find.New(find.Deps{DB: d, Clock: clock.System(), Register: people(), Rules: entry.Defaults()})
		for name, c := range map[string]struct{ words, want string }{
			"accents":                             {"helene kervadec", "Kervadec"},
			"order":                               {"KERVADEC Hélène", "Kervadec"},
			"beginnings":                          {"kerv hel", "Kervadec"},
			"a wrong letter":                      {"kervadak", "Kervadec"},
			"two swapped letters":                 {"bousre", "BRS, Diallo, L’Haÿ, Lemarchand, Martins"},
			"a letter that is missing":            {"kevadec", "Kervadec"},
			"a beginning typed wrong":             {"kervda", "Kervadec"},
			"hyphens and particles":               {"jean baptiste tour", "de La Tour"},
			"ligatures and apostrophes":           {"oedipe l'hay", "L’Haÿ"},
			"a function of people and of a unit":  {"bourses", "BRS, Diallo, L’Haÿ, Lemarchand, Martins"},
			"English words":                       {"scholarship", "BRS, Diallo, L’Haÿ, Lemarchand, Martins"},
			"a keyword":                           {"crous", "BRS"},
			"initials of an association":          {"BDE", "BDE"},
			"student union in two words":          {"union student", "BDE"},
			"the exact name before the beginning": {"martin", "Martin, Lemarchand, Martins"},
			"a name and a function":               {"diallo bourses", "Diallo"},
			"nothing like it":                     {"xyzzy", ""},
			"too short":                           {"k", ""},
			"signs alone":                         {"%_", ""},
		} {
			found, err := f.Search(t.Context(), staff(), find.Query{Words: c.words, Most: 20})
			if got := words(found); err != nil || got != c.want {
				t.Errorf("%s: %q finds %q, want %q (%v)", name, c.words, got, c.want, err)
			}
		}
		found, err := f.Search(t.Context(), staff(), find.Query{Words: "kervadak", Most: 20})
		if err != nil || !found.Near {
			t.Errorf("what comes near should say so: %v", err)
		}
	}, schemas()...)
}

// staff is somebody who works here.
func staff() campus.Viewer { return campustest.Sam() }

func TestTheSearchShowsWhatEachViewerMaySee(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		addUnits(t, d)
		write(t, d, func(ctx context.Context, tx db.Tx) error {
			return entry.Put(ctx, tx, "p5", entry.Profile{Unlisted: true}, "test")
		})
		both := person("p8", "Inès", "Doubleau", "Monitrice", campus.Affiliation{Kind: campus.Staff, Campus: "port"}, campus.Affiliation{Kind: campus.Student, Campus: "rives", Programme: "L-MATHS"})
		f := find.New(find.Deps{DB: d, Clock: clock.System(), Register: append(people(), both), Rules: entry.Defaults()})
		guest := campus.Viewer{Person: "g", Affiliations: []campus.Affiliation{{Kind: campus.Guest}}}
		for name, c := range map[string]struct {
			viewer campus.Viewer
			query  find.Query
			want   string
			total  int
		}{
			"staff see students":                              {staff(), find.Query{Words: "martin"}, "Martin, Martins", 2},
			"students do not":                                 {campustest.Lina(), find.Query{Words: "martin"}, "Martins", 1},
			"guests do not":                                   {guest, find.Query{Words: "martin"}, "Martins", 1},
			"strangers see nothing":                           {campus.Viewer{}, find.Query{Words: "kervadec"}, "", 0},
			"nobody finds the red list":                       {staff(), find.Query{Words: "lemarchand"}, "", 0},
			"those who keep entries do not find it here":      {campustest.Nadia(), find.Query{Words: "lemarchand"}, "", 0},
			"a unit lists those who work in it":               {campustest.Lina(), find.Query{Unit: "BRS"}, "Diallo, L’Haÿ, Martins", 3},
			"a unit includes what is below it":                {campustest.Lina(), find.Query{Unit: "UV", Kind: campus.Teacher}, "de La Tour, Kervadec", 2},
			"a programme lists its students to staff":         {staff(), find.Query{Programme: "L-INFO"}, "Martin", 1},
			"and not to students":                             {campustest.Lina(), find.Query{Programme: "L-INFO"}, "", 0},
			"a campus and a kind alone are too much":          {staff(), find.Query{Campus: "rives", Kind: campus.Student}, "", 0},
			"that a colleague studies is for colleagues":      {staff(), find.Query{Words: "doubleau", Kind: campus.Student}, "Doubleau", 1},
			"and not for students":                            {campustest.Lina(), find.Query{Words: "doubleau", Kind: campus.Student}, "", 0},
			"where a colleague studies is not, either":        {campustest.Lina(), find.Query{Words: "doubleau", Campus: "rives"}, "", 0},
			"a kind narrows":                                  {staff(), find.Query{Words: "martin", Kind: campus.Student}, "Martin", 1},
			"a campus narrows":                                {staff(), find.Query{Words: "martin", Campus: "port"}, "Martins", 1},
			"a unit that is not there has nobody":             {staff(), find.Query{Unit: "NONE"}, "", 0},
			"the second page goes on where the first stopped": {campustest.Lina(), find.Query{Unit: "BRS", From: 2}, "Martins", 3},
		} {
			c.query.Most = 20
			found, err := f.Search(t.Context(), c.viewer, c.query)
			if got := words(found); err != nil || got != c.want || found.Total != c.total {
				t.Errorf("%s: %q of %d, want %q of %d (%v)", name, got, found.Total, c.want, c.total, err)
			}
		}
	}, schemas()...)
}

func TestChangesAreFoundAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		known := people()
		f := find.New(find.Deps{DB: d, Clock: clock.System(), Register: known, Rules: entry.Defaults()})
		other := find.New(find.Deps{DB: d, Clock: clock.System(), Register: known, Rules: entry.Defaults()})
		look := func(f *find.Finder, text string) string {
			found, err := f.Search(t.Context(), staff(), find.Query{Words: text, Most: 20})
			if err != nil {
				t.Fatal(err)
			}
			return words(found)
		}
		if got := look(f, "kervadec") + look(other, "kervadec"); got != "KervadecKervadec" {
			t.Fatalf("found %q", got)
		}
		touch := func(who campus.PersonID) {
			write(t, d, func(ctx context.Context, tx db.Tx) error { return stamp.Person(ctx, tx, who) })
		}
		known[0].Subject.FamilyName = "Quéméner"
		touch("p1")
		if got := look(f, "quemener") + look(f, "kervadec"); got != "Quéméner" {
			t.Errorf("after a marriage: %q", got)
		}
		if got := look(other, "quemener"); got != "Quéméner" {
			t.Errorf("another search of this server: %q", got)
		}
		write(t, d, func(ctx context.Context, tx db.Tx) error {
			return entry.Put(ctx, tx, "p2", entry.Profile{Functions: []entry.Function{{Unit: "INFO", French: "Référent handicap"}}}, "test")
		})
		if got := look(f, "handicap"); got != "de La Tour" {
			t.Errorf("a new function: %q", got)
		}
		known[2].State = "closed"
		touch("p3")
		if got := look(f, "diallo"); got != "" {
			t.Errorf("who left: %q", got)
		}
		addUnits(t, d)
		if got := look(f, "crous"); got != "BRS" {
			t.Errorf("a new unit: %q", got)
		}
	}, schemas()...)
}

// imported is a register in which an import changed everybody: it tells them once the
// gate is open.
type imported struct {
	before, after register
	gate          chan struct{}
}

func (i imported) PeopleAfter(ctx context.Context, after campus.PersonID, most int) ([]contract.Known, error) {
	return i.before.PeopleAfter(ctx, after, most)
}

func (i imported) KnownPeople(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	select {
	case <-i.gate:
		return i.after.KnownPeople(ctx, ids)
	case <-time.After(20 * time.Second):
		return nil, errors.New("somebody waited for the whole import")
	}
}

func TestNobodyWaitsForManyChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		all := imported{before: crowd(300), after: crowd(300), gate: make(chan struct{})}
		for i := range all.after {
			all.after[i].Subject.FamilyName = "Quéméner"
		}
		f := find.New(find.Deps{DB: d, Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Register: all, Rules: entry.Defaults()})
		look := func() (named int) {
			t.Helper()
			found, err := f.Search(t.Context(), staff(), find.Query{Words: "quemener", Most: 300})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range found.People {
				if p.FamilyName == "Quéméner" {
					named++
				}
			}
			return named
		}
		touch := func(some register) {
			write(t, d, func(ctx context.Context, tx db.Tx) error {
				for _, k := range some {
					if err := stamp.Person(ctx, tx, k.ID); err != nil {
						return err
					}
				}
				return nil
			})
		}
		ctx, stop := context.WithCancel(t.Context())
		var kept sync.WaitGroup
		defer kept.Wait()
		defer stop()
		kept.Go(func() { f.Keep(ctx) })
		for deadline := time.Now().Add(20 * time.Second); !f.Kept() && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		}
		look()
		touch(all.before[:250])
		for range 3 {
			if n := look(); n != 0 {
				t.Fatalf("%d people have their new names already", n)
			}
		}
		close(all.gate)
		for deadline := time.Now().Add(20 * time.Second); look() != 250; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d of 250 people have their new names", look())
			}
		}
		touch(all.before[250:260]) // as few as somebody changes on a page
		if n := look(); n != 260 {
			t.Errorf("%d of 260 people have their new names at once", n)
		}
	}, schemas()...)
}

// crowd is a university of n people whose names look like names.
func crowd(n int) register {
	givens := strings.Fields("Hélène Paul Fatoumata Yannick Nadia Karim Solène Amadou Chloé Mathis Inès Jules Zoé Hugo Léa Nathan Camille Théo Manon Lucas Emma Louis Jade Gabriel Louise Raphaël Alice Arthur Lina Adam")
	starts := strings.Fields("Mar Ber Du Ker Le Gau Ro Per Mo Si Lau Mi Gar Da Bou Fon Che Ro Vin Mul Hen Rou Ni Mat Cle Gue Mor Per Bo Fran Ben Al Dia Trao Coul Nguy")
	middles := strings.Fields("ti na bert pon va go mar ri lin tel gnon che vre lo mi ssa zo de ra")
	ends := strings.Fields("n rd ec ux nd z t ot et in on el le er ard eau ault ois ille é")
	r := make(register, n)
	for i := range r {
		family := starts[i%len(starts)] + middles[i/len(starts)%len(middles)] + ends[i/7%len(ends)]
		if i%3 == 0 {
			family += middles[i/11%len(middles)]
		}
		id := campus.PersonID(fmt.Sprintf("01900000-0000-7000-8000-%012d", i))
		if i%10 == 0 {
			r[i] = person(id, givens[i%len(givens)], family, "Gestionnaire de scolarité", works)
		} else {
			r[i] = person(id, givens[i*7%len(givens)], family, "", studies)
		}
	}
	return r
}

// BenchmarkSearch looks for somebody with a typing mistake among 100,000 people.
func BenchmarkSearch(b *testing.B) {
	d := dbtest.Open(b, schemas()...)
	var before, after runtime.MemStats
	register := crowd(100_000)
	runtime.GC()
	runtime.ReadMemStats(&before)
	f := find.New(find.Deps{DB: d, Clock: clock.System(), Register: register, Rules: entry.Defaults()})
	began := time.Now()
	if err := f.Refresh(b.Context()); err != nil {
		b.Fatal(err)
	}
	loaded := time.Since(began)
	runtime.GC()
	runtime.ReadMemStats(&after)
	looks := []string{"kervadec helene", "marti", "gestionaire scolarite", "lina dunardde", "bertrnad"}
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		if _, err := f.Search(b.Context(), staff(), find.Query{Words: looks[i%len(looks)], Most: 20}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB")
	b.ReportMetric(loaded.Seconds(), "s/load")
}
