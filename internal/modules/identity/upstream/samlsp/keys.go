package samlsp

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/samlsp/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

const (
	// keyLasts is how long a certificate of ours is valid. Upstreams often copy it by
	// hand, so it changes as rarely as it may.
	keyLasts = 10 * 365 * 24 * time.Hour
	// keyAhead is how long before its end the next key is published, and keySigns how
	// long before its end a key stops to sign: the time between is for upstreams to
	// notice.
	keyAhead = 365 * 24 * time.Hour
	keySigns = 30 * 24 * time.Hour
	// keyRemembered is how long the keys are taken from memory, so that another
	// server's new key is published by this one soon enough.
	keyRemembered = 10 * time.Minute
)

// sealPurpose is what our private keys are sealed for.
const sealPurpose = "identity.upstream_saml_key"

// ring keeps our keys for one upstream. Each upstream has its own: who is given
// one learns nothing that another would take.
type ring struct {
	upstream string
	db       *db.DB
	seal     *crypt.Keyring
	clock    clock.Clock

	mu   sync.Mutex
	keys []saml.Credential // oldest first
	at   time.Time
}

// all gives our keys, oldest first: all of them open what was encrypted for us.
// The first is made when it is first needed, the next a year before the last one
// ends.
func (r *ring) all(ctx context.Context) ([]saml.Credential, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock.Now()
	if len(r.keys) > 0 && now.Sub(r.at) < keyRemembered {
		return r.keys, nil
	}
	keys, err := r.read(ctx)
	if err != nil {
		return nil, err
	}
	if n := len(keys); n == 0 || keys[n-1].Certificate.NotAfter.Sub(now) < keyAhead {
		if err := r.add(ctx, n, now); err != nil {
			return nil, err
		}
		if keys, err = r.read(ctx); err != nil { // the one of another server, if it was faster
			return nil, err
		}
	}
	r.keys, r.at = keys, now
	return keys, nil
}

// signs gives the key that signs: the oldest with enough time left.
func (r *ring) signs(ctx context.Context) (saml.Credential, error) {
	keys, err := r.all(ctx)
	if err != nil {
		return saml.Credential{}, err
	}
	return signing(keys, r.clock.Now()), nil
}

func signing(keys []saml.Credential, now time.Time) saml.Credential {
	for _, k := range keys {
		if k.Certificate.NotAfter.Sub(now) > keySigns {
			return k
		}
	}
	return keys[len(keys)-1]
}

func (r *ring) read(ctx context.Context) ([]saml.Credential, error) {
	rows, err := sqlgen.New(r.db.Read()).Keys(ctx, r.upstream)
	if err != nil {
		return nil, fmt.Errorf("read the keys for %s: %w", r.upstream, err)
	}
	keys := make([]saml.Credential, len(rows))
	for i, row := range rows {
		text, err := r.seal.OpenText(sealPurpose, row.Sealed)
		if err != nil {
			return nil, fmt.Errorf("open a key for %s: %w", r.upstream, err)
		}
		if keys[i], err = saml.DecodeCredential([]byte(text)); err != nil {
			return nil, fmt.Errorf("read a key for %s: %w", r.upstream, err)
		}
	}
	return keys, nil
}

func (r *ring) add(ctx context.Context, number int, now time.Time) error {
	key, err := saml.GenerateCredential(saml.RSA2048, "amphi "+r.upstream, now, keyLasts)
	if err != nil {
		return fmt.Errorf("make a key for %s: %w", r.upstream, err)
	}
	return r.keep(ctx, number, key)
}

// keep stores a key, unless another server was faster.
func (r *ring) keep(ctx context.Context, number int, key saml.Credential) error {
	text, err := key.Encode()
	if err != nil {
		return err
	}
	sealed, err := r.seal.SealText(sealPurpose, string(text))
	if err != nil {
		return fmt.Errorf("seal a key for %s: %w", r.upstream, err)
	}
	return r.db.InTx(ctx, func(tx db.Tx) error {
		return sqlgen.New(tx).AddKey(ctx, sqlgen.AddKeyParams{Upstream: r.upstream, Number: int64(number), Sealed: sealed, MadeAt: tx.Now()})
	})
}
