package kept_test

import (
	"errors"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

type thing struct {
	Name string `json:"name"`
}

func TestASettingIsKeptChangedAndTakenBack(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		shelf := &kept.Shelf[thing]{DB: x.DB, Kind: "thing"}
		elsewhere := &kept.Shelf[thing]{DB: x.DB, Kind: "other"}
		history := &kept.History{DB: x.DB, Shelves: []kept.Undoer{elsewhere, shelf}}
		names := func() (list []string) {
			items, err := shelf.All(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range items {
				list = append(list, i.Of.Name)
			}
			return list
		}
		want := func(what string, want ...string) {
			t.Helper()
			got := names()
			if len(got) != len(want) {
				t.Fatalf("%s: %v, want %v", what, got, want)
			}
			for i := range got {
				if got[i] != want[i] {
					t.Fatalf("%s: %v, want %v", what, got, want)
				}
			}
		}
		undo := func() error {
			changes, err := history.Latest(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			return x.DB.InTx(t.Context(), func(tx db.Tx) error {
				_, err := history.Undo(t.Context(), tx, "sam", changes[0].ID)
				return err
			})
		}
		want("at first")
		var first, second kept.Item[thing]
		x.Tx(func(tx db.Tx) (err error) {
			if first, err = shelf.Keep(t.Context(), tx, "sam", kept.Item[thing]{Position: 2, Of: thing{"a"}}); err != nil {
				return err
			}
			second, err = shelf.Keep(t.Context(), tx, "sam", kept.Item[thing]{ID: "chosen", Position: 1, Of: thing{"b"}})
			return err
		})
		want("in the order of their positions", "b", "a")
		stale := first
		x.Tx(func(tx db.Tx) (err error) {
			first.Of.Name = "c"
			first, err = shelf.Keep(t.Context(), tx, "sam", first)
			return err
		})
		want("changed", "b", "c")
		if err := x.DB.InTx(t.Context(), func(tx db.Tx) error {
			_, err := shelf.Keep(t.Context(), tx, "sam", stale)
			return err
		}); !errors.Is(err, kept.Changed) {
			t.Errorf("who writes over somebody else’s change hears %v", err)
		}
		if err := undo(); err != nil {
			t.Fatal(err)
		}
		want("taken back", "b", "a")
		changes, err := history.Latest(t.Context(), 10)
		if err != nil || len(changes) != 4 || changes[1].Undone.IsZero() || !changes[3].New() {
			t.Fatalf("%d changes, %v", len(changes), err)
		}
		if err := x.DB.InTx(t.Context(), func(tx db.Tx) error {
			_, err := history.Undo(t.Context(), tx, "sam", changes[3].ID)
			return err
		}); !errors.Is(err, kept.Changed) {
			t.Errorf("what was changed again is taken back: %v", err)
		}
		x.Tx(func(tx db.Tx) error { return shelf.Remove(t.Context(), tx, "sam", second.ID) })
		want("removed", "a")
		if err := undo(); err != nil {
			t.Fatal(err)
		}
		want("there again, in its place", "b", "a")
		if _, err := shelf.One(t.Context(), "nothing"); !errors.Is(err, kept.Missing) {
			t.Errorf("what is not there is %v", err)
		}
		if err := x.DB.InTx(t.Context(), func(tx db.Tx) error { return shelf.Remove(t.Context(), tx, "sam", "nothing") }); !errors.Is(err, kept.Missing) {
			t.Errorf("removing what is not there: %v", err)
		}
		if err := x.DB.InTx(t.Context(), func(tx db.Tx) error {
			_, err := history.Undo(t.Context(), tx, "sam", "nothing")
			return err
		}); !errors.Is(err, kept.Missing) {
			t.Errorf("undoing what did not happen: %v", err)
		}
	})
}

func TestAnotherServersChangeIsSeen(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		here, there := &kept.Shelf[thing]{DB: x.DB, Kind: "thing"}, &kept.Shelf[thing]{DB: x.DB, Kind: "thing"}
		if _, before, err := there.Stamped(t.Context()); err != nil {
			t.Fatal(err)
		} else {
			x.Tx(func(tx db.Tx) error {
				_, err := here.Keep(t.Context(), tx, "", kept.Item[thing]{Of: thing{"a"}})
				return err
			})
			kept.Doubt(there) // two seconds pass
			items, after, err := there.Stamped(t.Context())
			if err != nil || len(items) != 1 || after == before {
				t.Errorf("the other server sees %v, stamp %d after %d, %v", items, after, before, err)
			}
		}
	})
}

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", tickettest.Steps()...)
}
