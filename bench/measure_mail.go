package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/amphi-campus/amphi/internal/platform/id"
)

const (
	// mailSenders is how many conversations a mail server holds at once.
	mailSenders = 8
	// mailWithin is how long the last mail may take to become a request.
	mailWithin = 2 * time.Minute
	mailQueue  = "bench@aide.bench.example"
)

// benchMail is a mail as people write them, with a quotation and a signature.
func benchMail(n int) string {
	return fmt.Sprintf("From: person%d@bench.example\r\nTo: %s\r\nSubject: Question %d\r\nMessage-ID: <%s@bench.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", n, mailQueue, n, id.New()) +
		strings.Repeat("Bonjour, je ne peux plus me connecter au réseau de la salle.\r\n", 20) + "\r\n-- \r\nPersonne\r\n"
}

// measureMail hands mails over by SMTP on a demo of its own: how fast each is kept
// before it is accepted, compared with writing as many files through to the disk, and
// how fast all have become requests.
func measureMail(ctx context.Context, s *server, p plan) (rows []row, err error) {
	folder := filepath.Join(filepath.Dir(s.data), "mail")
	own, err := newServer(s.binary, folder)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(own.start(ctx), own.stop()); err != nil {
		return nil, err
	}
	if err := withDatabase(own.database(), func(d *sql.DB) error {
		_, err := d.ExecContext(ctx, "INSERT INTO helpdesk_queues (id, team, campus, name_fr, name_en, mail, calendar_id, closed_at) VALUES ($1, 'bench', '', 'Banc', 'Bench', $2, '', 0)", id.New(), mailQueue)
		return err
	}); err != nil {
		return nil, fmt.Errorf("add a queue: %w", err)
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	own.config = filepath.Join(filepath.Dir(folder), "mail.toml")
	if err := os.WriteFile(own.config, fmt.Appendf(nil, "[helpdesk.mail]\nlisten = %q\n", address), 0o600); err != nil {
		return nil, err
	}
	if err := own.start(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, own.stop()) }()

	mails := max(p.tickets/50, 200)
	began := time.Now()
	if err := handOver(address, mails); err != nil {
		return nil, err
	}
	accepted := time.Since(began)
	if err := waitForRequests(ctx, own, mails); err != nil {
		return nil, err
	}
	opened := time.Since(began)
	raw, err := writeThrough(folder, mails)
	if err != nil {
		return nil, err
	}
	perSecond := func(d time.Duration) float64 { return float64(mails) / d.Seconds() }
	return []row{
		{
			what: "help desk: mails taken by SMTP, each kept before it is accepted", figure: fmt.Sprintf("%.0f a second", perSecond(accepted)),
			ratio: fmt.Sprintf("%.2f of writing as many files through to the disk (%.0f a second)", perSecond(accepted)/perSecond(raw), perSecond(raw)),
		},
		{
			what: "help desk: mails that became requests, acknowledged", aim: "50 a second", figure: fmt.Sprintf("%.0f a second", perSecond(opened)),
			ratio: fmt.Sprintf("%s mails over %d connections", thousands(mails), mailSenders), verdict: verdictOf(perSecond(opened) >= 50),
		},
	}, nil
}

// freeAddress is one of the loopback that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// inTurns shares numbered work among as many as send.
func inTurns(n int, do func(next func() (int, bool)) error) error {
	var count atomic.Int64
	var all sync.WaitGroup
	problems := make([]error, mailSenders)
	for i := range mailSenders {
		all.Go(func() {
			problems[i] = do(func() (int, bool) {
				k := int(count.Add(1)) - 1
				return k, k < n
			})
		})
	}
	all.Wait()
	return errors.Join(problems...)
}

// handOver posts mails, many in one conversation as mail servers do.
func handOver(address string, mails int) error {
	return inTurns(mails, func(next func() (int, bool)) error {
		c, err := smtp.Dial(address)
		if err != nil {
			return fmt.Errorf("reach the mail listener: %w", err)
		}
		for n, ok := next(); ok; n, ok = next() {
			if err := c.SendMail(fmt.Sprintf("person%d@bench.example", n), []string{mailQueue}, strings.NewReader(benchMail(n))); err != nil {
				return errors.Join(fmt.Errorf("hand over a mail: %w", err), c.Close())
			}
		}
		return c.Quit()
	})
}

// writeThrough writes as many files of the same size, each to the disk before the next.
func writeThrough(folder string, mails int) (time.Duration, error) {
	began := time.Now()
	err := inTurns(mails, func(next func() (int, bool)) error {
		for n, ok := next(); ok; n, ok = next() {
			f, err := os.Create(filepath.Join(folder, fmt.Sprint("raw-", n)))
			if err != nil {
				return err
			}
			if _, err := f.WriteString(benchMail(n)); err != nil {
				return errors.Join(err, f.Close())
			}
			if err := errors.Join(f.Sync(), f.Close()); err != nil {
				return err
			}
		}
		return nil
	})
	return time.Since(began), err
}

// waitForRequests waits until every mail has become one.
func waitForRequests(ctx context.Context, s *server, mails int) error {
	for deadline := time.Now().Add(mailWithin); ; time.Sleep(100 * time.Millisecond) {
		var opened int
		if err := withDatabase(s.database(), func(d *sql.DB) error {
			return d.QueryRowContext(ctx, "SELECT COUNT(*) FROM helpdesk_mails WHERE outcome = 'opened'").Scan(&opened)
		}); err != nil {
			return err
		}
		if opened == mails {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d mails became requests within %s", opened, mails, mailWithin)
		}
	}
}
