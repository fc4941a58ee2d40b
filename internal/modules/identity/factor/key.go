package factor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

const (
	// ceremonyLasts is how long a challenge can be answered.
	ceremonyLasts = 5 * time.Minute
	// ceremonyPurpose and keyPurpose name the keys that seal challenges on their
	// way through the browser, and the records of keys.
	ceremonyPurpose = "identity.ceremony"
	keyPurpose      = "identity.key"
)

// relyingParty is the house as keys know it (WebAuthn §4). It is nil where
// browsers allow no keys: on an address without a name, and without https except
// on the machine itself.
func relyingParty(base, institution string) (*webauthn.WebAuthn, string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" {
		return nil, "", fmt.Errorf("the base address %q has no host that keys can be bound to", base)
	}
	host, origin := u.Hostname(), u.Scheme+"://"+u.Host
	local := host == "localhost" || strings.HasSuffix(host, ".localhost")
	if net.ParseIP(host) != nil || u.Scheme != "https" && !local {
		return nil, origin, nil
	}
	timeout := webauthn.TimeoutConfig{Timeout: ceremonyLasts, TimeoutUVD: ceremonyLasts}
	rp, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: institution, RPOrigins: []string{origin},
		AttestationPreference: protocol.PreferNoAttestation, // which model somebody bought is not our business
		Timeouts:              webauthn.TimeoutsConfig{Login: timeout, Registration: timeout},
		// Nothing is decided by what extensions say, and some clients say more than
		// they are asked.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, "", fmt.Errorf("prepare for keys: %w", err)
	}
	return rp, origin, nil
}

// Ceremony is what the browser needs for navigator.credentials (WebAuthn §5.1).
// ID comes back with the response.
type Ceremony struct {
	ID string `json:"ceremony"`
	// Options are {"publicKey": …} with base64url for bytes.
	Options json.RawMessage `json:"options"`
}

// aim says what a challenge is for; its answer is good for nothing else.
type aim string

const (
	aimRegister aim = "register"
	aimProve    aim = "prove"
	aimEnter    aim = "enter"
)

// ceremony is a challenge on its way. It travels through the browser, sealed, and
// is not stored until it is answered: a stranger who asks for a million
// challenges fills nothing.
type ceremony struct {
	Aim       aim                  `json:"aim"`
	Person    campus.PersonID      `json:"person,omitempty"`
	Bound     string               `json:"bound,omitempty"` // to a session or an attempt
	Passkey   bool                 `json:"passkey,omitempty"`
	ExpiresAt time.Time            `json:"expires"`
	Session   webauthn.SessionData `json:"session"`
}

// bound names the sign-in or session of an actor.
func bound(a entry.Actor) string { return subject(a, "") }

// open begins a ceremony.
func (f *Factors) open(c ceremony, session *webauthn.SessionData, options any) (Ceremony, error) {
	c.Session, c.ExpiresAt = *session, f.DB.Now().Time().Add(ceremonyLasts)
	text, err := json.Marshal(c)
	if err != nil {
		return Ceremony{}, fmt.Errorf("write a challenge: %w", err)
	}
	sealed, err := f.Keys.SealText(ceremonyPurpose, string(text))
	if err != nil {
		return Ceremony{}, fmt.Errorf("seal a challenge: %w", err)
	}
	raw, err := json.Marshal(options)
	if err != nil {
		return Ceremony{}, fmt.Errorf("write the options of a key: %w", err)
	}
	return Ceremony{ID: sealed, Options: raw}, nil
}

// opened finds the ceremony that a response belongs to, of the same actor and for
// the same aim.
func (f *Factors) opened(sealed string, of aim, a entry.Actor) (ceremony, error) {
	text, err := f.Keys.OpenText(ceremonyPurpose, sealed)
	if err != nil {
		return ceremony{}, CeremonyOver.From(err)
	}
	var c ceremony
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return ceremony{}, CeremonyOver.From(err)
	}
	if c.Aim != of || !f.DB.Now().Time().Before(c.ExpiresAt) {
		return ceremony{}, CeremonyOver
	}
	if of != aimEnter && (c.Person != a.Person || c.Bound != bound(a)) {
		return ceremony{}, CeremonyOver
	}
	return c, nil
}

// spend uses up a challenge: of several requests with the same answer, one is let
// through.
func (c ceremony) spend(ctx context.Context, tx db.Tx) error {
	n, err := sqlgen.New(tx).SpendChallenge(ctx, sqlgen.SpendChallengeParams{ChallengeHash: id.Hash(c.Session.Challenge), ExpiresAt: db.At(c.ExpiresAt)})
	if err != nil {
		return fmt.Errorf("use up a challenge: %w", err)
	}
	if n == 0 {
		return CeremonyOver
	}
	return nil
}

// fromHere refuses the answer that a key gave to the page of another site.
func (f *Factors) fromHere(ctx context.Context, c protocol.CollectedClientData) error {
	if protocol.IsOriginInHaystack(c.Origin, []string{f.origin}) {
		return nil
	}
	origin := label(c.Origin, "?")
	f.Log.WarnContext(ctx, "a key answered another site", "origin", origin)
	return KeyOrigin.With(fault.Args{"origin": origin, "house": f.origin})
}

// keyOwner is somebody as the WebAuthn library sees them. The user handle is the
// person's identifier: it never changes and tells nothing (§14.6.1).
type keyOwner struct {
	account.Person
	keys []webauthn.Credential
}

func (o keyOwner) WebAuthnID() []byte                         { return []byte(o.ID) }
func (o keyOwner) WebAuthnName() string                       { return o.Login }
func (o keyOwner) WebAuthnDisplayName() string                { return o.DisplayName() }
func (o keyOwner) WebAuthnCredentials() []webauthn.Credential { return o.keys }

// keysOf lists the keys of somebody, suspended ones apart.
func (f *Factors) keysOf(ctx context.Context, from db.Querier, who campus.PersonID) (keys []storedFactor, credentials []webauthn.Credential, err error) {
	list, err := f.stored(ctx, from, who)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range list {
		if s.credential == "" {
			continue
		}
		keys = append(keys, s)
		if !s.SuspendedAt.IsZero() {
			continue
		}
		text, err := f.Keys.OpenText(keyPurpose, s.record)
		if err != nil {
			return nil, nil, err
		}
		var c webauthn.Credential
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return nil, nil, fmt.Errorf("read the record of a key: %w", err)
		}
		credentials = append(credentials, c)
	}
	return keys, credentials, nil
}

// sealRecord is the record of a credential as it is stored.
func (f *Factors) sealRecord(c *webauthn.Credential) (string, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write the record of a key: %w", err)
	}
	sealed, err := f.Keys.SealText(keyPurpose, string(text))
	if err != nil {
		return "", fmt.Errorf("seal the record of a key: %w", err)
	}
	return sealed, nil
}

// credentialID is the identifier of a credential as it is stored.
func credentialID(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// refused keeps the words of the WebAuthn library for the log.
func refused(err error) error {
	if e, ok := err.(*protocol.Error); ok { //nolint:errorlint // the library returns it bare
		return KeyRefused.From(fmt.Errorf("%w: %s", err, e.DevInfo))
	}
	return KeyRefused.From(err)
}
