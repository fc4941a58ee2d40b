package saml

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// Credential is a private key of ours with the certificate that our metadata
// shows.
type Credential struct {
	Key         crypto.Signer
	Certificate *x509.Certificate
}

// Kind is a kind of key pair.
type Kind string

// The kinds that [GenerateCredential] makes. RSA is what every peer understands;
// P-256 signs some ten times faster and cannot decrypt.
const (
	RSA2048 Kind = "rsa-2048"
	RSA3072 Kind = "rsa-3072"
	P256    Kind = "p-256"
)

// GenerateCredential makes a key pair with a self-signed certificate. SAML
// trusts the key that the metadata names, so the name is for people and the
// lifetime only tells when to roll over.
func GenerateCredential(kind Kind, name string, from time.Time, lifetime time.Duration) (Credential, error) {
	key, err := generateKey(kind)
	if err != nil {
		return Credential{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return Credential{}, fmt.Errorf("number the certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    from.Add(-time.Hour), // a peer whose clock is late may read it today
		NotAfter:     from.Add(lifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	if kind != P256 {
		template.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return Credential{}, fmt.Errorf("sign the certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return Credential{}, fmt.Errorf("read the certificate again: %w", err)
	}
	return Credential{Key: key, Certificate: certificate}, nil
}

func generateKey(kind Kind) (crypto.Signer, error) {
	switch kind {
	case RSA2048:
		return rsa.GenerateKey(rand.Reader, 2048)
	case RSA3072:
		return rsa.GenerateKey(rand.Reader, 3072)
	case P256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return nil, fmt.Errorf("saml: no kind of key is called %q", kind)
}

// Public is the key as the peers know it.
func (c Credential) Public() PublicKey {
	return PublicKey{Key: c.Key.Public(), Certificate: c.Certificate}
}

// Encode writes key (PKCS #8) and certificate as PEM, to be sealed and stored.
func (c Credential) Encode() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(c.Key)
	if err != nil {
		return nil, fmt.Errorf("write the private key: %w", err)
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate.Raw})...), nil
}

var errCredential = errors.New("saml: no pair of private key and certificate")

// DecodeCredential reads what [Credential.Encode] wrote, and makes sure that key
// and certificate belong together.
func DecodeCredential(text []byte) (Credential, error) {
	var c Credential
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		switch block.Type {
		case "PRIVATE KEY":
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return Credential{}, fmt.Errorf("read the private key: %w", err)
			}
			signer, ok := key.(crypto.Signer)
			if !ok {
				return Credential{}, errCredential
			}
			c.Key = signer
		case "CERTIFICATE":
			certificate, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return Credential{}, fmt.Errorf("read the certificate: %w", err)
			}
			c.Certificate = certificate
		}
	}
	if c.Key == nil || c.Certificate == nil {
		return Credential{}, errCredential
	}
	public, ok := c.Key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(c.Certificate.PublicKey) {
		return Credential{}, errCredential
	}
	return c, nil
}

// PublicKey is a key of a peer, with the certificate that its metadata wrapped
// around it; nil when it came bare.
type PublicKey struct {
	Key         crypto.PublicKey
	Certificate *x509.Certificate
}

// KeyFrom takes the key out of a certificate.
func KeyFrom(certificate *x509.Certificate) PublicKey {
	return PublicKey{Key: certificate.PublicKey, Certificate: certificate}
}

// Expired gives an [ExpiredError] when the certificate around the key is not
// valid at that time, and nil when it is or there is none.
func (k PublicKey) Expired(now time.Time) error {
	if k.Certificate == nil || !now.Before(k.Certificate.NotBefore) && !now.After(k.Certificate.NotAfter) {
		return nil
	}
	return &ExpiredError{Certificate: k.Certificate, Now: now}
}
