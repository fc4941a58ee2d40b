package proof

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
)

// Keys fetches the keys that clients publish, and keeps them for a while. It is
// safe for concurrent use.
type Keys struct {
	channel *http.Client
	clock   clock.Clock
	agent   string
	mu      sync.Mutex
	kept    map[string]fetched
}

type fetched struct {
	keys []jose.JSONWebKey
	at   time.Time
}

const (
	// keysFresh is how long fetched keys are used without a look.
	keysFresh = 15 * time.Minute
	// keysAgain is how often a signature of an unknown key may make us look.
	keysAgain = time.Minute
	maxKeySet = 64 << 10
	mostKept  = 1000
)

// NewKeys makes an empty one. The channel must not follow redirects.
func NewKeys(channel *http.Client, c clock.Clock, agent string) *Keys {
	return &Keys{channel: channel, clock: c, agent: agent, kept: map[string]fetched{}}
}

// Of gives the keys of a client: those in its entry, else those that it publishes.
// again asks for newer ones than are kept.
func (k *Keys) Of(ctx context.Context, c registry.OIDCClient, again bool) ([]jose.JSONWebKey, error) {
	if c.JWKS != "" {
		return registry.PublicKeys(c.JWKS), nil
	}
	now := k.clock.Now()
	k.mu.Lock()
	kept, known := k.kept[c.JWKSURI]
	k.mu.Unlock()
	age := now.Sub(kept.at)
	if known && (age < keysAgain || !again && age < keysFresh) {
		return kept.keys, nil
	}
	keys, err := k.fetch(ctx, c.JWKSURI)
	if err != nil {
		if known { // what was right a while ago is better than nobody signing in
			return kept.keys, nil
		}
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.kept) >= mostKept {
		clear(k.kept)
	}
	k.kept[c.JWKSURI] = fetched{keys, now}
	return keys, nil
}

func (k *Keys) fetch(ctx context.Context, address string) ([]jose.JSONWebKey, error) {
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("the address of the keys: %w", err)
	}
	ask.Header.Set("Accept", "application/jwk-set+json, application/json")
	ask.Header.Set("User-Agent", k.agent)
	answer, err := k.channel.Do(ask)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", address, answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxKeySet+1))
	if err != nil {
		return nil, fmt.Errorf("read the keys at %s: %w", address, err)
	}
	keys := registry.PublicKeys(string(text))
	if len(keys) == 0 {
		return nil, errors.New(address + " holds no key that can be used")
	}
	return keys, nil
}
