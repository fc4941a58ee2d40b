package db

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// mostStatements bounds the cached statements. A house has a few hundred query
// texts; filters built at run time beyond the bound run unprepared instead of
// pushing the others out.
const mostStatements = 1000

// pooledStatements runs queries on a pool, each text prepared once. Without it
// SQLite spends almost half of its time parsing.
type pooledStatements struct {
	pool *sql.DB
	mu   sync.RWMutex
	byQ  map[string]*sql.Stmt
}

func newPooledStatements(pool *sql.DB) *pooledStatements {
	return &pooledStatements{pool: pool, byQ: make(map[string]*sql.Stmt)}
}

// statement is the prepared form of query, or nil when the cache is full.
func (p *pooledStatements) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	p.mu.RLock()
	s, full := p.byQ[query], len(p.byQ) >= mostStatements
	p.mu.RUnlock()
	if s != nil || full {
		return s, nil
	}
	s, err := p.pool.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.byQ[query]; other != nil {
		// Somebody prepared the same text meanwhile; theirs is in use already.
		return other, s.Close()
	}
	p.byQ[query] = s
	return s, nil
}

func (p *pooledStatements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := p.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return p.pool.ExecContext(ctx, query, args...)
	}
	return s.ExecContext(ctx, args...)
}

func (p *pooledStatements) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return p.pool.PrepareContext(ctx, query)
}

func (p *pooledStatements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := p.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return p.pool.QueryContext(ctx, query, args...)
	}
	return s.QueryContext(ctx, args...)
}

func (p *pooledStatements) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := p.statement(ctx, query)
	if err != nil {
		return failedRow(p.pool, err)
	}
	if s == nil {
		return p.pool.QueryRowContext(ctx, query, args...)
	}
	return s.QueryRowContext(ctx, args...)
}

func (p *pooledStatements) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, s := range p.byQ {
		errs = append(errs, s.Close())
	}
	clear(p.byQ)
	return errors.Join(errs...)
}

// snapshot runs queries in one read transaction with the pool's statements.
type snapshot struct {
	tx      *sql.Tx
	queries *pooledStatements
}

func (s snapshot) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return s.tx.ExecContext(ctx, query, args...)
}

func (s snapshot) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return s.tx.PrepareContext(ctx, query)
}

func (s snapshot) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.tx.QueryContext(ctx, query, args...)
}

func (s snapshot) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return s.tx.QueryRowContext(ctx, query, args...)
}

// connStatements is the same for the writer's one connection. Its statements
// are parsed once in the life of the process.
type connStatements struct {
	conn *sql.Conn
	byQ  map[string]*sql.Stmt
}

func newConnStatements(conn *sql.Conn) *connStatements {
	return &connStatements{conn: conn, byQ: make(map[string]*sql.Stmt)}
}

// statement is the prepared form of query, or nil when the cache is full.
func (c *connStatements) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := c.byQ[query]; s != nil || len(c.byQ) >= mostStatements {
		return s, nil
	}
	s, err := c.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	c.byQ[query] = s
	return s, nil
}

func (c *connStatements) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.conn.ExecContext(ctx, query, args...)
	}
	return s.ExecContext(ctx, args...)
}

func (c *connStatements) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.conn.QueryContext(ctx, query, args...)
	}
	return s.QueryContext(ctx, args...)
}

func (c *connStatements) queryRow(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := c.statement(ctx, query)
	if err != nil || s == nil {
		// Unprepared, a text that does not parse gives its error in the row.
		return c.conn.QueryRowContext(ctx, query, args...)
	}
	return s.QueryRowContext(ctx, args...)
}

func (c *connStatements) close() error {
	var errs []error
	for _, s := range c.byQ {
		errs = append(errs, s.Close())
	}
	clear(c.byQ)
	return errors.Join(errs...)
}

// failedRow is a row that scans to err. database/sql gives no way to make one,
// except by asking a pool under a context that has already ended that way.
func failedRow(pool *sql.DB, err error) *sql.Row {
	return pool.QueryRowContext(deadContext{context.Background(), err}, "")
}

// deadContext is a context that ended with a chosen error.
type deadContext struct {
	context.Context
	err error
}

func (d deadContext) Done() <-chan struct{} { return closedChannel }
func (d deadContext) Err() error            { return d.err }

var closedChannel = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
