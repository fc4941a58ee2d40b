package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

func TestWhatProgramsAreGivenAsksWhoIsThere(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		fresh := false
		h.api.Confirm = func(w http.ResponseWriter, _ *http.Request) (bool, error) {
			if !fresh {
				w.WriteHeader(http.StatusTeapot)
			}
			return fresh, nil
		}
		h.Viewer = campustest.Sam()
		h.Viewer.Rights = []campus.Right{campus.RightDesks}
		c, at := pagetest.Still(), h.server.URL+"/helpdesk/setup/programs"
		_, there := pagetest.Ask(t, c, http.MethodGet, at, nil)
		if strings.Contains(there, "Bot of the test") || strings.Contains(there, "Hook of the test") {
			t.Fatal("it is there before it was made")
		}
		for _, now := range []struct {
			fresh bool
			want  int
		}{{false, http.StatusTeapot}, {true, http.StatusOK}} {
			fresh = now.fresh
			for path, form := range map[string][]string{
				"/tokens": {"label", "Bot of the test", "days", "30"},
				"/hooks":  {"name", "Hook of the test", "address", "https://127.0.0.1/in", "shape", "slack"},
			} {
				if resp, body := pagetest.Ask(t, c, http.MethodPost, at+path, pagetest.Form(form...)); resp.StatusCode != now.want {
					t.Errorf("%s, proved anew %t: %d %.300s", path, now.fresh, resp.StatusCode, body)
				}
			}
			_, list := pagetest.Ask(t, c, http.MethodGet, at, nil)
			for _, label := range []string{"Bot of the test", "Hook of the test"} {
				if strings.Contains(list, label) != now.fresh {
					t.Errorf("%s is there: %t, proved anew: %t", label, !now.fresh, now.fresh)
				}
			}
		}
	})
}
