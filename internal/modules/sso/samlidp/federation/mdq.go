package federation

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/federation/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

const (
	// queryTimeout bounds how long somebody waits for a query server.
	queryTimeout = 5 * time.Second
	// queriedFor is how long an answer is taken from here that does not say it
	// itself.
	queriedFor = 6 * time.Hour
	// queriedAtMost bounds what an answer says itself: a key that was taken back is
	// then noticed within a day.
	queriedAtMost = 24 * time.Hour
)

// queryRate bounds the questions of all together. Anybody can name entities that
// there are not, each another one: the federation's server is not ours to flood.
var queryRate = limit.Rate{Every: 100 * time.Millisecond, Burst: 60}

var errTooMany = errors.New("the query server was asked too much at once")

// stale reports whether a query server should be asked anew. Until it answers,
// what it said before is good to the end that was signed.
func (x *Store) stale(f *Found) bool {
	if f.Federation == nil || f.Federation.MDQ == "" {
		return false
	}
	life := queriedFor
	if d := f.Entity.CacheDuration; d > 0 {
		life = min(max(d, time.Minute), queriedAtMost)
	}
	return x.Clock.Now().Sub(f.read) > life
}

// query asks the query servers of the federations for one entity (draft-young-md-
// query, 3.1), and keeps the answer. Without an answer it returns what went
// wrong, or nil and nil when no server knows the entity.
func (x *Store) query(ctx context.Context, entityID string) (*Found, error) {
	var failures []error
	for i := range x.federations {
		f := &x.federations[i]
		if f.MDQ == "" {
			continue
		}
		address := strings.TrimSuffix(f.MDQ, "/") + "/entities/" + url.PathEscape(entityID)
		if !x.mayAsk(address) {
			continue
		}
		if _, ok := x.queries.Allow(f.ID); !ok {
			failures = append(failures, errTooMany)
			continue
		}
		found, err := x.queryOne(ctx, f, address, entityID)
		var status *StatusError
		switch {
		case err == nil:
			return found, nil
		case errors.As(err, &status) && status.Status == http.StatusNotFound:
		default:
			failures = append(failures, err)
			x.Log.WarnContext(ctx, "metadata query failed", "federation", f.ID, "error", err)
		}
	}
	return nil, errors.Join(failures...)
}

func (x *Store) queryOne(ctx context.Context, f *Config, address, entityID string) (*Found, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	text, _, err := x.fetch(ctx, address, "", saml.MaxMetadata)
	if err != nil {
		return nil, err
	}
	verified, e, err := x.verifyEntity(f, text, entityID)
	if err != nil {
		return nil, &Refused{EntityID: entityID, Cause: err}
	}
	now := x.DB.Now()
	r, err := row(f.ID, verified, e, db.At(e.ValidUntil), now)
	if err != nil {
		return nil, err
	}
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if err := q.KeepEntity(ctx, r); err != nil {
			return err
		}
		// The source has no end of its own: each answer has.
		return q.NoteSource(ctx, sqlgen.NoteSourceParams{ID: f.ID, Url: f.MDQ, Now: tx.Now()})
	})
	if err != nil {
		return nil, err
	}
	x.forget()
	return &Found{Entity: e, Source: f.ID, Federation: f, Digest: r.Digest, Until: e.ValidUntil, read: now.Time()}, nil
}

// verifyEntity believes the part of an answer that the federation signed.
func (x *Store) verifyEntity(f *Config, text []byte, entityID string) ([]byte, *saml.Entity, error) {
	keys, err := f.keys()
	if err != nil {
		return nil, nil, err
	}
	root, err := saml.Parse(text, saml.MaxMetadata)
	if err != nil {
		return nil, nil, err
	}
	signed, _, err := saml.Verify(root, keys, saml.Policy{})
	if err != nil {
		return nil, nil, err
	}
	e, err := saml.ParseEntity(signed)
	if err != nil {
		return nil, nil, err
	}
	if e.ID != entityID {
		return nil, nil, &saml.MismatchError{What: saml.WhatIssuer, Expected: entityID, Received: e.ID}
	}
	if e.SP == nil {
		return nil, nil, &saml.XMLError{Reason: saml.ErrMissing, Where: "SPSSODescriptor"}
	}
	alone := saml.Aggregate{ValidUntil: e.ValidUntil}
	if err := alone.Fresh(x.Clock.Now(), f.longest()); err != nil {
		return nil, nil, err
	}
	verified, err := saml.Marshal(signed)
	return verified, e, err
}
