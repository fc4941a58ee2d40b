// Package challenge has the pages on which people prove a second factor, on the
// way in and in front of sensitive acts, and the button that signs in with a
// passkey alone.
package challenge

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Deps is what the pages ask of the room.
type Deps struct {
	Log     *slog.Logger
	People  account.People
	Door    entry.Door
	Factors *factor.Factors
	// TrustFor is how long a browser may stand in for a factor; zero when the
	// institution does not want that, and then no page offers it.
	TrustFor func() time.Duration
	// Destination says where a sign-in leads: the service's name, "" for the
	// portal, its identifier in the policy, and the origins on which its answer
	// ends.
	Destination func(ctx context.Context, a entry.Actor) (name, service string, origins []string, err error)
	// Arrives is the same for a local address, for somebody who begins with a
	// passkey.
	Arrives func(ctx context.Context, next string) (origins []string)
}

// Challenge is the pages. It is safe for concurrent use.
type Challenge struct{ Deps }

// New makes the alcove.
func New(d Deps) *Challenge { return &Challenge{d} }

//go:embed locales
var locales embed.FS

// Locales are the sentences of the pages.
func (x *Challenge) Locales() fs.FS { return locales }

// The addresses of the pages.
const (
	FactorURL  = "/login/factor"
	lostURL    = "/login/factor/lost"
	sendURL    = "/login/factor/send"
	troubleURL = "/login/factor/trouble"
	// PasskeyBeginURL answers the scripts of the sign-in page, PasskeyURL takes
	// what the passkey answered.
	PasskeyBeginURL = "/identity/passkey/begin"
	PasskeyURL      = "/identity/passkey"
	// recoveryURL is the ladder for who has nothing left.
	recoveryURL = "/identity/recovery"
)

// maxAnswer bounds what a browser sends of a key, in bytes: two sealed texts of
// less than 4 kB each and the other fields.
const maxAnswer = 32 << 10

// Routes lists every address of the alcove. They are open to who has no session
// yet; each asks the door on whose behalf it acts, and a stranger gets its fault.
func (x *Challenge) Routes(r *web.Router) {
	r.Handle("GET "+FactorURL, x.page, web.Public)
	r.Handle("GET "+lostURL, x.lostPage, web.Public)
	r.Handle("POST "+sendURL, x.send, web.Public)
	r.Handle("POST "+troubleURL, x.trouble, web.Public)
	r.Handle("POST "+FactorURL+"/{method}", x.prove, web.Public, web.BodyLimit(maxAnswer))
	r.Handle("POST "+PasskeyBeginURL, x.passkeyBegin, web.Public)
	r.Handle("POST "+PasskeyURL, x.passkey, web.Public, web.BodyLimit(maxAnswer))
}

// Jobs has none: what the factors keep is forgotten by package factor.
func (x *Challenge) Jobs(*jobs.Registry) {}

// here is an address of these pages for the same sign-in and the same way back.
func here(path string, a entry.Actor, back string, more ...string) string {
	q := url.Values{}
	if a.At != "" {
		q.Set("at", a.At)
	}
	if back != "" && back != "/" {
		q.Set("back", back)
	}
	for i := 0; i+1 < len(more); i += 2 {
		if more[i+1] != "" {
			q.Set(more[i], more[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// now is the time by which factors count.
func (x *Challenge) now() time.Time { return x.Factors.DB.Now().Time() }

// allowAnswer lets the form of a page end at the service that the sign-in leads
// to, or that lies behind the address to go back to, and names the former.
func (x *Challenge) allowAnswer(w http.ResponseWriter, r *http.Request, a entry.Actor, back string) (name, service string, err error) {
	if !a.SigningIn() {
		web.AllowFormTo(w, x.Arrives(r.Context(), back)...)
		return "", "", nil
	}
	name, service, origins, err := x.Destination(r.Context(), a)
	if err != nil {
		return "", "", err
	}
	web.AllowFormTo(w, origins...)
	return name, service, nil
}
