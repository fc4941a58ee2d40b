package pretend

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Graph pretends to be a tenant of Microsoft Graph below /v1.0, with its token
// endpoint at /token.
type Graph struct {
	Trouble
	ClientID, Secret string
	// NoLicences says that there is none left.
	NoLicences bool
	// Roles are the directory roles of users, by userPrincipalName; HideRoles lets
	// nobody read them.
	Roles     map[string]string
	HideRoles bool

	users   map[string]map[string]any
	members map[string]map[string]bool // group to users
	tokens  int
	next    int
}

// NewGraph is an empty tenant with these groups.
func NewGraph(clientID, secret string, groups ...string) *Graph {
	g := &Graph{ClientID: clientID, Secret: secret, users: map[string]map[string]any{}, members: map[string]map[string]bool{}}
	for _, name := range groups {
		g.members[name] = map[string]bool{}
	}
	return g
}

// Add puts a user there that Amphi did not make.
func (g *Graph) Add(user map[string]any) {
	g.set(func() {
		g.next++
		user["id"] = strconv.Itoa(g.next)
		g.users[strconv.Itoa(g.next)] = user
	})
}

// Users are those with this userPrincipalName.
func (g *Graph) Users(principal string) (found []map[string]any) {
	g.set(func() {
		for _, id := range slices.Sorted(maps.Keys(g.users)) {
			if g.users[id]["userPrincipalName"] == principal {
				found = append(found, maps.Clone(g.users[id]))
			}
		}
	})
	return found
}

// In reports whether a user is in a group.
func (g *Graph) In(principal, group string) (in bool) {
	g.set(func() {
		for id, u := range g.users {
			in = in || u["userPrincipalName"] == principal && g.members[group][id]
		}
	})
	return in
}

// Tokens is how many tokens were given.
func (g *Graph) Tokens() (n int) {
	g.set(func() { n = g.tokens })
	return n
}

// ServeHTTP implements http.Handler.
func (g *Graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		g.token(w, r)
		return
	}
	g.serve(w, r, func(r *http.Request) bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }, func(w http.ResponseWriter, r *http.Request) {
		status, answer := http.StatusUnauthorized, any(nil)
		if r.Header.Get("Authorization") == "Bearer graph-token" {
			g.set(func() { status, answer = g.answer(r) })
		}
		w.WriteHeader(status)
		if answer != nil {
			if err := json.NewEncoder(w).Encode(answer); err != nil {
				return // whoever asked went away
			}
		}
	})
}

func (g *Graph) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	answer := map[string]any{"error": "invalid_client"}
	if r.FormValue("client_id") == g.ClientID && r.FormValue("client_secret") == g.Secret && r.FormValue("grant_type") == "client_credentials" {
		answer = map[string]any{"access_token": "graph-token", "token_type": "Bearer", "expires_in": 3600}
		g.set(func() { g.tokens++ })
	} else {
		w.WriteHeader(http.StatusUnauthorized)
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		return // whoever asked went away
	}
}

func (g *Graph) answer(r *http.Request) (int, any) {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1.0/"), "/")
	var body map[string]any
	if r.Method == http.MethodPost || r.Method == http.MethodPatch {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return http.StatusBadRequest, map[string]any{"error": err.Error()}
		}
	}
	if parts[0] == "groups" {
		return g.group(r, parts, body)
	}
	if len(parts) == 1 {
		if r.Method == http.MethodGet {
			return http.StatusOK, g.list(r)
		}
		for _, u := range g.users {
			if u["userPrincipalName"] == body["userPrincipalName"] {
				return http.StatusBadRequest, map[string]any{"error": map[string]any{"message": "Another object with the same value for property userPrincipalName already exists."}}
			}
		}
		g.next++
		body["id"] = strconv.Itoa(g.next)
		delete(body, "passwordProfile")
		g.users[strconv.Itoa(g.next)] = body
		return http.StatusCreated, body
	}
	u := g.users[parts[1]]
	if u == nil {
		return http.StatusNotFound, map[string]any{"error": "Request_ResourceNotFound"}
	}
	if len(parts) == 4 && parts[2] == "transitiveMemberOf" {
		if g.HideRoles {
			return http.StatusForbidden, map[string]any{"error": "Authorization_RequestDenied"}
		}
		held := []map[string]string{}
		name, _ := u["userPrincipalName"].(string)
		if role := g.Roles[name]; role != "" {
			held = append(held, map[string]string{"displayName": role})
		}
		return http.StatusOK, map[string]any{"value": held}
	}
	if len(parts) == 3 && parts[2] == "assignLicense" {
		if g.NoLicences {
			return http.StatusBadRequest, map[string]any{"error": "Subscription does not have any available licenses."}
		}
		var has []map[string]any
		for _, l := range body["addLicenses"].([]any) {
			has = append(has, map[string]any{"skuId": l.(map[string]any)["skuId"]})
		}
		u["assignedLicenses"] = has
		return http.StatusOK, u
	}
	if len(parts) == 3 && parts[2] == "checkMemberGroups" {
		in := []string{}
		for _, id := range body["groupIds"].([]any) {
			if g.members[id.(string)][parts[1]] {
				in = append(in, id.(string))
			}
		}
		return http.StatusOK, map[string]any{"value": in}
	}
	switch r.Method {
	case http.MethodPatch:
		maps.Copy(u, body)
		return http.StatusNoContent, nil
	case http.MethodDelete:
		delete(g.users, parts[1])
		return http.StatusNoContent, nil
	}
	return http.StatusOK, u
}

func (g *Graph) group(r *http.Request, parts []string, body map[string]any) (int, any) {
	in := g.members[parts[1]]
	if in == nil {
		return http.StatusNotFound, map[string]any{"error": "Request_ResourceNotFound"}
	}
	if r.Method == http.MethodDelete {
		delete(in, parts[3])
		return http.StatusNoContent, nil
	}
	reference, _ := body["@odata.id"].(string)
	who := reference[strings.LastIndex(reference, "/")+1:]
	if in[who] {
		return http.StatusBadRequest, map[string]any{"error": "One or more added object references already exist"}
	}
	in[who] = true
	return http.StatusNoContent, nil
}

func (g *Graph) list(r *http.Request) any {
	attribute, text, filtered := strings.Cut(r.FormValue("$filter"), " eq ")
	found := []map[string]any{}
	for _, id := range slices.Sorted(maps.Keys(g.users)) {
		if value, _ := g.users[id][attribute].(string); !filtered || "'"+strings.ReplaceAll(value, "'", "''")+"'" == text {
			found = append(found, g.users[id])
		}
	}
	const page = 2
	skip, _ := strconv.Atoi(r.FormValue("$skiptoken"))
	found = found[min(skip, len(found)):]
	if len(found) <= page {
		return map[string]any{"value": found}
	}
	scheme := "http"
	if r.TLS != nil || r.URL.Scheme == "https" { // the latter without a network
		scheme = "https"
	}
	return map[string]any{"value": found[:page], "@odata.nextLink": scheme + "://" + r.Host + "/v1.0/users?$skiptoken=" + strconv.Itoa(skip+page)}
}
