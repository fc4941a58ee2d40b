package asking_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/asking"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// suspended is what stopped the browser of the tests.
var suspended = fault.Declare(fault.Forbidden, "identity.account_suspended")

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

// request is the form of a request, with what a test changes.
func request(pairs ...string) url.Values {
	form := pagetest.Form("way", "signin/refused/sure", "subject", "I cannot sign in", "body", "It says no.", "area", "account")
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// only is the one ticket there is.
func only(t *testing.T, f *tickettest.Front, of campus.PersonID, mail string) ticket.Ticket {
	t.Helper()
	list, err := f.Tickets.Of(t.Context(), of)
	if of == "" {
		list, err = f.Tickets.OfMail(t.Context(), mail)
	}
	if err != nil || len(list) != 1 {
		t.Fatalf("%d tickets, %v", len(list), err)
	}
	return list[0]
}

func TestTheStartPageOffersAnswersBeforeAnybodyAsks(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Suggested = []diagnosis.Suggestion{{Title: "Moodle is out of order", URL: "/helpdesk/status", Outage: true}}
		_, body := pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk?q=code", nil)
		shows(t, body, "My code does not arrive", "Moodle is out of order", "Follow a request", "I cannot sign in")
		f.Suggested = []diagnosis.Suggestion{{}} // who suggests is away
		resp, body := pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk?q=nothing", nil)
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%d", resp.StatusCode)
		}
		shows(t, body, "Nothing that was written fits")
	})
}

func TestASignInThatFailedAnswersTheGuide(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.SignIn = &contract.SignIn{Code: "K7F-3Q9", At: tickettest.Start, Reason: suspended.Code(), Typed: "lmartin"}
		_, body := pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk", nil)
		shows(t, body, "/helpdesk/ask/signin?code=K7F-3Q9")
		_, body = pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/ask/signin?code=K7F-3Q9", nil)
		shows(t, body, "We know already", "K7F-3Q9", "Write to the help desk")
		_, body = pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/ask/signin?code=none", nil)
		shows(t, body, "What happens when you sign in?")
		f.Clock.Advance(61 * time.Minute) // somebody else may sit there now
		if _, body = pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk", nil); strings.Contains(body, "K7F-3Q9") {
			t.Error("an old sign-in is told unbidden")
		}
	})
}

func TestAnotherBrowserLearnsNothingOfAnAccountFromACode(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Elsewhere = &contract.SignIn{Code: "K7F-3Q9", At: tickettest.Start}
		_, body := pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/ask/write?way=signin&code=K7F-3Q9", nil)
		shows(t, body, "K7F-3Q9")
		if strings.Contains(body, suspended.Code()) || strings.Contains(body, "lmartin") {
			t.Error("a stranger reads what stopped somebody")
		}
	})
}

func TestTheLedgerAnswersInsteadOfATicket(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = tickettest.English(campustest.Lina())
		f.Account = &contract.ServiceAccount{Service: "moodle", State: contract.AccountQueued, Estimate: tickettest.Start.Add(16 * time.Hour), Message: "Your Moodle account is made tonight.", Next: "Nothing to do."}
		_, body := pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/ask/service", nil)
		shows(t, body, "Which service is it?", "service=moodle")
		_, body = pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/ask/service?service=moodle", nil)
		shows(t, body, "Your Moodle account is made tonight.", "Nothing to do.", "That was not it")
		f.Viewer = campus.Viewer{} // nobody's ledger is read for a stranger
		_, body = pagetest.Ask(t, pagetest.Still(), "GET", f.Server.URL+"/helpdesk/ask/service?service=moodle", nil)
		if strings.Contains(body, "tonight") {
			t.Error("a stranger reads the ledger")
		}
	})
}

func TestWhoHasSignedInSendsARequestThatFillsItself(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = tickettest.English(campustest.Lina())
		c := pagetest.Still()
		_, body := pagetest.Ask(t, c, "GET", f.Server.URL+"/helpdesk/ask/write?way=service/only_this/not_let_in&service=moodle", nil)
		shows(t, body, "Moodle: It does not work as it should", "What leaves with it", "New passwords lately", f.Viewer.Login)
		form := request("service", "moodle", "area", "service")
		form["keep"] = []string{"service", "browser"}
		resp, _ := pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/ask/write", form, "User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
		got := only(t, f, f.Viewer.Person, "")
		if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/helpdesk/follow/"+got.Number {
			t.Fatalf("%d to %s", resp.StatusCode, resp.Header.Get("Location"))
		}
		thread, err := f.Tickets.Thread(t.Context(), got.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.Service != "moodle" || got.Area != ticket.AreaService || got.Requester != f.Viewer.Person || got.Campus != f.Viewer.Affiliations[0].Campus || got.ProvedAt.IsZero() {
			t.Errorf("%+v", got)
		}
		if len(thread.Facts) != 2 || !strings.Contains(thread.Facts[1].Content, "Firefox 140") {
			t.Errorf("facts that were taken away left: %v", thread.Facts)
		}
	})
}

func TestAPasswordInARequestIsHiddenBeforeItIsKept(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = tickettest.English(campustest.Lina())
		pagetest.Ask(t, pagetest.Still(), "POST", f.Server.URL+"/helpdesk/ask/write", request("body", "my password: Hunter2hunter", "subject", "mdp: Hunter2hunter"))
		got := only(t, f, f.Viewer.Person, "")
		thread, err := f.Tickets.Thread(t.Context(), got.ID)
		if err != nil || strings.Contains(thread.Messages[0].Body+got.Subject, "Hunter2") {
			t.Errorf("%q, %q, %v", got.Subject, thread.Messages[0].Body, err)
		}
	})
}

func TestMistakesAreExplainedAndNothingIsLost(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		for name, test := range map[string]struct {
			form url.Values
			says string
		}{
			"no subject":        {request("subject", "", "contact", "a@b.example"), "Say in a few words what it is about."},
			"no words":          {request("body", " ", "contact", "a@b.example"), "Say what happened."},
			"no address":        {request(), "Give a mail address or a mobile number"},
			"an address of air": {request("contact", "nonsense"), "helpdesk_test.address_wrong"},
			"an area of air":    {request("area", "moon", "contact", "a@b.example"), "Choose from the list."},
			"far too long":      {request("body", strings.Repeat("é", 10001), "contact", "a@b.example"), "At most 10"},
		} {
			t.Run(name, func(t *testing.T) {
				resp, body := pagetest.Ask(t, pagetest.Still(), "POST", f.Server.URL+"/helpdesk/ask/write", test.form)
				if resp.StatusCode != http.StatusUnprocessableEntity {
					t.Errorf("%d", resp.StatusCode)
				}
				shows(t, body, test.says, "signin/refused/sure")
			})
		}
		if len(f.Sent) != 0 || len(f.Heard) != 0 {
			t.Errorf("%d codes, %d tickets", len(f.Sent), len(f.Heard))
		}
	})
}

func TestAStrangerSendsARequestAfterACode(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		lina := campustest.Lina()
		f.Whose["lina@home.example"] = lina.Person
		for address, owner := range map[string]campus.PersonID{"lina@home.example": lina.Person, "nobody@home.example": ""} {
			c := pagetest.Still()
			resp, _ := pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/ask/write", request("contact", address))
			if resp.Header.Get("Location") != "/helpdesk/proof" {
				t.Fatalf("%d to %q", resp.StatusCode, resp.Header.Get("Location"))
			}
			_, body := pagetest.Ask(t, c, "GET", f.Server.URL+"/helpdesk/proof", nil)
			shows(t, body, "…@home.example")
			resp, body = pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/proof", pagetest.Form("code", "000000"))
			if resp.StatusCode != http.StatusUnprocessableEntity || len(f.Heard) != 0 {
				t.Fatalf("a wrong code: %d, %d tickets", resp.StatusCode, len(f.Heard))
			}
			shows(t, body, "helpdesk_test.code_wrong")
			resp, _ = pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/proof", pagetest.Form("code", tickettest.RightCode))
			got := only(t, f, owner, address)
			if resp.Header.Get("Location") != "/helpdesk/follow/"+got.Number+"?opened=yes" || got.Requester != owner || got.RequesterMail != address {
				t.Errorf("to %q: %+v", resp.Header.Get("Location"), got)
			}
			_, body = pagetest.Ask(t, c, "GET", f.Server.URL+"/helpdesk/follow/"+got.Number, nil)
			shows(t, body, ticket.Spoken(got.Number), "It says no.")
			if resp, _ = pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/proof", pagetest.Form("code", tickettest.RightCode)); resp.StatusCode != http.StatusGone {
				t.Errorf("the code opened twice: %d", resp.StatusCode)
			}
			f.Heard = nil
			f.Clock.Advance(time.Minute)
		}
	})
}

func TestWhatWaitsForACodeBelongsToItsBrowser(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		pagetest.Ask(t, pagetest.Still(), "POST", f.Server.URL+"/helpdesk/ask/write", request("contact", "a@home.example"))
		for _, method := range []string{"GET", "POST"} {
			if resp, _ := pagetest.Ask(t, pagetest.Still(), method, f.Server.URL+"/helpdesk/proof", pagetest.Form("code", tickettest.RightCode)); resp.StatusCode != http.StatusGone {
				t.Errorf("%s by another browser: %d", method, resp.StatusCode)
			}
		}
		if resp, _ := pagetest.Ask(t, pagetest.Still(), "POST", f.Server.URL+"/helpdesk/proof/send", pagetest.Form()); resp.StatusCode != http.StatusGone {
			t.Errorf("another browser has codes sent: %d", resp.StatusCode)
		}
	})
}

func TestNobodyIsFloodedWithCodes(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		status := 0
		for range 8 {
			resp, _ := pagetest.Ask(t, pagetest.Still(), "POST", f.Server.URL+"/helpdesk/ask/write", request("contact", "Victim@home.example"))
			status = resp.StatusCode
			f.Clock.Advance(time.Minute)
		}
		if len(f.Sent) != 5 || status != http.StatusTooManyRequests {
			t.Errorf("%d codes in eight minutes, then %d", len(f.Sent), status)
		}
		for range 30 { // hours
			pagetest.Ask(t, pagetest.Still(), "POST", f.Server.URL+"/helpdesk/ask/write", request("contact", "victim@home.example"))
			f.Clock.Advance(20 * time.Minute)
		}
		if len(f.Sent) > 12 {
			t.Errorf("%d codes in ten hours", len(f.Sent))
		}
	})
}

func TestASecondCodeRightAwayIsNotSent(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		c := pagetest.Still()
		pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/ask/write", request("contact", "a@home.example"))
		if resp, _ := pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/proof/send", pagetest.Form()); resp.StatusCode != http.StatusTooManyRequests || len(f.Sent) != 1 {
			t.Errorf("%d, %d codes", resp.StatusCode, len(f.Sent))
		}
		f.Clock.Advance(31 * time.Second)
		if resp, _ := pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/proof/send", pagetest.Form()); resp.StatusCode != http.StatusSeeOther || len(f.Sent) != 2 {
			t.Errorf("%d, %d codes", resp.StatusCode, len(f.Sent))
		}
	})
}

func TestOnePersonOpensTenRequestsAnHour(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = tickettest.English(campustest.Lina())
		status := 0
		for range 11 {
			resp, _ := pagetest.Ask(t, pagetest.Still(), "POST", f.Server.URL+"/helpdesk/ask/write", request())
			status = resp.StatusCode
		}
		if status != http.StatusTooManyRequests || len(f.Heard) != 10 {
			t.Errorf("%d, %d requests", status, len(f.Heard))
		}
		f.Clock.Advance(time.Hour)
		if resp, _ := pagetest.Ask(t, pagetest.Still(), "POST", f.Server.URL+"/helpdesk/ask/write", request()); resp.StatusCode != http.StatusSeeOther {
			t.Errorf("an hour later: %d", resp.StatusCode)
		}
	})
}

// withFile sends a request with a file beside it.
func withFile(t *testing.T, f *tickettest.Front, c *http.Client, fields url.Values) *http.Response {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, values := range fields {
		if err := form.WriteField(name, values[0]); err != nil {
			t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("files", "error.log")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write([]byte("Error 500\n")); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	resp, err := c.Post(f.Server.URL+"/helpdesk/ask/write", form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return resp
}

// brought are the files of the first message of a ticket.
func brought(t *testing.T, f *tickettest.Front, x ticket.Ticket) []ticket.Attachment {
	t.Helper()
	thread, err := f.Tickets.Thread(t.Context(), x.ID)
	if err != nil {
		t.Fatal(err)
	}
	return thread.Messages[0].Files
}

func TestFilesGoWithARequest(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = tickettest.English(campustest.Lina())
		withFile(t, f, pagetest.Still(), request())
		if got := brought(t, f, only(t, f, f.Viewer.Person, "")); len(got) != 1 || got[0].Name != "error.log" || got[0].Ref == "" {
			t.Errorf("%+v", got)
		}
	})
}

func TestARobotDoesNotFillTheShelves(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		var c *http.Client
		for n := range 61 {
			c = pagetest.Still()
			withFile(t, f, c, request("contact", fmt.Sprintf("robot%d@home.example", n)))
		}
		pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/proof", pagetest.Form("code", tickettest.RightCode))
		if got := brought(t, f, only(t, f, "", "robot60@home.example")); len(got) != 1 || got[0].Ref != "" || got[0].Refused != asking.FilesLater.Code() {
			t.Errorf("%+v", got)
		}
	})
}
