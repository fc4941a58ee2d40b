package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// described is the OpenAPI 3.1 document, made once of the operations themselves: it
// cannot say anything else than what is served.
var described = sync.OnceValues(func() ([]byte, error) {
	schemas := map[string]any{"Problem": map[string]any{
		"type": "object", "description": "RFC 9457", "properties": map[string]any{
			"type": text, "title": text, "status": map[string]any{"type": "integer"}, "detail": text, "code": text, "next": text, "request_id": text,
		},
	}}
	paths := map[string]map[string]any{}
	for _, o := range (&API{}).operations() {
		answer := map[string]any{"description": "Done."}
		if o.gives != nil {
			answer["content"] = map[string]any{"application/json": map[string]any{"schema": schemaOf(reflect.TypeOf(o.gives), schemas)}}
		}
		if o.bytes {
			answer["content"] = map[string]any{"application/octet-stream": map[string]any{"schema": map[string]any{"type": "string", "format": "binary"}}}
		}
		responses := map[string]any{strconv.Itoa(o.status): answer}
		for status, why := range map[string]string{"400": "Something in it is not what it must be.", "401": "No token, or one that does not hold.", "403": "The token does not allow that.", "404": "It is not there, or out of the token’s reach.", "412": "If-Match names another version.", "429": "Too fast; see Retry-After."} {
			responses[status] = map[string]any{"description": why, "content": map[string]any{"application/problem+json": map[string]any{"schema": reference("Problem")}}}
		}
		operation := map[string]any{"summary": o.summary, "responses": responses, "operationId": strings.ToLower(o.method) + strings.NewReplacer("/", "_", "{", "", "}", "").Replace(o.path)}
		if o.takes != nil {
			media := "application/json"
			if o.form {
				media = "multipart/form-data"
			}
			operation["requestBody"] = map[string]any{"required": true, "content": map[string]any{media: map[string]any{"schema": schemaOf(reflect.TypeOf(o.takes), schemas)}}}
		}
		parameters := []any{}
		for _, name := range inPath.FindAllStringSubmatch(o.path, -1) {
			parameters = append(parameters, map[string]any{"name": name[1], "in": "path", "required": true, "schema": text})
		}
		for _, name := range o.query {
			parameters = append(parameters, map[string]any{"name": name, "in": "query", "schema": text})
		}
		operation["parameters"] = parameters
		if paths[o.path] == nil {
			paths[o.path] = map[string]any{}
		}
		paths[o.path][strings.ToLower(o.method)] = operation
	}
	document := map[string]any{
		"openapi": "3.1.0", "info": map[string]any{"title": "Amphi: help desk", "version": "1"}, "servers": []any{map[string]any{"url": root}}, "security": []any{map[string]any{"token": []any{}}},
		"paths": paths, "components": map[string]any{"schemas": schemas, "securitySchemes": map[string]any{"token": map[string]any{"type": "http", "scheme": "bearer"}}},
	}
	body, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	return body, nil
})

var (
	inPath = regexp.MustCompile(`\{(\w+)\}`)
	text   = map[string]any{"type": "string"}
)

func reference(name string) map[string]any {
	return map[string]any{"$ref": "#/components/schemas/" + name}
}

// schemaOf describes a type, and adds what it refers to.
func schemaOf(t reflect.Type, schemas map[string]any) map[string]any {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case t.Kind() == reflect.Pointer:
		return schemaOf(t.Elem(), schemas)
	case t.Kind() == reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem(), schemas)}
	case t.Kind() == reflect.Bool:
		return map[string]any{"type": "boolean"}
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		return map[string]any{"type": "integer"}
	case t.Kind() != reflect.Struct:
		return text
	}
	if schemas[t.Name()] == nil {
		properties, required := map[string]any{}, []string{}
		schemas[t.Name()] = map[string]any{} // types may refer to themselves
		for i := range t.NumField() {
			name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			if name == "" {
				continue
			}
			properties[name] = schemaOf(t.Field(i).Type, schemas)
			if options == "" {
				required = append(required, name)
			}
		}
		schemas[t.Name()] = map[string]any{"type": "object", "properties": properties, "required": required}
	}
	return reference(t.Name())
}

func (a *API) describe(w http.ResponseWriter, _ *http.Request) error {
	body, err := described()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(body)
	return err
}
