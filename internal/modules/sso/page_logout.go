package sso

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

const (
	farewellPath    = "/sso/signed-out"
	farewellPurpose = "sso.farewell"
	// farewellLife is how long the page can be read again.
	farewellLife = 10 * time.Minute
	// onwardWait is how long a browser that goes on to a service is held until the
	// other services are closed; after that the page shows how far it is.
	onwardWait = 2 * time.Second
	// farewellRefresh is how often the page looks again while services are told; where
	// no script does, the whole page comes again, and its frames get their time.
	farewellRefresh = time.Second
)

// farewell is what the page after a sign-out has to know. The session is over, so
// it travels in the address of the page, signed.
type farewell struct {
	Session string    `json:"session,omitempty"`
	Service string    `json:"service,omitempty"` // that asked; it closes its own session
	Onward  string    `json:"onward,omitempty"`
	At      time.Time `json:"at"`
}

// SignOut implements [gate.Exit].
func (m *Module) SignOut(w http.ResponseWriter, r *http.Request, d gate.Departing) error {
	f := farewell{Session: web.Viewer(r).Session, Onward: d.Onward, At: m.Clock.Now()}
	if d.Service != nil {
		f.Service = d.Service.ID
	}
	if web.Viewer(r).SignedIn() {
		if err := m.Sessions.End(r.Context(), w, r); err != nil {
			return err
		}
	}
	if d.Refused != nil {
		return m.showFarewell(w, r, f, fault.Of(d.Refused))
	}
	if d.Onward != "" {
		closed, err := m.closedSoon(r.Context(), f)
		if err != nil {
			return err
		}
		if closed {
			return m.Leave(w, r, d.Onward)
		}
	}
	return web.SeeOther(w, r, m.farewellURL(f))
}

// Farewell is the address of the page that says what the end of a session closed;
// "" when it had opened no service.
func (m *Module) Farewell(ctx context.Context, session string) (string, error) {
	logouts, err := m.answers.Logouts(ctx, session)
	if err != nil || len(logouts) == 0 {
		return "", err
	}
	return m.farewellURL(farewell{Session: session, At: m.Clock.Now()}), nil
}

func (m *Module) farewellURL(f farewell) string {
	text, err := json.Marshal(f)
	if err != nil {
		panic(err) // the type always encodes
	}
	of := base64.RawURLEncoding.EncodeToString(text) + "." + base64.RawURLEncoding.EncodeToString(m.Sign(farewellPurpose, text))
	return farewellPath + "?" + url.Values{"of": {of}}.Encode()
}

// readFarewell reads the address of the page. One that is not ours, or too old,
// is as good as none.
func (m *Module) readFarewell(of string) (farewell, bool) {
	first, second, _ := strings.Cut(of, ".")
	text, err := base64.RawURLEncoding.DecodeString(first)
	signature, err2 := base64.RawURLEncoding.DecodeString(second)
	if err != nil || err2 != nil || !hmac.Equal(signature, m.Sign(farewellPurpose, text)) {
		return farewell{}, false
	}
	var f farewell
	if err := json.Unmarshal(text, &f); err != nil || m.Clock.Now().Sub(f.At) > farewellLife {
		return farewell{}, false
	}
	return f, true
}

// closedSoon waits a moment until every service but the one that asked is closed.
func (m *Module) closedSoon(ctx context.Context, f farewell) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, onwardWait)
	defer cancel()
	for look := time.NewTicker(50 * time.Millisecond); ; {
		closings, err := m.closings(context.WithoutCancel(ctx), f, looking{})
		if err != nil {
			return false, err
		}
		if closings.settled() {
			look.Stop()
			return closings.complete(), nil
		}
		select {
		case <-ctx.Done():
			look.Stop()
			return false, nil
		case <-look.C:
		}
	}
}

// farewellPage says what a sign-out closed, what it could not and why, and leads on
// to the service that asked for it. While services are told it looks again.
func (m *Module) farewellPage(w http.ResponseWriter, r *http.Request) error {
	f, ok := m.readFarewell(r.URL.Query().Get("of"))
	if !ok {
		return web.SeeOther(w, r, "/logout/done")
	}
	return m.showFarewell(w, r, f, nil)
}

// logoutView is the page after a sign-out.
type logoutView struct {
	Title    string
	Lead     string
	Closings closings
	// Again is where the page looks how far it is, and AgainIn after how many seconds
	// a browser without scripts does; empty when there is nothing to wait for.
	Again, AgainIn string
	// Frames are addresses that the browser opens beside the page.
	Frames []string
	// Onward leads to the service that asked; empty when none did.
	Onward  string
	Service string
	Stopped *web.Failure
}

func (m *Module) showFarewell(w http.ResponseWriter, r *http.Request, f farewell, stopped *fault.Fault) error {
	ctx := r.Context()
	here := m.farewellURL(f)
	part := r.Header.Get("HX-Request-Type") == "partial" // the page looks how far it is
	all, err := m.closings(ctx, f, looking{Back: here, Frames: !part})
	if err != nil {
		return err
	}
	if stopped == nil && all.complete() && f.Onward != "" {
		return m.Leave(w, r, f.Onward)
	}
	waits := !all.settled() && m.Clock.Now().Sub(f.At) < time.Minute
	if !waits {
		if all, err = m.closings(ctx, f, looking{Back: here, Links: true}); err != nil {
			return err
		}
	}
	view := logoutView{Closings: all, Title: t(ctx, "logout.title"), Lead: t(ctx, "logout.nothing"), Onward: f.Onward}
	switch {
	case waits:
		view.Lead, view.Again, view.AgainIn = t(ctx, "logout.closing"), here, web.Seconds(farewellRefresh)
	case len(all) > 0 && all.complete():
		view.Lead = t(ctx, "logout.complete")
	case len(all) > 0:
		view.Lead = t(ctx, "logout.partial")
	}
	if origins := view.frame(); len(origins) > 0 {
		web.AllowFrames(w, origins...)
		view.AgainIn = web.Seconds(byFrames)
	}
	if view.Service, err = m.nameOf(ctx, f.Service); err != nil {
		return err
	}
	status := http.StatusOK
	if stopped != nil {
		web.Note(r, stopped)
		failure := web.Explain(ctx, stopped)
		view.Stopped, status = &failure, failure.Status
	}
	w.Header().Set("Cache-Control", "no-store")
	if part {
		return web.Render(w, r, http.StatusOK, closingsTempl(view))
	}
	return web.Render(w, r, status, logoutTempl(view))
}

// frame gathers the frames of the page, and the origins that they may show.
func (v *logoutView) frame() (origins []string) {
	for _, c := range v.Closings {
		for _, way := range c.Frames {
			v.Frames = append(v.Frames, way.URL)
			if !slices.Contains(origins, way.Origin) {
				origins = append(origins, way.Origin)
			}
		}
	}
	return origins
}

// nameOf is the name of a service, "" when it is gone.
func (m *Module) nameOf(ctx context.Context, id string) (string, error) {
	x, err := m.services(ctx)
	if err != nil {
		return "", fmt.Errorf("name of a service: %w", err)
	}
	if s := x.Get(id); s != nil {
		return s.Name(i18n.Locale(ctx)), nil
	}
	return "", nil
}
