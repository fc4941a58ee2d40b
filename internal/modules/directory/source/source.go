// Package source holds the words of a source of people: what one of its entries is,
// how it is read, and what an institution says about it in the configuration.
package source

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Kind is what a record describes.
type Kind string

// The kinds of records.
const (
	Person Kind = "person"
	Group  Kind = "group"
	Unit   Kind = "unit" // a component, a department, a service of the institution
)

// Kinds lists every kind, in the order in which a source hands them over: what others
// refer to comes first.
var Kinds = []Kind{Unit, Person, Group}

// Record is one entry as its source has it.
type Record struct {
	Kind Kind
	// Key names the entry in its source for ever: entryUUID, objectGUID, the column of
	// a file, the identifier that was pushed.
	Key string
	// Names are what other records of the source call this one, such as its DN, in the
	// form of [Name]. They can change.
	Names []string
	// Values are raw, by attribute name in lower case. A binary value is its bytes.
	Values map[string][]string
	// Gone says that the source has it no longer; Values are empty then.
	Gone bool
	// Unchanged says that the source still has it, as it was at the last reading;
	// Values are empty then.
	Unchanged bool
	// Partial says that an attribute that Values do not name is as it was, and not
	// empty: somebody pushed a part.
	Partial bool
	// Where is what a report calls it: a DN, a line of a file.
	Where string
}

// First is the first value of an attribute, or "".
func (r Record) First(attribute string) string {
	if v := r.Values[strings.ToLower(attribute)]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Reader reads one source. It is used by one run at a time.
type Reader interface {
	// ID is the source's name in the configuration.
	ID() string
	// Read hands over the records of the source: all of them when since is empty, and
	// what changed when it is the Cursor of an earlier Result, where the source can tell.
	// A record that cannot be understood is refused in the Result and ends nothing.
	//
	// Read ends with the error of each. When the source breaks off, the Result says how
	// far it came, and [Result.All] holds of no kind.
	Read(ctx context.Context, since string, each func(Record) error) (Result, error)
}

// Result is how a reading went.
type Result struct {
	// Cursor is where the next reading begins; empty when the source cannot tell
	// what changed.
	Cursor string
	// Complete are the kinds of which everything that the source has was handed over,
	// so that what was neither handed over nor refused is gone.
	Complete []Kind
	Count    map[Kind]int // of records handed over
	Refused  []Refusal
	// Remarks are what an administrator should know, such as that the source could
	// not tell what changed and everything was read.
	Remarks []error
}

// All reports whether everything of a kind was handed over.
func (r Result) All(k Kind) bool { return slices.Contains(r.Complete, k) }

// Refusal is something of a source that is not taken, and why.
type Refusal struct {
	Kind  Kind
	Key   string // empty when not even that could be read
	Where string
	// Field is the part of the entry that is not taken; empty for all of it. What was
	// known of that part before stays.
	Field string
	Err   error // a fault, whose sentence names the reason
}

// Whole reports whether the record as such is refused.
func (r Refusal) Whole() bool { return r.Field == "" }

// Error is for logs.
func (r Refusal) Error() string { return fmt.Sprintf("%s: %s: %v", r.Where, r.Field, r.Err) }

// Unwrap gives the reason to errors.Is.
func (r Refusal) Unwrap() error { return r.Err }

// Code is the reason's stable name.
func (r Refusal) Code() string { return fault.Of(r.Err).Reason.Code() }

// Name is the one form of a name by which records of a source refer to each other:
// a DN without its optional spaces (RFC 4514), in lower case.
func Name(raw string) string {
	if !strings.ContainsRune(raw, '=') {
		return strings.ToLower(strings.TrimSpace(raw))
	}
	return canonicalDN(raw)
}
