package saml

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/beevik/etree"
)

func TestAnEncryptedAnswerIsOpened(t *testing.T) {
	c, reader := rsaPair(), readerPair()
	for _, with := range []Cipher{AES128GCM, AES256GCM, AES128CBC, AES256CBC} {
		t.Run(string(with), func(t *testing.T) {
			encrypted, err := Encrypt(signed(t, anAssertion().Element(), c), reader.Public(), with)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(text(t, encrypted), "amelie") {
				t.Fatal("it is not encrypted")
			}
			m := posted(t, Answer, signed(t, aResponse().Element(encrypted), c))
			p, err := OpenResponse(m, keysOf(c), Policy{}, Opener{Keys: []Credential{otherPair(), reader}, AllowCBC: true})
			if err != nil {
				t.Fatal(err)
			}
			if err := anExpectation().Check(p); err != nil || !p.Encrypted || p.Assertion.Attributes[1].Strings()[0] != anAssertion().Attributes[1].Strings()[0] {
				t.Errorf("opened %+v, %v", p.Assertion, err)
			}
			_, err = OpenResponse(m, keysOf(c), Policy{}, Opener{Keys: []Credential{reader}})
			if cbc := strings.Contains(string(with), "cbc"); cbc != errors.Is(err, ErrAlgorithm) {
				t.Errorf("without the option for CBC: %v", err)
			}
			if _, err = OpenResponse(m, keysOf(c), Policy{}, Opener{Keys: []Credential{otherPair(), pairs[P256]()}, AllowCBC: true}); !errors.Is(err, ErrDecrypt) {
				t.Errorf("with another key: %v", err)
			}
			if _, err = OpenResponse(m, keysOf(c), Policy{}, Opener{AllowCBC: true}); !errors.Is(err, ErrDecrypt) {
				t.Errorf("without a key: %v", err)
			}
		})
	}
}

// An encrypted assertion proves nothing by itself: everybody has our public key.
func TestAnEncryptedAssertionThatNobodySignedIsRefused(t *testing.T) {
	encrypted, err := Encrypt(anAssertion().Element(), readerPair().Public(), AES256GCM)
	if err != nil {
		t.Fatal(err)
	}
	_, err = OpenResponse(posted(t, Answer, aResponse().Element(encrypted)), keysOf(rsaPair()), Policy{}, Opener{Keys: []Credential{readerPair()}})
	if !errors.Is(err, ErrUnsigned) {
		t.Fatalf("got %v", err)
	}
}

func TestAnEncryptedAssertionIsRefused(t *testing.T) {
	opener := Opener{Keys: []Credential{readerPair()}, AllowCBC: true}
	encrypted, err := Encrypt(anAssertion().Element(), readerPair().Public(), AES256GCM)
	if err != nil {
		t.Fatal(err)
	}
	whole := text(t, encrypted)
	values := encrypted.FindElements("//CipherValue")
	last := values[len(values)-1].Text()
	octets, err := base64.StdEncoding.DecodeString(last)
	if err != nil {
		t.Fatal(err)
	}
	flip := bytes.Clone(octets)
	flip[40] ^= 1
	sealed := func(b []byte) string {
		return strings.Replace(whole, last, base64.StdEncoding.EncodeToString(b), 1)
	}
	for _, c := range []struct {
		name, text string
		want       error
	}{
		{"when a bit changed", sealed(flip), ErrDecrypt},
		{"when it is cut", sealed(octets[:len(octets)-1]), ErrDecrypt},
		{"when it is next to nothing", sealed(octets[:3]), ErrDecrypt},
		{"when it is no base64", strings.Replace(whole, last, "***", 1), ErrMalformed},
		{"when the key is by RSA 1.5", strings.Replace(whole, oaepMGF1, "http://www.w3.org/2001/04/xmlenc#rsa-1_5", 1), ErrAlgorithm},
		{"when the cipher is 3DES", strings.Replace(whole, string(AES256GCM), "http://www.w3.org/2001/04/xmlenc#tripledes-cbc", 1), ErrAlgorithm},
		{"when the cipher says another length", strings.Replace(whole, string(AES256GCM), string(AES128GCM), 1), ErrDecrypt},
		{"when GCM is read as CBC", strings.Replace(whole, string(AES256GCM), string(AES256CBC), 1), nil},
		{"when the padding's digest is unknown", strings.Replace(whole, "xmldsig#sha1", "xmldsig-more#md5", 1), ErrAlgorithm},
		{"when the key is missing", whole[:strings.Index(whole, "<ds:KeyInfo")] + whole[strings.Index(whole, "</xenc:EncryptedKey></ds:KeyInfo>")+len("</xenc:EncryptedKey></ds:KeyInfo>"):], ErrMissing},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := opener.Open(parsed(t, c.text))
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

// What was encrypted is as foreign as what came in the open.
func TestWhatWasEncryptedIsInspectedToo(t *testing.T) {
	evil := etree.NewElement("x")
	evil.CreateDirective(`DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]`)
	encrypted, err := Encrypt(evil, readerPair().Public(), AES256GCM)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (Opener{Keys: []Credential{readerPair()}}).Open(encrypted); !errors.Is(err, ErrDTD) {
		t.Fatalf("got %v", err)
	}
}

func TestAKeyThatCannotDecryptIsNotEncryptedFor(t *testing.T) {
	if _, err := Encrypt(anAssertion().Element(), pairs[P256]().Public(), AES256GCM); err == nil {
		t.Error("an elliptic key is taken")
	}
	if _, err := Encrypt(anAssertion().Element(), readerPair().Public(), "rot13"); err == nil {
		t.Error("any cipher is taken")
	}
}

func TestACredentialIsStoredAndReadAgain(t *testing.T) {
	for _, pair := range pairs {
		c := pair()
		stored, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeCredential(stored)
		if err != nil || !again.Certificate.Equal(c.Certificate) {
			t.Fatalf("got %v", err)
		}
		signed(t, anAssertion().Element(), again)
	}
	one, err := rsaPair().Encode()
	if err != nil {
		t.Fatal(err)
	}
	two, err := otherPair().Encode()
	if err != nil {
		t.Fatal(err)
	}
	mixed := append(bytes.Clone(one[:bytes.Index(one, []byte("-----BEGIN CERT"))]), two[bytes.Index(two, []byte("-----BEGIN CERT")):]...)
	for name, stored := range map[string][]byte{"of two halves": mixed, "of nothing": nil, "of a key alone": one[:len(one)/3]} {
		if _, err := DecodeCredential(stored); err == nil {
			t.Errorf("a credential %s is taken", name)
		}
	}
	if _, err := GenerateCredential("dsa", "x", noon, 1); err == nil {
		t.Error("any kind of key is made")
	}
}
