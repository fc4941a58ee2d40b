package calendar

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// Services is the registry as a source: the secrets that have a day, and the
// certificates and metadata that entries hold themselves.
type Services struct {
	Registry func(ctx context.Context) (*registry.Index, error)
	Log      *slog.Logger
	Zone     *time.Location // in which the days of secrets are meant
}

// Secrets is a [Source]: the secrets and keys that services have until a day.
func (m Services) Secrets(ctx context.Context) ([]Expiring, error) {
	x, err := m.Registry(ctx)
	if err != nil {
		return nil, err
	}
	var list []Expiring
	for _, s := range x.Services() {
		if ends, err := time.ParseInLocation(time.DateOnly, s.SecretEnds, m.Zone); err == nil { // the entry was checked
			list = append(list, ending(s, Secret, "secret", "", ends))
		}
	}
	return list, nil
}

// Metadata is a [Source]: the certificates and the end of the metadata that entries
// hold themselves. A metadata that cannot be read ends nothing: its page says so.
func (m Services) Metadata(ctx context.Context) ([]Expiring, error) {
	x, err := m.Registry(ctx)
	if err != nil {
		return nil, err
	}
	var list []Expiring
	for _, s := range x.Services() {
		if s.Protocol != registry.SAML || s.SAML.Metadata == "" {
			continue
		}
		_, err := saml.ReadMetadata([]byte(s.SAML.Metadata), saml.Trust{}, func(e *saml.Entity) error {
			if !e.ValidUntil.IsZero() {
				list = append(list, ending(s, Metadata, "metadata", "", e.ValidUntil))
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
				list = append(list, ending(s, Certificate, print, fmt.Sprintf("%s, %.23s…", k.Certificate.Subject.CommonName, print), k.Certificate.NotAfter))
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
func ending(s *registry.Service, kind Kind, id, detail string, ends time.Time) Expiring {
	return Expiring{
		ID: s.ID + " " + id, Kind: kind, NameFrench: s.NameFrench, NameEnglish: s.NameEnglish, Detail: detail,
		Ends: ends, Contact: s.Contact, URL: "/sso/services/" + s.ID,
	}
}
