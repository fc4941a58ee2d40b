package identity

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
)

var (
	_ contract.PersonalData = (*Module)(nil)
	_ contract.Retention    = (*Module)(nil)
)

// DueForErasure lists the closed accounts whose data has been kept long enough.
func (m *Module) DueForErasure(ctx context.Context, now time.Time, after campus.PersonID, size int) ([]contract.Due, error) {
	return m.lifecycle.DueForErasure(ctx, now, after, size)
}

// Watch gives the room the place where people read who opened their file.
func (m *Module) Watch(by contract.Looks) { m.looks = by }

// looked notes that an agent opened somebody's file; a room that stands alone in a
// test notes nothing.
func (m *Module) looked(ctx context.Context, l contract.Look) error {
	if m.looks == nil {
		return nil
	}
	return m.looks.Looked(ctx, l)
}
