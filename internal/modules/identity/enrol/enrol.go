// Package enrol holds the pages on which people add second factors, look after
// them and prepare for the day when one is missing. The mechanics are those of
// package factor; here is who may do what, and in which order.
package enrol

import (
	"cmp"
	"context"
	"embed"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/device"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the pages ask of the room.
type Deps struct {
	Clock   clock.Clock
	Keys    *crypt.Keyring
	People  account.People
	Door    entry.Door
	Factors *factor.Factors
	Devices *device.Devices
	// Destination says where a sign-in leads: the service's name, "" for the
	// portal, its identifier in the policy, and the origins on which its answer
	// ends.
	Destination func(ctx context.Context, a entry.Actor) (name, service string, origins []string, err error)
	// Bars is the page of the way in that comes before any page here, such as the
	// one of a lock; "" for none. Its error is why the account cannot be used.
	Bars func(r *http.Request, a entry.Actor) (page string, err error)
	// Onward is where somebody in a session goes after their first factor, when
	// they came here on the way to something else; "" for nowhere.
	Onward func(r *http.Request) string
}

// Enrol is the pages.
type Enrol struct{ Deps }

// New makes the pages.
func New(d Deps) *Enrol { return &Enrol{d} }

//go:embed locales
var locales embed.FS

// Locales are the sentences of the pages.
func (x *Enrol) Locales() fs.FS { return locales }

// The addresses that others lead to.
const (
	ListURL    = "/identity/factors"
	AddURL     = "/identity/factors/add"
	FirstURL   = "/login/prepare-factor" // the same choice, in a sign-in that demands one
	PrepareURL = "/identity/factors/prepare"
	MoveURL    = "/identity/new-phone"
	LostURL    = "/identity/new-phone/lost"
	CodesURL   = "/identity/factors/recovery-codes"
)

// The addresses of other pages that these lead to.
const (
	contactsURL = "/identity/contacts"
	recoveryURL = "/identity/recovery"
)

// Advice is the most useful thing that somebody could do about their factors:
// the key of its sentence and the page where it is done. ok is false for
// somebody who has nothing better to do.
func (x *Enrol) Advice(ctx context.Context, who campus.PersonID) (key, to string, ok bool, err error) {
	factors, err := x.Factors.Of(ctx, who)
	if err != nil {
		return "", "", false, err
	}
	bar := factor.Health(factors, x.Clock.Now())
	if len(bar.Advice) == 0 {
		return "", "", false, nil
	}
	return bar.Advice[0], adviceURL(bar.Advice[0]), true, nil
}

// adviceURL is where an advice of package factor is followed.
func adviceURL(advice string) string {
	switch advice {
	case "identity.factor.advice.codes", "identity.factor.advice.codes_few":
		return CodesURL
	case "identity.factor.advice.broken":
		return ListURL
	case "identity.factor.advice.passkey":
		return addPages[entry.Passkey]
	default:
		return AddURL
	}
}

// addPages are the pages on which each method is added.
var addPages = map[entry.Method]string{
	entry.TOTP: "/identity/factors/totp", entry.SMS: "/identity/factors/sms", entry.Mail: "/identity/factors/mail",
	entry.SecurityKey: "/identity/factors/key", entry.Passkey: "/identity/factors/passkey", entry.Recovery: CodesURL,
}

// adder finds out who adds a factor, and whether they may. ok is false when
// another page was answered with. Inside a session the proof must be fresh; on
// the way in see [Enrol.entering].
func (x *Enrol) adder(w http.ResponseWriter, r *http.Request) (a entry.Actor, ok bool, err error) {
	a, ok, err = x.someone(w, r)
	if err != nil || !ok {
		return a, false, err
	}
	if a.SigningIn() {
		_, err = x.entering(w, r, a)
		return a, err == nil, err
	}
	ok, err = x.Door.Confirm(w, r)
	return a, ok, err
}

// someone finds out on whose behalf a request comes. Whoever followed a link to
// one of these pages without being in is led to the door and back; a sign-in that
// is over is explained by the door, and who is locked out is led to the lock: a
// factor that was registered just now would lift it. ok is false when another
// page was answered with.
func (x *Enrol) someone(w http.ResponseWriter, r *http.Request) (a entry.Actor, ok bool, err error) {
	a, err = x.Door.Actor(r)
	if err != nil && r.Method == http.MethodGet && !r.URL.Query().Has("at") && fault.Of(err).Reason.Kind() == fault.Gone {
		return a, false, web.SeeOther(w, r, "/login?"+url.Values{"next": {r.URL.RequestURI()}}.Encode())
	}
	if err != nil || !a.SigningIn() || x.Bars == nil {
		return a, err == nil, err
	}
	page, err := x.Bars(r, a)
	if err != nil || page == "" {
		return a, err == nil, err
	}
	return a, false, web.SeeOther(w, r, here(page, a))
}

// demand is what the policy asks of a sign-in, and the name of the service that
// it leads to.
type demand struct {
	factor.Requirement
	Service string
}

// entering finds out what the policy asks of somebody on the way in, and lets the
// forms of this page end where the sign-in leads. A stolen password must not open
// a second door: whoever has a factor, even one that is out of order, shows one
// before another is added.
func (x *Enrol) entering(w http.ResponseWriter, r *http.Request, a entry.Actor) (demand, error) {
	person, err := x.People.PersonByID(r.Context(), a.Person)
	if err != nil {
		return demand{}, err
	}
	name, service, origins, err := x.Destination(r.Context(), a)
	if err != nil {
		return demand{}, err
	}
	web.AllowFormTo(w, origins...)
	need, err := x.Factors.Required(r.Context(), person, web.ClientAddr(r), service)
	if err != nil {
		return demand{}, err
	}
	if need.Needed && a.FactorAt.IsZero() {
		return demand{}, FactorFirst
	}
	return demand{need, name}, nil
}

// owned is the actor's factor with this identifier. Somebody else's is answered
// as one that does not exist.
func (x *Enrol) owned(ctx context.Context, who campus.PersonID, id string) (factor.Factor, error) {
	factors, err := x.Factors.Of(ctx, who)
	if err != nil {
		return factor.Factor{}, err
	}
	for _, f := range factors {
		if f.ID == id {
			return f, nil
		}
	}
	return factor.Factor{}, factor.Missing
}

// added goes on after a factor was added: it was proved in the same breath, so
// nobody is asked for it again.
func (x *Enrol) added(w http.ResponseWriter, r *http.Request, a entry.Actor, f factor.Factor, said string, facts ...string) error {
	web.Flash(w, r, said, facts...)
	back := ListURL
	if x.Onward != nil && !a.SigningIn() {
		back = cmp.Or(x.Onward(r), back)
	}
	return x.Door.Proved(w, r, a, entry.Proof{Method: f.Kind, Factor: f.ID}, back)
}

// here is the address of one of these pages within the actor's sign-in.
func here(path string, a entry.Actor) string {
	if a.At == "" {
		return path
	}
	return path + "?" + url.Values{"at": {a.At}}.Encode()
}

// alone reports whether a factor opens the door by itself; recovery codes stand
// in for one that is missing.
func alone(f factor.Factor) bool { return f.Kind != entry.Recovery }

// recovery is the set of recovery codes among somebody's factors.
func recovery(factors []factor.Factor) (codes factor.Factor, ok bool) {
	for _, f := range factors {
		if f.Kind == entry.Recovery {
			return f, true
		}
	}
	return factor.Factor{}, false
}

// count is how many of the factors work at a moment without recovery codes.
func count(factors []factor.Factor, now time.Time) (n int) {
	for _, f := range factors {
		if alone(f) && f.Usable(now) {
			n++
		}
	}
	return n
}
