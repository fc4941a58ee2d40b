package contract

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// PersonalData is implemented by a room that stores anything about people.
type PersonalData interface {
	// Holdings says what the room stores, why, on which legal basis and how long,
	// in the language of the context.
	Holdings(context.Context) []Holding
	// Export writes what the room holds about one person.
	Export(context.Context, campus.PersonID, *Archive) error
}

// Holding describes one kind of personal data that a room keeps.
type Holding struct {
	Table, What, Why, Basis, Until string
}

// Held describes a table by the sentences what, why, basis and until under a key
// of the locales, in the language of the context. The pairs complete them.
func Held(ctx context.Context, table, key string, pairs ...any) Holding {
	said := func(part string) string { return i18n.T(ctx, key+"."+part, pairs...) }
	return Holding{Table: table, What: said("what"), Why: said("why"), Basis: said("basis"), Until: said("until")}
}

// Archive collects an export: one file of a room at a time.
type Archive struct {
	// Create opens a file of the archive.
	Create func(name string) (io.Writer, error)
}

// JSON adds a file with content as JSON.
func (a *Archive) JSON(name string, content any) error {
	f, err := a.Create(name)
	if err != nil {
		return fmt.Errorf("export %s: %w", name, err)
	}
	if err := json.NewEncoder(f).Encode(content); err != nil {
		return fmt.Errorf("export %s: %w", name, err)
	}
	return nil
}
