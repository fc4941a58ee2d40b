package contract

// HeldBack is somebody, signed in, who waits at the door of a service because of their
// account there. It goes into the story of their sign-in, which the help desk opens
// under its incident code.
type HeldBack struct {
	Service string // stable identifier in the register of services
	Name    string // in the reader's language
	// Reason is the code of why; empty once nothing holds them back any more.
	Reason string
	// Facts say how the account stands, none of it private: state, since, ready, code
	// and rule.
	Facts map[string]string
}
