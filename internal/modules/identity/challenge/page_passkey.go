package challenge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// passkeyBegin answers the sign-in page's script with a question to any passkey.
// It writes nothing down, so strangers may ask as often as they like.
func (x *Challenge) passkeyBegin(w http.ResponseWriter, r *http.Request) error {
	ceremony, err := x.Factors.BeginEntry(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err := json.NewEncoder(w).Encode(ceremony); err != nil {
		return fmt.Errorf("answer with a question to passkeys: %w", err)
	}
	return nil
}

// passkeyForm is what the button posts; scripts fill it in.
type passkeyForm struct {
	Ceremony, Response string
	From               entry.Arrival
}

func readPasskeyForm(r *http.Request) (passkeyForm, error) {
	values, err := web.Form(r)
	if err != nil {
		return passkeyForm{}, err
	}
	return passkeyForm{
		Ceremony: values.Get("ceremony"), Response: values.Get("response"),
		From: entry.Arrival{Next: web.Local(values.Get("next")), Shared: values.Get("shared") != ""},
	}, nil
}

// passkeyView is why a passkey opened nothing, and the ways on.
type passkeyView struct {
	Next    string
	Refused web.Failure
}

// signIn is the sign-in page that leads to the same place.
func (v passkeyView) signIn() string {
	if v.Next == "/" {
		return "/login"
	}
	return "/login?" + url.Values{"next": {v.Next}}.Encode()
}

// passkey begins a sign-in with what a passkey answered. It is two factors by
// itself: the device, and its owner's finger, face or PIN.
func (x *Challenge) passkey(w http.ResponseWriter, r *http.Request) error {
	form, err := readPasskeyForm(r)
	if err != nil {
		return err
	}
	if form.Response == "" { // the button without its script
		return web.SeeOther(w, r, passkeyView{Next: form.From.Next}.signIn())
	}
	who, f, err := x.Factors.FinishEntry(r.Context(), factor.At(r, entry.Actor{}), form.Ceremony, []byte(form.Response))
	if err != nil {
		why := fault.Of(err)
		if why.Reason.Kind() == fault.Broken {
			return err
		}
		web.Note(r, why)
		web.AllowFormTo(w, x.Arrives(r.Context(), form.From.Next)...)
		failure := web.Explain(r.Context(), why)
		return web.Render(w, r, failure.Status, passkeyTempl(passkeyView{form.From.Next, failure}))
	}
	return x.Door.Enter(w, r, who, entry.Proof{Method: entry.Passkey, Factor: f.ID}, form.From)
}
