package erasure

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// batch is how many rows one transaction touches.
const batch = 300

// errUnclear is a declaration that cannot be followed.
var errUnclear = errors.New("a cleared column must name the person itself")

// found is the condition that finds a trace's rows, with $1 for the mark; ok is
// false when the person has no such mark.
func found(t contract.Trace, who contract.Traced) (condition string, mark any, ok bool) {
	sign, compare := string(who.ID), " = $1"
	switch t.By {
	case contract.ByLogin:
		sign = who.Login
	case contract.ByMail:
		sign = who.Mail
	case contract.Mentions:
		compare = " LIKE $1"
	}
	if sign == "" {
		return "", nil, false
	}
	if t.By == contract.Mentions {
		sign = "%" + sign + "%" // an identifier has no wildcards of LIKE
	}
	condition = t.Column + compare
	if t.Parent != "" {
		condition = t.Column + " IN (SELECT " + t.Key + " FROM " + t.Parent + " WHERE " + t.ParentColumn + compare + ")"
	}
	if t.Where != "" {
		condition = "(" + condition + ") AND (" + t.Where + ")"
	}
	return condition, sign, true
}

// count says how many rows a trace finds.
func count(ctx context.Context, q db.Querier, table string, t contract.Trace, who contract.Traced) (n int64, err error) {
	condition, mark, ok := found(t, who)
	if !ok {
		return 0, nil
	}
	if err := q.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table+" WHERE "+condition, mark).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the traces in %s.%s: %w", table, t.Column, err)
	}
	return n, nil
}

// erase does what the trace says with at most a batch of rows, and returns how many
// there were; fewer than a batch were the last.
func erase(ctx context.Context, tx db.Tx, table string, t contract.Trace, who contract.Traced) (int64, error) {
	condition, mark, ok := found(t, who)
	if !ok {
		return 0, nil
	}
	row := "rowid"
	if tx.Dialect() == db.Postgres {
		row = "ctid"
	}
	some := fmt.Sprintf(" WHERE %s IN (SELECT %s FROM %s WHERE %s LIMIT %d)", row, row, table, condition, batch)
	statement, args := "DELETE FROM "+table+some, []any{mark}
	if t.Fate == contract.Cleared {
		if t.Parent != "" || t.By == contract.Mentions {
			return 0, fmt.Errorf("clear %s.%s: %w", table, t.Column, errUnclear)
		}
		set := []string{t.Column + " = ''"}
		for _, column := range slices.Sorted(maps.Keys(t.Set)) {
			args = append(args, t.Set[column])
			set = append(set, column+" = $"+strconv.Itoa(len(args)))
		}
		statement = "UPDATE " + table + " SET " + strings.Join(set, ", ") + some
	}
	done, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, fmt.Errorf("erase in %s.%s: %w", table, t.Column, err)
	}
	return done.RowsAffected()
}
