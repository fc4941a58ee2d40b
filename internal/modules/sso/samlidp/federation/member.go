package federation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/federation/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// MemberPrefix begins the identifiers of services that stand in no registry but a
// federation's.
const MemberPrefix = "member-"

// memberKey is how much of an entity's key makes the identifier.
const memberKey = 24

// Member is the service that stands for a member of a federation, by the identifier
// that [Found.Service] gave it. It returns [Unknown] for any other.
func (x *Store) Member(ctx context.Context, service string) (*registry.Service, error) {
	key, ok := strings.CutPrefix(service, MemberPrefix)
	if !ok || len(key) != memberKey {
		return nil, Unknown
	}
	entityID, err := sqlgen.New(x.DB.Read()).EntityByKey(ctx, sqlgen.EntityByKeyParams{FirstKey: key, LastKey: key + "g"}) // after every hexadecimal digit
	if errors.Is(err, sql.ErrNoRows) {
		return nil, Unknown
	}
	if err != nil {
		return nil, fmt.Errorf("find the member %s: %w", service, err)
	}
	f, err := x.Find(ctx, entityID, nil)
	if err != nil {
		return nil, err
	}
	s, ok := f.Service()
	if !ok {
		return nil, Unknown
	}
	return s, nil
}

// bundles are what the entity categories of REFEDS ask identity providers to
// release. The code of conduct has no list: it binds a service to ask for what it
// needs and no more.
var bundles = map[string][]registry.Attribute{
	saml.CategoryResearch: {
		registry.PrincipalName, registry.Mail, registry.DisplayName, registry.GivenName, registry.Surname, registry.ScopedAffiliation,
	},
	saml.CategoryAnonymous:    {registry.ScopedAffiliation, registry.HomeOrganization},
	saml.CategoryPseudonymous: {registry.PairwiseID, registry.Assurance, registry.ScopedAffiliation, registry.HomeOrganization},
	saml.CategoryPersonalized: {
		registry.SubjectID, registry.DisplayName, registry.GivenName, registry.Surname, registry.Mail,
		registry.Assurance, registry.ScopedAffiliation, registry.HomeOrganization,
	},
}

var conducts = []string{saml.CategoryCodeOfConduct, saml.CategoryCodeOfConduct2}

// Service makes an entry of the registry out of the metadata of a member, or
// returns false when the configuration admits it to nobody. Everybody may enter;
// the attributes are those that its entity categories ask for.
func (f *Found) Service() (*registry.Service, bool) {
	c := f.Federation
	if c == nil || f.Entity.SP == nil || !c.admits(f.Entity) {
		return nil, false
	}
	s := Propose(f.Entity)
	s.ID = MemberPrefix + entityKey(f.Entity.ID)[:memberKey]
	s.FromConfiguration = true // no page changes it
	s.Consent = !c.NoConsent
	s.Attributes = c.released(f.Entity)
	s.Required = slices.DeleteFunc(s.Required, func(a registry.Attribute) bool { return !slices.Contains(s.Attributes, a) })
	return &s, true
}

func (c *Config) admits(e *saml.Entity) bool {
	return slices.ContainsFunc(c.Admit, func(category string) bool { return category == All || e.Is(category) })
}

// released is what the member may be told.
func (c *Config) released(e *saml.Entity) []registry.Attribute {
	allowed := map[registry.Attribute]bool{}
	for category, bundle := range bundles {
		if e.Is(category) {
			for _, a := range bundle {
				allowed[a] = true
			}
		}
	}
	if slices.ContainsFunc(conducts, e.Is) {
		asked, required := Requested(e, nil)
		for _, a := range append(asked, required...) {
			allowed[a] = true
		}
	}
	var list []registry.Attribute
	for _, a := range registry.Attributes {
		if allowed[a] && (len(c.Release) == 0 || slices.Contains(c.Release, a)) {
			list = append(list, a)
		}
	}
	return list
}

// Requested lists the attributes that a service provider asks for, those that it
// needs besides. q chooses the list; nil is the default one.
func Requested(e *saml.Entity, q *saml.AuthnRequest) (asked, required []registry.Attribute) {
	service, ok := e.SP.Service(q)
	if !ok {
		return nil, nil
	}
	for _, r := range service.Requested {
		a := registry.BySAML(r.Name, r.FriendlyName)
		if a == "" {
			continue
		}
		if r.Required && !slices.Contains(required, a) {
			required = append(required, a)
		}
		if !slices.Contains(asked, a) {
			asked = append(asked, a)
		}
	}
	// A subject identifier is asked for by the metadata's own attribute
	// (saml-subject-id-attr, 4).
	for _, a := range e.Attributes {
		if a.Name != "urn:oasis:names:tc:SAML:profiles:subject-id:req" {
			continue
		}
		for _, v := range a.Strings() {
			switch v {
			case "subject-id":
				asked, required = append(asked, registry.SubjectID), append(required, registry.SubjectID)
			case "pairwise-id", "any":
				asked, required = append(asked, registry.PairwiseID), append(required, registry.PairwiseID)
			}
		}
	}
	return asked, required
}

// Propose fills in the entry of a service from its metadata, for an administrator
// to look over: names, address, contact, the attributes that it asks for. The
// identifier is made of the entityID.
func Propose(e *saml.Entity) registry.Service {
	french, english := Names(e)
	s := registry.Service{
		ID: proposedID(e.ID), Protocol: registry.SAML, NameFrench: cut(french, 200), NameEnglish: cut(english, 200),
		DescriptionFrench:  cut(saml.InLanguage(e.SP.UI.Descriptions, "fr", "en"), 1000),
		DescriptionEnglish: cut(saml.InLanguage(e.SP.UI.Descriptions, "en", "fr"), 1000),
		SAML:               registry.SAMLPeer{EntityID: e.ID},
	}
	if e.Organization != nil {
		s.Owner = cut(saml.InLanguage(e.Organization.DisplayNames, "fr", "en"), 200)
	}
	if mails := e.Contact(saml.ContactTechnical, saml.ContactSupport); len(mails) > 0 {
		s.Contact = mails[0]
	}
	s.Attributes, s.Required = Requested(e, nil)
	if len(e.SP.RequestInitiators) > 0 {
		s.SAML.LoginURL = e.SP.RequestInitiators[0]
	}
	return s
}

// proposedID is short and stable: the host of the entityID where it has one.
func proposedID(entityID string) string {
	if host := hostOf(entityID); host != "" {
		return host
	}
	return "sp-" + id.Hash(entityID)[:12]
}

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	runes := []rune(text)
	for len(string(runes)) > most-3 {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

// Supported lists the entity categories to which a federation of ours releases
// everything that the category asks for.
func (x *Store) Supported() []string {
	var list []string
	for _, category := range []string{
		saml.CategoryResearch, saml.CategoryCodeOfConduct, saml.CategoryCodeOfConduct2,
		saml.CategoryAnonymous, saml.CategoryPseudonymous, saml.CategoryPersonalized,
	} {
		if slices.ContainsFunc(x.federations, func(c Config) bool { return c.supports(category) }) {
			list = append(list, category)
		}
	}
	return list
}

func (c *Config) supports(category string) bool {
	if !slices.Contains(c.Admit, category) && !slices.Contains(c.Admit, All) {
		return false
	}
	return len(c.Release) == 0 || !slices.ContainsFunc(bundles[category], func(a registry.Attribute) bool { return !slices.Contains(c.Release, a) })
}
