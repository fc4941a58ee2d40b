package register

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

var _ contract.PersonalData = (*Engine)(nil)

// Holdings declares what the register of sources keeps about people.
func (e *Engine) Holdings(ctx context.Context) []contract.Holding {
	held := func(table, key string, pairs ...any) contract.Holding {
		return contract.Held(ctx, table, "directory.register.holding."+key, pairs...)
	}
	work := []contract.Data{contract.DataIdentity, contract.DataContact, contract.DataStudies, contract.DataWork}
	return []contract.Holding{
		held("directory_records", "record").On(contract.PublicTask, work...).Erased(contract.Delete("person_id")),
		held("directory_aliases", "alias").On(contract.PublicTask, contract.DataIdentity).
			Erased(contract.Delete("person_id")),
		held("directory_runs", "run", "duration", e.config.KeepRuns).On(contract.PublicTask, contract.DataDecisions).Of(contract.PeopleAgents).
			Erased(contract.Clear("asked_by"), contract.Clear("released_by")),
		held("directory_changes", "change", "duration", e.config.KeepRuns).On(contract.PublicTask, work...).
			Erased(contract.Delete("person_id"), contract.Delete("people").Marked(contract.Mentions)),
		held("directory_conflicts", "conflict").On(contract.PublicTask, work...).
			Erased(contract.Delete("people").Marked(contract.Mentions), contract.Clear("decided_by")),
		held("directory_verdicts", "verdict").On(contract.PublicTask, contract.DataDecisions).
			Erased(contract.Delete("person_id"), contract.Clear("decided_by")),
		held("directory_pins", "pin").On(contract.PublicTask, contract.DataDecisions).
			Erased(contract.Delete("person_id"), contract.Clear("pinned_by")),
		held("directory_passes", "grant").On(contract.PublicTask, contract.DataDecisions).Of(contract.PeopleAgents).
			Erased(contract.Clear("granted_by")),
		held("directory_names", "given").On(contract.PublicTask, contract.DataIdentity).
			Erased(contract.Keep("person_id", t(ctx, "holding.given.kept"))),
	}
}

// exports are what an export takes from each table.
var exports = []struct{ file, query string }{
	{"records.json", "SELECT source, said, since, place, first_at, changed_at, gone_at FROM directory_records WHERE person_id = $1 ORDER BY source, source_key"},
	{"names-at-the-sources.json", "SELECT source, name FROM directory_aliases WHERE person_id = $1 ORDER BY source, name"},
	{"readings-asked-for.json", "SELECT source, state, started_at, asked_by, released_by FROM directory_runs WHERE asked_by = $1 OR released_by = $1 ORDER BY started_at"},
	{"changes.json", "SELECT run_id, kind, state, name, detail, reason FROM directory_changes WHERE person_id = $1 ORDER BY run_id, seq"},
	{"questions.json", "SELECT source, kind, name, said, opened_at, closed_at, decision FROM directory_conflicts WHERE people LIKE '%' || CAST($1 AS TEXT) || '%' OR decided_by = $1 ORDER BY opened_at"},
	{"decisions.json", "SELECT source, source_key, verdict, decided_at FROM directory_verdicts WHERE person_id = $1 OR decided_by = $1 ORDER BY decided_at"},
	{"fields-by-decision.json", "SELECT field, source, pinned_at FROM directory_pins WHERE person_id = $1 OR pinned_by = $1 ORDER BY pinned_at"},
	{"budgets-lifted.json", "SELECT source, budget, granted_at, until_at FROM directory_passes WHERE granted_by = $1 ORDER BY granted_at"},
	{"identifiers-given.json", "SELECT kind, name, given_at FROM directory_names WHERE person_id = $1 ORDER BY given_at"},
}

// Export writes what the sources say of one person, and what was decided about it.
func (e *Engine) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	for _, x := range exports {
		list, err := Rows(ctx, e.DB.Read(), x.query, string(who))
		if err != nil {
			return fmt.Errorf("export %s: %w", x.file, err)
		}
		if err := a.JSON(x.file, list); err != nil {
			return err
		}
	}
	return nil
}

// Rows reads whatever a query finds, by column: for exports, which say what stands
// there.
func Rows(ctx context.Context, q db.Querier, query string, args ...any) ([]map[string]any, error) {
	list := []map[string]any{}
	err := db.Each(ctx, q, query, args, func(rows *sql.Rows) error {
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		cells := make([]any, len(columns))
		for i := range cells {
			cells[i] = new(any)
		}
		if err := rows.Scan(cells...); err != nil {
			return err
		}
		row := map[string]any{}
		for i, name := range columns {
			value := *cells[i].(*any)
			if text, ok := value.([]byte); ok {
				value = string(text)
			}
			row[name] = value
		}
		list = append(list, row)
		return nil
	})
	return list, err
}
