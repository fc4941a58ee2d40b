package asking

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mileusna/useragent"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// unrelated is the incident code of an address that says that the last sign-in has
// nothing to do with it.
const unrelated = "none"

// lately is how long ago a sign-in failed that a browser is asked about unbidden.
const lately = time.Hour

// situation is all that the house knows about what somebody asks.
type situation struct {
	about
	SignIn      contract.SignIn // zero when there is none
	Mine        bool            // of this browser
	Failure     *web.Failure    // what its reason said
	ServiceName string
	Account     *contract.ServiceAccount
	Vouchers    []string
	Outages     []diagnosis.Suggestion
	Articles    []diagnosis.Suggestion
}

// situation gathers what is known for a request. Nothing of it is about anybody but
// the person who asks, and nothing tells a stranger whether an account exists.
func (a *Asking) situation(r *http.Request, b about) (situation, error) {
	ctx, v := r.Context(), web.Viewer(r)
	s := situation{about: b, Vouchers: a.SignIns.Vouchers(ctx)}
	if reasonOf(b.Reason) == nil { // an address that somebody made up
		s.Reason, s.Request = "", ""
	}
	if b.Code != unrelated {
		if err := a.signIn(r, &s); err != nil {
			return s, err
		}
	}
	if s.Service != "" {
		if s.ServiceName, _ = a.Services.ServiceCalled(ctx, s.Service); s.ServiceName == "" {
			s.Service = "" // an address that somebody made up
		}
	}
	if s.Service != "" && v.SignedIn() {
		account, ok, err := a.Accounts.AccountIn(ctx, v.Person, s.Service)
		if err != nil {
			return s, err
		}
		if ok {
			s.Account = &account
		}
	}
	return s, nil
}

// signIn finds the sign-in that it is about: the one of the address, or the newest
// one of this browser that failed.
func (a *Asking) signIn(r *http.Request, s *situation) error {
	found, ok, err := a.SignIns.SignInHere(r, s.Code)
	if err != nil {
		return err
	}
	s.Mine = ok
	switch {
	case !ok && s.Code != "":
		if found, ok, err = a.SignIns.SignInElsewhere(r.Context(), s.Code); err != nil {
			return err
		}
	case ok && s.Code == "" && (found.In || found.Reason == "" || web.Viewer(r).SignedIn() || a.Clock.Now().Sub(found.At) > lately):
		ok = false // it went well in the end, or was somebody else's
	}
	if !ok {
		s.Mine = false
		return nil
	}
	s.SignIn = found
	s.Failure = worded(r.Context(), found.Reason, found.Facts)
	return nil
}

// unsaid is what a template writes for a fact that it was not given: those about
// somebody are not kept with a sign-in.
const unsaid = "<no value>"

// worded is what a page said about a reason; nil for none.
func worded(ctx context.Context, code string, facts map[string]string) *web.Failure {
	reason := reasonOf(code)
	if reason == nil {
		return nil
	}
	args := fault.Args{}
	for name, value := range facts {
		args[name] = value
	}
	said := web.Explain(ctx, &fault.Fault{Reason: reason, Args: args})
	for _, text := range []*string{&said.Title, &said.Message, &said.Next} {
		*text = strings.ReplaceAll(*text, unsaid, "…")
	}
	return &said
}

// suggestions asks those who may know an answer. One that fails is no reason not to
// ask: it is logged, and the others count.
func (a *Asking) suggest(ctx context.Context, s *situation, w diagnosis.Wanted) {
	w.Reason, w.Service = s.stoppedBy(), s.Service
	for _, from := range a.Suggesters {
		found, err := from.Suggest(ctx, w)
		if err != nil {
			a.Log.WarnContext(ctx, "suggest an answer", "error", err)
			continue
		}
		for _, f := range found {
			if f.Outage {
				s.Outages = append(s.Outages, f)
			} else {
				s.Articles = append(s.Articles, f)
			}
		}
	}
	if w.Words != "" {
		for _, h := range a.Help.HelpAbout(ctx, w.Words) {
			s.Articles = append(s.Articles, diagnosis.Suggestion{Title: h.Title, Detail: h.Detail, URL: h.URL})
		}
	}
}

// known is what the guide need not ask.
func (s situation) known() diagnosis.Known {
	k := diagnosis.Known{Reason: s.stoppedBy(), Vouchers: len(s.Vouchers) > 0, Service: s.Service, Outage: len(s.Outages) > 0}
	if s.Account != nil {
		k.Account = s.Account.State
	}
	return k
}

// stoppedBy is the code of what stopped the person: their sign-in, or a page.
func (s situation) stoppedBy() string { return cmp.Or(s.SignIn.Reason, s.Reason) }

// voucher names where people sign in instead.
func (s situation) voucher() string { return strings.Join(s.Vouchers, ", ") }

// offered are the services that somebody may ask about, by name.
func (a *Asking) offered(r *http.Request) ([]contract.Service, error) {
	var list []contract.Service
	for _, room := range a.Catalogue() {
		services, err := room.Services(r.Context(), web.Viewer(r))
		if err != nil {
			return nil, err
		}
		for _, s := range services {
			if id, ok := strings.CutPrefix(s.ID, "sso."); ok { // those of the register of services
				s.ID = id
				list = append(list, s)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b contract.Service) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return list, nil
}

// reasonOf returns the declared reason with a code, or nil.
func reasonOf(code string) *fault.Reason {
	all := fault.All()
	i := slices.IndexFunc(all, func(r *fault.Reason) bool { return r.Code() == code })
	if code == "" || i < 0 {
		return nil
	}
	return all[i]
}

// browserOf says in words what a User-Agent header stands for.
func browserOf(ctx context.Context, agent string) string {
	ua := useragent.Parse(agent)
	if ua.Name == "" {
		return i18n.T(ctx, "helpdesk.asking.browser_unknown")
	}
	words := strings.TrimSpace(ua.Name + " " + ua.Version)
	if ua.OS != "" {
		words += " · " + strings.TrimSpace(ua.OS+" "+ua.OSVersion)
	}
	if ua.Device != "" {
		words += " · " + ua.Device
	}
	return words
}
