package reach

import (
	"context"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// contactsView is the list of one's own ways to be reached.
type contactsView struct {
	Record, Own []pointView
	SMS         bool // text messages can be sent
	Remind      bool
}

// pointView is one of them.
type pointView struct {
	Point
	Use       string // what it is good for
	Tag       string
	Tone      ui.Tone
	Refusable bool // "It was not me" still stops it
	Confirm   bool // it waits for its code
}

// spelled is the value as people read it.
func (p Point) spelled() string {
	if p.SMS() {
		return SpelledMobile(p.Value)
	}
	return p.Value
}

func (p Point) icon() string {
	if p.SMS() {
		return "phone"
	}
	return "mail"
}

// state says in a word how far a point is.
func (p Point) state(ctx context.Context, now time.Time) (string, ui.Tone) {
	said := func(key string, at time.Time) string {
		return i18n.T(ctx, "identity.reach.state."+key, "date", i18n.Date(ctx, at, i18n.Short))
	}
	switch {
	case p.Channel == Mail:
		return said("institutional", now), ui.Good
	case !p.EndsAt.IsZero():
		return said("until", p.EndsAt), ui.Info
	case p.Waiting(now):
		return said("from", p.UsableAt), ui.Warn
	case p.VerifiedAt.IsZero():
		return said("unconfirmed", now), ui.Warn
	default:
		return said("confirmed", now), ui.Good
	}
}

func (x *Reach) listPage(w http.ResponseWriter, r *http.Request) error {
	ctx, v, now := r.Context(), web.Viewer(r), x.Clock.Now()
	points, err := x.Points(ctx, v.Person)
	if err != nil {
		return err
	}
	refusable, err := x.refusableOf(r)
	if err != nil {
		return err
	}
	view := contactsView{SMS: x.Mailer.SendsSMS()}
	if view.Remind, err = x.Reminder(ctx, v.Person, now); err != nil {
		return err
	}
	for _, p := range points {
		one := pointView{Point: p, Use: i18n.T(ctx, "identity.reach.use."+string(p.Channel)), Refusable: refusable[p.ID], Confirm: p.VerifiedAt.IsZero() && p.EndsAt.IsZero() && (!p.SMS() || view.SMS)}
		one.Tag, one.Tone = p.state(ctx, now)
		if p.Source == FromTheRecord {
			view.Record = append(view.Record, one)
		} else {
			view.Own = append(view.Own, one)
		}
	}
	return web.Render(w, r, http.StatusOK, contactsTempl(view))
}

// refusableOf are the viewer's points that came by a change in the record and
// can still be stopped.
func (x *Reach) refusableOf(r *http.Request) (map[string]bool, error) {
	now := x.Clock.Now()
	found, err := rows(r.Context(), x.DB.Read(), web.Viewer(r).Person, db.At(now))
	if err != nil {
		return nil, err
	}
	can := map[string]bool{}
	for _, row := range found {
		_, err := x.refusableChange(row, now)
		can[row.ID] = err == nil && fromOutside(row)
	}
	return can, nil
}

// fromOutside reports whether a point came without its owner, who has not
// confirmed it since. Only such a one is stopped from the list without a fresh
// factor: to stop one's own is to remove it.
func fromOutside(row sqlgen.IdentityPoint) bool {
	return row.Source == string(FromTheRecord) && row.VerifiedAt.IsZero()
}

// refusePoint is "It was not me" of somebody who has signed in.
func (x *Reach) refusePoint(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	to, err := x.People.PersonByID(ctx, v.Person)
	if err != nil {
		return err
	}
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		row, err := findRow(ctx, tx, r, tx.Now())
		if err != nil {
			return err
		}
		if !fromOutside(row) {
			return RefusalMissing
		}
		c, err := x.refusableChange(row, tx.Now().Time())
		if err != nil {
			return err
		}
		return x.refuse(ctx, tx, to, c, journal.From(r))
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.reach.flash.refused")
	return web.SeeOther(w, r, "/identity/contacts")
}

// findRow is the row of the address that the viewer owns, or [Missing].
func findRow(ctx context.Context, q db.Querier, r *http.Request, now db.Time) (sqlgen.IdentityPoint, error) {
	found, err := rows(ctx, q, web.Viewer(r).Person, now)
	if err != nil {
		return sqlgen.IdentityPoint{}, err
	}
	for _, row := range found {
		if row.ID == r.PathValue("id") {
			return row, nil
		}
	}
	return sqlgen.IdentityPoint{}, Missing
}
