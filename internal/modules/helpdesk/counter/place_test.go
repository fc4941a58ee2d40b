package counter_test

import (
	"net/http"
	"testing"
)

func TestWhoRunsTheDeskKeepsCounters(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		form := []string{
			"name_fr", "Matériel", "name_en", "Hardware", "campus", "rives", "minutes", "20", "at_once", "2", "lead", "2", "horizon", "14",
			"p0_fr", "Écran cassé", "p0_en", "Broken screen", "p0_bring_en", "The laptop", "p0_identity", "on",
		}
		h.want(http.StatusOK, manager(), "GET", "/helpdesk/setup/counters/new")
		h.want(http.StatusSeeOther, manager(), "POST", "/helpdesk/setup/counters/new", form...)
		body, _ := h.want(http.StatusOK, manager(), "GET", "/helpdesk/setup/counters/materiel")
		h.shows(body, "Broken screen", "ecran-casse")
		h.want(http.StatusNotFound, manager(), "GET", "/helpdesk/counters/materiel/other")
		h.want(http.StatusOK, lina, "GET", "/helpdesk/counters/materiel/ecran-casse")
		body, _ = h.want(http.StatusUnprocessableEntity, manager(), "POST", "/helpdesk/setup/counters/new", "minutes", "1", "campus", "moon", "queue", "x", "calendar", "x")
		h.shows(body, "Give the counter a name.", "from 5 to 240", "at least one reason", "Choose from the list.")
		h.want(http.StatusConflict, manager(), "POST", "/helpdesk/setup/counters/materiel", append(form, "version", "7")...)
		h.want(http.StatusSeeOther, manager(), "POST", "/helpdesk/setup/counters/materiel", append(form, "version", "1", "closed", "on")...)
		h.want(http.StatusNotFound, lina, "GET", "/helpdesk/counters/materiel")
	})
}
