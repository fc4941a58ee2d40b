package samlsp

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/saml"
)

const (
	// describedFor is how long our metadata may be used, and describedAgain how often
	// they should be fetched. The time between survives a long week-end.
	describedFor   = 14 * 24 * time.Hour
	describedAgain = 6 * time.Hour
)

// Describe implements [upstream.Describer]: the metadata of a service provider
// (saml-metadata, 2.4.4), signed by the key that they name.
func (p *Provider) Describe(ctx context.Context, answerURL string) (string, []byte, error) {
	keys, err := p.ring.all(ctx)
	if err != nil {
		return "", nil, err
	}
	now, first, second := p.clock.Now(), 0, 1
	sp := &saml.SPRole{
		RequestsSigned: true, WantAssertionsSigned: true,
		ACS: []saml.Endpoint{{Binding: saml.POST, Location: answerURL, Index: &first}},
	}
	for _, k := range slices.Backward(keys) { // the newest is the one to encrypt for
		sp.Keys = append(sp.Keys, saml.RoleKey{PublicKey: k.Public(), Use: saml.UseSigning}, saml.RoleKey{PublicKey: k.Public(), Use: saml.UseEncryption, Ciphers: p.ciphers()})
	}
	// By redirect only: a form from another site would bring no cookie, and what to
	// end could not be told.
	sp.Logout = []saml.Endpoint{{Binding: saml.Redirect, Location: ownAddress(answerURL, "left")}}
	// Whoever is left to choose should choose a name that lasts: one that changes at
	// each visit names nobody.
	sp.NameIDFormats = []string{orElse(p.SAML.NameIDFormat, saml.FormatPersistent)}
	if p.SAML.DiscoveryURL != "" {
		sp.Discovery = []saml.Endpoint{{Binding: saml.NSDiscovery, Location: ownAddress(answerURL, "start"), Index: &second}}
	}
	if requested := p.requested(); len(requested) > 0 {
		name := []saml.Localized{{Lang: "fr", Text: p.NameFrench}, {Lang: "en", Text: p.NameEnglish}}
		sp.Services = []saml.AttributeService{{Index: 1, Default: true, Names: name, Requested: requested}}
	}
	by := signing(keys, now)
	text, err := saml.WriteMetadata(&saml.Entity{
		ID: entityID(p.SAML, answerURL), ValidUntil: now.Add(describedFor), CacheDuration: describedAgain, SP: sp,
	}, &by)
	return saml.MetadataType, text, err
}

// ciphers are what may be encrypted with for us.
func (p *Provider) ciphers() []saml.Cipher {
	all := []saml.Cipher{saml.AES256GCM, saml.AES128GCM}
	if p.SAML.AllowCBC {
		all = append(all, saml.AES256CBC, saml.AES128CBC)
	}
	return all
}

// requested are the attributes that the rules of this upstream look at. Those
// that accounts are found by are required.
func (p *Provider) requested() []saml.RequestedAttribute {
	required := map[string]bool{}
	names := slices.Clone(p.SAML.Attributes)
	if len(names) == 0 {
		for _, m := range p.Match {
			names, required[m.Attribute] = append(names, m.Attribute), true
		}
		if c := p.Create; c.Allowed {
			names = append(names, orElse(c.Login, "uid"), orElse(c.Mail, "mail"), orElse(c.GivenName, "givenName"), orElse(c.FamilyName, "sn"), orElse(c.StudentNumber, "supannEtuId"))
			for _, rule := range c.Affiliations {
				names = append(names, rule.Attribute)
			}
		}
	}
	slices.Sort(names)
	var requested []saml.RequestedAttribute
	for _, short := range slices.Compact(names) {
		if name, known := longName(short); known {
			requested = append(requested, saml.RequestedAttribute{
				Attribute: saml.Attribute{Name: name, NameFormat: saml.NameFormatURI, FriendlyName: short}, Required: required[short],
			})
		}
	}
	return requested
}

func orElse(configured, usual string) string {
	if configured != "" {
		return configured
	}
	return usual
}

// longName is the name under which an attribute travels in federations.
func longName(short string) (string, bool) {
	for long, s := range shortNames {
		if s == short && strings.HasPrefix(long, "urn:") {
			return long, true
		}
	}
	return "", false
}
