package sso

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/calendar"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// ends are the sources of the calendar of certificates and secrets.
func (m *Module) ends() []calendar.Source {
	return []calendar.Source{m.secretsEnd, m.metadataEnds}
}

// secretsEnd lists the secrets and keys that services have until a day.
func (m *Module) secretsEnd(ctx context.Context) ([]calendar.Expiring, error) {
	x, err := m.services(ctx)
	if err != nil {
		return nil, err
	}
	var list []calendar.Expiring
	for _, s := range x.Services() {
		if ends, err := time.ParseInLocation(time.DateOnly, s.SecretEnds, m.Zone); err == nil { // the entry was checked
			list = append(list, ending(s, calendar.Secret, "secret", "", ends))
		}
	}
	return list, nil
}

// metadataEnds lists the certificates and the end of the metadata that entries
// hold themselves. A metadata that cannot be read ends nothing: its page says so.
func (m *Module) metadataEnds(ctx context.Context) ([]calendar.Expiring, error) {
	x, err := m.services(ctx)
	if err != nil {
		return nil, err
	}
	var list []calendar.Expiring
	for _, s := range x.Services() {
		if s.Protocol != registry.SAML || s.SAML.Metadata == "" {
			continue
		}
		_, err := saml.ReadMetadata([]byte(s.SAML.Metadata), saml.Trust{}, func(e *saml.Entity) error {
			if !e.ValidUntil.IsZero() {
				list = append(list, ending(s, calendar.Metadata, "metadata", "", e.ValidUntil))
			}
			if e.SP == nil {
				return nil
			}
			seen := map[string]bool{}
			for _, k := range e.SP.Keys {
				if k.Certificate == nil || seen[saml.Fingerprint(k.Certificate)] {
					continue
				}
				print := saml.Fingerprint(k.Certificate)
				seen[print] = true
				list = append(list, ending(s, calendar.Certificate, print, fmt.Sprintf("%s, %.23s…", k.Certificate.Subject.CommonName, print), k.Certificate.NotAfter))
			}
			return nil
		})
		if err != nil {
			m.Log.WarnContext(ctx, "metadata of a service cannot be read", "service", s.ID, "error", err)
		}
	}
	return list, nil
}

// ending is one thing of a service that ends.
func ending(s *registry.Service, kind calendar.Kind, id, detail string, ends time.Time) calendar.Expiring {
	return calendar.Expiring{
		ID: s.ID + " " + id, Kind: kind, NameFrench: s.NameFrench, NameEnglish: s.NameEnglish, Detail: detail,
		Ends: ends, Contact: s.Contact, URL: "/sso/services/" + s.ID,
	}
}
