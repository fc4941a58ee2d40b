package registry

import (
	"encoding/base32"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Institution is what is said of everybody here, and what makes a name here one
// of the whole world.
type Institution struct {
	Domain       string            `toml:"domain" help:"stands right of the @ in scoped values such as eduPersonPrincipalName; empty: the domain of base_url"`
	UAI          string            `toml:"uai" help:"code of the institution in the French national register, such as 0751717J, for SupAnn; may stay empty"`
	Assurance    []string          `toml:"assurance" help:"values of eduPersonAssurance that hold for everybody, such as https://refeds.org/assurance/ID/unique"`
	Entitlements []EntitlementRule `toml:"entitlements"`
}

// EntitlementRule gives a value of eduPersonEntitlement to people by affiliation.
type EntitlementRule struct {
	Value        string   `toml:"value" help:"the entitlement, such as urn:mace:dir:entitlement:common-lib-terms"`
	Affiliations []string `toml:"affiliations" help:"values of eduPersonAffiliation, such as member: any of them is enough"`
}

var (
	domainForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
	uaiForm    = regexp.MustCompile(`^[0-9]{7}[A-Z]$`)
)

// Check lists what is wrong with it.
func (i Institution) Check() []Mistake {
	var m mistakes
	if i.Domain != "" && !domainForm.MatchString(i.Domain) {
		m.add("domain", "domain", "must be a domain in lower case, such as univ.fr", i.Domain)
	}
	if i.UAI != "" && !uaiForm.MatchString(i.UAI) {
		m.add("uai", "uai", "must be of seven digits and a capital letter, such as 0751717J", i.UAI)
	}
	for n, rule := range i.Entitlements {
		if rule.Value == "" || len(rule.Affiliations) == 0 {
			m.add(fmt.Sprintf("entitlements[%d]", n), "entitlement", "needs a value and at least one affiliation", rule.Value)
		}
	}
	return m
}

// MAC authenticates data with a key of the house that never changes
// (crypt.Keyring.Name).
type MAC func(purpose string, data []byte) []byte

// pairwisePurpose must never change: the names that services know people by
// depend on it.
const pairwisePurpose = "sso.pairwise-id"

// Values completes what a person's record says (by the names of [Attribute]) with
// what follows from it and the institution, for one service. Two services get
// different pairwise identifiers for one person, and neither can be guessed from
// the other.
func (i Institution) Values(s *Service, who campus.PersonID, record map[string][]string, mac MAC) map[Attribute][]string {
	values := make(map[Attribute][]string, len(record)+10)
	for name, list := range record {
		values[Attribute(name)] = list
	}
	set := func(a Attribute, list ...string) {
		list = slices.DeleteFunc(list, func(v string) bool { return v == "" })
		if len(list) > 0 {
			values[a] = list
		}
	}
	set(Assurance, i.Assurance...)
	for _, rule := range i.Entitlements {
		if slices.ContainsFunc(rule.Affiliations, func(k string) bool { return slices.Contains(values[Affiliation], k) }) {
			set(Entitlement, append(slices.Clone(values[Entitlement]), rule.Value)...)
		}
	}
	if i.UAI != "" {
		set(Establishment, "{UAI}"+i.UAI)
		set(StudyStage, prefixed("{UAI:"+i.UAI+"}", values[Programme])...)
	}
	if i.Domain == "" {
		return values
	}
	opaque := strings.ReplaceAll(string(who), "-", "")
	set(HomeOrganization, i.Domain)
	set(PrincipalName, suffixed(values[UID], "@"+i.Domain)...)
	set(ScopedAffiliation, suffixed(values[Affiliation], "@"+i.Domain)...)
	set(UniqueID, opaque+"@"+i.Domain)
	set(SubjectID, opaque+"@"+i.Domain)
	// The European Student Identifier where the number is unique to the institution.
	set(PersonalCode, prefixed("urn:schac:personalUniqueCode:int:esi:"+i.Domain+":", values[StudentNumber])...)
	if s.Releases(PairwiseID) {
		set(PairwiseID, Pairwise(mac, s.ID, who)+"@"+i.Domain)
	}
	return values
}

// Pairwise names a person towards one service: always the same, and of no use
// elsewhere. It consists of 52 lower-case letters and digits.
func Pairwise(mac MAC, service string, who campus.PersonID) string {
	sum := mac(pairwisePurpose, []byte(service+" "+string(who)))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum))
}

// Told is what of values the service is told, in the order of [Attributes]; wanted
// narrows it, nil is all.
func (s *Service) Told(values map[Attribute][]string, wanted []Attribute) []Attribute {
	var told []Attribute
	for _, a := range Attributes {
		if s.Releases(a) && len(values[a]) > 0 && (wanted == nil || slices.Contains(wanted, a)) {
			told = append(told, a)
		}
	}
	return told
}

func suffixed(list []string, suffix string) []string {
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = v + suffix
	}
	return all
}

func prefixed(prefix string, list []string) []string {
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = prefix + v
	}
	return all
}
