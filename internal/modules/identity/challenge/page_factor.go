package challenge

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// factorForm is what the page of a factor posts.
type factorForm struct {
	Method             entry.Method
	Factor             string
	Code               string
	Ceremony, Response string // of a key
	Trust              bool
}

// maxCode bounds what is typed as a code, in bytes.
const maxCode = 60

func readFactorForm(r *http.Request) (factorForm, error) {
	values, err := web.Form(r)
	if err != nil {
		return factorForm{}, err
	}
	form := factorForm{
		Method: entry.Method(r.PathValue("method")), Factor: values.Get("factor"), Code: values.Get(reach.CodeField),
		Ceremony: values.Get("ceremony"), Response: values.Get("response"), Trust: values.Get("trust") != "",
	}
	if form.Method == entry.Passkey {
		form.Method = entry.SecurityKey
	}
	return form, nil
}

// check looks at the fields.
func (f factorForm) check() (problems web.Problems) {
	switch {
	case f.Method == entry.SecurityKey && f.Response == "":
		problems.Add("", "identity.challenge.problem.answer_missing")
	case f.Method == entry.SecurityKey:
	case code.Normal(f.Code) == "":
		problems.Add(reach.CodeField, "identity.challenge.problem.code_missing")
	case len(f.Code) > maxCode:
		problems.Add(reach.CodeField, "identity.challenge.problem.code_long")
	}
	return problems
}

// factorView is the page on which one factor is proved.
type factorView struct {
	Actor    entry.Actor
	Back     string
	Service  string // where the sign-in leads; empty for the portal
	Why      string // a sentence, "" when it goes without saying
	Way      way
	Others   []way
	Waiting  []way
	Sent     reach.Sent
	Ceremony factor.Ceremony
	TrustFor time.Duration // zero offers nothing
	Trust    bool
	Problems web.Problems
	Refused  *web.Failure
}

// days is for how many days a browser can be trusted.
func (v factorView) days() int { return int(v.TrustFor / (24 * time.Hour)) }

// codeForm is what package reach draws for a code.
func (v factorView) codeForm() reach.CodeProps {
	p := reach.CodeProps{Action: FactorURL + "/" + string(v.Way.Method), Hidden: hidden(v), More: trustBox(v), Sent: v.Sent}
	switch v.Way.Method {
	case entry.SMS, entry.Mail:
		p.Resend, p.Lasts = sendURL, factor.CodeLasts
	case entry.Relayed:
		p.Letters, p.Digits = true, factor.RelayedLetters
	}
	return p
}

func (x *Challenge) page(w http.ResponseWriter, r *http.Request) error {
	a, back, err := x.actor(r)
	if err != nil {
		return err
	}
	if a.SigningIn() && !a.FactorAt.IsZero() { // back from the next page, or another tab was quicker
		return x.Door.Proceed(w, r, a, back)
	}
	q := r.URL.Query()
	return x.show(w, r, http.StatusOK, factorView{Actor: a, Back: back}, q.Get("way"), q.Get("factor"))
}

// show draws the page for a way; for the best one when none is named.
func (x *Challenge) show(w http.ResponseWriter, r *http.Request, status int, v factorView, method, id string) error {
	ctx, now := r.Context(), x.now()
	usable, waiting, err := x.ways(ctx, v.Actor, now)
	if err != nil {
		return err
	}
	chosen, ok := choose(usable, method, id)
	if !ok && method != "" {
		return factor.Missing
	}
	name, service, err := x.allowAnswer(w, r, v.Actor, v.Back)
	if err != nil {
		return err
	}
	v.Service, v.Waiting = name, waiting
	if v.Why, err = x.why(r, v.Actor, name, service); err != nil {
		return err
	}
	if !ok || chosen.Method == entry.Relayed && method == "" {
		return x.showLost(w, r, status, v, usable) // nothing that they have works: say what is left
	}
	v.Way = chosen
	v.Others = slices.DeleteFunc(usable, func(o way) bool { return o == chosen })
	if v.Actor.SigningIn() && !v.Actor.Shared {
		v.TrustFor = x.TrustFor()
	}
	switch chosen.Method {
	case entry.SMS, entry.Mail:
		if v.Sent, err = x.Factors.FactorSent(ctx, v.Actor, chosen.Factor); err != nil {
			return err
		}
	case entry.SecurityKey:
		if v.Ceremony, err = x.Factors.BeginKeyProof(ctx, v.Actor); err != nil {
			return err
		}
	}
	return web.Render(w, r, status, factorTempl(v))
}

// why says why a factor is asked for, unless its owner wanted it so.
func (x *Challenge) why(r *http.Request, a entry.Actor, name, service string) (string, error) {
	if !a.SigningIn() {
		return i18n.T(r.Context(), "identity.challenge.why_again"), nil
	}
	person, err := x.People.PersonByID(r.Context(), a.Person)
	if err != nil {
		return "", err
	}
	required, err := x.Factors.Required(r.Context(), person, web.ClientAddr(r), service)
	if err != nil || required.Why == "" {
		return "", err
	}
	return i18n.T(r.Context(), required.Why, "service", name), nil
}

// prove checks what was typed or what a key answered.
func (x *Challenge) prove(w http.ResponseWriter, r *http.Request) error {
	a, back, err := x.actor(r)
	if err != nil {
		return err
	}
	if a.SigningIn() && !a.FactorAt.IsZero() { // a second tab, or the form sent twice
		return x.Door.Proceed(w, r, a, back)
	}
	form, err := readFactorForm(r)
	if err != nil {
		return err
	}
	view := factorView{Actor: a, Back: back, Trust: form.Trust}
	if view.Problems = form.check(); view.Problems.Any() {
		return x.show(w, r, http.StatusUnprocessableEntity, view, string(form.Method), form.Factor)
	}
	f, err := x.try(r, a, form)
	if err == nil && f.Kind == a.Method {
		err = SameWay
	}
	if err != nil {
		return x.refuse(w, r, view, form, err)
	}
	return x.Door.Proved(w, r, a, proved(f, form.Trust && !a.Shared), back)
}

// try asks the factors.
func (x *Challenge) try(r *http.Request, a entry.Actor, form factorForm) (factor.Factor, error) {
	ctx, on := r.Context(), factor.At(r, a)
	switch form.Method {
	case entry.TOTP:
		return x.Factors.ProveApp(ctx, a, form.Code)
	case entry.SMS, entry.Mail:
		return x.Factors.ProveSent(ctx, a, form.Factor, form.Code)
	case entry.SecurityKey:
		return x.Factors.ProveKey(ctx, on, form.Ceremony, []byte(form.Response))
	case entry.Recovery:
		return x.Factors.ProveCode(ctx, on, form.Code)
	case entry.Relayed:
		return x.Factors.ProveRelayed(ctx, on, form.Code)
	default:
		return factor.Factor{}, factor.NotAllowed
	}
}

// refuse shows the page again with the reason, and writes it into the story of
// the sign-in.
func (x *Challenge) refuse(w http.ResponseWriter, r *http.Request, v factorView, form factorForm, err error) error {
	why := fault.Of(err)
	if why.Reason.Kind() == fault.Broken {
		return err
	}
	incident := x.Door.Stumbled(r, v.Actor, form.Method, err)
	web.Note(r, why)
	if wait, ok := why.Args["wait"].(time.Duration); ok {
		web.RetryAfter(w, wait)
	}
	failure := web.Explain(r.Context(), why)
	failure.Incident = incident
	v.Refused = &failure
	method, id := string(form.Method), form.Factor
	if errors.Is(err, factor.Missing) || errors.Is(err, SameWay) || errors.Is(err, factor.NotAllowed) || errors.Is(err, factor.KeyCloned) || errors.Is(err, factor.Suspended) || errors.Is(err, factor.PointGone) {
		method, id = "", "" // it works no more: show the best of what is left
	}
	return x.show(w, r, failure.Status, v, method, id)
}

// send sends a code to a phone or address.
func (x *Challenge) send(w http.ResponseWriter, r *http.Request) error {
	a, back, err := x.actor(r)
	if err != nil {
		return err
	}
	form, err := readFactorForm(r)
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	method := values.Get("way")
	if _, err = x.Factors.Send(r.Context(), a, form.Factor); err != nil {
		if errors.Is(err, reach.TooSoon) {
			sent, problem := x.Factors.FactorSent(r.Context(), a, form.Factor)
			if problem != nil {
				return problem
			}
			if !sent.At.IsZero() { // the first one is on its way: its page says so
				return web.SeeOther(w, r, here(FactorURL, a, back, "way", method, "factor", form.Factor))
			}
		}
		form.Method = entry.Method(method)
		return x.refuse(w, r, factorView{Actor: a, Back: back, Trust: form.Trust}, form, err)
	}
	return web.SeeOther(w, r, here(FactorURL, a, back, "way", method, "factor", form.Factor))
}
