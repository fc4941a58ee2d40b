package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// worded is a failure with what its sentence needs.
func (x *Upstreams) worded(ctx context.Context, u *upstream, f *Failure) *fault.Fault {
	args := fault.Args{"upstream": u.called(ctx), "contact": u.whom(ctx), "code": f.Code}
	switch f.Reason { // a protocol that does not know says so by leaving them out
	case Unreachable:
		args["since"] = x.Clock.Now()
	case ClockOff:
		args["by"] = f.Ahead.Abs().Round(time.Second)
	}
	for name, value := range f.Args {
		args[name] = value
	}
	return &fault.Fault{Reason: f.Reason, Args: args, Cause: f}
}

// facts are what the story keeps for the technical contact.
func (u *upstream) facts(f *Failure) map[string]string {
	kept := map[string]string{"upstream_id": u.ID}
	for name, value := range map[string]string{"expected": f.Expected, "received": f.Received, "upstream_code": f.Code, "upstream_words": f.Text} {
		if value != "" {
			kept[name] = clip(value)
		}
	}
	return kept
}

// stop tells somebody why their journey did not lead in. Whatever is no *Failure
// is our own fault and goes up.
func (x *Upstreams) stop(w http.ResponseWriter, r *http.Request, u *upstream, j journey, why error) error {
	return x.stopAs(w, r, u, j, Answer{}, why)
}

// stopAs is stop for somebody whom the upstream vouched for.
func (x *Upstreams) stopAs(w http.ResponseWriter, r *http.Request, u *upstream, j journey, a Answer, why error) error {
	var f *Failure
	if !errors.As(why, &f) {
		return why
	}
	ctx := r.Context()
	if j.Purpose == toTest {
		x.note(ctx, u, f, a, "")
		return x.showFailedTest(w, r, u, j, f)
	}
	said := x.worded(ctx, u, f)
	typed := j.LoginHint
	if a.Subject != "" {
		typed = a.name()
	}
	incident, err := x.Door.Refused(w, r, entry.Refusal{
		Arrival: entry.Arrival{Next: j.Next, Shared: j.Shared}, Method: entry.Upstream, Typed: typed, Reason: said, Facts: u.facts(f),
	})
	if err != nil {
		return fmt.Errorf("record why %s did not let somebody in: %w", u.ID, err)
	}
	if f.Reason != Unreachable || x.first(u) {
		x.note(ctx, u, f, a, incident)
	}
	failure := web.Explain(ctx, said)
	failure.Incident = incident
	web.Note(r, said)
	if f.Reason == Unreachable {
		web.RetryAfter(w, 15*time.Second)
	}
	return web.Render(w, r, failure.Status, stoppedTempl(x.stoppedView(ctx, u, j, f, failure)))
}

// first bounds how often an outage is written down: once a minute says as much
// as once for each of a thousand people.
func (x *Upstreams) first(u *upstream) bool {
	_, ok := x.quiet.Allow("down " + u.ID)
	return ok
}

// stoppedView is why a journey did not lead in, and the ways on.
type stoppedView struct {
	Failure  web.Failure
	Upstream string
	Main     act
	Others   []ui.Link
	Contact  string
	// Technical is what differs, for who runs the upstream or this house; none when
	// it would tell of somebody else's account.
	Technical []ui.Fact
}

// act is the one thing to do: a link, or a form when Afresh is not nil.
type act struct {
	ui.Link
	Afresh url.Values
}

// stoppedView gathers the ways on from a failure.
func (x *Upstreams) stoppedView(ctx context.Context, u *upstream, j journey, f *Failure, said web.Failure) stoppedView {
	v := stoppedView{Failure: said, Upstream: u.called(ctx), Contact: u.Contact}
	say := func(key string) string { return i18n.T(ctx, "identity.upstream.stopped."+key, "upstream", v.Upstream) }
	again := ui.Link{Label: say("again"), URL: StartURL(u.ID, j.Next, j.LoginHint, j.Shared, j.Force)}
	t := Transaction{Next: j.Next, Shared: j.Shared, Force: j.Force, Clean: j.Clean || j.Secrets[keptClean] != ""}
	switch f.Reason {
	case WrongAccount, WrongTenant, NoAccount, Ambiguous, Taken, NotEntitled, NotAssigned, AccountDisabled, AccountExpired:
		t.Choose = true
		v.Main = act{ui.Link{Label: say("choose"), URL: startURL(u.ID)}, afresh(t)}
	case Stale, Loop, OtherBrowser, CookieLost:
		v.Main = act{ui.Link{Label: say("afresh"), URL: startURL(u.ID)}, afresh(t)}
		if out := u.protocol.SignOutURL(ctx, ""); out != "" {
			v.Others = append(v.Others, ui.Link{Label: say("sign_out"), URL: out})
		}
	case PasswordExpired, PasswordReset, AccountLocked:
		v.Main.Link = again
		if u.PasswordPage != "" {
			v.Main.Link = ui.Link{Label: say("password"), URL: u.PasswordPage}
			v.Others = append(v.Others, again)
		}
	default:
		v.Main.Link = again
	}
	if said.Action != "" && f.Reason == CookieLost {
		v.Others = append(v.Others, ui.Link{Label: said.Action, URL: said.ActionURL})
	}
	v.Others = append(v.Others, ui.Link{Label: say("elsewhere"), URL: "/login?" + url.Values{"local": {"1"}, "next": {j.Next}}.Encode()})
	if f.Reason == Taken || f.Reason == Ambiguous {
		return v
	}
	for _, fact := range []ui.Fact{
		{Label: i18n.T(ctx, "identity.upstream.expected"), Text: f.Expected}, {Label: i18n.T(ctx, "identity.upstream.received"), Text: f.Received},
		{Label: i18n.T(ctx, "identity.upstream.code"), Text: f.Code, Code: true}, {Label: i18n.T(ctx, "identity.upstream.words"), Text: f.Text},
	} {
		if fact.Text = clip(fact.Text); fact.Text != "" {
			v.Technical = append(v.Technical, fact)
		}
	}
	return v
}
