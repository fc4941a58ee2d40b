package trace

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Filter narrows the trace. Its zero value is everything.
type Filter struct {
	Service     string
	Login       string
	Person      campus.PersonID
	From, Until time.Time // zero: no bound
}

// Way is one answer from both sides.
type Way struct {
	Protocol registry.Protocol
	State    answer.State
	Service  string
	Address  string
	Login    string
	IssuedAt time.Time
	EndsAt   time.Time // until when the service could come for it
	UsedAt   time.Time // zero: it never did
	Peer     string    // network address that came
}

// where is the condition of a filter and its arguments.
func (f Filter) where() (string, []any) {
	var parts []string
	var args []any
	also := func(condition string, value any) {
		args = append(args, value)
		parts = append(parts, fmt.Sprintf(condition, len(args)))
	}
	if f.Service != "" {
		also("service_id = $%d", f.Service)
	}
	if f.Login != "" {
		also("login = $%d", f.Login)
	}
	if f.Person != "" {
		also("person = $%d", string(f.Person))
	}
	if !f.From.IsZero() {
		also("issued_at >= $%d", int64(db.At(f.From)))
	}
	if !f.Until.IsZero() {
		also("issued_at <= $%d", int64(db.At(f.Until)))
	}
	if len(parts) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(parts, " AND "), args
}

// mostCounted bounds the count: nobody reads further.
const mostCounted = 1000

// count is how many ways a filter lets through, at most mostCounted.
func (x *Trace) count(ctx context.Context, f Filter) (n int, err error) {
	where, args := f.where()
	query := fmt.Sprintf("SELECT COUNT(*) FROM (SELECT 1 FROM sso_answers%s LIMIT %d) counted", where, mostCounted)
	if err := x.DB.Read().QueryRowContext(ctx, query, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count ways: %w", err)
	}
	return n, nil
}

// list reads ways, the newest first.
func (x *Trace) list(ctx context.Context, f Filter, size, skip int) ([]Way, error) {
	where, args := f.where()
	query := fmt.Sprintf("SELECT protocol, state, service_id, address, login, issued_at, expires_at, used_at, peer FROM sso_answers%s ORDER BY issued_at DESC, id LIMIT $%d OFFSET $%d",
		where, len(args)+1, len(args)+2)
	rows, err := x.DB.Read().QueryContext(ctx, query, append(args, size, skip)...)
	if err != nil {
		return nil, fmt.Errorf("list ways: %w", err)
	}
	defer rows.Close()
	var all []Way
	for rows.Next() {
		var w Way
		var issued, ends, used db.Time
		if err := rows.Scan(&w.Protocol, &w.State, &w.Service, &w.Address, &w.Login, &issued, &ends, &used, &w.Peer); err != nil {
			return nil, fmt.Errorf("list ways: %w", err)
		}
		w.IssuedAt, w.EndsAt, w.UsedAt = issued.Time(), ends.Time(), used.Time()
		all = append(all, w)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list ways: %w", err)
	}
	return all, nil
}
