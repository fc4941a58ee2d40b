package scim

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const (
	configSchema = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	typeSchema   = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	schemaSchema = "urn:ietf:params:scim:schemas:core:2.0:Schema"
)

// providerConfig says what is supported (RFC 7643 §5).
func (s *Server) providerConfig(w http.ResponseWriter, v visit) error {
	supported := func(yes bool) map[string]any { return map[string]any{"supported": yes} }
	return send(w, http.StatusOK, map[string]any{
		"schemas": []string{configSchema}, "patch": supported(true), "changePassword": supported(false), "sort": supported(true), "etag": supported(true),
		"bulk":   map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter": map[string]any{"supported": true, "maxResults": mostResults},
		"authenticationSchemes": []map[string]any{{
			"type": "oauthbearertoken", "name": "Bearer token", "description": "A token made on the page of tokens of the directory.", "primary": true,
		}},
		"meta": map[string]any{"resourceType": "ServiceProviderConfig", "location": v.base + "/ServiceProviderConfig"},
	})
}

func (t resourceType) described(base string) map[string]any {
	extensions := []map[string]any{}
	for _, e := range t.extensions {
		extensions = append(extensions, map[string]any{"schema": e.ID, "required": false})
	}
	return map[string]any{
		"schemas": []string{typeSchema}, "id": t.name, "name": t.name, "endpoint": "/" + t.endpoint, "description": t.core.Description,
		"schema": t.core.ID, "schemaExtensions": extensions,
		"meta": map[string]any{"resourceType": "ResourceType", "location": base + "/ResourceTypes/" + t.name},
	}
}

// all answers with a list that has one page.
func all(w http.ResponseWriter, v visit, list []map[string]any) error {
	if v.URL.Query().Get("filter") != "" { // §4
		return refuse(http.StatusForbidden, "", "what is supported cannot be filtered")
	}
	return send(w, http.StatusOK, map[string]any{
		"schemas": []string{listMessage}, "totalResults": len(list), "startIndex": 1, "itemsPerPage": len(list), "Resources": list,
	})
}

func (s *Server) resourceTypes(w http.ResponseWriter, v visit) error {
	return all(w, v, []map[string]any{users.described(v.base), groups.described(v.base)})
}

func (s *Server) oneResourceType(w http.ResponseWriter, v visit) error {
	for _, t := range []resourceType{users, groups} {
		if strings.EqualFold(t.name, v.PathValue("id")) {
			return send(w, http.StatusOK, t.described(v.base))
		}
	}
	return refuse(http.StatusNotFound, "", "there is no such type of resource")
}

func (c schema) described(base string) map[string]any {
	return map[string]any{
		"schemas": []string{schemaSchema}, "id": c.ID, "name": c.Name, "description": c.Description, "attributes": c.Attributes,
		"meta": map[string]any{"resourceType": "Schema", "location": base + "/Schemas/" + c.ID},
	}
}

var everySchema = []schema{userAttributes, groupAttributes, enterpriseAttributes, campusAttributes}

func (s *Server) schemas(w http.ResponseWriter, v visit) error {
	var list []map[string]any
	for _, c := range everySchema {
		list = append(list, c.described(v.base))
	}
	return all(w, v, list)
}

func (s *Server) oneSchema(w http.ResponseWriter, v visit) error {
	for _, c := range everySchema {
		if strings.EqualFold(c.ID, v.PathValue("id")) {
			return send(w, http.StatusOK, c.described(v.base))
		}
	}
	return refuse(http.StatusNotFound, "", "there is no such schema")
}

// search answers a query that is posted (RFC 7644 §3.4.3).
func (s *Server) search(t resourceType) func(http.ResponseWriter, visit) error {
	return func(w http.ResponseWriter, v visit) error {
		var asked struct {
			Filter             string   `json:"filter"`
			StartIndex         *int     `json:"startIndex"`
			Count              *int     `json:"count"`
			SortBy             string   `json:"sortBy"`
			SortOrder          string   `json:"sortOrder"`
			Attributes         []string `json:"attributes"`
			ExcludedAttributes []string `json:"excludedAttributes"`
		}
		if err := v.body(&asked); err != nil {
			return err
		}
		values := url.Values{
			"filter": {asked.Filter}, "sortBy": {asked.SortBy}, "sortOrder": {asked.SortOrder},
			"attributes": {strings.Join(asked.Attributes, ",")}, "excludedAttributes": {strings.Join(asked.ExcludedAttributes, ",")},
		}
		for name, n := range map[string]*int{"startIndex": asked.StartIndex, "count": asked.Count} {
			if n != nil {
				values.Set(name, strconv.Itoa(*n))
			}
		}
		q, err := t.readQuery(values)
		if err != nil {
			return err
		}
		return s.sendList(w, v, t, q)
	}
}
