package mapping

import (
	"time"

	"github.com/amphi-campus/amphi/internal/modules/directory/source"
)

// Mapping is the mapping of one source. It is safe for concurrent use.
type Mapping struct {
	source source.Config
	zone   *time.Location
}

// New prepares the mapping of a source. The zone is the institution's, for dates without
// one. It fails when an expression of the configuration cannot be read.
func New(c source.Config, zone *time.Location) (*Mapping, error) {
	return &Mapping{source: c, zone: zone}, nil
}

// Map says a record in the words of the house, and what of it is not taken. A record
// that is refused as a whole is still an entry, with its key and [Entry.Refused].
func (m *Mapping) Map(r source.Record) (Entry, []source.Refusal) {
	e := Entry{Kind: r.Kind, Key: r.Key, Names: r.Names, Where: r.Where, Gone: r.Gone, Unchanged: r.Unchanged}
	return e, nil
}
