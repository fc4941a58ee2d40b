// Package scim is a SCIM 2.0 service provider (RFC 7643, RFC 7644): Entra, Okta and other
// programs push people and groups through it into a source of the directory.
package scim

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/directory/push"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Server answers clients.
type Server struct{ Door *push.Door }

const root = "/scim/v2"

// largestBody bounds a request: a group with all its members.
const largestBody = 8 << 20

// Routes lists the addresses of the protocol. All want a token.
func (s *Server) Routes(r *web.Router) {
	large := web.BodyLimit(largestBody + 1024) // a little more than is read, so that it is told
	r.Handle("GET /scim/v2/ServiceProviderConfig", s.entered(s.providerConfig), web.Public)
	r.Handle("GET /scim/v2/ResourceTypes", s.entered(s.resourceTypes), web.Public)
	r.Handle("GET /scim/v2/ResourceTypes/{id}", s.entered(s.oneResourceType), web.Public)
	r.Handle("GET /scim/v2/Schemas", s.entered(s.schemas), web.Public)
	r.Handle("GET /scim/v2/Schemas/{id}", s.entered(s.oneSchema), web.Public)

	for _, absent := range []string{"GET /scim/v2/Me", "POST /scim/v2/Bulk", "POST /scim/v2/.search"} {
		r.Handle(absent, s.entered(s.unsupported), web.Public)
	}
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		r.Handle(method+" /scim/v2/{elsewhere...}", s.entered(s.elsewhere), web.Public)
	}

	r.Handle("GET /scim/v2/Users", s.entered(s.find(users)), web.Public)
	r.Handle("POST /scim/v2/Users", s.entered(s.create(users)), web.Public, large)
	r.Handle("POST /scim/v2/Users/.search", s.entered(s.search(users)), web.Public)
	r.Handle("GET /scim/v2/Users/{id}", s.entered(s.get(users)), web.Public)
	r.Handle("PUT /scim/v2/Users/{id}", s.entered(s.replace(users)), web.Public, large)
	r.Handle("PATCH /scim/v2/Users/{id}", s.entered(s.modify(users)), web.Public, large)
	r.Handle("DELETE /scim/v2/Users/{id}", s.entered(s.remove(users)), web.Public)

	r.Handle("GET /scim/v2/Groups", s.entered(s.find(groups)), web.Public)
	r.Handle("POST /scim/v2/Groups", s.entered(s.create(groups)), web.Public, large)
	r.Handle("POST /scim/v2/Groups/.search", s.entered(s.search(groups)), web.Public)
	r.Handle("GET /scim/v2/Groups/{id}", s.entered(s.get(groups)), web.Public)
	r.Handle("PUT /scim/v2/Groups/{id}", s.entered(s.replace(groups)), web.Public, large)
	r.Handle("PATCH /scim/v2/Groups/{id}", s.entered(s.modify(groups)), web.Public, large)
	r.Handle("DELETE /scim/v2/Groups/{id}", s.entered(s.remove(groups)), web.Public)
}

// visit is a request of a client that proved itself.
type visit struct {
	*http.Request
	source string
	base   string // address of the protocol, absolute
}

// entered lets clients with a token in, and words what goes wrong as SCIM does.
func (s *Server) entered(h func(http.ResponseWriter, visit) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		t, err := s.Door.Enter(r, source.KindSCIM)
		if err != nil {
			return fail(w, r, err)
		}
		if err := h(w, visit{r, t.Source, web.Absolute(r, root)}); err != nil {
			return fail(w, r, err)
		}
		return nil
	}
}

// unsupported answers what the standard knows and we do not do: /Me (RFC 7644 §3.11),
// bulk operations (§3.7), and a search through all types at once (§3.4.3).
func (s *Server) unsupported(_ http.ResponseWriter, v visit) error {
	return refuse(http.StatusNotImplemented, "", v.URL.Path+" is not supported: see "+v.base+"/ServiceProviderConfig")
}

// elsewhere answers where nothing is, in words that clients of SCIM understand.
func (s *Server) elsewhere(_ http.ResponseWriter, v visit) error {
	first, _, _ := strings.Cut(v.PathValue("elsewhere"), "/")
	if slices.Contains([]string{"ServiceProviderConfig", "ResourceTypes", "Schemas", users.endpoint, groups.endpoint}, first) {
		return refuse(http.StatusMethodNotAllowed, "", v.URL.Path+" does not take "+v.Method)
	}
	return refuse(http.StatusNotFound, "", "there is nothing at "+v.URL.Path)
}

func isMissing(err error) bool { return errors.Is(err, push.ResourceMissing) }

// body reads a JSON object.
func (v visit) body(into any) error {
	if err := json.NewDecoder(http.MaxBytesReader(nil, v.Body, largestBody)).Decode(into); err != nil {
		if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
			return web.BodyTooLarge.With(fault.Args{"limit": i18n.Bytes(largestBody)})
		}
		return refuse(400, "invalidSyntax", "the body is no JSON object: "+err.Error())
	}
	return nil
}

// matches refuses a change of a version that the client has not seen (RFC 7644 §3.14).
func (v visit) matches(r push.Resource) error {
	want := v.Header.Get("If-Match")
	if want == "" || want == "*" || want == etag(r) {
		return nil
	}
	return push.Changed
}

// answer sends a resource.
func (t resourceType) answer(w http.ResponseWriter, v visit, status int, r push.Resource) error {
	resource, err := t.shown(r, v.base)
	if err != nil {
		return err
	}
	selection, err := t.selected(names(v.URL.Query().Get("attributes")), names(v.URL.Query().Get("excludedAttributes")))
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(r))
	if status == http.StatusCreated {
		w.Header().Set("Location", v.base+"/"+t.endpoint+"/"+r.ID)
	}
	return send(w, status, selection.of(resource))
}

func (s *Server) find(t resourceType) func(http.ResponseWriter, visit) error {
	return func(w http.ResponseWriter, v visit) error {
		q, err := t.readQuery(v.URL.Query())
		if err != nil {
			return err
		}
		return s.sendList(w, v, t, q)
	}
}

func (s *Server) sendList(w http.ResponseWriter, v visit, t resourceType, q query) error {
	f, err := s.list(v.Context(), t, v.source, v.base, q)
	if err != nil {
		return err
	}
	resources := f.resources
	if resources == nil {
		resources = []map[string]any{}
	}
	return send(w, http.StatusOK, map[string]any{
		"schemas": []string{listMessage}, "totalResults": f.total, "startIndex": q.start, "itemsPerPage": len(resources), "Resources": resources,
	})
}

func (s *Server) create(t resourceType) func(http.ResponseWriter, visit) error {
	return func(w http.ResponseWriter, v visit) error {
		var raw map[string]any
		if err := v.body(&raw); err != nil {
			return err
		}
		resource, err := t.cleanResource(raw)
		if err != nil {
			return err
		}
		r, err := s.put(w, v, t, id.New(), func(old *push.Resource) (map[string]any, error) { return resource, nil })
		if err != nil {
			return err
		}
		return t.answer(w, v, http.StatusCreated, r)
	}
}

// waits names, in an answer, the question that somebody has to decide before the record
// is taken over. SCIM has no word for it.
const waits = "Amphi-Waits"

// put keeps a resource and hands it to the engine.
func (s *Server) put(w http.ResponseWriter, v visit, t resourceType, key string, change func(old *push.Resource) (map[string]any, error)) (push.Resource, error) {
	r, pushed, err := s.Door.Put(v.Context(), v.source, t.kind(), key, func(old *push.Resource) (push.Resource, error) {
		resource, err := change(old)
		if err != nil {
			return push.Resource{}, err
		}
		return t.kept(resource)
	}, func(r push.Resource) source.Record {
		var resource map[string]any
		if err := json.Unmarshal(r.Body, &resource); err != nil {
			resource = nil // it was encoded by us; an empty record is refused by the mapping
		}
		return record(t.kind(), r.ID, resource)
	})
	if err == nil && pushed.Err != nil {
		w.Header().Set(waits, fault.Of(pushed.Err).Reason.Code())
	}
	return r, err
}

func (s *Server) get(t resourceType) func(http.ResponseWriter, visit) error {
	return func(w http.ResponseWriter, v visit) error {
		r, err := s.Door.Get(v.Context(), v.source, t.kind(), v.PathValue("id"))
		if err != nil {
			return err
		}
		if v.Header.Get("If-None-Match") == etag(r) {
			w.Header().Set("ETag", etag(r))
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
		return t.answer(w, v, http.StatusOK, r)
	}
}

func (s *Server) replace(t resourceType) func(http.ResponseWriter, visit) error {
	return func(w http.ResponseWriter, v visit) error {
		var raw map[string]any
		if err := v.body(&raw); err != nil {
			return err
		}
		resource, err := t.cleanResource(raw)
		if err != nil {
			return err
		}
		key := v.PathValue("id")
		r, err := s.put(w, v, t, key, func(old *push.Resource) (map[string]any, error) {
			if old == nil { // identifiers are ours to give (§3.5.1)
				return nil, push.ResourceMissing.With(fault.Args{"id": key})
			}
			return resource, v.matches(*old)
		})
		if err != nil {
			return err
		}
		return t.answer(w, v, http.StatusOK, r)
	}
}

func (s *Server) modify(t resourceType) func(http.ResponseWriter, visit) error {
	return func(w http.ResponseWriter, v visit) error {
		var request struct {
			Schemas    []string    `json:"schemas"`
			Operations []operation `json:"Operations"`
		}
		if err := v.body(&request); err != nil {
			return err
		}
		key := v.PathValue("id")
		r, err := s.put(w, v, t, key, func(old *push.Resource) (map[string]any, error) {
			if old == nil {
				return nil, push.ResourceMissing.With(fault.Args{"id": key})
			}
			if err := v.matches(*old); err != nil {
				return nil, err
			}
			var resource map[string]any
			if err := json.Unmarshal(old.Body, &resource); err != nil {
				return nil, err
			}
			if err := t.patch(resource, request.Operations); err != nil {
				return nil, err
			}
			return resource, t.complete(resource)
		})
		if err != nil {
			return err
		}
		return t.answer(w, v, http.StatusOK, r)
	}
}

func (s *Server) remove(t resourceType) func(http.ResponseWriter, visit) error {
	return func(w http.ResponseWriter, v visit) error {
		if err := s.Door.Remove(v.Context(), v.source, t.kind(), v.PathValue("id"), v.matches); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}
