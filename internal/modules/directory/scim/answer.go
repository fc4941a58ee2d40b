package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/directory/push"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// refusal is why a request is not carried out, as SCIM says it (RFC 7644 §3.12).
type refusal struct {
	status int
	kind   string // scimType
	detail string
}

func refuse(status int, kind, detail string) error { return &refusal{status, kind, detail} }

func (r *refusal) Error() string { return r.kind + ": " + r.detail }

// Malformed stands for every refusal of the protocol in the log.
var Malformed = fault.Declare(fault.Malformed, "directory.scim_malformed")

// encode writes JSON as it is kept and sent.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// send answers with JSON.
func send(w http.ResponseWriter, status int, v any) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/scim+json")
	w.WriteHeader(status)
	_, err = w.Write(body)
	return err
}

// fail answers with what went wrong.
func fail(w http.ResponseWriter, r *http.Request, err error) error {
	status, kind, detail := http.StatusInternalServerError, "", ""
	var protocol *refusal
	if errors.As(err, &protocol) {
		status, kind, detail = protocol.status, protocol.kind, protocol.detail
		web.Note(r, &fault.Fault{Reason: Malformed, Cause: err})
	} else {
		f := fault.Of(err)
		web.Note(r, f)
		said := web.Explain(r.Context(), f)
		status, detail = f.Reason.Kind().Status(), strings.TrimSpace(said.Message+" "+said.Next)
		switch {
		case errors.Is(err, push.NameTaken):
			kind = "uniqueness"
		case f.Reason.Kind() == fault.Invalid: // what the register cannot take
			status, kind = http.StatusBadRequest, "invalidValue"
		case errors.Is(err, register.PushHeld), errors.Is(err, register.IdentityHeld), errors.Is(err, register.RunUnderWay), f.Reason.Kind() == fault.Unavailable:
			web.RetryAfter(w, time.Minute)
		}
		detail += " [" + f.Reason.Code() + " " + web.RequestID(r.Context()) + "]"
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="scim"`)
	}
	answer := map[string]any{"schemas": []string{errorMessage}, "status": strconv.Itoa(status), "detail": detail}
	if kind != "" {
		answer["scimType"] = kind
	}
	return send(w, status, answer)
}

// etag is the version of a resource (RFC 7644 §3.14).
func etag(r push.Resource) string { return `W/"` + strconv.FormatInt(r.Version, 10) + `"` }

// shown is a resource as it is answered.
func (t resourceType) shown(r push.Resource, base string) (map[string]any, error) {
	var resource map[string]any
	if err := json.Unmarshal(r.Body, &resource); err != nil {
		return nil, fmt.Errorf("read what was pushed as %s: %w", r.ID, err)
	}
	schemas := []any{t.core.ID}
	for _, e := range t.extensions {
		if resource[e.ID] != nil {
			schemas = append(schemas, e.ID)
		}
	}
	resource["schemas"], resource["id"] = schemas, r.ID
	resource["meta"] = map[string]any{
		"resourceType": t.name, "created": r.MadeAt.UTC().Format(time.RFC3339Nano), "lastModified": r.ChangedAt.UTC().Format(time.RFC3339Nano),
		"location": base + "/" + t.endpoint + "/" + r.ID, "version": etag(r),
	}
	return resource, nil
}

// selection is which attributes an answer has (RFC 7644 §3.9).
type selection struct{ wanted, unwanted []path }

// selected reads the parameters attributes and excludedAttributes.
func (t resourceType) selected(wanted, unwanted []string) (selection, error) {
	var s selection
	if len(wanted) > 0 && len(unwanted) > 0 {
		return s, refuse(400, "invalidValue", "attributes and excludedAttributes exclude each other")
	}
	for _, name := range wanted {
		if p, ok := t.resolve(name); ok {
			s.wanted = append(s.wanted, p)
		}
	}
	if len(wanted) > 0 && len(s.wanted) == 0 { // only unknown ones: what is always there
		s.wanted = []path{{name: "id"}}
	}
	for _, name := range unwanted {
		if p, ok := t.resolve(name); ok {
			s.unwanted = append(s.unwanted, p)
		}
	}
	return s, nil
}

// of is what of a resource is answered. schemas and id always are; meta is unless others
// are named.
func (s selection) of(resource map[string]any) map[string]any {
	if len(s.wanted) > 0 {
		out := map[string]any{"schemas": resource["schemas"], "id": resource["id"]}
		for _, p := range s.wanted {
			from, to := resource, out
			if p.schema != "" {
				from, _ = resource[p.schema].(map[string]any)
				if from == nil {
					continue
				}
				if to, _ = out[p.schema].(map[string]any); to == nil {
					to = map[string]any{}
					out[p.schema] = to
				}
				if p.name == "" {
					maps.Copy(to, from)
					continue
				}
			}
			if v, there := from[p.name]; there {
				to[p.name] = part(v, to[p.name], p.sub)
			}
		}
		return out
	}
	for _, p := range s.unwanted {
		if p.schema == "" && (p.name == "id" || p.name == "schemas") {
			continue
		}
		holder := resource
		if p.schema != "" {
			if p.name == "" {
				delete(resource, p.schema)
				continue
			}
			holder, _ = resource[p.schema].(map[string]any)
		}
		if p.sub == "" {
			delete(holder, p.name)
			continue
		}
		for _, v := range listOf(holder[p.name]) {
			if element, ok := v.(map[string]any); ok {
				delete(element, p.sub)
			}
		}
	}
	return resource
}

// part is a sub-attribute of a value, beside those that were taken before.
func part(v, before any, sub string) any {
	if sub == "" {
		return v
	}
	pick := func(from, into any) any {
		element, _ := from.(map[string]any)
		picked, _ := into.(map[string]any)
		if picked == nil {
			picked = map[string]any{}
		}
		if element[sub] != nil {
			picked[sub] = element[sub]
		}
		return picked
	}
	list, several := v.([]any)
	if !several {
		return pick(v, before)
	}
	earlier := listOf(before)
	out := make([]any, len(list))
	for i := range list {
		var into any
		if i < len(earlier) {
			into = earlier[i]
		}
		out[i] = pick(list[i], into)
	}
	return out
}

// names are those of a parameter, between commas.
func names(parameter string) []string {
	return slices.DeleteFunc(strings.FieldsFunc(parameter, func(r rune) bool { return r == ',' || r == ' ' }), func(s string) bool { return s == "" })
}
