package request

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
)

// Claims is the claims parameter (OpenID Connect Core §5.5): single claims that
// are asked for besides the scopes.
type Claims struct {
	UserInfo map[string]*Claim `json:"userinfo,omitempty"`
	IDToken  map[string]*Claim `json:"id_token,omitempty"`
}

// Claim is how one claim is asked for; nil for without conditions.
type Claim struct {
	Essential bool              `json:"essential,omitempty"`
	Value     json.RawMessage   `json:"value,omitempty"`
	Values    []json.RawMessage `json:"values,omitempty"`
}

// Texts are the values that the client would take, as far as they are texts.
func (c *Claim) Texts() []string {
	if c == nil {
		return nil
	}
	var texts []string
	for _, raw := range append(slices.Clone(c.Values), c.Value) {
		var text string
		if len(raw) > 0 && json.Unmarshal(raw, &text) == nil {
			texts = append(texts, text)
		}
	}
	return texts
}

// maxClaims bounds how many single claims a request may name.
const maxClaims = 100

func readClaims(a *Authorization, v url.Values) *Refusal {
	text := v.Get("claims")
	if text == "" {
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	if err := decoder.Decode(&a.Claims); err != nil || decoder.More() {
		return refuse(InvalidRequest, "claims is not the JSON of OpenID Connect Core 5.5")
	}
	if len(a.Claims.UserInfo)+len(a.Claims.IDToken) > maxClaims {
		return refuse(InvalidRequest, "claims names more than %d claims", maxClaims)
	}
	return nil
}

// Essential is how the ID token must say how the person signed in, when the
// client cannot do without: the values of acr it takes.
func (c Claims) Essential() (values []string, essential bool) {
	asked := c.IDToken["acr"]
	return asked.Texts(), asked != nil && asked.Essential
}

// Subject is whom the client asks about (sub with a value); empty for anybody.
func (c Claims) Subject() string {
	for _, asked := range []*Claim{c.IDToken["sub"], c.UserInfo["sub"]} {
		if texts := asked.Texts(); len(texts) > 0 {
			return texts[0]
		}
	}
	return ""
}

// Wanted are the attributes that scopes and single claims ask for. It is never
// nil: nothing asked is nothing told.
func Wanted(scopes []string, c Claims) []registry.Attribute {
	wanted := []registry.Attribute{}
	add := func(a registry.Attribute) {
		if a != "" && !slices.Contains(wanted, a) {
			wanted = append(wanted, a)
		}
	}
	for _, scope := range scopes {
		for _, a := range registry.OfScope(scope) {
			add(a)
		}
	}
	for _, list := range []map[string]*Claim{c.UserInfo, c.IDToken} {
		for name := range list {
			add(attributeOf(name))
		}
	}
	return wanted
}

// InIDToken are the attributes that must stand in the ID token.
func (c Claims) InIDToken() []registry.Attribute {
	wanted := []registry.Attribute{}
	for name := range c.IDToken {
		if a := attributeOf(name); a != "" {
			wanted = append(wanted, a)
		}
	}
	return wanted
}

// attributeOf is the attribute behind a claim; email_verified says something
// about the address.
func attributeOf(claim string) registry.Attribute {
	if claim == "email_verified" {
		return registry.Mail
	}
	return registry.ByClaim(claim)
}
