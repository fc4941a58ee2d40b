package provisioning

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/pretend"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// moodleAddress tells the child where the Moodle of its parent is.
const moodleAddress = "AMPHI_TEST_MOODLE"

// crowd is how many people the children work on.
const crowd = 24

func crowded() (people []contract.Known) {
	for i := range crowd {
		people = append(people, student(fmt.Sprintf("s%02d", i)))
	}
	return people
}

// openAt opens the house of a database that other processes use too, with everybody
// in its register.
func openAt(t *testing.T, dsn, moodle string) *house {
	t.Helper()
	c := clock.At(start)
	d, err := db.Open(t.Context(), db.Config{DSN: dsn, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := d.Migrate(t.Context(), tables); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, d, c, nil)
	h.module = h.open(moodle, func(c *TargetConfig) { c.Timeout = time.Minute }) // an answer that is late is another story
	for _, k := range crowded() {
		h.people.people[k.ID] = k
	}
	return h
}

// TestChildKeepsAccounts is the child of the tests below; by itself it does nothing.
// It works, and lets its parent look at every moment.
func TestChildKeepsAccounts(t *testing.T) {
	dsn := dbtest.ChildDSN(t)
	h := openAt(t, dsn, os.Getenv(moodleAddress))
	if gone := os.Getenv("AMPHI_TEST_GONE"); gone != "" {
		delete(h.people.people, campus.PersonID(gone))
	}
	h.run(h.module)
	for {
		fmt.Println("at work")
		if h.quiet() {
			h.clock.Advance(time.Second) // what is due in a while comes soon
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// holding is a Moodle that does what a function asks for the nth time, and gives no
// answer then.
type holding struct {
	*pretend.Moodle
	function string
	nth      int64
	seen     atomic.Int64
	held     atomic.Bool
}

func (m *holding) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // whoever asked was killed
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, err := url.ParseQuery(string(body))
	if err == nil && form.Get("wsfunction") == m.function && m.seen.Add(1) == m.nth {
		m.Moodle.ServeHTTP(httptest.NewRecorder(), r)
		m.held.Store(true)
		<-r.Context().Done() // until whoever asked is gone
		return
	}
	m.Moodle.ServeHTTP(w, r)
}

func TestAKillJustAfterMoodleDidItMakesNothingTwice(t *testing.T) {
	for name, c := range map[string]struct {
		function string
		nth      int64
	}{
		"the first account was made":   {"core_user_create_users", 1},
		"an account was made":          {"core_user_create_users", 11},
		"the account was only changed": {"core_user_update_users", 3},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.EachDSN(t, func(t *testing.T, dsn string) {
				there := &holding{Moodle: pretend.NewMoodle("token", "uv-nf16"), function: c.function, nth: c.nth}
				there.Doubles = true // it would not notice a second one
				server := httptest.NewServer(there)
				t.Cleanup(server.Close)
				t.Setenv(moodleAddress, server.URL)
				h := openAt(t, dsn, server.URL)
				for i, k := range crowded() {
					if i%2 == 0 { // of the others the accounts are there, and to be changed
						continue
					}
					there.Add(pretend.MoodleUser{Username: k.Subject.Login, Email: k.Subject.Mail, IDNumber: string(k.ID), Auth: "oauth2"})
				}
				h.put(crowded()...)
				dbtest.KillChild(t, "TestChildKeepsAccounts", dsn, func(string) bool { return there.held.Load() })

				h.run(h.module)
				h.later(15*time.Second, "the next server has everybody's account", func() bool {
					n, err := h.module.ledger.Count(t.Context(), ledger.Filter{Target: "moodle", State: contract.AccountReady})
					return err == nil && n == crowd && there.Count() == crowd
				})
				for _, k := range crowded() {
					if n := len(there.Users(k.Subject.Login)); n != 1 {
						t.Errorf("%s has %d accounts", k.Subject.Login, n)
					}
					if s := h.state(k.Subject.Login); s != contract.AccountReady {
						t.Errorf("the ledger says that the account of %s is %s", k.Subject.Login, s)
					}
				}
			})
		})
	}
}

func TestAKillJustAfterAnAccountWasRemovedIsNoHarm(t *testing.T) {
	dbtest.EachDSN(t, func(t *testing.T, dsn string) {
		there := &holding{Moodle: pretend.NewMoodle("token"), function: "core_user_delete_users", nth: 1}
		server := httptest.NewServer(there)
		t.Cleanup(server.Close)
		t.Setenv(moodleAddress, server.URL)
		t.Setenv("AMPHI_TEST_GONE", "0198-s03")
		h := openAt(t, dsn, server.URL)
		stop := h.run(h.module)
		h.put(crowded()...)
		h.eventually("everybody has one", func() bool { return h.idle() && there.Count() == crowd })
		stop()
		erasure := h.erase("s03", true)
		dbtest.KillChild(t, "TestChildKeepsAccounts", dsn, func(string) bool { return there.held.Load() })

		if r := h.removal(erasure); r.State != contract.RemovalAsked {
			t.Errorf("nobody confirmed it, and it is %+v", r)
		}
		h.run(h.module)
		h.later(15*time.Second, "the next server finds that it is gone", func() bool { return h.removal(erasure).State == contract.RemovalAbsent })
		if n := there.Count(); n != crowd-1 || h.named() != 0 {
			t.Errorf("%d accounts are left, %d removals know whose they were", n, h.named())
		}
	})
}
