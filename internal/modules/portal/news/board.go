package news

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/db"
)

// board keeps the headlines in memory. A home page then costs no query for its
// news, and an institution has few enough of them: what is online or will be,
// without the texts.
type board struct {
	mu     sync.Mutex
	lines  []Headline
	until  time.Time // when to look again
	loaded bool
}

const (
	// boardFor is the longest that another server's change takes to be seen here;
	// our own is seen at once.
	boardFor = 5 * time.Second
	// boardSize bounds the memory that news may take.
	boardSize = 1000
)

// read returns the headlines, newest first. When the database does not answer
// but older headlines are at hand, those serve.
func (b *board) read(ctx context.Context, d *Desk) ([]Headline, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := d.Clock.Now()
	if b.loaded && now.Before(b.until) {
		return b.lines, nil
	}
	lines, err := headlines(ctx, d.DB.Read(), db.At(now), boardSize)
	if err == nil && d.Elsewhere != nil {
		var others []Headline
		if others, err = d.Elsewhere.Headlines(ctx, d.DB.Read()); err == nil {
			lines = append(lines, others...)
		}
	}
	if err != nil {
		if b.loaded && ctx.Err() == nil {
			d.Log.WarnContext(ctx, "news is not fresh", "error", err)
			return b.lines, nil
		}
		return nil, err
	}
	slices.SortStableFunc(lines, func(x, y Headline) int { return cmp.Compare(y.PublishAt, x.PublishAt) })
	b.lines, b.until, b.loaded = lines, now.Add(boardFor), true
	return lines, nil
}

// forget makes the next reader look again.
func (b *board) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.until = time.Time{}
}

// Forget makes the next reader look at the database, for what changes news from
// outside this package.
func (d *Desk) Forget() { d.board.forget() }
