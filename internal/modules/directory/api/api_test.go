package api_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/directory/api"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/push"
	"github.com/amphi-campus/amphi/internal/modules/directory/push/pushtest"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

const base = "/api/directory/v1"

func each(t *testing.T, test func(t *testing.T, h *pushtest.House, p *pushtest.Program)) {
	pushtest.Each(t, func(d *push.Door) []pushtest.Routes { return []pushtest.Routes{&api.API{Door: d}} }, func(t *testing.T, h *pushtest.House) {
		test(t, h, h.Program(pushtest.API))
	})
}

// routes are the addresses of the API, as "GET /people/{key}".
func routes() (list []string) {
	s := web.New(web.Config{})
	(&api.API{}).Routes(s.Router("directory"))
	for _, r := range s.Routes() {
		list = append(list, strings.Replace(r.Pattern, base, "", 1))
	}
	return list
}

func TestEveryAddressButTheDescriptionWantsATokenOfAnAPISource(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
		for _, route := range routes() {
			method, path, _ := strings.Cut(route, " ")
			path = base + strings.Replace(path, "{key}", "x", 1)
			if path == base+"/openapi.json" {
				h.Stranger().Must(200, method, path, "")
				continue
			}
			if a := h.Stranger().Ask(method, path, `{"name":"x"}`); a.Status != 401 || a.Get("code") != push.TokenMissing.Code() || a.Header.Get("WWW-Authenticate") == "" || a.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s answers a stranger with %d %s", route, a.Status, a.Text)
			}
			if a := h.Program(pushtest.SCIM).Ask(method, path, `{"name":"x"}`); a.Status != 403 {
				t.Errorf("%s answers a SCIM client with %d", route, a.Status)
			}
		}
		if h.Engine.Pushes != 0 {
			t.Error("something was pushed all the same")
		}
	})
}

func TestPeopleAreMadeReplacedReadAndRemoved(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
		made := p.Must(201, "PUT", base+"/people/rh-42", `{"login":"zquere","family_name":"Quéré","given_name":"Zoé","mail":"zoe@univ.example","employee_number":"42",
			"affiliations":[{"kind":"enseignante","campus":"rives","unit":"UFR-SCI"},{"kind":"student","programme":"L1","until":"2027-08-31"}],
			"functions":[{"role":"Doyenne","unit":"UFR-SCI"}],"phones":["0199000000","pas un numéro"],"listed":false,"manager":"rh-1","units":["UFR-SCI"]}`)
		if made.Get("person") != "person-rh-42" || made.Get("version") != "1" || made.Header.Get("ETag") != `"1"` || made.Get("says/family_name") != "Quéré" ||
			made.Get("refused/0/field") != "phone" || made.Get("refused/0/code") != mapping.PhoneUnfit.Code() || made.Get("refused/1/code") != "" {
			t.Errorf("it is answered %s", made.Text)
		}
		v := h.Engine.People["rh-42"].Values
		for f, want := range map[mapping.Field]string{
			"login": "zquere", "affiliations": "student||L1|+teacher|rives||UFR-SCI", "until": "student|2027-09-01T00:00:00Z", mapping.FieldFunctions: "Doyenne||UFR-SCI",
			mapping.FieldPhone: "0199000000", mapping.FieldListed: "false", mapping.FieldManager: "rh-1", "job_title": "",
		} {
			if got, said := v[f]; strings.Join(got, "+") != want || !said {
				t.Errorf("%s is %q, want %q", f, got, want)
			}
		}
		p.Must(412, "PUT", base+"/people/rh-42", `{"family_name":"Faure"}`, "If-Match", `"7"`)
		p.Must(412, "PUT", base+"/people/rh-43", `{"family_name":"Faure"}`, "If-Match", `"1"`)
		if a := p.Must(200, "PUT", base+"/people/rh-42", `{"family_name":"Faure"}`, "If-Match", `"1"`); a.Get("version") != "2" {
			t.Errorf("replaced: %s", a.Text)
		}
		if got := h.Engine.People["rh-42"].Values; got.One("family_name") != "Faure" || len(got[mapping.FieldManager]) != 0 || got.One("login") != "" {
			t.Errorf("what is left out is still said: %v", got)
		}
		if a := p.Must(200, "GET", base+"/people/rh-42", ""); a.Get("says/family_name") != "Faure" || a.Get("says/login") != "" {
			t.Errorf("read: %s", a.Text)
		}
		h.Door.Sources = append(h.Door.Sources, source.Config{ID: "other", Kind: source.KindAPI})
		h.Program("other").Must(404, "GET", base+"/people/rh-42", "")
		p.Must(204, "DELETE", base+"/people/rh-42", "")
		p.Must(404, "GET", base+"/people/rh-42", "")
		p.Must(404, "DELETE", base+"/people/rh-42", "")
		if len(h.Engine.People) != 0 {
			t.Error("the engine still has them")
		}
	})
}

func TestGroupsAndUnitsHaveTheirKeyForACode(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
		p.Must(201, "PUT", base+"/groups/L1%20INFO", `{"name":"L1 informatique","members":["rh-42","L2"],"owners":["rh-1"]}`)
		g := h.Engine.Groups["L1 INFO"].Values
		if g.One(mapping.FieldCode) != "L1 INFO" || !slices.Equal(g[mapping.FieldMembers], []string{"rh-42", "l2"}) || g.One(mapping.FieldOwners) != "rh-1" {
			t.Errorf("the group is %v", g)
		}
		p.Must(201, "PUT", base+"/units/DSI", `{"name":"Direction du numérique","parent":"UNIV","phones":["0199000000"],"mail":"dsi@univ.example"}`)
		u := h.Engine.People["DSI"]
		if u.Kind != source.Unit || u.Values.One(mapping.FieldCode) != "DSI" || u.Values.One(mapping.FieldParent) != "UNIV" {
			t.Errorf("the unit is %+v", u)
		}
		p.Must(204, "DELETE", base+"/groups/L1%20INFO", "")
	})
}

func TestPagesFollowEachOtherByCursor(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
		for i := range 7 {
			p.Must(201, "PUT", fmt.Sprintf("%s/people/k%d", base, i), `{"family_name":"X"}`)
		}
		var keys []string
		after := ""
		for range 5 {
			a := p.Must(200, "GET", base+"/people?limit=3&after="+after, "")
			for i := range a.JSON["items"].([]any) {
				keys = append(keys, a.Get(fmt.Sprintf("items/%d/key", i)))
			}
			if after = a.Get("after"); after == "" {
				break
			}
		}
		if strings.Join(keys, " ") != "k0 k1 k2 k3 k4 k5 k6" {
			t.Errorf("the pages hold %q", keys)
		}
		for _, bad := range []string{"0", "501", "x"} {
			p.Must(400, "GET", base+"/people?limit="+bad, "")
		}
	})
}

func TestWhatCannotBeIsRefusedWithItsReason(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
		for _, c := range []struct{ name, key, body, code, field string }{
			{"no JSON", "x", `{`, api.BodyUnfit.Code(), "body"},
			{"a field that is not there", "x", `{"shoe":42}`, api.BodyUnfit.Code(), "shoe"},
			{"a value of another type", "x", `{"login":42}`, api.BodyUnfit.Code(), "login"},
			{"two objects", "x", `{} {}`, api.BodyUnfit.Code(), "body"},
			{"a key with a bar", "a%7Cb", `{}`, api.KeyUnfit.Code(), ""},
			{"a key with a control character", "a%07", `{}`, api.KeyUnfit.Code(), ""},
			{"a very long key", strings.Repeat("x", 201), `{}`, api.KeyUnfit.Code(), ""},
		} {
			if a := p.Ask("PUT", base+"/people/"+c.key, c.body); a.Status != 400 || a.Get("code") != c.code || !strings.Contains(a.Get("detail"), c.field) {
				t.Errorf("%s: %d %s", c.name, a.Status, a.Text)
			}
		}
		if a := p.Ask("PUT", base+"/people/x", `{"login":"`+strings.Repeat("x", 5<<20)+`"}`); a.Status != 413 {
			t.Errorf("a very large body: %d %s", a.Status, a.Text)
		}
		h.Engine.Refuse = func(source.Record) error { return register.NoName }
		if a := p.Ask("PUT", base+"/people/x", `{}`); a.Status != 422 || a.Get("code") != register.NoName.Code() || a.Get("next") == "" {
			t.Errorf("what the register refuses: %d %s", a.Status, a.Text)
		}
		p.Must(404, "GET", base+"/people/x", "")
		h.Engine.Refuse = func(source.Record) error { return register.OtherName }
		if a := p.Must(201, "PUT", base+"/people/x", `{}`); a.Get("waits/code") != register.OtherName.Code() {
			t.Errorf("what waits for a decision: %s", a.Text)
		}
		h.Engine.Refuse = func(source.Record) error { return register.PushHeld }
		if a := p.Ask("PUT", base+"/people/x", `{}`); a.Status != 429 || a.Header.Get("Retry-After") == "" {
			t.Errorf("what the brake stops: %d %s", a.Status, a.Text)
		}
	})
}

// described is the part of an OpenAPI document that the code can be compared with.
type described struct {
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Components struct {
		Schemas map[string]struct {
			Properties map[string]any `json:"properties"`
			Required   []string       `json:"required"`
		} `json:"schemas"`
	} `json:"components"`
}

func TestTheDescriptionIsThatOfTheCode(t *testing.T) {
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var d described
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	var said []string
	for path, methods := range d.Paths {
		for method := range methods {
			if method != "parameters" {
				said = append(said, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(said)
	is := routes()
	slices.Sort(is)
	if !slices.Equal(said, is) {
		t.Errorf("it describes\n%s\nand there is\n%s", strings.Join(said, "\n"), strings.Join(is, "\n"))
	}
	for name, value := range map[string]any{
		"Person": api.Person{}, "Affiliation": api.Affiliation{}, "Function": api.Function{}, "Group": api.Group{}, "Unit": api.Unit{}, "Said": api.Said{},
		"PersonAnswer": api.Answer{}, "GroupAnswer": api.Answer{}, "UnitAnswer": api.Answer{}, "PersonList": api.List{}, "GroupList": api.List{}, "UnitList": api.List{},
	} {
		var fields, needed []string
		shape := reflect.TypeOf(value)
		for i := range shape.NumField() {
			tag, options, _ := strings.Cut(shape.Field(i).Tag.Get("json"), ",")
			fields = append(fields, tag)
			if options != "omitempty" {
				needed = append(needed, tag)
			}
		}
		var properties []string
		for p := range d.Components.Schemas[name].Properties {
			properties = append(properties, p)
		}
		slices.Sort(fields)
		slices.Sort(properties)
		if !slices.Equal(fields, properties) || !slices.Equal(needed, d.Components.Schemas[name].Required) {
			t.Errorf("%s: it describes %q with %q required, and the code has %q with %q", name, properties, d.Components.Schemas[name].Required, fields, needed)
		}
	}
	for _, ref := range strings.Split(string(text), `"#/components/schemas/`)[1:] {
		name, _, _ := strings.Cut(ref, `"`)
		if d.Components.Schemas[name].Properties == nil {
			t.Errorf("it refers to %s, which is not there", name)
		}
	}
}
