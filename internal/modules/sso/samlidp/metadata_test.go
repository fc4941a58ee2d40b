package samlidp

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/federation"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

func TestEveryQueryPreparesOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schema...)
}

// published reads our metadata as another would.
func (h *house) readMetadata() *saml.Entity {
	h.t.Helper()
	w := (&browser{h: h, stranger: true, cookies: map[string]string{}}).get(metadataPath)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != saml.MetadataType {
		h.t.Fatalf("%d %s", w.Code, w.Header().Get("Content-Type"))
	}
	root, err := saml.Parse(w.Body.Bytes(), saml.MaxMetadata)
	if err != nil {
		h.t.Fatal(err)
	}
	signed, _, err := saml.Verify(root, []saml.PublicKey{{Key: h.ring[0].Signer.Public()}}, saml.Policy{})
	if err != nil {
		h.t.Fatal(err)
	}
	e, err := saml.ParseEntity(signed)
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

func TestOurMetadataSaysWhoWeAreAndIsSigned(t *testing.T) {
	c := Defaults()
	c.NameFrench, c.NameEnglish, c.DescriptionFrench, c.PrivacyURL = "Université de Valmont", "University of Valmont", "Tous les services", "https://valmont.example/rgpd"
	c.TechnicalContact, c.SecurityContact, c.SIRTFI, c.LogoURL = "saml@valmont.example", "csirt@valmont.example", true, "https://valmont.example/logo.png"
	c.Federations = []federation.Config{{ID: "fer", Admit: []string{saml.CategoryResearch}}}
	h := with(t, c)
	e := h.readMetadata()
	if e.ID != ourID || !e.ValidUntil.Equal(start.Add(metadataLife)) || e.CacheDuration != 24*time.Hour {
		t.Errorf("%s %s %s", e.ID, e.ValidUntil, e.CacheDuration)
	}
	ways := []saml.Binding{}
	for _, s := range e.IDP.SSO {
		ways = append(ways, s.Binding)
	}
	if !slices.Equal(ways, []saml.Binding{saml.Redirect, saml.POST}) || len(e.IDP.Logout) != 3 || len(e.IDP.NameIDFormats) != 4 {
		t.Errorf("%v %+v", ways, e.IDP)
	}
	if saml.InLanguage(e.IDP.UI.DisplayNames, "fr") != "Université de Valmont" || saml.InLanguage(e.IDP.UI.DisplayNames, "en") != "University of Valmont" || e.IDP.Scopes[0].Value != "valmont.example" {
		t.Errorf("%+v", e.IDP.UI)
	}
	if e.Contact(saml.ContactSecurity)[0] != "csirt@valmont.example" || !e.Assured(saml.AssuranceSirtfi) || !e.Supports(saml.CategoryResearch) || e.Supports(saml.CategoryCodeOfConduct2) {
		t.Errorf("%+v %+v", e.Contacts, e.Attributes)
	}
}

// TestARollOverNeedsNoPause walks through one: at each step, a service that read
// our metadata before it verifies what we sign after it.
func TestARollOverNeedsNoPause(t *testing.T) {
	h := one(t)
	old, next := h.ring[0], h.ring[1]
	steps := [][]keys.Key{{old, next}, {next, old}, {next}}
	var read []saml.PublicKey
	for i, ring := range steps {
		before := read
		h.ring = ring
		h.clock.Advance(2 * metadataWritten)
		read = h.readMetadata().IDP.SigningKeys()
		if len(read) != len(ring) {
			t.Fatalf("step %d publishes %d keys", i, len(read))
		}
		if before == nil {
			continue
		}
		b := h.browser()
		_, form := posted(t, b.follow(b.get(h.asked(nil))))
		in, err := saml.ReadPOST(form)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := saml.OpenResponse(in, before, saml.Policy{}, saml.Opener{}); err != nil {
			t.Errorf("step %d: a service that read us before does not believe us: %v", i, err)
		}
	}
}

func TestOurMetadataIsSignedOnceAMinute(t *testing.T) {
	h := one(t)
	b := h.browser()
	first := b.get(metadataPath).Body.String()
	if b.get(metadataPath).Body.String() != first {
		t.Error("signed anew for everybody who asks")
	}
	h.clock.Advance(2 * metadataWritten)
	if b.get(metadataPath).Body.String() == first {
		t.Error("never signed anew")
	}
}

func TestMistakesOfTheConfigurationAreNamed(t *testing.T) {
	good := Defaults()
	if p := good.Check(); len(p) > 0 {
		t.Fatalf("%+v", p)
	}
	for key, spoil := range map[string]func(c *Config){
		"entity_id":                  func(c *Config) { c.EntityID = "two words" },
		"skew":                       func(c *Config) { c.Skew = time.Hour },
		"request_age":                func(c *Config) { c.RequestAge = time.Second },
		"answer_age":                 func(c *Config) { c.AnswerAge = 24 * time.Hour },
		"session":                    func(c *Config) { c.Session = time.Minute },
		"logo_url":                   func(c *Config) { c.LogoURL = "logo.png" },
		"support_contact":            func(c *Config) { c.SupportContact = "me" },
		"security_contact":           func(c *Config) { c.SIRTFI = true },
		"federations[0].certificate": func(c *Config) { c.Federations = []federation.Config{{ID: "x", MDQ: "https://mdq.example"}} },
		"federations[0].aggregate":   func(c *Config) { c.Federations = []federation.Config{{ID: "x"}} },
	} {
		c := good
		spoil(&c)
		found := false
		for _, p := range c.Check() {
			found = found || p.Key == key
		}
		if !found {
			t.Errorf("%s: %+v", key, c.Check())
		}
	}
}

func TestAFormerEntityIDStays(t *testing.T) {
	c := Defaults()
	c.EntityID = "https://idp.valmont.example/idp/shibboleth"
	h := with(t, c)
	if e := h.readMetadata(); e.ID != c.EntityID || !strings.HasPrefix(e.IDP.SSO[0].Location, home) {
		t.Errorf("%s at %s", e.ID, e.IDP.SSO[0].Location)
	}
}
