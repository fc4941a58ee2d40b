// Package crypt keeps the secrets that Amphi must be able to read back: it seals, opens and signs
// values with keys from one file that lives outside the database.
//
// Every use names its purpose ("identity.factor", "mailer.job"). Each purpose has its own derived
// key, so a value sealed for one purpose can neither be opened nor be passed off for another.
// docs/secrets.md says what is protected and what is lost with the file.
package crypt

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Locales holds the sentences of this package's reasons.
//
//go:embed locales/*.toml
var Locales embed.FS

var (
	// Unreadable: the sealed value was altered, cut, or sealed for another purpose.
	Unreadable = fault.Declare(fault.Broken, "crypt.unreadable")
	// KeyGone: the value was sealed with a key that the key file no longer holds.
	KeyGone = fault.Declare(fault.Broken, "crypt.key_gone")
	// Forged: a signed value whose signature does not hold.
	Forged = fault.Declare(fault.Invalid, "crypt.forged")
)

const (
	formatOne  = 1 // first byte of every sealed value; a later format takes another number
	keyIDBytes = 4
	keyBytes   = 32
)

type key struct {
	id      [keyIDBytes]byte
	created string // RFC 3339, for the person reading the file
	secret  []byte
}

// Keyring holds the keys of one key file: the newest seals and signs, all of them open and verify.
// It is safe for concurrent use.
type Keyring struct {
	keys    []key // oldest first
	created bool

	// derived caches the per-purpose keys: HKDF and cipher set-up cost more than a short seal.
	derived sync.Map // derivation → cipher.AEAD or []byte
}

type derivation struct {
	use     string
	purpose string
	key     [keyIDBytes]byte
}

// Seal encrypts and authenticates plaintext for one purpose with the newest key.
func (k *Keyring) Seal(purpose string, plaintext []byte) ([]byte, error) {
	newest := k.newest()
	aead, err := k.aead(newest, purpose)
	if err != nil {
		return nil, err
	}
	head := make([]byte, 0, 1+keyIDBytes+aead.NonceSize()+len(plaintext)+aead.Overhead())
	head = append(head, formatOne)
	head = append(head, newest.id[:]...)
	bound := head[:1+keyIDBytes] // format and key id are authenticated too
	nonce := make([]byte, aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("draw a nonce: %w", err)
	}
	head = append(head, nonce...)
	return aead.Seal(head, nonce, plaintext, bound), nil
}

// Open gives back what Seal was given for the same purpose. Its errors are Unreadable and KeyGone.
func (k *Keyring) Open(purpose string, sealed []byte) ([]byte, error) {
	const head = 1 + keyIDBytes
	if len(sealed) < head+chacha20poly1305.NonceSizeX+chacha20poly1305.Overhead || sealed[0] != formatOne {
		return nil, Unreadable
	}
	with, ok := k.find([keyIDBytes]byte(sealed[1:head]))
	if !ok {
		return nil, KeyGone.With(fault.Args{"key": fmt.Sprintf("%x", sealed[1:head])})
	}
	aead, err := k.aead(with, purpose)
	if err != nil {
		return nil, err
	}
	nonce := sealed[head : head+aead.NonceSize()]
	plaintext, err := aead.Open(nil, nonce, sealed[head+aead.NonceSize():], sealed[:head])
	if err != nil {
		return nil, Unreadable
	}
	return plaintext, nil
}

// SealText is Seal for a text column: base64url of the sealed bytes.
func (k *Keyring) SealText(purpose, plaintext string) (string, error) {
	sealed, err := k.Seal(purpose, []byte(plaintext))
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// OpenText gives back what SealText was given for the same purpose.
func (k *Keyring) OpenText(purpose, sealed string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return "", Unreadable
	}
	plaintext, err := k.Open(purpose, raw)
	return string(plaintext), err
}

// Stale reports whether a value was sealed by an older key than the newest one, so that its owner
// can seal it again after a rotation.
func (k *Keyring) Stale(sealed []byte) bool {
	newest := k.newest().id
	return len(sealed) < 1+keyIDBytes || [keyIDBytes]byte(sealed[1:1+keyIDBytes]) != newest
}

// MAC authenticates data for one purpose with the newest key. The answer carries the key's id, so
// it still verifies after a rotation.
func (k *Keyring) MAC(purpose string, data []byte) []byte {
	newest := k.newest()
	return append(newest.id[:], k.mac(newest, purpose, data)...)
}

// Name makes a name out of data that stays the same for ever and gives nothing
// away: it is authenticated with the oldest key, which rotations keep. What others
// file under it would be lost with that key.
func (k *Keyring) Name(purpose string, data []byte) []byte { return k.mac(k.keys[0], purpose, data) }

// VerifyMAC reports whether mac was made by MAC for this purpose and data, in constant time.
func (k *Keyring) VerifyMAC(purpose string, data, mac []byte) bool {
	if len(mac) != keyIDBytes+sha256.Size {
		return false
	}
	with, ok := k.find([keyIDBytes]byte(mac[:keyIDBytes]))
	if !ok {
		return false
	}
	return hmac.Equal(k.mac(with, purpose, data), mac[keyIDBytes:])
}

// Sign makes a text that carries value in clear and cannot be altered: for cookies, and for links
// sent by mail. Put the expiry into the value.
func (k *Keyring) Sign(purpose, value string) string {
	mac := k.MAC(purpose, []byte(value))
	return base64.RawURLEncoding.EncodeToString([]byte(value)) + "." + base64.RawURLEncoding.EncodeToString(mac)
}

// Verify gives back the value of a text made by Sign for the same purpose, or Forged.
func (k *Keyring) Verify(purpose, signed string) (string, error) {
	first, second, ok := strings.Cut(signed, ".")
	if !ok {
		return "", Forged
	}
	// Strict: otherwise several texts would stand for the same value.
	value, errValue := base64.RawURLEncoding.Strict().DecodeString(first)
	mac, errMAC := base64.RawURLEncoding.Strict().DecodeString(second)
	if errValue != nil || errMAC != nil || !k.VerifyMAC(purpose, value, mac) {
		return "", Forged
	}
	return string(value), nil
}

// KeyIDs lists the ids of the keys, oldest first. Ids are not secret.
func (k *Keyring) KeyIDs() []string {
	ids := make([]string, len(k.keys))
	for i, one := range k.keys {
		ids[i] = fmt.Sprintf("%x", one.id)
	}
	return ids
}

// Created reports whether Open had to make the key file. With a database that already holds data
// this means the old file was lost or its path changed: the caller says so, loudly.
func (k *Keyring) Created() bool { return k.created }

func (k *Keyring) newest() key { return k.keys[len(k.keys)-1] }

func (k *Keyring) find(id [keyIDBytes]byte) (key, bool) {
	for _, one := range k.keys {
		if one.id == id {
			return one, true
		}
	}
	return key{}, false
}

func (k *Keyring) aead(with key, purpose string) (cipher.AEAD, error) {
	at := derivation{use: "seal", purpose: purpose, key: with.id}
	if known, ok := k.derived.Load(at); ok {
		return known.(cipher.AEAD), nil
	}
	aead, err := chacha20poly1305.NewX(derive(with, at))
	if err != nil {
		return nil, fmt.Errorf("set up the cipher for %q: %w", purpose, err)
	}
	k.derived.Store(at, aead)
	return aead, nil
}

func (k *Keyring) mac(with key, purpose string, data []byte) []byte {
	at := derivation{use: "mac", purpose: purpose, key: with.id}
	known, ok := k.derived.Load(at)
	if !ok {
		known = derive(with, at)
		k.derived.Store(at, known)
	}
	h := hmac.New(sha256.New, known.([]byte))
	h.Write(data)
	return h.Sum(nil)
}

// derive makes the key of one use and purpose. An empty purpose is a mistake in the source, and HKDF
// refuses only lengths that we never ask for: both stop the program.
func derive(with key, at derivation) []byte {
	if at.purpose == "" {
		panic("crypt: a purpose is required")
	}
	secret, err := hkdf.Key(sha256.New, with.secret, nil, "amphi/"+at.use+"/"+at.purpose, keyBytes)
	if err != nil {
		panic("crypt: " + err.Error())
	}
	return secret
}
