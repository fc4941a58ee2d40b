// Package id makes identifiers and secrets.
package id

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
)

// New returns a UUIDv7 in text form: unique, and ordered by time, which keeps
// the indexes of both databases compact.
func New() string { return uuid.Must(uuid.NewV7()).String() }

// Token returns n random bytes in unpadded base64url. It is a secret: store
// Hash(token), never the token.
func Token(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails since Go 1.24: the program stops instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// Hash returns the hexadecimal SHA-256 of a token. A token has enough entropy
// of its own, so neither salt nor a slow function adds anything.
func Hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// At returns an identifier as [New] would have made it at an instant: what was made
// elsewhere long ago stands in the order of time among what is made here.
func At(t time.Time) string {
	u := uuid.New()
	at := max(0, t.UnixNano())
	ms, rest := at/int64(time.Millisecond), at%int64(time.Millisecond)
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	// Like the library: twelve bits tell apart what falls into one millisecond (RFC
	// 9562 §6.2, method 3).
	fraction := rest >> 8
	u[6], u[7] = 0x70|byte(fraction>>8), byte(fraction)
	return u.String()
}
