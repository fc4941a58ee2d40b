package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

const (
	// searchPeople is how many people the directory holds that is searched.
	searchPeople = 100_000
	// searchers is how many of them look for somebody: each may do so for a while.
	searchers = 60
	// searchTime is how long they do.
	searchTime = 6 * time.Second
)

// searches are what people type: names, beginnings, mistakes, functions.
var searches = []string{"kervadec", "martin lina", "Gauthier Hel", "berthlot", "gestionaire", "bousres", "dupnot", "le goff", "moreau solène", "scolarite"}

// measureDirectorySearch looks for people among 100,000 over HTTP, on a demo of its
// own, and reads what the search costs in memory.
func measureDirectorySearch(ctx context.Context, s *server, _ plan) (rows []row, err error) {
	own, err := newServer(s.binary, filepath.Join(filepath.Dir(s.data), "search"))
	if err != nil {
		return nil, err
	}
	if err := own.start(ctx); err != nil {
		return nil, err
	}
	before, err := own.memory()
	if err := errors.Join(err, own.stop()); err != nil {
		return nil, err
	}
	tokens, err := settleDirectory(ctx, own.database())
	if err != nil {
		return nil, err
	}
	if err := own.start(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, own.stop()) }()
	client := newClient()
	defer client.CloseIdleConnections()
	visitors := make([]*visitor, len(tokens))
	for i, token := range tokens {
		visitors[i] = newVisitor(client, own.base)
		visitors[i].cookies[sessionCookie] = token
	}
	look := func(ctx context.Context, i int) error {
		a, err := visitors[i%len(visitors)].get(ctx, "/directory?q="+url.QueryEscape(searches[i%len(searches)]))
		if err := expect(a, err, http.StatusOK, "a search of the directory"); err != nil {
			return err
		}
		if !strings.Contains(string(a.body), `role="status"`) {
			return errors.New("a search found nothing")
		}
		return nil
	}
	began := time.Now()
	if err := look(ctx, 0); err != nil { // reads the directory
		return nil, err
	}
	first := time.Since(began)
	var next atomic.Int64
	alone := loop(ctx, 1, searchTime, 0, func(ctx context.Context, _ int) error { return look(ctx, int(next.Add(1))) })
	crowd := loop(ctx, 4, searchTime, 0, func(ctx context.Context, _ int) error { return look(ctx, int(next.Add(1))) })
	if err := errors.Join(alone.err, crowd.err); err != nil {
		return nil, err
	}
	after, err := own.memory()
	if err != nil {
		return nil, err
	}
	return []row{{
		what: "directory: a search among " + thousands(searchPeople) + " people (p50, p99)", aim: "p99 under 100 ms",
		figure:  millis(alone.percentile(.5)) + ", " + millis(alone.percentile(.99)),
		ratio:   fmt.Sprintf("four at once: %s, %s, of %s", millis(crowd.percentile(.5)), millis(crowd.percentile(.99)), thousands(len(crowd.took))),
		verdict: verdictOf(alone.percentile(.99) < 100*time.Millisecond),
	}, {
		what: "directory: memory with the search of " + thousands(searchPeople) + " people", aim: "under 2 kB a person",
		figure:  megabytes(after.resident),
		ratio:   fmt.Sprintf("%s without; a search right after the start waits %s", megabytes(before.resident), millis(first)),
		verdict: verdictOf(after.resident-before.resident < 2000*searchPeople),
	}}, nil
}

// settleDirectory adds the people of the directory to the database of the stopped
// server, one in ten of them staff, and opens sessions for some of these.
func settleDirectory(ctx context.Context, file string) (tokens []string, err error) {
	givens := strings.Fields("Hélène Paul Fatoumata Yannick Nadia Karim Solène Amadou Chloé Mathis Inès Jules Zoé Hugo Léa Nathan Camille Théo Manon Lucas")
	families := strings.Fields("Kervadec Martin Berthelot Dupont Moreau Gauthier Legoff Rousseau Fontaine Chevalier Garnier Lambert Traoré Diallo Nguyen Benali Da-Costa Lefèvre Mercier Blanchard")
	endings := strings.Fields("a in ou el art eau on ier ac ec ot and aud is ez ard il une ette ault")
	err = withDatabase(file, func(d *sql.DB) error {
		tx, err := d.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // after Commit there is nothing to undo
		now := db.At(time.Now())
		for i := range searchPeople {
			person, login := id.New(), fmt.Sprintf("found%06d", i)
			given, family := givens[i%len(givens)], families[i/len(givens)%len(families)]
			if i%3 > 0 { // most names are rare
				family += endings[i/400%len(endings)] + endings[i/8000%len(endings)]
			}
			kind, title := "student", ""
			if i%10 == 0 {
				kind, title = "staff", "Gestionnaire de scolarité"
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
				VALUES ($1, $2, $3, $4, $5, '', $6, $7, 'active', 'fr', 'system', $8, $8)`,
				person, login, login+"@valmont.example", given, family, title, campus.Fold(family+" "+given), now)
			if err != nil {
				return fmt.Errorf("add somebody: %w", err)
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO identity_affiliations (person_id, kind, campus, programme, unit) VALUES ($1, $2, 'rives', '', 'SCO')`, person, kind); err != nil {
				return fmt.Errorf("add an affiliation: %w", err)
			}
			if kind != "staff" || len(tokens) == searchers {
				continue
			}
			token := id.Token(32)
			_, err = tx.ExecContext(ctx, `INSERT INTO identity_sessions
				(id, token_hash, person_id, shared, signed_in_at, last_seen_at, idle_at, expires_at, ended_at, end_reason, address, user_agent)
				VALUES ($1, $2, $3, 0, $4, $4, $5, $6, 0, '', '127.0.0.1', 'bench')`, id.New(), id.Hash(token), person, now, now.Add(time.Hour), now.Add(10*time.Hour))
			if err != nil {
				return fmt.Errorf("add a session: %w", err)
			}
			tokens = append(tokens, token)
		}
		return tx.Commit()
	})
	return tokens, err
}
