package federation

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/federation/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// Expiring is the end of one certificate of a service provider. SAML trusts the
// key inside, not the date; yet some programs stop at it.
type Expiring struct {
	Service     string // identifier in the registry, or of a federation
	EntityID    string
	Use         string // signing, encryption, or empty for both
	Fingerprint string // SHA-256, hexadecimal
	Subject     string
	NotAfter    time.Time
}

// Certificates lists those of the services whose entry names the address of their
// metadata, in the order of the services. What entries hold themselves stands in
// the registry.
func (x *Store) Certificates(ctx context.Context) ([]Expiring, error) {
	rows, err := sqlgen.New(x.DB.Read()).ServiceCertificates(ctx)
	if err != nil {
		return nil, fmt.Errorf("list certificates of service providers: %w", err)
	}
	var list []Expiring
	for _, r := range rows {
		var ends []keyEnd
		if err := json.Unmarshal([]byte(r.Certificates), &ends); err != nil {
			return nil, fmt.Errorf("read the certificates of %s: %w", r.Source, err)
		}
		for _, k := range ends {
			list = append(list, Expiring{strings.TrimPrefix(r.Source, serviceSource("")), r.EntityID, k.Use, k.Fingerprint, k.Subject, k.NotAfter})
		}
	}
	return list, nil
}

// Pinned lists the certificates that federations sign with, by which everything
// of theirs is believed. Service is the federation's id.
func (x *Store) Pinned() ([]Expiring, error) {
	var list []Expiring
	for _, f := range x.federations {
		keys, err := f.keys()
		if err != nil {
			return nil, fmt.Errorf("certificate of %s: %w", f.ID, err)
		}
		for _, k := range keys {
			list = append(list, Expiring{f.ID, "", saml.UseSigning, saml.Fingerprint(k.Certificate), k.Certificate.Subject.CommonName, k.Certificate.NotAfter})
		}
	}
	return list, nil
}

// State is how one source of metadata stands.
type State struct {
	Source    string // a federation's id, or "service:" and that of a service
	Address   string
	Entities  int64
	Until     time.Time // zero: none
	Checked   time.Time // zero: never
	Fetched   time.Time // zero: never
	Problem   string    // why the last document was not taken; empty when it was
	ProblemAt time.Time // since when
}

// States lists the sources, for the page of health.
func (x *Store) States(ctx context.Context) ([]State, error) {
	rows, err := sqlgen.New(x.DB.Read()).Sources(ctx)
	if err != nil {
		return nil, fmt.Errorf("list sources of metadata: %w", err)
	}
	list := make([]State, len(rows))
	for i, r := range rows {
		list[i] = State{
			Source: r.ID, Address: r.Url, Entities: r.Entities, Problem: r.Problem, Until: instant(int64(r.ValidUntilAt)),
			Checked: instant(int64(r.CheckedAt)), Fetched: instant(int64(r.FetchedAt)), ProblemAt: instant(int64(r.ProblemAt)),
		}
	}
	return list, nil
}

func instant(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// Member is a service provider of a federation, as a search shows it.
type Member struct {
	Federation string
	EntityID   string
	Name       string // in both languages when it has them
}

// Search finds members of federations by every word of a text, the first most of
// them in the order of their entityIDs.
func (x *Store) Search(ctx context.Context, text string, most int32) ([]Member, error) {
	words := strings.Fields(campus.Fold(text))
	if len(words) == 0 {
		return nil, nil
	}
	// The longest word narrows it most; the others are looked for in what it finds.
	longest := words[0]
	for _, w := range words {
		if len(w) > len(longest) {
			longest = w
		}
	}
	rows, err := sqlgen.New(x.DB.Read()).SearchEntities(ctx, sqlgen.SearchEntitiesParams{Pattern: "%" + longest + "%", Most: 50 * most})
	if err != nil {
		return nil, fmt.Errorf("search members of federations: %w", err)
	}
	var list []Member
	for _, r := range rows {
		folded := campus.Fold(r.Name + " " + r.EntityID)
		every := true
		for _, w := range words {
			every = every && strings.Contains(folded, w)
		}
		if every && x.federation(r.Source) != nil && len(list) < int(most) {
			list = append(list, Member{r.Source, r.EntityID, r.Name})
		}
	}
	return list, nil
}

// Propose proposes an entry of the registry for a member of a federation, by its
// entityID. It returns [Unknown] for any other.
func (x *Store) Propose(ctx context.Context, entityID string) (registry.Service, error) {
	f, err := x.Find(ctx, entityID, nil)
	if err != nil {
		return registry.Service{}, err
	}
	if f.Entity.SP == nil {
		return registry.Service{}, Unknown
	}
	return Propose(f.Entity), nil
}

func hostOf(entityID string) string {
	u, err := url.Parse(entityID)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		default:
			return '-'
		}
	}, strings.ToLower(u.Hostname()))
	return strings.Trim(name[:min(len(name), 60)], "-")
}
