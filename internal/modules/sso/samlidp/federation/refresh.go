package federation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/federation/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// Change is something that was noticed about a service's own metadata.
type Change struct {
	// Problem is why new metadata was not taken; nil when it was. The former one
	// stays in use.
	Problem error
	// Gone and Come are fingerprints (SHA-256) of signing keys: a roll-over shows
	// both, first as an addition.
	Gone, Come []string
}

// fetchTimeout is how long the metadata of one service may take to come.
const fetchTimeout = 15 * time.Second

// RefreshAll reads the metadata of every entry that names an address, and forgets
// that of entries which are gone. What fails is noted and told, and the others go
// on.
func (x *Store) RefreshAll(ctx context.Context) error {
	index, err := x.Registry(ctx)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, s := range index.Services() {
		if s.Protocol != registry.SAML || s.SAML.MetadataURL == "" || s.SAML.Metadata != "" {
			continue
		}
		wanted[serviceSource(s.ID)] = true
		if err := x.Refresh(ctx, s); err != nil {
			x.Log.WarnContext(ctx, "saml metadata not refreshed", "service", s.ID, "error", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	sources, err := sqlgen.New(x.DB.Read()).Sources(ctx)
	if err != nil {
		return fmt.Errorf("list sources of metadata: %w", err)
	}
	for _, s := range sources {
		if strings.HasPrefix(s.ID, serviceSource("")) && !wanted[s.ID] {
			if err := x.drop(ctx, s.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// Refresh reads the metadata of one service again, from the address of its entry.
// When what comes is bad, the former one stays in use, and the error says why.
func (x *Store) Refresh(ctx context.Context, s *registry.Service) error {
	source, address := serviceSource(s.ID), s.SAML.MetadataURL
	before, err := sqlgen.New(x.DB.Read()).Source(ctx, source)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read the state of %s: %w", source, err)
	}
	if before.Url != address {
		before.Etag = "" // of another address
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	text, etag, err := x.fetch(ctx, address, before.Etag, saml.MaxMetadata)
	if errors.Is(err, errUnchanged) {
		return x.DB.InTx(ctx, func(tx db.Tx) error {
			return sqlgen.New(tx).NoteSourceUnchanged(ctx, sqlgen.NoteSourceUnchangedParams{ID: source, CheckedAt: tx.Now()})
		})
	}
	var e *saml.Entity
	if err == nil {
		e, err = x.usable(text, s.SAML.EntityID)
	}
	if err != nil {
		return x.refused(ctx, s, source, address, err)
	}
	change, err := x.take(ctx, s, source, address, etag, text, e)
	if err == nil && x.Changed != nil && (len(change.Come) > 0 || len(change.Gone) > 0) {
		x.Changed(ctx, s, change)
	}
	return err
}

// usable reads metadata that came from a service's own address, and refuses what
// would break its sign-ins.
func (x *Store) usable(text []byte, entityID string) (*saml.Entity, error) {
	e, err := readEntity(text, entityID)
	if err != nil {
		return nil, err
	}
	refuse := func(cause error) (*saml.Entity, error) { return nil, &Refused{EntityID: entityID, Cause: cause} }
	if e.SP == nil || len(e.SP.ACS) == 0 {
		return refuse(&saml.XMLError{Reason: saml.ErrMissing, Where: "AssertionConsumerService"})
	}
	if err := saml.CheckWindow(time.Time{}, e.ValidUntil, x.Clock.Now(), 0); err != nil {
		return refuse(err)
	}
	return e, nil
}

// refused notes that new metadata was not taken.
func (x *Store) refused(ctx context.Context, s *registry.Service, source, address string, cause error) error {
	err := x.DB.InTx(context.WithoutCancel(ctx), func(tx db.Tx) error {
		return sqlgen.New(tx).NoteSourceProblem(ctx, sqlgen.NoteSourceProblemParams{ID: source, Url: address, Now: tx.Now(), Problem: clip(cause.Error())})
	})
	if x.Changed != nil && s != nil {
		x.Changed(ctx, s, Change{Problem: cause})
	}
	return errors.Join(cause, err)
}

// take puts new metadata of a service into use and returns what changed.
func (x *Store) take(ctx context.Context, s *registry.Service, source, address, etag string, text []byte, e *saml.Entity) (Change, error) {
	was, err := x.stored(ctx, e.ID, s)
	if err != nil || was.Source != source {
		was = nil // none, or none that can be compared
	}
	var until db.Time
	r, err := row(source, text, e, until, x.DB.Now())
	if err != nil {
		return Change{}, err
	}
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		// Another entityID may have been here: an entry was corrected.
		if err := q.DropSourceEntities(ctx, source); err != nil {
			return err
		}
		if err := q.KeepEntity(ctx, r); err != nil {
			return err
		}
		return q.NoteSource(ctx, sqlgen.NoteSourceParams{ID: source, Url: address, Etag: etag, Digest: r.Digest, Entities: 1, Now: tx.Now()})
	})
	if err != nil {
		return Change{}, fmt.Errorf("keep the metadata of %s: %w", s.ID, err)
	}
	x.forget()
	if was == nil {
		return Change{}, nil
	}
	before, now := fingerprints(was.Entity), fingerprints(e)
	missing := func(from, in []string) []string {
		return slices.DeleteFunc(slices.Clone(from), func(f string) bool { return slices.Contains(in, f) })
	}
	return Change{Gone: missing(before, now), Come: missing(now, before)}, nil
}

func fingerprints(e *saml.Entity) []string {
	var list []string
	for _, k := range e.SP.SigningKeys() {
		if k.Certificate != nil {
			list = append(list, saml.Fingerprint(k.Certificate))
		}
	}
	return list
}

// drop forgets a source that nothing names any more.
func (x *Store) drop(ctx context.Context, source string) error {
	err := x.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if err := q.DropSourceEntities(ctx, source); err != nil {
			return err
		}
		return q.DropSource(ctx, source)
	})
	if err != nil {
		return fmt.Errorf("forget the metadata of %s: %w", source, err)
	}
	x.forget()
	return nil
}

// errUnchanged: the other side has nothing newer.
var errUnchanged = errors.New("unchanged")

// StatusError is an answer by HTTP that holds no metadata.
type StatusError struct {
	Address string
	Status  int
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s answered %d %s", e.Address, e.Status, http.StatusText(e.Status))
}

// metadataTypes are asked for; whatever comes is read.
const metadataTypes = "application/samlmetadata+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1"

// open asks an address for metadata. The caller closes the body. With an etag it
// returns [errUnchanged] when there is nothing newer.
func (x *Store) open(ctx context.Context, address, etag string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("address of metadata: %w", err)
	}
	request.Header.Set("Accept", metadataTypes)
	request.Header.Set("User-Agent", "Amphi SAML metadata")
	if etag != "" {
		request.Header.Set("If-None-Match", etag)
	}
	answer, err := x.HTTP.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusOK {
		return answer, nil
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNotModified && etag != "" {
		return nil, errUnchanged
	}
	return nil, &StatusError{address, answer.StatusCode}
}

// fetch reads a small document.
func (x *Store) fetch(ctx context.Context, address, etag string, limit int64) ([]byte, string, error) {
	answer, err := x.open(ctx, address, etag)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("read %s: %w", address, err)
	case int64(len(text)) > limit:
		return nil, "", &saml.XMLError{Reason: saml.ErrTooLarge}
	}
	return text, answer.Header.Get("ETag"), nil
}

// clip bounds a reason that others partly wrote.
func clip(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) > 500 {
		text = strings.ToValidUTF8(text[:500], "")
	}
	return text
}

// errLater: the address was asked a moment ago, or there is none.
var errLater = errors.New("asked a moment ago")

// RefreshSoon is Refresh because of somebody's request: at most once a minute, and
// only for an entry that names an address.
func (x *Store) RefreshSoon(ctx context.Context, s *registry.Service) error {
	if s == nil || s.SAML.MetadataURL == "" || s.SAML.Metadata != "" || !x.mayAsk(s.SAML.MetadataURL) {
		return errLater
	}
	return x.Refresh(ctx, s)
}
