// Package intake turns what services publish about themselves into entries of the
// registry, for an administrator to look over: metadata of SAML, registrations of
// OpenID Connect clients, files of the registry.
package intake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// Found is what was read.
type Found struct {
	Services []registry.Service
	// Secrets are those that came with registrations, by the identifier of the
	// service. The services hold their hashes alone.
	Secrets map[string]string
	// OneOfMany says that the service was chosen among those of a document, such as the
	// aggregate of a federation: its metadata is kept as it is, until somebody gives
	// newer.
	OneOfMany bool
}

// ErrUnknown: the text is none of the forms.
var ErrUnknown = errors.New("this is neither SAML metadata (XML), nor the registration of an OpenID Connect client (JSON), nor a file of services (TOML)")

// Most is the largest text that is read, in bytes: the aggregate of a federation.
const Most = saml.MaxAggregate

// Read recognises what a text is and reads it. name is the file or address that it
// came from. Of metadata that holds several service providers, entity chooses one: by
// its entityID, or by a part of it or of its name that only one has. Where it does
// not, the error is a [*SeveralError].
func Read(name string, text []byte, entity string) (Found, error) {
	switch trimmed := bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF"))); {
	case len(text) > Most:
		return Found{}, fmt.Errorf("%s is larger than %d MiB", name, Most>>20)
	case len(trimmed) == 0:
		return Found{}, ErrUnknown
	case trimmed[0] == '<':
		return readMetadata(name, trimmed, entity)
	case trimmed[0] == '{':
		return readRegistration(trimmed)
	case trimmed[0] == '[' || trimmed[0] == '#' || bytes.Contains(trimmed, []byte("=")):
		services, err := registry.ReadFile(name, text)
		return Found{Services: services}, err
	default:
		return Found{}, ErrUnknown
	}
}

// NewSecret makes a secret for a client, and what the registry keeps of it.
func NewSecret() (secret, hash string) {
	secret = id.Token(32)
	return secret, HashSecret(secret)
}

// HashSecret is what the registry keeps of a client's secret: its SHA-256 in
// hexadecimal. It is made of 256 random bits, so nothing slower is needed.
func HashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

var notInIDs = regexp.MustCompile(`[^a-z0-9]+`)

// identifier makes an identifier of the registry out of a name or an address.
func identifier(text string) string {
	if u, err := url.Parse(text); err == nil && u.Hostname() != "" {
		text = u.Hostname()
	}
	text = strings.Trim(notInIDs.ReplaceAllString(strings.ToLower(text), "-"), "-")
	return strings.Trim(text[:min(len(text), 63)], "-")
}
