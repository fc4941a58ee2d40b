package pretend

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// NextcloudUser is an account of a pretended Nextcloud.
type NextcloudUser struct {
	ID          string   `json:"id"`
	Enabled     bool     `json:"enabled"`
	DisplayName string   `json:"displayname"`
	Email       string   `json:"email"`
	Quota       string   `json:"-"`
	Groups      []string `json:"groups"`
	Subadmin    []string `json:"subadmin"`
}

// Nextcloud pretends to be a Nextcloud with its provisioning API.
type Nextcloud struct {
	Trouble
	User, Password string

	users  map[string]*NextcloudUser
	groups map[string]bool
}

// NewNextcloud is an empty Nextcloud.
func NewNextcloud(user, password string) *Nextcloud {
	return &Nextcloud{User: user, Password: password, users: map[string]*NextcloudUser{}, groups: map[string]bool{}}
}

// Get is the account with this identifier; ok is false when there is none.
func (n *Nextcloud) Get(userID string) (u NextcloudUser, ok bool) {
	n.set(func() {
		if found := n.users[userID]; found != nil {
			u, ok = *found, true
			u.Groups = slices.Clone(u.Groups)
		}
	})
	return u, ok
}

// Put has an account there that nobody made through the API.
func (n *Nextcloud) Put(u NextcloudUser) { n.set(func() { n.users[u.ID] = &u }) }

// ServeHTTP implements http.Handler.
func (n *Nextcloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.serve(w, r, func(r *http.Request) bool { return r.Method != http.MethodGet }, func(w http.ResponseWriter, r *http.Request) {
		var code int
		var data any
		if user, password, _ := r.BasicAuth(); user != n.User || password != n.Password || r.Header.Get("OCS-APIRequest") != "true" {
			code = 997
			w.WriteHeader(http.StatusUnauthorized)
		} else {
			n.set(func() { code, data = n.answer(r) })
		}
		if data == nil {
			data = []string{}
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"ocs": map[string]any{"meta": map[string]any{"statuscode": code, "message": "pretended"}, "data": data}}); err != nil {
			return // whoever asked went away
		}
	})
}

func (n *Nextcloud) answer(r *http.Request) (int, any) {
	parts := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/ocs/v1.php/cloud/"), "/")
	for i, p := range parts {
		parts[i], _ = url.PathUnescape(p)
	}
	switch {
	case parts[0] == "groups":
		if n.groups[r.FormValue("groupid")] {
			return 102, nil
		}
		n.groups[r.FormValue("groupid")] = true
		return 100, nil
	case len(parts) == 1 && r.Method == http.MethodPost:
		name := r.FormValue("userid")
		if n.users[name] != nil {
			return 102, nil
		}
		n.users[name] = &NextcloudUser{ID: name, Enabled: true, DisplayName: r.FormValue("displayName"), Email: r.FormValue("email"), Quota: r.FormValue("quota"), Groups: []string{}}
		return 100, nil
	case len(parts) == 1:
		return 100, map[string]any{"users": slices.Sorted(maps.Keys(n.users))}
	case parts[1] == "details":
		offset, _ := strconv.Atoi(r.FormValue("offset"))
		if offset > 0 {
			return 100, map[string]any{"users": []string{}}
		}
		return 100, map[string]any{"users": n.users}
	}
	u := n.users[parts[1]]
	if u == nil {
		return 404, nil
	}
	switch last := parts[len(parts)-1]; {
	case last == "enable" || last == "disable":
		u.Enabled = last == "enable"
	case last == "groups" && r.Method == http.MethodPost:
		if !n.groups[r.FormValue("groupid")] {
			return 102, nil
		}
		u.Groups = append(u.Groups, r.FormValue("groupid"))
	case last == "groups" && r.Method == http.MethodDelete:
		u.Groups = slices.DeleteFunc(u.Groups, func(g string) bool { return g == r.FormValue("groupid") })
	case r.Method == http.MethodDelete:
		delete(n.users, parts[1])
	case r.Method == http.MethodPut:
		*map[string]*string{"displayname": &u.DisplayName, "email": &u.Email, "quota": &u.Quota}[r.FormValue("key")] = r.FormValue("value")
	default:
		return 100, u
	}
	return 100, nil
}
