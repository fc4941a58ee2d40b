package oidcop

import (
	"context"
	"net/http"
	"net/url"
	"sync"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// origins are the sites whose scripts are clients: those of the redirect
// addresses of public clients. It is made once for each state of the registry.
type origins struct {
	mu    sync.Mutex
	of    *registry.Index
	known map[string]bool
}

// browserOrigin reports whether scripts of this origin may ask us.
func (p *Provider) browserOrigin(ctx context.Context, origin string) bool {
	x, err := p.Gate.Registry(ctx)
	if err != nil {
		return false // the request itself says what is wrong
	}
	p.web.mu.Lock()
	defer p.web.mu.Unlock()
	if p.web.of != x {
		p.web.of, p.web.known = x, map[string]bool{}
		for _, s := range x.Services() {
			if s.Protocol != registry.OIDC || !s.OIDC.Public() {
				continue
			}
			for _, address := range s.OIDC.RedirectURIs {
				if u, err := url.Parse(address); err == nil && u.Host != "" {
					p.web.known[u.Scheme+"://"+u.Host] = true
				}
			}
		}
	}
	return p.web.known[origin]
}

// allowOrigin lets scripts of public clients read an answer. Cookies are never
// part of it; the authorization endpoint is not for scripts at all (RFC 9700
// §2.6).
func (p *Provider) allowOrigin(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin != "" && p.browserOrigin(r.Context(), origin) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate")
	}
}

// preflight answers the question that a browser asks before a script's request.
func (p *Provider) preflight(w http.ResponseWriter, r *http.Request) error {
	p.allowOrigin(w, r)
	if w.Header().Get("Access-Control-Allow-Origin") != "" {
		w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
		w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
		w.Header().Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// forEverybody is for what is the same for everybody and no secret.
func forEverybody(h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		return h(w, r)
	}
}
