package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
)

// measureThroughput compares the home page with a handler of the same server that
// does nothing. They take turns.
func measureThroughput(ctx context.Context, s *server, p plan) ([]row, error) {
	client := newClient()
	defer client.CloseIdleConnections()
	visitors, err := signedIn(ctx, client, s)
	if err != nil {
		return nil, err
	}
	workers := len(visitors)
	var empty, home tally
	for range p.rounds {
		empty.add(loop(ctx, workers, p.slice, 0, func(ctx context.Context, worker int) error {
			return nothing(ctx, visitors[worker])
		}))
		home.add(loop(ctx, workers, p.slice, 0, func(ctx context.Context, worker int) error {
			a, err := visitors[worker].get(ctx, "/")
			return expect(a, err, http.StatusOK, "the home page")
		}))
	}
	compared := func(what string, t tally) row {
		if t.err != nil {
			return row{what: what, figure: "not measured: " + t.err.Error(), verdict: missed}
		}
		r := row{what: what, figure: fmt.Sprintf("%.0f/s, p99 %s", t.perSecond(), millis(t.percentile(.99)))}
		if empty.err == nil {
			r.ratio = fmt.Sprintf("%.1f %% of the empty handler", 100*t.perSecond()/empty.perSecond())
		}
		return r
	}
	rows := []row{
		{what: "empty handler, same server", figure: fmt.Sprintf("%.0f/s, p99 %s", empty.perSecond(), millis(empty.percentile(.99)))},
		compared("home page, signed in", home),
	}
	for _, t := range []tally{empty, home} {
		if t.err != nil {
			return rows, t.err
		}
	}
	return rows, nil
}

// signedIn opens as many sessions as the workers of a throughput, four a core.
func signedIn(ctx context.Context, client *http.Client, s *server) ([]*visitor, error) {
	visitors := make([]*visitor, 4*runtime.NumCPU())
	for i := range visitors {
		visitors[i] = newVisitor(client, s.base)
		if _, err := visitors[i].signIn(ctx); err != nil {
			return nil, err
		}
		// By this cookie, a browser is seen to go round in circles, which it does here.
		delete(visitors[i].cookies, browserCookie)
	}
	return visitors, nil
}

// nothing asks the handler that does nothing.
func nothing(ctx context.Context, v *visitor) error {
	a, err := v.get(ctx, "/bench/empty")
	if err == nil && a.status == http.StatusNoContent {
		return nil
	}
	return expect(a, err, http.StatusOK, "/bench/empty")
}
