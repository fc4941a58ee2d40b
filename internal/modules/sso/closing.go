package sso

import (
	"context"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
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
// browser only. FrontLogout gives the address for that; afterwards the browser
// comes back to back, a local address. ok is false when there is another way, or
// none.
type frontCloser interface {
	FrontLogout(ctx context.Context, s *registry.Service, l answer.Logout, back string) (address string, ok bool, err error)
}

// closings tell how the services of an ended session fare. With back, those that
// need the browser are given the address for that.
func (m *Module) closings(ctx context.Context, f farewell, back string) (closings, error) {
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
	worst := map[string]closing{}
	for _, l := range logouts {
		s := x.Get(l.Service)
		if s == nil || l.Service == f.Service {
			continue
		}
		c, err := m.closingOf(ctx, s, l, back)
		if err != nil {
			return nil, err
		}
		before, seen := worst[s.ID]
		if !seen || slices.Index(closingStates, c.State) > slices.Index(closingStates, before.State) {
			worst[s.ID] = c
		}
	}
	var all closings
	for _, c := range worst {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b closing) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func (m *Module) closingOf(ctx context.Context, s *registry.Service, l answer.Logout, back string) (closing, error) {
	c := closing{Name: s.Name(i18n.Locale(ctx)), URL: s.Home}
	if s.NoSingleLogout {
		c.State = kept
		return c, nil
	}
	switch l.State {
	case answer.Told:
		c.State = closed
	case answer.Answered:
		c.State = reached
	case answer.Failed:
		c.State = failed
	case answer.Waiting:
		c.State = underWay
		if l.Attempts > 0 {
			c.State = silent
		}
	case answer.Skipped:
		return m.skipped(ctx, s, l, c, back)
	}
	return c, nil
}

// skipped says why a service was not told.
func (m *Module) skipped(ctx context.Context, s *registry.Service, l answer.Logout, c closing, back string) (closing, error) {
	if l.Answer == answer.ByService {
		c.State = closed
		return c, nil
	}
	c.State = untold
	if back == "" {
		return c, nil
	}
	for _, front := range those[frontCloser](m.alcoves()) {
		address, ok, err := front.FrontLogout(ctx, s, l, back)
		if err != nil { // the page says what it can; the service's own page is a way as well
			m.Log.ErrorContext(ctx, "no way out of a service by the browser", "service", s.ID, "error", err)
			continue
		}
		if ok {
			c.State, c.URL = byBrowser, address
		}
	}
	return c, nil
}
