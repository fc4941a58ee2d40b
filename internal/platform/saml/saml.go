// Package saml speaks SAML 2.0: its messages, bindings, signatures, encryption
// and metadata, for an identity provider and for a service provider alike.
//
// It knows neither a room nor a page nor a table. What arrives is read in one
// order only: a size limit, the checks of [Parse], a signature that is verified
// against keys that the caller names, and then nothing but the element that the
// signature covers. Every refusal is typed ([XMLError], [SignatureError],
// [MismatchError], [TimeError]…) and carries what was expected and what came, so
// that the rooms can tell one cause from another; there are no sentences for
// people here.
//
// The messages are structs of our own over beevik/etree. The types of
// crewjam/saml, the only served library, are read by encoding/xml from the
// document as it came and not from the verified part, lack logout responses by
// redirect and the keys of a roll-over, and write digest identifiers of XML
// encryption that do not exist; what stays useful of it is smaller than what
// would have to be mended. XML signatures are russellhaering/goxmldsig's.
//
// Sections are those of the OASIS standards saml-core-2.0-os ("core"),
// saml-bindings-2.0-os ("bindings"), saml-profiles-2.0-os ("profiles") and
// saml-metadata-2.0-os ("metadata").
package saml

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// The namespaces that messages and metadata use.
const (
	NSProtocol   = "urn:oasis:names:tc:SAML:2.0:protocol"
	NSAssertion  = "urn:oasis:names:tc:SAML:2.0:assertion"
	NSMetadata   = "urn:oasis:names:tc:SAML:2.0:metadata"
	NSSignature  = "http://www.w3.org/2000/09/xmldsig#"
	NSEncryption = "http://www.w3.org/2001/04/xmlenc#"
	NSEnc11      = "http://www.w3.org/2009/xmlenc11#"
	NSSOAP       = "http://schemas.xmlsoap.org/soap/envelope/"
	NSUI         = "urn:oasis:names:tc:SAML:metadata:ui"
	NSEntityAttr = "urn:oasis:names:tc:SAML:metadata:attribute"
	NSRegistered = "urn:oasis:names:tc:SAML:metadata:rpi"
	NSShibboleth = "urn:mace:shibboleth:metadata:1.0"
	NSDiscovery  = "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol"
	nsXML        = "http://www.w3.org/XML/1998/namespace"
	nsXMLNS      = "http://www.w3.org/2000/xmlns/"
)

// Binding is how a message travels (bindings, section 3).
type Binding string

// The bindings that peers announce. Artifact and PAOS are known by name only.
const (
	Redirect Binding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	POST     Binding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
	SOAP     Binding = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
	Artifact Binding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
	PAOS     Binding = "urn:oasis:names:tc:SAML:2.0:bindings:PAOS"
)

// Size limits of what is read. A message larger than MaxMessage is refused
// before it is looked at, and so is a compressed one as soon as it grows past
// it.
const (
	MaxMessage    = 1 << 20  // bytes of XML in one protocol message
	MaxMetadata   = 4 << 20  // bytes of one entity's metadata
	MaxAggregate  = 96 << 20 // bytes of a federation's aggregate; eduGAIN's is about 70 MB
	MaxRelayState = 1 << 10  // bytes; bindings, 3.4.3 asks for 80, others send more
)

// NewID makes the identifier of a message or an assertion: 160 random bits
// (core, 1.3.4 asks for at least 128) behind an underscore, because an xs:ID
// begins with no digit.
func NewID() string {
	b := make([]byte, 20)
	rand.Read(b) // never fails since Go 1.24: the program stops instead
	return "_" + hex.EncodeToString(b)
}

// FormatTime writes an instant as core, 1.3.3 wants it: UTC, "Z", here with
// milliseconds, which every toolkit reads.
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// readTime reads an xs:dateTime. Core, 1.3.3 allows nothing but UTC; some peers
// leave the zone out, which means the same here.
func readTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UTC(), nil
	}
	return time.Parse("2006-01-02T15:04:05.999999999", s)
}
