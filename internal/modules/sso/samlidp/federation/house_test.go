package federation

import (
	"context"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

var (
	start  = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	schema = []db.Migrations{{Name: "sso", FS: os.DirFS("../..")}}
)

var credentials sync.Map

func key(t testing.TB, name string) *saml.Credential {
	if c, ok := credentials.Load(name); ok {
		return c.(*saml.Credential)
	}
	c, err := saml.GenerateCredential(saml.RSA2048, name, start.AddDate(-1, 0, 0), 3*365*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	credentials.Store(name, &c)
	return &c
}

func certificate(t testing.TB, name string) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: key(t, name).Certificate.Raw}))
}

// house is a store with a web site that serves metadata.
type house struct {
	*Store
	t        testing.TB
	clock    *clock.Manual
	site     *httptest.Server
	mu       sync.Mutex
	pages    map[string]string // by path, still escaped
	status   map[string]int
	asked    []string
	services []registry.Service
	changes  []Change
}

func each(t *testing.T, test func(t *testing.T, h *house)) {
	now := clock.At(start)
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		now.Set(start)
		test(t, newHouse(t, d, now))
	}, schema...)
}

func one(t testing.TB) *house {
	now := clock.At(start)
	return newHouse(t, dbtest.OpenAt(t, now, schema...), now)
}

func newHouse(t testing.TB, d *db.DB, now *clock.Manual) *house {
	h := &house{t: t, clock: now, pages: map[string]string{}, status: map[string]int{}}
	h.site = httptest.NewServer(h)
	t.Cleanup(h.site.Close)
	federations := []Config{
		{ID: "fer", Aggregate: h.site.URL + "/fer.xml", Certificate: certificate(t, "fer"), Admit: []string{saml.CategoryResearch, saml.CategoryCodeOfConduct2}},
		{ID: "world", MDQ: h.site.URL + "/mdq/", Certificate: certificate(t, "world"), Admit: []string{All}},
	}
	for _, c := range federations {
		if p := c.Check(); len(p) > 0 {
			t.Fatalf("%+v", p)
		}
	}
	h.Store = New(Deps{
		DB: d, Clock: now, Log: slog.New(slog.DiscardHandler), HTTP: h.site.Client(),
		Registry: func(context.Context) (*registry.Index, error) { return registry.NewIndex(h.services), nil },
		Changed:  func(_ context.Context, _ *registry.Service, c Change) { h.changes = append(h.changes, c) },
	}, federations)
	return h
}

// ServeHTTP hands the pages out, with an ETag.
func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	path := r.URL.EscapedPath()
	h.asked = append(h.asked, path)
	page, ok := h.pages[path]
	switch {
	case h.status[path] != 0:
		w.WriteHeader(h.status[path])
	case !ok:
		w.WriteHeader(http.StatusNotFound)
	case r.Header.Get("If-None-Match") == `"`+digestOf([]byte(page))+`"`:
		w.WriteHeader(http.StatusNotModified)
	default:
		w.Header().Set("ETag", `"`+digestOf([]byte(page))+`"`)
		w.Write([]byte(page)) //nolint:errcheck // who does not read does not find
	}
}

func (h *house) serve(path, page string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pages[path] = page
}

// member is a service provider.
func member(t testing.TB, n int, edit func(e *saml.Entity)) *saml.Entity {
	e := &saml.Entity{
		ID: fmt.Sprintf("https://sp%d.example/sp", n),
		SP: &saml.SPRole{
			Role: saml.Role{
				Keys: []saml.RoleKey{{PublicKey: key(t, "member").Public()}},
				UI:   saml.UI{DisplayNames: []saml.Localized{{Lang: "fr", Text: fmt.Sprintf("Bibliothèque %d", n)}, {Lang: "en", Text: fmt.Sprintf("Library %d", n)}}},
			},
			ACS: []saml.Endpoint{{Binding: saml.POST, Location: fmt.Sprintf("https://sp%d.example/acs", n)}},
		},
		Contacts: []saml.Contact{{Kind: saml.ContactTechnical, Emails: []string{fmt.Sprintf("tech%d@sp.example", n)}}},
	}
	if edit != nil {
		edit(e)
	}
	return e
}

func category(values ...string) func(e *saml.Entity) {
	return func(e *saml.Entity) {
		e.Attributes = append(e.Attributes, saml.Attribute{Name: saml.CategoryAttribute, NameFormat: saml.NameFormatURI, Values: saml.Texts(values...)})
	}
}

// aggregate is a federation's list, signed.
func aggregate(t testing.TB, by *saml.Credential, until time.Time, members ...*saml.Entity) string {
	t.Helper()
	root := etree.NewElement("md:EntitiesDescriptor")
	root.CreateAttr("xmlns:md", saml.NSMetadata)
	root.CreateAttr("ID", saml.NewID())
	root.CreateAttr("Name", "https://fer.example")
	if !until.IsZero() {
		root.CreateAttr("validUntil", saml.FormatTime(until))
	}
	for _, m := range members {
		root.AddChild(m.Element())
	}
	if by != nil {
		if err := saml.Sign(root, *by); err != nil {
			t.Fatal(err)
		}
	}
	text, err := saml.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// alone is the signed metadata of one entity, as a query server gives it.
func alone(t testing.TB, by *saml.Credential, e *saml.Entity) string {
	t.Helper()
	text, err := saml.WriteMetadata(e, by)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (h *house) state(source string) State {
	h.t.Helper()
	list, err := h.States(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, s := range list {
		if s.Source == source {
			return s
		}
	}
	return State{}
}

func questions(list []string, begin string) int {
	n := 0
	for _, path := range list {
		if strings.HasPrefix(path, begin) {
			n++
		}
	}
	return n
}
