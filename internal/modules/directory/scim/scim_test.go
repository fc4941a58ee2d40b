package scim_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/push"
	"github.com/amphi-campus/amphi/internal/modules/directory/push/pushtest"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/modules/directory/scim"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
)

const (
	enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	ours       = "urn:amphi:params:scim:schemas:extension:campus:2.0:User"
)

func each(t *testing.T, test func(t *testing.T, h *pushtest.House, p *pushtest.Program)) {
	pushtest.Each(t, func(d *push.Door) []pushtest.Routes { return []pushtest.Routes{&scim.Server{Door: d}} }, func(t *testing.T, h *pushtest.House) {
		test(t, h, h.Program(pushtest.SCIM))
	})
}

func user(name string, more ...string) string {
	return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"` + name + `","name":{"familyName":"Quéré","givenName":"Zoé"}` + strings.Join(append([]string{""}, more...), ",") + `}`
}

func op(operation, path, value string) string {
	o := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"` + operation + `"`
	if path != "" {
		quoted, _ := json.Marshal(path)
		o += `,"path":` + string(quoted)
	}
	if value != "" {
		o += `,"value":` + value
	}
	return o + `}]}`
}

func TestEveryAddressWantsATokenOfASCIMSource(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
		made := p.Must(201, "POST", "/scim/v2/Users", user("zoe")).Get("id")
		for _, address := range []string{
			"GET /scim/v2/ServiceProviderConfig", "GET /scim/v2/ResourceTypes", "GET /scim/v2/ResourceTypes/User", "GET /scim/v2/Schemas", "GET /scim/v2/Schemas/" + enterprise,
			"GET /scim/v2/Users", "POST /scim/v2/Users", "POST /scim/v2/Users/.search", "GET /scim/v2/Users/" + made, "PUT /scim/v2/Users/" + made, "PATCH /scim/v2/Users/" + made, "DELETE /scim/v2/Users/" + made,
			"GET /scim/v2/Me", "POST /scim/v2/Bulk", "POST /scim/v2/.search", "GET /scim/v2/elsewhere", "DELETE /scim/v2/Users",
			"GET /scim/v2/Groups", "POST /scim/v2/Groups", "POST /scim/v2/Groups/.search", "GET /scim/v2/Groups/x", "PUT /scim/v2/Groups/x", "PATCH /scim/v2/Groups/x", "DELETE /scim/v2/Groups/x",
		} {
			method, path, _ := strings.Cut(address, " ")
			for name, c := range map[string]struct {
				p      *pushtest.Program
				status int
			}{"a stranger": {h.Stranger(), 401}, "a program of the API": {h.Program(pushtest.API), 403}} {
				a := c.p.Ask(method, path, user("x"))
				if a.Status != c.status || a.Get("schemas/0") != "urn:ietf:params:scim:api:messages:2.0:Error" || a.Get("status") != fmt.Sprint(c.status) || a.Header.Get("Content-Type") != "application/scim+json" {
					t.Errorf("%s answers %s with %d %s", address, name, a.Status, a.Text)
				}
				if c.status == 401 && a.Header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s does not say how to prove oneself", address)
				}
			}
		}
		if len(h.Engine.People) != 1 {
			t.Errorf("%d people are known", len(h.Engine.People))
		}
	})
}

func TestAPersonIsPushedWithAllThatTheyAre(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
		a := p.Must(201, "POST", "/scim/v2/Users", user("zoe.quere@univ.example", `"externalId":"E1","active":true,"title":"Doyenne","preferredLanguage":"fr-FR","userType":"enseignante"`,
			`"emails":[{"value":"Zoe@Univ.example","type":"work","primary":true},{"value":"zoe@home.example","type":"home"}]`,
			`"phoneNumbers":[{"value":"+33 1 99 00 00 01","type":"work"},{"value":"0612345678","type":"mobile"}]`,
			`"`+enterprise+`":{"employeeNumber":42,"department":"UFR-SCI","manager":{"value":"chef"}}`, `"unknown":{"x":1},"id":"mine","meta":{"version":"x"}`))
		id := a.Get("id")
		if id == "mine" || a.Get("meta/version") != `W/"1"` || a.Header.Get("ETag") != `W/"1"` || a.Header.Get("Location") != h.Base()+"/scim/v2/Users/"+id || a.JSON["unknown"] != nil ||
			a.Get("schemas/1") != enterprise || a.Get("meta/resourceType") != "User" {
			t.Errorf("it is answered %s with %v", a.Text, a.Header)
		}
		e := h.Engine.People[id]
		for f, want := range map[mapping.Field]string{
			"login": "zoe.quere", "mail": "zoe@univ.example", "recovery_mail": "zoe@home.example", "family_name": "Quéré", "given_name": "Zoé", "job_title": "Doyenne", "locale": "fr",
			mapping.FieldEmployeeNumber: "42", mapping.FieldPhone: "+33 1 99 00 00 01", "mobile": "0612345678", mapping.FieldUnits: "UFR-SCI", mapping.FieldManager: "chef",
			mapping.FieldActive: "true", "affiliations": "teacher|||UFR-SCI", "student_number": "", mapping.FieldOffice: "",
		} {
			if v, said := e.Values[f]; strings.Join(v, "+") != want || !said {
				t.Errorf("%s is %q, want %q", f, v, want)
			}
		}
		student := p.Must(201, "POST", "/scim/v2/Users", user("lea", `"`+ours+`":{"studentNumber":"2026","listed":"False","affiliations":[{"kind":"étudiant","campus":"rives","programme":"L1","until":"2027-08-31"},{"kind":"staff"}]}`)).Get("id")
		v := h.Engine.People[student].Values
		if got := v["affiliations"]; !slices.Equal(got, []string{"staff|||", "student|rives|L1|"}) || v.One("student_number") != "2026" || v.One("until") != "student|2027-09-01T00:00:00Z" || v.One(mapping.FieldListed) != "false" {
			t.Errorf("the student is %v", v)
		}
	})
}

func TestADeletedPersonIsGone(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
		id := p.Must(201, "POST", "/scim/v2/Users", user("zoe")).Get("id")
		p.Must(412, "DELETE", "/scim/v2/Users/"+id, "", "If-Match", `W/"7"`)
		p.Must(204, "DELETE", "/scim/v2/Users/"+id, "", "If-Match", `W/"1"`)
		p.Must(404, "GET", "/scim/v2/Users/"+id, "")
		p.Must(404, "DELETE", "/scim/v2/Users/"+id, "")
		if len(h.Engine.People) != 0 {
			t.Error("the engine still has them")
		}
	})
}

func TestWhatCannotBeIsRefusedAsTheProtocolSays(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
		id := p.Must(201, "POST", "/scim/v2/Users", user("zoe")).Get("id")
		for _, c := range []struct {
			name, method, path, body string
			status                   int
			kind                     string
		}{
			{"no JSON", "POST", "Users", `{`, 400, "invalidSyntax"},
			{"no name", "POST", "Users", `{"name":{}}`, 400, "invalidValue"},
			{"a name that is taken, whatever the case", "POST", "Users", user("ZOE"), 409, "uniqueness"},
			{"a list for a text", "POST", "Users", user("x", `"title":["a","b"]`), 400, "invalidValue"},
			{"two primary addresses", "POST", "Users", user("x", `"emails":[{"value":"a@b.c","primary":true},{"value":"b@b.c","primary":true}]`), 400, "invalidValue"},
			{"an identifier of the client", "PUT", "Users/x", user("x"), 404, ""},
			{"a filter that cannot be read", "GET", "Users?filter=userName%20like%20%22x%22", "", 400, "invalidFilter"},
			{"an attribute that is not there", "GET", "Users?filter=shoe%20eq%20%22x%22", "", 400, "invalidFilter"},
			{"an order that is not there", "GET", "Users?sortBy=shoe", "", 400, "invalidPath"},
			{"a number that is none", "GET", "Users?count=many", "", 400, "invalidValue"},
			{"an operation that is none", "PATCH", "Users/" + id, op("move", "title", `"x"`), 400, "invalidSyntax"},
			{"a path that is none", "PATCH", "Users/" + id, op("add", "shoe", `"x"`), 400, "invalidPath"},
			{"the identifier", "PATCH", "Users/" + id, op("replace", "id", `"x"`), 400, "mutability"},
			{"a name taken away", "PATCH", "Users/" + id, op("remove", "userName", ""), 400, "mutability"},
			{"a removal of nothing", "PATCH", "Users/" + id, op("remove", "", ""), 400, "noTarget"},
			{"no operation", "PATCH", "Users/" + id, `{"Operations":[]}`, 400, "invalidSyntax"},
			{"a filter of schemas", "GET", "Schemas?filter=id%20pr", "", 403, ""},
			{"a schema that is not there", "GET", "Schemas/x", "", 404, ""},
		} {
			a := p.Ask(c.method, "/scim/v2/"+c.path, c.body)
			if a.Status != c.status || a.Get("scimType") != c.kind || a.Get("detail") == "" || a.Get("schemas/0") != "urn:ietf:params:scim:api:messages:2.0:Error" {
				t.Errorf("%s: %d %s", c.name, a.Status, a.Text)
			}
		}
		h.Engine.Refuse = func(source.Record) error { return register.NoName }
		if a := p.Ask("POST", "/scim/v2/Users", user("new")); a.Status != 400 || a.Get("scimType") != "invalidValue" || !strings.Contains(a.Get("detail"), register.NoName.Code()) {
			t.Errorf("what the register refuses: %d %s", a.Status, a.Text)
		}
		h.Engine.Refuse = func(source.Record) error { return register.NumberOwned }
		if a := p.Ask("POST", "/scim/v2/Users", user("owned")); a.Status != 400 || !strings.Contains(a.Get("detail"), register.NumberOwned.Code()) {
			t.Errorf("a number of another source: %d %s", a.Status, a.Text)
		}
		h.Engine.Refuse = func(source.Record) error { return register.CreationHeld }
		if a := p.Ask("POST", "/scim/v2/Users", user("held")); a.Status != 201 || a.Header.Get("Amphi-Waits") != register.CreationHeld.Code() {
			t.Errorf("one that waits for somebody: %d %v", a.Status, a.Header)
		}
		h.Engine.Refuse = func(source.Record) error { return register.RunUnderWay }
		if a := p.Ask("PATCH", "/scim/v2/Users/"+id, op("replace", "title", `"x"`)); a.Status != 429 || a.Header.Get("Retry-After") == "" {
			t.Errorf("while a run writes: %d %s", a.Status, a.Text)
		}
		if a := p.Must(200, "GET", "/scim/v2/Users/"+id, ""); a.Get("title") != "" || a.Get("meta/version") == "" {
			t.Errorf("what was refused is kept: %s", a.Text)
		}
	})
}

func TestPeopleAreFoundByFilters(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
		for i, name := range []string{"alix", "Benoît", "chloe", "driss"} {
			active := i%2 == 0
			p.Must(201, "POST", "/scim/v2/Users", user(name, fmt.Sprintf(`"externalId":"E%d","active":%t,"title":"Title \"%d\"","emails":[{"value":"%s@univ.example","type":"work"},{"value":"x%d@home.example","type":"home"}]`, i, active, i, name, i),
				fmt.Sprintf(`"%s":{"department":"D%d"}`, enterprise, i)))
		}
		find := func(path string) string {
			a := p.Must(200, "GET", "/scim/v2/Users?"+path, "")
			var names []string
			for i := range a.JSON["Resources"].([]any) {
				names = append(names, a.Get(fmt.Sprintf("Resources/%d/userName", i)))
			}
			return strings.Join(names, " ") + " of " + a.Get("totalResults")
		}
		for filter, want := range map[string]string{
			`userName eq "ALIX"`: "alix of 1", `USERNAME Eq "benoît"`: "Benoît of 1", `externalId eq "E2"`: "chloe of 1", `externalId eq "e2"`: " of 0",
			`userName eq "alix" and active eq false`: " of 0", `userName sw "a" or userName ew "iss"`: "alix driss of 2", `not (active eq true)`: "Benoît driss of 2",
			`emails[type eq "work" and value co "CHLOE"]`: "chloe of 1", `emails.value eq "x3@home.example"`: "driss of 1", `emails co "x0@"`: "alix of 1",
			`emails[type eq "work"] and active eq "True"`: "alix chloe of 2", `title eq "Title \"1\""`: "Benoît of 1", `nickName pr`: " of 0", `title pr`: "alix Benoît chloe driss of 4",
			`nickName eq null`: "alix Benoît chloe driss of 4", enterprise + `:department eq "d3"`: "driss of 1", `urn:ietf:params:scim:schemas:core:2.0:User:userName eq "alix"`: "alix of 1",
			`userName ne "alix"`: "Benoît chloe driss of 3", `userName gt "b" and userName le "chloe"`: "Benoît chloe of 2", `meta.created ge "2020-01-01T00:00:00Z"`: "alix Benoît chloe driss of 4",
			`(userName eq "alix" or userName eq "driss") and (active eq true)`: "alix of 1", `userName eq "a" or userName eq "b" and active eq true`: " of 0",
			`id eq "x"`: " of 0",
		} {
			q := "filter=" + strings.NewReplacer(" ", "%20", `"`, "%22", "[", "%5B", "]", "%5D", "\\", "%5C", "î", "%C3%AE").Replace(filter)
			if got := find(q); got != want {
				t.Errorf("%s: %q, want %q", filter, got, want)
			}
			body, _ := json.Marshal(map[string]any{"filter": filter, "count": 0})
			if a := p.Must(200, "POST", "/scim/v2/Users/.search", string(body)); !strings.HasSuffix(want, " of "+a.Get("totalResults")) || a.Get("itemsPerPage") != "0" {
				t.Errorf("%s, posted: %s", filter, a.Text)
			}
		}
		for query, want := range map[string]string{
			"startIndex=2&count=2": "Benoît chloe of 4", "startIndex=0&count=1": "alix of 4", "startIndex=9": " of 4", "count=0": " of 4", "count=-1": " of 4",
			"sortBy=userName&sortOrder=descending&count=2": "driss chloe of 4", "sortBy=emails&startIndex=2&count=1": "Benoît of 4",
			"filter=active%20eq%20true&startIndex=2": "chloe of 2",
		} {
			if got := find(query); got != want {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
		other := h.Program(pushtest.SCIM)
		h.Door.Sources[1].Kind = source.KindSCIM
		if a := h.Program(pushtest.API).Must(200, "GET", "/scim/v2/Users", ""); a.Get("totalResults") != "0" {
			t.Errorf("another source sees them: %s", a.Text)
		}
		if a := other.Must(200, "GET", "/scim/v2/Users?attributes=userName,name.givenName,"+enterprise+":department", ""); len(a.JSON["Resources"].([]any)[0].(map[string]any)) != 5 || a.Get("Resources/0/name/familyName") != "" || a.Get("Resources/0/name/givenName") != "Zoé" {
			t.Errorf("some attributes: %s", a.Text)
		}
		if a := other.Must(200, "GET", "/scim/v2/Users?excludedAttributes=emails,name.givenName,id", ""); a.Get("Resources/0/emails") != "" || a.Get("Resources/0/name/givenName") != "" || a.Get("Resources/0/id") == "" || a.Get("Resources/0/userName") == "" {
			t.Errorf("without some attributes: %s", a.Text)
		}
	})
}

func TestPatchesDoWhatTheProtocolSays(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
		for i, c := range []struct{ name, operation, path, want string }{
			{"add a value", op("add", "title", `"Doyenne"`), "title", "Doyenne"},
			{"add without a path", op("add", "", `{"title":"Doyenne","name":{"givenName":"Zoë"}}`), "name/givenName+name/familyName+title", "Zoë+Quéré+Doyenne"},
			{"replace a part", op("replace", "name.familyName", `"Faure"`), "name/familyName+name/givenName", "Faure+Zoé"},
			{"add to a list", op("add", "emails", `[{"value":"new@u.example","type":"other"}]`), "emails/0/value+emails/1/value+emails/2/value", "w@u.example+h@u.example+new@u.example"},
			{"add what is there", op("add", "emails", `[{"value":"w@u.example","type":"work"}]`), "emails/1/value+emails/2/value", "h@u.example+"},
			{"replace a list", op("replace", "emails", `[{"value":"only@u.example"}]`), "emails/0/value+emails/1/value", "only@u.example+"},
			{"replace by a filter", op("replace", `emails[type eq "home"].value`, `"h2@u.example"`), "emails/0/value+emails/1/value", "w@u.example+h2@u.example"},
			{"replace by a filter that nothing fits", op("replace", `emails[type eq "other"].value`, `"o@u.example"`), "emails/2/value+emails/2/type", "o@u.example+other"},
			{"remove by a filter", op("remove", `emails[type eq "work"]`, ""), "emails/0/value+emails/1/value", "h@u.example+"},
			{"remove a part by a filter", op("remove", `emails[type eq "work"].primary`, ""), "emails/0/primary", ""},
			{"a new primary value", op("replace", `emails[type eq "home"].primary`, `true`), "emails/0/primary+emails/1/primary", "false+true"},
			{"remove a list", op("remove", "emails", ""), "emails", ""},
			{"an attribute of an extension", op("add", enterprise+":department", `"DSI"`), enterprise + "/department+schemas/1", "DSI+" + enterprise},
			{"a part of an extension's attribute", op("replace", enterprise+":manager.value", `"boss"`), enterprise + "/manager/value", "boss"},
			{"an extension as a whole", op("replace", enterprise, `{"division":"X"}`), enterprise + "/division", "X"},
			{"an extension without a path", op("add", "", `{"`+enterprise+`":{"division":"X"}}`), enterprise + "/division", "X"},
			{"the name of the core schema", op("replace", "urn:ietf:params:scim:schemas:core:2.0:User:title", `"T"`), "title", "T"},
			{"names in another case", op("REPLACE", "NAME.FamilyName", `"Faure"`), "name/familyName", "Faure"},
			{"null takes away", op("replace", "displayName", `null`), "displayName", ""},
		} {
			id := p.Must(201, "POST", "/scim/v2/Users", user(fmt.Sprint("zoe", i), `"displayName":"Z","emails":[{"value":"w@u.example","type":"work","primary":true},{"value":"h@u.example","type":"home"}]`)).Get("id")
			a := p.Ask("PATCH", "/scim/v2/Users/"+id, c.operation)
			var got []string
			for _, one := range strings.Split(c.path, "+") {
				got = append(got, a.Get(one))
			}
			if a.Status != 200 || strings.Join(got, "+") != c.want || a.Get("meta/version") != `W/"2"` {
				t.Errorf("%s: %d %q, want %q: %s", c.name, a.Status, got, c.want, a.Text)
			}
		}
		id := p.Must(201, "POST", "/scim/v2/Users", user("last")).Get("id")
		two := strings.Replace(op("replace", "title", `"A"`), "}]}", `},{"op":"replace","path":"shoe","value":1}]}`, 1)
		p.Must(400, "PATCH", "/scim/v2/Users/"+id, two)
		if a := p.Must(200, "GET", "/scim/v2/Users/"+id, ""); a.Get("title") != "" {
			t.Error("half of a request was done")
		}
		p.Must(412, "PATCH", "/scim/v2/Users/"+id, op("replace", "title", `"A"`), "If-Match", `W/"9"`)
		p.Must(304, "GET", "/scim/v2/Users/"+id, "", "If-None-Match", `W/"1"`)
	})
}

func TestGroupsHaveThePeopleThatWerePushed(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
		a, b := p.Must(201, "POST", "/scim/v2/Users", user("a")).Get("id"), p.Must(201, "POST", "/scim/v2/Users", user("b")).Get("id")
		g := p.Must(201, "POST", "/scim/v2/Groups", `{"displayName":"Étudiants","externalId":"G1","members":[{"value":"`+a+`"}]}`).Get("id")
		members := func() string { return strings.Join(h.Engine.Groups[g].Values[mapping.FieldMembers], " ") }
		if members() != a || h.Engine.Groups[g].Values.One(mapping.FieldCode) != "G1" || h.Engine.Groups[g].Values.One(mapping.FieldName) != "Étudiants" || !slices.Contains(h.Engine.People[a].Names, a) {
			t.Errorf("the group is %+v", h.Engine.Groups[g])
		}
		for _, c := range []struct{ name, operation, want string }{
			{"add", op("add", "members", `[{"value":"`+b+`"}]`), a + " " + b},
			{"remove by a filter", op("remove", `members[value eq "`+a+`"]`, ""), b},
			{"add again, as Entra says it", op("Add", "members", `[{"value":"`+a+`"}]`), b + " " + a},
			{"remove by values, as Entra does", op("Remove", "members", `[{"value":"`+b+`"}]`), a},
			{"replace", op("replace", "members", `[{"value":"`+b+`","display":"B"}]`), b},
			{"remove all", op("remove", "members", ""), ""},
		} {
			answer := p.Ask("PATCH", "/scim/v2/Groups/"+g, c.operation)
			if answer.Status != 200 || members() != c.want {
				t.Errorf("%s: %d, the members are %q, want %q", c.name, answer.Status, members(), c.want)
			}
		}
		if list := p.Must(200, "GET", "/scim/v2/Groups?filter=displayName%20eq%20%22%C3%A9tudiants%22&excludedAttributes=members", ""); list.Get("totalResults") != "1" {
			t.Errorf("the group is not found: %s", list.Text)
		}
		p.Must(204, "DELETE", "/scim/v2/Groups/"+g, "")
		if len(h.Engine.Groups) != 0 {
			t.Error("the group is still there")
		}
	})
}

// The requests that clients send, in their order, as their makers document them; {id} is
// the identifier that the last creation gave.
func TestClientsOfOthersAreServed(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no sequences", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
				ids := map[string]string{}
				for _, step := range strings.Split(string(text), "\n### ")[1:] {
					title, rest, _ := strings.Cut(step, "\n")
					request, expected, ok := strings.Cut(rest, "\n=> ")
					if !ok {
						t.Fatalf("%s expects nothing", title)
					}
					for name, id := range ids {
						request, expected = strings.ReplaceAll(request, "{"+name+"}", id), strings.ReplaceAll(expected, "{"+name+"}", id)
					}
					line, body, _ := strings.Cut(request, "\n")
					method, path, _ := strings.Cut(line, " ")
					answer := p.Ask(method, strings.NewReplacer(" ", "%20", `"`, "%22").Replace(path), strings.TrimSpace(body))
					lines := strings.Split(strings.TrimSpace(expected), "\n")
					if fmt.Sprint(answer.Status) != lines[0] {
						t.Fatalf("%s: %d, not %s: %s", title, answer.Status, lines[0], answer.Text)
					}
					for _, check := range lines[1:] {
						at, want, _ := strings.Cut(check, " = ")
						if name, ok := strings.CutPrefix(check, "keep id as "); ok {
							ids[name] = answer.Get("id")
						} else if got := answer.Get(at); got != want {
							t.Errorf("%s: %s is %q, not %q: %s", title, at, got, want, answer.Text)
						}
					}
				}
			})
		})
	}
}

func TestWhatIsSupportedIsSaid(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
		if a := p.Must(200, "GET", "/scim/v2/ServiceProviderConfig", ""); a.Get("patch/supported") != "true" || a.Get("bulk/supported") != "false" || a.Get("filter/maxResults") != "500" {
			t.Errorf("it says %s", a.Text)
		}
		if a := p.Must(200, "GET", "/scim/v2/ResourceTypes", ""); a.Get("totalResults") != "2" || a.Get("Resources/0/schemaExtensions/0/schema") != enterprise {
			t.Errorf("it says %s", a.Text)
		}
		if a := p.Must(200, "GET", "/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", ""); a.Get("name") != "User" || a.Get("attributes/0/uniqueness") != "server" {
			t.Errorf("it says %s", a.Text)
		}
		p.Must(200, "GET", "/scim/v2/Schemas", "")
		p.Must(200, "GET", "/scim/v2/ResourceTypes/Group", "")
		p.Must(404, "GET", "/scim/v2/ResourceTypes/Car", "")
	})
}
