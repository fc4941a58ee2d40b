package saml

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

const (
	enveloped          = string(dsig.EnvelopedSignatureAltorithmId)
	exclusive          = string(dsig.CanonicalXML10ExclusiveAlgorithmId)
	exclusiveCommented = string(dsig.CanonicalXML10ExclusiveWithCommentsAlgorithmId)
)

// method is a signature algorithm: what kind of key it takes, and its hash.
type method struct {
	ecdsa bool
	hash  crypto.Hash
	sha1  bool
}

// methods are the algorithms that may sign, in XML and in a query alike
// (bindings, 3.4.4.1). No symmetric one stands here: with HMAC, whoever reads
// our public key could sign.
var methods = map[string]method{
	dsig.RSASHA256SignatureMethod:   {hash: crypto.SHA256},
	dsig.RSASHA384SignatureMethod:   {hash: crypto.SHA384},
	dsig.RSASHA512SignatureMethod:   {hash: crypto.SHA512},
	dsig.ECDSASHA256SignatureMethod: {ecdsa: true, hash: crypto.SHA256},
	dsig.ECDSASHA384SignatureMethod: {ecdsa: true, hash: crypto.SHA384},
	dsig.ECDSASHA512SignatureMethod: {ecdsa: true, hash: crypto.SHA512},
	dsig.RSASHA1SignatureMethod:     {hash: crypto.SHA1, sha1: true},
}

// digests maps the digests that a reference may use to whether they are SHA-1.
var digests = map[string]bool{
	"http://www.w3.org/2001/04/xmlenc#sha256":       false,
	"http://www.w3.org/2001/04/xmldsig-more#sha384": false,
	"http://www.w3.org/2001/04/xmlenc#sha512":       false,
	"http://www.w3.org/2000/09/xmldsig#sha1":        true,
}

// Policy is what one peer is allowed beyond the rule.
type Policy struct {
	// AllowSHA1 accepts signatures and digests by SHA-1, for an old peer that
	// somebody has decided to keep.
	AllowSHA1 bool
}

func (p Policy) method(identifier string) (method, error) {
	m, known := methods[identifier]
	if !known || m.sha1 && !p.AllowSHA1 {
		return method{}, &SignatureError{Reason: ErrAlgorithm, Algorithm: identifier}
	}
	return m, nil
}

// fits tells whether a key is of the kind that the algorithm takes.
func (m method) fits(key crypto.PublicKey) bool {
	switch key.(type) {
	case *rsa.PublicKey:
		return !m.ecdsa
	case *ecdsa.PublicKey:
		return m.ecdsa
	}
	return false
}

// methodOf is the algorithm that we sign with: the one of the key, by SHA-256.
func methodOf(key crypto.Signer) (string, error) {
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		return dsig.RSASHA256SignatureMethod, nil
	case *ecdsa.PublicKey:
		return dsig.ECDSASHA256SignatureMethod, nil
	default:
		return "", fmt.Errorf("saml: a key of type %T cannot sign", public)
	}
}

// Proof tells which key vouches for an element.
type Proof struct {
	Key       PublicKey
	Algorithm string
}

// Expired warns when the certificate around the key is outside its validity at
// that time. SAML trusts the key (saml-metadata-iop, 2.6.1), so whoever verifies
// goes on and tells the technical contacts.
func (p *Proof) Expired(now time.Time) error { return p.Key.Expired(now) }

// Sign puts an enveloped signature (core, 5.4) into an element that stands on
// its own and carries an ID: exclusive canonicalisation, RSA-SHA256 or
// ECDSA-SHA256 after the key, and the certificate for those who log it. In
// messages and assertions it goes behind the Issuer, in metadata in front.
func Sign(el *etree.Element, by Credential) error {
	if attr(el, "ID") == "" {
		return &XMLError{Reason: ErrMissing, Where: el.Tag + "/@ID"}
	}
	var certificates [][]byte
	if by.Certificate != nil {
		certificates = [][]byte{by.Certificate.Raw}
	}
	context, err := dsig.NewSigningContext(rawSigner{by.Key}, certificates)
	if err != nil {
		return fmt.Errorf("sign %s: %w", el.Tag, err)
	}
	identifier, err := methodOf(by.Key)
	if err != nil {
		return err
	}
	if err := context.SetSignatureMethod(identifier); err != nil {
		return fmt.Errorf("sign %s: %w", el.Tag, err)
	}
	context.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	// Canonicalising changes the tree it is given; ours stays as it was written.
	signature, err := context.ConstructSignature(el.Copy(), true)
	if err != nil {
		return fmt.Errorf("sign %s: %w", el.Tag, err)
	}
	place := 0
	if issuer := all(el, NSAssertion, "Issuer"); len(issuer) > 0 {
		place = issuer[0].Index() + 1
	}
	el.InsertChildAt(place, signature)
	return nil
}

// rawSigner gives ECDSA signatures the form of XML: r and s side by side, each
// as long as the curve (xmldsig-core1, 6.4.3). Go writes them as ASN.1.
type rawSigner struct{ crypto.Signer }

func (s rawSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature, err := s.Signer.Sign(random, digest, opts)
	if err != nil {
		return nil, err
	}
	public, ok := s.Public().(*ecdsa.PublicKey)
	if !ok {
		return signature, nil
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(signature, &pair); err != nil {
		return nil, fmt.Errorf("read our own signature: %w", err)
	}
	size := (public.Curve.Params().BitSize + 7) / 8
	raw := make([]byte, 2*size)
	pair.R.FillBytes(raw[:size])
	pair.S.FillBytes(raw[size:])
	return raw, nil
}

// asn1Signature undoes rawSigner, for the verifiers of Go.
func asn1Signature(raw []byte) ([]byte, error) {
	if len(raw) == 0 || len(raw)%2 != 0 || len(raw) > 2*66 { // 66 bytes: P-521
		return nil, errors.New("not two numbers of one length")
	}
	half := len(raw) / 2
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:half]), new(big.Int).SetBytes(raw[half:])})
}

// Verify checks the enveloped signature of an element that [Parse] read, against
// the keys that the peer's metadata names, and returns the signed element read
// again from the very octets that were signed. Use that one and nothing else of
// the document. What the signature says about its own key is not believed.
//
// Core, 5.4 asks for one reference to the element's ID and for two transforms at
// most; everything else is refused, and with it the ways to wrap a signature
// around something it does not cover.
func Verify(el *etree.Element, keys []PublicKey, policy Policy) (*etree.Element, *Proof, error) {
	signature, err := theSignature(el)
	if err != nil {
		return nil, nil, err
	}
	identifier, err := checkSignature(el, signature, policy)
	if err != nil {
		return nil, nil, err
	}
	m, err := policy.method(identifier)
	if err != nil {
		return nil, nil, err
	}
	bare, err := withoutKeyInfo(el, m)
	if err != nil {
		return nil, nil, err
	}
	for _, key := range keys {
		if !m.fits(key.Key) {
			continue
		}
		verified, err := verifyBy(bare, key.Key)
		if err != nil {
			continue // another key may have signed; what failed is told below
		}
		if verified.Tag != el.Tag || attr(verified, "ID") != attr(el, "ID") {
			return nil, nil, &SignatureError{Reason: ErrWrapped, Detail: "another element came back"}
		}
		dropComments(verified)
		return verified, &Proof{Key: key, Algorithm: identifier}, nil
	}
	return nil, nil, refusal(keys, offered(signature))
}

// Signed tells whether an element carries a signature of its own, right or
// wrong.
func Signed(el *etree.Element) bool { return len(all(el, NSSignature, "Signature")) > 0 }

func theSignature(el *etree.Element) (*etree.Element, error) {
	found := all(el, NSSignature, "Signature")
	switch len(found) {
	case 0:
		return nil, &SignatureError{Reason: ErrUnsigned}
	case 1:
		return found[0], nil
	}
	return nil, &SignatureError{Reason: ErrWrapped, Detail: fmt.Sprintf("%d signatures", len(found))}
}

// checkSignature refuses every shape of signature but the one of core, 5.4,
// before any octet is computed, and returns the algorithm that it names.
func checkSignature(el, signature *etree.Element, policy Policy) (string, error) {
	r := &reader{}
	wrapped := func(detail string) error { return &SignatureError{Reason: ErrWrapped, Detail: detail} }
	for child := range signature.ChildElementsSeq() {
		if child.NamespaceURI() != NSSignature || !slices.Contains([]string{"SignedInfo", "SignatureValue", "KeyInfo"}, child.Tag) {
			return "", wrapped(child.Tag + " in the signature") // an Object can hide what was signed
		}
	}
	info := r.must(signature, NSSignature, "SignedInfo")
	r.must(signature, NSSignature, "SignatureValue")
	r.one(signature, NSSignature, "KeyInfo")
	canonical := r.must(info, NSSignature, "CanonicalizationMethod")
	named := r.must(info, NSSignature, "SignatureMethod")
	references := all(info, NSSignature, "Reference")
	if r.err != nil {
		return "", &SignatureError{Reason: ErrWrapped, Detail: r.err.Error()}
	}
	if len(references) != 1 {
		return "", wrapped(fmt.Sprintf("%d references", len(references)))
	}
	if c := attr(canonical, "Algorithm"); c != exclusive && c != exclusiveCommented {
		return "", &SignatureError{Reason: ErrAlgorithm, Algorithm: c}
	}
	if err := checkReference(el, references[0], policy); err != nil {
		return "", err
	}
	return attr(named, "Algorithm"), nil
}

// checkReference wants the reference to mean the element around the signature.
// "" means the whole document (xmldsig-core1, 4.4.3.2), which only its root is.
func checkReference(el, reference *etree.Element, policy Policy) error {
	id, uri := attr(el, "ID"), attr(reference, "URI")
	whole := uri == "" && (el.Parent() == nil || el.Parent().Tag == "")
	if !whole && (id == "" || uri != "#"+id) {
		return &SignatureError{Reason: ErrWrapped, Detail: "the reference is to " + short(uri)}
	}
	r := &reader{}
	digest := attr(r.must(reference, NSSignature, "DigestMethod"), "Algorithm")
	r.must(reference, NSSignature, "DigestValue")
	transforms := r.must(reference, NSSignature, "Transforms")
	if r.err != nil {
		return &SignatureError{Reason: ErrWrapped, Detail: r.err.Error()}
	}
	if sha1, known := digests[digest]; !known || sha1 && !policy.AllowSHA1 {
		return &SignatureError{Reason: ErrAlgorithm, Algorithm: digest}
	}
	steps := transforms.ChildElements()
	if len(steps) != 2 {
		return &SignatureError{Reason: ErrWrapped, Detail: fmt.Sprintf("%d transforms", len(steps))}
	}
	for at, step := range steps {
		algorithm := attr(step, "Algorithm")
		allowed := at == 0 && algorithm == enveloped || at == 1 && (algorithm == exclusive || algorithm == exclusiveCommented)
		if !allowed || !is(step, NSSignature, "Transform") {
			return &SignatureError{Reason: ErrAlgorithm, Algorithm: algorithm}
		}
		for child := range step.ChildElementsSeq() {
			if at == 0 || !is(child, exclusive, "InclusiveNamespaces") {
				return &SignatureError{Reason: ErrAlgorithm, Algorithm: algorithm, Detail: child.Tag}
			}
		}
	}
	return nil
}

// withoutKeyInfo gives a copy of the element, standing on its own, whose
// signature names no key and is written as the verifier wants it. Neither
// KeyInfo nor SignatureValue is part of what is signed.
func withoutKeyInfo(el *etree.Element, m method) (*etree.Element, error) {
	bare := detach(el)
	signature, err := theSignature(bare)
	if err != nil {
		return nil, err
	}
	for _, info := range all(signature, NSSignature, "KeyInfo") {
		signature.RemoveChild(info)
	}
	value := all(signature, NSSignature, "SignatureValue")[0]
	r := &reader{}
	raw, err := decodeBase64(r.text(value))
	if err == nil && m.ecdsa {
		raw, err = asn1Signature(raw)
	}
	if err = errors.Join(r.err, err); err != nil {
		return nil, &SignatureError{Reason: ErrAltered, Detail: err.Error()}
	}
	value.SetText(base64.StdEncoding.EncodeToString(raw))
	return bare, nil
}

// detach copies an element together with the prefixes that its ancestors
// declare.
func detach(el *etree.Element) *etree.Element {
	alone := el.Copy()
	for up := el.Parent(); up != nil; up = up.Parent() {
		for _, a := range up.Attr {
			if a.Space != "xmlns" && !(a.Space == "" && a.Key == "xmlns") {
				continue
			}
			if !slices.ContainsFunc(alone.Attr, func(b etree.Attr) bool { return b.Space == a.Space && b.Key == a.Key }) {
				alone.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	return alone
}

// verifyBy lets goxmldsig verify with exactly one key. Its certificate is made
// up here around that key, without an end: the library looks at certificates,
// SAML at keys.
func verifyBy(el *etree.Element, key crypto.PublicKey) (*etree.Element, error) {
	trusted := &x509.Certificate{PublicKey: key, NotAfter: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	switch key.(type) {
	case *rsa.PublicKey:
		trusted.PublicKeyAlgorithm = x509.RSA
	case *ecdsa.PublicKey:
		trusted.PublicKeyAlgorithm = x509.ECDSA
	}
	context := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{trusted}})
	return context.Validate(el)
}

// offered is the certificate that came with the signature, for the log.
func offered(signature *etree.Element) *x509.Certificate {
	for _, info := range all(signature, NSSignature, "KeyInfo") {
		if certificate := certificateOf(info); certificate != nil {
			return certificate
		}
	}
	return nil
}

// refusal tells a sender whose key changed from content that somebody changed.
func refusal(keys []PublicKey, sent *x509.Certificate) error {
	e := &SignatureError{Reason: ErrAltered}
	known := false
	for _, key := range keys {
		if key.Certificate != nil {
			e.Known = append(e.Known, Fingerprint(key.Certificate))
		}
		if sent != nil {
			public, ok := sent.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
			known = known || ok && public.Equal(key.Key)
		}
	}
	if sent != nil {
		e.Offered = Fingerprint(sent)
	}
	switch {
	case len(keys) == 0:
		e.Reason = ErrNoKeys
	case sent != nil && !known:
		e.Reason = ErrUnknownKey
	}
	return e
}

// decodeBase64 takes the line breaks and indentation that XML brings.
func decodeBase64(text string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Map(func(c rune) rune {
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			return -1
		}
		return c
	}, text))
}
