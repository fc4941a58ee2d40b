package saml

import (
	"fmt"

	"github.com/beevik/etree"
)

// SOAPType is the media type of an envelope, and SOAPAction the header that
// goes with a request (bindings, 3.2.3).
const (
	SOAPType   = "text/xml; charset=utf-8"
	SOAPAction = "http://www.oasis-open.org/committees/security"
)

// Envelope wraps a message, signed already, for the SOAP binding (bindings,
// 3.2).
func Envelope(message *etree.Element) ([]byte, error) {
	envelope := newRoot("soap:Envelope", "soap")
	envelope.CreateElement("soap:Body").AddChild(message.Copy())
	return Marshal(envelope)
}

// ReadSOAP takes the one message out of an envelope. A fault of the other side
// is a [BindingError] with ErrUnexpected at "Fault", and its text.
func ReadSOAP(data []byte) (*Inbound, error) {
	root, err := Parse(data, MaxMessage)
	if err != nil {
		return nil, err
	}
	r := &reader{}
	if !r.expect(root, NSSOAP, "Envelope") {
		return nil, r.err
	}
	body := r.must(root, NSSOAP, "Body")
	if r.err != nil {
		return nil, r.err
	}
	messages := body.ChildElements()
	if len(messages) != 1 {
		return nil, &BindingError{Binding: SOAP, Reason: ErrUnexpected, Where: fmt.Sprintf("%d messages", len(messages))}
	}
	if is(messages[0], NSSOAP, "Fault") {
		return nil, &BindingError{Binding: SOAP, Reason: ErrUnexpected, Where: "Fault " + short(attrText(messages[0], "faultstring"))}
	}
	return &Inbound{Binding: SOAP, root: messages[0]}, nil
}

// attrText is the text of a child without a namespace, as SOAP 1.1 writes its
// faults.
func attrText(el *etree.Element, tag string) string {
	if child := el.SelectElement(tag); child != nil {
		return child.Text()
	}
	return ""
}
