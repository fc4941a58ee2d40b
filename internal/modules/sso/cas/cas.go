// Package cas is the CAS protocol as plain rules: the addresses of services and
// what they match, tickets, and the messages of versions 1, 2 and 3. It knows
// neither HTTP nor SQL.
//
// Section numbers are those of the CAS Protocol 3.0 Specification.
package cas

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
	"time"
)

// Code is an error code of a validation answer (§2.5.3).
type Code string

// The error codes that we send; the last two answer /proxy (§2.7.3).
const (
	InvalidRequest       Code = "INVALID_REQUEST"
	InvalidTicketSpec    Code = "INVALID_TICKET_SPEC"
	InvalidTicket        Code = "INVALID_TICKET"
	InvalidService       Code = "INVALID_SERVICE"
	InvalidProxyCallback Code = "INVALID_PROXY_CALLBACK"
	UnauthorizedProxy    Code = "UNAUTHORIZED_SERVICE_PROXY"
	InternalError        Code = "INTERNAL_ERROR"
	UnauthorizedService  Code = "UNAUTHORIZED_SERVICE"
	BadPGT               Code = "BAD_PGT" // of CAS 2, and still what clients look for
)

// Kind is what a ticket is for. It is written in front of it (§3.1 to §3.4).
type Kind string

// The kinds of tickets.
const (
	ServiceTicket Kind = "ST-"
	ProxyTicket   Kind = "PT-"
	GrantTicket   Kind = "PGT-"
	GrantIOU      Kind = "PGTIOU-"
)

// ticketBytes is the randomness of a ticket: 144 bits, and in base32 the whole
// ticket is 32 characters long, which is what every client must accept (§3.1.1).
const ticketBytes = 18

// base32 in lower case: tickets may hold letters, digits and hyphens only
// (§3.7), which rules base64url out.
var ticketAlphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// New makes a ticket of a kind that nobody can guess.
func (k Kind) New() string {
	b := make([]byte, ticketBytes)
	rand.Read(b) // never fails since Go 1.24: the program stops instead
	return string(k) + ticketAlphabet.EncodeToString(b)
}

// MaxTicket bounds what we look up: clients support up to 256 characters
// (§3.1.1), so nothing longer was ever a ticket.
const MaxTicket = 256

// Made reports whether text has the form of a ticket of this kind.
func (k Kind) Made(text string) bool {
	rest, ok := strings.CutPrefix(text, string(k))
	if !ok || rest == "" || len(text) > MaxTicket {
		return false
	}
	for i := range len(rest) {
		c := rest[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}

// Flag reads a parameter such as renew or gateway: it is set by being there
// (§2.1.1), and "false" is what clients write that mean the contrary.
func Flag(values []string) bool {
	return len(values) > 0 && !strings.EqualFold(values[0], "false")
}

// Instant writes a time as the XML schema of appendix A wants it.
func Instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
