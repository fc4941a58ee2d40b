package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pquerna/otp/totp"
	"golang.org/x/net/html"

	"github.com/amphi-campus/amphi/internal/modules/identity/factor/factortest"
)

// prepareFactors lets the residents settle. The server runs afterwards.
func prepareFactors(ctx context.Context, s *server) error {
	if err := s.stop(); err != nil {
		return err
	}
	if err := settle(ctx, s); err != nil {
		return err
	}
	return s.start(ctx)
}

// measureFactors compares sign-ins with a password and an app, through their
// pages, with argon2id alone, and sign-ins with a passkey with the verification
// of signatures alone. What is compared takes turns.
func measureFactors(ctx context.Context, s *server, p plan) ([]row, error) {
	if err := prepareFactors(ctx, s); err != nil {
		return nil, err
	}
	client := newClient()
	defer client.CloseIdleConnections()
	workers := 8 * runtime.NumCPU()
	owners := make([]*keyOwner, workers)
	for i := range owners {
		var err error
		if owners[i], err = registerPasskey(ctx, client, s, resident(2*i+1)); err != nil {
			return nil, err
		}
	}
	verify, err := signatures()
	if err != nil {
		return nil, err
	}
	var hashes, apps, checks, passkeys tally
	var next atomic.Int64
	for range p.rounds {
		hashes.add(ceiling(ctx, s.cost, p.slice))
		apps.add(loop(ctx, workers, p.slice, 0, func(ctx context.Context, _ int) error {
			i := int(next.Add(1)) - 1
			if i >= crowdSize/2 {
				return errDone // a code is good for one sign-in, and each has signed in
			}
			return signInWithApp(ctx, newVisitor(client, s.base), resident(2*i))
		}))
		checks.add(loop(ctx, runtime.NumCPU(), p.slice, 0, verify))
		passkeys.add(loop(ctx, workers, p.slice, 0, func(ctx context.Context, worker int) error {
			return owners[worker].signIn(ctx, newVisitor(client, s.base))
		}))
	}
	if err := errors.Join(apps.err, checks.err, passkeys.err); err != nil {
		return nil, err
	}
	return []row{
		{
			what:   "sign-ins with password and app (TOTP) per second",
			figure: fmt.Sprintf("%.1f/s, p99 %s", apps.perSecond(), millis(apps.percentile(.99))),
			ratio:  fmt.Sprintf("%.0f %% of %.1f hashes/s", 100*apps.perSecond()/hashes.perSecond(), hashes.perSecond()),
		},
		{
			what:   "sign-ins with a passkey per second",
			figure: fmt.Sprintf("%.0f/s, p99 %s", passkeys.perSecond(), millis(passkeys.percentile(.99))),
			ratio:  fmt.Sprintf("%.1f %% of %.0f ES256 verifications/s", 100*passkeys.perSecond()/checks.perSecond(), checks.perSecond()),
		},
	}, nil
}

// signInWithApp goes the whole way: password, the page of the factor, the code.
func signInWithApp(ctx context.Context, v *visitor, login string) error {
	a, _, err := v.knock(ctx, login, demoPassword)
	if err != nil {
		return err
	}
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.location, "/login/factor?") {
		return fmt.Errorf("the password of %s was answered %d, location %q", login, a.status, a.location)
	}
	at, err := url.Parse(a.location)
	if err != nil {
		return err
	}
	if a, err = v.get(ctx, a.location); expect(a, err, http.StatusOK, "the page of the factor") != nil {
		return expect(a, err, http.StatusOK, "the page of the factor")
	}
	code, err := totp.GenerateCode(appSecret, time.Now())
	if err != nil {
		return err
	}
	a, err = v.post(ctx, "/login/factor/totp", url.Values{"at": {at.Query().Get("at")}, "code": {code}})
	if err == nil && v.cookies[sessionCookie] == "" {
		err = fmt.Errorf("the code of %s was answered %d, location %q", login, a.status, a.location)
	}
	return err
}

// keyOwner is somebody with a passkey.
type keyOwner struct {
	login string
	key   *factortest.Authenticator
}

// registerPasskey signs somebody in and adds a passkey on the page for it.
func registerPasskey(ctx context.Context, client *http.Client, s *server, login string) (*keyOwner, error) {
	_, port, found := strings.Cut(s.listen, ":")
	if !found {
		return nil, fmt.Errorf("%q has no port", s.listen)
	}
	o := &keyOwner{login: login, key: factortest.New("http://localhost:" + port)} // the address that the demo tells people
	v := newVisitor(client, s.base)
	a, _, err := v.knock(ctx, login, demoPassword)
	if err != nil {
		return nil, err
	}
	if v.cookies[sessionCookie] == "" {
		return nil, fmt.Errorf("the sign-in of %s was answered %d, location %q", login, a.status, a.location)
	}
	const page = "/identity/factors/passkey"
	if a, err = v.get(ctx, page); err != nil || a.status != http.StatusOK {
		return nil, expect(a, err, http.StatusOK, page)
	}
	options, ceremony := question(a.body)
	response, err := o.key.Create([]byte(options))
	if err != nil {
		return nil, fmt.Errorf("make a passkey from %.80q: %w", options, err)
	}
	a, err = v.post(ctx, page, url.Values{"ceremony": {ceremony}, "response": {string(response)}, "label": {"bench"}})
	return o, expect(a, err, http.StatusSeeOther, "adding a passkey")
}

// signIn does what the button of the sign-in page does.
func (o *keyOwner) signIn(ctx context.Context, v *visitor) error {
	a, err := v.post(ctx, "/identity/passkey/begin", nil)
	if err != nil || a.status != http.StatusOK {
		return expect(a, err, http.StatusOK, "/identity/passkey/begin")
	}
	var asked struct {
		Ceremony string          `json:"ceremony"`
		Options  json.RawMessage `json:"options"`
	}
	if err := json.Unmarshal(a.body, &asked); err != nil {
		return fmt.Errorf("/identity/passkey/begin: %w", err)
	}
	response, err := o.key.Get(asked.Options)
	if err != nil {
		return err
	}
	a, err = v.post(ctx, "/identity/passkey", url.Values{"ceremony": {asked.Ceremony}, "response": {string(response)}})
	if err == nil && v.cookies[sessionCookie] == "" {
		err = fmt.Errorf("the passkey of %s was answered %d, location %q", o.login, a.status, a.location)
	}
	return err
}

// question finds what a page asks of a key, and the name of the ceremony.
func question(page []byte) (options, ceremony string) {
	z := html.NewTokenizer(bytes.NewReader(page))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		attributes := map[string]string{}
		for _, a := range z.Token().Attr {
			attributes[a.Key] = a.Val
		}
		if asked, ok := attributes["data-options"]; ok {
			options = asked
		}
		if attributes["name"] == "ceremony" {
			ceremony = attributes["value"]
		}
	}
	return options, ceremony
}

// signatures returns the verification of one ES256 signature (RFC 7518 §3.4),
// alone.
func signatures() (func(context.Context, int) error, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte("the data of an authenticator and of its browser"))
	signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		return nil, err
	}
	return func(context.Context, int) error {
		if !ecdsa.VerifyASN1(&key.PublicKey, sum[:], signature) {
			return errors.New("a right signature was refused")
		}
		return nil
	}, nil
}
