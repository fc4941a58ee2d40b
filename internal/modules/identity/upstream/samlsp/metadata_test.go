package samlsp

import (
	"context"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

func TestAKeyThatWasRolledOverIsFetchedWithoutAnybodyNoticing(t *testing.T) {
	h := open(t)
	h.leaves()
	h.clock.Advance(2 * time.Minute)
	tr, q, _ := h.leaves()
	asked := h.idp.asked
	h.idp.key = pair("rolled")
	h.idp.entity = anIDP(theirName, h.idp.key)
	s := h.says(q)
	s.key = h.idp.key
	if _, err := h.Receive(t.Context(), s.back(t), tr); err != nil {
		t.Fatal(err)
	}
	if h.idp.asked != asked+1 {
		t.Errorf("asked %d times", h.idp.asked-asked)
	}
	// A stranger's key makes us ask once, and not at every try.
	for range 3 {
		tr, q, _ = h.leaves()
		s = h.says(q)
		s.key = pair("other")
		if _, err := h.Receive(t.Context(), s.back(t), tr); err == nil {
			t.Fatal("a stranger signs")
		}
	}
	if h.idp.asked != asked+1 {
		t.Errorf("strangers make us ask %d times more", h.idp.asked-asked-1)
	}
}

func TestManyWhoComeAtOnceFetchTheMetadataOnce(t *testing.T) {
	h := open(t)
	var together sync.WaitGroup
	for range 30 {
		together.Go(func() {
			if _, err := h.metadata(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	together.Wait()
	if h.idp.asked != 1 {
		t.Errorf("asked %d times", h.idp.asked)
	}
	h.clock.Advance(fresh + time.Minute)
	h.renewing.Lock() // somebody is at it
	if known, err := h.metadata(t.Context()); err != nil || known == nil || h.idp.asked != 1 {
		t.Errorf("while it is renewed: %v, asked %d times", err, h.idp.asked)
	}
	h.renewing.Unlock()
}

func TestMetadataThatCannotBeFetchedAreUsedUntilTheyEnd(t *testing.T) {
	h := open(t)
	h.leaves()
	h.idp.down = true
	h.clock.Advance(fresh + time.Minute)
	h.leaves()
	asked := h.idp.asked
	h.leaves()
	if h.idp.asked != asked {
		t.Error("a source that failed a moment ago is asked again")
	}
	h.clock.Advance(stale)
	_, err := h.Start(t.Context(), &upstream.Transaction{Secrets: map[string]string{}, AnswerURL: answerURL})
	if f := failureOf(t, err); f.Reason != upstream.Unreachable || !f.Untested || f.Args["since"] == nil {
		t.Errorf("got %v", f)
	}
	h.idp.down = false
	h.clock.Advance(patience)
	h.leaves()
}

func TestWhoGoesAwayDoesNotMakeTheSourceSeemDown(t *testing.T) {
	h := open(t)
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := h.metadata(gone); err != nil {
		t.Error(err)
	}
	h.leaves()
}

func TestMetadataPastTheirEndAreSaidToBe(t *testing.T) {
	h := open(t)
	h.idp.entity.ValidUntil = noon.Add(time.Hour)
	h.leaves()
	h.clock.Advance(61 * time.Minute)
	h.idp.down = true
	_, err := h.Start(t.Context(), &upstream.Transaction{Secrets: map[string]string{}, AnswerURL: answerURL})
	if f := failureOf(t, err); f.Reason != upstream.CertificateOver || f.Received != "validUntil 2026-11-22T13:00:00Z" {
		t.Errorf("when nobody gives newer ones: %v", f)
	}
	h.idp.down = false
	h.clock.Advance(patience)
	_, err = h.Start(t.Context(), &upstream.Transaction{Secrets: map[string]string{}, AnswerURL: answerURL})
	if f := failureOf(t, err); f.Reason != upstream.CertificateOver {
		t.Errorf("when the ones that are given have ended: %v", f)
	}
}

func TestWhatIsNoMetadataIsToldApart(t *testing.T) {
	for name, c := range map[string]struct {
		document string
		received string
	}{
		"a page":                      {"<html/>", "not what is expected here"},
		"no XML":                      {"not found", "not well-formed"},
		"a service":                   {`<EntityDescriptor xmlns="` + saml.NSMetadata + `" entityID="x"><SPSSODescriptor protocolSupportEnumeration="` + saml.NSProtocol + `"/></EntityDescriptor>`, "1 entities"},
		"an identity provider of 1.1": {`<EntityDescriptor xmlns="` + saml.NSMetadata + `" entityID="x"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol"/></EntityDescriptor>`, "IDPSSODescriptor"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			h.idp.document = []byte(c.document)
			_, err := h.Start(t.Context(), &upstream.Transaction{Secrets: map[string]string{}, AnswerURL: answerURL})
			if f := failureOf(t, err); f.Reason != upstream.Misconfigured || !strings.Contains(f.Received, c.received) {
				t.Errorf("got %v", f)
			}
			if steps := h.Probe(t.Context()); len(steps) != 1 || steps[0].OK {
				t.Errorf("the probe found %+v", steps)
			}
		})
	}
}

func TestASourceOfMetadataSendsNobodyOutOfTLS(t *testing.T) {
	ask := func(address string) *http.Request { return httptest.NewRequest(http.MethodGet, address, nil) }
	for _, c := range []struct {
		name, to string
		via      []string
		followed bool
	}{
		{"to another https address", "https://b.example/", []string{"https://a.example/"}, true},
		{"to http", "http://b.example/", []string{"https://a.example/"}, false},
		{"to http by a detour", "http://c.example/", []string{"https://a.example/", "https://b.example/"}, false},
		{"from http, where a signature is asked for", "http://b.example/", []string{"http://a.example/"}, true},
		{"in circles", "https://a.example/", []string{"https://a.example/", "https://b.example/", "https://a.example/", "https://b.example/"}, false},
	} {
		var via []*http.Request
		for _, address := range c.via {
			via = append(via, ask(address))
		}
		if err := staysSafe(ask(c.to), via); (err == nil) != c.followed {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// federation is a signed aggregate of two identity providers and who signs it.
func federation(t *testing.T, by saml.Credential) []byte {
	t.Helper()
	var members []string
	for _, name := range []string{theirName, "https://idp.other.example/"} {
		text, err := saml.WriteMetadata(anIDP(name, pair("idp")), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, member, _ := strings.Cut(string(text), "?>\n")
		members = append(members, member)
	}
	el, err := saml.Parse([]byte(`<md:EntitiesDescriptor xmlns:md="`+saml.NSMetadata+`" ID="_f" validUntil="`+saml.FormatTime(noon.Add(8*24*time.Hour))+`">`+strings.Join(members, "")+`</md:EntitiesDescriptor>`), saml.MaxAggregate)
	if err != nil {
		t.Fatal(err)
	}
	if err := saml.Sign(el, by); err != nil {
		t.Fatal(err)
	}
	text, err := saml.Marshal(el)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// federated configures an upstream as a federation with a discovery service.
func federated(t *testing.T) func(*upstream.Config) {
	path := filepath.Join(t.TempDir(), "federation.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair("federation").Certificate.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(c *upstream.Config) {
		c.SAML.MetadataCertificate, c.SAML.DiscoveryURL = path, "https://discovery.example/ds?lang=fr"
	}
}

func TestPeopleOfAFederationChooseWhereTheySignIn(t *testing.T) {
	h := open(t, federated(t))
	h.idp.document = federation(t, pair("federation"))
	_, q, to := h.leaves(func(t *upstream.Transaction) { t.Next = "/portal?a=b" })
	there, err := url.Parse(to.URL)
	if err != nil || q != nil {
		t.Fatalf("went %s, %v", to.URL, err)
	}
	asked := there.Query()
	if there.Host != "discovery.example" || asked.Get("lang") != "fr" || asked.Get("entityID") != ourName || asked.Get("returnIDParam") != "entityID" {
		t.Errorf("asked %v", asked)
	}
	back, err := url.Parse(asked.Get("return"))
	if err != nil || back.Path != "/identity/upstreams/adfs/start" || back.Query().Get("next") != "/portal?a=b" {
		t.Errorf("comes back to %s", asked.Get("return"))
	}
	tr, q, to := h.leaves(func(t *upstream.Transaction) { t.Provider = theirName })
	if to.Aside || tr.Secrets[upstream.KeptProvider] != theirName {
		t.Fatalf("chosen, and went %s", to.URL)
	}
	if _, err := h.Receive(t.Context(), h.says(q).back(t), tr); err != nil {
		t.Error(err)
	}
	// Another member may not answer in the chosen one's place.
	tr, q, _ = h.leaves(func(t *upstream.Transaction) { t.Provider = "https://idp.other.example/" })
	_, err = h.Receive(t.Context(), h.says(q).back(t), tr)
	if f := failureOf(t, err); f.Reason != upstream.Unfit || f.Expected != "issuer https://idp.other.example/" {
		t.Errorf("another member answers: %v", f)
	}
	_, err = h.Start(t.Context(), &upstream.Transaction{Secrets: map[string]string{}, AnswerURL: answerURL, Provider: "https://evil.example/"})
	if f := failureOf(t, err); f.Reason != upstream.Misconfigured || f.Received != "https://evil.example/" {
		t.Errorf("who is no member was chosen: %v", f)
	}
}

func TestMetadataOfAFederationAreBelievedForTheirSignatureOnly(t *testing.T) {
	h := open(t, federated(t))
	h.idp.document = federation(t, pair("other"))
	_, err := h.Start(t.Context(), &upstream.Transaction{Secrets: map[string]string{}, AnswerURL: answerURL})
	f := failureOf(t, err)
	if f.Reason != upstream.KeyUnknown || !strings.Contains(f.Expected, saml.Fingerprint(pair("federation").Certificate)) || !strings.Contains(f.Received, saml.Fingerprint(pair("other").Certificate)) {
		t.Errorf("got %v", f)
	}
}

func TestOurMetadataSayWhatTheUpstreamNeeds(t *testing.T) {
	h := open(t, federated(t), func(c *upstream.Config) {
		c.Create = upstream.CreateConfig{Allowed: true, Affiliations: []upstream.AffiliationConfig{{Attribute: "eduPersonAffiliation", Value: "student", Kind: "student"}}}
	})
	mediaType, text, err := h.Describe(t.Context(), answerURL)
	if err != nil || mediaType != saml.MetadataType {
		t.Fatal(mediaType, err)
	}
	own, err := h.ring.all(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var e *saml.Entity
	if _, err := saml.ReadMetadata(text, saml.Trust{Keys: []saml.PublicKey{own[0].Public()}}, func(got *saml.Entity) error { e = got; return nil }); err != nil {
		t.Fatal(err)
	}
	if e.ID != ourName || e.SP.ACS[0].Location != answerURL || !e.SP.RequestsSigned || len(e.SP.SigningKeys()) != 1 || len(e.SP.EncryptionKeys()) != 1 || !e.ValidUntil.Equal(noon.Add(describedFor)) {
		t.Errorf("got %+v", e)
	}
	if e.SP.Discovery[0].Location != "https://ent.univ.example/identity/upstreams/adfs/start" {
		t.Errorf("discovery leads to %s", e.SP.Discovery[0].Location)
	}
	wanted := map[string]bool{}
	for _, a := range e.SP.Services[0].Requested {
		wanted[a.FriendlyName] = a.Required
	}
	if required, asked := wanted["mail"]; !asked || !required {
		t.Errorf("asks for %v", wanted)
	}
	if required, asked := wanted["eduPersonAffiliation"]; !asked || required {
		t.Errorf("asks for %v", wanted)
	}
}

func TestTheProbeTellsWhatEnds(t *testing.T) {
	h := open(t)
	steps := h.Probe(t.Context())
	if len(steps) != 3 {
		t.Fatalf("found %+v", steps)
	}
	for _, s := range steps {
		if !s.OK {
			t.Errorf("%s: %s", s.Name, s.Detail)
		}
	}
	if !steps[1].Ends.Equal(pair("idp").Certificate.NotAfter) {
		t.Errorf("the certificate ends %s", steps[1].Ends)
	}
	h.idp.down = true
	if steps = h.Probe(t.Context()); len(steps) != 1 || steps[0].OK {
		t.Errorf("when it is down: %+v", steps)
	}
}

// An identity provider whose certificate has ended goes on to sign with the same
// key: nobody stays outside for it.
func TestAnExpiredCertificateKeepsNobodyOut(t *testing.T) {
	h := open(t)
	h.clock.Set(noon.Add(400 * 24 * time.Hour))
	tr, q, _ := h.leaves()
	if _, err := h.Receive(t.Context(), h.says(q).back(t), tr); err != nil {
		t.Error(err)
	}
	if steps := h.Probe(t.Context()); !steps[1].Ends.Before(h.clock.Now()) {
		t.Errorf("the probe does not say so: %+v", steps)
	}
}

func TestOurKeysAreMadeOnceAndRolledOver(t *testing.T) {
	now := clock.At(noon)
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(noon)
		keys, err := crypt.Open(filepath.Join(t.TempDir(), "keys"))
		if err != nil {
			t.Fatal(err)
		}
		server := func() *ring { return &ring{upstream: "adfs", db: d, seal: keys, clock: now} }
		one, two := server(), server()
		first, err := one.all(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		other, err := two.all(t.Context())
		if err != nil || len(first) != 1 || len(other) != 1 || !other[0].Certificate.Equal(first[0].Certificate) {
			t.Fatalf("two servers have %d and %d keys, %v", len(first), len(other), err)
		}
		now.Set(first[0].Certificate.NotAfter.Add(-300 * 24 * time.Hour))
		both, err := one.all(t.Context())
		if err != nil || len(both) != 2 {
			t.Fatalf("a year before the end there are %d keys, %v", len(both), err)
		}
		if by := signing(both, now.Now()); !by.Certificate.Equal(first[0].Certificate) {
			t.Error("the next key signs before upstreams could notice it")
		}
		now.Set(first[0].Certificate.NotAfter.Add(-20 * 24 * time.Hour))
		if by := signing(both, now.Now()); !by.Certificate.Equal(both[1].Certificate) {
			t.Error("a key signs to its very end")
		}
	}, schema...)
}

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schema...)
}
