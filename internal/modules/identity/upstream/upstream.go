// Package upstream lets people in whom another system vouches for: an identity
// provider to which browsers are sent, or a directory that checks passwords. It
// owns the journeys, the links between accounts there and here, and what is said
// when something there stops somebody; the protocols live in packages below.
package upstream
