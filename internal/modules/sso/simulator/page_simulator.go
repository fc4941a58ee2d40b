package simulator

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// The places that the form offers. An address or a country says more.
const (
	fromHere   = "here"   // the address of who asks
	fromAbroad = "abroad" // an address outside, in the country that is named
	fromGiven  = "given"  // the address that is named
)

// outside is an address of the documentation (RFC 5737) that is nobody's: it
// stands for any network outside.
const outside = "198.51.100.7"

// form is the case as it is typed.
type form struct {
	Person, Service, From, Address, Country, At, SignedIn string
	Known                                                 bool
}

// view is the page: the form, and below it what would happen.
type view struct {
	Form     form
	Problems web.Problems
	Asked    bool
	// Of is the imagined visit in one sentence.
	Of      string
	Verdict contract.Outcome
	Met     []step
}

// step is one condition with its number and its tag.
type step struct {
	contract.Condition
	Tag   string
	Tone  ui.Tone
	After bool // comes after what stops
}

// mostTyped bounds each field.
const mostTyped = 200

// local is how a moment is typed in a field of type datetime-local.
const local = "2006-01-02T15:04"

func readForm(values url.Values) form {
	text := func(name string) string {
		typed := strings.TrimSpace(values.Get(name))
		return strings.ToValidUTF8(typed[:min(len(typed), mostTyped)], "")
	}
	return form{
		Person: text("person"), Service: text("service"), From: text("from"), Address: text("address"), Country: strings.ToUpper(text("country")),
		At: text("at"), SignedIn: text("signed_in"), Known: values.Get("known") != "",
	}
}

// page shows the form, and the answer when a case is asked. Asking changes
// nothing, so it is a GET: the answer has an address to send to a colleague.
func (x *Simulator) page(w http.ResponseWriter, r *http.Request) error {
	values := r.URL.Query()
	v := view{Form: readForm(values), Asked: values.Has("person")}
	if v.Form.From == "" {
		v.Form.From = fromAbroad
	}
	if v.Form.At == "" {
		v.Form.At = x.Clock.Now().In(x.Zone).Add(24 * time.Hour).Format(local)
	}
	if !v.Asked {
		return web.Render(w, r, http.StatusOK, simulatorTempl(v))
	}
	c, problems, err := x.read(r, v.Form)
	if err != nil {
		return err
	}
	if problems.Any() {
		v.Problems = problems
		return web.Render(w, r, http.StatusUnprocessableEntity, simulatorTempl(v))
	}
	met, err := x.Conditions(r.Context(), c)
	if err != nil {
		return err
	}
	v.Verdict, v.Met = Verdict(met), steps(r.Context(), met)
	v.Of = i18n.T(r.Context(), "sso.simulator.of", "person", c.Viewer.DisplayName(), "service", c.Service.Name(i18n.Locale(r.Context())), "at", c.At)
	return web.Render(w, r, http.StatusOK, simulatorTempl(v))
}

var countryForm = regexp.MustCompile(`^[A-Z]{2}$`)

// read makes a case of what was typed.
func (x *Simulator) read(r *http.Request, f form) (c Case, problems web.Problems, err error) {
	ctx := r.Context()
	c.Viewer, err = x.Somebody(ctx, f.Person)
	switch {
	case err != nil && fault.Of(err).Reason.Kind() == fault.NotFound:
		problems.Add("person", "sso.simulator.problem.person")
	case err != nil:
		return c, nil, err
	}
	index, err := x.Registry(ctx)
	if err != nil {
		return c, nil, err
	}
	if c.Service = index.Get(f.Service); c.Service == nil {
		switch found := index.Search(f.Service); {
		case f.Service == "" || len(found) == 0:
			problems.Add("service", "sso.simulator.problem.service_none")
		case len(found) > 1:
			problems.Add("service", "sso.simulator.problem.service_several", "count", len(found))
		default:
			c.Service = found[0]
		}
	}
	c.Address, c.Country = web.ClientAddr(r), ""
	if f.From == fromAbroad {
		c.Address, c.Country = netip.MustParseAddr(outside), f.Country
		if f.Country != "" && !countryForm.MatchString(f.Country) {
			problems.Add("country", "sso.simulator.problem.country")
		}
	}
	if f.From == fromGiven {
		if c.Address, err = netip.ParseAddr(f.Address); err != nil {
			problems.Add("address", "sso.simulator.problem.address")
		}
	}
	if c.At, err = time.ParseInLocation(local, f.At, x.Zone); err != nil {
		problems.Add("at", "sso.simulator.problem.at")
	}
	hours := 0
	if f.SignedIn != "" {
		if hours, err = strconv.Atoi(f.SignedIn); err != nil || hours < 0 || hours > 24*365 {
			problems.Add("signed_in", "sso.simulator.problem.signed_in")
		}
	}
	c.KnownBrowser = f.Known
	c.Viewer.SignedInAt = c.At.Add(-time.Duration(hours) * time.Hour)
	return c, problems, nil
}

// steps gives each condition its words.
func steps(ctx context.Context, met []contract.Condition) []step {
	list := make([]step, len(met))
	stopped := false
	for i, c := range met {
		list[i] = step{Condition: c, Tag: i18n.T(ctx, "sso.simulator.outcome."+string(c.Outcome)), Tone: toneOf(c.Outcome), After: stopped}
		stopped = stopped || c.Outcome == contract.Stops
	}
	return list
}

func toneOf(o contract.Outcome) ui.Tone {
	switch o {
	case contract.Passes:
		return ui.Good
	case contract.Asks:
		return ui.Warn
	default:
		return ui.Bad
	}
}

// places are the choices of the form.
func places(ctx context.Context) []ui.Option {
	options := make([]ui.Option, 3)
	for i, from := range []string{fromAbroad, fromHere, fromGiven} {
		options[i] = ui.Option{Value: from, Label: i18n.T(ctx, "sso.simulator.from."+from)}
	}
	return options
}
