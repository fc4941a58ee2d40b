package saml

import (
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
)

// noon is when the tests happen.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const (
	ourIDP = "https://idp.univ.example/saml/metadata"
	ourSP  = "https://sp.univ.example/metadata"
	ourACS = "https://sp.univ.example/acs"
)

// pairs are made once: RSA keys take their time.
var pairs = map[Kind]func() Credential{
	RSA2048: sync.OnceValue(func() Credential { return makePair(RSA2048) }),
	P256:    sync.OnceValue(func() Credential { return makePair(P256) }),
}

var (
	otherPair  = sync.OnceValue(func() Credential { return makePair(RSA2048) })
	readerPair = sync.OnceValue(func() Credential { return makePair(RSA2048) })
)

func makePair(kind Kind) Credential {
	c, err := GenerateCredential(kind, "test", noon, 365*24*time.Hour)
	if err != nil {
		panic(err)
	}
	return c
}

func rsaPair() Credential { return pairs[RSA2048]() }

func keysOf(c ...Credential) []PublicKey {
	var keys []PublicKey
	for _, each := range c {
		keys = append(keys, each.Public())
	}
	return keys
}

// anAssertion is one that holds at noon for ourSP.
func anAssertion() *Assertion {
	return &Assertion{
		ID: "_assertion", IssueInstant: noon, Issuer: ourIDP,
		Subject: Subject{
			NameID: &NameID{Value: "amelie@univ.example", Format: FormatEmail},
			Confirmations: []Confirmation{{
				Method: Bearer, Recipient: ourACS, InResponseTo: "_request", NotOnOrAfter: noon.Add(5 * time.Minute),
			}},
		},
		Conditions: Conditions{
			NotBefore: noon.Add(-time.Minute), NotOnOrAfter: noon.Add(5 * time.Minute), Audiences: [][]string{{ourSP}},
		},
		Statements: []AuthnStatement{{Instant: noon.Add(-time.Minute), SessionIndex: "_session", Context: ContextRefedsMFA}},
		Attributes: []Attribute{
			{Name: "urn:oid:0.9.2342.19200300.100.1.3", NameFormat: NameFormatURI, FriendlyName: "mail", Values: Texts("amelie@univ.example")},
			{Name: "urn:oid:2.5.4.42", NameFormat: NameFormatURI, FriendlyName: "givenName", Values: Texts("Amélie <&> \"Zoé\"")},
		},
	}
}

func aResponse() *Response {
	return &Response{ID: "_response", InResponseTo: "_request", IssueInstant: noon, Destination: ourACS, Issuer: ourIDP, Status: Success()}
}

func anExpectation() Expect {
	return Expect{Issuer: ourIDP, Audience: ourSP, Destination: ourACS, InResponseTo: "_request", Now: noon, Skew: DefaultSkew}
}

// signed signs an element that a test made.
func signed(t *testing.T, el *etree.Element, by Credential) *etree.Element {
	t.Helper()
	if err := Sign(el, by); err != nil {
		t.Fatal(err)
	}
	return el
}

// text writes an element as it goes over the wire.
func text(t *testing.T, el *etree.Element) string {
	t.Helper()
	b, err := Marshal(el)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// posted reads a message as the other side would.
func posted(t *testing.T, field Field, el *etree.Element) *Inbound {
	t.Helper()
	form, err := POSTForm(ourACS, field, el, "relay")
	if err != nil {
		t.Fatal(err)
	}
	m, err := ReadPOST(url.Values{string(form.Field): {form.Message}, relayKey: {form.RelayState}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func parsed(t *testing.T, s string) *etree.Element {
	t.Helper()
	el, err := Parse([]byte(s), MaxMessage)
	if err != nil {
		t.Fatal(err)
	}
	return el
}
