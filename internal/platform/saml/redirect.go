package saml

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/beevik/etree"
)

const encodingDeflate = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"

// maxQuery bounds the query that is looked at: no server takes a longer address,
// and ours takes 1 MB of headers.
const maxQuery = 256 << 10

// ReadRedirect reads the message of a query, given as it came ("r.URL.RawQuery"):
// its signature is over the octets in the sender's own encoding (bindings,
// 3.4.4.1), which no parser gives back.
func ReadRedirect(rawQuery string) (*Inbound, error) {
	refuse := func(reason error, where string) (*Inbound, error) {
		return nil, &BindingError{Binding: Redirect, Reason: reason, Where: where}
	}
	if len(rawQuery) > maxQuery {
		return refuse(ErrTooLarge, "query")
	}
	raw, value := map[string]string{}, map[string]string{}
	for pair := range strings.SplitSeq(rawQuery, "&") {
		key, encoded, _ := strings.Cut(pair, "=")
		switch key {
		case string(Request), string(Answer), relayKey, "SigAlg", "Signature", "SAMLEncoding":
		default:
			continue
		}
		if _, twice := raw[key]; twice {
			return refuse(ErrUnexpected, key)
		}
		decoded, err := url.QueryUnescape(encoded)
		if err != nil {
			return refuse(ErrEncoding, key)
		}
		raw[key], value[key] = encoded, decoded
	}
	m := &Inbound{Binding: Redirect, RelayState: value[relayKey]}
	_, asks := raw[string(Request)]
	_, answers := raw[string(Answer)]
	switch {
	case asks && answers:
		return refuse(ErrUnexpected, string(Answer))
	case asks:
		m.Field = Request
	case answers:
		m.Field = Answer
	default:
		return refuse(ErrMissing, string(Request))
	}
	if encoding, given := value["SAMLEncoding"]; given && encoding != encodingDeflate {
		return refuse(ErrEncoding, "SAMLEncoding")
	}
	if len(m.RelayState) > MaxRelayState {
		return refuse(ErrTooLarge, relayKey)
	}
	text, err := inflate(value[string(m.Field)])
	if err != nil {
		return refuse(err, string(m.Field))
	}
	if m.root, err = Parse(text, MaxMessage); err != nil {
		return nil, err
	}
	if m.detached, err = readDetached(m.Field, raw, value); err != nil {
		return nil, err
	}
	return m, nil
}

// inflate undoes base64 and DEFLATE (RFC 1951), and stops a bomb at the limit.
func inflate(encoded string) ([]byte, error) {
	packed, err := decodeBase64(encoded)
	if err != nil {
		return nil, ErrEncoding
	}
	in := flate.NewReader(bytes.NewReader(packed))
	text, err := io.ReadAll(io.LimitReader(in, MaxMessage+1))
	switch {
	case len(text) > MaxMessage:
		return nil, ErrTooLarge
	case err != nil:
		return nil, ErrEncoding
	case len(text) == 0:
		return nil, ErrMissing
	}
	return text, nil
}

// detached is a signature over a query.
type detached struct {
	algorithm string
	signature []byte
	octets    string
}

// readDetached builds the signed octets out of the parameters as they came, in
// the order that bindings, 3.4.4.1 prescribes and not in that of the query.
func readDetached(field Field, raw, value map[string]string) (*detached, error) {
	_, signed := raw["Signature"]
	_, named := raw["SigAlg"]
	if !signed && !named {
		return nil, nil //nolint:nilnil // no signature is an answer here, and Inbound.Verify refuses it
	}
	signature, err := decodeBase64(value["Signature"])
	if err != nil || !signed || !named || len(signature) == 0 {
		return nil, &BindingError{Binding: Redirect, Reason: ErrEncoding, Where: "Signature"}
	}
	octets := string(field) + "=" + raw[string(field)]
	if relay, given := raw[relayKey]; given {
		octets += "&" + relayKey + "=" + relay
	}
	octets += "&SigAlg=" + raw["SigAlg"]
	return &detached{algorithm: value["SigAlg"], signature: signature, octets: octets}, nil
}

func (d *detached) verify(keys []PublicKey, policy Policy) (*Proof, error) {
	m, err := policy.method(d.algorithm)
	if err != nil {
		return nil, err
	}
	h := m.hash.New()
	h.Write([]byte(d.octets))
	digest := h.Sum(nil)
	for _, key := range keys {
		if m.fits(key.Key) && verifyDigest(key.Key, m.hash, digest, d.signature) {
			return &Proof{Key: key, Algorithm: d.algorithm}, nil
		}
	}
	return nil, refusal(keys, nil)
}

// verifyDigest takes ECDSA signatures in the form of XML, and in ASN.1, which
// some peers send because nothing in the binding says which.
func verifyDigest(key crypto.PublicKey, hash crypto.Hash, digest, signature []byte) bool {
	switch public := key.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, hash, digest, signature) == nil
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(public, digest, signature) {
			return true
		}
		converted, err := asn1Signature(signature)
		return err == nil && ecdsa.VerifyASN1(public, digest, converted)
	}
	return false
}

// RedirectURL builds the address that carries a message by redirect (bindings,
// 3.4). It is signed over the query when by is given; the message itself must
// carry no signature.
func RedirectURL(destination string, field Field, message *etree.Element, relayState string, by *Credential) (string, error) {
	if Signed(message) {
		return "", &XMLError{Reason: ErrUnexpected, Where: "Signature"}
	}
	text, err := Marshal(message)
	if err != nil {
		return "", err
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.DefaultCompression)
	if err != nil {
		return "", fmt.Errorf("compress %s: %w", message.Tag, err)
	}
	_, err = w.Write(text)
	if err = errors.Join(err, w.Close()); err != nil {
		return "", fmt.Errorf("compress %s: %w", message.Tag, err)
	}
	query := string(field) + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(packed.Bytes()))
	if relayState != "" {
		query += "&" + relayKey + "=" + url.QueryEscape(relayState)
	}
	if by != nil {
		if query, err = signQuery(query, *by); err != nil {
			return "", err
		}
	}
	joint := "?"
	if strings.Contains(destination, "?") {
		joint = "&"
	}
	return destination + joint + query, nil
}

func signQuery(query string, by Credential) (string, error) {
	identifier, err := methodOf(by.Key)
	if err != nil {
		return "", err
	}
	query += "&SigAlg=" + url.QueryEscape(identifier)
	h := methods[identifier].hash
	digest := h.New()
	digest.Write([]byte(query))
	signature, err := rawSigner{by.Key}.Sign(rand.Reader, digest.Sum(nil), h)
	if err != nil {
		return "", fmt.Errorf("sign the query: %w", err)
	}
	return query + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature)), nil
}
