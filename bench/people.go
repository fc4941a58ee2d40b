package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// crowdSize is how many people settle in the demo university for the measures
// that need many.
const crowdSize = 10_000

// appSecret is the key of everybody's authenticator app. Each has a factor of
// their own; one key for all spares ten thousand seals.
const appSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// appPurpose names the key that seals it, as package factor does.
const appPurpose = "identity.totp"

// resident is the login of somebody who settled: residents with an even number
// have an authenticator app, the others have no second factor.
func resident(i int) string { return fmt.Sprintf("resident%05d", i%crowdSize) }

// stranger is a login of the same length that nobody has.
func stranger(i int) string { return fmt.Sprintf("stranger%05d", i%crowdSize) }

// settle adds the residents to the database of the stopped server, each with the
// demo's password. It does nothing when they are there.
func settle(ctx context.Context, s *server) error {
	keys, err := crypt.Open(s.key())
	if err != nil {
		return err
	}
	sealed, err := keys.SealText(appPurpose, appSecret)
	if err != nil {
		return err
	}
	return withDatabase(s.database(), func(d *sql.DB) error {
		tx, err := d.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // after Commit there is nothing to undo
		var hash string
		row := tx.QueryRowContext(ctx, `SELECT w.hash FROM identity_passwords w JOIN identity_people p ON p.id = w.person_id WHERE p.login = $1`, demoLogin)
		if err := row.Scan(&hash); err != nil {
			return fmt.Errorf("read the password of %s: %w", demoLogin, err)
		}
		var there int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM identity_people WHERE login = $1`, resident(0)).Scan(&there); err != nil || there > 0 {
			return err
		}
		now := db.At(time.Now())
		for i := range crowdSize {
			if err := settleOne(ctx, tx, i, hash, sealed, now); err != nil {
				return fmt.Errorf("add %s: %w", resident(i), err)
			}
		}
		return tx.Commit()
	})
}

func settleOne(ctx context.Context, tx *sql.Tx, i int, hash, sealed string, now db.Time) error {
	login, person := resident(i), id.New()
	statements := []struct {
		text string
		args []any
	}{
		{`INSERT INTO identity_people (id, login, mail, given_name, family_name, student_number, job_title, folded_name, state, locale, appearance, created_at, changed_at)
			VALUES ($1, $2, $3, 'Camille', $2, '', '', $2, 'active', 'fr', 'system', $4, $4)`, []any{person, login, login + "@etu.valmont.example", now}},
		{`INSERT INTO identity_affiliations (person_id, kind, campus, programme, unit) VALUES ($1, 'student', '', '', '')`, []any{person}},
		{`INSERT INTO identity_passwords (person_id, hash, changed_at) VALUES ($1, $2, $3)`, []any{person, hash, now}},
	}
	if i%2 == 0 {
		statements = append(statements, struct {
			text string
			args []any
		}{`INSERT INTO identity_factors (id, person_id, kind, label, secret, last_step, late_steps, point, added_at, last_used_at, suspended_at)
			VALUES ($1, $2, 'totp', 'bench', $3, 0, 0, '', $4, 0, 0)`, []any{id.New(), person, sealed, now}})
	}
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s.text, s.args...); err != nil {
			return err
		}
	}
	return nil
}
