// Package factortest has an authenticator made of software, for tests: it answers
// the questions of package factor as a browser with a key would (WebAuthn §6),
// honestly or not.
package factortest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// Authenticator holds credentials like a key or the passkeys of a device. Its
// fields say how it answers the next question.
type Authenticator struct {
	// Origin is that of the page on which the browser asks.
	Origin string
	// Verifies: it checks its owner by PIN, finger or face.
	Verifies bool
	// BackedUp: its credentials are copied to other devices.
	BackedUp bool
	// Counts: every answer carries a count that grows. Passkeys that are copied
	// count nothing.
	Counts bool
	// AAGUID names its model; zero says nothing.
	AAGUID [16]byte
	// Credentials are those that it made, the oldest first.
	Credentials []*Credential
}

// Credential is one key pair for one house.
type Credential struct {
	ID         []byte
	UserHandle []byte
	RPID       string
	Count      uint32
	key        *ecdsa.PrivateKey
}

// New makes an authenticator that is used on the pages of an origin.
func New(origin string) *Authenticator {
	return &Authenticator{Origin: origin, Verifies: true, Counts: true}
}

// Clone copies a credential with its count, as a thief of a key's memory would.
func (a *Authenticator) Clone() *Authenticator {
	copied := *a
	copied.Credentials = nil
	for _, c := range a.Credentials {
		twin := *c
		copied.Credentials = append(copied.Credentials, &twin)
	}
	return &copied
}

// flags of authenticator data (WebAuthn §6.1).
const (
	present        = 1 << 0
	verified       = 1 << 2
	backupEligible = 1 << 3
	backedUp       = 1 << 4
	attested       = 1 << 6
)

func (a *Authenticator) flags() byte {
	f := byte(present)
	if a.Verifies {
		f |= verified
	}
	if a.BackedUp {
		f |= backupEligible | backedUp
	}
	return f
}

// options are the parts of the questions that an authenticator looks at.
type options struct {
	PublicKey struct {
		Challenge string `json:"challenge"`
		RPID      string `json:"rpId"`
		RP        struct {
			ID string `json:"id"`
		} `json:"rp"`
		User struct {
			ID string `json:"id"`
		} `json:"user"`
		AllowCredentials []struct {
			ID string `json:"id"`
		} `json:"allowCredentials"`
	} `json:"publicKey"`
}

func read(question []byte) (options, error) {
	var o options
	if err := json.Unmarshal(question, &o); err != nil {
		return o, fmt.Errorf("read the question: %w", err)
	}
	return o, nil
}

// clientData is what the browser says of the page (§5.8.1).
func (a *Authenticator) clientData(kind, challenge string) ([]byte, error) {
	return json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.Origin, "crossOrigin": false})
}

// Create answers navigator.credentials.create with a new credential and no
// attestation.
func (a *Authenticator) Create(question []byte) ([]byte, error) {
	o, err := read(question)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	handle, err := decode(o.PublicKey.User.ID)
	if err != nil {
		return nil, err
	}
	c := &Credential{ID: make([]byte, 32), UserHandle: handle, RPID: o.PublicKey.RP.ID, key: key}
	if _, err := rand.Read(c.ID); err != nil {
		return nil, fmt.Errorf("name a key: %w", err)
	}
	a.Credentials = append(a.Credentials, c)
	point, err := key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return nil, fmt.Errorf("write a key: %w", err)
	}
	// COSE_Key of ES256 (RFC 9053 §2.1): kty EC2, alg, crv P-256, x, y.
	public, err := cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:65]})
	if err != nil {
		return nil, fmt.Errorf("write a key: %w", err)
	}
	data := a.data(c, a.flags()|attested)
	data = append(data, a.AAGUID[:]...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(c.ID)))
	data = append(append(data, c.ID...), public...)
	object, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	if err != nil {
		return nil, fmt.Errorf("write the attestation: %w", err)
	}
	client, err := a.clientData("webauthn.create", o.PublicKey.Challenge)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{
		"id": encode(c.ID), "rawId": encode(c.ID), "type": "public-key", "clientExtensionResults": map[string]any{},
		"response": map[string]any{"clientDataJSON": encode(client), "attestationObject": encode(object), "transports": []string{"usb"}},
	})
}

// Get answers navigator.credentials.get with the first credential that fits, or
// with the newest of the house when the question names none.
func (a *Authenticator) Get(question []byte) ([]byte, error) {
	o, err := read(question)
	if err != nil {
		return nil, err
	}
	for i := len(a.Credentials) - 1; i >= 0; i-- {
		c := a.Credentials[i]
		if c.RPID == o.PublicKey.RPID && o.allows(c) {
			return a.sign(c, o.PublicKey.Challenge)
		}
	}
	return nil, fmt.Errorf("none of %d credentials fits", len(a.Credentials))
}

// Sign answers with a credential of one's choice, allowed or not.
func (a *Authenticator) Sign(c *Credential, question []byte) ([]byte, error) {
	o, err := read(question)
	if err != nil {
		return nil, err
	}
	return a.sign(c, o.PublicKey.Challenge)
}

func (o options) allows(c *Credential) bool {
	for _, allowed := range o.PublicKey.AllowCredentials {
		if allowed.ID == encode(c.ID) {
			return true
		}
	}
	return len(o.PublicKey.AllowCredentials) == 0
}

func (a *Authenticator) sign(c *Credential, challenge string) ([]byte, error) {
	if a.Counts {
		c.Count++
	}
	data := a.data(c, a.flags())
	client, err := a.clientData("webauthn.get", challenge)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(client)
	signed := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, c.key, signed[:])
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return json.Marshal(map[string]any{
		"id": encode(c.ID), "rawId": encode(c.ID), "type": "public-key", "clientExtensionResults": map[string]any{},
		"response": map[string]any{
			"clientDataJSON": encode(client), "authenticatorData": encode(data), "signature": encode(signature), "userHandle": encode(c.UserHandle),
		},
	})
}

// data is the fixed part of the authenticator data (§6.1).
func (a *Authenticator) data(c *Credential, flags byte) []byte {
	rp := sha256.Sum256([]byte(c.RPID))
	return binary.BigEndian.AppendUint32(append(rp[:], flags), c.Count)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func decode(text string) ([]byte, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("read base64url: %w", err)
	}
	return b, nil
}
