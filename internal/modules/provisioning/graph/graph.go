// Package graph keeps users, licences and group memberships in a tenant of
// Microsoft 365 by Microsoft Graph. Users carry our key as their
// onPremisesImmutableId, which is also how a federated sign-in recognises them.
package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Config is what is particular to a tenant.
type Config struct {
	Tenant        string            `toml:"tenant" help:"graph: identifier of the tenant"`
	ClientID      string            `toml:"client_id" help:"graph: identifier of the application"`
	ClientSecret  string            `toml:"client_secret" secret:"true" help:"graph: secret of the application"`
	TokenURL      string            `toml:"token_url" help:"graph: where tokens are fetched; empty for that of the tenant"`
	UsageLocation string            `toml:"usage_location" help:"graph: country of the licences, such as FR"`
	Licences      []string          `toml:"licences" help:"graph: skuId of the licences that everybody gets"`
	GroupIDs      map[string]string `toml:"group_ids" help:"graph: identifier of the group in the tenant, for each code of a group here"`
	Adopt         bool              `toml:"adopt" help:"graph: take over a user with the same userPrincipalName that has no onPremisesImmutableId yet"`
}

// Graph is one tenant. Its base address is https://graph.microsoft.com/v1.0.
type Graph struct {
	config Config
	caller *target.Caller

	mu    sync.Mutex
	token oauth2.Token
}

var (
	_ target.Target = (*Graph)(nil)
	_ target.Lister = (*Graph)(nil)
)

// New is the connector of a tenant.
func New(line target.Line, c Config) (*Graph, error) {
	g := &Graph{config: c}
	tokens := clientcredentials.Config{ClientID: c.ClientID, ClientSecret: c.ClientSecret, TokenURL: c.TokenURL, Scopes: []string{scopeOf(line.Base)}, AuthStyle: oauth2.AuthStyleInParams}
	if tokens.TokenURL == "" {
		tokens.TokenURL = "https://login.microsoftonline.com/" + url.PathEscape(c.Tenant) + "/oauth2/v2.0/token"
	}
	client := &http.Client{Timeout: line.Timeout, Transport: line.Transport}
	var err error
	g.caller, err = target.NewCaller(line, func(r *http.Request) error {
		token, err := g.bearer(context.WithValue(r.Context(), oauth2.HTTPClient, client), &tokens)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}, c.ClientSecret)
	return g, err
}

// scopeOf is the scope of everything that the application was granted.
func scopeOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	return u.Scheme + "://" + u.Host + "/.default"
}

// bearer is a token that is good for a while.
func (g *Graph) bearer(ctx context.Context, tokens *clientcredentials.Config) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token.Valid() && time.Until(g.token.Expiry) > time.Minute {
		return g.token.AccessToken, nil
	}
	fresh, err := tokens.Token(ctx)
	if err != nil {
		kind := target.Down
		if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response != nil && refused.Response.StatusCode < 500 {
			kind = target.Denied
		}
		return "", &target.Failure{Kind: kind, Detail: target.Short(strings.ReplaceAll(err.Error(), g.config.ClientSecret, "•••"))}
	}
	g.token = *fresh
	return fresh.AccessToken, nil
}

// user is a user as far as we keep it.
type user struct {
	ID          string `json:"id,omitempty"`
	Principal   string `json:"userPrincipalName,omitempty"`
	ImmutableID string `json:"onPremisesImmutableId,omitempty"`
	Display     string `json:"displayName,omitempty"`
	Given       string `json:"givenName,omitempty"`
	Surname     string `json:"surname,omitempty"`
	JobTitle    string `json:"jobTitle,omitempty"`
	Language    string `json:"preferredLanguage,omitempty"`
	Mail        string `json:"mail,omitempty"`
	Nickname    string `json:"mailNickname,omitempty"`
	Location    string `json:"usageLocation,omitempty"`
	Employee    string `json:"employeeId,omitempty"`
	Enabled     *bool  `json:"accountEnabled,omitempty"`
	Password    any    `json:"passwordProfile,omitempty"`
	Licences    []struct {
		SKU string `json:"skuId"`
	} `json:"assignedLicenses,omitempty"`
}

const selected = "id,userPrincipalName,mailNickname,onPremisesImmutableId,mail,employeeId,accountEnabled,assignedLicenses"

func (u user) remote() target.Remote {
	return target.Remote{ID: u.ID, Key: u.ImmutableID, Login: u.Nickname, Mail: u.Mail, Suspended: u.Enabled != nil && !*u.Enabled}
}

// do asks the tenant; into may be nil.
func (g *Graph) do(ctx context.Context, method, path string, body, into any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return fmt.Errorf("ask Microsoft Graph: %w", err)
		}
	}
	answer, err := g.caller.Do(ctx, method, path, http.Header{"Content-Type": {"application/json"}}, text)
	if err != nil {
		return err
	}
	switch {
	case answer.Status == http.StatusNotFound:
		return g.caller.Fail(target.Gone, "%s %s: %s", method, path, answer.Body)
	case answer.Status == http.StatusConflict || answer.Status == http.StatusBadRequest && strings.Contains(string(answer.Body), "ObjectConflict"),
		answer.Status == http.StatusBadRequest && strings.Contains(string(answer.Body), "already exists"):
		return g.caller.Fail(target.Taken, "%s %s: %s", method, path, answer.Body)
	case answer.Status >= 300:
		return g.caller.Fail(target.Refused, "%s %s: status %d: %s", method, path, answer.Status, answer.Body)
	case into == nil || answer.Status == http.StatusNoContent:
		return nil
	}
	return answer.JSON(into)
}

// quoted is a text in a filter of OData.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// principal is the name under which somebody signs in there.
func principal(a target.Account) string {
	if a.Mail != "" {
		return a.Mail
	}
	return a.Login
}

// page is one page of users.
type page struct {
	Users []user `json:"value"`
	Next  string `json:"@odata.nextLink"`
}

func (g *Graph) users(ctx context.Context, filter string) ([]user, error) {
	var p page
	err := g.do(ctx, http.MethodGet, "/users?"+url.Values{"$filter": {filter}, "$select": {selected}}.Encode(), nil, &p)
	return p.Users, err
}

// Find implements [target.Target].
func (g *Graph) Find(ctx context.Context, a target.Account) (target.Remote, bool, error) {
	ours, err := g.users(ctx, "onPremisesImmutableId eq "+quoted(a.Key))
	if err != nil {
		return target.Remote{}, false, err
	}
	switch len(ours) {
	case 0:
	case 1:
		return ours[0].remote(), true, nil
	default:
		f := target.Fail(target.Double, "%d users have the onPremisesImmutableId %s", len(ours), a.Key)
		f.Other = ours[1].Principal
		return target.Remote{}, false, f
	}
	others, err := g.users(ctx, "userPrincipalName eq "+quoted(principal(a)))
	if err != nil || len(others) == 0 {
		return target.Remote{}, false, err
	}
	if others[0].ImmutableID == "" && g.config.Adopt {
		r, err := g.unkeyed(ctx, others[0])
		return r, err == nil, err
	}
	f := target.Fail(target.Taken, "the user %s has another onPremisesImmutableId", others[0].Principal)
	f.Other = others[0].Principal
	return target.Remote{}, false, f
}

// unkeyed is a user who has no key yet, with the directory roles that they hold: an
// application that may not read those takes over nobody.
func (g *Graph) unkeyed(ctx context.Context, u user) (target.Remote, error) {
	r := u.remote()
	r.Number = u.Employee
	if r.Mail == "" {
		r.Mail = u.Principal
	}
	var roles struct {
		Held []struct {
			Name string `json:"displayName"`
		} `json:"value"`
	}
	err := g.do(ctx, http.MethodGet, "/users/"+url.PathEscape(u.ID)+"/transitiveMemberOf/microsoft.graph.directoryRole?$select=displayName", nil, &roles)
	switch {
	case target.Is(err, target.Denied):
		r.Privileged = "its directory roles may not be read: " + target.FailureOf(err).Detail
	case err != nil:
		return r, err
	case len(roles.Held) > 0:
		r.Privileged = "directory role " + roles.Held[0].Name
	}
	return r, nil
}

// At implements [target.Target].
func (g *Graph) At(ctx context.Context, account string, _ target.Account) (target.Remote, bool, error) {
	var u user
	err := g.do(ctx, http.MethodGet, "/users/"+url.PathEscape(account)+"?"+url.Values{"$select": {selected}}.Encode(), nil, &u)
	if target.Is(err, target.Gone) {
		return target.Remote{}, false, nil
	}
	return u.remote(), err == nil, err
}

// userOf is the account as the tenant should have it.
func (g *Graph) userOf(a target.Account) user {
	on := true
	u := user{
		Principal: principal(a), ImmutableID: a.Key, Display: a.DisplayName(), Given: a.GivenName, Surname: a.FamilyName, JobTitle: a.JobTitle, Language: a.Language,
		Nickname: a.Login, Location: g.config.UsageLocation, Enabled: &on,
	}
	if u.Display == "" {
		u.Display = a.Login // it wants one
	}
	return u
}

// Create implements [target.Target].
func (g *Graph) Create(ctx context.Context, a target.Account) (string, error) {
	u := g.userOf(a)
	// A password is asked for even where a federation checks it. Nobody learns it.
	u.Password = map[string]any{"password": id.Token(24) + "aA1!", "forceChangePasswordNextSignIn": false}
	var made user
	if err := g.do(ctx, http.MethodPost, "/users", u, &made); err != nil {
		return "", err
	}
	if made.ID == "" {
		f := target.Fail(target.Unclear, "the new user has no id")
		f.Maybe = true
		return "", f
	}
	return made.ID, g.furnish(ctx, made.ID, nil, a)
}

// Change implements [target.Target].
func (g *Graph) Change(ctx context.Context, account string, a target.Account) error {
	var now user
	if err := g.do(ctx, http.MethodGet, "/users/"+url.PathEscape(account)+"?"+url.Values{"$select": {selected}}.Encode(), nil, &now); err != nil {
		return err
	}
	if err := g.do(ctx, http.MethodPatch, "/users/"+url.PathEscape(account), g.userOf(a), nil); err != nil {
		return err
	}
	var has []string
	for _, l := range now.Licences {
		has = append(has, l.SKU)
	}
	return g.furnish(ctx, account, has, a)
}

// furnish gives a user the licences and groups that are missing, and takes away
// the groups that are ours and too many. Licences of others stay.
func (g *Graph) furnish(ctx context.Context, account string, has []string, a target.Account) error {
	var add []map[string]any
	for _, sku := range g.config.Licences {
		if !slices.Contains(has, sku) {
			add = append(add, map[string]any{"skuId": sku, "disabledPlans": []string{}})
		}
	}
	if len(add) > 0 {
		if err := g.do(ctx, http.MethodPost, "/users/"+url.PathEscape(account)+"/assignLicense", map[string]any{"addLicenses": add, "removeLicenses": []string{}}, nil); err != nil {
			if target.Is(err, target.Refused) { // there may be none left: the account is there all the same
				return target.Fail(target.Partial, "licence: %s", target.FailureOf(err).Detail)
			}
			return err
		}
	}
	if len(g.config.GroupIDs) == 0 {
		return nil
	}
	return g.join(ctx, account, a)
}

func (g *Graph) join(ctx context.Context, account string, a target.Account) error {
	var in struct {
		IDs []string `json:"value"`
	}
	ours := make([]string, 0, len(g.config.GroupIDs))
	for _, groupID := range g.config.GroupIDs {
		ours = append(ours, groupID)
	}
	slices.Sort(ours)
	for some := range slices.Chunk(slices.Compact(ours), 20) { // as many as one question may name
		var part struct {
			IDs []string `json:"value"`
		}
		if err := g.do(ctx, http.MethodPost, "/users/"+url.PathEscape(account)+"/checkMemberGroups", map[string]any{"groupIds": some}, &part); err != nil {
			return err
		}
		in.IDs = append(in.IDs, part.IDs...)
	}
	var missing []string
	wanted := map[string]bool{}
	for _, code := range a.Groups {
		groupID := g.config.GroupIDs[code]
		if groupID == "" || wanted[groupID] {
			continue
		}
		wanted[groupID] = true
		if slices.Contains(in.IDs, groupID) {
			continue
		}
		reference := map[string]string{"@odata.id": "https://graph.microsoft.com/v1.0/directoryObjects/" + account}
		err := g.do(ctx, http.MethodPost, "/groups/"+url.PathEscape(groupID)+"/members/$ref", reference, nil)
		switch {
		case target.Is(err, target.Gone):
			missing = append(missing, code)
		case err != nil && !target.Is(err, target.Taken): // that says that they are in it
			return err
		}
	}
	for _, groupID := range in.IDs {
		if wanted[groupID] {
			continue
		}
		err := g.do(ctx, http.MethodDelete, "/groups/"+url.PathEscape(groupID)+"/members/"+url.PathEscape(account)+"/$ref", nil, nil)
		if err != nil && !target.Is(err, target.Gone) {
			return err
		}
	}
	if len(missing) > 0 {
		return target.Fail(target.Partial, "the tenant has no group for %s", strings.Join(missing, ", "))
	}
	return nil
}

// Suspend implements [target.Target].
func (g *Graph) Suspend(ctx context.Context, account string, _ target.Account) error {
	off := false
	return g.do(ctx, http.MethodPatch, "/users/"+url.PathEscape(account), user{Enabled: &off}, nil)
}

// Delete implements [target.Target]. The tenant keeps a deleted user for 30 days.
func (g *Graph) Delete(ctx context.Context, account string, _ target.Account) error {
	err := g.do(ctx, http.MethodDelete, "/users/"+url.PathEscape(account), nil, nil)
	if target.Is(err, target.Gone) {
		return nil
	}
	return err
}

// Probe implements [target.Target].
func (g *Graph) Probe(ctx context.Context) (string, error) {
	var p page
	if err := g.do(ctx, http.MethodGet, "/users?$top=1&$select=id", nil, &p); err != nil {
		return "", err
	}
	return "Microsoft Graph, tenant " + g.config.Tenant, nil
}

// listed is how many users one page of a list asks for, the most it may.
const listed = 999

// List implements [target.Lister].
func (g *Graph) List(ctx context.Context, each func(target.Remote) error) error {
	next := "/users?" + url.Values{"$select": {selected}, "$top": {strconv.Itoa(listed)}}.Encode()
	for next != "" {
		var p page
		if err := g.do(ctx, http.MethodGet, next, nil, &p); err != nil {
			return err
		}
		for _, u := range p.Users {
			if err := each(u.remote()); err != nil {
				return err
			}
		}
		next = p.Next
	}
	return nil
}
