package saml

import (
	"crypto"
	"errors"
	"strings"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// The eight ways to wrap a signature, as SAML Raider numbers them after
// Somorovsky and others, "On Breaking SAML: Be Whoever You Want to Be" (2012).
// Each starts from an answer that somebody was honestly given and ends with one
// that names the administrator, around the same unchanged signature.
func TestWrappedSignaturesAreRefused(t *testing.T) {
	c := rsaPair()
	type vector struct {
		name  string
		whole bool // the answer is signed, and not the assertion
		wrap  func(response *etree.Element) *etree.Element
	}
	vectors := []vector{
		{"XSW1: the signed answer inside of the signature of a forged one", true, func(honest *etree.Element) *etree.Element {
			forged, signature := forgedCopy(honest, "_evil")
			original := honest.Copy()
			original.RemoveChild(all(original, NSSignature, "Signature")[0])
			signature.AddChild(original)
			forged.InsertChildAt(1, signature)
			return forged
		}},
		{"XSW2: the signed answer beside the signature of a forged one", true, func(honest *etree.Element) *etree.Element {
			forged, signature := forgedCopy(honest, "_evil")
			original := honest.Copy()
			original.RemoveChild(all(original, NSSignature, "Signature")[0])
			forged.InsertChildAt(1, original)
			forged.InsertChildAt(2, signature)
			return forged
		}},
		{"XSW3: a forged assertion before the signed one", false, func(honest *etree.Element) *etree.Element {
			forged, _ := forgedCopy(assertionIn(honest), "_evil")
			honest.InsertChildAt(assertionIn(honest).Index(), forged)
			return honest
		}},
		{"XSW4: a forged assertion around the signed one", false, func(honest *etree.Element) *etree.Element {
			original := assertionIn(honest)
			forged, _ := forgedCopy(original, "_evil")
			honest.RemoveChild(original)
			forged.AddChild(original)
			honest.AddChild(forged)
			return honest
		}},
		{"XSW5: a forged assertion with the signature, the original without at the end", false, func(honest *etree.Element) *etree.Element {
			original := assertionIn(honest)
			forged, signature := forgedCopy(original, "_evil")
			forged.InsertChildAt(1, signature)
			original.RemoveChild(all(original, NSSignature, "Signature")[0])
			honest.InsertChildAt(original.Index(), forged)
			return honest
		}},
		{"XSW6: a forged assertion with the signature, the original inside of that", false, func(honest *etree.Element) *etree.Element {
			original := assertionIn(honest)
			forged, signature := forgedCopy(original, "_evil")
			original.RemoveChild(all(original, NSSignature, "Signature")[0])
			honest.RemoveChild(original)
			signature.AddChild(original)
			forged.InsertChildAt(1, signature)
			honest.AddChild(forged)
			return honest
		}},
		{"XSW7: a forged assertion under the answer's extensions", false, func(honest *etree.Element) *etree.Element {
			forged, _ := forgedCopy(assertionIn(honest), "_evil")
			extensions := etree.NewElement("samlp:Extensions")
			extensions.AddChild(forged)
			honest.InsertChildAt(1, extensions)
			return honest
		}},
		{"XSW8: the original in an object of the forged one's signature", false, func(honest *etree.Element) *etree.Element {
			original := assertionIn(honest)
			forged, signature := forgedCopy(original, "_evil")
			original.RemoveChild(all(original, NSSignature, "Signature")[0])
			honest.RemoveChild(original)
			signature.CreateElement("ds:Object").AddChild(original)
			forged.InsertChildAt(1, signature)
			honest.AddChild(forged)
			return honest
		}},
		{"one more: XSW5 with the original's identifier on both", false, func(honest *etree.Element) *etree.Element {
			original := assertionIn(honest)
			forged, signature := forgedCopy(original, "_assertion")
			forged.InsertChildAt(1, signature)
			original.RemoveChild(all(original, NSSignature, "Signature")[0])
			honest.InsertChildAt(original.Index(), forged)
			return honest
		}},
		{"one more: the original within an advice", false, func(honest *etree.Element) *etree.Element {
			original := assertionIn(honest)
			forged, _ := forgedCopy(original, "_evil")
			honest.RemoveChild(original)
			forged.CreateElement("saml:Advice").AddChild(original)
			honest.AddChild(forged)
			return honest
		}},
		{"one more: the forged one in an encrypted assertion's clothes", false, func(honest *etree.Element) *etree.Element {
			forged, _ := forgedCopy(assertionIn(honest), "_evil")
			clothes := honest.CreateElement("saml:EncryptedAssertion")
			clothes.AddChild(forged)
			return honest
		}},
	}
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			honest := aResponse().Element(anAssertion().Element())
			if v.whole {
				signed(t, honest, c)
			} else {
				honest = aResponse().Element(signed(t, anAssertion().Element(), c))
			}
			if p, err := OpenResponse(posted(t, Answer, honest), keysOf(c), Policy{}, Opener{}); err != nil || p.Assertion.Subject.NameID.Value != "amelie@univ.example" {
				t.Fatalf("the honest answer is refused: %v", err)
			}
			wrapped := text(t, v.wrap(honest))
			if !strings.Contains(wrapped, "admin@univ.example") {
				t.Fatal("the vector forges nothing")
			}
			el, err := Parse([]byte(wrapped), MaxMessage)
			var refused *SignatureError
			if err == nil {
				_, err = OpenResponse(&Inbound{Binding: POST, Field: Answer, root: el}, keysOf(c), Policy{}, Opener{})
				if !errors.As(err, &refused) {
					t.Fatalf("got %v", err)
				}
			} else if !errors.Is(err, ErrDuplicateID) {
				t.Fatal(err)
			}
		})
	}
}

// The families of XSW3, 4, 7 are stopped by counting assertions. Verify alone
// must stop the others: it is what reads everything but answers.
func TestVerifyAloneNeverGivesTheForgedElement(t *testing.T) {
	c := rsaPair()
	original := signed(t, anAssertion().Element(), c)
	forged, signature := forgedCopy(original, "_evil")
	bare := original.Copy()
	bare.RemoveChild(all(bare, NSSignature, "Signature")[0])
	for name, place := range map[string]func(){
		"beside the signature":    func() { forged.AddChild(bare) },
		"in the signature":        func() { signature.AddChild(bare) },
		"in the signature's info": func() { all(signature, NSSignature, "KeyInfo")[0].AddChild(bare) },
	} {
		t.Run(name, func(t *testing.T) {
			forged.RemoveChild(signature)
			forged.InsertChildAt(1, signature)
			place()
			_, _, err := Verify(parsed(t, text(t, forged)), keysOf(c), Policy{})
			if !errors.Is(err, ErrWrapped) {
				t.Fatal(err)
			}
			bare.Parent().RemoveChild(bare)
		})
	}
}

func TestACommentInANameIsRefusedBeforeItsSignatureIsLookedAt(t *testing.T) {
	a := anAssertion()
	a.Subject.NameID.Value = "admin@univ.example.evil.example"
	whole := text(t, signed(t, a.Element(), rsaPair()))
	cut := strings.Replace(whole, "admin@univ.example.evil", "admin@univ.example<!-- -->.evil", 1)
	// Canonicalisation drops comments, so the signature still holds.
	if _, err := Parse([]byte(cut), MaxMessage); !errors.Is(err, ErrComment) {
		t.Fatal(err)
	}
}

// forgedCopy gives an administrator's copy without its signature, and a copy of
// that.
func forgedCopy(el *etree.Element, id string) (forged, signature *etree.Element) {
	forged = el.Copy()
	signature = all(forged, NSSignature, "Signature")[0]
	forged.RemoveChild(signature)
	forged.CreateAttr("ID", id)
	var walk func(*etree.Element)
	walk = func(e *etree.Element) {
		if e.Tag == "NameID" {
			e.SetText("admin@univ.example")
		}
		if e != forged && e.Tag == "Assertion" {
			e.CreateAttr("ID", "_evil_assertion")
		}
		for _, child := range e.ChildElements() {
			walk(child)
		}
	}
	walk(forged)
	return forged, signature
}

func assertionIn(response *etree.Element) *etree.Element {
	return all(response, NSAssertion, "Assertion")[0]
}

// oldSignature is a signature by SHA-1, which Sign does not make.
func oldSignature(t *testing.T, el *etree.Element, c Credential) *etree.Element {
	t.Helper()
	context, err := dsig.NewSigningContext(c.Key, [][]byte{c.Certificate.Raw})
	if err != nil {
		t.Fatal(err)
	}
	context.Hash = crypto.SHA1
	context.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	signature, err := context.ConstructSignature(el.Copy(), true)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}
