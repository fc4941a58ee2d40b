package oidcrp

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/optest"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// client is the relying party of a provider.
func client(t *testing.T, op *optest.Provider, change func(*upstream.Config)) *Provider {
	t.Helper()
	c := upstream.Config{ID: "op", Kind: upstream.KindOIDC, OIDC: upstream.OIDCConfig{Issuer: op.URL, ClientID: optest.ClientID, ClientSecret: optest.Secret}}
	if change != nil {
		change(&c)
	}
	p, err := New(c, clock.System())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// walk goes to the provider and comes back, and gives what was asked there.
func walk(t *testing.T, p *Provider, t0 upstream.Transaction) (upstream.Answer, error) {
	t.Helper()
	t0.Token, t0.AnswerURL, t0.Secrets = "state-of-this-one", "http://localhost/answer", map[string]string{}
	to, err := p.Start(t.Context(), &t0)
	if err != nil {
		return upstream.Answer{}, err
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.Get(to.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	back, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	answered := upstream.Return{Method: "GET", Values: back.Query(), RawQuery: back.RawQuery}
	if p.Token(answered) != t0.Token {
		t.Fatalf("the state came back as %q", p.Token(answered))
	}
	return p.Receive(t.Context(), answered, t0)
}

func failureOf(t *testing.T, err error) *upstream.Failure {
	t.Helper()
	var f *upstream.Failure
	if !errors.As(err, &f) {
		t.Fatalf("no failure of an upstream: %v", err)
	}
	return f
}

func TestAnHonestProviderSaysWhoItIs(t *testing.T) {
	op := optest.Start(t)
	op.Claims["acr"], op.Claims["amr"], op.Claims["realm_access"] = "https://refeds.org/profile/mfa", []string{"pwd", "otp"}, map[string]any{"roles": []string{"student"}}
	a, err := walk(t, client(t, op, nil), upstream.Transaction{LoginHint: "lina.martin@valmont.example"})
	if err != nil {
		t.Fatal(err)
	}
	if a.Issuer != op.URL || a.Subject != "77f1" || a.AuthnInstant.IsZero() || !a.Timed || a.LogoutHint == "" {
		t.Errorf("it answers %+v", a)
	}
	if !slices.Equal(a.Methods, []string{"pwd", "otp"}) || a.Contexts[0] != "https://refeds.org/profile/mfa" || a.Attributes["realm_access.roles"][0] != "student" {
		t.Errorf("it says %v %v %v", a.Methods, a.Contexts, a.Attributes)
	}
	if op.Asked.Get("code_challenge_method") != "S256" || op.Asked.Get("nonce") == "" || op.Asked.Get("login_hint") != "lina.martin@valmont.example" || op.Asked.Get("scope") != "openid profile email" {
		t.Errorf("it was asked %v", op.Asked)
	}
}

func TestWhatIsAskedOfTheProvider(t *testing.T) {
	op := optest.Start(t)
	with := func(c *upstream.Config) {
		c.OIDC.DomainHint, c.OIDC.Prompt, c.Factor.Request = "univ.example", "consent", []string{"eidas1", "eidas2"}
	}
	for name, c := range map[string]struct {
		t    upstream.Transaction
		want map[string]string
	}{
		"usually":            {upstream.Transaction{}, map[string]string{"prompt": "consent", "max_age": "", "claims": `{"id_token":{"auth_time":{"essential":true}}}`, "domain_hint": "univ.example", "acr_values": "eidas1 eidas2"}},
		"to ask again":       {upstream.Transaction{Force: true}, map[string]string{"prompt": "login", "max_age": "0"}},
		"to choose":          {upstream.Transaction{Force: true, Choose: true, LoginHint: "x"}, map[string]string{"prompt": "select_account", "login_hint": ""}},
		"without a demand":   {upstream.Transaction{Plain: true}, map[string]string{"acr_values": ""}},
		"with an identifier": {upstream.Transaction{LoginHint: "x"}, map[string]string{"login_hint": "x"}},
	} {
		if _, err := walk(t, client(t, op, with), c.t); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for parameter, want := range c.want {
			if got := op.Asked.Get(parameter); got != want {
				t.Errorf("%s: %s is %q, not %q", name, parameter, got, want)
			}
		}
	}
}

func TestEachMisbehaviourIsNamedWithBothValues(t *testing.T) {
	claim := func(name string, value any) func(*optest.Provider) {
		return func(op *optest.Provider) { op.Spoil = func(c map[string]any) { c[name] = value } }
	}
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
	for name, c := range map[string]struct {
		spoil    func(*optest.Provider)
		want     *fault.Reason
		received string
	}{
		"another issuer":                {claim("iss", "https://evil.example"), upstream.Unfit, "iss https://evil.example"},
		"another audience":              {claim("aud", "somebody-else"), upstream.Unfit, "aud somebody-else"},
		"several audiences, no party":   {claim("aud", []string{optest.ClientID, "other"}), upstream.Unfit, "azp"},
		"another party":                 {claim("azp", "other"), upstream.Unfit, "azp other"},
		"no subject":                    {claim("sub", ""), upstream.AttributeMissing, ""},
		"the nonce of another sign-in":  {claim("nonce", "another"), upstream.Stale, ""},
		"no nonce":                      {claim("nonce", ""), upstream.Stale, ""},
		"a clock four minutes ahead":    {claim("iat", ago(-4*time.Minute)), upstream.ClockOff, "iat "},
		"a clock an hour behind":        {claim("iat", ago(time.Hour)), upstream.ClockOff, "iat "},
		"a token that has ended":        {claim("exp", ago(4*time.Minute)), upstream.ClockOff, "exp "},
		"a token that has not begun":    {claim("nbf", ago(-4*time.Minute)), upstream.ClockOff, "nbf "},
		"a key that it does not tell":   {func(op *optest.Provider) { op.Stranger = true }, upstream.KeyUnknown, "kid elsewhere"},
		"no signature":                  {func(op *optest.Provider) { op.Algorithm = "none" }, upstream.Unfit, "alg none"},
		"a signature by our own secret": {func(op *optest.Provider) { op.Algorithm = "HS256" }, upstream.Unfit, "alg HS256"},
		"an answer of another provider": {func(op *optest.Provider) { op.Says = "https://evil.example" }, upstream.Unfit, "iss https://evil.example"},
		"a code that was used":          {func(op *optest.Provider) { op.TokenError = "invalid_grant" }, upstream.Stale, ""},
		"a client that it forgot":       {func(op *optest.Provider) { op.TokenError = "invalid_client" }, upstream.Misconfigured, ""},
		"a broken token endpoint":       {func(op *optest.Provider) { op.TokenStatus = http.StatusBadGateway }, upstream.Faulty, "502"},
		"the metadata of somebody else": {func(op *optest.Provider) { op.Issuer = "https://evil.example" }, upstream.Misconfigured, "issuer https://evil.example"},
		"cancelled":                     {func(op *optest.Provider) { op.Refuse = "access_denied" }, upstream.Declined, ""},
		"its own fault":                 {func(op *optest.Provider) { op.Refuse = "server_error" }, upstream.Faulty, ""},
		"no such way of proof":          {func(op *optest.Provider) { op.Refuse = "unmet_authentication_requirements" }, upstream.FactorWanted, ""},
		"Keycloak's page left open": {func(op *optest.Provider) { op.Refuse, op.Because = "temporarily_unavailable", "authentication_expired" },
			upstream.Stale, ""},
	} {
		t.Run(name, func(t *testing.T) {
			op := optest.Start(t)
			c.spoil(op)
			_, err := walk(t, client(t, op, nil), upstream.Transaction{})
			f := failureOf(t, err)
			if f.Reason != c.want || !strings.Contains(f.Received, c.received) || c.received != "" && f.Expected == "" {
				t.Errorf("it is %v: want %q, got %q (%s %s)", f.Reason, f.Expected, f.Received, f.Code, f.Text)
			}
		})
	}
}

func TestAClockWithinTheToleranceIsMeasured(t *testing.T) {
	op := optest.Start(t)
	op.Spoil = func(c map[string]any) { c["iat"] = time.Now().Add(90 * time.Second).Unix() }
	a, err := walk(t, client(t, op, nil), upstream.Transaction{})
	if err != nil || a.Ahead < 80*time.Second || a.Ahead > 100*time.Second {
		t.Errorf("it is ahead by %v, %v", a.Ahead, err)
	}
}

func TestTheCodesOfEntraAreRead(t *testing.T) {
	op := optest.Start(t)
	for code, want := range map[string]*fault.Reason{
		"50020": upstream.WrongTenant, "50055": upstream.PasswordExpired, "50053": upstream.AccountLocked, "50057": upstream.AccountDisabled, "50105": upstream.NotAssigned,
		"53003": upstream.PolicyStopped, "700016": upstream.Misconfigured, "50076": upstream.FactorWanted, "75011": upstream.FactorWanted, "7000222": upstream.CertificateOver,
		"999999": upstream.Declined,
	} {
		op.Refuse, op.Because = "access_denied", "AADSTS"+code+": Something in English. Trace ID: 1"
		_, err := walk(t, client(t, op, nil), upstream.Transaction{})
		f := failureOf(t, err)
		if f.Reason != want || f.Code != "AADSTS"+code || f.Plain != (code == "75011") {
			t.Errorf("%s: %+v", code, f)
		}
	}
}

func TestOneOfManyTenantsIsWelcome(t *testing.T) {
	op := optest.Start(t)
	op.Issuer = op.URL + "/{tenantid}/v2.0"
	shared := func(c *upstream.Config) { c.OIDC.Tenants = []string{"tenant-a"} }
	p := client(t, op, shared)
	p.OIDC.Issuer = op.URL + "/common/" // as Entra's
	op.Issuer = op.URL + "/{tenantid}/v2.0"
	// The test provider serves its metadata at its root alone.
	p.client.Transport = rewrite{p.client.Transport, "/common"}
	for name, c := range map[string]struct {
		tenant, issuer string
		want           *fault.Reason
	}{
		"ours":                          {"tenant-a", op.URL + "/tenant-a/v2.0", nil},
		"another organisation":          {"tenant-b", op.URL + "/tenant-b/v2.0", upstream.WrongTenant},
		"a personal account":            {personalTenant, op.URL + "/" + personalTenant + "/v2.0", upstream.WrongTenant},
		"ours, issued by another one":   {"tenant-a", op.URL + "/tenant-b/v2.0", upstream.Unfit},
		"no tenant":                     {"", op.URL + "//v2.0", upstream.Unfit},
		"the pattern itself for issuer": {"", op.Issuer, upstream.Unfit},
	} {
		op.Spoil = func(claims map[string]any) {
			claims["iss"], claims["tid"], claims["oid"] = c.issuer, c.tenant, "object-1"
		}
		a, err := walk(t, p, upstream.Transaction{})
		if c.want == nil {
			if err != nil || a.Subject != "object-1" || a.Issuer != c.issuer {
				t.Errorf("%s: %+v %v", name, a, err)
			}
			continue
		}
		if f := failureOf(t, err); f.Reason != c.want {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// rewrite takes a prefix off the paths that are asked for.
type rewrite struct {
	next   http.RoundTripper
	prefix string
}

func (t rewrite) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Path = strings.TrimPrefix(r.URL.Path, t.prefix)
	return t.next.RoundTrip(r)
}

func TestAnAddressThatNobodyVerifiedMatchesNobody(t *testing.T) {
	op := optest.Start(t)
	for name, c := range map[string]struct {
		verified any
		trust    bool
		want     string
	}{
		"verified":                  {true, false, "email"},
		"verified, as a string":     {"true", false, "email"},
		"not verified":              {false, false, "email_unverified"},
		"nothing said":              {nil, false, "email_unverified"},
		"nothing said, and trusted": {nil, true, "email"},
	} {
		op.Claims["email_verified"] = c.verified
		a, err := walk(t, client(t, op, func(u *upstream.Config) { u.OIDC.TrustMail = c.trust }), upstream.Transaction{})
		if err != nil || a.Attributes[c.want] == nil || c.want != "email" && a.Attributes["email"] != nil {
			t.Errorf("%s: %v %v", name, a.Attributes, err)
		}
	}
}

func TestANewKeyIsFetchedOnceAndAnUnknownOneDoesNotLoop(t *testing.T) {
	op := optest.Start(t)
	p := client(t, op, nil)
	for range 2 {
		if _, err := walk(t, p, upstream.Transaction{}); err != nil {
			t.Fatal(err)
		}
	}
	if op.Fetched != 1 {
		t.Errorf("the keys were fetched %d times for two sign-ins", op.Fetched)
	}
	// The library tells those who wait of the keys a moment before it keeps them:
	// who comes in that moment is answered from the fetch before, without a fetch.
	until := func(fetched int) (err error) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); op.Fetched < fetched && time.Now().Before(deadline); {
			_, err = walk(t, p, upstream.Transaction{})
		}
		if op.Fetched != fetched {
			t.Errorf("the keys were fetched %d times, not %d", op.Fetched, fetched)
		}
		return err
	}
	op.Rotate(t)
	if err := until(2); err != nil {
		t.Errorf("after a roll-over: %v", err)
	}
	op.Stranger = true
	if f := failureOf(t, until(3)); f.Reason != upstream.KeyUnknown {
		t.Errorf("an unknown key: %+v", f)
	}
}

func TestManyWhoComeAtOnceAskTheProviderOnce(t *testing.T) {
	op := optest.Start(t)
	p := client(t, op, nil)
	var together sync.WaitGroup
	for range 30 {
		together.Go(func() {
			if _, err := p.metadata(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	together.Wait()
	if op.Introduced != 1 {
		t.Errorf("asked %d times", op.Introduced)
	}
}

func TestAProviderThatIsOffTestedNoPassword(t *testing.T) {
	op := optest.Start(t)
	p := client(t, op, nil)
	op.Stop()
	_, err := walk(t, p, upstream.Transaction{})
	f := failureOf(t, err)
	since, _ := f.Args["since"].(time.Time)
	if f.Reason != upstream.Unreachable || !f.Untested || since.IsZero() {
		t.Fatalf("it is %+v", f)
	}
	_, err = walk(t, p, upstream.Transaction{})
	if again := failureOf(t, err); again.Reason != upstream.Unreachable || again.Args["since"] != since {
		t.Errorf("the second time it is %+v", again)
	}
	if steps := p.Probe(t.Context()); len(steps) != 1 || steps[0].OK {
		t.Errorf("the probe says %+v", steps)
	}
}

func TestUserInfoOfSomebodyElseIsRefused(t *testing.T) {
	op := optest.Start(t)
	ask := func(c *upstream.Config) { c.OIDC.UserInfo = true }
	op.Info = map[string]any{"sub": "77f1", "siret": "123", "email": "other@evil.example", "email_verified": true}
	a, err := walk(t, client(t, op, ask), upstream.Transaction{})
	if err != nil || a.Attributes["siret"][0] != "123" || a.Attributes["email"][0] != "lina.martin@valmont.example" {
		t.Errorf("userinfo: %v %v", a.Attributes, err)
	}
	op.Info["sub"] = "somebody-else"
	_, err = walk(t, client(t, op, ask), upstream.Transaction{})
	if f := failureOf(t, err); f.Reason != upstream.Unfit || f.Received != "sub somebody-else" {
		t.Errorf("of somebody else: %+v", f)
	}
}

func TestAnAddressThatUserInfoVerifiedIsNotTheOneOfTheToken(t *testing.T) {
	op := optest.Start(t)
	delete(op.Claims, "email_verified")
	op.Info = map[string]any{"sub": "77f1", "email": "own@valmont.example", "email_verified": true}
	ask := func(c *upstream.Config) { c.OIDC.UserInfo = true }
	a, err := walk(t, client(t, op, ask), upstream.Transaction{})
	if err != nil || a.Attributes["email"] != nil {
		t.Errorf("the token's address counts: %v %v", a.Attributes, err)
	}
	op.Info["email"] = "lina.martin@valmont.example"
	a, err = walk(t, client(t, op, ask), upstream.Transaction{})
	if err != nil || a.Attributes["email"] == nil {
		t.Errorf("the same address does not: %v %v", a.Attributes, err)
	}
}

func TestWhoGoesAwayDoesNotMakeTheProviderSeemDown(t *testing.T) {
	op := optest.Start(t)
	p := client(t, op, nil)
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := p.Start(gone, &upstream.Transaction{Secrets: map[string]string{}}); err != nil {
		t.Error(err)
	}
	if _, err := walk(t, p, upstream.Transaction{}); err != nil {
		t.Error(err)
	}
}

func TestTheProbeNamesTheKeys(t *testing.T) {
	steps := client(t, optest.Start(t), nil).Probe(t.Context())
	if len(steps) != 2 || !steps[0].OK || !steps[1].OK || !strings.Contains(steps[1].Detail, "EC ES256") {
		t.Errorf("the steps are %+v", steps)
	}
}
