package year

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
)

var _ contract.PersonalData = (*Years)(nil)

// Holdings declares what changes of year keep about people.
func (y *Years) Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "directory_years", "directory.year.holding.change").On(contract.PublicTask, contract.DataDecisions).Of(contract.PeopleAgents).
			Erased(contract.Clear("made_by"), contract.Clear("applied_by"), contract.Clear("undone_by")),
		contract.Held(ctx, "directory_year_people", "directory.year.holding.line").On(contract.PublicTask, contract.DataStudies).Of(contract.PeopleStudents).
			Erased(contract.Delete("person_id")),
	}
}

// Export writes what changes of year did with one person.
func (y *Years) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	for file, query := range map[string]string{
		"years.json":          "SELECT year_id, kind, state, name, was, becomes FROM directory_year_people WHERE person_id = $1 ORDER BY year_id",
		"years-prepared.json": "SELECT name, state, made_at FROM directory_years WHERE made_by = $1 OR applied_by = $1 OR undone_by = $1 ORDER BY made_at",
	} {
		list, err := register.Rows(ctx, y.DB.Read(), query, string(who))
		if err != nil {
			return fmt.Errorf("export %s: %w", file, err)
		}
		if err := a.JSON(file, list); err != nil {
			return err
		}
	}
	return nil
}
