package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	_ "modernc.org/sqlite" // the driver that the program itself uses

	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// The functions of this file open the database of a stopped server, never of a
// running one.

// hashCost is what one password costs, as stored beside it.
type hashCost struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
}

// String implements fmt.Stringer.
func (c hashCost) String() string {
	return fmt.Sprintf("argon2id m=%d KiB, t=%d, p=%d", c.memory, c.time, c.threads)
}

// readHashCost learns the parameters from the demo's own passwords, so that the
// ceiling cannot be measured with others by mistake.
func readHashCost(ctx context.Context, file string) (c hashCost, err error) {
	err = withDatabase(file, func(d *sql.DB) error {
		var hash string
		row := d.QueryRowContext(ctx, `SELECT w.hash FROM identity_passwords w JOIN identity_people p ON p.id = w.person_id WHERE p.login = $1`, demoLogin)
		if err := row.Scan(&hash); err != nil {
			return fmt.Errorf("read the password of %s: %w", demoLogin, err)
		}
		_, err := fmt.Sscanf(hash, "$argon2id$v=19$m=%d,t=%d,p=%d$", &c.memory, &c.time, &c.threads)
		return err
	})
	return c, err
}

// countEntities counts the service providers that federations brought.
func countEntities(ctx context.Context, file string) (n int, err error) {
	err = withDatabase(file, func(d *sql.DB) error {
		return d.QueryRowContext(ctx, `SELECT COUNT(*) FROM sso_saml_entities`).Scan(&n)
	})
	return n, err
}

// openSessions adds sessions that look as if people had signed in a moment ago,
// spread over everybody, and returns their tokens.
func openSessions(ctx context.Context, file string, count int) (tokens []string, err error) {
	err = withDatabase(file, func(d *sql.DB) error {
		people, err := allPeople(ctx, d)
		if err != nil {
			return err
		}
		tx, err := d.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // after Commit there is nothing to undo
		now := db.At(time.Now())
		for i := range count {
			token := id.Token(32)
			_, err := tx.ExecContext(ctx, `INSERT INTO identity_sessions
				(id, token_hash, person_id, shared, signed_in_at, last_seen_at, idle_at, expires_at, ended_at, end_reason, address, user_agent)
				VALUES ($1, $2, $3, 0, $4, $4, $5, $6, 0, '', '127.0.0.1', 'bench')`,
				id.New(), id.Hash(token), people[i%len(people)], now, now.Add(time.Hour), now.Add(10*time.Hour))
			if err != nil {
				return fmt.Errorf("add a session: %w", err)
			}
			tokens = append(tokens, token)
		}
		return tx.Commit()
	})
	return tokens, err
}

func allPeople(ctx context.Context, d *sql.DB) (people []string, err error) {
	rows, err := d.QueryContext(ctx, `SELECT id FROM identity_people WHERE state = 'active' ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var person string
		if err := rows.Scan(&person); err != nil {
			return nil, err
		}
		people = append(people, person)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(people) == 0 {
		return nil, errors.New("nobody is in the database")
	}
	return people, nil
}

func withDatabase(file string, use func(*sql.DB) error) error {
	d, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(2000)&_pragma=foreign_keys(1)")
	if err != nil {
		return err
	}
	return errors.Join(use(d), d.Close())
}
