package samlidp

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// nameOf signs in once and returns the name and the assertion, or the status.
func (h *house) nameOf(edit func(q *saml.AuthnRequest)) (saml.NameID, *saml.Assertion, saml.Status) {
	h.t.Helper()
	b := h.browser()
	response, _, err := h.opened(b.follow(b.get(h.asked(edit))))
	if err != nil {
		if response == nil {
			h.t.Fatal(err)
		}
		return saml.NameID{}, nil, response.Status
	}
	return *response.Assertion.Subject.NameID, response.Assertion, response.Status
}

func policy(format string) func(q *saml.AuthnRequest) {
	return func(q *saml.AuthnRequest) { q.NameIDPolicy = &saml.NameIDPolicy{Format: format} }
}

func TestNamesAreGivenAsTheRequestTheEntryAndTheMetadataSay(t *testing.T) {
	for name, c := range map[string]struct {
		edit   func(e *saml.Entity, s *registry.Service)
		policy func(q *saml.AuthnRequest)
		format string
		value  string // "" for one that is made
		status string
	}{
		"nothing said": {format: saml.FormatTransient},
		"the metadata says": {edit: func(e *saml.Entity, _ *registry.Service) {
			e.SP.NameIDFormats = []string{saml.FormatKerberos, saml.FormatPersistent}
		}, format: saml.FormatPersistent},
		"the entry says":           {edit: func(_ *saml.Entity, s *registry.Service) { s.SAML.NameID = registry.NameIDEmail }, format: saml.FormatEmail, value: "lina.martin@valmont.example"},
		"the request says":         {edit: func(_ *saml.Entity, s *registry.Service) { s.SAML.NameID = registry.NameIDTransient }, policy: policy(saml.FormatPersistent), format: saml.FormatPersistent},
		"the request says nothing": {edit: func(_ *saml.Entity, s *registry.Service) { s.SAML.NameID = registry.NameIDUnspecified }, policy: policy(saml.FormatUnspecified), format: saml.FormatUnspecified, value: "lmartin"},
		"from an attribute": {edit: func(_ *saml.Entity, s *registry.Service) {
			s.SAML.NameID, s.SAML.NameIDFrom = registry.NameIDPersistent, "eduPersonPrincipalName"
		}, format: saml.FormatPersistent, value: "lmartin@valmont.example"},
		"an address not released": {edit: func(_ *saml.Entity, s *registry.Service) { s.Attributes = nil }, policy: policy(saml.FormatEmail), status: saml.StatusInvalidNameIDPolicy},
		"a form that we have not": {policy: policy(saml.FormatKerberos), status: saml.StatusInvalidNameIDPolicy},
		"a name for a group": {policy: func(q *saml.AuthnRequest) {
			q.NameIDPolicy = &saml.NameIDPolicy{SPNameQualifier: "https://other.example"}
		}, status: saml.StatusInvalidNameIDPolicy},
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			if c.edit != nil {
				h.change(c.edit)
			}
			n, _, status := h.nameOf(c.policy)
			if status.Second != c.status || n.Format != c.format || c.value != "" && n.Value != c.value || c.status == "" && n.Value == "" {
				t.Errorf("%+v %+v", n, status)
			}
			if c.status != "" && h.noted("sso.saml_name_policy_unmet") == nil {
				t.Error("the contact was not told")
			}
		})
	}
}

func TestAPersistentNameStaysAndDiffersFromServiceToService(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first, _, _ := h.nameOf(policy(saml.FormatPersistent))
		again, _, _ := h.nameOf(policy(saml.FormatPersistent))
		if first != again || first.NameQualifier != ourID || first.SPNameQualifier != spID {
			t.Errorf("%+v, then %+v", first, again)
		}
		elsewhere, err := h.store.name(t.Context(), "https://other.example/sp", h.viewer.Person)
		if err != nil || elsewhere == first.Value {
			t.Errorf("elsewhere %s %v", elsewhere, err)
		}
		other, err := h.store.name(t.Context(), spID, "somebody else")
		if err != nil || other == first.Value {
			t.Errorf("somebody else %s %v", other, err)
		}
		transient, _, _ := h.nameOf(policy(saml.FormatTransient))
		later, _, _ := h.nameOf(policy(saml.FormatTransient))
		if transient.Value == later.Value {
			t.Error("a transient name came twice")
		}
	})
}

func TestWithoutTheDataOfItsNameNobodyIsSentToAService(t *testing.T) {
	h := one(t)
	h.mail = false
	h.services[0].SAML.NameID = registry.NameIDEmail
	b := h.browser()
	h.stopped(b.follow(b.get(h.asked(nil))), "sso.saml_name_missing")
}

// TestMicrosoft365GetsTheShapeThatItReads is the recipe of docs/services/saml.md.
func TestMicrosoft365GetsTheShapeThatItReads(t *testing.T) {
	const (
		entra = "urn:federation:MicrosoftOnline"
		acs   = "https://login.microsoftonline.com/login.srf"
	)
	h := one(t)
	h.services = []registry.Service{{
		ID: "microsoft365", NameEnglish: "Microsoft 365", Protocol: registry.SAML, Attributes: []registry.Attribute{registry.PrincipalName},
		SAML: registry.SAMLPeer{
			EntityID: entra, NameID: registry.NameIDPersistent, NameIDFrom: registry.NameIDImmutable,
			AttributeNames: []string{"IDPEmail=eduPersonPrincipalName", "http://schemas.microsoft.com/claims/authnmethodsreferences=mfa"},
			Metadata: metadataOf(t, &saml.Entity{ID: entra, SP: &saml.SPRole{
				WantAssertionsSigned: true, ACS: []saml.Endpoint{{Binding: saml.POST, Location: acs}},
			}}),
		},
	}}
	if m := h.services[0].Check(); len(m) > 0 {
		t.Fatalf("the entry: %+v", m)
	}
	h.viewer.FactorAt = start
	q := h.request(func(q *saml.AuthnRequest) {
		q.Issuer = entra
		q.NameIDPolicy = &saml.NameIDPolicy{Format: saml.FormatPersistent}
	})
	b := h.browser()
	w := b.follow(b.get(h.redirect(q.Element(), "estsredirect=2", nil)))
	action, form := posted(t, w)
	if action != acs || form.Get("RelayState") != "estsredirect=2" {
		t.Errorf("posted to %s with %q", action, form.Get("RelayState"))
	}
	response, _, err := h.opened(w)
	if err != nil {
		t.Fatal(err)
	}
	a := response.Assertion
	person := uuid.MustParse(string(h.viewer.Person))
	if n := a.Subject.NameID; n.Format != saml.FormatPersistent || n.Value != base64.StdEncoding.EncodeToString(person[:]) || n.NameQualifier != "" {
		t.Errorf("ImmutableID %+v", n)
	}
	if mail, ok := a.Attribute("IDPEmail"); !ok || mail.Values[0].Text != "lmartin@valmont.example" {
		t.Errorf("IDPEmail %+v", mail)
	}
	if how, ok := a.Attribute(claimMethods); !ok || how.Values[0].Text != saml.ContextMicrosoftMFA {
		t.Errorf("methods %+v", how)
	}
	if len(a.Attributes) != 2 || a.Conditions.Audiences[0][0] != entra || a.Issuer != ourID || response.Encrypted {
		t.Errorf("%+v", a)
	}
	raw, err := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
	if err != nil || strings.Count(string(raw), "<ds:SignatureValue") != 2 || !strings.Contains(string(raw), "xmldsig-more#rsa-sha256") {
		t.Errorf("signatures: %v", err)
	}
}

func TestAttributesAreNamedAsTheServiceWants(t *testing.T) {
	h := one(t)
	h.change(func(e *saml.Entity, s *registry.Service) {
		s.SAML.AttributeFormat = registry.AttributeBasic
		s.SAML.AttributeNames = []string{"Login=mail", "*=targeted-id"}
		s.Attributes = append(s.Attributes, registry.PrincipalName)
	})
	_, a, _ := h.nameOf(nil)
	var names []string
	for _, attribute := range a.Attributes {
		names = append(names, attribute.Name)
	}
	for _, want := range []string{"Login", "displayName", "eduPersonAffiliation", "eduPersonPrincipalName", "urn:oid:1.3.6.1.4.1.5923.1.1.1.10"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not among %v", want, names)
		}
	}
	targeted, _ := a.Attribute(oidTargetedID)
	persistent, err := h.store.name(t.Context(), spID, h.viewer.Person)
	if err != nil || targeted.Values[0].Name == nil || targeted.Values[0].Name.Value != persistent {
		t.Errorf("eduPersonTargetedID %+v", targeted)
	}
	if slices.Contains(names, "mail") || len(names) != 5 {
		t.Errorf("released %v", names)
	}
}

func TestOnlyWhatTheServiceAsksForIsReleasedWhereTheEntrySaysSo(t *testing.T) {
	h := one(t)
	h.change(func(e *saml.Entity, s *registry.Service) {
		s.SAML.RequestedOnly = true
		e.SP.Services = []saml.AttributeService{{Index: 1, Names: []saml.Localized{{Lang: "en", Text: "x"}}, Requested: []saml.RequestedAttribute{
			{Attribute: saml.Attribute{Name: "urn:oid:0.9.2342.19200300.100.1.3"}}, {Attribute: saml.Attribute{Name: "urn:oid:2.5.4.4"}},
		}}}
	})
	_, a, _ := h.nameOf(nil)
	if len(a.Attributes) != 1 || a.Attributes[0].FriendlyName != "mail" {
		t.Errorf("released %+v", a.Attributes)
	}
	h.change(func(_ *saml.Entity, s *registry.Service) {}) // asks for nothing
	if _, a, _ = h.nameOf(nil); len(a.Attributes) != 0 {
		t.Errorf("released %+v", a.Attributes)
	}
}

func TestAnswersAreSignedAndEncryptedAsTheEntryAndTheMetadataSay(t *testing.T) {
	reads := func(ciphers ...saml.Cipher) func(e *saml.Entity) {
		return func(e *saml.Entity) {
			e.SP.Keys = append(e.SP.Keys, saml.RoleKey{PublicKey: e.SP.Keys[0].PublicKey, Use: saml.UseEncryption, Ciphers: ciphers})
		}
	}
	for name, c := range map[string]struct {
		key        func(e *saml.Entity)
		entry      registry.SAMLPeer
		signatures int
		cipher     saml.Cipher
		stopped    string
	}{
		"both parts":                  {signatures: 2},
		"the assertion only":          {entry: registry.SAMLPeer{Sign: registry.SignAssertion}, signatures: 1},
		"the whole only":              {entry: registry.SAMLPeer{Sign: registry.SignResponse}, signatures: 1},
		"encrypted as the key says":   {key: reads(saml.AES256GCM), cipher: saml.AES256GCM, signatures: 1},
		"encrypted with nothing said": {key: reads(), cipher: saml.AES128CBC, signatures: 1},
		"never encrypted":             {key: reads(saml.AES256GCM), entry: registry.SAMLPeer{Encrypt: registry.EncryptNever}, signatures: 2},
		"always, without a key":       {entry: registry.SAMLPeer{Encrypt: registry.EncryptAlways}, stopped: "sso.saml_no_encryption_key"},
	} {
		t.Run(name, func(t *testing.T) {
			h := one(t)
			h.change(func(e *saml.Entity, s *registry.Service) {
				s.SAML.Sign, s.SAML.Encrypt = c.entry.Sign, c.entry.Encrypt
				if c.key != nil {
					c.key(e)
				}
			})
			b := h.browser()
			q := h.request(nil)
			w := b.follow(b.get(h.redirect(q.Element(), "", h.key("sp"))))
			if c.stopped != "" {
				h.stopped(w, c.stopped)
				return
			}
			h.entered(w, q.ID)
			_, form := posted(t, w)
			raw, err := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(raw), "<ds:SignatureValue"); n != c.signatures {
				t.Errorf("%d signatures", n)
			}
			if c.cipher != "" && (!strings.Contains(string(raw), string(c.cipher)) || strings.Contains(string(raw), "lina.martin")) {
				t.Errorf("not encrypted with %s", c.cipher)
			}
		})
	}
}
