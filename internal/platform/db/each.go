package db

import (
	"context"
	"database/sql"
)

// Each runs a query and hands over its rows, one after the other, for do to scan. It
// ends at the first error; while it runs, do must not ask the same transaction
// anything else.
func Each(ctx context.Context, q Querier, query string, args []any, do func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
