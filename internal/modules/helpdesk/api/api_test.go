package api_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/api"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/words"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

const root = "/api/helpdesk/v1"

type register struct{}

func (register) FindPeople(_ context.Context, _ contract.Field, values []string) (map[string]campus.PersonID, error) {
	found := map[string]campus.PersonID{}
	if lina := campustest.Lina(); slices.Contains(values, lina.Mail) {
		found[lina.Mail] = lina.Person
	}
	if sam := campustest.Sam(); slices.Contains(values, sam.Mail) {
		found[sam.Mail] = sam.Person
	}
	return found, nil
}

func (register) KnownPeople(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	lina, sam := campustest.Lina(), campustest.Sam()
	return map[campus.PersonID]contract.Known{lina.Person: {ID: lina.Person, Subject: contract.Subject{GivenName: lina.GivenName, FamilyName: lina.FamilyName, Affiliations: lina.Affiliations}}, sam.Person: {ID: sam.Person, Subject: contract.Subject{GivenName: sam.GivenName, FamilyName: sam.FamilyName, Mail: sam.Mail}}}, nil
}

// roll knows one agent, and one who runs the desk.
type roll struct{}

func (roll) HoldersOf(context.Context, campus.Right) ([]campus.PersonID, error) {
	return []campus.PersonID{"manager", "other-manager"}, nil
}

func (roll) HoldersFor(context.Context, campus.Right, []campus.Affiliation) ([]campus.PersonID, error) {
	return []campus.PersonID{campustest.Sam().Person}, nil
}

// Notify implements contract.Notices.
func (h *house) Notify(_ context.Context, _ db.Tx, to campus.PersonID, n contract.Notice) error {
	h.told[to] = append(h.told[to], n)
	return nil
}

// house is the API behind a server.
type house struct {
	*tickettest.Desk
	api    *api.API
	server *httptest.Server
	other  ticket.Queue
	told   map[campus.PersonID][]contract.Notice
}

func each(t *testing.T, test func(t *testing.T, h *house)) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		keys, err := crypt.Open(filepath.Join(t.TempDir(), "key"))
		if err != nil {
			t.Fatal(err)
		}
		store, err := files.Disk(t.TempDir(), 64<<20)
		if err != nil {
			t.Fatal(err)
		}
		h := &house{Desk: x, told: map[campus.PersonID][]contract.Notice{}}
		h.api = api.New(api.Deps{
			DB: x.DB, Clock: x.Clock, Keys: keys, Base: &url.URL{Scheme: "https", Host: "ent.valmont.example"}, Texts: x.Texts, Tickets: x.Tickets, Register: register{}, Roll: roll{}, Notices: h,
			Attached: &attached.Attached{DB: x.DB, Files: store, Tickets: x.Tickets}, Words: &words.Index{DB: x.DB},
			Places: place.Fixed{OfCampuses: []place.Place{{Code: "rives", French: "Rives"}}}, Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
			Confirm: func(http.ResponseWriter, *http.Request) (bool, error) { return true, nil },
		})
		x.Tickets.Connect(x, x, h.api, &words.Index{DB: x.DB})
		x.Tx(func(tx db.Tx) (err error) {
			h.other, err = x.Tickets.KeepQueue(t.Context(), tx, ticket.Queue{Team: "network", NameEnglish: "Network"})
			return err
		})
		h.server = x.Serve(func(r *web.Router) { h.api.Routes(r) })
		test(t, h)
	})
}

func (h *house) token(change ...func(*api.Token)) string {
	h.T.Helper()
	o := api.Token{Label: "Bot", Writes: true, Hooks: true}
	for _, c := range change {
		c(&o)
	}
	_, secret, err := h.api.AddToken(h.T.Context(), o, 30)
	if err != nil {
		h.T.Fatal(err)
	}
	return secret
}

type answer struct {
	status int
	header http.Header
	text   string
	json   map[string]any
}

func (h *house) ask(token, method, path, body string, headers ...string) answer {
	h.T.Helper()
	r, err := http.NewRequest(method, h.server.URL+root+path, strings.NewReader(body))
	if err != nil {
		h.T.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		h.T.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.T.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, text: string(text)}
	if err := json.Unmarshal(text, &a.json); err != nil && len(text) > 0 {
		h.T.Errorf("%s %s answers no JSON: %s", method, path, text)
	}
	return a
}

// routes are the addresses of the API.
func routes() (list []string) {
	s := web.New(web.Config{})
	api.New(api.Deps{}).Routes(s.Router("helpdesk"))
	for _, r := range s.Routes() {
		if strings.Contains(r.Pattern, root) {
			list = append(list, strings.Replace(r.Pattern, root, "", 1))
		}
	}
	return list
}

func TestEveryAddressWantsATokenThatAllowsIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asked := h.Open(campustest.Lina(), "x", "x")
		readOnly := h.token(func(o *api.Token) { o.Writes, o.Hooks = false, false })
		revoked := h.token()
		for _, route := range routes() {
			method, path, _ := strings.Cut(route, " ")
			path = strings.NewReplacer("{number}", asked.Number, "{id}", "x", "{delivery}", "x", "{file}", "x").Replace(path)
			if path == "/openapi.json" {
				continue
			}
			for _, bad := range []string{"", "amphi-desk-x", "amphi-push-x"} {
				if a := h.ask(bad, method, path, "{}"); a.status != 401 || a.json["code"] != api.NoToken.Code() || a.header.Get("WWW-Authenticate") == "" || a.header.Get("Content-Type") != "application/problem+json" {
					t.Errorf("%s answers %q with %d %s", route, bad, a.status, a.text)
				}
			}
			want := 403
			if method == "GET" && !strings.HasPrefix(path, "/webhooks") {
				want = 200
			}
			if strings.HasSuffix(path, "/files/x") {
				want = 404 // it may read, and there is none
			}
			if a := h.ask(readOnly, method, path, "{}"); a.status != want {
				t.Errorf("%s answers a token that may read with %d, want %d", route, a.status, want)
			}
		}
		var id string
		if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT MAX(id) FROM helpdesk_tokens").Scan(&id); err != nil {
			t.Fatal(err)
		}
		if err := h.api.Revoke(t.Context(), id, "x"); err != nil {
			t.Fatal(err)
		}
		if a := h.ask(revoked, "GET", "/tickets", ""); a.status != 401 {
			t.Errorf("a revoked token is answered %d", a.status)
		}
		h.Clock.Advance(31 * 24 * 3600e9)
		if a := h.ask(readOnly, "GET", "/tickets", ""); a.status != 401 {
			t.Errorf("a token that ended is answered %d", a.status)
		}
	})
}

func TestATokenReachesItsQueuesAndNoOthers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		here, there := h.Open(campustest.Lina(), "here", "x"), h.Open(campustest.Lina(), "there", "x")
		h.Change(there, tickettest.By(ticket.Agent, campustest.Sam()), func(w *ticket.Work) error { w.Move(h.other.ID); return nil })
		bound := h.token(func(o *api.Token) { o.Queues = []string{h.Queue.ID} })
		if a := h.ask(bound, "GET", "/tickets", ""); !strings.Contains(a.text, here.Number) || strings.Contains(a.text, there.Number) {
			t.Errorf("it lists %s", a.text)
		}
		for _, c := range []struct {
			method, path, body string
			status             int
		}{
			{"GET", "/tickets/" + there.Number, "", 404}, {"PATCH", "/tickets/" + there.Number, `{"state":"closed"}`, 404}, {"POST", "/tickets/" + there.Number + "/messages", `{"body":"x"}`, 404},
			{"GET", "/tickets/" + here.Number, "", 200}, {"PATCH", "/tickets/" + here.Number, `{"queue":"` + h.other.ID + `"}`, 403},
			{"POST", "/tickets", `{"subject":"x","body":"x","requester":{"mail":"a@b.example"},"queue":"` + h.other.ID + `"}`, 403},
			{"POST", "/webhooks", `{"label":"x","url":"https://hooks.example/x","queues":["` + h.other.ID + `"]}`, 400},
		} {
			if a := h.ask(bound, c.method, c.path, c.body); a.status != c.status {
				t.Errorf("%s %s answers %d %s, want %d", c.method, c.path, a.status, a.text, c.status)
			}
		}
		if a := h.ask(h.token(func(o *api.Token) { o.Campuses = []string{"parc"} }), "GET", "/tickets", ""); strings.Contains(a.text, here.Number) {
			t.Error("a token of another campus lists it")
		}
		if a := h.ask(bound, "GET", "/queues", ""); strings.Contains(a.text, h.other.ID) {
			t.Error("it lists a queue out of reach")
		}
		h.Tx(func(tx db.Tx) error {
			_, err := h.Tickets.KeepQueue(t.Context(), tx, ticket.Queue{Team: "accounts", Campus: "parc", NameEnglish: "Accounts at Parc"})
			return err
		})
		rives := h.token(func(o *api.Token) { o.Campuses = []string{"rives"} })
		if a := h.ask(rives, "GET", "/queues", ""); strings.Contains(a.text, "Accounts at Parc") || !strings.Contains(a.text, h.other.ID) {
			t.Errorf("a token of another campus lists %s", a.text)
		}
	})
}

func TestATicketIsOpenedOnceReadAnsweredAndChangedInItsVersion(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		token := h.token()
		body := `{"subject":"Badge","body":"Ne marche plus","requester":{"mail":"Lina.Martin@valmont.example"},"priority":"high"}`
		made := h.ask(token, "POST", "/tickets", body, "Idempotency-Key", "k1")
		number := fmt.Sprint(made.json["number"])
		if made.status != 201 || made.header.Get("ETag") != `"1"` || made.json["priority"] != "high" || made.json["channel"] != "api" || made.json["campus"] != "rives" || made.header.Get("Location") != root+"/tickets/"+number {
			t.Fatalf("%d %s", made.status, made.text)
		}
		if a := h.ask(token, "POST", "/tickets", body, "Idempotency-Key", "k1"); a.status != 200 || a.json["number"] != number {
			t.Errorf("sent twice: %d %s", a.status, a.text)
		}
		if a := h.ask(token, "POST", "/tickets", strings.Replace(body, "Badge", "Autre", 1), "Idempotency-Key", "k1"); a.status != 422 || a.json["code"] != api.KeyUsed.Code() {
			t.Errorf("another one with the same key: %d %s", a.status, a.text)
		}
		if a := h.ask(h.token(), "POST", "/tickets", body, "Idempotency-Key", "k1"); a.status != 201 {
			t.Errorf("the same key of another program: %d", a.status)
		}
		if a := h.ask(token, "POST", "/tickets/"+number+"/messages", `{"body":"secret among us","internal":true}`); a.status != 201 || strings.Contains(a.text, "secret among us") {
			t.Errorf("a note: %d %s", a.status, a.text)
		}
		if a := h.ask(token, "GET", "/tickets/"+number+"?internal=1", ""); !strings.Contains(a.text, "secret among us") {
			t.Errorf("read with notes: %s", a.text)
		}
		if a := h.ask(token, "PATCH", "/tickets/"+number, `{"state":"solved"}`, "If-Match", `"1"`); a.status != 412 || a.json["code"] != api.Stale.Code() {
			t.Errorf("an old version: %d %s", a.status, a.text)
		}
		if a := h.ask(token, "PATCH", "/tickets/"+number, `{"state":"solved","priority":"low"}`, "If-Match", `"2"`); a.status != 200 || a.json["state"] != "solved" || a.header.Get("ETag") != `"3"` {
			t.Errorf("changed: %d %s", a.status, a.text)
		}
		if a := h.ask(token, "GET", "/tickets/"+number, "", "If-None-Match", `"3"`); a.status != 304 {
			t.Errorf("nothing new: %d", a.status)
		}
		for _, bad := range []string{`{`, `{"shoe":1}`, `{"state":"new"}`, `{"priority":"x"}`, `{"queue":"x"}`, `{} {}`} {
			if a := h.ask(token, "PATCH", "/tickets/"+number, bad); a.status != 400 {
				t.Errorf("%s is answered %d", bad, a.status)
			}
		}
		for _, bad := range []string{`{"subject":"x","body":"x","requester":{"mail":"x"}}`, `{"subject":"","body":"x","requester":{"mail":"a@b.example"}}`, `{"subject":"x\u0000","body":"x","requester":{"mail":"a@b.example"}}`, `{"subject":"x","body":"x","requester":{"mail":"a@b.example"},"campus":"moon"}`} {
			if a := h.ask(token, "POST", "/tickets", bad); a.status != 400 {
				t.Errorf("%s is answered %d", bad, a.status)
			}
		}
	})
}

func TestPagesOfTicketsFollowEachOther(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		token := h.token()
		for range 5 {
			h.Open(campustest.Lina(), "x", "x")
		}
		for _, query := range []string{"", "&changed_since=2020-01-01T00:00:00Z"} {
			seen, after := map[string]bool{}, ""
			for range 5 {
				a := h.ask(token, "GET", "/tickets?limit=2&state=new,open"+query+"&after="+after, "")
				for _, one := range a.json["items"].([]any) {
					seen[one.(map[string]any)["number"].(string)] = true
				}
				if after, _ = a.json["after"].(string); after == "" {
					break
				}
			}
			if len(seen) != 5 {
				t.Errorf("%q: the pages hold %d tickets", query, len(seen))
			}
		}
		for _, bad := range []string{"limit=0", "limit=x", "after=x", "changed_since=x", "priority=x"} {
			if a := h.ask(token, "GET", "/tickets?"+bad, ""); a.status != 400 {
				t.Errorf("%s is answered %d", bad, a.status)
			}
		}
	})
}

func TestAProgramThatAsksTooFastIsSlowedDown(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		token := h.token()
		for range 200 {
			h.ask(token, "GET", "/queues", "")
		}
		if a := h.ask(token, "GET", "/queues", ""); a.status != 429 || a.header.Get("Retry-After") == "" {
			t.Errorf("it is answered %d", a.status)
		}
		if a := h.ask(h.token(), "GET", "/queues", ""); a.status != 200 {
			t.Errorf("another program is answered %d", a.status)
		}
	})
}

func TestAWebhookIsSignedRetriedAndSentAgain(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		type got struct {
			header http.Header
			body   []byte
		}
		var received []got
		status := 500
		receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			received = append(received, got{r.Header, body})
			w.WriteHeader(status)
		}))
		defer receiver.Close()
		token := h.token()
		made := h.ask(token, "POST", "/webhooks", `{"label":"x","url":"`+receiver.URL+`/secret-path","kinds":["ticket.opened","ticket.rated"]}`)
		if made.status != 201 || strings.Contains(made.text, "secret-path") {
			t.Fatalf("%d %s", made.status, made.text)
		}
		var address, sealed string
		if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT address, secret FROM helpdesk_hooks").Scan(&address, &sealed); err != nil || strings.Contains(address+sealed, "secret-path") || strings.Contains(sealed, "whsec_") {
			t.Errorf("it is kept as %q %q, %v", address, sealed, err)
		}
		asked := h.Open(campustest.Lina(), "Wi-Fi", "private words")
		h.Change(asked, tickettest.By(ticket.Agent, campustest.Sam()), func(w *ticket.Work) error { w.Assign("x"); return nil }) // not asked for
		id := fmt.Sprint(made.json["id"])
		log := h.ask(token, "GET", "/webhooks/"+id+"/deliveries", "")
		items := log.json["items"].([]any)
		if len(items) != 1 {
			t.Fatalf("the log is %s", log.text)
		}
		delivery := items[0].(map[string]any)["id"].(string)
		if err := h.api.Deliver(t.Context(), delivery); err == nil {
			t.Error("a failure is not tried again")
		}
		if log := h.ask(token, "GET", "/webhooks/"+id+"/deliveries", ""); !strings.Contains(log.text, `"state":"waiting","attempts":1,"status":500`) {
			t.Errorf("the log is %s", log.text)
		}
		for range 7 {
			if err := h.api.Deliver(t.Context(), delivery); err == nil {
				t.Error("a failure is not tried again")
			}
		}
		if log := h.ask(token, "GET", "/webhooks/"+id+"/deliveries", ""); !strings.Contains(log.text, `"state":"failed"`) {
			t.Errorf("the log is %s", log.text)
		}
		status = 204
		if a := h.ask(token, "POST", "/webhooks/"+id+"/deliveries/"+delivery, ""); a.status != 202 {
			t.Errorf("send again: %d", a.status)
		}
		if a := h.ask(h.token(), "POST", "/webhooks/"+id+"/deliveries/"+delivery, ""); a.status != 404 {
			t.Errorf("another program sends again: %d", a.status)
		}
		for range 2 { // a job may run twice
			if err := h.api.Deliver(t.Context(), delivery); err != nil {
				t.Error(err)
			}
		}
		if len(received) != 9 {
			t.Fatalf("it arrived %d times", len(received))
		}
		last := received[8]
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(fmt.Sprint(made.json["secret"]), "whsec_"))
		if err != nil {
			t.Fatal(err)
		}
		if want := "v1," + api.Sign(key, last.header.Get("Webhook-Id"), last.header.Get("Webhook-Timestamp"), last.body); last.header.Get("Webhook-Signature") != want || last.header.Get("Webhook-Id") != received[0].header.Get("Webhook-Id") {
			t.Errorf("it is signed %v", last.header)
		}
		if !strings.Contains(string(last.body), `"type":"ticket.opened"`) || !strings.Contains(string(last.body), asked.Number) || strings.Contains(string(last.body), "private words") {
			t.Errorf("it says %s", last.body)
		}
		if a := h.ask(token, "DELETE", "/webhooks/"+id, ""); a.status != 204 {
			t.Errorf("removed: %d", a.status)
		}
		if err := h.api.Deliver(t.Context(), delivery); err != nil || len(received) != 9 {
			t.Errorf("a removed webhook is told: %v", err)
		}
	})
}

func TestWebhooksDoNotReachInside(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		token := h.token()
		for _, address := range []string{"http://hooks.example/x", "https://127.0.0.2/x", "https://10.1.2.3/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest", "https://100.64.0.1/", "https://[fd00::1]/", "https://[64:ff9b::a00:1]/", "https://0.0.0.0/", "https://198.18.0.1/", "https://192.0.0.8/", "https://[fec0::1]/", "https://[::127.0.0.1]/", "https://u:p@hooks.example/", "ftp://hooks.example/", "x"} {
			if a := h.ask(token, "POST", "/webhooks", `{"label":"x","url":"`+address+`"}`); a.status != 422 {
				t.Errorf("%s is answered %d", address, a.status)
			}
		}
		// A name that leads inside is found out when the connection is made.
		if _, err := api.Guarded(nil).Get("http://localhost:1/"); err == nil || !strings.Contains(err.Error(), "webhooks do not go to") {
			t.Errorf("localhost: %v", err)
		}
	})
}

func TestTokensAreMadeByWhoRunsTheDesk(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		page := h.server.URL + "/helpdesk/setup/programs"
		manager := campustest.Paul()
		manager.Rights = []campus.Right{campus.RightDesks}
		for _, c := range []struct {
			name      string
			who       campus.Viewer
			get, post int
		}{{"a stranger", campus.Viewer{}, 303, 401}, {"a student", campustest.Lina(), 403, 403}, {"an agent", campustest.Sam(), 403, 403}, {"who runs the desk", manager, 200, 422}} {
			h.Viewer = c.who
			if a, _ := pagetest.Ask(t, pagetest.Still(), "GET", page, nil); a.StatusCode != c.get {
				t.Errorf("%s reads the page: %d", c.name, a.StatusCode)
			}
			for _, path := range []string{"/tokens", "/hooks"} {
				if a, _ := pagetest.Ask(t, pagetest.Still(), "POST", page+path, pagetest.Form()); a.StatusCode != c.post {
					t.Errorf("%s posts to %s: %d", c.name, path, a.StatusCode)
				}
			}
			for _, path := range []string{"/tokens/x/revoke", "/hooks/x/remove", "/deliveries/x/again"} {
				want := c.post
				if want == 422 {
					want = 404
				}
				if a, _ := pagetest.Ask(t, pagetest.Still(), "POST", page+path, pagetest.Form()); a.StatusCode != want {
					t.Errorf("%s posts to %s: %d", c.name, path, a.StatusCode)
				}
			}
		}
		a, text := pagetest.Ask(t, pagetest.Still(), "POST", page+"/tokens", pagetest.Form("label", "Bot", "days", "30", "queues", h.Queue.ID))
		_, secret, found := strings.Cut(text, "amphi-desk-")
		if a.StatusCode != 200 || !found {
			t.Fatalf("a token is made: %d", a.StatusCode)
		}
		secret, _, _ = strings.Cut(secret, "<")
		if a := h.ask("amphi-desk-"+secret, "GET", "/queues", ""); a.status != 200 {
			t.Errorf("it opens nothing: %d", a.status)
		}
		if _, text := pagetest.Ask(t, pagetest.Still(), "GET", page, nil); strings.Contains(text, secret) || !strings.Contains(text, "Bot") {
			t.Error("the secret is told again, or the token is not listed")
		}
	})
}

func TestTheDescriptionIsThatOfTheAddresses(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.ask("", "GET", "/openapi.json", "")
		var said []string
		for path, methods := range a.json["paths"].(map[string]any) {
			for method := range methods.(map[string]any) {
				said = append(said, strings.ToUpper(method)+" "+path)
			}
		}
		is := slices.DeleteFunc(routes(), func(r string) bool { return strings.HasSuffix(r, "/openapi.json") })
		slices.Sort(said)
		slices.Sort(is)
		if a.json["openapi"] != "3.1.0" || !slices.Equal(said, is) {
			t.Errorf("it describes %q, and there is %q", said, is)
		}
		for _, ref := range strings.Split(a.text, `"#/components/schemas/`)[1:] {
			name, _, _ := strings.Cut(ref, `"`)
			if a.json["components"].(map[string]any)["schemas"].(map[string]any)[name] == nil {
				t.Errorf("it refers to %s, which is not there", name)
			}
		}
	})
}

// toldTo counts what waits to be sent to webhooks.
func (h *house) toldTo() (n int) {
	h.T.Helper()
	if err := h.DB.Read().QueryRowContext(h.T.Context(), "SELECT COUNT(*) FROM helpdesk_deliveries").Scan(&n); err != nil {
		h.T.Fatal(err)
	}
	return n
}

func TestWebhooksEndWithTheirTokenAndAreFew(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		token := h.token() // thirty days
		for i := range 25 {
			a := h.ask(token, "POST", "/webhooks", `{"label":"x","url":"http://127.0.0.1:1/x"}`)
			if want := map[bool]int{true: 201, false: 400}[i < 20]; a.status != want {
				t.Fatalf("webhook %d: %d %s", i+1, a.status, a.text)
			}
		}
		h.Open(campustest.Lina(), "Wi-Fi", "x")
		before := h.toldTo()
		if before != 20 {
			t.Fatalf("%d are told", before)
		}
		var waiting string
		if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT id FROM helpdesk_deliveries LIMIT 1").Scan(&waiting); err != nil {
			t.Fatal(err)
		}
		h.Clock.Advance(31 * 24 * time.Hour)
		h.Open(campustest.Lina(), "VPN", "x")
		if n := h.toldTo(); n != before {
			t.Errorf("%d more are told after the token ended", n-before)
		}
		if err := h.api.Deliver(t.Context(), waiting); err != nil { // nobody listens there: trying would fail
			t.Errorf("what waited is sent: %v", err)
		}
	})
}

func TestWhatMovedOutOfReachIsNotToldAnyMore(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		bound := h.token(func(o *api.Token) { o.Queues = []string{h.Queue.ID} })
		if a := h.ask(bound, "POST", "/webhooks", `{"label":"x","url":"http://127.0.0.1:1/x","kinds":["ticket.opened"]}`); a.status != 201 {
			t.Fatal(a.text)
		}
		body := `{"subject":"x","body":"private words","requester":{"mail":"a@b.example"}}`
		opened := h.ask(bound, "POST", "/tickets", body, "Idempotency-Key", "k-1")
		if opened.status != 201 {
			t.Fatal(opened.text)
		}
		asked, err := h.Tickets.ByNumber(t.Context(), strings.ReplaceAll(fmt.Sprint(opened.json["number"]), " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		h.Change(asked, tickettest.By(ticket.Agent, campustest.Sam()), func(w *ticket.Work) error { w.Move(h.other.ID); return nil })
		if a := h.ask(bound, "POST", "/tickets", body, "Idempotency-Key", "k-1"); a.status < 400 || strings.Contains(a.text, "private words") {
			t.Errorf("asked for once more, it answers %d %s", a.status, a.text)
		}
		var delivery string
		if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT id FROM helpdesk_deliveries").Scan(&delivery); err != nil {
			t.Fatal(err)
		}
		if err := h.api.Deliver(t.Context(), delivery); err != nil || h.toldTo() != 0 {
			t.Errorf("it is sent: %v, %d wait", err, h.toldTo())
		}
	})
}
