package saml

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"testing"
)

// BenchmarkSign has the ceiling beside it: what the key alone can do.
func BenchmarkSign(b *testing.B) {
	for kind, pair := range pairs {
		c := pair()
		b.Run(string(kind)+"/assertion", func(b *testing.B) {
			for b.Loop() {
				if err := Sign(anAssertion().Element(), c); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(string(kind)+"/ceiling", func(b *testing.B) {
			digest := sha256.Sum256([]byte("x"))
			for b.Loop() {
				if _, err := c.Key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAnswer makes a whole answer, as an identity provider sends it: one
// signature, in a form.
func BenchmarkAnswer(b *testing.B) {
	for kind, pair := range pairs {
		c := pair()
		b.Run(string(kind), func(b *testing.B) {
			for b.Loop() {
				el := anAssertion().Element()
				if err := Sign(el, c); err != nil {
					b.Fatal(err)
				}
				if _, err := POSTForm(ourACS, Answer, aResponse().Element(el), ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpenResponse(b *testing.B) {
	c := rsaPair()
	el := anAssertion().Element()
	if err := Sign(el, c); err != nil {
		b.Fatal(err)
	}
	text, err := Marshal(aResponse().Element(el))
	if err != nil {
		b.Fatal(err)
	}
	form := url.Values{string(Answer): {base64.StdEncoding.EncodeToString(text)}}
	for b.Loop() {
		m, err := ReadPOST(form)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := OpenResponse(m, keysOf(c), Policy{}, Opener{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAggregate(b *testing.B) {
	data := bigFederation(b, 10<<20)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadMetadata(data, Trust{Keys: keysOf(rsaPair())}, func(*Entity) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
