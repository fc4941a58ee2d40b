package factor

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

const origin = "https://amphi.example"

// house is the factors of a small university, with a clock that tests move.
type house struct {
	*Factors
	t     *testing.T
	clock *clock.Manual
	post  *post
	folk  people
}

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, h *house)) {
	eachWith(t, Defaults(), test)
}

func eachWith(t *testing.T, c Config, test func(t *testing.T, h *house)) {
	keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	now := clock.At(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		h := &house{t: t, clock: now, post: &post{points: map[campus.PersonID][]reach.Point{}}, folk: people{}}
		c.Methods = Methods
		h.Factors, err = New(Deps{
			DB: d, Keys: keys, Log: slog.New(slog.DiscardHandler), People: h.folk, Codes: code.New(d, keys), Reach: h.post, Journal: h.post,
			TextMessages: true, BaseURL: origin + "/", Institution: "Université: essai",
		}, c)
		if err != nil {
			t.Fatal(err)
		}
		test(t, h)
	}, db.Migrations{Name: "identity", FS: os.DirFS("..")})
}

// people are those who live in the house.
type people map[campus.PersonID]account.Person

func (p people) PersonByID(_ context.Context, who campus.PersonID) (account.Person, error) {
	found, ok := p[who]
	if !ok {
		return found, errors.New("nobody")
	}
	return found, nil
}

func (p people) PersonByLogin(context.Context, string) (account.Person, error) {
	return account.Person{}, errors.New("nobody asks")
}

// post keeps what would be sent and written.
type post struct {
	sync.Mutex
	points  map[campus.PersonID][]reach.Point
	codes   []string
	letters []reach.Letter
	events  []journal.Event
	down    error
}

func (p *post) Points(_ context.Context, who campus.PersonID) ([]reach.Point, error) {
	return p.points[who], nil
}

func (p *post) SendCode(_ context.Context, _ db.Tx, _ account.Person, _ reach.Point, _, plain string, _ time.Duration) error {
	p.Lock()
	defer p.Unlock()
	p.codes = append(p.codes, plain)
	return p.down
}

func (p *post) Sent(_ context.Context, at reach.Point, _ string) (reach.Sent, error) {
	return reach.Sent{To: at.Masked}, nil
}

func (p *post) Tell(_ context.Context, _ db.Tx, _ account.Person, l reach.Letter) error {
	p.Lock()
	defer p.Unlock()
	p.letters = append(p.letters, l)
	return nil
}

func (p *post) Write(_ context.Context, _ db.Tx, e journal.Event) error {
	p.Lock()
	defer p.Unlock()
	p.events = append(p.events, e)
	return nil
}

// told reports whether a letter and an event of these kinds left, and whether the
// letter says what happened in both languages: without sentences of its own it
// would only say that something did.
func (h *house) told(letter, event string) {
	h.t.Helper()
	texts, err := i18n.Load(time.UTC, h.clock, os.DirFS("."))
	want(h.t, err, nil)
	for _, l := range []campus.Locale{campus.French, campus.English} {
		for _, part := range []string{"subject", "text", "action", "sms"} {
			if key := "identity.letter." + letter + "." + part; !texts.For(l).Has(key) {
				h.t.Errorf("%s has no %s", l, key)
			}
		}
	}
	var l, e bool
	for _, one := range h.post.letters {
		l = l || one.Kind == letter
	}
	for _, one := range h.post.events {
		e = e || one.Kind == event
	}
	if !l || !e {
		h.t.Errorf("letter %s: %v, event %s: %v", letter, l, event, e)
	}
}

// person moves somebody in.
func (h *house) person(login string, more ...func(*account.Person)) account.Person {
	h.t.Helper()
	p := account.Person{ID: campus.PersonID(id.New()), Login: login, GivenName: login, FamilyName: "Essai", State: account.Active}
	for _, m := range more {
		m(&p)
	}
	h.folk[p.ID] = p
	err := h.DB.InTx(h.t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(h.t.Context(), `INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
			VALUES ($1, $2, $3, '', '', '', '', '', 'active', '', 'system', 0, 0)`, string(p.ID), login, login+"@univ.example")
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// arriving is somebody in the middle of a sign-in.
func arriving(p account.Person) entry.Actor { return entry.Actor{Person: p.ID, Attempt: "one"} }

func on(a entry.Actor) Occasion { return Occasion{Actor: a, Address: "192.0.2.1", Agent: "test"} }

// want fails unless an error has this reason; nil wants none.
func want(t *testing.T, err error, reason *fault.Reason) {
	t.Helper()
	if reason == nil && err != nil || reason != nil && !errors.Is(err, reason) {
		t.Errorf("got %v, want %v", err, reason)
	}
}

// atOnce runs f many times in parallel and counts the successes.
func atOnce(n int, f func(i int) error) (wins int, last error) {
	var wait sync.WaitGroup
	var count atomic.Int32
	var lock sync.Mutex
	for i := range n {
		wait.Go(func() {
			if err := f(i); err == nil {
				count.Add(1)
			} else {
				lock.Lock()
				last = err
				lock.Unlock()
			}
		})
	}
	wait.Wait()
	return int(count.Load()), last
}
