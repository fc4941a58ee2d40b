package kept

// Doubt makes a shelf look at the tables, as it does after a while.
func Doubt[T any](s *Shelf[T]) { s.forget() }
