package recovery

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schemas...)
}

func TestSomebodyWhoLostEverythingComesBackWithTwoAgentsAndTime(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q := h.begin()
		if len(h.letters) != 1 || h.letters[0].Kind != "recovery_asked" || !h.letters[0].Urgent || !strings.HasPrefix(h.letters[0].URL, "/identity/recovery/stop/") {
			t.Fatalf("the owner was not warned at once: %+v", h.letters)
		}
		h.must(h.approve(h.ana, q))
		if _, err := h.Give(t.Context(), h.ana, q.ID, journal.Event{}); !errors.Is(err, NotYet) {
			t.Errorf("a code after one approval: %v", err)
		}
		h.must(h.approve(h.bob, q))
		if len(h.letters) != 2 || h.letters[1].Kind != "recovery_approved" {
			t.Errorf("letters: %+v", h.letters)
		}
		h.clock.Advance(Defaults().Delay - time.Minute)
		if _, err := h.Give(t.Context(), h.bob, q.ID, journal.Event{}); !errors.Is(err, NotYet) {
			t.Errorf("a code before the delay is over: %v", err)
		}
		h.clock.Advance(time.Minute)
		given, err := h.Give(t.Context(), h.bob, q.ID, journal.Event{})
		h.must(err)
		if !strings.HasPrefix(given.URL, "https://ent.valmont.example/identity/recovery/open/") || len(given.Code) != 8 {
			t.Errorf("given: %+v", given)
		}
		path := given.URL[len("https://ent.valmont.example"):]
		h.viewer = campus.Viewer{}
		for range 2 { // looking uses nothing up
			if status, body, _ := h.do("GET", path, nil); status != http.StatusOK || !strings.Contains(body, "Welcome back, lina") {
				t.Fatalf("the page to open: %d", status)
			}
		}
		form := url.Values{"code": {given.Code}, renewal.PlainField: {"weak"}, renewal.AgainField: {"weak"}}
		if status, _, _ := h.do("POST", path, form); status != http.StatusUnprocessableEntity {
			t.Errorf("a weak password: %d", status)
		}
		form.Set(renewal.PlainField, goodPassword)
		form.Set(renewal.AgainField, goodPassword)
		form.Set("code", "00000000")
		if status, body, _ := h.do("POST", path, form); status < 400 || len(h.stored) != 0 || strings.Contains(body, "⟦") {
			t.Errorf("a wrong code: %d", status)
		}
		form.Set("code", given.Code[:4]+" "+given.Code[4:])
		if status, body, location := h.do("POST", path, form); status != http.StatusSeeOther || location != "/inside" {
			t.Fatalf("the right code: %d %.800s", status, body)
		}
		want := "[factors of p-lina devices of p-lina sessions of p-lina]"
		if fmt.Sprint(h.removed) != want || len(h.stored) != 1 || len(h.entered) != 1 {
			t.Errorf("removed %v, stored %v, entered %v", h.removed, h.stored, h.entered)
		}
		if status, _, _ := h.do("POST", path, form); status != http.StatusGone {
			t.Errorf("the same again: %d", status)
		}
		kinds := strings.Join(h.events, ", ")
		for _, kind := range []string{"recovery_asked by p-ana", "recovery_approved by p-ana", "recovery_approved by p-bob", "relayed_code_given by p-bob", "recovery_done by p-lina"} {
			if !strings.Contains(kinds, kind) {
				t.Errorf("the journal lacks %q: %s", kind, kinds)
			}
		}
	})
}

func TestTheHelpDeskDoesNotOpenTheAccountOfAnAdministrator(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q, err := h.Begin(t.Context(), "p-root", h.ana.Person, "lost everything", "", journal.Event{})
		h.must(err)
		if err := h.approve(h.ana, q); !errors.Is(err, MoreRights) {
			t.Fatalf("an agent vouched for an administrator: %v", err)
		}
		both := func(v campus.Viewer) campus.Viewer {
			v.Rights = append(v.Rights, campus.RightAdmin)
			return v
		}
		h.must(h.approve(both(h.ana), q))
		h.must(h.approve(both(h.bob), q))
		h.clock.Advance(Defaults().Delay)
		if _, err := h.Give(t.Context(), h.ana, q.ID, journal.Event{}); !errors.Is(err, MoreRights) {
			t.Errorf("an agent was given the code: %v", err)
		}
		_, err = h.Give(t.Context(), both(h.bob), q.ID, journal.Event{})
		h.must(err)
	})
}

func TestTheTwoApprovalsComeFromTwoOtherPeople(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q := h.begin()
		lina := campus.Viewer{Person: h.lina, Rights: []campus.Right{campus.RightHelpdesk}}
		if err := h.approve(lina, q); !errors.Is(err, Oneself) {
			t.Errorf("for oneself: %v", err)
		}
		h.must(h.approve(h.ana, q))
		if err := h.approve(h.ana, q); !errors.Is(err, SamePerson) {
			t.Errorf("twice by one person: %v", err)
		}
		if err := h.approve(lina, q); !errors.Is(err, Oneself) {
			t.Errorf("for oneself, as the second: %v", err)
		}
		admin := campus.Viewer{Person: "p-bob", Rights: []campus.Right{campus.RightAdmin, campus.RightSecretariat}}
		if err := h.approve(admin, q); !errors.Is(err, Reserved) {
			t.Errorf("without the right: %v", err)
		}
		h.must(h.approve(h.bob, q))
		if err := h.approve(h.bob, q); err == nil {
			t.Error("a third approval counted")
		}
	})
}

func TestApprovalsInParallelCountOncePerPerson(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q := h.begin()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := h.approve(h.ana, q); err != nil && !errors.Is(err, SamePerson) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		now, err := h.Request(t.Context(), q.ID)
		h.must(err)
		if now.First.By != h.ana.Person || now.Second.Given() {
			t.Fatalf("one agent alone: %+v", now)
		}
		for range 4 {
			wg.Go(func() { h.approve(h.ana, q) }) // refused, as above
			wg.Go(func() { h.approve(h.bob, q) }) // one of them counts
		}
		wg.Wait()
		now, err = h.Request(t.Context(), q.ID)
		h.must(err)
		if now.First.By != h.ana.Person || now.Second.By != h.bob.Person || now.ReadyAt.IsZero() {
			t.Errorf("both: %+v", now)
		}
		if n := strings.Count(strings.Join(h.events, " "), "recovery_approved"); n != 2 {
			t.Errorf("%d approvals in the journal", n)
		}
	})
}

func TestTheDelayIsTheShortOneOnlyWhenBothSawThePersonAtTheDesk(t *testing.T) {
	for name, c := range map[string]struct {
		first, second bool
		want          time.Duration
	}{
		"both at the desk":     {true, true, 0},
		"the first from afar":  {false, true, 24 * time.Hour},
		"the second from afar": {true, false, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			now := sunday()
			dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
				config := Defaults()
				config.DelayAtDesk = 0
				h := open(t, now, d, config)
				q := h.begin()
				h.must(h.Approve(t.Context(), h.ana, q.ID, []string{"passport"}, c.first, journal.Event{}))
				h.must(h.Approve(t.Context(), h.bob, q.ID, []string{"passport"}, c.second, journal.Event{}))
				q, err := h.Request(t.Context(), q.ID)
				h.must(err)
				if got := q.ReadyAt.Sub(now.Now()); got != c.want {
					t.Errorf("the delay is %s, want %s", got, c.want)
				}
			}, schemas...)
		})
	}
}

func TestTheOwnerStopsItFromTheLetterAndAGetStopsNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q := h.begin()
		token, plain := h.key(q)
		h.viewer = campus.Viewer{}
		stop := h.letters[0].URL
		if status, body, _ := h.do("GET", stop, nil); status != http.StatusOK || !strings.Contains(body, "It is not me: stop it") {
			t.Fatalf("the page: %d", status)
		}
		if now, _ := h.Request(t.Context(), q.ID); now.Ended != "" {
			t.Fatal("looking at the page stopped it")
		}
		for range 2 {
			if status, _, _ := h.do("POST", stop, url.Values{}); status != http.StatusSeeOther {
				t.Errorf("stopping: %d", status)
			}
		}
		form := url.Values{"code": {plain}, renewal.PlainField: {goodPassword}, renewal.AgainField: {goodPassword}}
		if status, _, _ := h.do("POST", "/identity/recovery/open/"+token, form); status != http.StatusGone || len(h.stored) != 0 {
			t.Errorf("the link after the stop: %d", status)
		}
		if err := h.approve(h.bob, q); !errors.Is(err, Over) {
			t.Errorf("approving after the stop: %v", err)
		}
		if _, body, _ := h.do("GET", stop, nil); !strings.Contains(body, "It is stopped") {
			t.Error("the page does not say that it is stopped")
		}
	})
}

func TestALinkOfOneKindOpensNothingOfAnother(t *testing.T) {
	h := one(t)
	q := h.begin()
	follow, stop := strings.TrimPrefix(h.FollowURL(q.ID), "/identity/recovery/"), strings.TrimPrefix(h.letters[0].URL, "/identity/recovery/stop/")
	for path, want := range map[string]int{
		"/identity/recovery/" + follow:           http.StatusOK,
		"/identity/recovery/" + stop:             http.StatusNotFound,
		"/identity/recovery/stop/" + follow:      http.StatusNotFound,
		"/identity/recovery/open/" + follow:      http.StatusGone,
		"/identity/recovery/" + follow[1:]:       http.StatusNotFound,
		"/identity/recovery/" + q.ID:             http.StatusNotFound,
		"/identity/recovery/open/":               http.StatusNotFound,
		"/identity/recovery/open/" + "AAAAAAAAA": http.StatusGone,
	} {
		h.viewer = campus.Viewer{}
		if status, _, _ := h.do("GET", path, nil); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}

func TestALinkAndACodeDoNotLast(t *testing.T) {
	h := one(t)
	q := h.begin()
	first, _ := h.key(q)
	given, err := h.Give(t.Context(), h.ana, q.ID, journal.Event{})
	h.must(err)
	if status, _, _ := h.do("GET", "/identity/recovery/open/"+first, nil); status != http.StatusGone {
		t.Errorf("the link that was replaced: %d", status)
	}
	path := strings.TrimPrefix(given.URL, "https://ent.valmont.example")
	if status, _, _ := h.do("GET", path, nil); status != http.StatusOK {
		t.Errorf("the new link: %d", status)
	}
	h.clock.Advance(Defaults().CodeLasts)
	if status, _, _ := h.do("GET", path, nil); status != http.StatusGone {
		t.Errorf("the link when its time is over: %d", status)
	}
}

func TestTwoRequestsWithTheRightCodeOpenOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		token, plain := h.key(h.begin())
		form := url.Values{"code": {plain}, renewal.PlainField: {goodPassword}, renewal.AgainField: {goodPassword}}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { h.do("POST", "/identity/recovery/open/"+token, form) })
		}
		wg.Wait()
		if len(h.stored) != 1 {
			t.Errorf("%d passwords were stored", len(h.stored))
		}
	})
}

func TestOneRecoveryRunsAtATime(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q := h.begin()
		if _, err := h.Begin(t.Context(), h.lina, h.bob.Person, "again", "", journal.Event{}); !errors.Is(err, Running) {
			t.Errorf("a second one: %v", err)
		}
		_, _, location := h.do("POST", "/identity/support/recoveries", url.Values{"person": {string(h.lina)}, "words": {"again"}})
		if location != "/identity/support/recoveries/"+q.ID {
			t.Errorf("the form leads to %q", location)
		}
		h.must(h.Refuse(t.Context(), h.bob, q.ID, "no document", journal.Event{}))
		if _, err := h.Begin(t.Context(), h.lina, h.bob.Person, "again", "", journal.Event{}); err != nil {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestARecoveryThatNobodyFinishesLapses(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		q := h.begin()
		h.clock.Advance(Defaults().Lapse - time.Hour)
		h.must(h.lapse(t.Context()))
		if now, _ := h.Request(t.Context(), q.ID); now.Ended != "" {
			t.Error("it lapsed too early")
		}
		h.clock.Advance(2 * time.Hour)
		h.must(h.lapse(t.Context()))
		if now, _ := h.Request(t.Context(), q.ID); State(now.Ended) != Lapsed {
			t.Errorf("it is %q", now.Ended)
		}
	})
}

func TestTheConfigurationIsChecked(t *testing.T) {
	if p := Defaults().Check(); len(p) != 0 {
		t.Errorf("the defaults: %v", p)
	}
	c := Config{Delay: time.Minute, DelayAtDesk: time.Hour, Lapse: time.Second, CodeLasts: time.Second, Documents: []DocumentConfig{{Code: "A B"}}}
	all := fmt.Sprint(c.Check())
	for _, key := range []string{"delay", "delay_at_desk", "lapse", "code_lasts", "documents[0].code", "documents[0].text_fr"} {
		if !strings.Contains(all, key) {
			t.Errorf("%s is not told in %s", key, all)
		}
	}
	for _, r := range fault.All() {
		if strings.HasPrefix(r.Code(), "identity.recovery_") && r.Kind() == fault.Broken {
			t.Errorf("%s is no fault of the house", r.Code())
		}
	}
}
