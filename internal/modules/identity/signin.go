package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/password"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// trial is one password on its way through the line.
type trial struct {
	form     signInForm
	guess    guess
	ticket   *password.Ticket
	deserted atomic.Bool // nobody waits for the answer any more

	// Set by the worker before the ticket is done.
	person   campus.PersonID
	state    account.State
	stored   string
	matches  bool
	outdated bool
	err      error
}

// begin looks the account up and joins the line. What it does, and how long it
// takes, is the same whether or not the identifier exists.
func (m *Module) begin(ctx context.Context, form signInForm, from netip.Addr) (*trial, error) {
	login := normalLogin(form.Username)
	row, err := sqlgen.New(m.db.Read()).PasswordOf(ctx, login)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("look the account up: %w", err)
	}
	t := &trial{form: form, person: campus.PersonID(row.ID), state: account.State(row.State), stored: row.Hash}
	t.guess = guessOf(login, t.person, from)
	if err := m.throttle.admit(t.guess); err != nil {
		return nil, err
	}
	known := t.stored != ""
	if !known {
		t.stored = m.dummy
	}
	t.ticket, err = m.queue.Join(func() {
		if t.deserted.Load() {
			return
		}
		// The others of its network may have failed while it waited: a line that
		// one network filled is then served without work.
		if t.err = m.throttle.crowded(t.guess); t.err != nil {
			return
		}
		t.matches, t.outdated, t.err = password.Verify(t.stored, form.Password, m.params)
		t.matches = t.matches && known
		if !t.matches {
			m.throttle.failed(t.guess)
		}
	})
	switch {
	case errors.Is(err, password.ErrFull), errors.Is(err, password.ErrStopped):
		_, wait := m.queue.Length()
		return nil, QueueFull.Because(err, fault.Args{"wait": wait})
	case err != nil:
		return nil, err
	}
	return t, nil
}

// verdict says whether the password of a finished trial was right. What else
// stands in the way is for the gates to say, to somebody who knows the password.
func (m *Module) verdict(t *trial) error {
	switch {
	case errors.Is(t.err, NetworkSlowed):
		return t.err
	case t.err != nil:
		return fmt.Errorf("check the password of %s: %w", t.person, t.err)
	case !t.matches:
		return WrongCredentials
	}
	m.throttle.succeeded(t.guess)
	if t.outdated {
		m.rehash(t)
	}
	return nil
}

// CheckPassword says whose password this is, for pages that ask for it outside
// the sign-in. It costs and limits the same as a sign-in: the errors are
// identity.wrong_credentials and those that ask to wait.
func (m *Module) CheckPassword(ctx context.Context, login, plain string, from netip.Addr) (Person, error) {
	t, err := m.begin(ctx, signInForm{Username: login, Password: plain}, from)
	if err != nil {
		return Person{}, err
	}
	if err := t.ticket.Wait(ctx); err != nil {
		t.deserted.Store(true)
		return Person{}, fmt.Errorf("wait for the check of a password: %w", err)
	}
	if err := m.verdict(t); err != nil {
		return Person{}, err
	}
	return m.PersonByID(ctx, t.person)
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
