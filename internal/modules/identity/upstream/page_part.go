package upstream

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// partLasts is how long after a sign-out its browser may end the session at the
// upstream as well: whoever comes to the computer later must not learn who it was.
const partLasts = 10 * time.Minute

// Remaining is a session at an upstream that outlives the one here.
type Remaining struct {
	Name string // of the upstream, as people call it
	URL  string // to which a form without fields is posted
}

// Part notes, in the transaction that ends it, that the browser of a request signs
// out of a session. It does nothing for one that began without an upstream.
func (x *Upstreams) Part(ctx context.Context, tx db.Tx, r *http.Request, session string) error {
	browser := travellerOf(r)
	if browser == "" || session == "" || len(x.all) == 0 {
		return nil
	}
	q := sqlgen.New(tx)
	if err := q.ForgetParted(ctx, browser); err != nil {
		return fmt.Errorf("forget an earlier sign-out: %w", err)
	}
	j, err := q.JourneyOf(ctx, session)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the journey of a session: %w", err)
	}
	if _, err := q.Part(ctx, sqlgen.PartParams{ID: j.ID, LeftAt: tx.Now(), BrowserHash: browser}); err != nil {
		return fmt.Errorf("note a sign-out: %w", err)
	}
	return nil
}

// Remaining says which session at an upstream this browser has left open by the
// sign-out that it made a moment ago; ok is false when there is none. What the
// upstream has to be told of it stays with us until somebody asks for it: the page
// may be read by others.
func (x *Upstreams) Remaining(r *http.Request) (left Remaining, ok bool, err error) {
	u, _, hint, err := x.parted(r)
	if err != nil || u == nil || u.protocol.SignOutURL(r.Context(), hint) == "" {
		return Remaining{}, false, err
	}
	return Remaining{Name: u.called(r.Context()), URL: partURL(u.ID)}, true, nil
}

// parted is the upstream at which the browser of a request has just left a session,
// nil for none, with the journey and what its sign-out needs.
func (x *Upstreams) parted(r *http.Request) (u *upstream, j journey, hint string, err error) {
	browser := travellerOf(r)
	if browser == "" || len(x.all) == 0 || web.Viewer(r).SignedIn() {
		return nil, j, "", nil
	}
	row, err := sqlgen.New(x.DB.Read()).Parted(r.Context(), sqlgen.PartedParams{BrowserHash: browser, Since: x.DB.Now().Add(-partLasts)})
	j, found, err := x.read(row, err)
	if err != nil || !found {
		return nil, j, "", err
	}
	if u, err = x.journeyTo(j.Upstream); err != nil { // taken out of the configuration since
		return nil, j, "", nil
	}
	if row.LogoutHint != "" {
		err = x.open(row.LogoutHint, &hint)
	}
	return u, j, hint, err
}

// part sends a browser that has signed out here to the sign-out of its upstream,
// once.
func (x *Upstreams) part(w http.ResponseWriter, r *http.Request) error {
	u, j, hint, err := x.parted(r)
	if err != nil {
		return err
	}
	if u == nil || u.ID != r.PathValue("id") {
		return web.SeeOther(w, r, signedOutPage)
	}
	first, err := x.forgetThere(r.Context(), j.ID)
	if err != nil {
		return err
	}
	to := u.protocol.SignOutURL(r.Context(), hint)
	if !first || to == "" {
		return web.SeeOther(w, r, signedOutPage)
	}
	w.Header().Set("Cache-Control", "no-store") // the address names the person
	return x.leadTo(w, r, u, to)
}

// signedOutPage is where a sign-out ends.
const signedOutPage = "/logout/done"

// forgetThere notes that nothing is left to end at the upstream of a journey: its
// session ends there, or has. first is false when that was known.
func (x *Upstreams) forgetThere(ctx context.Context, journey string) (first bool, err error) {
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).PartThere(ctx, journey)
		first = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("note a sign-out at an upstream: %w", err)
	}
	return first, nil
}
