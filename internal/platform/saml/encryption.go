package saml

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"   // the digest of rsa-oaep-mgf1p, where its collisions do not matter
	_ "crypto/sha256" // digests and masks that readers may name
	_ "crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"fmt"

	"github.com/beevik/etree"
)

// Cipher is a block encryption of XML (xmlenc-core1, 5.2).
type Cipher string

// The ciphers that are written and read. GCM notices every change; CBC does not,
// and stands here for services that know nothing newer.
const (
	AES128GCM Cipher = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
	AES256GCM Cipher = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
	AES128CBC Cipher = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
	AES256CBC Cipher = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
)

type cipherKind struct {
	size int // octets of the key
	cbc  bool
}

var ciphers = map[Cipher]cipherKind{
	AES128GCM: {size: 16}, AES256GCM: {size: 32},
	AES128CBC: {size: 16, cbc: true}, AES256CBC: {size: 32, cbc: true},
}

// Ways to carry the key (xmlenc-core1, 5.5.2). RSA 1.5 padding is not among
// them: who may ask us often whether it fits can decrypt (Bleichenbacher).
const (
	oaepMGF1 = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
	oaep11   = "http://www.w3.org/2009/xmlenc11#rsa-oaep"

	typeElement = "http://www.w3.org/2001/04/xmlenc#Element"
)

// oaepHashes maps digest and mask identifiers to hashes. The masks are
// xmlenc 1.1's; the digests are xmldsig's and xmlenc's.
var oaepHashes = map[string]crypto.Hash{
	"http://www.w3.org/2000/09/xmldsig#sha1":        crypto.SHA1,
	"http://www.w3.org/2001/04/xmlenc#sha256":       crypto.SHA256,
	"http://www.w3.org/2001/04/xmlenc#sha512":       crypto.SHA512,
	"http://www.w3.org/2009/xmlenc11#mgf1sha1":      crypto.SHA1,
	"http://www.w3.org/2009/xmlenc11#mgf1sha256":    crypto.SHA256,
	"http://www.w3.org/2009/xmlenc11#mgf1sha512":    crypto.SHA512,
	"http://www.w3.org/2001/04/xmldsig-more#sha384": crypto.SHA384,
	"http://www.w3.org/2009/xmlenc11#mgf1sha384":    crypto.SHA384,
}

// Encrypt wraps a signed assertion for one reader: an EncryptedAssertion (core,
// 2.3.4) around a fresh key, which RSA-OAEP carries. The padding uses SHA-1
// inside, the only form that every reader has; OAEP does not lean on collisions.
func Encrypt(assertion *etree.Element, reader PublicKey, with Cipher) (*etree.Element, error) {
	kind, known := ciphers[with]
	public, isRSA := reader.Key.(*rsa.PublicKey)
	if !known || !isRSA {
		return nil, fmt.Errorf("saml: cannot encrypt with %s for a key of type %T", with, reader.Key)
	}
	text, err := Marshal(assertion)
	if err != nil {
		return nil, err
	}
	key := make([]byte, kind.size)
	rand.Read(key) // never fails since Go 1.24
	sealed, err := kind.seal(key, text)
	if err != nil {
		return nil, fmt.Errorf("encrypt an assertion: %w", err)
	}
	carried, err := rsa.EncryptOAEP(crypto.SHA1.New(), rand.Reader, public, key, nil)
	if err != nil {
		return nil, fmt.Errorf("encrypt the key of an assertion: %w", err)
	}
	wrapped := newRoot("saml:EncryptedAssertion", "saml")
	data := wrapped.CreateElement("xenc:EncryptedData")
	data.CreateAttr("xmlns:xenc", NSEncryption)
	data.CreateAttr("Type", typeElement)
	data.CreateElement("xenc:EncryptionMethod").CreateAttr("Algorithm", string(with))
	info := data.CreateElement("ds:KeyInfo")
	info.CreateAttr("xmlns:ds", NSSignature)
	encryptedKey := info.CreateElement("xenc:EncryptedKey")
	way := encryptedKey.CreateElement("xenc:EncryptionMethod")
	way.CreateAttr("Algorithm", oaepMGF1)
	way.CreateElement("ds:DigestMethod").CreateAttr("Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1")
	if reader.Certificate != nil {
		x509Data := encryptedKey.CreateElement("ds:KeyInfo").CreateElement("ds:X509Data")
		add(x509Data, "ds:X509Certificate", base64.StdEncoding.EncodeToString(reader.Certificate.Raw))
	}
	add(encryptedKey.CreateElement("xenc:CipherData"), "xenc:CipherValue", base64.StdEncoding.EncodeToString(carried))
	add(data.CreateElement("xenc:CipherData"), "xenc:CipherValue", base64.StdEncoding.EncodeToString(sealed))
	return wrapped, nil
}

func (k cipherKind) seal(key, text []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if !k.cbc { // nonce of 12 octets in front, tag of 16 behind (xmlenc-core1, 5.2.4)
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		nonce := make([]byte, aead.NonceSize())
		rand.Read(nonce)
		return aead.Seal(nonce, nonce, text, nil), nil
	}
	// The last octet counts the padding, the others may be anything (5.2.1).
	padding := aes.BlockSize - len(text)%aes.BlockSize
	padded := append(text, make([]byte, padding)...)
	padded[len(padded)-1] = byte(padding)
	sealed := make([]byte, aes.BlockSize+len(padded))
	rand.Read(sealed[:aes.BlockSize])
	cipher.NewCBCEncrypter(block, sealed[:aes.BlockSize]).CryptBlocks(sealed[aes.BlockSize:], padded)
	return sealed, nil
}

func (k cipherKind) open(key, sealed []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if !k.cbc {
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		if len(sealed) < aead.NonceSize() {
			return nil, ErrDecrypt
		}
		return aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], nil)
	}
	if len(sealed) < 2*aes.BlockSize || len(sealed)%aes.BlockSize != 0 {
		return nil, ErrDecrypt
	}
	text := make([]byte, len(sealed)-aes.BlockSize)
	cipher.NewCBCDecrypter(block, sealed[:aes.BlockSize]).CryptBlocks(text, sealed[aes.BlockSize:])
	padding := int(text[len(text)-1])
	if padding < 1 || padding > aes.BlockSize {
		return nil, ErrDecrypt
	}
	return text[:len(text)-padding], nil
}

// Opener decrypts what was encrypted for us. The zero value opens nothing.
type Opener struct {
	Keys []Credential // the newest and those before it, while peers still use them
	// AllowCBC reads ciphertexts that could have been changed on the way. ADFS
	// sends no others; a signature inside must be asked for then, and the answers
	// to a stranger must not differ by what failed.
	AllowCBC bool
}

// Open decrypts an EncryptedAssertion or EncryptedID (core, 2.2.4 and 2.3.4) and
// parses what was inside with every check of [Parse]. Every failure is
// ErrDecrypt, except an algorithm that is not allowed: that is a
// [SignatureError] with ErrAlgorithm, because the ciphertext says it openly.
func (o Opener) Open(encrypted *etree.Element) (*etree.Element, error) {
	r := &reader{}
	data := r.must(encrypted, NSEncryption, "EncryptedData")
	with := Cipher(attr(r.must(data, NSEncryption, "EncryptionMethod"), "Algorithm"))
	sealed := r.cipherValue(data)
	if r.err != nil {
		return nil, r.err
	}
	kind, known := ciphers[with]
	if !known || kind.cbc && !o.AllowCBC {
		return nil, &SignatureError{Reason: ErrAlgorithm, Algorithm: string(with)}
	}
	// The key stands in the data's KeyInfo, or beside the data (core, 2.2.4).
	carriers := append(all(r.one(data, NSSignature, "KeyInfo"), NSEncryption, "EncryptedKey"), all(encrypted, NSEncryption, "EncryptedKey")...)
	if len(carriers) == 0 {
		return nil, &XMLError{Reason: ErrMissing, Where: "EncryptedKey"}
	}
	const most = 8 // readers of one ciphertext; each costs an RSA operation for each key of ours
	for _, carrier := range carriers[:min(len(carriers), most)] {
		carried, unwrap, err := r.carrier(carrier)
		if err != nil {
			return nil, err
		}
		for _, credential := range o.Keys {
			text, err := kind.unwrapAndOpen(credential, carried, unwrap, sealed)
			if err != nil {
				continue // another key, or another reader's: ErrDecrypt below says it
			}
			return Parse(text, MaxMessage)
		}
	}
	return nil, ErrDecrypt
}

func (k cipherKind) unwrapAndOpen(credential Credential, carried []byte, unwrap *rsa.OAEPOptions, sealed []byte) ([]byte, error) {
	decrypter, able := credential.Key.(crypto.Decrypter)
	if !able {
		return nil, ErrDecrypt
	}
	key, err := decrypter.Decrypt(rand.Reader, carried, unwrap)
	if err != nil || subtle.ConstantTimeEq(int32(len(key)), int32(k.size)) != 1 {
		return nil, ErrDecrypt
	}
	return k.open(key, sealed)
}

func (r *reader) cipherValue(el *etree.Element) []byte {
	value := r.must(r.must(el, NSEncryption, "CipherData"), NSEncryption, "CipherValue")
	octets, err := decodeBase64(r.text(value))
	if err != nil {
		r.fail(ErrMalformed, "CipherValue", err)
	}
	return octets
}

// carrier reads an EncryptedKey: its octets and how they were made.
func (r *reader) carrier(el *etree.Element) ([]byte, *rsa.OAEPOptions, error) {
	carried := r.cipherValue(el)
	way := r.must(el, NSEncryption, "EncryptionMethod")
	if r.err != nil {
		return nil, nil, r.err
	}
	refuse := func(algorithm string) ([]byte, *rsa.OAEPOptions, error) {
		return nil, nil, &SignatureError{Reason: ErrAlgorithm, Algorithm: algorithm}
	}
	algorithm := attr(way, "Algorithm")
	if algorithm != oaepMGF1 && algorithm != oaep11 {
		return refuse(algorithm)
	}
	unwrap := &rsa.OAEPOptions{Hash: crypto.SHA1, MGFHash: crypto.SHA1}
	if digest := attr(r.one(way, NSSignature, "DigestMethod"), "Algorithm"); digest != "" {
		if unwrap.Hash = oaepHashes[digest]; unwrap.Hash == 0 {
			return refuse(digest)
		}
	}
	if mask := attr(r.one(way, NSEnc11, "MGF"), "Algorithm"); mask != "" && algorithm == oaep11 {
		if unwrap.MGFHash = oaepHashes[mask]; unwrap.MGFHash == 0 {
			return refuse(mask)
		}
	}
	if label := r.textOf(way, NSEncryption, "OAEPparams"); label != "" {
		octets, err := decodeBase64(label)
		if err != nil {
			return nil, nil, &XMLError{Reason: ErrMalformed, Where: "OAEPparams"}
		}
		unwrap.Label = octets
	}
	if r.err != nil {
		return nil, nil, r.err
	}
	return carried, unwrap, nil
}
