package enrol

import (
	"net/http"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// addView is the choice of a factor to add.
type addView struct {
	frame
	Offered []offer
	// Missing are the methods that the institution does not offer.
	Missing []entry.Method
	// Why is the key of the sentence that says why a factor is asked, on the way
	// in; Until is when it can be put off no longer, zero for never.
	Why, Service string
	Until        time.Time
}

// offer is one method to choose.
type offer struct {
	Kind      entry.Method
	URL       string
	Suggested bool // suits most people
	Have      bool // the person has one
}

// choices are the methods in the order in which they are offered: what suits
// most people first.
var choices = []entry.Method{entry.Passkey, entry.TOTP, entry.SecurityKey, entry.SMS, entry.Mail}

// offers reports whether the institution offers a method.
func (x *Enrol) offers(m entry.Method) bool { return slices.Contains(x.Factors.Methods(), m) }

// addPage is the choice. It adds nothing, so it asks for no fresh proof; the
// pages behind it do. On the way in it stands at /login/prepare-factor too.
func (x *Enrol) addPage(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := x.someone(w, r)
	if err != nil || !ok {
		return err
	}
	view := addView{frame: frame{Actor: a, First: true}}
	if a.SigningIn() {
		need, err := x.entering(w, r, a)
		if err != nil {
			return err
		}
		view.Why, view.Service = need.Why, need.Service
		if need.PutOff(x.Clock.Now()) {
			view.Until = need.Until
		}
	}
	factors, err := x.Factors.Of(r.Context(), a.Person)
	if err != nil {
		return err
	}
	have := map[entry.Method]bool{}
	for _, f := range factors {
		have[f.Kind] = true
	}
	suggested := false
	for _, m := range choices {
		if !x.offers(m) {
			view.Missing = append(view.Missing, m)
			continue
		}
		o := offer{Kind: m, URL: here(addPages[m], a), Have: have[m]}
		// A computer that others use keeps no passkey for anybody.
		if !suggested && !o.Have && (m == entry.Passkey && !a.Shared || m == entry.TOTP) {
			o.Suggested, suggested = true, true
		}
		view.Offered = append(view.Offered, o)
	}
	return web.Render(w, r, http.StatusOK, addTempl(view))
}

// later lets somebody in who registers their first factor another day, while
// the policy lets them.
func (x *Enrol) later(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := x.someone(w, r)
	if err != nil || !ok {
		return err
	}
	if !a.SigningIn() { // another tab finished the sign-in
		return web.SeeOther(w, r, ListURL)
	}
	need, err := x.entering(w, r, a)
	if err != nil {
		return err
	}
	if need.Enrol && !need.PutOff(x.Clock.Now()) {
		return TooLate
	}
	if !need.Enrol { // nothing to put off any more
		return x.Door.Proceed(w, r, a, ListURL)
	}
	return x.Door.PutOff(w, r, a)
}
