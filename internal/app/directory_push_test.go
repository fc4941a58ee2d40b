package app

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/app/valmont"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/push"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

// A program pushes into the whole house: somebody is enrolled, changes, is in a group,
// and leaves, by SCIM and by the API.
func TestProgramsPushIntoTheRegisterOfPeople(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { programsPush(t, dbtest.SQLiteDSN(t)) })
	t.Run("postgres", func(t *testing.T) { programsPush(t, dbtest.PostgresDSN(t)) })
}

func programsPush(t *testing.T, dsn string) {
	u, err := valmont.Load()
	if err != nil {
		t.Fatal(err)
	}
	cfg := demoConfig(u)
	cfg.Server.DataDir, cfg.Database.DSN = t.TempDir(), dsn
	cfg.Directory.Sources = append(cfg.Directory.Sources, source.Config{ID: "entra-push", Kind: source.KindSCIM}, source.Config{
		ID: "rh-push", Kind: source.KindAPI, Kinds: []string{"teacher"}, MailDomains: []string{"valmont.example"}, IdentityPerHour: 1,
	})
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	cfg.Server.BaseURL = server.URL
	h, err := Open(t.Context(), cfg, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	server.Config.Handler = h.Web

	token := ""
	send := func(status int, method, path, body string) map[string]any {
		t.Helper()
		r, err := http.NewRequest(method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != status {
			t.Fatalf("%s %s: %d, not %d: %s", method, path, resp.StatusCode, status, text)
		}
		answer := map[string]any{}
		if len(text) > 0 {
			if err := json.Unmarshal(text, &answer); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		return answer
	}
	known := func(login string) (contract.Known, bool) {
		t.Helper()
		ids, err := h.identity.FindPeople(t.Context(), contract.FieldLogin, []string{login})
		if err != nil {
			t.Fatal(err)
		}
		people, err := h.identity.KnownPeople(t.Context(), values(ids))
		if err != nil {
			t.Fatal(err)
		}
		return people[ids[login]], ids[login] != ""
	}

	if _, token, err = h.directory.Door().AddToken(t.Context(), push.Order{Source: "entra-push", Label: "test"}); err != nil {
		t.Fatal(err)
	}
	made := send(201, "POST", "/scim/v2/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"yannig.lebihan@valmont.example","externalId":"A1","active":true,
		"name":{"familyName":"Le Bihan","givenName":"Yannig"},"title":"Ingénieur","userType":"staff","emails":[{"value":"yannig.lebihan@valmont.example","type":"work","primary":true}]}`)
	id := made["id"].(string)
	p, ok := known("yannig.lebihan")
	if !ok || p.Subject.FamilyName != "Le Bihan" || len(p.Subject.Affiliations) != 1 || p.Subject.Affiliations[0].Kind != "staff" {
		t.Fatalf("after the creation it is %+v, %v", p, ok)
	}
	send(200, "PATCH", "/scim/v2/Users/"+id, `{"Operations":[{"op":"Replace","path":"name.familyName","value":"Le Goff"},{"op":"Add","path":"title","value":"Ingénieure"}]}`)
	if p, _ := known("yannig.lebihan"); p.Subject.FamilyName != "Le Goff" || p.Subject.JobTitle != "Ingénieure" {
		t.Errorf("after the change it is %+v", p)
	}
	group := send(201, "POST", "/scim/v2/Groups", `{"displayName":"Ingénieurs","externalId":"ING","members":[{"value":"`+id+`"}]}`)["id"].(string)
	if in, err := h.directory.GroupsOf(t.Context(), p.ID); err != nil || !strings.Contains(strings.ToLower(strings.Join(in, " ")), "ing") {
		t.Errorf("it is in the groups %q, %v", in, err)
	}
	send(204, "DELETE", "/scim/v2/Groups/"+group, "")
	send(204, "DELETE", "/scim/v2/Users/"+id, "")
	if p, ok := known("yannig.lebihan"); !ok {
		t.Error("whoever leaves is forgotten at once")
	} else if p.State == "active" {
		t.Errorf("after the departure it is %+v", p)
	}

	if _, token, err = h.directory.Door().AddToken(t.Context(), push.Order{Source: "rh-push", Label: "test"}); err != nil {
		t.Fatal(err)
	}
	send(201, "PUT", "/api/directory/v1/people/rh-7", `{"login":"soazig.kermarrec","family_name":"Kermarrec","given_name":"Soazig","mail":"soazig.kermarrec@valmont.example",
		"affiliations":[{"kind":"teacher","until":"2099-08-31"}],"employee_number":"RH7"}`)
	if p, ok := known("soazig.kermarrec"); !ok || p.Subject.GivenName != "Soazig" {
		t.Errorf("by the API it is %+v, %v", p, ok)
	}
	if a := send(422, "PUT", "/api/directory/v1/people/rh-8", `{"login":"nobody.there"}`); a["code"] == "" || a["next"] == "" {
		t.Errorf("somebody without a name: %v", a)
	}
	send(404, "GET", "/api/directory/v1/people/rh-8", "")

	// What the source may not say is refused by name, and so is more than its budget.
	person := func(n int, mail, kind string) string {
		return fmt.Sprintf(`{"login":"budget.number%[1]d","family_name":"Budget","given_name":"Number","mail":"%[2]s","affiliations":[{"kind":"%[3]s"}],"employee_number":"B%[1]d"}`, n, mail, kind)
	}
	for kind, code := range map[string]string{"staff": "directory.kind_not_allowed", "teacher": "directory.domain_not_allowed"} {
		mail := "budget1@valmont.example"
		if kind == "teacher" {
			mail = "budget1@elsewhere.example"
		}
		if a := send(422, "PUT", "/api/directory/v1/people/b-1", person(1, mail, kind)); a["code"] != code {
			t.Errorf("what it may not say is answered %v", a)
		}
	}
	for n := range 2 {
		send(201, "PUT", fmt.Sprint("/api/directory/v1/people/b-", n), person(n, fmt.Sprintf("budget%d@valmont.example", n), "teacher"))
	}
	send(200, "PUT", "/api/directory/v1/people/b-0", person(0, "other0@valmont.example", "teacher"))
	if a := send(429, "PUT", "/api/directory/v1/people/b-1", person(1, "other1@valmont.example", "teacher")); a["code"] != "directory.register.identity_held" || a["next"] == "" {
		t.Errorf("beyond its budget it is answered %v", a)
	}
	if p, _ := known("budget.number1"); p.Subject.Mail != "budget1@valmont.example" {
		t.Errorf("beyond the budget it is %+v", p.Subject)
	}
	var noted int
	err = h.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM identity_journal WHERE kind = 'identity.push_token_made'").Scan(&noted)
	if err != nil || noted != 2 {
		t.Errorf("the journal knows %d tokens, %v", noted, err)
	}
}

func values[K comparable, V any](m map[K]V) (list []V) {
	for _, v := range m {
		list = append(list, v)
	}
	return list
}
