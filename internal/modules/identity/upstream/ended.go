package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Ender is a Protocol whose upstream tells us from server to server, to "ended"
// beside AnswerURL, that sessions there have ended.
type Ender interface {
	// Ended reads what the upstream posted. An error is a *[Failure].
	Ended(ctx context.Context, form url.Values) (Ending, error)
}

// Ending is what has ended at an upstream: one session, or with an empty Session
// all that a person had there.
type Ending struct {
	// Issuer, Subject and Session are as in the Answer that began the session;
	// Subject or Session may be empty.
	Issuer, Subject, Session string
	// ID names the message; it counts once. Until is when it is too old to count.
	ID    string
	Until time.Time
}

func endedURL(id string) string { return "/identity/upstreams/" + id + "/ended" }

// strangersRate bounds messages that no upstream signed: looking at one may cost a
// question to the upstream about its keys.
var strangersRate = limit.Rate{Every: 10 * time.Second, Burst: 20}

// maxEnding bounds what an upstream may post to end a session, in bytes.
const maxEnding = 64 << 10

// endedThere closes what was opened here by sessions that have ended at an upstream.
// Whoever asks is a program: it hears what is wrong as JSON (OpenID Connect
// Back-Channel Logout 1.0, 2.8).
func (x *Upstreams) endedThere(w http.ResponseWriter, r *http.Request) error {
	u, err := x.journeyTo(r.PathValue("id"))
	if err != nil {
		return err
	}
	ender, tells := u.protocol.(Ender)
	if !tells {
		return web.PageMissing
	}
	from := limit.AddressKey(web.ClientAddr(r))
	if wait := x.strangers.Wait(from); wait > 0 {
		web.RetryAfter(w, wait)
		return web.TooManyRequests.With(fault.Args{"wait": wait})
	}
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	e, err := ender.Ended(r.Context(), form)
	if err == nil {
		err = x.close(r.Context(), u, e)
	}
	w.Header().Set("Cache-Control", "no-store")
	var f *Failure
	switch {
	case err == nil:
		w.WriteHeader(http.StatusOK)
		return nil
	case !errors.As(err, &f):
		return err
	}
	x.strangers.Allow(from) // takes one; Wait above is what refuses
	web.Note(r, x.worded(r.Context(), u, f))
	if _, ok := x.quiet.Allow("ended " + u.ID); ok {
		x.Log.WarnContext(r.Context(), "a sign-out of an upstream was refused", "upstream", u.ID, "error", f)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	return json.NewEncoder(w).Encode(map[string]string{
		"error": "invalid_request", "error_description": f.Reason.Code() + ": want " + clip(f.Expected) + ", got " + clip(f.Received),
	})
}

// close ends the sessions that an upstream means, and the sign-ins under way that
// it vouched for. That there is none any more is no failure (2.7).
func (x *Upstreams) close(ctx context.Context, u *upstream, e Ending) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		n, err := q.SeeOnce(ctx, sqlgen.SeeOnceParams{ID: id.Hash("ended " + u.ID + " " + e.ID), UntilAt: db.At(e.Until)})
		if err != nil {
			return fmt.Errorf("note a sign-out of %s: %w", u.ID, err)
		}
		if n == 0 {
			return &Failure{Reason: Stale, Expected: "a message that did not come before", Received: "the same again"}
		}
		meant := sqlgen.CutJourneysParams{Upstream: u.ID, Issuer: e.Issuer, Subject: e.Subject, SessionThere: e.Session}
		if err := q.CutJourneys(ctx, meant); err != nil {
			return fmt.Errorf("end the sign-ins by %s: %w", u.ID, err)
		}
		closed := map[campus.PersonID]int{}
		for { // the query gives a page at a time
			rows, err := q.OpenedBy(ctx, sqlgen.OpenedByParams(meant))
			if err != nil {
				return fmt.Errorf("find the sessions by %s: %w", u.ID, err)
			}
			if len(rows) == 0 {
				break
			}
			for _, row := range rows {
				if _, err := q.PartThere(ctx, row.Journey); err != nil {
					return fmt.Errorf("note a sign-out of %s: %w", u.ID, err)
				}
				if err := x.EndSession(ctx, tx, row.ID); err != nil {
					return err
				}
				closed[campus.PersonID(row.PersonID)]++
			}
		}
		for who, number := range closed {
			err := x.Journal.Write(ctx, tx, journal.Event{
				Person: who, Kind: "identity.upstream_signed_out", Facts: map[string]string{"upstream": u.NameEnglish, "sessions": strconv.Itoa(number)},
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
