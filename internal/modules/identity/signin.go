package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/password"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// attempt is one sign-in on its way through the line.
type attempt struct {
	form     signInForm
	ticket   *password.Ticket
	deserted atomic.Bool // nobody waits for the answer any more

	// Set by the worker before the ticket is done.
	person   campus.PersonID
	state    State
	stored   string
	matches  bool
	outdated bool
	err      error
}

// begin looks the account up and joins the line. What it does, and how long it
// takes, is the same whether or not the identifier exists.
func (m *Module) begin(ctx context.Context, form signInForm) (*attempt, error) {
	login := normalLogin(form.Username)
	if wait, ok := m.account.Allow(login); !ok {
		return nil, SignInSlowed.With(fault.Args{"wait": wait})
	}
	row, err := sqlgen.New(m.db.Read()).PasswordOf(ctx, login)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("look the account up: %w", err)
	}
	a := &attempt{form: form, person: campus.PersonID(row.ID), state: State(row.State), stored: row.Hash}
	known := a.stored != ""
	if !known {
		a.stored = m.dummy
	}
	a.ticket, err = m.queue.Join(func() {
		if a.deserted.Load() {
			return
		}
		a.matches, a.outdated, a.err = password.Verify(a.stored, form.Password, m.params)
		a.matches = a.matches && known
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
	case a.err != nil:
		return fmt.Errorf("check the password of %s: %w", a.person, a.err)
	case !a.matches:
		return WrongCredentials
	case a.state != Active:
		return AccountClosed
	}
	m.account.Forget(normalLogin(a.form.Username))
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
