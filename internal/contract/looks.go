package contract

import (
	"context"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Looks keeps who opened whose file: the person reads on their own page that it
// happened, and why. The privacy room implements it.
type Looks interface {
	// Looked notes one look. The looks of one agent at one page of one person are
	// one line a day, so that reloading costs nothing. A look at oneself is none.
	Looked(context.Context, Look) error
}

// Look is an agent opening somebody's file.
type Look struct {
	By    campus.PersonID
	About campus.PersonID
	// As is the right that let the agent in: the person reads which office it was.
	As campus.Right
	// What is the key of a sentence that names the page, such as
	// "identity.lifecycle.look"; Why a reason that the agent gave, or a reference such
	// as the code of an incident. Both are shown to the person.
	What, Why string
}

// NoLooks notes nothing: for rooms that stand alone in a test.
type NoLooks struct{}

// Looked implements Looks.
func (NoLooks) Looked(context.Context, Look) error { return nil }
