package samlidp

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/calendar"
	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/health"
)

// Ends is a [calendar.Source]: the certificates of services whose metadata is read
// from an address, those that federations sign with, and our own.
func (x *IDP) Ends(ctx context.Context) ([]calendar.Expiring, error) {
	index, err := x.Gate.Registry(ctx)
	if err != nil {
		return nil, err
	}
	certificates, err := x.metadata.Certificates(ctx)
	if err != nil {
		return nil, err
	}
	var list []calendar.Expiring
	for _, c := range certificates {
		s := index.Get(c.Service)
		if s == nil {
			continue // its entry is gone, and its metadata goes with the next reading
		}
		list = append(list, calendar.Expiring{
			ID: s.ID + " " + c.Fingerprint, Kind: calendar.Certificate, NameFrench: s.NameFrench, NameEnglish: s.NameEnglish,
			Detail: fmt.Sprintf("%s, %.23s…", c.Subject, c.Fingerprint), Ends: c.NotAfter, Contact: s.Contact, URL: "/sso/services/" + s.ID,
		})
	}
	pinned, err := x.metadata.Pinned()
	if err != nil {
		return nil, err
	}
	for _, c := range pinned {
		list = append(list, calendar.Expiring{
			ID: "federation " + c.Service + " " + c.Fingerprint, Kind: calendar.Certificate, NameFrench: c.Service, NameEnglish: c.Service,
			Detail: fmt.Sprintf("%s, %.23s…", c.Subject, c.Fingerprint), Ends: c.NotAfter,
		})
	}
	ring, err := x.Keys.Published(ctx, keys.SAML)
	if err != nil {
		return nil, err
	}
	for _, k := range ring {
		if k.Certificate != nil && k.State != keys.Retired {
			list = append(list, calendar.Expiring{
				ID: "saml " + k.ID, Kind: calendar.OwnKey, NameFrench: "SAML", NameEnglish: "SAML", Detail: k.ID, Ends: k.Certificate.NotAfter,
			})
		}
	}
	return list, nil
}

// worry is how long before its end an aggregate that could not be renewed is told.
const worry = 48 * time.Hour

// Health says whether the metadata of federations is good for a while.
func (x *IDP) Health(ctx context.Context) []health.Check {
	return []health.Check{health.Run(ctx, "sso.saml_metadata", func(ctx context.Context) (string, error) {
		states, err := x.metadata.States(ctx)
		if err != nil {
			return "", err
		}
		members := int64(0)
		for _, s := range states {
			members += s.Entities
			if left := s.Until.Sub(x.Clock.Now()); !s.Until.IsZero() && left < worry {
				return "", FederationStale.With(fault.Args{"federation": s.Source, "until": s.Until})
			}
		}
		return fmt.Sprintf("%d service providers", members), nil
	})}
}

// Holdings declares what the alcove keeps about people.
func Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "sso_saml_names", "sso.saml.holding.names").On(contract.PublicTask, contract.DataIdentity).
			Erased(contract.Delete("person")),
		contract.Held(ctx, "sso_saml_sessions", "sso.saml.holding.sessions").On(contract.PublicTask, contract.DataConnection, contract.DataUse).
			Erased(contract.Delete("person")),
		contract.Held(ctx, "sso_saml_requests", "sso.saml.holding.requests").On(contract.PublicTask, contract.DataConnection),
	}
}

// exportedName is the name of somebody at one service provider.
type exportedName struct {
	Service string    `json:"service"` // entityID
	Name    string    `json:"name"`
	Since   time.Time `json:"since"`
}

// Export writes by which lasting names service providers know somebody.
func (x *IDP) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	rows, err := sqlgen.New(x.DB.Read()).PersonNames(ctx, string(who))
	if err != nil {
		return fmt.Errorf("list the names of a person: %w", err)
	}
	names := make([]exportedName, len(rows))
	for i, r := range rows {
		names[i] = exportedName{r.EntityID, r.Name, r.CreatedAt.Time()}
	}
	return a.JSON("sso/saml_names.json", names)
}
