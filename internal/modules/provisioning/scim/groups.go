package scim

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
)

// ours marks the groups that we made: others are never left or changed.
const ours = "amphi:"

// group is a Group (RFC 7643 §4.2).
type group struct {
	Schemas     []string `json:"schemas,omitempty"`
	ID          string   `json:"id,omitempty"`
	ExternalID  string   `json:"externalId,omitempty"`
	DisplayName string   `json:"displayName"`
}

// join makes the groups of a user those of the account. A user shows its groups
// by their names: those of ours are called after their code.
func (s *SCIM) join(ctx context.Context, id string, has []groupOf, a target.Account) error {
	for _, code := range a.Groups {
		if slices.ContainsFunc(has, func(g groupOf) bool { return g.Display == ours+code }) {
			continue
		}
		groupID, err := s.group(ctx, code)
		if err != nil {
			return err
		}
		if err := s.member(ctx, groupID, operation{Op: "add", Path: "members", Value: []value{{Value: id}}}); err != nil {
			return err
		}
	}
	for _, g := range has {
		code, mine := strings.CutPrefix(g.Display, ours)
		if !mine || slices.Contains(a.Groups, code) {
			continue
		}
		if err := s.member(ctx, g.Value, operation{Op: "remove", Path: "members[" + equals("value", id) + "]"}); err != nil && !target.Is(err, target.Gone) {
			return err
		}
	}
	return nil
}

func (s *SCIM) member(ctx context.Context, groupID string, o operation) error {
	return s.do(ctx, http.MethodPatch, "/Groups/"+url.PathEscape(groupID), patch{Schemas: []string{schemaPatch}, Operations: []operation{o}}, nil)
}

// group is the identifier of the group with a code, made when it is missing.
func (s *SCIM) group(ctx context.Context, code string) (string, error) {
	s.mu.Lock() // or two accounts would make it at once
	defer s.mu.Unlock()
	var found list[group]
	if err := s.do(ctx, http.MethodGet, "/Groups?"+url.Values{"filter": {equals("displayName", ours+code)}}.Encode(), nil, &found); err != nil {
		return "", err
	}
	for _, g := range found.Resources {
		if g.DisplayName == ours+code {
			return g.ID, nil
		}
	}
	var made group
	err := s.do(ctx, http.MethodPost, "/Groups", group{Schemas: []string{schemaGroup}, ExternalID: code, DisplayName: ours + code}, &made)
	return made.ID, err
}
