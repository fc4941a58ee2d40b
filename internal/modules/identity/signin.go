package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/password"
	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
	"github.com/amphi-campus/amphi/internal/modules/identity/throttle"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// trial is one password on its way through the line.
type trial struct {
	form     signInForm
	guess    throttle.Guess
	ticket   *password.Ticket
	device   string      // the browser, when this person uses it; empty otherwise
	oldSince time.Time   // the password was theirs until then; zero when it was not
	deserted atomic.Bool // nobody waits for the answer any more

	// Set by the worker before the ticket is done.
	person   campus.PersonID
	stored   string
	matches  bool
	outdated bool
	err      error

	// asks says that the password is not ours: the directories are asked when the
	// line was served, and elsewhere is what they said.
	asks      bool
	elsewhere *upstream.Verdict
}

// checked reports whether the password was compared with the stored one.
func (t *trial) checked() bool {
	if t.ticket == nil {
		return false
	}
	select {
	case <-t.ticket.Done():
		return t.err == nil && (t.elsewhere == nil || errors.Is(t.elsewhere.Stopped, upstream.Refused))
	default:
		return false
	}
}

// begin looks the account up and joins the line. What it does, and how long it
// takes, is the same whether or not the identifier exists. r is nil for a check
// outside the sign-in.
func (m *Module) begin(ctx context.Context, form signInForm, from netip.Addr, r *http.Request) (*trial, error) {
	form.Password = rules.Normal(form.Password)
	login := normalLogin(form.Username)
	row, err := sqlgen.New(m.db.Read()).PasswordOf(ctx, login)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("look the account up: %w", err)
	}
	t := &trial{form: form, person: campus.PersonID(row.ID), stored: row.Hash}
	known, err := m.recognise(ctx, t, r)
	if err != nil {
		return nil, err
	}
	t.guess = throttle.GuessOf(login, t.person, known, from)
	if err := m.throttle.Admit(t.guess, !t.oldSince.IsZero()); err != nil {
		return t, err
	}
	exists := t.stored != ""
	t.asks = !exists && !form.Local && m.upstreams.Asks()
	if !exists {
		t.stored = m.dummy
	}
	t.ticket, err = m.queue.JoinLane(func() password.Lane { return m.throttle.Lane(t.guess) }, t.guess.Origin(), func() {
		if t.deserted.Load() {
			return
		}
		// The others of its network may have failed while it waited: a line that
		// one network filled is then served without work.
		if t.err = m.throttle.Crowded(t.guess); t.err != nil {
			return
		}
		t.matches, t.outdated, t.err = password.Verify(t.stored, form.Password, m.params)
		t.matches = t.matches && exists
		if !t.matches && t.oldSince.IsZero() && !t.asks {
			m.throttle.Failed(t.guess)
		}
	})
	switch {
	case errors.Is(err, password.ErrFull), errors.Is(err, password.ErrStopped):
		_, wait := m.queue.Length()
		return t, QueueFull.Because(err, fault.Args{"wait": wait})
	case err != nil:
		return nil, err
	}
	return t, nil
}

// recognise tells what the browser and the password remind us of: a browser that
// this person uses has a budget of its own, which strangers cannot use up, and
// the password that they had before is no guess of a stranger.
func (m *Module) recognise(ctx context.Context, t *trial, r *http.Request) (browser string, err error) {
	since, old, err := m.renewal.WasOldPassword(ctx, t.person, t.form.Password)
	if err != nil {
		return "", err
	}
	if old {
		t.oldSince = since
	}
	if r == nil {
		return "", nil
	}
	d, known, err := m.devices.Of(r, t.person)
	if err != nil || !known {
		return "", err
	}
	t.device = d.ID
	return d.ID, nil
}

// verdict says whether the password of a finished trial was right. What else
// stands in the way is for the gates to say, to somebody who knows the password.
func (m *Module) verdict(t *trial) error {
	switch {
	case errors.Is(t.err, NetworkSlowed):
		return t.err
	case t.err != nil:
		return fmt.Errorf("check the password of %s: %w", t.person, t.err)
	case t.elsewhere != nil:
		return m.verdictElsewhere(t)
	case !t.matches && !t.oldSince.IsZero() && t.device != "":
		return OldPassword.With(fault.Args{"since": t.oldSince})
	case !t.matches:
		return WrongCredentials
	}
	m.throttle.Succeeded(t.guess)
	if t.outdated {
		m.rehash(t)
	}
	return nil
}

// CheckPassword says whose password this is, for pages that ask for it outside
// the sign-in. It costs and limits the same as a sign-in: the errors are
// identity.wrong_credentials and those that ask to wait.
func (m *Module) CheckPassword(ctx context.Context, login, plain string, from netip.Addr) (Person, error) {
	t, err := m.begin(ctx, signInForm{Username: login, Password: plain}, from, nil)
	if err != nil {
		return Person{}, err
	}
	if err := t.ticket.Wait(ctx); err != nil {
		t.deserted.Store(true)
		return Person{}, fmt.Errorf("wait for the check of a password: %w", err)
	}
	if err := m.askDirectories(ctx, t); err != nil {
		return Person{}, err
	}
	person, err := m.PersonByID(ctx, t.person)
	if err != nil && !errors.Is(err, PersonMissing) {
		return Person{}, err
	}
	if wrong := m.verdict(t); wrong != nil {
		if errors.Is(wrong, WrongCredentials) { // guessing counts the same on every page
			err := m.db.InTx(ctx, func(tx db.Tx) error { return m.risk.Note(ctx, tx, t.refused(person, from, WrongCredentials, "")) })
			if err != nil {
				return Person{}, fmt.Errorf("note a wrong password: %w", err)
			}
		}
		return Person{}, wrong
	}
	if t.elsewhere != nil { // right, and not ours to change
		return Person{}, m.upstreams.There(ctx, t.elsewhere.Proof.Upstream)
	}
	return person, err
}

// MatchesHash waits in line and reports whether a stored hash is that of a
// password.
func (m *Module) MatchesHash(ctx context.Context, hash, plain string) (bool, error) {
	var matches bool
	var wrong error // the worker's own: this function goes on before it is set
	ticket, err := m.queue.Join(func() { matches, _, wrong = password.Verify(hash, rules.Normal(plain), m.params) })
	if err != nil {
		return false, QueueFull.From(err)
	}
	if err := ticket.Wait(ctx); err != nil {
		return false, fmt.Errorf("wait for the check of a password: %w", err)
	}
	return matches, wrong
}

// rehash stores the password under the current parameters, behind those who wait
// in line. If the house stops before, the next sign-in tries again.
func (m *Module) rehash(t *trial) {
	var hash string
	ticket, err := m.queue.Join(func() { hash = password.Hash(t.form.Password, m.params) })
	if err != nil {
		return // a long line is no time for housekeeping
	}
	go func() {
		<-ticket.Done()
		ctx := context.Background() // outlives the request
		err := m.db.InTx(ctx, func(tx db.Tx) error {
			_, err := sqlgen.New(tx).ReplaceHash(ctx, sqlgen.ReplaceHashParams{PersonID: string(t.person), NewHash: hash, OldHash: t.stored})
			return err
		})
		if err != nil {
			m.log.Warn("store the new hash", "person", string(t.person), "error", err)
		}
	}()
}
