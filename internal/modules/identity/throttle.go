package identity

import (
	"net/netip"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/password"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/limit"
)

// throttle slows guessing down, by three budgets:
//
//   - One identifier from one network. It is the tight one, and a stranger
//     elsewhere cannot use it up to keep somebody out of their own account.
//   - One account from everywhere and under each of its identifiers, wider, for
//     guessing that is spread over many networks. Login and mail meet only here,
//     so that emptying the one does not tell one network that the other exists.
//   - One network at every account: one password tried on everybody, or a line
//     filled with inventions. Only failures count, because a campus may stand
//     behind one address.
type throttle struct {
	pair    *limit.Limiter
	account *limit.Limiter
	network *limit.Limiter
}

// How much wider the budget of an account is than that of one identifier from
// one network: two networks that try both identifiers without pause leave some
// of it to everybody else.
const (
	accountBursts = 5
	accountPace   = 4
)

func newThrottle(c SignInConfig, now clock.Clock) *throttle {
	bounded := func(every time.Duration, burst int) *limit.Limiter {
		return limit.New(limit.Rate{Every: every, Burst: burst}, limit.DefaultKeys, now)
	}
	return &throttle{
		pair:    bounded(c.Every, c.Burst),
		account: bounded(c.Every/accountPace, c.Burst*accountBursts),
		network: bounded(c.NetworkEvery, c.NetworkBurst),
	}
}

// doubt is after how many failures, less those that are forgiven by now, the
// strangers of a network wait in a lane of their own.
const doubt = 5

// guess is who tries which account from where. network is empty when that is
// this machine: a proxy, most often, that nobody declared, and then the failures
// of a whole university would count as those of one network.
type guess struct {
	pair, account, network string
	browser                bool // of somebody who uses this account
}

// guessOf names the budgets of an attempt. who is empty for an identifier that
// nobody has: it then stands for its own account and meets the same limits.
// browser is that of a browser which this person uses, and empty otherwise: a
// stranger who guesses elsewhere uses up other budgets than its owner's.
func guessOf(login string, who campus.PersonID, browser string, from netip.Addr) guess {
	network := limit.AddressKey(from)
	account := "person " + string(who)
	if who == "" {
		account = "nobody " + login
	}
	g := guess{pair: login + " " + network, account: account, network: network}
	if browser != "" {
		g.browser, g.pair, g.account = true, "browser "+browser, "browser "+browser
	}
	if from.IsLoopback() {
		g.network = ""
	}
	return g
}

// origin is among whom an attempt takes its turn in line: those of its browser, or
// of its network. Empty behind a proxy that nobody declared, where all of a
// university would take turns as one.
func (g guess) origin() string {
	if g.browser {
		return g.account
	}
	return g.network
}

// admit takes from the budgets of an account, or says why one more attempt must
// wait. A password that was right until recently is free: it comes from programs
// that still keep it, again and again, and tells nobody anything.
func (t *throttle) admit(g guess, old bool) error {
	if err := t.crowded(g); err != nil || old {
		return err
	}
	if wait, ok := t.pair.Allow(g.pair); !ok {
		return SignInSlowed.With(fault.Args{"wait": wait})
	}
	if wait, ok := t.account.Allow(g.account); !ok {
		return SignInSlowed.With(fault.Args{"wait": wait})
	}
	return nil
}

// crowded says that too many attempts of the network failed, or nil.
func (t *throttle) crowded(g guess) error {
	if wait := t.network.Wait(g.network); g.network != "" && wait > 0 {
		return NetworkSlowed.With(fault.Args{"wait": wait})
	}
	return nil
}

// failed counts a wrong password.
func (t *throttle) failed(g guess) {
	if g.network != "" {
		t.network.Allow(g.network) // takes one; crowded is what refuses
	}
}

// lane is where an attempt waits for its turn.
func (t *throttle) lane(g guess) password.Lane {
	switch {
	case g.browser:
		return password.Known
	case g.network != "" && t.network.Taken(g.network) >= doubt:
		return password.Doubtful
	default:
		return password.Ordinary
	}
}

// untested gives back what a password took that nobody looked at.
func (t *throttle) untested(g guess) {
	t.pair.GiveBack(g.pair)
	t.account.GiveBack(g.account)
}

// succeeded wipes the slate of the account.
func (t *throttle) succeeded(g guess) {
	t.pair.Forget(g.pair)
	t.account.Forget(g.account)
}
