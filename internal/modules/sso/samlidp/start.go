package samlidp

import (
	"net/http"
	"net/url"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// start sends somebody to a service that did not ask for it (profiles, 4.1.5):
// from the catalogue, or when its request came too late. A service that takes no
// such answers is started at its own sign-in. The parameter target is an address
// inside the service, which travels as RelayState.
func (x *IDP) start(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	index, err := x.Gate.Registry(ctx)
	if err != nil {
		return err
	}
	s := index.Get(r.PathValue("service"))
	if s == nil || s.Protocol != registry.SAML {
		return StartUnknown
	}
	p, err := x.byService(ctx, s)
	if err != nil {
		return err
	}
	target := r.URL.Query().Get("target")
	if target != "" && !p.owns(target) {
		// Following it would make the service's own redirect an open one.
		return StartTarget.With(fault.Args{"service": p.facts(ctx)["service"], "address": clip(target)})
	}
	if s.SAML.SPInitiatedOnly {
		to := p.loginAddress()
		if to == "" {
			to = s.Home
		}
		if !webAddress(to) {
			return StartUnknown
		}
		return x.Gate.Leave(w, r, to)
	}
	acs, err := p.sp().ACSFor(nil)
	if err != nil || acs.Binding != saml.POST || !webAddress(acs.Location) {
		return AddressUnknown.Because(err, p.facts(ctx))
	}
	back := startPath + url.PathEscape(s.ID)
	if target != "" {
		back += "?" + url.Values{"target": {target}}.Encode()
	}
	return x.respond(w, r, p, &request{ACS: acs.Location, Relay: target}, "", back)
}
