package jobs

import "errors"

// GiveUp wraps an error that no further attempt can cure, such as an address
// that does not exist: the job stops at once instead of using up its attempts.
func GiveUp(err error) error { return &hopeless{err} }

type hopeless struct{ error }

func (h *hopeless) Unwrap() error { return h.error }

// GivesUp reports whether an error was wrapped by [GiveUp].
func GivesUp(err error) bool {
	var h *hopeless
	return errors.As(err, &h)
}
