package words_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/words"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// known are the words of a ticket in the index, in its order.
func known(ctx context.Context, t *testing.T, d *db.DB, ticket string) (list []string) {
	t.Helper()
	rows, err := d.Read().QueryContext(ctx, "SELECT word FROM helpdesk_words WHERE ticket_id = $1 ORDER BY word", ticket)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var word string
		if err := rows.Scan(&word); err != nil {
			t.Fatal(err)
		}
		list = append(list, word)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestManyTicketsAtOnceAreKnownAsOneByOne(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		odd := []string{"c'est", "d\"où", "a\\b", "<été>", "日本", "{}", "[1]", "zz"}
		slices.Sort(odd)
		var list []words.Posting
		for i := range 700 { // more than one statement adds
			list = append(list, words.Postings(fmt.Sprintf("t%03d", i), odd)...)
		}
		x.Tx(func(tx db.Tx) error {
			if err := words.Add(t.Context(), tx, "alone", odd); err != nil {
				return err
			}
			if err := words.AddAll(t.Context(), tx, list); err != nil {
				return err
			}
			return words.AddAll(t.Context(), tx, list[:20]) // twice is harmless
		})
		for _, ticket := range []string{"alone", "t000", "t699"} {
			if got := known(t.Context(), t, x.DB, ticket); !slices.Equal(sorted(got), odd) {
				t.Errorf("%s is known by %q, want %q", ticket, got, odd)
			}
		}
	})
}

func TestATicketWithoutWordsAddsNone(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		x.Tx(func(tx db.Tx) error { return words.Add(t.Context(), tx, "silent", nil) })
		if got := known(t.Context(), t, x.DB, "silent"); got != nil {
			t.Errorf("it is known by %q", got)
		}
	})
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
