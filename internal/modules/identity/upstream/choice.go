package upstream

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// choiceCookie remembers by which upstream somebody last came in. It is no
// secret: whoever changes it sees another button first.
const choiceCookie = "amphi_upstream"

// choiceLasts is how long the choice is remembered.
const choiceLasts = 365 * 24 * time.Hour

// Choice is one button of the sign-in page.
type Choice struct {
	Name, Icon, URL string
	Last            bool // the one by which this browser last came in
}

// Choices are the buttons of the sign-in page, the one that this browser used
// last in front. They lead on to next; renew asks the upstream to ask again.
func (x *Upstreams) Choices(r *http.Request, next string, renew bool) []Choice {
	var list []Choice
	last := web.Cookie(r, choiceCookie)
	for _, u := range x.all {
		if u.protocol == nil {
			continue
		}
		c := Choice{Name: u.called(r.Context()), Icon: u.Icon, URL: StartURL(u.ID, next, "", false, renew), Last: u.ID == last}
		if c.Icon == "" {
			c.Icon = "building"
		}
		if c.Last {
			list = append([]Choice{c}, list...)
		} else {
			list = append(list, c)
		}
	}
	return list
}

// Names are what people call the upstreams at which they sign in, in the language of
// the context.
func (x *Upstreams) Names(ctx context.Context) []string {
	var list []string
	for _, u := range x.all {
		list = append(list, u.called(ctx))
	}
	return list
}

// AtOnce is the upstream to which everybody is sent; ok is false when people
// choose.
func (x *Upstreams) AtOnce() (id string, ok bool) {
	for _, u := range x.all {
		if u.AtOnce {
			return u.ID, true
		}
	}
	return "", false
}

// HomeOf is the upstream on which the owner of an address signs in. ok is false
// for an address of nobody's domain, and for what is no address. It looks nobody
// up.
func (x *Upstreams) HomeOf(typed string) (id string, ok bool) {
	domain := domainOf(typed)
	for _, u := range x.all {
		if domain != "" && u.protocol != nil && u.Serves(domain) {
			return u.ID, true
		}
	}
	return "", false
}

// remember notes by which upstream the browser came in.
func (x *Upstreams) remember(w http.ResponseWriter, r *http.Request, u *upstream) {
	if web.Cookie(r, choiceCookie) != u.ID {
		web.SetCookie(w, r, choiceCookie, u.ID, choiceLasts)
	}
}

// Some upstreams stop people on a page of their own and never send them back. Who
// comes to our door again after notBackAfter, but within notBackUntil, is told
// what it may have been.
const (
	notBackAfter = time.Minute
	notBackUntil = 30 * time.Minute
)

// NotBack says, once, that the browser left for an upstream and did not come
// back; nil when that is not so.
func (x *Upstreams) NotBack(w http.ResponseWriter, r *http.Request) (*web.Failure, error) {
	browser := travellerOf(r)
	if browser == "" || len(x.all) == 0 {
		return nil, nil
	}
	ctx, now := r.Context(), x.DB.Now()
	row, err := sqlgen.New(x.DB.Read()).LeftBehind(ctx, sqlgen.LeftBehindParams{BrowserHash: browser, Since: now.Add(-notBackUntil)})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for a journey without a return: %w", err)
	}
	u, err := x.journeyTo(row.Upstream)
	if err != nil || now.Sub(row.StartedAt) < notBackAfter { // taken out since, or still there in another tab
		return nil, nil
	}
	first := false
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).Tell(ctx, sqlgen.TellParams{ID: row.ID, ToldAt: tx.Now()})
		first = n == 1
		return err
	})
	if err != nil || !first {
		return nil, err
	}
	f := &Failure{Reason: NotBack, Args: fault.Args{"at": row.StartedAt.Time()}, Expected: "an answer within " + notBackAfter.String(), Received: "none"}
	said := x.worded(ctx, u, f)
	incident, err := x.Door.Refused(w, r, entry.Refusal{
		Arrival: entry.Arrival{Next: row.Next, Shared: row.Shared}, Method: entry.Upstream, Typed: row.LoginHint, Reason: said, Facts: u.facts(f),
	})
	if err != nil {
		return nil, fmt.Errorf("record a journey without a return: %w", err)
	}
	x.note(ctx, u, f, Answer{}, incident)
	failure := web.Explain(ctx, said)
	failure.Incident = incident
	if u.PasswordPage != "" {
		failure.ActionURL = u.PasswordPage
	}
	return &failure, nil
}
