// Package nextcloud keeps accounts in a Nextcloud by its provisioning API (OCS). A
// Nextcloud has no place for our key: the identifier of an account, which never
// changes there, is the key or the login.
package nextcloud

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Config is what is particular to a Nextcloud.
type Config struct {
	User     string `toml:"user" help:"nextcloud: administrator in whose name accounts are kept"`
	Password string `toml:"password" secret:"true" help:"nextcloud: an app password of this administrator"`
	UserID   string `toml:"user_id" help:"nextcloud: identifier of accounts, login or key; as single sign-on sends it"`
	Quota    string `toml:"quota" help:"nextcloud: space of each account, such as 20 GB; empty leaves it to Nextcloud"`
}

// ByKey is the UserID of a Nextcloud whose accounts are called after our key.
const ByKey = "key"

// Nextcloud is one Nextcloud.
type Nextcloud struct {
	config Config
	caller *target.Caller
}

var (
	_ target.Target = (*Nextcloud)(nil)
	_ target.Lister = (*Nextcloud)(nil)
)

// New is the connector of a Nextcloud.
func New(line target.Line, c Config) (*Nextcloud, error) {
	caller, err := target.NewCaller(line, func(r *http.Request) error {
		r.SetBasicAuth(c.User, c.Password)
		r.Header.Set("OCS-APIRequest", "true")
		return nil
	}, c.Password)
	if err != nil {
		return nil, err
	}
	return &Nextcloud{config: c, caller: caller}, nil
}

// The status codes of OCS that mean something to us; 100 and 200 are success.
const (
	codeExists   = 102 // of creating: the account, or the group, is there already
	codeNotFound = 404
	codeUnknown  = 998
)

// call asks the API; into may be nil. A code that is no success is returned.
func (n *Nextcloud) call(ctx context.Context, method, path string, form url.Values, into any) (code int, err error) {
	header := http.Header{"Accept": {"application/json"}}
	var body []byte
	if form != nil {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
		body = []byte(form.Encode())
	}
	answer, err := n.caller.Do(ctx, method, "/ocs/v1.php/cloud"+path, header, body)
	if err != nil {
		return 0, err
	}
	var said struct {
		OCS struct {
			Meta struct {
				Code    int    `json:"statuscode"`
				Message string `json:"message"`
			} `json:"meta"`
			Data json.RawMessage `json:"data"`
		} `json:"ocs"`
	}
	if err := answer.JSON(&said); err != nil {
		return 0, err
	}
	meta := said.OCS.Meta
	switch {
	case meta.Code == 100 || meta.Code == http.StatusOK:
		if into == nil {
			return 0, nil
		}
		return 0, target.Answer{Status: answer.Status, Body: said.OCS.Data}.JSON(into)
	case meta.Code == 997 || meta.Code == http.StatusUnauthorized:
		return meta.Code, n.caller.Fail(target.Denied, "%s %s: %d %s", method, path, meta.Code, meta.Message)
	case meta.Code == codeNotFound || meta.Code == codeUnknown:
		return meta.Code, n.caller.Fail(target.Gone, "%s %s: %d %s", method, path, meta.Code, meta.Message)
	case meta.Code == 996 || meta.Code == 999:
		return meta.Code, n.caller.Fail(target.Down, "%s %s: %d %s", method, path, meta.Code, meta.Message)
	}
	return meta.Code, n.caller.Fail(target.Refused, "%s %s: %d %s", method, path, meta.Code, meta.Message)
}

// name is the identifier of somebody's account.
func (n *Nextcloud) name(a target.Account) string {
	if n.config.UserID == ByKey {
		return a.Key
	}
	return a.Login
}

func account(userID string) string { return "/users/" + url.PathEscape(userID) }

// user is an account as the API shows it.
type user struct {
	ID          string   `json:"id"`
	Enabled     bool     `json:"enabled"`
	DisplayName string   `json:"displayname"`
	Email       string   `json:"email"`
	Groups      []string `json:"groups"`
	Subadmin    []string `json:"subadmin"` // groups that the account administers
}

func (n *Nextcloud) read(ctx context.Context, userID string) (user, error) {
	var u user
	_, err := n.call(ctx, http.MethodGet, account(userID), nil, &u)
	return u, err
}

// administers reports whether an account keeps the Nextcloud itself: it was there
// before us, and whoever is called like it here must not become its owner.
func (n *Nextcloud) administers(u user) bool {
	return strings.EqualFold(u.ID, n.config.User) || slices.Contains(u.Groups, "admin") || len(u.Subadmin) > 0
}

// Find implements [target.Target]. Logins are never given twice here, so an
// account that is called after one is its owner's, unless it has another address:
// then it bears no key.
func (n *Nextcloud) Find(ctx context.Context, a target.Account) (target.Remote, bool, error) {
	u, err := n.read(ctx, n.name(a))
	if target.Is(err, target.Gone) {
		return target.Remote{}, false, nil
	}
	if err != nil {
		return target.Remote{}, false, err
	}
	if n.administers(u) {
		f := n.caller.Fail(target.Privileged, "the account %s administers the Nextcloud, or groups of it", u.ID)
		f.Other = u.ID
		return target.Remote{}, false, f
	}
	r := target.Remote{ID: u.ID, Key: a.Key, Login: a.Login, Mail: u.Email, Suspended: !u.Enabled}
	if n.config.UserID != ByKey && u.Email != "" && a.Mail != "" && !strings.EqualFold(u.Email, a.Mail) {
		r.Key = ""
	}
	return r, true, nil
}

// At implements [target.Target]. Whose account it is stands in its identifier.
func (n *Nextcloud) At(ctx context.Context, userID string, a target.Account) (target.Remote, bool, error) {
	u, err := n.read(ctx, userID)
	if target.Is(err, target.Gone) {
		return target.Remote{}, false, nil
	}
	if err != nil {
		return target.Remote{}, false, err
	}
	r := target.Remote{ID: u.ID, Login: u.ID, Mail: u.Email, Suspended: !u.Enabled}
	if u.ID == userID && !n.administers(u) {
		r.Key = a.Key
	}
	return r, true, nil
}

// Create implements [target.Target].
func (n *Nextcloud) Create(ctx context.Context, a target.Account) (string, error) {
	userID := n.name(a)
	form := url.Values{"userid": {userID}, "password": {id.Token(24) + "aA1!"}, "displayName": {a.DisplayName()}}
	if a.Mail != "" {
		form.Set("email", a.Mail)
	}
	if n.config.Quota != "" {
		form.Set("quota", n.config.Quota)
	}
	code, err := n.call(ctx, http.MethodPost, "/users", form, nil)
	if err != nil && code != codeExists { // somebody was faster: it is ours all the same
		return "", err
	}
	return userID, n.join(ctx, userID, nil, a)
}

// Change implements [target.Target].
func (n *Nextcloud) Change(ctx context.Context, userID string, a target.Account) error {
	u, err := n.read(ctx, userID)
	if err != nil {
		return err
	}
	for key, change := range map[string]struct{ has, wants string }{"displayname": {u.DisplayName, a.DisplayName()}, "email": {u.Email, a.Mail}} {
		if change.wants == "" || change.has == change.wants {
			continue
		}
		if _, err := n.call(ctx, http.MethodPut, account(userID), url.Values{"key": {key}, "value": {change.wants}}, nil); err != nil {
			return err
		}
	}
	if !u.Enabled {
		if _, err := n.call(ctx, http.MethodPut, account(userID)+"/enable", url.Values{}, nil); err != nil {
			return err
		}
	}
	return n.join(ctx, userID, u.Groups, a)
}

// ours marks the groups that we made: others are never left.
const ours = "amphi:"

// join makes the groups of an account those that it should have.
func (n *Nextcloud) join(ctx context.Context, userID string, has []string, a target.Account) error {
	for _, code := range a.Groups {
		if slices.Contains(has, ours+code) {
			continue
		}
		// It says so when the group is there already.
		if said, err := n.call(ctx, http.MethodPost, "/groups", url.Values{"groupid": {ours + code}}, nil); err != nil && said != codeExists {
			return err
		}
		if _, err := n.call(ctx, http.MethodPost, account(userID)+"/groups", url.Values{"groupid": {ours + code}}, nil); err != nil {
			return err
		}
	}
	for _, g := range has {
		if code, mine := strings.CutPrefix(g, ours); mine && !slices.Contains(a.Groups, code) {
			if _, err := n.call(ctx, http.MethodDelete, account(userID)+"/groups?"+url.Values{"groupid": {g}}.Encode(), nil, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// Suspend implements [target.Target].
func (n *Nextcloud) Suspend(ctx context.Context, userID string, _ target.Account) error {
	_, err := n.call(ctx, http.MethodPut, account(userID)+"/disable", url.Values{}, nil)
	return err
}

// Delete implements [target.Target].
func (n *Nextcloud) Delete(ctx context.Context, userID string, _ target.Account) error {
	_, err := n.call(ctx, http.MethodDelete, account(userID), nil, nil)
	if target.Is(err, target.Gone) {
		return nil
	}
	return err
}

// Probe implements [target.Target].
func (n *Nextcloud) Probe(ctx context.Context) (string, error) {
	var found struct {
		Users []string `json:"users"`
	}
	if _, err := n.call(ctx, http.MethodGet, "/users?limit=1", nil, &found); err != nil {
		return "", err
	}
	return "Nextcloud, as " + n.config.User, nil
}

// listed is how many accounts one page of a list asks for.
const listed = 200

// List implements [target.Lister]. An account called after a login tells its key
// only through the ledger.
func (n *Nextcloud) List(ctx context.Context, each func(target.Remote) error) error {
	for offset := 0; ; offset += listed {
		var page struct {
			Users map[string]user `json:"users"`
		}
		query := url.Values{"limit": {strconv.Itoa(listed)}, "offset": {strconv.Itoa(offset)}}
		if _, err := n.call(ctx, http.MethodGet, "/users/details?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		for userID, u := range page.Users {
			r := target.Remote{ID: userID, Mail: u.Email, Suspended: !u.Enabled}
			if n.config.UserID == ByKey {
				r.Key = userID
			}
			if err := each(r); err != nil {
				return err
			}
		}
		if len(page.Users) < listed {
			return nil
		}
	}
}
