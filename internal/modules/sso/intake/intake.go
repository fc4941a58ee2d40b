// Package intake turns what services publish about themselves into entries of the
// registry, for an administrator to look over: metadata of SAML, registrations of
// OpenID Connect clients, files of the registry.
package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Found is what was read.
type Found struct {
	Services []registry.Service
	// Secrets are those that came with registrations, by the identifier of the
	// service. The services hold their hashes alone.
	Secrets map[string]string
}

// ErrUnknown: the text is none of the forms.
var ErrUnknown = errors.New("this is neither SAML metadata (XML), nor the registration of an OpenID Connect client (JSON), nor a file of services (TOML)")

// most is the largest text that is read, in bytes. A federation's aggregate is
// larger, and is not imported but subscribed to ([[sso.saml.federations]]).
const most = 4 << 20

// Read recognises what a text is and reads it. name is the file or address that it
// came from.
func Read(name string, text []byte) (Found, error) {
	switch trimmed := bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF"))); {
	case len(text) > most:
		return Found{}, fmt.Errorf("%s is larger than %d MiB: subscribe to a federation with [[sso.saml.federations]] instead of importing it", name, most>>20)
	case len(trimmed) == 0:
		return Found{}, ErrUnknown
	case trimmed[0] == '<':
		return readMetadata(name, trimmed)
	case trimmed[0] == '{':
		return readRegistration(trimmed)
	case trimmed[0] == '[' || trimmed[0] == '#' || bytes.Contains(trimmed, []byte("=")):
		services, err := registry.ReadFile(name, text)
		return Found{Services: services}, err
	default:
		return Found{}, ErrUnknown
	}
}

// patience is how long an address may take to answer.
const patience = 20 * time.Second

// Fetch reads an address. It has to be https, or http on this machine: what is
// fetched says where people are sent.
func Fetch(ctx context.Context, client *http.Client, address string) (Found, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Found{}, fmt.Errorf("read the address: %w", err)
	}
	if local := u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"; u.Scheme != "https" && !local {
		return Found{}, fmt.Errorf("%s is not https: whoever stands in between could send people elsewhere; fetch it yourself, look it over and give the file", address)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Found{}, fmt.Errorf("ask for %s: %w", address, err)
	}
	r.Header.Set("Accept", "application/samlmetadata+xml, application/json, application/toml;q=0.9, */*;q=0.5")
	careful := *client
	if careful.CheckRedirect == nil {
		careful.CheckRedirect = keepsTLS
	}
	resp, err := careful.Do(r)
	if err != nil {
		return Found{}, fmt.Errorf("fetch %s: %w", address, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return Found{}, fmt.Errorf("%s answers %s", address, resp.Status)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return Found{}, fmt.Errorf("fetch %s: %w", address, err)
	}
	found, err := Read(address, text)
	if err != nil {
		return Found{}, err
	}
	for i := range found.Services {
		// From its address it can be fetched again: what is kept there stays true.
		if saml := &found.Services[i].SAML; found.Services[i].Protocol == registry.SAML && len(found.Services) == 1 {
			saml.MetadataURL, saml.Metadata = address, ""
		}
	}
	return found, nil
}

// keepsTLS follows a few redirects, but none from https to http.
func keepsTLS(to *http.Request, via []*http.Request) error {
	if len(via) > 3 {
		return errors.New("more than three redirects")
	}
	if via[0].URL.Scheme == "https" && to.URL.Scheme != "https" {
		return fmt.Errorf("it leads on to %s, which is not https", to.URL)
	}
	return nil
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
