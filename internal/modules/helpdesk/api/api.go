// Package api is how programs work with tickets: a JSON API with tokens of its own,
// and webhooks that tell them what happens.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/words"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Register says who people are by their address; the identity room keeps it.
type Register interface {
	FindPeople(ctx context.Context, by contract.Field, values []string) (map[string]campus.PersonID, error)
	KnownPeople(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error)
}

// Roll says who holds a right.
type Roll interface {
	HoldersOf(ctx context.Context, r campus.Right) ([]campus.PersonID, error)
	HoldersFor(ctx context.Context, r campus.Right, somebody []campus.Affiliation) ([]campus.PersonID, error)
}

// Deps is what the alcove asks of its room.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Keys     *crypt.Keyring
	Base     *url.URL // the address of the house
	Texts    *i18n.Catalogue
	Tickets  *ticket.Tickets
	Attached *attached.Attached
	Words    *words.Index
	Register Register
	Roll     Roll
	Notices  contract.Notices
	Places   place.Names
	// Allowed are networks inside the institution that webhooks may reach; others of
	// its own are refused.
	Allowed []netip.Prefix
	// Confirm asks who makes a token to prove anew who they are.
	Confirm func(w http.ResponseWriter, r *http.Request) (ok bool, err error)
}

// API is the alcove.
type API struct {
	Deps
	pace   *limit.Limiter
	client *http.Client
}

// perToken is how fast one program may ask.
var perToken = limit.Rate{Every: 50 * time.Millisecond, Burst: 200}

// New opens it.
func New(d Deps) *API {
	return &API{Deps: d, pace: limit.New(perToken, 0, d.Clock), client: guarded(d.Allowed)}
}

// root is where the API begins.
const root = "/api/helpdesk/v1"

// largestBody bounds a request, in bytes.
const largestBody = 1 << 20

// Routes lists the addresses of the alcove: for programs with a token, and the pages
// on which those who run the desk make tokens.
func (a *API) Routes(r *web.Router) {
	r.Handle("GET "+root+"/openapi.json", a.describe, web.Static)
	for _, o := range a.operations() {
		r.Handle(o.method+" "+root+o.path, a.entered(o), web.Public, web.BodyLimit(o.limit()))
	}
	runs := web.Needs(campus.RightDesks)
	r.Handle("GET "+pageURL, a.programsPage, runs)
	r.Handle("GET "+pageURL+"/journal", a.journalPage, runs)
	r.Handle("POST "+pageURL+"/tokens", a.makeToken, runs)
	r.Handle("POST "+pageURL+"/tokens/{id}/revoke", a.revokeToken, runs)
	r.Handle("POST "+pageURL+"/hooks", a.makeHook, runs)
	r.Handle("GET "+pageURL+"/hooks/{id}", a.hookPage, runs)
	r.Handle("POST "+pageURL+"/hooks/{id}/remove", a.removeHook, runs)
	r.Handle("POST "+pageURL+"/deliveries/{id}/again", a.sendAgain, runs)
}

// Jobs registers the alcove's jobs.
func (a *API) Jobs(r *jobs.Registry) {
	jobs.Handle(r, a.deliver, jobs.Policy{Attempts: attempts})
	r.Every("helpdesk.api.forget", 24*time.Hour, a.forget)
	r.Every("helpdesk.api.warn", 6*time.Hour, a.warn)
}

// need is what a token must be allowed to.
type need int

const (
	reads need = iota
	writes
	hooks
)

// operation is one address of the API, as it is served and described.
type operation struct {
	method, path, summary string
	needs                 need
	takes, gives          any // values whose types are the bodies; nil for none
	status                int // when it went well
	query                 []string
	do                    func(http.ResponseWriter, visit) error
	form, bytes           bool // takes a form with files; gives a file
}

// limit bounds what is sent to it, in bytes.
func (o operation) limit() int64 {
	if o.form {
		return largestUpload
	}
	return largestBody + 1024
}

// operations are all addresses but the description.
func (a *API) operations() []operation {
	return []operation{
		{method: "GET", path: "/tickets", summary: "Tickets that the token reaches, the last changed first or since a time; q finds those with all of its words.", gives: List{}, status: 200, query: []string{"q", "state", "queue", "assignee", "campus", "area", "service", "priority", "changed_since", "after", "limit"}, do: a.list},
		{method: "POST", path: "/tickets", summary: "Open a ticket. With the header Idempotency-Key the same request sent twice opens one.", needs: writes, takes: Opening{}, gives: Ticket{}, status: 201, do: a.create},
		{method: "GET", path: "/tickets/{number}", summary: "One ticket, with what everybody said in it; internal=1 adds the notes among agents.", gives: Ticket{}, status: 200, query: []string{"internal"}, do: a.get},
		{method: "PATCH", path: "/tickets/{number}", summary: "Change a ticket. If-Match names the version that was read.", needs: writes, takes: Change{}, gives: Ticket{}, status: 200, do: a.change},
		{method: "POST", path: "/tickets/{number}/messages", summary: "Say something in a ticket, to everybody or among agents.", needs: writes, takes: Saying{}, gives: Ticket{}, status: 201, do: a.say},
		{method: "GET", path: "/tickets/{number}/files", summary: "The files beside its messages; internal=1 adds those of notes among agents.", gives: FileList{}, status: 200, query: []string{"internal"}, do: a.files},
		{method: "POST", path: "/tickets/{number}/files", summary: "Say something with files beside it, as multipart/form-data.", needs: writes, takes: Upload{}, gives: Ticket{}, status: 201, do: a.upload, form: true},
		{method: "GET", path: "/tickets/{number}/files/{file}", summary: "A file as it was kept.", status: 200, query: []string{"internal"}, do: a.file, bytes: true},
		{method: "GET", path: "/queues", summary: "The queues that the token reaches.", gives: QueueList{}, status: 200, do: a.queues},
		{method: "GET", path: "/webhooks", summary: "The webhooks that this program made.", needs: hooks, gives: HookList{}, status: 200, do: a.listHooks},
		{method: "POST", path: "/webhooks", summary: "Be told what happens. The secret is in this answer and nowhere else.", needs: hooks, takes: HookOrder{}, gives: Hook{}, status: 201, do: a.addHook},
		{method: "DELETE", path: "/webhooks/{id}", summary: "Be told no more.", needs: hooks, status: 204, do: a.dropHook},
		{method: "GET", path: "/webhooks/{id}/deliveries", summary: "The last messages of a webhook, and what became of them.", needs: hooks, gives: DeliveryList{}, status: 200, do: a.listDeliveries},
		{method: "POST", path: "/webhooks/{id}/deliveries/{delivery}", summary: "Send a message again.", needs: hooks, status: 202, do: a.again},
	}
}

// visit is a request of a program that proved itself.
type visit struct {
	*http.Request
	token Token
}

// entered lets programs in whose token allows what they ask. A failure is JSON (RFC
// 9457), whatever they accept.
func (a *API) entered(o operation) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		r.Header.Set("Accept", "application/json")
		t, err := a.enter(r)
		if err != nil {
			if fault.Of(err).Reason.Kind() == fault.Unauthenticated {
				w.Header().Set("WWW-Authenticate", `Bearer realm="helpdesk"`)
			}
			return err
		}
		if wait, ok := a.pace.Allow(t.ID); !ok {
			web.RetryAfter(w, wait)
			return TooFast.With(fault.Args{"wait": wait})
		}
		if o.needs == writes && !t.Writes || o.needs == hooks && !t.Hooks {
			return NotAllowed.With(fault.Args{"label": t.Label})
		}
		return o.do(w, visit{r, t})
	}
}

func send(w http.ResponseWriter, status int, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(text)
	return err
}

// read takes the body of a request, and gives it back as it was sent.
func (v visit) read(into any) ([]byte, error) {
	text, err := io.ReadAll(http.MaxBytesReader(nil, v.Body, largestBody))
	if err != nil {
		if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
			return nil, web.BodyTooLarge.With(fault.Args{"limit": largestBody})
		}
		return nil, fmt.Errorf("read a request: %w", err)
	}
	if strings.Contains(string(text), `\u0000`) || !isText(string(text)) {
		return nil, Unfit.With(fault.Args{"field": "body"})
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		field := "body"
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && wrong.Field != "" {
			field = wrong.Field
		} else if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
			field = strings.Trim(name, `"`)
		}
		return nil, Unfit.Because(err, fault.Args{"field": field})
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, Unfit.With(fault.Args{"field": "body"})
	}
	return text, nil
}

// isText reports whether both databases take it: UTF-8 without NUL.
func isText(of string) bool { return utf8.ValidString(of) && !strings.ContainsRune(of, 0) }

// number reads a parameter between 1 and most.
func (v visit) number(name string, usual, most int) (int, error) {
	raw := v.URL.Query().Get(name)
	if raw == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < 1 || n > most {
		return 0, Unfit.With(fault.Args{"field": name})
	}
	return n, nil
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }
