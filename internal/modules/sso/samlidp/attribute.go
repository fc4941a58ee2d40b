package samlidp

import (
	"context"

	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

const (
	oidTargetedID = "urn:oid:1.3.6.1.4.1.5923.1.1.1.10"
	// claimMethods is what Microsoft reads of how somebody signed in.
	claimMethods = "http://schemas.microsoft.com/claims/authnmethodsreferences"
)

// attributes writes what is released as the service wants it named: by the URIs of
// eduPerson and SupAnn with their friendly names, by short names, or by names of
// its own.
func (x *IDP) attributes(ctx context.Context, p peer, e gate.Entrance) ([]saml.Attribute, error) {
	own := map[registry.Attribute][]string{} // names of the service's own
	var list []saml.Attribute
	for _, text := range p.SAML.AttributeNames {
		name, ours, ok := registry.AttributeName(text)
		if !ok {
			continue // the entry was checked when it was made
		}
		switch ours {
		case registry.SourceTargetedID:
			a, err := x.targetedID(ctx, p, e, name)
			if err != nil {
				return nil, err
			}
			list = append(list, a)
		case registry.SourceMFA:
			if secondFactor(e.Viewer) {
				list = append(list, saml.Attribute{Name: nameOr(name, claimMethods), NameFormat: saml.NameFormatURI, Values: saml.Texts(saml.ContextMicrosoftMFA)})
			}
		default:
			own[registry.Attribute(ours)] = append(own[registry.Attribute(ours)], name)
		}
	}
	for _, released := range e.Attributes {
		values := saml.Texts(released.Values...)
		for _, name := range own[released.Name] {
			list = append(list, saml.Attribute{Name: name, NameFormat: formOf(name), FriendlyName: string(released.Name), Values: values})
		}
		if len(own[released.Name]) > 0 {
			continue
		}
		names, ok := released.Name.Names()
		if !ok {
			continue
		}
		a := saml.Attribute{Name: names.SAML, NameFormat: names.SAMLFormat(), FriendlyName: string(released.Name), Values: values}
		if p.SAML.AttributeFormat == registry.AttributeBasic {
			a.Name, a.NameFormat = string(released.Name), saml.NameFormatBasic
		}
		list = append(list, a)
	}
	return list, nil
}

// targetedID is eduPersonTargetedID: the persistent name as a value of XML
// (eduPerson, 2.2.11).
func (x *IDP) targetedID(ctx context.Context, p peer, e gate.Entrance, name string) (saml.Attribute, error) {
	value, err := x.store.name(ctx, p.Entity.ID, e.Viewer.Person)
	n := &saml.NameID{Value: value, Format: saml.FormatPersistent, NameQualifier: x.entityID(), SPNameQualifier: p.Entity.ID}
	return saml.Attribute{
		Name: nameOr(name, oidTargetedID), NameFormat: saml.NameFormatURI, FriendlyName: "eduPersonTargetedID", Values: []saml.Value{{Name: n}},
	}, err
}

// nameOr takes "*" for the usual name.
func nameOr(name, usual string) string {
	if name == "*" {
		return usual
	}
	return name
}

// formOf tells a name that is a URI from a short one.
func formOf(name string) string {
	for i := 0; i < len(name); i++ {
		if name[i] == ':' {
			return saml.NameFormatURI
		}
	}
	return saml.NameFormatBasic
}
