package answer

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

var schema = []db.Migrations{{Name: "sso", FS: os.DirFS("..")}}

func TestEveryQueryPreparesOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schema...)
}

func TestTheHealthOfAServiceTellsBothSides(t *testing.T) {
	start := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	now := clock.At(start)
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(start)
		s := New(d)
		issue := func(service, session, secret string) {
			t.Helper()
			err := d.InTx(t.Context(), func(tx db.Tx) error {
				return s.Issue(t.Context(), tx, secret, Answer{Protocol: registry.CAS, Service: service, Address: "https://wiki.univ.fr/", Session: session, Person: "lina"}, time.Minute)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		spend := func(secret string, as State) {
			t.Helper()
			err := d.InTx(t.Context(), func(tx db.Tx) error {
				won, err := s.Spend(t.Context(), tx, id.Hash(secret), as, "handle", "192.0.2.1")
				if !won {
					t.Errorf("%s was not spent", secret)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if h, err := s.Health(t.Context(), "wiki", start.Add(-time.Hour)); err != nil || h != (Health{}) {
			t.Errorf("before anything: %+v, %v", h, err)
		}
		for _, secret := range []string{"taken", "wrong", "left", "young"} {
			if secret == "young" {
				now.Advance(Patience + time.Second)
			}
			issue("wiki", "s-lina", secret)
			now.Advance(time.Second)
		}
		issue("other", "s-lina", "elsewhere")
		spend("taken", Redeemed)
		taken := now.Now()
		now.Advance(time.Second)
		spend("wrong", Refused)
		h, err := s.Health(t.Context(), "wiki", start.Add(-time.Hour))
		if want := (Health{Issued: 4, Redeemed: 1, Refused: 1, Ignored: 1, LastAt: taken}); err != nil || h.Issued != want.Issued || h.Redeemed != want.Redeemed ||
			h.Refused != want.Refused || h.Ignored != want.Ignored || !h.LastAt.Equal(want.LastAt) {
			t.Errorf("%+v, want %+v, %v", h, want, err)
		}
		if later, err := s.Health(t.Context(), "wiki", now.Now()); err != nil || later.Issued != 0 {
			t.Errorf("since now: %+v, %v", later, err)
		}
		walked, err := s.Walked(t.Context(), "s-lina", "wiki", start.Add(time.Second))
		if err != nil || len(walked) != 3 || walked[0].State != Refused {
			t.Errorf("%+v, %v", walked, err)
		}
		if others, err := s.Walked(t.Context(), "s-paul", "wiki", start); err != nil || len(others) != 0 {
			t.Errorf("another session walked %+v, %v", others, err)
		}
	}, schema...)
}

func TestWhatAServiceSaidByABrowserStays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := New(d)
		err := d.InTx(t.Context(), func(tx db.Tx) error {
			a := Answer{Protocol: registry.SAML, Service: "notes", Address: "https://notes.univ.fr/", Session: "s-1", Person: "lina", Handle: "index"}
			if err := s.Issue(t.Context(), tx, "secret", a, time.Minute); err != nil {
				return err
			}
			return s.SessionEnded(t.Context(), tx, "s-1")
		})
		if err != nil {
			t.Fatal(err)
		}
		asked, err := s.Logouts(t.Context(), "s-1") // the job reads it now, and takes its time
		if err != nil || len(asked) != 1 {
			t.Fatalf("%+v, %v", asked, err)
		}
		if err := s.Finish(t.Context(), asked[0].ID, Told, "success"); err != nil {
			t.Fatal(err)
		}
		if err := s.note(t.Context(), asked[0], Skipped, "only by a browser", true); err != nil {
			t.Fatal(err)
		}
		if after, err := s.Logouts(t.Context(), "s-1"); err != nil || after[0].State != Told {
			t.Errorf("it is %+v, %v", after, err)
		}
	}, schemaWithJobs...)
}

// schemaWithJobs is what a sign-out needs besides.
var schemaWithJobs = append([]db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}}, schema...)

func TestNoAnswerIsMadeForASessionThatEndedMeanwhile(t *testing.T) {
	now := clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		s := New(d)
		issue := func(session, secret string) error {
			return d.InTx(t.Context(), func(tx db.Tx) error {
				return s.Issue(t.Context(), tx, secret, Answer{Protocol: registry.CAS, Service: "wiki", Address: "https://wiki.univ.fr/", Session: session, Person: "lina", Handle: secret}, time.Minute)
			})
		}
		end := func(session string) error {
			return d.InTx(t.Context(), func(tx db.Tx) error { return s.SessionEnded(t.Context(), tx, session) })
		}
		for _, err := range []error{issue("s-1", "first"), issue("s-1", "second"), issue("s-2", "other"), issue("", "television"), end("s-1")} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := issue("s-1", "late"); !errors.Is(err, ErrOver) {
			t.Errorf("after the end: %v", err)
		}
		for _, err := range []error{issue("s-2", "later"), issue("", "another television"), s.Prune(t.Context(), time.Hour)} {
			if err != nil {
				t.Error(err)
			}
		}
		if err := issue("s-1", "later"); !errors.Is(err, ErrOver) {
			t.Errorf("it was forgotten: %v", err)
		}
		// Whoever is at it when the session ends is told of, or gets nothing.
		for round := range 20 {
			session := fmt.Sprint("race-", round)
			var together sync.WaitGroup
			together.Go(func() {
				if err := issue(session, session); err != nil && !errors.Is(err, ErrOver) {
					t.Error(err)
				}
			})
			together.Go(func() {
				if err := end(session); err != nil {
					t.Error(err)
				}
			})
			together.Wait()
			open, err := s.Services(t.Context(), session)
			if err != nil || len(open) > 0 {
				t.Errorf("an answer outlives its session: %v %v", open, err)
			}
		}
		now.Advance(endsKept + time.Hour)
		if err := s.Prune(t.Context(), time.Hour); err != nil {
			t.Error(err)
		}
		var left int
		if err := d.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM sso_sessions").Scan(&left); err != nil || left != 0 {
			t.Errorf("%d sessions are kept, %v", left, err)
		}
	}, schemaWithJobs...)
}
