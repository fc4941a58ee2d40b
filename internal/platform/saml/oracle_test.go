package saml

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/testenv/need"
)

// xmlsec asks xmlsec1, which knows nothing of this package, about files in a
// folder of the test.
type xmlsec struct {
	t    *testing.T
	tool string
	dir  string
}

func anOracle(t *testing.T) xmlsec {
	t.Helper()
	tool := need.Program(t, "xmlsec1")
	x := xmlsec{t: t, tool: tool, dir: t.TempDir()}
	for name, c := range map[string]Credential{"rsa": rsaPair(), "p256": pairs[P256](), "reader": readerPair()} {
		stored, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		x.file(name+".key", string(stored))
		x.file(name+".crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate.Raw})))
		public, err := x509.MarshalPKIXPublicKey(c.Key.Public())
		if err != nil {
			t.Fatal(err)
		}
		x.file(name+".pub", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})))
	}
	return x
}

func (x xmlsec) file(name, content string) string {
	x.t.Helper()
	path := filepath.Join(x.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		x.t.Fatal(err)
	}
	return path
}

func (x xmlsec) run(args ...string) (string, error) {
	cmd := exec.CommandContext(x.t.Context(), x.tool, args...)
	cmd.Dir = x.dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil {
		return errs.String(), err
	}
	return out.String(), nil
}

// verify asks about the first signature in the document.
func (x xmlsec) verify(key, document string) (string, error) {
	x.file("document.xml", document)
	return x.run("--verify", "--pubkey-pem", key+".pub", "--id-attr:ID", NSProtocol+":Response", "--id-attr:ID", NSAssertion+":Assertion",
		"--id-attr:ID", NSMetadata+":EntityDescriptor", "--id-attr:ID", NSMetadata+":EntitiesDescriptor", "document.xml")
}

func TestAnotherProgramVerifiesWhatWeSign(t *testing.T) {
	x := anOracle(t)
	for key, c := range map[string]Credential{"rsa": rsaPair(), "p256": pairs[P256]()} {
		metadata, err := WriteMetadata(anEntity().Entity, &c)
		if err != nil {
			t.Fatal(err)
		}
		for name, document := range map[string]string{
			"an assertion":            text(t, signed(t, anAssertion().Element(), c)),
			"an answer":               text(t, signed(t, aResponse().Element(anAssertion().Element()), c)),
			"an answer, signed twice": text(t, signed(t, aResponse().Element(signed(t, anAssertion().Element(), c)), c)),
			"metadata":                string(metadata),
			"an aggregate":            string(aFederation(t, 5, c)),
		} {
			t.Run(name+" by "+key, func(t *testing.T) {
				if said, err := x.verify(key, document); err != nil {
					t.Errorf("%v: %s", err, said)
				}
				if _, err := x.verify(key, strings.Replace(document, "univ.example", "evil.example", 1)); err == nil {
					t.Error("the oracle takes anything")
				}
			})
		}
	}
}

// template is an assertion with an empty signature for xmlsec1 to fill.
const template = `<saml:Assertion xmlns:saml="` + NSAssertion + `" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="_x" Version="2.0" IssueInstant="2026-11-22T12:00:00Z">
  <saml:Issuer>` + ourIDP + `</saml:Issuer>
  <ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
    <ds:SignedInfo>
      <ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
      <ds:SignatureMethod Algorithm="METHOD"/>
      <ds:Reference URI="#_x">
        <ds:Transforms>
          <ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
          <ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">PREFIXES</ds:Transform>
        </ds:Transforms>
        <ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
        <ds:DigestValue></ds:DigestValue>
      </ds:Reference>
    </ds:SignedInfo>
    <ds:SignatureValue/>
  </ds:Signature>
  <!-- what follows is about one person -->
  <saml:Subject><saml:NameID>Amélie &amp; Zoé</saml:NameID></saml:Subject>
  <saml:AttributeStatement><saml:Attribute Name="a"><saml:AttributeValue xsi:type="xs:string">1 &lt; 2</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>
</saml:Assertion>`

func TestWeVerifyWhatAnotherProgramSigns(t *testing.T) {
	x := anOracle(t)
	const inclusive = `<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="xs"/>`
	for _, c := range []struct {
		key, method string
		with        Credential
	}{
		{"rsa", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", rsaPair()},
		{"rsa", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", rsaPair()},
		{"p256", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", pairs[P256]()},
	} {
		for name, prefixes := range map[string]string{"": "", " with prefixes": inclusive} {
			t.Run(c.method+name, func(t *testing.T) {
				x.file("template.xml", strings.NewReplacer("METHOD", c.method, "PREFIXES", prefixes).Replace(template))
				out, err := x.run("--sign", "--privkey-pem", c.key+".key", "--id-attr:ID", NSAssertion+":Assertion", "template.xml")
				if err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				el, _, err := Verify(parsed(t, out), keysOf(c.with), Policy{})
				if err != nil {
					t.Fatal(err)
				}
				a, err := ParseAssertion(el)
				if err != nil || a.Subject.NameID.Value != "Amélie & Zoé" || a.Attributes[0].Strings()[0] != "1 < 2" {
					t.Errorf("read %+v, %v", a, err)
				}
			})
		}
	}
}

func TestWeVerifyAnAggregateThatAnotherProgramSigned(t *testing.T) {
	x := anOracle(t)
	for name, prefixes := range map[string]string{
		"":               "",
		" with prefixes": `<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="xs mdui #default"/>`,
	} {
		t.Run("by exclusive canonicalisation"+name, func(t *testing.T) {
			blank := template[strings.Index(template, "<ds:Signature"):strings.Index(template, "<!--")]
			blank = strings.NewReplacer("METHOD", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "PREFIXES", prefixes, "#_x", "#_federation").Replace(blank)
			ours := string(aFederation(t, 3, rsaPair()))
			start, end := strings.Index(ours, "<ds:Signature "), strings.Index(ours, "</ds:Signature>")+len("</ds:Signature>")
			// A root as federations write it: more prefixes than are used, and an
			// attribute in two lines.
			document := ours[:start] + "\n  " + blank + "<!-- one of three -->\n" + ours[end:]
			document = strings.Replace(document, `<md:EntitiesDescriptor `, `<md:EntitiesDescriptor xmlns="urn:unused" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:a a.xsd
				urn:b b.xsd" `, 1)
			x.file("template.xml", document)
			out, err := x.run("--sign", "--privkey-pem", "rsa.key", "--id-attr:ID", NSMetadata+":EntitiesDescriptor", "template.xml")
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			aggregate, err := ReadMetadata([]byte(out), Trust{Keys: keysOf(rsaPair())}, func(*Entity) error { return nil })
			if err != nil || aggregate.Entities != 3 {
				t.Fatalf("got %+v, %v", aggregate, err)
			}
		})
	}
}

func TestAnotherProgramDecryptsWhatWeEncrypt(t *testing.T) {
	x := anOracle(t)
	for _, with := range []Cipher{AES128GCM, AES256GCM, AES128CBC, AES256CBC} {
		t.Run(string(with), func(t *testing.T) {
			encrypted, err := Encrypt(anAssertion().Element(), readerPair().Public(), with)
			if err != nil {
				t.Fatal(err)
			}
			x.file("document.xml", text(t, encrypted))
			out, err := x.run("--decrypt", "--privkey-pem", "reader.key", "document.xml")
			if err != nil || !strings.Contains(out, "amelie@univ.example") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

func TestWeDecryptWhatAnotherProgramEncrypts(t *testing.T) {
	x := anOracle(t)
	for _, with := range []struct {
		cipher  Cipher
		session string
	}{{AES128GCM, "aes-128"}, {AES256GCM, "aes-256"}, {AES128CBC, "aes-128"}, {AES256CBC, "aes-256"}} {
		t.Run(string(with.cipher), func(t *testing.T) {
			x.file("data.xml", `<w xmlns:saml="`+NSAssertion+`">`+text(t, anAssertion().Element())+`</w>`)
			x.file("template.xml", `<xenc:EncryptedData xmlns:xenc="`+NSEncryption+`" Type="`+typeElement+`"><xenc:EncryptionMethod Algorithm="`+string(with.cipher)+`"/>
				<ds:KeyInfo xmlns:ds="`+NSSignature+`"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="`+oaepMGF1+`"/><xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>
				<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>`)
			out, err := x.run("--encrypt", "--pubkey-pem", "reader.pub", "--session-key", with.session, "--xml-data", "data.xml", "--node-xpath", "/w/*", "template.xml")
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			opened, err := Opener{Keys: []Credential{readerPair()}, AllowCBC: true}.Open(parsed(t, out))
			if err != nil {
				t.Fatal(err)
			}
			if a, err := ParseAssertion(opened); err != nil || a.Subject.NameID.Value != "amelie@univ.example" {
				t.Errorf("opened %+v, %v", a, err)
			}
		})
	}
}

var (
	digestValue    = regexp.MustCompile(`<ds:DigestValue>[^<]*`)
	signatureValue = regexp.MustCompile(`<ds:SignatureValue>[^<]*`)
)

// streamSignature computes the signature of a document that is too large for the
// one of the messages; model is a signature of another one by the same key. That
// the two canonicalisers agree is tested apart.
func streamSignature(t testing.TB, data, model []byte) []byte {
	t.Helper()
	h := sha256.New()
	if err := canonicalise(data, h, wholeButSignature, nil, nil); err != nil {
		t.Fatal(err)
	}
	signature := digestValue.ReplaceAll(model, []byte("<ds:DigestValue>"+base64.StdEncoding.EncodeToString(h.Sum(nil))))
	info := sha256.New()
	if err := canonicalise(append(append([]byte("<a>"), signature...), "</a>"...), info, signedInfoOnly, nil, nil); err != nil {
		t.Fatal(err)
	}
	value, err := rsaPair().Key.Sign(rand.Reader, info.Sum(nil), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return signatureValue.ReplaceAll(signature, []byte("<ds:SignatureValue>"+base64.StdEncoding.EncodeToString(value)))
}
