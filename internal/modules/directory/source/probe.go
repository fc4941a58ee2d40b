package source

import (
	"context"
	"time"
)

// Prober is a reader that can be tried without reading everything.
type Prober interface {
	// Probe walks to the source and shows each step.
	Probe(ctx context.Context) []Step
}

// Step is one step of a try. Its texts are for an administrator, in the words of the
// protocol.
type Step struct {
	Name   string    // [StepConnect], bind, changes, or a kind of record
	Detail string    // which server, account or place, or what was found
	Err    error     // the reason why it failed; nil when it did not
	Ends   time.Time // when the certificate seen ends; zero without one
	// Sample is a record of the source, when the step read one.
	Sample *Record
}

// StepConnect is the name of the step to each server of a source.
const StepConnect = "connect"

// Blocked reports whether a reading would come no further than these steps: no server
// answers, or anything else failed.
func Blocked(steps []Step) bool {
	servers, down := 0, 0
	for _, s := range steps {
		switch {
		case s.Name == StepConnect:
			servers++
			if s.Err != nil {
				down++
			}
		case s.Err != nil:
			return true
		}
	}
	return servers > 0 && down == servers
}
