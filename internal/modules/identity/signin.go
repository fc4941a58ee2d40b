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

// attempt is one sign-in on its way through the line.
type attempt struct {
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
func (m *Module) begin(ctx context.Context, form signInForm, from netip.Addr) (*attempt, error) {
	login := normalLogin(form.Username)
	row, err := sqlgen.New(m.db.Read()).PasswordOf(ctx, login)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("look the account up: %w", err)
	}
	a := &attempt{form: form, person: campus.PersonID(row.ID), state: account.State(row.State), stored: row.Hash}
	a.guess = guessOf(login, a.person, from)
	if err := m.throttle.admit(a.guess); err != nil {
		return nil, err
	}
	known := a.stored != ""
	if !known {
		a.stored = m.dummy
	}
	a.ticket, err = m.queue.Join(func() {
		if a.deserted.Load() {
			return
		}
		// The others of its network may have failed while it waited: a line that
		// one network filled is then served without work.
		if a.err = m.throttle.crowded(a.guess); a.err != nil {
			return
		}
		a.matches, a.outdated, a.err = password.Verify(a.stored, form.Password, m.params)
		a.matches = a.matches && known
		if !a.matches {
			m.throttle.failed(a.guess)
		}
	})
	switch {
	case errors.Is(err, password.ErrFull), errors.Is(err, password.ErrStopped):
		_, wait := m.queue.Length()
		return nil, QueueFull.Because(err, fault.Args{"wait": wait})
	case err != nil:
		return nil, err
	}
	return a, nil
}

// verdict says whether a finished attempt succeeded. The state of an account is
// told only to somebody who knows its password.
func (m *Module) verdict(a *attempt) error {
	switch {
	case errors.Is(a.err, NetworkSlowed):
		return a.err
	case a.err != nil:
		return fmt.Errorf("check the password of %s: %w", a.person, a.err)
	case !a.matches:
		return WrongCredentials
	case a.state != Active:
		return AccountClosed
	}
	m.throttle.succeeded(a.guess)
	if a.outdated {
		m.rehash(a)
	}
	return nil
}

// rehash stores the password under the current parameters, behind those who wait
// in line. If the house stops before, the next sign-in tries again.
func (m *Module) rehash(a *attempt) {
	var hash string
	ticket, err := m.queue.Join(func() { hash = password.Hash(a.form.Password, m.params) })
	if err != nil {
		return // a long line is no time for housekeeping
	}
	go func() {
		<-ticket.Done()
		ctx := context.Background() // outlives the request
		err := m.db.InTx(ctx, func(tx db.Tx) error {
			_, err := sqlgen.New(tx).ReplaceHash(ctx, sqlgen.ReplaceHashParams{PersonID: string(a.person), NewHash: hash, OldHash: a.stored})
			return err
		})
		if err != nil {
			m.log.Warn("store the new hash", "person", string(a.person), "error", err)
		}
	}()
}
