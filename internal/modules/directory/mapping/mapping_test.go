package mapping_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

var paris = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return zone
}()

func mapped(t *testing.T, c source.Config, values map[string][]string) (mapping.Entry, []source.Refusal) {
	t.Helper()
	m, err := mapping.New(c, paris)
	if err != nil {
		t.Fatal(err)
	}
	lower := map[string][]string{}
	for name, v := range values {
		lower[strings.ToLower(name)] = v
	}
	return m.Map(source.Record{Kind: source.Person, Key: "k", Where: "here", Values: lower})
}

// says fails when the entry does not say this, in stored form.
func says(t *testing.T, e mapping.Entry, want map[mapping.Field][]string) {
	t.Helper()
	for f, v := range want {
		if got, ok := e.Values[f]; !ok || !slices.Equal(got, v) {
			t.Errorf("%s is %q, want %q", f, got, v)
		}
	}
}

func TestThePresetOfSupAnnReadsAStudentWithTwoEnrolments(t *testing.T) {
	e, refused := mapped(t, source.Config{ID: "ldap", Kind: "ldap", Preset: "supann"}, map[string][]string{
		"uid": {"E00001"}, "mail": {"Amelie.Quere@Univ.test"}, "givenName": {"Amélie"}, "sn": {"Quéré"}, "preferredLanguage": {"fr-FR"},
		"supannEtuId": {"20260001"}, "eduPersonAffiliation": {"member", "student"}, "supannListeRouge": {"TRUE"},
		"supannEtuInscription": {
			"[etab={UAI}0999999Z][anneeinsc=2026][regimeinsc={SISE}10][affect=UFR-SCI][etape={UAI:0999999Z}L3INFO][cursusann={SUPANN}L3]",
			"[etab={UAI}0999999Z][anneeinsc=2026][affect=UFR-DRT][etape={UAI:0999999Z}L1DROIT]",
			"[etab={UAI}0999999Z][anneeinsc=2025][affect=UFR-SCI][etape={UAI:0999999Z}L2INFO]",
		},
		"supannEntiteAffectation": {"UFR-SCI", "UFR-DRT"}, "supannMailPerso": {"ame@example.org"}, "supannRessourceEtatDate": {"{MAIL}I:SupannInactif:20260901:", "{COMPTE}A:SupannActif:20260901:"},
		"schacExpiryDate": {"20270930"}, "pwdAccountLockedTime": {"000001010000Z"}, "userPassword": {"{SSHA}x"},
	})
	if len(refused) > 0 {
		t.Errorf("refused %v", refused)
	}
	says(t, e, map[mapping.Field][]string{
		"login": {"e00001"}, "mail": {"amelie.quere@univ.test"}, "given_name": {"Amélie"}, "family_name": {"Quéré"}, "locale": {"fr"},
		"student_number": {"20260001"}, mapping.FieldListed: {"false"}, mapping.FieldActive: {"true"}, mapping.FieldUnits: {"UFR-SCI", "UFR-DRT"},
		"affiliations": {"student||L1DROIT|UFR-DRT", "student||L3INFO|UFR-SCI"}, "until": {"student|2027-09-30T22:00:00Z"},
		"recovery_mail": {"ame@example.org"}, mapping.FieldEmployeeNumber: {},
	})
	for f, v := range e.Values {
		if strings.Contains(strings.Join(v, " "), "SSHA") || strings.Contains(strings.Join(v, " "), "000001010000Z") {
			t.Errorf("%s holds what the password policy keeps: %q", f, v)
		}
	}
	s := e.Values.Subject()
	if len(s.Affiliations) != 2 || s.Affiliations[1] != (campus.Affiliation{Kind: campus.Student, Programme: "L3INFO", Unit: "UFR-SCI"}) || s.Until[campus.Student].IsZero() || s.Login != "e00001" {
		t.Errorf("the subject is %+v", s)
	}
}

func TestThePresetOfSupAnnReadsWhatPeopleDo(t *testing.T) {
	staff := map[string][]string{
		"uid": {"p00005"}, "sn": {"Le Goff"}, "supannEmpId": {"{SIHAM}00000005"}, "eduPersonAffiliation": {"member", "employee", "faculty"},
		"supannEntiteAffectationPrincipale": {"LAB1"}, "supannEntiteAffectation": {"UFR-SCI", "LAB1"}, "telephoneNumber": {"+33 1 99 00 00 05"}, "roomNumber": {"B5"},
		"supannRoleEntite": {"[role={SUPANN}D30][type={SUPANN}S231][code=LAB1]", "déléguée"}, "manager": {"UID=chef, OU=people,dc=univ,dc=test"},
		"memberOf": {"cn=LAB1,ou=groups,dc=univ,dc=test"},
	}
	e, refused := mapped(t, source.Config{ID: "ldap", Kind: "ldap"}, staff)
	if len(refused) > 0 {
		t.Errorf("refused %v", refused)
	}
	says(t, e, map[mapping.Field][]string{
		"affiliations": {"teacher|||LAB1"}, mapping.FieldEmployeeNumber: {"00000005"}, mapping.FieldUnits: {"UFR-SCI", "LAB1"},
		mapping.FieldFunctions: {"{SUPANN}D30|{SUPANN}S231|LAB1", "déléguée||"}, mapping.FieldManager: {"uid=chef,ou=people,dc=univ,dc=test"},
		mapping.FieldGroups: {"cn=lab1,ou=groups,dc=univ,dc=test"}, mapping.FieldPhone: {"+33 1 99 00 00 05"}, mapping.FieldOffice: {"B5"},
	})
	for _, c := range []struct{ name, values, want string }{
		{"an employee alone", "member employee", "staff|||LAB1"},
		{"an employee of the staff", "employee staff", "staff|||LAB1"},
		{"somebody who teaches and administers", "employee staff faculty", "staff|||LAB1 teacher|||LAB1"},
		{"an alumna", "alum", ""},
		{"a reader of the library", "registered-reader", "guest|||LAB1"},
	} {
		staff["eduPersonAffiliation"] = strings.Fields(c.values)
		e, _ := mapped(t, source.Config{ID: "ldap", Kind: "ldap"}, staff)
		if got := strings.Join(e.Values["affiliations"], " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFunctionsOfSupAnnAreReadAsDirectoriesWriteThem(t *testing.T) {
	for _, c := range []struct {
		name            string
		entity, generic []string
		want            []string
	}{
		{"a role in a unit", []string{"[role={SUPANN}D30][type={SUPANN}S231][code=LAB1]"}, nil, []string{"{SUPANN}D30|{SUPANN}S231|LAB1"}},
		{"parts in another order, with spaces and capitals", []string{"[CODE= DSI ] [Role={SUPANN}T83][type={SUPANN}S310]"}, nil, []string{"{SUPANN}T83|{SUPANN}S310|DSI"}},
		{"a role without a unit", []string{"[role={SUPANN}P00]"}, nil, []string{"{SUPANN}P00||"}},
		{"words instead of a code", []string{"[role=][libelle=Référente handicap][code=SVE]"}, nil, []string{"Référente handicap||SVE"}},
		{"a unit with the label of its program", []string{"[role={SUPANN}F10][code={HARPEGE}BRS]"}, nil, []string{"{SUPANN}F10||BRS"}},
		{"two functions", []string{"[role={SUPANN}R41][code=L1]", "[role={SUPANN}R42][code=L2]"}, nil, []string{"{SUPANN}R41||L1", "{SUPANN}R42||L2"}},
		{"the generic role where there is no other", nil, []string{"{SUPANN}D30", "{SUPANN}S10"}, []string{"{SUPANN}D30||", "{SUPANN}S10||"}},
		{"the one with its unit before the generic one", []string{"[role={SUPANN}D30][code=LAB1]"}, []string{"{SUPANN}D30"}, []string{"{SUPANN}D30||LAB1"}},
		{"a value that is cut off", []string{"[role={SUPANN}D30"}, nil, nil},
		{"a value that is cut off behind its role", []string{"[role={SUPANN}D30][type={SUPANN}S2"}, nil, []string{"{SUPANN}D30||"}},
		{"a value without a role", []string{"[type={SUPANN}S310][code=DSI]"}, nil, nil},
		{"brackets with nothing in them", []string{"[]", "[role]", "[=]"}, nil, nil},
		{"a cut-off one beside a good one", []string{"[role", "[role={SUPANN}D35][code=UFR]"}, nil, []string{"{SUPANN}D35||UFR"}},
		{"what would break the stored form", []string{"[role=a|b][code=DSI]"}, nil, nil},
	} {
		e, refused := mapped(t, source.Config{ID: "ldap", Kind: "ldap"}, map[string][]string{
			"uid": {"p1"}, "sn": {"Le Goff"}, "supannRoleEntite": c.entity, "supannRoleGenerique": c.generic,
		})
		if got := e.Values[mapping.FieldFunctions]; !slices.Equal(got, c.want) || len(refused) > 0 {
			t.Errorf("%s: %q, want %q; refused %v", c.name, got, c.want, refused)
		}
	}
}

func TestTheProfileOfAnEmployeeNamesTheUnitWhereNothingElseDoes(t *testing.T) {
	const profile = "[etab={UAI}0999999Z][affil=staff][typeaffect={SUPANN}S310][affect={HARPEGE}DSI][corps={NCORPS}831][population={SUPANN}PGA][datefin=20270831]"
	for _, c := range []struct{ name, profile, unit, want string }{
		{"the profile alone", profile, "", "staff|||DSI"},
		{"the unit that the directory names itself", profile, "BU", "staff|||BU"},
		{"a profile that is cut off", "[etab={UAI}0999999Z][affil=staff][affect=DS", "", "staff|||"},
		{"a profile without a unit", "[etab={UAI}0999999Z][affil=staff]", "", "staff|||"},
		{"no composite value at all", "DSI", "", "staff|||"},
	} {
		values := map[string][]string{"uid": {"p1"}, "sn": {"Le Goff"}, "eduPersonAffiliation": {"member", "employee"}, "supannEmpProfil": {c.profile}}
		if c.unit != "" {
			values["supannEntiteAffectationPrincipale"] = []string{c.unit}
		}
		e, refused := mapped(t, source.Config{ID: "ldap", Kind: "ldap"}, values)
		if got := strings.Join(e.Values["affiliations"], " "); got != c.want || len(refused) > 0 {
			t.Errorf("%s: %q, want %q; refused %v", c.name, got, c.want, refused)
		}
	}
}

func TestWhoHasNoFunctionCanBeShownByTheirBody(t *testing.T) {
	const profile = "[etab={UAI}0999999Z][corps={NCORPS}301][population={SUPANN}RGPF]"
	for _, c := range []struct {
		name       string
		expression string
		entity     []string
		want       []string
	}{
		{"an attribute", "function(supannEmpCorps)", nil, []string{"{NCORPS}300||"}},
		{"a part of the profile", "function(supannEmpProfil[corps])", nil, []string{"{NCORPS}301||"}},
		{"a population", "function(supannEmpProfil[population])", nil, []string{"{SUPANN}RGPF||"}},
		{"a function comes first", "function(supannRoleEntite) | function(supannEmpCorps)", []string{"[role={SUPANN}D30][code=DSI]"}, []string{"{SUPANN}D30||DSI"}},
	} {
		values := map[string][]string{"uid": {"p1"}, "sn": {"Le Goff"}, "supannEmpCorps": {"{NCORPS}300"}, "supannEmpProfil": {profile}, "supannRoleEntite": c.entity}
		e, refused := mapped(t, source.Config{ID: "ldap", Kind: "ldap", Map: map[string]string{"functions": c.expression}}, values)
		if got := e.Values[mapping.FieldFunctions]; !slices.Equal(got, c.want) || len(refused) > 0 {
			t.Errorf("%s: %q, want %q; refused %v", c.name, got, c.want, refused)
		}
	}
}

func TestThePresetOfActiveDirectoryReadsAnAccountThatIsSwitchedOffAndExpires(t *testing.T) {
	e, refused := mapped(t, source.Config{ID: "ad", Kind: "ldap", Preset: "ad", Affiliations: []source.AffiliationConfig{
		{Attribute: "memberOf", Value: "CN=GG-Etudiants-*", Kind: "student", Programme: "department", Campus: "campus(physicalDeliveryOfficeName)"},
	}, Tables: map[string]map[string]string{"campus": {"Bât. A": "rives"}}}, map[string][]string{
		"sAMAccountName": {"jdupont"}, "userPrincipalName": {"jdupont@univ.test"}, "sn": {"Dupont"}, "givenName": {"Jean"}, "employeeID": {"42"},
		"userAccountControl": {"514"}, "accountExpires": {"134328672000000000"}, "memberOf": {"CN=GG-Etudiants-L1,OU=Groupes,DC=univ,DC=test"},
		"department": {"L1INFO"}, "physicalDeliveryOfficeName": {"Bât. A"},
	})
	if len(refused) > 0 {
		t.Errorf("refused %v", refused)
	}
	says(t, e, map[mapping.Field][]string{
		"login": {"jdupont"}, "mail": {"jdupont@univ.test"}, mapping.FieldActive: {"false"}, mapping.FieldEmployeeNumber: {"42"},
		"affiliations": {"student|rives|L1INFO|"}, mapping.FieldGroups: {"cn=gg-etudiants-l1,ou=groupes,dc=univ,dc=test"},
	})
	if until := e.Values.Subject().Until[campus.Student]; until.Year() != 2026 {
		t.Errorf("it ends %v", until)
	}
	never, _ := mapped(t, source.Config{ID: "ad", Kind: "ldap", Preset: "ad"}, map[string][]string{"employeeType": {"Student"}, "accountExpires": {"9223372036854775807"}, "userAccountControl": {"512"}})
	says(t, never, map[mapping.Field][]string{"affiliations": {"student|||"}, "until": {}, mapping.FieldActive: {"true"}})
	if until, ok := never.Values.Subject().Until[campus.Student]; !ok || !until.IsZero() {
		t.Errorf("without an end it is %v, %v", until, ok)
	}
}

func TestAnExpressionTakesTheFirstThatHasAValue(t *testing.T) {
	tables := map[string]map[string]string{"site": {"010": "rives", "020": "", "*": "="}, "strict": {"1": "one"}}
	values := map[string][]string{
		"empty": {"", "  "}, "one": {"Alpha"}, "two": {"010", "999", "020"}, "dn": {"CN=Chef de service,OU=x"}, "mail": {"Jean.Dupont@Univ.Test"},
		"SHOUT": {"LE GOFF-D'ANGELO"}, "comp": {"[etape={X}L1][annee=2026]", "no composite"}, "label": {"{UAI:0999999Z}L1", "{UAI}0999999ZL2", "plain", "{broken"},
	}
	for _, c := range []struct{ name, expression, want string }{
		{"an attribute whatever its case", "ONE", "Alpha"},
		{"the first with a value", "empty | missing | one | two", "Alpha"},
		{"a text", "'Université'", "Université"},
		{"a text with attributes", "'{one} ({comp[annee]})'", "Alpha (2026)"},
		{"a text whose attribute is empty has no value", "'{empty}-x' | one", "Alpha"},
		{"a look-up keeps, drops and takes others as they are", "site(two)", "rives, 999"},
		{"a part of a composite value", "comp[ETAPE]", "{X}L1"},
		{"a function of a part", "bare(comp[etape])", "L1"},
		{"labels of every form", "bare(label)", "L1, L2, plain, {broken"},
		{"a name in capitals", "capital(shout)", "Le Goff-D'Angelo"},
		{"what stands before and behind the @", "'{mail}'", "Jean.Dupont@Univ.Test"},
		{"the local part in small letters", "lower(local(mail))", "jean.dupont"},
		{"the value of an RDN", "rdn(dn)", "Chef de service"},
	} {
		e, refused := mapped(t, source.Config{ID: "x", Kind: "csv", Map: map[string]string{"entitlements": c.expression}, Tables: tables}, values)
		if got := strings.Join(e.Values[mapping.FieldEntitlements], ", "); got != c.want || len(refused) > 0 {
			t.Errorf("%s: %q, want %q; refused %v", c.name, got, c.want, refused)
		}
	}
	e, refused := mapped(t, source.Config{ID: "x", Kind: "csv", Map: map[string]string{"office": "strict(two)"}, Tables: tables}, values)
	if _, said := e.Values[mapping.FieldOffice]; said || len(refused) != 3 || !errors.Is(refused[0], mapping.CodeUnknown) {
		t.Errorf("codes that the table lacks: %v said %v", refused, e.Values)
	}
}

func TestAMistakeInTheMappingIsToldWithItsKey(t *testing.T) {
	for text, want := range map[string]string{
		"mail |": "wants the name", "(mail)": "wants the name", "upper(mail": "lacks a )", "nothing(mail)": "neither a table nor a function",
		"'open": "lacks the apostrophe", "'{mail'": "between { and }", "mail[": "between [ and ]", "mail mail": "cannot read", strings.Repeat("lower(", 40) + "mail": "nested",
	} {
		problems := mapping.Problems(source.Config{Kind: "csv", Map: map[string]string{"login": text}})
		if len(problems) == 0 || problems[0].Key != "map.login" || !strings.Contains(problems[0].Text, want) {
			t.Errorf("%q: %v, want %q", text, problems, want)
		}
	}
	problems := mapping.Problems(source.Config{
		Kind: "ldap", Map: map[string]string{"shoesize": "x", "group.login": "uid", "unit.name": "ou"}, Tables: map[string]map[string]string{"lower": {}},
		Affiliations: []source.AffiliationConfig{{Kind: "student", Campus: "campus(ou)"}},
	})
	var keys []string
	for _, p := range problems {
		keys = append(keys, p.Key)
	}
	if !slices.Equal(keys, []string{"tables.lower", "map.group.login", "map.shoesize", "affiliations[0].campus"}) {
		t.Errorf("the keys are %q", keys)
	}
}

func TestEveryPresetIsFreeOfMistakes(t *testing.T) {
	for _, preset := range []string{source.PresetNone, source.PresetSupAnn, source.PresetEduPerson, source.PresetAD} {
		if problems := mapping.Problems(source.Config{Kind: "ldap", Preset: preset}); len(problems) > 0 {
			t.Errorf("%s: %v", preset, problems)
		}
	}
}

func TestWhatIsReadOfASourceIsWhatTheMappingLooksAtAndNothingElse(t *testing.T) {
	m, err := mapping.New(source.Config{Kind: "ldap", Preset: "eduperson", Map: map[string]string{"office": "'{buildingName} {roomNumber}'", "photo": ""}}, paris)
	if err != nil {
		t.Fatal(err)
	}
	names := m.Attributes(source.Person)
	if !slices.Contains(names, "buildingname") || !slices.Contains(names, "edupersonaffiliation") || slices.Contains(names, "jpegphoto") || slices.Contains(names, "userpassword") {
		t.Errorf("it reads %q", names)
	}
	if groups := m.Attributes(source.Group); !slices.Contains(groups, "member") || slices.Contains(groups, "sn") {
		t.Errorf("of groups it reads %q", groups)
	}
}

func TestAValueIsCleanedOrRefusedWithItsReason(t *testing.T) {
	c := source.Config{ID: "csv", Kind: "csv"}
	for _, k := range []struct {
		name, field, value, want string
		reason                   *fault.Reason
	}{
		{"Latin-1 bytes", "family_name", "Qu\xe9r\xe9", "Quéré", nil},
		{"UTF-8 encoded twice", "family_name", "QuÃ©rÃ©", "Quéré", nil},
		{"a name that only looks like it", "family_name", "ÅSA", "ÅSA", nil},
		{"letters and accents apart", "family_name", "Que\u0301re\u0301", "Quéré", nil},
		{"hard spaces and tabs", "family_name", " Le\u00a0\t Goff ", "Le Goff", nil},
		{"characters that nobody sees", "family_name", "Dupont\u200e\u202e\x07", "Dupont", nil},
		{"bytes of no text", "family_name", "Dup\x81\x8dont", "", mapping.ValueUnreadable},
		{"a character that was lost", "family_name", "Dup\ufffdont", "", mapping.ValueUnreadable},
		{"no letter", "family_name", "12345", "", mapping.ValueUnfit},
		{"a tag", "family_name", "<b>Dupont", "", mapping.ValueUnfit},
		{"a very long name", "family_name", strings.Repeat("Wolfe", 40), "", mapping.ValueTooLong},
		{"a login in capitals", "login", "JDupont", "jdupont", nil},
		{"a login with an accent", "login", "jérôme", "", mapping.LoginUnfit},
		{"a login of digits", "login", "20260001", "", mapping.LoginUnfit},
		{"an address", "mail", "mailto:Jean@Univ.test", "jean@univ.test", nil},
		{"an address with a name", "mail", "Jean <jean@univ.test>", "", mapping.MailUnfit},
		{"two addresses", "mail", "a@univ.test;b@univ.test", "", mapping.MailUnfit},
		{"a number with spaces", "student_number", "2026 0001", "20260001", nil},
		{"a number that a spreadsheet has rounded", "student_number", "2,02E+07", "", mapping.NumberRounded},
		{"the longest number", "student_number", strings.Repeat("É", 40), strings.Repeat("É", 40), nil},
		{"a longer one", "student_number", strings.Repeat("É", 41), "", mapping.ValueUnfit},
		{"a formula", "student_number", "=1+1", "", mapping.ValueUnfit},
		{"a phone", "phone", "01.99 00-00/01", "01.99 00-00/01", nil},
		{"words for a phone", "phone", "demander à Jean", "", mapping.PhoneUnfit},
		{"a language that we do not speak", "locale", "de", "", nil},
		{"yes", "listed", "Oui", "true", nil},
		{"perhaps", "listed", "peut-être", "", mapping.ValueUnfit},
		{"a code that would break the stored form", "units", "A|B", "", mapping.ValueUnfit},
	} {
		e, refused := mapped(t, c, map[string][]string{k.field: {k.value}})
		got, said := e.Values[mapping.Field(k.field)]
		if strings.Join(got, "+") != k.want {
			t.Errorf("%s: %q, want %q", k.name, got, k.want)
		}
		switch {
		case k.reason == nil && len(refused) > 0:
			t.Errorf("%s: refused with %v", k.name, refused)
		case k.reason != nil && (len(refused) != 1 || !errors.Is(refused[0], k.reason) || refused[0].Field != k.field || refused[0].Whole()):
			t.Errorf("%s: refusals are %v, want %v", k.name, refused, k.reason)
		case k.reason != nil && said:
			t.Errorf("%s: the field is said to be empty, which would take away what was known", k.name)
		}
	}
}

func TestADateIsReadInTheWaysThatSourcesWriteIt(t *testing.T) {
	for text, want := range map[string]string{
		"2027-08-31": "2027-08-31T22:00:00Z", "31/08/2027": "2027-08-31T22:00:00Z", "20270831": "2027-08-31T22:00:00Z", "20270831220000Z": "2027-08-31T22:00:00Z",
		"2027-09-01T00:00:00+02:00": "2027-08-31T22:00:00Z", "31.12.2027": "2027-12-31T23:00:00Z", "31/12/9999": "", "0": "", "9223372036854775807": "",
		"demain": "refused", "31/31/2027": "refused", "01/01/1900": "refused",
	} {
		e, refused := mapped(t, source.Config{Kind: "csv"}, map[string][]string{"affiliation": {"étudiant"}, "until": {text}})
		got := "refused"
		if said, ok := e.Values["until"]; ok {
			_, got, _ = strings.Cut(strings.Join(said, "+"), "|")
		}
		if got != want || (want == "refused") != (len(refused) == 1 && errors.Is(refused[0], mapping.DateUnfit)) {
			t.Errorf("%s: %q, want %q; %v", text, got, want, refused)
		}
	}
}

func TestAFileWithoutAColumnSaysNothingOfItsField(t *testing.T) {
	e, _ := mapped(t, source.Config{Kind: "csv"}, map[string][]string{"family_name": {"Quéré"}, "office": {""}})
	if _, said := e.Values["mail"]; said {
		t.Error("the mail is said to be empty")
	}
	if _, said := e.Values["affiliations"]; said {
		t.Error("the affiliations are said to be empty")
	}
	says(t, e, map[mapping.Field][]string{mapping.FieldOffice: {}})
	m, err := mapping.New(source.Config{Kind: "scim"}, paris)
	if err != nil {
		t.Fatal(err)
	}
	part, _ := m.Map(source.Record{Kind: source.Person, Key: "k", Partial: true, Values: map[string][]string{"job_title": {"Doyenne"}}})
	if fields := part.Values.Fields(); !slices.Equal(fields, []mapping.Field{"job_title"}) {
		t.Errorf("a part speaks of %q", fields)
	}
}

func TestAffiliationsOfAFileAreWordsInBothLanguages(t *testing.T) {
	e, refused := mapped(t, source.Config{Kind: "csv"}, map[string][]string{"affiliation": {"Étudiante", "VACATAIRE"}, "campus": {"rives"}, "programme": {"L1", "L2"}})
	if len(refused) > 0 {
		t.Error(refused)
	}
	says(t, e, map[mapping.Field][]string{"affiliations": {"student|rives|L1|", "student|rives|L2|", "teacher|rives|L1|", "teacher|rives|L2|"}})
	e, refused = mapped(t, source.Config{Kind: "csv"}, map[string][]string{"affiliation": {"dauphin"}})
	if _, said := e.Values["affiliations"]; said || len(refused) != 1 || !errors.Is(refused[0], mapping.AffiliationUnknown) {
		t.Errorf("an unknown word: %v, %v", e.Values, refused)
	}
	many := make([]string, 100)
	for i := range many {
		many[i] = "P" + strings.Repeat("x", i)
	}
	e, refused = mapped(t, source.Config{Kind: "csv"}, map[string][]string{"affiliation": {"student"}, "programme": many})
	if _, said := e.Values["affiliations"]; said || len(refused) != 1 || !errors.Is(refused[0], mapping.TooMany) {
		t.Errorf("a hundred programmes: %v", refused)
	}
}

func TestAPhotoIsKeptWithItsDigestAndAnythingElseRefused(t *testing.T) {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	c := source.Config{Kind: "ldap", Preset: "eduperson"}
	e, refused := mapped(t, c, map[string][]string{"jpegPhoto": {picture.String()}})
	if !bytes.Equal(e.Photo, picture.Bytes()) || len(e.Values.One(mapping.FieldPhoto)) != 64 || len(refused) > 0 {
		t.Errorf("digest %q, refused %v", e.Values.One(mapping.FieldPhoto), refused)
	}
	e, refused = mapped(t, c, map[string][]string{"jpegPhoto": {"<svg/>"}})
	if _, said := e.Values[mapping.FieldPhoto]; said || len(refused) != 1 || !errors.Is(refused[0], mapping.PhotoUnfit) {
		t.Errorf("a text for a photo: %v", refused)
	}
	e, _ = mapped(t, c, nil)
	says(t, e, map[mapping.Field][]string{mapping.FieldPhoto: {}})
}

func TestGroupsAndUnitsAreMappedAndNeedACode(t *testing.T) {
	m, err := mapping.New(source.Config{Kind: "ldap", Preset: "supann"}, paris)
	if err != nil {
		t.Fatal(err)
	}
	g, refused := m.Map(source.Record{Kind: source.Group, Key: "g", Values: map[string][]string{"cn": {"L1INFO"}, "member": {"UID=a,ou=people", "uid=b, ou=people"}}})
	if len(refused) > 0 {
		t.Error(refused)
	}
	says(t, g, map[mapping.Field][]string{mapping.FieldCode: {"L1INFO"}, mapping.FieldName: {"L1INFO"}, mapping.FieldMembers: {"uid=a,ou=people", "uid=b,ou=people"}})
	u, _ := m.Map(source.Record{Kind: source.Unit, Key: "u", Values: map[string][]string{
		"supannCodeEntite": {"x"}, "supanncodeentite": {"DSI"}, "supanncodeentiteparent": {"ROOT"}, "description": {"Direction du numérique"}, "postaladdress": {"1 rue X$35000 Rennes"},
	}})
	says(t, u, map[mapping.Field][]string{mapping.FieldCode: {"DSI"}, mapping.FieldParent: {"ROOT"}, mapping.FieldName: {"Direction du numérique"}, mapping.FieldAddress: {"1 rue X, 35000 Rennes"}})
	none, refused := m.Map(source.Record{Kind: source.Group, Key: "g", Values: map[string][]string{}})
	if !none.Refused || none.Key != "g" || len(refused) != 1 || !refused[0].Whole() {
		t.Errorf("a group without a code: %+v, %v", none, refused)
	}
}

// FuzzMap: whatever a source says, what is taken is clean, and every refusal a reason.
func FuzzMap(f *testing.F) {
	f.Add("uid | mail", "Qu\xe9r\xe9", "[etape={UAI:1}L1][annee=2026]", "student")
	f.Add("bare(x[etape])", "=cmd|' /C calc'!A0", "CN=a\\,b,DC=c", "20270931")
	f.Add("'{uid}@univ'", "\x00\u202e", "134328672000000000", "")
	f.Fuzz(func(t *testing.T, expression, a, b, c string) {
		m, err := mapping.New(source.Config{ID: "x", Kind: "ldap", Preset: "supann", Map: map[string]string{"office": expression}}, time.UTC)
		if err != nil {
			return
		}
		names := append(m.Attributes(source.Person), m.Attributes(source.Group)...)
		values := map[string][]string{}
		for i, name := range names {
			values[name] = []string{[]string{a, b, c}[i%3], a + b, c}
		}
		for _, k := range source.Kinds {
			e, refused := m.Map(source.Record{Kind: k, Key: "k", Values: maps.Clone(values)})
			for field, said := range e.Values {
				for _, v := range said {
					if !utf8.ValidString(v) || v == "" || strings.ContainsFunc(v, unicode.IsControl) {
						t.Errorf("%s of a %s is %q", field, k, v)
					}
				}
			}
			e.Values.Subject()
			for _, r := range refused {
				if fault.Of(r).Reason == fault.Unexpected || r.Code() == "" {
					t.Errorf("a refusal without a reason: %v", r)
				}
			}
		}
		for _, text := range (mapping.Values{contract.FieldAffiliations: {a, b, c}})[contract.FieldAffiliations] {
			if parsed, ok := mapping.ParseAffiliation(text); ok && mapping.FormatAffiliation(parsed) != text {
				t.Errorf("%q is stored as %q", text, mapping.FormatAffiliation(parsed))
			}
		}
	})
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"Qu\xe9r\xe9", "QuÃ©rÃ©", "e\u200b\u0301", "\u1100\u00ad\u1161", "ÂÃ", "\ufeffNom"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		once, err := mapping.Clean(raw)
		if err != nil {
			return
		}
		if strings.TrimSpace(once) != once || strings.Contains(once, "  ") || !utf8.ValidString(once) {
			t.Errorf("%q becomes %q", raw, once)
		}
	})
}
