package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Filter chooses lines of one target; its zero value but for the target is all of
// them.
type Filter struct {
	Target string
	State  contract.AccountState
	Reason string // code
	Words  string // of the name or login
	// Limit is the length of a page; Offset skips pages.
	Limit, Offset int
}

// where is the condition of a filter. Words are looked for anywhere in the name:
// the index finds the target and the state.
func (f Filter) where() (string, []any) {
	text, args := " WHERE target_id = $1", []any{f.Target}
	add := func(condition string, value any) {
		args = append(args, value)
		text += fmt.Sprintf(" AND "+condition, len(args))
	}
	if f.State != "" {
		add("state = $%d", string(f.State))
	}
	if f.Reason != "" {
		add("reason = $%d", f.Reason)
	}
	for word := range strings.FieldsSeq(campus.Fold(f.Words)) {
		add("folded LIKE $%d", "%"+word+"%") // folding left no sign of LIKE
	}
	return text, args
}

const columns = `target_id, person, login, name, folded, state, since_at, verdict, todo, todo_order, due_at, attempts, reason, detail, other, settles_at, remote_id, sent, wanted, exchanged_at, version, found_id, adopt_id`

// List is a page of lines, by name.
func (l *Ledger) List(ctx context.Context, f Filter) ([]Account, error) {
	where, args := f.where()
	args = append(args, f.Limit, f.Offset)
	query := fmt.Sprintf("SELECT %s FROM provisioning_accounts%s ORDER BY folded, person LIMIT $%d OFFSET $%d", columns, where, len(args)-1, len(args))
	rows, err := l.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list accounts of %s: %w", f.Target, err)
	}
	defer rows.Close()
	var list []Account
	for rows.Next() {
		var a sqlgen.ProvisioningAccount
		if err := rows.Scan(&a.TargetID, &a.Person, &a.Login, &a.Name, &a.Folded, &a.State, &a.SinceAt, &a.Verdict, &a.Todo, &a.TodoOrder, &a.DueAt,
			&a.Attempts, &a.Reason, &a.Detail, &a.Other, &a.SettlesAt, &a.RemoteID, &a.Sent, &a.Wanted, &a.ExchangedAt, &a.Version, &a.FoundID, &a.AdoptID); err != nil {
			return nil, fmt.Errorf("list accounts of %s: %w", f.Target, err)
		}
		list = append(list, Account{a})
	}
	return list, rows.Err()
}

// Count is how many lines a filter chooses, pages aside.
func (l *Ledger) Count(ctx context.Context, f Filter) (int64, error) {
	where, args := f.where()
	var n int64
	if err := l.db.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM provisioning_accounts"+where, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count accounts of %s: %w", f.Target, err)
	}
	return n, nil
}

// hurryAtOnce is how many lines one transaction of [Ledger.HurryAll] changes.
const hurryAtOnce = 200

// HurryAll puts the lines that a filter chooses in front of the queue and returns
// how many there was something to do about.
func (l *Ledger) HurryAll(ctx context.Context, f Filter) (hurried int, err error) {
	chosen, err := l.people(ctx, f) // at once: who is hurried may leave the filter
	if err != nil {
		return 0, err
	}
	for some := range slices.Chunk(chosen, hurryAtOnce) {
		var n int
		err := l.db.InTx(ctx, func(tx db.Tx) error {
			n = 0
			for _, who := range some {
				ok, err := l.Hurry(ctx, tx, f.Target, who)
				if err != nil {
					return err
				}
				if ok {
					n++
				}
			}
			return nil
		})
		if err != nil {
			return hurried, fmt.Errorf("try accounts of %s again: %w", f.Target, err)
		}
		hurried += n
	}
	return hurried, nil
}

// Hurry puts one line in front of the queue; false when there is nothing to do
// about it.
func (l *Ledger) Hurry(ctx context.Context, tx db.Tx, target string, who campus.PersonID) (bool, error) {
	a, ok, err := l.Of(ctx, tx, target, who)
	if err != nil || !ok || !a.Hurry(tx.Now()) {
		return false, err
	}
	return true, l.Put(ctx, tx, a)
}

// people are those whom a filter chooses, pages aside.
func (l *Ledger) people(ctx context.Context, f Filter) ([]campus.PersonID, error) {
	where, args := f.where()
	rows, err := l.db.Read().QueryContext(ctx, "SELECT person FROM provisioning_accounts"+where+" ORDER BY person", args...)
	if err != nil {
		return nil, fmt.Errorf("choose accounts of %s: %w", f.Target, err)
	}
	defer rows.Close()
	var people []campus.PersonID
	for rows.Next() {
		var who string
		if err := rows.Scan(&who); err != nil {
			return nil, fmt.Errorf("choose accounts of %s: %w", f.Target, err)
		}
		people = append(people, campus.PersonID(who))
	}
	return people, rows.Err()
}
