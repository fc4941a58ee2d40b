package registry

import (
	"crypto/sha256"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func mac(purpose string, data []byte) []byte {
	sum := sha256.Sum256(append([]byte(purpose+"|"), data...))
	return sum[:]
}

func TestEachAttributeHasNamesOfItsOwnInEachProtocol(t *testing.T) {
	seen := map[string]Attribute{}
	for _, a := range Attributes {
		n, ok := a.Names()
		if !ok || n.SAML == "" || n.Claim == "" || !slices.Contains(Scopes, n.Scope) {
			t.Errorf("%s: %+v", a, n)
		}
		for _, name := range []string{"saml " + n.SAML, "claim " + n.Claim} {
			if other, twice := seen[name]; twice {
				t.Errorf("%s and %s are both %s", other, a, name)
			}
			seen[name] = a
		}
		if BySAML(n.SAML, "") != a || BySAML("urn:oid:1.2.3", string(a)) != a || ByClaim(n.Claim) != a || !slices.Contains(OfScope(n.Scope), a) {
			t.Errorf("%s is not found by its names", a)
		}
	}
	if BySAML("urn:oid:1.2.3", "password") != "" || ByClaim("password") != "" || Attribute("password").Known() {
		t.Error("something that is none of ours is found")
	}
}

func TestARecordIsCompletedByTheInstitution(t *testing.T) {
	record := map[string][]string{
		"uid": {"lmartin"}, "eduPersonAffiliation": {"student", "member"}, "supannEtuId": {"22001"}, "programme": {"info"},
	}
	i := Institution{Domain: "univ.fr", UAI: "0751717J", Assurance: []string{"https://refeds.org/assurance"}, Entitlements: []EntitlementRule{
		{"urn:mace:dir:entitlement:common-lib-terms", []string{"member"}}, {"urn:x:staff-only", []string{"staff"}},
	}}
	s := &Service{ID: "wiki", Attributes: []Attribute{PairwiseID}}
	got := i.Values(s, "01900000-0000-7000-8000-000000000001", record, mac)
	for a, want := range map[Attribute][]string{
		PrincipalName: {"lmartin@univ.fr"}, ScopedAffiliation: {"student@univ.fr", "member@univ.fr"}, HomeOrganization: {"univ.fr"},
		SubjectID: {"01900000000070008000000000000001@univ.fr"}, UniqueID: {"01900000000070008000000000000001@univ.fr"},
		PersonalCode:  {"urn:schac:personalUniqueCode:int:esi:univ.fr:22001"},
		Establishment: {"{UAI}0751717J"}, StudyStage: {"{UAI:0751717J}info"}, Assurance: {"https://refeds.org/assurance"},
		Entitlement: {"urn:mace:dir:entitlement:common-lib-terms"}, UID: {"lmartin"},
	} {
		if !reflect.DeepEqual(got[a], want) {
			t.Errorf("%s is %v, want %v", a, got[a], want)
		}
	}
	if bare := (Institution{}).Values(s, "x", record, mac); bare[PrincipalName] != nil || bare[Establishment] != nil || bare[PairwiseID] != nil {
		t.Errorf("without a domain: %v", bare)
	}
	if len(record) != 4 {
		t.Error("the record was changed")
	}
}

func TestTwoServicesKnowAPersonByTwoNames(t *testing.T) {
	name := func(service string) string {
		s := &Service{ID: service, Attributes: []Attribute{PairwiseID}}
		return Institution{Domain: "univ.fr"}.Values(s, "lina", nil, mac)[PairwiseID][0]
	}
	first, again, other := name("a"), name("a"), name("b")
	if first == other || first != again || !strings.HasSuffix(first, "@univ.fr") {
		t.Errorf("%s, then %s; elsewhere %s", first, again, other)
	}
	if n := Pairwise(mac, "a", "p"); len(n) != 52 || strings.ToLower(n) != n || n == Pairwise(mac, "a", "q") {
		t.Errorf("%q", n)
	}
}

func TestAServiceIsToldWhatItsEntryAndItsRequestHold(t *testing.T) {
	s := &Service{Attributes: []Attribute{Mail, DisplayName, StudentNumber}, Required: []Attribute{StudentNumber, Mail}}
	values := map[Attribute][]string{Mail: {"a@b.fr"}, DisplayName: {"A"}, UID: {"a"}}
	if got := s.Told(values, nil); !slices.Equal(got, []Attribute{DisplayName, Mail}) {
		t.Errorf("all: %v", got)
	}
	if got := s.Told(values, []Attribute{Mail, UID}); !slices.Equal(got, []Attribute{Mail}) {
		t.Errorf("narrowed: %v", got)
	}
	if got := s.Told(values, []Attribute{}); len(got) != 0 {
		t.Errorf("nothing wanted: %v", got)
	}
}

func TestTheInstitutionIsChecked(t *testing.T) {
	for field, i := range map[string]Institution{
		"domain": {Domain: "@univ.fr"}, "uai": {UAI: "75"}, "entitlements[0]": {Entitlements: []EntitlementRule{{Value: "x"}}},
	} {
		if m := i.Check(); len(m) != 1 || m[0].Field != field {
			t.Errorf("%s: %+v", field, m)
		}
	}
}

func TestTheDocumentationListsEachAttribute(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/services/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range Attributes {
		n, _ := a.Names()
		if row := fmt.Sprintf("| `%s` | `%s` | `%s` | `%s` |", a, n.SAML, n.Claim, n.Scope); !strings.Contains(string(text), row) {
			t.Errorf("docs/services/README.md lacks %s", row)
		}
	}
}
