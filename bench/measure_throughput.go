package main

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
)

// casService plays a service; nothing listens there, because the ticket is
// handed over in the redirect.
const casService = "http://127.0.0.1:9/bench"

// measureThroughput compares the home page and a CAS sign-in with a handler of
// the same server that does nothing. The three take turns.
func measureThroughput(ctx context.Context, s *server, p plan) ([]row, error) {
	client := newClient()
	defer client.CloseIdleConnections()
	workers := 4 * runtime.NumCPU()
	visitors := make([]*visitor, workers)
	for i := range visitors {
		visitors[i] = newVisitor(client, s.base)
		if _, err := visitors[i].signIn(ctx); err != nil {
			return nil, err
		}
		// By this cookie, a browser is seen to go round in circles, which it does here.
		delete(visitors[i].cookies, browserCookie)
	}
	var empty, home, cas tally
	for range p.rounds {
		empty.add(loop(ctx, workers, p.slice, 0, func(ctx context.Context, worker int) error {
			a, err := visitors[worker].get(ctx, "/bench/empty")
			if err == nil && a.status == http.StatusNoContent {
				return nil
			}
			return expect(a, err, http.StatusOK, "/bench/empty")
		}))
		home.add(loop(ctx, workers, p.slice, 0, func(ctx context.Context, worker int) error {
			a, err := visitors[worker].get(ctx, "/")
			return expect(a, err, http.StatusOK, "the home page")
		}))
		cas.add(loop(ctx, workers, p.slice, 0, func(ctx context.Context, worker int) error {
			return casSignIn(ctx, visitors[worker])
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
		compared("CAS: ticket issued and validated", cas),
	}
	for _, t := range []tally{empty, home, cas} {
		if t.err != nil {
			return rows, t.err
		}
	}
	return rows, nil
}

// casAnswer is the part of a validation that says who came.
type casAnswer struct {
	Success *struct {
		User string `xml:"user"`
	} `xml:"authenticationSuccess"`
}

// casSignIn asks for a ticket with an open session and validates it as a service
// would.
func casSignIn(ctx context.Context, v *visitor) error {
	a, err := v.get(ctx, "/cas/login?"+url.Values{"service": {casService}}.Encode())
	if err != nil {
		return err
	}
	back, err := url.Parse(a.location)
	if err != nil || back.Query().Get("ticket") == "" {
		return fmt.Errorf("/cas/login answered %d with no ticket in %q", a.status, a.location)
	}
	service := &visitor{client: v.client, base: v.base} // it has no cookies
	a, err = service.get(ctx, "/cas/serviceValidate?"+url.Values{"service": {casService}, "ticket": {back.Query().Get("ticket")}}.Encode())
	if err := expect(a, err, http.StatusOK, "/cas/serviceValidate"); err != nil {
		return err
	}
	var said casAnswer
	if err := xml.Unmarshal(a.body, &said); err != nil {
		return fmt.Errorf("/cas/serviceValidate: %w", err)
	}
	if said.Success == nil || said.Success.User == "" {
		return fmt.Errorf("/cas/serviceValidate refused a fresh ticket: %.200s", a.body)
	}
	return nil
}
