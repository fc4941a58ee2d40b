// Package id makes identifiers and secrets.
package id

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

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
