package federation

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/xml"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/federation/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// Jobs reads metadata: that of services and of federations once a day, sooner
// after a failure.
func (x *Store) Jobs(r *jobs.Registry) {
	patient := jobs.Policy{Attempts: 1, Timeout: 20 * time.Minute} // the next tick is the next attempt
	r.EveryWith("sso.saml_services", 24*time.Hour, x.RefreshAll, patient)
	// A federation that the configuration names since a moment ago is wanted now.
	r.EveryWith("sso.saml_federations", time.Minute, x.LoadDue, patient)
}

const (
	// loadEvery is how often an aggregate is read.
	loadEvery = 24 * time.Hour
	// loadAgain is how soon after a failure.
	loadAgain = time.Hour
	// loadTimeout bounds one download; eduGAIN's is about 70 MB.
	loadTimeout = 10 * time.Minute
)

// LoadDue reads the aggregates whose time has come. One that fails does not keep
// the others waiting.
func (x *Store) LoadDue(ctx context.Context) error {
	var failures []error
	for i := range x.federations {
		f := &x.federations[i]
		if f.Aggregate == "" {
			failures = append(failures, x.pruneQueried(ctx, f))
			continue
		}
		before, err := x.source(ctx, f.ID)
		if err != nil {
			return err
		}
		pause := loadEvery
		if before.Problem != "" {
			pause = loadAgain
		}
		// A tick comes a little early or late.
		if before.Url != f.Aggregate || x.DB.Now().Sub(before.CheckedAt) >= pause-5*time.Minute {
			failures = append(failures, x.Load(ctx, f.ID))
		}
	}
	return errors.Join(failures...)
}

// Older: the aggregate ends sooner than the one in use. Somebody shows us a former
// one, or the federation's server went back in time.
var Older = errors.New("this aggregate is older than the one in use")

// Load reads the aggregate of a federation now. When what comes is bad, the former
// one stays in use, and the error says why.
func (x *Store) Load(ctx context.Context, federation string) error {
	f := x.federation(federation)
	if f == nil || f.Aggregate == "" {
		return fmt.Errorf("load %s: %w", federation, Unknown)
	}
	before, err := x.source(ctx, f.ID)
	if err != nil {
		return err
	}
	if before.Url != f.Aggregate {
		before.Etag = ""
	}
	err = x.load(ctx, f, before)
	switch {
	case errors.Is(err, errUnchanged):
		return x.DB.InTx(ctx, func(tx db.Tx) error {
			return sqlgen.New(tx).NoteSourceUnchanged(ctx, sqlgen.NoteSourceUnchangedParams{ID: f.ID, CheckedAt: tx.Now()})
		})
	case err != nil:
		return x.refused(ctx, nil, f.ID, f.Aggregate, fmt.Errorf("aggregate of %s: %w", f.ID, err))
	}
	x.forget()
	return nil
}

func (x *Store) source(ctx context.Context, id string) (sqlgen.SsoSamlSource, error) {
	s, err := sqlgen.New(x.DB.Read()).Source(ctx, id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return s, fmt.Errorf("read the state of %s: %w", id, err)
	}
	return s, nil
}

// rowsAtOnce is how many entities one transaction writes.
const rowsAtOnce = 100

// load downloads, verifies, and writes what changed since the last time, which is
// little: a day changes some hundred entities of ten thousand.
func (x *Store) load(ctx context.Context, f *Config, before sqlgen.SsoSamlSource) error {
	keys, err := f.keys()
	if err != nil {
		return err
	}
	download, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	text, etag, err := x.fetch(download, f.Aggregate, before.Etag, saml.MaxAggregate)
	if err != nil {
		return err
	}
	digest := digestOf(text)
	if digest == before.Digest {
		return errUnchanged
	}
	// The end stands on the root, which the signature covers: when that holds, below,
	// so does this. It is looked at first because rows are written as they are read.
	until, err := endOf(text)
	if err != nil {
		return err
	}
	if err := (&saml.Aggregate{ValidUntil: until}).Fresh(x.Clock.Now(), f.longest()); err != nil {
		return err
	}
	if before.Url == f.Aggregate && db.At(until) < before.ValidUntilAt {
		return Older
	}
	known, err := x.digests(ctx, f.ID)
	if err != nil {
		return err
	}
	at := x.DB.Now()
	var changed []sqlgen.KeepEntityParams
	services := int64(0)
	aggregate, err := saml.ReadMetadata(text, saml.Trust{Keys: keys}, func(e *saml.Entity) error {
		if e.SP == nil {
			return nil
		}
		services++
		// The end of the whole stands with the source: a new one every day must not
		// make every row a new one.
		e.ValidUntil = time.Time{}
		written, err := saml.Marshal(e.Element())
		if err != nil {
			return fmt.Errorf("write the metadata of %s: %w", e.ID, err)
		}
		key := entityKey(e.ID)
		same := known[key] == digestOf(written)
		delete(known, key)
		if same {
			return nil
		}
		r, err := row(f.ID, written, e, 0, at)
		if err != nil {
			return err
		}
		if changed = append(changed, r); len(changed) < rowsAtOnce {
			return nil
		}
		err = x.keep(ctx, changed)
		changed = changed[:0]
		return err
	})
	if err != nil {
		return err
	}
	if err := x.keep(ctx, changed); err != nil {
		return err
	}
	for _, r := range aggregate.Refused {
		x.Log.WarnContext(ctx, "member of a federation not read", "federation", f.ID, "entity", clip(r.ID), "error", r.Err)
	}
	return x.finish(ctx, f, known, sqlgen.NoteSourceParams{
		ID: f.ID, Url: f.Aggregate, Etag: etag, Digest: digest, Entities: services, ValidUntilAt: db.At(aggregate.ValidUntil),
	})
}

// endOf reads validUntil on the root of a document.
func endOf(text []byte) (time.Time, error) {
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := d.RawToken()
		if err != nil {
			return time.Time{}, &saml.XMLError{Reason: saml.ErrMalformed, Cause: err}
		}
		root, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range root.Attr {
			if a.Name.Space == "" && a.Name.Local == "validUntil" {
				until, err := time.Parse(time.RFC3339Nano, a.Value)
				if err != nil {
					return time.Time{}, &saml.XMLError{Reason: saml.ErrMalformed, Where: "validUntil", Cause: err}
				}
				return until.UTC(), nil
			}
		}
		return time.Time{}, nil // no end, which Fresh refuses
	}
}

func (x *Store) digests(ctx context.Context, source string) (map[string]string, error) {
	rows, err := sqlgen.New(x.DB.Read()).EntityDigests(ctx, source)
	if err != nil {
		return nil, fmt.Errorf("list what is kept of %s: %w", source, err)
	}
	known := make(map[string]string, len(rows))
	for _, r := range rows {
		known[r.EntityKey] = r.Digest
	}
	return known, nil
}

// finish forgets who left the federation, and notes what is in use now.
func (x *Store) finish(ctx context.Context, f *Config, gone map[string]string, state sqlgen.NoteSourceParams) error {
	keys := make([]string, 0, len(gone))
	for key := range gone {
		keys = append(keys, key)
	}
	for len(keys) > 0 {
		some := keys[:min(len(keys), rowsAtOnce)]
		keys = keys[len(some):]
		err := x.DB.InTx(ctx, func(tx db.Tx) error {
			for _, key := range some {
				if err := sqlgen.New(tx).DropEntity(ctx, sqlgen.DropEntityParams{Source: f.ID, EntityKey: key}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("forget who left %s: %w", f.ID, err)
		}
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		state.Now = tx.Now()
		return sqlgen.New(tx).NoteSource(ctx, state)
	})
}

// queriedKept is how long an answer of a query server stays that nobody renews.
const queriedKept = 30 * 24 * time.Hour

func (x *Store) pruneQueried(ctx context.Context, f *Config) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).PruneEntities(ctx, sqlgen.PruneEntitiesParams{Source: f.ID, ReadAt: tx.Now().Add(-queriedKept)})
		return err
	})
}
