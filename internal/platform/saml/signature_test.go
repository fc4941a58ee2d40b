package saml

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
)

func TestWhatWeSignVerifies(t *testing.T) {
	for kind, pair := range pairs {
		for name, el := range map[string]*etree.Element{
			"assertion": anAssertion().Element(),
			"response":  aResponse().Element(anAssertion().Element()),
			"logout":    (&LogoutRequest{ID: "_l", IssueInstant: noon, Issuer: ourIDP, NameID: NameID{Value: "a"}}).Element(),
			"entity":    anEntity().withID(),
		} {
			t.Run(string(kind)+" "+name, func(t *testing.T) {
				got := parsed(t, text(t, signed(t, el, pair())))
				verified, proof, err := Verify(got, keysOf(otherPair(), pair()), Policy{})
				if err != nil {
					t.Fatal(err)
				}
				if verified.Tag != el.Tag || !proof.Key.Certificate.Equal(pair().Certificate) {
					t.Errorf("got %s by %s", verified.Tag, proof.Algorithm)
				}
				if got.ChildElements()[0].Tag != "Issuer" && el.Tag != "EntityDescriptor" {
					t.Errorf("the first child is %s; the schema wants the issuer", got.ChildElements()[0].Tag)
				}
			})
		}
	}
}

func TestASignatureIsRefused(t *testing.T) {
	pair := rsaPair()
	whole := text(t, signed(t, anAssertion().Element(), pair))
	swap := func(old, new string) string {
		if !strings.Contains(whole, old) {
			t.Fatalf("the assertion holds no %q", old)
		}
		return strings.Replace(whole, old, new, 1)
	}
	const reference = `<ds:Reference URI="#_assertion">`
	for _, c := range []struct {
		name, text string
		keys       []PublicKey
		want       error
	}{
		{"when the content changed", swap("amelie@univ", "admin@univ"), keysOf(pair), ErrAltered},
		{"when an attribute changed", swap(`Recipient="https://sp`, `Recipient="https://xx`), keysOf(pair), ErrAltered},
		{"when nobody's key is known", whole, nil, ErrNoKeys},
		{"when another key is known", whole, keysOf(otherPair()), ErrUnknownKey},
		{"when only a key of another kind is known", whole, keysOf(pairs[P256]()), ErrUnknownKey},
		{"when it is missing", text(t, anAssertion().Element()), keysOf(pair), ErrUnsigned},
		{"when it is by SHA-1", swap("xmldsig-more#rsa-sha256", "xmldsig-more#rsa-sha1"), keysOf(pair), ErrAlgorithm},
		{"when the digest is by SHA-1", swap("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1"), keysOf(pair), ErrAlgorithm},
		{"when the digest is by MD5", swap("2001/04/xmlenc#sha256", "2001/04/xmldsig-more#md5"), keysOf(pair), ErrAlgorithm},
		{"when it is by HMAC", swap("2001/04/xmldsig-more#rsa-sha256", "2000/09/xmldsig#hmac-sha1"), keysOf(pair), ErrAlgorithm},
		{"when it is by no algorithm", swap("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "none"), keysOf(pair), ErrAlgorithm},
		{"when it canonicalises inclusively", swap(`CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"`,
			`CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"`), keysOf(pair), ErrAlgorithm},
		{"when it selects by XPath", swap(`<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>`,
			`<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>1=1</ds:XPath></ds:Transform>`), keysOf(pair), ErrAlgorithm},
		{"when it transforms by a style sheet", swap(`<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>`,
			`<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>`), keysOf(pair), ErrAlgorithm},
		{"when a transform carries more than prefixes", swap(`<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>`,
			`<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"><ds:XPath>1=1</ds:XPath></ds:Transform>`), keysOf(pair), ErrAlgorithm},
		{"when a third transform follows", swap(`</ds:Transforms>`, `<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>`), keysOf(pair), ErrWrapped},
		{"when it is not taken out first", swap(`<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>`, ``), keysOf(pair), ErrWrapped},
		{"when it refers to another element", swap(reference, `<ds:Reference URI="#_other">`), keysOf(pair), ErrWrapped},
		{"when it refers by XPointer", swap(reference, `<ds:Reference URI="#xpointer(id('_assertion'))">`), keysOf(pair), ErrWrapped},
		{"when it refers to another document", swap(reference, `<ds:Reference URI="https://evil.example/">`), keysOf(pair), ErrWrapped},
		{"when it refers to nothing", swap(reference, `<ds:Reference>`), keysOf(pair), ErrAltered},
		{"when it has a second reference", swap(reference, `<ds:Reference URI="#_x"/>`+reference), keysOf(pair), ErrWrapped},
		{"when a second reference follows", swap(`</ds:Reference>`, `</ds:Reference><ds:Reference URI="#_x"/>`), keysOf(pair), ErrWrapped},
		{"when it has no reference", whole[:strings.Index(whole, "<ds:Reference")] + whole[strings.Index(whole, "</ds:SignedInfo>"):], keysOf(pair), ErrWrapped},
		{"when it has two SignedInfo", swap(`<ds:SignedInfo>`, `<ds:SignedInfo/><ds:SignedInfo>`), keysOf(pair), ErrWrapped},
		{"when it has two values", swap(`<ds:SignatureValue>`, `<ds:SignatureValue>AAAA</ds:SignatureValue><ds:SignatureValue>`), keysOf(pair), ErrWrapped},
		{"when it carries an object", swap(`</ds:Signature>`, `<ds:Object/></ds:Signature>`), keysOf(pair), ErrWrapped},
		{"when the value is no base64", swap(`<ds:SignatureValue>`, `<ds:SignatureValue>*`), keysOf(pair), ErrAltered},
		{"when the value is empty", whole[:strings.Index(whole, "<ds:SignatureValue>")+len("<ds:SignatureValue>")] + whole[strings.Index(whole, "</ds:SignatureValue>"):], keysOf(pair), ErrAltered},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := Verify(parsed(t, c.text), c.keys, Policy{})
			var refused *SignatureError
			if !errors.Is(err, c.want) || !errors.As(err, &refused) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
	t.Run("when there are two", func(t *testing.T) {
		el := parsed(t, whole)
		el.AddChild(all(el, NSSignature, "Signature")[0].Copy())
		if _, _, err := Verify(el, keysOf(pair), Policy{}); !errors.Is(err, ErrWrapped) {
			t.Fatal(err)
		}
	})
	t.Run("when the element has no identifier and is not the document", func(t *testing.T) {
		el := anAssertion().Element()
		el.RemoveAttr("ID")
		el.CreateAttr("ID", "_x")
		inner := parsed(t, strings.ReplaceAll(text(t, signed(t, el, pair)), `"#_x"`, `""`))
		outer := etree.NewElement("a")
		outer.AddChild(inner)
		if _, _, err := Verify(inner, keysOf(pair), Policy{}); !errors.Is(err, ErrWrapped) {
			t.Fatal(err)
		}
	})
}

// A verifier that lets the message choose the algorithm takes our public key for
// an HMAC secret, and everybody has that one.
func TestASignatureByHMACWithThePublicKeyIsRefused(t *testing.T) {
	pair := rsaPair()
	for name, secret := range map[string][]byte{
		"the certificate": pair.Certificate.Raw,
		"the public key":  pair.Certificate.RawSubjectPublicKeyInfo,
	} {
		t.Run(name, func(t *testing.T) {
			forged := strings.Replace(text(t, signed(t, anAssertion().Element(), pair)),
				"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", 1)
			el := parsed(t, forged)
			signature := all(el, NSSignature, "Signature")[0]
			info, err := Marshal(detach(all(signature, NSSignature, "SignedInfo")[0]))
			if err != nil {
				t.Fatal(err)
			}
			mac := hmac.New(sha256.New, secret)
			mac.Write(info)
			all(signature, NSSignature, "SignatureValue")[0].SetText(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
			_, _, err = Verify(el, keysOf(pair), Policy{AllowSHA1: true})
			var refused *SignatureError
			if !errors.As(err, &refused) || refused.Reason != ErrAlgorithm || !strings.Contains(refused.Algorithm, "hmac") {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// The certificate in a message is its sender's claim. A stranger's signature
// comes with the stranger's certificate, and fits it.
func TestAKeyThatCameWithTheMessageIsNotBelieved(t *testing.T) {
	stranger := otherPair()
	el := parsed(t, text(t, signed(t, anAssertion().Element(), stranger)))
	_, _, err := Verify(el, keysOf(rsaPair()), Policy{})
	var refused *SignatureError
	if !errors.As(err, &refused) || refused.Reason != ErrUnknownKey {
		t.Fatalf("got %v", err)
	}
	if refused.Offered != Fingerprint(stranger.Certificate) || refused.Known[0] != Fingerprint(rsaPair().Certificate) {
		t.Errorf("offered %s, known %v", refused.Offered, refused.Known)
	}
	// And a wrong one in the message does not keep the right key from holding.
	own := text(t, signed(t, anAssertion().Element(), rsaPair()))
	lies := strings.Replace(own, base64.StdEncoding.EncodeToString(rsaPair().Certificate.Raw), base64.StdEncoding.EncodeToString(stranger.Certificate.Raw), 1)
	if _, _, err := Verify(parsed(t, lies), keysOf(rsaPair()), Policy{}); err != nil {
		t.Errorf("KeyInfo is looked at: %v", err)
	}
}

func TestSHA1IsTakenFromAPeerThatSomebodyDecidedToKeep(t *testing.T) {
	c := rsaPair()
	el := anAssertion().Element()
	signSHA1(t, el, c)
	got := parsed(t, text(t, el))
	if _, _, err := Verify(got, keysOf(c), Policy{}); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("without the option: %v", err)
	}
	if _, _, err := Verify(got, keysOf(c), Policy{AllowSHA1: true}); err != nil {
		t.Errorf("with the option: %v", err)
	}
}

func TestAnExpiredCertificateIsToldApartAndItsKeyStillHolds(t *testing.T) {
	c := rsaPair()
	_, proof, err := Verify(parsed(t, text(t, signed(t, anAssertion().Element(), c))), keysOf(c), Policy{})
	if err != nil {
		t.Fatal(err)
	}
	if err := proof.Expired(noon); err != nil {
		t.Errorf("within the validity: %v", err)
	}
	for name, at := range map[string]time.Time{"after": noon.Add(366 * 24 * time.Hour), "before": noon.Add(-2 * time.Hour)} {
		var expired *ExpiredError
		if err := proof.Expired(at); !errors.As(err, &expired) || !errors.Is(err, ErrCertificateExpired) || !expired.Now.Equal(at) {
			t.Errorf("%s the validity: %v", name, err)
		}
	}
	bare := PublicKey{Key: c.Key.Public()}
	if err := bare.Expired(noon.Add(10 * 365 * 24 * time.Hour)); err != nil {
		t.Errorf("a bare key has no end: %v", err)
	}
}

func TestOnlyWhatWasSignedComesBack(t *testing.T) {
	c := rsaPair()
	el := parsed(t, text(t, signed(t, anAssertion().Element(), c)))
	// KeyInfo is within the element and not within what is signed.
	info := all(all(el, NSSignature, "Signature")[0], NSSignature, "KeyInfo")[0]
	add(info, "ds:KeyName", "evil")
	verified, _, err := Verify(el, keysOf(c), Policy{})
	if err != nil {
		t.Fatal(err)
	}
	if Signed(verified) || strings.Contains(text(t, verified), "evil") {
		t.Error("the unsigned part came back too")
	}
}

func TestAPersonOfAThousandGroupsIsVerified(t *testing.T) {
	a := anAssertion()
	var groups []string
	for range 3000 {
		groups = append(groups, "cn=group,ou=groups")
	}
	a.Attributes = append(a.Attributes, Attribute{Name: "memberOf", Values: Texts(groups...)})
	c := rsaPair()
	m := posted(t, Answer, aResponse().Element(signed(t, a.Element(), c)))
	p, err := OpenResponse(m, keysOf(c), Policy{}, Opener{})
	if err != nil {
		t.Fatal(err)
	}
	if member, _ := p.Assertion.Attribute("memberOf"); len(member.Values) != 3000 {
		t.Errorf("%d groups", len(member.Values))
	}
}

// signSHA1 signs as an old peer does.
func signSHA1(t *testing.T, el *etree.Element, c Credential) {
	t.Helper()
	signature := oldSignature(t, el, c)
	el.InsertChildAt(1, signature)
}

func TestKeysOfCertificatesAreTaken(t *testing.T) {
	c := rsaPair()
	again, err := x509.ParseCertificate(c.Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	el := parsed(t, text(t, signed(t, anAssertion().Element(), c)))
	if _, _, err := Verify(el, []PublicKey{KeyFrom(again)}, Policy{}); err != nil {
		t.Error(err)
	}
}
