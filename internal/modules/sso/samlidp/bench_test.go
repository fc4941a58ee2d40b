package samlidp

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// BenchmarkResponse sets what an answer costs beside the signatures in it, which
// no program can do without. The ceilings are those of RSA-2048 on this machine:
// one signature, or two.
func BenchmarkResponse(b *testing.B) {
	h := one(b)
	digest := sha256.Sum256([]byte("ceiling"))
	ceiling := func(signatures int) func(b *testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				for range signatures {
					if _, err := h.ring[0].Signer.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
	}
	answer := func(what registry.SignWhat) func(b *testing.B) {
		return func(b *testing.B) {
			h.services[0].SAML.Sign = what
			index, err := h.Registry(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			p, err := h.byService(b.Context(), index.Get("moodle"))
			if err != nil {
				b.Fatal(err)
			}
			released, err := h.Released(b.Context(), p.Service, h.viewer.Person, nil)
			if err != nil {
				b.Fatal(err)
			}
			q, e := &request{ID: saml.NewID(), ACS: spACS}, gate.Entrance{Viewer: h.viewer, Attributes: released}
			for b.Loop() {
				a, err := h.assertion(b.Context(), p, q, e, saml.NameID{Value: "x", Format: saml.FormatTransient}, saml.ContextPasswordProtected)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := h.sealed(b.Context(), p, q, a); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("ceiling of one signature", ceiling(1))
	b.Run("answer with one signature", answer(registry.SignAssertion))
	b.Run("ceiling of two signatures", ceiling(2))
	b.Run("answer with two signatures", answer(registry.SignBoth))
}

// BenchmarkSignOn is a whole answer to somebody who is signed in, from the
// request of the service to the page that carries the answer, on SQLite.
func BenchmarkSignOn(b *testing.B) {
	h := one(b)
	browser := h.browser()
	for b.Loop() {
		b.StopTimer()
		address := h.asked(nil)
		b.StartTimer()
		if w := browser.follow(browser.get(address)); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}
