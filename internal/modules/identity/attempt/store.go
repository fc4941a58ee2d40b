package attempt

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Missing: no sign-in has this incident code.
var Missing = fault.Declare(fault.NotFound, "identity.attempt_missing")

// Keep is how long a record stays.
const Keep = 35 * 24 * time.Hour

// most bounds the steps of one record: a program that tries for ever with one
// cookie must not fill the table.
const most = 60

// Store keeps the records.
type Store struct{ db *db.DB }

// New makes a store on a database.
func New(d *db.DB) *Store { return &Store{d} }

// Arrival is what is known when a browser comes to the door.
type Arrival struct {
	Browser   string // hash of the browser's token
	Address   string
	UserAgent string
	Next      string
	Service   string
	Shared    bool
}

// Open begins a record.
func (s *Store) Open(ctx context.Context, tx db.Tx, from Arrival) (Attempt, error) {
	a := Attempt{
		ID: id.New(), StartedAt: tx.Now().Time(), ChangedAt: tx.Now().Time(), Outcome: Open, Stage: entry.StageIdentifier,
		Address: from.Address, UserAgent: from.UserAgent, Next: from.Next, Service: from.Service, Shared: from.Shared,
	}
	const tries = 5 // two codes in a row that are taken mean that something else is wrong
	for range tries {
		a.Code = newCode()
		n, err := sqlgen.New(tx).Open(ctx, sqlgen.OpenParams{
			ID: a.ID, Code: a.Code, BrowserHash: from.Browser, StartedAt: tx.Now(), Stage: string(a.Stage),
			Address: from.Address, UserAgent: from.UserAgent, Next: from.Next, Service: from.Service, Shared: from.Shared,
		})
		if err != nil {
			return Attempt{}, fmt.Errorf("open the record of a sign-in: %w", err)
		}
		if n == 1 {
			return a, nil
		}
	}
	return Attempt{}, errors.New("no incident code is free")
}

// Add writes a step, and the record as it stands after it.
func (s *Store) Add(ctx context.Context, tx db.Tx, a *Attempt, step Step) error {
	q := sqlgen.New(tx)
	count, err := q.CountSteps(ctx, a.ID)
	if err != nil {
		return fmt.Errorf("count the steps: %w", err)
	}
	if count < most {
		facts := ""
		if len(step.Facts) > 0 {
			body, err := json.Marshal(step.Facts)
			if err != nil {
				return fmt.Errorf("write the facts of a step: %w", err)
			}
			facts = string(body)
		}
		err := q.AddStep(ctx, sqlgen.AddStepParams{
			ID: id.New(), AttemptID: a.ID, Stage: string(step.Stage), Outcome: string(step.Result), Method: string(step.Method),
			Reason: step.Reason, Facts: facts, At: tx.Now(),
		})
		if err != nil {
			return fmt.Errorf("write a step: %w", err)
		}
	}
	a.Stage, a.Reason = step.Stage, step.Reason
	return s.Change(ctx, tx, a)
}

// Change writes the record as it stands now. A sign-in that opened a session
// stays one that did, whatever is told of it later: it could be gone through
// again otherwise, by whoever has the browser then.
func (s *Store) Change(ctx context.Context, tx db.Tx, a *Attempt) error {
	a.ChangedAt = tx.Now().Time()
	err := sqlgen.New(tx).Change(ctx, sqlgen.ChangeParams{
		ID: a.ID, ChangedAt: tx.Now(), Outcome: string(a.Outcome), Stage: string(a.Stage), Reason: a.Reason, PersonID: string(a.Person), Typed: a.Typed,
		Next: a.Next, Service: a.Service, Shared: a.Shared, Method: string(a.Method), ProvedAt: db.At(a.ProvedAt),
		FactorMethod: string(a.FactorMethod), FactorAt: db.At(a.FactorAt), PutOff: a.PutOff, Trust: a.Trust, Suspicion: a.Suspicion,
		SinceAt: db.At(a.Since), Journey: a.Journey,
	})
	if err != nil {
		return fmt.Errorf("change the record of a sign-in: %w", err)
	}
	return nil
}

// Finish marks a sign-in as done, once: first is false when another request, of
// another tab perhaps, was quicker.
func (s *Store) Finish(ctx context.Context, tx db.Tx, attempt string) (first bool, err error) {
	n, err := sqlgen.New(tx).Finish(ctx, sqlgen.FinishParams{ID: attempt, ChangedAt: tx.Now()})
	if err != nil {
		return false, fmt.Errorf("finish the record of a sign-in: %w", err)
	}
	return n == 1, nil
}

// Rebind ties a sign-in, and whatever else a browser is on, to the new name of
// that browser, because somebody may know the old one: they had the computer
// before.
func (s *Store) Rebind(ctx context.Context, tx db.Tx, attempt, before, browser string) error {
	if err := sqlgen.New(tx).Rebind(ctx, sqlgen.RebindParams{ID: attempt, Before: before, Browser: browser}); err != nil {
		return fmt.Errorf("tie a sign-in to its browser: %w", err)
	}
	return nil
}

// Cut ends the sign-ins of somebody that are under way, but one (empty for none):
// what was proved in them counts no more, and no browser finds them.
func (s *Store) Cut(ctx context.Context, tx db.Tx, who campus.PersonID, but string) error {
	if _, err := sqlgen.New(tx).Cut(ctx, sqlgen.CutParams{PersonID: string(who), But: but}); err != nil {
		return fmt.Errorf("end the sign-ins under way: %w", err)
	}
	return nil
}

// OfBrowser returns the record that a browser is on: the one with this incident
// code, or its newest since a moment when code is empty. A code that another
// browser got is answered as one that does not exist.
func (s *Store) OfBrowser(ctx context.Context, browser, code string, since time.Time) (Attempt, error) {
	q := sqlgen.New(s.db.Read())
	var row sqlgen.IdentityAttempt
	var err error
	if code == "" {
		row, err = q.NewestOfBrowser(ctx, sqlgen.NewestOfBrowserParams{BrowserHash: browser, StartedAt: db.At(since)})
	} else {
		row, err = q.ByCode(ctx, code)
	}
	if err == nil && row.BrowserHash != browser {
		err = sql.ErrNoRows
	}
	return read(row, err)
}

// ByID returns the record with an identifier, without its steps.
func (s *Store) ByID(ctx context.Context, attempt string) (Attempt, error) {
	row, err := sqlgen.New(s.db.Read()).ByID(ctx, attempt)
	return read(row, err)
}

// ByCode returns the record with an incident code, and its steps.
func (s *Store) ByCode(ctx context.Context, code string) (Attempt, error) {
	q := sqlgen.New(s.db.Read())
	row, err := q.ByCode(ctx, code)
	a, err := read(row, err)
	if err != nil {
		return Attempt{}, err
	}
	steps, err := q.Steps(ctx, a.ID)
	if err != nil {
		return Attempt{}, fmt.Errorf("read the steps: %w", err)
	}
	for _, row := range steps {
		step, err := stepOf(row)
		if err != nil {
			return Attempt{}, err
		}
		a.Steps = append(a.Steps, step)
	}
	return a, nil
}

// Of returns somebody's newest records, without their steps.
func (s *Store) Of(ctx context.Context, who campus.PersonID, limit int) ([]Attempt, error) {
	rows, err := sqlgen.New(s.db.Read()).OfPerson(ctx, sqlgen.OfPersonParams{PersonID: string(who), Limit: int32(limit)})
	return list(rows, err)
}

// Flagged returns the records that people pointed at, newest first.
func (s *Store) Flagged(ctx context.Context, limit int) ([]Attempt, error) {
	rows, err := sqlgen.New(s.db.Read()).Flagged(ctx, int32(limit))
	return list(rows, err)
}

// Flag keeps what somebody says about their sign-in that failed.
func (s *Store) Flag(ctx context.Context, tx db.Tx, attempt, text string) error {
	return sqlgen.New(tx).Flag(ctx, sqlgen.FlagParams{ID: attempt, Flag: text, FlaggedAt: tx.Now()})
}

// Unflag takes a record off the list of those that wait for an agent.
func (s *Store) Unflag(ctx context.Context, tx db.Tx, attempt string) error {
	return sqlgen.New(tx).Unflag(ctx, attempt)
}

// AttachDiagnostic keeps the self-test of the browser, as JSON.
func (s *Store) AttachDiagnostic(ctx context.Context, tx db.Tx, attempt, json string) error {
	return sqlgen.New(tx).AttachDiagnostic(ctx, sqlgen.AttachDiagnosticParams{ID: attempt, Diagnostic: json})
}

// Forget deletes the records that are older than [Keep].
func (s *Store) Forget(ctx context.Context) error {
	return s.db.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).Forget(ctx, tx.Now().Add(-Keep))
		return err
	})
}

func stepOf(row sqlgen.IdentityAttemptStep) (Step, error) {
	step := Step{Stage: entry.Stage(row.Stage), Result: Result(row.Outcome), Method: entry.Method(row.Method), Reason: row.Reason, At: row.At.Time()}
	if row.Facts == "" {
		return step, nil
	}
	if err := json.Unmarshal([]byte(row.Facts), &step.Facts); err != nil {
		return Step{}, fmt.Errorf("read the facts of a step: %w", err)
	}
	return step, nil
}

func list(rows []sqlgen.IdentityAttempt, err error) ([]Attempt, error) {
	if err != nil {
		return nil, fmt.Errorf("list sign-ins: %w", err)
	}
	all := make([]Attempt, len(rows))
	for i, row := range rows {
		all[i] = attemptOf(row)
	}
	return all, nil
}

func read(row sqlgen.IdentityAttempt, err error) (Attempt, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return Attempt{}, Missing
	}
	if err != nil {
		return Attempt{}, fmt.Errorf("read the record of a sign-in: %w", err)
	}
	return attemptOf(row), nil
}

func attemptOf(row sqlgen.IdentityAttempt) Attempt {
	return Attempt{
		ID: row.ID, Code: row.Code, Person: campus.PersonID(row.PersonID), Typed: row.Typed, StartedAt: row.StartedAt.Time(), ChangedAt: row.ChangedAt.Time(),
		Outcome: Outcome(row.Outcome), Stage: entry.Stage(row.Stage), Reason: row.Reason, Address: row.Address, UserAgent: row.UserAgent,
		Next: row.Next, Service: row.Service, Shared: row.Shared,
		Method: entry.Method(row.Method), ProvedAt: row.ProvedAt.Time(), Since: row.SinceAt.Time(), FactorMethod: entry.Method(row.FactorMethod), FactorAt: row.FactorAt.Time(),
		PutOff: row.PutOff, Trust: row.Trust, Suspicion: row.Suspicion, Journey: row.Journey, Flag: row.Flag, FlaggedAt: row.FlaggedAt.Time(), Diagnostic: row.Diagnostic,
	}
}
