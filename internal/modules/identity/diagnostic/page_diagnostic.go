package diagnostic

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// The test takes two hops, so that it works without scripts: the page sets a
// cookie and has a form; the form's answer leads on to the result. What was seen
// on the way travels in the address, signed, because a browser without cookies
// has no other place for it. Nothing is stored.

// probeCookie is the one that a browser should bring back.
const probeCookie = "amphi_probe"

// purposeSeen and purposeResult keep the two hops apart.
const (
	purposeSeen   = "identity.diagnostic.seen"
	purposeResult = "identity.diagnostic.result"
)

// lasts is how long a test may take, and how long its result can be attached.
const lasts = time.Hour

func (h *Help) testPage(w http.ResponseWriter, r *http.Request) error {
	web.SetCookie(w, r, probeCookie, id.Token(9), lasts)
	started := h.sign(purposeSeen, "start")
	return web.Render(w, r, http.StatusOK, testTempl(testView{Started: started, Skip: "/diagnostic/result?" + url.Values{"seen": {started}, "without": {"posts"}}.Encode(), Now: h.Clock.Now()}))
}

// testView is the page with the form.
type testView struct {
	Started string // signed
	Skip    string // where to go on when the form does nothing
	Now     time.Time
}

// test is the first hop. It keeps what only a posted form can show.
func (h *Help) test(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	if _, err := h.open(purposeSeen, form.Get("started")); err != nil {
		return web.SeeOther(w, r, "/diagnostic") // left open for hours: begin again
	}
	seen := h.measure(r, form)
	return web.SeeOther(w, r, "/diagnostic/result?"+url.Values{"seen": {h.sign(purposeSeen, seen)}}.Encode())
}

// measure reads what the form and its request show. What scripts say is read as
// one of few words, never kept as it came.
func (h *Help) measure(r *http.Request, form url.Values) string {
	q := url.Values{}
	if web.Cookie(r, probeCookie) != "" {
		q.Set("cookie", "1")
	}
	for _, name := range []string{"script", "fetch", "storage", "webauthn", "device"} {
		switch v := form.Get(name); v {
		case "yes", "no":
			q.Set(name, v)
		}
	}
	if ms, err := strconv.ParseInt(form.Get("clock"), 10, 64); err == nil {
		f := clockFinding(time.UnixMilli(ms), h.Clock.Now())
		q.Set("clock", f.Case)
		q.Set("off", strconv.Itoa(f.Number))
	}
	return q.Encode()
}

// echo answers the script that tries whether it may ask the server.
func (h *Help) echo(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// resultPage is the second hop.
func (h *Help) resultPage(w http.ResponseWriter, r *http.Request) error {
	if of := r.URL.Query().Get("of"); of != "" { // shown again after attaching failed, or from the history
		result, err := h.readResult(of)
		if err != nil {
			return err
		}
		return web.Render(w, r, http.StatusOK, resultTempl(resultView{Result: result, Of: of}))
	}
	text, err := h.open(purposeSeen, r.URL.Query().Get("seen"))
	if err != nil {
		return web.SeeOther(w, r, "/diagnostic")
	}
	result := h.judge(r, text)
	body, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, resultTempl(resultView{Result: result, Of: h.sign(purposeResult, string(body))}))
}

// resultView is what the test found.
type resultView struct {
	Result
	Of   string // the result, signed, for the form that attaches it
	Code string // incident code, once it is attached
}

// judge turns what was seen on both hops into findings.
func (h *Help) judge(r *http.Request, text string) Result {
	result := Result{At: h.Clock.Now().UTC()}
	add := func(c Check, v Verdict, which string) {
		result.Findings = append(result.Findings, Finding{c, v, which, 0})
	}
	here := web.Cookie(r, probeCookie) != ""
	seen, err := url.ParseQuery(text)
	posted := err == nil && text != "start"
	switch first := seen.Get("cookie") != ""; {
	case !posted && here, first && here:
		add(Cookies, Fine, "kept")
	case posted && here:
		add(Cookies, Doubt, "late") // only a link brought it
	case first:
		add(Cookies, Doubt, "lost") // gone after one hop
	default:
		add(Cookies, Wrong, "refused")
	}
	if !posted {
		add(Posts, Wrong, "blocked")
		add(Scripts, Unknown, "unknown")
	} else {
		add(Posts, Fine, "arrived")
		if seen.Get("script") == "yes" {
			add(Scripts, Fine, "on")
		} else {
			add(Scripts, Doubt, "off")
		}
	}
	yesNo := func(c Check, name string, no Verdict) {
		switch seen.Get(name) {
		case "yes":
			add(c, Fine, "yes")
		case "no":
			add(c, no, "no")
		default:
			add(c, Unknown, "unknown")
		}
	}
	yesNo(Requests, "fetch", Doubt)
	yesNo(Storage, "storage", Doubt)
	clock := Finding{Clock, Unknown, "unknown", 0}
	switch off, _ := strconv.Atoi(seen.Get("off")); seen.Get("clock") { // written by measure, so it is a number
	case "right":
		clock = Finding{Clock, Fine, "right", 0}
	case "ahead", "behind":
		clock = Finding{Clock, Wrong, seen.Get("clock"), off}
	}
	result.Findings = append(result.Findings, clock)
	switch {
	case seen.Get("webauthn") == "yes" && seen.Get("device") == "yes":
		add(Passkeys, Fine, "device")
	default:
		yesNo(Passkeys, "webauthn", Doubt)
	}
	if inApp(r.UserAgent()) {
		add(App, Wrong, "inside")
	} else {
		add(App, Fine, "browser")
	}
	result.Findings = append(result.Findings, sizeFinding(len(strings.Join(r.Header.Values("Cookie"), "; ")), len(r.Cookies())))
	return result
}

// attach keeps the result with the sign-in that failed in this browser.
func (h *Help) attach(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	of := form.Get("of")
	result, err := h.readResult(of)
	if err != nil {
		return err
	}
	body, err := json.Marshal(result)
	if err != nil {
		return err
	}
	code, err := h.Incidents.Attach(w, r, body)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, resultTempl(resultView{Result: result, Of: of, Code: code}))
}

func (h *Help) readResult(of string) (Result, error) {
	text, err := h.open(purposeResult, of)
	if err != nil {
		return Result{}, err
	}
	return Read(text)
}

// sign makes a text that a browser can carry, for [lasts].
func (h *Help) sign(purpose, text string) string {
	return h.Keys.Sign(purpose, strconv.FormatInt(h.Clock.Now().Add(lasts).Unix(), 10)+" "+text)
}

// open gives back what sign was given, or [TestOver].
func (h *Help) open(purpose, signed string) (string, error) {
	value, err := h.Keys.Verify(purpose, signed)
	if err != nil {
		return "", TestOver.From(err)
	}
	until, text, _ := strings.Cut(value, " ")
	ends, err := strconv.ParseInt(until, 10, 64)
	if err != nil || h.Clock.Now().Unix() > ends {
		return "", TestOver.Because(err, fault.Args{})
	}
	return text, nil
}
