// Package apppass keeps application passwords: each is for one program of one
// person, opens what it was made for and nothing else, and can be ended alone. A
// telephone that reads the address book cannot show a sign-in page, and must not
// know the password that opens everything.
package apppass

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/apppass/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/limit"
)

// Deps is what the alcove asks of the room.
type Deps struct {
	DB      *db.DB
	Clock   clock.Clock
	People  account.People
	Journal Journal
	Post    Post
	// Viewer is somebody outside a session, or why their account may not be used.
	Viewer func(context.Context, campus.PersonID) (campus.Viewer, error)
	Door   entry.Door
	// Server is the address that people type into their programs.
	Server string
}

// Journal keeps what happens with accounts; package journal implements it.
type Journal interface {
	Write(ctx context.Context, tx db.Tx, e journal.Event) error
}

// Post tells people something on every channel that they have.
type Post interface {
	Tell(ctx context.Context, tx db.Tx, to account.Person, l reach.Letter) error
}

// Passwords is the alcove. It is safe for concurrent use.
type Passwords struct {
	Deps
	wrong *limit.Limiter // by network
}

// guesses bounds wrong passwords from one network. They cannot be guessed; the
// limit tells a program with an old one to stop asking.
var guesses = limit.Rate{Every: 5 * time.Second, Burst: 60}

// New makes the alcove.
func New(d Deps) *Passwords {
	return &Passwords{Deps: d, wrong: limit.New(guesses, limit.DefaultKeys, d.Clock)}
}

// Password is one application password, without its secret.
type Password struct {
	ID       string
	Label    string
	Purposes []contract.AppPurpose
	MadeAt   time.Time
	// LastUsedAt is zero for one that was never used; Network is where from, as
	// limit.AddressKey writes it.
	LastUsedAt time.Time
	Network    string
}

// mostEach is how many one person may have: a telephone, a tablet, some computers.
const mostEach = 30

// secretBytes is the length of the secret: 120 bits are beyond guessing, also for
// who has the hashes.
const secretBytes = 15

// newSecret makes a password that can be typed on a telephone: groups of letters
// and digits that look unlike one another.
func newSecret() string {
	raw := make([]byte, secretBytes)
	rand.Read(raw) // never fails
	text := base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding).EncodeToString(raw)
	var groups []string
	for group := range slices.Chunk([]byte(text), 6) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, "-")
}

// normal is a password as it is hashed, however it was typed.
func normal(typed string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(strings.TrimSpace(typed)))
}

// make adds a password for somebody and returns its secret, which is shown once.
func (x *Passwords) make(ctx context.Context, who account.Person, label string, purposes []contract.AppPurpose, e journal.Event) (secret string, err error) {
	secret = newSecret()
	texts := make([]string, len(purposes))
	for i, p := range purposes {
		texts[i] = string(p)
	}
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		n, err := q.CountPasswords(ctx, string(who.ID))
		if err != nil {
			return fmt.Errorf("count application passwords: %w", err)
		}
		if n >= mostEach {
			return TooMany.With(fault.Args{"count": mostEach})
		}
		err = q.AddPassword(ctx, sqlgen.AddPasswordParams{
			ID: id.New(), PersonID: string(who.ID), Hash: id.Hash(normal(secret)), Label: label, Purposes: strings.Join(texts, " "), MadeAt: tx.Now(),
		})
		if err != nil {
			return fmt.Errorf("add an application password: %w", err)
		}
		e.Person, e.Kind, e.Facts = who.ID, "identity.app_password_made", map[string]string{"label": label}
		if err := x.Journal.Write(ctx, tx, e); err != nil {
			return err
		}
		return x.Post.Tell(ctx, tx, who, reach.Letter{Kind: "app_password_made", URL: pageURL, Args: []any{"label", label, "at", tx.Now().Time()}})
	})
	return secret, err
}

// end takes one password away.
func (x *Passwords) end(ctx context.Context, tx db.Tx, who campus.PersonID, passwordID string, e journal.Event) error {
	n, err := sqlgen.New(tx).EndPassword(ctx, sqlgen.EndPasswordParams{ID: passwordID, PersonID: string(who)})
	if err != nil {
		return fmt.Errorf("end an application password: %w", err)
	}
	if n == 0 {
		return Missing
	}
	e.Person, e.Kind = who, "identity.app_password_ended"
	return x.Journal.Write(ctx, tx, e)
}

// EndAll takes all passwords of somebody away and tells them: with a new password
// for everything, whoever knew the old one keeps nothing.
func (x *Passwords) EndAll(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	n, err := sqlgen.New(tx).EndPasswordsOf(ctx, string(who))
	if err != nil {
		return fmt.Errorf("end application passwords: %w", err)
	}
	if n == 0 {
		return nil
	}
	if err := x.Journal.Write(ctx, tx, journal.Event{Person: who, Kind: "identity.app_password_ended"}); err != nil {
		return err
	}
	p, err := x.People.PersonByID(ctx, who)
	if err != nil {
		return err
	}
	return x.Post.Tell(ctx, tx, p, reach.Letter{Kind: "app_passwords_ended", URL: pageURL, Args: []any{"count", n}})
}

// list is what somebody has, newest first.
func (x *Passwords) list(ctx context.Context, who campus.PersonID) ([]Password, error) {
	rows, err := sqlgen.New(x.DB.Read()).PasswordsOf(ctx, string(who))
	if err != nil {
		return nil, fmt.Errorf("list application passwords: %w", err)
	}
	list := make([]Password, len(rows))
	for i, r := range rows {
		list[i] = Password{ID: r.ID, Label: r.Label, Purposes: purposesOf(r.Purposes), MadeAt: r.MadeAt.Time(), LastUsedAt: r.LastUsedAt.Time(), Network: r.Network}
	}
	return list, nil
}

func purposesOf(text string) (purposes []contract.AppPurpose) {
	for name := range strings.FieldsSeq(text) {
		purposes = append(purposes, contract.AppPurpose(name))
	}
	return purposes
}

// noteEvery is how often the use of a password is written down.
const noteEvery = time.Hour

var _ contract.AppPasswords = (*Passwords)(nil)

// ByAppPassword implements contract.AppPasswords. Whoever it lets in holds no right:
// what somebody keeps for others is for their own eyes on a page, and not for a
// telephone that is lost on a bus.
func (x *Passwords) ByAppPassword(ctx context.Context, login, password string, p contract.AppPurpose, from netip.Addr) (campus.Viewer, error) {
	network := limit.AddressKey(from)
	row, err := sqlgen.New(x.DB.Read()).PasswordByHash(ctx, id.Hash(normal(password)))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return campus.Viewer{}, fmt.Errorf("look for an application password: %w", err)
	}
	login = strings.ToLower(strings.TrimSpace(login))
	if err != nil || login != row.Login && login != row.Mail || !slices.Contains(purposesOf(row.Purposes), p) {
		// The right one is never kept waiting: a whole campus has one address, and what
		// cannot be guessed needs no lock that anybody could shut.
		if wait, ok := x.wrong.Allow(network); !ok {
			return campus.Viewer{}, Slowed.With(fault.Args{"wait": wait})
		}
		return campus.Viewer{}, Wrong
	}
	if now := db.At(x.Clock.Now()); now.Sub(row.LastUsedAt) >= noteEvery {
		err := x.DB.InTx(ctx, func(tx db.Tx) error {
			_, err := sqlgen.New(tx).UsePassword(ctx, sqlgen.UsePasswordParams{ID: row.ID, LastUsedAt: tx.Now(), Network: network})
			return err
		})
		if err != nil {
			return campus.Viewer{}, fmt.Errorf("note the use of an application password: %w", err)
		}
	}
	v, err := x.Viewer(ctx, campus.PersonID(row.PersonID))
	if err != nil {
		return campus.Viewer{}, err
	}
	v.Rights, v.Mandates = nil, nil
	return v, nil
}

// Holdings declares what the alcove keeps about people.
func Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{contract.Held(ctx, "identity_app_passwords", "identity.apppass.holding").On(contract.LegalObligation, contract.DataConnection).
		Erased(contract.Delete("person_id"))}
}

// Export writes somebody's passwords as JSON, without their hashes.
func (x *Passwords) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	list, err := x.list(ctx, who)
	if err != nil {
		return err
	}
	return a.JSON("app_passwords.json", list)
}
