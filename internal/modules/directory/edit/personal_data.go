package edit

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/byhand"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
)

// Holdings declares what is kept of people by hand, and of those who entered it.
func (d *Desk) Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "directory_by_hand", "directory.holding.hand").On(contract.PublicTask, contract.DataContact, contract.DataWork).
			Erased(contract.Delete("subject"), contract.Delete("value").Marked(contract.Mentions), contract.Clear("entered_by")),
		contract.Held(ctx, "directory_edits", "directory.holding.edit", "duration", byhand.Kept).On(contract.PublicTask, contract.DataContact, contract.DataWork, contract.DataDecisions).
			Erased(contract.Delete("subject"), contract.Delete("was").Marked(contract.Mentions), contract.Delete("becomes").Marked(contract.Mentions),
				contract.Clear("edited_by"), contract.Clear("undone_by")),
	}
}

// exports are what an export takes from each table.
var exports = []struct{ file, query string }{
	{"entered-by-hand.json", "SELECT kind, subject, part, value, entered_at FROM directory_by_hand WHERE subject = $1 OR value = $1 OR entered_by = $1 ORDER BY subject, part"},
	{"edits.json", "SELECT kind, subject, part, shown, becomes, edited_at, undone_at FROM directory_edits WHERE subject = $1 OR becomes = $1 OR edited_by = $1 OR undone_by = $1 ORDER BY edited_at"},
}

// Export writes what was entered about one person, and what they entered.
func (d *Desk) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	for _, x := range exports {
		list, err := register.Rows(ctx, d.DB.Read(), x.query, string(who))
		if err != nil {
			return fmt.Errorf("export %s: %w", x.file, err)
		}
		if err := a.JSON(x.file, list); err != nil {
			return err
		}
	}
	return nil
}
