package following_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/promise"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

var lina, hugo = tickettest.English(campustest.Lina()), tickettest.English(campustest.Paul())

func each(t *testing.T, test func(*testing.T, *tickettest.Front)) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) { test(t, tickettest.Open(x)) })
}

func shows(t *testing.T, body string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(body, part) {
			t.Errorf("no %q in\n%s", part, body)
		}
	}
}

// nobodys is a number that nobody has, with the digit that checks it.
var nobodys = func() string {
	for last := '0'; ; last++ {
		if number, ok := ticket.ParseNumber("1234567" + string(last)); ok {
			return number
		}
	}
}()

// answer is what an agent says.
func answer(f *tickettest.Front, t ticket.Ticket, body string) ticket.Ticket {
	return f.Change(t, tickettest.By(ticket.Agent, campustest.Nadia()), func(w *ticket.Work) error {
		w.Say(ticket.Message{Body: body})
		return w.Wait()
	})
}

func solve(f *tickettest.Front, t ticket.Ticket) ticket.Ticket {
	return f.Change(t, tickettest.By(ticket.Agent, campustest.Nadia()), (*ticket.Work).Solve)
}

func reload(t *testing.T, f *tickettest.Front, x ticket.Ticket) ticket.Ticket {
	t.Helper()
	got, err := f.Tickets.ByID(t.Context(), x.ID)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// every address of a ticket, with what it is asked.
func every(number string) map[string]url.Values {
	base := "/helpdesk/follow/" + number
	return map[string]url.Values{
		"GET " + base:              nil,
		"GET " + base + "/files/x": nil,
		"POST " + base + "/reply":  pagetest.Form("body", "mine now"),
		"POST " + base + "/solved": pagetest.Form(),
		"POST " + base + "/reopen": pagetest.Form(),
		"POST " + base + "/rating": pagetest.Form("answer", "3"),
	}
}

func TestSomebodyElsesRequestIsNotThere(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		theirs := solve(f, f.Open(lina, "Secret subject", "Secret words"))
		for who, viewer := range map[string]campus.Viewer{"somebody else": hugo, "an agent, here": campustest.Nadia(), "a stranger": {}} {
			f.Viewer = viewer
			for address, form := range every(theirs.Number) {
				method, path, _ := strings.Cut(address, " ")
				resp, body := pagetest.Ask(t, pagetest.Still(), method, f.Server.URL+path, form)
				want := http.StatusNotFound
				if !viewer.SignedIn() && path == "/helpdesk/follow/"+theirs.Number {
					want = http.StatusSeeOther // to where a stranger proves who they are
				}
				if resp.StatusCode != want || strings.Contains(body, "Secret") {
					t.Errorf("%s: %s answers %d", who, address, resp.StatusCode)
				}
			}
		}
		if now := reload(t, f, theirs); now.Version != theirs.Version {
			t.Error("somebody else changed it")
		}
	})
}

func TestANumberThatNobodyHasLooksLikeSomebodyElses(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		theirs := f.Open(lina, "Subject", "Words")
		for _, viewer := range []campus.Viewer{hugo, {}} {
			f.Viewer = viewer
			real, there := pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/follow/"+theirs.Number, nil)
			none, nowhere := pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/follow/"+nobodys, nil)
			if real.StatusCode != none.StatusCode || strings.ReplaceAll(real.Header.Get("Location"), theirs.Number, "") != strings.ReplaceAll(none.Header.Get("Location"), nobodys, "") || len(there)-len(nowhere) > 200 {
				t.Errorf("%d and %d", real.StatusCode, none.StatusCode)
			}
		}
	})
}

func TestTheRequesterReadsWhatIsPublic(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = lina
		mine := answer(f, f.Open(lina, "Moodle is empty", "No course"), "Which course?")
		f.Change(mine, tickettest.By(ticket.Agent, campustest.Nadia()), func(w *ticket.Work) error {
			w.Note(ticket.Message{Body: "Among ourselves"})
			return nil
		})
		_, body := pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/follow/"+mine.Number, nil)
		shows(t, body, ticket.Spoken(mine.Number), "No course", "Which course?", "We wait for your answer.", "Accounts")
		if strings.Contains(body, "Among ourselves") {
			t.Error("the requester reads a note")
		}
		if len(f.Told) == 0 || !strings.Contains(f.Told[0].TitleEnglish, ticket.Spoken(mine.Number)) || f.Told[0].URL != "/helpdesk/follow/"+mine.Number {
			t.Errorf("told %+v", f.Told)
		}
		for _, n := range f.Told {
			if strings.Contains(n.DetailEnglish+n.TitleEnglish, "ourselves") {
				t.Error("a note is told")
			}
		}
	})
}

func TestPromisedTimesAndHonestEstimatesAreShown(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = lina
		mine := f.Open(lina, "S", "W")
		f.Outlooked = promise.Outlook{
			AnswerDue: tickettest.Start.Add(4 * time.Hour), SolveDue: tickettest.Start.Add(48 * time.Hour), Ahead: 3,
			Answer: promise.Estimate{Usual: tickettest.Start.Add(2 * time.Hour), Cases: 40},
		}
		at := f.Server.URL + "/helpdesk/follow/" + mine.Number
		_, body := pagetest.Ask(t, pagetest.Still(), "GET", at, nil)
		shows(t, body, "First answer promised by", "2026-11-23T13:00:00Z", "Solution promised by", "as it usually goes", "2026-11-23T11:00:00Z", "3 requests", `data-zone="Europe/Paris"`)
		f.Outlooked.Answer = promise.Estimate{Cases: 40, Overdue: true}
		_, body = pagetest.Ask(t, pagetest.Still(), "GET", at, nil)
		shows(t, body, "It takes longer than usual.")
		f.Outlooked = promise.Outlook{Still: ticket.Waiting, AnswerDue: tickettest.Start, SolveDue: tickettest.Start, Ahead: -1}
		if _, body = pagetest.Ask(t, pagetest.Still(), "GET", at, nil); strings.Contains(body, "promised by") {
			t.Error("times that stand still are promised")
		}
	})
}

func TestAnAnswerBringsTheRequestBackAndHidesPasswords(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = lina
		mine := answer(f, f.Open(lina, "S", "W"), "Which course?")
		told := len(f.Told)
		resp, _ := pagetest.Ask(t, pagetest.Still(), "POST", f.Server.URL+"/helpdesk/follow/"+mine.Number+"/reply", pagetest.Form("body", "Algebra. password: Hunter2hunter"))
		now := reload(t, f, mine)
		thread, err := f.Tickets.Thread(t.Context(), mine.ID)
		if err != nil || resp.StatusCode != http.StatusSeeOther || now.State != ticket.Open || strings.Contains(thread.Messages[2].Body, "Hunter2") {
			t.Errorf("%d, %s, %v", resp.StatusCode, now.State, err)
		}
		if len(f.Told) != told {
			t.Error("people are told of their own words")
		}
		resp, body := pagetest.Ask(t, pagetest.Still(), "POST", f.Server.URL+"/helpdesk/follow/"+mine.Number+"/reply", pagetest.Form("body", " "))
		if resp.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("nothing said: %d", resp.StatusCode)
		}
		shows(t, body, "Write something")
	})
}

func TestARequestIsClosedRatedAndTakenUpAgain(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = lina
		mine := f.Open(lina, "S", "W")
		at := f.Server.URL + "/helpdesk/follow/" + mine.Number
		c := pagetest.Still()
		if resp, _ := pagetest.Ask(t, c, "POST", at+"/rating", pagetest.Form("answer", "3")); resp.StatusCode != http.StatusConflict {
			t.Errorf("rated while it runs: %d", resp.StatusCode)
		}
		pagetest.Ask(t, c, "POST", at+"/solved", pagetest.Form())
		if now := reload(t, f, mine); now.State != ticket.Closed {
			t.Errorf("it is %s", now.State)
		}
		if resp, _ := pagetest.Ask(t, c, "POST", at+"/rating", pagetest.Form("answer", "4")); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("an answer that is none: %d", resp.StatusCode)
		}
		pagetest.Ask(t, c, "POST", at+"/rating", pagetest.Form("answer", "3", "words", "quick"))
		if now := reload(t, f, mine); now.Rating != ticket.RatedYes || now.RatingWords != "quick" || now.State != ticket.Closed {
			t.Errorf("%+v", now)
		}
		pagetest.Ask(t, c, "POST", at+"/reopen", pagetest.Form())
		if now := reload(t, f, mine); now.State != ticket.Open || now.Reopened != 1 {
			t.Errorf("%s, %d", now.State, now.Reopened)
		}
		if resp, _ := pagetest.Ask(t, c, "POST", at+"/reopen", pagetest.Form()); resp.StatusCode != http.StatusConflict {
			t.Errorf("taken up twice: %d", resp.StatusCode)
		}
	})
}

func TestALetterOpensItsRequestByAButtonAlone(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		mine := solve(f, f.Open(lina, "S", "Secret words"))
		letter := f.Server.URL + strings.TrimPrefix(f.Following.LetterURL(mine), "https://ent.valmont.example")
		c := pagetest.Still()
		resp, body := pagetest.Ask(t, c, "GET", letter, nil) // as a mail scanner does
		if resp.StatusCode != http.StatusOK || strings.Contains(body, "Secret") || len(resp.Cookies()) != 0 {
			t.Errorf("a look into the letter: %d, %v", resp.StatusCode, resp.Cookies())
		}
		resp, _ = pagetest.Ask(t, c, "POST", letter, pagetest.Form())
		_, body = pagetest.Ask(t, c, "GET", f.Server.URL+resp.Header.Get("Location"), nil)
		shows(t, body, "Secret words")
		other := f.Open(lina, "S", "Other words")
		if resp, _ = pagetest.Ask(t, c, "GET", f.Server.URL+"/helpdesk/follow/"+other.Number, nil); resp.StatusCode != http.StatusSeeOther {
			t.Error("a letter opens another request")
		}
		for _, address := range []string{letter[:len(letter)-2], letter + "x", f.Server.URL + "/helpdesk/letter/x"} {
			for _, part := range []string{"", "/rating"} {
				for _, method := range []string{"GET", "POST"} {
					if resp, _ := pagetest.Ask(t, pagetest.Still(), method, address+part, pagetest.Form("answer", "3")); resp.StatusCode != http.StatusGone {
						t.Errorf("%s %s: %d", method, address+part, resp.StatusCode)
					}
				}
			}
		}
		pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/follow/leave", pagetest.Form())
		if resp, _ = pagetest.Ask(t, c, "GET", f.Server.URL+"/helpdesk/follow/"+mine.Number, nil); resp.StatusCode != http.StatusSeeOther {
			t.Error("the browser keeps what it gave up")
		}
	})
}

func TestALetterIsRatedByItsOneQuestion(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		mine := solve(f, f.Open(lina, "S", "W"))
		rating := f.Server.URL + strings.TrimPrefix(f.Following.RatingURL(mine), "https://ent.valmont.example")
		_, body := pagetest.Ask(t, pagetest.Still(), "GET", rating+"?answer=1", nil)
		shows(t, body, "Did this solve it?")
		if now := reload(t, f, mine); now.Rating != 0 {
			t.Error("a look rates")
		}
		pagetest.Ask(t, pagetest.Still(), "POST", rating, pagetest.Form("answer", "1"))
		if now := reload(t, f, mine); now.Rating != ticket.RatedNo || now.State != ticket.Open {
			t.Errorf("%d, %s", now.Rating, now.State)
		}
	})
}

func TestALetterEndsSomeTimeAfterItsRequest(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		mine := f.Change(f.Open(lina, "S", "W"), tickettest.By(ticket.Agent, campustest.Nadia()), (*ticket.Work).Close)
		letter := f.Server.URL + strings.TrimPrefix(f.Following.LetterURL(mine), "https://ent.valmont.example")
		f.Clock.Advance(61 * 24 * time.Hour)
		if resp, _ := pagetest.Ask(t, pagetest.Still(), "POST", letter, pagetest.Form()); resp.StatusCode != http.StatusGone {
			t.Errorf("%d", resp.StatusCode)
		}
	})
}

// prove asks for requests by an address, and types the code.
func prove(t *testing.T, f *tickettest.Front, c *http.Client, number, contact string) string {
	t.Helper()
	resp, _ := pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/follow", pagetest.Form("number", number, "contact", contact))
	if resp.Header.Get("Location") != "/helpdesk/proof" {
		t.Fatalf("%d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	resp, _ = pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/proof", pagetest.Form("code", tickettest.RightCode))
	return resp.Header.Get("Location")
}

func TestARequestIsFoundByItsNumberAndItsAddress(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		mine := f.Open(lina, "S", "Secret words")
		f.Whose["lina@home.example"] = lina.Person
		for name, test := range map[string]struct {
			number, contact string
			to              string
		}{
			"the address of the request":           {ticket.Spoken(mine.Number), lina.Mail, "/helpdesk/follow/" + mine.Number},
			"capitals":                             {mine.Number, strings.ToUpper(lina.Mail), "/helpdesk/follow/" + mine.Number},
			"another address of the same person":   {mine.Number, "lina@home.example", "/helpdesk/follow/" + mine.Number},
			"all of an address":                    {"", lina.Mail, "/helpdesk/follow"},
			"somebody else's address":              {mine.Number, "hugo@home.example", "/helpdesk/follow?none=1"},
			"a number that nobody has":             {nobodys, lina.Mail, "/helpdesk/follow?none=1"},
			"an address that nobody ever used":     {"", "hugo@home.example", "/helpdesk/follow?none=1"},
			"a telephone that the request has not": {mine.Number, "+33639980000", "/helpdesk/follow?none=1"},
		} {
			f.Clock.Advance(25 * time.Hour)
			c := pagetest.Still()
			if to := prove(t, f, c, test.number, test.contact); to != test.to {
				t.Errorf("%s leads to %q", name, to)
			}
			resp, body := pagetest.Ask(t, c, "GET", f.Server.URL+"/helpdesk/follow/"+mine.Number, nil)
			if open := resp.StatusCode == http.StatusOK && strings.Contains(body, "Secret words"); open != !strings.Contains(test.to, "none") {
				t.Errorf("%s: open %t", name, open)
			}
		}
	})
}

func TestFindingAsksTheSameOfEverybody(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		mine := f.Open(lina, "S", "W")
		for _, number := range []string{mine.Number, nobodys} {
			resp, _ := pagetest.Ask(t, pagetest.Still(), "POST", f.Server.URL+"/helpdesk/follow", pagetest.Form("number", number, "contact", "hugo@home.example"))
			if resp.Header.Get("Location") != "/helpdesk/proof" {
				t.Errorf("%s: %d", number, resp.StatusCode)
			}
			f.Clock.Advance(time.Minute)
		}
		for name, form := range map[string]url.Values{
			"a wrong digit": pagetest.Form("number", "1"+nobodys[:6]+"x", "contact", "a@b.example"), "no address": pagetest.Form("number", mine.Number), "an address of air": pagetest.Form("contact", "nonsense"),
		} {
			if resp, _ := pagetest.Ask(t, pagetest.Still(), "POST", f.Server.URL+"/helpdesk/follow", form); resp.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("%s: %d", name, resp.StatusCode)
			}
		}
	})
}

func TestAnAlteredCookieOpensNothing(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		mine := f.Open(lina, "S", "W")
		c := pagetest.Still()
		prove(t, f, c, mine.Number, lina.Mail)
		base, err := url.Parse(f.Server.URL)
		if err != nil {
			t.Fatal(err)
		}
		var sealed string
		for _, cookie := range c.Jar.Cookies(base) {
			if strings.Contains(cookie.Name, "follow") {
				sealed = cookie.Name + "=" + cookie.Value
			}
		}
		at := f.Server.URL + "/helpdesk/follow/" + mine.Number
		if resp, _ := pagetest.Ask(t, pagetest.Still(), "GET", at, nil, "Cookie", sealed); resp.StatusCode != http.StatusOK {
			t.Fatalf("its own cookie: %d", resp.StatusCode)
		}
		if resp, _ := pagetest.Ask(t, pagetest.Still(), "GET", at, nil, "Cookie", sealed[:len(sealed)-4]+"AAAA"); resp.StatusCode != http.StatusSeeOther {
			t.Errorf("an altered one: %d", resp.StatusCode)
		}
		f.Clock.Advance(13 * time.Hour)
		if resp, _ := pagetest.Ask(t, pagetest.Still(), "GET", at, nil, "Cookie", sealed); resp.StatusCode != http.StatusSeeOther {
			t.Errorf("one of yesterday: %d", resp.StatusCode)
		}
	})
}

func TestTheListOfOnesOwnRequests(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = lina
		_, body := pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/mine", nil)
		shows(t, body, "Your requests will stand here")
		f.Open(hugo, "Not mine", "W")
		for range 22 {
			f.Open(lina, "Printer on floor two", "W")
		}
		found := f.Open(lina, "École de l’été", "W")
		solve(f, f.Open(lina, "Old story", "W"))
		_, body = pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/mine", nil)
		shows(t, body, "Old story", "page=2")
		if strings.Contains(body, "Not mine") {
			t.Error("somebody else's request is in the list")
		}
		_, body = pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/mine?q=ecole", nil)
		if shows(t, body, "École de l’été"); strings.Contains(body, "Printer") {
			t.Error("the search finds everything")
		}
		_, body = pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/mine?q="+url.QueryEscape(ticket.Spoken(found.Number)), nil)
		shows(t, body, "École de l’été")
		_, body = pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/mine?show=over&page=99", nil)
		if shows(t, body, "Old story"); strings.Contains(body, "Printer") {
			t.Error("what is over and what is not stand together")
		}
		f.Viewer = campus.Viewer{}
		if resp, _ := pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/mine", nil); resp.StatusCode != http.StatusSeeOther {
			t.Errorf("a stranger: %d", resp.StatusCode)
		}
	})
}

func TestCardsShowOpenRequestsToTheirOwnersAndToAgents(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		mine := f.Open(lina, "Open one", "W")
		ctx := t.Context()
		cards, err := f.Following.Cards(ctx, lina)
		if err != nil || len(cards) != 1 || cards[0].Rows[0].URL != "/helpdesk/follow/"+mine.Number {
			t.Errorf("%+v, %v", cards, err)
		}
		if cards, err = f.Following.Cards(ctx, hugo); err != nil || len(cards) != 0 {
			t.Errorf("%+v, %v", cards, err)
		}
		if cards, err = f.Following.About(ctx, hugo, lina.Person); err != nil || len(cards) != 0 {
			t.Errorf("somebody without the right reads %+v, %v", cards, err)
		}
		agent := campus.Viewer{Person: "n", Rights: []campus.Right{campus.RightHelpdesk}}
		if cards, err = f.Following.About(ctx, agent, lina.Person); err != nil || len(cards) != 1 || cards[0].Rows[0].URL != "/helpdesk/tickets/"+mine.Number {
			t.Errorf("an agent reads %+v, %v", cards, err)
		}
		elsewhere := campus.Viewer{Person: "m", Mandates: []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "moon"}}}
		if cards, err = f.Following.About(ctx, elsewhere, lina.Person); err != nil || len(cards) != 1 || len(cards[0].Rows) != 0 {
			t.Errorf("an agent of another campus reads %+v, %v", cards, err)
		}
		hits, err := f.Following.Search(ctx, lina, "open")
		if err != nil || len(hits) != 1 {
			t.Errorf("%+v, %v", hits, err)
		}
		if hits, err = f.Following.Search(ctx, hugo, "open"); err != nil || len(hits) != 0 {
			t.Errorf("somebody else finds %+v, %v", hits, err)
		}
	})
}
