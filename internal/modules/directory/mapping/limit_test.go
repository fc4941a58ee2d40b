package mapping

import (
	"slices"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
)

func TestWhatASourceMayNotSayIsRefusedByName(t *testing.T) {
	limits := source.Config{ID: "guests", Kind: source.KindCSV, Kinds: []string{"guest"}, Campuses: []string{"rives"}, MailDomains: []string{"univ.fr", "*.partners.example"}}
	for _, c := range []struct {
		name                 string
		kind                 string
		mail, domain         string
		ties                 []string
		code                 string // of the refusal; empty for none
		whole                bool
		kept                 int // affiliations
		keepsMail, keepsTies bool
	}{
		{"all is allowed", source.KindCSV, "a@univ.fr", "", []string{"guest|rives||"}, "", false, 1, true, true},
		{"without a campus", source.KindCSV, "a@univ.fr", "", []string{"guest|||"}, "", false, 1, true, true},
		{"another kind", source.KindCSV, "a@univ.fr", "", []string{"staff|rives||"}, "directory.kind_not_allowed", true, 0, true, false},
		{"another kind beside one that is allowed", source.KindCSV, "a@univ.fr", "", []string{"guest|rives||", "staff|rives||"}, "directory.kind_not_allowed", false, 1, true, true},
		{"another campus", source.KindCSV, "a@univ.fr", "", []string{"guest|port||"}, "directory.campus_not_allowed", true, 0, true, false},
		{"another domain", source.KindCSV, "a@elsewhere.example", "", []string{"guest|rives||"}, "directory.domain_not_allowed", false, 1, false, true},
		{"a domain that ends like ours", source.KindCSV, "a@evil-univ.fr", "", []string{"guest|rives||"}, "directory.domain_not_allowed", false, 1, false, true},
		{"a domain below one that is allowed", source.KindCSV, "a@x.partners.example", "", []string{"guest|rives||"}, "", false, 1, true, true},
		{"the domain above it", source.KindCSV, "a@partners.example", "", []string{"guest|rives||"}, "directory.domain_not_allowed", false, 1, false, true},
		{"a login of another domain", source.KindCSV, "a@univ.fr", "elsewhere.example", []string{"guest|rives||"}, "directory.domain_not_allowed", false, 1, true, true},
		{"pushed, another domain", source.KindSCIM, "a@elsewhere.example", "", []string{"guest|rives||"}, "directory.domain_not_allowed", true, 1, false, true},
		{"pushed, another kind beside one that is allowed", source.KindAPI, "a@univ.fr", "", []string{"guest|rives||", "staff|rives||"}, "directory.kind_not_allowed", true, 1, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			limits.Kind = c.kind
			limits.Affiliations = nil
			m, err := New(limits, time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			r := source.Record{Kind: source.Person, Key: "1", Where: "line 2", Values: map[string][]string{
				"login": {"anna"}, "family_name": {"Martin"}, "mail": {c.mail}, "affiliations": c.ties, "until": {"staff|2027-08-31T00:00:00Z", "guest|2027-08-31T00:00:00Z"},
			}}
			if c.domain != "" {
				r.Values["login_domain"] = []string{c.domain}
			}
			e, refused := m.Map(r)
			var codes []string
			for _, no := range refused {
				codes = append(codes, no.Code())
			}
			if c.code == "" && len(codes) > 0 || c.code != "" && !slices.Contains(codes, c.code) {
				t.Fatalf("refused %v", codes)
			}
			if e.Refused != c.whole || c.whole != slices.ContainsFunc(refused, source.Refusal.Whole) {
				t.Errorf("refused as a whole: %v, %v", e.Refused, refused)
			}
			if _, keeps := e.Values[contract.FieldMail]; keeps != c.keepsMail {
				t.Errorf("it says the address %v", e.Values[contract.FieldMail])
			}
			if got := len(e.Values[contract.FieldAffiliations]); got != c.kept {
				t.Errorf("%d affiliations are left", got)
			}
			if c.code == "directory.kind_not_allowed" && !c.whole && slices.Contains(e.Values[contract.FieldUntil], "staff|2027-08-31T00:00:00Z") {
				t.Error("the end of a tie that is not taken is")
			}
		})
	}
}

func TestLimitsOfASourceAreChecked(t *testing.T) {
	for text, bad := range map[string]bool{"univ.fr": false, "*.univ.fr": false, "univ": true, "@univ.fr": true, "*univ.fr": true, "*": true, "": true} {
		c := source.Config{ID: "guests", Kind: source.KindAPI, MailDomains: []string{text}}
		if got := len(c.Check()) > 0; got != bad {
			t.Errorf("%q: %v", text, c.Check())
		}
	}
	c := source.Config{ID: "guests", Kind: source.KindAPI, Kinds: []string{"wizard"}, IdentityPerHour: -1, IdentityPerDay: -1}
	if p := c.Check(); len(p) != 3 {
		t.Errorf("the problems are %v", p)
	}
}
