package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Elsewhere is what one program outside the house was asked to remove, and how far
// it is.
type Elsewhere struct {
	Room    string                `json:"room"`
	Program string                `json:"program"`
	Name    string                `json:"name"`
	State   contract.RemovalState `json:"state"`
	Reason  string                `json:"reason,omitempty"` // code of what stands in the way
	Since   time.Time             `json:"since"`
}

// Open reports whether the program has not confirmed it.
func (e Elsewhere) Open() bool { return e.State == contract.RemovalAsked }

// followEvery is how often the rooms are asked what programs have confirmed.
const followEvery = 5 * time.Minute

// followAtOnce is how many erasures one look asks about.
const followAtOnce = 500

// elsewhere asks the rooms what became of an erasure outside the house.
func (e *Engine) elsewhere(ctx context.Context, erasure string) ([]Elsewhere, error) {
	words := i18n.With(ctx, e.Texts.For(campus.French)) // the proof keeps names in one language
	var all []Elsewhere
	for _, room := range e.Rooms() {
		remover, ok := room.(contract.Remover)
		if !ok {
			continue
		}
		list, err := remover.Removals(words, erasure)
		if err != nil {
			return nil, fmt.Errorf("ask the room %s what was removed elsewhere: %w", room.Name(), err)
		}
		for _, r := range list {
			all = append(all, Elsewhere{room.Name(), r.Program, r.Name, r.State, r.Reason, r.Since.UTC()})
		}
	}
	return all, nil
}

func putElsewhere(ctx context.Context, q *sqlgen.Queries, erasure string, e Elsewhere) error {
	err := q.PutElsewhere(ctx, sqlgen.PutElsewhereParams{
		ErasureID: erasure, Room: e.Room, Program: e.Program, Title: e.Name, State: string(e.State), Reason: e.Reason, SinceAt: db.At(e.Since),
	})
	if err != nil {
		return fmt.Errorf("note what is removed elsewhere: %w", err)
	}
	return nil
}

// Left are what programs have not confirmed yet, of all erasures, the oldest first.
func (e *Engine) Left(ctx context.Context, most int) (left []Elsewhere, total int, err error) {
	q := sqlgen.New(e.DB.Read())
	n, err := q.CountElsewhere(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("count what is left elsewhere: %w", err)
	}
	rows, err := q.LeftElsewhere(ctx, int32(most))
	return elsewhereOf(rows), int(n), wrapLeft(err)
}

// Elsewhere is how far the programs are that an erasure asked, as last heard.
func (e *Engine) Elsewhere(ctx context.Context, erasure string) ([]Elsewhere, error) {
	rows, err := sqlgen.New(e.DB.Read()).ElsewhereOf(ctx, erasure)
	return elsewhereOf(rows), wrapLeft(err)
}

func wrapLeft(err error) error {
	if err != nil {
		return fmt.Errorf("list what is left elsewhere: %w", err)
	}
	return nil
}

func elsewhereOf(rows []sqlgen.PrivacyElsewhere) []Elsewhere {
	list := make([]Elsewhere, len(rows))
	for i, r := range rows {
		list[i] = Elsewhere{r.Room, r.Program, r.Title, contract.RemovalState(r.State), r.Reason, r.SinceAt.Time()}
	}
	return list
}

// Follow asks what programs have confirmed since, and adds that to the proofs.
func (e *Engine) Follow(ctx context.Context) error {
	open, err := sqlgen.New(e.DB.Read()).OpenElsewhere(ctx, followAtOnce)
	if err != nil {
		return wrapLeft(err)
	}
	var failed []error
	for _, erasure := range open {
		if err := e.followOne(ctx, erasure); err != nil { // the others are followed all the same
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func (e *Engine) followOne(ctx context.Context, erasure string) error {
	now, err := e.elsewhere(ctx, erasure)
	if err != nil {
		return err
	}
	heard := map[string]Elsewhere{}
	for _, n := range now {
		heard[n.Room+"\x00"+n.Program] = n
	}
	return e.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		rows, err := q.ElsewhereOf(ctx, erasure)
		if err != nil {
			return wrapLeft(err)
		}
		var confirmed []Elsewhere
		for _, before := range elsewhereOf(rows) {
			n, ok := heard[before.Room+"\x00"+before.Program]
			if !before.Open() || !ok || n.State == before.State && n.Reason == before.Reason {
				continue
			}
			if err := putElsewhere(ctx, q, erasure, n); err != nil {
				return err
			}
			if !n.Open() {
				confirmed = append(confirmed, n)
			}
		}
		if len(confirmed) == 0 {
			return nil
		}
		first, err := q.ProofOf(ctx, erasure)
		if err != nil {
			return fmt.Errorf("read the proof of erasure %s: %w", erasure, err)
		}
		var facts Facts
		if err := json.Unmarshal([]byte(first.Facts), &facts); err != nil {
			return fmt.Errorf("read the proof of erasure %s: %w", erasure, err)
		}
		facts.Of, facts.Steps, facts.Elsewhere = first.Seq, nil, confirmed
		// A later proof has its own name: the erasure, and the first program in it.
		return e.prove(ctx, tx, erasure+"/"+confirmed[0].Room+"/"+confirmed[0].Program, first.Subject, facts)
	})
}
