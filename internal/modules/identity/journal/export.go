package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/journal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// exported is one event with all that its hash is made of; docs/journal.md says
// how to make it again.
type exported struct {
	Seq      int64  `json:"seq"`
	Micros   int64  `json:"at_us"` // microseconds since 1970 in UTC: this is what is hashed
	At       string `json:"at"`
	Person   string `json:"person"`
	Actor    string `json:"actor"`
	Kind     string `json:"kind"`
	Address  string `json:"address"`
	Agent    string `json:"agent"`
	Facts    string `json:"facts"` // JSON in a text, as it is hashed
	Previous string `json:"previous"`
	Hash     string `json:"hash"`
}

// Export writes the events from a number on, one JSON object on each line,
// oldest first, up to the newest of now.
func (j *Journal) Export(ctx context.Context, w io.Writer, from int64) error {
	q := sqlgen.New(j.db.Read())
	head, err := q.Head(ctx)
	if err != nil {
		return fmt.Errorf("read the head of the journal: %w", err)
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for after := from - 1; after < head.Seq; {
		rows, err := q.After(ctx, sqlgen.AfterParams{Seq: after, Limit: page})
		if err != nil {
			return fmt.Errorf("read the journal after event %d: %w", after, err)
		}
		if len(rows) == 0 {
			return nil
		}
		for _, row := range rows {
			if err := out.Encode(exportedOf(row)); err != nil {
				return fmt.Errorf("write event %d: %w", row.Seq, err)
			}
			after = row.Seq
		}
	}
	return nil
}

func exportedOf(row sqlgen.IdentityJournal) exported {
	return exported{
		Seq: row.Seq, Micros: int64(row.At), At: stamp(row.At), Person: row.PersonID, Actor: row.ActorID, Kind: row.Kind,
		Address: row.Address, Agent: row.Agent, Facts: row.Facts, Previous: row.Previous, Hash: row.Hash,
	}
}

func stamp(t db.Time) string { return t.Time().Format(time.RFC3339Nano) }
