// Package factor knows by what people prove who they are beside their password:
// authenticator apps, phones, keys, passkeys, printed codes and codes that
// somebody passes on. It registers them, proves them, and says who needs one. It
// has no pages: package challenge asks for a factor, package enrol manages them.
package factor

import (
	"embed"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the factors need of the house.
type Deps struct {
	DB     *db.DB
	Keys   *crypt.Keyring
	Log    *slog.Logger
	People account.People
	// BaseURL is the address of the house: keys and passkeys are bound to its
	// host (the relying party identifier, WebAuthn §4).
	BaseURL string
	// Institution is the name that authenticator apps and browsers show.
	Institution string
}

// Factors are everybody's factors.
type Factors struct {
	config Config
	db     *db.DB
	keys   *crypt.Keyring
	log    *slog.Logger
	people account.People
	rp     *webauthn.WebAuthn
	issuer string
}

// Factor is one factor of somebody, as its owner sees it.
type Factor struct {
	ID   string
	Kind entry.Method // TOTP, SMS, Mail, SecurityKey, Passkey or Recovery
	// Label is what the owner calls it: "Pixel 8", "the blue key". Point is the
	// masked number or address of an SMS or Mail factor.
	Label, Point string
	AddedAt      time.Time
	LastUsedAt   time.Time // zero for never
	// UsableAt lies ahead while a changed number or address waits.
	UsableAt time.Time
	// SuspendedAt is not zero for a key that was refused because a copy of it
	// seems to exist. It proves nothing until it is removed and registered again.
	SuspendedAt time.Time
	// Passkey is also true of a physical key that can sign in alone. BackedUp says
	// that the passkey is copied to its owner's other devices.
	Passkey, BackedUp bool
	// CodesLeft counts the recovery codes that were not used.
	CodesLeft int
}

// Usable reports whether the factor can prove something now.
func (f Factor) Usable(now time.Time) bool {
	return f.SuspendedAt.IsZero() && !f.UsableAt.After(now) && (f.Kind != entry.Recovery || f.CodesLeft > 0)
}

// Occasion is on whose behalf and from where a factor changes: for the journal
// and the letters.
type Occasion struct {
	Actor          entry.Actor
	Address, Agent string
}

// At is the occasion of a request.
func At(r *http.Request, a entry.Actor) Occasion {
	return Occasion{Actor: a, Address: web.ClientAddr(r).String(), Agent: r.UserAgent()}
}

// AppEnrolment is an authenticator app about to be registered. It stays the same
// for half an hour, so that a second tab or the back button shows the same code.
type AppEnrolment struct {
	ID string
	// Key is the secret in groups of four letters, for people who type it; URI is
	// the otpauth address, which opens the app of the same phone; QR is the same
	// as an SVG picture with its quiet zone, safe to put into the page as it is.
	Key, URI, QR string
	ExpiresAt    time.Time
}

// Ceremony is what the browser needs for navigator.credentials (WebAuthn §5.1).
// ID comes back with the response; it is a secret of this browser.
type Ceremony struct {
	ID string `json:"ceremony"`
	// Options are {"publicKey": …} with base64url for bytes.
	Options json.RawMessage `json:"options"`
}

// Sent is a code on its way.
type Sent struct {
	Factor string       // empty while the factor is being registered
	Kind   entry.Method // SMS or Mail
	Point  string       // masked number or address
	At     time.Time
	Until  time.Time
}

// CodeSet is a fresh set of recovery codes, shown once.
type CodeSet struct {
	Codes  []string // like "kemu-7tra-wo4s"
	MadeAt time.Time
}

// Relayed is a code that somebody reads to somebody else.
type Relayed struct {
	Code string // eight letters in two groups: "KRTM-WAZB"
	// Spelled are the letters with the words to say them by, in the language of
	// the one who reads: "K comme Kléber", "K as in Kilo".
	Spelled []string
	Until   time.Time
}

//go:embed locales
var locales embed.FS

// Locales are the sentences of the factors.
func (f *Factors) Locales() fs.FS { return locales }

// groups writes s in groups of n letters.
func groups(s string, n int, between string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%n == 0 {
			b.WriteString(between)
		}
		b.WriteRune(r)
	}
	return b.String()
}
