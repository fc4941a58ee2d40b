package casserver

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

func TestATicketWorksOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.enter(lina())
		ticket := h.ticketFor(moodle)
		if answer := h.check(moodle, ticket); !strings.Contains(answer, "authenticationSuccess") {
			t.Fatal(answer)
		}
		if answer := h.check(moodle, ticket); !strings.Contains(answer, `code="INVALID_TICKET"`) || !strings.Contains(answer, "works once") {
			t.Error(answer)
		}
	})
}

func TestOfFiftyWhoValidateOneTicketOneSucceeds(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.enter(lina())
		ticket := h.ticketFor(moodle)
		var won, lost atomic.Int32
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				switch said := h.check(moodle, ticket); {
				case strings.Contains(said, "authenticationSuccess"):
					won.Add(1)
				case strings.Contains(said, `code="INVALID_TICKET"`):
					lost.Add(1)
				default:
					t.Error(said)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 || lost.Load() != 49 {
			t.Errorf("%d won, %d lost", won.Load(), lost.Load())
		}
	})
}

func TestRefusedValidationsSayWhyAndAreKeptForTheTechnicalContact(t *testing.T) {
	plainHTTP := "http" + strings.TrimPrefix(moodle, "https")
	each(t, func(t *testing.T, h *house) {
		for name, c := range map[string]struct {
			ask        func() string
			code       cas.Code
			reason     *fault.Reason
			difference cas.Difference
		}{
			"too late": {func() string {
				ticket := h.ticketFor(moodle)
				h.clock.Advance(h.config.TicketLifetime)
				return h.check(moodle, ticket)
			}, cas.InvalidTicket, TicketExpired, cas.Same},
			"for another address": {func() string {
				ticket := h.ticketFor(moodle)
				answer := h.check(plainHTTP, ticket)
				if second := h.check(moodle, ticket); !strings.Contains(second, "INVALID_TICKET") {
					t.Errorf("the ticket survived: %s", second)
				}
				return answer
			}, cas.InvalidService, TicketOfAnother, cas.OtherScheme},
			"for an address that is none": {func() string { return h.check("moodle", h.ticketFor(moodle)) }, cas.InvalidService, TicketOfAnother, cas.Unreadable},
			"never issued":                {func() string { return h.check(moodle, cas.ServiceTicket.New()) }, cas.InvalidTicket, TicketUnknown, cas.Same},
			"after the session": {func() string {
				v := lina()
				v.Session = "another session of hers"
				h.enter(v)
				ticket := h.ticketFor(moodle)
				h.endSession(v.Session)
				return h.check(moodle, ticket)
			}, cas.InvalidTicket, TicketEnded, cas.Same},
		} {
			t.Run(name, func(t *testing.T) {
				h.enter(lina())
				if answer := c.ask(); !strings.Contains(answer, `code="`+string(c.code)+`"`) {
					t.Error(answer)
				}
				noted := h.gate.noted("moodle")
				if !slices.ContainsFunc(noted, func(i gate.Incident) bool { return i.Reason == c.reason && i.Difference == string(c.difference) }) {
					t.Errorf("no incident %s %q in %+v", c.reason.Code(), c.difference, noted)
				}
			})
		}
	})
}

func TestEachFormatOfTheAnswer(t *testing.T) {
	h := one(t)
	h.enter(lina())
	ask := func(path, ticket string) *httptest.ResponseRecorder {
		return h.get(path + "?" + url.Values{"service": {library}, "ticket": {ticket}, "format": {"json"}}.Encode())
	}
	w := ask("/cas/p3/serviceValidate", h.ticketFor(library))
	var answer struct {
		ServiceResponse struct {
			AuthenticationSuccess struct{ User string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.ServiceResponse.AuthenticationSuccess.User != "lmartin" {
		t.Errorf("%v: %s", err, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Error(got)
	}
	if w := ask("/cas/serviceValidate", "ST-x"); !strings.Contains(w.Body.String(), `"code": "INVALID_TICKET"`) {
		t.Error(w.Body)
	}
	if w := ask("/cas/validate", h.ticketFor(library)); w.Body.String() != "yes\nlmartin\n" {
		t.Errorf("%q", w.Body)
	}
	if w := ask("/cas/validate", "ST-x"); w.Body.String() != "no\n\n" {
		t.Errorf("%q", w.Body)
	}
	for _, h := range []http.Header{w.Header()} {
		if h.Get("Set-Cookie") != "" || h.Get("Cache-Control") != "no-store" {
			t.Error(h)
		}
	}
}

func TestWhatIsNoQuestionIsAnsweredAsSuch(t *testing.T) {
	h := one(t)
	for path, code := range map[string]cas.Code{
		"/cas/serviceValidate":                          cas.InvalidRequest,
		"/cas/serviceValidate?ticket=ST-a":              cas.InvalidRequest,
		"/cas/serviceValidate?service=" + library:       cas.InvalidRequest,
		"/cas/serviceValidate?service=%zz&ticket=ST-a":  cas.InvalidRequest,
		"/cas/serviceValidate?service=a&ticket=PT-abc":  cas.InvalidTicketSpec,
		"/cas/serviceValidate?service=a&ticket=bogus":   cas.InvalidTicket,
		"/cas/serviceValidate?service=a&ticket=ST-%00":  cas.InvalidTicket,
		"/cas/serviceValidate?service=%ff&ticket=ST-ab": cas.InvalidTicket,
	} {
		if w := h.get(path); w.Code != 200 || !strings.Contains(w.Body.String(), `code="`+string(code)+`"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestGuessingIsSlowedButValidTicketsOfOthersAreNot(t *testing.T) {
	h := one(t)
	h.enter(lina())
	ticket := h.ticketFor(library)
	from := func(address string, ticket string) string {
		r := httptest.NewRequest(http.MethodGet, "/cas/serviceValidate?"+url.Values{"service": {library}, "ticket": {ticket}}.Encode(), nil)
		r.RemoteAddr = address + ":4711"
		return h.ask(r).Body.String()
	}
	for range 601 {
		from("203.0.113.9", "ST-guess")
	}
	if said := from("203.0.113.9", "ST-guess"); !strings.Contains(said, `code="INTERNAL_ERROR"`) {
		t.Error(said)
	}
	if said := from("192.0.2.7", ticket); !strings.Contains(said, "authenticationSuccess") {
		t.Error(said)
	}
}

func TestAttributesThatCannotBeReadLeaveTheTicketAlone(t *testing.T) {
	h := one(t)
	h.enter(lina())
	ticket := h.ticketFor(moodle)
	h.gate.unread = errors.New("the database does not answer")
	if answer := h.check(moodle, ticket); !strings.Contains(answer, "INTERNAL_ERROR") {
		t.Error(answer)
	}
	h.gate.unread = nil
	if answer := h.check(moodle, ticket); !strings.Contains(answer, "authenticationSuccess") {
		t.Error(answer)
	}
}

func TestTicketsAreStoredAsHashesUntilTheyAreSpent(t *testing.T) {
	h := one(t)
	h.enter(campustest.Lina())
	ticket := h.ticketFor(library)
	row, err := h.Answers.Find(t.Context(), ticket)
	if err != nil || row.ID != id.Hash(ticket) || row.Handle != "" {
		t.Errorf("%+v, %v", row, err)
	}
}

func BenchmarkIssueAndValidate(b *testing.B) {
	h := one(b)
	h.enter(lina())
	var n atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			address := library + "?n=" + strconv.FormatInt(n.Add(1), 10)
			if said := h.check(address, h.ticketFor(address)); !strings.Contains(said, "authenticationSuccess") {
				b.Fatal(said)
			}
		}
	})
}
