package pretend

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// SCIM pretends to be a service with SCIM 2.0 under /scim/v2. It keeps what it is
// given as it comes.
type SCIM struct {
	Trouble
	Token string
	// NoPatch makes it take PUT alone, Doubles the same userName twice.
	NoPatch, Doubles bool

	users, groups map[string]map[string]any
	members       map[string]map[string]bool // group to users
	next          int
}

// NewSCIM is an empty service.
func NewSCIM(token string) *SCIM {
	return &SCIM{Token: token, users: map[string]map[string]any{}, groups: map[string]map[string]any{}, members: map[string]map[string]bool{}}
}

// Add puts a user there that Amphi did not make, with whatever else is known of them.
func (s *SCIM) Add(userName, externalID string, more ...map[string]any) {
	s.set(func() {
		s.next++
		u := map[string]any{"id": strconv.Itoa(s.next), "userName": userName, "active": true}
		for _, m := range more {
			maps.Copy(u, m)
		}
		if externalID != "" {
			u["externalId"] = externalID
		}
		s.users[strconv.Itoa(s.next)] = u
	})
}

// Users are those with this userName.
func (s *SCIM) Users(userName string) (found []map[string]any) {
	s.set(func() {
		for _, id := range slices.Sorted(maps.Keys(s.users)) {
			if s.users[id]["userName"] == userName {
				found = append(found, maps.Clone(s.users[id]))
			}
		}
	})
	return found
}

// GroupsOf are the names of the groups of a user.
func (s *SCIM) GroupsOf(userName string) (names []string) {
	s.set(func() {
		for id, u := range s.users {
			if u["userName"] == userName {
				for _, g := range s.groupsOf(id) {
					names = append(names, g["display"])
				}
			}
		}
	})
	slices.Sort(names)
	return names
}

func (s *SCIM) groupsOf(id string) []map[string]string {
	list := []map[string]string{}
	for g, in := range s.members {
		if in[id] {
			name, _ := s.groups[g]["displayName"].(string)
			list = append(list, map[string]string{"value": g, "display": name})
		}
	}
	return list
}

// ServeHTTP implements http.Handler.
func (s *SCIM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, func(r *http.Request) bool { return r.Method != http.MethodGet }, func(w http.ResponseWriter, r *http.Request) {
		status, answer := http.StatusUnauthorized, any(map[string]any{"detail": "who are you?"})
		if r.Header.Get("Authorization") == "Bearer "+s.Token {
			s.set(func() { status, answer = s.answer(r) })
		}
		w.Header().Set("Content-Type", "application/scim+json")
		w.WriteHeader(status)
		if answer != nil {
			if err := json.NewEncoder(w).Encode(answer); err != nil {
				return // whoever asked went away
			}
		}
	})
}

func (s *SCIM) answer(r *http.Request) (int, any) {
	path, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/scim/v2/"), "/")
	all := map[string]map[string]map[string]any{"Users": s.users, "Groups": s.groups}[path]
	var body map[string]any
	if r.Method != http.MethodGet && r.Method != http.MethodDelete {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return http.StatusBadRequest, map[string]any{"detail": err.Error()}
		}
	}
	switch {
	case path == "ServiceProviderConfig":
		return http.StatusOK, map[string]any{"patch": map[string]any{"supported": !s.NoPatch}}
	case all == nil:
		return http.StatusNotFound, nil
	case id == "" && r.Method == http.MethodGet:
		return http.StatusOK, s.list(r, all)
	case id == "" && r.Method == http.MethodPost:
		for _, u := range all {
			if path == "Users" && u["userName"] == body["userName"] && !s.Doubles {
				return http.StatusConflict, map[string]any{"scimType": "uniqueness", "detail": "userName is taken"}
			}
		}
		s.next++
		body["id"] = strconv.Itoa(s.next)
		all[strconv.Itoa(s.next)] = body
		return http.StatusCreated, body
	case all[id] == nil:
		return http.StatusNotFound, map[string]any{"detail": "no such resource"}
	}
	switch r.Method {
	case http.MethodDelete:
		delete(all, id)
		return http.StatusNoContent, nil
	case http.MethodPut:
		body["id"] = id
		all[id] = body
	case http.MethodPatch:
		if s.NoPatch && path == "Users" {
			return http.StatusNotImplemented, nil
		}
		s.patch(path, id, all[id], body)
	}
	u := maps.Clone(all[id])
	if path == "Users" {
		u["groups"] = s.groupsOf(id)
	}
	return http.StatusOK, u
}

func (s *SCIM) patch(path, id string, resource, body map[string]any) {
	operations, _ := body["Operations"].([]any)
	for _, o := range operations {
		op, _ := o.(map[string]any)
		if path == "Users" {
			values, _ := op["value"].(map[string]any)
			maps.Copy(resource, values)
			continue
		}
		if s.members[id] == nil {
			s.members[id] = map[string]bool{}
		}
		if _, after, ok := strings.Cut(op["path"].(string), `value eq "`); ok && op["op"] == "remove" {
			delete(s.members[id], strings.TrimSuffix(after, `"]`))
			continue
		}
		added, _ := op["value"].([]any)
		for _, m := range added {
			s.members[id][m.(map[string]any)["value"].(string)] = true
		}
	}
}

func (s *SCIM) list(r *http.Request, all map[string]map[string]any) any {
	attribute, text, filtered := strings.Cut(r.FormValue("filter"), " eq ")
	text, _ = strconv.Unquote(text)
	found := []map[string]any{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if !filtered || all[id][attribute] == text {
			found = append(found, all[id])
		}
	}
	total := len(found)
	if begin, err := strconv.Atoi(r.FormValue("startIndex")); err == nil && begin > 0 {
		found = found[min(begin-1, total):]
	}
	if count, err := strconv.Atoi(r.FormValue("count")); err == nil {
		found = found[:min(count, len(found), 3)] // a service may give fewer than asked
	}
	return map[string]any{"totalResults": total, "Resources": found}
}
