// Package scim keeps accounts in a service by SCIM 2.0, as a client of its users
// and groups (RFC 7643, RFC 7644). Accounts carry our key as their externalId.
package scim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
)

// Config is what is particular to a SCIM service.
type Config struct {
	Token string `toml:"token" secret:"true" help:"scim: bearer token"`
	Adopt bool   `toml:"adopt" help:"scim: take over an account with the same userName that has no externalId yet"`
}

// SCIM is one service. Its base address is that of the protocol, such as
// https://service.example/scim/v2.
type SCIM struct {
	config Config
	caller *target.Caller

	mu       sync.Mutex
	features *features
}

var (
	_ target.Target = (*SCIM)(nil)
	_ target.Lister = (*SCIM)(nil)
)

// New is the connector of a service.
func New(line target.Line, c Config) (*SCIM, error) {
	caller, err := target.NewCaller(line, func(r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+c.Token)
		return nil
	}, c.Token)
	if err != nil {
		return nil, err
	}
	return &SCIM{config: c, caller: caller}, nil
}

// The schemas of the messages.
const (
	schemaUser  = "urn:ietf:params:scim:schemas:core:2.0:User"
	schemaGroup = "urn:ietf:params:scim:schemas:core:2.0:Group"
	schemaPatch = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// features are those of RFC 7643 §5 that we need to know.
type features struct {
	Patch struct {
		Supported bool `json:"supported"`
	} `json:"patch"`
}

// user is a User (RFC 7643 §4.1), as far as we write it.
type user struct {
	Schemas     []string  `json:"schemas,omitempty"`
	ID          string    `json:"id,omitempty"`
	ExternalID  string    `json:"externalId,omitempty"`
	UserName    string    `json:"userName,omitempty"`
	Name        *name     `json:"name,omitempty"`
	DisplayName string    `json:"displayName,omitempty"`
	Title       string    `json:"title,omitempty"`
	Language    string    `json:"preferredLanguage,omitempty"`
	Emails      []value   `json:"emails,omitempty"`
	Active      *bool     `json:"active,omitempty"`
	Groups      []groupOf `json:"groups,omitempty"` // read-only
	UserType    string    `json:"userType,omitempty"`
	// Roles and Entitlements are what the service itself lets the user do; they are
	// only read.
	Roles        []value `json:"roles,omitempty"`
	Entitlements []value `json:"entitlements,omitempty"`
	// Enterprise is the extension of RFC 7643 §4.3.
	Enterprise *enterprise `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,omitempty"`
}

type enterprise struct {
	EmployeeNumber string `json:"employeeNumber,omitempty"`
}

// unkeyed is a user who has no key yet. Roles and entitlements have no common names:
// whoever has any was given something here, and is not taken for a new account.
func (u user) unkeyed() target.Remote {
	r := u.remote()
	if u.Enterprise != nil {
		r.Number = u.Enterprise.EmployeeNumber
	}
	for kind, list := range map[string][]value{"role": u.Roles, "entitlement": u.Entitlements} {
		for _, v := range list {
			r.Privileged = kind + " " + v.Value
		}
	}
	return r
}

type name struct {
	Given  string `json:"givenName,omitempty"`
	Family string `json:"familyName,omitempty"`
}

type value struct {
	Value   string `json:"value"`
	Type    string `json:"type,omitempty"`
	Primary bool   `json:"primary,omitempty"`
}

type groupOf struct {
	Value   string `json:"value"`
	Display string `json:"display"`
}

func (u user) remote() target.Remote {
	r := target.Remote{ID: u.ID, Key: u.ExternalID, Login: u.UserName, Suspended: u.Active != nil && !*u.Active}
	for _, e := range u.Emails {
		if r.Mail == "" || e.Primary {
			r.Mail = e.Value
		}
	}
	return r
}

// userOf is the account as the service should have it.
func userOf(a target.Account, active bool) user {
	u := user{
		Schemas: []string{schemaUser}, ExternalID: a.Key, UserName: a.Login, DisplayName: a.DisplayName(), Title: a.JobTitle, Language: a.Language, Active: &active,
	}
	if a.GivenName != "" || a.FamilyName != "" {
		u.Name = &name{a.GivenName, a.FamilyName}
	}
	if a.Mail != "" {
		u.Emails = []value{{a.Mail, "work", true}}
	}
	return u
}

// do asks the service; into may be nil. A status that is no success is a failure.
func (s *SCIM) do(ctx context.Context, method, path string, body, into any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return fmt.Errorf("ask a SCIM service: %w", err)
		}
	}
	answer, err := s.caller.Do(ctx, method, path, http.Header{"Content-Type": {"application/scim+json"}, "Accept": {"application/scim+json"}}, text)
	if err != nil {
		return err
	}
	switch {
	case answer.Status == http.StatusNotFound, answer.Status == http.StatusGone:
		return s.caller.Fail(target.Gone, "%s %s: status %d", method, path, answer.Status)
	case answer.Status == http.StatusConflict: // uniqueness (RFC 7644 §3.12)
		return s.caller.Fail(target.Taken, "%s %s: %s", method, path, answer.Body)
	case answer.Status >= 300:
		return s.caller.Fail(target.Refused, "%s %s: status %d: %s", method, path, answer.Status, answer.Body)
	case into == nil || answer.Status == http.StatusNoContent:
		return nil
	}
	return answer.JSON(into)
}

// list is a ListResponse (RFC 7644 §3.4.2).
type list[T any] struct {
	Total     int `json:"totalResults"`
	Start     int `json:"startIndex"`
	Resources []T `json:"Resources"`
}

// equals is a filter (RFC 7644 §3.4.2.2).
func equals(attribute, text string) string { return attribute + " eq " + strconv.Quote(text) }

func (s *SCIM) users(ctx context.Context, filter string) ([]user, error) {
	var found list[user]
	err := s.do(ctx, http.MethodGet, "/Users?"+url.Values{"filter": {filter}}.Encode(), nil, &found)
	return found.Resources, err
}

// Find implements [target.Target].
func (s *SCIM) Find(ctx context.Context, a target.Account) (target.Remote, bool, error) {
	ours, err := s.users(ctx, equals("externalId", a.Key))
	if err != nil {
		return target.Remote{}, false, err
	}
	// Some services ignore a filter that they do not know, and answer with everybody.
	ours = slices.DeleteFunc(ours, func(u user) bool { return u.ExternalID != a.Key })
	switch len(ours) {
	case 0:
	case 1:
		return ours[0].remote(), true, nil
	default:
		f := target.Fail(target.Double, "%d users have the externalId %s", len(ours), a.Key)
		f.Other = ours[1].UserName
		return target.Remote{}, false, f
	}
	others, err := s.users(ctx, equals("userName", a.Login))
	if err != nil {
		return target.Remote{}, false, err
	}
	for _, u := range others {
		switch {
		case u.UserName != a.Login:
		case u.ExternalID == "" && s.config.Adopt:
			return u.unkeyed(), true, nil
		default:
			f := target.Fail(target.Taken, "the user %s has another externalId", u.UserName)
			f.Other = u.UserName
			return target.Remote{}, false, f
		}
	}
	return target.Remote{}, false, nil
}

// At implements [target.Target].
func (s *SCIM) At(ctx context.Context, id string, _ target.Account) (target.Remote, bool, error) {
	var u user
	err := s.do(ctx, http.MethodGet, "/Users/"+url.PathEscape(id), nil, &u)
	if target.Is(err, target.Gone) {
		return target.Remote{}, false, nil
	}
	return u.remote(), err == nil, err
}

// Create implements [target.Target].
func (s *SCIM) Create(ctx context.Context, a target.Account) (string, error) {
	var made user
	if err := s.do(ctx, http.MethodPost, "/Users", userOf(a, true), &made); err != nil {
		return "", err
	}
	if made.ID == "" {
		f := target.Fail(target.Unclear, "the new user has no id")
		f.Maybe = true
		return "", f
	}
	return made.ID, s.join(ctx, made.ID, nil, a)
}

// Change implements [target.Target].
func (s *SCIM) Change(ctx context.Context, id string, a target.Account) error {
	var now user
	if err := s.do(ctx, http.MethodGet, "/Users/"+url.PathEscape(id), nil, &now); err != nil {
		return err
	}
	if err := s.write(ctx, id, userOf(a, true)); err != nil {
		return err
	}
	return s.join(ctx, id, now.Groups, a)
}

// write changes a user, by PATCH where the service has it: what others keep there
// stays.
func (s *SCIM) write(ctx context.Context, id string, u user) error {
	patches, err := s.patches(ctx)
	if err != nil {
		return err
	}
	if !patches {
		u.ID = id
		return s.do(ctx, http.MethodPut, "/Users/"+url.PathEscape(id), u, nil)
	}
	u.Schemas = nil
	return s.do(ctx, http.MethodPatch, "/Users/"+url.PathEscape(id), patch{Schemas: []string{schemaPatch}, Operations: []operation{{Op: "replace", Value: u}}}, nil)
}

// patch is a PatchOp (RFC 7644 §3.5.2).
type patch struct {
	Schemas    []string    `json:"schemas"`
	Operations []operation `json:"Operations"`
}

type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path,omitempty"`
	Value any    `json:"value,omitempty"`
}

// patches reports whether the service takes PATCH, asked once.
func (s *SCIM) patches(ctx context.Context) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.features == nil {
		var f features
		if err := s.do(ctx, http.MethodGet, "/ServiceProviderConfig", nil, &f); err != nil {
			return false, err
		}
		s.features = &f
	}
	return s.features.Patch.Supported, nil
}

// Suspend implements [target.Target].
func (s *SCIM) Suspend(ctx context.Context, id string, a target.Account) error {
	patches, err := s.patches(ctx)
	if err != nil {
		return err
	}
	if patches {
		off := false
		return s.write(ctx, id, user{Active: &off})
	}
	var now map[string]any // a whole user, of which PUT must lose nothing
	if err := s.do(ctx, http.MethodGet, "/Users/"+url.PathEscape(id), nil, &now); err != nil {
		return err
	}
	now["active"] = false
	return s.do(ctx, http.MethodPut, "/Users/"+url.PathEscape(id), now, nil)
}

// Delete implements [target.Target].
func (s *SCIM) Delete(ctx context.Context, id string, _ target.Account) error {
	err := s.do(ctx, http.MethodDelete, "/Users/"+url.PathEscape(id), nil, nil)
	if target.Is(err, target.Gone) {
		return nil
	}
	return err
}

// Probe implements [target.Target].
func (s *SCIM) Probe(ctx context.Context) (string, error) {
	var f features
	if err := s.do(ctx, http.MethodGet, "/ServiceProviderConfig", nil, &f); err != nil {
		return "", err
	}
	var few list[user]
	if err := s.do(ctx, http.MethodGet, "/Users?count=1", nil, &few); err != nil {
		return "", err
	}
	return fmt.Sprintf("SCIM 2.0, %d users, PATCH: %t", few.Total, f.Patch.Supported), nil
}

// listed is how many users one page of a list asks for.
const listed = 200

// List implements [target.Lister], page by page (RFC 7644 §3.4.2.4).
func (s *SCIM) List(ctx context.Context, each func(target.Remote) error) error {
	for begin := 1; ; {
		var page list[user]
		if err := s.do(ctx, http.MethodGet, fmt.Sprintf("/Users?startIndex=%d&count=%d", begin, listed), nil, &page); err != nil {
			return err
		}
		for _, u := range page.Resources {
			if err := each(u.remote()); err != nil {
				return err
			}
		}
		begin += len(page.Resources)
		if len(page.Resources) == 0 || begin > page.Total {
			return nil
		}
	}
}
