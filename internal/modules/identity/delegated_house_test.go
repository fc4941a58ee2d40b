package identity

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/optest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// delegating is a house that has an OpenID provider beside it.
func delegating(t *testing.T, change ...func(*upstream.Config)) (*house, *optest.Provider) {
	t.Helper()
	op, settings := beside(t, change...)
	h := openOne(t, settings)
	op.Now = h.clock.Now
	return h, op
}

// eachDelegating runs a test with such a house on both databases.
func eachDelegating(t *testing.T, test func(t *testing.T, h *house, op *optest.Provider)) {
	now := sunday()
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		op, settings := beside(t)
		op.Now = now.Now
		test(t, open(t, now, d, settings), op)
	}, append(cellar, schema)...)
}

// beside is a provider and the settings of a house that delegates to it.
func beside(t *testing.T, change ...func(*upstream.Config)) (*optest.Provider, func(*Config)) {
	t.Helper()
	op := optest.Start(t)
	c := upstream.Config{
		ID: "campus", Kind: upstream.KindOIDC, NameFrench: "Mon campus", NameEnglish: "My campus", Domains: []string{"valmont.example"}, PasswordPage: "https://campus.example/password",
		Match: []upstream.MatchConfig{{Attribute: "email", Field: upstream.FieldMail}}, Factor: upstream.FactorConfig{Accept: []string{"mfa"}},
		OIDC: upstream.OIDCConfig{Issuer: op.URL, ClientID: optest.ClientID, ClientSecret: optest.Secret},
	}
	for _, f := range change {
		f(&c)
	}
	return op, func(all *Config) { all.Upstreams = []upstream.Config{c} }
}

const (
	startCampus = "/identity/upstreams/campus/start"
	partCampus  = "/identity/upstreams/campus/part"
	endedCampus = "/identity/upstreams/campus/ended"
)

// still makes the browser stop at each redirect.
func (b *browser) still() *browser {
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b
}

// away goes to the provider by hand, and gives the address that it sends the
// browser back to.
func (b *browser) away(path string) (back *url.URL) {
	b.h.t.Helper()
	a := b.get(path)
	if a.StatusCode != http.StatusSeeOther {
		b.h.t.Fatalf("%s answers %d: %.300s", path, a.StatusCode, a.body)
	}
	resp, err := b.Get(a.Header.Get("Location"))
	if err != nil {
		b.h.t.Fatal(err)
	}
	defer resp.Body.Close()
	back, err = url.Parse(resp.Header.Get("Location"))
	if err != nil {
		b.h.t.Fatal(err)
	}
	return back
}
