package saml

import (
	"fmt"

	"github.com/beevik/etree"
)

// OpenResponse reads an answer to our service provider and believes the part of
// it that the identity provider signed: the whole answer, or its one assertion,
// or both. The order is fixed: the signature of the whole when there is one,
// then decryption, then the assertion's own signature; a signature that is there
// and wrong is always refused, even when another one holds.
//
// What comes back is proved to be that identity provider's; whether it is for us
// and for now is asked with [Expect.Check].
func OpenResponse(m *Inbound, keys []PublicKey, policy Policy, opener Opener) (*Response, error) {
	if m.Binding == Redirect { // profiles, 4.1.2: answers do not come in addresses
		return nil, &BindingError{Binding: Redirect, Reason: ErrUnexpected, Where: m.Kind()}
	}
	root := m.root
	var whole *Proof
	if m.Signed() {
		verified, proof, err := m.Verify(keys, policy)
		if err != nil {
			return nil, err
		}
		root, whole = verified, proof
	}
	r := &reader{}
	response := r.envelope(root, "Response")
	if r.err != nil {
		return nil, r.err
	}
	response.Signed = whole != nil
	if !response.Status.OK() {
		return response, &StatusError{Status: response.Status}
	}
	assertion, err := theAssertion(root)
	if err != nil {
		return nil, err
	}
	if assertion.Tag == "EncryptedAssertion" {
		response.Encrypted = true
		if assertion, err = opener.Open(assertion); err != nil {
			return nil, err
		}
		if !r.expect(assertion, NSAssertion, "Assertion") {
			return nil, r.err
		}
	}
	response.Proof = whole
	if whole == nil || Signed(assertion) {
		if assertion, response.Proof, err = Verify(assertion, keys, policy); err != nil {
			return nil, err
		}
	}
	response.Assertion = r.assertion(assertion)
	if r.err != nil {
		return nil, r.err
	}
	return response, nil
}

// theAssertion gives the one assertion of an answer, encrypted or not, among the
// answer's own children. Any other one, anywhere below, is what signature
// wrapping is made of (Somorovsky and others, "On Breaking SAML", 2012), and is
// refused whether it would be used or not.
func theAssertion(response *etree.Element) (*etree.Element, error) {
	var found *etree.Element
	count := 0
	var walk func(el *etree.Element)
	walk = func(el *etree.Element) {
		for child := range el.ChildElementsSeq() {
			if is(child, NSAssertion, "Assertion") || is(child, NSAssertion, "EncryptedAssertion") {
				count++
				if el == response {
					found = child
				}
			}
			walk(child)
		}
	}
	walk(response)
	switch {
	case count == 0:
		return nil, &XMLError{Reason: ErrMissing, Where: "Assertion"}
	case count > 1 || found == nil:
		return nil, &SignatureError{Reason: ErrWrapped, Detail: fmt.Sprintf("%d assertions", count)}
	}
	return found, nil
}
