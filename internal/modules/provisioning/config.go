package provisioning

// Config is what an institution can say about the room.
type Config struct{}

// Defaults are what holds when the file does not say.
func Defaults() Config { return Config{} }
