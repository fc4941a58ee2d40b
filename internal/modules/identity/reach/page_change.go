package reach

import (
	"net/http"

	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// changePage is where the link of a warning leads. Looking at it changes
// nothing, because mail scanners follow links too.
func (x *Reach) changePage(w http.ResponseWriter, r *http.Request) error {
	token := r.PathValue("token")
	c, err := x.changeOf(r.Context(), x.DB.Read(), token, x.Clock.Now())
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, changeTempl(c, refusalURL(token)))
}

// refuseChange is the button "It was not me". It needs no sign-in: whoever
// changed the number may have changed the password as well.
func (x *Reach) refuseChange(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	c, err := x.changeOf(ctx, x.DB.Read(), r.PathValue("token"), x.Clock.Now())
	if err != nil {
		return err
	}
	to, err := x.People.PersonByID(ctx, c.Person)
	if err != nil {
		return err
	}
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		// Once more inside: of two browsers one stops it.
		c, err := x.changeOf(ctx, tx, r.PathValue("token"), tx.Now().Time())
		if err != nil {
			return err
		}
		return x.refuse(ctx, tx, to, c, journal.From(r))
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, changeStoppedTempl(c))
}
