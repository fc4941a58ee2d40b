package counter_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// widen gives the counter windows.
func (h *house) widen(windows ...string) {
	h.T.Helper()
	h.Tx(func(tx db.Tx) error {
		item, err := h.Counters.One(h.T.Context(), code)
		if err != nil {
			return err
		}
		item.Of.Windows = windows
		_, err = h.Counters.Keep(h.T.Context(), tx, "", item)
		return err
	})
}

func colleague() campus.Viewer {
	v := tickettest.English(campustest.Sam())
	v.Rights, v.Mandates = []campus.Right{campus.RightHelpdesk}, nil
	return v
}

func TestWhoCallsSaysAtWhichWindow(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.widen("Window 1", "Window 2")
		v := h.book(h.wish(tomorrow(9, 0)))
		h.Desk.Clock.Set(tomorrow(9, 1))
		var key string
		h.Tx(func(tx db.Tx) (err error) {
			key, err = counter.Key(t.Context(), tx, code, "screen")
			return err
		})
		screen := func() string {
			body, _ := h.want(http.StatusOK, campus.Viewer{}, "GET", "/helpdesk/counter/rives/screen?key="+key)
			return body
		}
		next := "/helpdesk/counter/rives/next"
		h.act(agent(), v.ID, "to", "waiting")
		body, _ := h.want(http.StatusOK, lina, "GET", h.Path(v))
		h.shows(body, "Your arrival is noted.", "data-counter-screen")
		for _, chosen := range []string{"", "Window 9"} {
			body, _ := h.want(http.StatusUnprocessableEntity, agent(), "POST", next, "window", chosen)
			h.shows(body, "Choose the window")
		}
		if now, err := h.Visit(t.Context(), v.ID); err != nil || now.State != counter.Waiting {
			t.Fatalf("without a window somebody was called: %+v, %v", now, err)
		}
		h.want(http.StatusSeeOther, agent(), "POST", next, "window", "Window 2")
		h.shows(screen(), "R1", "Window 2")
		body, _ = h.want(http.StatusOK, campus.Viewer{}, "GET", h.Path(v))
		h.shows(body, "It is your turn: Window 2.")
		// The next call comes from the same window without asking, that of a colleague
		// from theirs.
		body, _ = h.want(http.StatusOK, agent(), "GET", "/helpdesk/counter/rives")
		h.shows(body, `<option value="Window 2" selected`)
		for range 3 {
			h.want(http.StatusSeeOther, agent(), "POST", "/helpdesk/counter/rives/number")
		}
		calledAt := func(as campus.Viewer, want string, pairs ...string) string {
			t.Helper()
			_, to := h.want(http.StatusSeeOther, as, "POST", next, pairs...)
			id := to[strings.LastIndex(to, "/")+1:]
			if now, err := h.Visit(t.Context(), id); err != nil || now.Window != want {
				t.Errorf("called to %q, want %q; %v", now.Window, want, err)
			}
			return id
		}
		calledAt(agent(), "Window 2")
		h.want(http.StatusUnprocessableEntity, colleague(), "POST", next)
		id := calledAt(colleague(), "Window 1", "window", "Window 1")
		h.Desk.Clock.Set(tomorrow(9, 2))
		h.act(agent(), id, "to", "called") // taken over: now it is another window
		if now, err := h.Visit(t.Context(), id); err != nil || now.Window != "Window 2" {
			t.Errorf("called again to %q, %v", now.Window, err)
		}
		// A window that is no longer there has to be chosen anew; one alone says itself.
		h.widen("Window 3", "Window 4")
		h.want(http.StatusUnprocessableEntity, agent(), "POST", next)
		h.widen("Window 3")
		calledAt(agent(), "Window 3")
	})
}

func TestACounterWithoutWindowsSaysNone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		v := h.book(h.wish(tomorrow(9, 0)))
		h.Desk.Clock.Set(tomorrow(9, 1))
		h.act(agent(), v.ID, "to", "waiting")
		h.act(agent(), v.ID, "to", "called", "window", "Forged")
		body, _ := h.want(http.StatusOK, lina, "GET", h.Path(v))
		h.shows(body, "It is your turn: come to the counter.")
		if strings.Contains(body, "Forged") {
			t.Error("a window that there is not is said")
		}
	})
}

func TestWindowsAreListedOneALine(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		form := []string{"name_en", "Hardware", "minutes", "20", "at_once", "2", "lead", "2", "horizon", "14", "p0_en", "Broken"}
		h.want(http.StatusSeeOther, manager(), "POST", "/helpdesk/setup/counters/new", append(form, "windows", " Window 1\r\n\r\nWindow 2\nWindow 1 \n")...)
		item, err := h.Counters.One(t.Context(), "hardware")
		if err != nil || strings.Join(item.Of.Windows, "|") != "Window 1|Window 2" {
			t.Errorf("windows %q, %v", item.Of.Windows, err)
		}
		for _, typed := range []string{strings.Repeat("x", 41), many(31)} {
			body, _ := h.want(http.StatusUnprocessableEntity, manager(), "POST", "/helpdesk/setup/counters/new", append(form, "windows", typed)...)
			h.shows(body, "at most 30 windows")
		}
	})
}

// many are so many lines, each another one.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("Window " + strconv.Itoa(i) + "\n")
	}
	return b.String()
}
