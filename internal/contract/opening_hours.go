package contract

import "context"

// OpeningHours is implemented by a room that knows when desks are open.
type OpeningHours interface {
	// OpeningHours says of each desk whether it is open now, and until when or when it
	// opens next, in the language of the context: a row has its name, that sentence, and
	// its state as a tag. It is for everybody.
	OpeningHours(context.Context) ([]CardRow, error)
}
