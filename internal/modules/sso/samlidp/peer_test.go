package samlidp

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/federation"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// site serves one page of metadata at every address.
type site struct {
	mu    sync.Mutex
	page  string
	asked int
}

func (s *site) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.page == "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Write([]byte(s.page)) //nolint:errcheck // who does not read does not find
}

func (s *site) serve(page string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.page = page
}

func TestAKeyThatChangedSinceYesterdayIsLookedUpOnce(t *testing.T) {
	h := one(t)
	s := &site{}
	server := httptest.NewServer(s)
	defer server.Close()
	s.serve(metadataOf(t, entity(t)))
	h.services[0].SAML.Metadata, h.services[0].SAML.MetadataURL = "", server.URL
	b := h.browser()
	h.opened(b.follow(b.get(h.asked(nil))))

	changed := entity(t)
	changed.SP.Keys[0].PublicKey = h.key("sp after its roll-over").Public()
	s.serve(metadataOf(t, changed))
	h.clock.Advance(2 * time.Minute)
	h.opened(b.follow(b.get(h.redirect(h.request(nil).Element(), "", h.key("sp after its roll-over")))))
	if i := h.noted("sso.saml_keys_changed"); i == nil || i.Received != saml.Fingerprint(h.key("sp after its roll-over").Certificate) {
		t.Errorf("the change was not noted: %+v", i)
	}

	asked := s.asked
	for range 5 { // whoever signs wrongly does not make us ask again and again
		h.stopped(b.get(h.redirect(h.request(nil).Element(), "", h.key("somebody else"))), "sso.saml_signature_wrong")
	}
	if s.asked > asked+1 {
		t.Errorf("asked %d times", s.asked-asked)
	}
}

func TestAMemberOfAFederationEntersByItsCategory(t *testing.T) {
	s := &site{}
	server := httptest.NewServer(s)
	defer server.Close()
	fed := makeKey(t, "federation")
	c := Defaults()
	c.Federations = []federation.Config{{
		ID: "world", MDQ: server.URL, Admit: []string{saml.CategoryResearch},
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: fed.Certificate.Raw})),
	}}
	member := func(categories ...string) string {
		e := entity(t)
		e.ValidUntil = start.AddDate(0, 0, 5)
		e.SP.UI.DisplayNames = []saml.Localized{{Lang: "en", Text: "Telescope"}}
		if len(categories) > 0 {
			e.Attributes = []saml.Attribute{{Name: saml.CategoryAttribute, NameFormat: saml.NameFormatURI, Values: saml.Texts(categories...)}}
		}
		text, err := saml.WriteMetadata(e, &fed)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	t.Run("of one that is admitted", func(t *testing.T) {
		h := with(t, c)
		h.services = nil
		s.serve(member(saml.CategoryResearch))
		_, a, _ := h.nameOf(nil)
		var told []string
		for _, attribute := range a.Attributes {
			told = append(told, attribute.FriendlyName)
		}
		if len(told) != 4 { // of the six of the category, those that the record has
			t.Errorf("told %v", told)
		}
		q := h.questions[0]
		if q.Service.Name("en") != "Telescope" || !q.Service.Consent || h.Member(q.Service.ID) == nil {
			t.Errorf("%+v", q.Service)
		}
	})
	t.Run("with an entry of its own, which decides", func(t *testing.T) {
		h := with(t, c)
		h.services = []registry.Service{{ID: "telescope", NameEnglish: "Telescope", Protocol: registry.SAML, Attributes: []registry.Attribute{registry.Mail}, SAML: registry.SAMLPeer{EntityID: spID}}}
		if m := h.services[0].Check(); len(m) > 0 {
			t.Fatalf("%+v", m)
		}
		s.serve(member())
		if _, a, _ := h.nameOf(nil); len(a.Attributes) != 1 || h.questions[0].Service.ID != "telescope" {
			t.Errorf("told %+v", a.Attributes)
		}
	})
	t.Run("of another", func(t *testing.T) {
		h := with(t, c)
		h.services = nil
		s.serve(member())
		h.stopped(h.browser().get(h.asked(nil)), "sso.saml_service_unknown")
		if h.Member("wiki") != nil {
			t.Error("any identifier is a member")
		}
	})
}

func TestAServiceWhoseMetadataIsUnusableIsExplained(t *testing.T) {
	h := one(t)
	h.services[0].SAML = registry.SAMLPeer{EntityID: spID, Metadata: "<a/>"}
	if h.stopped(h.browser().get(h.asked(nil)), "sso.saml_metadata_unusable") == nil {
		t.Error("the contact was not told")
	}
}
