package scim

import (
	"encoding/json"
	"testing"
)

// FuzzFilter: a filter is read or refused as the protocol says, and asking it of a
// resource ends.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{`userName eq "x"`, `not (emails[type eq "work" and value co "@"] or active eq true)`, `a.b.c pr`, `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department sw "D"`, `((((`, `title eq null`} {
		f.Add(seed)
	}
	resource := map[string]any{"userName": "x", "active": true, "emails": []any{map[string]any{"value": "x@y", "type": "work"}}, enterpriseSchema: map[string]any{"department": "DSI"}}
	f.Fuzz(func(t *testing.T, raw string) {
		parsed, err := users.parseFilter(raw)
		if err != nil {
			if r, ok := err.(*refusal); !ok || r.kind != "invalidFilter" {
				t.Errorf("%q is refused by %v", raw, err)
			}
			return
		}
		parsed.admits(resource)
		parsed.admits(map[string]any{})
	})
}

// FuzzPatch: whatever a client sends, a resource stays one: what is kept is clean, and
// cleaning it changes nothing.
func FuzzPatch(f *testing.F) {
	f.Add("add", `emails[type eq "work"].value`, `"a@b"`)
	f.Add("Replace", "", `{"name.givenName":"x","active":"False"}`)
	f.Add("remove", "members", `[{"value":"x"}]`)
	f.Add("add", enterpriseSchema, `{"manager":"x"}`)
	f.Fuzz(func(t *testing.T, op, at, value string) {
		var v any
		if json.Unmarshal([]byte(value), &v) != nil {
			return
		}
		for _, kind := range []resourceType{users, groups} {
			resource := map[string]any{"userName": "x", "displayName": "y", "emails": []any{map[string]any{"value": "w", "type": "work", "primary": true}}}
			if kind.name == groups.name {
				resource = map[string]any{"displayName": "y", "members": []any{map[string]any{"value": "m"}}}
			}
			if err := kind.patch(resource, []operation{{op, at, v}, {op, at, v}}); err != nil {
				if _, ok := err.(*refusal); !ok {
					t.Errorf("refused by %v", err)
				}
				continue
			}
			before, err := encode(resource)
			if err != nil {
				t.Fatal(err)
			}
			clean, err := kind.cleanResource(resource)
			if err != nil {
				t.Fatalf("%s is kept and then refused: %v", before, err)
			}
			if after, _ := encode(clean); string(after) != string(before) {
				t.Errorf("%s is kept, and clean it is %s", before, after)
			}
			record(kind.kind(), "id", resource)
		}
	})
}
