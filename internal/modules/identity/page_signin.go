package identity

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/password"
	"github.com/amphi-campus/amphi/internal/modules/identity/throttle"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/modules/identity/waiting"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// signInForm is what the front door asks.
type signInForm struct {
	Username string
	Password string
	Shared   bool
	Next     string // local address to go on to
	Renew    bool   // asked again although a session is open
	Reminded bool   // the browser was told that its cookie was missing
	Local    bool   // only passwords of ours: for when nothing upstream answers
}

// maxUsername bounds the identifier field, in bytes; the longest mail address
// has 254.
const maxUsername = 254

func readSignInForm(r *http.Request) (signInForm, error) {
	values, err := web.Form(r)
	if err != nil {
		return signInForm{}, err
	}
	return signInForm{
		Username: values.Get("username"), Password: values.Get("password"),
		Shared: values.Get("shared") != "", Renew: values.Get("renew") != "", Reminded: values.Get("reminded") != "", Local: values.Get("local") != "", Next: web.Local(values.Get("next")),
	}, nil
}

func (f signInForm) check() (problems web.Problems) {
	switch {
	case normalLogin(f.Username) == "":
		problems.Add("username", "identity.problem.username_missing")
	case len(f.Username) > maxUsername:
		problems.Add("username", "identity.problem.username_long", "limit", maxUsername)
	}
	switch {
	case f.Password == "":
		problems.Add("password", "identity.problem.password_missing")
	case len(f.Password) > password.MaxLength:
		problems.Add("password", "identity.problem.password_long", "limit", password.MaxLength)
	}
	return problems
}

// signInView is what the sign-in page shows.
type signInView struct {
	Form     signInForm
	Shape    string       // what the identifier looks like, when that may be the mistake
	Banners  []ui.Banner  // about the service
	Service  string       // where the sign-in leads, when it is not the portal
	Stopped  *web.Failure // why the last attempt stopped
	Because  *web.Failure // why a session is over
	Problems web.Problems
	Passkey  bool // a passkey may open the door alone
	Scene    Scene
	Choices  []upstream.Choice // who else may vouch for people
	Lost     *web.Failure      // why a journey to one of them may not have come back
}

// username is what the browser may offer for the identifier: with "webauthn" also
// the passkeys that it keeps (WebAuthn §5.11).
func (v signInView) username() string {
	if v.Passkey {
		return "username webauthn"
	}
	return "username"
}

// lead says what signing in is for.
func (v signInView) lead(ctx context.Context) string {
	switch {
	case v.Form.Renew:
		return i18n.T(ctx, "identity.signin.renew")
	case v.Service != "":
		return i18n.T(ctx, "identity.signin.lead_service", "service", v.Service)
	default:
		return i18n.T(ctx, "identity.signin.lead")
	}
}

// hint says what may be wrong with the form of the identifier. It depends on
// what was typed alone, so it tells nothing about who exists.
func (v signInView) hint(ctx context.Context) string {
	switch v.Shape {
	case shapePersonal, shapeNumber, shapeOdd:
		return i18n.T(ctx, "identity.signin.hint."+v.Shape)
	default:
		return ""
	}
}

func (m *Module) signInPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	return m.openDoor(w, r, q.Get("next"), q.Get("renew") != "", q.Get("because"))
}

// ShowSignIn answers with the sign-in page at an address of another room: CAS
// sends people to /cas/login and expects the form there. next and renew are
// those of /login.
func (m *Module) ShowSignIn(w http.ResponseWriter, r *http.Request, next string, renew bool) error {
	return m.openDoor(w, r, next, renew, "")
}

func (m *Module) openDoor(w http.ResponseWriter, r *http.Request, next string, renew bool, why string) error {
	form := signInForm{Next: web.Local(next), Renew: renew}
	v := web.Viewer(r)
	if v.SignedIn() && !form.Renew {
		return web.SeeOther(w, r, form.Next)
	}
	if v.SignedIn() {
		form.Username = v.Login
	}
	form.Local = r.URL.Query().Get("local") != ""
	view := signInView{Form: form}
	var err error
	if view.Lost, err = m.upstreams.NotBack(w, r); err != nil {
		return err
	}
	because := fault.Of(web.Denied(r)).Reason
	if named := becauseReasons[why]; named != nil {
		because = named
	}
	if becauseReasons[because.Code()] != nil {
		f := web.Explain(r.Context(), &fault.Fault{Reason: because})
		view.Because = &f
	}
	if id, ok := m.upstreams.AtOnce(); ok && !form.Local && view.Because == nil && view.Lost == nil {
		return web.SeeOther(w, r, upstream.StartURL(id, form.Next, "", false, renew))
	}
	return m.showSignIn(w, r, http.StatusOK, view)
}

// showSignIn draws the page and lets its form end where the sign-in leads.
func (m *Module) showSignIn(w http.ResponseWriter, r *http.Request, status int, view signInView) error {
	view.Form.Password = "" // never sent back
	meet(w, r)
	view.Scene = m.scene
	if !view.Form.Local {
		view.Choices = m.upstreams.Choices(r, view.Form.Next, view.Form.Renew)
	}
	view.Passkey = slices.Contains(m.factors.Methods(), entry.Passkey)
	if m.doors != nil {
		if d, ok := m.doors.Destination(r.Context(), view.Form.Next); ok {
			view.Service = d.Name
			view.Banners = m.bannersOf(r, d.Service)
			web.AllowFormTo(w, d.Origins...)
		}
	}
	return web.Render(w, r, status, signInTempl(view))
}

// bannersOf are what rooms announce about a service: whoever goes there reads it
// before they sign in.
func (m *Module) bannersOf(r *http.Request, service string) (list []ui.Banner) {
	if m.announcers == nil {
		return nil
	}
	for _, room := range m.announcers() {
		for _, b := range room.BannersOf(r.Context(), web.Viewer(r), service) {
			list = append(list, ui.Banner{ID: b.ID, Tone: ui.Tone(b.Tone), Title: b.Title, Detail: b.Detail, URL: b.URL, Stays: true})
		}
	}
	return list
}

func (m *Module) signIn(w http.ResponseWriter, r *http.Request) error {
	form, err := readSignInForm(r)
	if err != nil {
		return err
	}
	if home, ok := m.upstreams.HomeOf(form.Username); ok && !form.Local { // its password is not for us to see
		return m.upstreams.Lead(w, r, home, form.Next, normalLogin(form.Username), form.Shared, form.Renew)
	}
	if problems := form.check(); problems.Any() {
		return m.showSignIn(w, r, http.StatusUnprocessableEntity, signInView{Form: form, Problems: problems})
	}
	if err := cookieKept(r, &form); err != nil {
		return m.stopSignIn(w, r, &trial{form: form}, err)
	}
	if err := m.turnedAway(web.ClientAddr(r)); err != nil {
		return m.refuse(w, r, form, fault.Of(err))
	}
	t, err := m.begin(r.Context(), form, web.ClientAddr(r), r)
	if err != nil && t == nil {
		return err
	}
	if err != nil {
		return m.stopSignIn(w, r, t, err)
	}
	patience := time.NewTimer(m.config.Queue.Patience)
	defer patience.Stop()
	select {
	case <-t.ticket.Done():
		return m.finishTrial(w, r, t)
	case <-r.Context().Done():
		t.deserted.Store(true)
		return r.Context().Err()
	case <-patience.C:
		web.SetCookie(w, r, waiting.Cookie, m.waiting.Sit(t), waiting.Keep)
		return web.SeeOther(w, r, "/login/waiting")
	}
}

// cookieKept says whether the browser brought back the cookie that the page gave
// it. Only browsers say where a form comes from, so only they are held to it: a
// program that posts without having seen the page has no cookie to lose.
func cookieKept(r *http.Request, form *signInForm) error {
	switch {
	case browserOf(r) != "" || r.Header.Get("Sec-Fetch-Site") != "same-origin":
		return nil
	case form.Reminded:
		return CookiesRefused
	}
	form.Reminded = true
	return CookieLost
}

// finishTrial goes on from a password that was checked.
func (m *Module) finishTrial(w http.ResponseWriter, r *http.Request, t *trial) error {
	if err := m.askDirectories(r.Context(), t); err != nil {
		return err
	}
	if err := m.verdict(t); err != nil {
		return m.stopSignIn(w, r, t, err)
	}
	a, err := m.tellPassed(w, r, t)
	if err != nil {
		return err
	}
	if t.elsewhere != nil {
		for _, remark := range t.elsewhere.Remarks {
			remark.Leave(w, r)
		}
	}
	return m.goOn(w, r, a)
}

// stopSignIn shows the form again with the reason, when the reason is one that a
// person can do something about there.
func (m *Module) stopSignIn(w http.ResponseWriter, r *http.Request, t *trial, err error) error {
	f := fault.Of(err)
	switch f.Reason {
	case WrongCredentials, OldPassword, SignInSlowed, NetworkSlowed, QueueFull, CookieLost, CookiesRefused:
	default:
		if !t.from(f) {
			return err
		}
	}
	incident, err := m.tellStopped(w, r, t, f)
	if err != nil {
		return err
	}
	wait, later := f.Args["wait"].(time.Duration)
	if later && incident == "" {
		return m.refuse(w, r, t.form, f)
	}
	if later {
		web.RetryAfter(w, wait)
	}
	failure := web.Explain(r.Context(), f)
	failure.Incident = incident
	if t.from(f) && t.elsewhere.ChangeURL != "" {
		failure.Action, failure.ActionURL = i18n.T(r.Context(), "identity.upstream.change.do"), t.elsewhere.ChangeTo(t.form.Next)
	}
	web.Note(r, f)
	view := signInView{Form: t.form, Stopped: &failure}
	if f.Reason == WrongCredentials {
		view.Shape = m.shapeOf(t.form.Username)
	}
	return m.showSignIn(w, r, failure.Status, view)
}

// turnedAway says why an attempt is refused without a look at any account: too many
// failed in its network, which was told so, and recorded, as often as anybody will
// read. Most of a large attack ends here, and costs a form and a short page.
func (m *Module) turnedAway(from netip.Addr) error {
	if m.refusals.Wait(limit.AddressKey(from)) == 0 {
		return nil
	}
	return m.throttle.Crowded(throttle.GuessOf("", "", "", from))
}

// refuse tells somebody to come back later, on a page that costs little, when their
// network has been told again and again. It is counted with the requests and stands
// in the log. What they typed goes with them, as ever: some of them are people.
func (m *Module) refuse(w http.ResponseWriter, r *http.Request, form signInForm, f *fault.Fault) error {
	if wait, ok := f.Args["wait"].(time.Duration); ok {
		web.RetryAfter(w, wait)
	}
	form.Password = "" // never sent back
	if m.doors != nil {
		if d, ok := m.doors.Destination(r.Context(), form.Next); ok {
			web.AllowFormTo(w, d.Origins...)
		}
	}
	web.Note(r, f)
	failure := web.Explain(r.Context(), f)
	return web.RenderBrief(w, r, failure.Status, refusedTempl(form, failure))
}

// doorURL is the front door with all that it offers, on the way to where the form
// leads.
func (f signInForm) doorURL() string {
	q := url.Values{"next": {f.Next}}
	if f.Renew {
		q.Set("renew", "1")
	}
	if f.Local {
		q.Set("local", "1")
	}
	return "/login?" + q.Encode()
}

// refreshEvery is how often the waiting page asks again; waitOnPage is how long
// each such request waits for the turn to come.
const (
	refreshEvery = 2 * time.Second
	waitOnPage   = 1500 * time.Millisecond
)

func (m *Module) waitingPage(w http.ResponseWriter, r *http.Request) error {
	key := web.Cookie(r, waiting.Cookie)
	t := m.waiting.At(key)
	if t == nil {
		if web.Viewer(r).SignedIn() { // another tab was quicker
			return web.SeeOther(w, r, "/")
		}
		return web.SeeOther(w, r, "/login?"+url.Values{"because": {WaitingLost.Code()}}.Encode())
	}
	turn := time.NewTimer(waitOnPage)
	defer turn.Stop()
	select {
	case <-t.ticket.Done():
		if !m.waiting.Leave(key) {
			return WaitingLost
		}
		web.SetCookie(w, r, waiting.Cookie, "", -1)
		return m.finishTrial(w, r, t)
	case <-r.Context().Done():
		return r.Context().Err()
	case <-turn.C:
	}
	place, wait := t.ticket.Place()
	w.Header().Set("Refresh", web.Seconds(refreshEvery)+"; url=/login/waiting")
	return web.Render(w, r, http.StatusOK, waitingTempl(ui.WaitingProps{Ahead: place, Wait: wait, URL: "/login/waiting"}))
}
