package device

import (
	"net/http"
	"strconv"
	"time"

	"github.com/mileusna/useragent"

	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// deviceView is one browser on the page.
type deviceView struct {
	ID, Name, Icon, Place string
	Here                  bool // the browser that asks
	FirstSeen, LastSeen   time.Time
	TrustEnds             time.Time // zero when it is not trusted
}

func (x *Devices) devicesPage(w http.ResponseWriter, r *http.Request) error {
	who := web.Viewer(r).Person
	list, err := x.List(r.Context(), who)
	if err != nil {
		return err
	}
	here, _, err := x.Of(r, who)
	if err != nil {
		return err
	}
	printer, now := i18n.Of(r.Context()), x.Clock.Now()
	views := make([]deviceView, len(list))
	for i, d := range list {
		v := deviceView{ID: d.ID, Name: Name(printer, d.Agent), Icon: "computer", Here: d.ID == here.ID, FirstSeen: d.FirstSeenAt, LastSeen: d.LastSeenAt}
		if ua := useragent.Parse(d.Agent); ua.Mobile || ua.Tablet {
			v.Icon = "phone"
		}
		v.Place = d.Network
		if name := d.Place.Name(printer.Locale()); name != "" {
			v.Place = name + " (" + d.Network + ")"
		}
		if d.Trusted(now) {
			v.TrustEnds = d.TrustEndsAt
		}
		views[i] = v
	}
	return web.Render(w, r, http.StatusOK, devicesTempl(views))
}

func (x *Devices) forget(w http.ResponseWriter, r *http.Request) error {
	err := x.DB.InTx(r.Context(), func(tx db.Tx) error {
		e := journal.From(r)
		e.Person = web.Viewer(r).Person
		return x.Forget(r.Context(), tx, r.PathValue("id"), e)
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.device.forgotten_one")
	return web.SeeOther(w, r, "/identity/devices")
}

func (x *Devices) forgetAll(w http.ResponseWriter, r *http.Request) error {
	n := 0
	err := x.DB.InTx(r.Context(), func(tx db.Tx) (err error) {
		e := journal.From(r)
		e.Person = web.Viewer(r).Person
		n, err = x.ForgetAll(r.Context(), tx, e)
		return err
	})
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.device.forgotten_all", "number", strconv.Itoa(n))
	return web.SeeOther(w, r, "/identity/devices")
}
