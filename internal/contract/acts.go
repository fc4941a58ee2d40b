package contract

import (
	"context"
	"net/http"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Acts is implemented by a room in which an agent can do something for a person
// without leaving the request that the person made: send a reset, push an account.
type Acts interface {
	// Acts lists what the viewer may do for a person now, in the language of the
	// context; none for a viewer without a right.
	Acts(ctx context.Context, v campus.Viewer, who campus.PersonID) ([]Act, error)
	// Do does one of them on behalf of the viewer of the request. The room checks the
	// right again and writes its own journal; choice is the value of one of the act's
	// choices, and why what the agent acts on: the number of a request.
	Do(r *http.Request, who campus.PersonID, act, choice, why string) (Done, error)
}

// Act is one thing to do for a person.
type Act struct {
	ID string // stable: "<room>.<act>"
	// Key is that of three sentences: label, on the button; effect, what will happen,
	// before it is confirmed; done, what happened, kept with the request.
	Key string
	// Choices are asked for before it is done; none for an act without any.
	Choices []Choice
	// URL is the page of the room on which it is done, for what takes several steps;
	// [Acts.Do] is then never called. It returns to the local address in "return".
	URL string
}

// Choice is one answer to what an act asks.
type Choice struct{ Value, Label string }

// Done is what an act did.
type Done struct {
	// Secret is to be read out to the person; it is shown once and kept nowhere.
	Secret string
	// Spelled is the secret as it is read out.
	Spelled string
}

// Seeker finds people by what they are called, in any of the ways in which somebody
// on the telephone says it: name, login, student number. The identity room
// implements it.
type Seeker interface {
	// SeekPeople lists the first people that match, only those whom the viewer may help.
	SeekPeople(ctx context.Context, v campus.Viewer, words string, size int) ([]Known, error)
}
