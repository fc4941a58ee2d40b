package oidcop

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
)

// One sign-in: the code in the browser, the tokens for it (ID token included), on
// SQLite with its durable commits. BenchmarkSignature is the ceiling: what the ID
// token alone costs.
func BenchmarkCodeAndToken(b *testing.B) {
	for _, algorithm := range []string{keys.RS256, keys.ES256} {
		b.Run(algorithm, func(b *testing.B) {
			h := one(b)
			h.change("wiki", func(s *registry.Service) { s.OIDC.IDTokenAlgorithm = algorithm })
			query, serve := authorizePath+"?"+ask("wiki").Encode(), h.server.Config.Handler.ServeHTTP
			if w := httptest.NewRecorder(); true { // the first makes the keys
				serve(w, httptest.NewRequest(http.MethodGet, query, nil))
			}
			b.SetParallelism(8) // a group commit needs company
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					w := httptest.NewRecorder()
					serve(w, httptest.NewRequest(http.MethodGet, query, nil))
					to, err := url.Parse(w.Header().Get("Location"))
					if err != nil {
						b.Error(err)
						return
					}
					r := httptest.NewRequest(http.MethodPost, tokenPath, strings.NewReader(redeem("wiki", to.Query().Get("code")).Encode()))
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
					w = httptest.NewRecorder()
					serve(w, r)
					if w.Code != http.StatusOK {
						b.Errorf("%d %s", w.Code, w.Body)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sign-ins/s")
		})
	}
}

func BenchmarkSignature(b *testing.B) {
	h := one(b)
	for _, algorithm := range []string{keys.RS256, keys.ES256} {
		k, err := h.ring.Current(b.Context(), keys.OIDC, algorithm)
		if err != nil {
			b.Fatal(err)
		}
		digest := sha256.Sum256([]byte("a token"))
		b.Run(algorithm, func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := k.Signer.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
		})
	}
}

// A registry of 10,000 clients must not be felt.
func BenchmarkAuthorizeAmongTenThousandClients(b *testing.B) {
	h := one(b)
	many := make([]registry.Service, 10_000)
	for i := range many {
		name := fmt.Sprintf("client-%d", i)
		many[i] = registry.Service{ID: name, NameFrench: name, Protocol: registry.OIDC, OIDC: registry.OIDCClient{ClientID: name, RedirectURIs: []string{"https://" + name + ".example/cb"}}}
	}
	h.enrol(many...)
	query := authorizePath + "?" + ask("client-9999", "redirect_uri", "https://client-9999.example/cb").Encode()
	b.ResetTimer()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.server.Config.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, query, nil))
		if w.Code != http.StatusSeeOther {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}
