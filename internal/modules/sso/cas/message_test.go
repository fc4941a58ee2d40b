package cas

import (
	"encoding/json"
	"encoding/xml"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/testenv/need"
)

var update = flag.Bool("update", false, "write the golden files anew")

var moment = time.Date(2026, time.November, 22, 18, 5, 0, 123e6, time.FixedZone("CET", 3600))

func sample() Success {
	return Success{
		User: "lmartin", SignedInAt: moment, FromNewLogin: true,
		Attributes: []Attribute{
			{"displayName", []string{"Lina Martin-O’Hara"}},
			{"mail", []string{"lina.martin@valmont.example"}},
			{"eduPersonAffiliation", []string{"student", "member"}},
			{"programme", []string{`<b>"R&D"</b> ]]> & 'co'`}},
		},
	}
}

func TestAnswersAreThoseOfTheSpecification(t *testing.T) {
	success, failure := sample(), Failure{InvalidTicket, "This ticket was already validated; <a> ticket works once."}
	golden := func(name string, got []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s (%v):\n%s", name, err, got)
		}
	}
	golden("success.xml", success.XML(), nil)
	golden("failure.xml", failure.XML(), nil)
	text, err := success.JSON()
	golden("success.json", text, err)
	text, err = failure.JSON()
	golden("failure.json", text, err)
	golden("success.txt", success.Plain(), nil)
	golden("failure.txt", failure.Plain(), nil)
	proxied := sample()
	proxied.GrantIOU, proxied.Proxies = "PGTIOU-abc", []string{"https://b.example/pgt", "https://a.example/pgt?x=1&y=2"}
	golden("proxied.xml", proxied.XML(), nil)
	text, err = proxied.JSON()
	golden("proxied.json", text, err)
	golden("proxy_success.xml", ProxyXML("PT-abc"), nil)
	golden("proxy_failure.xml", Failure{BadPGT, "Over & out."}.ProxyXML(), nil)
	text, err = ProxyJSON("PT-abc", nil)
	golden("proxy_success.json", text, err)
	about := Artifact{ID: "0198-x", Request: "_q<1>", Issuer: "https://ent.valmont.example", Recipient: "https://a.example/?x=1&y=2", At: moment}
	golden("saml11_success.xml", success.SAML(about), nil)
	golden("saml11_failure.xml", failure.SAML(about), nil)
	golden("logout.xml", []byte(LogoutRequest("LR-1", "ST-abc", moment)), nil)
}

func TestAnswersAreValidAgainstTheSchema(t *testing.T) {
	xmllint := need.Program(t, "xmllint")
	for _, name := range []string{"success.xml", "failure.xml", "proxied.xml", "proxy_success.xml", "proxy_failure.xml"} {
		said, err := exec.Command(xmllint, "--noout", "--nonet", "--schema", "testdata/cas.xsd", "testdata/"+name).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, said)
		}
	}
}

func TestANameWithALineFeedForgesNoAnswerOfCAS1(t *testing.T) {
	if got := string(Success{User: "eve\nadmin"}.Plain()); got != "yes\neveadmin\n" {
		t.Errorf("%q", got)
	}
}

func TestTicketsHaveTheFormThatEveryClientAccepts(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		ticket := ServiceTicket.New()
		if !ServiceTicket.Made(ticket) || len(ticket) > 32 || seen[ticket] {
			t.Fatalf("%q", ticket)
		}
		seen[ticket] = true
	}
	for _, text := range []string{"", "ST-", "PT-abc", "ST-a b", "ST-a_b", "st-abc", "ST-" + strings.Repeat("a", 256)} {
		if ServiceTicket.Made(text) {
			t.Errorf("%q passes for a ticket", text)
		}
	}
}

func TestAFlagIsSetByBeingThere(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   bool
	}{{nil, false}, {[]string{"true"}, true}, {[]string{""}, true}, {[]string{"1"}, true}, {[]string{"False"}, false}} {
		if got := Flag(c.values); got != c.want {
			t.Errorf("Flag(%q) = %v", c.values, got)
		}
	}
}

// FuzzAnswers looks for a value that changes the shape of an answer.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{"lmartin", "</cas:user><cas:user>admin", "]]>", "a&b;\x00\x1b", "\xff", "é\u2028\U0001F600", "\uFFFE"} {
		f.Add(seed)
	}
	type answer struct {
		Success struct {
			User       string `xml:"user"`
			Attributes struct {
				Names []string `xml:"displayName"`
			} `xml:"attributes"`
		} `xml:"authenticationSuccess"`
		Failure *struct {
			Code string `xml:"code,attr"`
			Text string `xml:",chardata"`
		} `xml:"authenticationFailure"`
	}
	f.Fuzz(func(t *testing.T, value string) {
		s := Success{User: value, SignedInAt: moment, Attributes: []Attribute{{"displayName", []string{value, "x"}}}}
		var got answer
		if err := xml.Unmarshal(s.XML(), &got); err != nil {
			t.Fatalf("%q: %v\n%s", value, err, s.XML())
		}
		if len(got.Success.Attributes.Names) != 2 || got.Failure != nil || !utf8.Valid(s.XML()) {
			t.Fatalf("%q changed the answer:\n%s", value, s.XML())
		}
		failure := Failure{InvalidTicket, value}
		got = answer{}
		if err := xml.Unmarshal(failure.XML(), &got); err != nil || got.Failure == nil || got.Failure.Code != "INVALID_TICKET" {
			t.Fatalf("%q: %v\n%s", value, err, failure.XML())
		}
		text, err := s.JSON()
		if err != nil || !json.Valid(text) {
			t.Fatalf("%q: %v", value, err)
		}
		var logout struct {
			Index string `xml:"SessionIndex"`
		}
		if err := xml.Unmarshal([]byte(LogoutRequest("x", value, moment)), &logout); err != nil {
			t.Fatalf("%q: %v", value, err)
		}
	})
}
