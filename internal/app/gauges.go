package app

import (
	"context"
	"time"
)

// measure adds the house's own figures to /metrics.
func (h *House) measure() error {
	identity, database, jobs, accounts := h.metrics.Room("identity"), h.metrics.Room("db"), h.metrics.Room("jobs"), h.metrics.Room("provisioning")
	for _, add := range []func() error{
		func() error {
			return identity.Gauge("sign_in_waiting", "People who wait in line to sign in.", func() float64 { return float64(h.identity.Waiting()) })
		},
		func() error {
			return identity.Gauge("open_sessions", "Sessions that are open.", h.counted("count open sessions", h.identity.CountOpenSessions))
		},
		func() error {
			return database.Gauge("writes_waiting", "Transactions that wait for the writer (SQLite).", func() float64 { return float64(h.DB.Stats().Queued) })
		},
		func() error {
			return accounts.Gauge("queued", "Accounts in other services that wait to be worked on.", h.counted("count accounts that wait", h.provisioning.Queued))
		},
		func() error {
			return accounts.Gauge("blocked", "Accounts in other services that somebody has to decide about.", h.counted("count blocked accounts", h.provisioning.Blocked))
		},
		func() error {
			return jobs.Gauge("running", "Jobs that run on this server.", func() float64 { return float64(h.runner.Stats().Running) })
		},
		func() error {
			return jobs.Gauge("gave_up", "Jobs that gave up since this server started.", func() float64 { return float64(h.runner.Stats().GaveUp) })
		},
	} {
		if err := add(); err != nil {
			return err
		}
	}
	return nil
}

// counted is a gauge that asks the database, with a deadline of its own: a scrape
// must not hang on a database that does. A failure shows as -1.
func (h *House) counted(what string, count func(context.Context) (int64, error)) func() float64 {
	return func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n, err := count(ctx)
		if err != nil {
			h.log.Warn(what, "error", err)
			return -1
		}
		return float64(n)
	}
}
