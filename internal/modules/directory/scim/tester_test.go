package scim_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/directory/push/pushtest"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/testenv/need"
)

// scim2-tester is a checker of SCIM servers of others' making (PyPI), with a client and a
// reading of the standard of its own.
func TestACheckerOfOthersFindsNothingWrong(t *testing.T) {
	python := need.Program(t, "scim2")
	each(t, func(t *testing.T, h *pushtest.House, _ *pushtest.Program) {
		cmd := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "tester.py"), h.Base()+"/scim/v2")
		cmd.Env = append(os.Environ(), "TOKEN="+h.Token(pushtest.SCIM))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		good := 0
		for line := range strings.Lines(string(out)) {
			switch status, rest, _ := strings.Cut(strings.TrimSpace(line), "\t"); status {
			case "SUCCESS", "COMPLIANT":
				good++
			case "SKIPPED":
			case "ERROR":
				// It adds a whole extension with an affiliation, then an affiliation, and wants
				// one: both have to be there (RFC 7644 §3.5.2.1).
				if !strings.HasPrefix(rest, "check_add_attribute") || !strings.Contains(rest, ":User:affiliations") {
					t.Errorf("%s: %s", status, rest)
				}
			default:
				t.Errorf("%s: %s", status, rest)
			}
		}
		if good < 20 {
			t.Errorf("it checked %d things only:\n%s", good, out)
		}
	})
}

func TestWhatIsNotSupportedIsSaidSo(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
		if p.Must(200, "GET", "/scim/v2/ServiceProviderConfig", "").Get("bulk/supported") != "false" {
			t.Error("bulk operations are announced")
		}
		for address, status := range map[string]int{
			"POST /scim/v2/Bulk": 501, "GET /scim/v2/Me": 501, "POST /scim/v2/.search": 501, "GET /scim/v2/Devices": 404, "PATCH /scim/v2/Nobody/1": 404,
			"DELETE /scim/v2/Users": 405, "POST /scim/v2/ServiceProviderConfig": 405,
		} {
			method, path, _ := strings.Cut(address, " ")
			if a := p.Ask(method, path, "{}"); a.Status != status || a.Get("schemas/0") != "urn:ietf:params:scim:api:messages:2.0:Error" || a.Get("status") == "" {
				t.Errorf("%s: %d %s", address, a.Status, a.Text)
			}
		}
	})
}

func TestAUserNameIsALoginOfItsOwnHouseAlone(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
		id := p.Must(201, "POST", "/scim/v2/Users", user("Zoe.Quere@Partner.example")).Get("id")
		says := h.Engine.People[id].Values
		if says.One("login") != "zoe.quere" || says.One("login_domain") != "partner.example" || says.One("mail") != "zoe.quere@partner.example" {
			t.Errorf("the engine is told %v", says)
		}
		id = p.Must(201, "POST", "/scim/v2/Users", user("plain")).Get("id")
		if says := h.Engine.People[id].Values; says.One("login") != "plain" || says.One("login_domain") != "" {
			t.Errorf("of a name without a domain the engine is told %v", says)
		}
	})
}

func TestAChangeThatIsHeldIsToldToTheProgramAndNotKept(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House, p *pushtest.Program) {
		id := p.Must(201, "POST", "/scim/v2/Users", user("zoe")).Get("id")
		h.Engine.Refuse = func(source.Record) error {
			return register.IdentityHeld.With(map[string]any{"source": "entra", "people": 11, "hours": 1})
		}
		a := p.Must(429, "PATCH", "/scim/v2/Users/"+id, op("replace", "userName", `"evil"`))
		if !strings.Contains(a.Get("detail"), register.IdentityHeld.Code()) || a.Header.Get("Retry-After") == "" {
			t.Errorf("it is told %s, to come again after %q", a.Text, a.Header.Get("Retry-After"))
		}
		h.Engine.Refuse = nil
		if name := p.Must(200, "GET", "/scim/v2/Users/"+id, "").Get("userName"); name != "zoe" {
			t.Errorf("it is kept: %s", name)
		}
	})
}
