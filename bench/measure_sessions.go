package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"
)

// measureSessionMemory opens many sessions in the database of the stopped
// server, then has each of them look at its home page once, and reads how much
// memory is left in use after a moment.
func measureSessionMemory(ctx context.Context, s *server, p plan) ([]row, error) {
	if err := s.stop(); err != nil {
		return nil, err
	}
	tokens, err := openSessions(ctx, s.database(), p.sessions)
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	client := newClient()
	defer client.CloseIdleConnections()
	var next atomic.Int64
	visits := loop(ctx, 2*runtime.NumCPU(), time.Minute, 0, func(ctx context.Context, _ int) error {
		i := int(next.Add(1)) - 1
		if i >= len(tokens) {
			return errDone
		}
		v := newVisitor(client, s.base)
		v.cookies[sessionCookie] = tokens[i]
		a, err := v.get(ctx, "/")
		return expect(a, err, http.StatusOK, "the home page of an open session")
	})
	if visits.err != nil {
		return nil, visits.err
	}
	busy, err := s.memory()
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, 5*time.Second); err != nil {
		return nil, err
	}
	calm, err := s.memory()
	if err != nil {
		return nil, err
	}
	return []row{{
		what:    fmt.Sprintf("resident memory, %s open sessions that each saw their home page", thousands(len(visits.took))),
		aim:     "under 60 MB",
		figure:  megabytes(calm.resident),
		ratio:   "highest " + megabytes(busy.highest),
		verdict: verdictOf(calm.resident < 60e6 && len(visits.took) == p.sessions),
	}}, nil
}
