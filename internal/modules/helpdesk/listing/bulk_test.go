package listing_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/listing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

func TestSeveralTicketsAreGivenToNobodyWhoCannotOpenThem(t *testing.T) {
	each(t, func(t *testing.T, x *tickettest.Desk, l *listing.Listing) {
		server := x.Serve(l.Routes)
		asked, c := x.Open(campustest.Lina(), "A", "a"), pagetest.Still() // of the campus rives; Nadia answers those of nord
		x.Viewer = campustest.Sam()
		form := url.Values{"act": {"assign"}, "to_agent": {string(campustest.Nadia().Person)}, "number": {asked.Number}}
		resp, _ := pagetest.Ask(t, c, http.MethodPost, server.URL+"/helpdesk/tickets", form)
		if _, page := pagetest.Ask(t, c, http.MethodGet, server.URL+resp.Header.Get("Location"), nil); !strings.Contains(page, "This agent may not open it") {
			t.Errorf("the page does not say why: %s", page)
		}
		form.Set("to_agent", string(campustest.Sam().Person))
		now, err := x.Tickets.ByID(t.Context(), asked.ID)
		if err != nil || now.Assignee != "" {
			t.Errorf("%q has it, %v", now.Assignee, err)
		}
		pagetest.Ask(t, c, http.MethodPost, server.URL+"/helpdesk/tickets", form)
		if now, err = x.Tickets.ByID(t.Context(), asked.ID); err != nil || now.Assignee != campustest.Sam().Person {
			t.Errorf("%q has it, %v", now.Assignee, err)
		}
	})
}

func TestSeveralTicketsAreChangedAtOnceAndPutBack(t *testing.T) {
	each(t, func(t *testing.T, x *tickettest.Desk, l *listing.Listing) {
		server := x.Serve(l.Routes)
		c, sam := pagetest.Still(), campustest.Sam()
		a, b, gone := x.Open(campustest.Lina(), "A", "a"), x.Open(campustest.Lina(), "B", "b"), x.Open(campustest.Lina(), "C", "c")
		x.Change(gone, tickettest.By(ticket.Agent, sam), func(w *ticket.Work) error { return w.MergeInto(a.ID) })
		x.Viewer = sam
		form := url.Values{"act": {"take"}, "number": {a.Number, ticket.Spoken(b.Number), gone.Number, "00000001"}}
		resp, _ := pagetest.Ask(t, c, http.MethodPost, server.URL+"/helpdesk/tickets", form)
		result, _, _ := strings.Cut(resp.Header.Get("Location"), "?")
		if resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(result, "/helpdesk/bulk/") {
			t.Fatalf("got %d to %q", resp.StatusCode, result)
		}
		of := func(which ticket.Ticket) ticket.Ticket {
			now, err := x.Tickets.ByID(t.Context(), which.ID)
			if err != nil {
				t.Fatal(err)
			}
			return now
		}
		if of(a).Assignee != sam.Person || of(b).Assignee != sam.Person || of(gone).Assignee != "" {
			t.Errorf("they have %q, %q, %q", of(a).Assignee, of(b).Assignee, of(gone).Assignee)
		}
		_, page := pagetest.Ask(t, c, http.MethodGet, server.URL+result, nil)
		if !strings.Contains(page, "2 requests changed") || !strings.Contains(page, "does not go with where the request stands") || strings.Contains(page, "00000001") {
			t.Errorf("the page says %s", page)
		}
		// Somebody else changes one of them before it is put back.
		x.Change(of(b), tickettest.By(ticket.Agent, sam), func(w *ticket.Work) error { w.Note(ticket.Message{Body: "…"}); return nil })
		pagetest.Ask(t, c, http.MethodPost, server.URL+result+"/undo", url.Values{})
		if of(a).Assignee != "" || of(b).Assignee != sam.Person {
			t.Errorf("put back, they have %q and %q", of(a).Assignee, of(b).Assignee)
		}
		if resp, _ := pagetest.Ask(t, c, http.MethodPost, server.URL+result+"/undo", url.Values{}); resp.StatusCode != http.StatusGone {
			t.Errorf("undone twice: %d", resp.StatusCode)
		}
		if resp, _ := pagetest.Ask(t, c, http.MethodPost, server.URL+"/helpdesk/tickets", url.Values{"act": {"shred"}, "number": {a.Number}}); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("no such act: %d", resp.StatusCode)
		}
	})
}

func TestAnActThatLacksSomethingBringsTheListBackAsItWas(t *testing.T) {
	each(t, func(t *testing.T, x *tickettest.Desk, l *listing.Listing) {
		server, c := x.Serve(l.Routes), pagetest.Still()
		x.Viewer = campustest.Sam()
		var asked []ticket.Ticket
		for i := range 3 {
			asked = append(asked, x.Open(campustest.Lina(), fmt.Sprintf("Demande %d", i), "corps"))
		}
		urgent := x.Change(asked[0], tickettest.By(ticket.Agent, campustest.Sam()), func(w *ticket.Work) error { w.Prioritise(ticket.Urgent); return nil })
		_, page := pagetest.Ask(t, c, http.MethodGet, server.URL+"/helpdesk/tickets?state=running&sort=urgent&size=50&priority=normal", nil)
		action := regexp.MustCompile(`id="several"[^>]* action="([^"]+)"`).FindStringSubmatch(page)
		if action == nil {
			t.Fatal("nothing can be done with several")
		}
		address := html.UnescapeString(action[1])
		for name, lacking := range map[string]struct {
			form url.Values
			says string
		}{
			"nothing ticked":      {url.Values{"act": {"close"}}, "no request is ticked"},
			"a number too short":  {url.Values{"act": {"close"}, "number": {"123"}}, "no request is ticked"},
			"nobody to give to":   {url.Values{"act": {"assign"}, "number": {asked[1].Number}}, "Choose to whom the requests go"},
			"no agent":            {url.Values{"act": {"assign"}, "to_agent": {string(campustest.Lina().Person)}, "number": {asked[1].Number}}, "Choose to whom the requests go"},
			"no queue":            {url.Values{"act": {"move"}, "number": {asked[1].Number}}, "Choose the queue"},
			"a queue that is not": {url.Values{"act": {"move"}, "to_queue": {"x"}, "number": {asked[1].Number}}, "Choose the queue"},
			"no priority":         {url.Values{"act": {"priority"}, "to_priority": {"x"}, "number": {asked[1].Number}}, "Choose the priority"},
		} {
			resp, page := pagetest.Ask(t, c, http.MethodPost, server.URL+address, lacking.form)
			text := html.UnescapeString(page)
			if resp.StatusCode != http.StatusUnprocessableEntity || strings.Count(text, `<a href="#field-`) != 1 || !strings.Contains(text, lacking.says) {
				t.Errorf("%s: %d, or not one problem", name, resp.StatusCode)
			}
			if !strings.Contains(page, `value="`+lacking.form.Get("act")+`" selected`) || !strings.Contains(page, `name="priority"`) || !strings.Contains(page, action[0]) {
				t.Errorf("%s: the act, the filter or the size of the page is lost", name)
			}
			if strings.Contains(page, "/helpdesk/tickets/"+urgent.Number) || !strings.Contains(page, "/helpdesk/tickets/"+asked[2].Number) {
				t.Errorf("%s: another list comes back", name)
			}
			ticked := regexp.MustCompile(`value="(\d{8})" checked`).FindAllStringSubmatch(page, -1)
			if tick := lacking.form.Get("number"); len(tick) == 8 && (len(ticked) != 1 || ticked[0][1] != tick) || len(tick) != 8 && len(ticked) != 0 {
				t.Errorf("%s: ticked %v", name, ticked)
			}
		}
		resp, _ := pagetest.Ask(t, c, http.MethodPost, server.URL+address, url.Values{"act": {"take"}, "number": {asked[1].Number}})
		done, err := url.Parse(resp.Header.Get("Location"))
		if err != nil || resp.StatusCode != http.StatusSeeOther || done.Query().Get("priority") != "normal" || done.Query().Get("size") != "50" {
			t.Fatalf("done: %d, %s, %v", resp.StatusCode, done, err)
		}
		resp, _ = pagetest.Ask(t, c, http.MethodPost, server.URL+done.Path+"/undo?"+done.RawQuery, url.Values{})
		if back := resp.Header.Get("Location"); !strings.HasPrefix(back, "/helpdesk/tickets?") || !strings.Contains(back, "priority=normal") {
			t.Errorf("undone, it leads to %s", back)
		}
		for range 100 { // more than one act takes
			asked = append(asked, x.Open(campustest.Lina(), "Encore", "corps"))
		}
		form := url.Values{"act": {"close"}}
		for _, one := range asked {
			form.Add("number", one.Number)
		}
		if resp, page := pagetest.Ask(t, c, http.MethodPost, server.URL+address, form); resp.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "100 requests at most") {
			t.Errorf("too many: %d", resp.StatusCode)
		}
	})
}

func TestAPageListsAsManyAsItsAddressSays(t *testing.T) {
	each(t, func(t *testing.T, x *tickettest.Desk, l *listing.Listing) {
		server, c := x.Serve(l.Routes), pagetest.Still()
		x.Viewer = campustest.Sam()
		for range 60 {
			x.Open(campustest.Lina(), "S", "corps")
		}
		for query, want := range map[string]int{"": 25, "?size=50": 50, "?size=100": 60, "?size=25": 25, "?size=1000000": 25, "?size=-1": 25, "?size=x": 25} {
			_, page := pagetest.Ask(t, c, http.MethodGet, server.URL+"/helpdesk/tickets"+query, nil)
			if rows := strings.Count(page, `name="number"`); rows != want {
				t.Errorf("%q lists %d, want %d", query, rows, want)
			}
		}
		_, page := pagetest.Ask(t, c, http.MethodGet, server.URL+"/helpdesk/tickets?size=50", nil)
		page = html.UnescapeString(page)
		next := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(page)
		if next == nil || !strings.Contains(next[1], "size=50") {
			t.Fatalf("the next page forgets the size: %v", next)
		}
		if _, rest := pagetest.Ask(t, c, http.MethodGet, server.URL+next[1], nil); strings.Count(rest, `name="number"`) != 10 {
			t.Error("the next page lists others than the ten that are left")
		}
		if !strings.Contains(page, `href="/helpdesk/tickets?size=50" aria-current="page"`) || !strings.Contains(page, `type="hidden" name="size" value="50"`) {
			t.Error("the tabs or the search forget the size")
		}
	})
}
