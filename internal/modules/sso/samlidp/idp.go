// Package samlidp is the SAML 2.0 identity provider: it reads what service
// providers ask, has the room decide who enters, and answers with signed
// assertions; it ends their sessions when ours end, and the other way round.
//
// Sections are those of the OASIS standards saml-core-2.0-os ("core"),
// saml-bindings-2.0-os ("bindings"), saml-profiles-2.0-os ("profiles") and
// saml-metadata-2.0-os ("metadata").
package samlidp

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/keys"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/federation"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the identity provider asks of the house.
type Deps struct {
	DB    *db.DB
	Clock clock.Clock
	Log   *slog.Logger
	// Gate decides who enters, and keeps what went wrong.
	Gate gate.Gate
	// Answers is the record of what services were given.
	Answers *answer.Store
	// Keys sign.
	Keys Keys
	// Exit ends the session of a browser, with a page that says what was closed.
	Exit gate.Exit
	// Sessions ends other sessions that a service provider asks to end.
	Sessions Sessions
	// HTTP reads metadata and tells services that sessions ended. It must not
	// follow redirects to another host. Nil chooses one that is right.
	HTTP *http.Client
	// BaseURL is the public address of the house, without a slash at its end.
	BaseURL string
	// Scope is the domain that this identity provider speaks for, such as univ.fr.
	Scope string
}

// Keys are the signing keys; package keys has them.
type Keys interface {
	Current(ctx context.Context, use keys.Use, algorithm string) (keys.Key, error)
	Published(ctx context.Context, use keys.Use) ([]keys.Key, error)
}

// Sessions ends sessions of ours, and tells the other services.
type Sessions interface {
	// CloseSession ends one session of a person, who is v.Person, from elsewhere. A
	// fault of kind NotFound says that it is over already.
	CloseSession(ctx context.Context, v campus.Viewer, session string) error
}

// IDP is the identity provider.
type IDP struct {
	Deps
	config   Config
	store    *store
	metadata *federation.Store
	client   *http.Client
	unknowns *limit.Limiter // incidents about unknown service providers, by address
	pending  *limit.Limiter // requests that wait for their answer, by address

	published published // our metadata as it was written last
}

// unknownRate bounds what anybody can cause.
var unknownRate = limit.Rate{Every: time.Minute, Burst: 20}

// pendingRate lets a campus behind one address come to its courses at eight, and
// fills no disk: what is answered does not count.
var pendingRate = limit.Rate{Every: 2 * time.Second, Burst: 1000}

// New makes an identity provider.
func New(d Deps, c Config) *IDP {
	client := d.HTTP
	if client == nil {
		client = backChannel(10 * time.Second)
	}
	x := &IDP{
		Deps: d, config: c, client: client, store: &store{d.DB}, unknowns: limit.New(unknownRate, limit.DefaultKeys, d.Clock),
		pending: limit.New(pendingRate, limit.DefaultKeys, d.Clock),
	}
	x.metadata = federation.New(federation.Deps{
		DB: d.DB, Clock: d.Clock, Log: d.Log, HTTP: client, Registry: d.Gate.Registry, Changed: x.metadataChanged,
	}, c.Federations)
	return x
}

// Metadata is what is known of service providers, for the pages of the registry.
func (x *IDP) Metadata() *federation.Store { return x.metadata }

// Jobs reads metadata, and forgets what is old.
func (x *IDP) Jobs(r *jobs.Registry) {
	x.metadata.Jobs(r)
	r.Every("sso.saml_prune", 15*time.Minute, x.store.prune)
}

// metadataChanged keeps what was noticed about a service's metadata.
func (x *IDP) metadataChanged(ctx context.Context, s *registry.Service, c federation.Change) {
	if c.Problem != nil {
		x.Gate.Note(ctx, gate.Incident{Service: s, Reason: MetadataRefused, Expected: s.SAML.MetadataURL, Received: clip(c.Problem.Error())})
		return
	}
	x.Gate.Note(ctx, gate.Incident{Service: s, Reason: KeysChanged, Expected: strings.Join(c.Gone, " "), Received: strings.Join(c.Come, " "), Quiet: true})
}

// The addresses. They stand in metadata that others keep: they do not change.
const (
	metadataPath = "/saml/metadata"
	ssoPath      = "/saml/sso"
	continuePath = "/saml/continue"
	startPath    = "/saml/start/"
	logoutPath   = "/saml/logout"
	soapPath     = "/saml/logout/soap"
	closePath    = "/saml/logout/continue"
	answerPath   = "/saml/logout/answer"
	leavePath    = "/saml/logout/leave"
)

// Routes lists every address.
func (x *IDP) Routes(r *web.Router) {
	r.Handle("GET "+metadataPath, x.metadataPage, web.Static)

	// Service providers send people here, from other sites.
	r.Handle("GET "+ssoPath, x.signOnByRedirect, web.Public)
	r.Handle("POST "+ssoPath, x.signOnByPost, web.Public, web.CrossSite)
	r.Handle("GET "+continuePath, whole(x.goOn), web.Public)
	r.Handle("GET "+startPath+"{service}", whole(x.start), web.Public)
	r.Handle("GET /saml/continue.js", x.continueScript, web.Static)

	r.Handle("GET "+logoutPath, x.signOutByRedirect, web.Public)
	r.Handle("POST "+logoutPath, x.signOutByPost, web.Public, web.CrossSite)
	r.Handle("GET "+closePath, whole(x.signOutGoOn), web.Public)
	r.Handle("GET "+answerPath, whole(x.signOutAnswer), web.Public)
	r.Handle("GET "+leavePath, whole(x.leaveByForm), web.Public)
	r.Handle("POST "+soapPath, x.signOutBySOAP, web.Static, web.CrossSite)
}

// whole opens an address as a page of its own. htmx would fetch it and put the form
// that carries our answer into the page before, whose policy lets no form leave.
func whole(h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.Header.Get("HX-Request") != "true" {
			return h(w, r)
		}
		w.Header().Set("HX-Redirect", r.URL.RequestURI())
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

// entityID is our name among the others.
func (x *IDP) entityID() string {
	if x.config.EntityID != "" {
		return x.config.EntityID
	}
	return x.address(metadataPath)
}

// address is a path of ours as others see it.
func (x *IDP) address(path string) string { return x.BaseURL + path }

// backChannel is a client for metadata and messages to services: patient for the
// given time, through the proxy of the environment, and never led to another
// host.
func backChannel(timeout time.Duration) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = timeout
	transport.MaxResponseHeaderBytes = 64 << 10
	transport.MaxIdleConnsPerHost = 4
	return &http.Client{
		Transport: transport,
		CheckRedirect: func(to *http.Request, via []*http.Request) error {
			if len(via) > 3 || to.URL.Host != via[0].URL.Host {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
}
