package counter_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/counter"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/kept"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/openings"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/term"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// house is a counter with its neighbours.
type house struct {
	*tickettest.Front
	*counter.Reception
	server  *httptest.Server
	browser *http.Client
	mu      sync.Mutex
	letters []mailer.Message
	stale   bool // the last proof of who is there is long ago
}

func (h *house) confirm(w http.ResponseWriter, _ *http.Request) (bool, error) {
	if h.stale {
		w.WriteHeader(http.StatusTeapot)
	}
	return !h.stale, nil
}

func (h *house) Send(_ context.Context, _ db.Tx, m mailer.Message) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.letters = append(h.letters, m)
	return nil
}

func (h *house) KnownPeople(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	known := map[campus.PersonID]contract.Known{}
	for _, v := range campustest.Everyone() {
		for _, one := range ids {
			if v.Person == one {
				known[one] = contract.Known{ID: one, Subject: contract.Subject{Login: v.Login, GivenName: v.GivenName, FamilyName: v.FamilyName, Mail: v.Mail, Affiliations: v.Affiliations}}
			}
		}
	}
	return known, nil
}

func (h *house) SeekPeople(ctx context.Context, v campus.Viewer, words string, _ int) ([]contract.Known, error) {
	known, err := h.KnownPeople(ctx, []campus.PersonID{campustest.Lina().Person})
	var found []contract.Known
	for _, k := range known {
		if strings.EqualFold(k.Subject.FamilyName, words) && v.CanFor(campus.RightHelpdesk, k.Subject.Affiliations) {
			found = append(found, k)
		}
	}
	return found, err
}

// agent works at every counter, elsewhere at those of another campus.
func agent() campus.Viewer {
	v := tickettest.English(campustest.Nadia())
	v.Rights, v.Mandates = []campus.Right{campus.RightHelpdesk}, nil
	return v
}

func elsewhere() campus.Viewer {
	v := agent()
	v.Rights, v.Mandates = nil, []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "nord"}}
	return v
}

func manager() campus.Viewer {
	v := agent()
	v.Rights = []campus.Right{campus.RightHelpdesk, campus.RightDesks}
	return v
}

var lina = tickettest.English(campustest.Lina())

const code = "rives"

func each(t *testing.T, test func(*testing.T, *house)) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		h := &house{Front: tickettest.Open(x), browser: pagetest.Still()}
		keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
		if err != nil {
			t.Fatal(err)
		}
		calendars := &openings.Calendars{
			Plans: &kept.Shelf[hours.Plan]{DB: x.DB, Kind: openings.Kind}, Zone: x.Zone,
			Terms: &term.Terms{Shelf: &kept.Shelf[term.Term]{DB: x.DB, Kind: term.Kind}, Zone: x.Zone},
		}
		counters := &kept.Shelf[counter.Counter]{DB: x.DB, Kind: counter.Kind}
		base, err := url.Parse("https://ent.valmont.example")
		if err != nil {
			t.Fatal(err)
		}
		h.Reception = counter.New(counter.Deps{
			DB: x.DB, Clock: x.Clock, Keys: keys, Texts: x.Texts, Zone: x.Zone, Base: base, Tickets: x.Tickets, Calendars: calendars, Counters: counters, Proving: h.Front.Proving,
			Contacts: h.Front, Register: h, Seeker: h, Mailer: h, InstitutionEnglish: "Valmont",
			Places:  place.Fixed{OfCampuses: []place.Place{{Code: "rives", French: "Rives", English: "Rives"}}},
			Confirm: h.confirm,
		})
		week := hours.Week{}
		for d := time.Monday; d <= time.Friday; d++ {
			week[d] = []hours.Frame{{From: 540, To: 720}}
		}
		x.Tx(func(tx db.Tx) error {
			if _, err := calendars.Plans.Keep(t.Context(), tx, "", kept.Item[hours.Plan]{ID: "office", Of: hours.Plan{House: true, Week: week, Public: hours.France}}); err != nil {
				return err
			}
			_, err := counters.Keep(t.Context(), tx, "", kept.Item[counter.Counter]{ID: code, Of: counter.Counter{
				Name: hours.Named{French: "Guichet", English: "The counter"}, Room: "B012", Campus: "rives", Minutes: 30, AtOnce: 1, Lead: 1, Horizon: 30, WalkIn: true,
				Purposes: []counter.Purpose{{ID: "card", Name: hours.Named{English: "Student card"}, Bring: hours.Named{English: "Your card"}, Identity: true}, {ID: "laptop", Name: hours.Named{English: "Laptop"}}},
			}})
			return err
		})
		h.server = x.Serve(func(r *web.Router) {
			h.Reception.Routes(r)
			h.Front.Proving.Routes(r)
		})
		test(t, h)
	})
}

// tomorrow is Tuesday at an hour and a minute in Paris.
func tomorrow(hour, minute int) time.Time {
	return time.Date(2026, time.November, 24, hour-1, minute, 0, 0, time.UTC)
}

func seconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

// ask sends a request as somebody.
func (h *house) ask(as campus.Viewer, method, address string, pairs ...string) (int, string, string) {
	h.T.Helper()
	h.Viewer = as
	var form url.Values
	if method == "POST" {
		form = pagetest.Form(pairs...)
	}
	resp, body := pagetest.Ask(h.T, h.browser, method, h.server.URL+address, form)
	if i := strings.Index(body, "⟦"); i >= 0 {
		h.T.Errorf("%s %s lacks a sentence: %.80s", method, address, body[i:])
	}
	return resp.StatusCode, body, resp.Header.Get("Location")
}

func (h *house) want(status int, as campus.Viewer, method, address string, pairs ...string) (body, to string) {
	h.T.Helper()
	got, body, to := h.ask(as, method, address, pairs...)
	if got != status {
		h.T.Fatalf("%s %s: %d, want %d\n%s", method, address, got, status, body)
	}
	return body, to
}

func (h *house) shows(body string, parts ...string) {
	h.T.Helper()
	for _, part := range parts {
		if !strings.Contains(body, part) {
			h.T.Errorf("no %q in\n%s", part, body)
		}
	}
}

func (h *house) wish(at time.Time) counter.Wish {
	return counter.Wish{Code: code, Purpose: "card", At: at, Person: lina.Person, Name: lina.DisplayName(), Mail: lina.Mail, Locale: campus.English}
}

func (h *house) book(w counter.Wish) counter.Visit {
	h.T.Helper()
	var v counter.Visit
	h.Tx(func(tx db.Tx) (err error) {
		v, err = h.Book(h.T.Context(), tx, w)
		return err
	})
	return v
}

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", tickettest.Steps()...)
}
