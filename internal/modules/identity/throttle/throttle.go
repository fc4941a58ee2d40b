// Package throttle slows guessing down at the front door: by account, by network, and
// by whose turn in the line an attempt takes.
package throttle

import (
	"net/netip"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/password"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/limit"
)

// What is said to those who wait.
var (
	// Slowed: too many failed sign-ins with one identifier.
	Slowed = fault.Declare(fault.Busy, "identity.sign_in_slowed")
	// NetworkSlowed: too many failed sign-ins from one network.
	NetworkSlowed = fault.Declare(fault.Busy, "identity.network_slowed")
)

// Config is how much guessing is borne.
type Config struct {
	Burst        int           `toml:"burst" help:"failed sign-ins with one identifier from one network before it slows down; an account takes five times as many from everywhere"`
	Every        time.Duration `toml:"every" help:"then one more try after each such time"`
	NetworkBurst int           `toml:"network_burst" help:"failed sign-ins from one network, at whatever account, before it slows down; more when a campus stands behind one address"`
	NetworkEvery time.Duration `toml:"network_every" help:"then one more try after each such time"`
}

// Defaults suit people, who mistype.
func Defaults() Config {
	return Config{Burst: 10, Every: 30 * time.Second, NetworkBurst: 200, NetworkEvery: 3 * time.Second}
}

// Throttle slows guessing down, by three budgets:
//
//   - One identifier from one network. It is the tight one, and a stranger
//     elsewhere cannot use it up to keep somebody out of their own account.
//   - One account from everywhere and under each of its identifiers, wider, for
//     guessing that is spread over many networks. Login and mail meet only here,
//     so that emptying the one does not tell one network that the other exists.
//   - One network at every account: one password tried on everybody, or a line
//     filled with inventions. Only failures count, because a campus may stand
//     behind one address.
type Throttle struct {
	pair    *limit.Limiter
	account *limit.Limiter
	network *limit.Limiter
}

// How much wider the budget of an account is than that of one identifier from
// one network: two networks that try both identifiers without pause leave some
// of it to everybody else.
const (
	AccountBursts = 5
	accountPace   = 4
)

// New makes the budgets of a configuration that Check accepts.
func New(c Config, now clock.Clock) *Throttle {
	bounded := func(every time.Duration, burst int) *limit.Limiter {
		return limit.New(limit.Rate{Every: every, Burst: burst}, limit.DefaultKeys, now)
	}
	return &Throttle{
		pair:    bounded(c.Every, c.Burst),
		account: bounded(c.Every/accountPace, c.Burst*AccountBursts),
		network: bounded(c.NetworkEvery, c.NetworkBurst),
	}
}

// doubt is after how many failures, less those that are forgiven by now, the
// strangers of a network wait in a lane of their own.
const doubt = 5

// Guess is who tries which account from where. network is empty when that is
// this machine: a proxy, most often, that nobody declared, and then the failures
// of a whole university would count as those of one network.
type Guess struct {
	pair, account, network string
	browser                bool // of somebody who uses this account
}

// GuessOf names the budgets of an attempt. who is empty for an identifier that
// nobody has: it then stands for its own account and meets the same limits.
// browser is that of a browser which this person uses, and empty otherwise: a
// stranger who guesses elsewhere uses up other budgets than its owner's.
func GuessOf(login string, who campus.PersonID, browser string, from netip.Addr) Guess {
	network := limit.AddressKey(from)
	account := "person " + string(who)
	if who == "" {
		account = "nobody " + login
	}
	g := Guess{pair: login + " " + network, account: account, network: network}
	if browser != "" {
		g.browser, g.pair, g.account = true, "browser "+browser, "browser "+browser
	}
	if from.IsLoopback() {
		g.network = ""
	}
	return g
}

// Origin is among whom an attempt takes its turn in line: those of its browser, or
// of its network. Empty behind a proxy that nobody declared, where all of a
// university would take turns as one.
func (g Guess) Origin() string {
	if g.browser {
		return g.account
	}
	return g.network
}

// Admit takes from the budgets of an account, or says why one more attempt must
// wait. A password that was right until recently is free: it comes from programs
// that still keep it, again and again, and tells nobody anything.
func (t *Throttle) Admit(g Guess, old bool) error {
	if err := t.Crowded(g); err != nil || old {
		return err
	}
	if wait, ok := t.pair.Allow(g.pair); !ok {
		return Slowed.With(fault.Args{"wait": wait})
	}
	if wait, ok := t.account.Allow(g.account); !ok {
		return Slowed.With(fault.Args{"wait": wait})
	}
	return nil
}

// Crowded says that too many attempts of the network failed, or nil.
func (t *Throttle) Crowded(g Guess) error {
	if wait := t.network.Wait(g.network); g.network != "" && wait > 0 {
		return NetworkSlowed.With(fault.Args{"wait": wait})
	}
	return nil
}

// Failed counts a wrong password.
func (t *Throttle) Failed(g Guess) {
	if g.network != "" {
		t.network.Allow(g.network) // takes one; Crowded is what refuses
	}
}

// Lane is where an attempt waits for its turn.
func (t *Throttle) Lane(g Guess) password.Lane {
	switch {
	case g.browser:
		return password.Known
	case g.network != "" && t.network.Taken(g.network) >= doubt:
		return password.Doubtful
	default:
		return password.Ordinary
	}
}

// Untested gives back what a password took that nobody looked at.
func (t *Throttle) Untested(g Guess) {
	t.pair.GiveBack(g.pair)
	t.account.GiveBack(g.account)
}

// Succeeded wipes the slate of the account.
func (t *Throttle) Succeeded(g Guess) {
	t.pair.Forget(g.pair)
	t.account.Forget(g.account)
}
