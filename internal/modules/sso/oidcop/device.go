package oidcop

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

const (
	// devicePause is how often a device asks whether somebody typed its code.
	devicePause = 5 * time.Second
	// slowerBy is added when it asks faster (RFC 8628 §3.5).
	slowerBy = 5 * time.Second
	// longestPause bounds that.
	longestPause = time.Minute
)

// awaiting is what a device shows and waits with (RFC 8628 §3.2).
type awaiting struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	Address    string `json:"verification_uri"`
	Complete   string `json:"verification_uri_complete"`
	Expires    int64  `json:"expires_in"`
	Interval   int64  `json:"interval"`
}

// awaitDevice begins the sign-in of a device that has no keyboard.
func (p *Provider) awaitDevice(w http.ResponseWriter, r *http.Request) (any, error) {
	form, s, err := p.authenticate(r)
	if err != nil {
		return nil, err
	}
	if err := p.begins(r, s); err != nil {
		return nil, err
	}
	if !s.OIDC.Allows(registry.GrantDevice) {
		return nil, refuse(unauthorizedClient, RequestRefused, "the client's entry does not hold the grant %s", registry.GrantDevice)
	}
	var scopes []string
	for _, scope := range strings.Fields(form.Get("scope")) {
		if s.OIDC.MayAsk(scope) && !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	code, shown, ctx := "d."+id.Token(secretBytes), grant.UserCode(), r.Context()
	err = p.DB.InTx(ctx, func(tx db.Tx) error {
		return p.grants.Await(ctx, tx, code, shown, grant.DeviceRequest{
			Service: s.ID, Client: s.OIDC.ClientID, Scopes: scopes, Peer: peer(r), Pause: devicePause,
		}, p.config.DeviceLifetime)
	})
	if err != nil {
		return nil, err
	}
	return awaiting{
		DeviceCode: code, UserCode: shown, Address: p.BaseURL + devicePath, Complete: p.BaseURL + devicePath + "?" + url.Values{userCodeField: {shown}}.Encode(),
		Expires: int64(p.config.DeviceLifetime / time.Second), Interval: int64(devicePause / time.Second),
	}, nil
}

// redeemDevice gives a device its tokens once somebody let it in (RFC 8628 §3.4).
func (p *Provider) redeemDevice(a asking) (*tokens, error) {
	ctx, secret := a.r.Context(), a.form.Get("device_code")
	if secret == "" {
		return nil, refuse(invalidRequest, RequestUnreadable, "device_code is missing")
	}
	d, err := p.grants.Device(ctx, secret)
	if errors.Is(err, grant.Unknown) || err == nil && d.Client != a.service.OIDC.ClientID {
		return nil, refuse(invalidGrant, CodeRefused, "this device code was never issued to this client")
	}
	if err != nil {
		return nil, err
	}
	now := p.DB.Now()
	if d.ExpiresAt <= now {
		return nil, refuse(expiredToken, CodeExpired, "nobody typed the code in time")
	}
	if err := p.paced(ctx, d, now); err != nil {
		return nil, err
	}
	switch d.State {
	case grant.Waiting:
		return nil, refuse(authorizationPending, TokenRefused, "nobody has typed the code yet")
	case grant.Refused:
		return nil, refuse(accessDenied, TokenRefused, "the person refused")
	case grant.Spent:
		return nil, refuse(invalidGrant, CodeReplayed, "this device code was already redeemed")
	}
	if err := p.mayStill(ctx, a.service, grant.Grant{Person: d.Person}); err != nil {
		return nil, err
	}
	detail := d.Detail
	detail.Scopes = d.Scopes
	offline := slices.Contains(d.Scopes, registry.ScopeOffline)
	g := grant.Grant{
		Answer: id.Hash(secret), Kind: grant.Device, Service: a.service.ID, Client: d.Client, Person: d.Person, Offline: offline, Detail: detail,
	}
	m, err := p.mint(a, g, d.Scopes, a.service.OIDC.Allows(registry.GrantRefresh))
	if err != nil {
		return nil, err
	}
	won := false
	err = p.DB.InTx(ctx, func(tx db.Tx) (err error) {
		if won, err = p.grants.SpendDevice(ctx, tx, d.ID); err != nil || !won {
			return err
		}
		begun, err := p.grants.Begin(ctx, tx, g, p.lifetime(offline))
		if err != nil {
			return err
		}
		// Without a session: a television goes on when its owner signs out of a browser.
		err = p.Answers.Issue(ctx, tx, secret, answer.Answer{
			Protocol: registry.OIDC, Service: a.service.ID, Address: p.BaseURL + devicePath, Person: d.Person, Login: detail.Login,
			SignedInAt: db.At(time.Unix(detail.AuthTime, 0)), Handle: begun.ID, Peer: peer(a.r),
		}, p.config.CodeLifetime)
		if err != nil {
			return err
		}
		return p.keep(ctx, tx, m, begun)
	})
	if err != nil {
		return nil, err
	}
	if !won {
		return nil, refuse(invalidGrant, CodeReplayed, "this device code was already redeemed")
	}
	return &m.tokens, nil
}

// paced slows a device down that asks too often.
func (p *Provider) paced(ctx context.Context, d grant.DeviceRequest, now db.Time) error {
	// A second of grace: networks are not clocks.
	early := d.PolledAt != 0 && now.Sub(d.PolledAt) < d.Pause-time.Second
	pause := d.Pause
	if early {
		pause = min(pause+slowerBy, longestPause)
	}
	if err := p.DB.InTx(ctx, func(tx db.Tx) error { return p.grants.Polled(ctx, tx, d.ID, pause) }); err != nil {
		return err
	}
	if early {
		return refuse(slowDown, TokenRefused, "ask at most every %s", pause)
	}
	return nil
}

// deviceDestination is where the sign-in of a device leads.
func (p *Provider) deviceDestination(ctx context.Context, x *registry.Index, code string) (contract.Destination, bool) {
	d, err := p.grants.DeviceByUserCode(ctx, grant.NormalUserCode(code))
	if err != nil {
		return contract.Destination{}, false // the sign-in itself can go on
	}
	s := x.Get(d.Service)
	if s == nil {
		return contract.Destination{}, false
	}
	return contract.Destination{Service: s.ID, Name: s.Name(i18n.Locale(ctx))}, true
}
