package source

import (
	"context"
	"time"
)

// Prober is a reader that can be tried without reading everything.
type Prober interface {
	// Probe walks to the source and shows each step, up to the first that fails.
	Probe(ctx context.Context) []Step
}

// Step is one step of a try. Its texts are for an administrator, in the words of the
// protocol.
type Step struct {
	Name   string // connect, bind, changes, or a kind of record
	OK     bool
	Detail string
	Ends   time.Time // when the certificate seen ends; zero without one
	// Sample is a record of the source, when the step read one.
	Sample *Record
}
