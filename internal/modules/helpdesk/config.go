package helpdesk

// Config is what an institution can say about the room. Queues, rules and opening
// hours are not here: those who run the desk keep them on its pages.
type Config struct{}

// Defaults are what holds when the file does not say.
func Defaults() Config { return Config{} }
