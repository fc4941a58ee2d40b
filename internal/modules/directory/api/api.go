// Package api is a small JSON API by which programs push people, groups and units into a
// source of the directory, each under a key of their own.
package api

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/modules/directory/push"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// API answers programs.
type API struct{ Door *push.Door }

//go:embed openapi.json
var description []byte

// largestBody bounds a request: a group with all its members.
const largestBody = 4 << 20

// Routes lists the addresses of the API. All but its description want a token.
func (a *API) Routes(r *web.Router) {
	large := web.BodyLimit(largestBody + 1024) // a little more than is read, so that it is told
	r.Handle("GET /api/directory/v1/openapi.json", a.describe, web.Static)

	r.Handle("GET /api/directory/v1/people", a.entered(people.list), web.Public)
	r.Handle("GET /api/directory/v1/people/{key}", a.entered(people.get), web.Public)
	r.Handle("PUT /api/directory/v1/people/{key}", a.entered(people.put), web.Public, large)
	r.Handle("DELETE /api/directory/v1/people/{key}", a.entered(people.remove), web.Public)

	r.Handle("GET /api/directory/v1/groups", a.entered(groups.list), web.Public)
	r.Handle("GET /api/directory/v1/groups/{key}", a.entered(groups.get), web.Public)
	r.Handle("PUT /api/directory/v1/groups/{key}", a.entered(groups.put), web.Public, large)
	r.Handle("DELETE /api/directory/v1/groups/{key}", a.entered(groups.remove), web.Public)

	r.Handle("GET /api/directory/v1/units", a.entered(units.list), web.Public)
	r.Handle("GET /api/directory/v1/units/{key}", a.entered(units.get), web.Public)
	r.Handle("PUT /api/directory/v1/units/{key}", a.entered(units.put), web.Public, large)
	r.Handle("DELETE /api/directory/v1/units/{key}", a.entered(units.remove), web.Public)
}

func (a *API) describe(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(description)
	return err
}

// visit is a request of a program that proved itself.
type visit struct {
	*http.Request
	door   *push.Door
	source string
}

// entered lets programs with a token in. Whatever they accept, a failure is JSON.
func (a *API) entered(h func(http.ResponseWriter, visit) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		r.Header.Set("Accept", "application/json")
		t, err := a.Door.Enter(r, source.KindAPI)
		if err != nil {
			if fault.Of(err).Reason.Kind() == fault.Unauthenticated {
				w.Header().Set("WWW-Authenticate", `Bearer realm="directory"`)
			}
			return err
		}
		return h(w, visit{r, a.Door, t.Source})
	}
}

// Answer is one thing, with what became of it.
type Answer struct {
	Key       string          `json:"key"`
	Version   int64           `json:"version"`
	MadeAt    time.Time       `json:"made_at"`
	ChangedAt time.Time       `json:"changed_at"`
	Says      json.RawMessage `json:"says"`
	// Person is who it is here, after a change.
	Person string `json:"person,omitempty"`
	// Refused are fields that were not taken, Waits is the question that somebody has to
	// decide before it counts.
	Refused []Said `json:"refused,omitempty"`
	Waits   *Said  `json:"waits,omitempty"`
}

// Said is a reason in words.
type Said struct {
	Field   string `json:"field,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Next    string `json:"next"`
}

// List is one page of things, in the order of their keys.
type List struct {
	Items []Answer `json:"items"`
	// After begins the next page; it is empty on the last.
	After string `json:"after,omitempty"`
}

func answerOf(r push.Resource) Answer {
	return Answer{Key: r.ID, Version: r.Version, MadeAt: r.MadeAt.UTC(), ChangedAt: r.ChangedAt.UTC(), Says: r.Body}
}

func (v visit) said(field string, err error) Said {
	f := fault.Of(err)
	words := web.Explain(v.Context(), f)
	return Said{Field: field, Code: f.Reason.Code(), Message: words.Message, Next: words.Next}
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

// longestKey bounds what a program calls something, in bytes.
const longestKey = 200

// key is the one in the address.
func (v visit) key() (string, error) {
	k := v.PathValue("key")
	if k == "" || len(k) > longestKey || !utf8.ValidString(k) || containsUnfit(k) {
		return "", KeyUnfit.With(fault.Args{"most": longestKey})
	}
	return k, nil
}

func containsUnfit(k string) bool {
	for _, r := range k {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '|' {
			return true
		}
	}
	return false
}

func etag(r push.Resource) string { return `"` + strconv.FormatInt(r.Version, 10) + `"` }

// matches refuses a change of a version that the program has not seen (RFC 9110 §13.1.1).
func (v visit) matches(r push.Resource) error {
	want := v.Header.Get("If-Match")
	if want == "" || want == "*" || want == etag(r) {
		return nil
	}
	return push.Changed
}

// Bounds of a page.
const usualPage, largestPage = 100, 500

func (c collection) list(w http.ResponseWriter, v visit) error {
	limit := usualPage
	if raw := v.URL.Query().Get("limit"); raw != "" {
		n, err := strconv.Atoi(raw)
		if err != nil || n < 1 || n > largestPage {
			return NumberUnfit.With(fault.Args{"name": "limit", "most": largestPage})
		}
		limit = n
	}
	found, err := v.door.After(v.Context(), v.source, c.kind, v.URL.Query().Get("after"), limit+1)
	if err != nil {
		return err
	}
	page := List{Items: []Answer{}}
	if len(found) > limit {
		found = found[:limit]
		page.After = found[limit-1].ID
	}
	for _, r := range found {
		page.Items = append(page.Items, answerOf(r))
	}
	return send(w, http.StatusOK, page)
}

func (c collection) get(w http.ResponseWriter, v visit) error {
	key, err := v.key()
	if err != nil {
		return err
	}
	r, err := v.door.Get(v.Context(), v.source, c.kind, key)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(r))
	return send(w, http.StatusOK, answerOf(r))
}

// read takes a thing from the body, and writes it as it is kept.
func (c collection) read(v visit) ([]byte, error) {
	decoder := json.NewDecoder(http.MaxBytesReader(nil, v.Body, largestBody))
	decoder.DisallowUnknownFields()
	t := c.fresh()
	if err := decoder.Decode(t); err != nil {
		if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
			return nil, web.BodyTooLarge.With(fault.Args{"limit": i18n.Bytes(largestBody)})
		}
		return nil, BodyUnfit.Because(err, fault.Args{"field": wrongField(err)})
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, BodyUnfit.With(fault.Args{"field": "body"})
	}
	return json.Marshal(t)
}

// put makes or replaces a thing.
func (c collection) put(w http.ResponseWriter, v visit) error {
	key, err := v.key()
	if err != nil {
		return err
	}
	body, err := c.read(v)
	if err != nil {
		return err
	}
	r, pushed, err := v.door.Put(v.Context(), v.source, c.kind, key, func(old *push.Resource) (push.Resource, error) {
		if old != nil {
			return push.Resource{Body: body}, v.matches(*old)
		}
		if want := v.Header.Get("If-Match"); want != "" {
			return push.Resource{}, push.Changed
		}
		return push.Resource{Body: body}, nil
	}, c.record)
	if err != nil {
		if errors.Is(err, register.PushHeld) || errors.Is(err, register.IdentityHeld) || errors.Is(err, register.RunUnderWay) {
			web.RetryAfter(w, time.Minute)
		}
		return err
	}
	answer := answerOf(r)
	answer.Person = string(pushed.Person)
	for _, refused := range pushed.Refused {
		answer.Refused = append(answer.Refused, v.said(refused.Field, refused.Err))
	}
	if pushed.Err != nil {
		waits := v.said("", pushed.Err)
		answer.Waits = &waits
	}
	w.Header().Set("ETag", etag(r))
	status := http.StatusOK
	if r.Version == 1 {
		status = http.StatusCreated
	}
	return send(w, status, answer)
}

func (c collection) remove(w http.ResponseWriter, v visit) error {
	key, err := v.key()
	if err != nil {
		return err
	}
	if err := v.door.Remove(v.Context(), v.source, c.kind, key, v.matches); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
