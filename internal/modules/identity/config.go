package identity

import (
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/activation"
	"github.com/amphi-campus/amphi/internal/modules/identity/device"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/modules/identity/password"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/recovery"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk"
	"github.com/amphi-campus/amphi/internal/modules/identity/throttle"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is [identity] in the configuration.
type Config struct {
	MailDomains []string `toml:"mail_domains" help:"domains of the institution's addresses; somebody who types another one is told that it is a personal address"`

	Hash    HashConfig      `toml:"hash"`
	Queue   QueueConfig     `toml:"queue"`
	Session SessionConfig   `toml:"session"`
	SignIn  throttle.Config `toml:"sign_in"`

	Activation activation.Config `toml:"activation"`
	Password   renewal.Config    `toml:"password"`
	Factor     factor.Config     `toml:"factor"`
	Device     device.Config     `toml:"device"`
	Reach      reach.Config      `toml:"reach"`
	Risk       risk.Config       `toml:"risk"`
	Lifecycle  lifecycle.Config  `toml:"lifecycle"`
	Recovery   recovery.Config   `toml:"recovery"`
	Journal    journal.Config    `toml:"journal"`

	Upstreams []upstream.Config `toml:"upstreams"`
}

// HashConfig is the cost of one password hash (argon2id, RFC 9106).
type HashConfig struct {
	Memory  uint32 `toml:"memory" help:"memory of one hash, in KiB"`
	Time    uint32 `toml:"time" help:"passes over the memory"`
	Threads uint8  `toml:"threads" help:"lanes of one hash"`
}

// QueueConfig bounds how many hashes are computed at once.
type QueueConfig struct {
	Workers  int           `toml:"workers" help:"hashes computed at once, besides one for browsers that know their owner and, during an attack, one for other browsers; 0 means one for each processor core"`
	Limit    int           `toml:"limit" help:"people who may wait in each line to sign in: those in a browser that knows them, the others, and strangers from networks whose attempts failed"`
	Patience time.Duration `toml:"patience" help:"how long a sign-in waits before a page tells the place in line"`
}

// SessionConfig limits sessions.
type SessionConfig struct {
	Idle           time.Duration `toml:"idle" help:"a session ends when it was not used for so long"`
	Absolute       time.Duration `toml:"absolute" help:"a session ends so long after sign-in, used or not"`
	SharedIdle     time.Duration `toml:"shared_idle" help:"the same as idle, on a shared computer"`
	SharedAbsolute time.Duration `toml:"shared_absolute" help:"the same as absolute, on a shared computer"`
}

// Defaults are safe for an institution that sets nothing.
func Defaults() Config {
	p := password.DefaultParams
	return Config{
		Hash:       HashConfig{Memory: p.Memory, Time: p.Time, Threads: p.Threads},
		Queue:      QueueConfig{Limit: 20_000, Patience: 3 * time.Second},
		Session:    SessionConfig{Idle: 2 * time.Hour, Absolute: 12 * time.Hour, SharedIdle: 15 * time.Minute, SharedAbsolute: 2 * time.Hour},
		SignIn:     throttle.Defaults(),
		Activation: activation.Defaults(), Password: renewal.Defaults(), Factor: factor.Defaults(), Device: device.Defaults(),
		Reach: reach.Defaults(), Risk: risk.Defaults(), Lifecycle: lifecycle.Defaults(), Recovery: recovery.Defaults(), Journal: journal.Defaults(),
	}
}

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	want(c.Hash.Memory >= 8<<10 && c.Hash.Memory <= 1<<20, "hash.memory", "must lie between 8192 (8 MiB) and 1048576 (1 GiB)")
	want(c.Hash.Time >= 1 && c.Hash.Time <= 16, "hash.time", "must lie between 1 and 16")
	want(c.Hash.Threads >= 1 && c.Hash.Threads <= 16, "hash.threads", "must lie between 1 and 16")
	want(c.Queue.Workers >= 0, "queue.workers", "must not be negative")
	want(c.Queue.Limit >= 1, "queue.limit", "must be at least 1")
	want(c.Queue.Patience >= 0 && c.Queue.Patience <= 20*time.Second, "queue.patience", "must lie between 0s and 20s")
	want(c.Session.Idle >= time.Minute, "session.idle", "must be at least 1m")
	want(c.Session.Absolute >= c.Session.Idle, "session.absolute", "must not be shorter than session.idle")
	want(c.Session.SharedIdle >= time.Minute, "session.shared_idle", "must be at least 1m")
	want(c.Session.SharedAbsolute >= c.Session.SharedIdle, "session.shared_absolute", "must not be shorter than session.shared_idle")
	want(c.SignIn.Burst >= 3, "sign_in.burst", "must be at least 3: people mistype")
	want(c.SignIn.Every >= time.Second, "sign_in.every", "must be at least 1s")
	want(c.SignIn.NetworkBurst >= c.SignIn.Burst, "sign_in.network_burst", "must not be less than sign_in.burst")
	want(c.SignIn.NetworkEvery > 0, "sign_in.network_every", "must be above 0s")
	return append(problems, upstream.CheckAll(c.Upstreams)...)
}

// ownDomain reports whether addresses of this domain are the institution's. When
// none is configured, every domain may be.
func (c Config) ownDomain(domain string) bool {
	return len(c.MailDomains) == 0 || slices.ContainsFunc(c.MailDomains, func(own string) bool { return strings.EqualFold(own, domain) })
}

func (c HashConfig) params() password.Params {
	return password.Params{Memory: c.Memory, Time: c.Time, Threads: c.Threads}
}

// workers is how many hashes run at once.
func (c Config) workers() int {
	if c.Queue.Workers > 0 {
		return c.Queue.Workers
	}
	return runtime.NumCPU()
}
