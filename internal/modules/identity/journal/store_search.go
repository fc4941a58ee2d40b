package journal

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// filter chooses events, newest first. Its zero value chooses all.
type filter struct {
	Person       campus.PersonID
	Kinds        []string
	Since, Until time.Time // from Since on, before Until; zero for any
	Before       int64     // numbers below this one; 0 for any
}

// search returns the events that a filter chooses.
func (j *Journal) search(ctx context.Context, f filter, limit int) ([]Entry, error) {
	var where []string
	var args []any
	add := func(condition string, value any) {
		args = append(args, value)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if f.Person != "" {
		add("person_id = $%d", string(f.Person))
	}
	if !f.Since.IsZero() {
		add("at >= $%d", db.At(f.Since))
	}
	if !f.Until.IsZero() {
		add("at < $%d", db.At(f.Until))
	}
	if f.Before > 0 {
		add("seq < $%d", f.Before)
	}
	if len(f.Kinds) > 0 {
		where = append(where, "kind IN "+db.In(len(f.Kinds), len(args)+1))
		for _, k := range f.Kinds {
			args = append(args, k)
		}
	}
	query := "SELECT seq, at, person_id, actor_id, kind, address, agent, facts, previous, hash FROM identity_journal"
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	args = append(args, limit)
	query += fmt.Sprintf(" ORDER BY seq DESC LIMIT $%d", len(args))
	rows, err := j.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("search the journal: %w", err)
	}
	defer rows.Close()
	var found []sqlgen.IdentityJournal
	for rows.Next() {
		var r sqlgen.IdentityJournal
		if err := rows.Scan(&r.Seq, &r.At, &r.PersonID, &r.ActorID, &r.Kind, &r.Address, &r.Agent, &r.Facts, &r.Previous, &r.Hash); err != nil {
			return nil, fmt.Errorf("search the journal: %w", err)
		}
		found = append(found, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("search the journal: %w", err)
	}
	return entries(found)
}
