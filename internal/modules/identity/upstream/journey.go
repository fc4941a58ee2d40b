package upstream

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

const (
	// journeyLasts is how long somebody may stay at the upstream. Later answers
	// begin anew: the person sees the upstream's page for a moment, at most.
	journeyLasts = 20 * time.Minute
	// rounds in roundTime of the same journey are a loop: nobody signs in three
	// times a minute on purpose.
	rounds    = 3
	roundTime = time.Minute
	// maxHint bounds the identifier that is passed on to the upstream, in bytes;
	// the longest mail address has 254.
	maxHint = 254
)

// asked is what the address of a start says.
func asked(r *http.Request, values url.Values) Transaction {
	hint := values.Get("hint")
	if len(hint) > maxHint {
		hint = ""
	}
	clean := values.Get("clean") != ""
	return Transaction{
		Next: web.Local(values.Get("next")), Shared: values.Get("shared") != "", LoginHint: hint,
		Force: clean || values.Get("force") != "", Clean: clean, Choose: values.Get("choose") != "", Provider: values.Get(ProviderParam),
	}
}

// StartURL is the local address that sends a browser to an upstream. force asks
// it to ask again though it may have a session.
func StartURL(id, next, hint string, shared, force bool) string {
	q := url.Values{}
	for name, value := range map[string]string{"next": next, "hint": hint} {
		if value != "" && value != "/" {
			q.Set(name, value)
		}
	}
	if shared {
		q.Set("shared", "1")
	}
	if force {
		q.Set("force", "1")
	}
	if len(q) == 0 {
		return startURL(id)
	}
	return startURL(id) + "?" + q.Encode()
}

// start sends a browser to an upstream.
func (x *Upstreams) start(w http.ResponseWriter, r *http.Request) error {
	u, err := x.journeyTo(r.PathValue("id"))
	if err != nil {
		return err
	}
	t := asked(r, r.URL.Query())
	if web.Viewer(r).SignedIn() && !t.Force {
		return web.SeeOther(w, r, t.Next)
	}
	looping, err := x.looping(r, u, t)
	if err != nil {
		return err
	}
	if looping {
		return x.stop(w, r, u, journey{Transaction: t}, &Failure{Reason: Loop, Args: fault.Args{"times": rounds}})
	}
	return x.leave(w, r, u, journey{Transaction: t, Purpose: toSignIn})
}

// startAfresh is the one button of somebody who goes round in circles, or who
// came with an account that is not theirs: nothing of before counts, and the
// upstream asks who they are.
func (x *Upstreams) startAfresh(w http.ResponseWriter, r *http.Request) error {
	u, err := x.journeyTo(r.PathValue("id"))
	if err != nil {
		return err
	}
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	if browser := travellerOf(r); browser != "" {
		err := x.DB.InTx(r.Context(), func(tx db.Tx) error { return sqlgen.New(tx).ForgetRounds(r.Context(), browser) })
		if err != nil {
			return err
		}
	}
	t := asked(r, form)
	t.Force, t.Clean, t.Choose = true, form.Get("force") == "", form.Get("choose") != ""
	// A form may not lead to another site, and where the upstream sends people on is
	// not ours to know: a page of our own parts the two.
	return x.leadTo(w, r, u, startURL(u.ID)+"?"+afresh(t).Encode())
}

// afresh is the form, and then the address, that begins a journey anew. One that
// somebody waits for a proof of stays one.
func afresh(t Transaction) url.Values {
	q := url.Values{"clean": {"1"}, "next": {t.Next}}
	if t.Force && !t.Clean {
		q = url.Values{"force": {"1"}, "next": {t.Next}}
	}
	if t.Choose {
		q.Set("choose", "1")
	}
	if t.Shared {
		q.Set("shared", "1")
	}
	if t.LoginHint != "" {
		q.Set("hint", t.LoginHint)
	}
	return q
}

// Lead answers a form of ours with a page that goes on to an upstream by itself.
func (x *Upstreams) Lead(w http.ResponseWriter, r *http.Request, id, next, hint string, shared, force bool) error {
	u, err := x.journeyTo(id)
	if err != nil {
		return err
	}
	return x.leadTo(w, r, u, StartURL(id, next, hint, shared, force))
}

func (x *Upstreams) leadTo(w http.ResponseWriter, r *http.Request, u *upstream, to string) error {
	w.Header().Set("Refresh", "0; url="+to)
	return web.Render(w, r, http.StatusOK, leadTempl(leadView{Name: u.called(r.Context()), URL: to}))
}

// looping reports whether the same journey ended twice within the last minute.
func (x *Upstreams) looping(r *http.Request, u *upstream, t Transaction) (bool, error) {
	if t.Force {
		return false, nil
	}
	n, err := x.rounds(r, u, t.Next, 1)
	return n >= rounds-1, err
}

// lost reports whether an upstream sends the browser back, again and again, without
// what the journey is known by.
func (x *Upstreams) lost(r *http.Request, u *upstream) (bool, error) {
	n, err := x.rounds(r, u, "/", 0)
	return n >= rounds, err
}

// rounds counts the journeys of a browser within the last minute: those with an
// answer, or with claimedFrom 0 all of them.
func (x *Upstreams) rounds(r *http.Request, u *upstream, next string, claimedFrom db.Time) (int64, error) {
	browser := travellerOf(r)
	if browser == "" {
		return 0, nil
	}
	return sqlgen.New(x.DB.Read()).CountRounds(r.Context(), sqlgen.CountRoundsParams{
		BrowserHash: browser, Upstream: u.ID, Next: next, StartedAt: x.DB.Now().Add(-roundTime), ClaimedFrom: claimedFrom,
	})
}

// leave begins a journey and sends the browser off.
func (x *Upstreams) leave(w http.ResponseWriter, r *http.Request, u *upstream, j journey) error {
	j.ID, j.Upstream, j.Token, j.StartedAt, j.AnswerURL = id.New(), u.ID, id.Token(tokenBytes), x.Clock.Now(), x.Base.String()+answerURL(u.ID)
	j.Browser, j.Secrets = traveller(w, r), map[string]string{}
	to, err := u.protocol.Start(r.Context(), &j.Transaction)
	if err != nil {
		return x.stop(w, r, u, j, err)
	}
	if !to.Aside {
		if wait, ok := x.underWay.Allow(limit.AddressKey(web.ClientAddr(r))); !ok {
			web.RetryAfter(w, wait)
			return web.TooManyRequests.With(fault.Args{"wait": wait})
		}
		if j.Clean {
			j.Secrets[keptClean] = "1"
		}
		if err := x.keep(r.Context(), j); err != nil {
			return err
		}
	}
	return x.send(w, r, u, to)
}

// send makes a browser go to an upstream, with a form where there is one.
func (x *Upstreams) send(w http.ResponseWriter, r *http.Request, u *upstream, to Departure) error {
	if to.Form == nil {
		w.Header().Set("Location", to.URL)
		w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	web.AllowFormTo(w, web.OriginOf(to.URL))
	return web.Render(w, r, http.StatusOK, postTempl(postView{Name: u.called(r.Context()), URL: to.URL, Fields: to.Form}))
}

// answer takes what an upstream sends back with a browser.
func (x *Upstreams) answer(w http.ResponseWriter, r *http.Request) error {
	u, err := x.journeyTo(r.PathValue("id"))
	if err != nil {
		return err
	}
	back := Return{Method: r.Method, Values: r.URL.Query(), RawQuery: r.URL.RawQuery}
	if r.Method == http.MethodPost {
		if back.Values, err = web.Form(r); err != nil {
			return err
		}
	}
	j, found, err := x.byToken(r.Context(), u.protocol.Token(back))
	if err != nil {
		return err
	}
	if !found || j.Upstream != u.ID {
		lost, err := x.lost(r, u)
		if err != nil {
			return err
		}
		if lost && !web.Viewer(r).SignedIn() {
			return x.stop(w, r, u, journey{Transaction: Transaction{Next: "/"}}, &Failure{
				Reason: Loop, Args: fault.Args{"times": rounds}, Expected: "an answer with the state of its question", Received: "one without",
			})
		}
		return x.begin(w, r, u, Transaction{Next: "/"})
	}
	first, err := x.claim(r.Context(), j)
	if err != nil {
		return err
	}
	if !first || x.Clock.Now().Sub(j.StartedAt) > journeyLasts { // the back button, a restored tab, a long lunch
		return x.begin(w, r, u, j.Transaction)
	}
	browser := travellerOf(r)
	if browser == "" && r.Method == http.MethodGet {
		return x.stop(w, r, u, j, &Failure{Reason: CookieLost, Expected: "the cookie " + journeyCookie, Received: "none"})
	}
	if browser != "" && browser != j.Browser {
		return x.stop(w, r, u, j, &Failure{Reason: OtherBrowser})
	}
	a, err := u.protocol.Receive(r.Context(), back, j.Transaction)
	if err != nil {
		return x.refused(w, r, u, j, err)
	}
	if err := u.fresh(a, j.Transaction); err != nil {
		return x.stop(w, r, u, j, err)
	}
	if browser == "" { // a post from another site brings no cookie (RFC 6265bis §5.2): ask for it
		ticket, err := x.wait(r.Context(), j, a)
		if err != nil {
			return err
		}
		return web.SeeOther(w, r, resumeURL(u.ID)+"?"+url.Values{"ticket": {ticket}}.Encode())
	}
	return x.accept(w, r, u, j, a)
}

// begin answers a browser whose journey is over or unknown, which is no failure:
// somebody went back, or restored a tab. It goes where it wanted to go.
func (x *Upstreams) begin(w http.ResponseWriter, r *http.Request, u *upstream, t Transaction) error {
	if web.Viewer(r).SignedIn() {
		return web.SeeOther(w, r, web.Local(t.Next))
	}
	return web.SeeOther(w, r, StartURL(u.ID, t.Next, t.LoginHint, t.Shared, t.Force && t.Secrets[keptClean] == ""))
}

// resume goes on with a browser that now brings its cookie.
func (x *Upstreams) resume(w http.ResponseWriter, r *http.Request) error {
	u, err := x.journeyTo(r.PathValue("id"))
	if err != nil {
		return err
	}
	j, found, err := x.byResume(r.Context(), r.URL.Query().Get("ticket"))
	if err != nil {
		return err
	}
	if !found || j.Upstream != u.ID || x.Clock.Now().Sub(j.StartedAt) > journeyLasts {
		return x.begin(w, r, u, Transaction{Next: "/"})
	}
	switch browser := travellerOf(r); {
	case browser == "":
		return x.stop(w, r, u, j, &Failure{Reason: CookieLost, Expected: "the cookie " + journeyCookie, Received: "none"})
	case browser != j.Browser:
		return x.stop(w, r, u, j, &Failure{Reason: OtherBrowser})
	}
	var a Answer
	if err := x.open(j.Answer, &a); err != nil {
		return err
	}
	return x.accept(w, r, u, j, a)
}

// undatedAge is how old a sign-in is taken to be of which the upstream does not say
// when it was made: older than any service that asks will take. It may be the
// session of a browser that somebody left open for as long.
const undatedAge = 24 * time.Hour

// fresh says whether the person proved who they are when they were asked to; nil
// when they did, or nobody asked. An upstream that was asked to ask and does not
// say when it did may have asked nobody (Core §3.1.2.1, max_age: auth_time is then
// required).
func (u *upstream) fresh(a Answer, t Transaction) error {
	if !t.Force {
		return nil
	}
	earliest := t.StartedAt.Add(-u.SkewOr2m())
	switch {
	case a.AuthnInstant.IsZero() && t.Secrets[keptClean] != "":
		return nil // an old sign-in, see since
	case a.AuthnInstant.IsZero():
		instant := map[string]string{KindOIDC: "auth_time in the ID token, because max_age was sent (OpenID Connect Core 1.0 §2)", KindSAML: "AuthnInstant (saml-core, 2.7.2)"}
		return &Failure{Reason: Undated, Expected: instant[u.Kind], Received: "none", Ahead: a.Ahead, Timed: a.Timed}
	case a.AuthnInstant.Before(earliest):
		return &Failure{Reason: Stale, Expected: "a sign-in after " + stamp(earliest), Received: stamp(a.AuthnInstant), Ahead: a.Ahead, Timed: a.Timed}
	}
	return nil
}

// since is when the answer of a journey was proved: zero for now, because fresh
// looked at it.
func (x *Upstreams) since(a Answer, t Transaction) time.Time {
	switch {
	case a.AuthnInstant.IsZero():
		return x.Clock.Now().Add(-undatedAge)
	case t.Force:
		return time.Time{}
	}
	return a.AuthnInstant
}

// stamp is an instant for the technical contact.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// refused goes on from an answer that is none: once more without asking for a way
// of proof, when the upstream has none of those.
func (x *Upstreams) refused(w http.ResponseWriter, r *http.Request, u *upstream, j journey, err error) error {
	var f *Failure
	if errors.As(err, &f) && f.Plain && !j.Plain && len(u.Factor.Request) > 0 {
		again := journey{Transaction: Transaction{
			Next: j.Next, Shared: j.Shared, Force: j.Force, Clean: j.Secrets[keptClean] != "", Choose: j.Choose, LoginHint: j.LoginHint, Plain: true, Provider: j.Secrets[KeptProvider],
		}, Purpose: j.Purpose, Person: j.Person}
		x.note(r.Context(), u, f, Answer{}, "")
		return x.leave(w, r, u, again)
	}
	return x.stop(w, r, u, j, err)
}

// accept lets in whom the upstream vouches for.
func (x *Upstreams) accept(w http.ResponseWriter, r *http.Request, u *upstream, j journey, a Answer) error {
	first, err := x.finish(r.Context(), j, a)
	if err != nil {
		return err
	}
	if !first {
		return x.begin(w, r, u, j.Transaction)
	}
	x.underWay.GiveBack(limit.AddressKey(web.ClientAddr(r)))
	if j.Purpose == toTest {
		return x.showTest(w, r, u, j, a)
	}
	p, err := x.identify(r.Context(), u, a)
	if err != nil {
		return x.stopAs(w, r, u, j, a, err)
	}
	x.note(r.Context(), u, nil, a, "")
	if !j.Shared {
		x.remember(w, r, u)
	}
	for _, remark := range a.Remarks {
		remark.Leave(w, r)
	}
	proof := u.proof(entry.Upstream, a)
	proof.Since, proof.Journey = x.since(a, j.Transaction), j.ID
	return x.Door.Enter(w, r, p.ID, proof, entry.Arrival{Next: j.Next, Shared: j.Shared})
}

// proof is what the answer counts for: a second factor as well, when it says one
// of the ways that the policy accepts.
func (u *upstream) proof(m entry.Method, a Answer) entry.Proof {
	p := entry.Proof{Method: m, Upstream: u.ID, AMR: a.Methods}
	for _, said := range slices.Concat(a.Methods, a.Contexts) {
		if slices.Contains(u.Factor.Accept, said) {
			p.Second = entry.Elsewhere
		}
	}
	return p
}
