package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/words"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

const (
	// deskMessages is how many messages each ticket has.
	deskMessages = 10
	// deskOpen is how many of the tickets still have to be dealt with.
	deskOpen = 1200
	// deskTime is how long each kind of page is asked for.
	deskTime = 4 * time.Second
)

// deskPages are what agents open all day. Words are those of deskWord: one that
// stands in every second ticket, some that stand in few, two that rarely meet.
var deskPages = []struct{ what, path string }{
	{"the list of what is to be done", "/helpdesk/tickets"},
	{"the list of what is over", "/helpdesk/tickets?state=over"},
	{"a search for a frequent word", "/helpdesk/tickets?q=" + deskWord(0)},
	{"a search for a rare word", "/helpdesk/tickets?q=" + deskWord(9000)},
	{"a search for two frequent words", "/helpdesk/tickets?q=" + url.QueryEscape(deskWord(2)+" "+deskWord(40))},
	{"a search for a frequent and a rare word", "/helpdesk/tickets?q=" + url.QueryEscape(deskWord(1)+" "+deskWord(7000))},
	{"a search for the beginning of a word", "/helpdesk/tickets?q=" + deskWord(300)[:4]},
	{"one ticket", ""},
}

// deskWord is the n-th most frequent word of the desk, made of syllables so that
// beginnings are shared as in a language.
func deskWord(n int) string {
	syllables := [...]string{"ma", "ri", "to", "le", "cu", "dan", "por", "sé", "vi", "qua", "ner", "bo", "fil", "gue", "xi", "ta"}
	var b strings.Builder
	for n += 300; n > 0; n /= len(syllables) {
		b.WriteString(syllables[n%len(syllables)])
	}
	return b.String()
}

// measureHelpdesk opens the pages of an agent over HTTP, with 100,000 tickets and a
// million messages behind them, on a demo of its own.
func measureHelpdesk(ctx context.Context, s *server, p plan) (rows []row, err error) {
	own, err := newServer(s.binary, filepath.Join(filepath.Dir(s.data), "helpdesk"))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(own.start(ctx), own.stop()); err != nil {
		return nil, err
	}
	began := time.Now()
	token, number, err := settleDesk(ctx, own.database(), p.tickets)
	if err != nil {
		return nil, err
	}
	filled := time.Since(began)
	if err := own.start(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, own.stop()) }()
	client := newClient()
	defer client.CloseIdleConnections()
	for _, page := range deskPages {
		path := cmp.Or(page.path, "/helpdesk/tickets/"+number)
		v := newVisitor(client, own.base)
		v.cookies[sessionCookie] = token
		look := func(ctx context.Context, _ int) error {
			a, err := v.get(ctx, path)
			if err := expect(a, err, http.StatusOK, page.what); err != nil {
				return err
			}
			if page.path != "" && !strings.Contains(string(a.body), `name="number"`) {
				return errors.New(page.what + " is empty")
			}
			return nil
		}
		if err := look(ctx, 0); err != nil {
			return rows, err
		}
		alone := loop(ctx, 1, deskTime, 0, look)
		if alone.err != nil {
			return rows, alone.err
		}
		rows = append(rows, row{
			what: "help desk: " + page.what + " (p50, p99)", aim: "p99 under 100 ms",
			figure:  millis(alone.percentile(.5)) + ", " + millis(alone.percentile(.99)),
			ratio:   fmt.Sprintf("%s tickets, %s messages; filled in %.0f s", thousands(p.tickets), thousands(p.tickets*deskMessages), filled.Seconds()),
			verdict: verdictOf(alone.percentile(.99) < 100*time.Millisecond),
		})
	}
	return rows, nil
}

// deskNumber is a tracking number: seven digits and the one that checks them.
func deskNumber(seven int) string {
	for last := range 10 {
		if number, ok := ticket.ParseNumber(fmt.Sprintf("%07d%d", seven, last)); ok {
			return number
		}
	}
	panic("no digit checks the others")
}

// posting is an entry of the index.
type posting struct{ word, ticket string }

// settleDesk adds tickets, messages and their words to the database of the stopped
// server, and a session of the demo's agent.
func settleDesk(ctx context.Context, file string, tickets int) (token, number string, err error) {
	random := rand.New(rand.NewPCG(6, 22))
	frequency := rand.NewZipf(random, 1.07, 8, 20_000)
	sentence := func(length int) string {
		list := make([]string, length)
		for i := range list {
			list[i] = deskWord(int(frequency.Uint64()))
		}
		return strings.Join(list, " ")
	}
	err = withDatabase(file, func(d *sql.DB) error {
		tx, err := d.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // after Commit there is nothing to undo
		var agent string
		if err := tx.QueryRowContext(ctx, "SELECT id FROM identity_people WHERE login = 'agent'").Scan(&agent); err != nil {
			return fmt.Errorf("find the agent: %w", err)
		}
		var queues []string
		for i := range 12 {
			queue := id.New()
			if _, err := tx.ExecContext(ctx, "INSERT INTO helpdesk_queues (id, team, campus, name_fr, name_en, mail, calendar_id, closed_at) VALUES ($1, 'bench', '', $2, $2, '', '', 0)", queue, fmt.Sprintf("File %d", i)); err != nil {
				return fmt.Errorf("add a queue: %w", err)
			}
			queues = append(queues, queue)
		}
		now := time.Now()
		var postings []posting
		for i := range tickets {
			which, opened := id.New(), db.At(now.Add(-time.Duration(tickets-i)*20*time.Minute))
			number = deskNumber(1_000_000 + i)
			state, solved := "closed", opened.Add(5*time.Hour)
			if i >= tickets-deskOpen {
				state, solved = []string{"new", "open", "waiting"}[i%3], 0
			}
			subject := sentence(6)
			if _, err := tx.ExecContext(ctx, `INSERT INTO helpdesk_tickets (id, number, state, priority, channel, subject, locale, requester_id, requester_name, requester_mail, requester_phone, proved_at, campus, area, service, reason,
				incident_code, leaf, queue_id, assignee_id, routed, outage_id, merged_into, split_from, opened_at, changed_at, answered_at, solved_at, closed_at, waiting_at, postponed_at, answer_due_at, solve_due_at, paused, escalated, reopened,
				spent, messages, last_by, rating, rating_words, rated_at, version)
				VALUES ($1, $2, $3, $4, 'portal', $5, 'fr', '', $6, $7, '', 0, $8, 'account', '', '', '', '', $9, $10, 'null', '', '', '', $11, $12, $13, $14, $14, 0, 0, 0, 0, 0, 0, 0, 0, $15, 'agent', 0, '', 0, 1)`,
				which, number, state, 1+i%4, subject, "Personne "+deskWord(i%5000), fmt.Sprintf("p%d@valmont.example", i%30_000), []string{"rives", "nord", "sud"}[i%3], queues[i%len(queues)],
				[]string{agent, "", ""}[i%3], opened, opened.Add(6*time.Hour), opened.Add(time.Hour), solved, deskMessages); err != nil {
				return fmt.Errorf("add a ticket: %w", err)
			}
			texts := []string{subject, number}
			for m := range deskMessages {
				body := sentence(25)
				texts = append(texts, body)
				if _, err := tx.ExecContext(ctx, `INSERT INTO helpdesk_messages (id, ticket_id, said_at, author, author_id, author_name, author_mail, channel, internal, body, folded, mail_id, redacted_at)
					VALUES ($1, $2, $3, $4, '', 'Personne', '', 'portal', 0, $5, '', '', 0)`, id.New(), which, opened.Add(time.Duration(m)*time.Hour/2), []string{"requester", "agent"}[m%2], body); err != nil {
					return fmt.Errorf("add a message: %w", err)
				}
			}
			for _, text := range texts {
				for _, word := range words.Of(text) {
					postings = append(postings, posting{word, which})
				}
			}
			if len(postings) > 1_000_000 || i == tickets-1 {
				if err := index(ctx, tx, postings); err != nil {
					return err
				}
				postings = postings[:0]
			}
		}
		token = id.Token(32)
		at := db.At(now)
		if _, err := tx.ExecContext(ctx, `INSERT INTO identity_sessions
			(id, token_hash, person_id, shared, signed_in_at, last_seen_at, idle_at, expires_at, ended_at, end_reason, address, user_agent)
			VALUES ($1, $2, $3, 0, $4, $4, $5, $6, 0, '', '127.0.0.1', 'bench')`, id.New(), id.Hash(token), agent, at, at.Add(time.Hour), at.Add(10*time.Hour)); err != nil {
			return fmt.Errorf("add a session: %w", err)
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		_, err = d.ExecContext(ctx, "ANALYZE")
		return err
	})
	return token, number, err
}

// index adds entries in the order of the index, which is many times faster.
func index(ctx context.Context, tx *sql.Tx, postings []posting) error {
	slices.SortFunc(postings, func(a, b posting) int {
		return cmp.Or(strings.Compare(a.word, b.word), strings.Compare(a.ticket, b.ticket))
	})
	add, err := tx.PrepareContext(ctx, "INSERT INTO helpdesk_words (word, ticket_id) VALUES ($1, $2)")
	if err != nil {
		return err
	}
	defer add.Close()
	for i, p := range postings {
		if i > 0 && p == postings[i-1] {
			continue
		}
		if _, err := add.ExecContext(ctx, p.word, p.ticket); err != nil {
			return fmt.Errorf("index a ticket: %w", err)
		}
	}
	return nil
}

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
