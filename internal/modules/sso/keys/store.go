package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/keys/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// sealPurpose is for which use private keys are sealed.
const sealPurpose = "sso.keys"

// load reads the keys of a use, oldest first.
func (r *Ring) load(ctx context.Context, use Use) ([]Key, error) {
	rows, err := sqlgen.New(r.DB.Read()).Keys(ctx, string(use))
	if err != nil {
		return nil, fmt.Errorf("read the keys of %s: %w", use, err)
	}
	kept := make([]Key, len(rows))
	for i, row := range rows {
		if kept[i], err = r.open(row); err != nil {
			return nil, fmt.Errorf("read key %s of %s: %w", row.ID, use, err)
		}
	}
	return kept, nil
}

// open makes a key of its row.
func (r *Ring) open(row sqlgen.SsoKey) (Key, error) {
	k := Key{ID: row.ID, Algorithm: row.Algorithm, serial: row.Serial, made: row.CreatedAt.Time(), NotBefore: row.SignsAt.Time()}
	if row.EndsAt != 0 {
		k.NotAfter = row.EndsAt.Time()
	}
	text, err := r.Seal.OpenText(sealPurpose, row.Sealed)
	if err != nil {
		return Key{}, err
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return Key{}, err
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return Key{}, err
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return Key{}, fmt.Errorf("a %T signs nothing", private)
	}
	k.Signer = signer
	if row.Certificate == "" {
		return k, nil
	}
	if der, err = base64.StdEncoding.DecodeString(row.Certificate); err != nil {
		return Key{}, err
	}
	k.Certificate, err = x509.ParseCertificate(der)
	return k, err
}

// make makes one key of a line that signs after ahead. When another server made
// the same one first, that one stays.
func (r *Ring) make(ctx context.Context, use Use, algorithm string, serial int64, ahead time.Duration) error {
	signer, err := generate(algorithm)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return fmt.Errorf("write a key: %w", err)
	}
	sealed, err := r.Seal.SealText(sealPurpose, base64.StdEncoding.EncodeToString(der))
	if err != nil {
		return fmt.Errorf("seal a key: %w", err)
	}
	certificate, err := r.certify(use, signer)
	if err != nil {
		return fmt.Errorf("write a certificate: %w", err)
	}
	kid := id.Token(12)
	won := false
	err = r.DB.InTx(ctx, func(tx db.Tx) error {
		q, signs := sqlgen.New(tx), tx.Now().Add(ahead)
		n, err := q.InsertKey(ctx, sqlgen.InsertKeyParams{
			ID: kid, Purpose: string(use), Algorithm: algorithm, Serial: serial, Sealed: sealed,
			Certificate: base64.StdEncoding.EncodeToString(certificate), CreatedAt: tx.Now(), SignsAt: signs,
		})
		if won = err == nil && n == 1; !won {
			return err
		}
		return q.EndKeys(ctx, sqlgen.EndKeysParams{Purpose: string(use), Algorithm: algorithm, Serial: serial, UntilAt: signs.Add(policies[use].kept)})
	})
	if err != nil {
		return fmt.Errorf("keep a key of %s: %w", use, err)
	}
	if won {
		r.Log.InfoContext(ctx, "sso key made", "use", string(use), "key", kid, "algorithm", algorithm, "signs_in", ahead)
	}
	return nil
}

func generate(algorithm string) (crypto.Signer, error) {
	if algorithm == ES256 {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return rsa.GenerateKey(rand.Reader, rsaBits)
}

// certify makes the self-signed certificate of a key, for protocols that want
// one; nothing for others.
func (r *Ring) certify(use Use, signer crypto.Signer) ([]byte, error) {
	validity := policies[use].certificate
	if validity == 0 {
		return nil, nil
	}
	number, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	now := r.Clock.Now()
	template := &x509.Certificate{
		SerialNumber: number, Subject: pkix.Name{CommonName: r.Host},
		// An hour back, for service providers whose clock is late.
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(validity),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	return x509.CreateCertificate(rand.Reader, template, template, signer.Public(), signer)
}
