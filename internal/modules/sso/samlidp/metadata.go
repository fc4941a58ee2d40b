package samlidp

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

const (
	// metadataLife is how long a copy of our metadata is good. It is shorter than the
	// time for which the next key is published before it signs.
	metadataLife = 10 * 24 * time.Hour
	// metadataCache is how often others should read it.
	metadataCache = 24 * time.Hour
	// metadataWritten is how long one signature of ours on it is handed out.
	metadataWritten = time.Minute
)

// published is our metadata as it was written last, so that whoever asks often
// costs no signature each time.
type published struct {
	sync.Mutex
	text []byte
	at   time.Time
}

// metadataPage gives our metadata to whoever asks (metadata, 4.1).
func (x *IDP) metadataPage(w http.ResponseWriter, r *http.Request) error {
	text, err := x.writeMetadata(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", saml.MetadataType)
	w.Header().Set("Content-Disposition", `inline; filename="saml-metadata.xml"`)
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, err = w.Write(text)
	return err
}

func (x *IDP) writeMetadata(ctx context.Context) ([]byte, error) {
	x.published.Lock()
	defer x.published.Unlock()
	now := x.Clock.Now()
	if age := now.Sub(x.published.at); x.published.text != nil && age >= 0 && age < metadataWritten {
		return x.published.text, nil
	}
	entity, err := x.describe(ctx)
	if err != nil {
		return nil, err
	}
	by, err := x.credential(ctx)
	if err != nil {
		return nil, err
	}
	text, err := saml.WriteMetadata(entity, &by)
	if err != nil {
		return nil, fmt.Errorf("write our metadata: %w", err)
	}
	x.published.text, x.published.at = text, now
	return text, nil
}

// describe is this identity provider as others see it. Every published key is in
// it: the next one long before it signs, the last one until what it signed has run
// out.
func (x *IDP) describe(ctx context.Context) (*saml.Entity, error) {
	ring, err := x.Keys.Published(ctx, keys.SAML)
	if err != nil {
		return nil, err
	}
	role := &saml.IDPRole{
		WantRequestsSigned: x.config.SignedRequests,
		SSO: []saml.Endpoint{
			{Binding: saml.Redirect, Location: x.address(ssoPath)}, {Binding: saml.POST, Location: x.address(ssoPath)},
		},
	}
	for _, k := range ring {
		if k.Certificate != nil {
			role.Keys = append(role.Keys, saml.RoleKey{PublicKey: saml.KeyFrom(k.Certificate), Use: saml.UseSigning})
		}
	}
	role.NameIDFormats = formats
	role.Logout = []saml.Endpoint{
		{Binding: saml.Redirect, Location: x.address(logoutPath)}, {Binding: saml.POST, Location: x.address(logoutPath)},
		{Binding: saml.SOAP, Location: x.address(soapPath)},
	}
	role.ErrorURL = x.address("/why")
	if x.Scope != "" {
		role.Scopes = []saml.Scope{{Value: x.Scope}}
	}
	c := x.config
	role.UI = saml.UI{
		DisplayNames: texts(c.NameFrench, c.NameEnglish), Descriptions: texts(c.DescriptionFrench, c.DescriptionEnglish),
		InformationURLs: texts(x.information(), x.information()), PrivacyURLs: texts(c.PrivacyURL, c.PrivacyURL),
	}
	if c.LogoURL != "" {
		role.UI.Logos = []saml.Logo{{URL: c.LogoURL, Width: 80, Height: 60}}
	}
	if x.Scope != "" {
		role.UI.Domains = []string{x.Scope}
	}
	return &saml.Entity{
		ID: x.entityID(), ValidUntil: x.Clock.Now().Add(metadataLife), CacheDuration: metadataCache,
		Attributes: x.entityAttributes(), IDP: role, Organization: x.organization(), Contacts: c.contacts(),
	}, nil
}

func (x *IDP) information() string {
	if x.config.InformationURL != "" {
		return x.config.InformationURL
	}
	return x.BaseURL
}

// texts are those of both languages that there are.
func texts(french, english string) []saml.Localized {
	var list []saml.Localized
	if french != "" {
		list = append(list, saml.Localized{Lang: "fr", Text: french})
	}
	if english != "" {
		list = append(list, saml.Localized{Lang: "en", Text: english})
	}
	return list
}

func (x *IDP) organization() *saml.Organization {
	names := texts(x.config.NameFrench, x.config.NameEnglish)
	if len(names) == 0 {
		return nil
	}
	o := &saml.Organization{Names: names, DisplayNames: names}
	for _, n := range names {
		o.URLs = append(o.URLs, saml.Localized{Lang: n.Lang, Text: x.information()})
	}
	return o
}

func (c Config) contacts() []saml.Contact {
	var list []saml.Contact
	for _, contact := range []struct{ kind, mail string }{
		{saml.ContactTechnical, c.TechnicalContact}, {saml.ContactSupport, c.SupportContact}, {saml.ContactSecurity, c.SecurityContact},
	} {
		if contact.mail != "" {
			list = append(list, saml.Contact{Kind: contact.kind, GivenName: strings.Split(contact.mail, "@")[0], Emails: []string{contact.mail}})
		}
	}
	return list
}

// entityAttributes say which categories of services we release attributes to: those
// that every federation of ours admits in full, and SIRTFI.
func (x *IDP) entityAttributes() []saml.Attribute {
	var list []saml.Attribute
	if x.config.SIRTFI {
		list = append(list, saml.Attribute{Name: saml.AssuranceAttribute, NameFormat: saml.NameFormatURI, Values: saml.Texts(saml.AssuranceSirtfi)})
	}
	if supported := x.metadata.Supported(); len(supported) > 0 {
		list = append(list, saml.Attribute{Name: saml.CategorySupport, NameFormat: saml.NameFormatURI, Values: saml.Texts(supported...)})
	}
	return list
}
