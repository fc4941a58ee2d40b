package counter

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// devicesView lists what reads a counter without a session.
type devicesView struct {
	Code, Name string
	Keys       []deviceView
	Made       string // the address that is shown once
}

type deviceView struct {
	ID, Kind, Label string
	At              time.Time
}

func (x *Reception) devicesPage(w http.ResponseWriter, r *http.Request) error {
	return x.showDevices(w, r, "")
}

func (x *Reception) showDevices(w http.ResponseWriter, r *http.Request, made string) error {
	d, _, err := x.serving(r)
	if err != nil {
		return err
	}
	rows, err := sqlgen.New(x.DB.Read()).Keys(r.Context(), d.Code)
	if err != nil {
		return fmt.Errorf("list the keys of a counter: %w", err)
	}
	view := devicesView{Code: d.Code, Name: d.Name.In(i18n.Locale(r.Context())), Made: made}
	for _, row := range rows {
		view.Keys = append(view.Keys, deviceView{row.ID, row.Kind, row.Label, row.MadeAt.Time()})
	}
	w.Header().Set("Cache-Control", "no-store")
	return web.Render(w, r, http.StatusOK, devicesTempl(view))
}

// addDevice makes an address for a device, which is shown this once. It works until
// it is removed, for whoever has it: a page that was left open is not enough.
func (x *Reception) addDevice(w http.ResponseWriter, r *http.Request) error {
	d, _, err := x.serving(r)
	if err != nil {
		return err
	}
	if ok, err := x.Confirm(w, r); err != nil || !ok {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	kind := values.Get("kind")
	if !slices.Contains(keyKinds, kind) {
		return Missing
	}
	var token string
	if err := x.DB.InTx(r.Context(), func(tx db.Tx) (err error) {
		token, err = addKey(r.Context(), tx, d.Code, kind, cut(campus.OneLine(values.Get("label"))), web.Viewer(r).Person)
		return err
	}); err != nil {
		return err
	}
	return x.showDevices(w, r, web.Absolute(r, keyPath(d.Code, kind, token)))
}

func (x *Reception) removeDevice(w http.ResponseWriter, r *http.Request) error {
	d, _, err := x.serving(r)
	if err != nil {
		return err
	}
	if err := x.DB.InTx(r.Context(), func(tx db.Tx) error {
		n, err := sqlgen.New(tx).DeleteKey(r.Context(), sqlgen.DeleteKeyParams{ID: r.PathValue("id"), CounterID: d.Code})
		if err == nil && n == 0 {
			err = Missing
		}
		return err
	}); err != nil {
		return err
	}
	web.Flash(w, r, "helpdesk.counter.device_removed")
	return web.SeeOther(w, r, "/helpdesk/counter/"+d.Code+"/devices")
}
