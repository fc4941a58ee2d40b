package saml

import (
	"encoding/base64"
	"net/url"

	"github.com/beevik/etree"
)

// Field is the parameter that carries a message (bindings, 3.4.4 and 3.5.4).
type Field string

// The two parameters: an answer travels in the second, everything else in the
// first.
const (
	Request  Field = "SAMLRequest"
	Answer   Field = "SAMLResponse"
	relayKey       = "RelayState"
)

// Inbound is a message that has arrived and passed [Parse]. Nothing in it is
// believed yet: the name of its sender only tells which keys to verify it with.
type Inbound struct {
	Binding    Binding
	Field      Field // "" by SOAP
	RelayState string

	root     *etree.Element
	detached *detached
}

// Kind is the name of the message: AuthnRequest, Response, LogoutRequest,
// LogoutResponse…
func (m *Inbound) Kind() string {
	if m.root.NamespaceURI() != NSProtocol {
		return ""
	}
	return m.root.Tag
}

// Issuer is who the message says it comes from, "" when it does not say.
func (m *Inbound) Issuer() string { return (&reader{}).issuer(m.root) }

// ID is the identifier of the message.
func (m *Inbound) ID() string { return attr(m.root, "ID") }

// InResponseTo is the identifier of the request that the message says it
// answers.
func (m *Inbound) InResponseTo() string { return attr(m.root, "InResponseTo") }

// Signed tells whether the message carries a signature, right or wrong.
func (m *Inbound) Signed() bool { return m.detached != nil || Signed(m.root) }

// Unverified is the message as it came. Read from it only what may come from
// anybody.
func (m *Inbound) Unverified() *etree.Element { return m.root }

// Verify checks the message's signature with the sender's keys and returns the
// part that it covers: the query's for a redirect, the enveloped one else. An
// unsigned message gives a [SignatureError] with ErrUnsigned.
func (m *Inbound) Verify(keys []PublicKey, policy Policy) (*etree.Element, *Proof, error) {
	if m.detached == nil {
		return Verify(m.root, keys, policy)
	}
	proof, err := m.detached.verify(keys, policy)
	if err != nil {
		return nil, nil, err
	}
	return m.root, proof, nil
}

// ReadPOST reads the message of a posted form (bindings, 3.5). The caller has
// bounded the size of the form.
func ReadPOST(form url.Values) (*Inbound, error) {
	m := &Inbound{Binding: POST}
	refuse := func(reason error, where string) (*Inbound, error) {
		return nil, &BindingError{Binding: POST, Reason: reason, Where: where}
	}
	var encoded string
	for _, field := range []Field{Request, Answer} {
		values := form[string(field)]
		if len(values) == 0 {
			continue
		}
		if len(values) > 1 || m.Field != "" {
			return refuse(ErrUnexpected, string(field))
		}
		m.Field, encoded = field, values[0]
	}
	if m.Field == "" {
		return refuse(ErrMissing, string(Request))
	}
	if len(form[relayKey]) > 1 {
		return refuse(ErrUnexpected, relayKey)
	}
	if m.RelayState = form.Get(relayKey); len(m.RelayState) > MaxRelayState {
		return refuse(ErrTooLarge, relayKey)
	}
	// Four characters carry three octets, with room for line breaks.
	if len(encoded) > MaxMessage/3*4+MaxMessage/16 {
		return refuse(ErrTooLarge, string(m.Field))
	}
	text, err := decodeBase64(encoded)
	if err != nil {
		return refuse(ErrEncoding, string(m.Field))
	}
	if m.root, err = Parse(text, MaxMessage); err != nil {
		return nil, err
	}
	return m, nil
}

// Form is what a page posts to a peer (bindings, 3.5.4): hidden fields and an
// address.
type Form struct {
	Action     string
	Field      Field
	Message    string // base64
	RelayState string // "" when there is none
}

// POSTForm builds the form for a message that is signed already.
func POSTForm(destination string, field Field, message *etree.Element, relayState string) (Form, error) {
	text, err := Marshal(message)
	if err != nil {
		return Form{}, err
	}
	return Form{Action: destination, Field: field, Message: base64.StdEncoding.EncodeToString(text), RelayState: relayState}, nil
}
