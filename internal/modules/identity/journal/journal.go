// Package journal keeps what happens with people's accounts: an append-only
// table whose rows are chained by their hashes, so that a row which was changed,
// removed or slipped in is found.
package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the journal asks of the house.
type Deps struct {
	DB     *db.DB
	Keys   *crypt.Keyring
	Log    *slog.Logger
	People account.People
	// Sessions and Guard are for who finds in their journal what they did not do.
	Sessions Sessions
	Guard    Guard
	// Browser says in words what a User-Agent header stands for.
	Browser func(p *i18n.Printer, agent string) string
	// Zone is the one in which days and months are meant.
	Zone *time.Location
}

// Sessions ends sessions.
type Sessions interface {
	// EndSessionsOf ends the sessions of somebody but one, and returns how many.
	EndSessionsOf(ctx context.Context, tx db.Tx, who campus.PersonID, exceptSession string) (int, error)
}

// Guard keeps others out of an account.
type Guard interface {
	// ForgetAll makes every browser of somebody unknown, so that none is spared
	// a second factor any more, and returns how many there were.
	ForgetAll(ctx context.Context, tx db.Tx, e Event) (int, error)
	// LockOneself locks an account because its owner asks for it. Open sessions
	// stay, and a second factor opens it again.
	LockOneself(ctx context.Context, tx db.Tx, who campus.PersonID) error
}

// Journal writes, shows and verifies.
type Journal struct {
	db     *db.DB
	keys   *crypt.Keyring
	log    *slog.Logger
	people account.People
	config Config

	sessions Sessions
	guard    Guard
	browser  func(p *i18n.Printer, agent string) string
	zone     *time.Location
}

// New returns a journal.
func New(d Deps, c Config) *Journal {
	return &Journal{
		db: d.DB, keys: d.Keys, log: d.Log, people: d.People, config: c,
		sessions: d.Sessions, guard: d.Guard, browser: d.Browser, zone: d.Zone,
	}
}

// Event is one thing that happened with somebody's account.
type Event struct {
	// Person is whose account it is about; empty when nobody is recognised.
	Person campus.PersonID
	// Actor is who did it; the person themselves, an agent, or empty for
	// Amphi itself and for a stranger.
	Actor campus.PersonID
	// Kind is "identity.what_happened". Its words for people are
	// [identity.journal.event.what_happened] in this package's locales.
	Kind string
	// Address and Agent are where it came from: network address and browser.
	Address, Agent string
	// Facts complete the sentence of the kind. They must not be secrets.
	Facts map[string]string
}

// longestAgent bounds what a browser may say about itself, in bytes.
const longestAgent = 300

// From begins an event with what a request tells: who acts, from which address
// and with which browser. Person and Kind are the caller's.
func From(r *http.Request) Event {
	e := Event{Actor: web.Viewer(r).Person, Agent: clip(r.UserAgent(), longestAgent)}
	if a := web.ClientAddr(r); a.IsValid() {
		e.Address = a.String()
	}
	return e
}

// clip shortens s to at most n bytes of valid text.
func clip(s string, n int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
	if len(s) <= n {
		return s
	}
	s = s[:n]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}

var kindForm = regexp.MustCompile(`^identity\.[a-z][a-z0-9_]{1,60}$`)

// Write adds an event in the caller's transaction: it exists exactly when what
// it tells of does. Writers follow one another from here to their commit, so
// call it last.
func (j *Journal) Write(ctx context.Context, tx db.Tx, e Event) error {
	if !kindForm.MatchString(e.Kind) {
		return fmt.Errorf("journal: %q is no kind of event", e.Kind)
	}
	facts := ""
	if len(e.Facts) > 0 {
		body, err := json.Marshal(e.Facts) // keys in order, so the same facts are the same text
		if err != nil {
			return fmt.Errorf("journal: write the facts of %s: %w", e.Kind, err)
		}
		facts = string(body)
	}
	q := sqlgen.New(tx)
	head, err := q.TakeNumber(ctx)
	if err != nil {
		return fmt.Errorf("journal: take a number: %w", err)
	}
	row := sqlgen.IdentityJournal{
		Seq: head.Seq, At: tx.Now(), PersonID: string(e.Person), ActorID: string(e.Actor), Kind: e.Kind,
		Address: clip(e.Address, longestAgent), Agent: clip(e.Agent, longestAgent), Facts: facts, Previous: head.Hash,
	}
	row.Hash = hashOf(row)
	if err := q.Add(ctx, sqlgen.AddParams(row)); err != nil {
		return fmt.Errorf("journal: add %s: %w", e.Kind, err)
	}
	mac := j.sign(ends{row.Seq, row.Hash, head.StartSeq, head.StartHash})
	n, err := q.SetHead(ctx, sqlgen.SetHeadParams{Seq: row.Seq, Hash: row.Hash, Mac: mac})
	if err != nil {
		return fmt.Errorf("journal: move the head: %w", err)
	}
	if n != 1 {
		return fmt.Errorf("journal: the head is not at %d any more", row.Seq)
	}
	return nil
}

// Record writes an event about whoever makes the request, by their own hand. Other
// rooms use it for what people decide there about their account or their data.
func (j *Journal) Record(ctx context.Context, tx db.Tx, r *http.Request, kind string, facts map[string]string) error {
	e := From(r)
	e.Person, e.Kind, e.Facts = e.Actor, kind, facts
	return j.Write(ctx, tx, e)
}

// Entry is one event as it was written.
type Entry struct {
	Seq int64
	At  time.Time
	Event
}

// Of returns the newest events of somebody's account, newest first.
func (j *Journal) Of(ctx context.Context, who campus.PersonID, limit int) ([]Entry, error) {
	rows, err := sqlgen.New(j.db.Read()).OfPerson(ctx, sqlgen.OfPersonParams{PersonID: string(who), Limit: int32(limit)})
	if err != nil {
		return nil, fmt.Errorf("read the journal of %s: %w", who, err)
	}
	return entries(rows)
}

func entries(rows []sqlgen.IdentityJournal) ([]Entry, error) {
	all := make([]Entry, len(rows))
	for i, row := range rows {
		e, err := entryOf(row)
		if err != nil {
			return nil, err
		}
		all[i] = e
	}
	return all, nil
}

func entryOf(row sqlgen.IdentityJournal) (Entry, error) {
	e := Entry{Seq: row.Seq, At: row.At.Time(), Event: Event{
		Person: campus.PersonID(row.PersonID), Actor: campus.PersonID(row.ActorID), Kind: row.Kind, Address: row.Address, Agent: row.Agent,
	}}
	if row.Facts == "" {
		return e, nil
	}
	if err := json.Unmarshal([]byte(row.Facts), &e.Facts); err != nil {
		return Entry{}, fmt.Errorf("read the facts of event %d: %w", row.Seq, err)
	}
	return e, nil
}
