package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// writeSome writes n events, one transaction each.
func (j *Journal) writeSome(t testing.TB, n int) {
	t.Helper()
	for i := range n {
		j.write(t, Event{Person: "lina", Actor: "lina", Kind: "identity.signed_in", Address: "192.0.2.1", Agent: fmt.Sprintf("Firefox/%d", i)})
	}
}

// tamper runs statements as somebody who may do everything to the database, and
// who took the triggers away first.
func tamper(t testing.TB, d *db.DB, statements ...string) {
	t.Helper()
	off := []string{"DROP TRIGGER identity_journal_no_update", "DROP TRIGGER identity_journal_no_delete"}
	if d.Dialect() == db.Postgres {
		off = []string{"ALTER TABLE identity_journal DISABLE TRIGGER USER"}
	}
	err := d.InTx(context.Background(), func(tx db.Tx) error {
		for _, s := range append(off, statements...) {
			if _, err := tx.ExecContext(context.Background(), s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// verified verifies the whole chain.
func (j *Journal) verified(t testing.TB) Report {
	t.Helper()
	r, err := j.Verify(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// found words a fault for a comparison.
func found(f *Fault) string {
	if f == nil {
		return "holds"
	}
	return fmt.Sprint(f.How, " ", f.Seq)
}

func TestVerificationNamesTheFirstPlaceThatWasTamperedWith(t *testing.T) {
	const copied = "INSERT INTO identity_journal SELECT %d, at, person_id, actor_id, kind, address, agent, facts, previous, hash FROM identity_journal WHERE seq = %d"
	cases := []struct {
		name   string
		tamper []string
		want   string
	}{
		{"nothing was touched", nil, "holds"},
		{"a field was changed", []string{"UPDATE identity_journal SET address = '203.0.113.9' WHERE seq = 4"}, "changed 4"},
		{"the time was changed", []string{"UPDATE identity_journal SET at = at + 1 WHERE seq = 4"}, "changed 4"},
		{"text was moved from one column to the next", []string{"UPDATE identity_journal SET person_id = 'lin', actor_id = 'alina' WHERE seq = 4"}, "changed 4"},
		{"a row was removed", []string{"DELETE FROM identity_journal WHERE seq = 5"}, "absent 5"},
		{"a row was removed and the rest renumbered", []string{
			"DELETE FROM identity_journal WHERE seq = 5", "UPDATE identity_journal SET seq = seq - 1 WHERE seq > 5", "UPDATE identity_journal_head SET seq = 9",
		}, "unlinked 5"},
		{"a row was slipped in", []string{
			"UPDATE identity_journal SET seq = 11 WHERE seq = 10", "UPDATE identity_journal SET seq = 10 WHERE seq = 9", fmt.Sprintf(copied, 9, 3), "UPDATE identity_journal_head SET seq = 11",
		}, "unlinked 9"},
		{"two rows changed places", []string{
			"UPDATE identity_journal SET seq = 100 WHERE seq = 6", "UPDATE identity_journal SET seq = 6 WHERE seq = 7", "UPDATE identity_journal SET seq = 7 WHERE seq = 100",
		}, "unlinked 6"},
		{"the first row was removed", []string{"DELETE FROM identity_journal WHERE seq = 1"}, "absent 1"},
		{"the tail was cut off", []string{"DELETE FROM identity_journal WHERE seq > 7"}, "absent 8"},
		{"the tail was cut off and the head set back", []string{
			"DELETE FROM identity_journal WHERE seq > 7", "UPDATE identity_journal_head SET seq = 7, hash = (SELECT hash FROM identity_journal WHERE seq = 7)",
		}, "unsigned 7"},
		{"everything was removed", []string{"DELETE FROM identity_journal"}, "absent 1"},
		{"the beginning was forgotten without us", []string{
			"UPDATE identity_journal_head SET start_seq = 3, start_hash = (SELECT hash FROM identity_journal WHERE seq = 3)", "DELETE FROM identity_journal WHERE seq <= 3",
		}, "unsigned 10"},
		{"a row was put behind the end", []string{fmt.Sprintf(copied, 11, 10)}, "beyond 11"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				j := onJournal(t, d)
				j.writeSome(t, 10)
				tamper(t, d, c.tamper...)
				r := j.verified(t)
				if got := found(r.Fault); got != c.want {
					t.Errorf("found %q, want %q", got, c.want)
				}
				if (r.Receipt == "") != (r.Fault != nil) {
					t.Errorf("receipt %q with fault %v", r.Receipt, r.Fault)
				}
			}, schema)
		})
	}
}

// Somebody who knows how rows are chained, but not the key, writes a row anew
// with all that follows.
func TestARewrittenChainLacksOurSignature(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		j := onJournal(t, d)
		j.writeSome(t, 10)
		receipt := j.verified(t).Receipt
		rows := j.rows(t)
		tamper(t, d)
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			previous := rows[3].Previous
			for _, row := range rows[3:] {
				row.Address, row.Previous = "203.0.113.9", previous
				previous = hashOf(row)
				_, err := tx.ExecContext(t.Context(), "UPDATE identity_journal SET address = $1, previous = $2, hash = $3 WHERE seq = $4", row.Address, row.Previous, previous, row.Seq)
				if err != nil {
					return err
				}
			}
			_, err := tx.ExecContext(t.Context(), "UPDATE identity_journal_head SET hash = $1", previous)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := found(j.verified(t).Fault); got != "unsigned 10" {
			t.Errorf("found %q", got)
		}
		if _, broken, err := j.Against(t.Context(), receipt); err != nil || found(broken) != "replaced 10" {
			t.Errorf("against the receipt: %v, %v", found(broken), err)
		}
	}, schema)
}

func TestAReceiptShowsThatAnOldCopyWasBroughtBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		j := onJournal(t, d)
		j.writeSome(t, 5)
		var seq int64
		var hash, mac string
		if err := d.Read().QueryRowContext(t.Context(), "SELECT seq, hash, mac FROM identity_journal_head").Scan(&seq, &hash, &mac); err != nil {
			t.Fatal(err)
		}
		j.writeSome(t, 5)
		receipt := j.verified(t).Receipt
		if kept, broken, err := j.Against(t.Context(), " "+receipt+"\n"); !kept || broken != nil || err != nil {
			t.Fatalf("a fresh receipt: %v, %v, %v", kept, broken, err)
		}
		tamper(t, d, "DELETE FROM identity_journal WHERE seq > 5", fmt.Sprintf("UPDATE identity_journal_head SET seq = %d, hash = '%s', mac = '%s'", seq, hash, mac))
		if got := found(j.verified(t).Fault); got != "holds" {
			t.Errorf("the old copy by itself: %q; it bears our signature", got)
		}
		if _, broken, err := j.Against(t.Context(), receipt); err != nil || found(broken) != "absent 10" {
			t.Errorf("against the receipt: %v, %v", found(broken), err)
		}
		if _, _, err := j.Against(t.Context(), receipt[:len(receipt)-2]+"xx"); !errors.Is(err, ReceiptForm) {
			t.Errorf("a forged receipt: %v", err)
		}
	}, schema)
}

func TestVerificationCanBeginInTheMiddle(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		j := onJournal(t, d)
		j.writeSome(t, 10)
		tamper(t, d, "UPDATE identity_journal SET address = '203.0.113.9' WHERE seq = 4")
		r, err := j.Verify(t.Context(), 6)
		if err != nil || r.From != 6 || r.Fault != nil {
			t.Errorf("from 6: %+v, %v", r, err)
		}
		if _, err := j.Verify(t.Context(), 99); !errors.Is(err, FromForm) {
			t.Errorf("from 99: %v", err)
		}
	}, schema)
}

func TestTheTableRefusesToBeChanged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		j := onJournal(t, d)
		j.writeSome(t, 3)
		statements := []string{"UPDATE identity_journal SET kind = 'x' WHERE seq = 2", "DELETE FROM identity_journal WHERE seq = 2", "DELETE FROM identity_journal"}
		if d.Dialect() == db.Postgres {
			statements = append(statements, "TRUNCATE identity_journal")
		}
		for _, s := range statements {
			err := d.InTx(t.Context(), func(tx db.Tx) error {
				_, err := tx.ExecContext(t.Context(), s)
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "only added to") {
				t.Errorf("%s: %v", s, err)
			}
		}
		if got := found(j.verified(t).Fault); got != "holds" {
			t.Errorf("afterwards: %s", got)
		}
	}, schema)
}

func TestWritersAtOnceMakeOneChain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		j := onJournal(t, d)
		const writers, each = 8, 25
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					err := d.InTx(context.Background(), func(tx db.Tx) error {
						if err := j.Write(context.Background(), tx, Event{Person: "lina", Kind: "identity.signed_in"}); err != nil {
							return err
						}
						if i%5 == 4 {
							return errUndone // a transaction that fails leaves no gap
						}
						return j.Write(context.Background(), tx, Event{Person: "paul", Kind: "identity.signed_out", Facts: map[string]string{"writer": fmt.Sprint(w)}})
					})
					if err != nil && !errors.Is(err, errUndone) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		r := j.verified(t)
		if want := int64(writers * (each - each/5) * 2); r.Fault != nil || r.To != want {
			t.Errorf("%s up to %d, want %d", found(r.Fault), r.To, want)
		}
	}, schema)
}

var errUndone = errors.New("undone on purpose")

// keysEnv names the key file for the child of the test below.
const keysEnv = "AMPHI_TEST_JOURNAL_KEYS"

// TestChildWritesForEver is the child of the test below; by itself it does
// nothing.
func TestChildWritesForEver(t *testing.T) {
	d, err := db.Open(t.Context(), db.Config{DSN: dbtest.ChildDSN(t)})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := crypt.Open(os.Getenv(keysEnv))
	if err != nil {
		t.Fatal(err)
	}
	j := New(Deps{DB: d, Keys: keys, Log: slog.New(slog.DiscardHandler)}, Defaults())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := range 1_000_000 {
				j.write(t, Event{Person: "lina", Kind: "identity.signed_in"})
				if n%20 == 19 {
					fmt.Println("wrote")
				}
			}
		})
	}
	wg.Wait()
}

func TestTheChainHoldsAfterAKillInTheMiddleOfWriting(t *testing.T) {
	file := t.TempDir() + "/keys"
	t.Setenv(keysEnv, file)
	keys, err := crypt.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	dbtest.EachDSN(t, func(t *testing.T, dsn string) {
		d, err := db.Open(t.Context(), db.Config{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if err := d.Migrate(t.Context(), []db.Migrations{schema}); err != nil {
			t.Fatal(err)
		}
		lines := 0
		dbtest.KillChild(t, "TestChildWritesForEver", dsn, func(line string) bool {
			if strings.TrimSpace(line) == "wrote" {
				lines++
			}
			return lines >= 10
		})
		j := New(Deps{DB: d, Keys: keys, Log: slog.New(slog.DiscardHandler)}, Defaults())
		r := j.verified(t)
		if r.Fault != nil || r.To < int64(lines)*20 {
			t.Errorf("after the kill: %s up to %d, and the child said that it wrote %d", found(r.Fault), r.To, lines*20)
		}
		j.writeSome(t, 3)
		if r := j.verified(t); r.Fault != nil {
			t.Errorf("after going on: %s", found(r.Fault))
		}
	})
}

func TestOldEventsAreForgottenAndTheRestStillVerifies(t *testing.T) {
	now := clock.At(time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC))
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC))
		j := onJournal(t, d)
		j.writeSome(t, 4)
		early := j.verified(t).Receipt
		now.Advance(200 * 24 * time.Hour)
		j.writeSome(t, 4)
		late := j.verified(t).Receipt
		now.Advance(200 * 24 * time.Hour)
		if err := j.forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := j.verified(t)
		if r.Fault != nil || r.From != 5 || r.To != 8 || len(j.rows(t)) != 4 {
			t.Errorf("%s from %d to %d with %d rows", found(r.Fault), r.From, r.To, len(j.rows(t)))
		}
		if kept, broken, err := j.Against(t.Context(), early); kept || broken != nil || err != nil {
			t.Errorf("a receipt of what is forgotten: %v, %v, %v", kept, broken, err)
		}
		if kept, broken, err := j.Against(t.Context(), late); !kept || broken != nil || err != nil {
			t.Errorf("a receipt of what is kept: %v, %v, %v", kept, broken, err)
		}
		j.writeSome(t, 1)
		tamper(t, d, "DELETE FROM identity_journal WHERE seq = 5")
		if got := found(j.verified(t).Fault); got != "absent 5" {
			t.Errorf("the first of the rest was removed: %s", got)
		}
	}, schema)
}

func TestEverythingCanBeForgotten(t *testing.T) {
	now := clock.At(time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC))
	d := dbtest.OpenAt(t, now, schema)
	j := onJournal(t, d)
	err := d.InTx(t.Context(), func(tx db.Tx) error {
		for range page + 5 { // more than one page
			if err := j.Write(t.Context(), tx, Event{Kind: "identity.signed_in"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	now.Advance(500 * 24 * time.Hour)
	if err := j.forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := j.verified(t); r.Fault != nil || len(j.rows(t)) != 0 {
		t.Errorf("%s with %d rows", found(r.Fault), len(j.rows(t)))
	}
	j.writeSome(t, 2)
	if r := j.verified(t); r.Fault != nil || r.From != page+6 || r.To != page+7 {
		t.Errorf("%s from %d to %d", found(r.Fault), r.From, r.To)
	}
}

func TestEvidenceIsNotForgotten(t *testing.T) {
	now := clock.At(time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC))
	d := dbtest.OpenAt(t, now, schema)
	j := onJournal(t, d)
	j.writeSome(t, 5)
	now.Advance(500 * 24 * time.Hour)
	tamper(t, d, "UPDATE identity_journal SET address = '203.0.113.9' WHERE seq = 3")
	if err := j.forget(t.Context()); !errors.Is(err, Broken) {
		t.Errorf("forgetting a broken chain: %v", err)
	}
	if len(j.rows(t)) != 5 {
		t.Errorf("%d rows are left", len(j.rows(t)))
	}
}

func TestTheDailyJobTellsTheHealthCheck(t *testing.T) {
	now := clock.At(time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC))
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		j := onJournal(t, d)
		j.writeSome(t, 5)
		if c := j.Health(t.Context()); !c.OK {
			t.Errorf("before the first run: %+v", c)
		}
		if err := j.verifyDaily(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c := j.Health(t.Context()); !c.OK || !strings.Contains(c.Detail, "verified 2026-") {
			t.Errorf("after a run: %+v", c)
		}
		now.Advance(4 * 24 * time.Hour)
		if c := j.Health(t.Context()); c.OK || c.Reason != Unverified {
			t.Errorf("after four days without a run: %+v", c)
		}
		tamper(t, d, "UPDATE identity_journal SET kind = 'identity.locked' WHERE seq = 2")
		if err := j.verifyDaily(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c := j.Health(t.Context()); c.OK || c.Reason != Broken {
			t.Errorf("after tampering: %+v", c)
		}
	}, schema)
}
