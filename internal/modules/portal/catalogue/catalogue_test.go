package catalogue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal"
	"github.com/amphi-campus/amphi/internal/modules/portal/catalogue"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func names(entries []catalogue.Entry) string {
	all := make([]string, len(entries))
	for i, e := range entries {
		all[i] = e.Name
	}
	return strings.Join(all, ", ")
}

func entry(name string, change func(*catalogue.Entry)) catalogue.Entry {
	e := catalogue.Entry{Service: contract.Service{ID: strings.ToLower(name), Name: name}}
	if change != nil {
		change(&e)
	}
	return e
}

func TestPinsStandInTheOrderOfThePersonOrOfUse(t *testing.T) {
	pinned := func(position, uses int64) func(*catalogue.Entry) {
		return func(e *catalogue.Entry) { e.Pinned, e.Position, e.Uses = true, position, uses }
	}
	for name, c := range map[string]struct {
		entries []catalogue.Entry
		want    string
	}{
		"most used first":         {[]catalogue.Entry{entry("A", pinned(0, 1)), entry("B", pinned(0, 9)), entry("C", nil)}, "B, A"},
		"alphabetical when alike": {[]catalogue.Entry{entry("Zoo", pinned(0, 1)), entry("École", pinned(0, 1))}, "École, Zoo"},
		"the person's own order":  {[]catalogue.Entry{entry("A", pinned(2, 9)), entry("B", pinned(1, 1)), entry("C", pinned(0, 99))}, "B, A, C"},
		"nothing pinned":          {[]catalogue.Entry{entry("A", nil)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := names(catalogue.Pins(c.entries)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestTheHomeShowsPinsThenWhatWasOpenedThenTheRest(t *testing.T) {
	entries := []catalogue.Entry{
		entry("New", nil),
		entry("Old", func(e *catalogue.Entry) { e.LastUsed = noon.Add(-time.Hour) }),
		entry("Last", func(e *catalogue.Entry) { e.LastUsed = noon }),
		entry("Pin", func(e *catalogue.Entry) { e.Pinned = true }),
	}
	for most, want := range map[int]string{1: "Pin", 3: "Pin, Last, Old", 9: "Pin, Last, Old, New", 0: ""} {
		if got := names(catalogue.Shown(entries, most)); got != want {
			t.Errorf("%d: got %s, want %s", most, got, want)
		}
	}
}

func TestSearchFindsServicesByOtherWords(t *testing.T) {
	entries := []catalogue.Entry{
		entry("Moodle", func(e *catalogue.Entry) { e.Keywords = []string{"cours", "devoir"}; e.Description = "Les supports" }),
		entry("Bibliothèque", func(e *catalogue.Entry) { e.Category = "Documents" }),
		entry("Cours en ligne", nil),
	}
	for words, want := range map[string]string{
		"cours": "Cours en ligne, Moodle", "BIBLIOTHEQUE": "Bibliothèque", "documents": "Bibliothèque",
		"moodle devoir": "Moodle", "piscine": "", "": "", "%": "",
	} {
		if got := names(catalogue.Match(entries, words)); got != want {
			t.Errorf("%q finds %s, want %s", words, got, want)
		}
	}
}

func TestAMoveKeepsEveryPin(t *testing.T) {
	pins := []catalogue.Entry{entry("A", nil), entry("B", nil), entry("C", nil)}
	for name, c := range map[string]struct {
		id   string
		up   bool
		want string
	}{
		"up": {"b", true, "[b a c]"}, "down": {"b", false, "[a c b]"}, "above the first": {"a", true, "[]"},
		"below the last": {"c", false, "[]"}, "what is not there": {"x", true, "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			order, ok := catalogue.Moved(pins, c.id, c.up)
			if got := fmt.Sprint(order); got != c.want || ok != (c.want != "[]") {
				t.Errorf("got %s, %v", got, ok)
			}
		})
	}
}

func TestOnlyWebAddressesAreOpened(t *testing.T) {
	for url, want := range map[string]bool{
		"/portal/news": true, "https://moodle.example/": true, "http://localhost:8080/": true,
		"//evil.example": false, "javascript:alert(1)": false, "data:text/html,x": false, "": false, `/\evil.example`: false, "evil": false,
	} {
		if got := catalogue.Openable(url); got != want {
			t.Errorf("%q: %v", url, got)
		}
	}
}

func TestTheShelfKeepsWhatEachPersonDid(t *testing.T) {
	c := clock.At(noon)
	dbtest.EachAt(t, c, func(t *testing.T, d *db.DB) {
		c.Set(noon)
		ctx, shelf, lina, paul := t.Context(), catalogue.Shelf{DB: d}, campustest.Lina().Person, campustest.Paul().Person
		var services []contract.Service
		for _, id := range []string{"a", "b", "c"} {
			services = append(services, contract.Service{ID: id, Name: id})
		}
		arranged := func() []catalogue.Entry {
			t.Helper()
			entries, err := shelf.Arrange(ctx, lina, services)
			if err != nil {
				t.Fatal(err)
			}
			return entries
		}
		check := func(what string, err error, wantPins string) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			if got := names(catalogue.Pins(arranged())); got != wantPins {
				t.Errorf("%s: pins are %s, want %s", what, got, wantPins)
			}
		}
		check("pinning twice", errors.Join(shelf.Pin(ctx, lina, "a", "b"), shelf.Pin(ctx, lina, "a")), "a, b")
		check("opening one", errors.Join(shelf.Use(ctx, lina, "b"), shelf.Use(ctx, lina, "b")), "b, a")
		check("choosing an order", shelf.Order(ctx, lina, []string{"a", "b"}), "a, b")
		check("a new one stands behind", shelf.Pin(ctx, lina, "c"), "a, b, c")
		check("unpinning, twice", errors.Join(shelf.Unpin(ctx, lina, "a"), shelf.Unpin(ctx, lina, "a")), "b, c")
		check("another person", errors.Join(shelf.Pin(ctx, paul, "a"), shelf.Unpin(ctx, paul, "b"), shelf.Order(ctx, paul, []string{"c"})), "b, c")
		if e := arranged()[1]; e.Uses != 2 || !e.LastUsed.Equal(noon) {
			t.Errorf("b was opened %d times, last %v", e.Uses, e.LastUsed)
		}
		c.Advance(48 * time.Hour)
		check("forgetting old uses", errors.Join(shelf.Use(ctx, lina, "a"), shelf.Forget(ctx, 24*time.Hour)), "b, c")
		var many []string
		for i := range catalogue.MaxPins {
			many = append(many, fmt.Sprint("s", i))
		}
		if err := shelf.Pin(ctx, lina, many...); !errors.Is(err, catalogue.TooManyPins) {
			t.Errorf("pinning %d more: %v", len(many), err)
		}
		check("a refused pin changes nothing", nil, "b, c")
	}, db.Migrations{Name: "portal", FS: new(portal.Module).Migrations()})
}
