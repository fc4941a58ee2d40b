package saml

import (
	"bytes"
	"crypto"
	"crypto/subtle"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// Trust says what makes metadata believed.
type Trust struct {
	// Keys of the federation, of which one must have signed. None takes the
	// metadata as it is, which is right for what an administrator uploads or
	// fetches from the service itself; a signature in it is then not looked at.
	Keys   []PublicKey
	Policy Policy
}

// Aggregate is what a document of metadata says about itself (metadata, 2.3.1).
type Aggregate struct {
	Name          string
	ValidUntil    time.Time // zero when it is not said
	CacheDuration time.Duration
	Proof         *Proof // nil when no key was asked for
	Entities      int    // handed over
	Refused       []RefusedEntity
}

// RefusedEntity is an entity of an aggregate that could not be read. The others
// are read all the same: one mistake must not take a country off the air.
type RefusedEntity struct {
	ID  string
	Err error
}

// maxRefused bounds the list; the count of a broken aggregate tells nothing more.
const maxRefused = 100

// ReadMetadata reads a document of metadata, of one entity or of a federation's
// many, and hands each over. Memory is that of the document and of one entity at
// a time: it is read three times as a stream, once to compute its digest, twice
// to read what the digest was computed of. Nothing is handed over before the
// signature holds.
//
// each may return an error to stop; it is returned as it is.
func ReadMetadata(data []byte, trust Trust, each func(*Entity) error) (*Aggregate, error) {
	if len(data) > MaxAggregate {
		return nil, &XMLError{Reason: ErrTooLarge}
	}
	aggregate := &Aggregate{}
	i := &inspector{shape: shape{elements: 8_000_000, relaxed: true}, ids: map[string]bool{}}
	if len(trust.Keys) == 0 {
		if err := errors.Join(canonicalise(data, io.Discard, wholeButSignature, nil, i.token), i.complete()); err != nil {
			return nil, err
		}
	} else {
		proof, err := verifyMetadata(data, trust, i)
		if err != nil {
			return nil, err
		}
		aggregate.Proof = proof
	}
	in, out := io.Pipe()
	go func() {
		out.CloseWithError(canonicalise(data, out, wholeButSignature, nil, nil))
	}()
	defer in.Close() // stops the writer when reading stopped early
	w := &walker{d: xml.NewDecoder(in), aggregate: aggregate, each: each}
	if err := w.document(); err != nil {
		return nil, err
	}
	return aggregate, nil
}

// verifyMetadata checks the root's enveloped signature over a stream.
func verifyMetadata(data []byte, trust Trust, i *inspector) (*Proof, error) {
	root, signature, err := signatureOfRoot(data)
	if err != nil {
		return nil, err
	}
	if signature == nil {
		return nil, &SignatureError{Reason: ErrUnsigned}
	}
	identifier, err := checkSignature(root, signature, trust.Policy)
	if err != nil {
		return nil, err
	}
	m, err := trust.Policy.method(identifier)
	if err != nil {
		return nil, err
	}
	var info bytes.Buffer
	if err := canonicalise(data, &info, signedInfoOnly, nil, nil); err != nil {
		return nil, err
	}
	proof, err := proveInfo(signature, info.Bytes(), identifier, m, trust.Keys)
	if err != nil {
		return nil, err
	}
	// From here on only what was signed is read.
	signed, err := Parse(info.Bytes(), MaxMessage)
	if err != nil {
		return nil, err
	}
	reference := all(signed, NSSignature, "Reference")[0]
	if err := checkReference(root, reference, trust.Policy); err != nil {
		return nil, err
	}
	return proof, checkDigest(data, reference, i)
}

// proveInfo finds the key that signed the SignedInfo.
func proveInfo(signature *etree.Element, info []byte, identifier string, m method, keys []PublicKey) (*Proof, error) {
	r := &reader{}
	value, err := decodeBase64(r.text(all(signature, NSSignature, "SignatureValue")[0]))
	if err = errors.Join(r.err, err); err != nil {
		return nil, &SignatureError{Reason: ErrAltered, Detail: err.Error()}
	}
	h := m.hash.New()
	h.Write(info)
	digest := h.Sum(nil)
	for _, key := range keys {
		if m.fits(key.Key) && verifyDigest(key.Key, m.hash, digest, value) {
			return &Proof{Key: key, Algorithm: identifier}, nil
		}
	}
	return nil, refusal(keys, offered(signature))
}

// digestHashes are the hashes of the digests that checkReference lets pass.
var digestHashes = map[string]crypto.Hash{
	"http://www.w3.org/2000/09/xmldsig#sha1":        crypto.SHA1,
	"http://www.w3.org/2001/04/xmlenc#sha256":       crypto.SHA256,
	"http://www.w3.org/2001/04/xmldsig-more#sha384": crypto.SHA384,
	"http://www.w3.org/2001/04/xmlenc#sha512":       crypto.SHA512,
}

// checkDigest computes the digest of the document without its signature, while
// the inspector looks at every token.
func checkDigest(data []byte, reference *etree.Element, i *inspector) error {
	var prefixes []string
	r := &reader{}
	for _, step := range all(r.one(reference, NSSignature, "Transforms"), NSSignature, "Transform") {
		if list := r.one(step, exclusive, "InclusiveNamespaces"); list != nil {
			prefixes = strings.Fields(attr(list, "PrefixList"))
		}
	}
	want, err := decodeBase64(r.text(r.one(reference, NSSignature, "DigestValue")))
	if err = errors.Join(r.err, err); err != nil {
		return &SignatureError{Reason: ErrAltered, Detail: err.Error()}
	}
	h := digestHashes[attr(r.one(reference, NSSignature, "DigestMethod"), "Algorithm")].New()
	if err := errors.Join(canonicalise(data, h, wholeButSignature, prefixes, i.token), i.complete()); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(h.Sum(nil), want) != 1 {
		return &SignatureError{Reason: ErrAltered, Detail: "digest"}
	}
	return nil
}

// signatureOfRoot reads the root's start tag and the signature among the root's
// children, which the schema puts first; looking ends with the first child that
// is anything else.
func signatureOfRoot(data []byte) (root, signature *etree.Element, err error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = onlyUTF8
	for {
		token, err := d.RawToken()
		if err != nil {
			return nil, nil, &XMLError{Reason: malformedOrEntity(err), Cause: err}
		}
		start, is := token.(xml.StartElement)
		if _, ended := token.(xml.EndElement); ended {
			return root, nil, nil
		}
		if !is {
			continue
		}
		if root == nil {
			root = elementOf(start)
			continue
		}
		first := elementOf(start)
		root.AddChild(first)
		if !isSignature(first) {
			return root, nil, nil
		}
		return root, first, buildTree(d, first, maxElements)
	}
}

func isSignature(el *etree.Element) bool { return is(el, NSSignature, "Signature") }

func elementOf(t xml.StartElement) *etree.Element {
	el := etree.NewElement(t.Name.Local)
	el.Space = t.Name.Space
	for _, a := range t.Attr {
		el.CreateAttr(qualified(a.Name), a.Value)
	}
	return el
}

// buildTree reads tokens into el until its end.
func buildTree(d *xml.Decoder, el *etree.Element, most int) error {
	top := el
	for depth, elements := 1, 0; depth > 0; {
		token, err := d.RawToken()
		if err != nil {
			return &XMLError{Reason: malformedOrEntity(err), Cause: err}
		}
		switch t := token.(type) {
		case xml.StartElement:
			if elements++; elements > most || depth >= maxDepth {
				return &XMLError{Reason: ErrTooComplex, Where: short(t.Name.Local)}
			}
			child := elementOf(t)
			top.AddChild(child)
			top, depth = child, depth+1
		case xml.EndElement:
			top, depth = top.Parent(), depth-1
		case xml.CharData:
			top.CreateText(string(t))
		}
	}
	return nil
}

// walker reads canonical metadata and hands its entities over.
type walker struct {
	d         *xml.Decoder
	aggregate *Aggregate
	each      func(*Entity) error
}

// group is an EntitiesDescriptor that the walker stands in; what it says about
// validity holds for what is inside (metadata, 2.3.1).
type group struct {
	el    *etree.Element
	until time.Time
}

func (w *walker) document() error {
	var groups []group
	for {
		token, err := w.d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			el := elementOf(t)
			if len(groups) > 0 {
				groups[len(groups)-1].el.AddChild(el)
			}
			if groups, err = w.element(el, groups); err != nil {
				return err
			}
		case xml.EndElement: // of a group: an entity's own end is read with it
			groups = groups[:max(0, len(groups)-1)]
		}
	}
}

func (w *walker) element(el *etree.Element, groups []group) ([]group, error) {
	var until time.Time
	if len(groups) > 0 {
		until = groups[len(groups)-1].until
	}
	switch {
	case is(el, NSMetadata, "EntitiesDescriptor"):
		r := &reader{}
		own := r.time(el, "validUntil")
		if len(groups) == 0 {
			w.aggregate.Name, w.aggregate.ValidUntil = attr(el, "Name"), own
			w.aggregate.CacheDuration = r.duration(el, "cacheDuration")
		}
		return append(groups, group{el, earlier(until, own)}), r.err
	case len(groups) == 0 && !is(el, NSMetadata, "EntityDescriptor"):
		return nil, &XMLError{Reason: ErrUnexpected, Where: short(el.Tag)}
	}
	if err := buildTree(w.d, el, maxElements); err != nil {
		return nil, err
	}
	if is(el, NSMetadata, "EntityDescriptor") {
		if err := w.entity(detach(el), until, len(groups) == 0); err != nil {
			return nil, err
		}
	}
	if len(groups) > 0 { // what was read is let go
		groups[len(groups)-1].el.RemoveChild(el)
	}
	return groups, nil
}

func (w *walker) entity(el *etree.Element, until time.Time, alone bool) error {
	e, err := ParseEntity(el)
	if err != nil {
		if alone {
			return err
		}
		if len(w.aggregate.Refused) < maxRefused {
			w.aggregate.Refused = append(w.aggregate.Refused, RefusedEntity{ID: attr(el, "entityID"), Err: err})
		}
		return nil
	}
	if alone {
		w.aggregate.ValidUntil, w.aggregate.CacheDuration = e.ValidUntil, e.CacheDuration
	}
	e.ValidUntil = earlier(until, e.ValidUntil)
	w.aggregate.Entities++
	return w.each(e)
}

// earlier gives the first of two ends, of which zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Fresh refuses an aggregate that is past its end, or, when most is not 0, one
// whose end is further away: a signature without an end could be shown for ever
// to somebody who must not see what changed (saml-metadata-iop; RENATER and
// eduGAIN ask for less than thirty days).
func (a *Aggregate) Fresh(now time.Time, most time.Duration) error {
	if a.ValidUntil.IsZero() {
		if most > 0 {
			return &XMLError{Reason: ErrMissing, Where: "validUntil"}
		}
		return nil
	}
	if err := CheckWindow(time.Time{}, a.ValidUntil, now, 0); err != nil {
		return err
	}
	if most > 0 && a.ValidUntil.Sub(now) > most {
		return &XMLError{Reason: ErrUnexpected, Where: "validUntil", Cause: fmt.Errorf("%s ahead", a.ValidUntil.Sub(now))}
	}
	return nil
}
