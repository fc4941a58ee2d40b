package mailroom_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/mailroom"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// chief runs the desk.
func chief() campus.Viewer {
	v := campustest.Sam()
	v.Rights = append(v.Rights, campus.RightDesks)
	return v
}

func TestOnlyWhoRunsTheDeskSeesTheMails(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		r.post(t, "cron@srv.example", queue, written("cron@srv.example", queue, "Cron", "done", "Auto-Submitted", "auto-generated"))
		rows, err := r.mail.Listed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		server := r.Serve(r.mail.Routes)
		for _, viewer := range []campus.Viewer{{}, campustest.Lina(), campustest.Sam(), campustest.Nadia()} {
			r.Viewer = viewer
			for _, at := range []struct{ method, path string }{
				{"GET", ""}, {"GET", "/" + rows[0].ID + "/raw"}, {"POST", "/" + rows[0].ID + "/open"}, {"POST", "/" + rows[0].ID + "/again"},
			} {
				a, body := pagetest.Ask(t, pagetest.Still(), at.method, server.URL+"/helpdesk/setup/mail"+at.path, pagetest.Form())
				want := http.StatusForbidden
				if viewer.Person == "" {
					want = map[string]int{"GET": http.StatusSeeOther, "POST": http.StatusUnauthorized}[at.method]
				}
				if a.StatusCode != want || strings.Contains(body, "cron@srv.example") {
					t.Errorf("%s may %s %s: %d", viewer.Login, at.method, at.path, a.StatusCode)
				}
			}
		}
		if outcome, _ := r.last(t); outcome != "left_alone" {
			t.Errorf("it became %s", outcome)
		}
	})
}

func TestWhoRunsTheDeskMakesARequestOfAMailThatWasLeftAlone(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		r.post(t, "alerte@srv.example", queue, written("alerte@srv.example", queue, "Disque <plein>", "95 %", "Auto-Submitted", "auto-generated"))
		rows, err := r.mail.Listed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r.Viewer = chief()
		server, browser := r.Serve(r.mail.Routes), pagetest.Still()
		base := server.URL + "/helpdesk/setup/mail"
		if a, body := pagetest.Ask(t, browser, "GET", base+"?outcome=left_alone", nil); a.StatusCode != http.StatusOK || !strings.Contains(body, "Disque &lt;plein&gt;") || !strings.Contains(body, "Make a request of it") || !strings.Contains(body, queue) {
			t.Fatalf("%d\n%s", a.StatusCode, body)
		}
		if _, body := pagetest.Ask(t, browser, "GET", base+"?outcome=opened", nil); strings.Contains(body, "Disque") {
			t.Error("the filter shows others")
		}
		a, body := pagetest.Ask(t, browser, "GET", base+"/"+rows[0].ID+"/raw", nil)
		if a.Header.Get("Content-Type") != "message/rfc822" || !strings.HasPrefix(a.Header.Get("Content-Disposition"), "attachment") || a.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(body, "95 %") {
			t.Errorf("raw: %v\n%s", a.Header, body)
		}
		if a, _ := pagetest.Ask(t, browser, "POST", base+"/"+rows[0].ID+"/open", pagetest.Form()); a.StatusCode != http.StatusSeeOther {
			t.Errorf("%d", a.StatusCode)
		}
		outcome, of := r.last(t)
		if outcome != "opened" || of.Subject != "Disque <plein>" || of.RequesterMail != "alerte@srv.example" || len(r.sent) != 0 {
			t.Errorf("%s, %+v, %d letters", outcome, of, len(r.sent))
		}
		if a, _ := pagetest.Ask(t, browser, "POST", base+"/"+rows[0].ID+"/open", pagetest.Form()); a.StatusCode != http.StatusConflict {
			t.Errorf("a second time: %d", a.StatusCode)
		}
		if _, body := pagetest.Ask(t, browser, "GET", base, nil); !strings.Contains(body, "/helpdesk/tickets/"+of.Number) {
			t.Error("the list does not lead to the request")
		}
		if a, _ := pagetest.Ask(t, browser, "GET", base+"/nothing/raw", nil); a.StatusCode != http.StatusNotFound {
			t.Errorf("an unknown mail: %d", a.StatusCode)
		}
	})
}

func TestAMailOfWhichTwoMakeARequestAtOnceBecomesOne(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		r.post(t, "alerte@srv.example", queue, written("alerte@srv.example", queue, "Disque", "95 %", "Auto-Submitted", "auto-generated"))
		rows, err := r.mail.Listed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r.Viewer = chief()
		open := r.Serve(r.mail.Routes).URL + "/helpdesk/setup/mail/" + rows[0].ID + "/open"
		answers := make([]int, 4)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() {
				a, _ := pagetest.Ask(t, pagetest.Still(), "POST", open, pagetest.Form())
				answers[i] = a.StatusCode
			})
		}
		all.Wait()
		slices.Sort(answers)
		if !slices.Equal(answers, []int{http.StatusSeeOther, http.StatusConflict, http.StatusConflict, http.StatusConflict}) {
			t.Errorf("they are answered %v", answers)
		}
	})
}

func TestAMailThatWaitsTooLongIsSeenAndReadAgain(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		if err := r.hand(guest, written(guest, queue, "Wifi", "?"), queue); err != nil {
			t.Fatal(err)
		}
		if checks := r.mail.Health(t.Context()); !checks[0].OK {
			t.Errorf("%+v", checks)
		}
		r.Clock.Advance(time.Hour)
		if checks := r.mail.Health(t.Context()); checks[0].OK || checks[0].Reason != mailroom.MailsStuck {
			t.Errorf("%+v", checks)
		}
		r.Viewer = chief()
		server, browser := r.Serve(r.mail.Routes), pagetest.Still()
		rows, err := r.mail.Listed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		again := server.URL + "/helpdesk/setup/mail/" + rows[0].ID + "/again"
		if a, _ := pagetest.Ask(t, browser, "POST", again, pagetest.Form()); a.StatusCode != http.StatusSeeOther {
			t.Errorf("%d", a.StatusCode)
		}
		if err := r.mail.ReadWaiting(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a, _ := pagetest.Ask(t, browser, "POST", again, pagetest.Form()); a.StatusCode != http.StatusConflict {
			t.Errorf("a mail that was read: %d", a.StatusCode)
		}
	})
}

func TestMailsGoWhenTheirTimeIsOverAndWithTheirPerson(t *testing.T) {
	each(t, nil, func(t *testing.T, r *room) {
		lina := campustest.Lina()
		r.post(t, lina.Mail, queue, written(lina.Mail, queue, "Wifi", "?"))
		r.post(t, guest, queue, written(guest, queue, "Wifi", "?"))
		gone, err := r.mail.Erase(t.Context(), contract.Traced{ID: lina.Person, Login: lina.Login, Mail: lina.Mail})
		if err != nil || len(gone) != 1 || gone[0].Rows != 1 {
			t.Errorf("%+v, %v", gone, err)
		}
		r.Clock.Advance(r.config.Keep + time.Hour)
		if err := r.mail.Forget(t.Context()); err != nil {
			t.Fatal(err)
		}
		rows, err := r.mail.Listed(t.Context())
		if err != nil || len(rows) != 0 {
			t.Errorf("%d mails stay, %v", len(rows), err)
		}
		if err := r.mail.Attached.Files.Walk(t.Context(), func(_ files.Ref, m files.Meta) error { t.Errorf("%s stays", m.Name); return nil }); err != nil {
			t.Fatal(err)
		}
	})
}
