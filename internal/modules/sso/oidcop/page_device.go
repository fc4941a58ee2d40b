package oidcop

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/grant"
	"github.com/amphi-campus/amphi/internal/modules/sso/oidcop/request"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// userCodeField is the name of the code in forms and addresses (RFC 8628 §3.3.1).
const userCodeField = "user_code"

// deviceView is the page on which a code is typed.
type deviceView struct {
	Code     string
	Problems web.Problems
}

// devicePage asks for the code that a device shows. One that came with the address
// is only filled in: the person compares it with the device (RFC 8628 §3.3.1).
func (p *Provider) devicePage(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, deviceTempl(deviceView{Code: grant.NormalUserCode(r.URL.Query().Get(userCodeField))}))
}

// typedCode looks a code up.
func (p *Provider) typedCode(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	view := deviceView{Code: shorten(form.Get(userCodeField))}
	code := grant.NormalUserCode(view.Code)
	if code == "" {
		view.Problems.Add(userCodeField, "sso.oidc.device.problem.form")
		return web.Render(w, r, http.StatusUnprocessableEntity, deviceTempl(view))
	}
	_, _, err = p.device(w, r, code)
	if errors.Is(err, grant.Unknown) {
		view.Problems.Add(userCodeField, "sso.oidc.device.problem.unknown")
		return web.Render(w, r, http.StatusUnprocessableEntity, deviceTempl(view))
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, deviceAllowPath+"?"+url.Values{userCodeField: {code}}.Encode())
}

// device finds the device that waits with a code. Wrong codes count against the
// person and against the network address, on every page that takes one.
func (p *Provider) device(w http.ResponseWriter, r *http.Request, code string) (grant.DeviceRequest, *registry.Service, error) {
	keys := []string{"person " + string(web.Viewer(r).Person), "address " + limit.AddressKey(web.ClientAddr(r))}
	for _, key := range keys {
		if wait := p.guesses.Wait(key); wait > 0 {
			web.RetryAfter(w, wait)
			return grant.DeviceRequest{}, nil, DeviceGuesses.With(fault.Args{"wait": wait.Round(time.Second)})
		}
	}
	d, err := p.grants.DeviceByUserCode(r.Context(), code)
	if errors.Is(err, grant.Unknown) {
		for _, key := range keys {
			p.guesses.Allow(key) // takes one; Wait above is what refuses
		}
	}
	if err != nil {
		return d, nil, err
	}
	x, err := p.Gate.Registry(r.Context())
	if err != nil {
		return d, nil, err
	}
	s := x.Get(d.Service)
	if s == nil || d.State != grant.Waiting || d.ExpiresAt <= p.DB.Now() {
		return d, nil, DeviceGone
	}
	return d, s, nil
}

// allowView is the page on which somebody lets a device in.
type allowView struct {
	Service, Code, Mark, Peer string
	Asked                     time.Time
	Person                    string
}

// allowPage asks whether the device is the person's.
func (p *Provider) allowPage(w http.ResponseWriter, r *http.Request) error {
	code, mark := grant.NormalUserCode(r.URL.Query().Get(userCodeField)), r.URL.Query().Get(gate.MarkParameter)
	d, s, e, err := p.deviceEntrance(w, r, code, mark)
	if errors.Is(err, gate.Answered) {
		return nil
	}
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, allowTempl(allowView{
		Service: s.Name(i18n.Locale(r.Context())), Code: code, Mark: mark, Peer: d.Peer, Asked: d.CreatedAt.Time(), Person: e.Viewer.DisplayName(),
	}))
}

// deviceEntrance asks the gate whether the person may enter the device's service.
func (p *Provider) deviceEntrance(w http.ResponseWriter, r *http.Request, code, mark string) (grant.DeviceRequest, *registry.Service, gate.Entrance, error) {
	d, s, err := p.device(w, r, code)
	if errors.Is(err, grant.Unknown) {
		err = DeviceGone
	}
	if err != nil {
		return d, s, gate.Entrance{}, err
	}
	e, err := p.Gate.Enter(w, r, gate.Question{
		Service: s, Address: p.BaseURL + devicePath, Back: deviceAllowPath + "?" + url.Values{userCodeField: {code}}.Encode(), Mark: mark,
		Wanted: request.Wanted(d.Scopes, request.Claims{}),
	})
	return d, s, e, err
}

// decideDevice lets a device in, or refuses it.
func (p *Provider) decideDevice(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	code, as, detail := grant.NormalUserCode(form.Get(userCodeField)), grant.Refused, grant.Detail{}
	d, s, e, err := p.deviceEntrance(w, r, code, form.Get(gate.MarkParameter))
	if errors.Is(err, gate.Answered) {
		return nil
	}
	if err != nil {
		return err
	}
	if form.Get("answer") == "yes" {
		as = grant.Allowed
		v := e.Viewer
		detail = grant.Detail{Login: v.Login, AuthTime: v.SignedInAt.Unix(), ACR: reached(v, nil), AMR: v.Methods, Told: namesOf(e.Attributes)}
	}
	won, ctx := false, r.Context()
	err = p.DB.InTx(ctx, func(tx db.Tx) (err error) {
		won, err = p.grants.Decide(ctx, tx, d.ID, as, e.Viewer.Person, detail)
		return err
	})
	if err != nil {
		return err
	}
	if !won {
		return DeviceGone
	}
	return web.SeeOther(w, r, "/device/done?"+url.Values{"service": {s.ID}, "answer": {string(as)}}.Encode())
}

// doneView says what happens next.
type doneView struct {
	Service string
	Allowed bool
}

// deviceDonePage says that the device goes on by itself.
func (p *Provider) deviceDonePage(w http.ResponseWriter, r *http.Request) error {
	x, err := p.Gate.Registry(r.Context())
	if err != nil {
		return err
	}
	s := x.Get(r.URL.Query().Get("service"))
	if s == nil {
		return web.SeeOther(w, r, devicePath)
	}
	return web.Render(w, r, http.StatusOK, doneTempl(doneView{
		Service: s.Name(i18n.Locale(r.Context())), Allowed: r.URL.Query().Get("answer") == string(grant.Allowed),
	}))
}

// said is an instant as the reader says it.
func said(ctx context.Context, at time.Time) string { return i18n.Of(ctx).Date(at, i18n.Full) }
