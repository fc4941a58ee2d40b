package activation

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// startForm is what somebody says of themselves, as they typed it.
type startForm struct {
	Who    string
	Number string
	Mobile string
	// Address is asked for in place of the mobile number, by who lost it.
	Address string
}

// longest bounds every field, in bytes; the longest mail address has 254.
const longest = 254

func readStartForm(r *http.Request) (startForm, error) {
	values, err := web.Form(r)
	if err != nil {
		return startForm{}, err
	}
	return startForm{Who: values.Get("who"), Number: values.Get("number"), Mobile: values.Get("mobile"), Address: values.Get("address")}, nil
}

// identifierForm is what every identifier is made of.
var identifierForm = regexp.MustCompile(`^[a-z0-9._-]+$`)

// check looks at the form of each field, and says what is wrong with it: that
// tells nothing about anybody. The claim is complete when there are no problems.
func (x *Activation) check(f startForm, channel reach.Channel) (claim, web.Problems) {
	c := claim{Who: strings.ToLower(strings.TrimSpace(f.Who)), Number: NormalNumber(f.Number), Channel: channel}
	var problems web.Problems
	switch {
	case c.Who == "":
		problems.Add("who", "identity.activation.problem.who_missing")
	case len(c.Who) > longest || !strings.Contains(c.Who, "@") && !identifierForm.MatchString(c.Who):
		problems.Add("who", "identity.activation.problem.who_form")
	case strings.Contains(c.Who, "@"):
		if _, err := x.Reach.Normal(reach.Mail, c.Who); err != nil {
			problems.Add("who", "identity.activation.problem.who_form")
		} else if !x.institutional(c.Who) {
			problems.Add("who", "identity.activation.problem.who_personal", "domain", x.MailDomains[0])
		}
	}
	switch {
	case c.Number == "":
		problems.Add("number", "identity.activation.problem.number_missing")
	case !x.form.MatchString(c.Number) && nationalForm(c.Number):
		problems.Add("number", "identity.activation.problem.number_national", "example", x.config.NumberExample)
	case len(c.Number) > longest || !x.form.MatchString(c.Number):
		problems.Add("number", "identity.activation.problem.number_form", "example", x.config.NumberExample)
	}
	if channel == reach.MobilePhone {
		c.Value = x.checkMobile(f.Mobile, &problems)
	} else {
		c.Value = x.checkAddress(f.Address, &problems)
	}
	return c, problems
}

func (x *Activation) checkMobile(typed string, problems *web.Problems) string {
	if strings.TrimSpace(typed) == "" {
		problems.Add("mobile", "identity.activation.problem.mobile_missing")
		return ""
	}
	number, err := x.Reach.Normal(reach.MobilePhone, typed)
	switch {
	case errors.Is(err, reach.Landline):
		problems.Add("mobile", "identity.activation.problem.mobile_landline")
	case err != nil:
		problems.Add("mobile", "identity.activation.problem.mobile_form")
	}
	return number
}

func (x *Activation) checkAddress(typed string, problems *web.Problems) string {
	if strings.TrimSpace(typed) == "" {
		problems.Add("address", "identity.activation.problem.address_missing")
		return ""
	}
	address, err := x.Reach.Normal(reach.RecoveryMail, typed)
	switch {
	case err != nil:
		problems.Add("address", "identity.activation.problem.address_form")
	case len(x.MailDomains) > 0 && x.institutional(address):
		problems.Add("address", "identity.activation.problem.address_institutional")
	}
	return address
}

// institutional reports whether an address may be one of the institution's.
func (x *Activation) institutional(address string) bool {
	_, domain, _ := strings.Cut(address, "@")
	return len(x.MailDomains) == 0 || slices.ContainsFunc(x.MailDomains, func(d string) bool { return strings.EqualFold(d, domain) })
}

// startView is what the first page shows.
type startView struct {
	Form     startForm
	Problems web.Problems
	Stopped  *web.Failure // why the last try did not go on
	NoMatch  bool         // and it was that the data do not go together
	Other    bool         // the recovery address is asked for, not the number
	Example  string       // of a student number
	Domain   string       // of an institutional address; may be empty
	Transfer string       // when registrations reach the register
	Desk     string
	Begun    bool // this browser can go on with an activation
}

func (x *Activation) startPage(w http.ResponseWriter, r *http.Request) error {
	return x.openStart(w, r, false)
}

func (x *Activation) otherPage(w http.ResponseWriter, r *http.Request) error {
	return x.openStart(w, r, true)
}

func (x *Activation) openStart(w http.ResponseWriter, r *http.Request, other bool) error {
	b, err := x.at(r)
	if err != nil && !errors.Is(err, Lost) && !errors.Is(err, Expired) {
		return err
	}
	return x.showStart(w, r, http.StatusOK, startView{Other: other, Begun: err == nil && b.FinishedAt.IsZero()})
}

func (x *Activation) showStart(w http.ResponseWriter, r *http.Request, status int, view startView) error {
	view.Example, view.Transfer, view.Desk = x.config.NumberExample, x.config.Transfer, x.desk(r.Context())
	if len(x.MailDomains) > 0 {
		view.Domain = x.MailDomains[0]
	}
	return web.Render(w, r, status, startTempl(view))
}

func (x *Activation) startWithMobile(w http.ResponseWriter, r *http.Request) error {
	return x.startWith(w, r, reach.MobilePhone)
}

func (x *Activation) startWithAddress(w http.ResponseWriter, r *http.Request) error {
	return x.startWith(w, r, reach.RecoveryMail)
}

func (x *Activation) startWith(w http.ResponseWriter, r *http.Request, channel reach.Channel) error {
	began := time.Now()
	form, err := readStartForm(r)
	if err != nil {
		return err
	}
	view := startView{Form: form, Other: channel == reach.RecoveryMail}
	c, problems := x.check(form, channel)
	if problems.Any() {
		view.Problems = problems
		return x.showStart(w, r, http.StatusUnprocessableEntity, view)
	}
	had, err := x.at(r)
	if err != nil && !errors.Is(err, Lost) && !errors.Is(err, Expired) {
		return err
	}
	token, sent, err := x.start(r.Context(), c, had, web.ClientAddr(r))
	if err != nil {
		f := fault.Of(err)
		if f.Reason != NoMatch && f.Reason != Slowed {
			return err
		}
		hold(r.Context(), began)
		view.NoMatch = f.Reason == NoMatch
		view.Stopped = stopped(w, r, f)
		return x.showStart(w, r, view.Stopped.Status, view)
	}
	if token != "" {
		x.keep(w, r, token)
	}
	if sent == nil {
		return web.SeeOther(w, r, "/activate/code")
	}
	if token != "" {
		if had, err = x.begunByToken(r.Context(), token); err != nil {
			return err
		}
	}
	return x.unsent(w, r, had, sent)
}

// stopped words why a form did not go on, for the place above the form, and puts
// it into the log line.
func stopped(w http.ResponseWriter, r *http.Request, f *fault.Fault) *web.Failure {
	if wait, ok := f.Args["wait"].(time.Duration); ok {
		web.RetryAfter(w, wait)
	}
	web.Note(r, f)
	failure := web.Explain(r.Context(), f)
	return &failure
}

func (x *Activation) deskPage(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, deskTempl(x.desk(r.Context())))
}

// action is where the form is posted.
func (v startView) action() string {
	if v.Other {
		return "/activate/other"
	}
	return "/activate"
}

func (v startView) whoHelp(ctx context.Context) string {
	if v.Domain == "" {
		return i18n.T(ctx, "identity.activation.start.who_help")
	}
	return i18n.T(ctx, "identity.activation.start.who_help_domain", "domain", v.Domain)
}
