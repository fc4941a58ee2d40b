// Package federation keeps the metadata of service providers: of members of
// federations, from their signed aggregate or a query server, and of services
// with an entry of their own, from the address that the entry names. Each entity
// is one compressed row; nothing large stays in memory, and what is bad never
// replaces what was good.
package federation

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/federation/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// Deps is what the store asks of the house.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	HTTP     *http.Client
	Registry func(context.Context) (*registry.Index, error)
	// Changed is told what was noticed about a service's metadata; nil tells nobody.
	Changed func(ctx context.Context, s *registry.Service, c Change)
}

// Store keeps metadata. It is safe for concurrent use, and several servers may
// share one database.
type Store struct {
	Deps
	federations []Config
	queries     *limit.Limiter // of query servers, by federation

	mu     sync.Mutex
	recent map[string]remembered // by entity key
	asked  map[string]time.Time  // last questions to addresses, so that nobody makes us ask often
}

// New makes a store over the given federations.
func New(d Deps, federations []Config) *Store {
	return &Store{
		Deps: d, federations: federations, queries: limit.New(queryRate, limit.DefaultKeys, d.Clock), recent: map[string]remembered{}, asked: map[string]time.Time{},
	}
}

// Found is the metadata of one service provider, and where it came from.
type Found struct {
	Entity *saml.Entity
	// Federation is the one that vouches for it; nil when the service's own entry
	// does.
	Federation *Config
	// Source names it on pages: "entry", "service:ID", or a federation's id.
	Source string
	// Digest of the XML, in hexadecimal.
	Digest string
	// Until is the end of its validity; zero when it has none.
	Until time.Time

	read time.Time // when it came
}

// Unknown: no metadata of that name is kept, and none could be had.
var Unknown = errors.New("no metadata of this entity")

// Expired: there is metadata, and its time is over.
var Expired = errors.New("the metadata of this entity has expired")

// serviceSource is the source of a service's own metadata.
func serviceSource(service string) string { return "service:" + service }

// remembered is metadata as it was read a moment ago.
type remembered struct {
	found *Found
	at    time.Time
}

const (
	// rememberedFor is how long metadata is taken from memory: a change of the
	// registry on another server is felt within it.
	rememberedFor = 30 * time.Second
	// rememberedMost bounds the memory: some 10 kB each.
	rememberedMost = 500
)

// Find reads the metadata of a service provider. s is its entry of the registry,
// or nil; the entry's own metadata wins over a federation's. It returns [Unknown]
// and [Expired].
func (x *Store) Find(ctx context.Context, entityID string, s *registry.Service) (*Found, error) {
	key := entityKey(entityID)
	if s != nil && s.SAML.Metadata != "" {
		// Part of the key, so that a changed entry counts at once.
		key += id.Hash(s.SAML.Metadata)
	}
	if f := x.remembered(key); f != nil {
		return f, nil
	}
	f, err := x.find(ctx, entityID, s)
	if err != nil {
		return nil, err
	}
	x.remember(key, f)
	return f, nil
}

func (x *Store) remembered(key string) *Found {
	x.mu.Lock()
	defer x.mu.Unlock()
	r, ok := x.recent[key]
	now := x.Clock.Now()
	if !ok || now.Sub(r.at) > rememberedFor || !r.found.Until.IsZero() && !now.Before(r.found.Until) {
		return nil
	}
	return r.found
}

func (x *Store) remember(key string, f *Found) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for old := range x.recent { // any will do: each can be read again
		if len(x.recent) < rememberedMost {
			break
		}
		delete(x.recent, old)
	}
	x.recent[key] = remembered{f, x.Clock.Now()}
}

// forget makes the next question read the database.
func (x *Store) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	clear(x.recent)
}

func (x *Store) find(ctx context.Context, entityID string, s *registry.Service) (*Found, error) {
	if s != nil && s.SAML.Metadata != "" {
		e, err := readEntity([]byte(s.SAML.Metadata), entityID)
		if err != nil {
			return nil, err
		}
		return &Found{Entity: e, Source: "entry", Digest: digestOf([]byte(s.SAML.Metadata))}, nil
	}
	f, err := x.stored(ctx, entityID, s)
	switch {
	case err == nil && x.stale(f):
		// An older answer of a query server is better than none.
		if newer, _ := x.query(ctx, entityID); newer != nil {
			return newer, nil
		}
		return f, nil
	case !errors.Is(err, Unknown) && !errors.Is(err, Expired):
		return f, err
	}
	if s != nil && s.SAML.MetadataURL != "" && errors.Is(err, Unknown) && x.mayAsk(s.SAML.MetadataURL) {
		// An entry that was made a moment ago: the daily job has not been by.
		if fetched := x.Refresh(ctx, s); fetched != nil {
			return nil, fetched
		}
		return x.stored(ctx, entityID, s)
	}
	if answer, asked := x.query(ctx, entityID); answer != nil {
		return answer, nil
	} else if asked != nil {
		return nil, errors.Join(err, asked)
	}
	return nil, err
}

// stored reads the row of the best source: the service's own, then the
// federations in the order of the configuration.
func (x *Store) stored(ctx context.Context, entityID string, s *registry.Service) (*Found, error) {
	rows, err := sqlgen.New(x.DB.Read()).Entities(ctx, entityKey(entityID))
	if err != nil {
		return nil, fmt.Errorf("read the metadata of %s: %w", entityID, err)
	}
	var sources []string
	if s != nil {
		sources = append(sources, serviceSource(s.ID))
	}
	for _, f := range x.federations {
		sources = append(sources, f.ID)
	}
	why := Unknown
	for _, source := range sources {
		at := slices.IndexFunc(rows, func(r sqlgen.EntitiesRow) bool { return r.Source == source })
		if at < 0 {
			continue
		}
		row := rows[at]
		until := earlier(row.ValidUntilAt, row.SourceUntilAt)
		if until != 0 && x.DB.Now() >= until {
			why = Expired
			continue
		}
		text, err := unpack(row.Document)
		if err != nil {
			return nil, fmt.Errorf("read the metadata of %s from %s: %w", entityID, source, err)
		}
		e, err := readEntity(text, entityID)
		if err != nil {
			return nil, err
		}
		f := &Found{Entity: e, Source: source, Digest: row.Digest, Federation: x.federation(source), read: row.ReadAt.Time()}
		if until != 0 {
			f.Until = until.Time()
		}
		return f, nil
	}
	return nil, why
}

func (x *Store) federation(source string) *Config {
	i := slices.IndexFunc(x.federations, func(c Config) bool { return c.ID == source })
	if i < 0 {
		return nil
	}
	return &x.federations[i]
}

// earlier is the nearer of two ends, of which zero is none.
func earlier(a, b db.Time) db.Time {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// askAgain is how long an address is left alone after it was asked because of
// somebody's request.
const askAgain = time.Minute

// mayAsk reports whether an address was not asked a moment ago, and notes that it
// is now.
func (x *Store) mayAsk(address string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := x.Clock.Now()
	if now.Sub(x.asked[address]) < askAgain {
		return false
	}
	if len(x.asked) > 10*rememberedMost {
		clear(x.asked)
	}
	x.asked[address] = now
	return true
}

// readEntity reads metadata that is believed because of where it comes from.
func readEntity(text []byte, entityID string) (*saml.Entity, error) {
	root, err := saml.Parse(text, saml.MaxMetadata)
	if err != nil {
		return nil, &Refused{EntityID: entityID, Cause: err}
	}
	e, err := saml.ParseEntity(root)
	if err != nil {
		return nil, &Refused{EntityID: entityID, Cause: err}
	}
	if e.ID != entityID {
		return nil, &Refused{EntityID: entityID, Cause: &saml.MismatchError{What: saml.WhatIssuer, Expected: entityID, Received: e.ID}}
	}
	return e, nil
}

// Refused is metadata that cannot be used, with the reason.
type Refused struct {
	EntityID string
	Cause    error
}

func (r *Refused) Error() string { return "metadata of " + r.EntityID + ": " + r.Cause.Error() }

// Unwrap gives the cause to errors.Is and errors.As.
func (r *Refused) Unwrap() error { return r.Cause }

func entityKey(entityID string) string { return id.Hash(entityID) }

func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// packers are used again: each has tables of a megabyte.
var packers = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// pack compresses what goes into a row: to a fifth, for metadata.
func pack(text []byte) ([]byte, error) {
	w := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	var b bytes.Buffer
	w.Reset(&b)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func unpack(packed []byte) ([]byte, error) {
	return io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), saml.MaxMetadata))
}
