package challenge

import (
	"net/http"
	"slices"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// lostView is what somebody has left who no longer has their factor.
type lostView struct {
	factorView
	Ways []way // that work now
}

// lostPage lists what they still have, so that nobody calls the help desk with a
// recovery code in the drawer.
func (x *Challenge) lostPage(w http.ResponseWriter, r *http.Request) error {
	a, back, err := x.actor(r)
	if err != nil {
		return err
	}
	usable, waiting, err := x.ways(r.Context(), a, x.now())
	if err != nil {
		return err
	}
	return x.showLost(w, r, http.StatusOK, factorView{Actor: a, Back: back, Waiting: waiting}, usable)
}

func (x *Challenge) showLost(w http.ResponseWriter, r *http.Request, status int, v factorView, usable []way) error {
	return web.Render(w, r, status, lostTempl(lostView{v, usable}))
}

// own reports whether there is a way besides asking somebody for a code.
func (v lostView) own() bool {
	return slices.ContainsFunc(v.Ways, func(o way) bool { return o.Method != entry.Relayed })
}
