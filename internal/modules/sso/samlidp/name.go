package samlidp

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// formats are those that our metadata names.
var formats = []string{saml.FormatTransient, saml.FormatPersistent, saml.FormatEmail, saml.FormatUnspecified}

// ofRegistry are the formats behind the short words of the registry.
var ofRegistry = map[registry.NameIDFormat]string{
	registry.NameIDPersistent: saml.FormatPersistent, registry.NameIDTransient: saml.FormatTransient,
	registry.NameIDEmail: saml.FormatEmail, registry.NameIDUnspecified: saml.FormatUnspecified,
}

// errNamePolicy: the service asked for a name that it does not get.
var errNamePolicy = errors.New("the name identifier that was asked for is not given")

// format chooses how the service is told who somebody is: as its request says,
// else as its entry says, else the first of its metadata that we have, else
// without any lasting name.
func format(p peer, q *request) (string, error) {
	entry := ofRegistry[p.SAML.NameID]
	if q.Qualifier != "" && q.Qualifier != p.Entity.ID {
		return "", errNamePolicy // a name for a group of services, of which we keep none
	}
	switch q.Format {
	case "", saml.FormatUnspecified:
	case saml.FormatEncrypted: // an ordinary name, encrypted: the assertion is as a whole
	default:
		if !slices.Contains(formats, q.Format) {
			return "", errNamePolicy
		}
		// An address is somebody's data: it is released because the entry says so, not
		// because a request does.
		if q.Format == saml.FormatEmail && entry != saml.FormatEmail && !p.Releases(registry.Mail) {
			return "", errNamePolicy
		}
		return q.Format, nil
	}
	if entry != "" {
		return entry, nil
	}
	for _, f := range p.sp().NameIDFormats {
		if slices.Contains(formats, f) && (f != saml.FormatEmail || p.Releases(registry.Mail)) && f != saml.FormatUnspecified {
			return f, nil
		}
	}
	return saml.FormatTransient, nil
}

// nameID names somebody to a service. AllowCreate is not looked at: nobody sets it
// right, and a name costs nothing (saml2int, 2.2.3).
func (x *IDP) nameID(ctx context.Context, p peer, q *request, e gate.Entrance) (saml.NameID, error) {
	f, err := format(p, q)
	if err != nil {
		return saml.NameID{}, err
	}
	n := saml.NameID{Format: f}
	switch {
	case f == saml.FormatTransient:
		n.Value = saml.NewID()
		n.NameQualifier, n.SPNameQualifier = x.entityID(), p.Entity.ID
	case f == saml.FormatPersistent && p.SAML.NameIDFrom == "":
		if n.Value, err = x.store.name(ctx, p.Entity.ID, e.Viewer.Person); err != nil {
			return n, err
		}
		n.NameQualifier, n.SPNameQualifier = x.entityID(), p.Entity.ID
	case f == saml.FormatEmail && p.SAML.NameIDFrom == "":
		n.Value, err = x.value(ctx, p, e, registry.Mail)
	case p.SAML.NameIDFrom == registry.NameIDImmutable:
		n.Value = immutable(e.Viewer.Person)
	case p.SAML.NameIDFrom != "":
		n.Value, err = x.value(ctx, p, e, registry.Attribute(p.SAML.NameIDFrom))
	default: // unspecified
		n.Value, err = x.value(ctx, p, e, registry.UID)
	}
	if err == nil && n.Value == "" {
		facts := p.facts(ctx)
		facts["attribute"] = p.SAML.NameIDFrom
		if p.SAML.NameIDFrom == "" {
			facts["attribute"] = string(registry.Mail)
		}
		err = NameMissing.With(facts)
	}
	return n, err
}

// value is an attribute of who enters, also one that is not released besides.
func (x *IDP) value(ctx context.Context, p peer, e gate.Entrance, a registry.Attribute) (string, error) {
	if a == registry.UID {
		return e.Viewer.Login, nil
	}
	for _, released := range e.Attributes {
		if released.Name == a && len(released.Values) > 0 {
			return released.Values[0], nil
		}
	}
	alone := *p.Service
	alone.Attributes = []registry.Attribute{a}
	released, err := x.Gate.Released(ctx, &alone, e.Viewer.Person, nil)
	if err != nil || len(released) == 0 || len(released[0].Values) == 0 {
		return "", err
	}
	return released[0].Values[0], nil
}

// immutable is our identifier of somebody as Microsoft writes its ImmutableID: the
// base64 of the 16 bytes of a UUID. It never changes, whatever becomes of names
// and addresses.
func immutable(who campus.PersonID) string {
	if parsed, err := uuid.Parse(string(who)); err == nil {
		return base64.StdEncoding.EncodeToString(parsed[:])
	}
	sum := sha256.Sum256([]byte(who))
	return base64.StdEncoding.EncodeToString(sum[:16])
}
