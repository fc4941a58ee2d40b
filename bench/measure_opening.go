package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	// openingAgents look at their lists all the while, each every second.
	openingAgents = 8
	// openingPatience is how long a person waits for the answer.
	openingPatience = 30 * time.Second
)

// measureOpening lets many people open a ticket within a few minutes, each with a
// session of their own, while agents look at their lists and search.
func measureOpening(ctx context.Context, s *server, p plan) (rows []row, err error) {
	own, err := newServer(s.binary, filepath.Join(filepath.Dir(s.data), "opening"))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(own.start(ctx), own.stop(), settle(ctx, own)); err != nil {
		return nil, err
	}
	agent, _, err := settleDesk(ctx, own.database(), min(p.tickets, 10_000))
	if err != nil {
		return nil, err
	}
	people, err := openSessions(ctx, own.database(), max(p.openers, crowdSize))
	if err != nil {
		return nil, err
	}
	if err := own.start(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, own.stop()) }()
	client := newClient()
	client.Timeout = openingPatience
	defer client.CloseIdleConnections()

	working, done := context.WithCancel(ctx)
	defer done()
	lists := make(chan tally, 1)
	go func() {
		lists <- loop(working, openingAgents, p.opening+2*openingPatience, time.Second, func(_ context.Context, worker int) error {
			v := newVisitor(client, own.base)
			v.cookies[sessionCookie] = agent
			page := deskPages[worker%3] // a list, what is over, a search
			a, err := v.get(ctx, page.path)
			return expect(a, err, http.StatusOK, page.what)
		})
	}()
	opened, failed := openMany(ctx, client, own.base, people[:p.openers], p.opening)
	done()
	listed := <-lists

	took := fmt.Sprintf("%s people within %s, %d without a ticket", thousands(p.openers), p.opening, len(failed))
	rows = []row{
		{what: "help desk: opening a ticket while many do (p50, p99)", aim: "p99 under 500 ms, none fails", figure: both(opened), ratio: took, verdict: verdictOf(len(failed) == 0 && opened.percentile(.99) < 500*time.Millisecond)},
		{what: "help desk: lists and searches of agents meanwhile (p50, p99)", aim: "p99 under 200 ms", figure: both(listed), ratio: fmt.Sprintf("%d agents, a page a second each", openingAgents), verdict: verdictOf(listed.err == nil && listed.percentile(.99) < 200*time.Millisecond)},
	}
	if len(failed) > 0 {
		err = fmt.Errorf("the first of %d that failed: %w", len(failed), failed[0])
	}
	return rows, errors.Join(err, listed.err)
}

// openMany has everybody open a ticket, evenly over a time. Who is late does not hold
// up those who come next.
func openMany(ctx context.Context, client *http.Client, base string, tokens []string, within time.Duration) (tally, []error) {
	var all sync.WaitGroup
	var mu sync.Mutex
	var took tally
	var failed []error
	began := time.Now()
	for i, token := range tokens {
		if pause(ctx, time.Until(began.Add(within*time.Duration(i)/time.Duration(len(tokens))))) != nil {
			break // the run is being ended
		}
		all.Go(func() {
			start := time.Now()
			v := newVisitor(client, base)
			v.cookies[sessionCookie] = token
			err := openOne(ctx, v, i)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, err)
				return
			}
			took.took = append(took.took, time.Since(start))
		})
	}
	all.Wait()
	took.spent = time.Since(began)
	return took, failed
}

// openOne sends a request as its form does.
func openOne(ctx context.Context, v *visitor, i int) error {
	a, err := v.post(ctx, "/helpdesk/ask/write", url.Values{
		"subject": {fmt.Sprintf("%s %s %d", deskWord(i%700), deskWord(i%31), i)}, "body": {strings.Repeat(deskWord(i%4000)+" "+deskWord(i%90)+" ", 20)}, "area": {"account"},
	})
	return expect(a, err, http.StatusSeeOther, "opening a ticket")
}
