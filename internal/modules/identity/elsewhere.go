package identity

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/throttle"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// askDirectories asks the directories about a password that is not ours. For an
// account whose password is ours it takes as long, so that the time tells nobody
// which accounts those are.
func (m *Module) askDirectories(ctx context.Context, t *trial) error {
	if t.err != nil || t.form.Local || !m.upstreams.Asks() {
		return nil
	}
	login := normalLogin(t.form.Username)
	if !t.asks {
		m.upstreams.Waste(ctx, login)
		return nil
	}
	v, err := m.upstreams.Check(ctx, login, t.form.Password)
	if err != nil {
		return err
	}
	t.elsewhere = &v
	return nil
}

// verdictElsewhere is what the directories' answer means for the sign-in. That
// two do not go together is said in the words that we use ourselves; a password
// that nobody looked at counts as no guess.
func (m *Module) verdictElsewhere(t *trial) error {
	v := t.elsewhere
	switch {
	case v.Stopped == nil:
		t.person = v.Person.ID
		m.throttle.Succeeded(t.guess)
		return nil
	case v.Untested:
		m.throttle.Untested(t.guess)
		return v.Stopped
	case v.Proved:
		m.throttle.Succeeded(t.guess)
		return v.Stopped
	default:
		m.throttle.Failed(t.guess)
		return WrongCredentials
	}
}

// proof is what the password of a finished trial counts for.
func (t *trial) proof() entry.Proof {
	if t.elsewhere != nil {
		return t.elsewhere.Proof
	}
	return entry.Proof{Method: entry.Password}
}

// breached reports whether the password is in the list of stolen ones and ours to
// replace.
func (m *Module) breached(t *trial) bool {
	return t.elsewhere == nil && m.renewal.Breached(t.form.Password)
}

// from says that a reason came of the directories.
func (t *trial) from(f *fault.Fault) bool { return t.elsewhere != nil && t.elsewhere.Stopped == f }

// guessElsewhere takes a try at a password of a directory, on a page that is not
// the sign-in's, from the budgets of the sign-in.
func (m *Module) guessElsewhere(login string, from netip.Addr) (done func(wrong bool), err error) {
	g := throttle.GuessOf(normalLogin(login), "", "", from)
	if err := m.throttle.Admit(g, false); err != nil {
		return nil, err
	}
	return func(wrong bool) {
		if wrong {
			m.throttle.Failed(g)
		}
	}, nil
}

// Upstreams are the systems that vouch for people.
func (m *Module) Upstreams() *upstream.Upstreams { return m.upstreams }

// keptElsewhere names the upstream that somebody without a password of ours signs
// in at.
func (m *Module) keptElsewhere(ctx context.Context, p Person) (name, page string, ok bool, err error) {
	own, err := sqlgen.New(m.db.Read()).PasswordOf(ctx, p.Login)
	if err != nil {
		return "", "", false, fmt.Errorf("look for a password of %s: %w", p.ID, err)
	}
	if own.Hash != "" {
		return "", "", false, nil
	}
	return m.upstreams.KeptFor(ctx, p)
}
