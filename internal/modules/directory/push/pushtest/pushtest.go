// Package pushtest is the other side of the door for its tests: an engine that keeps what
// is pushed, and a program that sends requests with a token.
package pushtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/push"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// Start is the time at which a test begins.
var Start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// The sources of the tests.
const (
	SCIM = "entra"
	API  = "hr"
	Read = "univ" // not pushed into
)

// House is a door behind a web server.
type House struct {
	T      testing.TB
	Door   *push.Door
	Clock  *clock.Manual
	Viewer campus.Viewer // of the pages
	Engine *Engine
	Texts  *i18n.Catalogue
	server *httptest.Server
	// Doubted has who makes a token asked for a fresh proof.
	Doubted bool
}

// Routes is an alcove with addresses.
type Routes interface{ Routes(*web.Router) }

// Each runs a test on both databases. Alcoves are what is served besides the pages of
// tokens.
func Each(t *testing.T, alcoves func(*push.Door) []Routes, test func(t *testing.T, h *House)) {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	room := filepath.Join(filepath.Dir(file), "..", "..")
	now := clock.At(Start)
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(Start)
		h := &House{T: t, Clock: now, Engine: &Engine{t: t, People: map[string]mapping.Entry{}, Groups: map[string]mapping.Entry{}}}
		h.Door = &push.Door{DB: d, Clock: now, Engine: h.Engine, Sources: []source.Config{
			{ID: SCIM, Kind: source.KindSCIM, NameFrench: "Entra", NameEnglish: "Entra"}, {ID: API, Kind: source.KindAPI}, {ID: Read, Kind: source.KindLDAP},
		}}
		h.Door.Confirm = func(w http.ResponseWriter, _ *http.Request) (bool, error) {
			if h.Doubted {
				w.WriteHeader(http.StatusTeapot)
			}
			return !h.Doubted, nil
		}
		texts, err := i18n.Load(time.UTC, now, web.Locales, ui.Locales, os.DirFS(room))
		if err != nil {
			t.Fatal(err)
		}
		h.Texts = texts
		h.server = pagetest.Serve(t, now, texts, func() campus.Viewer { return h.Viewer }, func(r *web.Router) {
			h.Door.Routes(r)
			for _, a := range alcoves(h.Door) {
				a.Routes(r)
			}
		})
		test(t, h)
	}, db.Migrations{Name: "directory", FS: os.DirFS(room)})
}

// Token makes a token of a source.
func (h *House) Token(src string) string {
	h.T.Helper()
	_, secret, err := h.Door.AddToken(context.Background(), push.Order{Source: src, Label: "test"})
	if err != nil {
		h.T.Fatal(err)
	}
	return secret
}

// Program sends requests with a token.
type Program struct {
	h     *House
	token string
}

// Program is one with a new token of a source.
func (h *House) Program(src string) *Program { return &Program{h, h.Token(src)} }

// Stranger is a program without a token.
func (h *House) Stranger() *Program { return &Program{h: h} }

// With is a program with a token of its own.
func (h *House) With(token string) *Program { return &Program{h, token} }

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Text   string
	JSON   map[string]any // nil for an answer that is none
}

// Base is the address of the server.
func (h *House) Base() string { return h.server.URL }

// Ask sends a request. Header are names and values in turn.
func (p *Program) Ask(method, path, body string, header ...string) Answer {
	p.h.T.Helper()
	r, err := http.NewRequest(method, p.h.server.URL+path, strings.NewReader(body))
	if err != nil {
		p.h.T.Fatal(err)
	}
	if p.token != "" {
		r.Header.Set("Authorization", "Bearer "+p.token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := pagetest.Still().Do(r)
	if err != nil {
		p.h.T.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.h.T.Fatal(err)
	}
	a := Answer{Status: resp.StatusCode, Header: resp.Header, Text: string(text)}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&a.JSON); err != nil {
		a.JSON = nil // a page, or nothing
	}
	return a
}

// Must is Ask for an answer of one status.
func (p *Program) Must(status int, method, path, body string, header ...string) Answer {
	p.h.T.Helper()
	a := p.Ask(method, path, body, header...)
	if a.Status != status {
		p.h.T.Fatalf("%s %s: %d, not %d: %s", method, path, a.Status, status, a.Text)
	}
	return a
}

// Get is the value at a path of the answer, such as "emails.0.value".
func (a Answer) Get(path string) string {
	var at any = a.JSON
	rest := path
	for rest != "" {
		var name string
		if name, rest, _ = strings.Cut(rest, "/"); name == "" {
			continue
		}
		switch v := at.(type) {
		case map[string]any:
			at = v[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(v) {
				return ""
			}
			at = v[i]
		default:
			return ""
		}
	}
	if at == nil {
		return ""
	}
	return fmt.Sprint(at)
}

// Engine keeps what is pushed, as the mapping reads it.
type Engine struct {
	t  testing.TB
	mu sync.Mutex
	// People and Groups are by key.
	People, Groups map[string]mapping.Entry
	// Refuse is what becomes of a record; nil takes all.
	Refuse func(source.Record) error
	// Before is called before a record is taken.
	Before func(source.Record)
	Pushes int
}

// Push implements push.Engine.
func (e *Engine) Push(_ context.Context, src string, records []source.Record) ([]register.Pushed, error) {
	m, err := mapping.New(source.Config{ID: src, Kind: source.KindSCIM}, time.UTC)
	if err != nil {
		return nil, err
	}
	result := make([]register.Pushed, len(records))
	for i, r := range records {
		if e.Before != nil {
			e.Before(r)
		}
		e.mu.Lock()
		e.Pushes++
		result[i].Key = r.Key
		if e.Refuse != nil {
			result[i].Err = e.Refuse(r)
		}
		if result[i].Err == nil {
			kept := e.People
			if r.Kind == source.Group {
				kept = e.Groups
			}
			entry, refused := m.Map(r)
			result[i].Refused = refused
			if r.Gone {
				delete(kept, r.Key)
			} else {
				kept[r.Key] = entry
				result[i].Person = campus.PersonID("person-" + r.Key)
			}
		}
		e.mu.Unlock()
	}
	return result, nil
}
