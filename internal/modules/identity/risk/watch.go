package risk

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/place"
	"github.com/amphi-campus/amphi/internal/modules/identity/risk/tally"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/health"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
)

// watch counts, in a memory that does not grow, how many accounts fail and succeed
// from each network and from everywhere. Each server watches what passes through
// it; what it finds is an alarm in the database, for all of them.
type watch struct {
	config Config
	// By network: accounts that failed and accounts that got in.
	failures, arrivals *tally.Book
	// The same for all networks together, and the networks that failed.
	all *tally.Book
	// raised keeps an alarm that goes on from writing at every failure.
	raised *limit.Limiter
}

// How many networks are watched at once, and how finely: about 2 MB together.
const (
	watchedNetworks = 4096
	fine            = 8    // words of a count: up to some thousand accounts of one network
	wide            = 2048 // up to a million accounts of the whole house
	writeEvery      = 30 * time.Second
)

// The keys of the counts of the whole house.
const (
	allFailures = "failures"
	allArrivals = "arrivals"
	allNetworks = "networks"
)

func newWatch(c Config, now clock.Clock) *watch {
	return &watch{
		config:   c,
		failures: tally.New(watchedNetworks, fine, c.SprayWindow, now),
		arrivals: tally.New(watchedNetworks, fine, c.SprayWindow, now),
		all:      tally.New(3, wide, c.SprayWindow, now),
		raised:   limit.New(limit.Rate{Every: writeEvery, Burst: 1}, watchedNetworks, now),
	}
}

// failed counts a wrong password. network is empty for one that must not be
// suspected alone.
func (w *watch) failed(network, identifier string) {
	if network != "" {
		w.failures.Add(network, identifier)
	}
	w.all.Add(allFailures, identifier)
	w.all.Add(allNetworks, network)
}

// succeeded counts a sign-in.
func (w *watch) succeeded(network, identifier string) {
	if network != "" {
		w.arrivals.Add(network, identifier)
	}
	w.all.Add(allArrivals, identifier)
}

// outweigh is how many times more accounts must fail than get in before it is an
// attack: on a Monday morning a whole campus mistypes behind one address.
const outweigh = 2

// here says how many accounts failed from a network, and whether it is spraying.
func (w *watch) here(network string) (accounts int, spraying bool) {
	if network == "" {
		return 0, false
	}
	accounts = w.failures.Count(network)
	return accounts, accounts >= w.config.SprayAccounts && accounts >= outweigh*w.arrivals.Count(network)
}

// everywhere says the same for all networks together. An attack from one network
// alone is that network's alarm.
func (w *watch) everywhere() (accounts, networks int, spraying bool) {
	accounts, networks = w.all.Count(allFailures), w.all.Count(allNetworks)
	const several = 10
	return accounts, networks, accounts >= w.config.SprayEverywhere && networks >= several && accounts >= outweigh*w.all.Count(allArrivals)
}

// The kinds of alarms, as stored.
const (
	alarmNetwork    = "network"
	alarmEverywhere = "everywhere"
)

// Alarm is an attack on many accounts.
type Alarm struct {
	ID         string
	Everywhere bool
	Network    string // empty when it comes from everywhere
	Place      place.Place
	Accounts   int // how many it tried within one window, at most
	Networks   int
	Since      time.Time
	LastAt     time.Time
}

// raiseAlarms opens the alarms that the counts call for, or notes that they go on.
func (x *Risk) raiseAlarms(ctx context.Context, tx db.Tx, network string, address netip.Addr) error {
	if accounts, spraying := x.watch.here(network); spraying {
		if err := x.raise(ctx, tx, alarmNetwork, network, x.Place(address), accounts, 1); err != nil {
			return err
		}
	}
	if accounts, networks, spraying := x.watch.everywhere(); spraying {
		return x.raise(ctx, tx, alarmEverywhere, "", place.Place{}, accounts, networks)
	}
	return nil
}

func (x *Risk) raise(ctx context.Context, tx db.Tx, kind, network string, at place.Place, accounts, networks int) error {
	if _, ok := x.watch.raised.Allow(kind + network); !ok {
		return nil
	}
	row, err := sqlgen.New(tx).RaiseAlarm(ctx, sqlgen.RaiseAlarmParams{
		ID: id.New(), Kind: kind, Network: network, Place: at.Text(), Accounts: int64(accounts), Networks: int64(networks), NowAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("raise an alarm: %w", err)
	}
	if row.OpenedAt != tx.Now() {
		return nil // it goes on
	}
	return jobs.Enqueue(ctx, tx, TellAlarm{Alarm: row.ID}, jobs.UniqueKey(row.ID))
}

// quietFor is how long after its last failure an attack counts as over.
const quietFor = 15 * time.Minute

func (x *Risk) closeAlarms(ctx context.Context) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).CloseAlarms(ctx, sqlgen.CloseAlarmsParams{NowAt: tx.Now(), QuietAt: tx.Now().Add(-quietFor)})
		if err != nil {
			return fmt.Errorf("close alarms: %w", err)
		}
		return nil
	})
}

// Alarms are the attacks that go on now, the widest first.
func (x *Risk) Alarms(ctx context.Context) ([]Alarm, error) {
	rows, err := sqlgen.New(x.DB.Read()).OpenAlarms(ctx)
	if err != nil {
		return nil, fmt.Errorf("list alarms: %w", err)
	}
	alarms := make([]Alarm, len(rows))
	for i, row := range rows {
		alarms[i] = alarmOf(row)
	}
	return alarms, nil
}

func alarmOf(row sqlgen.IdentityAlarm) Alarm {
	return Alarm{
		ID: row.ID, Everywhere: row.Kind == alarmEverywhere, Network: row.Network, Place: place.Parse(row.Place),
		Accounts: int(row.Accounts), Networks: int(row.Networks), Since: row.OpenedAt.Time(), LastAt: row.LastAt.Time(),
	}
}

// TellAlarm is the job that tells the administrators of an attack.
type TellAlarm struct{ Alarm string }

// JobName names the job.
func (TellAlarm) JobName() string { return "identity.tell_alarm" }

func (x *Risk) tellAlarm(ctx context.Context, job TellAlarm) error {
	row, err := sqlgen.New(x.DB.Read()).AlarmByID(ctx, job.Alarm)
	if err != nil {
		return fmt.Errorf("read an alarm: %w", err)
	}
	admins, err := x.Admins(ctx)
	if err != nil {
		return fmt.Errorf("find the administrators: %w", err)
	}
	letter := reach.Letter{Kind: "spray_network", URL: "/identity/risk", Args: []any{"accounts", row.Accounts, "network", row.Network, "at", row.OpenedAt.Time()}}
	if row.Kind == alarmEverywhere {
		letter.Kind, letter.Args = "spray_everywhere", []any{"accounts", row.Accounts, "networks", row.Networks, "at", row.OpenedAt.Time()}
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		for _, admin := range admins {
			if err := x.Post.Tell(ctx, tx, admin, letter); err != nil {
				return fmt.Errorf("tell %s of an alarm: %w", admin.ID, err)
			}
		}
		return nil
	})
}

// Health says whether an attack on many accounts goes on.
func (x *Risk) Health(ctx context.Context) []health.Check {
	return []health.Check{health.Run(ctx, "identity.spray", func(ctx context.Context) (string, error) {
		alarms, err := x.Alarms(ctx)
		if err != nil {
			return "", err
		}
		if len(alarms) > 0 {
			return fmt.Sprintf("%d alarms", len(alarms)), SprayGoesOn
		}
		return "no alarm", nil
	})}
}
