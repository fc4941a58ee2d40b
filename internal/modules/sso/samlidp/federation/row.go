package federation

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/federation/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// keyEnd is the end of one key of a service provider, as a row keeps it.
type keyEnd struct {
	Use         string    `json:"use,omitempty"`
	Fingerprint string    `json:"fingerprint"`
	Subject     string    `json:"subject,omitempty"`
	NotAfter    time.Time `json:"not_after"`
}

// row makes a row of the metadata of a service provider, which was verified. at is
// when it came.
func row(source string, text []byte, e *saml.Entity, until, at db.Time) (sqlgen.KeepEntityParams, error) {
	packed, err := pack(text)
	if err != nil {
		return sqlgen.KeepEntityParams{}, fmt.Errorf("compress the metadata of %s: %w", e.ID, err)
	}
	if !e.ValidUntil.IsZero() {
		until = earlier(until, db.At(e.ValidUntil))
	}
	r := sqlgen.KeepEntityParams{
		Source: source, EntityKey: entityKey(e.ID), EntityID: e.ID, Document: packed, Digest: digestOf(text),
		ValidUntilAt: until, ReadAt: at,
	}
	french, english := Names(e)
	r.Name = french
	if english != french {
		r.Name += " / " + english
	}
	r.Search = " " + campus.Fold(strings.Join([]string{french, english, e.ID}, " ")) + " "
	ends, err := json.Marshal(keyEnds(e))
	if err != nil {
		return r, fmt.Errorf("note the keys of %s: %w", e.ID, err)
	}
	r.Certificates = string(ends)
	return r, nil
}

func keyEnds(e *saml.Entity) []keyEnd {
	ends := []keyEnd{}
	for _, k := range e.SP.Keys {
		if k.Certificate != nil {
			ends = append(ends, keyEnd{k.Use, saml.Fingerprint(k.Certificate), k.Certificate.Subject.CommonName, k.Certificate.NotAfter.UTC()})
		}
	}
	return ends
}

// Names is what a service provider calls itself, in French and in English; the
// entityID when it says nothing.
func Names(e *saml.Entity) (french, english string) {
	texts := e.SP.UI.DisplayNames
	if len(texts) == 0 && len(e.SP.Services) > 0 {
		texts = e.SP.Services[0].Names
	}
	if len(texts) == 0 && e.Organization != nil {
		texts = e.Organization.DisplayNames
	}
	if len(texts) == 0 {
		return e.ID, e.ID
	}
	return saml.InLanguage(texts, "fr", "en"), saml.InLanguage(texts, "en", "fr")
}

// keep writes rows in pieces: what one transaction holds, nobody waits for.
func (x *Store) keep(ctx context.Context, rows []sqlgen.KeepEntityParams) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		for _, r := range rows {
			if err := q.KeepEntity(ctx, r); err != nil {
				return fmt.Errorf("keep the metadata of %s: %w", r.EntityID, err)
			}
		}
		return nil
	})
}
