package counter_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

func TestDevicesNeedTheirKeyAndNameNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.book(h.wish(tomorrow(9, 0)))
		body, _ := h.want(http.StatusOK, agent(), "POST", "/helpdesk/counter/rives/devices", "kind", "screen", "label", "Hall")
		h.shows(body, "/helpdesk/counter/rives/screen?key=")
		keys := map[string]string{}
		for _, kind := range []string{"kiosk", "screen", "feed"} {
			h.Tx(func(tx db.Tx) (err error) {
				keys[kind], err = counter.Key(t.Context(), tx, code, kind)
				return err
			})
		}
		for _, kind := range []string{"kiosk", "screen", "feed"} {
			for _, other := range []string{"", "nonsense", keys["kiosk"], keys["screen"], keys["feed"]} {
				want := http.StatusGone
				if other == keys[kind] {
					want = http.StatusOK
				}
				for _, as := range []campus.Viewer{{}, lina} {
					status, body, _ := h.ask(as, "GET", "/helpdesk/counter/rives/"+kind+"?key="+other)
					if status != want {
						t.Errorf("%s with another key: %d, want %d", kind, status, want)
					}
					if want == http.StatusOK && (strings.Contains(body, lina.FamilyName) || strings.Contains(body, lina.Mail)) {
						t.Errorf("%s names somebody", kind)
					}
				}
			}
		}
		h.want(http.StatusGone, campus.Viewer{}, "POST", "/helpdesk/counter/rives/kiosk?key="+keys["screen"], "who", "x")
	})
}

func TestAnAddressForADeviceAsksWhoIsThere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.stale = true
		h.want(http.StatusTeapot, agent(), "POST", "/helpdesk/counter/rives/devices", "kind", "screen", "label", "Hall of the test")
		list, _ := h.want(http.StatusOK, agent(), "GET", "/helpdesk/counter/rives/devices")
		if strings.Contains(list, "Hall of the test") {
			t.Error("it was made all the same")
		}
		h.want(http.StatusNotFound, elsewhere(), "POST", "/helpdesk/counter/rives/devices", "kind", "screen") // asked nothing
		h.stale = false
		h.want(http.StatusOK, agent(), "POST", "/helpdesk/counter/rives/devices", "kind", "screen", "label", "Hall of the test")
		list, _ = h.want(http.StatusOK, agent(), "GET", "/helpdesk/counter/rives/devices")
		h.shows(list, "Hall of the test")
	})
}
