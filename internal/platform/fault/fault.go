// Package fault is the one way to fail: a reason with a stable code, facts for
// its sentence, and the cause for the log.
//
// A room declares its reasons once, at load time, and returns them from
// anywhere below its pages. What a person reads stands in the room's locales
// under the same code, so no layer in between has to find words.
package fault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Kind groups reasons by what the answer and the log should be.
type Kind int

// The kinds of failure, with the HTTP status that each gets (RFC 9110).
const (
	Malformed       Kind = http.StatusBadRequest
	Unauthenticated Kind = http.StatusUnauthorized
	Forbidden       Kind = http.StatusForbidden
	NotFound        Kind = http.StatusNotFound
	Conflict        Kind = http.StatusConflict
	Gone            Kind = http.StatusGone
	TooLarge        Kind = http.StatusRequestEntityTooLarge
	Invalid         Kind = http.StatusUnprocessableEntity
	Busy            Kind = http.StatusTooManyRequests
	Broken          Kind = http.StatusInternalServerError
	Upstream        Kind = http.StatusBadGateway
	Unavailable     Kind = http.StatusServiceUnavailable
)

// Status is the HTTP status of an answer of this kind.
func (k Kind) Status() int { return int(k) }

// Level is how loudly the log says it: what the house did wrong is an error,
// what somebody typed wrong is not.
func (k Kind) Level() slog.Level {
	switch k {
	case Broken:
		return slog.LevelError
	case Upstream, Unavailable:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

// Args are the facts that a sentence needs. Values are strings, numbers,
// time.Time or time.Duration; they are worded for the reader's language and
// time zone when the sentence is made.
type Args map[string]any

// Private is a fact about a person, such as their name: it is said to the reader
// and never to the log.
type Private string

// Reason is a declared failure. It is an error by itself when its sentence
// needs no facts.
type Reason struct {
	kind Kind
	code string
	to   string
}

var (
	mu       sync.Mutex
	declared = map[string]*Reason{}
)

// Declare adds a reason to the house's list. The code is "<room>.<reason>", in
// lower case. Call it from a package variable; a code declared twice or
// misspelt stops the program, because it is a mistake in the source.
func Declare(kind Kind, code string) *Reason {
	room, rest, ok := strings.Cut(code, ".")
	if !ok || room == "" || rest == "" || strings.ToLower(code) != code {
		panic("fault: the code " + code + " is not of the form room.reason")
	}
	mu.Lock()
	defer mu.Unlock()
	if declared[code] != nil {
		panic("fault: the code " + code + " is declared twice")
	}
	r := &Reason{kind: kind, code: code}
	declared[code] = r
	return r
}

// All returns every declared reason, ordered by code.
func All() []*Reason {
	mu.Lock()
	defer mu.Unlock()
	all := make([]*Reason, 0, len(declared))
	for _, r := range declared {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *Reason) int { return strings.Compare(a.code, b.code) })
	return all
}

// Leads names the local address of the one button that mends this. Its label is
// the reason's "action" in the locales. Chain it to [Declare].
func (r *Reason) Leads(to string) *Reason {
	r.to = to
	return r
}

// To is the address given to [Reason.Leads], or "".
func (r *Reason) To() string { return r.to }

// Code is the stable name that people quote and the help desk looks up.
func (r *Reason) Code() string { return r.code }

// Kind decides the HTTP status and the level of the log line.
func (r *Reason) Kind() Kind { return r.kind }

// Error makes a reason an error.
func (r *Reason) Error() string { return r.code }

// With returns the failure with the facts of this case.
func (r *Reason) With(args Args) error { return &Fault{Reason: r, Args: args} }

// From returns the failure and keeps its cause for the log. People never see
// the cause.
func (r *Reason) From(cause error) error { return &Fault{Reason: r, Cause: cause} }

// Because is With and From together.
func (r *Reason) Because(cause error, args Args) error {
	return &Fault{Reason: r, Args: args, Cause: cause}
}

// Fault is one occurrence of a reason.
type Fault struct {
	Reason *Reason
	Args   Args
	Cause  error
}

// Error is for logs: the code, the facts that are not private, the cause.
func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.Reason.code)
	for _, k := range slices.Sorted(keys(f.Args)) {
		value := f.Args[k]
		if _, private := value.(Private); private {
			value = "…"
		}
		fmt.Fprintf(&b, " %s=%v", k, value)
	}
	if f.Cause != nil {
		b.WriteString(": " + f.Cause.Error())
	}
	return b.String()
}

func keys(m Args) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// Unwrap gives the cause to errors.Is and errors.As.
func (f *Fault) Unwrap() error { return f.Cause }

// Is lets errors.Is(err, SomeReason) see through to the reason.
func (f *Fault) Is(target error) bool {
	r, ok := target.(*Reason)
	return ok && r == f.Reason
}

// The failures that any page can meet.
var (
	// Unexpected stands for every error that nobody gave a reason to.
	Unexpected = Declare(Broken, "platform.unexpected")
	// TimedOut: the work took longer than the house allows.
	TimedOut = Declare(Unavailable, "platform.timed_out")
	// Cancelled: the other side went away before the answer was ready.
	Cancelled = Declare(Malformed, "platform.cancelled")
)

// Of returns err as a Fault: the outermost one in its chain, or Unexpected with
// err as the cause.
func Of(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	var r *Reason
	if errors.As(err, &r) {
		return &Fault{Reason: r}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &Fault{Reason: TimedOut, Cause: err}
	case errors.Is(err, context.Canceled):
		return &Fault{Reason: Cancelled, Cause: err}
	}
	return &Fault{Reason: Unexpected, Cause: err}
}
