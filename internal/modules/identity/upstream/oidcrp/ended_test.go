package oidcrp

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/optest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

func TestALogoutTokenSaysWhatEndedAndNothingElseDoes(t *testing.T) {
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
	event := "http://schemas.openid.net/event/backchannel-logout"
	for name, c := range map[string]struct {
		change   map[string]any
		spoil    func(*optest.Provider)
		want     *fault.Reason // nil: it counts
		received string
	}{
		"of a person":                     {},
		"of a session":                    {change: map[string]any{"sub": nil, "sid": "s-1"}},
		"of both":                         {change: map[string]any{"sid": "s-1"}},
		"of an older draft":               {change: map[string]any{"exp": nil, "typ": "JWT"}},
		"for several, us among them":      {change: map[string]any{"aud": []string{"other", optest.ClientID}}},
		"of another issuer":               {change: map[string]any{"iss": "https://evil.example"}, want: upstream.Unfit, received: "iss https://evil.example"},
		"for somebody else":               {change: map[string]any{"aud": "other"}, want: upstream.Unfit, received: "aud other"},
		"for a name that holds ours":      {change: map[string]any{"aud": "other " + optest.ClientID}, want: upstream.Unfit, received: "aud other"},
		"for nobody":                      {change: map[string]any{"aud": nil}, want: upstream.Unfit, received: "aud"},
		"made long ago":                   {change: map[string]any{"iat": ago(time.Hour), "exp": ago(-time.Hour)}, want: upstream.Unfit, received: "iat "},
		"from the future":                 {change: map[string]any{"iat": ago(-time.Hour), "exp": ago(-2 * time.Hour)}, want: upstream.Unfit, received: "iat "},
		"without a moment":                {change: map[string]any{"iat": nil}, want: upstream.AttributeMissing, received: "none"},
		"that has ended":                  {change: map[string]any{"exp": ago(5 * time.Minute)}, want: upstream.Unfit, received: "exp "},
		"of nobody":                       {change: map[string]any{"sub": nil}, want: upstream.AttributeMissing, received: "none"},
		"an ID token":                     {change: map[string]any{"events": nil, "nonce": "n"}, want: upstream.Unfit, received: "events"},
		"of another event":                {change: map[string]any{"events": map[string]any{"https://x.example": map[string]any{}}}, want: upstream.Unfit, received: "events"},
		"with an event that is no object": {change: map[string]any{"events": map[string]any{event: true}}, want: upstream.Unfit, received: "events"},
		"with a nonce":                    {change: map[string]any{"nonce": ""}, want: upstream.Unfit, received: "nonce one"},
		"without a name":                  {change: map[string]any{"jti": nil}, want: upstream.AttributeMissing, received: "none"},
		"of the wrong type":               {change: map[string]any{"typ": "at+jwt"}, want: upstream.Unfit, received: "typ at+jwt"},
		"with claims of the wrong types":  {change: map[string]any{"sub": 7}, want: upstream.Unfit, received: "another one"},
		"not signed":                      {spoil: func(op *optest.Provider) { op.Algorithm = "none" }, want: upstream.Unfit, received: "alg none"},
		"signed with the client's secret": {spoil: func(op *optest.Provider) { op.Algorithm = "HS256" }, want: upstream.Unfit, received: "alg HS256"},
		"signed by a stranger":            {spoil: func(op *optest.Provider) { op.Stranger = true }, want: upstream.KeyUnknown, received: "kid elsewhere"},
	} {
		op := optest.Start(t)
		if c.spoil != nil {
			c.spoil(op)
		}
		e, err := client(t, op, nil).Ended(t.Context(), url.Values{"logout_token": {op.LogoutToken(c.change)}})
		if c.want == nil {
			if err != nil || e.Issuer != op.URL || e.ID == "" || e.Subject == "" && e.Session != "s-1" || !e.Until.After(time.Now()) {
				t.Errorf("%s: %+v, %v", name, e, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s: it counts", name)
			continue
		}
		if f := failureOf(t, err); f.Reason != c.want || !strings.HasPrefix(f.Received, c.received) {
			t.Errorf("%s: %v", name, f)
		}
	}
	for _, rubbish := range []string{"", "x", "a.b.c", "..", strings.Repeat("a.", 1000)} {
		if _, err := client(t, optest.Start(t), nil).Ended(t.Context(), url.Values{"logout_token": {rubbish}}); err == nil {
			t.Errorf("%.10q counts", rubbish)
		}
	}
}

func TestAStrangersTokenCostsNoQuestionUnlessItLooksRight(t *testing.T) {
	op := optest.Start(t)
	p := client(t, op, nil)
	if _, err := walk(t, p, upstream.Transaction{}); err != nil || op.Fetched != 1 {
		t.Fatalf("%v, fetched %d times", err, op.Fetched)
	}
	op.Stranger = true
	for range 5 {
		if _, err := p.Ended(t.Context(), url.Values{"logout_token": {op.LogoutToken(map[string]any{"aud": "other"})}}); err == nil {
			t.Error("it counts")
		}
	}
	if op.Fetched != 1 {
		t.Errorf("the keys were fetched %d times", op.Fetched)
	}
}
