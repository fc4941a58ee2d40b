package lifecycle

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// DueForErasure lists the closed accounts whose data was to be kept until now, and
// no longer.
func (l *Lifecycle) DueForErasure(ctx context.Context, now time.Time, after campus.PersonID, size int) ([]contract.Due, error) {
	rows, err := sqlgen.New(l.DB.Read()).DueForErasure(ctx, sqlgen.DueForErasureParams{Now: db.At(now), After: string(after), Size: int32(size)})
	if err != nil {
		return nil, fmt.Errorf("list whose data is due: %w", err)
	}
	list := make([]contract.Due, len(rows))
	for i, row := range rows {
		rule := i18n.T(ctx, "identity.lifecycle.due.by_decision")
		if row.Rule != "" {
			rule = l.config.ruleWords(ctx, row.Rule)
		}
		list[i] = contract.Due{Person: campus.PersonID(row.ID), Since: db.Time(row.Due).Time(), Rule: rule}
	}
	return list, nil
}
