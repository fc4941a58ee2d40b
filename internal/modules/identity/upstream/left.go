package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Leaver is a Protocol whose upstream takes part in single sign-out: it sends a
// browser to "left", beside AnswerURL, to end the session here, or when the
// session there has ended at our request.
type Leaver interface {
	// Left reads what a browser brought. hint is the LogoutHint of the answer by
	// which that browser came in last, or "". An error is a *[Failure].
	Left(ctx context.Context, back Return, answerURL, hint string) (Parting, error)
}

// Parting is what an upstream wants of a browser that it sent to be signed out.
type Parting struct {
	// Ends reports whether the session that began with the hint is to end.
	Ends bool
	// Ended are the sessions that have ended there, by name: what they opened here
	// ends in whichever browser it is. A browser that brings the message in a frame of
	// another site shows us no session, so its own is no measure.
	Ended []Ending
	// Onward is where the browser takes our answer; nil when none is waited for.
	Onward *Departure
}

// left takes part in an upstream's sign-out. Its link ends a session, which a GET
// may do nowhere else: the message is signed by the upstream that the person came
// by, and names them.
func (x *Upstreams) left(w http.ResponseWriter, r *http.Request) error {
	u, err := x.journeyTo(r.PathValue("id"))
	if err != nil {
		return err
	}
	leaver, takesPart := u.protocol.(Leaver)
	if !takesPart {
		return web.PageMissing
	}
	ctx := r.Context()
	j, hint, _, err := x.journeyOf(ctx, web.Viewer(r).Session)
	if err != nil {
		return err
	}
	if j.Upstream != u.ID {
		hint = ""
	}
	p, err := leaver.Left(ctx, Return{Method: r.Method, Values: r.URL.Query(), RawQuery: r.URL.RawQuery}, x.Base.String()+answerURL(u.ID), hint)
	if err != nil {
		var f *Failure
		if errors.As(err, &f) {
			return x.worded(ctx, u, f)
		}
		return err
	}
	if p.Ends {
		if _, err := x.forgetThere(ctx, j.ID); err != nil { // it ends there by itself
			return err
		}
		if err := x.End(ctx, w, r); err != nil {
			return fmt.Errorf("end a session for %s: %w", u.ID, err)
		}
	}
	for _, e := range p.Ended {
		// Brought twice, by a button pressed again, it is answered twice and done once.
		if err := x.close(ctx, u, e); err != nil && !isStale(err) {
			return err
		}
	}
	if p.Onward == nil {
		return web.SeeOther(w, r, signedOutPage)
	}
	return x.send(w, r, u, *p.Onward)
}

// isStale reports whether a message had come before.
func isStale(err error) bool {
	var f *Failure
	return errors.As(err, &f) && f.Reason == Stale
}
