package registry

import (
	"encoding/xml"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// SAMLPeer is what SAML needs to know of a service provider. Its metadata says
// the rest: where answers go, with which keys it signs and reads.
type SAMLPeer struct {
	EntityID    string `toml:"entity_id" help:"the service provider's entityID"`
	MetadataURL string `toml:"metadata_url" help:"where its metadata is fetched daily; empty: only what is given here"`
	Metadata    string `toml:"metadata" help:"its metadata itself (XML); not needed for a member of a federation"`
	// NameID is how the service is told who somebody is.
	NameID          NameIDFormat  `toml:"name_id" help:"persistent, transient, email or unspecified; empty: what the service asks for, else transient"`
	NameIDFrom      string        `toml:"name_id_from" help:"the attribute whose value becomes the name identifier, such as uid; immutable: the base64 of our identifier, which Microsoft 365 calls ImmutableID; empty: an identifier made for this service"`
	AttributeFormat AttributeForm `toml:"attribute_format" help:"uri: names such as urn:oid:2.5.4.4; basic: names such as sn; empty: uri"`
	AttributeNames  []string      `toml:"attribute_names" help:"names that this service wants, such as IDPEmail=mail; targeted-id and mfa are sources besides the attributes"`
	RequestedOnly   bool          `toml:"requested_only" help:"release only what the service's metadata asks for"`
	Sign            SignWhat      `toml:"sign" help:"both, assertion or response; empty: both"`
	Encrypt         Encrypting    `toml:"encrypt" help:"always or never; empty: when the service's metadata has a key for it"`
	SignedRequests  bool          `toml:"signed_requests" help:"refuse requests that are not signed, whatever the metadata says"`
	// SPInitiatedOnly marks a service that refuses answers it did not ask for.
	SPInitiatedOnly bool   `toml:"sp_initiated_only" help:"the service refuses to be started from here: the catalogue leads to its own sign-in"`
	LoginURL        string `toml:"login_url" help:"the service's own sign-in, where a visit is started again"`
	Context         string `toml:"context" help:"the AuthnContextClassRef it is told when it asks for none; empty: PasswordProtectedTransport"`
}

// NameIDFormat is a form of name identifiers, in the short words of the registry.
type NameIDFormat string

// The forms (SAML core, 8.3).
const (
	NameIDAsked       NameIDFormat = "" // what the service asks for
	NameIDPersistent  NameIDFormat = "persistent"
	NameIDTransient   NameIDFormat = "transient"
	NameIDEmail       NameIDFormat = "email"
	NameIDUnspecified NameIDFormat = "unspecified"
)

// NameIDFormats lists the forms that an entry may hold.
var NameIDFormats = []NameIDFormat{NameIDAsked, NameIDPersistent, NameIDTransient, NameIDEmail, NameIDUnspecified}

// NameIDImmutable as the source of a name is our own identifier of the person, in
// the form of Microsoft's ImmutableID.
const NameIDImmutable = "immutable"

// Sources of AttributeNames that are no attribute of the registry.
const (
	// SourceTargetedID is eduPersonTargetedID: the persistent name identifier as an
	// attribute, which subject-id and pairwise-id replace.
	SourceTargetedID = "targeted-id"
	// SourceMFA is what Microsoft reads to know that a second factor was used.
	SourceMFA = "mfa"
)

// SAMLSources lists what a name of AttributeNames may stand for, the attributes first.
var SAMLSources = append(slices.Clone(Attributes), SourceTargetedID, SourceMFA)

// AttributeForm is how attributes are named.
type AttributeForm string

// The forms (SAML core, 8.2).
const (
	AttributeURI   AttributeForm = "uri"
	AttributeBasic AttributeForm = "basic"
)

// SignWhat says which parts of an answer are signed.
type SignWhat string

// What may be signed.
const (
	SignBoth      SignWhat = "both"
	SignAssertion SignWhat = "assertion"
	SignResponse  SignWhat = "response"
)

// Encrypting says when assertions are encrypted.
type Encrypting string

// When assertions are encrypted.
const (
	EncryptIfKey  Encrypting = "" // the metadata has a key for it
	EncryptAlways Encrypting = "always"
	EncryptNever  Encrypting = "never"
)

// AttributeName reads one entry of AttributeNames: the name that the service
// wants, and ours.
func AttributeName(text string) (wanted, ours string, ok bool) {
	wanted, ours, ok = strings.Cut(text, "=")
	wanted, ours = strings.TrimSpace(wanted), strings.TrimSpace(ours)
	return wanted, ours, ok && wanted != "" && slices.Contains(SAMLSources, Attribute(ours))
}

// contextForm is a class of authentication contexts, which are named by URIs
// (SAML authentication contexts, 3.4); empty for none.
var contextForm = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*:[^\s<>"]{1,500})?$`)

// maxMetadata bounds the metadata that an entry holds itself, in bytes.
const maxMetadata = 1 << 20

// check lists what is wrong with the SAML part of a service.
func (p SAMLPeer) check() []Mistake {
	var m []Mistake
	add := func(field, key, text, value string) { m = append(m, Mistake{"saml." + field, key, text, value}) }
	if p.EntityID == "" {
		add("entity_id", "entity_missing", "give the service provider's entityID", "")
	}
	if len(p.EntityID) > 1024 { // metadata, 2.2.1
		add("entity_id", "too_long", "is too long", "")
	}
	if len(p.Metadata) > maxMetadata {
		add("metadata", "too_long", "is too long", "")
	} else if p.Metadata != "" && !looksLikeXML(p.Metadata) {
		add("metadata", "metadata", "is not XML", "")
	}
	for field, address := range map[string]string{"metadata_url": p.MetadataURL, "login_url": p.LoginURL} {
		u, err := url.Parse(address)
		if address != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil) {
			add(field, "home", "is not an address such as https://moodle.univ.fr/", address)
		}
	}
	for field, wrong := range map[string]bool{
		"name_id":          !slices.Contains(NameIDFormats, p.NameID),
		"name_id_from":     p.NameIDFrom != "" && p.NameIDFrom != NameIDImmutable && !Attribute(p.NameIDFrom).Known(),
		"attribute_format": !slices.Contains([]AttributeForm{"", AttributeURI, AttributeBasic}, p.AttributeFormat),
		"sign":             !slices.Contains([]SignWhat{"", SignBoth, SignAssertion, SignResponse}, p.Sign),
		"encrypt":          !slices.Contains([]Encrypting{EncryptIfKey, EncryptAlways, EncryptNever}, p.Encrypt),
	} {
		if wrong {
			add(field, "choice", "is not one of the values that exist", "")
		}
	}
	for _, text := range p.AttributeNames {
		if _, _, ok := AttributeName(text); !ok {
			add("attribute_names", "attribute_name", text+" is not a name, = and one of our attributes, such as IDPEmail=mail", text)
		}
	}
	if !contextForm.MatchString(p.Context) {
		add("context", "context", "must be a URI, such as urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", p.Context)
	}
	slices.SortStableFunc(m, func(a, b Mistake) int { return strings.Compare(a.Field, b.Field) })
	return m
}

// looksLikeXML tells an element from something else that was pasted; what it
// means is read when it is used.
func looksLikeXML(text string) bool {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.RawToken()
		if err != nil {
			return false
		}
		if _, ok := token.(xml.StartElement); ok {
			return true
		}
	}
}
