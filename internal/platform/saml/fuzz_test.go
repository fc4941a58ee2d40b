package saml

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"testing"

	"github.com/beevik/etree"
)

// FuzzParse: what passes the inspection reads the same after it was written
// again, and no struct is read by panicking.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`<a xmlns="u" ID="1"><b xmlns=""/></a>`, `<x:a xmlns:x="u" x:b="&#xD;&quot;">&amp;<![CDATA[<]]></x:a>`, `<a><!-- --></a>`, `<!DOCTYPE a><a/>`,
	} {
		f.Add([]byte(seed))
	}
	for _, el := range []interface{ Element() *etree.Element }{aRequest(), anAssertion(), &LogoutRequest{ID: "_l", Issuer: ourIDP, IssueInstant: noon, NameID: NameID{Value: "a"}}, anEntity()} {
		text, err := Marshal(el.Element())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		el, err := Parse(data, MaxMessage)
		if err != nil {
			var refused *XMLError
			if !errors.As(err, &refused) {
				t.Fatalf("a refusal without a reason: %v", err)
			}
			return
		}
		first, err := Marshal(el)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(first, 2*MaxMessage)
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v\n%q", err, first)
		}
		second, err := Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Fatalf("it reads differently when written again:\n%q\n%q", first, second)
		}
		// Whatever comes of them, they must come back.
		ignore(ParseAuthnRequest(el))
		ignore(ParseAssertion(el))
		ignore(ParseLogoutRequest(el, Opener{Keys: []Credential{readerPair()}, AllowCBC: true}))
		ignore(ParseLogoutResponse(el))
		ignore(ParseEntity(el))
		ignore(Opener{Keys: []Credential{readerPair()}, AllowCBC: true}.Open(el))
	})
}

func ignore[T any](T, error) {}

// FuzzVerify: no change to a signed answer makes it say something else.
func FuzzVerify(f *testing.F) {
	c := pairs[P256]() // an RSA key takes the fuzzing engine seconds to make
	for _, el := range []*etree.Element{anAssertion().Element(), aResponse().Element(anAssertion().Element())} {
		if err := Sign(el, c); err != nil {
			f.Fatal(err)
		}
		text, err := Marshal(el)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		el, err := Parse(data, MaxMessage)
		if err != nil {
			return
		}
		verified, _, err := Verify(el, keysOf(c), Policy{})
		if err != nil {
			return
		}
		got, err := Marshal(verified)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(got, []byte("amelie@univ.example</saml:NameID>")) || bytes.Contains(got, []byte("Signature")) {
			t.Fatalf("signed by nobody, and verified: %s", got)
		}
	})
}

// FuzzRedirect and FuzzPOST: whatever a stranger sends is refused with a reason
// or read.
func FuzzRedirect(f *testing.F) {
	c := pairs[P256]() // an RSA key takes the fuzzing engine seconds to make
	address, err := RedirectURL("https://x/", Request, aRequest().Element(), "relay", &c)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(address[len("https://x/?"):])
	f.Add("SAMLRequest=%zz&Signature=&SigAlg")
	f.Fuzz(func(t *testing.T, query string) {
		m, err := ReadRedirect(query)
		if err != nil {
			typed(t, err)
			return
		}
		if _, _, err := m.Verify(keysOf(c), Policy{}); err != nil {
			typed(t, err)
		}
	})
}

func FuzzPOST(f *testing.F) {
	text, err := Marshal(aResponse().Element(anAssertion().Element()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(base64.StdEncoding.EncodeToString(text), "relay")
	f.Fuzz(func(t *testing.T, message, relay string) {
		m, err := ReadPOST(url.Values{"SAMLResponse": {message}, "RelayState": {relay}})
		if err != nil {
			typed(t, err)
			return
		}
		if p, err := OpenResponse(m, keysOf(pairs[P256]()), Policy{}, Opener{}); err == nil {
			t.Fatalf("nobody signed it: %+v", p)
		}
	})
}

// FuzzMetadata: no document stops the reader, and none of a stranger is believed.
func FuzzMetadata(f *testing.F) {
	f.Add(aFederation(f, 1, otherPair()))
	f.Add([]byte(`<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"><md:EntitiesDescriptor/></md:EntitiesDescriptor>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		ignore(ReadMetadata(data, Trust{}, func(*Entity) error { return nil }))
		ignore(ReadMetadata(data, Trust{Keys: keysOf(pairs[P256]())}, func(e *Entity) error {
			t.Fatalf("%s is believed", e.ID)
			return nil
		}))
	})
}

// FuzzCanonical: what the stream writes is well-formed and its own canonical
// form.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte(`<x:a xmlns:x="u" x:b="1" c="2"><d xmlns="v">&#xD;&lt;</d></x:a>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if inspect(bytes.NewReader(data), shape{elements: maxElements}) != nil {
			return
		}
		var once, twice bytes.Buffer
		if err := canonicalise(data, &once, wholeButSignature, nil, nil); err != nil {
			t.Fatal(err)
		}
		d := xml.NewDecoder(bytes.NewReader(once.Bytes()))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in %q", err, once.Bytes())
			}
		}
		if err := canonicalise(once.Bytes(), &twice, wholeButSignature, nil, nil); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(once.Bytes(), twice.Bytes()) {
			t.Fatalf("the canonical form has another:\n%q\n%q", once.Bytes(), twice.Bytes())
		}
	})
}

func typed(t *testing.T, err error) {
	t.Helper()
	var b *BindingError
	var x *XMLError
	var s *SignatureError
	if !errors.As(err, &b) && !errors.As(err, &x) && !errors.As(err, &s) {
		t.Fatalf("a refusal without a type: %v", err)
	}
}
