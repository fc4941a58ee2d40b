package sso

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// closing is how one service fares in a sign-out, as the person reads it.
type closing struct {
	Name  string
	State closingState
	// URL is where the person can do it themselves: the address by which their
	// browser closes it, or the service's own page.
	URL string
	// Frames are how the page around lets the browser close it by itself.
	Frames []gate.Way
}

type closingState string

// The states, the best first. Of several sessions at one service the worst counts.
const (
	closed    closingState = "closed"
	reached   closingState = "reached"   // and its protocol does not confirm
	underWay  closingState = "under_way" // being told
	kept      closingState = "kept"      // its entry says so
	byBrowser closingState = "by_browser"
	untold    closingState = "untold" // its protocol, or its settings, have no way
	silent    closingState = "silent" // did not answer; we go on trying
	failed    closingState = "failed" // and gave up
)

var closingStates = []closingState{closed, reached, underWay, kept, byBrowser, untold, silent, failed}

func (s closingState) tone() string {
	switch s {
	case closed, reached:
		return "good"
	case underWay:
		return ""
	case failed, silent:
		return "bad"
	default:
		return "warn"
	}
}

// closings are those of one sign-out, by name.
type closings []closing

// settled reports whether nothing is being told for the first time any more.
func (c closings) settled() bool {
	return !slices.ContainsFunc(c, func(one closing) bool { return one.State == underWay })
}

// complete reports whether nothing is left for the person to know before they go
// on. What the institution wants to stay open is no surprise.
func (c closings) complete() bool {
	return !slices.ContainsFunc(c, func(one closing) bool { return !slices.Contains([]closingState{closed, reached, kept}, one.State) })
}

// frontCloser is a protocol of which some services learn of a sign-out by the
// browser only. FrontLogout gives the ways for the logouts of one service;
// afterwards the browser comes back to back, a local address. With back empty it
// prepares nothing, and the ways have their origins alone. ok is false when there is another way, or none.
type frontCloser interface {
	FrontLogout(ctx context.Context, s *registry.Service, l []answer.Logout, back string) (ways []gate.Way, ok bool, err error)
}

// byFrames is how long after a sign-out the page leaves it to frames to close what
// only the browser can close. After that people are given the link.
const byFrames = 6 * time.Second

// looking is why somebody asks how the services fare.
type looking struct {
	// Back is where a browser comes back to that closes a service; "" for a look at
	// the states alone.
	Back string
	// Frames says that the page which is being made can hold frames, Links that
	// nothing is waited for and people are given the way. Each way is a message that
	// is kept, so they are made when they are used.
	Frames, Links bool
}

// closings tell how the services of an ended session fare. With how.Back, those
// that need the browser are given the way for that.
func (m *Module) closings(ctx context.Context, f farewell, how looking) (closings, error) {
	if f.Session == "" {
		return nil, nil
	}
	logouts, err := m.answers.Logouts(ctx, f.Session)
	if err != nil {
		return nil, err
	}
	x, err := m.services(ctx)
	if err != nil {
		return nil, err
	}
	at := map[string][]answer.Logout{}
	for _, l := range logouts {
		if l.Service != f.Service {
			at[l.Service] = append(at[l.Service], l)
		}
	}
	var all closings
	for id, here := range at {
		if s := x.Get(id); s != nil {
			all = append(all, m.closingOf(ctx, s, here, f, how))
		}
	}
	slices.SortFunc(all, func(a, b closing) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// closingOf says how one service fares: of its several sessions the worst counts.
func (m *Module) closingOf(ctx context.Context, s *registry.Service, logouts []answer.Logout, f farewell, how looking) closing {
	c := closing{Name: s.Name(i18n.Locale(ctx)), URL: s.Home, State: closed}
	if s.NoSingleLogout {
		c.State = kept
		return c
	}
	var open []answer.Logout // that only a browser may close
	for _, l := range logouts {
		state := stateOf(l)
		if state == untold || state == underWay {
			open = append(open, l)
		}
		if slices.Index(closingStates, state) > slices.Index(closingStates, c.State) {
			c.State = state
		}
	}
	if len(open) > 0 {
		m.byBrowser(ctx, s, open, f, how, &c)
	}
	return c
}

// stateOf is how the message to a service fares.
func stateOf(l answer.Logout) closingState {
	switch {
	case l.State == answer.Told, l.State == answer.Skipped && l.Answer == answer.ByService:
		return closed
	case l.State == answer.Answered:
		return reached
	case l.State == answer.Failed:
		return failed
	case l.State == answer.Waiting && l.Attempts > 0:
		return silent
	case l.State == answer.Waiting:
		return underWay
	default:
		return untold
	}
}

// byBrowser lets the browser close what nobody else can: by frames of the page at
// first, then by a link. Frames are for services of our own site alone: to those of
// others the browser keeps its cookies back, and a service that sees none confirms
// that nobody is signed in.
func (m *Module) byBrowser(ctx context.Context, s *registry.Service, open []answer.Logout, f farewell, how looking, c *closing) {
	for _, front := range those[frontCloser](m.alcoves()) {
		ways, ok, err := front.FrontLogout(ctx, s, open, "")
		soon := m.Clock.Now().Sub(f.At) < byFrames && !slices.ContainsFunc(ways, func(w gate.Way) bool { return !sameSite(m.BaseURL, w.Origin) })
		if back := how.Back; ok && back != "" && (soon && how.Frames || !soon && how.Links) {
			ways, ok, err = front.FrontLogout(ctx, s, open, back)
		} else {
			ways = nil
		}
		switch {
		case err != nil: // the page says what it can; the service's own page is a way as well
			m.Log.ErrorContext(ctx, "no way out of a service by the browser", "service", s.ID, "error", err)
		case !ok:
		case how.Back == "":
			c.State = byBrowser
		case soon:
			c.State, c.Frames = underWay, ways
		default:
			c.State, c.URL = byBrowser, ""
			if len(ways) > 0 {
				c.URL = ways[0].URL
			}
		}
	}
}

// sameSite reports whether a browser takes two origins for one site, and so sends
// the cookies of the one to a frame on a page of the other: same scheme, same
// registrable domain (RFC 6265bis §5.2).
func sameSite(a, b string) bool {
	x, err1 := url.Parse(a)
	y, err2 := url.Parse(b)
	if err1 != nil || err2 != nil || x.Scheme != y.Scheme {
		return false
	}
	return siteOf(x.Hostname()) == siteOf(y.Hostname())
}

// siteOf is the registrable domain of a host; the host itself where there is none.
func siteOf(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	site, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return host
	}
	return site
}
