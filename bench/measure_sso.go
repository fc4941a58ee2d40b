package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/beevik/etree"

	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// way is one way into a service, for people who have a session.
type way struct {
	name    string
	signs   string // what it signs with; empty for nothing
	through func(ctx context.Context, v *visitor) error
}

var ways = []way{
	{"CAS: ticket issued and validated", "", casSignIn},
	{"SAML: signed response and assertion", "RSA-2048", samlSignIn},
	{"OpenID Connect: code and tokens, RS256", "RSA-2048", func(ctx context.Context, v *visitor) error { return oidcSignIn(ctx, v, clientRS256) }},
	{"OpenID Connect: code and tokens, ES256", "ES256", func(ctx context.Context, v *visitor) error { return oidcSignIn(ctx, v, clientES256) }},
}

// measureSSO compares the sign-ins of the three protocols with a handler that does
// nothing, and with the signatures alone on every core. All take turns.
func measureSSO(ctx context.Context, s *server, p plan) ([]row, error) {
	if err := declare(ctx, s); err != nil {
		return nil, err
	}
	client := newClient()
	defer client.CloseIdleConnections()
	visitors, err := signedIn(ctx, client, s)
	if err != nil {
		return nil, err
	}
	ceilings, err := signers()
	if err != nil {
		return nil, err
	}
	var empty tally
	signed, took := map[string]*tally{}, make([]tally, len(ways))
	for range p.rounds {
		empty.add(loop(ctx, len(visitors), p.slice, 0, func(ctx context.Context, worker int) error { return nothing(ctx, visitors[worker]) }))
		for name, key := range ceilings {
			if signed[name] == nil {
				signed[name] = &tally{}
			}
			signed[name].add(loop(ctx, runtime.NumCPU(), p.slice/3, 0, func(context.Context, int) error { return sign(key) }))
		}
		for i, w := range ways {
			took[i].add(loop(ctx, len(visitors), p.slice, 0, func(ctx context.Context, worker int) error { return w.through(ctx, visitors[worker]) }))
		}
	}
	rows := []row{{what: "empty handler, beside single sign-on", figure: rate(empty)}}
	failed := empty.err
	for i, w := range ways {
		r := row{what: w.name, figure: rate(took[i]), ratio: fmt.Sprintf("%.1f %% of the empty handler", 100*took[i].perSecond()/empty.perSecond())}
		if w.signs != "" {
			ceiling := signed[w.signs].perSecond()
			r.ratio = fmt.Sprintf("%.0f %% of %.0f %s signatures/s; %s", 100*took[i].perSecond()/ceiling, ceiling, w.signs, r.ratio)
		}
		rows = append(rows, r)
		failed = errors.Join(failed, took[i].err)
	}
	return rows, failed
}

func rate(t tally) string {
	return fmt.Sprintf("%.0f/s, p99 %s", t.perSecond(), millis(t.percentile(.99)))
}

// signers are keys of the kinds that sign answers.
func signers() (map[string]crypto.Signer, error) {
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	short, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return map[string]crypto.Signer{"RSA-2048": long, "ES256": short}, err
}

func sign(key crypto.Signer) error {
	digest := sha256.Sum256([]byte("what services are told"))
	_, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	return err
}

// measureRollOver changes the keys of both protocols while people sign in.
func measureRollOver(ctx context.Context, s *server, p plan) ([]row, error) {
	if err := declare(ctx, s); err != nil {
		return nil, err
	}
	if err := pause(ctx, 4*time.Second); err != nil { // the server sees it within three
		return nil, err
	}
	client := newClient()
	defer client.CloseIdleConnections()
	visitors, err := signedIn(ctx, client, s)
	if err != nil {
		return nil, err
	}
	var changed error
	var changing sync.WaitGroup
	changing.Go(func() {
		for _, use := range []string{"saml", "oidc"} {
			for _, act := range []string{"roll", "hasten"} {
				changed = errors.Join(changed, s.amphi(ctx, "service", "keys", act, use))
			}
		}
	})
	turn := make([]int, len(visitors))
	took := loop(ctx, len(visitors), 4*p.slice, 0, func(ctx context.Context, worker int) error {
		turn[worker]++
		return ways[turn[worker]%len(ways)].through(ctx, visitors[worker])
	})
	changing.Wait()
	return []row{{
		what: "sign-ins while the keys of SAML and OpenID Connect change", aim: "none fails",
		figure: fmt.Sprintf("%s, %d sign-ins", rate(took), len(took.took)), verdict: verdictOf(took.err == nil && changed == nil),
	}}, errors.Join(took.err, changed)
}

// many is how many services a large registry has.
const many = 10_000

// measureRegistry compares sign-ins and memory before and after ten thousand
// services were declared.
func measureRegistry(ctx context.Context, s *server, p plan) ([]row, error) {
	before, err := restarted(ctx, s, p, 5*time.Second)
	if err != nil {
		return nil, err
	}
	var entries strings.Builder
	for n := range many {
		fmt.Fprintf(&entries, "[[services]]\nid = \"s%[1]d\"\nname_fr = \"Service %[1]d\"\nname_en = \"Service %[1]d\"\npatterns = [\"https://s%[1]d.univ.example/\"]\nattributes = [\"mail\"]\n", n)
	}
	began := time.Now()
	if err := addServices(ctx, s, entries.String()); err != nil {
		return nil, err
	}
	adding := time.Since(began)
	after, err := restarted(ctx, s, p, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return []row{
		{what: fmt.Sprintf("%s services declared by one command", thousands(many)), figure: fmt.Sprintf("%.1f s", adding.Seconds())},
		{
			what: fmt.Sprintf("CAS with %s services in the registry", thousands(many)), aim: "not slower", figure: rate(after.took),
			ratio: fmt.Sprintf("%.0f %% of %s without them", 100*after.took.perSecond()/before.took.perSecond(), rate(before.took)), verdict: verdictOf(after.took.perSecond() > .9*before.took.perSecond()),
		},
		{what: "resident memory with them, after sign-ins", figure: megabytes(after.memory), ratio: "without " + megabytes(before.memory)},
	}, nil
}

// state is how a server signs in, and what it takes.
type state struct {
	took   tally
	memory int64
}

// restarted starts the server anew, waits, and signs people in by CAS.
func restarted(ctx context.Context, s *server, p plan, wait time.Duration) (state, error) {
	if err := s.stop(); err != nil {
		return state{}, err
	}
	if err := s.start(ctx); err != nil {
		return state{}, err
	}
	if err := pause(ctx, wait); err != nil {
		return state{}, err
	}
	return signingIn(ctx, s, p)
}

// signingIn signs people in by CAS for a while.
func signingIn(ctx context.Context, s *server, p plan) (state, error) {
	client := newClient()
	defer client.CloseIdleConnections()
	visitors, err := signedIn(ctx, client, s)
	if err != nil {
		return state{}, err
	}
	took := loop(ctx, len(visitors), 2*p.slice, 0, func(ctx context.Context, worker int) error { return casSignIn(ctx, visitors[worker]) })
	if took.err != nil {
		return state{}, took.err
	}
	m, err := s.memory()
	return state{took, m.resident}, err
}

// members is how many service providers an aggregate of some 10 MB holds.
const members = 4000

// measureFederation lets the server read a federation's aggregate while people
// sign in.
func measureFederation(ctx context.Context, s *server, p plan) ([]row, error) {
	before, err := restarted(ctx, s, p, 5*time.Second)
	if err != nil {
		return nil, err
	}
	page, certificate, err := aggregate()
	if err != nil {
		return nil, err
	}
	read := make(chan struct{})
	var once sync.Once
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := w.Write(page); err == nil {
			once.Do(func() { close(read) })
		}
	}))
	defer site.Close()
	defer func() { s.config = "" }()
	file := filepath.Join(s.data, "bench-federation.toml")
	settings := fmt.Sprintf("[[sso.saml.federations]]\nid = \"bench\"\naggregate = %q\nadmit = [\"all\"]\ncertificate = \"\"\"\n%s\"\"\"\n", site.URL, certificate)
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		return nil, err
	}
	s.config = file
	if err := errors.Join(s.stop(), s.start(ctx)); err != nil {
		return nil, err
	}
	select {
	case <-read:
	case <-time.After(2 * time.Minute):
		return nil, errors.New("the aggregate was not read within two minutes")
	}
	after, err := signingIn(ctx, s, p) // while what was downloaded is checked and put away
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, 10*time.Second); err != nil { // it is put away
		return nil, err
	}
	rest, err := s.memory()
	if err != nil {
		return nil, err
	}
	if err := s.stop(); err != nil {
		return nil, err
	}
	known, err := countEntities(ctx, s.database())
	if err != nil {
		return nil, err
	}
	s.config = "" // what follows does without
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	return []row{
		{
			what: fmt.Sprintf("CAS while an aggregate of %s with %s service providers is read", megabytes(int64(len(page))), thousands(members)), aim: "not slower than half", figure: rate(after.took),
			ratio: fmt.Sprintf("%.0f %% of %s without it", 100*after.took.perSecond()/before.took.perSecond(), rate(before.took)), verdict: verdictOf(after.took.perSecond() > .5*before.took.perSecond()),
		},
		{what: "service providers read", aim: "all", figure: thousands(known), verdict: verdictOf(known == members)},
		{what: "resident memory with the federation", figure: megabytes(rest.resident), ratio: fmt.Sprintf("without %s, highest %s", megabytes(before.memory), megabytes(rest.highest))},
	}, nil
}

// aggregate is a federation's signed list, and the certificate to check it by.
func aggregate() (page []byte, certificate string, err error) {
	by, err := saml.GenerateCredential(saml.RSA2048, "Federation of the bench", time.Now(), 30*24*time.Hour)
	if err != nil {
		return nil, "", err
	}
	member, err := saml.GenerateCredential(saml.RSA2048, "Member of the bench", time.Now(), 30*24*time.Hour)
	if err != nil {
		return nil, "", err
	}
	root := etree.NewElement("md:EntitiesDescriptor")
	root.CreateAttr("xmlns:md", saml.NSMetadata)
	root.CreateAttr("ID", saml.NewID())
	root.CreateAttr("Name", "https://federation.example")
	root.CreateAttr("validUntil", saml.FormatTime(time.Now().Add(5*24*time.Hour)))
	for n := range members {
		e := &saml.Entity{
			ID: fmt.Sprintf("https://sp%d.example/sp", n),
			SP: &saml.SPRole{
				Role: saml.Role{
					Keys: []saml.RoleKey{{PublicKey: member.Public()}},
					UI:   saml.UI{DisplayNames: []saml.Localized{{Lang: "fr", Text: fmt.Sprintf("Bibliothèque %d", n)}, {Lang: "en", Text: fmt.Sprintf("Library %d", n)}}},
				},
				ACS: []saml.Endpoint{{Binding: saml.POST, Location: fmt.Sprintf("https://sp%d.example/acs", n)}},
			},
			Contacts: []saml.Contact{{Kind: saml.ContactTechnical, Emails: []string{fmt.Sprintf("tech%d@sp.example", n)}}},
		}
		root.AddChild(e.Element())
	}
	if err := saml.Sign(root, by); err != nil {
		return nil, "", err
	}
	page, err = saml.Marshal(root)
	return page, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: by.Certificate.Raw})), err
}
