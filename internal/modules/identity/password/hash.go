// Package password keeps and checks passwords: argon2id (RFC 9106) in the PHC
// string format, and a queue that bounds how many are computed at once.
package password

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// MaxLength is the longest password that is looked at, in bytes. It only keeps
// absurd input out; a long passphrase fits many times.
const MaxLength = 512

// Params are the cost of one hash (RFC 9106 §4).
type Params struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8  // lanes
}

// DefaultParams cost about 23 ms and 19 MiB on one 2026 server core; they are
// the OWASP minimum for argon2id.
var DefaultParams = Params{Memory: 19 << 10, Time: 2, Threads: 1}

const (
	saltLength = 16
	keyLength  = 32
)

// ErrFormat means that a stored hash is not one of ours.
var ErrFormat = errors.New("password: the stored hash cannot be read")

// Hash returns the PHC string of a password. It takes tens of milliseconds and
// Params.Memory of memory: call it through a [Queue], never in a transaction.
func Hash(password string, p Params) string {
	salt := make([]byte, saltLength)
	rand.Read(salt) // never fails since Go 1.24
	return encode(p, salt, derive(password, salt, p))
}

// Dummy returns the hash of no password: checking against it costs what checking
// a real one costs, and never succeeds.
func Dummy(p Params) string {
	noise := make([]byte, saltLength+keyLength)
	rand.Read(noise)
	return encode(p, noise[:saltLength], noise[saltLength:])
}

// derive hashes the NFC form, so that é typed on a Mac and on a PC is the same.
func derive(password string, salt []byte, p Params) []byte {
	return argon2.IDKey([]byte(norm.NFC.String(password)), salt, p.Time, p.Memory, p.Threads, keyLength)
}

func encode(p Params, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.Memory, p.Time, p.Threads, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// Verify reports whether the password is the one behind the stored hash, and
// whether the hash was made with other parameters than current and should be
// made anew. It costs as much as [Hash].
func Verify(stored, password string, current Params) (ok, outdated bool, err error) {
	p, salt, key, err := decode(stored)
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(key, derive(password, salt, p)) == 1
	return ok, p != current, nil
}

// Bounds of what a stored hash may ask of us, should the database be tampered
// with.
const (
	maxMemory = 1 << 20 // KiB
	maxTime   = 16
)

func decode(stored string) (p Params, salt, key []byte, err error) {
	parts := strings.Split(stored, "$")
	var version int
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return p, nil, nil, ErrFormat
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return p, nil, nil, ErrFormat
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time, &p.Threads); err != nil {
		return p, nil, nil, ErrFormat
	}
	if p.Memory == 0 || p.Memory > maxMemory || p.Time == 0 || p.Time > maxTime || p.Threads == 0 {
		return p, nil, nil, ErrFormat
	}
	salt, saltErr := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(salt) < 8 || len(key) != keyLength {
		return p, nil, nil, ErrFormat
	}
	return p, salt, key, nil
}
